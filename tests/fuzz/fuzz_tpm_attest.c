// SPDX-License-Identifier: MIT
/* Fuzz target: TPMS_ATTEST, what a TPM signs. */
#include <assert.h>

#include "fuzz.h"
#include "verify/structures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct tpm_attest attest;

	if (tpm_attest_parse(in, &attest, NULL) < 0)
		return 0;
	inside(attest.qualified_signer, in);
	inside(attest.extra_data, in);
	inside(attest.pcr_digest, in);
	assert(attest.selection_count <= TPM_MAX_SELECTIONS);
	for (size_t i = 0; i < attest.selection_count; i++)
		assert(attest.selections[i].mask < 1U << TPM_PCR_COUNT);
	/* A quote ends where its fields do: one byte less is no quote. */
	if (attest.type == TPM_ST_ATTEST_QUOTE)
		assert(tpm_attest_parse(BYTES(data, size - 1), &attest, NULL) < 0);
	return 0;
}
