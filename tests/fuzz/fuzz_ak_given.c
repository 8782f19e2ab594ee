// SPDX-License-Identifier: MIT
/* Fuzz target: an attestation key as a verifier may be given it, in any form. */
#include <assert.h>

#include "fuzz.h"
#include "verify/ak_given.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_digest again;
	struct ak_given given;

	if (ak_given_read(BYTES(data, size), &given, NULL) < 0)
		return 0;
	/* What was read is a key, and says of itself what it was made of. */
	assert(tpm_public_key_digest(&given.public, &again, NULL) == 0);
	assert(bytes_equal(BYTES(again.bytes, again.size), BYTES(given.key.bytes, given.key.size)));
	if (given.public_area.size > 0) {
		inside(given.public.area, buffer_bytes(&given.public_area));
		assert(given.form == AK_GIVEN_TPM2B_PUBLIC || given.form == AK_GIVEN_TPMT_PUBLIC);
	} else {
		inside(given.public.modulus, buffer_bytes(&given.numbers));
		inside(given.public.y, buffer_bytes(&given.numbers));
		assert(given.public.attributes == 0 && given.public.area.size == 0);
	}
	ak_given_free(&given);
	return 0;
}
