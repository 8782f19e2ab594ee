// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strnlen() */
#include "push/message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define WHAT_CHALLENGE "the verifier's challenge"
#define WHAT_VERDICT "the verifier's verdict"
#define WHAT_ERROR "the verifier's error"

static const char *const words[PUSH_WORDS] = {
	[PUSH_TRUSTED] = "trusted",
	[PUSH_NOT_TRUSTED] = "not-trusted",
	[PUSH_PENDING] = "pending",
};

const char *push_word_name(enum push_word word)
{
	return words[word];
}

int push_ask(const char *boot_id, struct buffer *out, struct assay_error *err)
{
	CLEANUP(json_decref_pointer)
	json_t *root = json_pack("{s:i, s:s, s:s}", "assay", JSON_VERSION, "type",
				 "push-challenge-request", "boot_id", boot_id);
	CLEANUP(free_pointer) char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	buffer_append(out, text, strlen(text));
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* ---------------------------------------------------------------- answers */

static int parse(struct bytes text, const char *type, const char *what, json_t **ret,
		 struct assay_error *err)
{
	int r;

	if (text.size > PUSH_ANSWER_MAX)
		return assay_fail(err, EFBIG, "%s has more than %d bytes", what, PUSH_ANSWER_MAX);
	r = json_parse(text, what, ret, err);
	if (r < 0)
		return r;
	r = json_check_head(*ret, type, what, err);
	if (r < 0) {
		json_decref(*ret);
		*ret = NULL;
	}
	return r;
}

/* Any failure of reading an answer is the answer's. */
static int refused(int r, struct assay_error *err)
{
	if (r == 0 || r == -ENOMEM || r == -EFBIG)
		return r;
	if (err)
		err->code = EBADMSG;
	return -EBADMSG;
}

static int get_seconds(const json_t *root, const char *key, const char *what, uint32_t most,
		       uint32_t *ret, struct assay_error *err)
{
	uint64_t value;
	int r = json_get_unsigned(root, key, what, &value, err);

	if (r < 0)
		return r;
	if (value == 0 || value > most)
		return assay_fail(err, EBADMSG, "%s: \"%s\" must be 1 to %u seconds", what, key,
				  most);
	*ret = (uint32_t)value;
	return 0;
}

/* How much of a log: it may be missing, and is 0 then. */
static int get_number(const json_t *object, const char *log, const char *what, uint64_t *ret,
		      struct assay_error *err)
{
	*ret = 0;
	return json_object_get(object, log) ? json_get_unsigned(object, log, what, ret, err) : 0;
}

/* The object with these; NULL where it is missing. */
static int get_numbers(const json_t *root, const char *key, const char *what, const json_t **ret,
		       uint64_t *log, uint64_t *ima, struct assay_error *err)
{
	int r = 0;

	*ret = NULL;
	if (json_object_get(root, key))
		r = json_get_object(root, key, what, ret, err);
	if (r == 0)
		r = get_number(*ret, "log", what, log, err);
	return r < 0 ? r : get_number(*ret, "ima", what, ima, err);
}

static int get_nonce(const json_t *root, struct push_challenge *challenge, struct assay_error *err)
{
	const char *text;
	size_t size = 0;
	int r = json_get_string(root, "nonce", WHAT_CHALLENGE, &text, err);

	if (r < 0)
		return r;
	if (hex_decode(text, challenge->nonce, sizeof(challenge->nonce), &size) < 0 ||
	    size < PUSH_NONCE_MIN)
		return assay_fail(err, EBADMSG,
				  "%s: \"nonce\" must be %d to %d bytes in hexadecimal",
				  WHAT_CHALLENGE, PUSH_NONCE_MIN, PUSH_NONCE_MAX);
	challenge->nonce_size = (uint32_t)size;
	return 0;
}

int push_challenge_parse(struct bytes text, struct push_challenge *ret, struct assay_error *err)
{
	struct push_challenge challenge = { 0 };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const json_t *have = NULL;
	int r = parse(text, "push-challenge", WHAT_CHALLENGE, &root, err);

	if (r == 0)
		r = get_nonce(root, &challenge, err);
	if (r == 0)
		r = get_seconds(root, "expires_in", WHAT_CHALLENGE, PUSH_EXPIRES_MAX,
				&challenge.expires_in, err);
	if (r == 0)
		r = get_numbers(root, "have", WHAT_CHALLENGE, &have, &challenge.log, &challenge.ima,
				err);
	if (r == 0)
		r = get_number(have, "uefi", WHAT_CHALLENGE, &challenge.uefi, err);
	if (r == 0)
		*ret = challenge;
	return refused(r, err);
}

static void take_sentence(const json_t *root, const char *key, char *sentence)
{
	const json_t *text = json_object_get(root, key);

	sentence[0] = '\0';
	if (json_is_string(text))
		text_escape(
			BYTES((const uint8_t *)json_string_value(text), json_string_length(text)),
			sentence, PUSH_SENTENCE_MAX);
}

static int get_word(const json_t *root, uint32_t *ret, struct assay_error *err)
{
	const char *text;
	int r = json_get_string(root, "verdict", WHAT_VERDICT, &text, err);

	if (r < 0)
		return r;
	for (uint32_t word = 0; word < PUSH_WORDS; word++)
		if (strcmp(words[word], text) == 0) {
			*ret = word;
			return 0;
		}
	return assay_fail(err, EBADMSG,
			  "%s: \"verdict\" must be \"trusted\", \"not-trusted\" or \"pending\"",
			  WHAT_VERDICT);
}

int push_verdict_parse(struct bytes text, struct push_verdict *ret, struct assay_error *err)
{
	struct push_verdict verdict = { 0 };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const json_t *acknowledged = NULL;
	int r = parse(text, "push-verdict", WHAT_VERDICT, &root, err);

	if (r == 0)
		r = get_word(root, &verdict.word, err);
	if (r == 0)
		r = get_seconds(root, "next_in", WHAT_VERDICT, PUSH_NEXT_MAX, &verdict.next_in,
				err);
	if (r == 0)
		r = get_numbers(root, "acknowledged", WHAT_VERDICT, &acknowledged, &verdict.log,
				&verdict.ima, err);
	if (r == 0) {
		verdict.has_acknowledged = acknowledged != NULL;
		take_sentence(root, "reason", verdict.reason);
		*ret = verdict;
	}
	return refused(r, err);
}

void push_error_parse(struct bytes text, char *sentence)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;

	sentence[0] = '\0';
	if (parse(text, "push-error", WHAT_ERROR, &root, NULL) == 0)
		take_sentence(root, "error", sentence);
}

