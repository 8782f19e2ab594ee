// SPDX-License-Identifier: MIT
/* Records of the Canonical Event Log, and assay's content in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/cel.h"
#include "log/hasher.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The iterators find what the parser counted, and come to the end. */
static void count_entries(const struct assay_content *content)
{
	struct bytes entries = content->batch.entries, mirrored = entries;
	size_t files = 0, events = 0, ima = 0;
	struct mirrored_entry ima_entry;
	struct measured_file file;
	struct batch_entry entry;

	if (content->kind == ASSAY_KIND_IMA) {
		while (mirrored_entry_next(&mirrored, &ima_entry))
			ima++;
		assert_int_equal(mirrored.size, 0);
	} else {
		while (batch_entry_next(&entries, &entry))
			if (entry.is_event)
				events++;
		assert_int_equal(entries.size, 0);
		entries = content->batch.entries;
		while (measured_file_next(&entries, &file))
			files++;
		assert_int_equal(entries.size, 0);
	}
	assert_int_equal(files, content->batch.file_count);
	assert_int_equal(events, content->batch.event_count);
	assert_int_equal(ima, content->batch.ima_count);
}

/* Read a log, and whatever is in its records, to its end or the first error. */
static int read_log(struct bytes log, uint64_t base, size_t *ret_records, uint64_t *ret_offset,
		    struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	size_t count = 0;
	int r;

	cel_begin(&reader, log, base);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		struct assay_content content;

		count++;
		if (record.type != ASSAY_CEL_CONTENT)
			continue;
		r = assay_content_parse(&record, &content, err);
		if (r < 0)
			break;
		if (content.understood)
			count_entries(&content);
	}
	*ret_records = count;
	*ret_offset = reader.offset;
	return r;
}

static void a_log_reads_as_it_was_built(void **state)
{
	struct assay_digest zeros[2] = { { .hash = ASSAY_HASH_SHA1, .size = 20 },
					 { .hash = ASSAY_HASH_SHA256, .size = 32 } };
	struct assay_digest first = log_test_digest(ASSAY_HASH_SHA256, 1);
	struct assay_digest second = log_test_digest(ASSAY_HASH_SHA512, 2);
	struct assay_content content;
	struct log_builder builder;
	struct measured_file file;
	struct batch_entry entry;
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;
	struct bytes files;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	cel_begin(&reader, buffer_bytes(&builder.log), 1000);

	assert_int_equal(cel_next(&reader, &record, &err), 1);
	assert_int_equal(record.offset, 1000);
	assert_int_equal(record.size, reader.offset - 1000);
	assert_int_equal(record.recnum, 0);
	assert_int_equal(record.pcr, 14);
	assert_int_equal(record.digest_count, 2);
	assert_ptr_equal(cel_record_digest(&record, ASSAY_HASH_SHA256), &record.digests[1]);
	assert_null(cel_record_digest(&record, ASSAY_HASH_SHA384));
	assert_ptr_equal(builder.log.data + (record.content_offset - 1000), record.content.data);
	assert_int_equal(record.content.size, record.value.size + 5);
	assert_int_equal(assay_content_parse(&record, &content, &err), 0);
	assert_true(content.understood);
	assert_int_equal(content.kind, ASSAY_KIND_START);
	assert_true(bytes_equal(content.start.boot_id,
				BYTES_LITERAL("01234567-89ab-cdef-0123-456789abcdef")));
	assert_true(bytes_equal(content.start.release, BYTES_LITERAL("6.12.0-test")));
	assert_true(bytes_equal(content.start.version, BYTES_LITERAL("0.1.0")));
	assert_true(content.has_time && content.time == LOG_BUILDER_TIME);
	assert_int_equal(content.start.page_size, 65536);
	assert_int_equal(content.start.region_kind, ASSAY_REGION_CMA);
	assert_int_equal(content.start.region_base, 0x80000000);
	assert_int_equal(content.start.region_size, 0x20000000);
	assert_int_equal(content.start.window_base, 0x80070000);
	assert_int_equal(content.start.window_size, 0x100000);
	assert_int_equal(content.start.ima_bypass, 0);
	assert_int_equal(content.start.protection, ASSAY_PROTECTION_FULL);
	assert_int_equal(content.pcr_value_count, 2);
	assert_memory_equal(content.pcr_values, zeros, sizeof(zeros));

	assert_int_equal(cel_next(&reader, &record, &err), 1);
	assert_int_equal(record.recnum, 1);
	assert_int_equal(assay_content_parse(&record, &content, &err), 0);
	assert_int_equal(content.kind, ASSAY_KIND_MEASURE);
	assert_false(content.has_time);
	assert_int_equal(content.batch.file_count, 3);
	files = content.batch.entries;
	assert_true(measured_file_next(&files, &file));
	assert_true(bytes_equal(file.path, BYTES_LITERAL("/usr/bin/first")));
	assert_memory_equal(&file.digest, &first, sizeof(first));
	assert_int_equal(file.errnum, 0);
	assert_true(bytes_equal(file.fsuuid, BYTES_LITERAL("0123456789abcdef")));
	assert_true(file.has_inode && file.inode == 42);
	assert_true(file.has_generation && file.generation == 7);
	assert_true(file.has_size && file.size == 1234567);
	assert_true(measured_file_next(&files, &file));
	assert_true(bytes_equal(file.path, BYTES_LITERAL("/usr/bin/damaged")));
	assert_int_equal(file.digest.hash, ASSAY_HASH_NONE);
	assert_int_equal(file.errnum, 5);
	assert_true(measured_file_next(&files, &file));
	assert_memory_equal(&file.digest, &second, sizeof(second));
	assert_false(measured_file_next(&files, &file));

	assert_int_equal(cel_next(&reader, &record, &err), 1);
	assert_int_equal(record.recnum, 2);
	assert_int_equal(assay_content_parse(&record, &content, &err), 0);
	assert_int_equal(content.kind, ASSAY_KIND_EVENT);
	files = content.batch.entries;
	assert_true(batch_entry_next(&files, &entry));
	assert_true(entry.is_event);
	assert_true(bytes_equal(entry.label, BYTES_LITERAL("test")));
	assert_true(bytes_equal(entry.data, BYTES_LITERAL("some data")));
	assert_false(batch_entry_next(&files, &entry));

	assert_int_equal(cel_next(&reader, &record, &err), 0);
	assert_int_equal(reader.offset, 1000 + builder.log.size);
	log_builder_free(&builder);
}

