// SPDX-License-Identifier: MIT
/*
 * Logs and files that must be refused, and which check must do it. The L numbers are
 * those of the design's list of bad input.
 */
#define _GNU_SOURCE /* memmem() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

/* The records of a good log: see verify_fixture.c. */
enum { START, FIRST_BATCH, FIRST_EVENT, SECOND_BATCH, SECOND_EVENT };

/* ---------------------------------------------------------------- assay's log */

/* The last byte of an EVENT's content is its data's. */
static void change_event(struct fixture *f)
{
	struct buffer *content = &f->records[FIRST_EVENT].content;

	content->data[content->size - 1] ^= 1;
}
CHANGE(content_and_digest)
{
	change_event(f);
	fixture_mend(&f->records[FIRST_EVENT]);
}
CHANGE(content_only)
{
	change_event(f);
}
CHANGE(digest_only)
{
	f->records[FIRST_EVENT].digests[1].bytes[31] ^= 1;
}
/* Of the bank that is not used for the replay. */
CHANGE(other_digest_only)
{
	f->records[FIRST_EVENT].digests[0].bytes[0] ^= 1;
}
CHANGE(digest_missing)
{
	f->records[FIRST_EVENT].digests[1].size = 0;
}
CHANGE(digests_unknown)
{
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		f->records[FIRST_EVENT].digests[i].hash = 0x20 + i;
}
static void swap_records(struct fixture *f)
{
	struct fixture_record kept = f->records[FIRST_BATCH];

	f->records[FIRST_BATCH] = f->records[FIRST_EVENT];
	f->records[FIRST_EVENT] = kept;
}
CHANGE(reordered)
{
	swap_records(f);
}
CHANGE(reordered_renumbered)
{
	swap_records(f);
	fixture_renumber(f);
}
CHANGE(first_dropped)
{
	fixture_drop(f, START);
}
CHANGE(first_dropped_renumbered)
{
	fixture_drop(f, START);
	fixture_renumber(f);
}
CHANGE(middle_dropped)
{
	fixture_drop(f, FIRST_EVENT);
}
CHANGE(middle_dropped_renumbered)
{
	fixture_drop(f, FIRST_EVENT);
	fixture_renumber(f);
}
CHANGE(last_dropped)
{
	fixture_drop(f, SECOND_EVENT);
}
static struct fixture_record copy_record(const struct fixture_record *record)
{
	struct fixture_record copy = *record;

	copy.content = fixture_copy(buffer_bytes(&record->content));
	return copy;
}
CHANGE(duplicated)
{
	fixture_insert(f, FIRST_EVENT, copy_record(&f->records[FIRST_EVENT]));
}
CHANGE(duplicated_renumbered)
{
	duplicated(f);
	fixture_renumber(f);
}
static struct fixture_record new_event(uint64_t recnum)
{
	struct buffer value = { 0 };
	struct fixture_record record;

