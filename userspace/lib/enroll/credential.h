/* SPDX-License-Identifier: MIT */
/*
 * TPM2_MakeCredential in software: a secret that only a TPM with a certain endorsement
 * key gets to know, and only if a key of a certain name is in that TPM too (TPM 2.0
 * Library part 1, section 24; part 3, section 12.6).
 *
 * Pure; no TPM stack: for the verifier's side of enrolment.
 */
#ifndef ASSAY_ENROLL_CREDENTIAL_H
#define ASSAY_ENROLL_CREDENTIAL_H

#include "verify/key.h"

/* Bytes of a secret: the name algorithm of every endorsement key has digests as long. */
#define CREDENTIAL_SECRET_SIZE 32

/**
 * struct credential - what TPM2_ActivateCredential takes
 * @blob: TPM2B_ID_OBJECT, with its size
 * @secret: TPM2B_ENCRYPTED_SECRET, with its size
 *
 * Start with {0}, end with credential_free().
 */
struct credential {
	struct buffer blob;
	struct buffer secret;
};

/*
 * credential_check_ek() - can a credential be made for this key, and would it mean a thing?
 *
 * An endorsement key is a storage key that was made inside its TPM and stays there: RSA from
 * 2048 bits, or ECC on P-256 or P-384, with AES in CFB mode below it.
 *
 * Return: 0; -EINVAL with what it lacks
 */
int credential_check_ek(const struct tpm_public *ek, struct assay_error *err);

/*
 * credential_make() - wrap a secret
 * @ek: passed credential_check_ek()
 * @ak_name: the name of the key that has to be in the TPM
 * @secret: CREDENTIAL_SECRET_SIZE bytes
 *
 * Return: 0; -EINVAL; -EIO where OpenSSL fails, -ENOMEM
 */
int credential_make(const struct tpm_public *ek, const struct tpm_name *ak_name,
		    struct bytes secret, struct credential *ret, struct assay_error *err);

void credential_free(struct credential *credential);

#endif /* ASSAY_ENROLL_CREDENTIAL_H */
