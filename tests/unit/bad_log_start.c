// SPDX-License-Identifier: MIT
/*
 * Logs of assay that do not begin with the boot, or are not of one: what vouches for
 * their beginning, and what must not. The numbers are those of the design's list.
 */
#define _GNU_SOURCE /* memmem() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "verify_fixture.h"

/* put_kexec()'s boot before. */
static const char boot_before[] = "89abcdef-0123-4567-89ab-cdef01234567";

#define CHANGE(name) static void name(struct fixture *f)

static void append(struct fixture *f, struct buffer *value)
{
	fixture_insert(f, f->record_count, fixture_record(f->record_count, buffer_bytes(value)));
	buffer_free(value);
}

/* ---------------------------------------------------------------- L17: progress */

CHANGE(covers_less)
{
	f->state.records = 6;
}
CHANGE(covers_the_same)
{
	f->state.records = 5;
}
/* As many records as before and more, but others. */
CHANGE(another_past)
{
	f->state.value.bytes[0] ^= 1;
}
CHANGE(another_bank_before)
{
	f->state.value = log_test_digest(ASSAY_HASH_SHA384, 1);
}
CHANGE(reset_since)
{
	f->state.reset_count--;
	f->state.boot_id[0] = 'f';
	f->state.records = 1000;
}
CHANGE(restart_since)
{
	f->state.restart_count--;
	f->state.boot_id[0] = 'f';
	f->state.records = 1000;
}
/* Without a restart of the TPM, another boot goes on with the PCR, and so with the log. */
CHANGE(no_restart_since)
{
	f->state.boot_id[0] = 'f';
	f->state.records = 1000;
}

/* ---------------------------------------------------------------- L22: logs that go on */

CHANGE(goes_on)
{
	f->cut = 2;
}
CHANGE(goes_on_and_overlaps)
{
	f->cut = 1;
}
/* What the state vouches for, nobody else needs to say. */
CHANGE(goes_on_and_claims_else)
{
	f->cut = 2;
	f->cut_lie = 1;
}
CHANGE(overlaps_and_lies)
{
	f->cut = 1;
	f->cut_lie = 1;
}
CHANGE(goes_on_from_another)
{
	f->cut = 2;
	f->state.value.bytes[0] ^= 1;
}
CHANGE(overlaps_another)
{
	f->cut = 1;
	f->state.value.bytes[0] ^= 1;
}
CHANGE(goes_on_in_another_bank)
{
	f->cut = 2;
	f->state.value = log_test_digest(ASSAY_HASH_SHA384, 1);
}
CHANGE(goes_on_after_reset)
{
	f->cut = 2;
	f->state.reset_count--;
}
CHANGE(goes_on_after_a_gap)
{
	f->cut = 3;
}
CHANGE(goes_on_without_state)
{
	f->cut = 2;
	f->state.value.size = 0;
	f->policy.required_with_state = 0;
}
CHANGE(goes_on_in_another_boot)
{
	f->cut = 2;
	f->state.boot_id[0] = 'f';
}
CHANGE(overlaps_in_another_boot)
{
	f->cut = 1;
	f->state.boot_id[0] = 'f';
}
CHANGE(goes_on_with_files_missing)
{
	f->cut = 2;
	f->state.complete.bytes[0] ^= 1;
}
CHANGE(goes_on_late_tpm)
{
	f->cut = 2;
	f->state.late_tpm = true;
}
CHANGE(goes_on_writable)
{
	f->cut = 2;
	f->state.writable = true;
}
CHANGE(nothing_new)
{
	f->cut = 5;
	f->state.records = 5;
}
CHANGE(nothing_quoted_yet)
{
	f->state.records = 4;
	f->unanchored = 1;
	f->cut = 4;
}
CHANGE(gap_behind_the_cut)
{
	f->cut = 2;
	f->records[3].recnum++;
}
CHANGE(start_behind_the_cut)
{
	struct buffer value = { 0 };

	put_start(&value, f->start, LOG_BUILDER_BANKS);
	append(f, &value);
	f->cut = 2;
}
CHANGE(whole_at_an_offset)
{
	f->evidence.assay_base = 4096;
}

/* ---------------------------------------------------------------- L22: trimmed logs */

