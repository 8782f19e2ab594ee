// SPDX-License-Identifier: MIT
/* The header of an archive's files, and the counting of what is in them. */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "archive/archive_count.h"
#include "archive/archive_current.h"
#include "log_builder.h"

/* Offsets in the file, from assay-archive(5). */
enum {
	AT_SIZE = 4,
	AT_MAGIC = 8,
	AT_VERSION = 16,
	AT_STREAM = 20,
	AT_BANK = 22,
	AT_BOOT_BEFORE = 40,
	AT_NUMBER = 56,
	AT_FIRST = 64,
	AT_COUNT = 72,
	AT_OFFSET = 80,
	AT_CONTENT = 88,
	AT_STARTS = 168,
	AT_START = 172,
};

static const uint8_t boot_id[ARCHIVE_BOOT_ID] = { 0x6b, 0x1d, 0x3e, 0x20, 0x00, 0x01, 0x40, 0x02,
						  0x80, 0x03, 1,    2,	  3,	4,    5,    6 };

static struct archive_header sample_header(void)
{
	struct archive_header header = {
		.stream = ARCHIVE_LOG,
		.number = 7,
		.first = 100,
		.count = 20,
		.offset = 4000,
		.size = 9000,
		.time = 1767323045,
		.start_count = 2,
		.start = { log_test_digest(ASSAY_HASH_SHA1, 1),
			   log_test_digest(ASSAY_HASH_SHA256, 2) },
	};

	memcpy(header.boot_id, boot_id, sizeof(boot_id));
	memset(header.digest, 0xdd, sizeof(header.digest));
	memset(header.previous, 0xee, sizeof(header.previous));
	return header;
}

static void test_header_comes_back(void **state)
{
	struct archive_header header = sample_header(), again;
	struct buffer frame = { 0 };
	struct assay_error err;
	size_t size = 0;

	(void)state;
	archive_header_make(&header, &frame);
	buffer_append(&frame, "behind", 6);
	assert_int_equal(archive_header_parse(buffer_bytes(&frame), &again, &size, &err), 0);
	assert_int_equal(size, frame.size - 6);
	assert_int_equal(again.stream, ARCHIVE_LOG);
	assert_int_equal(again.number, 7);
	assert_int_equal(again.first, 100);
	assert_int_equal(again.count, 20);
	assert_int_equal(again.offset, 4000);
	assert_int_equal(again.size, 9000);
	assert_int_equal(again.time, 1767323045);
	assert_memory_equal(again.boot_id, boot_id, sizeof(boot_id));
	assert_memory_equal(again.digest, header.digest, sizeof(again.digest));
	assert_memory_equal(again.previous, header.previous, sizeof(again.previous));
	assert_int_equal(again.start_count, 2);
	assert_int_equal(again.start[0].hash, ASSAY_HASH_SHA1);
	assert_memory_equal(again.start[1].bytes, header.start[1].bytes, 32);
	/* The manual's offsets. */
	assert_int_equal(frame.data[AT_NUMBER + 7], 7);
	assert_int_equal(frame.data[AT_FIRST + 7], 100);
	assert_int_equal(frame.data[AT_STARTS + 3], 2);
	assert_int_equal(frame.data[AT_START + 1], ASSAY_HASH_SHA1);
	buffer_free(&frame);
}

/* Whatever is cut off is told; nothing behind the end is read (ASAN). */
static void test_header_cut_off_is_told(void **state)
{
	struct archive_header header = sample_header(), again;
	struct buffer frame = { 0 };
	struct assay_error err;
	size_t size;

	(void)state;
	archive_header_make(&header, &frame);
	for (size_t cut = 0; cut < frame.size; cut++) {
		uint8_t *copy = test_malloc(cut + 1);

		memcpy(copy, frame.data, cut);
		assert_int_equal(archive_header_parse(BYTES(copy, cut), &again, &size, &err),
				 -EBADMSG);
		test_free(copy);
	}
	buffer_free(&frame);
}

