/* SPDX-License-Identifier: MIT */
/* What can be told of a key from its public part. Includes nothing of the TPM stack. */
#ifndef ASSAY_TPM_KEY_FACTS_H
#define ASSAY_TPM_KEY_FACTS_H

#include "assay.h"

enum tpm_key_use {
	TPM_KEY_SIGNING,     /* signs any digest */
	TPM_KEY_ATTESTATION, /* restricted: signs only what the TPM itself says */
};

/* TPM2B_NAME without its size: algorithm identifier and digest. */
#define TPM_KEY_NAME_MAX (2 + ASSAY_DIGEST_MAX)

/**
 * struct tpm_key_facts - what the public part of a key says
 * @use: what the key is for
 * @algorithm: as OpenSSL calls it, "P-256" or "RSA-2048"
 * @made_here: it was made inside the TPM and cannot leave it (fixedTPM, fixedParent,
 *             sensitiveDataOrigin); as the file says, for no TPM was asked
 * @password, @pcr_policy: what using it takes, as in struct tpm_key_file
 * @scheme_hash: the only hash that it signs digests of; ASSAY_HASH_NONE for any
 * @name: the key's name: hash algorithm (be16) and digest of the public area
 * @name_size: bytes of it
 */
struct tpm_key_facts {
	enum tpm_key_use use;
	char algorithm[32];
	bool made_here;
	bool password, pcr_policy;
	enum assay_hash scheme_hash;
	uint8_t name[TPM_KEY_NAME_MAX];
	size_t name_size;
};

#endif /* ASSAY_TPM_KEY_FACTS_H */
