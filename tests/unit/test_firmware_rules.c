// SPDX-License-Identifier: MIT
/*
 * Rules on the events of a firmware's log: those that are learned from a real log hold for it, and
 * each thing that changes breaks the rule that is about it, and no other.
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/content.h"
#include "firmware/diff.h"
#include "firmware/learn.h"
#include "log_builder.h"
#define _GNU_SOURCE /* memmem() */
#include "support.h"
#include "verify/policy.h"
#include "verify/policy_import.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ALL_PCRS 0xffffffU

static const char *const rule_names[] = {
	"secure boot", "keys",	   "dbx", "authorities",  "platform", "drivers",   "programs",
	"files",       "sections", "mok", "command line", "phases",   "separator",
};

/* A log all of whose PCRs a quote proves in SHA-256. */
static struct firmware_log proven(struct bytes log, uint32_t pcrs)
{
	return (struct firmware_log){ .log = log,
				      .banks = { { ASSAY_HASH_SHA256, pcrs } },
				      .bank_count = 1 };
}

/* The policy that has these rules, a copy of @rules with @change over it. */
static void policy_of(const json_t *rules, const char *change, struct policy *ret)
{
	json_t *policy = json_pack("{s:i, s:s, s:o}", "assay", 1, "type", "policy", "firmware",
				   json_deep_copy(rules));
	json_t *changes = change ? json_loads(change, 0, NULL) : json_object();
	struct assay_error err;
	char *text;

	assert_non_null(changes);
	json_object_update(json_object_get(policy, "firmware"), changes);
	text = json_dumps(policy, 0);
	if (policy_parse(support_text(text), ret, &err) < 0)
		fail_msg("%s: %s", err.text, text);
	free(text);
	json_decref(changes);
	json_decref(policy);
}

static void keep_finding(void *context, const char *text)
{
	char *first = context;

	if (!first[0])
		snprintf(first, 512, "%s", text);
}

/* Which rules a log breaks; @first: the first finding. */
static uint32_t judge_all(const struct firmware_rules *rules, const struct firmware_log *log,
			  char first[static 512])
{
	uint32_t broken = 0;

	first[0] = '\0';
	for (unsigned int rule = 0; rule < FIRMWARE_RULES; rule++) {
		struct firmware_result result = { 0 };
		struct assay_error err;

		if (!firmware_asks(rules, (enum firmware_rule)rule))
			continue;
		if (firmware_judge(rules, (enum firmware_rule)rule, log, keep_finding, first,
				   &result, &err) < 0)
			fail_msg("%s: %s", rule_names[rule], err.text);
		if (result.findings > 0 || result.missing)
			broken |= UINT32_C(1) << rule;
	}
	return broken;
}

