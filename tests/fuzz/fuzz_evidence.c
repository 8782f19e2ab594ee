// SPDX-License-Identifier: MIT
/*
 * Fuzz target: evidence as JSON. What is read is judged, which takes the bytes
 * through every parser, and is written again and comes back the same.
 */
#define _GNU_SOURCE /* open_memstream() */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/evidence.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct evidence *evidence)
{
	struct evidence again = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	assert(evidence_write(stream, evidence, NULL) == 0);
	assert(fclose(stream) == 0);
	assert(evidence_parse(BYTES((uint8_t *)text, size), &again, NULL) == 0);
	assert(bytes_equal(buffer_bytes(&again.attest), buffer_bytes(&evidence->attest)));
	assert(bytes_equal(buffer_bytes(&again.assay_cel), buffer_bytes(&evidence->assay_cel)));
	assert(bytes_equal(buffer_bytes(&again.ima_data), buffer_bytes(&evidence->ima_data)));
	assert(bytes_equal(buffer_bytes(&again.uefi_data), buffer_bytes(&evidence->uefi_data)));
	assert(again.has_uefi_log == evidence->has_uefi_log);
	assert(again.assay_first == evidence->assay_first &&
	       again.assay_start_count == evidence->assay_start_count);
	assert(again.pcr_count == evidence->pcr_count && again.collected == evidence->collected &&
	       again.has_collected == evidence->has_collected);
	assert(bytes_equal(buffer_bytes(&again.nonce), buffer_bytes(&evidence->nonce)));
	assert(bytes_equal(buffer_bytes(&again.ak_key), buffer_bytes(&evidence->ak_key)));
	evidence_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	struct evidence evidence = { 0 };
	struct verify_input input;
	struct verify_policy policy;
	static struct verdict verdict;

	if (evidence_parse(text, &evidence, NULL) < 0)
		return 0;
	write_again(&evidence);
	/* The evidence's own key is enrolled, so that as much as can be is looked at. */
	input = (struct verify_input){ .evidence = text,
				       .nonce = buffer_bytes(&evidence.nonce),
				       .ak_public = buffer_bytes(&evidence.ak_public) };
	verify_policy_default(&policy);
	verify(&input, &policy, &verdict);
	/* There is no manifest, so whatever it is, it is not trusted. */
	assert(!verdict_trusted(&verdict));
	/* Nor by a policy that asks for no log, and names no reference value. */
	for (int log = 0; log < VERIFY_LOGS; log++)
		policy.logs[log] = PRESENCE_OPTIONAL;
	policy.pcrs = 0;
	policy.required &= ~CHECK_BIT(CHECK_BOOT_KNOWN);
	verify(&input, &policy, &verdict);
	assert(!verdict_trusted(&verdict));
	evidence_free(&evidence);
	return 0;
}
