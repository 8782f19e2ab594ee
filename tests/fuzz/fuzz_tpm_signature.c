// SPDX-License-Identifier: MIT
/* Fuzz target: TPMT_SIGNATURE. */
#include <assert.h>

#include "fuzz.h"
#include "verify/structures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct tpm_signature signature;
	bool ecdsa;

	if (tpm_signature_parse(in, &signature, NULL) < 0)
		return 0;
	ecdsa = signature.algorithm == TPM_ALG_ECDSA;
	inside(signature.rsa, in);
	inside(signature.r, in);
	inside(signature.s, in);
	assert(ecdsa ? signature.rsa.size == 0 : signature.r.size == 0 && signature.s.size == 0);
	if (ecdsa || signature.rsa.size > 0)
		assert(tpm_signature_parse(BYTES(data, size - 1), &signature, NULL) < 0);
	return 0;
}
