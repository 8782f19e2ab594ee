// SPDX-License-Identifier: MIT
/*
 * What is judged where a policy says which logs a device has: evidence without assay's log,
 * without IMA's list, with the firmware's log alone. Without the policy's word, none of it is
 * trusted.
 */
#include <openssl/evp.h>
#include <string.h>

#include "support.h"
#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

static void say(struct fixture *f, enum log_presence assay, enum log_presence ima,
		enum log_presence uefi)
{
	f->policy.logs[VERIFY_LOG_ASSAY] = assay;
	f->policy.logs[VERIFY_LOG_IMA] = ima;
	f->policy.logs[VERIFY_LOG_UEFI] = uefi;
	/* As policy_derive() has it: anchors of what must be there. */
	f->policy.pcrs = assay == PRESENCE_REQUIRED ? 1U << 14 : 0;
	if (ima == PRESENCE_REQUIRED)
		f->policy.pcrs |= 1U << 10;
	if (assay == PRESENCE_ABSENT)
		f->policy.required &= ~checks_of_log(VERIFY_LOG_ASSAY);
	if (ima == PRESENCE_ABSENT)
		f->policy.required &= ~checks_of_log(VERIFY_LOG_IMA);
	if (ima == PRESENCE_ABSENT && assay == PRESENCE_ABSENT)
		f->policy.required &= ~checks_of_ima_entries();
	/* The fixture's policy has a value of PCR 14, which is of assay's log. */
	f->no_pcr_values = true;
	f->policy.required &= ~FAILS(PCR_VALUES);
}

/* What the device hands over, before it is made: the logs are dropped by drop(). */
static void begin(struct fixture *f)
{
	fixture_add_ima_files(f);
	fixture_add_firmware(f);
	f->policy.required |= FAILS(IMA_FILES_MATCH);
}

/* ---------------------------------------------------------------- by IMA's list */

CHANGE(ima_alone)
{
	begin(f);
	say(f, PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_REQUIRED);
	f->hands_no_assay_log = true;
	f->no_manifest = true;
}
CHANGE(ima_alone_with_a_manifest)
{
	ima_alone(f);
	f->no_manifest = false;
}
CHANGE(manifest_asked_and_missing)
{
	ima_alone(f);
	f->policy.manifest_asked = true;
}
CHANGE(manifest_forged)
{
	ima_alone_with_a_manifest(f);
	f->manifest_text.data[f->manifest_text.size - 3] ^= 1;
}
CHANGE(assay_log_not_said)
{
	ima_alone(f);
	f->policy.logs[VERIFY_LOG_ASSAY] = PRESENCE_UNSAID;
	f->policy.required |= checks_of_log(VERIFY_LOG_ASSAY);
}
CHANGE(assay_log_there_although_absent)
{
	ima_alone(f);
	f->hands_no_assay_log = false;
	/* Nothing of it is looked at, so nothing of it can be wrong. */
	f->records[1].digests[0].bytes[0] ^= 1;
	f->records[1].digests[1].bytes[0] ^= 1;
}
CHANGE(pcr_10_not_quoted)
{
	ima_alone(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff);
}
CHANGE(ima_after_kexec)
{
	struct fixture_entry first;

	ima_alone(f);
	first = f->entries[0];
	first.data = fixture_copy(buffer_bytes(&first.data));
	fixture_insert_entry(f, 3, first);
}
CHANGE(ima_entry_exchanged)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 7);

	ima_alone(f);
	fixture_drop_entry(f, FIXTURE_DIGEST);
	fixture_insert_entry(f, FIXTURE_DIGEST, fixture_entry_of("/etc/known", &digest));
}
CHANGE(ima_entry_of_nobody)
{
	ima_alone(f);
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
}
/* Signatures alone are enough to compare with, and one that is forged is told. */
CHANGE(ima_signatures_alone)
{
	ima_alone(f);
	f->policy.required &= ~FAILS(IMA_FILES_MATCH);
	f->policy.ima_digest_count = 0;
}
CHANGE(ima_signature_forged)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 92);
	struct fixture_entry entry;

	ima_signatures_alone(f);
	entry = fixture_signed_entry("/usr/bin/signed", &digest, true, KEY_SIGNER);
	entry.data.data[entry.data.size - 1] ^= 1;
	fixture_mend_entry(&entry);
	fixture_drop_entry(f, FIXTURE_SIGNED);
	fixture_insert_entry(f, FIXTURE_SIGNED, entry);
}
CHANGE(ima_compared_with_nothing)
{
	ima_signatures_alone(f);
	fixture_drop_entry(f, FIXTURE_SIGNED);
}

/* ---------------------------------------------------------------- by the firmware's log */