/* Moves to the next record, which must be of that kind. */
static void next_content(struct cel_reader *reader, uint8_t kind, struct assay_content *content)
{
	struct cel_record record;
	struct assay_error err;

	*content = (struct assay_content){ 0 };
	if (cel_next(reader, &record, &err) != 1 || assay_content_parse(&record, content, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(content->understood);
	assert_int_equal(content->kind, kind);
	count_entries(content);
}

static void every_kind_reads_as_it_was_built(void **state)
{
	struct assay_digest first = log_test_digest(ASSAY_HASH_SHA256, 1);
	struct assay_digest value = log_test_digest(ASSAY_HASH_SHA1, 3);
	struct mirrored_entry mirrored;
	struct assay_content content;
	struct log_builder builder;
	struct batch_entry entry;
	struct cel_reader reader;
	struct bytes entries;

	(void)state;
	log_builder_begin(&builder);
	log_builder_kinds(&builder);
	cel_begin(&reader, buffer_bytes(&builder.log), 0);

	next_content(&reader, ASSAY_KIND_START, &content);
	assert_int_equal(content.pcr_value_count, 0);

	next_content(&reader, ASSAY_KIND_BATCH, &content);
	assert_true(content.has_time && content.time == 1);
	assert_int_equal(content.batch.file_count, 2);
	assert_int_equal(content.batch.event_count, 1);
	entries = content.batch.entries;
	assert_true(batch_entry_next(&entries, &entry));
	assert_false(entry.is_event);
	assert_memory_equal(&entry.file.digest, &first, sizeof(first));
	assert_true(batch_entry_next(&entries, &entry));
	assert_true(entry.is_event);
	assert_true(bytes_equal(entry.label, BYTES_LITERAL("between")));
	assert_int_equal(entry.data.size, 0);
	assert_true(batch_entry_next(&entries, &entry));
	assert_false(entry.is_event);
	assert_int_equal(entry.file.errnum, 2);

	next_content(&reader, ASSAY_KIND_IMA, &content);
	assert_int_equal(content.batch.ima_count, 2);
	entries = content.batch.entries;
	assert_true(mirrored_entry_next(&entries, &mirrored));
	assert_int_equal(mirrored.pcr, 10);
	assert_int_equal(mirrored.digest_count, 2);
	assert_memory_equal(&mirrored.digests[0], &value, sizeof(value));
	assert_memory_equal(&mirrored.digests[1], &first, sizeof(first));
	assert_true(bytes_equal(mirrored.name, BYTES_LITERAL("ima-ng")));
	assert_true(bytes_equal(mirrored.data, BYTES_LITERAL("\0data\xff")));

	next_content(&reader, ASSAY_KIND_TPM, &content);
	assert_int_equal(content.backlog, 3);
	assert_int_equal(content.pcr_value_count, 1);
	assert_memory_equal(&content.pcr_values[0], &value, sizeof(value));

	next_content(&reader, ASSAY_KIND_TRIM, &content);
	assert_int_equal(content.trim.recnum, 1);
	assert_int_equal(content.trim.offset, 200);
	assert_int_equal(content.trim.size, 5);
	assert_int_equal(content.trim.digest.hash, ASSAY_HASH_SHA256);
	/* SHA-256 of "bytes". */
	assert_int_equal(content.trim.digest.bytes[0], 0x27);
	assert_int_equal(content.pcr_value_count, 1);

	next_content(&reader, ASSAY_KIND_SEAL, &content);
	assert_int_equal(content.pad_size, 100);

	next_content(&reader, ASSAY_KIND_KEXEC, &content);
	assert_true(bytes_equal(content.boot_before,
				BYTES_LITERAL("89abcdef-0123-4567-89ab-cdef01234567")));
	assert_true(bytes_equal(content.start.boot_id,
				BYTES_LITERAL("01234567-89ab-cdef-0123-456789abcdef")));
	assert_int_equal(content.pcr_value_count, 1);
	assert_int_equal(reader.rest.size, 0);
	log_builder_free(&builder);
}

/* What lib/log hashes and extends is what the builder did with other code. */
static void a_log_replays_to_the_pcr(void **state)
{
	struct log_builder builder;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		enum assay_hash bank = builder.value[i].hash;
		struct assay_digest value = { .hash = bank, .size = assay_hash_size(bank) };
		struct cel_reader reader;
		struct cel_record record;
		struct assay_error err;
		struct hasher hasher;

		assert_int_equal(hasher_open(&hasher, bank, &err), 0);
		cel_begin(&reader, buffer_bytes(&builder.log), 0);
		while (cel_next(&reader, &record, &err) == 1) {
			const struct assay_digest *claimed = cel_record_digest(&record, bank);
			struct assay_digest digest;

			assert_int_equal(hasher_digest(&hasher, record.content, BYTES(NULL, 0),
						       &digest, &err),
					 0);
			assert_memory_equal(&digest, claimed, sizeof(digest));
			assert_int_equal(hasher_extend(&hasher, &value,
						       BYTES(digest.bytes, digest.size), &err),
					 0);
		}
		assert_memory_equal(&value, &builder.value[i], sizeof(value));
		/* A digest of another bank does not fit. */
		assert_int_equal(hasher_extend(&hasher, &value, BYTES(value.bytes, 19), &err),
				 -EINVAL);
		hasher_close(&hasher);
	}
	log_builder_free(&builder);
}

/* Vendor content in the register of a confidential machine: its digests are right too. */
static void a_log_of_another_project(void **state)
{
	struct buffer text = log_test_data("cel/gotpmtools-cel.b64"), log = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	struct assay_content content;
	struct assay_error err;
	struct hasher hasher;
	size_t count = 0;

	(void)state;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	assert_int_equal(base64_decode((const char *)text.data, text.size, &log), 0);
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA384, &err), 0);
	cel_begin(&reader, buffer_bytes(&log), 0);
	while (cel_next(&reader, &record, &err) == 1) {
		struct assay_digest digest;

		assert_int_equal(record.recnum, count++);
		assert_int_equal(record.pcr, CEL_NO_PCR);
		assert_int_equal(record.register_type, CEL_CCMR);
		assert_int_equal(record.register_number, 4);
		assert_int_equal(record.type, 80);
		assert_int_equal(record.digest_count, 1);
		assert_int_equal(
			hasher_digest(&hasher, record.content, BYTES(NULL, 0), &digest, &err), 0);
		assert_memory_equal(&digest, &record.digests[0], sizeof(digest));
		assert_int_equal(assay_content_parse(&record, &content, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "type 0x50"));
	}
	assert_int_equal(count, 18);
	assert_int_equal(reader.offset, log.size);
	hasher_close(&hasher);
	buffer_free(&log);
	buffer_free(&text);
}

