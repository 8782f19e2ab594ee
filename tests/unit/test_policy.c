// SPDX-License-Identifier: MIT
/*
 * Policies: what each member does to the rules, and what is refused, with the path of
 * the member that is off. The schema that is published knows the same members.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "log/uefi.h"
#include "log_builder.h"
#include "verify/policy.h"

#define HEAD "{\"assay\": 1, \"type\": \"policy\""
#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define SHA256_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct policy *ret, struct assay_error *err)
{
	return policy_parse(BYTES((const uint8_t *)text, strlen(text)), ret, err);
}

static void must_parse(const char *text, struct policy *ret)
{
	struct assay_error err;

	if (parse(text, ret, &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

/* ---------------------------------------------------------------- what is refused */

static const struct {
	const char *members, *says;
} bad[] = {
	{ "", "assay" }, /* see test_refused(): without the head */
	{ ", \"assay\": 1", "JSON" },
	{ ", \"assay_pcr\": 14", "\"assay_pcr\" is not known" },
	{ ", \"x\\u001b[31m\": 14", "\"x\\x1b[31m\" is not known" },
	{ ", \"description\": \"\"", "\"description\" is empty" },
	{ ", \"description\": 5", "\"description\" is not a string" },
	{ ", \"require\": \"files-known\"", "\"require\" is not an array" },
	{ ", \"require\": [\"files-knwon\"]", "\"require[0]\" names no check" },
	{ ", \"require\": [\"files-known\", 1]", "\"require[1]\" names no check" },
	{ ", \"waive\": [\"files-known\"]", "\"waive\" is not an object" },
	{ ", \"waive\": {\"files-none\": \"why\"}", "\"waive.files-none\" names no check" },
	{ ", \"waive\": {\"files-known\": \"\"}", "\"waive.files-known\" is empty" },
	{ ", \"waive\": {\"quote-nonce\": \"slow\"}", "\"waive.quote-nonce\" cannot be waived" },
	{ ", \"ak\": [\"r.pem\"]", "\"ak\" is not an object" },
	{ ", \"ak\": {}", "\"ak\" has no \"roots\"" },
	{ ", \"ak\": {\"roots\": []}", "\"ak\" has no \"roots\"" },
	{ ", \"ak\": {\"crls\": [\"r.crl\"]}", "\"ak\" has no \"roots\"" },
	{ ", \"ak\": {\"roots\": \"r.pem\"}", "\"ak.roots\" is not an array" },
	{ ", \"ak\": {\"roots\": [\"\"]}", "\"ak.roots[0]\" is empty" },
	{ ", \"ak\": {\"roots\": [{\"der\": \"x\"}]}", "\"ak.roots[0]\" is neither a file" },
	{ ", \"ak\": {\"roots\": [\"r\"], \"intermediates\": [\"i\", 1]}",
	  "\"ak.intermediates[1]\" is neither a file" },
	{ ", \"ak\": {\"roots\": [\"r\"], \"crls\": {}}", "\"ak.crls\" is not an array" },
	{ ", \"ak\": {\"roots\": [\"r\"], \"vouched\": 1}",
	  "\"ak.vouched\" is neither true nor false" },
	{ ", \"ak\": {\"root\": [\"r\"]}", "\"ak.root\" is not known" },
	{ ", \"algorithms\": []", "\"algorithms\" is not an object" },
	{ ", \"algorithms\": {\"hashes\": [\"sha1\"]}",
	  "\"algorithms.hashes[0]\" is no algorithm" },
	{ ", \"algorithms\": {\"signatures\": [\"hmac\"]}", "\"algorithms.signatures[0]\"" },
	{ ", \"algorithms\": {\"curves\": [256]}", "\"algorithms.curves[0]\"" },
	{ ", \"algorithms\": {\"curves\": \"p256\"}", "\"algorithms.curves\" is not an array" },
	{ ", \"algorithms\": {\"rsa_bits\": 1024}", "\"algorithms.rsa_bits\" is not a whole" },
	{ ", \"nonce_bytes\": 7", "\"nonce_bytes\" is not a whole number from 8 to 64" },
	{ ", \"nonce_bytes\": 1", "\"nonce_bytes\" is not a whole number from 8 to 64" },
	{ ", \"nonce_bytes\": -1", "\"nonce_bytes\"" },
	{ ", \"nonce_bytes\": 65", "\"nonce_bytes\"" },
	{ ", \"nonce_bytes\": \"16\"", "\"nonce_bytes\"" },
	{ ", \"nonce_bytes\": 16.0", "\"nonce_bytes\"" },
	{ ", \"max_age\": 0", "\"max_age\" is not a whole number from 1" },
	{ ", \"max_age\": -1", "\"max_age\"" },
	{ ", \"max_age\": 9223372036854775807", "\"max_age\"" },
	{ ", \"max_age\": 9223372036854775808", "JSON" },
	{ ", \"pcrs\": {\"required\": [24]}", "\"pcrs.required[0]\" is not a whole" },
	{ ", \"pcrs\": {\"required\": [0, 1, -1]}", "\"pcrs.required[2]\"" },
	{ ", \"pcrs\": {\"required\": 7}", "\"pcrs.required\" is not an array" },
	{ ", \"pcrs\": {\"assay\": 24}", "\"pcrs.assay\"" },
	{ ", \"pcrs\": {\"ima\": 14}", "\"pcrs.ima\" is the PCR of assay's log too" },
	{ ", \"pcrs\": {\"imma\": 14}", "\"pcrs.imma\" is not known" },
	{ ", \"pcrs\": {\"values\": []}", "\"pcrs.values\" is not an object" },
	{ ", \"pcrs\": {\"values\": {\"7\": [\"00\"]}}", "\"pcrs.values.7\" names no PCR" },
	{ ", \"pcrs\": {\"values\": {\"sha256:07\": [\"00\"]}}",
	  "\"pcrs.values.sha256:07\" names" },
	{ ", \"pcrs\": {\"values\": {\"sha256:24\": [\"00\"]}}",
	  "\"pcrs.values.sha256:24\" names" },
	{ ", \"pcrs\": {\"values\": {\"sha256:\": [\"00\"]}}", "names no PCR" },
	{ ", \"pcrs\": {\"values\": {\"sha256:7 \": [\"00\"]}}", "names no PCR" },
	{ ", \"pcrs\": {\"values\": {\"md5:7\": [\"00\"]}}", "names no PCR" },
	{ ", \"pcrs\": {\"values\": {\"sha256sha256:7\": [\"00\"]}}", "names no PCR" },
	{ ", \"pcrs\": {\"values\": {\"sha256:7\": []}}", "\"pcrs.values.sha256:7\" is empty" },
	{ ", \"pcrs\": {\"values\": {\"sha256:7\": [\"00\"]}}",
	  "\"pcrs.values.sha256:7[0]\" is not" },
	{ ", \"pcrs\": {\"values\": {\"sha256:7\": [\"" SHA256_TEXT "00\"]}}",
	  "is not a value of 32" },
	{ ", \"pcrs\": {\"values\": {\"sha1:7\": [\"" SHA256_TEXT "\"]}}", "is not a value of 20" },
	{ ", \"start\": \"sha256:00\"", "\"start\" is not an array" },
	{ ", \"start\": []", "\"start\" is empty" },
	{ ", \"start\": [\"sha256:00\"]", "\"start[0]\" is not a digest" },
	{ ", \"start\": [\"" SHA256_TEXT "\"]", "\"start[0]\" is not a digest" },
	{ ", \"root\": \"mnt\"", "\"root\" is not an absolute path" },
	{ ", \"manifests\": \"m.jsonl\"", "\"manifests\" is not an array" },
	{ ", \"manifests\": [\"m.jsonl\", \"\"]", "\"manifests[1]\" is empty" },
	{ ", \"certificates\": [5]", "\"certificates[0]\" is neither" },
	{ ", \"certificates\": [{\"pem\": \"x\", \"der\": \"y\"}]",
	  "\"certificates[0]\" is neither" },
	{ ", \"certificates\": [{\"pem\": \"\"}]", "\"certificates[0].pem\" is empty" },
	{ ", \"allow\": {}", "\"allow\" is not an array" },
	{ ", \"allow\": [\"/etc\"]", "\"allow[0]\" is not an object" },
	{ ", \"allow\": [{\"path\": \"/etc\"}]", "\"allow[0]\" has no \"reason\"" },
	{ ", \"allow\": [{\"reason\": \"x\"}]", "\"allow[0]\" has no \"path\"" },
	{ ", \"allow\": [{\"path\": \"/etc\", \"reason\": \"x\", \"why\": 1}]",
	  "\"allow[0].why\"" },
	{ ", \"allow\": [{\"path\": \"/etc\", \"reason\": \"x\", \"digests\": []}]",
	  "\"allow[0].digests\" is empty" },
	{ ", \"allow\": [{\"path\": \"/etc\", \"reason\": \"x\", \"digests\": [\"md5:00\"]}]",
	  "\"allow[0].digests[0]\"" },
	{ ", \"log\": {\"unknown_records\": \"ignore\"}",
	  "\"log.unknown_records\" is neither \"refuse\" nor \"accept\"" },
	{ ", \"log\": {\"unknown_records\": true}", "\"log.unknown_records\" is neither" },
	{ ", \"log\": {\"protection\": \"none\"}", "\"log.protection\" is neither" },
	{ ", \"ima\": {\"required\": \"no\"}", "\"ima.required\" is neither true nor false" },
	{ ", \"ima\": {\"violations\": \"report\"}", "\"ima.violations\" is neither" },
	{ ", \"ima\": {\"digests\": []}", "\"ima.digests\" is not an object" },
	{ ", \"ima\": {\"digests\": {\"/x\": \"sha256:00\"}}",
	  "\"ima.digests./x\" is not an array" },
	{ ", \"ima\": {\"digests\": {\"/x\": []}}", "\"ima.digests./x\" is empty" },
	{ ", \"ima\": {\"digests\": {\"/x\": [\"" SHA256_TEXT "\"]}}", "\"ima.digests./x[0]\"" },
	{ ", \"ima\": {\"certificates\": [{}]}", "\"ima.certificates[0]\" is neither" },
	{ ", \"ima\": {\"boot_aggregate\": \"any\"}", "\"ima.boot_aggregate\" is neither" },
	{ ", \"ima\": {\"unknown_files\": false}", "\"ima.unknown_files\" is neither" },
	{ ", \"uefi\": {\"extended_later\": [11, 7]}",
	  "\"uefi.extended_later\" names a PCR below 8" },
	{ ", \"uefi\": {\"extended_later\": [11, 11]}",
	  "\"uefi.extended_later[1]\" is named already" },
	{ ", \"uefi\": {\"extended_later\": [24]}", "\"uefi.extended_later[0]\" is not" },
	{ ", \"logs\": [\"ima\"]", "\"logs\" is not an object" },
	{ ", \"logs\": {\"ima\": true}",
	  "\"logs.ima\" is none of \"required\", \"optional\" and \"absent\"" },
	{ ", \"logs\": {\"assay_log\": \"no\"}", "\"logs.assay_log\" is none of" },
	{ ", \"logs\": {\"uefi\": 1}", "\"logs.uefi\" is none of" },
	{ ", \"logs\": {\"assay\": \"absent\"}", "\"logs.assay\" is not known" },
	{ ", \"uefi\": {\"log\": true}", "\"uefi.log\" is neither" },
	{ ", \"uefi\": {\"accept\": \"after-separator\"}", "\"uefi.accept\" is not an array" },
	{ ", \"uefi\": {\"accept\": [\"after-seperator\"]}", "\"uefi.accept[0]\" names no rule" },
	{ ", \"uefi\": {\"accept\": [\"after-separator\", 1]}",
	  "\"uefi.accept[1]\" names no rule" },
	{ ", \"uefi\": {\"accept\": [\"after-separator\", \"after-separator\"]}",
	  "\"uefi.accept[1]\" is named already" },
	{ ", \"device\": {\"firmware\": \"new\"}", "\"device.firmware\" is neither" },
	{ ", \"device\": {\"serial\": 1}", "\"device.serial\" is not known" },
	{ ", \"device\": {\"suspend\": true}", "\"device.suspend\" is neither" },
	{ ", \"pcrs\": {\"assay\": 16}", "\"pcrs.assay\" is PCR 16, which anybody may reset" },
	{ ", \"pcrs\": {\"ima\": 23}", "\"pcrs.ima\" is PCR 23, which anybody may reset" },
	{ ", \"strip_prefix\": \"mnt\"", "\"strip_prefix\" is not an absolute path" },
	{ ", \"manifest\": []", "\"manifest\" is not an object" },
	{ ", \"manifest\": {\"created\": \"x\"}", "\"manifest.created\" is not known" },
	{ ", \"manifest\": {\"min_created\": \"2026-02-30T00:00:00Z\"}",
	  "\"manifest.min_created\" is not a time" },
	{ ", \"manifest\": {\"min_created\": 1}", "\"manifest.min_created\" is not a time" },
	{ ", \"manifest\": {\"id\": \"\"}", "\"manifest.id\" is empty" },
	{ ", \"manifest\": {\"product\": 1}", "\"manifest.product\" is not a string" },
	{ ", \"filesystems\": \"" UUID "\"", "\"filesystems\" is not an array" },
	{ ", \"filesystems\": []", "\"filesystems\" is empty" },
	{ ", \"filesystems\": [\"" UUID "\", \"" UUID "0\"]", "\"filesystems[1]\" is not a UUID" },
	{ ", \"filesystems\": [\"01234567-89ab-cdef-0123-456789abcdeg\"]", "is not a UUID" },
	{ ", \"filesystems\": [\"0123456-789ab-cdef-0123-456789abcdef\"]", "is not a UUID" },
	{ ", \"filesystems\": [5]", "\"filesystems[0]\" is not a UUID" },
};

