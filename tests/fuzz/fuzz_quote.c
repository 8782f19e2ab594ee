// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the TPM's marshalled structures. The input is tried as each of them;
 * whatever parses as a key is named and made to verify whatever parses as a
 * signature: two inputs in one, split at its first byte.
 */
#include <assert.h>

#include "verify/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct bytes part, struct bytes whole)
{
	assert(part.size == 0 ||
	       (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size), first;
	struct tpm_signature signature;
	struct tpm_public public;
	struct tpm_attest attest;
	struct tpm_name name;
	uint8_t split;

	if (tpm_attest_parse(in, &attest, NULL) == 0) {
		inside(attest.qualified_signer, in);
		inside(attest.extra_data, in);
		inside(attest.pcr_digest, in);
		assert(attest.selection_count <= TPM_MAX_SELECTIONS);
		for (size_t i = 0; i < attest.selection_count; i++)
			assert(attest.selections[i].mask < 1U << TPM_PCR_COUNT);
	}
	if (!bytes_take_u8(&in, &split) || !bytes_take(&in, split, &first))
		return 0;
	if (tpm_signature_parse(in, &signature, NULL) < 0 ||
	    tpm_public_parse(first, &public, NULL) < 0)
		return 0;
	inside(public.area, first);
	if (tpm_key_name(&public, &name, NULL) == 0)
		assert(name.size == 2 + assay_hash_size(public.name_hash));
	tpm_key_verify(&public, &signature, first, NULL);
	return 0;
}
