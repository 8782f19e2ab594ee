/* SPDX-License-Identifier: MIT */
/*
 * An attestation key that is read once and judged by many times. It does not change: any thread
 * may use it. For lib/verify, and for whoever keeps one.
 */
#ifndef ASSAY_VERIFY_KEPT_KEY_H
#define ASSAY_VERIFY_KEPT_KEY_H

#include <openssl/evp.h>

#include "verify/key.h"

struct kept_key;

/*
 * kept_key_new() - read a TPM2B_PUBLIC
 * @ret: kept_key_free() it; nothing of @tpm2b_public is borrowed
 *
 * What the key may be is not looked at, but whether it is one.
 * Return: 0; -EBADMSG with what is off; -ENOTSUP for a name's hash that is not known; -ENOMEM
 */
int kept_key_new(struct bytes tpm2b_public, struct kept_key **ret, struct assay_error *err);
void kept_key_free(struct kept_key *key); /* does nothing with NULL */

/* kept_key_bytes() - the TPM2B_PUBLIC; kept_key_public() - the same, read; both live as long */
struct bytes kept_key_bytes(const struct kept_key *key);
const struct tpm_public *kept_key_public(const struct kept_key *key);

/* kept_key_name() - as tpm_key_name() */
const struct tpm_name *kept_key_name(const struct kept_key *key);

/* kept_key_openssl() - as tpm_public_key(), borrowed */
EVP_PKEY *kept_key_openssl(const struct kept_key *key);

#endif /* ASSAY_VERIFY_KEPT_KEY_H */