/* Two members about one thing of which one would undo the other: both are named. */
static const struct {
	const char *members, *says;
} contradictions[] = {
	{ ", \"waive\": {\"files-known\": \"x\"}, \"require\": [\"files-known\"]",
	  "\"require\" asks for the check files-known, and \"waive\" does without it" },
	{ ", \"require\": [\"files-known\"], \"waive\": {\"files-known\": \"x\"}",
	  "\"require\" asks for the check files-known, and \"waive\" does without it" },
	{ ", \"ima\": {\"required\": false}, \"require\": [\"ima-log-replay\"]",
	  "\"require\" asks for the check ima-log-replay, and \"ima.required\" does" },
	{ ", \"require\": [\"ima-log-violations\"], \"ima\": {\"required\": false}",
	  "\"require\" asks for the check ima-log-violations, and \"ima.required\" does" },
	{ ", \"ima\": {\"required\": false, \"boot_aggregate\": \"required\"}",
	  "\"ima.boot_aggregate\" asks for the check ima-boot-aggregate, and \"ima.required\"" },
	{ ", \"logs\": {\"ima\": \"optional\"}, \"ima\": {\"required\": true}",
	  "\"logs.ima\" and \"ima.required\" do not say the same" },
	{ ", \"logs\": {\"ima\": \"optional\"}, \"ima\": {\"required\": false}",
	  "\"logs.ima\" and \"ima.required\" do not say the same" },
	{ ", \"uefi\": {\"log\": \"optional\"}, \"logs\": {\"uefi\": \"absent\"}",
	  "\"logs.uefi\" and \"uefi.log\" do not say the same" },
	{ ", \"logs\": {\"assay_log\": \"absent\"}, \"log\": {\"late_tpm\": \"refuse\"}",
	  "\"log.late_tpm\" asks for the check assay-log-tpm, and \"logs.assay_log\" does" },
	{ ", \"logs\": {\"assay_log\": \"absent\"}, \"filesystems\": [\"" UUID "\"]",
	  "\"filesystems\" asks for the check files-filesystem, and \"logs.assay_log\" does" },
	{ ", \"logs\": {\"assay_log\": \"optional\"}, \"require\": [\"assay-log-replay\"]",
	  "\"require\" asks for the check assay-log-replay, and \"logs.assay_log\" does" },
	{ ", \"logs\": {\"ima\": \"optional\"}, \"require\": [\"ima-log-replay\"]",
	  "\"require\" asks for the check ima-log-replay, and \"logs.ima\" does" },
	{ ", \"logs\": {\"ima\": \"absent\"}, \"ima\": {\"boot_aggregate\": \"required\"}",
	  "\"ima.boot_aggregate\" asks for the check ima-boot-aggregate, and \"logs.ima\"" },
	{ ", \"logs\": {\"ima\": \"absent\", \"assay_log\": \"absent\"}, "
	  "\"ima\": {\"unknown_files\": \"refuse\"}",
	  "\"ima.unknown_files\" asks for the check ima-files-known, and \"logs.ima\" does" },
	{ ", \"logs\": {\"uefi\": \"absent\"}, \"require\": [\"uefi-log-events\"]",
	  "\"require\" asks for the check uefi-log-events, and \"logs.uefi\" does" },
	{ ", \"waive\": {\"reference-values\": \"x\"}", "cannot be waived" },
	{ ", \"waive\": {\"evidence-logs\": \"x\"}", "cannot be waived" },
	{ ", \"ima\": {\"required\": true}, \"waive\": {\"ima-log-parsed\": \"x\"}",
	  "\"ima.required\" asks for the check ima-log-parsed, and \"waive\" does" },
	{ ", \"log\": {\"late_tpm\": \"accept\"}, \"require\": [\"assay-log-tpm\"]",
	  "\"require\" asks for the check assay-log-tpm, and \"log.late_tpm\" does" },
	{ ", \"log\": {\"late_tpm\": \"refuse\"}, \"waive\": {\"assay-log-tpm\": \"x\"}",
	  "\"log.late_tpm\" asks for the check assay-log-tpm, and \"waive\" does" },
	{ ", \"log\": {\"protection\": \"required\"}, "
	  "\"waive\": {\"assay-log-protection\": \"x\"}",
	  "\"log.protection\" asks for the check assay-log-protection, and \"waive\"" },
	{ ", \"log\": {\"protection\": \"any\"}, \"require\": [\"assay-log-protection\"]",
	  "\"log.protection\" does without it" },
	{ ", \"ima\": {\"violations\": \"accept\"}, \"require\": [\"ima-log-violations\"]",
	  "\"require\" asks for the check ima-log-violations, and \"ima.violations\" does" },
	{ ", \"ima\": {\"violations\": \"refuse\"}, \"waive\": {\"ima-log-violations\": \"x\"}",
	  "\"ima.violations\" asks for the check ima-log-violations, and \"waive\"" },
	{ ", \"ima\": {\"unknown_files\": \"accept\"}, \"require\": [\"ima-files-known\"]",
	  "\"ima.unknown_files\" does without it" },
	{ ", \"ima\": {\"unknown_files\": \"refuse\"}, \"waive\": {\"ima-files-known\": \"x\"}",
	  "\"ima.unknown_files\" asks for the check ima-files-known" },
	{ ", \"ima\": {\"boot_aggregate\": \"if-possible\"}, "
	  "\"require\": [\"ima-boot-aggregate\"]",
	  "\"ima.boot_aggregate\" does without it" },
	{ ", \"uefi\": {\"log\": \"required\"}, \"waive\": {\"uefi-log-events\": \"x\"}",
	  "\"uefi.log\" asks for the check uefi-log-events, and \"waive\"" },
	{ ", \"uefi\": {\"log\": \"optional\"}, \"require\": [\"uefi-log-replay\"]",
	  "\"uefi.log\" does without it" },
	{ ", \"max_age\": 60, \"waive\": {\"quote-age\": \"x\"}",
	  "\"max_age\" asks for the check quote-age, and \"waive\" does without it" },
	{ ", \"pcrs\": {\"values\": {\"sha256:7\": [\"" SHA256_TEXT
	  "\"]}}, \"waive\": {\"pcr-values\": \"x\"}",
	  "\"pcrs.values\" asks for the check pcr-values, and \"waive\" does" },
	{ ", \"device\": {\"reset\": \"refuse\"}, \"waive\": {\"quote-counters\": \"x\"}",
	  "\"device.reset\" asks for the check quote-counters, and \"waive\" does" },
	{ ", \"device\": {\"firmware\": \"same\"}, \"waive\": {\"quote-firmware\": \"x\"}",
	  "\"device.firmware\" asks for the check quote-firmware, and \"waive\" does" },
	{ ", \"device\": {\"firmware\": \"any\"}, \"require\": [\"quote-firmware\"]",
	  "\"device.firmware\" does without it" },
	{ ", \"device\": {\"clock\": \"safe\"}, \"waive\": {\"quote-clock\": \"x\"}",
	  "\"device.clock\" asks for the check quote-clock, and \"waive\" does" },
	{ ", \"device\": {\"clock\": \"any\"}, \"require\": [\"quote-clock\"]",
	  "\"device.clock\" does without it" },
	{ ", \"manifest\": {\"id\": \"x\"}, \"waive\": {\"manifest-current\": \"x\"}",
	  "\"manifest\" asks for the check manifest-current, and \"waive\" does without it" },
	{ ", \"filesystems\": [\"" UUID "\"], \"waive\": {\"files-filesystem\": \"x\"}",
	  "\"filesystems\" asks for the check files-filesystem, and \"waive\" does without it" },
	{ ", \"require\": [\"boot-known\"], \"waive\": {\"boot-known\": \"x\"}",
	  "\"require\" asks for the check boot-known, and \"waive\" does without it" },
	/* What a check needs cannot be done without. */
	{ ", \"ima\": {\"boot_aggregate\": \"required\"}, \"waive\": {\"ima-log-start\": \"x\"}",
	  "\"ima.boot_aggregate\" asks for the check ima-boot-aggregate, which needs "
	  "ima-log-start, "
	  "and \"waive\" does without that" },
	{ ", \"require\": [\"uefi-log-events\"], \"waive\": {\"uefi-log-parsed\": \"x\"}",
	  "\"require\" asks for the check uefi-log-events, which needs uefi-log-parsed" },
	{ ", \"root\": \"/a\", \"strip_prefix\": \"/b\"", "\"strip_prefix\" is there twice" },
	{ ", \"require\": [\"files-known\", \"files-known\"]", "\"require[1]\" is named already" },
	{ ", \"pcrs\": {\"required\": [7, 7]}", "\"pcrs.required[1]\" is named already" },
	/* A member that is there twice, whatever it says. */
	{ ", \"max_age\": 60, \"max_age\": 60", "duplicate object key" },
	{ ", \"log\": {\"trimmed\": \"refuse\", \"trimmed\": \"accept\"}", "duplicate object key" },
	{ ", \"waive\": {\"files-known\": \"x\", \"files-\\u006bnown\": \"y\"}",
	  "duplicate object key" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct policy policy = { 0 };
		struct assay_error err = { 0 };
		char text[1024];
		int r;

		snprintf(text, sizeof(text), i == 0 ? "{%s}" : HEAD "%s}", bad[i].members);
		r = parse(text, &policy, &err);
		if (r != -EBADMSG || !strstr(err.text, bad[i].says))
			fail_msg("%s: %d, \"%s\" does not say %s", text, r, err.text, bad[i].says);
		assert_null(policy.json);
	}
}