/* ---------------------------------------------------------------- ill-formed records */

#define RECNUM "\0\0\0\0\x8\0\0\0\0\0\0\0\0"
#define PCR "\1\0\0\0\1\xe"
#define SHA1           \
	"\4\0\0\0\x14" \
	"0123456789abcdef0123"
#define SHA256          \
	"\xb\0\0\0\x20" \
	"0123456789abcdef0123456789abcdef"
#define DIGESTS "\3\0\0\0\x19" SHA1
#define CONTENT "\x41\0\0\0\6\0\0\0\0\1\x99"

static void records_that_are_off(void **state)
{
	static const struct {
		const char *name;
		struct bytes log;
		const char *error; /* NULL: nothing is off */
	} rows[] = {
		{ "nothing off", BYTES_LITERAL(RECNUM PCR DIGESTS CONTENT), NULL },
		{ "content without value", BYTES_LITERAL(RECNUM PCR DIGESTS "\7\0\0\0\0"), NULL },
		{ "algorithm without a name here",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x3e\x12\0\0\0\x20"
					   "0123456789abcdef0123456789abcdef" SHA1 CONTENT),
		  NULL },
		{ "an NV index", BYTES_LITERAL(RECNUM "\2\0\0\0\4\1\xc0\0\1" DIGESTS CONTENT),
		  NULL },
		{ "an NV index of 1 byte", BYTES_LITERAL(RECNUM "\2\0\0\0\1\1" DIGESTS CONTENT),
		  NULL },
		{ "an NV index of 5 bytes",
		  BYTES_LITERAL(RECNUM "\2\0\0\0\5\0\0\0\0\1" DIGESTS CONTENT),
		  "its register has 5 bytes, not 1 to 4" },
		{ "RECNUM missing", BYTES_LITERAL(PCR DIGESTS CONTENT),
		  "offset 0: field 0x01 where RECNUM" },
		{ "RECNUM of 4 bytes", BYTES_LITERAL("\0\0\0\0\4\0\0\0\0" PCR DIGESTS CONTENT),
		  NULL },
		{ "RECNUM of 1 byte", BYTES_LITERAL("\0\0\0\0\1\0" PCR DIGESTS CONTENT), NULL },
		{ "RECNUM of 9 bytes",
		  BYTES_LITERAL("\0\0\0\0\x9\0\0\0\0\0\0\0\0\0" PCR DIGESTS CONTENT),
		  "RECNUM has 9 bytes" },
		{ "RECNUM empty", BYTES_LITERAL("\0\0\0\0\0" PCR DIGESTS CONTENT),
		  "RECNUM has 0 bytes" },
		{ "RECNUM twice", BYTES_LITERAL(RECNUM RECNUM PCR DIGESTS CONTENT),
		  "field 0x00 where PCR" },
		{ "PCR missing", BYTES_LITERAL(RECNUM DIGESTS CONTENT),
		  "offset 13: field 0x03 where PCR" },
		{ "PCR of 4 bytes", BYTES_LITERAL(RECNUM "\1\0\0\0\4\0\0\0\xe" DIGESTS CONTENT),
		  "PCR has 4 bytes" },
		{ "PCR 24", BYTES_LITERAL(RECNUM "\1\0\0\0\1\x18" DIGESTS CONTENT),
		  "there is no PCR 24" },
		{ "PCR 255", BYTES_LITERAL(RECNUM "\1\0\0\0\1\xff" DIGESTS CONTENT),
		  "there is no PCR 255" },
		{ "order turned", BYTES_LITERAL(PCR RECNUM DIGESTS CONTENT), "where RECNUM" },
		{ "DIGESTS missing", BYTES_LITERAL(RECNUM PCR CONTENT),
		  "field 0x41 where DIGESTS" },
		{ "DIGESTS empty", BYTES_LITERAL(RECNUM PCR "\3\0\0\0\0" CONTENT),
		  "DIGESTS has no digest" },
		{ "DIGESTS empty, of the log's management",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\0\4\0\0\0\5\2\0\0\0\0"), NULL },
		{ "DIGESTS with trailing bytes",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x1b" SHA1 "\0\0" CONTENT), "truncated" },
		{ "digest beyond DIGESTS", BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x18" SHA1 CONTENT),
		  "truncated" },
		{ "algorithm twice", BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x32" SHA1 SHA1 CONTENT),
		  "has algorithm 0x04 twice" },
		{ "digest of another size",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x19\xb\0\0\0\x14"
					   "0123456789abcdef0123" CONTENT),
		  "20 bytes for algorithm 0x0b" },
		{ "digest empty", BYTES_LITERAL(RECNUM PCR "\3\0\0\0\5\x12\0\0\0\0" CONTENT),
		  "0 bytes for algorithm 0x12" },
		{ "digest of 65 bytes",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x46\x12\0\0\0\x41"
					   "0123456789abcdef0123456789abcdef"
					   "0123456789abcdef0123456789abcdefx" CONTENT),
		  "65 bytes for algorithm 0x12" },
		{ "nine digests",
		  BYTES_LITERAL(RECNUM PCR "\3\0\0\0\x36"
					   "\x80\0\0\0\1x\x81\0\0\0\1x\x82\0\0\0\1x"
					   "\x83\0\0\0\1x\x84\0\0\0\1x\x85\0\0\0\1x"
					   "\x86\0\0\0\1x\x87\0\0\0\1x\x88\0\0\0\1x" CONTENT),
		  "more than 8 digests" },
		{ "content missing", BYTES_LITERAL(RECNUM PCR DIGESTS), "truncated" },
		{ "content missing, next record there",
		  BYTES_LITERAL(RECNUM PCR DIGESTS RECNUM PCR DIGESTS CONTENT),
		  "field 0x00 where the record's content" },
		{ "DIGESTS twice", BYTES_LITERAL(RECNUM PCR DIGESTS DIGESTS CONTENT),
		  "field 0x03 where the record's content" },
		{ "content of 0xffffffff",
		  BYTES_LITERAL(RECNUM PCR DIGESTS "\x41\xff\xff\xff\xff"
						   "xxx"),
		  "claims 4294967295 bytes, 3 are left" },
		{ "content of 16 MiB",
		  BYTES_LITERAL(RECNUM PCR DIGESTS "\x41\1\0\0\0"
						   "xxx"),
		  "claims 16777216 bytes" },
		{ "little-endian length", BYTES_LITERAL("\0\x8\0\0\0\0\0\0\0\0\0\0\0"),
		  "claims 134217728 bytes" },
		{ "zeros", BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		  "RECNUM has 0 bytes" },
		{ "trailing byte", BYTES_LITERAL(RECNUM PCR DIGESTS CONTENT "\0"), "truncated" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		size_t records;
		uint64_t offset;
		int r = read_log(rows[i].log, 0, &records, &offset, &err);

		if (r != (rows[i].error ? -EBADMSG : 0) ||
		    (rows[i].error && !strstr(err.text, rows[i].error)))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
		if (rows[i].error) {
			char where[64];

			snprintf(where, sizeof(where),
				 "record at offset %u: ", (unsigned int)offset);
			assert_ptr_equal(strstr(err.text, where), err.text);
		}
	}
}

