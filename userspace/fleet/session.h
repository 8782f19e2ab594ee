/* SPDX-License-Identifier: MIT */
/*
 * Sessions of Keylime's push agents (API version 3): an agent proves that it has its device's
 * attestation key, by having the TPM certify the key with itself for a challenge
 * (TPM2_Certify), and gets a token. Neither is kept: both are nonces (nonce.h), of names that no
 * device has. Pure.
 */
#ifndef ASSAY_FLEET_SESSION_H
#define ASSAY_FLEET_SESSION_H

#include "nonce.h"

#define SESSION_TOKEN_STEP 3600 /* seconds; a token is good for one to two of them */
#define SESSION_TOKEN_TEXT (2 * NONCE_SIZE + 1)

/* session_challenge() - as nonce_make(), for who says that it is that device */
int session_challenge(const struct nonce_keys *keys, const char *device, uint64_t now,
		      uint64_t step, uint8_t ret[NONCE_SIZE], uint64_t *ret_expires_in,
		      struct assay_error *err);

/*
 * session_proved() - is that the device's proof?
 * @ak: TPM2B_PUBLIC, as it is enrolled
 * @attest: TPMS_ATTEST of TPM2_Certify; @signature: TPMT_SIGNATURE over it
 *
 * Return: 0; -EKEYREJECTED with what is off; -ESTALE where its challenge is not good any more;
 * -EBADMSG for what is neither; -ENOMEM, -EIO
 */
int session_proved(const struct nonce_keys *keys, const char *device, struct bytes ak,
		   struct bytes attest, struct bytes signature, uint64_t now, uint64_t step,
		   struct assay_error *err);

/* session_token() - for who has proved it; @ret_expires_in: seconds for which it is good */
int session_token(const struct nonce_keys *keys, const char *device, uint64_t now,
		  char ret[SESSION_TOKEN_TEXT], uint64_t *ret_expires_in, struct assay_error *err);

/* session_check() - is that a token of that device's, and still good? Return: 0; -EACCES, -EIO */
int session_check(const struct nonce_keys *keys, const char *device, struct bytes token,
		  uint64_t now, struct assay_error *err);

#endif /* ASSAY_FLEET_SESSION_H */