static void test_contradictions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		struct policy policy = { 0 };
		struct assay_error err = { 0 };
		char text[1024];

		snprintf(text, sizeof(text), HEAD "%s}", contradictions[i].members);
		if (parse(text, &policy, &err) != -EBADMSG ||
		    !strstr(err.text, contradictions[i].says))
			fail_msg("%s: \"%s\" does not say %s", text, err.text,
				 contradictions[i].says);
	}
}

/* Statements of one meaning may stand beside each other. */
static void test_agreement(void **state)
{
	static const char *const rows[] = {
		", \"max_age\": 60, \"require\": [\"quote-age\"]",
		", \"log\": {\"late_tpm\": \"refuse\"}, \"require\": [\"assay-log-tpm\"]",
		", \"log\": {\"late_tpm\": \"accept\"}, \"waive\": {\"assay-log-tpm\": \"x\"}",
		", \"ima\": {\"required\": false, \"violations\": \"refuse\"}",
		", \"ima\": {\"required\": false, \"unknown_templates\": \"accept\"}",
		", \"uefi\": {\"log\": \"optional\"}, \"waive\": {\"uefi-log-replay\": \"x\"}",
		", \"device\": {\"reset\": \"refuse\", \"suspend\": \"refuse\"}",
		", \"device\": {\"reset\": \"accept\", \"suspend\": \"accept\"}",
		/* Resets are refused, and of restarts those that a suspend makes are not. */
		", \"device\": {\"reset\": \"refuse\", \"suspend\": \"accept\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[512];

		snprintf(text, sizeof(text), HEAD "%s}", rows[i]);
		must_parse(text, &policy);
		policy_free(&policy);
	}
}