static void test_bad_headers_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
		int code;
		const char *says;
	} rows[] = {
		{ "another frame", 0, 0x50, EBADMSG, "no file of an archive" },
		{ "zstd's own frame", 3, 0xfd, EBADMSG, "no file of an archive" },
		{ "another skippable frame", AT_MAGIC, 'X', EBADMSG, "no file of an archive" },
		{ "a larger frame", AT_SIZE + 1, 0xff, EBADMSG, "breaks off" },
		{ "a smaller frame", AT_SIZE, 0x40, EBADMSG, "breaks off" },
		{ "version 0", AT_VERSION + 3, 0, EBADMSG, "version 0" },
		{ "version 2", AT_VERSION + 3, 2, ENOTSUP, "use a newer assay" },
		{ "version 16777217", AT_VERSION, 1, ENOTSUP, "16777217" },
		{ "another stream", AT_STREAM + 1, 2, EBADMSG, "stream" },
		{ "a stream of more", AT_STREAM, 1, EBADMSG, "stream" },
		{ "IMA without a bank", AT_STREAM + 1, 1, EBADMSG, "bank" },
		{ "the log with a bank", AT_BANK + 1, 0x0b, EBADMSG, "bank" },
		{ "file 0", AT_NUMBER + 7, 0, EBADMSG, "number of the file" },
		{ "file 2^56", AT_NUMBER, 1, EBADMSG, "number of the file" },
		{ "first record 2^63", AT_FIRST, 0x80, EBADMSG, "numbers of what" },
		{ "no records", AT_COUNT + 7, 0, EBADMSG, "numbers of what" },
		{ "2^63 records", AT_COUNT, 0x80, EBADMSG, "numbers of what" },
		{ "offset 2^63", AT_OFFSET, 0x80, EBADMSG, "size of what" },
		{ "2^56 bytes", AT_CONTENT, 1, EBADMSG, "size of what" },
		{ "goes on from a boot, not first", AT_BOOT_BEFORE, 1, EBADMSG, "another boot" },
		{ "nine values", AT_STARTS + 3, 9, EBADMSG, "too many values" },
		{ "three values", AT_STARTS + 3, 3, EBADMSG, "cannot be read" },
		{ "one value", AT_STARTS + 3, 1, EBADMSG, "more in it" },
		{ "a value of no hash", AT_START + 1, 0x7f, EBADMSG, "cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_header header = sample_header(), again;
		struct buffer frame = { 0 };
		struct assay_error err;
		size_t size;
		int r;

		archive_header_make(&header, &frame);
		frame.data[rows[i].at] = rows[i].byte;
		r = archive_header_parse(buffer_bytes(&frame), &again, &size, &err);
		if (r != -rows[i].code)
			fail_msg("%s: %d", rows[i].name, r);
		support_assert_error(&err, rows[i].says);
		buffer_free(&frame);
	}
}

static void test_two_values_in_a_bank_are_refused(void **state)
{
	struct archive_header header = sample_header(), again;
	struct buffer frame = { 0 };
	struct assay_error err;
	size_t size;

	(void)state;
	header.start[1] = header.start[0];
	archive_header_make(&header, &frame);
	assert_int_equal(archive_header_parse(buffer_bytes(&frame), &again, &size, &err), -EBADMSG);
	support_assert_error(&err, "two values");
	buffer_free(&frame);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"",
		"000000.cel.zst",
		"1.cel.zst",
		"00001.cel.zst",
		"000001.cel",
		"000001.cel.zst.",
		"000001.ima.zst ",
		"0000001.cel.zst",
		"000001.uefi.zst",
		"../001.cel.zst",
		"00000a.cel.zst",
		"-00001.cel.zst",
		"000001.CEL.ZST",
		"000001.cel.zst.partial",
		"9999999999999999999.cel.zst",
		"999999999999999.cel.zst",
	};
	char name[ARCHIVE_NAME_MAX];
	enum archive_stream stream;
	uint64_t number;

	(void)state;
	assert_string_equal(archive_file_name(ARCHIVE_LOG, 1, name), "000001.cel.zst");
	assert_string_equal(archive_file_name(ARCHIVE_IMA, 12345678, name), "12345678.ima.zst");
	assert_true(archive_file_parse(name, &stream, &number));
	assert_int_equal(stream, ARCHIVE_IMA);
	assert_int_equal(number, 12345678);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (archive_file_parse(bad[i], &stream, &number))
			fail_msg("'%s' is taken for a file of an archive", bad[i]);
}

