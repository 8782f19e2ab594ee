// SPDX-License-Identifier: MIT
/*
 * IMA's list as text: what other programs make of the lines must replay to the same PCR as
 * the list itself. tests/e2e/keylime.py, which knows the text only, is the oracle.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/ima_ascii.h"
#include "log_builder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *source;

static int enter(void **state)
{
	source = get_current_dir_name();
	return source ? support_enter_directory(state) : -1;
}

static int leave(void **state)
{
	free(source);
	return support_leave_directory(state);
}

static void lists_as_text_replay_to_the_same_pcr(void **state)
{
	static const struct {
		const char *path;
		enum assay_hash bank;
	} rows[] = {
		{ "ima/charra.bin", ASSAY_HASH_SHA1 },
		{ "ima/ibmtss-imatest.log", ASSAY_HASH_SHA1 },
		{ "ima/ibmtss-sha256.log", ASSAY_HASH_SHA256 },
		{ "ima/tss2-fapi-sml-ima-ng-sha1.bin", ASSAY_HASH_SHA1 },
		{ "ima/tss2-fapi-sml-ima-sha1.bin", ASSAY_HASH_SHA1 },
		{ "ima/tss2-fapi-sml-ima-sha1-invalidated.bin", ASSAY_HASH_SHA1 },
		{ "ima/tss2-fapi-sml-ima-sig-sha256.bin", ASSAY_HASH_SHA1 },
	};
	struct assay_error err;
	struct hasher sha1, sha256;

	(void)state;
	assert_int_equal(hasher_open(&sha1, ASSAY_HASH_SHA1, &err), 0);
	assert_int_equal(hasher_open(&sha256, ASSAY_HASH_SHA256, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_digest pcr = { .hash = ASSAY_HASH_SHA256, .size = 32 };
		char expected[2 * ASSAY_DIGEST_MAX + 1], *found;
		struct buffer list, text = { 0 };
		struct ima_reader reader;
		struct ima_entry entry;
		size_t entries = 0;
		int r;

		assert_true(chdir(source) == 0);
		list = log_test_data(rows[i].path);
		assert_true(chdir(*state) == 0);
		ima_begin(&reader, buffer_bytes(&list), rows[i].bank);
		while (ima_next(&reader, &entry, &err) == 1) {
			/* The other side takes PCR 10 for granted. */
			if (entry.pcr != 10)
				continue;
			r = ima_ascii(&entry, &sha1, &text, &err);
			/* Formats of fields that have no name are left out of both. */
			if (r == -ENOTSUP)
				continue;
			if (r < 0)
				fail_msg("%s: %s", rows[i].path, err.text);
			assert_int_equal(ima_extend(&entry, &sha256, &pcr, &err), 0);
			entries++;
		}
		assert_true(entries > 0);
		support_write("list", buffer_bytes(&text));
		found = support_output("python3 '%s/tests/e2e/keylime.py' --list list sha256",
				       source);
		hex_encode(BYTES(pcr.bytes, pcr.size), expected);
		if (strcmp(found, expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].path, found, expected);
		free(found);
		buffer_free(&text);
		buffer_free(&list);
	}
	hasher_close(&sha1);
	hasher_close(&sha256);
}

