// SPDX-License-Identifier: MIT
/* Entries of IMA, of its own list and mirrored in assay's log, as one kind of entry. */
#include <errno.h>
#include <string.h>

#include "log/ima_source.h"
#include "log_builder.h"
#include "support.h"

#define DIGEST "0123456789abcdef0123456789abcdef"
#define DATA_OF(path) BYTES_LITERAL("\x28\0\0\0sha256:\0" DIGEST "\3\0\0\0" path "\0")

/* The template digests of data in both banks, as the kernel has them. */
static void template_digests(struct bytes data, struct assay_digest ret[2])
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256 };

	for (size_t i = 0; i < 2; i++) {
		struct hasher hasher;

		assert_int_equal(hasher_open(&hasher, banks[i], NULL), 0);
		assert_int_equal(hasher_digest(&hasher, data, BYTES(NULL, 0), &ret[i], NULL), 0);
		hasher_close(&hasher);
	}
}

static void put_entry(struct buffer *list, const struct assay_digest *digest, struct bytes data)
{
	buffer_append(list, "\x0a\0\0\0", 4);
	buffer_append(list, digest->bytes, digest->size);
	buffer_append(list, "\6\0\0\0ima-ng", 10);
	buffer_append_u8(list, (uint8_t)data.size);
	buffer_append(list, "\0\0\0", 3);
	buffer_append_bytes(list, data);
}

static void assert_entry(const struct ima_item *item, const char *path, uint64_t number)
{
	assert_true(item->entry.known);
	assert_null(item->entry.problem);
	assert_int_equal(item->entry.pcr, 10);
	assert_true(bytes_equal(item->entry.path, support_text(path)));
	assert_true(bytes_equal(item->entry.digest, BYTES_LITERAL(DIGEST)));
	assert_int_equal(item->number, number);
	assert_memory_equal(item->entry.template_digest.bytes, item->digests[0].bytes,
			    item->digests[0].size);
}

/* The same entries, once as a list and once mirrored by two records, come out alike. */
static void a_list_and_mirrored_entries_are_alike(void **state)
{
	const struct bytes data[] = { DATA_OF("/a"), DATA_OF("/b"), DATA_OF("/c") };
	const char *const paths[] = { "/a", "/b", "/c" };
	struct buffer list = { 0 }, values[2] = { 0 };
	struct log_builder builder;
	struct ima_source source;
	struct ima_item item;
	struct assay_error err;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	for (size_t i = 0; i < 3; i++) {
		struct assay_digest digests[2];
		struct buffer *value = &values[i / 2];

		template_digests(data[i], digests);
		put_entry(&list, &digests[1], data[i]);
		if (i % 2 == 0)
			put_kind(value, ASSAY_KIND_IMA);
		put_mirrored(value, 10, digests, 2, "ima-ng", data[i]);
	}
	log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&values[0]));
	/* What is not assay's is passed over. */
	log_builder_record(&builder, 0x77, BYTES_LITERAL("other"));
	log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&values[1]));

	ima_source_list(&source, buffer_bytes(&list), ASSAY_HASH_SHA256);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ima_source_next(&source, &item, &err), 1);
		assert_entry(&item, paths[i], i);
		assert_false(item.mirrored);
		assert_int_equal(item.digest_count, 1);
		assert_int_equal(item.entry.offset, i * list.size / 3);
		assert_int_equal(item.covered_end, (i + 1) * list.size / 3);
	}
	assert_int_equal(ima_source_next(&source, &item, &err), 0);

	ima_source_mirrored(&source, buffer_bytes(&builder.log));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ima_source_next(&source, &item, &err), 1);
		assert_entry(&item, paths[i], i);
		assert_true(item.mirrored);
		assert_int_equal(item.digest_count, 2);
		assert_int_equal(item.digests[1].hash, ASSAY_HASH_SHA256);
		/* The sample has records 0 to 2. */
		assert_int_equal(item.record, i < 2 ? 3 : 5);
		assert_true(item.entry.offset < item.covered_end);
		if (i == 2)
			assert_int_equal(item.covered_end, builder.log.size);
	}
	assert_int_equal(ima_source_next(&source, &item, &err), 0);

	log_builder_free(&builder);
	buffer_free(&list);
	buffer_free(&values[0]);
	buffer_free(&values[1]);
}

/* A record that mirrors one entry; its digests in SHA-1 and SHA-256. */
static struct buffer log_of(uint32_t pcr, const struct assay_digest digests[2],
			    const char *template, struct bytes data)
{
	struct buffer value = { 0 }, log = { 0 };
	struct log_builder builder;

	log_builder_begin(&builder);
	put_kind(&value, ASSAY_KIND_IMA);
	put_mirrored(&value, pcr, digests, 2, template, data);
	log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_append_bytes(&log, buffer_bytes(&builder.log));
	buffer_free(&value);
	log_builder_free(&builder);
	return log;
}

