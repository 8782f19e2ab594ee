// SPDX-License-Identifier: MIT
/*
 * IMA's list as assayd keeps it: in pieces, replayed as it comes, in other banks, mirrored in
 * assay's log, and where two parts of it meet. The lists are those of other projects.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log/cel.h"
#include "log/ima_feed.h"
#include "log/ima_mirror.h"
#include "log/ima_overlap.h"
#include "log/ima_source.h"
#include "log/pcrs.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *file;
	enum assay_hash bank;
} lists[] = {
	{ "ima/ibmtss-sha1.log", ASSAY_HASH_SHA1 },
	{ "ima/ibmtss-sha512.log", ASSAY_HASH_SHA512 },
	{ "ima/ibmtss-imatest.log", ASSAY_HASH_SHA1 },
	{ "ima/charra.bin", ASSAY_HASH_SHA1 },
	{ "ima/violation-of-20-zeros.bin", ASSAY_HASH_SHA1 },
	{ "ima/tss2-fapi-sml-ima-sha1-invalidated.bin", ASSAY_HASH_SHA1 },
};

static const enum assay_hash both[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256 };

/* Feed a list in pieces of @piece bytes; what came out goes to @out, if there is one. */
static int feed_list(struct bytes list, enum assay_hash bank, size_t piece,
		     struct ima_running *running, struct buffer *out, struct assay_error *err)
{
	struct ima_frame frame;
	struct ima_feed feed;
	struct bytes bytes;
	int r = 0;

	ima_feed_begin(&feed, bank);
	while (r == 0 && list.size > 0) {
		struct bytes part = BYTES(list.data, list.size < piece ? list.size : piece);

		bytes_take(&list, part.size, &part);
		r = ima_feed_add(&feed, part, err);
		while (r == 0 && (r = ima_feed_next(&feed, &frame, &bytes, err)) == 1) {
			r = ima_running_add(running, bank, &frame, err);
			if (out)
				buffer_append_bytes(out, bytes);
		}
	}
	if (r == 0 && ima_feed_left(&feed) > 0)
		r = assay_fail(err, ENODATA, "%zu bytes are left", ima_feed_left(&feed));
	ima_feed_free(&feed);
	return r;
}

static void pieces_of_any_size_come_to_the_same(void **state)
{
	static const size_t pieces[] = { 1, 7, 100, 4096, 1U << 20 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct buffer list = log_test_data(lists[i].file);
		struct pcrs_request request = { .banks = { both[0], both[1] }, .bank_count = 2 };
		struct pcrs whole;
		struct assay_error err;

		assert_int_equal(
			pcrs_of_ima(buffer_bytes(&list), lists[i].bank, &request, &whole, &err), 0);
		for (size_t p = 0; p < COUNT_OF(pieces); p++) {
			struct ima_running running;
			struct buffer out = { 0 };

			assert_int_equal(ima_running_open(&running, both, 2, &err), 0);
			assert_int_equal(feed_list(buffer_bytes(&list), lists[i].bank, pieces[p],
						   &running, &out, &err),
					 0);
			assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&list)));
			assert_int_equal(running.entries, whole.entries);
			assert_int_equal(running.violations, whole.violations);
			for (size_t b = 0; b < 2; b++) {
				assert_int_equal(running.extended, whole.banks[b].extended);
				for (unsigned int pcr = 0; pcr < IMA_PCR_COUNT; pcr++)
					assert_memory_equal(ima_running_value(&running,
									      whole.banks[b].hash,
									      pcr)
								    ->bytes,
							    whole.banks[b].values[pcr].bytes,
							    assay_hash_size(whole.banks[b].hash));
			}
			assert_null(ima_running_value(&running, ASSAY_HASH_SHA512, 10));
			assert_null(ima_running_value(&running, ASSAY_HASH_SHA1, IMA_PCR_COUNT));
			ima_running_close(&running);
			buffer_free(&out);
		}
		buffer_free(&list);
	}
}

