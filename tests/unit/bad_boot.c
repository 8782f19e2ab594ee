// SPDX-License-Identifier: MIT
/*
 * What vouches for the boot, and for the verifier's own references: PCRs of the boot chain, a
 * TPM that was restarted, manifests that are too old, file systems; and entries of IMA's list
 * that assay's log mirrors, which are judged by the rules of the list.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

/* ---------------------------------------------------------------- boot-known */

CHANGE(boot_required)
{
	fixture_add_firmware(f);
	f->boot_named = true;
	f->policy.required |= FAILS(BOOT_KNOWN);
}
CHANGE(boot_without_values)
{
	boot_required(f);
	f->boot_named = false;
}
/* Another boot loader than the policy has. */
CHANGE(boot_of_another)
{
	boot_required(f);
	f->boot_another = true;
}
CHANGE(boot_without_pcr_0)
{
	boot_required(f);
	f->boot_pcrs[0] = 1;
}
CHANGE(boot_without_pcr_4)
{
	boot_required(f);
	f->boot_pcrs[1] = 5;
}
/* PCR 7 stands for 4: what is started is of known keys. */
CHANGE(boot_by_pcr_7)
{
	boot_required(f);
	f->boot_pcrs[1] = 7;
}
CHANGE(zeros_are_no_boot)
{
	boot_required(f);
	f->event_count = 0;
	fixture_mend_aggregate(f);
}

/* ---------------------------------------------------------------- PCRs over 7 */

static void add_high_event(struct fixture *f, uint32_t pcr)
{
	fixture_add_firmware(f);
	assert_true(f->event_count < FIXTURE_MAX_EVENTS);
	f->events[f->event_count++] = (struct fixture_event){ pcr, 0x0000000d, "grub", NULL, 0 };
	fixture_mend_aggregate(f);
}
CHANGE(grub_measured)
{
	add_high_event(f, 8);
}
CHANGE(grub_event_removed)
{
	add_high_event(f, 8);
	f->events[f->event_count++] = (struct fixture_event){ 8, 0x0000000d, "kernel", NULL, 0 };
	fixture_mend_aggregate(f);
	f->event_cut = 1;
}
CHANGE(grub_extended_later)
{
	grub_event_removed(f);
	f->policy.uefi_extended_later = 1U << 8;
}

CHANGE(os_separated)
{
	fixture_add_firmware(f);
	fixture_extend_behind(f, 0x291, "os-separator");
	f->policy.required |= FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE);
}
CHANGE(separated_by_another_word)
{
	fixture_add_firmware(f);
	fixture_extend_behind(f, 0x91, "os-separator\n");
}
CHANGE(os_separated_twice)
{
	fixture_add_firmware(f);
	fixture_extend_behind(f, 0x91, "os-separator");
	fixture_extend_behind(f, 1, "os-separator");
}
CHANGE(separated_where_systemd_does_not)
{
	add_high_event(f, 8);
	fixture_mend_aggregate(f);
	fixture_extend_behind(f, 1U << 8, "os-separator");
}

/* ---------------------------------------------------------------- a TPM that was restarted */

CHANGE(restart_goes_on)
{
	f->cut = 2;
	f->state.restart_count--;
}
CHANGE(suspend_goes_on)
{
	restart_goes_on(f);
	f->policy.suspend = true;
}
CHANGE(restart_of_a_whole_log)
{
	f->state.restart_count--;
}
CHANGE(suspend_of_a_whole_log)
{
	f->state.restart_count--;
	f->policy.suspend = true;
}
CHANGE(restart_refused)
{
	f->state.restart_count--;
	f->state.boot_id[0] = 'f';
	f->policy.same_boot = true;
}
CHANGE(suspend_where_resets_are_refused)
{
	suspend_of_a_whole_log(f);
	f->policy.same_boot = true;
}
CHANGE(reset_with_the_boot_id_of_before)
{
	f->state.reset_count--;
}
CHANGE(reset_with_another_boot_id)
{
	f->state.reset_count--;
	f->state.boot_id[0] = 'f';
}

/* ---------------------------------------------------------------- manifests */

