// SPDX-License-Identifier: MIT
/* lib/import/go_tpm_tools and protobuf: real attestations, and bytes that are none. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <string.h>

#include "import/go_tpm_tools.h"
#include "import/protobuf.h"
#include "log_builder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAMPLE "fuzz_import_go/attestation"

static char told[4096];

static void keep_note(void *context, const char *text)
{
	size_t used = strlen(told);

	(void)context;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static const struct import_notes notes = { keep_note, NULL };

static int import(struct bytes in, enum assay_hash bank, struct evidence *evidence,
		  struct assay_error *err)
{
	*evidence = (struct evidence){ 0 };
	*err = (struct assay_error){ 0 };
	told[0] = '\0';
	return import_go_tpm_tools(in, bank, &notes, evidence, err);
}

/* The specification's own example, 150, and what is at its limits. */
static void numbers_are_read_as_specified(void **state)
{
	static const struct {
		struct bytes bytes;
		int result; /* of the first field */
		uint64_t value;
	} rows[] = {
		{ BYTES_LITERAL("\x08\x96\x01"), 1, 150 },
		{ BYTES_LITERAL("\x08\x00"), 1, 0 },
		{ BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, UINT64_MAX },
		{ BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), -EBADMSG, 0 },
		{ BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"), -EBADMSG, 0 },
		{ BYTES_LITERAL("\x08"), -EBADMSG, 0 },
		{ BYTES_LITERAL("\x08\x80"), -EBADMSG, 0 },
		{ BYTES_LITERAL("\x00\x01"), -EBADMSG, 0 },	    /* field 0 */
		{ BYTES_LITERAL("\x0b\x01"), -EBADMSG, 0 },	    /* a group */
		{ BYTES_LITERAL("\x0c"), -EBADMSG, 0 },		    /* its end */
		{ BYTES_LITERAL("\x0a\x02\x01"), -EBADMSG, 0 },	    /* cut */
		{ BYTES_LITERAL("\x0d\x01\x01\x01"), -EBADMSG, 0 }, /* of 4 bytes, cut */
		{ BYTES_LITERAL("\x0d\x01\x01\x01\x01"), 1, 0 },
		{ BYTES_LITERAL("\x09\x01\x01\x01\x01\x01\x01\x01\x01"), 1, 0 },
		{ BYTES_LITERAL("\xf8\xff\xff\xff\xff\x01\x01"), -EBADMSG,
		  0 }, /* number too large */
		{ BYTES_LITERAL(""), 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct protobuf_field field = { 0 };
		struct bytes in = rows[i].bytes;
		struct assay_error err;
		int r = protobuf_next(&in, &field, &err);

		if (r != rows[i].result || field.value != rows[i].value)
			fail_msg("row %zu: %d, %llu", i, r, (unsigned long long)field.value);
	}
}

static void a_real_attestation_is_read(void **state)
{
	struct buffer in = log_test_data("go_tpm_tools/gce-cos-85-nonce9009.pb");
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	if (import(buffer_bytes(&in), ASSAY_HASH_NONE, &evidence, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(evidence.pcr_count, 24);
	assert_int_equal(evidence.pcrs[0].value.hash, ASSAY_HASH_SHA256);
	assert_true(bytes_equal(buffer_bytes(&evidence.nonce), BYTES_LITERAL("\x90\x09")));
	assert_true(evidence.has_uefi_log);
	assert_true(evidence.ak_certificate.size > 0);
	assert_string_equal(told, "left out: the quote of the bank sha1\n"
				  "left out: the quote of the bank sha384\n");
	evidence_free(&evidence);
	buffer_free(&in);
}

/* Cut anywhere, it is refused, or lacks what was cut; never more than it had. */
static void cut_anywhere_it_is_no_other(void **state)
{
	struct buffer in = log_test_data(SAMPLE);
	size_t taken = 0;

	(void)state;
	for (size_t size = 0; size < in.size; size++) {
		struct evidence evidence;
		struct assay_error err;

		if (import(BYTES(in.data, size), ASSAY_HASH_SHA1, &evidence, &err) == 0)
			taken++;
		evidence_free(&evidence);
	}
	/* Behind each field it may end. */
	assert_true(taken < 8);
	buffer_free(&in);
}

static void put_field(struct buffer *out, uint8_t number, struct bytes bytes)
{
	buffer_append_u8(out, (uint8_t)(number << 3 | PROTOBUF_BYTES));
	assert_true(bytes.size < 128);
	buffer_append_u8(out, (uint8_t)bytes.size);
	buffer_append_bytes(out, bytes);
}

static void what_is_left_out_is_told(void **state)
{
	static const struct {
		uint8_t number;
		const char *says;
	} rows[] = {
		{ 4, "instance_info" }, { 5, "canonical_event_log" }, { 7, "intermediate_certs" },
		{ 8, "sev_snp" },	{ 9, "tdx_attestation" },     { 11, "field 11" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer in = log_test_data(SAMPLE);
		struct evidence evidence;
		struct assay_error err;

		put_field(&in, rows[i].number, BYTES_LITERAL("x"));
		assert_int_equal(import(buffer_bytes(&in), ASSAY_HASH_NONE, &evidence, &err), 0);
		if (!strstr(told, rows[i].says))
			fail_msg("field %u: nothing is told of it, but\n%s", rows[i].number, told);
		evidence_free(&evidence);
		buffer_free(&in);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const struct {
		struct bytes bytes;
		const char *says;
	} rows[] = {
		{ BYTES_LITERAL(""), "there is no quote" },
		{ BYTES_LITERAL("text"), "no attestation of go-tpm-tools" },
		{ BYTES_LITERAL("\x0a\x01x"), "there is no quote" },
		{ BYTES_LITERAL("\x08\x01"), "field 1 is of another type" },
		{ BYTES_LITERAL("\x10\x01"), "field 2 is of another type" },
		{ BYTES_LITERAL("\x12\x02\x08\x01"), "field 1 is of another type" },
		{ BYTES_LITERAL("\x12\x02\x0a\x09"), "no attestation" },
		{ BYTES_LITERAL("\x12\x00"), "no quote of a bank that is known" },
		{ BYTES_LITERAL("\x12\x04\x1a\x02\x08\x12"), "no quote of a bank that is known" },
		/* SHA-256, but no quote in it */
		{ BYTES_LITERAL("\x12\x04\x1a\x02\x08\x0b"), "the quote has 0 bytes" },
		{ BYTES_LITERAL("\x12\x00\x12\x00\x12\x00\x12\x00\x12\x00\x12\x00\x12\x00\x12\x00"
				"\x12\x00"),
		  "more than 8 quotes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evidence evidence;
		struct assay_error err;
		int r = import(rows[i].bytes, ASSAY_HASH_NONE, &evidence, &err);

		if (r >= 0 || !strstr(err.text, rows[i].says))
			fail_msg("row %zu: %d, \"%s\" does not say %s", i, r, err.text,
				 rows[i].says);
		evidence_free(&evidence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_as_specified),
		cmocka_unit_test(a_real_attestation_is_read),
		cmocka_unit_test(cut_anywhere_it_is_no_other),
		cmocka_unit_test(what_is_left_out_is_told),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