static void what_is_no_list_is_refused(void **state)
{
	static const struct {
		const char *what, *sentence;
		size_t at;
		uint8_t byte;
		int error;
	} rows[] = {
		{ "a PCR that is none", "there is no PCR 255", 0, 0xff, -EBADMSG },
		{ "a template digest changed", "not that of its data", 4, 0x55, -EBADMSG },
		{ "a template without a name", "its template's name claims 0 bytes", 24, 0,
		  -EBADMSG },
		{ "data changed", "not that of its data", 80, 0x55, -EBADMSG },
		{ "a length beyond the end", "bytes are left", 35, 0x0f, -ENODATA },
		{ "a length beyond all entries", "claims 1862271039 bytes", 37, 0x6f, -EBADMSG },
	};
	struct buffer list = log_test_data("ima/charra.bin");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ima_running running;
		struct assay_error err;
		uint8_t was = list.data[rows[i].at];

		print_message("%s\n", rows[i].what);
		list.data[rows[i].at] = rows[i].byte;
		assert_int_equal(ima_running_open(&running, both, 2, &err), 0);
		assert_int_equal(feed_list(BYTES(list.data, 2000), ASSAY_HASH_SHA1, 64, &running,
					   NULL, &err),
				 rows[i].error);
		support_assert_error(&err, rows[i].sentence);
		ima_running_close(&running);
		list.data[rows[i].at] = was;
	}
	buffer_free(&list);
}

static void banks_that_cannot_be_replayed(void **state)
{
	static const enum assay_hash bad[] = { ASSAY_HASH_SHA1, (enum assay_hash)0x1234 };
	struct ima_running running;
	struct assay_error err;

	(void)state;
	assert_int_equal(ima_running_open(&running, bad, 0, &err), -EINVAL);
	assert_int_equal(ima_running_open(&running, bad, HASHERS_MAX + 1, &err), -EINVAL);
	assert_int_equal(ima_running_open(&running, bad, 2, &err), -ENOTSUP);
}

/* The same list in two banks, written by another project: one makes the other. */
static void a_list_of_one_bank_makes_that_of_another(void **state)
{
	static const struct {
		const char *from, *to;
		enum assay_hash bank, other;
	} rows[] = {
		{ "ima/ibmtss-sha1.log", "ima/ibmtss-sha256.log", ASSAY_HASH_SHA1,
		  ASSAY_HASH_SHA256 },
		{ "ima/ibmtss-sha256.log", "ima/ibmtss-sha1.log", ASSAY_HASH_SHA256,
		  ASSAY_HASH_SHA1 },
		{ "ima/ibmtss-sha256.log", "ima/ibmtss-sha512.log", ASSAY_HASH_SHA256,
		  ASSAY_HASH_SHA512 },
		{ "ima/ibmtss-sha384.log", "ima/ibmtss-sha384.log", ASSAY_HASH_SHA384,
		  ASSAY_HASH_SHA384 },
		{ "ima/ibmtss-imatest.log", "ima/ibmtss-imatest.log", ASSAY_HASH_SHA1,
		  ASSAY_HASH_SHA1 },
		{ "ima/violation-of-20-zeros.bin", "ima/violation-of-20-zeros.bin", ASSAY_HASH_SHA1,
		  ASSAY_HASH_SHA1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer from = log_test_data(rows[i].from), to = log_test_data(rows[i].to);
		struct ima_reader reader;
		struct ima_frame frame;
		struct buffer out = { 0 };
		struct assay_error err;
		struct hasher hasher;

		assert_int_equal(hasher_open(&hasher, rows[i].other, &err), 0);
		ima_begin(&reader, buffer_bytes(&from), rows[i].bank);
		while (ima_skim(&reader, &frame, &err) == 1)
			assert_int_equal(
				ima_frame_rebank(&frame, rows[i].bank, &hasher, &out, &err), 0);
		assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&to)));
		hasher_close(&hasher);
		buffer_free(&out);
		buffer_free(&from);
		buffer_free(&to);
	}
}

