// SPDX-License-Identifier: MIT
/*
 * What IMA's entries and the firmware's log say, against reference values, signatures and
 * PCRs. The numbers are those of the design's list of bad input; see test_uefi_log.c for
 * what the firmware's log may not be like by itself.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

/* ---------------------------------------------------------------- the firmware's log */

/* The events: see fixture_add_firmware(). */
enum { HEADER, VERSION, BOOT, SEPARATORS };

CHANGE(firmware)
{
	fixture_add_firmware(f);
}
CHANGE(firmware_required)
{
	fixture_add_firmware(f);
	f->policy.required |= FAILS(UEFI_LOG_PARSED) | FAILS(UEFI_LOG_EVENTS) |
			      FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE);
}
CHANGE(firmware_absent_and_required)
{
	f->policy.required |= FAILS(UEFI_LOG_PARSED);
}
CHANGE(firmware_of_0_bytes)
{
	f->evidence.has_uefi_log = true;
	f->evidence.uefi_data.size = 0;
}
CHANGE(firmware_of_0_bytes_and_required)
{
	firmware_of_0_bytes(f);
	f->policy.required |= FAILS(UEFI_LOG_PARSED);
}
CHANGE(firmware_cut)
{
	f->evidence.has_uefi_log = true;
	buffer_append(&f->evidence.uefi_data, "\0\0\0", 3);
}
/* EV_POST_CODE instead: no digest covers it. */
CHANGE(event_type_flipped)
{
	fixture_add_firmware(f);
	f->events[SEPARATORS].type = 1;
	f->policy.required |= FAILS(UEFI_LOG_EVENTS);
}
CHANGE(event_type_flipped_shown)
{
	event_type_flipped(f);
	f->policy.required &= ~FAILS(UEFI_LOG_EVENTS);
}
static void add_event(struct fixture *f, uint32_t pcr, uint32_t type, const char *data)
{
	fixture_add_firmware(f);
	f->events[f->event_count++] = (struct fixture_event){ pcr, type, data, NULL, 0 };
}
/* IMA saw PCR 0 without it. */
CHANGE(event_after_separator)
{
	add_event(f, 0, 8, "2.0");
	f->policy.required |= FAILS(UEFI_LOG_EVENTS);
}
CHANGE(event_of_no_action)
{
	add_event(f, 0, UEFI_EV_NO_ACTION, "StartupLocality");
	f->policy.required |= FAILS(UEFI_LOG_EVENTS);
}
CHANGE(firmware_of_another_boot)
{
	fixture_add_firmware(f);
	f->events_of_another_boot = true;
}
CHANGE(firmware_of_another_boot_waived)
{
	firmware_of_another_boot(f);
	f->policy.required_if_made &= ~FAILS(UEFI_LOG_REPLAY);
}
CHANGE(events_of_a_pcr_dropped)
{
	fixture_add_firmware(f);
	f->events_kept_back = 1U << 4;
}
CHANGE(pcr_not_quoted)
{
	fixture_add_firmware(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3fe | 1U << 10 | 1U << 14);
}
/* Then it proves nothing, but boot_aggregate is of it all the same. */
CHANGE(no_firmware_pcr_quoted)
{
	fixture_add_firmware(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 10 | 1U << 14);
}
CHANGE(no_firmware_pcr_quoted_and_required)
{
	no_firmware_pcr_quoted(f);
	f->policy.required |= FAILS(UEFI_LOG_REPLAY);
}
CHANGE(aggregate_of_others)
{
	fixture_add_firmware(f);
	fixture_drop_entry(f, 0);
	fixture_insert_entry(f, 0, fixture_entry("boot_aggregate", 1));
}
CHANGE(aggregate_of_others_by_log)
{
	no_firmware_pcr_quoted(f);
	fixture_drop_entry(f, 0);
	fixture_insert_entry(f, 0, fixture_entry("boot_aggregate", 1));
}
/* A log that nothing proves, and a boot_aggregate that was made to fit it. */
CHANGE(aggregate_of_others_by_log_required)
{
	no_firmware_pcr_quoted(f);
	f->policy.required |= FAILS(IMA_BOOT_AGGREGATE);
}
CHANGE(aggregate_required_and_no_pcrs)
{
	f->policy.required |= FAILS(IMA_BOOT_AGGREGATE);
}

/* ---------------------------------------------------------------- IMA's entries */

