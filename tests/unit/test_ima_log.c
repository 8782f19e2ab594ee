// SPDX-License-Identifier: MIT
/* IMA's measurement lists: those of other projects, and those that are ill-formed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/ima.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What a list came to. */
struct tally {
	size_t entries, violations, unknown, problems, signatures;
	struct assay_digest pcr; /* sha256, replayed from zeros */
	uint64_t offset;	 /* where reading ended */
	int result;
	struct assay_error err;
};

static struct tally read_list(struct bytes list, enum assay_hash bank, bool check_hashes)
{
	struct tally tally = { .pcr = { .hash = ASSAY_HASH_SHA256, .size = 32 } };
	struct hasher in_bank, sha256;
	struct ima_reader reader;
	struct ima_entry entry;

	assert_int_equal(hasher_open(&in_bank, bank, &tally.err), 0);
	assert_int_equal(hasher_open(&sha256, ASSAY_HASH_SHA256, &tally.err), 0);
	ima_begin(&reader, list, bank);
	while ((tally.result = ima_next(&reader, &entry, &tally.err)) == 1) {
		struct assay_digest digest;

		tally.entries++;
		tally.violations += entry.violation;
		tally.unknown += !entry.known;
		tally.problems += entry.problem != NULL;
		tally.signatures += entry.signature.size > 0;
		assert_int_equal(ima_template_hash(&entry, &in_bank, &digest, &tally.err), 0);
		if (check_hashes && !entry.violation)
			assert_memory_equal(digest.bytes, entry.template_digest.bytes, digest.size);
		assert_int_equal(ima_extend(&entry, &sha256, &tally.pcr, &tally.err), 0);
	}
	tally.offset = reader.offset;
	hasher_close(&in_bank);
	hasher_close(&sha256);
	return tally;
}

static void assert_hex(const struct assay_digest *digest, const char *expected)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	hex_encode(BYTES(digest->bytes, digest->size), hex);
	assert_string_equal(hex, expected);
}

