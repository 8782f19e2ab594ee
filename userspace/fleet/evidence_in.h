/* SPDX-License-Identifier: MIT */
/* Evidence as it comes to the service: expanded, bounded and read, before anything is judged. */
#ifndef ASSAY_FLEET_EVIDENCE_IN_H
#define ASSAY_FLEET_EVIDENCE_IN_H

#include "verify/evidence.h"

/**
 * struct evidence_in - evidence as it came, and what of it is read before its device is known
 * @body: as it was sent, a frame of zstd; borrowed, or of @made
 * @made: of what came in another form: a frame of evidence
 * @text: what is in it; @evidence: as it was read, until it is judged
 * @digest: SHA-256 of @body
 * @whole: it leaves nothing out, whatever is known of its device
 * @nonce, @boot_id, @resets, @restarts, @clock: what it says; nothing is proved yet
 *
 * Start with {0}, end with evidence_in_free().
 */
struct evidence_in {
	struct bytes body;
	struct buffer made;
	struct buffer text;
	struct evidence evidence;
	struct assay_digest digest;
	bool whole;
	struct buffer nonce;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	uint64_t resets, restarts, clock;
};

/* evidence_in_forget() - let go of @text and @evidence, which are large; the rest stays */
void evidence_in_forget(struct evidence_in *in);
void evidence_in_free(struct evidence_in *in);

/*
 * evidence_in_read() - expand and read it
 * @limit: bytes that it may have when it is expanded
 *
 * Return: 0; -EFBIG; -EBADMSG with what is off; -ENOMEM
 */
int evidence_in_read(struct bytes body, size_t limit, struct evidence_in *ret,
		     struct assay_error *err);

/*
 * evidence_in_make() - the same of evidence that came in another form
 * @evidence: as of evidence_write(), with the key of the device that it is to be of
 */
int evidence_in_make(const struct evidence *evidence, size_t limit, struct evidence_in *ret,
		     struct assay_error *err);

#endif /* ASSAY_FLEET_EVIDENCE_IN_H */
