// SPDX-License-Identifier: MIT
/* Replays of whole logs: many hashes at a time give what one after the other does. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "log/ima_digests.h"
#include "log/cel_content.h"
#include "log/pcrs.h"
#include "log_builder.h"
#include "support.h"
#include "verity/lanes.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const enum assay_hash all_banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
					     ASSAY_HASH_SHA512 };

/* ---------------------------------------------------------------- hashes side by side */

/* Messages of all lengths around each border of a block, and some that are too long. */
static void compare_with_openssl(enum assay_hash hash)
{
	enum { COUNT = 700, STRIDE = 1200 };
	uint8_t *data = malloc(COUNT + STRIDE), *out = malloc(COUNT * ASSAY_DIGEST_MAX);
	struct bytes *messages = malloc(COUNT * sizeof(*messages));
	struct hasher hasher;

	assert_true(data && out && messages);
	support_fill(data, COUNT + STRIDE, 7);
	for (size_t i = 0; i < COUNT; i++)
		messages[i] = BYTES(data + i, i < 600 ? (i * 37) % 600 : i + 500);
	messages[3].data = messages[3].size == 0 ? NULL : messages[3].data;
	assert_int_equal(hasher_open(&hasher, hash, NULL), 0);
	assert_int_equal(hasher_digest_many(&hasher, COUNT, messages, out, NULL), 0);
	for (size_t i = 0; i < COUNT; i++) {
		uint8_t expected[ASSAY_DIGEST_MAX];

		assert_int_equal(EVP_Digest(messages[i].data, messages[i].size, expected, NULL,
					    EVP_get_digestbyname(assay_hash_name(hash)), NULL),
				 1);
		assert_memory_equal(out + i * hasher.size, expected, hasher.size);
	}
	assert_int_equal(hasher_digest_many(&hasher, 0, messages, out, NULL), 0);
	hasher_close(&hasher);
	free(messages);
	free(out);
	free(data);
}

static void many_digests_are_those_of_openssl(void **state)
{
	const struct lanes_engine *engine;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_banks); i++)
		compare_with_openssl(all_banks[i]);
	for (size_t i = 0; (engine = lanes_engine(i)); i++) {
		print_message("%s\n", engine->name);
		lanes_use_only(engine);
		compare_with_openssl(ASSAY_HASH_SHA256);
		lanes_use_only(NULL);
	}
}

static void an_extend_is_that_of_openssl(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_banks); i++) {
		struct assay_digest value = log_test_digest(all_banks[i], 1);
		struct assay_digest digest = log_test_digest(all_banks[i], 2);
		uint8_t both[2 * ASSAY_DIGEST_MAX], expected[ASSAY_DIGEST_MAX];
		struct hasher hasher;

		memcpy(both, value.bytes, value.size);
		memcpy(both + value.size, digest.bytes, digest.size);
		assert_int_equal(EVP_Digest(both, 2 * value.size, expected, NULL,
					    EVP_get_digestbyname(assay_hash_name(all_banks[i])),
					    NULL),
				 1);
		assert_int_equal(hasher_open(&hasher, all_banks[i], NULL), 0);
		assert_int_equal(
			hasher_extend(&hasher, &value, BYTES(digest.bytes, digest.size), NULL), 0);
		assert_memory_equal(value.bytes, expected, value.size);
		assert_int_equal(
			hasher_extend(&hasher, &value, BYTES(digest.bytes, digest.size - 1), NULL),
			-EINVAL);
		hasher_close(&hasher);
	}
}

/* ---------------------------------------------------------------- lists of IMA */

/* The list again and again, until it is long enough for threads. */
static struct buffer repeated(const char *path, size_t times)
{
	struct buffer once = log_test_data(path), list = { 0 };

	for (size_t i = 0; i < times; i++)
		buffer_append_bytes(&list, buffer_bytes(&once));
	assert_false(list.failed);
	buffer_free(&once);
	return list;
}

