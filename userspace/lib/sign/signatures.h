/* SPDX-License-Identifier: MIT */
/*
 * Signatures that were made elsewhere, found by the digest that was signed, and a signer that
 * signs with them: what signing in two steps is made of.
 *
 * A file of signatures is JSON Lines, an object each:
 *
 *	{"digest":"sha256:HEX","signature":"BASE64"}
 *
 * and may have the other members of the line of sign/prepared.h that it answers. A signature
 * is ECDSA as r and s side by side (PKCS#11, IEEE P1363), or as DER of Ecdsa-Sig-Value; RSA
 * as it is, with PKCS#1 v1.5; or either inside a detached CMS of one signer (RFC 5652), DER or
 * PEM, without signed attributes.
 *
 * For commands that sign.
 */
#ifndef ASSAY_SIGN_SIGNATURES_H
#define ASSAY_SIGN_SIGNATURES_H

#include "base/json.h"
#include "base/signer.h"

/* The largest of them, in bytes: a CMS with some certificates inside. */
#define SIGNATURES_ONE_MAX 65536

struct signatures;

int signatures_new(struct signatures **ret, struct assay_error *err);
/* Does nothing with NULL. */
void signatures_free(struct signatures *signatures);

/* signatures_add() - note a signature, which is copied, of what has that digest */
int signatures_add(struct signatures *signatures, const struct assay_digest *digest,
		   struct bytes signature, struct assay_error *err);

/* signatures_have() - is there any of that digest? */
bool signatures_have(const struct signatures *signatures, const struct assay_digest *digest);

size_t signatures_count(const struct signatures *signatures);

/*
 * signatures_each() - all of them, in the order in which they were added
 * Return: 0, or what @each returned other than 0, which ends it
 */
int signatures_each(const struct signatures *signatures,
		    int (*each)(void *context, const struct assay_digest *digest,
				struct bytes signature, struct assay_error *err),
		    void *context, struct assay_error *err);

/* signatures_read_object() - add the one of a line's object; @what names it in errors */
int signatures_read_object(struct signatures *signatures, const json_t *object, const char *what,
			   struct assay_error *err);

/*
 * signatures_read() - add all of a file
 * @text: JSON Lines; or one signature as it is, of what has the digest @only
 * @only: NULL: there is more than one thing to sign
 *
 * Pure. What was added before an error stays.
 * Return: 0; -EBADMSG and where it is not such a file
 */
int signatures_read(struct signatures *signatures, struct bytes text, const char *name,
		    const struct assay_digest *only, struct assay_error *err);

/*
 * signature_settle() - append what was given as a signature of @message, as struct signer makes
 * it, to @out, if it is one by @key
 * @given: in any form, see above
 *
 * Return: 0; -EKEYREJECTED where it is none; -EBADMSG for a CMS that cannot be used: *err says
 * why
 */
int signature_settle(EVP_PKEY *key, enum assay_hash hash, struct bytes message, struct bytes given,
		     struct buffer *out, struct assay_error *err);

/**
 * struct signatures_want - who is told of what has no signature
 * @want: @digest is that of @message, with @hash
 */
struct signatures_want {
	void *context;
	int (*want)(void *context, enum assay_hash hash, const struct assay_digest *digest,
		    struct bytes message, struct assay_error *err);
};

/*
 * signatures_signer() - a signer with the signatures that are there
 * @key: whose they are; X509_get0_pubkey()'s will do, a reference is taken
 * @inner: makes those that are missing, which are added; NULL: -ENOKEY for each of them
 * @want: is told of each that is missing, which is -EINPROGRESS then; may be NULL
 * @ret: close() leaves @inner and @signatures to the caller, who must not free them before
 *
 * Each signature is verified. Of several of one digest the first that is good is taken, so that
 * the same thing is always signed with the same signature.
 */
int signatures_signer(struct signatures *signatures, EVP_PKEY *key, struct signer *inner,
		      const struct signatures_want *want, struct signer **ret,
		      struct assay_error *err);

#endif /* ASSAY_SIGN_SIGNATURES_H */