static void test_boot_ids(void **state)
{
	static const char *const bad[] = {
		"",
		"6b1d3e20-0001-4002-8003-01020304050",
		"6B1D3E20-0001-4002-8003-010203040506",
		"6b1d3e200-001-4002-8003-010203040506",
		"6b1d3e20-0001-4002-8003-0102030405zz",
	};
	char text[ARCHIVE_BOOT_ID_TEXT];
	uint8_t again[ARCHIVE_BOOT_ID];

	(void)state;
	archive_boot_id_text(boot_id, text);
	assert_string_equal(text, "6b1d3e20-0001-4002-8003-010203040506");
	assert_true(archive_boot_id_parse(text, again));
	assert_memory_equal(again, boot_id, sizeof(again));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(archive_boot_id_parse(bad[i], again));
}

/* ---------------------------------------------------------------- counting */

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	(void)err;
	buffer_append_bytes(context, bytes);
	return 0;
}

/* In pieces of every size: what is wanted begins with the record wanted. */
static void count_in_pieces(enum archive_stream stream, enum assay_hash bank, struct bytes content,
			    const size_t *begins, size_t count, uint64_t first)
{
	static const size_t sizes[] = { 1, 2, 3, 5, 7, 64, 1000, 1U << 20 };

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t from = 0; from <= count; from++) {
			struct archive_counter counter;
			struct buffer out = { 0 };
			struct assay_error err;

			archive_count_begin(&counter, stream, bank, first);
			for (size_t at = 0; at < content.size; at += sizes[s]) {
				size_t left = content.size - at;

				assert_int_equal(
					archive_count(&counter,
						      BYTES(content.data + at,
							    left < sizes[s] ? left : sizes[s]),
						      first + from, collect, &out, &err),
					0);
			}
			assert_true(archive_count_whole(&counter));
			assert_int_equal(counter.next, first + count);
			assert_int_equal(out.size, content.size - begins[from]);
			if (out.size > 0)
				assert_memory_equal(out.data, content.data + begins[from],
						    out.size);
			buffer_free(&out);
		}
	}
}

static void test_records_are_counted(void **state)
{
	struct log_builder builder;
	size_t begins[16];
	size_t count = 0;

	(void)state;
	log_builder_begin(&builder);
	builder.recnum = 40;
	log_builder_sample(&builder);
	log_builder_kinds(&builder);
	for (size_t at = 0; at < builder.log.size; count++) {
		struct bytes rest = BYTES(builder.log.data + at, builder.log.size - at), value;

		/* Four TLVs a record, written here once more. */
		begins[count] = at;
		for (int tlv = 0; tlv < 4; tlv++) {
			uint32_t length;
			uint8_t type;

			assert_true(bytes_take_u8(&rest, &type));
			assert_true(bytes_take_be32(&rest, &length));
			assert_true(bytes_take(&rest, length, &value));
		}
		at = builder.log.size - rest.size;
	}
	begins[count] = builder.log.size;
	assert_int_equal(count, builder.recnum - 40);
	count_in_pieces(ARCHIVE_LOG, ASSAY_HASH_NONE, buffer_bytes(&builder.log), begins, count,
			40);
	log_builder_free(&builder);
}

static void put_le32(struct buffer *out, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		buffer_append_u8(out, (uint8_t)(value >> 8 * i));
}

static void put_entry(struct buffer *out, size_t digest, const char *name, size_t data)
{
	put_le32(out, 10);
	for (size_t i = 0; i < digest + 4 + strlen(name); i++)
		if (i == digest)
			put_le32(out, (uint32_t)strlen(name));
		else if (i < digest)
			buffer_append_u8(out, 0xaa);
	buffer_append(out, name, strlen(name));
	for (size_t i = 0; strcmp(name, "ima") == 0 && i < 20; i++)
		buffer_append_u8(out, 0xbb);
	put_le32(out, (uint32_t)data);
	for (size_t i = 0; i < data; i++)
		buffer_append_u8(out, (uint8_t)i);
}

static void test_entries_are_counted(void **state)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						 ASSAY_HASH_SHA512 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buffer list = { 0 };
		size_t begins[5] = { 0 };

		put_entry(&list, assay_hash_size(banks[i]), "ima-ng", 60);
		begins[1] = list.size;
		put_entry(&list, assay_hash_size(banks[i]), "ima", 9);
		begins[2] = list.size;
		put_entry(&list, assay_hash_size(banks[i]), "ima-sig", 0);
		begins[3] = list.size;
		put_entry(&list, assay_hash_size(banks[i]), "d-ngv2|n-ng", 300);
		begins[4] = list.size;
		count_in_pieces(ARCHIVE_IMA, banks[i], buffer_bytes(&list), begins, 4, 5);
		buffer_free(&list);
	}
}

