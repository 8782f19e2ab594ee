// SPDX-License-Identifier: MIT
/*
 * One byte of good evidence is changed, each in turn and in every bit (with
 * ASSAY_TEST_ALL_BYTES=1 to every other value, which takes minutes): either the verdict is
 * not "trusted", or the byte is one that proves nothing and is listed here with the reason.
 */
#define _GNU_SOURCE /* memmem() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "log/cel.h"
#include "verify_fixture.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_base64(uint8_t c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
	       c == '/';
}

static bool is_letter_of_hex(uint8_t c)
{
	return (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool any_space(uint8_t was, uint8_t is)
{
	return is_space(was) && is_space(is);
}

static bool any_digit(uint8_t was, uint8_t is)
{
	return is_digit(was) && is_digit(is);
}

static bool any_base64(uint8_t was, uint8_t is)
{
	return is_base64(was) && is_base64(is);
}

static bool other_case(uint8_t was, uint8_t is)
{
	return (was ^ is) == 0x20 && is_letter_of_hex(was) && is_letter_of_hex(is);
}

/*
 * What may be changed: between these two texts, and so. A change there need not be harmless
 * (there is no month 13): then it is refused, which is right, too.
 */
static const struct {
	const char *why;
	const char *from, *to; /* NULL: from the beginning, to the end */
	bool (*harmless)(uint8_t was, uint8_t is);
} harmless[] = {
	{ "white space means nothing in JSON", NULL, NULL, any_space },
	{ "the nonce that counts is the one the TPM signed, not what the attester notes beside it",
	  "\"nonce\": \"", "\"", any_base64 },
	{ "when it was collected is the attester's word; the verifier knows when it sent the nonce",
	  "\"collected\": \"", "\"", any_digit },
	{ "a PCR's value is the same number in capital letters", "\"pcrs\": {", "}", other_case },
	{ "the other bank's, too", "\"sha256\": {", "}", other_case },
};

/* Which entry of the list it is; -1 for none. */
static int reason(const struct buffer *text, size_t at, uint8_t was, uint8_t is)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		const uint8_t *from = text->data, *to = text->data + text->size;

		if (harmless[i].from) {
			from = memmem(text->data, text->size, harmless[i].from,
				      strlen(harmless[i].from));
			assert_non_null(from);
			from += strlen(harmless[i].from);
			to = memmem(from, (size_t)(text->data + text->size - from), harmless[i].to,
				    strlen(harmless[i].to));
			assert_non_null(to);
		}
		if (text->data + at >= from && text->data + at < to &&
		    harmless[i].harmless(was, is))
			return (int)i;
	}
	return -1;
}

/*
 * Of each record, the SHA-1 digest's type: any other number names an algorithm that the
 * verifier does not know, and whose digest says nothing. What is quoted is SHA-256.
 * Return: whether the changed evidence's log differs there and nowhere else
 */
static bool only_names_of_other_digests(const struct fixture *good, struct bytes changed)
{
	/* RECNUM and PCR, and the head of DIGESTS, whose first one is SHA-1. */
	const size_t type = (5 + 8) + (5 + 1) + 5;
	struct evidence evidence = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	bool same = evidence_parse(changed, &evidence, NULL) == 0 &&
		    evidence.assay_cel.size == good->evidence.assay_cel.size;

	cel_begin(&reader, buffer_bytes(&good->evidence.assay_cel), 0);
	while (same && cel_next(&reader, &record, NULL) > 0)
		for (uint64_t i = record.offset; i < record.offset + record.size; i++)
			same = same &&
			       (i == record.offset + type ||
				evidence.assay_cel.data[i] == good->evidence.assay_cel.data[i]);
	evidence_free(&evidence);
	return same;
}

static void test_every_byte(void **state)
{
	bool all = getenv("ASSAY_TEST_ALL_BYTES") != NULL;
	size_t counts[sizeof(harmless) / sizeof(harmless[0])] = { 0 };
	static struct verdict verdict;
	struct fixture fixture;
	struct buffer good;
	size_t refused = 0, other_digests = 0, wrong = 0;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, NULL);
	good = fixture_copy(buffer_bytes(&fixture.text));
	for (size_t at = 0; at < good.size; at++)
		for (unsigned int change = 1; change < 256; change++) {
			uint8_t was = good.data[at], is = (uint8_t)(was ^ change);
			int why;

			if (!all && (change & (change - 1)) != 0)
				continue;
			fixture.text.data[at] = is;
			verify(&fixture.input, &fixture.policy, &verdict);
			fixture.text.data[at] = was;
			if (!verdict_trusted(&verdict)) {
				refused++;
				continue;
			}
			why = reason(&good, at, was, is);
			if (why >= 0) {
				counts[why]++;
				continue;
			}
			fixture.text.data[at] = is;
			if (only_names_of_other_digests(&fixture, buffer_bytes(&fixture.text))) {
				other_digests++;
			} else {
				wrong++;
				print_error("byte %zu, \"%.20s\", may be 0x%02x\n", at,
					    (char *)good.data + at, is);
			}
			fixture.text.data[at] = was;
		}
	print_message("%zu changes refused\n", refused);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		print_message("%zu harmless: %s\n", counts[i], harmless[i].why);
	print_message("%zu harmless: the name of a digest that is not quoted\n", other_digests);
	assert_int_equal(wrong, 0);
	assert_true(refused > 8 * (good.size - 400));
	buffer_free(&good);
	fixture_free(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_byte) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