/* ---------------------------------------------------------------- ill-formed content */

/* A file's fields by their TLVs. */
#define F_PATH "\x21\0\0\0\2/x"
#define F_DIGEST              \
	"\x22\0\0\0\x22\0\xb" \
	"0123456789abcdef0123456789abcdef"
#define F_UUID           \
	"\x23\0\0\0\x10" \
	"0123456789abcdef"
#define F_INODE "\x24\0\0\0\x8\0\0\0\0\0\0\0\1"
#define F_ERRNO "\x27\0\0\0\4\0\0\0\5"
#define MEASURE "\0\0\0\0\1\2"
#define EVENT "\0\0\0\0\1\4"
#define START "\0\0\0\0\1\1"
#define IMA "\0\0\0\0\1\3"
#define TRIM "\0\0\0\0\1\5"
#define BATCH "\0\0\0\0\1\7"
#define SEAL "\0\0\0\0\1\x8"
#define TPM "\0\0\0\0\1\x9"
#define TIME "\1\0\0\0\x8\0\0\0\0\0\0\0\1"
#define LABEL "\x30\0\0\0\1x"
#define DATA "\x31\0\0\0\1x"
#define AN_EVENT "\x32\0\0\0\xc" LABEL DATA
#define A_FILE "\x20\0\0\0\x9" F_ERRNO
#define I_PCR "\x61\0\0\0\4\0\0\0\xa"
#define I_DIGEST              \
	"\x62\0\0\0\x22\0\xb" \
	"0123456789abcdef0123456789abcdef"
