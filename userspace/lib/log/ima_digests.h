/* SPDX-License-Identifier: MIT */
/*
 * The template hashes of a whole list of IMA, in its order. They do not depend on each other,
 * so many are computed at a time, and those of a long list on other threads. What depends on
 * the one before it, the PCR, is left to the caller. Memory does not grow with the list.
 *
 * For lib/log and lib/verify.
 */
#ifndef ASSAY_LOG_IMA_DIGESTS_H
#define ASSAY_LOG_IMA_DIGESTS_H

#include "log/ima.h"

struct ima_digests;

/**
 * struct ima_digested - an entry and its template hashes; valid until the next one is taken
 * @frame: the entry
 * @digests: the template hashes, one each of the algorithms asked for, of their sizes. Of a
 *           violation too, though it is not what was extended
 */
struct ima_digested {
	const struct ima_frame *frame;
	const uint8_t *digests[HASHERS_MAX];
};

/*
 * ima_digests_new() - begin
 * @list: borrowed until the end
 * @bank: whose template digests it holds
 * @hashes: algorithms to compute, @count of them, 1 to HASHERS_MAX
 */
int ima_digests_new(struct bytes list, enum assay_hash bank, const enum assay_hash *hashes,
		    size_t count, struct ima_digests **ret, struct assay_error *err);
void ima_digests_free(struct ima_digests *digests);

/*
 * ima_digests_next() - the next entry
 *
 * Return: 1 with *ret set; 0 at the end; -EBADMSG as ima_next(); -EIO, -ENOMEM
 */
int ima_digests_next(struct ima_digests *digests, struct ima_digested *ret,
		     struct assay_error *err);

#endif /* ASSAY_LOG_IMA_DIGESTS_H */