CHANGE(manifest_wanted)
{
	f->policy.manifest_min_created = 1;
	f->policy.required |= FAILS(MANIFEST_CURRENT);
}
CHANGE(manifest_too_old)
{
	f->policy.manifest_min_created = UINT64_C(1) << 40;
}
CHANGE(manifest_of_another_id)
{
	f->policy.manifest_id = "00000000000000000000000000000000";
}
CHANGE(manifest_of_another_product)
{
	f->policy.manifest_product = "another";
}
CHANGE(manifest_from_before)
{
	f->state.manifest_count = 1;
	f->state.manifests[0].created = UINT64_C(1) << 40;
}
CHANGE(manifest_of_another_product_before)
{
	manifest_from_before(f);
	strcpy(f->state.manifests[0].product, "another");
}
/* A state that is full of others cannot keep when this one was created. */
CHANGE(manifest_of_one_product_too_many)
{
	for (size_t i = 0; i < VERIFY_STATE_PRODUCTS; i++)
		snprintf(f->state.manifests[i].product, sizeof(f->state.manifests[i].product),
			 "%zu", i);
	f->state.manifest_count = VERIFY_STATE_PRODUCTS;
}
CHANGE(manifest_from_before_shown)
{
	manifest_from_before(f);
	f->policy.required_with_state &= ~FAILS(MANIFEST_CURRENT);
}

CHANGE(manifest_signed_as_file)
{
	fixture_sign_manifest(f, true);
}
CHANGE(manifest_signed_as_file_accepted)
{
	manifest_signed_as_file(f);
	f->policy.manifest_file_signature = true;
}

/* ---------------------------------------------------------------- file systems */

static const uint8_t measured_on[][16] = { { 0 }, FIXTURE_FSUUID };

CHANGE(filesystem_named)
{
	f->policy.filesystems = measured_on;
	f->policy.filesystem_count = 2;
	f->policy.required |= FAILS(FILES_FILESYSTEM);
}
CHANGE(filesystem_of_others)
{
	filesystem_named(f);
	f->policy.filesystem_count = 1;
}
CHANGE(filesystem_required_none_named)
{
	f->policy.required |= FAILS(FILES_FILESYSTEM);
}

/* ---------------------------------------------------------------- mirrored entries */

CHANGE(mirrored_first_aggregate)
{
	fixture_mirror_path(f, 10, "boot_aggregate", false);
}
CHANGE(mirrored_later_aggregate)
{
	fixture_mirror_path(f, 10, "/bin/sh", false);
	fixture_mirror_path(f, 10, "boot_aggregate", false);
}
/* What a log that goes on mirrors first is not IMA's first entry. */
CHANGE(mirrored_aggregate_in_a_log_that_goes_on)
{
	fixture_mirror_path(f, 10, "boot_aggregate", false);
	f->cut = 2;
}
CHANGE(mirrored_template_unknown)
{
	fixture_mirror(f, 10, "ours", BYTES_LITERAL("anything"), false);
}
/* Fields that are known, of which none is a name. */
CHANGE(mirrored_without_a_name)
{
	fixture_mirror(f, 10, "sig", BYTES_LITERAL("\4\0\0\0sign"), false);
}
CHANGE(mirrored_does_not_parse)
{
	fixture_mirror(f, 10, "ima-ng", BYTES_LITERAL("anything"), false);
}
CHANGE(mirrored_violation)
{
	fixture_mirror_path(f, 10, "/bin/sh", true);
	f->policy.required |= FAILS(IMA_LOG_VIOLATIONS);
}
CHANGE(mirrored_of_another_pcr)
{
	fixture_mirror_path(f, 11, "/bin/sh", false);
}
/* A policy that does without IMA's list does not do without rules for what is mirrored. */
CHANGE(mirrored_without_a_list)
{
	mirrored_template_unknown(f);
	f->policy.required &=
		~(FAILS(IMA_LOG_PARSED) | FAILS(IMA_LOG_START) | FAILS(IMA_LOG_DIGESTS) |
		  FAILS(IMA_LOG_REPLAY) | FAILS(IMA_LOG_ENTRIES));
	f->policy.required_if_made |= FAILS(IMA_LOG_ENTRIES);
	f->policy.pcrs = 1U << 14;
}
/* An invented list, whose PCR is not quoted, is looked at by nobody. */
CHANGE(list_not_quoted)
{
	fixture_add_ima_files(f);
	f->policy.required &=
		~(FAILS(IMA_LOG_PARSED) | FAILS(IMA_LOG_START) | FAILS(IMA_LOG_DIGESTS) |
		  FAILS(IMA_LOG_REPLAY) | FAILS(IMA_LOG_ENTRIES));
	f->policy.required_if_made |= FAILS(IMA_LOG_ENTRIES);
	f->policy.pcrs = 1U << 14;
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 14);
}
CHANGE(list_not_quoted_for_files)
{
	list_not_quoted(f);
	f->policy.required |= FAILS(IMA_FILES_MATCH);
}

