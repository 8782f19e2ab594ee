/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys by which each record of the log proves to be this module's. */
#ifndef _ASSAY_CHAIN_H
#define _ASSAY_CHAIN_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "anchor.h"
#include "cel.h"
#include "uapi/assay.h"

struct crypto_shash;

/* Bytes of a TLV that holds a key, what commits to one, or a MAC. */
#define ASSAY_CHAIN_FIELD_SIZE (ASSAY_CEL_HEADER_SIZE + ASSAY_KEY_SIZE)

/* Bytes of a content as far as NEXT, at most: its TLV header, KIND, TIME, KEY and NEXT. */
#define ASSAY_CHAIN_HEAD_SIZE (3 * ASSAY_CEL_HEADER_SIZE + 1 + 8 + 2 * ASSAY_CHAIN_FIELD_SIZE)

/**
 * struct assay_chain - the keys of a log's records
 * @anchor: for digests
 * @hmac: HMAC-SHA-256; its key is set for each use
 * @lock: serialises the use of @hmac
 * @seed: what the keys are made from
 * @closed: no key is revealed any more; only ever set
 */
struct assay_chain {
	const struct assay_anchor *anchor;
	struct crypto_shash *hmac;
	struct mutex lock; /* see above */
	u8 seed[ASSAY_KEY_SIZE];
	bool closed;
};

int assay_chain_init(struct assay_chain *chain, const struct assay_anchor *anchor);
void assay_chain_destroy(struct assay_chain *chain);
void assay_chain_start(struct assay_chain *chain);
int assay_chain_resume(struct assay_chain *chain, const u8 *seed, u64 recnum,
		       const u8 head[ASSAY_CHAIN_HEAD_SIZE]);
int assay_chain_key(struct assay_chain *chain, u64 recnum, u8 *ret_key);
void assay_chain_put(struct assay_chain *chain, struct assay_cel *fields, u64 recnum, bool reveal);
void assay_chain_put_commitment(struct assay_chain *chain, struct assay_cel *fields, u8 field,
				u64 recnum);
int assay_chain_mac(struct assay_chain *chain, u64 recnum, const struct kvec *content,
		    unsigned int count, u8 *ret_field);

/**
 * assay_chain_close() - reveal no key any more
 * @chain: initialised chain
 */
static inline void assay_chain_close(struct assay_chain *chain)
{
	WRITE_ONCE(chain->closed, true);
}

static inline bool assay_chain_is_closed(const struct assay_chain *chain)
{
	return READ_ONCE(chain->closed);
}

#endif /* _ASSAY_CHAIN_H */