static void put_le32(struct buffer *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

static void put_field(struct buffer *out, struct bytes value)
{
	put_le32(out, (uint32_t)value.size);
	buffer_append_bytes(out, value);
}

static void what_a_line_cannot_hold_is_told(void **state)
{
	static const struct {
		const char *template, *path;
		bool field; /* a third one */
		int code;
	} rows[] = {
		{ "ima-ng", "/usr/bin/x", false, 0 },
		{ "ima-ng", "/with a space", false, 0 },
		{ "ima-sig", "/usr/bin/x", true, 0 },
		{ "ima-sig", "/with a space", true, EILSEQ },
		{ "ima-buf", "/with a space", true, EILSEQ },
		{ "ima-ng", "/line\nbreak", false, EILSEQ },
		{ "ima-ng", "/bell\a", false, EILSEQ },
		{ "ima-ng", "/back\\slash", false, EILSEQ },
		{ "ima-ng", "/no\xffutf8", false, EILSEQ },
		{ "ima-ng", "/b\xc3\xa4r", false, 0 },
		{ "ima-ng", "/x", true, EBADMSG },
		{ "ima-ngv2", "/x", false, ENOTSUP },
		{ "ima-sigv2", "/x", true, ENOTSUP },
		{ "d-ng|n-ng", "/x", false, ENOTSUP },
	};
	static const struct bytes digest = BYTES_LITERAL("sha256:\0"
							 "0123456789abcdef0123456789abcdef");
	struct assay_error err;
	struct hasher sha1;

	(void)state;
	assert_int_equal(hasher_open(&sha1, ASSAY_HASH_SHA1, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer list = { 0 }, data = { 0 }, text = { 0 };
		struct ima_reader reader;
		struct ima_entry entry;
		int r;

		put_field(&data, digest);
		put_field(&data, BYTES((const uint8_t *)rows[i].path, strlen(rows[i].path) + 1));
		if (rows[i].field)
			put_field(&data, BYTES_LITERAL("\x03\x02"));
		put_le32(&list, 10);
		buffer_append(&list, "01234567890123456789", 20);
		put_field(&list,
			  BYTES((const uint8_t *)rows[i].template, strlen(rows[i].template)));
		put_field(&list, buffer_bytes(&data));
		ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
		assert_int_equal(ima_next(&reader, &entry, &err), 1);
		r = ima_ascii(&entry, &sha1, &text, &err);
		if (r != -rows[i].code)
			fail_msg("%s %s: %d, expected %d", rows[i].template, rows[i].path, r,
				 -rows[i].code);
		buffer_free(&text);
		buffer_free(&data);
		buffer_free(&list);
	}
	hasher_close(&sha1);
}

/* The kernel's text of 14 templates comes back as the kernel's binary form. */
static void text_becomes_the_list_again(void **state)
{
	struct buffer text, list, binary = { 0 };
	struct ima_ascii_list read;
	struct assay_error err;

	assert_true(chdir(source) == 0);
	text = log_test_data("ima_ascii/imatest.txt");
	list = log_test_data("ima/ibmtss-imatest.log");
	assert_true(chdir(*state) == 0);
	if (ima_ascii_read(buffer_bytes(&text), &binary, &read, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bytes_equal(buffer_bytes(&binary), buffer_bytes(&list)));
	assert_int_equal(read.bank, ASSAY_HASH_SHA1);
	assert_int_equal(read.entries, 17);
	assert_int_equal(read.others, 0);
	buffer_free(&binary);
	buffer_free(&list);
	buffer_free(&text);
}

#define NG_DIGEST "sha256:f4845392eca429a4c941a6a07fc32faf843a88c5c3dfa3b9329ab8f4171d9ce3"
#define NG_LINE "10 6309e2c83b7814367bb3912a55e5473454623535 ima-ng " NG_DIGEST " boot_aggregate\n"
#define ZEROS_20 "0000000000000000000000000000000000000000"
#define ONES_20 "1111111111111111111111111111111111111111"

/* What is read of lines that differ from the kernel's; @others have another template digest. */
static void lines_are_read_as_their_digest_has_them(void **state)
{
	static const struct {
		const char *text, *path;
		size_t signature;
		unsigned int others;
	} rows[] = {
		{ NG_LINE, "boot_aggregate", 0, 0 },
		{ "\n" NG_LINE "\n\n", "boot_aggregate", 0, 0 },
		{ " 10 6309e2c83b7814367bb3912a55e5473454623535 ima-ng " NG_DIGEST
		  " boot_aggregate",
		  "boot_aggregate", 0, 0 },
		{ "10 " ONES_20 " ima-ng " NG_DIGEST " boot_aggregate", "boot_aggregate", 0, 1 },
		{ "10 " ONES_20 " ima-ng " NG_DIGEST " a b", "a b", 0, 1 },
		{ "10 " ONES_20 " ima-sig " NG_DIGEST " a b 0302", "a b", 2, 1 },
		{ "10 " ONES_20 " ima-sig " NG_DIGEST " a ", "a", 0, 1 },
		{ "10 " ONES_20 " ima-sig " NG_DIGEST " a", "a", 0, 1 },
		{ "10 " ONES_20 " ima-sig " NG_DIGEST " a zz", "a zz", 0, 1 },
		{ "10 " ZEROS_20 " ima-ng sha256:" ZEROS_20 " x", "x", 0, 0 },
		{ "10 " ZEROS_20 " ima " ZEROS_20 " x y", "x y", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer binary = { 0 };
		struct ima_ascii_list read;
		struct assay_error err;
		struct ima_reader reader;
		struct ima_entry entry;

		if (ima_ascii_read(support_text(rows[i].text), &binary, &read, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		ima_begin(&reader, buffer_bytes(&binary), read.bank);
		assert_int_equal(ima_next(&reader, &entry, &err), 1);
		assert_null(entry.problem);
		if (!bytes_equal(entry.path, support_text(rows[i].path)) ||
		    entry.signature.size != rows[i].signature)
			fail_msg("%s: path %.*s, signature of %zu", rows[i].text,
				 (int)entry.path.size, (const char *)entry.path.data,
				 entry.signature.size);
		assert_int_equal(read.others, rows[i].others);
		assert_int_equal(ima_next(&reader, &entry, &err), 0);
		buffer_free(&binary);
	}
}

static void text_that_is_no_list_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "has no line" },
		{ "\n\n", "has no line" },
		{ "x", "line 1 of IMA's list as text: it does not begin with a PCR" },
		{ NG_LINE "x", "line 2" },
		{ "24 " ONES_20 " ima-ng x y", "does not begin with a PCR" },
		{ "100 " ONES_20 " ima-ng x y", "does not begin with a PCR" },
		{ "-1 " ONES_20 " ima-ng x y", "does not begin with a PCR" },
		{ "10", "template digest" },
		{ "10 " ONES_20 "1 ima-ng x y", "template digest" },
		{ "10 " ONES_20 "11 ima-ng x y", "template digest" },
		{ "10 111111111111111111111111111111111111111g ima-ng x y", "template digest" },
		{ "10 " ONES_20, "template is not known" },
		{ "10 " ONES_20 " ", "template is not known" },
		{ "10 " ONES_20 " ima-xx x y", "template is not known" },
		{ "10 " ONES_20 " n-ng|n-ng x y", "template is not known" },
		{ "10 " ONES_20 " ima-ng 11 /x", "fields of its template" },
		{ "10 " ONES_20 " ima-ng sha256:1 /x", "fields of its template" },
		{ "10 " ONES_20 " ima-ng sha256:zz /x", "fields of its template" },
		{ "10 " ONES_20 " ima 11 /x", "fields of its template" },
		{ "10 " ONES_20 " d-ng sha256:11 x", "fields of its template" },
		{ "10 " ONES_20 " sig x", "fields of its template" },
		{ "10 " ONES_20 " d-ng|imode sha256:11 65536", "fields of its template" },
		{ "10 " ONES_20 " d-ng|iuid sha256:11 4294967296", "fields of its template" },
		{ "10 " ONES_20 " d-ng|iuid sha256:11 -1", "fields of its template" },
		{ NG_LINE "10 " ONES_20 "111111111111111111111111 ima-ng " NG_DIGEST " /x",
		  "not of the length of those before" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer binary = { 0 };
		struct ima_ascii_list read;
		struct assay_error err;
		int r = ima_ascii_read(support_text(rows[i].text), &binary, &read, &err);

		if (r != -EBADMSG || !strstr(err.text, rows[i].says))
			fail_msg("%s: %d, \"%s\" does not say %s", rows[i].text, r, err.text,
				 rows[i].says);
		buffer_free(&binary);
	}
	/* A NUL is no character of a line. */
	{
		struct buffer binary = { 0 };
		struct ima_ascii_list read;
		struct assay_error err;

		assert_int_equal(ima_ascii_read(BYTES_LITERAL("10 \0"), &binary, &read, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.text, "NUL"));
		buffer_free(&binary);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_as_text_replay_to_the_same_pcr),
		cmocka_unit_test(what_a_line_cannot_hold_is_told),
		cmocka_unit_test(text_becomes_the_list_again),
		cmocka_unit_test(lines_are_read_as_their_digest_has_them),
		cmocka_unit_test(text_that_is_no_list_is_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
