// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the answers of a verifier to a device that pushes evidence. What the parsers make
 * passes the check of what comes from elsewhere, and the input itself, taken for a structure that
 * comes from there, does no harm.
 */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "push/message.h"

static void take_structures(const uint8_t *data, size_t size)
{
	struct push_challenge challenge = { 0 };
	struct push_verdict verdict = { 0 };

	memcpy(&challenge, data, size < sizeof(challenge) ? size : sizeof(challenge));
	(void)push_challenge_check(&challenge, NULL);
	memcpy(&verdict, data, size < sizeof(verdict) ? size : sizeof(verdict));
	if (push_verdict_check(&verdict, NULL) == 0)
		(void)push_word_name((enum push_word)verdict.word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	struct push_challenge challenge;
	struct push_verdict verdict;
	char sentence[PUSH_SENTENCE_MAX];

	if (push_challenge_parse(text, &challenge, NULL) == 0)
		assert(push_challenge_check(&challenge, NULL) == 0);
	if (push_verdict_parse(text, &verdict, NULL) == 0)
		assert(push_verdict_check(&verdict, NULL) == 0);
	push_error_parse(text, sentence);
	assert(push_sentence_check(sentence, NULL) == 0);
	take_structures(data, size);
	return 0;
}
