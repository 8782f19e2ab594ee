// SPDX-License-Identifier: MIT
/* Fuzz target: the text of a report that an audit session is for, and the nonce in it. */
#include <assert.h>

#include "fuzz.h"
#include "verify/evidence.h"
#include "verify/report_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer nonce = { 0 };

	if (report_text_nonce(BYTES(data, size), &nonce, NULL) == 0)
		assert(nonce.size <= EVIDENCE_MAX_NONCE);
	else
		assert(nonce.size == 0);
	buffer_free(&nonce);
	return 0;
}