/* What a mirrored entry may be off in: it comes out all the same, and says so. */
static void mirrored_entries_that_are_off(void **state)
{
	static const struct {
		const char *name, *template;
		struct bytes data;
		uint32_t pcr;
		bool zeros[2], known, violation;
		const char *problem; /* NULL: none */
	} rows[] = {
		{ "right", "ima-ng", DATA_OF("/a"), 10, { false, false }, true, false, NULL },
		{ "violation", "ima-ng", DATA_OF("/a"), 10, { true, true }, true, true, NULL },
		{ "a violation in one bank only",
		  "ima-ng",
		  DATA_OF("/a"),
		  10,
		  { true, false },
		  true,
		  false,
		  "zeros in one bank" },
		{ "a violation in the other",
		  "ima-ng",
		  DATA_OF("/a"),
		  10,
		  { false, true },
		  true,
		  false,
		  "zeros in one bank" },
		{ "no such PCR",
		  "ima-ng",
		  DATA_OF("/a"),
		  24,
		  { false, false },
		  true,
		  false,
		  "PCR does not exist" },
		{ "unknown template",
		  "ima-new",
		  DATA_OF("/a"),
		  10,
		  { false, false },
		  false,
		  false,
		  NULL },
		{ "fields that do not parse",
		  "ima-sig",
		  DATA_OF("/a"),
		  10,
		  { false, false },
		  true,
		  false,
		  "goes beyond" },
		{ "the oldest template",
		  "ima",
		  BYTES_LITERAL("0123456789abcdef0123\2\0\0\0/x"),
		  10,
		  { false, false },
		  true,
		  false,
		  NULL },
		{ "the oldest template, empty",
		  "ima",
		  BYTES_LITERAL(""),
		  10,
		  { false, false },
		  true,
		  false,
		  "not a digest, a length and a path" },
		{ "the oldest template, of a digest only",
		  "ima",
		  BYTES_LITERAL("0123456789abcdef0123"),
		  10,
		  { false, false },
		  true,
		  false,
		  "not a digest, a length and a path" },
		{ "the oldest template, its path cut",
		  "ima",
		  BYTES_LITERAL("0123456789abcdef0123\3\0\0\0/x"),
		  10,
		  { false, false },
		  true,
		  false,
		  "not a digest, a length and a path" },
		{ "the oldest template, its path too long",
		  "ima",
		  BYTES_LITERAL("0123456789abcdef0123\xff\xff\xff\xff/x"),
		  10,
		  { false, false },
		  true,
		  false,
		  "not a digest, a length and a path" },
		{ "the oldest template, bytes behind",
		  "ima",
		  BYTES_LITERAL("0123456789abcdef0123\2\0\0\0/xy"),
		  10,
		  { false, false },
		  true,
		  false,
		  "not a digest, a length and a path" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_digest digests[2];
		struct ima_source source;
		struct ima_item item;
		struct assay_error err;
		struct buffer log;

		print_message("%s\n", rows[i].name);
		template_digests(rows[i].data, digests);
		for (size_t j = 0; j < 2; j++)
			if (rows[i].zeros[j])
				memset(digests[j].bytes, 0, digests[j].size);
		log = log_of(rows[i].pcr, digests, rows[i].template, rows[i].data);
		ima_source_mirrored(&source, buffer_bytes(&log));
		assert_int_equal(ima_source_next(&source, &item, &err), 1);
		assert_int_equal(item.entry.known, rows[i].known);
		assert_int_equal(item.entry.violation, rows[i].violation);
		assert_int_equal(item.entry.problem != NULL, rows[i].problem != NULL);
		if (rows[i].problem) {
			assert_non_null(strstr(item.entry.problem, rows[i].problem));
			assert_null(item.entry.path.data);
			assert_null(item.entry.digest.data);
		}
		assert_int_equal(item.covered_end, log.size);
		assert_int_equal(ima_source_next(&source, &item, &err), 0);
		buffer_free(&log);
	}
}

/* Where the log or the list itself is off, the source says where, and stays there. */
static void what_does_not_parse_is_refused(void **state)
{
	struct assay_digest digests[2];
	struct ima_source source;
	struct ima_item item;
	struct assay_error err;
	struct buffer log;

	(void)state;
	template_digests(DATA_OF("/a"), digests);
	log = log_of(10, digests, "ima-ng", DATA_OF("/a"));
	for (int again = 0; again < 2; again++) {
		ima_source_mirrored(&source, BYTES(log.data, log.size - 1));
		assert_int_equal(ima_source_next(&source, &item, &err), -EBADMSG);
		support_assert_error(&err, "truncated");
	}
	/* The content's KIND is of another size. */
	for (size_t at = 0; at + 6 < log.size; at++)
		if (memcmp(log.data + at, "\0\0\0\0\1\3", 6) == 0)
			log.data[at + 4] = 2;
	ima_source_mirrored(&source, buffer_bytes(&log));
	assert_int_equal(ima_source_next(&source, &item, &err), -EBADMSG);
	support_assert_error(&err, "KIND");
	assert_int_equal(ima_source_next(&source, &item, &err), -EBADMSG);
	buffer_free(&log);

	ima_source_list(&source, BYTES_LITERAL("\x0a\0\0\0"), ASSAY_HASH_SHA1);
	assert_int_equal(ima_source_next(&source, &item, &err), -EBADMSG);
	ima_source_list(&source, BYTES(NULL, 0), ASSAY_HASH_SHA1);
	assert_int_equal(ima_source_next(&source, &item, &err), 0);
	ima_source_mirrored(&source, BYTES(NULL, 0));
	assert_int_equal(ima_source_next(&source, &item, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_and_mirrored_entries_are_alike),
		cmocka_unit_test(mirrored_entries_that_are_off),
		cmocka_unit_test(what_does_not_parse_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