/* Entry by entry, as ima_next() and ima_template_hash() have it. */
static void compare_digests(struct bytes list, enum assay_hash bank)
{
	struct hashers hashers = { 0 };
	struct ima_digests *digests;
	struct ima_digested entry;
	struct ima_reader reader;
	struct ima_entry expected;
	struct assay_error err;
	size_t entries = 0;
	int r;

	assert_int_equal(
		ima_digests_new(list, bank, all_banks, COUNT_OF(all_banks), &digests, &err), 0);
	ima_begin(&reader, list, bank);
	while ((r = ima_digests_next(digests, &entry, &err)) == 1) {
		assert_int_equal(ima_next(&reader, &expected, &err), 1);
		assert_int_equal(entry.frame->offset, expected.offset);
		assert_int_equal(entry.frame->end, reader.offset);
		assert_int_equal(entry.frame->pcr, expected.pcr);
		assert_int_equal(entry.frame->violation, expected.violation);
		assert_ptr_equal(entry.frame->data.data, expected.data.data);
		assert_memory_equal(entry.frame->template_digest, expected.template_digest.bytes,
				    expected.template_digest.size);
		for (size_t i = 0; i < COUNT_OF(all_banks); i++) {
			struct assay_digest digest;

			assert_int_equal(
				ima_template_hash(&expected,
						  hashers_get(&hashers, all_banks[i], &err),
						  &digest, &err),
				0);
			assert_memory_equal(entry.digests[i], digest.bytes, digest.size);
		}
		entries++;
	}
	assert_int_equal(r, ima_next(&reader, &expected, NULL));
	print_message("%zu entries, ends with %d\n", entries, r);
	hashers_close(&hashers);
	ima_digests_free(digests);
}

static void many_entries_are_hashed_in_their_order(void **state)
{
	struct buffer list = repeated("ima/charra.bin", 1);

	(void)state;
	compare_digests(buffer_bytes(&list), ASSAY_HASH_SHA1);
	buffer_free(&list);
	/* On other threads; all templates, the oldest one too. */
	list = repeated("ima/charra.bin", 7);
	compare_digests(buffer_bytes(&list), ASSAY_HASH_SHA1);
	list.size -= 3;
	compare_digests(buffer_bytes(&list), ASSAY_HASH_SHA1);
	buffer_free(&list);
	list = repeated("ima/ibmtss-imatest.log", 300);
	compare_digests(buffer_bytes(&list), ASSAY_HASH_SHA1);
	buffer_free(&list);
	list = repeated("ima/ibmtss-sha512.log", 20);
	compare_digests(buffer_bytes(&list), ASSAY_HASH_SHA512);
	buffer_free(&list);
}

/* Given up in the middle: no thread and no memory is left behind. */
static void a_list_that_is_not_read_to_its_end(void **state)
{
	struct buffer list = repeated("ima/charra.bin", 40);
	struct ima_digests *digests;
	struct ima_digested entry;

	(void)state;
	for (size_t taken = 0; taken < 3000; taken += 1400) {
		assert_int_equal(ima_digests_new(buffer_bytes(&list), ASSAY_HASH_SHA1, all_banks, 1,
						 &digests, NULL),
				 0);
		for (size_t i = 0; i < taken; i++)
			assert_int_equal(ima_digests_next(digests, &entry, NULL), 1);
		ima_digests_free(digests);
	}
	assert_int_equal(
		ima_digests_new(buffer_bytes(&list), ASSAY_HASH_SHA1, all_banks, 0, &digests, NULL),
		-EINVAL);
	buffer_free(&list);
}

static void assert_pcr(const struct pcrs *pcrs, enum assay_hash bank, unsigned int pcr,
		       const char *expected)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1] = "";

	for (size_t i = 0; i < pcrs->bank_count; i++)
		if (pcrs->banks[i].hash == bank)
			hex_encode(BYTES(pcrs->banks[i].values[pcr].bytes, assay_hash_size(bank)),
				   hex);
	assert_string_equal(hex, expected);
}

static void expect(struct pcrs_expected *expected, unsigned int pcr, enum assay_hash hash,
		   const char *hex)
{
	*expected = (struct pcrs_expected){ .pcr = pcr, .value = { .hash = hash } };
	assert_int_equal(
		hex_decode(hex, expected->value.bytes, ASSAY_DIGEST_MAX, &expected->value.size), 0);
}

#define IMATEST "af02ae09413721fddb71250ae26383de73cc78d5df37fbebadacedeaeacddb18"