/* The options of a command are statements as well. */
static void test_options(void **state)
{
	static const struct {
		const char *members;
		check_mask waived;
		bool no_ima_log;
		const char *says;
	} rows[] = {
		{ ", \"require\": [\"files-complete\"]", CHECK_BIT(CHECK_FILES_COMPLETE), false,
		  "\"require\" asks for the check files-complete, and \"--waive\" does" },
		{ ", \"max_age\": 60", CHECK_BIT(CHECK_QUOTE_AGE), false,
		  "\"max_age\" asks for the check quote-age, and \"--waive\" does" },
		{ ", \"ima\": {\"required\": true}", 0, true,
		  "\"ima.required\" asks for the check ima-log-parsed, and \"--no-ima-log\"" },
		{ ", \"ima\": {\"unknown_files\": \"refuse\"}", 0, true,
		  "\"ima.unknown_files\" asks for the check ima-files-known, and "
		  "\"--no-ima-log\"" },
		{ ", \"ima\": {\"required\": false}", 0, true, NULL },
		{ ", \"waive\": {\"files-complete\": \"x\"}", CHECK_BIT(CHECK_FILES_COMPLETE),
		  false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		struct policy policy;
		char text[512];
		int r;

		snprintf(text, sizeof(text), HEAD "%s}", rows[i].members);
		must_parse(text, &policy);
		policy.said.option_waived = rows[i].waived;
		policy.said.option_no_ima_log = rows[i].no_ima_log;
		r = policy_derive(&policy, &err);
		if (r != (rows[i].says ? -EBADMSG : 0) ||
		    (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d \"%s\"", rows[i].members, r, err.text);
		policy_free(&policy);
	}
}

static void test_head(void **state)
{
	static const char *const heads[] = {
		"",
		"[]",
		"{\"type\": \"policy\"}",
		"{\"assay\": 1}",
		"{\"assay\": 2, \"type\": \"policy\"}",
		"{\"assay\": 1, \"type\": \"verdict\"}",
		"{\"assay\": 1, \"type\": \"policy\"} x",
	};
	struct policy policy = { 0 };
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(parse(heads[i], &policy, &err), -EBADMSG);
}

/* A long path is cut where it is told, not elsewhere. */
static void test_long_names(void **state)
{
	struct assay_error err = { 0 };
	struct policy policy = { 0 };
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), HEAD ", \"waive\": {\"%01000d\": \"x\"}}", 1);
	assert_int_equal(parse(text, &policy, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "...\" names no check"));
}