	put_event(&value, "test", BYTES_LITERAL("new"));
	record = fixture_record(recnum, buffer_bytes(&value));
	buffer_free(&value);
	return record;
}
CHANGE(inserted)
{
	fixture_insert(f, FIRST_EVENT, new_event(2));
	fixture_renumber(f);
}
CHANGE(cut_inside)
{
	f->evidence.assay_cel.size -= 3;
}
CHANGE(cut_in_the_first)
{
	f->evidence.assay_cel.size = 40;
}
/* The length of the first record's RECNUM. */
static void set_first_length(struct fixture *f, uint32_t length)
{
	for (size_t i = 0; i < 4; i++)
		f->evidence.assay_cel.data[1 + i] = (uint8_t)(length >> (24 - 8 * i));
}
CHANGE(length_0)
{
	set_first_length(f, 0);
}
CHANGE(length_max)
{
	set_first_length(f, 0xffffffff);
}
CHANGE(length_16m)
{
	set_first_length(f, 16 << 20);
}
CHANGE(log_empty)
{
	f->evidence.assay_cel.size = 0;
}
CHANGE(log_absent)
{
	f->evidence.has_assay_log = false;
}
CHANGE(pcr_15)
{
	f->records[FIRST_EVENT].pcr = 15;
}
CHANGE(pcr_24)
{
	f->records[FIRST_EVENT].pcr = 24;
}
CHANGE(pcr_32)
{
	f->records[FIRST_EVENT].pcr = 32;
}
CHANGE(pcr_255)
{
	f->records[FIRST_EVENT].pcr = 255;
}
CHANGE(all_of_pcr_10)
{
	for (size_t i = 0; i < f->record_count; i++)
		f->records[i].pcr = 10;
}
CHANGE(policy_other_pcr)
{
	f->policy.assay_pcr = 13;
}
/* After the quote the log grew by a record: that is no fault. */
CHANGE(ahead)
{
	fixture_insert(f, 5, new_event(5));
}
CHANGE(ahead_garbage)
{
	buffer_append(&f->evidence.assay_cel, "\x00\x00\x00\x00\x09garbage", 12);
}
CHANGE(ahead_stale_digest)
{
	fixture_insert(f, 5, new_event(5));
	f->records[5].digests[1].bytes[0] ^= 1;
}
static struct fixture_record new_batch(uint64_t recnum, const char *path,
				       const struct assay_digest *digest, uint32_t errnum)
{
	struct buffer value = { 0 };
	struct fixture_record record;

	put_measure(&value);
	if (digest)
		put_file(&value, path, digest);
	else
		put_failed_file(&value, path, errnum);
	record = fixture_record(recnum, buffer_bytes(&value));
	buffer_free(&value);
	return record;
}
CHANGE(ahead_unknown_file)
{
	struct assay_digest digest = fixture_digest(0);

	fixture_insert(f, 5, new_batch(5, "/tmp/new", &digest, 0));
}
/* The only measurement of a file is in a record that the TPM has not seen. */
CHANGE(measured_after_quote)
{
	f->unanchored = 2;
}
/* All of them: what the quote covers has measured nothing. */
CHANGE(all_measured_after_quote)
{
	f->unanchored = f->record_count - 1;
	f->policy.required &= ~FAILS(FILES_COMPLETE);
	f->policy.required_with_state = 0;
	f->state.records = 0;
}
CHANGE(number_gap)
{
	for (size_t i = SECOND_BATCH; i < f->record_count; i++)
		f->records[i].recnum++;
}
CHANGE(numbers_from_1)
{
	for (size_t i = 0; i < f->record_count; i++)
		f->records[i].recnum++;
}
CHANGE(numbers_wrap)
{
	f->records[START].recnum = UINT64_MAX;
}
CHANGE(other_boot)
{
	memcpy(f->evidence.boot_id, "ffffffff-89ab-cdef-0123-456789abcdef",
	       EVIDENCE_BOOT_ID_LENGTH);
}
/* Yesterday's log, whole and consistent, with today's quote. */
CHANGE(earlier_log)
{
	static const char id[] = "01234567";
	struct buffer *content = &f->records[START].content;
	uint8_t *found = memmem(content->data, content->size, id, sizeof(id) - 1);

	assert_non_null(found);
	memset(found, 'f', sizeof(id) - 1);
	fixture_mend(&f->records[START]);
	other_boot(f);
}
static struct fixture_record start_record(const struct assay_digest *values, size_t count)
{
	struct buffer value = { 0 };
	struct fixture_record record;