static void pcrs_of_a_list(void **state)
{
	struct buffer list = log_test_data("ima/ibmtss-imatest.log");
	struct pcrs_expected expected[2];
	struct pcrs_request request = { .expected = expected, .expected_count = 2 };
	struct assay_error err;
	static struct pcrs pcrs;
	struct buffer twice = repeated("ima/ibmtss-imatest.log", 2);

	(void)state;
	expect(&expected[0], 10, ASSAY_HASH_SHA256, IMATEST);
	expect(&expected[1], 11, ASSAY_HASH_SHA256, IMATEST);
	assert_int_equal(pcrs_of_ima(buffer_bytes(&list), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 0);
	assert_int_equal(pcrs.bank_count, 1);
	assert_int_equal(pcrs.banks[0].extended, 1 << 10);
	assert_int_equal(pcrs.entries, 17);
	assert_int_equal(pcrs.violations, 1);
	assert_int_equal(pcrs.problems, 0);
	assert_pcr(&pcrs, ASSAY_HASH_SHA256, 10, IMATEST);
	assert_true(expected[0].reached);
	assert_int_equal(expected[0].after, 17);
	assert_false(expected[1].reached);

	/* A log may be longer than what is expected. */
	assert_int_equal(pcrs_of_ima(buffer_bytes(&twice), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 0);
	assert_true(expected[0].reached);
	assert_int_equal(expected[0].after, 17);
	assert_int_equal(pcrs.entries, 34);

	/* Without a wish it is the list's own bank. */
	request = (struct pcrs_request){ 0 };
	assert_int_equal(pcrs_of_ima(buffer_bytes(&list), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 0);
	assert_int_equal(pcrs.bank_count, 1);
	assert_int_equal(pcrs.banks[0].hash, ASSAY_HASH_SHA1);

	/* A byte of the last entry's data. */
	list.data[list.size - 1] ^= 1;
	assert_int_equal(pcrs_of_ima(buffer_bytes(&list), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 0);
	assert_int_equal(pcrs.problems, 1);
	assert_non_null(strstr(pcrs.problem, "entry 16 at offset "));
	assert_int_equal(pcrs_of_ima(BYTES(NULL, 0), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 -ENODATA);
	list.size--;
	assert_int_equal(pcrs_of_ima(buffer_bytes(&list), ASSAY_HASH_SHA1, &request, &pcrs, &err),
			 -EBADMSG);
	support_assert_error(&err, "truncated");
	buffer_free(&twice);
	buffer_free(&list);
}

static void requests_that_are_off(void **state)
{
	struct pcrs_expected expected;
	struct pcrs_request request = { .expected = &expected, .expected_count = 1 };
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	expect(&expected, PCRS_REGISTERS, ASSAY_HASH_SHA256, IMATEST);
	assert_int_equal(pcrs_of_cel(BYTES_LITERAL("x"), &request, &pcrs, &err), -EINVAL);
	support_assert_error(&err, "has no value");
	expect(&expected, 10, ASSAY_HASH_SHA1, IMATEST);
	assert_int_equal(pcrs_of_cel(BYTES_LITERAL("x"), &request, &pcrs, &err), -EINVAL);
	request = (struct pcrs_request){ .banks = { (enum assay_hash)0x12 }, .bank_count = 1 };
	assert_int_equal(pcrs_of_uefi(BYTES_LITERAL("x"), &request, &pcrs, &err), -EINVAL);
	support_assert_error(&err, "0x0012");
}

/* ---------------------------------------------------------------- logs in CEL */

static void pcrs_of_a_log(void **state)
{
	struct pcrs_request request = { 0 };
	struct log_builder builder;
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	assert_int_equal(pcrs_of_cel(buffer_bytes(&builder.log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.bank_count, LOG_BUILDER_BANKS);
	assert_int_equal(pcrs.entries, builder.recnum);
	assert_int_equal(pcrs.problems, 0);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		assert_int_equal(pcrs.banks[i].extended, 1 << 14);
		assert_memory_equal(pcrs.banks[i].values[14].bytes, builder.value[i].bytes,
				    builder.value[i].size);
	}
	/* The last byte is the last content's. */
	builder.log.data[builder.log.size - 1] ^= 1;
	assert_int_equal(pcrs_of_cel(buffer_bytes(&builder.log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.problems, 1);
	assert_non_null(strstr(pcrs.problem, "not that of its content"));
	request = (struct pcrs_request){ .banks = { ASSAY_HASH_SHA512 }, .bank_count = 1 };
	assert_int_equal(pcrs_of_cel(buffer_bytes(&builder.log), &request, &pcrs, &err), -EBADMSG);
	support_assert_error(&err, "has a sha512 digest");
	log_builder_free(&builder);
	request = (struct pcrs_request){ 0 };
	assert_int_equal(pcrs_of_cel(BYTES(NULL, 0), &request, &pcrs, &err), -ENODATA);
}

/* Something else had extended the PCR before the log began. */
static void a_start_that_is_not_zeros(void **state)
{
	struct pcrs_request request = { 0 };
	struct log_builder builder;
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	log_builder_begin(&builder);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		builder.value[i] = log_test_digest(builder.value[i].hash, 9);
	log_builder_sample(&builder);
	assert_int_equal(pcrs_of_cel(buffer_bytes(&builder.log), &request, &pcrs, &err), 0);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		assert_memory_equal(pcrs.banks[i].values[14].bytes, builder.value[i].bytes,
				    builder.value[i].size);
	log_builder_free(&builder);
}

static void put_record(struct log_builder *builder, struct buffer *value)
{
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(value));
	buffer_free(value);
}

/*
 * Where the first record cannot tell what the PCR was: there was no TPM yet, or the log's
 * beginning was cut off. Without what tells it, the log comes to something else.
 */
static void starts_that_later_records_tell(void **state)
{
	(void)state;
	for (int trimmed = 0; trimmed < 2; trimmed++) {
		struct assay_digest start[LOG_BUILDER_BANKS];
		struct pcrs_request request = { 0 };
		struct log_builder builder;
		struct buffer value = { 0 };
		size_t before;
		static struct pcrs pcrs;

		log_builder_begin(&builder);
		for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
			start[i] = builder.value[i] = log_test_digest(builder.value[i].hash, 9);
		builder.recnum = trimmed ? 7 : 0;
		if (!trimmed) {
			put_start(&value, NULL, 0);
			put_record(&builder, &value);
		}
		put_event(&value, "test", BYTES_LITERAL("some data"));
		put_record(&builder, &value);
		before = builder.log.size;
		if (trimmed)
			put_trim(&value, 7, 1000, BYTES_LITERAL("gone"), start, LOG_BUILDER_BANKS);
		else
			put_tpm(&value, 2, start, LOG_BUILDER_BANKS);
		put_record(&builder, &value);
		assert_int_equal(pcrs_of_cel(buffer_bytes(&builder.log), &request, &pcrs, NULL), 0);
		assert_int_equal(pcrs.problems, 0);
		for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
			assert_memory_equal(pcrs.banks[i].values[14].bytes, builder.value[i].bytes,
					    builder.value[i].size);
		assert_int_equal(
			pcrs_of_cel(BYTES(builder.log.data, before), &request, &pcrs, NULL), 0);
		assert_memory_not_equal(pcrs.banks[1].values[14].bytes, start[1].bytes,
					start[1].size);
		log_builder_free(&builder);
	}
}

/* ---------------------------------------------------------------- CEL of others */

/* Values computed from the digests by hand, and those that the whole log of this machine comes to.
 */
static void firmware_events_in_cel(void **state)
{
	static const struct {
		const char *file;
		const char *start; /* of PCR 0 in SHA-256; NULL: the log's own */
		const char *sha1, *sha256;
	} rows[] = {
		{ "cel/cel-no-action.tlv", NULL, "eae270f7a42898b84f4d4e457106e706483561cf",
		  "cb0c46e4998049d85fb767d0926430dcf0bc5add20848e079efab8a0fe732202" },
		{ "cel/cel-locality3-pcr0.tlv", NULL, "be565bce1288970240981bfc1a85dcaf68a14788",
		  "ec4577c7aa55cdf0ee479245496dd058062b6c8e23ccd2d565ce0523eb9d4a8e" },
		{ "cel/cel-locality3-pcr0.tlv",
		  "0000000000000000000000000000000000000000000000000000000000000003",
		  "be565bce1288970240981bfc1a85dcaf68a14788",
		  "0e5ea849d7647a1ac1becc096fee4df98f00f8015f934afadaab0b8aa20b38a5" },
		/* What is given goes before what the log says, in the bank that it is given for. */
		{ "cel/cel-no-action.tlv",
		  "0000000000000000000000000000000000000000000000000000000000000000",
		  "eae270f7a42898b84f4d4e457106e706483561cf",
		  "97f602cdbc08dea926311d7b09d22c736ceb779d162c57e67846bdc72565f224" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pcrs_start start = { .pcr = 0, .value = { .hash = ASSAY_HASH_SHA256 } };
		struct pcrs_request request = { .banks = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256 },
						.bank_count = 2 };
		struct buffer log = log_test_data(rows[i].file);
		static struct pcrs pcrs;

		print_message("%s, row %zu\n", rows[i].file, i);
		if (rows[i].start) {
			assert_int_equal(hex_decode(rows[i].start, start.value.bytes,
						    ASSAY_DIGEST_MAX, &start.value.size),
					 0);
			request.starts = &start;
			request.start_count = 1;
		}
		assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
		assert_int_equal(pcrs.problems, 0);
		assert_pcr(&pcrs, ASSAY_HASH_SHA1, 0, rows[i].sha1);
		assert_pcr(&pcrs, ASSAY_HASH_SHA256, 0, rows[i].sha256);
		assert_int_equal(pcrs.banks[0].extended, 1);
		assert_int_equal(pcrs.gaps, 0);
		buffer_free(&log);
	}
}

/* The rules of a firmware's events hold for those in CEL: here, Intel's FIT type 0x2D. */
static void rules_of_firmware_events_in_cel(void **state)
{
	struct buffer log = log_test_data("cel/cel-locality3-pcr0.tlv");
	struct pcrs_request request = { 0 };
	static struct pcrs pcrs;

	(void)state;
	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
	assert_int_equal(pcrs.rules, 1U << UEFI_RULE_SEPARATOR_TYPE);
	assert_int_equal(pcrs.broken[UEFI_RULE_SEPARATOR_TYPE].number, 2);
	assert_int_equal(pcrs.broken[UEFI_RULE_SEPARATOR_TYPE].events, 1);
	buffer_free(&log);
}

/* A record whose digests are given. */
static void put_cel(struct buffer *out, uint64_t number, const struct assay_digest *digests,
		    size_t count, uint8_t type, struct bytes value)
{
	struct buffer list = { 0 };

	for (size_t i = 0; i < count; i++)
		put_tlv(&list, ASSAY_CEL_DIGEST_TYPE(digests[i].hash),
			BYTES(digests[i].bytes, digests[i].size));
	put_tlv_u64(out, ASSAY_CEL_RECNUM, number);
	put_tlv_u8(out, ASSAY_CEL_PCR, 8);
	put_tlv(out, ASSAY_CEL_DIGESTS, buffer_bytes(&list));
	put_tlv(out, type, value);
	buffer_free(&list);
}

/* Records with fewer banks do not end the replay; a gap in the numbers is told. */
static void records_with_fewer_banks_and_gaps(void **state)
{
	const struct assay_digest digests[] = { log_test_digest(ASSAY_HASH_SHA256, 1),
						log_test_digest(ASSAY_HASH_SHA1, 2) };
	struct assay_digest expected = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct pcrs_request request = { 0 };
	struct buffer log = { 0 };
	static struct pcrs pcrs;
	struct hasher hasher;
	char hex[65];

	(void)state;
	put_cel(&log, 5, digests, 1, 0x77, BYTES_LITERAL("x"));
	put_cel(&log, 6, digests, 2, 0x77, BYTES_LITERAL("x"));
	put_cel(&log, 8, digests, 1, 0x77, BYTES_LITERAL("x"));
	put_cel(&log, 8, digests, 1, 0x77, BYTES_LITERAL("x"));
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		hasher_extend(&hasher, &expected, BYTES(digests[0].bytes, 32), NULL);
	hasher_close(&hasher);
	hex_encode(BYTES(expected.bytes, 32), hex);

	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
	assert_int_equal(pcrs.bank_count, 2);
	assert_int_equal(pcrs.entries, 4);
	assert_pcr(&pcrs, ASSAY_HASH_SHA256, 8, hex);
	assert_int_equal(pcrs.banks[0].incomplete, 0);
	assert_int_equal(pcrs.banks[1].incomplete, 1 << 8);
	assert_int_equal(pcrs.gaps, 2);
	assert_int_equal(pcrs.gap_after, 6);
	assert_int_equal(pcrs.gap_at, 8);
	assert_int_equal(pcrs.first_record, 5);
	assert_false(pcrs.start_told);
	buffer_free(&log);
}

#define IMA_NG                                            \
	"\0\0\0\0\6ima-ng\1\0\0\0\x33\x28\0\0\0sha256:\0" \
	"0123456789abcdef0123456789abcdef"                \
	"\3\0\0\0/x\0"

/* Contents of known types are checked: their form, and what their digest is of. */
static void contents_of_others(void **state)
{
	struct bytes template_data = BYTES_LITERAL("\x28\0\0\0sha256:\0"
						   "0123456789abcdef0123456789abcdef"
						   "\3\0\0\0/x\0");
	const struct {
		const char *name;
		uint8_t type;
		struct bytes value;
		struct bytes hashed; /* .data NULL: zeros are the digest */
		const char *problem;
	} rows[] = {
		{ "an entry of IMA", ASSAY_CEL_IMA_TEMPLATE, BYTES_LITERAL(IMA_NG), template_data,
		  NULL },
		{ "an entry of IMA with another digest", ASSAY_CEL_IMA_TEMPLATE,
		  BYTES_LITERAL(IMA_NG), BYTES_LITERAL("x"), "not that of its content" },
		{ "a violation of IMA",
		  ASSAY_CEL_IMA_TEMPLATE,
		  BYTES_LITERAL(IMA_NG),
		  { NULL, 0 },
		  NULL },
		{ "an entry of IMA without its data", ASSAY_CEL_IMA_TEMPLATE,
		  BYTES_LITERAL("\0\0\0\0\6ima-ng"), template_data, "truncated" },
		{ "bytes behind an entry of IMA", ASSAY_CEL_IMA_TEMPLATE, BYTES_LITERAL(IMA_NG "x"),
		  template_data, "left behind" },
		{ "the oldest template, cut", ASSAY_CEL_IMA_TEMPLATE,
		  BYTES_LITERAL("\0\0\0\0\3ima\1\0\0\0\1x"), template_data,
		  "not that of its content" },
		{ "a firmware's event", CEL_PCCLIENT_STD,
		  BYTES_LITERAL("\0\0\0\0\4\0\0\0\xd\1\0\0\0\1x"), BYTES_LITERAL("any"), NULL },
		{ "a firmware's event, its type in 1 byte", CEL_PCCLIENT_STD,
		  BYTES_LITERAL("\0\0\0\0\1\xd\1\0\0\0\1x"), BYTES_LITERAL("any"), NULL },
		{ "a firmware's event of no type", CEL_PCCLIENT_STD, BYTES_LITERAL("\1\0\0\0\1x"),
		  BYTES_LITERAL("any"), "where 0x00 is due" },
		{ "a firmware's event, its type in 5 bytes", CEL_PCCLIENT_STD,
		  BYTES_LITERAL("\0\0\0\0\5\0\0\0\0\xd\1\0\0\0\1x"), BYTES_LITERAL("any"),
		  "not 1 to 4" },
		{ "the log's version", CEL_MANAGEMENT,
		  BYTES_LITERAL("\1\0\0\0\xc\0\0\0\0\1\1\1\0\0\0\1\0"), BYTES_LITERAL("any"),
		  NULL },
		{ "a version without its minor number", CEL_MANAGEMENT,
		  BYTES_LITERAL("\1\0\0\0\6\0\0\0\0\1\1"), BYTES_LITERAL("any"), "does not hold" },
		{ "management of another kind", CEL_MANAGEMENT, BYTES_LITERAL("\3\0\0\0\0"),
		  BYTES_LITERAL("any"), "field 0x03" },
		{ "a type that is not known", 0x77, BYTES_LITERAL("x"), BYTES_LITERAL("any"),
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };
		struct pcrs_request request = { 0 };
		struct buffer log = { 0 };
		static struct pcrs pcrs;
		struct hasher hasher;

		print_message("%s\n", rows[i].name);
		assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
		if (rows[i].hashed.data)
			hasher_digest(&hasher, rows[i].hashed, BYTES(NULL, 0), &digest, NULL);
		put_cel(&log, 0, &digest, 1, rows[i].type, rows[i].value);
		assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
		assert_int_equal(pcrs.problems, rows[i].problem != NULL);
		if (rows[i].problem)
			assert_non_null(strstr(pcrs.problem, rows[i].problem));
		/* Whatever it holds, the PCR was extended; by a violation with ones. */
		if (!rows[i].hashed.data)
			memset(digest.bytes, 0xff, 32);
		else
			assert_false(bytes_are_zero(BYTES(digest.bytes, 32)));
		{
			struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };

			hasher_extend(&hasher, &value, BYTES(digest.bytes, 32), NULL);
			assert_memory_equal(pcrs.banks[0].values[8].bytes, value.bytes, 32);
		}
		hasher_close(&hasher);
		buffer_free(&log);
	}
}

/* Of Google's content the digest is that of the whole TLV, as of assay's. */
static void contents_of_container_optimized_os(void **state)
{
	struct buffer text = log_test_data("cel/gotpmtools-cel.b64"), log = { 0 };
	struct pcrs_request request = { 0 };
	static struct pcrs pcrs;

	(void)state;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	assert_int_equal(base64_decode((const char *)text.data, text.size, &log), 0);
	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
	assert_int_equal(pcrs.entries, 18);
	assert_int_equal(pcrs.problems, 0);
	log.data[log.size - 1] ^= 1;
	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, NULL), 0);
	assert_int_equal(pcrs.problems, 1);
	buffer_free(&log);
	buffer_free(&text);
}

/* ---------------------------------------------------------------- firmware */

static void pcrs_of_firmware(void **state)
{
	struct buffer log = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	struct pcrs_expected expected;
	struct pcrs_request request = { .expected = &expected, .expected_count = 1 };
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	expect(&expected, 12, ASSAY_HASH_SHA256,
	       "73b2090e3e72430531e7bc7d63e88826891ef4e04d6c1e250dc5c52db24f2f48");
	assert_int_equal(pcrs_of_uefi(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_true(expected.reached);
	assert_int_equal(pcrs.entries, 28);
	/* Its last byte is another: it comes up nowhere. */
	expected.value.bytes[31] ^= 1;
	assert_int_equal(pcrs_of_uefi(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_false(expected.reached);
	assert_int_equal(expected.after, 0);
	request = (struct pcrs_request){ .banks = { ASSAY_HASH_SHA1 }, .bank_count = 1 };
	assert_int_equal(pcrs_of_uefi(buffer_bytes(&log), &request, &pcrs, &err), -EBADMSG);
	support_assert_error(&err, "no sha1 digests");
	request = (struct pcrs_request){ 0 };
	/* The type of an EV_SEPARATOR of PCR 7. */
	assert_int_equal(log.data[703], 4);
	log.data[703] = 5;
	assert_int_equal(pcrs_of_uefi(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.problems, 0);
	assert_int_equal(pcrs.rules, 1U << UEFI_RULE_SEPARATOR_TYPE);
	assert_int_equal(pcrs.broken[UEFI_RULE_SEPARATOR_TYPE].number, 9);
	assert_int_equal(pcrs.broken[UEFI_RULE_SEPARATOR_TYPE].offset, 699);
	buffer_free(&log);
}

/* An event without a digest of a bank leaves that one's PCR incomplete, and no other. */
static void pcrs_that_are_incomplete(void **state)
{
	struct buffer log = log_test_data("uefi/digest-missing.bin");
	struct pcrs_request request = { 0 };
	static struct pcrs pcrs;

	(void)state;
	assert_int_equal(pcrs_of_uefi(buffer_bytes(&log), &request, &pcrs, NULL), 0);
	assert_int_equal(pcrs.bank_count, 2);
	assert_int_equal(pcrs.banks[0].incomplete, 1 << 14);
	assert_int_equal(pcrs.banks[0].extended, 0xff);
	assert_int_equal(pcrs.banks[1].incomplete, 0);
	assert_pcr(&pcrs, ASSAY_HASH_SHA256, 14,
		   "120103212cb246e5aa581a3e7bd8ffa00d376856728b782eabfc4832b3e4c3ff");
	buffer_free(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_digests_are_those_of_openssl),
		cmocka_unit_test(an_extend_is_that_of_openssl),
		cmocka_unit_test(many_entries_are_hashed_in_their_order),
		cmocka_unit_test(a_list_that_is_not_read_to_its_end),
		cmocka_unit_test(pcrs_of_a_list),
		cmocka_unit_test(requests_that_are_off),
		cmocka_unit_test(pcrs_of_a_log),
		cmocka_unit_test(a_start_that_is_not_zeros),
		cmocka_unit_test(starts_that_later_records_tell),
		cmocka_unit_test(firmware_events_in_cel),
		cmocka_unit_test(rules_of_firmware_events_in_cel),
		cmocka_unit_test(records_with_fewer_banks_and_gaps),
		cmocka_unit_test(contents_of_others),
		cmocka_unit_test(contents_of_container_optimized_os),
		cmocka_unit_test(pcrs_of_firmware),
		cmocka_unit_test(pcrs_that_are_incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