/* ---------------------------------------------------------------- what each member does */

static void test_nothing_said(void **state)
{
	struct verify_policy rules;
	struct policy policy;

	(void)state;
	verify_policy_default(&rules);
	must_parse(HEAD "}", &policy);
	assert_memory_equal(&policy.rules, &rules, sizeof(rules));
	policy_free(&policy);
	assert_null(policy.memory);
}

static check_mask required_by(const char *members, check_mask *ret_with_state)
{
	struct policy policy;
	check_mask required;
	char text[512];

	snprintf(text, sizeof(text), HEAD "%s}", members);
	must_parse(text, &policy);
	required = policy.rules.required;
	if (ret_with_state)
		*ret_with_state = policy.rules.required_with_state;
	policy_free(&policy);
	return required;
}

#define BIT(name) CHECK_BIT(CHECK_##name)

static void test_required(void **state)
{
	check_mask usual = required_by("", NULL), with_state;
	const check_mask ima = BIT(IMA_LOG_PARSED) | BIT(IMA_LOG_ENTRIES) | BIT(IMA_LOG_START) |
			       BIT(IMA_LOG_DIGESTS) | BIT(IMA_LOG_REPLAY);
	const check_mask assay = BIT(ASSAY_LOG_PARSED) | BIT(ASSAY_LOG_RECORDS) |
				 BIT(ASSAY_LOG_DIGESTS) | BIT(ASSAY_LOG_START) |
				 BIT(ASSAY_LOG_PROTECTION) | BIT(ASSAY_LOG_REPLAY) |
				 BIT(ASSAY_LOG_CHAIN) | BIT(FILES_MEASURED) | BIT(FILES_KNOWN) |
				 BIT(FILES_MATCH) | BIT(FILES_COMPLETE);
	const struct {
		const char *members;
		check_mask more, less;
	} rows[] = {
		{ ", \"max_age\": 300", BIT(QUOTE_AGE), 0 },
		{ ", \"manifest\": {}", 0, 0 },
		{ ", \"manifest\": {\"min_created\": \"2026-01-31T23:59:59Z\"}",
		  BIT(MANIFEST_CURRENT), 0 },
		{ ", \"manifest\": {\"id\": \"x\"}", BIT(MANIFEST_CURRENT), 0 },
		{ ", \"manifest\": {\"product\": \"x\"}", BIT(MANIFEST_CURRENT), 0 },
		{ ", \"filesystems\": [\"" UUID "\"]", BIT(FILES_FILESYSTEM), 0 },
		{ ", \"waive\": {\"boot-known\": \"a test\"}", 0, BIT(BOOT_KNOWN) },
		{ ", \"pcrs\": {\"values\": {\"sha256:7\": [\"" SHA256_TEXT "\"]}}",
		  BIT(PCR_VALUES), 0 },
		{ ", \"pcrs\": {\"values\": {}}", 0, 0 },
		{ ", \"require\": [\"quote-counters\"]", BIT(QUOTE_COUNTERS), 0 },
		{ ", \"waive\": {\"files-complete\": \"why\"}", 0, BIT(FILES_COMPLETE) },
		{ ", \"log\": {\"late_tpm\": \"refuse\"}", BIT(ASSAY_LOG_TPM), 0 },
		{ ", \"log\": {\"late_tpm\": \"accept\"}", 0, 0 },
		{ ", \"log\": {\"protection\": \"any\"}", 0, BIT(ASSAY_LOG_PROTECTION) },
		{ ", \"ima\": {\"violations\": \"refuse\"}", BIT(IMA_LOG_VIOLATIONS), 0 },
		{ ", \"ima\": {\"violations\": \"accept\"}", 0, 0 },
		{ ", \"ima\": {\"required\": false}", 0, ima },
		{ ", \"ima\": {\"required\": false, \"violations\": \"refuse\"}", 0, ima },
		{ ", \"device\": {\"firmware\": \"same\", \"reset\": \"refuse\"}", 0, 0 },
		{ ", \"uefi\": {\"log\": \"optional\"}", 0, 0 },
		{ ", \"ima\": {\"boot_aggregate\": \"if-possible\"}", 0, 0 },
		{ ", \"ima\": {\"required\": true}", 0, 0 },
		{ ", \"ima\": {\"required\": false, \"unknown_files\": \"refuse\"}",
		  BIT(IMA_FILES_KNOWN), ima },
		{ ", \"logs\": {\"assay_log\": \"required\", \"ima\": \"required\"}", 0, 0 },
		{ ", \"logs\": {\"assay_log\": \"optional\", \"ima\": \"optional\", "
		  "\"uefi\": \"optional\"}",
		  0, 0 },
		{ ", \"logs\": {\"assay_log\": \"absent\"}", 0, assay },
		/* What asks for single entries of IMA's asks for nothing of assay's log. */
		{ ", \"logs\": {\"assay_log\": \"absent\"}, \"ima\": {\"violations\": "
		  "\"refuse\", \"unknown_files\": \"refuse\"}",
		  BIT(IMA_LOG_VIOLATIONS) | BIT(IMA_FILES_KNOWN), assay },
		{ ", \"logs\": {\"ima\": \"absent\"}", 0, ima },
		{ ", \"logs\": {\"ima\": \"absent\", \"assay_log\": \"absent\"}", 0, ima | assay },
		{ ", \"logs\": {\"uefi\": \"required\"}",
		  BIT(UEFI_LOG_PARSED) | BIT(UEFI_LOG_EVENTS) | BIT(UEFI_LOG_REPLAY), 0 },
		{ ", \"logs\": {\"uefi\": \"absent\"}", 0, 0 },
		{ ", \"device\": {\"clock\": \"safe\"}", BIT(QUOTE_CLOCK), 0 },
		{ ", \"ima\": {\"boot_aggregate\": \"required\"}", BIT(IMA_BOOT_AGGREGATE), 0 },
		{ ", \"ima\": {\"unknown_files\": \"refuse\"}", BIT(IMA_FILES_KNOWN), 0 },
		{ ", \"uefi\": {\"log\": \"required\"}",
		  BIT(UEFI_LOG_PARSED) | BIT(UEFI_LOG_EVENTS) | BIT(UEFI_LOG_REPLAY), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (required_by(rows[i].members, NULL) != ((usual | rows[i].more) & ~rows[i].less))
			fail_msg("%s", rows[i].members);
	required_by(", \"device\": {\"firmware\": \"any\"}", &with_state);
	assert_true(with_state ==
		    (BIT(QUOTE_COUNTERS) | BIT(ASSAY_LOG_PROGRESS) | BIT(MANIFEST_CURRENT)));
	required_by(", \"waive\": {\"quote-counters\": \"why\"}", &with_state);
	assert_true(with_state ==
		    (BIT(QUOTE_FIRMWARE) | BIT(ASSAY_LOG_PROGRESS) | BIT(MANIFEST_CURRENT)));
}

/* What is not required must still not fail, unless it is waived. */
static void test_required_if_made(void **state)
{
	const struct {
		const char *members;
		check_mask there, gone;
	} rows[] = {
		{ ", \"uefi\": {\"log\": \"optional\"}",
		  BIT(UEFI_LOG_PARSED) | BIT(UEFI_LOG_REPLAY), BIT(UEFI_LOG_EVENTS) },
		{ ", \"waive\": {\"uefi-log-replay\": \"x\"}", BIT(UEFI_LOG_PARSED),
		  BIT(UEFI_LOG_REPLAY) },
		{ ", \"ima\": {\"boot_aggregate\": \"if-possible\"}", BIT(IMA_BOOT_AGGREGATE), 0 },
		/* Entries that assay's log mirrors are judged without a list, too. */
		{ ", \"ima\": {\"required\": false}", BIT(IMA_LOG_ENTRIES),
		  BIT(IMA_BOOT_AGGREGATE) | BIT(IMA_LOG_VIOLATIONS) },
		{ ", \"ima\": {\"required\": false, \"violations\": \"refuse\"}",
		  BIT(IMA_LOG_ENTRIES) | BIT(IMA_LOG_VIOLATIONS), 0 },
		{ ", \"ima\": {\"required\": false}, \"waive\": {\"ima-log-entries\": \"x\"}", 0,
		  BIT(IMA_LOG_ENTRIES) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[512];
		check_mask mask;

		snprintf(text, sizeof(text), HEAD "%s}", rows[i].members);
		must_parse(text, &policy);
		mask = policy.rules.required_if_made;
		if ((mask & rows[i].there) != rows[i].there || mask & rows[i].gone)
			fail_msg("%s", rows[i].members);
		policy_free(&policy);
	}
}

/* Which PCRs must be quoted: those of the logs that there must be, and those that are named. */
static void test_logs(void **state)
{
	static const struct {
		const char *members;
		uint32_t pcrs;
		enum log_presence logs[VERIFY_LOGS];
		bool manifest_asked;
	} rows[] = {
		{ "",
		  1U << 10 | 1U << 14,
		  { PRESENCE_REQUIRED, PRESENCE_REQUIRED, PRESENCE_OPTIONAL },
		  false },
		{ ", \"logs\": {\"assay_log\": \"absent\"}, \"manifests\": [\"m\"]",
		  1U << 10,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_OPTIONAL },
		  true },
		{ ", \"logs\": {\"assay_log\": \"optional\", \"ima\": \"absent\", \"uefi\": "
		  "\"required\"}, \"manifest\": {\"id\": \"x\"}",
		  0,
		  { PRESENCE_OPTIONAL, PRESENCE_ABSENT, PRESENCE_REQUIRED },
		  true },
		/* Two signers are two of a manifest, so there has to be one. */
		{ ", \"logs\": {\"assay_log\": \"absent\"}, \"manifest\": {\"signers\": 2}",
		  1U << 10,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_OPTIONAL },
		  true },
		{ ", \"logs\": {\"assay_log\": \"absent\"}, \"firmware\": {\"phases\": "
		  "[\"sysinit\"]}",
		  1U << 10 | 1U << 11,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_OPTIONAL },
		  false },
		{ ", \"ima\": {\"required\": false}, \"uefi\": {\"log\": \"required\"}",
		  1U << 14,
		  { PRESENCE_REQUIRED, PRESENCE_OPTIONAL, PRESENCE_REQUIRED },
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[512];

		snprintf(text, sizeof(text), HEAD "%s}", rows[i].members);
		must_parse(text, &policy);
		assert_int_equal(policy.rules.pcrs, rows[i].pcrs);
		assert_memory_equal(policy.rules.logs, rows[i].logs, sizeof(rows[i].logs));
		assert_int_equal(policy.rules.manifest_asked, rows[i].manifest_asked);
		policy_free(&policy);
	}
}

static void test_new_members(void **state)
{
	struct policy policy;

	(void)state;
	must_parse(HEAD ", \"strip_prefix\": \"/mnt\", \"device\": {\"suspend\": \"accept\"}, "
			"\"manifest\": {\"min_created\": \"2026-01-31T23:59:59Z\", \"id\": \"x\", "
			"\"product\": \"y\"}, \"filesystems\": [\"" UUID
			"\", \"FFFFFFFF-89ab-cdef-0123-456789abcdef\"]}",
		   &policy);
	assert_string_equal(policy.rules.prefix, "/mnt");
	assert_true(policy.rules.suspend);
	assert_false(policy.rules.same_boot);
	assert_int_equal(policy.rules.manifest_min_created, 1769903999);
	assert_string_equal(policy.rules.manifest_id, "x");
	assert_string_equal(policy.rules.manifest_product, "y");
	assert_int_equal(policy.rules.filesystem_count, 2);
	assert_int_equal(policy.rules.filesystems[0][0], 0x01);
	assert_int_equal(policy.rules.filesystems[0][15], 0xef);
	assert_int_equal(policy.rules.filesystems[1][3], 0xff);
	policy_free(&policy);
	must_parse(HEAD ", \"uefi\": {\"extended_later\": [11, 12]}}", &policy);
	assert_int_equal(policy.rules.uefi_extended_later, 1U << 11 | 1U << 12);
	policy_free(&policy);
	must_parse(HEAD ", \"uefi\": {\"accept\": [\"after-separator\", \"zero-digest\"]}}",
		   &policy);
	assert_int_equal(policy.rules.uefi_accepted,
			 1U << UEFI_RULE_AFTER_SEPARATOR | 1U << UEFI_RULE_ZERO_DIGEST);
	policy_free(&policy);
	must_parse(HEAD ", \"device\": {\"reset\": \"refuse\"}}", &policy);
	assert_true(policy.rules.same_boot && !policy.rules.suspend);
	policy_free(&policy);
}

static void test_members(void **state)
{
	static const char text[] = HEAD
		",\"description\":\"servers\",\"nonce_bytes\":32,\"max_age\":60,\"root\":\"/mnt\","
		"\"algorithms\":{\"signatures\":[\"ecdsa\"],\"hashes\":[\"sha384\"],"
		"\"curves\":[\"p384\"],\"rsa_bits\":3072},"
		"\"pcrs\":{\"required\":[7],\"assay\":13,\"ima\":11,\"values\":{\"sha1:4\":"
		"[\"0000000000000000000000000000000000000000\","
		"\"FFffffffffffffffffffffffffffffffffffffff\"]}},"
		"\"start\":[\"sha256:" SHA256_TEXT "\"],\"manifests\":[\"a.jsonl\",\"/b.jsonl\"],"
		"\"certificates\":[\"c.pem\",{\"pem\":\"-----BEGIN\"}],"
		"\"allow\":[{\"path\":\"/etc/\",\"reason\":\"local\"},"
		"{\"path\":\"/x\",\"reason\":\"y\",\"digests\":[\"sha256:" SHA256_TEXT "\"]}],"
		"\"log\":{\"unknown_records\":\"accept\",\"trimmed\":\"accept\"},"
		"\"ima\":{\"unknown_templates\":\"accept\",\"digests\":{\"/"
		"z\":[\"sha256:" SHA256_TEXT "\"],\"/a\":[\"sha256:" SHA256_TEXT
		"\",\"sha256:" SHA256_TEXT "\"]},"
		"\"certificates\":[\"distribution.pem\"]},"
		"\"waive\":{\"files-known\":\"in parts\",\"ima-files-match\":\"a test\"},"
		"\"device\":{\"reset\":\"refuse\"}}";
	const struct verify_policy *rules;
	struct policy policy;

	(void)state;
	must_parse(text, &policy);
	rules = &policy.rules;
	assert_string_equal(policy.description, "servers");
	assert_int_equal(rules->nonce_size, 32);
	assert_int_equal(rules->max_age, 60);
	assert_string_equal(rules->prefix, "/mnt");
	assert_int_equal(rules->algorithms, VERIFY_ECDSA | VERIFY_SHA384 | VERIFY_P384);
	assert_int_equal(rules->rsa_bits, 3072);
	assert_int_equal(rules->pcrs, 1U << 7 | 1U << 13 | 1U << 11);
	assert_int_equal(rules->assay_pcr, 13);
	assert_int_equal(rules->ima_pcr, 11);
	assert_int_equal(rules->pcr_value_count, 1);
	assert_int_equal(rules->pcr_values[0].bank, ASSAY_HASH_SHA1);
	assert_int_equal(rules->pcr_values[0].index, 4);
	assert_int_equal(rules->pcr_values[0].count, 2);
	assert_int_equal(rules->pcr_values[0].values[1].bytes[0], 0xff);
	assert_int_equal(rules->start_count, 1);
	assert_int_equal(rules->starts[0].bytes[1], 0x23);
	assert_int_equal(policy.manifest_count, 2);
	assert_string_equal(policy.manifests[1], "/b.jsonl");
	assert_int_equal(policy.certificate_count, 2);
	assert_string_equal(policy.certificates[0].path, "c.pem");
	assert_string_equal(policy.certificates[1].pem, "-----BEGIN");
	assert_int_equal(rules->allowed_count, 2);
	assert_string_equal(rules->allowed[0].path, "/etc/");
	assert_int_equal(rules->allowed[0].count, 0);
	assert_string_equal(rules->allowed[1].reason, "y");
	assert_int_equal(rules->allowed[1].count, 1);
	assert_true(rules->trimmed && rules->unknown_records && rules->unknown_templates &&
		    rules->same_boot);
	assert_int_equal(rules->ima_digest_count, 2);
	assert_string_equal(rules->ima_digests[0].path, "/a");
	assert_int_equal(rules->ima_digests[0].count, 2);
	assert_string_equal(rules->ima_digests[1].path, "/z");
	assert_int_equal(policy.ima_certificate_count, 1);
	assert_false(rules->required_if_made & BIT(IMA_FILES_MATCH));
	assert_int_equal(policy.waiver_count, 2);
	assert_int_equal(policy.waivers[0].check, CHECK_FILES_KNOWN);
	policy_free(&policy);
}

static void test_who_certifies_keys(void **state)
{
	struct policy policy;

	(void)state;
	must_parse(HEAD "}", &policy);
	assert_false(policy.rules.required & BIT(AK_CERTIFICATE));
	policy_free(&policy);
	must_parse(HEAD ", \"ak\": {\"roots\": [\"r.pem\", {\"pem\": \"-----BEGIN\"}], "
			"\"intermediates\": [\"i.pem\"], \"crls\": [\"/c.crl\"], \"vouched\": "
			"true}}",
		   &policy);
	assert_true(policy.rules.required & BIT(AK_CERTIFICATE));
	assert_true(policy.rules.ak_certified && policy.rules.ak_vouched);
	assert_int_equal(policy.ak.roots.count, 2);
	assert_string_equal(policy.ak.roots.list[0].path, "r.pem");
	assert_string_equal(policy.ak.roots.list[1].pem, "-----BEGIN");
	assert_int_equal(policy.ak.intermediates.count, 1);
	assert_int_equal(policy.ak.crls.count, 1);
	assert_string_equal(policy.ak.crls.list[0].path, "/c.crl");
	policy_free(&policy);
}

static void test_without_ima_no_pcr_of_it(void **state)
{
	struct policy policy;

	(void)state;
	/* Whichever of the two comes first. */
	must_parse(HEAD ", \"ima\": {\"required\": false}, \"pcrs\": {\"ima\": 11}}", &policy);
	assert_int_equal(policy.rules.pcrs, 1U << 14);
	policy_free(&policy);
}

/* ---------------------------------------------------------------- the schema */

/* Each member that the schema names, with a value of no type that there is. */
static void test_members_of_schema(const json_t *properties, const char *around)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)properties, name, value) {
		json_t *inner = json_object_get(value, "properties");
		struct policy policy = { 0 };
		struct assay_error err = { 0 };
		char text[256];

		if (around)
			snprintf(text, sizeof(text), HEAD ", \"%s\": {\"%s\": null}}", around,
				 name);
		else
			snprintf(text, sizeof(text), "{\"%s\": null}", name);
		if (parse(text, &policy, &err) != -EBADMSG || strstr(err.text, "is not known"))
			fail_msg("%s: %s", text, err.text);
		if (inner)
			test_members_of_schema(inner, name);
	}
}