#define I_NAME "\x63\0\0\0\3ima"
#define I_DATA "\x64\0\0\0\1x"
#define CUT_RECNUM "\x40\0\0\0\x8\0\0\0\0\0\0\0\1"
#define CUT_OFFSET "\x41\0\0\0\x8\0\0\0\0\0\0\1\0"
#define CUT_SIZE "\x42\0\0\0\x8\0\0\0\0\0\0\1\0"
#define CUT_DIGEST            \
	"\x43\0\0\0\x22\0\xb" \
	"0123456789abcdef0123456789abcdef"
#define PCR_VALUES "\x17\0\0\0\x19" SHA1
#define BACKLOG "\x70\0\0\0\x8\0\0\0\0\0\0\0\1"

static void contents_that_are_off(void **state)
{
	static const struct {
		const char *name;
		struct bytes value;
		const char *error; /* NULL: nothing is off */
	} rows[] = {
		{ "a file", BYTES_LITERAL(MEASURE "\x20\0\0\0\x27" F_DIGEST), NULL },
		{ "a file that failed", BYTES_LITERAL(MEASURE "\x20\0\0\0\x9" F_ERRNO), NULL },
		{ "an event", BYTES_LITERAL(EVENT AN_EVENT), NULL },
		{ "an event without data",
		  BYTES_LITERAL(EVENT "\x32\0\0\0\xb" LABEL "\x31\0\0\0\0"), NULL },
		{ "events, with the time", BYTES_LITERAL(EVENT TIME AN_EVENT AN_EVENT), NULL },
		{ "files and events", BYTES_LITERAL(BATCH AN_EVENT A_FILE AN_EVENT), NULL },
		{ "an entry of IMA's",
		  BYTES_LITERAL(IMA "\x60\0\0\0\x3e" I_PCR I_DIGEST I_NAME I_DATA), NULL },
		{ "a cut", BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET CUT_SIZE CUT_DIGEST PCR_VALUES),
		  NULL },
		{ "a seal", BYTES_LITERAL(SEAL "\x80\0\0\0\2\0\0"), NULL },
		{ "a seal without padding", BYTES_LITERAL(SEAL "\x80\0\0\0\0"), NULL },
		{ "a TPM", BYTES_LITERAL(TPM PCR_VALUES BACKLOG), NULL },
		{ "a kind that is not known", BYTES_LITERAL("\0\0\0\0\1\x99whatever"), NULL },
		{ "a kind for later", BYTES_LITERAL("\0\0\0\0\1\xawhatever"), NULL },
		{ "a kind for later, with the time", BYTES_LITERAL("\0\0\0\0\1\xa" TIME "whatever"),
		  NULL },
		{ "TIME of 4 bytes", BYTES_LITERAL(EVENT "\1\0\0\0\4\0\0\0\1" AN_EVENT),
		  "TIME has 4 bytes" },
		{ "TIME cut", BYTES_LITERAL(EVENT "\1\0\0\0\x8\0"), "truncated" },
		{ "TIME twice", BYTES_LITERAL(EVENT TIME TIME AN_EVENT), "field 0x01" },
		{ "TIME behind an entry", BYTES_LITERAL(EVENT AN_EVENT TIME), "field 0x01" },
		{ "TIME before KIND", BYTES_LITERAL(TIME EVENT AN_EVENT), "where KIND, of 1" },
		{ "empty", BYTES_LITERAL(""), "truncated" },
		{ "KIND missing", BYTES_LITERAL(LABEL DATA), "field 0x30 of 1 bytes where KIND" },
		{ "KIND of 2 bytes", BYTES_LITERAL("\0\0\0\0\2\0\2"), "of 2 bytes where KIND" },
		{ "KIND of 0 bytes", BYTES_LITERAL("\0\0\0\0\0"), "of 0 bytes where KIND" },
		{ "no file", BYTES_LITERAL(MEASURE), "MEASURE has no entry" },
		{ "KIND twice", BYTES_LITERAL(MEASURE "\0\0\0\0\1\2"), "field 0x00" },
		{ "not a file in MEASURE", BYTES_LITERAL(MEASURE LABEL), "field 0x30" },
		{ "empty file", BYTES_LITERAL(MEASURE "\x20\0\0\0\0"), "neither DIGEST nor ERRNO" },
		{ "path only", BYTES_LITERAL(MEASURE "\x20\0\0\0\7" F_PATH),
		  "neither DIGEST nor ERRNO" },
		{ "digest and errno", BYTES_LITERAL(MEASURE "\x20\0\0\0\x30" F_DIGEST F_ERRNO),
		  "both DIGEST and ERRNO" },
		{ "path twice", BYTES_LITERAL(MEASURE "\x20\0\0\0\x17" F_PATH F_PATH F_ERRNO),
		  "PATH twice" },
		{ "path empty", BYTES_LITERAL(MEASURE "\x20\0\0\0\xe\x21\0\0\0\0" F_ERRNO),
		  "PATH of FILE has 0 bytes" },
		{ "digest too short", BYTES_LITERAL(MEASURE "\x20\0\0\0\x7\x22\0\0\0\2\0\xb"),
		  "0 bytes for algorithm" },
		{ "digest of an odd size", BYTES_LITERAL(MEASURE "\x20\0\0\0\x8\x22\0\0\0\3\0\xbx"),
		  "1 bytes for algorithm 0x000b" },
		{ "digest of an algorithm not known",
		  BYTES_LITERAL(MEASURE "\x20\0\0\0\x27\x22\0\0\0\x22\0\x12"
					"0123456789abcdef0123456789abcdef"),
		  "algorithm 0x0012" },
		{ "digest of algorithm 0", BYTES_LITERAL(MEASURE "\x20\0\0\0\7\x22\0\0\0\2\0\0"),
		  "algorithm 0x0000" },
		{ "uuid of 15 bytes",
		  BYTES_LITERAL(MEASURE "\x20\0\0\0\x1d\x23\0\0\0\xf"
					"0123456789abcde" F_ERRNO),
		  "FSUUID of FILE has 15 bytes" },
		{ "inode of 4 bytes",
		  BYTES_LITERAL(MEASURE "\x20\0\0\0\x12\x24\0\0\0\4\0\0\0\1" F_ERRNO),
		  "INODE of FILE has 4 bytes" },
		{ "errno 0", BYTES_LITERAL(MEASURE "\x20\0\0\0\x9\x27\0\0\0\4\0\0\0\0"),
		  "ERRNO of FILE is 0" },
		{ "errno 4096", BYTES_LITERAL(MEASURE "\x20\0\0\0\x9\x27\0\0\0\4\0\0\x10\0"),
		  "ERRNO of FILE is 4096" },
		{ "file beyond the record", BYTES_LITERAL(MEASURE "\x20\0\0\0\x28" F_DIGEST),
		  "truncated" },
		{ "field beyond its file", BYTES_LITERAL(MEASURE "\x20\0\0\0\x26" F_DIGEST),
		  "truncated" },
		{ "field of 0xffffffff",
		  BYTES_LITERAL(MEASURE "\x20\0\0\0\7\x21\xff\xff\xff\xff/x"), "truncated" },
		{ "field not known", BYTES_LITERAL(MEASURE "\x20\0\0\0\xf\x28\0\0\0\1x" F_ERRNO),
		  "field 0x28, which is not known" },
		{ "trailing bytes", BYTES_LITERAL(MEASURE "\x20\0\0\0\x9" F_ERRNO "\0"),
		  "truncated" },
		{ "no event", BYTES_LITERAL(EVENT), "EVENT has no entry" },
		{ "LABEL and DATA without EVENT", BYTES_LITERAL(EVENT LABEL DATA),
		  "EVENT has a field 0x30" },
		{ "LABEL missing", BYTES_LITERAL(EVENT "\x32\0\0\0\6" DATA), "EVENT has no LABEL" },
		{ "DATA missing", BYTES_LITERAL(EVENT "\x32\0\0\0\6" LABEL), "EVENT has no DATA" },
		{ "LABEL twice", BYTES_LITERAL(EVENT "\x32\0\0\0\x12" LABEL LABEL DATA),
		  "EVENT has LABEL twice" },
		{ "LABEL empty", BYTES_LITERAL(EVENT "\x32\0\0\0\xb\x30\0\0\0\0" DATA),
		  "has 0 bytes" },
		{ "LABEL not ASCII", BYTES_LITERAL(EVENT "\x32\0\0\0\xc\x30\0\0\0\1\xe4" DATA),
		  "not printable ASCII" },
		{ "LABEL with ESC", BYTES_LITERAL(EVENT "\x32\0\0\0\xc\x30\0\0\0\1\33" DATA),
		  "not printable ASCII" },
		{ "LABEL of 65 bytes",
		  BYTES_LITERAL(EVENT "\x32\0\0\0\x4c\x30\0\0\0\x41"
				      "0123456789abcdef0123456789abcdef"
				      "0123456789abcdef0123456789abcdefx" DATA),
		  "has 65 bytes" },
		{ "a file in EVENT", BYTES_LITERAL(EVENT AN_EVENT A_FILE),
		  "EVENT has a field 0x20, which is not known" },
		{ "an event in MEASURE", BYTES_LITERAL(MEASURE A_FILE AN_EVENT),
		  "MEASURE has a field 0x32, which is not known" },
		{ "an event off behind a good one",
		  BYTES_LITERAL(EVENT AN_EVENT "\x32\0\0\0\6" LABEL), "EVENT has no DATA" },
		{ "no entry in BATCH", BYTES_LITERAL(BATCH), "BATCH has no entry" },
		{ "a file off in BATCH", BYTES_LITERAL(BATCH AN_EVENT "\x20\0\0\0\0"),
		  "neither DIGEST nor ERRNO" },
		{ "an entry of IMA's in BATCH",
		  BYTES_LITERAL(BATCH "\x60\0\0\0\x3e" I_PCR I_DIGEST I_NAME I_DATA),
		  "BATCH has a field 0x60" },
		{ "no entry in IMA", BYTES_LITERAL(IMA), "IMA has no entry" },
		{ "IMA: digest missing", BYTES_LITERAL(IMA "\x60\0\0\0\x17" I_PCR I_NAME I_DATA),
		  "IMA_ENTRY has no IMA_DIGEST" },
		{ "IMA: digest twice",
		  BYTES_LITERAL(IMA "\x60\0\0\0\x65" I_PCR I_DIGEST I_DIGEST I_NAME I_DATA),
		  "algorithm 0x000b twice" },
		{ "IMA: PCR missing", BYTES_LITERAL(IMA "\x60\0\0\0\x35" I_DIGEST I_NAME I_DATA),
		  "IMA_ENTRY has no IMA_PCR" },
		{ "IMA: name empty",
		  BYTES_LITERAL(IMA "\x60\0\0\0\x3b" I_PCR I_DIGEST "\x63\0\0\0\0" I_DATA),
		  "IMA_TEMPLATE of IMA_ENTRY has 0 bytes" },
		{ "IMA: data missing", BYTES_LITERAL(IMA "\x60\0\0\0\x38" I_PCR I_DIGEST I_NAME),
		  "IMA_ENTRY has no IMA_DATA" },
		{ "IMA: algorithm not known", BYTES_LITERAL(IMA "\x60\0\0\0\x8\x62\0\0\0\3\0\x12x"),
		  "algorithm 0x0012" },
		{ "TRIM without PCR_VALUES",
		  BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET CUT_SIZE CUT_DIGEST),
		  "TRIM has no PCR_VALUES" },
		{ "TRIM without CUT_DIGEST",
		  BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET CUT_SIZE PCR_VALUES),
		  "TRIM has no CUT_DIGEST" },
		{ "TRIM: CUT_RECNUM of 4 bytes", BYTES_LITERAL(TRIM "\x40\0\0\0\4\0\0\0\1"),
		  "CUT_RECNUM of TRIM has 4 bytes" },
		{ "TRIM: more gone than there was",
		  BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET
				"\x42\0\0\0\x8\0\0\0\0\0\0\1\1" CUT_DIGEST PCR_VALUES),
		  "more than there is before CUT_OFFSET" },
		{ "TRIM: digest of SHA-1",
		  BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET CUT_SIZE
				"\x43\0\0\0\x16\0\4"
				"0123456789abcdef0123" PCR_VALUES),
		  "algorithm 0x0004, not SHA-256" },
		{ "TRIM: PCR_VALUES without one",
		  BYTES_LITERAL(TRIM CUT_RECNUM CUT_OFFSET CUT_SIZE CUT_DIGEST "\x17\0\0\0\0"),
		  "PCR_VALUES of TRIM has 0 bytes" },
		{ "TRIM: a file", BYTES_LITERAL(TRIM A_FILE), "TRIM has a field 0x20" },
		{ "SEAL without PAD", BYTES_LITERAL(SEAL), "SEAL has no PAD" },
		{ "SEAL: PAD that says something", BYTES_LITERAL(SEAL "\x80\0\0\0\2\0\1"),
		  "not all zeros" },
		{ "TPM without BACKLOG", BYTES_LITERAL(TPM PCR_VALUES), "TPM has no BACKLOG" },
		{ "TPM without PCR_VALUES", BYTES_LITERAL(TPM BACKLOG), "TPM has no PCR_VALUES" },
		{ "KEXEC without fields", BYTES_LITERAL("\0\0\0\0\1\6"), "KEXEC has no BOOT_ID" },
		{ "START with BOOT_BEFORE", BYTES_LITERAL(START "\x50\0\0\0\1x"),
		  "START has a field 0x50" },
		{ "START without fields", BYTES_LITERAL(START), "START has no BOOT_ID" },
		{ "BOOT_ID too short", BYTES_LITERAL(START "\x10\0\0\0\1x"),
		  "BOOT_ID of START has 1 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		struct log_builder builder;
		uint64_t offset;
		size_t records;
		int r;

		log_builder_begin(&builder);
		log_builder_record(&builder, ASSAY_CEL_CONTENT, rows[i].value);
		r = read_log(buffer_bytes(&builder.log), 0, &records, &offset, &err);
		if (r != (rows[i].error ? -EBADMSG : 0) ||
		    (rows[i].error && !strstr(err.text, rows[i].error)))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
		if (rows[i].error)
			assert_ptr_equal(strstr(err.text, "record 0: "), err.text);
		log_builder_free(&builder);
	}
}