static json_t *learn(const struct firmware_log *log)
{
	struct assay_error err;
	json_t *rules;
	uint32_t pcrs;

	if (firmware_learn(log, &rules, &pcrs, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(pcrs & 1U << 7);
	return rules;
}

static void what_is_learned_holds(void **state)
{
	static const struct {
		const char *file;
		uint32_t rules; /* that there are */
	} logs[] = {
		{ "uefi/keylime-secureboot.bin", 0x6ff },
		{ "uefi/tpm2tools-event-moklisttrusted.bin", 0x6ff },
		{ "uefi/tpm2tools-event-postcode.bin", 0x4ff },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 0x496 },
		{ "uefi/tpm2tools-event-arch-linux.bin", 0x476 },
		{ "uefi/goattest-crypto_agile_eventlog", 0x56 },
		{ "uefi/goattest-sb_cert_eventlog", 0x5f },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		struct buffer log = log_test_data(logs[i].file);
		struct firmware_log all = proven(buffer_bytes(&log), ALL_PCRS);
		json_t *rules = learn(&all);
		uint32_t there = 0;
		struct policy policy;
		char first[512];

		policy_of(rules, NULL, &policy);
		if (judge_all(&policy.rules.firmware, &all, first) != 0)
			fail_msg("%s: %s", logs[i].file, first);
		for (unsigned int rule = 0; rule < FIRMWARE_RULES; rule++)
			there |= (uint32_t)firmware_asks(&policy.rules.firmware,
							 (enum firmware_rule)rule)
				 << rule;
		if (there != logs[i].rules)
			fail_msg("%s: rules 0x%x", logs[i].file, there);
		policy_free(&policy);
		json_decref(rules);
		buffer_free(&log);
	}
}

#define RULE(name) (UINT32_C(1) << FIRMWARE_RULE_##name)
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* A policy in which one thing is another. */
static void each_rule_is_broken_by_itself(void **state)
{
	static const struct {
		const char *change;
		uint32_t broken;
		const char *says;
	} rows[] = {
		{ "{}", 0, "" },
		{ "{\"keys\": {\"PK\": {\"digests\": [\"sha256:" ZEROS "\"]}}}", RULE(KEYS),
		  "PK is not the policy's (event 5 of PCR 7): PK: 1 X.509: "
		  "emailAddress=secalert@redhat.com,CN=Red Hat Secure Boot" },
		{ "{\"keys\": {\"db\": {\"only\": [\"sha256:" ZEROS "\"]}}}", RULE(KEYS),
		  "db has an entry that the policy does not have: sha256:" },
		{ "{\"keys\": {\"dbx\": {\"contains\": [\"sha256:" ZEROS "\"]}}}", RULE(DBX),
		  "dbx lacks sha256:" ZEROS },
		/* The certificate of Microsoft's KEK of 2011, as everybody has it. */
		{ "{\"keys\": {\"KEK\": {\"contains\": [\"sha256:"
		  "a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503\"]}}}",
		  0, "" },
		{ "{\"authorities\": [\"sha256:" ZEROS "\"]}", RULE(AUTHORITIES),
		  "event 27 of PCR 7 is "
		  "sha256:4d4a8e2c74133bbdc01a16eaf2dbb5d575afeb36f5d8dfcf609ae043"
		  "909e2ee9, none of \"authorities\": db: CN=Microsoft Corporation UEFI CA 2011" },
		{ "{\"platform\": {\"x\": [\"sha256:" ZEROS "\"]}}", RULE(PLATFORM),
		  "event 1 of PCR 0 is sha256:" },
		{ "{\"drivers\": {\"x\": [\"sha256:" ZEROS "\"]}}", RULE(DRIVERS),
		  "event 14 of PCR 2 is sha256:" },
		{ "{\"programs\": {\"shim\": [\"sha256:" ZEROS "\"]}}", RULE(PROGRAMS),
		  "event 29 of PCR 4 is sha256:" },
		/* What is no file may be a command line. */
		{ "{\"files\": {\"x\": [\"sha256:" ZEROS "\"]}}", RULE(FILES) | RULE(COMMAND_LINE),
		  "event 36 of PCR 9 is sha256:" },
		{ "{\"mok\": {\"MokList\": [\"sha256:" ZEROS "\"]}}", RULE(MOK),
		  "event 30 of PCR 14 is sha256:" },
		{ "{\"sections\": {\".linux\": [\"sha256:" ZEROS "\"]}}", RULE(SECTIONS),
		  "\".linux\" was not measured into PCR 11" },
		{ "{\"command_lines\": [\"quiet\"]}", RULE(COMMAND_LINE),
		  "event 94 of PCR 8 is no command line of the policy: kernel command line \"(hd0,"
		  "gpt2)/vmlinuz" },
		{ "{\"command_lines\": [\"(hd0,gpt2)/vmlinuz-* root=/dev/mapper/rhel_rhel--9-root "
		  "ro "
		  "*\"]}",
		  0, "" },
		{ "{\"command_lines\": [\"*init=/bin/sh\"]}", RULE(COMMAND_LINE),
		  "event 94 of PCR 8 is no command line" },
		{ "{\"commands\": [\"set pager=1\"]}", RULE(COMMAND_LINE),
		  "event 38 of PCR 8 is no command line of the policy: grub command \"search" },
	};
	struct buffer log = log_test_data("uefi/keylime-secureboot.bin");
	struct firmware_log all = proven(buffer_bytes(&log), ALL_PCRS);
	json_t *rules = learn(&all);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct policy policy;
		char first[512];
		uint32_t broken;

		policy_of(rules, rows[i].change, &policy);
		broken = judge_all(&policy.rules.firmware, &all, first);
		if (broken != rows[i].broken ||
		    strncmp(first, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("row %d: 0x%x: %s", (int)i, broken, first);
		policy_free(&policy);
	}
	json_decref(rules);
	buffer_free(&log);
}

/* The event's first byte in the log. */
static size_t offset_of(struct bytes log, uint64_t number)
{
	struct uefi_reader reader;
	struct uefi_event event;

	assert_int_equal(uefi_open(&reader, log, NULL), 0);
	do
		assert_int_equal(uefi_next(&reader, &event, NULL), 1);
	while (event.number < number);
	uefi_close(&reader);
	return event.offset;
}

/* One byte of event @number of PCR 7 to 9 changed: in its type, or in its data. */
static void what_no_digest_covers_does_not_count(void **state)
{
	static const struct {
		uint64_t number;
		size_t at; /* in the event */
		uint8_t to;
		uint32_t broken;
	} rows[] = {
		/* SecureBoot's type becomes EV_ACTION: it is a variable still. */
		{ 4, 4, 0x05, 0 },
		/* dbx is hidden as who vouched for something. */
		{ 8, 4, 0xe0, RULE(DBX) },
		/* Its name becomes another: the digest is not that of the data any more. */
		{ 8, 140 + 32, 'c',
		  RULE(SECURE_BOOT) | RULE(KEYS) | RULE(DBX) | RULE(AUTHORITIES) },
		/* The separator of PCR 7 is called an action: it ends what the firmware says still.
		 */
		{ 9, 4, 0x05, 0 },
		/* The kernel's command line is called grub's command. */
		{ 94, 5, 1, 0 },
		/* The program's type becomes that of an action: it is judged still. */
		{ 35, 4, 0x07, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer log = log_test_data("uefi/keylime-secureboot.bin");
		struct firmware_log all = proven(buffer_bytes(&log), ALL_PCRS);
		json_t *rules = learn(&all);
		struct policy policy;
		char first[512];
		uint32_t broken;

		policy_of(rules, NULL, &policy);
		log.data[offset_of(buffer_bytes(&log), rows[i].number) + rows[i].at] = rows[i].to;
		broken = judge_all(&policy.rules.firmware, &all, first);
		if (broken != rows[i].broken)
			fail_msg("row %d: 0x%x: %s", (int)i, broken, first);
		policy_free(&policy);
		json_decref(rules);
		buffer_free(&log);
	}
}

/* What is not proven is not judged, and is not learned. */
static void what_is_not_proven(void **state)
{
	struct buffer log = log_test_data("uefi/keylime-secureboot.bin");
	struct firmware_log all = proven(buffer_bytes(&log), ALL_PCRS);
	struct firmware_log some = proven(buffer_bytes(&log), 1U << 4 | 1U << 7);
	json_t *rules = learn(&all), *less = learn(&some);
	struct policy policy;
	char first[512];

	(void)state;
	policy_of(rules, NULL, &policy);
	assert_int_equal(judge_all(&policy.rules.firmware, &some, first),
			 RULE(PLATFORM) | RULE(DRIVERS) | RULE(FILES) | RULE(MOK) |
				 RULE(COMMAND_LINE));
	assert_string_equal(first, "");
	assert_null(json_object_get(less, "platform"));
	assert_null(json_object_get(less, "command_lines"));
	assert_int_equal(json_object_size(json_object_get(less, "programs")), 3);
	/* In a bank that proves nothing, digests of another do not count. */
	some.banks[0].hash = ASSAY_HASH_SHA384;
	assert_true(judge_all(&policy.rules.firmware, &some, first) & RULE(PROGRAMS));
	policy_free(&policy);
	json_decref(rules);
	json_decref(less);
	buffer_free(&log);
}

/* ---------------------------------------------------------------- Keylime's reference state */

static void count_warning(void *context, const char *text)
{
	print_message("%s\n", text);
	++*(size_t *)context;
}

static json_t *import(struct bytes text, size_t *warnings, struct assay_error *err)
{
	json_t *policy = json_pack("{s:i, s:s}", "assay", 1, "type", "policy");

	*warnings = 0;
	if (policy_import(text, policy, count_warning, warnings, err) == 0)
		return policy;
	json_decref(policy);
	return NULL;
}

/* What Keylime's own tool made of a log holds for that log, but for what it does not look at. */
static void a_reference_state_of_keylime(void **state)
{
	struct buffer text = log_test_data("import/keylime-mb-refstate.json");
	struct buffer log = log_test_data("uefi/keylime-secureboot.bin");
	struct firmware_log all = proven(buffer_bytes(&log), ALL_PCRS);
	struct assay_error err;
	struct policy policy;
	json_t *imported, *rules;
	char first[512];
	size_t warnings;

	(void)state;
	imported = import(buffer_bytes(&text), &warnings, &err);
	if (!imported)
		fail_msg("%s", err.text);
	assert_int_equal(warnings, 4);
	rules = json_object_get(imported, "firmware");
	policy_of(rules, NULL, &policy);
	/* grub's configuration, which might be a command line, and MokListTrusted. */
	assert_int_equal(judge_all(&policy.rules.firmware, &all, first),
			 RULE(FILES) | RULE(COMMAND_LINE) | RULE(MOK));
	assert_true(firmware_asks(&policy.rules.firmware, FIRMWARE_RULE_COMMAND_LINE));
	assert_int_equal(policy.rules.firmware.keys[FIRMWARE_DBX].contains.count, 371);
	policy_free(&policy);
	/* Another kernel, and another certificate in db. */
	policy_of(rules,
		  "{\"keys\": {\"db\": {\"only\": [\"sha256:" ZEROS "\"]}}, \"programs\": "
		  "{\"shim\": [\"sha256:" ZEROS "\"]}}",
		  &policy);
	assert_int_equal(judge_all(&policy.rules.firmware, &all, first),
			 RULE(FILES) | RULE(COMMAND_LINE) | RULE(MOK) | RULE(KEYS) |
				 RULE(PROGRAMS));
	policy_free(&policy);
	json_decref(imported);
	buffer_free(&log);
	buffer_free(&text);
}

static void reference_states_that_are_off(void **state)
{
#define STATE(scrtm, pk, kernels)                                                                \
	"{\"scrtm_and_bios\": " scrtm ", \"pk\": " pk ", \"kek\": [], \"db\": [], \"dbx\": [], " \
	"\"mokdig\": [], \"mokxdig\": [], \"kernels\": " kernels "}"
#define SCRTM "[{\"scrtm\": {\"sha256\": \"0x" ZEROS "\"}, \"platform_firmware\": []}]"
#define KERNEL(line) "[{\"shim_authcode_sha256\": \"0x" ZEROS "\", \"kernel_cmdline\": " line "}]"
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ STATE(SCRTM, "[]", KERNEL("\"quiet\"")), NULL },
		{ STATE("{}", "[]", KERNEL("\"quiet\"")), "\"scrtm_and_bios\" is not an array" },
		{ STATE("[{}]", "[]", KERNEL("\"quiet\"")), "\"scrtm\" is not an object" },
		{ STATE("[{\"scrtm\": {\"sha1\": \"0x00\"}}]", "[]", KERNEL("\"quiet\"")),
		  "\"scrtm\" has no digest of SHA-256" },
		{ STATE("[{\"scrtm\": {\"sha256\": \"" ZEROS "\"}}]", "[]", KERNEL("\"quiet\"")),
		  "\"scrtm\" is no digest" },
		{ STATE("[{\"scrtm\": {\"sha256\": \"0x00\"}}]", "[]", KERNEL("\"quiet\"")),
		  "\"scrtm\" is no digest" },
		{ STATE(SCRTM, "5", KERNEL("\"quiet\"")), "\"pk\" is not an array" },
		{ STATE(SCRTM, "[{\"SignatureData\": \"00\"}]", KERNEL("\"quiet\"")),
		  "\"pk\" has an entry without SignatureData" },
		{ STATE(SCRTM, "[]", "[]"), "\"kernels\" is not an array" },
		{ STATE(SCRTM, "[]", "[1]"), "\"kernels\" is not an array of objects" },
		{ STATE(SCRTM, "[]", "[{\"shim_authcode_sha256\": 1}]"), "is no digest" },
		{ STATE(SCRTM, "[]", KERNEL("7")), "\"kernel_cmdline\" is not a text" },
	};
	size_t warnings;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		json_t *policy = import(support_text(rows[i].text), &warnings, &err);

		if (!policy != !!rows[i].error)
			fail_msg("row %d: %s", (int)i, err.text);
		if (rows[i].error)
			support_assert_error(&err, rows[i].error);
		json_decref(policy);
	}
}