/* The schema names each rule of the firmware's log, and no other. */
static void test_schema_has_all_uefi_rules(void **state)
{
	struct buffer text = { 0 };
	json_t *schema, *names;
	struct assay_error err;
	size_t count = 0;

	(void)state;
	if (file_read("policy/verify-policy.schema.json", 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_parse(buffer_bytes(&text), "the schema", &schema, &err), 0);
	assert_int_equal(json_unpack(schema, "{s:{s:{s:{s:{s:{s:o}}}}}}", "properties", "uefi",
				     "properties", "accept", "items", "enum", &names),
			 0);
	for (int rule = 0; rule < UEFI_RULES; rule++, count++) {
		const char *name = uefi_rule_name((enum uefi_rule)rule);
		if (rule >= (int)json_array_size(names) ||
		    strcmp(json_string_value(json_array_get(names, (size_t)rule)), name) != 0)
			fail_msg("the schema does not have %s", name);
	}
	assert_int_equal(json_array_size(names), count);
	json_decref(schema);
	buffer_free(&text);
}

/* Its examples are policies, and have between them every member that the schema has. */
static void test_schema(void **state)
{
	struct buffer text = { 0 };
	json_t *schema, *properties, *examples, *value;
	const char *name;
	struct assay_error err;

	(void)state;
	if (file_read("policy/verify-policy.schema.json", 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_parse(buffer_bytes(&text), "the schema", &schema, &err), 0);
	properties = json_object_get(schema, "properties");
	test_members_of_schema(properties, NULL);
	examples = json_object_get(schema, "examples");
	for (size_t i = 0; i < json_array_size(examples); i++) {
		char *example = json_dumps(json_array_get(examples, i), 0);
		struct policy policy;

		must_parse(example, &policy);
		policy_free(&policy);
		free(example);
	}
	json_object_foreach(properties, name, value) {
		const json_t *there = json_object_get(json_array_get(examples, 0), name);
		json_t *inner = json_object_get(value, "properties"), *ignored;
		const char *member;

		if (json_is_true(json_object_get(value, "deprecated")))
			continue;
		if (!there)
			fail_msg("the first example has no %s", name);
		json_object_foreach(inner, member, ignored)
			if (!json_object_get(there, member))
				fail_msg("the first example has no %s.%s", name, member);
	}
	json_decref(schema);
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_required_if_made),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_new_members),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_who_certifies_keys),
		cmocka_unit_test(test_without_ima_no_pcr_of_it),
		cmocka_unit_test(test_schema_has_all_uefi_rules),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