/* What assayd hands to the module is what the verifier reads from the log, entry for entry. */
static void a_mirrored_list_is_the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct buffer list = log_test_data(lists[i].file), content = { 0 };
		struct ima_source from_list, from_log;
		struct ima_item expected, item;
		struct log_builder builder;
		struct ima_reader reader;
		struct ima_frame frame;
		struct assay_error err;

		log_builder_begin(&builder);
		put_tlv_u8(&content, ASSAY_FIELD_KIND, ASSAY_KIND_IMA);
		ima_begin(&reader, buffer_bytes(&list), lists[i].bank);
		while (ima_skim(&reader, &frame, &err) == 1) {
			struct buffer value = { 0 };

			ima_mirror_entry(&frame, lists[i].bank, &value);
			put_tlv(&content, ASSAY_FIELD_IMA_ENTRY, buffer_bytes(&value));
			buffer_free(&value);
		}
		log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&content));
		ima_source_list(&from_list, buffer_bytes(&list), lists[i].bank);
		ima_source_mirrored(&from_log, buffer_bytes(&builder.log));
		while (ima_source_next(&from_list, &expected, &err) == 1) {
			assert_int_equal(ima_source_next(&from_log, &item, &err), 1);
			assert_int_equal(item.number, expected.number);
			assert_int_equal(item.entry.pcr, expected.entry.pcr);
			assert_int_equal(item.entry.violation, expected.entry.violation);
			assert_int_equal(item.digests[0].hash, lists[i].bank);
			assert_memory_equal(item.digests[0].bytes, expected.digests[0].bytes,
					    item.digests[0].size);
			assert_true(bytes_equal(item.entry.name, expected.entry.name));
			assert_true(bytes_equal(item.entry.data, expected.entry.data));
		}
		assert_int_equal(ima_source_next(&from_log, &item, &err), 0);
		log_builder_free(&builder);
		buffer_free(&content);
		buffer_free(&list);
	}
}

static void where_two_parts_meet(void **state)
{
	static const struct {
		const char *kept, *list; /* a letter an entry */
		size_t overlap;
	} rows[] = {
		{ "", "", 0 },
		{ "", "abc", 0 },
		{ "abc", "", 0 },
		{ "abc", "def", 0 },	  /* all that is kept was deleted */
		{ "abc", "abc", 3 },	  /* nothing new */
		{ "abc", "abcde", 3 },	  /* nothing was deleted */
		{ "abcdef", "defgh", 3 }, /* some was */
		{ "abcdef", "fgh", 1 },
		{ "abc", "ab", 0 },	 /* the end is missing: they do not meet */
		{ "xabab", "ababc", 4 }, /* the longest of several */
		{ "aaa", "aaaa", 3 },
		{ "baaa", "aab", 2 },
		{ "abcabcabd", "abcabd", 6 },
		{ "abcabcabc", "abcabd", 3 },
		{ "abcabcab", "abcabd", 5 },
		{ "aabaaab", "aabaabx", 3 },
		{ "long-and-then-end", "end-", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		ima_print kept[32], list[32];
		size_t overlap = 99;
		struct assay_error err;

		for (size_t n = 0; rows[i].kept[n]; n++)
			assert_int_equal(ima_print_of(BYTES((const uint8_t *)&rows[i].kept[n], 1),
						      &kept[n], &err),
					 0);
		for (size_t n = 0; rows[i].list[n]; n++)
			assert_int_equal(ima_print_of(BYTES((const uint8_t *)&rows[i].list[n], 1),
						      &list[n], &err),
					 0);
		assert_int_equal(ima_overlap(kept, strlen(rows[i].kept), list, strlen(rows[i].list),
					     &overlap, &err),
				 0);
		print_message("%s, %s\n", rows[i].kept, rows[i].list);
		assert_int_equal(overlap, rows[i].overlap);
	}
}

/* The same as comparing every end with every beginning, for words of two letters. */
static void overlaps_are_the_longest(void **state)
{
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		ima_print kept[12], list[12];
		size_t kept_count = support_random(&random) % 13;
		size_t list_count = support_random(&random) % 13;
		size_t overlap, longest = 0;

		for (size_t i = 0; i < kept_count; i++)
			kept[i] = support_random(&random) & 1;
		for (size_t i = 0; i < list_count; i++)
			list[i] = support_random(&random) & 1;
		for (size_t n = 1; n <= kept_count && n <= list_count; n++)
			if (memcmp(kept + kept_count - n, list, n * sizeof(list[0])) == 0)
				longest = n;
		assert_int_equal(ima_overlap(kept, kept_count, list, list_count, &overlap, NULL),
				 0);
		assert_int_equal(overlap, longest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size_come_to_the_same),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(banks_that_cannot_be_replayed),
		cmocka_unit_test(a_list_of_one_bank_makes_that_of_another),
		cmocka_unit_test(a_mirrored_list_is_the_list),
		cmocka_unit_test(where_two_parts_meet),
		cmocka_unit_test(overlaps_are_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