/* ---------------------------------------------------------------- from elsewhere */

int push_challenge_check(const struct push_challenge *challenge, struct assay_error *err)
{
	if (challenge->nonce_size < PUSH_NONCE_MIN || challenge->nonce_size > PUSH_NONCE_MAX ||
	    challenge->expires_in == 0 || challenge->expires_in > PUSH_EXPIRES_MAX ||
	    challenge->log > INT64_MAX || challenge->ima > INT64_MAX || challenge->uefi > INT64_MAX)
		return assay_fail(err, EBADMSG, "%s is out of range", WHAT_CHALLENGE);
	return 0;
}

static bool is_printable(const char *text)
{
	struct bytes left = BYTES((const uint8_t *)text, strnlen(text, PUSH_SENTENCE_MAX));

	if (left.size == PUSH_SENTENCE_MAX)
		return false;
	while (left.size > 0) {
		size_t length = text_character(left);

		if (length == 0)
			return false;
		left.data += length;
		left.size -= length;
	}
	return true;
}

int push_verdict_check(const struct push_verdict *verdict, struct assay_error *err)
{
	if (verdict->word >= PUSH_WORDS || verdict->next_in == 0 ||
	    verdict->next_in > PUSH_NEXT_MAX || verdict->has_acknowledged > 1 ||
	    verdict->log > INT64_MAX || verdict->ima > INT64_MAX || !is_printable(verdict->reason))
		return assay_fail(err, EBADMSG, "%s is out of range", WHAT_VERDICT);
	return 0;
}

int push_sentence_check(const char *sentence, struct assay_error *err)
{
	return is_printable(sentence) ? 0 :
					assay_fail(err, EBADMSG, "%s is out of range", WHAT_ERROR);
}