/* TRIM at the end, of all before @recnum; what is handed over begins with @first. */
static void trim(struct fixture *f, uint64_t recnum, size_t first)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct buffer value = { 0 };

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		values[i] = fixture_pcr_before(f, recnum, i);
	put_trim(&value, recnum, 1000, BYTES_LITERAL("what is gone"), values, LOG_BUILDER_BANKS);
	append(f, &value);
	f->cut = first;
	f->state.value.size = 0;
	f->policy.required_with_state = 0;
	f->policy.required &= ~(FAILS(FILES_COMPLETE) | FAILS(ASSAY_LOG_PROTECTION));
}
#define TRIMMED_FAILS (FAILS(ASSAY_LOG_TPM) | FAILS(ASSAY_LOG_PROTECTION) | FAILS(FILES_COMPLETE))

CHANGE(trimmed)
{
	trim(f, 2, 2);
	f->state.records = 0;
	f->policy.trimmed = true;
}
CHANGE(trimmed_and_refused)
{
	trimmed(f);
	f->policy.trimmed = false;
}
/* While the evidence was collected, the log was trimmed once more. */
CHANGE(trimmed_once_more)
{
	trimmed(f);
	trim(f, 4, 2);
}
CHANGE(trimmed_elsewhere)
{
	trim(f, 3, 2);
	f->state.records = 0;
	f->policy.trimmed = true;
}
CHANGE(trim_not_quoted)
{
	trimmed(f);
	f->unanchored = 1;
}
CHANGE(trim_lies)
{
	trimmed(f);
	/* The last byte of its fields is the PCR's, in the last bank. */
	*fixture_last_byte(&f->records[5]) ^= 1;
	fixture_mend(&f->records[5]);
}
CHANGE(trim_in_whole_log)
{
	trim(f, 2, 0);
	f->policy.required |= FAILS(FILES_COMPLETE) | FAILS(ASSAY_LOG_PROTECTION);
	f->policy.required_with_state = FAILS(ASSAY_LOG_PROGRESS);
	f->state.records = 2;
}

/* ---------------------------------------------------------------- kexec */

/* START's boot is the one that KEXEC says was before. */
static void start_in_boot_before(struct fixture *f)
{
	struct buffer *content = &f->records[0].content;
	uint8_t *found = memmem(content->data, content->size, FIXTURE_BOOT_ID, 36);

	assert_non_null(found);
	for (size_t i = 0; i < EVIDENCE_BOOT_ID_LENGTH; i++)
		found[i] = (uint8_t)boot_before[i];
	fixture_mend(&f->records[0]);
}
static void add_kexec(struct fixture *f)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct buffer value = { 0 };

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		values[i] = fixture_pcr_before(f, f->record_count, i);
	put_kexec(&value, values, LOG_BUILDER_BANKS);
	append(f, &value);
}
CHANGE(kexec)
{
	start_in_boot_before(f);
	add_kexec(f);
}
CHANGE(kexec_from_another_boot)
{
	add_kexec(f);
}
CHANGE(kexec_dropped)
{
	start_in_boot_before(f);
}
/* What a record says of the kernel counts only where the quote covers it. */
CHANGE(kexec_not_quoted)
{
	kexec(f);
	f->unanchored = 1;
}
CHANGE(kexec_not_quoted_says_protected)
{
	uint8_t *last = fixture_last_byte(&f->records[0]);

	assert_int_equal(*last, ASSAY_PROTECTION_FULL);
	*last = ASSAY_PROTECTION_NONE;
	kexec_not_quoted(f);
}
CHANGE(kexec_and_goes_on)
{
	kexec(f);
	f->cut = 2;
	memcpy(f->state.boot_id, boot_before, sizeof(boot_before));
}
CHANGE(kexec_and_overlaps)
{
	kexec_and_goes_on(f);
	f->cut = 1;
}
/* The state is of after KEXEC, and the log that is handed over begins before it. */
CHANGE(kexec_overlapped)
{
	kexec(f);
	f->cut = 2;
	f->state.records = f->record_count;
}
CHANGE(kexec_overlapped_in_another_boot)
{
	kexec_overlapped(f);
	f->state.boot_id[0] = 'f';
}
CHANGE(kexec_and_goes_on_from_another)
{
	kexec(f);
	f->cut = 2;
}
CHANGE(kexec_and_two_aggregates)
{
	kexec(f);
	fixture_insert_entry(f, 3, fixture_entry("boot_aggregate", 1));
}
CHANGE(kexec_and_three_aggregates)
{
	kexec_and_two_aggregates(f);
	fixture_insert_entry(f, 4, fixture_entry("boot_aggregate", 1));
}

