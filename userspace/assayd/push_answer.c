// SPDX-License-Identifier: MIT
#include "push_answer.h"

#include <errno.h>
#include <string.h>

int push_parse_challenge(struct bytes input, struct buffer *out, struct assay_error *err)
{
	struct push_challenge challenge;
	int r = push_challenge_parse(input, &challenge, err);

	if (r == 0)
		buffer_append(out, &challenge, sizeof(challenge));
	return r;
}

int push_parse_verdict(struct bytes input, struct buffer *out, struct assay_error *err)
{
	struct push_verdict verdict;
	int r = push_verdict_parse(input, &verdict, err);

	if (r == 0)
		buffer_append(out, &verdict, sizeof(verdict));
	return r;
}

int push_parse_error(struct bytes input, struct buffer *out, struct assay_error *err)
{
	char sentence[PUSH_SENTENCE_MAX] = "";

	(void)err;
	push_error_parse(input, sentence);
	buffer_append(out, sentence, sizeof(sentence));
	return 0;
}

static int take(struct bytes output, void *ret, size_t size, struct assay_error *err)
{
	if (output.size != size)
		return assay_fail(err, EPROTO, "the parser of the answer gave %zu bytes, not %zu",
				  output.size, size);
	memcpy(ret, output.data, size);
	return 0;
}

int push_answer_challenge(struct bytes output, struct push_challenge *ret, struct assay_error *err)
{
	int r = take(output, ret, sizeof(*ret), err);

	return r < 0 ? r : push_challenge_check(ret, err);
}

int push_answer_verdict(struct bytes output, struct push_verdict *ret, struct assay_error *err)
{
	int r = take(output, ret, sizeof(*ret), err);

	return r < 0 ? r : push_verdict_check(ret, err);
}

void push_answer_sentence(struct bytes output, char *sentence)
{
	if (take(output, sentence, PUSH_SENTENCE_MAX, NULL) < 0 ||
	    push_sentence_check(sentence, NULL) < 0)
		sentence[0] = '\0';
}
