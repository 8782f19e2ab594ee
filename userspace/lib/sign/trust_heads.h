/* SPDX-License-Identifier: MIT */
/*
 * What signatures that were found good begin with. Those by one key without signed attributes
 * differ in nothing but the signature's own bytes, which come last. So of one that begins like
 * another, and is as long, all has been judged but these: neither the structure nor certificates
 * need be looked at again, which take as long as the signature itself.
 *
 * For sign/trust.c; of several threads at a time.
 */
#ifndef ASSAY_SIGN_TRUST_HEADS_H
#define ASSAY_SIGN_TRUST_HEADS_H

#include <openssl/x509.h>

#include "assay.h"
#include "base/bytes.h"

struct trust_heads;

/**
 * struct trust_head - how a signature begins
 * @signer: whose it is, borrowed from the heads
 * @hash: the message digest's
 * @when: when it was made, as certificates were judged; 0: not known
 * @size: of what is in front of the signature's own bytes
 */
struct trust_head {
	X509 *signer;
	enum assay_hash hash;
	uint64_t when;
	size_t size;
};

/* trust_heads_new() - NULL without memory */
struct trust_heads *trust_heads_new(void);
/* Does nothing with NULL. */
void trust_heads_free(struct trust_heads *heads);

/*
 * trust_heads_keep() - @der was found good, and has no signed attributes
 * @head: @size is not looked at
 * @signature: its own bytes; if they are not the last of @der, or there is no room, nothing is kept
 */
void trust_heads_keep(struct trust_heads *heads, struct bytes der, struct bytes signature,
		      const struct trust_head *head);

/* trust_heads_find() - does @der begin like one that was kept, of the same time? NULL: no */
const struct trust_head *trust_heads_find(const struct trust_heads *heads, struct bytes der,
					  uint64_t when);

#endif /* ASSAY_SIGN_TRUST_HEADS_H */