/* ---------------------------------------------------------------- two boots */

struct seen {
	const char *area, *says;
	bool found;
};

static void look_for(void *context, const struct firmware_change *change)
{
	print_message("%s %s\n", change->area, change->text);
	for (struct seen *seen = context; seen->area; seen++)
		seen->found |= strcmp(seen->area, change->area) == 0 &&
			       strncmp(seen->says, change->text, strlen(seen->says)) == 0;
}

/* Two machines of the same kind, one a year and a half older. */
static void what_is_another_is_told(void **state)
{
	struct seen seen[] = {
		{ "firmware", "the firmware's version was 0x0000, and is \"edk2-20240524-7.el9\"",
		  false },
		{ "keys", "db has 2 entries more: CN=Windows UEFI CA 2023,", false },
		{ "keys", "dbx has 371 entries more: sha256:", false },
		{ "keys", "dbx lacks 1 entry that it had: sha256:e3b0c442", false },
		{ "programs", "the program ", false },
		{ "files",
		  "the initrd was \"(hd0,gpt2)/initramfs-5.14.0-130.el9.x86_64.img\", and is "
		  "\"(hd0,gpt2)/initramfs-5.14.0-503.",
		  false },
		{ "files", "the kernel was \"(hd0,gpt2)/vmlinuz-5.14.0-130.", false },
		{ "command-line", "the kernel's command line was \"(hd0,gpt2)/vmlinuz-5.14.0-130",
		  false },
		{ "mok", "\"MokList\" is another", false },
		{ NULL, NULL, false },
	};
	struct buffer before = log_test_data("uefi/tpm2tools-event-moklisttrusted.bin");
	struct buffer after = log_test_data("uefi/keylime-secureboot.bin");
	struct buffer none = log_test_data("uefi/tpm2tools-event-uefi-sha1-log.bin");
	struct assay_error err;

	(void)state;
	assert_int_equal(
		firmware_diff(buffer_bytes(&after), buffer_bytes(&after), look_for, seen, &err), 0);
	assert_true(firmware_diff(buffer_bytes(&before), buffer_bytes(&after), look_for, seen,
				  &err) > 0);
	for (size_t i = 0; seen[i].area; i++)
		if (!seen[i].found)
			fail_msg("not told: %s", seen[i].says);
	assert_int_equal(
		firmware_diff(buffer_bytes(&none), buffer_bytes(&after), look_for, seen, &err),
		-ENOTSUP);
	support_assert_error(&err, "no bank in common");
	assert_true(firmware_diff(buffer_bytes(&none), BYTES(after.data, after.size - 1), look_for,
				  seen, &err) < 0);
	support_assert_error(&err, "the second log");
	buffer_free(&none);
	buffer_free(&before);
	buffer_free(&after);
}