/* ---------------------------------------------------------------- a TPM that came late */

static void start_without_tpm(struct fixture *f)
{
	struct buffer value = { 0 };

	put_start(&value, NULL, 0);
	fixture_drop(f, 0);
	fixture_insert(f, 0, fixture_record(0, buffer_bytes(&value)));
	buffer_free(&value);
}
static void add_tpm(struct fixture *f, uint64_t backlog)
{
	struct buffer value = { 0 };

	put_tpm(&value, backlog, f->start, LOG_BUILDER_BANKS);
	append(f, &value);
}
CHANGE(late_tpm)
{
	start_without_tpm(f);
	add_tpm(f, 5);
}
CHANGE(late_tpm_refused)
{
	late_tpm(f);
	f->policy.required |= FAILS(ASSAY_LOG_TPM);
}
CHANGE(late_tpm_not_zero)
{
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		f->start[i] = log_test_digest(f->start[i].hash, 77);
	late_tpm(f);
}
CHANGE(late_tpm_lies)
{
	late_tpm(f);
	f->start[1] = log_test_digest(ASSAY_HASH_SHA256, 77);
}
CHANGE(late_tpm_too_many)
{
	start_without_tpm(f);
	add_tpm(f, 6);
}
CHANGE(late_tpm_twice)
{
	late_tpm(f);
	add_tpm(f, 5);
}
CHANGE(no_tpm_ever)
{
	start_without_tpm(f);
}
CHANGE(tpm_and_tpm)
{
	add_tpm(f, 5);
}