/* ---------------------------------------------------------------- names in IMA's form */

/* The policy has a file with a space in its name; IMA writes '_'. */
static void spaced(struct fixture *f, const char *reference, const char *measured, uint8_t seed)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, seed);

	fixture_add_ima_files(f);
	f->ima_digest.path = reference;
	fixture_drop_entry(f, FIXTURE_DIGEST);
	fixture_insert_entry(f, FIXTURE_DIGEST, fixture_entry_of(measured, &digest));
	f->policy.required |= FAILS(IMA_FILES_MATCH);
}
CHANGE(space_in_a_name)
{
	spaced(f, "/etc/a known", "/etc/a_known", 91);
	f->ima_digest_values[1] = log_test_digest(ASSAY_HASH_SHA256, 91);
}
CHANGE(space_in_a_name_exchanged)
{
	spaced(f, "/etc/a known", "/etc/a_known", 98);
}
CHANGE(space_kept_in_a_name)
{
	space_in_a_name(f);
	f->ima_digest.path = "/etc/a_known";
}
static const struct policy_path allowed_with_space = { .path = "/opt/my files/", .reason = "x" };
CHANGE(space_in_an_allowed_name)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 97);

	fixture_insert_entry(f, f->entry_count,
			     fixture_entry_of("/opt/my_files/some_thing", &digest));
	f->policy.allowed = &allowed_with_space;
	f->policy.allowed_count = 1;
}

