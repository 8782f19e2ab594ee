// SPDX-License-Identifier: MIT
/* lib/base/der: where a SEQUENCE ends, and what may stand behind it. */
#include "support.h"

#include "base/der.h"

static void a_sequence_ends_where_it_says(void **state)
{
	static const struct {
		const char *name;
		struct bytes in;
		size_t size; /* 0: none begins, or it is cut */
	} rows[] = {
		{ "nothing", BYTES_LITERAL(""), 0 },
		{ "no length", BYTES_LITERAL("\x30"), 0 },
		{ "empty", BYTES_LITERAL("\x30\x00"), 2 },
		{ "another tag", BYTES_LITERAL("\x31\x00"), 0 },
		{ "short", BYTES_LITERAL("\x30\x02xy"), 4 },
		{ "short, something behind", BYTES_LITERAL("\x30\x02xyz"), 4 },
		{ "short, cut", BYTES_LITERAL("\x30\x02x"), 0 },
		{ "indefinite", BYTES_LITERAL("\x30\x80\x00\x00"), 0 },
		{ "one byte of length", BYTES_LITERAL("\x30\x81\x03xyz"), 6 },
		{ "one byte of length, cut", BYTES_LITERAL("\x30\x81"), 0 },
		{ "two bytes", BYTES_LITERAL("\x30\x82\x00\x03xyz."), 7 },
		{ "two bytes, cut", BYTES_LITERAL("\x30\x82\x00"), 0 },
		{ "two bytes, content cut", BYTES_LITERAL("\x30\x82\xff\xffx"), 0 },
		{ "three bytes", BYTES_LITERAL("\x30\x83\x00\x00\x01x"), 0 },
		{ "eight bytes", BYTES_LITERAL("\x30\x88\xff\xff\xff\xff\xff\xff\xff\xffx"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes in = rows[i].in, out = { 0 };
		bool taken = der_take_sequence(&in, &out);

		if (taken != (rows[i].size > 0) || out.size != rows[i].size ||
		    in.size + out.size != rows[i].in.size)
			fail_msg("%s: %zu bytes", rows[i].name, out.size);
	}
}

static void padding_is_of_one_kind(void **state)
{
	(void)state;
	assert_true(der_is_padding(BYTES_LITERAL("")));
	assert_true(der_is_padding(BYTES_LITERAL("\0\0")));
	assert_true(der_is_padding(BYTES_LITERAL("\xff\xff\xff")));
	assert_false(der_is_padding(BYTES_LITERAL("\xff\0")));
	assert_false(der_is_padding(BYTES_LITERAL("\0\0\x01")));
	assert_false(der_is_padding(BYTES_LITERAL("\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sequence_ends_where_it_says),
		cmocka_unit_test(padding_is_of_one_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