const struct bad_row bad_starts[] = {
	{ "L17 fewer records than before", BEFORE_QUOTE, covers_less, FAILS(ASSAY_LOG_PROGRESS) },
	{ "L17 good: as many as before", BEFORE_PCRS, covers_the_same, TRUSTED },
	{ "L17 another past", BEFORE_QUOTE, another_past, FAILS(ASSAY_LOG_PROGRESS) },
	{ "L17 a past in another bank", BEFORE_QUOTE, another_bank_before,
	  FAILS(ASSAY_LOG_PROGRESS) },
	{ "L17 good: another log after a reset", BEFORE_QUOTE, reset_since, TRUSTED },
	{ "L17 good: another log after a restart", BEFORE_QUOTE, restart_since, TRUSTED },
	{ "L17 another boot's log without a restart", BEFORE_QUOTE, no_restart_since,
	  FAILS(ASSAY_LOG_PROGRESS) },
	{ "L22 good: goes on", BEFORE_QUOTE, goes_on, TRUSTED },
	{ "L22 good: goes on and overlaps", BEFORE_QUOTE, goes_on_and_overlaps, TRUSTED },
	{ "L22 good: goes on and claims else", BEFORE_QUOTE, goes_on_and_claims_else, TRUSTED },
	{ "L22 overlaps and lies", BEFORE_QUOTE, overlaps_and_lies, FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 goes on from another", BEFORE_QUOTE, goes_on_from_another, FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 overlaps another", BEFORE_QUOTE, overlaps_another, FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 goes on in another bank", BEFORE_QUOTE, goes_on_in_another_bank,
	  FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 goes on over a reset", BEFORE_QUOTE, goes_on_after_reset,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 goes on after a gap", BEFORE_QUOTE, goes_on_after_a_gap,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 goes on and there is no state", BEFORE_QUOTE, goes_on_without_state,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L23 goes on in another boot", BEFORE_QUOTE, goes_on_in_another_boot,
	  FAILS(ASSAY_LOG_START) },
	{ "L23 overlaps in another boot", BEFORE_QUOTE, overlaps_in_another_boot,
	  FAILS(ASSAY_LOG_START) },
	{ "L22 goes on, files are missing", BEFORE_QUOTE, goes_on_with_files_missing,
	  FAILS(FILES_COMPLETE) },
	{ "L22 good: goes on, TPM came late", BEFORE_QUOTE, goes_on_late_tpm,
	  FAILS(ASSAY_LOG_TPM) | TRUSTED },
	{ "L22 goes on, log writable", BEFORE_QUOTE, goes_on_writable,
	  FAILS(ASSAY_LOG_PROTECTION) },
	{ "L22 good: nothing new", BEFORE_PCRS, nothing_new, TRUSTED },
	{ "L22 good: nothing new is quoted", BEFORE_PCRS, nothing_quoted_yet, TRUSTED },
	{ "L22 goes on with a gap", BEFORE_QUOTE, gap_behind_the_cut, FAILS(ASSAY_LOG_RECORDS) },
	{ "L22 goes on with a START", BEFORE_PCRS, start_behind_the_cut, FAILS(ASSAY_LOG_START) },
	{ "L22 whole, at an offset", AFTER_QUOTE, whole_at_an_offset, FAILS(ASSAY_LOG_RECORDS) },
	{ "L22 good: trimmed, accepted", BEFORE_PCRS, trimmed, TRIMMED_FAILS | TRUSTED },
	{ "L22 good: trimmed once more meanwhile", BEFORE_PCRS, trimmed_once_more,
	  TRIMMED_FAILS | TRUSTED },
	{ "L22 trimmed, refused", BEFORE_PCRS, trimmed_and_refused,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 trimmed elsewhere", BEFORE_PCRS, trimmed_elsewhere,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 trimmed, TRIM not quoted", BEFORE_PCRS, trim_not_quoted,
	  FAILS(ASSAY_LOG_TPM) | FAILS(ASSAY_LOG_PROTECTION) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 trimmed, TRIM lies", BEFORE_PCRS, trim_lies,
	  FAILS(ASSAY_LOG_TPM) | FAILS(ASSAY_LOG_PROTECTION) | FAILS(ASSAY_LOG_REPLAY) },
	{ "L22 good: TRIM in a whole log", BEFORE_PCRS, trim_in_whole_log, TRUSTED },
	{ "good: KEXEC", BEFORE_PCRS, kexec, TRUSTED },
	{ "KEXEC from another boot", BEFORE_PCRS, kexec_from_another_boot, FAILS(ASSAY_LOG_START) },
	{ "KEXEC dropped", BEFORE_PCRS, kexec_dropped, FAILS(ASSAY_LOG_START) },
	{ "KEXEC not quoted", BEFORE_PCRS, kexec_not_quoted, FAILS(ASSAY_LOG_REPLAY) },
	{ "KEXEC not quoted, says that the log is protected", BEFORE_PCRS,
	  kexec_not_quoted_says_protected, FAILS(ASSAY_LOG_REPLAY) },
	{ "good: KEXEC in a log that goes on", BEFORE_PCRS, kexec_and_goes_on, TRUSTED },
	{ "good: KEXEC in a log that overlaps", BEFORE_PCRS, kexec_and_overlaps, TRUSTED },
	{ "good: KEXEC before the state", BEFORE_PCRS, kexec_overlapped, TRUSTED },
	{ "KEXEC before the state, to another boot than its", BEFORE_PCRS,
	  kexec_overlapped_in_another_boot, FAILS(ASSAY_LOG_START) },
	{ "KEXEC of another than the state's boot", BEFORE_PCRS, kexec_and_goes_on_from_another,
	  FAILS(ASSAY_LOG_START) },
	{ "L18 good: KEXEC and two boot_aggregates", BEFORE_PCRS, kexec_and_two_aggregates,
	  TRUSTED },
	{ "L18 KEXEC and three boot_aggregates", BEFORE_PCRS, kexec_and_three_aggregates,
	  FAILS(IMA_LOG_START) },
	{ "good: late TPM", BEFORE_PCRS, late_tpm, FAILS(ASSAY_LOG_TPM) | TRUSTED },
	{ "late TPM refused", BEFORE_PCRS, late_tpm_refused, FAILS(ASSAY_LOG_TPM) },
	{ "late TPM: PCR not zeros", BEFORE_PCRS, late_tpm_not_zero, FAILS(ASSAY_LOG_START) },
	{ "late TPM lies of the PCR", BEFORE_PCRS, late_tpm_lies,
	  FAILS(ASSAY_LOG_TPM) | FAILS(ASSAY_LOG_REPLAY) },
	{ "late TPM: more records than there are", BEFORE_PCRS, late_tpm_too_many,
	  FAILS(ASSAY_LOG_START) },
	{ "late TPM twice", BEFORE_PCRS, late_tpm_twice, FAILS(ASSAY_LOG_START) },
	{ "no TPM, and no TPM record", BEFORE_PCRS, no_tpm_ever, FAILS(ASSAY_LOG_START) },
	{ "a TPM at START, and a TPM record", BEFORE_PCRS, tpm_and_tpm, FAILS(ASSAY_LOG_START) },
	{ 0 },
};