const struct bad_row bad_boot[] = {
	{ "good: boot known", BEFORE_PCRS, boot_required, TRUSTED },
	{ "boot: no values in the policy", BEFORE_PCRS, boot_without_values, 0 },
	{ "boot: another boot loader", BEFORE_PCRS, boot_of_another,
	  FAILS(PCR_VALUES) | FAILS(BOOT_KNOWN) },
	{ "boot: the firmware not named", BEFORE_PCRS, boot_without_pcr_0, 0 },
	{ "boot: neither boot loader nor keys named", BEFORE_PCRS, boot_without_pcr_4, 0 },
	{ "good: boot known by its keys", BEFORE_PCRS, boot_by_pcr_7, TRUSTED },
	{ "boot: without events", BEFORE_PCRS, zeros_are_no_boot, 0 },
	{ "good: grub's PCR", BEFORE_PCRS, grub_measured, TRUSTED },
	{ "U: an event of PCR 8 removed", BEFORE_PCRS, grub_event_removed, FAILS(UEFI_LOG_REPLAY) },
	{ "good: PCR 8 extended later, accepted", BEFORE_PCRS, grub_extended_later, TRUSTED },
	{ "good: os-separator behind the firmware's log", BEFORE_PCRS, os_separated, TRUSTED },
	{ "U: another word behind it", BEFORE_PCRS, separated_by_another_word,
	  FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "U: os-separator twice", BEFORE_PCRS, os_separated_twice,
	  FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "U: os-separator in a PCR that systemd does not extend", BEFORE_PCRS,
	  separated_where_systemd_does_not, FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "restart: the log goes on", BEFORE_QUOTE, restart_goes_on,
	  FAILS(ASSAY_LOG_START) | FAILS(ASSAY_LOG_REPLAY) },
	{ "good: suspend, the log goes on", BEFORE_QUOTE, suspend_goes_on, TRUSTED },
	{ "restart: a whole log, the same boot id", BEFORE_QUOTE, restart_of_a_whole_log,
	  FAILS(ASSAY_LOG_PROGRESS) },
	{ "good: suspend, a whole log", BEFORE_QUOTE, suspend_of_a_whole_log, TRUSTED },
	{ "restart refused", BEFORE_QUOTE, restart_refused, FAILS(QUOTE_COUNTERS) },
	{ "good: suspend where resets are refused", BEFORE_QUOTE, suspend_where_resets_are_refused,
	  TRUSTED },
	{ "reset: the boot id of before", BEFORE_QUOTE, reset_with_the_boot_id_of_before,
	  FAILS(ASSAY_LOG_PROGRESS) },
	{ "good: reset, another boot id", BEFORE_QUOTE, reset_with_another_boot_id, TRUSTED },
	{ "good: manifest new enough", AT_VERIFIER, manifest_wanted, TRUSTED },
	{ "manifest too old", AT_VERIFIER, manifest_too_old, FAILS(MANIFEST_CURRENT) },
	{ "manifest of another id", AT_VERIFIER, manifest_of_another_id, FAILS(MANIFEST_CURRENT) },
	{ "manifest of another product", AT_VERIFIER, manifest_of_another_product,
	  FAILS(MANIFEST_CURRENT) },
	{ "manifest older than before", AT_VERIFIER, manifest_from_before,
	  FAILS(MANIFEST_CURRENT) },
	{ "good: another product was newer", AT_VERIFIER, manifest_of_another_product_before,
	  TRUSTED },
	{ "manifest of one product too many", AT_VERIFIER, manifest_of_one_product_too_many,
	  FAILS(MANIFEST_CURRENT) },
	{ "manifest older than before, shown", AT_VERIFIER, manifest_from_before_shown,
	  FAILS(MANIFEST_CURRENT) | TRUSTED },
	{ "manifest signed as a file is", BEFORE_PCRS, manifest_signed_as_file,
	  FAILS(MANIFEST_SIGNATURE) },
	{ "good: manifest signed as a file is, accepted", BEFORE_PCRS,
	  manifest_signed_as_file_accepted, TRUSTED },
	{ "good: file system named", AT_VERIFIER, filesystem_named, TRUSTED },
	{ "file system of others", AT_VERIFIER, filesystem_of_others, FAILS(FILES_FILESYSTEM) },
	{ "file system required, none named", AT_VERIFIER, filesystem_required_none_named, 0 },
	{ "good: mirrored boot_aggregate first", BEFORE_PCRS, mirrored_first_aggregate, TRUSTED },
	{ "mirrored boot_aggregate later", BEFORE_PCRS, mirrored_later_aggregate,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored boot_aggregate in a log that goes on", BEFORE_PCRS,
	  mirrored_aggregate_in_a_log_that_goes_on, FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored: unknown template", BEFORE_PCRS, mirrored_template_unknown,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored: without a name", BEFORE_PCRS, mirrored_without_a_name,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored: does not parse", BEFORE_PCRS, mirrored_does_not_parse,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored: violation refused", BEFORE_PCRS, mirrored_violation,
	  FAILS(IMA_LOG_VIOLATIONS) },
	{ "mirrored: of another PCR", BEFORE_PCRS, mirrored_of_another_pcr,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "mirrored: unknown template without a list", BEFORE_PCRS, mirrored_without_a_list,
	  FAILS(IMA_LOG_ENTRIES) },
	{ "good: a list that nothing proves is not looked at", BEFORE_PCRS, list_not_quoted,
	  FAILS(IMA_LOG_REPLAY) | TRUSTED },
	{ "a list that nothing proves, asked for", BEFORE_PCRS, list_not_quoted_for_files,
	  FAILS(IMA_LOG_REPLAY) },
	{ "good: a space in a name", BEFORE_PCRS, space_in_a_name, TRUSTED },
	{ "a space in a name, exchanged", BEFORE_PCRS, space_in_a_name_exchanged,
	  FAILS(IMA_FILES_MATCH) },
	{ "good: an underscore in a name", BEFORE_PCRS, space_kept_in_a_name, TRUSTED },
	{ "good: a space in an allowed name", BEFORE_PCRS, space_in_an_allowed_name, TRUSTED },
	{ NULL, BEFORE_PCRS, NULL, 0 },
};