	put_start(&value, values, count);
	record = fixture_record(0, buffer_bytes(&value));
	buffer_free(&value);
	return record;
}
CHANGE(two_starts)
{
	fixture_insert(f, 1, start_record(f->start, LOG_BUILDER_BANKS));
	fixture_renumber(f);
}
CHANGE(start_not_first)
{
	fixture_drop(f, START);
	fixture_insert(f, 1, start_record(f->start, LOG_BUILDER_BANKS));
	fixture_renumber(f);
}
static void begin_from(struct fixture *f, uint8_t seed)
{
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		f->start[i] = log_test_digest(f->start[i].hash, seed);
	fixture_drop(f, START);
	fixture_insert(f, START, start_record(f->start, LOG_BUILDER_BANKS));
}
CHANGE(start_not_zero)
{
	begin_from(f, 77);
}
CHANGE(start_allowed)
{
	begin_from(f, 77);
	f->policy.starts = &f->start[1];
	f->policy.start_count = 1;
}
/* Of the bank that is quoted, the policy says nothing. */
CHANGE(start_allowed_in_another_bank)
{
	begin_from(f, 77);
	f->policy.starts = &f->start[0];
	f->policy.start_count = 1;
}
CHANGE(start_not_the_allowed)
{
	static struct assay_digest other;

	begin_from(f, 77);
	other = log_test_digest(ASSAY_HASH_SHA256, 78);
	f->policy.starts = &other;
	f->policy.start_count = 1;
}
/* Something was in the PCR and START says that it was zeros. */
CHANGE(start_lies)
{
	f->start[1] = log_test_digest(ASSAY_HASH_SHA256, 77);
}
/* START's last byte is its protection. */
static void say_protection(struct fixture *f, uint8_t protection)
{
	uint8_t *last = fixture_last_byte(&f->records[START]);

	assert_int_equal(*last, ASSAY_PROTECTION_FULL);
	*last = protection;
	fixture_mend(&f->records[START]);
}
CHANGE(not_protected)
{
	say_protection(f, ASSAY_PROTECTION_NONE);
}
CHANGE(protected_by_alias)
{
	say_protection(f, ASSAY_PROTECTION_ALIAS);
}
CHANGE(protection_unknown)
{
	say_protection(f, ASSAY_PROTECTION_ALIAS + 1);
}
CHANGE(not_protected_waived)
{
	not_protected(f);
	f->policy.required &= ~FAILS(ASSAY_LOG_PROTECTION);
}
CHANGE(kind_unknown)
{
	struct buffer value = { 0 };

	put_tlv_u8(&value, ASSAY_FIELD_KIND, 0x77);
	fixture_insert(f, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
}
CHANGE(content_foreign)
{
	struct fixture_record record = { .recnum = 5, .pcr = 14 };

	put_tlv(&record.content, 80, BYTES_LITERAL("something else"));
	fixture_mend(&record);
	fixture_insert(f, 5, record);
}
CHANGE(kind_unknown_accepted)
{
	kind_unknown(f);
	f->policy.unknown_records = true;
}
CHANGE(content_foreign_accepted)
{
	content_foreign(f);
	f->policy.unknown_records = true;
	f->policy.required &= ~FAILS(ASSAY_LOG_CHAIN);
}
/* Accepted is what is not known, not what is not whole. */
CHANGE(known_kind_broken)
{
	struct buffer value = { 0 };

	put_measure(&value);
	fixture_insert(f, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
	f->policy.unknown_records = true;
}

/* ---------------------------------------------------------------- IMA's list */

CHANGE(ima_changed_mended)
{
	f->entries[2].data.data[20] ^= 1;
	fixture_mend_entry(&f->entries[2]);
}
CHANGE(ima_data_only)
{
	f->entries[2].data.data[20] ^= 1;
}
CHANGE(ima_digest_only)
{
	f->entries[2].digest[0] ^= 1;
}
CHANGE(ima_reordered)
{
	struct fixture_entry kept = f->entries[1];

	f->entries[1] = f->entries[2];
	f->entries[2] = kept;
}
CHANGE(ima_first_dropped)
{
	fixture_drop_entry(f, 0);
}
CHANGE(ima_middle_dropped)
{
	fixture_drop_entry(f, 1);
}
CHANGE(ima_last_dropped)
{
	fixture_drop_entry(f, 3);
}
CHANGE(ima_duplicated)
{
	fixture_insert_entry(f, 1, fixture_entry("/sbin/init", 2));
}
CHANGE(ima_inserted)
{
	fixture_insert_entry(f, 1, fixture_entry("/bin/evil", 99));
}
CHANGE(ima_cut)
{
	f->evidence.ima_data.size--;
}
CHANGE(ima_empty)
{
	f->evidence.ima_data.size = 0;
}
CHANGE(ima_absent)
{
	f->evidence.has_ima_log = false;
}
static void set_name_length(struct fixture *f, uint32_t length)
{
	for (size_t i = 0; i < 4; i++)
		f->evidence.ima_data.data[24 + i] = (uint8_t)(length >> (8 * i));
}
CHANGE(ima_name_0)
{
	set_name_length(f, 0);
}
CHANGE(ima_name_256)
{
	set_name_length(f, 256);
}
CHANGE(ima_name_max)
{
	set_name_length(f, 0xffffffff);
}
CHANGE(ima_name_unknown)
{
	f->entries[1].name = "made-up";
}
CHANGE(ima_name_unknown_accepted)
{
	ima_name_unknown(f);
	f->policy.unknown_templates = true;
}
CHANGE(ima_no_aggregate)
{
	fixture_drop_entry(f, 0);
}
CHANGE(ima_aggregate_zero)
{
	fixture_drop_entry(f, 0);
	fixture_insert_entry(f, 0, fixture_entry_of("boot_aggregate", NULL));
}
CHANGE(ima_aggregate_late)
{
	fixture_drop_entry(f, 0);
	fixture_insert_entry(f, 0, fixture_entry("boot_aggregate_late", 1));
}
/* IMA began without a TPM, found one, and said so. */
CHANGE(ima_aggregate_zero_then_late)
{
	ima_aggregate_zero(f);
	fixture_insert_entry(f, 2, fixture_entry("boot_aggregate_late", 1));
}
CHANGE(ima_aggregate_twice)
{
	fixture_insert_entry(f, 3, fixture_entry("boot_aggregate", 1));
}
CHANGE(ima_aggregate_of_another_boot)
{
	fixture_insert_entry(f, 3, fixture_entry("boot_aggregate", 77));
}
CHANGE(ima_trailing)
{
	buffer_append_u8(&f->entries[1].data, 0);
	fixture_mend_entry(&f->entries[1]);
}
CHANGE(ima_pcr_11)
{
	f->entries[1].pcr = 11;
}
CHANGE(ima_pcr_24)
{
	f->entries[1].pcr = 24;
}
CHANGE(ima_pcr_32)
{
	f->entries[1].pcr = 32;
}
CHANGE(ima_pcr_max)
{
	f->entries[1].pcr = 0xffffffff;
}
CHANGE(ima_violation)
{
	memset(f->entries[2].digest, 0, sizeof(f->entries[2].digest));
}
/* Zeros put in afterwards, to have an entry passed over. */
CHANGE(ima_violation_later)
{
	ima_violation(f);
}
CHANGE(ima_violation_required)
{
	ima_violation(f);
	f->policy.required |= FAILS(IMA_LOG_VIOLATIONS);
}
CHANGE(ima_ahead)
{
	fixture_insert_entry(f, 4, fixture_entry("/bin/later", 5));
}
CHANGE(ima_ahead_garbage)
{
	buffer_append_u8(&f->evidence.ima_data, 10);
}
CHANGE(ima_other_bank)
{
	f->evidence.ima_template_bank = ASSAY_HASH_SHA256;
}
CHANGE(policy_other_ima_pcr)
{
	f->policy.ima_pcr = 11;
}

/* ---------------------------------------------------------------- manifests and files */

CHANGE(manifest_changed)
{
	/* In the header's time: still a manifest. */
	uint8_t *created =
		memmem(f->manifest_text.data, f->manifest_text.size, "\"created\":\"2", 12);

	assert_non_null(created);
	created[12] ^= 1;
}
CHANGE(manifest_unsigned)
{
	f->manifest.signature = BYTES(NULL, 0);
}
CHANGE(manifest_none)
{
	f->input.manifest_count = 0;
}
CHANGE(manifest_no_signer)
{
	f->input.certificate_count = 0;
}
/* The same name, another key. */
CHANGE(manifest_other_signer)
{
	X509_free(f->certificates[0]);
	f->certificates[0] = fixture_certificate(KEY_SIGNER_OTHER);
}
CHANGE(file_failed)
{
	fixture_insert(f, 5, new_batch(5, fixture_path(1), NULL, EIO));
}
CHANGE(file_failed_oddly)
{
	fixture_insert(f, 5, new_batch(5, fixture_path(1), NULL, 0xffffffff));
}
CHANGE(file_unknown)
{
	struct assay_digest digest = fixture_digest(0);

	fixture_insert(f, 5, new_batch(5, "/usr/bin/unknown", &digest, 0));
}
/* A name that would not be seen in a terminal. */
CHANGE(file_unprintable)
{
	struct assay_digest digest = fixture_digest(0);

	fixture_insert(f, 5, new_batch(5, "/usr/bin/first\033[2K\n\xff", &digest, 0));
}
CHANGE(file_without_path)
{
	struct assay_digest digest = fixture_digest(0);
	struct buffer value = { 0 }, file = { 0 }, field = { 0 };

	put_measure(&value);
	buffer_append_be16(&field, ASSAY_ALG_SHA256);
	buffer_append(&field, digest.bytes, digest.size);
	put_tlv(&file, ASSAY_FIELD_DIGEST, buffer_bytes(&field));
	put_tlv(&value, ASSAY_FIELD_FILE, buffer_bytes(&file));
	fixture_insert(f, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&field);
	buffer_free(&file);
	buffer_free(&value);
}
CHANGE(file_other_digest)
{
	struct assay_digest digest = fixture_digest(1);

	fixture_insert(f, 5, new_batch(5, fixture_path(0), &digest, 0));
}
/* The right bytes, said to be another algorithm's. */
CHANGE(file_other_algorithm)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA512, 17);

	fixture_insert(f, 5, new_batch(5, fixture_path(0), &digest, 0));
}
CHANGE(file_not_measured)
{
	fixture_drop(f, SECOND_BATCH);
	fixture_renumber(f);
}
CHANGE(file_not_measured_waived)
{
	file_not_measured(f);
	f->policy.required &= ~FAILS(FILES_COMPLETE);
}
CHANGE(no_files)
{
	fixture_drop(f, SECOND_BATCH);
	fixture_drop(f, FIRST_BATCH);
	fixture_renumber(f);
}
CHANGE(prefix_of_nothing)
{
	f->policy.prefix = "/mnt/root";
}
/* Measured below a mount, signed as seen from its root. */
CHANGE(prefix_good)
{
	while (f->record_count > 1)
		fixture_drop(f, 1);
	for (size_t i = 0; i < 3; i++) {
		struct assay_digest digest = fixture_digest(i);
		char path[64];

		snprintf(path, sizeof(path), "/mnt/root%s", fixture_path(i));
		fixture_insert(f, i + 1, new_batch(i + 1, path, &digest, 0));
	}
	f->policy.prefix = "/mnt/root/";
}
/* "/mnt/root2/x" is not below "/mnt/root". */
CHANGE(prefix_inside_a_name)
{
	struct assay_digest digest = fixture_digest(0);

	prefix_good(f);
	fixture_insert(f, 4, new_batch(4, "/mnt/root2/usr/bin/first", &digest, 0));
}
CHANGE(nothing_required)
{
	f->policy.required = 0;
}