static void test_other_bytes_are_not_counted(void **state)
{
	struct log_builder builder;
	struct archive_counter counter;
	struct assay_error err;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	archive_count_begin(&counter, ARCHIVE_LOG, ASSAY_HASH_NONE, 1);
	assert_int_equal(archive_count(&counter, buffer_bytes(&builder.log), 0, NULL, NULL, &err),
			 -EBADMSG);
	support_assert_error(&err, "where record 1 is due: there is another");
	archive_count_begin(&counter, ARCHIVE_LOG, ASSAY_HASH_NONE, 0);
	assert_int_equal(archive_count(&counter, BYTES(builder.log.data + 1, builder.log.size - 1),
				       0, NULL, NULL, &err),
			 -EBADMSG);
	archive_count_begin(&counter, ARCHIVE_IMA, ASSAY_HASH_SHA256, 0);
	assert_int_equal(archive_count(&counter, buffer_bytes(&builder.log), 0, NULL, NULL, &err),
			 -EBADMSG);
	archive_count_begin(&counter, ARCHIVE_LOG, ASSAY_HASH_NONE, 0);
	assert_int_equal(archive_count(&counter, BYTES(builder.log.data, builder.log.size - 1), 0,
				       NULL, NULL, &err),
			 0);
	assert_false(archive_count_whole(&counter));
	log_builder_free(&builder);
}

/* ---------------------------------------------------------------- current.json */

#define HEAD                                                  \
	"{\"assay\": 1, \"type\": \"archive\", \"boot_id\": " \
	"\"6b1d3e20-0001-4002-8003-010203040506\""
#define DIGEST "sha256:0102030405060708091011121314151617181920212223242526272829303132"

static void test_current_is_read(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ HEAD "}", 0 },
		{ HEAD
		  ", \"log\": {\"file\": \"000003.cel.zst\", \"oldest_file\": \"000002.cel.zst\", "
		  "\"next\": 9, \"digest\": \"" DIGEST "\"}}",
		  0 },
		{ "", -EBADMSG },
		{ "{\"assay\": 1, \"type\": \"evidence\"}", -EBADMSG },
		{ HEAD ", \"other\": 1}", -EINVAL },
		{ HEAD ", \"log\": 3}", -EBADMSG },
		{ HEAD
		  ", \"log\": {\"file\": \"000003.ima.zst\", \"oldest_file\": \"000002.cel.zst\", "
		  "\"next\": 9, \"digest\": \"" DIGEST "\"}}",
		  -EBADMSG },
		{ HEAD
		  ", \"log\": {\"file\": \"000003.cel.zst\", \"oldest_file\": \"000004.cel.zst\", "
		  "\"next\": 9, \"digest\": \"" DIGEST "\"}}",
		  -EBADMSG },
		{ HEAD
		  ", \"log\": {\"file\": \"000003.cel.zst\", \"oldest_file\": \"000001.cel.zst\", "
		  "\"next\": 0, \"digest\": \"" DIGEST "\"}}",
		  -EBADMSG },
		{ HEAD
		  ", \"log\": {\"file\": \"000003.cel.zst\", \"oldest_file\": \"000001.cel.zst\", "
		  "\"next\": 5, \"digest\": \"sha1:00\"}}",
		  -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct archive_current current;
		struct assay_error err;
		int r = archive_current_parse(support_text(rows[i].text), &current, &err);

		if ((r == 0) != (rows[i].code == 0))
			fail_msg("row %zu: %d", i, r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_comes_back),
		cmocka_unit_test(test_header_cut_off_is_told),
		cmocka_unit_test(test_bad_headers_are_refused),
		cmocka_unit_test(test_two_values_in_a_bank_are_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_boot_ids),
		cmocka_unit_test(test_records_are_counted),
		cmocka_unit_test(test_entries_are_counted),
		cmocka_unit_test(test_other_bytes_are_not_counted),
		cmocka_unit_test(test_current_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