static void name_boot(struct fixture *f)
{
	f->boot_named = true;
	f->no_pcr_values = false;
	f->policy.required |= FAILS(BOOT_KNOWN) | FAILS(PCR_VALUES);
	/* PCR 14 has a value of the fixture's own. */
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff | 1U << 14);
}
CHANGE(firmware_alone)
{
	begin(f);
	f->policy.required &= ~FAILS(IMA_FILES_MATCH);
	say(f, PRESENCE_ABSENT, PRESENCE_ABSENT, PRESENCE_REQUIRED);
	f->hands_no_assay_log = f->hands_no_ima_log = f->no_manifest = true;
	f->policy.required |= checks_of_log(VERIFY_LOG_UEFI);
	name_boot(f);
}
CHANGE(firmware_of_another_boot)
{
	firmware_alone(f);
	f->events_of_another_boot = true;
}
CHANGE(firmware_not_named)
{
	firmware_alone(f);
	f->boot_another = true;
}
CHANGE(firmware_missing)
{
	firmware_alone(f);
	f->hands_no_uefi_log = true;
}
CHANGE(no_log_at_all)
{
	firmware_alone(f);
	say(f, PRESENCE_ABSENT, PRESENCE_ABSENT, PRESENCE_ABSENT);
	f->policy.required &= ~checks_of_log(VERIFY_LOG_UEFI);
	name_boot(f);
	f->hands_no_uefi_log = true;
}
CHANGE(nothing_to_compare_with)
{
	firmware_alone(f);
	f->policy.required &= ~(FAILS(BOOT_KNOWN) | FAILS(PCR_VALUES));
	f->no_pcr_values = true;
}
/* What is compared is the same in every machine: a separator, and a locality. */
CHANGE(values_of_any_machine)
{
	no_log_at_all(f);
	f->policy.required &= ~FAILS(BOOT_KNOWN);
	/* PCR 14 of the fixture's own policy. */
	while (f->record_count > 0)
		fixture_drop(f, f->record_count - 1);
	f->boot_pcrs[0] = 3;
	f->boot_pcrs[1] = 6;
	f->event_count = 1;
	for (size_t i = 0; i < 2; i++)
		f->events[f->event_count++] =
			(struct fixture_event){ f->boot_pcrs[i], UEFI_EV_SEPARATOR, "\0\0\0\0",
						NULL, 4 };
	fixture_extend_behind(f, 1U << 6, "os-separator");
}
/* No key was ever put in. */
CHANGE(keys_of_any_machine)
{
	static const char pk[] = "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
				 "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0P\0K\0";
	static struct assay_digest empty = { .hash = ASSAY_HASH_SHA256, .size = 32 };

	nothing_to_compare_with(f);
	memmove(&f->events[4], &f->events[3], (f->event_count - 3) * sizeof(f->events[0]));
	f->events[3] = (struct fixture_event){ 7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, pk, NULL,
					       sizeof(pk) - 1 };
	f->event_count++;
	assert_int_equal(EVP_Digest("", 0, empty.bytes, NULL, EVP_sha256(), NULL), 1);
	f->policy.firmware.keys[FIRMWARE_PK].digests = (struct firmware_digests){ &empty, 1 };
	f->policy.required |= FAILS(FIRMWARE_KEYS);
	fixture_mend_aggregate(f);
}
/* A log of the firmware that the policy calls absent is not believed: nothing is proven by it. */
CHANGE(firmware_there_although_absent)
{
	no_log_at_all(f);
	f->hands_no_uefi_log = false;
	f->events_of_another_boot = true;
}

/* ---------------------------------------------------------------- what may be there */

CHANGE(optional_logs_missing)
{
	firmware_alone(f);
	say(f, PRESENCE_OPTIONAL, PRESENCE_OPTIONAL, PRESENCE_OPTIONAL);
	f->policy.required |= FAILS(IMA_FILES_KNOWN);
	name_boot(f);
	/* The fixture's state is of a log in this boot. */
	f->state.reset_count--;
}
CHANGE(optional_log_left_out_later)
{
	optional_logs_missing(f);
	f->state.reset_count++;
}
CHANGE(optional_log_left_out_after_sleep)
{
	optional_log_left_out_later(f);
	f->state.restart_count--;
}
CHANGE(optional_logs_there)
{
	begin(f);
	say(f, PRESENCE_OPTIONAL, PRESENCE_OPTIONAL, PRESENCE_OPTIONAL);
}
CHANGE(optional_assay_log_changed)
{
	f->policy.logs[VERIFY_LOG_ASSAY] = PRESENCE_OPTIONAL;
	f->records[1].digests[0].bytes[0] ^= 1;
	f->records[1].digests[1].bytes[0] ^= 1;
}
CHANGE(optional_assay_log_without_a_manifest)
{
	optional_logs_there(f);
	f->no_manifest = true;
}
CHANGE(optional_assay_log_not_anchored)
{
	optional_logs_there(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff | 1U << 10);
}
CHANGE(optional_list_not_anchored)
{
	optional_logs_there(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff | 1U << 14);
}
CHANGE(optional_list_of_another_boot)
{
	optional_logs_there(f);
	f->entries[2].digest[0] ^= 1;
}
CHANGE(optional_list_broken)
{
	f->evidence.ima_data.size--;
	f->policy.logs[VERIFY_LOG_IMA] = PRESENCE_OPTIONAL;
}
/* A list that is absent by the policy, and entries of IMA that assay's log mirrors. */
CHANGE(list_absent)
{
	begin(f);
	f->policy.required &= ~FAILS(IMA_FILES_MATCH);
	say(f, PRESENCE_REQUIRED, PRESENCE_ABSENT, PRESENCE_OPTIONAL);
	f->hands_no_ima_log = true;
}