const struct bad_row bad_logs[] = {
	{ "L1 content and digest changed", AFTER_QUOTE, content_and_digest,
	  FAILS(ASSAY_LOG_REPLAY) },
	{ "L1 IMA: data and digest changed", AFTER_QUOTE, ima_changed_mended,
	  FAILS(IMA_LOG_REPLAY) },
	{ "L2 content changed", AFTER_QUOTE, content_only, FAILS(ASSAY_LOG_DIGESTS) },
	{ "L2 digest changed", AFTER_QUOTE, digest_only, FAILS(ASSAY_LOG_DIGESTS) },
	{ "L2 SHA-1 digest changed", AFTER_QUOTE, other_digest_only, FAILS(ASSAY_LOG_DIGESTS) },
	{ "L2 digest missing", AFTER_QUOTE, digest_missing, FAILS(ASSAY_LOG_REPLAY) },
	{ "L2 digests of nothing known", AFTER_QUOTE, digests_unknown, FAILS(ASSAY_LOG_DIGESTS) },
	{ "L2 IMA: data changed", AFTER_QUOTE, ima_data_only, FAILS(IMA_LOG_DIGESTS) },
	{ "L2 IMA: digest changed", AFTER_QUOTE, ima_digest_only, FAILS(IMA_LOG_DIGESTS) },
	{ "L3 reordered", AFTER_QUOTE, reordered,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L3 reordered, renumbered", AFTER_QUOTE, reordered_renumbered, FAILS(ASSAY_LOG_REPLAY) },
	{ "L3 IMA: reordered", AFTER_QUOTE, ima_reordered, FAILS(IMA_LOG_REPLAY) },
	{ "L4 first dropped", AFTER_QUOTE, first_dropped,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L4 first dropped, renumbered", AFTER_QUOTE, first_dropped_renumbered,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L4 middle dropped", AFTER_QUOTE, middle_dropped,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L4 middle dropped, renumbered", AFTER_QUOTE, middle_dropped_renumbered,
	  FAILS(ASSAY_LOG_REPLAY) },
	{ "L4 last dropped", AFTER_QUOTE, last_dropped, FAILS(ASSAY_LOG_REPLAY) },
	{ "L4 IMA: first dropped", AFTER_QUOTE, ima_first_dropped,
	  FAILS(IMA_LOG_START) | FAILS(IMA_LOG_REPLAY) },
	{ "L4 IMA: middle dropped", AFTER_QUOTE, ima_middle_dropped, FAILS(IMA_LOG_REPLAY) },
	{ "L4 IMA: last dropped", AFTER_QUOTE, ima_last_dropped, FAILS(IMA_LOG_REPLAY) },
	{ "L5 duplicated", AFTER_QUOTE, duplicated,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L5 duplicated, renumbered", AFTER_QUOTE, duplicated_renumbered,
	  FAILS(ASSAY_LOG_REPLAY) },
	{ "L5 IMA: duplicated", AFTER_QUOTE, ima_duplicated, FAILS(IMA_LOG_REPLAY) },
	{ "L6 inserted", AFTER_QUOTE, inserted, FAILS(ASSAY_LOG_REPLAY) },
	{ "L6 IMA: inserted", AFTER_QUOTE, ima_inserted, FAILS(IMA_LOG_REPLAY) },
	{ "L7 cut inside the last", AT_MARSHALLED, cut_inside, FAILS(ASSAY_LOG_PARSED) },
	{ "L7 cut inside the first", AT_MARSHALLED, cut_in_the_first, FAILS(ASSAY_LOG_PARSED) },
	{ "L7 empty", AT_MARSHALLED, log_empty, FAILS(ASSAY_LOG_PARSED) },
	{ "L7 absent", AT_MARSHALLED, log_absent, FAILS(EVIDENCE_LOGS) },
	{ "L7 IMA: cut", AT_MARSHALLED, ima_cut, FAILS(IMA_LOG_PARSED) },
	{ "L7 IMA: empty", AT_MARSHALLED, ima_empty, FAILS(IMA_LOG_PARSED) },
	{ "L7 IMA: absent", AT_MARSHALLED, ima_absent, FAILS(EVIDENCE_LOGS) },
	{ "L8 length 0", AT_MARSHALLED, length_0, FAILS(ASSAY_LOG_PARSED) },
	{ "L8 length 0xffffffff", AT_MARSHALLED, length_max, FAILS(ASSAY_LOG_PARSED) },
	{ "L8 length 16 MiB", AT_MARSHALLED, length_16m, FAILS(ASSAY_LOG_PARSED) },
	{ "L9 IMA: name of 0 bytes", AT_MARSHALLED, ima_name_0, FAILS(IMA_LOG_PARSED) },
	{ "L9 IMA: name of 256 bytes", AT_MARSHALLED, ima_name_256, FAILS(IMA_LOG_PARSED) },
	{ "L9 IMA: name of 4 GiB", AT_MARSHALLED, ima_name_max, FAILS(IMA_LOG_PARSED) },
	{ "L10 kind not known", BEFORE_PCRS, kind_unknown, FAILS(ASSAY_LOG_RECORDS) },
	{ "L10 another's content", BEFORE_PCRS, content_foreign,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_CHAIN) },
	{ "L10 IMA: template not known", BEFORE_PCRS, ima_name_unknown, FAILS(IMA_LOG_ENTRIES) },
	{ "L10 kind not known, accepted", BEFORE_PCRS, kind_unknown_accepted, TRUSTED },
	{ "L10 another's content, accepted", BEFORE_PCRS, content_foreign_accepted,
	  FAILS(ASSAY_LOG_CHAIN) | TRUSTED },
	{ "L10 a known kind, not whole", BEFORE_PCRS, known_kind_broken, FAILS(ASSAY_LOG_PARSED) },
	{ "L10 IMA: template not known, accepted", BEFORE_PCRS, ima_name_unknown_accepted,
	  TRUSTED },
	{ "L13 IMA: byte behind a template", BEFORE_PCRS, ima_trailing, FAILS(IMA_LOG_ENTRIES) },
	{ "L14 PCR 15", AFTER_QUOTE, pcr_15, FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L14 PCR 24", AFTER_QUOTE, pcr_24, FAILS(ASSAY_LOG_PARSED) },
	{ "L14 PCR 32", AFTER_QUOTE, pcr_32, FAILS(ASSAY_LOG_PARSED) },
	{ "L14 PCR 255", AFTER_QUOTE, pcr_255, FAILS(ASSAY_LOG_PARSED) },
	{ "L14 all of PCR 10", AFTER_QUOTE, all_of_pcr_10,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L14 anchored in PCR 13", AT_VERIFIER, policy_other_pcr,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L14 IMA: PCR 11", AFTER_QUOTE, ima_pcr_11, FAILS(IMA_LOG_REPLAY) },
	{ "L14 IMA: PCR 24", AFTER_QUOTE, ima_pcr_24, FAILS(IMA_LOG_PARSED) },
	{ "L14 IMA: PCR 32", AFTER_QUOTE, ima_pcr_32, FAILS(IMA_LOG_PARSED) },
	{ "L14 IMA: PCR 0xffffffff", AFTER_QUOTE, ima_pcr_max, FAILS(IMA_LOG_PARSED) },
	{ "L14 IMA: in PCR 11", AT_VERIFIER, policy_other_ima_pcr, FAILS(IMA_LOG_REPLAY) },
	{ "L15 IMA: violation", BEFORE_PCRS, ima_violation, FAILS(IMA_LOG_VIOLATIONS) | TRUSTED },
	{ "L15 IMA: violation refused", BEFORE_PCRS, ima_violation_required,
	  FAILS(IMA_LOG_VIOLATIONS) },
	{ "L15 IMA: violation put in", AFTER_QUOTE, ima_violation_later, FAILS(IMA_LOG_REPLAY) },
	{ "L16 good: ahead of the quote", AFTER_QUOTE, ahead, TRUSTED },
	{ "L16 garbage behind", AT_MARSHALLED, ahead_garbage, FAILS(ASSAY_LOG_PARSED) },
	{ "L16 stale digest behind", AFTER_QUOTE, ahead_stale_digest, FAILS(ASSAY_LOG_DIGESTS) },
	{ "L16 file not known behind", AFTER_QUOTE, ahead_unknown_file, FAILS(FILES_KNOWN) },
	{ "L16 all files measured only behind", BEFORE_PCRS, all_measured_after_quote,
	  FAILS(FILES_MEASURED) | FAILS(FILES_KNOWN) | FAILS(FILES_MATCH) | FAILS(FILES_COMPLETE) },
	{ "L16 a file measured only behind", BEFORE_PCRS, measured_after_quote,
	  FAILS(FILES_COMPLETE) },
	{ "L16 IMA: good: ahead", AFTER_QUOTE, ima_ahead, TRUSTED },
	{ "L16 IMA: garbage behind", AT_MARSHALLED, ima_ahead_garbage, FAILS(IMA_LOG_PARSED) },
	{ "L18 IMA: no boot_aggregate", BEFORE_PCRS, ima_no_aggregate, FAILS(IMA_LOG_START) },
	{ "L18 IMA: boot_aggregate of zeros", BEFORE_PCRS, ima_aggregate_zero,
	  FAILS(IMA_LOG_START) },
	{ "L18 IMA: boot_aggregate twice", BEFORE_PCRS, ima_aggregate_twice, FAILS(IMA_LOG_START) },
	{ "L18 IMA: boot_aggregate of two boots", BEFORE_PCRS, ima_aggregate_of_another_boot,
	  FAILS(IMA_LOG_START) },
	{ "L18 IMA: good: late", BEFORE_PCRS, ima_aggregate_late, TRUSTED },
	{ "L18 IMA: good: zeros, then late", BEFORE_PCRS, ima_aggregate_zero_then_late, TRUSTED },
	{ "L20 IMA: another bank", AT_MARSHALLED, ima_other_bank, FAILS(IMA_LOG_PARSED) },
	{ "L22 gap", AFTER_QUOTE, number_gap, FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_CHAIN) },
	{ "L22 numbers from 1", AFTER_QUOTE, numbers_from_1,
	  FAILS(ASSAY_LOG_RECORDS) | FAILS(ASSAY_LOG_CHAIN) },
	{ "L22 number 2^64 - 1", AFTER_QUOTE, numbers_wrap, FAILS(ASSAY_LOG_RECORDS) },
	{ "L23 another boot", AFTER_QUOTE, other_boot, FAILS(ASSAY_LOG_START) },
	{ "L23 an earlier boot's log", AFTER_QUOTE, earlier_log, FAILS(ASSAY_LOG_REPLAY) },
	{ "START twice", BEFORE_PCRS, two_starts, FAILS(ASSAY_LOG_START) },
	{ "START not first", BEFORE_PCRS, start_not_first, FAILS(ASSAY_LOG_START) },
	{ "START: PCR not zeros", BEFORE_PCRS, start_not_zero, FAILS(ASSAY_LOG_START) },
	{ "START: PCR named in another bank only", BEFORE_PCRS, start_allowed_in_another_bank,
	  FAILS(ASSAY_LOG_START) },
	{ "START good: PCR as allowed", BEFORE_PCRS, start_allowed, TRUSTED },
	{ "START: PCR not as allowed", BEFORE_PCRS, start_not_the_allowed, FAILS(ASSAY_LOG_START) },
	{ "START lies of the PCR", BEFORE_PCRS, start_lies, FAILS(ASSAY_LOG_REPLAY) },
	{ "START: log writable", BEFORE_PCRS, not_protected, FAILS(ASSAY_LOG_PROTECTION) },
	{ "START good: protected by an alias", BEFORE_PCRS, protected_by_alias, TRUSTED },
	{ "START: protected in no known way", BEFORE_PCRS, protection_unknown,
	  FAILS(ASSAY_LOG_PROTECTION) },
	{ "START: log writable, waived", BEFORE_PCRS, not_protected_waived,
	  FAILS(ASSAY_LOG_PROTECTION) | TRUSTED },
	{ "manifest changed", AT_VERIFIER, manifest_changed, FAILS(MANIFEST_SIGNATURE) },
	{ "manifest not signed", AT_VERIFIER, manifest_unsigned, FAILS(MANIFEST_SIGNATURE) },
	{ "manifest by another", AT_VERIFIER, manifest_other_signer, FAILS(MANIFEST_SIGNATURE) },
	{ "no manifest", AT_VERIFIER, manifest_none, FAILS(MANIFEST_SIGNATURE) },
	{ "no signer", AT_VERIFIER, manifest_no_signer, FAILS(MANIFEST_SIGNATURE) },
	{ "file not measured: EIO", BEFORE_PCRS, file_failed, FAILS(FILES_MEASURED) },
	{ "file not measured: 0xffffffff", BEFORE_PCRS, file_failed_oddly,
	  FAILS(ASSAY_LOG_PARSED) },
	{ "file not known", BEFORE_PCRS, file_unknown, FAILS(FILES_KNOWN) },
	{ "file's path not printable", BEFORE_PCRS, file_unprintable, FAILS(FILES_KNOWN) },
	{ "file without path", BEFORE_PCRS, file_without_path, FAILS(FILES_KNOWN) },
	{ "file of another digest", BEFORE_PCRS, file_other_digest, FAILS(FILES_MATCH) },
	{ "file of another algorithm", BEFORE_PCRS, file_other_algorithm, FAILS(FILES_MATCH) },
	{ "file missing", BEFORE_PCRS, file_not_measured, FAILS(FILES_COMPLETE) },
	{ "file missing, waived", BEFORE_PCRS, file_not_measured_waived,
	  FAILS(FILES_COMPLETE) | TRUSTED },
	{ "no file at all", BEFORE_PCRS, no_files,
	  FAILS(FILES_MEASURED) | FAILS(FILES_KNOWN) | FAILS(FILES_MATCH) | FAILS(FILES_COMPLETE) },
	{ "prefix of no path", AT_VERIFIER, prefix_of_nothing,
	  FAILS(FILES_KNOWN) | FAILS(FILES_MATCH) | FAILS(FILES_COMPLETE) },
	{ "good: prefix", BEFORE_PCRS, prefix_good, TRUSTED },
	{ "prefix inside a name", BEFORE_PCRS, prefix_inside_a_name, FAILS(FILES_KNOWN) },
	{ "nothing required", AT_VERIFIER, nothing_required, 0 },
	{ 0 },
};
