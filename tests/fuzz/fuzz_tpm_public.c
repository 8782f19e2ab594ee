// SPDX-License-Identifier: MIT
/* Fuzz target: TPM2B_PUBLIC, and the name and the OpenSSL key that are made of it. */
#include <assert.h>

#include "fuzz.h"
#include "verify/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[256];
	struct bytes in = BYTES(data, size);
	struct tpm_public public;
	struct tpm_name name;

	if (tpm_public_parse(in, &public, NULL) < 0)
		return 0;
	assert(public.area.size + 2 == size);
	inside(public.area, in);
	inside(public.policy, public.area);
	inside(public.modulus, public.area);
	inside(public.x, public.area);
	inside(public.y, public.area);
	if (tpm_key_name(&public, &name, NULL) == 0)
		assert(name.size == 2 + assay_hash_size(public.name_hash));
	/* No key takes zeros for a signature. */
	for (int ecdsa = 0; ecdsa < 2; ecdsa++) {
		struct tpm_signature signature = {
			.algorithm = ecdsa ? TPM_ALG_ECDSA : TPM_ALG_RSASSA,
			.hash = ASSAY_HASH_SHA256,
			.rsa = BYTES(zeros, ecdsa ? 0 : public.modulus.size % sizeof(zeros)),
			.r = BYTES(zeros, ecdsa ? 32 : 0),
			.s = BYTES(zeros, ecdsa ? 32 : 0),
		};

		assert(tpm_key_verify(&public, &signature, in, NULL) < 0);
	}
	return 0;
}