CHANGE(padded)
{
	f->padded = true;
}
CHANGE(files)
{
	fixture_add_ima_files(f);
}
static void replace(struct fixture *f, size_t index, struct fixture_entry entry)
{
	fixture_drop_entry(f, index);
	fixture_insert_entry(f, index, entry);
}
/* The last byte of an ima-ngv2 entry's digest; see fixture_add_ima_files(). */
CHANGE(verity_differs)
{
	fixture_add_ima_files(f);
	f->entries[FIXTURE_VERITY].data.data[4 + sizeof("verity:sha256:") + 31] ^= 1;
	fixture_mend_entry(&f->entries[FIXTURE_VERITY]);
}
/* The right bytes, but of the file's data and not by fs-verity: another value. */
CHANGE(verity_digest_as_data)
{
	struct assay_digest digest = fixture_digest(0);

	fixture_add_ima_files(f);
	replace(f, FIXTURE_VERITY, fixture_entry_of(fixture_path(0), &digest));
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
}
CHANGE(digest_differs)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 99);

	fixture_add_ima_files(f);
	replace(f, FIXTURE_DIGEST, fixture_entry_of("/etc/known", &digest));
}
CHANGE(digest_differs_waived)
{
	digest_differs(f);
	f->policy.required_if_made &= ~FAILS(IMA_FILES_MATCH);
}
/* A reference value is not overruled by a path that is allowed. */
CHANGE(digest_differs_and_allowed)
{
	static const struct policy_path etc = { .path = "/etc/", .reason = "a test" };

	digest_differs(f);
	f->policy.allowed = &etc;
	f->policy.allowed_count = 1;
}
CHANGE(signed_by_another)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 92);

	fixture_add_ima_files(f);
	replace(f, FIXTURE_SIGNED,
		fixture_signed_entry("/usr/bin/signed", &digest, true, KEY_SIGNER_OTHER));
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
}
/* The last byte of the entry is the signature's. */
CHANGE(signature_bad)
{
	struct buffer *data = &f->entries[FIXTURE_SIGNED].data;

	fixture_add_ima_files(f);
	data->data[data->size - 1] ^= 1;
	fixture_mend_entry(&f->entries[FIXTURE_SIGNED]);
}
static void signature_of_other_digest(struct fixture *f)
{
	fixture_add_ima_files(f);
	f->entries[FIXTURE_SIGNED].data.data[4 + sizeof("verity:sha256:")] ^= 1;
	fixture_mend_entry(&f->entries[FIXTURE_SIGNED]);
}
CHANGE(signed_data)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 92);

	fixture_add_ima_files(f);
	replace(f, FIXTURE_SIGNED,
		fixture_signed_entry("/usr/bin/signed", &digest, false, KEY_SIGNER));
}
CHANGE(signed_data_differs)
{
	signed_data(f);
	f->entries[FIXTURE_SIGNED].data.data[4 + sizeof("sha256:")] ^= 1;
	fixture_mend_entry(&f->entries[FIXTURE_SIGNED]);
}
/* /sbin/init, /bin/sh and /bin/ls are nobody's. */
CHANGE(nobodys)
{
	fixture_add_ima_files(f);
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
}
CHANGE(nobodys_allowed)
{
	static const struct policy_path paths[] = { { .path = "/bin/", .reason = "a test" },
						    { .path = "/sbin/init", .reason = "it, too" } };

	nobodys(f);
	f->policy.allowed = paths;
	f->policy.allowed_count = 2;
}
CHANGE(nobodys_nearly_allowed)
{
	static const struct policy_path paths[] = { { .path = "/bin", .reason = "no directory" },
						    { .path = "/bin/lsx", .reason = "longer" },
						    { .path = "/sbin/ini", .reason = "a prefix" } };

	nobodys(f);
	f->policy.allowed = paths;
	f->policy.allowed_count = 3;
}
CHANGE(nobodys_allowed_as_others)
{
	static struct assay_digest digests[2];
	static struct policy_path paths[2];

	nobodys(f);
	digests[0] = log_test_digest(ASSAY_HASH_SHA256, 3);
	digests[1] = log_test_digest(ASSAY_HASH_SHA256, 5);
	paths[0] = (struct policy_path){ "/bin/", "these two", digests, 2 };
	paths[1] = (struct policy_path){ "/sbin/init", "it", NULL, 0 };
	f->policy.allowed = paths;
	f->policy.allowed_count = 2;
}
/* The path's bytes are the data's last ones, with a NUL. */
static void set_path_byte(struct fixture *f, size_t from_end, uint8_t byte)
{
	struct buffer *data = &f->entries[1].data;

	data->data[data->size - 1 - from_end] = byte;
	fixture_mend_entry(&f->entries[1]);
}
CHANGE(path_unprintable)
{
	set_path_byte(f, 1, 0x1b);
	set_path_byte(f, 2, '\n');
	set_path_byte(f, 3, 0xff);
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
}
CHANGE(path_with_nul)
{
	set_path_byte(f, 2, '\0');
}
CHANGE(path_without_nul)
{
	set_path_byte(f, 0, 'x');
}
/* d-ng's length is one less, and so is its digest. */
CHANGE(digest_short)
{
	struct buffer *data = &f->entries[1].data;
	size_t end = 4 + sizeof("sha256:") + 32;

	memmove(data->data + end - 1, data->data + end, data->size - end);
	data->size--;
	data->data[0]--;
	fixture_mend_entry(&f->entries[1]);
}
/* One entry says that it has a signature, as those of another template do. */
CHANGE(template_of_others)
{
	f->entries[1].name = "ima-sig";
}
CHANGE(big_endian)
{
	uint8_t *pcr = f->evidence.ima_data.data;

	pcr[3] = pcr[0];
	pcr[0] = 0;
}
/* Entries that assay's log mirrors are judged like those of the list. */
static void mirror(struct fixture *f, const struct fixture_entry *entry, uint8_t flip)
{
	struct buffer value = { 0 };
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA1, .size = 20 };

	memcpy(digest.bytes, entry->digest, 20);
	digest.bytes[0] ^= flip;
	put_kind(&value, ASSAY_KIND_IMA);
	put_mirrored(&value, 10, &digest, 1, entry->name, buffer_bytes(&entry->data));
	fixture_insert(f, f->record_count, fixture_record(f->record_count, buffer_bytes(&value)));
	buffer_free(&value);
}
CHANGE(mirrored)
{
	fixture_add_ima_files(f);
	mirror(f, &f->entries[FIXTURE_SIGNED], 0);
}
CHANGE(mirrored_differs)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 99);
	struct fixture_entry entry = fixture_entry_of("/etc/known", &digest);

	fixture_add_ima_files(f);
	mirror(f, &entry, 0);
	buffer_free(&entry.data);
}
CHANGE(mirrored_with_another_hash)
{
	fixture_add_ima_files(f);
	mirror(f, &f->entries[FIXTURE_SIGNED], 1);
}