static void lists_of_other_projects_replay(void **state)
{
	static const struct {
		const char *file;
		enum assay_hash bank;
		size_t entries, violations, signatures;
		const char *pcr;       /* sha256 */
		uint64_t truncated_at; /* 0: it is whole */
	} lists[] = {
		{ "ima/ibmtss-sha1.log", ASSAY_HASH_SHA1, 362, 0, 21,
		  "7fac48c81837d6d29046008aef0cdad8c2745cc98c3340cbba9bfdf39b4124b8", 0 },
		{ "ima/ibmtss-sha256.log", ASSAY_HASH_SHA256, 362, 0, 21,
		  "7fac48c81837d6d29046008aef0cdad8c2745cc98c3340cbba9bfdf39b4124b8", 0 },
		{ "ima/ibmtss-sha384.log", ASSAY_HASH_SHA384, 362, 0, 21,
		  "7fac48c81837d6d29046008aef0cdad8c2745cc98c3340cbba9bfdf39b4124b8", 0 },
		{ "ima/ibmtss-sha512.log", ASSAY_HASH_SHA512, 362, 0, 21,
		  "7fac48c81837d6d29046008aef0cdad8c2745cc98c3340cbba9bfdf39b4124b8", 0 },
		{ "ima/ibmtss-imatest.log", ASSAY_HASH_SHA1, 17, 1, 2,
		  "af02ae09413721fddb71250ae26383de73cc78d5df37fbebadacedeaeacddb18", 0 },
		{ "ima/charra.bin", ASSAY_HASH_SHA1, 1650, 0, 0,
		  "9842c6f3a154484c12df027b9becd4e7fe9590b9a877936504b079a7b894af56", 0 },
		{ "ima/tss2-fapi-sml-ima-sha1-invalidated.bin", ASSAY_HASH_SHA1, 1, 1, 0,
		  "bba91ca85dc914b2ec3efb9e16e7267bf9193b14350d20fba8a8b406730ae30a", 0 },
		{ "ima/tss2-fapi-sml-ima-sig-sha256-invalidated.bin", ASSAY_HASH_SHA1, 2, 1, 0,
		  "338c5ec5cba3d64a886cc6f369f10e5209bf8f49db078635723bb1ed8091b2ba", 0 },
		{ "ima/violation-of-20-zeros.bin", ASSAY_HASH_SHA1, 4, 1, 0,
		  "04db4bf616cac61e41bcd6f9abee1dc4e59f74619a39d34d342cf77b53326d8c", 0 },
		{ "ima/tss2-fapi-sml-ima-ng-sha1.bin", ASSAY_HASH_SHA1, 6, 0, 0,
		  "700a1bb47bc2bc005f2d8e23d80e2a1e301733c1d29023c52d1d7d149719eb64", 558 },
		{ "ima/tss2-fapi-sml-ima-sha1.bin", ASSAY_HASH_SHA1, 12, 0, 0,
		  "239ba8e6f20ecfec961d771036c68f02dbeb771678b64c18cba81363e8e7139a", 916 },
		{ "ima/tss2-fapi-sml-ima-sig-sha256.bin", ASSAY_HASH_SHA1, 9, 0, 0,
		  "a7e76625386d3dc6248552e44a3b2b1bebb6f2ff3acc9bd220821ad22f7a9d6a", 987 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct buffer list = log_test_data(lists[i].file);
		enum assay_hash bank = ASSAY_HASH_NONE;
		struct assay_error err;
		struct tally tally;
		char expected[64];

		print_message("%s\n", lists[i].file);
		assert_int_equal(ima_detect_bank(buffer_bytes(&list), &bank, &err), 0);
		assert_int_equal(bank, lists[i].bank);
		tally = read_list(buffer_bytes(&list), bank, true);
		assert_int_equal(tally.entries, lists[i].entries);
		assert_int_equal(tally.violations, lists[i].violations);
		assert_int_equal(tally.signatures, lists[i].signatures);
		assert_int_equal(tally.unknown, 0);
		assert_int_equal(tally.problems, 0);
		assert_hex(&tally.pcr, lists[i].pcr);
		if (lists[i].truncated_at == 0) {
			assert_int_equal(tally.result, 0);
			assert_int_equal(tally.offset, list.size);
		} else {
			assert_int_equal(tally.result, -EBADMSG);
			assert_int_equal(tally.offset, lists[i].truncated_at);
			snprintf(expected, sizeof(expected), "IMA entry at offset %u: truncated",
				 (unsigned int)lists[i].truncated_at);
			assert_ptr_equal(strstr(tally.err.text, expected), tally.err.text);
		}
		buffer_free(&list);
	}
}

/* ---------------------------------------------------------------- lists made here */

/* A list of one entry, in SHA-1, whose template digest is not zero and not right. */
static void put_entry(struct buffer *out, uint32_t pcr, struct bytes name, struct bytes data,
		      bool counted)
{
	static const uint8_t digest[20] = { 1 };
	uint8_t swapped[4];

	for (int i = 0; i < 4; i++)
		swapped[i] = (uint8_t)(pcr >> 8 * i);
	buffer_append(out, swapped, 4);
	buffer_append(out, digest, sizeof(digest));
	buffer_append_u8(out, (uint8_t)name.size);
	buffer_append(out, "\0\0", 3);
	buffer_append_bytes(out, name);
	if (counted) {
		for (int i = 0; i < 4; i++)
			swapped[i] = (uint8_t)(data.size >> 8 * i);
		buffer_append(out, swapped, 4);
	}
	buffer_append_bytes(out, data);
}

static void put_field(struct buffer *out, struct bytes value)
{
	for (int i = 0; i < 4; i++)
		buffer_append_u8(out, (uint8_t)(value.size >> 8 * i));
	buffer_append_bytes(out, value);
}

/* Two entries that are right: "ima-sigv2" of an fs-verity digest, and "ima". */
static struct buffer sample(void)
{
	struct buffer list = { 0 }, data = { 0 };

	put_field(&data, BYTES_LITERAL("verity:sha256:\0"
				       "0123456789abcdef0123456789abcdef"));
	put_field(&data, BYTES((const uint8_t *)"/usr/bin/x", 11));
	put_field(&data, BYTES_LITERAL("\6\3\4sig"));
	put_entry(&list, 10, BYTES_LITERAL("ima-sigv2"), buffer_bytes(&data), true);
	buffer_free(&data);
	buffer_append(&data, "0123456789abcdef0123", 20);
	put_field(&data, BYTES_LITERAL("/sbin/init"));
	put_entry(&list, 10, BYTES_LITERAL("ima"), buffer_bytes(&data), false);
	buffer_free(&data);
	return list;
}

static void fields_of_an_entry(void **state)
{
	struct buffer list = sample();
	struct ima_reader reader;
	struct ima_entry entry;
	struct assay_error err;

	(void)state;
	ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
	assert_int_equal(ima_next(&reader, &entry, &err), 1);
	assert_int_equal(entry.offset, 0);
	assert_int_equal(entry.pcr, 10);
	assert_true(entry.known);
	assert_null(entry.problem);
	assert_true(entry.verity);
	assert_int_equal(entry.digest_hash, ASSAY_HASH_SHA256);
	assert_true(bytes_equal(entry.algorithm, BYTES_LITERAL("sha256")));
	assert_true(bytes_equal(entry.digest, BYTES_LITERAL("0123456789abcdef0123456789abcdef")));
	assert_true(bytes_equal(entry.path, BYTES_LITERAL("/usr/bin/x")));
	assert_true(bytes_equal(entry.signature, BYTES_LITERAL("\6\3\4sig")));
	assert_int_equal(ima_next(&reader, &entry, &err), 1);
	assert_false(entry.verity);
	assert_int_equal(entry.digest_hash, ASSAY_HASH_SHA1);
	assert_true(bytes_equal(entry.digest, BYTES_LITERAL("0123456789abcdef0123")));
	assert_true(bytes_equal(entry.path, BYTES_LITERAL("/sbin/init")));
	assert_int_equal(entry.signature.size, 0);
	assert_int_equal(ima_next(&reader, &entry, &err), 0);
	buffer_free(&list);
}

/* The templates with the most fields, as a kernel of others wrote them. */
static void fields_of_all_templates(void **state)
{
	struct buffer list = log_test_data("ima/ibmtss-imatest.log");
	struct ima_reader reader;
	struct ima_entry entry;
	size_t buffers = 0, modsigs = 0, evm = 0, aggregates = 0;

	(void)state;
	ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
	while (ima_next(&reader, &entry, NULL) == 1) {
		buffers += entry.buffer.size > 0;
		modsigs += entry.modsig_digest.size > 0 && entry.modsig.size > 0;
		evm += entry.has_uid && entry.has_gid && entry.has_mode &&
		       entry.xattr_names.size > 0;
		aggregates += entry.boot_aggregate == IMA_BOOT_AGGREGATE;
	}
	assert_int_equal(buffers, 1);
	assert_int_equal(modsigs, 1);
	assert_int_equal(evm, 1);
	assert_int_equal(aggregates, 8);
	buffer_free(&list);
}

static void fields_of_evm_sig(void **state)
{
	struct buffer list = { 0 }, data = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;

	(void)state;
	put_field(&data, BYTES_LITERAL("sha256:\0"
				       "0123456789abcdef0123456789abcdef"));
	put_field(&data, BYTES_LITERAL("/usr/bin/x\0"));
	put_field(&data, BYTES_LITERAL("\5\2\4evm"));
	put_field(&data, BYTES_LITERAL("security.ima|security.selinux\0"));
	put_field(&data, BYTES_LITERAL("\2\0\0\0\3\0\0\0"));
	put_field(&data, BYTES_LITERAL("\4\4abc"));
	put_field(&data, BYTES_LITERAL("\xe8\3\0\0"));
	put_field(&data, BYTES_LITERAL("\x64\0\0\0"));
	put_field(&data, BYTES_LITERAL("\xed\x81"));
	put_entry(&list, 10, BYTES_LITERAL("evm-sig"), buffer_bytes(&data), true);
	buffer_free(&data);
	/* The name of the entry before is not taken for this one's. */
	put_field(&data, BYTES_LITERAL("boot_aggregate_late\0"));
	put_entry(&list, 10, BYTES_LITERAL("n-ng"), buffer_bytes(&data), true);
	buffer_free(&data);

	ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
	assert_int_equal(ima_next(&reader, &entry, NULL), 1);
	assert_true(entry.known);
	assert_null(entry.problem);
	assert_true(bytes_equal(entry.evm_signature, BYTES_LITERAL("\5\2\4evm")));
	assert_true(bytes_equal(entry.xattr_names, BYTES_LITERAL("security.ima|security.selinux")));
	assert_int_equal(entry.xattr_lengths.size, 8);
	assert_true(bytes_equal(entry.xattr_values, BYTES_LITERAL("\4\4abc")));
	assert_true(entry.has_uid && entry.has_gid && entry.has_mode);
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, 100);
	assert_int_equal(entry.mode, 0100755);
	assert_int_equal(entry.boot_aggregate, IMA_NO_BOOT_AGGREGATE);
	assert_int_equal(ima_next(&reader, &entry, NULL), 1);
	assert_int_equal(entry.boot_aggregate, IMA_BOOT_AGGREGATE_LATE);
	assert_false(entry.has_uid);
	assert_int_equal(ima_next(&reader, &entry, NULL), 0);
	buffer_free(&list);
}

