// SPDX-License-Identifier: MIT
/*
 * Fuzz target: whatever parses as a TPM's key is named and made to verify whatever parses as
 * a signature: two inputs in one, split at its first byte.
 */
#include <assert.h>

#include "verify/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size), first;
	struct tpm_signature signature;
	struct tpm_public public;
	struct tpm_name name;
	uint8_t split;

	if (!bytes_take_u8(&in, &split) || !bytes_take(&in, split, &first))
		return 0;
	if (tpm_signature_parse(in, &signature, NULL) < 0 ||
	    tpm_public_parse(first, &public, NULL) < 0)
		return 0;
	if (tpm_key_name(&public, &name, NULL) == 0)
		assert(name.size == 2 + assay_hash_size(public.name_hash));
	tpm_key_verify(&public, &signature, first, NULL);
	return 0;
}