/* Each field of START and KEXEC that must be there, left out in turn, is missed. */
static void start_without_one_field(void **state)
{
	(void)state;
	for (int kexec = 0; kexec < 2; kexec++) {
		struct buffer whole = { 0 };
		struct bytes rest;

		if (kexec)
			put_kexec(&whole, NULL, 0);
		else
			put_start(&whole, NULL, 0);
		rest = buffer_bytes(&whole);
		while (rest.size > 0) {
			size_t before = whole.size - rest.size;
			struct buffer value = { 0 };
			struct log_builder builder;
			struct assay_error err;
			struct bytes field;
			uint64_t offset;
			uint32_t length;
			size_t records;
			uint8_t type;

			assert_true(bytes_take_u8(&rest, &type));
			assert_true(bytes_take_be32(&rest, &length));
			assert_true(bytes_take(&rest, length, &field));
			buffer_append(&value, whole.data, before);
			buffer_append_bytes(&value, rest);
			log_builder_begin(&builder);
			log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
			assert_int_equal(
				read_log(buffer_bytes(&builder.log), 0, &records, &offset, &err),
				type == ASSAY_FIELD_TIME ? 0 : -EBADMSG);
			log_builder_free(&builder);
			buffer_free(&value);
		}
		buffer_free(&whole);
	}
}