/* Against a computation by hand: SHA-256 of ten PCRs, SHA-1 of eight. */
static void boot_aggregate(void **state)
{
	static const struct {
		enum assay_hash hash;
		size_t pcrs;
	} rows[] = { { ASSAY_HASH_SHA1, 8 }, { ASSAY_HASH_SHA256, 10 }, { ASSAY_HASH_SHA384, 10 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_digest values[IMA_AGGREGATE_PCRS], digest, expected;
		struct buffer all = { 0 };
		struct assay_error err;
		struct hasher hasher;

		for (size_t pcr = 0; pcr < IMA_AGGREGATE_PCRS; pcr++) {
			values[pcr] = log_test_digest(rows[i].hash, (uint8_t)pcr);
			if (pcr < rows[i].pcrs)
				buffer_append(&all, values[pcr].bytes, values[pcr].size);
		}
		assert_int_equal(hasher_open(&hasher, rows[i].hash, NULL), 0);
		assert_int_equal(
			hasher_digest(&hasher, buffer_bytes(&all), BYTES(NULL, 0), &expected, NULL),
			0);
		assert_int_equal(ima_aggregate(&hasher, values, &digest, &err), 0);
		assert_memory_equal(digest.bytes, expected.bytes, expected.size);
		values[7].hash = ASSAY_HASH_SHA512;
		assert_int_equal(ima_aggregate(&hasher, values, &digest, &err), -EINVAL);
		support_assert_error(&err, "PCR 7 is not of");
		hasher_close(&hasher);
		buffer_free(&all);
	}
}

/* L8, L9, L14, L21: framing that is off is refused, and the error says where and what. */
static void framing_that_is_off(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* overwritten in the sample, whose first entry is 0 to 110 */
		const char *bytes;
		size_t size;
		const char *error;
	} rows[] = {
		{ "PCR 24", 0, "\x18\0\0\0", 4, "offset 0: there is no PCR 24" },
		{ "PCR 32", 0, "\x20\0\0\0", 4, "there is no PCR 32" },
		{ "PCR 0xffffffff", 0, "\xff\xff\xff\xff", 4, "there is no PCR 4294967295" },
		{ "big-endian", 0, "\0\0\0\xa", 4, "the list is big-endian" },
		{ "name of 0", 24, "\0\0\0\0", 4, "name claims 0 bytes" },
		{ "name of 256", 24, "\0\1\0\0", 4, "name claims 256 bytes" },
		{ "name of 0xffffffff", 24, "\xff\xff\xff\xff", 4, "name claims 4294967295" },
		{ "name of 255", 24, "\xff\0\0\0", 4, "truncated" },
		{ "data of 0", 37, "\0\0\0\0", 4, "template data is empty" },
		{ "data of 0xffffffff", 37, "\xff\xff\xff\xff", 4, "claims 4294967295 bytes" },
		{ "data of 16 MiB", 37, "\0\0\0\1", 4, "claims 16777216 bytes" },
		{ "data of 1 MiB", 37, "\0\0\x10\0", 4, "truncated" },
		{ "data of 1000", 37, "\xe8\3\0\0", 4, "takes 1000 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer list = sample();
		struct tally tally;

		memcpy(list.data + rows[i].at, rows[i].bytes, rows[i].size);
		tally = read_list(buffer_bytes(&list), ASSAY_HASH_SHA1, false);
		if (tally.result != -EBADMSG || !strstr(tally.err.text, rows[i].error))
			fail_msg("%s: %d, \"%s\"", rows[i].name, tally.result, tally.err.text);
		assert_int_equal(tally.entries, 0);
		assert_int_equal(tally.offset, 0);
		assert_non_null(strstr(tally.err.text, "IMA entry at offset 0: "));
		buffer_free(&list);
	}
}

/* The path of template "ima" has a length of its own. */
static void path_of_the_oldest_template(void **state)
{
	static const struct {
		uint32_t length;
		const char *error;
	} rows[] = {
		{ 256, "claims 256 bytes" },
		{ 0xffffffff, "claims 4294967295 bytes" },
		{ 255, "truncated" },
		{ 11, "truncated" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer list = { 0 };
		struct tally tally;
		uint8_t data[34] = { 0 };

		for (int j = 0; j < 4; j++)
			data[20 + j] = (uint8_t)(rows[i].length >> 8 * j);
		put_entry(&list, 10, BYTES_LITERAL("ima"), BYTES(data, sizeof(data)), false);
		tally = read_list(buffer_bytes(&list), ASSAY_HASH_SHA1, false);
		assert_int_equal(tally.result, -EBADMSG);
		assert_non_null(strstr(tally.err.text, rows[i].error));
		buffer_free(&list);
	}
}

/* L10 to L13, L19: the entry replays, and what is off in it is told. */
static void fields_that_are_off(void **state)
{
#define DIGEST "0123456789abcdef0123456789abcdef"
#define NG "\x28\0\0\0sha256:\0" DIGEST
#define PATH "\3\0\0\0/x\0"
	static const struct {
		const char *name, *template;
		struct bytes data;
		bool known;
		const char *problem;
	} rows[] = {
		{ "right", "ima-ng", BYTES_LITERAL(NG PATH), true, NULL },
		{ "a format as name", "d-ng|n-ng", BYTES_LITERAL(NG PATH), true, NULL },
		{ "unknown template", "ima-new", BYTES_LITERAL(NG PATH), false, NULL },
		{ "unknown field", "d-ng|n-ng|new", BYTES_LITERAL(NG PATH), false, NULL },
		{ "the name with a NUL", "ima-ng\0", BYTES_LITERAL(NG PATH), false, NULL },
		{ "trailing bytes", "ima-ng", BYTES_LITERAL(NG PATH "x"), true, "left behind" },
		{ "a field missing", "ima-sig", BYTES_LITERAL(NG PATH), true, "goes beyond" },
		{ "a field's length beyond", "ima-ng", BYTES_LITERAL(NG "\4\0\0\0/x\0"), true,
		  "goes beyond" },
		{ "a field of 0xffffffff", "ima-ng", BYTES_LITERAL(NG "\xff\xff\xff\xff/x\0"), true,
		  "goes beyond" },
		{ "path without NUL", "ima-ng", BYTES_LITERAL(NG "\2\0\0\0/x"), true,
		  "does not end in NUL" },
		{ "empty path", "ima-ng", BYTES_LITERAL(NG "\0\0\0\0"), true,
		  "does not end in NUL" },
		{ "NUL in the path", "ima-ng", BYTES_LITERAL(NG "\4\0\0\0/\0x\0"), true,
		  "contains NUL" },
		{ "digest too short", "ima-ng", BYTES_LITERAL("\x0c\0\0\0sha256:\0abcd" PATH), true,
		  "not of its algorithm's" },
		{ "digest of another size", "ima-ng",
		  BYTES_LITERAL("\x28\0\0\0sha512:\0" DIGEST PATH), true,
		  "not of its algorithm's" },
		{ "unknown algorithm", "ima-ng", BYTES_LITERAL("\x28\0\0\0sha999:\0" DIGEST PATH),
		  true, "algorithm is not known" },
		{ "no algorithm", "ima-ng", BYTES_LITERAL("\x20\0\0\0" DIGEST PATH), true,
		  "does not begin with an algorithm" },
		{ "no colon", "ima-ng", BYTES_LITERAL("\x27\0\0\0sha256\0" DIGEST PATH), true,
		  "does not begin with an algorithm" },
		{ "empty algorithm", "ima-ng", BYTES_LITERAL("\x21\0\0\0\0" DIGEST PATH), true,
		  "does not begin with an algorithm" },
		{ "type missing", "ima-ngv2", BYTES_LITERAL(NG PATH), true, "type that is not" },
		{ "unknown type", "ima-ngv2", BYTES_LITERAL("\x2c\0\0\0new:sha256:\0" DIGEST PATH),
		  true, "type that is not" },
		{ "two digests", "d-ng|d-ng", BYTES_LITERAL(NG NG), true, "there twice" },
		{ "two paths", "n-ng|n", BYTES_LITERAL(PATH PATH), true, "there twice" },
		{ "path only", "n-ng", BYTES_LITERAL(PATH), true, NULL },
		{ "two signatures", "sig|sig", BYTES_LITERAL("\0\0\0\0\0\0\0\0"), true,
		  "there twice" },
		{ "digest and signature", "d-ng|sig", BYTES_LITERAL(NG "\0\0\0\0"), true, NULL },
		{ "a buffer", "ima-buf", BYTES_LITERAL(NG PATH "\3\0\0\0abc"), true, NULL },
		{ "no appended signature", "ima-modsig",
		  BYTES_LITERAL(NG PATH "\0\0\0\0\0\0\0\0\0\0\0\0"), true, NULL },
		{ "d-modsig without algorithm", "d-modsig", BYTES_LITERAL("\3\0\0\0abc"), true,
		  "does not begin with an algorithm" },
		{ "no inode", "iuid|igid|imode", BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0"), true,
		  NULL },
		{ "owner of 2 bytes", "iuid", BYTES_LITERAL("\2\0\0\0\0\0"), true, "of 4 bytes" },
		{ "group of 5 bytes", "igid", BYTES_LITERAL("\5\0\0\0\0\0\0\0\0"), true,
		  "of 4 bytes" },
		{ "mode of 4 bytes", "imode", BYTES_LITERAL("\4\0\0\0\0\0\0\0"), true,
		  "of 2 bytes" },
		{ "mode of 1 byte", "imode", BYTES_LITERAL("\1\0\0\0\0"), true, "of 2 bytes" },
		{ "no attributes", "xattrnames|xattrlengths|xattrvalues",
		  BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0"), true, NULL },
		{ "names without NUL", "xattrnames", BYTES_LITERAL("\1\0\0\0a"), true,
		  "do not end in NUL" },
		{ "NUL in names", "xattrnames", BYTES_LITERAL("\4\0\0\0a\0b\0"), true,
		  "contain NUL" },
		{ "lengths of 3 bytes", "xattrlengths", BYTES_LITERAL("\3\0\0\0\0\0\0"), true,
		  "4 bytes each" },
		{ "more names than lengths", "xattrnames|xattrlengths",
		  BYTES_LITERAL("\4\0\0\0a|b\0\4\0\0\0\1\0\0\0"), true, "as many names" },
		{ "values too short", "xattrlengths|xattrvalues",
		  BYTES_LITERAL("\4\0\0\0\4\0\0\0\3\0\0\0abc"), true, "of the lengths" },
		{ "lengths that overflow", "xattrlengths|xattrvalues",
		  BYTES_LITERAL("\x8\0\0\0\xff\xff\xff\xff\2\0\0\0\1\0\0\0a"), true,
		  "of the lengths" },
		{ "ESC in the path", "n-ng", BYTES_LITERAL("\4\0\0\0/\33x\0"), true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer list = { 0 };
		struct ima_reader reader;
		struct ima_entry entry;
		struct assay_error err;
		size_t size = strlen(rows[i].template);

		/* One name has a NUL at its end. */
		if (strstr(rows[i].name, "NUL") && !rows[i].known)
			size++;
		put_entry(&list, 10, BYTES((const uint8_t *)rows[i].template, size), rows[i].data,
			  true);
		ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
		assert_int_equal(ima_next(&reader, &entry, &err), 1);
		if (entry.known != rows[i].known || !entry.problem != !rows[i].problem ||
		    (entry.problem && !strstr(entry.problem, rows[i].problem)))
			fail_msg("%s: known %d, \"%s\"", rows[i].name, entry.known,
				 entry.problem ? entry.problem : "");
		/* Nothing of what is off is handed out. */
		if (!entry.known || entry.problem) {
			assert_null(entry.path.data);
			assert_null(entry.digest.data);
			assert_null(entry.signature.data);
			assert_null(entry.buffer.data);
			assert_null(entry.modsig_digest.data);
			assert_null(entry.xattr_names.data);
			assert_false(entry.has_uid || entry.has_gid || entry.has_mode);
			assert_int_equal(entry.digest_hash, ASSAY_HASH_NONE);
			assert_false(entry.verity);
		}
		assert_int_equal(ima_next(&reader, &entry, &err), 0);
		buffer_free(&list);
	}
}

/*
 * A violation has no digest: zeros stand there, and before Linux 5.19 as many as of SHA-1. Only
 * with the template digest of a violation, and only zeros.
 */
static void digest_of_a_violation(void **state)
{
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define OF_20 "\x1c\0\0\0sha256:\0"
	static const struct {
		const char *name, *template;
		struct bytes data;
		bool violation;
		const char *problem;
	} rows[] = {
		{ "20 zeros", "ima-ng", BYTES_LITERAL(OF_20 ZEROS PATH), true, NULL },
		{ "32 zeros", "ima-ng",
		  BYTES_LITERAL("\x28\0\0\0sha256:\0" ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0" PATH), true,
		  NULL },
		{ "20 zeros with a type", "ima-ngv2",
		  BYTES_LITERAL("\x20\0\0\0ima:sha256:\0" ZEROS PATH), true, NULL },
		{ "20 zeros with a signature", "ima-sig",
		  BYTES_LITERAL("\x1c\0\0\0sha512:\0" ZEROS PATH "\0\0\0\0"), true, NULL },
		{ "20 zeros of no violation", "ima-ng", BYTES_LITERAL(OF_20 ZEROS PATH), false,
		  "not of its algorithm's" },
		{ "20 bytes that are not zeros", "ima-ng",
		  BYTES_LITERAL(OF_20 "0123456789abcdef0123" PATH), true,
		  "not of its algorithm's" },
		{ "19 zeros", "ima-ng",
		  BYTES_LITERAL("\x1b\0\0\0sha256:\0"
				"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" PATH),
		  true, "not of its algorithm's" },
		{ "of an appended signature", "d-ng|n-ng|d-modsig",
		  BYTES_LITERAL(OF_20 ZEROS PATH OF_20 ZEROS), true, "not of its algorithm's" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer list = { 0 };
		struct ima_reader reader;
		struct ima_entry entry;

		print_message("%s\n", rows[i].name);
		put_entry(&list, 10, support_text(rows[i].template), rows[i].data, true);
		if (rows[i].violation)
			memset(list.data + 4, 0, 20);
		ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
		assert_int_equal(ima_next(&reader, &entry, NULL), 1);
		assert_int_equal(entry.violation, rows[i].violation);
		if (rows[i].problem) {
			assert_non_null(entry.problem);
			assert_non_null(strstr(entry.problem, rows[i].problem));
			assert_null(entry.digest.data);
		} else {
			assert_null(entry.problem);
			assert_true(bytes_equal(entry.path, BYTES_LITERAL("/x")));
			/* An algorithm is named only with a digest of its size. */
			assert_int_equal(assay_hash_size(entry.digest_hash),
					 entry.digest_hash ? entry.digest.size : 0);
		}
		buffer_free(&list);
	}
}

/* ---------------------------------------------------------------- names in IMA's form */

static void names_compared_in_imas_form(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "/opt/My App/run me", "/opt/My_App/run_me", 0 },
		{ "/opt/My App/run_me", "/opt/My_App/run me", 0 },
		{ "/a", "/a", 0 },
		{ "", "", 0 },
		{ " ", "_", 0 },
		{ "/a b", "/a-b", 1 }, /* '_' is 0x5f, '-' is 0x2d, a space would be 0x20 */
		{ "/a b", "/aZb", 1 },
		{ "/a b", "/a`b", -1 },
		{ "/a\tb", "/a_b", -1 },
		{ "/a", "/a ", -1 },
		{ "/\xc3\xa4", "/a", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes a = support_text(rows[i].a), b = support_text(rows[i].b);
		struct buffer form_a = { 0 }, form_b = { 0 };
		int order = ima_name_compare(a, b);

		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		order = ima_name_compare(b, a);
		assert_int_equal((order > 0) - (order < 0), -rows[i].order);
		/* The two say the same of names. */
		ima_name_form(a, &form_a);
		ima_name_form(b, &form_b);
		assert_int_equal(form_a.size, a.size);
		assert_int_equal(bytes_equal(buffer_bytes(&form_a), buffer_bytes(&form_b)),
				 rows[i].order == 0);
		assert_int_equal(ima_name_compare(a, buffer_bytes(&form_a)), 0);
		buffer_free(&form_a);
		buffer_free(&form_b);
	}
}

static void names_of_a_field_with_a_limit(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_true(bytes_equal(ima_name_limited(BYTES((uint8_t *)path, 255)),
				BYTES((uint8_t *)path, 255)));
	path[200] = '/';
	assert_true(bytes_equal(ima_name_limited(BYTES((uint8_t *)path, 256)),
				BYTES((uint8_t *)path + 201, 55)));
	path[0] = path[200] = 'a';
	assert_int_equal(ima_name_limited(BYTES((uint8_t *)path, 256)).size, 255);
	assert_int_equal(ima_name_limited(BYTES(NULL, 0)).size, 0);
}

/* Which entries have a name with a limit. */
static void entries_with_a_limited_name(void **state)
{
	static const struct {
		const char *template;
		struct bytes data;
		bool counted, limited;
	} rows[] = {
		{ "ima-ng", BYTES_LITERAL(NG PATH), true, false },
		{ "d-ng|n", BYTES_LITERAL(NG PATH), true, true },
		{ "ima", BYTES_LITERAL("0123456789abcdef0123\2\0\0\0/x"), false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer list = { 0 };
		struct ima_reader reader;
		struct ima_entry entry;

		put_entry(&list, 10, support_text(rows[i].template), rows[i].data, rows[i].counted);
		ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
		assert_int_equal(ima_next(&reader, &entry, NULL), 1);
		assert_null(entry.problem);
		assert_int_equal(entry.path_limited, rows[i].limited);
		buffer_free(&list);
	}
}

/* L7: a list cut anywhere but between entries is refused at the entry that is cut. */
static void truncated_at_every_byte(void **state)
{
	struct buffer list = sample();
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t ends[2] = { 0 };
	size_t entries = 0;

	(void)state;
	ima_begin(&reader, buffer_bytes(&list), ASSAY_HASH_SHA1);
	while (ima_next(&reader, &entry, NULL) == 1)
		ends[entries++] = reader.offset;
	assert_int_equal(entries, 2);
	for (size_t size = 0; size <= list.size; size++) {
		/* In memory of its own, so that a byte too far is found. */
		uint8_t *copy = malloc(size ? size : 1);
		bool whole = size == 0 || size == ends[0] || size == ends[1];
		struct tally tally;

		assert_non_null(copy);
		memcpy(copy, list.data, size);
		tally = read_list(BYTES(copy, size), ASSAY_HASH_SHA1, false);
		assert_int_equal(tally.result, whole ? 0 : -EBADMSG);
		assert_int_equal(tally.offset, size >= ends[1] ? ends[1] :
					       size >= ends[0] ? ends[0] :
								 0);
		if (!whole)
			assert_non_null(strstr(tally.err.text, "truncated"));
		free(copy);
	}
	buffer_free(&list);
}

/* L1, L2: a changed byte changes the template hash, or the list is refused. */
static void a_changed_byte_is_noticed(void **state)
{
	struct buffer list = log_test_data("ima/ibmtss-sha256.log");
	struct hasher hasher;
	size_t entry_size = 118; /* of the first */

	(void)state;
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
	for (size_t i = 0; i < entry_size; i++) {
		struct assay_digest digest;
		struct ima_reader reader;
		struct ima_entry entry;

		list.data[i] ^= 0x40;
		ima_begin(&reader, BYTES(list.data, entry_size), ASSAY_HASH_SHA256);
		if (ima_next(&reader, &entry, NULL) == 1 && entry.data.size == 67) {
			bool name_changed = i >= 40 && i < 47;

			assert_int_equal(ima_template_hash(&entry, &hasher, &digest, NULL), 0);
			/* The template's name is not hashed: it must be judged by itself. */
			assert_int_equal(memcmp(digest.bytes, entry.template_digest.bytes, 32) == 0,
					 name_changed);
			assert_int_equal(entry.known, !name_changed);
		}
		list.data[i] ^= 0x40;
	}
	hasher_close(&hasher);
	buffer_free(&list);
}

static void mutations_do_no_harm(void **state)
{
	struct buffer list = log_test_data("ima/ibmtss-imatest.log");
	uint8_t *copy = malloc(list.size);
	uint32_t seed = 2463534242U;

	(void)state;
	assert_non_null(copy);
	for (int round = 0; round < 2000; round++) {
		size_t size = list.size - support_random(&seed) % 64;
		struct tally tally;

		memcpy(copy, list.data, list.size);
		for (uint32_t i = support_random(&seed) % 8; i-- > 0;)
			copy[support_random(&seed) % list.size] = (uint8_t)support_random(&seed);
		tally = read_list(BYTES(copy, size), ASSAY_HASH_SHA1, false);
		assert_true(tally.offset <= size);
		assert_true(tally.result == -EBADMSG ||
			    (tally.result == 0 && tally.offset == size));
	}
	free(copy);
	buffer_free(&list);
}

static void no_bank_is_found_in_other_files(void **state)
{
	static const struct bytes others[] = {
		BYTES_LITERAL(
			"#!/bin/sh\n# something else altogether, and long enough to be an entry"),
		BYTES_LITERAL("\n\0\0\0"),
		{ (const uint8_t *)"", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		enum assay_hash bank = ASSAY_HASH_NONE;
		struct assay_error err;

		assert_int_equal(ima_detect_bank(others[i], &bank, &err), -EBADMSG);
		assert_int_equal(bank, ASSAY_HASH_NONE);
	}
}

/* L21: where no bank is named, as well. */
static void a_big_endian_list_is_called_that(void **state)
{
	struct buffer list = sample();
	enum assay_hash bank;
	struct assay_error err;

	(void)state;
	memcpy(list.data, "\0\0\0\12", 4);
	assert_int_equal(ima_detect_bank(buffer_bytes(&list), &bank, &err), -EBADMSG);
	support_assert_error(&err, "the list is big-endian");
	buffer_free(&list);
}

static void a_bank_that_is_not_known(void **state)
{
	struct buffer list = sample();
	struct ima_reader reader;
	struct ima_entry entry;
	struct assay_error err;

	(void)state;
	ima_begin(&reader, buffer_bytes(&list), (enum assay_hash)0x12);
	assert_int_equal(ima_next(&reader, &entry, &err), -EINVAL);
	buffer_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_other_projects_replay),
		cmocka_unit_test(fields_of_an_entry),
		cmocka_unit_test(fields_of_all_templates),
		cmocka_unit_test(fields_of_evm_sig),
		cmocka_unit_test(boot_aggregate),
		cmocka_unit_test(framing_that_is_off),
		cmocka_unit_test(path_of_the_oldest_template),
		cmocka_unit_test(fields_that_are_off),
		cmocka_unit_test(digest_of_a_violation),
		cmocka_unit_test(names_compared_in_imas_form),
		cmocka_unit_test(names_of_a_field_with_a_limit),
		cmocka_unit_test(entries_with_a_limited_name),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(a_changed_byte_is_noticed),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(no_bank_is_found_in_other_files),
		cmocka_unit_test(a_big_endian_list_is_called_that),
		cmocka_unit_test(a_bank_that_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
