/* SPDX-License-Identifier: MIT */
/* What lib/tpm's own files know of a loaded key, in the TPM stack's terms. */
#ifndef ASSAY_TPM_KEY_INTERNAL_H
#define ASSAY_TPM_KEY_INTERNAL_H

#include "tpm/key.h"
#include "tpm/key_parent.h"
#include "tpm/key_policy.h"
#include "tpm/key_public.h"

/**
 * struct tpm_key - a key in one of the TPM's slots
 * @tpm: where; borrowed, outlives the key
 * @handle: the slot
 * @persistent: it is in the TPM for good: there is no slot to give back
 * @session: proves the password or the policy; ESYS_TR_NONE where neither is needed
 * @policy: what using it takes besides the password
 * @public: what its public part says, as the key file has it (the TPM has checked that the
 *          private part belongs to it)
 * @public_area: the same, TPM2B_PUBLIC
 * @what: its name for errors
 */
struct tpm_key {
	struct tpm *tpm;
	ESYS_TR handle;
	bool persistent;
	ESYS_TR session;
	struct tpm_key_policy policy;
	struct tpm_key_public public;
	struct buffer public_area;
	char *what;
};

/* The hash that the key's own scheme fixes, ASSAY_HASH_NONE if the caller chooses. */
enum assay_hash tpm_key_scheme_hash(const struct tpm_key *key);

/*
 * tpm_key_check_signature() - put a signature from the TPM into the form that OpenSSL
 * takes (ECDSA: DER), see that it is the key's over @digest, and append it to @out
 */
int tpm_key_check_signature(const struct tpm_key *key, const TPMT_SIGNATURE *signature,
			    const struct assay_digest *digest, struct buffer *out,
			    struct assay_error *err);

/* tpm_key_authorize() - the session for the next use of the key; the key's own */
int tpm_key_authorize(const struct tpm_key *key, ESYS_TR *ret, struct assay_error *err);

#endif /* ASSAY_TPM_KEY_INTERNAL_H */