/* Linux's EFI stub names what it measured. */
static void an_initrd_that_is_another_is_named_once(void **state)
{
	struct seen seen[] = {
		{ "files", "the initrd, by Linux's EFI stub (\"Linux initrd\") is another", false },
		{ NULL, NULL, false },
	};
	struct buffer before = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	struct buffer after = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	uint8_t *text = memmem(after.data, after.size, "Linux initrd", strlen("Linux initrd"));
	struct assay_error err;

	(void)state;
	assert_non_null(text);
	/* Of the last digest; between are the sizes of the event and of the text, and the tag. */
	text[-13] ^= 1;
	assert_int_equal(
		firmware_diff(buffer_bytes(&before), buffer_bytes(&after), look_for, seen, &err),
		1);
	if (!seen[0].found)
		fail_msg("not told: %s", seen[0].says);
	buffer_free(&before);
	buffer_free(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_learned_holds),
		cmocka_unit_test(each_rule_is_broken_by_itself),
		cmocka_unit_test(what_no_digest_covers_does_not_count),
		cmocka_unit_test(what_is_not_proven),
		cmocka_unit_test(a_reference_state_of_keylime),
		cmocka_unit_test(reference_states_that_are_off),
		cmocka_unit_test(what_is_another_is_told),
		cmocka_unit_test(an_initrd_that_is_another_is_named_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
