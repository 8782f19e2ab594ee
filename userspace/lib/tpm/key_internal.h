/* SPDX-License-Identifier: MIT */
/* What lib/tpm's own files know of a loaded key, in the TPM stack's terms. */
#ifndef ASSAY_TPM_KEY_INTERNAL_H
#define ASSAY_TPM_KEY_INTERNAL_H

#include "tpm/context.h"
#include "tpm/key.h"

/**
 * struct tpm_key - a key in one of the TPM's slots
 * @tpm: where; borrowed, outlives the key
 * @handle: the slot
 * @persistent: it is in the TPM for good: there is no slot to give back
 * @session: the session that proves the password; ESYS_TR_NONE without one
 * @password: whether it has one
 * @pcr_policy: as in struct tpm_key_file
 * @public: its public part, as the key file has it (the TPM has checked that the
 *          private part belongs to it)
 * @public_area: the same, marshalled
 * @public_key: the same for OpenSSL
 * @what: its name for errors
 */
struct tpm_key {
	struct tpm *tpm;
	ESYS_TR handle;
	bool persistent;
	ESYS_TR session;
	bool password;
	struct buffer pcr_policy;
	TPM2B_PUBLIC public;
	struct buffer public_area;
	EVP_PKEY *public_key;
	char *what;
};

/*
 * tpm_start_session() - a session of this type, to be flushed
 * @salt: a key whose private part only the TPM has, so that who listens to the TPM's wires
 *        learns no key of the session; or ESYS_TR_NONE
 */
int tpm_start_session(struct tpm *tpm, TPM2_SE type, ESYS_TR salt, TPMA_SESSION attributes,
		      ESYS_TR *ret, struct assay_error *err);

/* tpm_flush() - give back the slot of a key or session */
void tpm_flush(struct tpm *tpm, ESYS_TR handle);

/* The hash that the key's own scheme fixes, TPM2_ALG_NULL if the caller chooses. */
TPM2_ALG_ID tpm_key_scheme_hash(const struct tpm_key *key);

/*
 * tpm_key_check_signature() - put a signature from the TPM into the form that OpenSSL
 * takes (ECDSA: DER), see that it is the key's over @digest, and append it to @out
 */
int tpm_key_check_signature(const struct tpm_key *key, const TPMT_SIGNATURE *signature,
			    const struct assay_digest *digest, struct buffer *out,
			    struct assay_error *err);

/*
 * tpm_key_authorize() - the session to use the key in
 * To be flushed after one use where the key has a PCR policy.
 */
int tpm_key_authorize(const struct tpm_key *key, ESYS_TR *ret, struct assay_error *err);

#endif /* ASSAY_TPM_KEY_INTERNAL_H */