/* One file more than a batch holds. */
static void more_files_than_a_batch(void **state)
{
	struct buffer value = { 0 };

	(void)state;
	put_measure(&value);
	for (int i = 0; i < ASSAY_MAX_BATCH; i++)
		put_failed_file(&value, "/x", 2);
	for (int over = 0; over < 2; over++) {
		struct log_builder builder;
		struct assay_error err;
		uint64_t offset;
		size_t records;

		log_builder_begin(&builder);
		log_builder_record(&builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		assert_int_equal(read_log(buffer_bytes(&builder.log), 0, &records, &offset, &err),
				 over ? -EBADMSG : 0);
		log_builder_free(&builder);
		put_failed_file(&value, "/x", 2);
	}
	buffer_free(&value);
}

/* L7: a log cut anywhere but between records is refused at the record that is cut. */
static void truncated_at_every_byte(void **state)
{
	struct log_builder builder;
	struct cel_reader reader;
	struct cel_record record;
	uint64_t ends[8] = { 0 };
	size_t count = 0;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	cel_begin(&reader, buffer_bytes(&builder.log), 0);
	while (cel_next(&reader, &record, NULL) == 1)
		ends[++count] = reader.offset;
	assert_int_equal(count, 3);
	for (size_t size = 0, whole = 0; size <= builder.log.size; size++) {
		/* In memory of its own, so that a byte too far is found. */
		uint8_t *copy = malloc(size ? size : 1);
		struct assay_error err;
		uint64_t offset;
		size_t records;
		int r;

		assert_non_null(copy);
		memcpy(copy, builder.log.data, size);
		if (whole < count && size == ends[whole + 1])
			whole++;
		r = read_log(BYTES(copy, size), 0, &records, &offset, &err);
		assert_int_equal(records, whole);
		assert_int_equal(offset, ends[whole]);
		assert_int_equal(r, size == ends[whole] ? 0 : -EBADMSG);
		if (r < 0)
			assert_non_null(strstr(err.text, "truncated at offset "));
		free(copy);
	}
	log_builder_free(&builder);
}

static void mutations_do_no_harm(void **state)
{
	struct log_builder builder;
	uint32_t seed = 2463534242U;
	uint8_t *copy;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	log_builder_kinds(&builder);
	copy = malloc(builder.log.size);
	assert_non_null(copy);
	for (int round = 0; round < 20000; round++) {
		size_t size = builder.log.size - support_random(&seed) % 64, records;
		struct assay_error err;
		uint64_t offset;
		int r;

		memcpy(copy, builder.log.data, builder.log.size);
		for (uint32_t i = support_random(&seed) % 6; i-- > 0;)
			copy[support_random(&seed) % size] = (uint8_t)support_random(&seed);
		r = read_log(BYTES(copy, size), 0, &records, &offset, &err);
		assert_true(r == -EBADMSG || (r == 0 && offset == size));
	}
	free(copy);
	log_builder_free(&builder);
}

/* L1: whatever byte of the content changes, the digest does not fit any more. */
static void a_changed_byte_is_noticed(void **state)
{
	struct log_builder builder;
	struct cel_reader reader;
	struct cel_record record;
	struct hasher hasher;
	uint64_t first, end;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
	cel_begin(&reader, buffer_bytes(&builder.log), 0);
	assert_int_equal(cel_next(&reader, &record, NULL), 1);
	first = record.content_offset;
	end = reader.offset;
	for (uint64_t i = first; i < end; i++) {
		builder.log.data[i] ^= 1;
		cel_begin(&reader, buffer_bytes(&builder.log), 0);
		if (cel_next(&reader, &record, NULL) == 1) {
			const struct assay_digest *claimed =
				cel_record_digest(&record, ASSAY_HASH_SHA256);
			struct assay_digest digest;

			assert_int_equal(hasher_digest(&hasher, record.content, BYTES(NULL, 0),
						       &digest, NULL),
					 0);
			assert_memory_not_equal(digest.bytes, claimed->bytes, digest.size);
		}
		builder.log.data[i] ^= 1;
	}
	hasher_close(&hasher);
	log_builder_free(&builder);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(assay_kind_name(ASSAY_KIND_START), "START");
	assert_string_equal(assay_kind_name(ASSAY_KIND_TPM), "TPM");
	assert_null(assay_kind_name(0));
	assert_null(assay_kind_name(10));
	assert_null(assay_kind_name(255));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_reads_as_it_was_built),
		cmocka_unit_test(every_kind_reads_as_it_was_built),
		cmocka_unit_test(a_log_replays_to_the_pcr),
		cmocka_unit_test(a_log_of_another_project),
		cmocka_unit_test(records_that_are_off),
		cmocka_unit_test(contents_that_are_off),
		cmocka_unit_test(start_without_one_field),
		cmocka_unit_test(more_files_than_a_batch),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(a_changed_byte_is_noticed),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