const struct bad_row bad_presence[] = {
	{ "good: IMA's list alone, by digests", BEFORE_PCRS, ima_alone, TRUSTED },
	{ "good: IMA's list alone, with a manifest", BEFORE_PCRS, ima_alone_with_a_manifest,
	  TRUSTED },
	{ "IMA's list alone, a manifest is asked for", BEFORE_PCRS, manifest_asked_and_missing,
	  FAILS(MANIFEST_SIGNATURE) },
	{ "IMA's list alone, the manifest forged", BEFORE_PCRS, manifest_forged,
	  FAILS(MANIFEST_SIGNATURE) },
	{ "no log of assay's, and the policy says nothing", BEFORE_PCRS, assay_log_not_said,
	  FAILS(EVIDENCE_LOGS) | FAILS(MANIFEST_SIGNATURE) },
	{ "good: a log of assay's that is absent by the policy", BEFORE_PCRS,
	  assay_log_there_although_absent, TRUSTED },
	{ "IMA's list alone, PCR 10 not quoted", BEFORE_PCRS, pcr_10_not_quoted,
	  FAILS(PCR_REQUIRED) },
	{ "IMA's list alone, started by kexec", BEFORE_PCRS, ima_after_kexec,
	  FAILS(IMA_LOG_START) },
	{ "IMA's list alone, another file", BEFORE_PCRS, ima_entry_exchanged,
	  FAILS(IMA_FILES_MATCH) },
	{ "IMA's list alone, files of nobody", BEFORE_PCRS, ima_entry_of_nobody,
	  FAILS(IMA_FILES_KNOWN) },
	{ "good: IMA's list alone, by signatures", BEFORE_PCRS, ima_signatures_alone, TRUSTED },
	{ "IMA's list alone, a forged signature", BEFORE_PCRS, ima_signature_forged,
	  FAILS(IMA_SIGNATURES) },
	{ "IMA's list alone, compared with nothing", BEFORE_PCRS, ima_compared_with_nothing,
	  FAILS(REFERENCE_VALUES) },
	{ "good: the firmware's log alone", BEFORE_PCRS, firmware_alone, TRUSTED },
	{ "the firmware's log alone, of another boot", BEFORE_PCRS, firmware_of_another_boot,
	  FAILS(UEFI_LOG_REPLAY) },
	{ "the firmware's log alone, another boot", BEFORE_PCRS, firmware_not_named,
	  FAILS(PCR_VALUES) | FAILS(BOOT_KNOWN) },
	{ "the firmware's log is missing", BEFORE_PCRS, firmware_missing, FAILS(EVIDENCE_LOGS) },
	{ "good: no log, values of PCRs", BEFORE_PCRS, no_log_at_all, TRUSTED },
	{ "values of PCRs that any machine has", BEFORE_PCRS, values_of_any_machine,
	  FAILS(REFERENCE_VALUES) },
	{ "keys that any machine has", BEFORE_PCRS, keys_of_any_machine, FAILS(REFERENCE_VALUES) },
	{ "no value to compare with", BEFORE_PCRS, nothing_to_compare_with,
	  FAILS(REFERENCE_VALUES) },
	{ "good: a log of the firmware that is absent by the policy", BEFORE_PCRS,
	  firmware_there_although_absent, TRUSTED },
	{ "good: optional logs that are missing", BEFORE_PCRS, optional_logs_missing, TRUSTED },
	{ "optional: assay's log left out, which was there before", BEFORE_PCRS,
	  optional_log_left_out_later, FAILS(EVIDENCE_LOGS) },
	{ "optional: the same after a sleep", BEFORE_PCRS, optional_log_left_out_after_sleep,
	  FAILS(EVIDENCE_LOGS) },
	{ "good: optional logs that are there", BEFORE_PCRS, optional_logs_there, TRUSTED },
	{ "optional: assay's log changed", AFTER_QUOTE, optional_assay_log_changed,
	  FAILS(ASSAY_LOG_DIGESTS) },
	{ "optional: assay's log without a manifest", BEFORE_PCRS,
	  optional_assay_log_without_a_manifest, FAILS(MANIFEST_SIGNATURE) },
	{ "optional: assay's log not anchored", BEFORE_PCRS, optional_assay_log_not_anchored,
	  FAILS(PCR_REQUIRED) },
	{ "optional: IMA's list not anchored", BEFORE_PCRS, optional_list_not_anchored,
	  FAILS(PCR_REQUIRED) },
	{ "optional: IMA's list changed", BEFORE_PCRS, optional_list_of_another_boot,
	  FAILS(IMA_LOG_DIGESTS) },
	{ "optional: IMA's list broken", AT_MARSHALLED, optional_list_broken,
	  FAILS(IMA_LOG_PARSED) },
	{ "good: IMA's list is absent by the policy", BEFORE_PCRS, list_absent, TRUSTED },
	{ NULL, BEFORE_PCRS, NULL, 0 },
};
