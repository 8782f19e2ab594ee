// SPDX-License-Identifier: MIT
/*
 * Fuzz target: what is kept of a device, as bytes, and evidence that is judged with it: 16 bits of
 * how many bytes the state has, the state, the evidence. A state that is read is written again
 * and comes back the same. Whoever writes states can have a device trusted, but not break the
 * verifier.
 */
#include <assert.h>
#include <stdlib.h>

#include "verify/evidence.h"
#include "verify/state.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(struct bytes bytes, const struct verify_state *state)
{
	struct buffer again = { 0 };

	state_to_bytes(state, &again);
	assert(!again.failed && bytes_equal(bytes, buffer_bytes(&again)));
	buffer_free(&again);
}

static void judge(struct bytes text, const struct verify_state *state)
{
	static struct verdict verdict;
	struct evidence evidence = { 0 };
	struct verify_policy policy;
	struct verify_input input;

	if (evidence_parse(text, &evidence, NULL) < 0)
		return;
	input = (struct verify_input){ .evidence = text,
				       .nonce = buffer_bytes(&evidence.nonce),
				       .ak_public = buffer_bytes(&evidence.ak_public),
				       .state = state,
				       .references = state->references };
	verify_policy_default(&policy);
	verify(&input, &policy, &verdict);
	/* No state has a manifest's signature. */
	assert(!verdict_trusted(&verdict));
	evidence_free(&evidence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size), bytes;
	static struct verify_state state;
	uint16_t length;

	if (!bytes_take_be16(&in, &length) || !bytes_take(&in, length, &bytes) ||
	    state_from_bytes(bytes, &state, NULL) < 0)
		return 0;
	write_again(bytes, &state);
	judge(in, &state);
	return 0;
}