/* The TPM has not seen any of these entries. */
CHANGE(known_after_quote)
{
	fixture_add_ima_files(f);
	f->policy.required |= FAILS(IMA_FILES_MATCH);
}
CHANGE(signed_after_quote)
{
	fixture_add_ima_files(f);
	f->policy.required |= FAILS(IMA_SIGNATURES);
}

const struct bad_row bad_ima[] = {
	{ "good: firmware's log", BEFORE_PCRS, firmware, TRUSTED },
	{ "good: firmware's log, required", BEFORE_PCRS, firmware_required, TRUSTED },
	{ "U1 EventType flipped", BEFORE_PCRS, event_type_flipped, FAILS(UEFI_LOG_EVENTS) },
	{ "U1 EventType flipped, shown", BEFORE_PCRS, event_type_flipped_shown,
	  FAILS(UEFI_LOG_EVENTS) | TRUSTED },
	{ "U2 event after the separator", BEFORE_PCRS, event_after_separator,
	  FAILS(UEFI_LOG_EVENTS) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "U4 a PCR with a value and no events", BEFORE_PCRS, events_of_a_pcr_dropped,
	  FAILS(UEFI_LOG_REPLAY) },
	{ "firmware: another boot's log", BEFORE_PCRS, firmware_of_another_boot,
	  FAILS(UEFI_LOG_REPLAY) },
	{ "firmware: another boot's log, waived", BEFORE_PCRS, firmware_of_another_boot_waived,
	  FAILS(UEFI_LOG_REPLAY) | TRUSTED },
	{ "U5 absent, required", BEFORE_PCRS, firmware_absent_and_required, 0 },
	{ "U5 good: of 0 bytes", AT_MARSHALLED, firmware_of_0_bytes, TRUSTED },
	{ "U5 of 0 bytes, required", AT_MARSHALLED, firmware_of_0_bytes_and_required, 0 },
	{ "U5 cut", AT_MARSHALLED, firmware_cut, FAILS(UEFI_LOG_PARSED) },
	{ "U6 EV_NO_ACTION that is not known", BEFORE_PCRS, event_of_no_action,
	  FAILS(UEFI_LOG_EVENTS) },
	{ "firmware: a PCR of its events not quoted", BEFORE_PCRS, pcr_not_quoted,
	  FAILS(UEFI_LOG_REPLAY) },
	{ "firmware good: no PCR quoted", BEFORE_PCRS, no_firmware_pcr_quoted, TRUSTED },
	{ "firmware: no PCR quoted, required", BEFORE_PCRS, no_firmware_pcr_quoted_and_required,
	  0 },
	{ "L18 boot_aggregate of other PCRs", BEFORE_PCRS, aggregate_of_others,
	  FAILS(IMA_BOOT_AGGREGATE) },
	{ "L18 boot_aggregate of another log, shown", BEFORE_PCRS, aggregate_of_others_by_log,
	  TRUSTED },
	{ "L18 boot_aggregate of another log, required", BEFORE_PCRS,
	  aggregate_of_others_by_log_required, 0 },
	{ "L18 boot_aggregate required, no PCRs", BEFORE_PCRS, aggregate_required_and_no_pcrs, 0 },
	{ "L11 IMA: path not printable", BEFORE_PCRS, path_unprintable, FAILS(IMA_FILES_KNOWN) },
	{ "L11 IMA: path with a NUL", BEFORE_PCRS, path_with_nul, FAILS(IMA_LOG_ENTRIES) },
	{ "L11 IMA: path without its NUL", BEFORE_PCRS, path_without_nul, FAILS(IMA_LOG_ENTRIES) },
	{ "L12 IMA: digest of 31 bytes", BEFORE_PCRS, digest_short, FAILS(IMA_LOG_ENTRIES) },
	{ "L19 IMA: an entry of another template", BEFORE_PCRS, template_of_others,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "L19 IMA: good: templates mixed", BEFORE_PCRS, files, TRUSTED },
	{ "L21 IMA: big-endian", AT_MARSHALLED, big_endian, FAILS(IMA_LOG_PARSED) },
	{ "L20 bank padded from SHA-1", BEFORE_PCRS, padded, FAILS(IMA_LOG_REPLAY) },
	{ "IMA: fs-verity digest not the manifest's", BEFORE_PCRS, verity_differs,
	  FAILS(IMA_FILES_MATCH) },
	{ "IMA: fs-verity digest as a plain one", BEFORE_PCRS, verity_digest_as_data,
	  FAILS(IMA_FILES_KNOWN) },
	{ "IMA: digest not the policy's", BEFORE_PCRS, digest_differs, FAILS(IMA_FILES_MATCH) },
	{ "IMA: digest not the policy's, waived", BEFORE_PCRS, digest_differs_waived,
	  FAILS(IMA_FILES_MATCH) | TRUSTED },
	{ "IMA: digest not the policy's, path allowed", BEFORE_PCRS, digest_differs_and_allowed,
	  FAILS(IMA_FILES_MATCH) },
	{ "IMA: signed by another", BEFORE_PCRS, signed_by_another, FAILS(IMA_FILES_KNOWN) },
	{ "IMA: signature changed", BEFORE_PCRS, signature_bad, FAILS(IMA_SIGNATURES) },
	{ "IMA: signature of another digest", BEFORE_PCRS, signature_of_other_digest,
	  FAILS(IMA_SIGNATURES) },
	{ "IMA good: signature of data", BEFORE_PCRS, signed_data, TRUSTED },
	{ "IMA: signature of other data", BEFORE_PCRS, signed_data_differs, FAILS(IMA_SIGNATURES) },
	{ "IMA: known files only behind the quote", AFTER_QUOTE, known_after_quote, 0 },
	{ "IMA: signed files only behind the quote", AFTER_QUOTE, signed_after_quote, 0 },
	{ "IMA: files that are nobody's", BEFORE_PCRS, nobodys, FAILS(IMA_FILES_KNOWN) },
	{ "IMA good: these allowed", BEFORE_PCRS, nobodys_allowed, TRUSTED },
	{ "IMA: these nearly allowed", BEFORE_PCRS, nobodys_nearly_allowed,
	  FAILS(IMA_FILES_KNOWN) },
	{ "IMA: these allowed as others", BEFORE_PCRS, nobodys_allowed_as_others,
	  FAILS(IMA_FILES_KNOWN) },
	{ "IMA good: mirrored", BEFORE_PCRS, mirrored, TRUSTED },
	{ "IMA: mirrored, digest not the policy's", BEFORE_PCRS, mirrored_differs,
	  FAILS(IMA_FILES_MATCH) },
	{ "IMA: mirrored, hash not the data's", BEFORE_PCRS, mirrored_with_another_hash,
	  FAILS(ASSAY_LOG_DIGESTS) },
	{ 0 },
};
