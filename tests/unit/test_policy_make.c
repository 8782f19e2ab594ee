// SPDX-License-Identifier: MIT
/*
 * Policies in words, of others' reference values, and learned from evidence. What comes out
 * is a policy that is read again, and judges as it should.
 */
#define _GNU_SOURCE /* memmem() */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "verify/policy_import.h"
#include "verify/policy_learn.h"
#include "verify/policy_lint.h"
#include "verify_fixture.h"

#define SHA256_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256_HALF "0123456789abcdef0123456789abcdef"
#define SHA1_TEXT "0123456789abcdef0123456789abcdef01234567"

static void parse(const char *text, struct policy *ret)
{
	struct assay_error err;

	if (policy_parse(BYTES((const uint8_t *)text, strlen(text)), ret, &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static json_t *new_policy(void)
{
	return json_pack("{s:i, s:s}", "assay", 1, "type", "policy");
}

/* ---------------------------------------------------------------- lint */

#define VALUES(pcr) ", \"pcrs\": {\"values\": {\"" pcr "\": [\"" SHA256_TEXT "\"]"
#define VALUE(pcr) ", \"" pcr "\": [\"" SHA256_TEXT "\"]"

static char lint_text[16384];

static void note(void *context, enum policy_lint_level level, const char *text)
{
	size_t used = strlen(lint_text);

	(void)context;
	snprintf(lint_text + used, sizeof(lint_text) - used, "%d %s\n", level, text);
}

/* How many warnings there are, but for the one that a policy without values has. */
static size_t lint(const char *members)
{
	struct policy policy;
	char text[1024];
	size_t warnings;

	snprintf(text, sizeof(text), "{\"assay\":1,\"type\":\"policy\"%s}", members);
	parse(text, &policy);
	lint_text[0] = '\0';
	warnings = policy_lint(&policy, note, NULL);
	policy_free(&policy);
	return warnings - !!strstr(lint_text, "2 The boot must be known, and no bank");
}

static void test_lint(void **state)
{
	/* Each is one warning, of these words. */
	static const struct {
		const char *members, *says;
	} rows[] = {
		{ ", \"nonce_bytes\": 0", "2 It need not answer a nonce" },
		{ ", \"nonce_bytes\": 8", "2 Nonces of fewer than 16 bytes" },
		{ ", \"algorithms\": {\"signatures\": []}", "2 No signature scheme is accepted" },
		{ ", \"algorithms\": {\"hashes\": []}", "2 No hash is accepted" },
		{ ", \"algorithms\": {\"curves\": []}", "2 ECDSA is accepted, and no curve" },
		{ ", \"pcrs\": {\"values\": {\"sha1:7\": [\"" SHA1_TEXT "\"]}}",
		  "2 The value of PCR 7 is one of bank sha1" },
		{ ", \"pcrs\": {\"values\": {\"sha256:14\": [\"" SHA256_TEXT "\"]}}",
		  "2 PCR 14 anchors a log" },
		{ ", \"allow\": [{\"path\": \"/opt/\", \"reason\": \"x\"}]",
		  "2 Anything below /opt/ may be measured" },
		{ ", \"log\": {\"trimmed\": \"accept\", \"protection\": \"any\"}",
		  "2 A log whose beginning was trimmed" },
		{ ", \"log\": {\"unknown_records\": \"accept\"}", "2 Records that the verifier" },
		{ ", \"ima\": {\"unknown_templates\": \"accept\"}", "2 Entries of templates" },
		{ ", \"ima\": {\"digests\": {\"/x\": [\"sha1:" SHA1_TEXT "\"]}}",
		  "2 /x and maybe others may be recognised by SHA-1" },
		{ ", \"require\": [\"quote-age\"]",
		  "2 quote-age is required, and there is no max_age" },
		{ ", \"require\": [\"pcr-values\"]",
		  "2 pcr-values is required, and there is no pcrs.values" },
		{ ", \"require\": [\"files-filesystem\"]",
		  "2 files-filesystem is required, and there is no filesystems" },
		{ ", \"pcrs\": {\"required\": [16]}",
		  "2 PCR 16 is asked for, which anybody may reset" },
		{ ", \"pcrs\": {\"values\": {\"sha256:23\": [\"" SHA256_TEXT "\"]}}",
		  "2 PCR 23 is asked for, which anybody may reset" },
		{ ", \"start\": [\"sha1:" SHA1_TEXT "\"]",
		  "2 A value that PCR 14 may begin from is of bank sha1, which is not accepted" },
		{ ", \"start\": [\"sha384:" SHA256_TEXT SHA256_HALF
		  "\"], \"algorithms\": {\"hashes\": [\"sha256\"]}",
		  "2 A value that PCR 14 may begin from is of bank sha384, which is not accepted" },
		{ ", \"ima\": {\"digests\": {\"/a b\": [\"sha256:" SHA256_TEXT
		  "\"], \"/a_b\": [\"sha256:" SHA256_TEXT "\"]}}",
		  "2 /a b and /a_b are written alike by IMA" },
		{ ", \"waive\": {\"files-known\": \"\\u001b[31m\"}",
		  "2 Not required: files-known (is every measured file in a manifest?). The reason "
		  "given: \\x1b[31m." },
	};

	(void)state;
	assert_int_equal(lint(""), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (lint(rows[i].members) != 1 || !strstr(lint_text, rows[i].says))
			fail_msg("%s: no single '%s' in:\n%s", rows[i].members, rows[i].says,
				 lint_text);
	assert_int_equal(lint(", \"log\": {\"trimmed\": \"accept\"}"), 2);
	lint(", \"description\": \"servers\", \"max_age\": 60, \"start\": [\"sha256:" SHA256_TEXT
	     "\"], \"ima\": {\"required\": false}, \"device\": {\"reset\": \"refuse\"}");
	assert_non_null(strstr(lint_text, "0 It is for: servers."));
	assert_non_null(strstr(lint_text, "0 No more than 60 seconds"));
	assert_non_null(strstr(lint_text, "0 PCRs 14 must be quoted"));
	assert_non_null(strstr(lint_text, "1 In bank sha256, PCR 14 may have one of 1 values"));
	assert_non_null(strstr(lint_text, "1 In bank sha384, PCR 14 must begin from zeros"));
	assert_non_null(strstr(lint_text, "1 IMA's list is not required"));
	assert_non_null(
		strstr(lint_text, "0 The TPM must not have been reset nor restarted since"));
}

#define LOGS(assay, ima, uefi) \
	", \"logs\": {\"assay_log\": \"" assay "\", \"ima\": \"" ima "\", \"uefi\": \"" uefi "\"}"

static void test_lint_of_the_boot(void **state)
{
	static const struct {
		const char *members;
		size_t warnings;
		const char *says;
	} rows[] = {
		{ "", 1, "2 The boot must be known, and no bank that is accepted has values" },
		{ ", \"waive\": {\"boot-known\": \"a test\"}", 1, "1 The boot is not judged" },
		{ VALUES("sha256:0") "}}", 1, "2 The boot must be known, and no bank" },
		{ VALUES("sha256:4") VALUE("sha256:7") "}}", 1,
		  "2 The boot must be known, and no" },
		{ VALUES("sha256:0") VALUE("sha256:7") "}}", 0,
		  "0 The boot must be known: PCRs 0 and 4 or 7 of bank sha256 have named values." },
		{ VALUES("sha256:0") VALUE("sha256:4") "}}", 0, "0 The boot must be known" },
		/* Of one bank, which is accepted. */
		{ VALUES("sha256:0") "}}, \"algorithms\": {\"hashes\": [\"sha384\"]}", 1,
		  "2 The boot must be known, and no bank" },
		{ VALUES("sha256:0")
			  VALUE("sha256:7") "}}, \"algorithms\": {\"hashes\": [\"sha384\"]}",
		  1, "2 The boot must be known, and no bank" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t found = lint(rows[i].members) +
			       !!strstr(lint_text, "2 The boot must be known, and no bank");

		if (found != rows[i].warnings || !strstr(lint_text, rows[i].says))
			fail_msg("%s: %zu\n%s", rows[i].members, found, lint_text);
	}
}

/* Of the logs that a policy does without: what that means, and what can never be trusted. */
static void test_lint_of_logs(void **state)
{
	static const struct {
		const char *members;
		size_t warnings;
		const char *says;
	} rows[] = {
		{ LOGS("absent", "required", "required"), 1, "2 There is nothing to compare with" },
		{ LOGS("absent", "required", "required") ", \"ima\": {\"digests\": {\"/x\": "
							 "[\"sha256:" SHA256_TEXT "\"]}}",
		  0, "1 There is no log of assay's: what IMA's list says is worth" },
		{ LOGS("absent", "required",
		       "required") ", \"ima\": {\"certificates\": [\"x.pem\"]}",
		  0, "1 There is no log of assay's" },
		/* Of a list that is not there, digests and certificates say nothing. */
		{ LOGS("absent", "absent", "required") ", \"certificates\": [\"x.pem\"]", 1,
		  "2 There is nothing to compare with" },
		{ LOGS("absent", "absent", "absent") VALUES("sha256:0") VALUE("sha256:4") "}}", 0,
		  "1 There is neither a log of assay's nor a list of IMA" },
		{ LOGS("absent", "absent", "absent") VALUES("sha256:0") VALUE("sha256:4") "}}", 0,
		  "1 There is no log of the firmware" },
		{ LOGS("optional", "required", "optional"), 1,
		  "2 A log of assay's may be missing" },
		{ LOGS("required", "optional", "optional"), 1, "2 A list of IMA may be missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Apart from that the boot is not known, which lint() leaves out. */
		size_t found = lint(rows[i].members);

		if (found != rows[i].warnings || !strstr(lint_text, rows[i].says))
			fail_msg("%s: %zu\n%s", rows[i].members, found, lint_text);
	}
}

/* A waiver of what another check needs. */
static void test_lint_of_idle_waivers(void **state)
{
	(void)state;
	assert_int_equal(lint(", \"waive\": {\"ima-log-parsed\": \"x\"}"), 2);
	assert_non_null(strstr(lint_text, "2 That waiver changes nothing: a check that is required "
					  "needs ima-log-parsed."));
	assert_int_equal(lint(", \"waive\": {\"files-complete\": \"x\"}"), 1);
}

/* What is no weakness is told, too. */
static void test_lint_says(void **state)
{
	static const struct {
		const char *members, *says;
	} rows[] = {
		{ "", "1 Any manifest of an accepted signer is taken" },
		{ ", \"require\": [\"quote-counters\"]",
		  "1 quote-counters is required, and compares with an earlier attestation" },
		{ ", \"manifest\": {\"min_created\": \"2026-01-31T23:59:59Z\"}",
		  "0 Each manifest must have been made at 2026-01-31T23:59:59Z or later." },
		{ ", \"manifest\": {\"id\": \"x\\u202e\"}",
		  "0 Each manifest must have the id x\\xe2\\x80\\xae." },
		{ ", \"manifest\": {\"product\": \"gate\"}",
		  "0 Each manifest must be of the product gate." },
		{ ", \"filesystems\": [\"01234567-89ab-cdef-0123-456789abcdef\"]",
		  "0 Measured files must be on one of 1 file systems." },
		{ ", \"uefi\": {\"log\": \"required\", \"accept\": [\"after-separator\"]}",
		  "0 Events of the firmware's log may break the rule after-separator" },
		{ ", \"device\": {\"suspend\": \"accept\"}",
		  "1 A restart of the TPM without a reset" },
		{ ", \"device\": {\"suspend\": \"accept\", \"reset\": \"refuse\"}",
		  "0 The TPM must not have been reset since" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (lint(rows[i].members) != 0 || !strstr(lint_text, rows[i].says))
			fail_msg("%s: no '%s' in:\n%s", rows[i].members, rows[i].says, lint_text);
}

/* ---------------------------------------------------------------- import */

static char warnings[8192];

static void warn(void *context, const char *text)
{
	size_t used = strlen(warnings);

	(void)context;
	snprintf(warnings + used, sizeof(warnings) - used, "%s\n", text);
}

static int import(const char *text, json_t *policy, struct assay_error *err)
{
	warnings[0] = '\0';
	return policy_import(BYTES((const uint8_t *)text, strlen(text)), policy, warn, NULL, err);
}

/* What came of it, as the reader of policies sees it. */
static void import_bytes_to(struct bytes text, struct policy *ret)
{
	json_t *json = new_policy();
	struct assay_error err;
	char *dumped;

	warnings[0] = '\0';
	if (policy_import(text, json, warn, NULL, &err) < 0)
		fail_msg("%.*s: %s", (int)text.size, (const char *)text.data, err.text);
	dumped = json_dumps(json, 0);
	parse(dumped, ret);
	free(dumped);
	json_decref(json);
}

static void import_to(const char *text, struct policy *ret)
{
	import_bytes_to(BYTES((const uint8_t *)text, strlen(text)), ret);
}

static void import_file_to(const char *name, struct policy *ret)
{
	struct buffer text = { 0 };
	struct assay_error err;
	char path[256];

	snprintf(path, sizeof(path), "tests/data/import/%s", name);
	if (file_read(path, 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.text);
	import_bytes_to(buffer_bytes(&text), ret);
	buffer_free(&text);
}

static void test_import_of_a_runtime_policy(void **state)
{
	static const char text[] =
		"{\"meta\": {\"version\": 1}, \"release\": 0, \"digests\": {"
		"\"boot_aggregate\": [\"" SHA1_TEXT "\"],"
		"\"/usr/bin/x\": [\"" SHA256_TEXT "\", \"" SHA1_TEXT "\", \"" SHA256_TEXT "\"]},"
		"\"excludes\": [\"boot_aggregate\", \"/tmp/.*\", \"^/var/log(/.*)?$\", "
		"\"/etc/mtab$\","
		" \"/opt/a\\\\.b\", \"/x/[0-9]+\", \"/y/\\\\d\", \"\"],"
		"\"keyrings\": {\".ima\": [\"" SHA256_TEXT "\"]},"
		"\"ima\": {\"ignored_keyrings\": [\".evm\", \"*\", \"\"], \"log_hash_alg\": "
		"\"sha1\","
		" \"dm_policy\": null}, \"ima-buf\": {\"dm_table\": [\"" SHA256_TEXT "\"]},"
		"\"verification-keys\": \"\"}";
	/* In the order in which the verifier searches. */
	static const char *const paths[] = { ".evm",  "/etc/mtab", "/opt/a.b", "/opt/a.b/",
					     "/tmp/", "/var/log",  "/var/log/" };
	struct policy policy;

	(void)state;
	import_to(text, &policy);
	assert_int_equal(policy.rules.ima_digest_count, 3);
	assert_string_equal(policy.rules.ima_digests[1].path, "/usr/bin/x");
	assert_int_equal(policy.rules.ima_digests[1].count, 2);
	assert_int_equal(policy.rules.allowed_count, sizeof(paths) / sizeof(paths[0]));
	for (size_t i = 0; i < policy.rules.allowed_count; i++)
		assert_string_equal(policy.rules.allowed[i].path, paths[i]);
	assert_true((policy.rules.required & CHECK_BIT(CHECK_IMA_FILES_KNOWN)) != 0);
	assert_non_null(strstr(warnings, "the exclusion \"boot_aggregate\" is not taken over"));
	assert_non_null(
		strstr(warnings, "\"boot_aggregate\" of \"digests\", digest 1, is not taken"));
	assert_non_null(strstr(warnings, "\"meta\" is not taken over"));
	assert_non_null(strstr(warnings, "\"release\" is not taken over"));
	assert_non_null(strstr(warnings, "\"log_hash_alg\" is not taken over"));
	assert_non_null(strstr(warnings, "the exclusion \"/x/[0-9]+\" is not taken over"));
	assert_non_null(strstr(warnings, "the exclusion \"/y/\\x5cd\" is not taken over"));
	assert_non_null(strstr(warnings, "the exclusion \"\" is not taken over"));
	assert_non_null(strstr(warnings, "the ignored keyring \"*\" is not taken over"));
	assert_non_null(strstr(warnings, "the ignored keyring \"\" is not taken over"));
	policy_free(&policy);
	import_to("{\"hashes\": {\"/a\": [\"" SHA1_TEXT "\"]}, \"exclude\": null, "
		  "\"verification-keys\": \"x\", \"later\": 1}",
		  &policy);
	assert_int_equal(policy.rules.ima_digest_count, 1);
	assert_non_null(strstr(warnings, "\"verification-keys\" is not taken over: name the"));
	assert_non_null(strstr(warnings, "\"later\" is not taken over"));
	policy_free(&policy);
}

static void test_import_of_lines(void **state)
{
	struct policy policy;

	(void)state;
	import_to("# made by sha256sum\n" SHA256_TEXT "  /usr/bin/x\n" SHA1_TEXT
		  " */usr/bin/x y\r\n\n" SHA256_TEXT "  boot_aggregate\n" SHA256_TEXT "  /z",
		  &policy);
	assert_int_equal(policy.rules.ima_digest_count, 3);
	assert_string_equal(policy.rules.ima_digests[1].path, "/usr/bin/x y");
	assert_int_equal(policy.rules.ima_digests[1].digests[0].hash, ASSAY_HASH_SHA1);
	assert_string_equal(warnings, "line 5, \"" SHA256_TEXT "  boot_aggregate\", is not taken "
				      "over: boot_aggregate is of PCRs, which are compared with it "
				      "themselves\n");
	policy_free(&policy);
}

/* Each line beside a good one: its name as it is taken over, or why it is not. */
static void test_import_of_odd_lines(void **state)
{
	static const struct {
		const char *line, *name, *says;
	} rows[] = {
		{ "\\" SHA256_TEXT "  /a\\\\x2db", "/a\\x2db", NULL },
		{ "\\" SHA256_TEXT "  /a\\nb\\rc", "/a\nb\rc", NULL },
		{ "\\" SHA256_TEXT " */a\\\\b", "/a\\b", NULL },
		{ "\\" SHA256_TEXT "  /a\\tb", NULL, "an escape that is not one of" },
		{ "\\" SHA256_TEXT "  /a\\", NULL, "an escape that is not one of" },
		/* Without the first one, a backslash is what it is. */
		{ SHA256_TEXT "  /a\\nb", "/a\\nb", NULL },
		{ SHA256_TEXT "\t/tabbed", "/tabbed", NULL },
		{ SHA256_TEXT "  /caf\xe9", NULL,
		  "\"" SHA256_TEXT "  /caf\\xe9\", is not taken over: "
		  "its name is not UTF-8" },
		{ SHA256_TEXT "  /caf\xc3\xa9", "/caf\xc3\xa9", NULL },
		{ SHA256_TEXT "  %keyring:.ima", ".ima", NULL },
		{ SHA256_TEXT "  %keyring:", NULL, "its keyring has no name" },
		{ SHA256_TEXT, NULL, "is not a digest and a path" },
		{ SHA256_TEXT "  ", NULL, "is not a digest and a path" },
		{ SHA256_TEXT "0  /x", NULL, "does not begin with a digest" },
		{ "d41d8cd98f00b204e9800998ecf8427e  /x", NULL, "does not begin with a digest" },
		{ "SHA256 (/opt/plain) = " SHA256_TEXT, "/opt/plain", NULL },
		{ "SHA256 (/opt/a (b) = c) = " SHA256_TEXT, "/opt/a (b) = c", NULL },
		{ "SHA1 (/x) = " SHA1_TEXT, "/x", NULL },
		{ "SHA2-256(/x)= " SHA256_TEXT, "/x", NULL },
		{ "\\SHA256 (/a\\nb) = " SHA256_TEXT, "/a\nb", NULL },
		{ "SHA256 (/x) = " SHA1_TEXT, NULL, "not of its hash's size" },
		{ "SHA256 () = " SHA256_TEXT, NULL, "it has no name" },
		{ "SHA256 (/x = " SHA256_TEXT, NULL, "no ')' and '='" },
		{ "SHA256 " SHA256_TEXT, NULL, "does not begin with a digest" },
		{ "SHA256 (", NULL, "no ')' and '='" },
		{ "SHA256 (/x" SHA256_TEXT, NULL, "no ')' and '='" },
		{ "SHA256 (=" SHA256_TEXT, NULL, "no ')' and '='" },
		{ "SHA256 ()=" SHA256_TEXT, NULL, "it has no name" },
		{ "BLAKE2b (/x) = " SHA256_TEXT, NULL, "its hash is not SHA-1" },
		{ "MD5 (/x) = d41d8cd98f00b204e9800998ecf8427e", NULL, "its hash is not SHA-1" },
		{ "(", NULL, "its hash is not SHA-1" },
		{ "\\", NULL, "does not begin with a digest" },
		{ "no digest", NULL, "does not begin with a digest" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[512];
		bool taken;

		snprintf(text, sizeof(text), "%s\n" SHA256_TEXT "  /zzz\n", rows[i].line);
		import_to(text, &policy);
		taken = policy.rules.ima_digest_count == 2;
		if (taken != !!rows[i].name || (rows[i].says && !strstr(warnings, rows[i].says)) ||
		    (taken && strcmp(policy.rules.ima_digests[0].path, rows[i].name) != 0))
			fail_msg("%s: %s, \"%s\"", rows[i].line,
				 taken ? policy.rules.ima_digests[0].path : "not taken", warnings);
		policy_free(&policy);
	}
}

/* With -z: lines end in NUL, and names are as they are. */
static void test_import_of_zero_ended_lines(void **state)
{
	static const char text[] =
		SHA256_TEXT "  /a\nb\r\0" SHA256_TEXT " */c\\d\0" SHA256_TEXT "  /e";
	struct policy policy;

	(void)state;
	import_bytes_to(BYTES((const uint8_t *)text, sizeof(text)), &policy);
	assert_int_equal(policy.rules.ima_digest_count, 3);
	assert_string_equal(policy.rules.ima_digests[0].path, "/a\nb\r");
	assert_string_equal(policy.rules.ima_digests[1].path, "/c\\d");
	assert_string_equal(warnings, "");
	policy_free(&policy);
	/* A NUL in the midst of lines is no end of one. */
	import_bytes_to(BYTES_LITERAL(SHA256_TEXT "  /a\0b\n" SHA256_TEXT "  /c\n"), &policy);
	assert_int_equal(policy.rules.ima_digest_count, 1);
	assert_non_null(strstr(warnings,
			       "line 1, \"" SHA256_TEXT "  /a\\x00b\", is not taken over: its "
			       "name has a NUL"));
	policy_free(&policy);
}

static void test_import_of_files(void **state)
{
	static const struct {
		const char *file;
		size_t count;
		const char *first, *says;
	} rows[] = {
		{ "escaped.sums", 3, "/opt/My App/run me.sh", "" },
		{ "latin1.sums", 1, "/usr/bin/x", "caf\\xe9.txt\", is not taken over" },
		{ "zero.sums", 2, "opt/My App/run me.sh", "" },
		{ "tag.sums", 1, "opt/plain", "" },
		{ "flat.txt", 4, ".ima", "boot_aggregate" },
		{ "keylime-exclude-and-digest.json", 0, NULL,
		  "the digest of \"/usr/bin/dd\" is not taken over: an exclusion goes before it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;

		import_file_to(rows[i].file, &policy);
		if (policy.rules.ima_digest_count != rows[i].count ||
		    !strstr(warnings, rows[i].says) || (!rows[i].says[0] && warnings[0]))
			fail_msg("%s: %zu, %s", rows[i].file, policy.rules.ima_digest_count,
				 warnings);
		if (rows[i].first)
			assert_string_equal(policy.rules.ima_digests[0].path, rows[i].first);
		policy_free(&policy);
	}
}

/* What a regular expression is of, and no more. */
static void test_import_of_exclusions(void **state)
{
	static const struct {
		const char *expression;
		const char *paths[3]; /* NULL: it is told */
	} rows[] = {
		{ "/$", { NULL } },
		{ "^/$", { NULL } },
		{ "/tmp/$", { NULL } },
		{ "$", { NULL } },
		{ "^", { NULL } },
		{ "^$", { NULL } },
		{ "", { NULL } },
		{ ".*", { NULL } },
		{ "boot_aggregate", { NULL } },
		{ "boot_aggregate$", { NULL } },
		{ "/a|/b", { NULL } },
		{ "/a\\\\$", { NULL } },
		{ "/a\\\\.*", { NULL } },
		{ "/tmp/", { "/tmp/" } },
		{ "/tmp/.*$", { "/tmp/" } },
		{ "/.*", { "/" } },
		{ "/tmp", { "/tmp", "/tmp/" } },
		{ "/tmp$", { "/tmp" } },
		{ "^/tmp(/.*)?$", { "/tmp", "/tmp/" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[256];
		size_t count = 0;

		snprintf(text, sizeof(text), "{\"digests\": {}, \"excludes\": [\"%s\"]}",
			 rows[i].expression);
		import_to(text, &policy);
		while (count < 3 && rows[i].paths[count])
			count++;
		if (policy.rules.allowed_count != count || !warnings[0] != (count > 0))
			fail_msg("%s: %zu rules, %s", rows[i].expression,
				 policy.rules.allowed_count, warnings);
		for (size_t j = 0; j < count; j++)
			assert_string_equal(policy.rules.allowed[j].path, rows[i].paths[j]);
		policy_free(&policy);
	}
}

/* As there: what is excluded may be anything, whatever digest there is beside it. */
static void test_exclusion_goes_before_digest(void **state)
{
	struct policy policy;

	(void)state;
	import_to("{\"excludes\": [\"/opt/\", \"/usr/bin/dd$\"], \"digests\": {"
		  "\"/opt/x\": [\"" SHA1_TEXT "\"], \"/usr/bin/dd\": [\"" SHA1_TEXT
		  "\"], \"/usr/bin/ddx\": [\"" SHA1_TEXT "\"]}}",
		  &policy);
	assert_int_equal(policy.rules.ima_digest_count, 1);
	assert_string_equal(policy.rules.ima_digests[0].path, "/usr/bin/ddx");
	assert_non_null(strstr(warnings, "the digest of \"/opt/x\" is not taken over"));
	assert_non_null(strstr(warnings, "the digest of \"/usr/bin/dd\" is not taken over"));
	policy_free(&policy);
}

static void test_names_that_fall_together_are_told(void **state)
{
	struct policy policy;

	(void)state;
	import_to(SHA256_TEXT "  /opt/a b\n" SHA256_TEXT "  /opt/a_b\n" SHA256_TEXT "  /opt/ab\n",
		  &policy);
	assert_int_equal(policy.rules.ima_digest_count, 3);
	assert_non_null(strstr(warnings, "\"/opt/a b\" and \"/opt/a_b\" are written alike by IMA"));
	assert_null(strstr(warnings, "/opt/ab"));
	policy_free(&policy);
}

/* What is off in one place does not lose the rest. */
static void test_import_takes_what_is_there(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "\"/x\": \"" SHA1_TEXT "\"",
		  "\"/x\" of \"digests\" is not taken over: it has no" },
		{ "\"/x\": []", "\"/x\" of \"digests\" is not taken over: it has no array" },
		{ "\"/x\": [\"00\"]", "\"/x\" of \"digests\", digest 1, is not taken over" },
		{ "\"/x\": [5]",
		  "\"/x\" of \"digests\", digest 1, is not taken over: it is no digest" },
		{ "\"\": [\"" SHA1_TEXT "\"]", "digest 1, is not taken over: it has no name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		char text[512];

		snprintf(text, sizeof(text), "{\"digests\": {%s, \"/y\": [\"" SHA1_TEXT "\"]}}",
			 rows[i].text);
		import_to(text, &policy);
		assert_int_equal(policy.rules.ima_digest_count, 1);
		if (!strstr(warnings, rows[i].says))
			fail_msg("%s: %s", rows[i].text, warnings);
		policy_free(&policy);
	}
}

static void test_import_that_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "{}", "neither \"digests\"" },
		{ "{\"digests\": []}", "\"digests\" is not an object" },
		{ "{\"digests\": {}, \"excludes\": {}}", "\"excludes\" is not an array" },
		{ "{\"digests\": {}, \"ima\": []}", "\"ima\" is not an object" },
		{ "{\"digests\": {}} x", "JSON" },
		{ "no digest",
		  "nothing of it can be taken over; line 1: it does not begin with a digest" },
		{ SHA1_TEXT "0  /x\n",
		  "nothing of it can be taken over; line 1: it does not begin with a digest" },
	};
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *policy = new_policy();
		json_t *before = json_deep_copy(policy);

		if (import(rows[i].text, policy, &err) != -EBADMSG ||
		    !strstr(err.text, rows[i].says))
			fail_msg("%s: \"%s\" does not say %s", rows[i].text, err.text,
				 rows[i].says);
		assert_true(json_equal(policy, before));
		json_decref(before);
		json_decref(policy);
	}
}

static void test_import_adds(void **state)
{
	json_t *policy = json_pack("{s:{s:s, s:{s:[s]}}}", "ima", "unknown_files", "accept",
				   "digests", "/x", "sha256:" SHA256_TEXT);
	struct assay_error err;

	(void)state;
	assert_int_equal(import(SHA256_TEXT "  /x\n" SHA1_TEXT "  /x\n", policy, &err), 0);
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(json_object_get(policy, "ima"), "digests"), "/x")),
			 2);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(policy, "ima"), "unknown_files")),
		"accept");
	json_decref(policy);
}

/* ---------------------------------------------------------------- learn */

static void add_unknown_files(struct fixture *f)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 55);
	struct buffer value = { 0 };

	fixture_add_firmware(f);
	f->start[1] = log_test_digest(ASSAY_HASH_SHA256, 77);
	put_start(&value, f->start, LOG_BUILDER_BANKS);
	fixture_drop(f, 0);
	fixture_insert(f, 0, fixture_record(0, buffer_bytes(&value)));
	buffer_free(&value);
	put_measure(&value);
	put_file(&value, "/opt/unknown", &digest);
	put_file(&value, "/opt/un\xffknown", &digest); /* no UTF-8: JSON cannot have it */
	fixture_insert(f, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
}

static void learn(const struct fixture *fixture, const struct policy_learning *what, json_t *json,
		  struct policy *ret)
{
	struct assay_error err;
	char *text;

	warnings[0] = '\0';
	if (policy_learn(&fixture->input, what, json, warn, NULL, &err) < 0)
		fail_msg("%s", err.text);
	text = json_dumps(json, 0);
	parse(text, ret);
	free(text);
}

static void test_learned_policy_trusts(void **state)
{
	const struct policy_learning what = { .ima = true };
	json_t *json = new_policy();
	static struct verdict verdict;
	struct fixture fixture;
	struct policy policy;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, add_unknown_files);
	fixture.input.state = NULL;
	learn(&fixture, &what, json, &policy);
	/* PCRs 8 and 9 are zeros, which says nothing; those of 12 say that nothing was given to the
	 * kernel. */
	assert_int_equal(policy.rules.pcr_value_count, 9);
	assert_int_equal(policy.rules.pcr_values[8].index, 12);
	assert_int_equal(policy.rules.start_count, 1);
	assert_int_equal(policy.rules.allowed_count, 1);
	assert_string_equal(policy.rules.allowed[0].path, "/opt/unknown");
	assert_int_equal(policy.rules.ima_digest_count, 3);
	assert_non_null(strstr(warnings,
			       "the boot is known by the values of PCRs 0, 1, 2, 3, 4, 5, 6, "
			       "7 of bank sha256"));
	assert_non_null(strstr(warnings, "\"/opt/un\\xffknown\" is not learned: a policy cannot"));
	verify(&fixture.input, &policy.rules, &verdict);
	/* All but the file whose name no policy can have. */
	assert_true((verdict.required & ~verdict.passed) == CHECK_BIT(CHECK_FILES_KNOWN));
	assert_true((verdict.passed & CHECK_BIT(CHECK_IMA_FILES_KNOWN)) != 0);
	assert_true((verdict.passed & CHECK_BIT(CHECK_PCR_VALUES)) != 0);
	policy_free(&policy);
	json_decref(json);
	fixture_free(&fixture);
}

/* ---------------------------------------------------------------- without the module */

static void without_the_module(struct fixture *f)
{
	fixture_add_ima_files(f);
	fixture_add_firmware(f);
	f->hands_no_assay_log = f->no_manifest = true;
	f->policy.required &= ~CHECK_BIT(CHECK_PCR_VALUES);
}

static void without_any_list(struct fixture *f)
{
	without_the_module(f);
	f->hands_no_ima_log = true;
}

static void with_another_list(struct fixture *f)
{
	without_the_module(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff);
}

static void with_another_firmware(struct fixture *f)
{
	without_the_module(f);
	f->events_of_another_boot = true;
}

static void with_pcrs_alone(struct fixture *f)
{
	without_any_list(f);
	f->hands_no_uefi_log = true;
}

/* Each policy says which logs the device has, and trusts what it was learned from. */
static void test_learned_logs(void **state)
{
	static const struct {
		fixture_change *change;
		bool ima;
		enum log_presence logs[VERIFY_LOGS];
		const char *told;
	} rows[] = {
		{ without_the_module,
		  true,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_REQUIRED },
		  "the boot is known" },
		{ without_the_module,
		  false,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_REQUIRED },
		  "the boot is known" },
		{ without_any_list,
		  false,
		  { PRESENCE_ABSENT, PRESENCE_ABSENT, PRESENCE_REQUIRED },
		  "the boot is known" },
		{ with_another_list,
		  false,
		  { PRESENCE_ABSENT, PRESENCE_ABSENT, PRESENCE_REQUIRED },
		  "logs.ima is \"absent\", since ima-log-replay did not pass" },
		{ with_another_firmware,
		  true,
		  { PRESENCE_ABSENT, PRESENCE_REQUIRED, PRESENCE_ABSENT },
		  "logs.uefi is \"absent\", since uefi-log-replay did not pass: " },
		{ with_pcrs_alone,
		  false,
		  { PRESENCE_ABSENT, PRESENCE_ABSENT, PRESENCE_ABSENT },
		  "the boot is known" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy_learning what = { .ima = rows[i].ima };
		json_t *json = new_policy();
		static struct verdict verdict;
		struct fixture fixture;
		struct policy policy;

		fixture_begin(&fixture);
		fixture_build(&fixture, BEFORE_PCRS, rows[i].change);
		fixture.input.state = NULL;
		learn(&fixture, &what, json, &policy);
		assert_memory_equal(policy.rules.logs, rows[i].logs, sizeof(rows[i].logs));
		if (!strstr(warnings, rows[i].told) || strstr(warnings, "does not trust"))
			fail_msg("row %zu: %s", i, warnings);
		verify(&fixture.input, &policy.rules, &verdict);
		if (!verdict_trusted(&verdict))
			fail_msg("row %zu: %s", i, check_name(verdict_reason(&verdict)));
		policy_free(&policy);
		json_decref(json);
		fixture_free(&fixture);
	}
}

static void with_mirrored_entries(struct fixture *f)
{
	fixture_add_firmware(f);
	fixture_mirror_path(f, 10, "boot_aggregate", false);
	fixture_mirror_path(f, 10, "/bin/sh", false);
	f->hands_no_ima_log = true;
}

/* Where IMA found no TPM, as on Debian's kernels for arm64, its list is in assay's log. */
static void test_learned_of_mirrored_entries(void **state)
{
	const struct policy_learning what = { .ima = true };
	json_t *json = new_policy();
	static struct verdict verdict;
	struct fixture fixture;
	struct policy policy;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, with_mirrored_entries);
	fixture.input.state = NULL;
	learn(&fixture, &what, json, &policy);
	assert_int_equal(policy.rules.logs[VERIFY_LOG_IMA], PRESENCE_ABSENT);
	assert_int_equal(policy.rules.ima_digest_count, 1);
	assert_null(strstr(warnings, "does not trust"));
	verify(&fixture.input, &policy.rules, &verdict);
	assert_true(verdict_trusted(&verdict));
	assert_true((verdict.required & CHECK_BIT(CHECK_IMA_FILES_KNOWN)) != 0);
	policy_free(&policy);
	json_decref(json);
	fixture_free(&fixture);
}

static void add_file_behind_the_quote(struct fixture *f)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 56);
	struct buffer value = { 0 };

	put_measure(&value);
	put_file(&value, "/opt/added", &digest);
	fixture_insert(f, f->record_count, fixture_record(f->record_count, buffer_bytes(&value)));
	buffer_free(&value);
	f->unanchored = 1;
}

/* Whoever hands evidence on can append records: the log is proven up to the quoted value. */
static void test_nothing_is_learned_from_behind_the_quote(void **state)
{
	const struct policy_learning what = { .waive_boot = true };
	json_t *json = new_policy();
	struct fixture fixture;
	struct policy policy;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, add_file_behind_the_quote);
	learn(&fixture, &what, json, &policy);
	assert_int_equal(policy.rules.allowed_count, 0);
	assert_non_null(strstr(warnings, "\"/opt/added\" is not learned: it is behind"));
	policy_free(&policy);
	json_decref(json);
	fixture_free(&fixture);
}

/* Of the PCRs, those that are asked for; without values of the boot only where that is said. */
static void test_learned_pcrs(void **state)
{
	static const struct {
		struct policy_learning what;
		size_t values;
		const char *says; /* among what is told, or the error */
		int result;
	} rows[] = {
		{ { .pcrs = 1U << 0 | 1U << 7 }, 2, "known by the values of PCRs 0, 7 of bank", 0 },
		{ { .pcrs = 1U << 0 | 1U << 4 }, 2, "known by the values of PCRs 0, 4 of bank", 0 },
		{ { .pcrs = 1U << 4 | 1U << 7 },
		  0,
		  "nothing is learned of the boot",
		  -EKEYREJECTED },
		{ { .pcrs = 1U << 0 | 1U << 9 },
		  0,
		  "nothing is learned of the boot",
		  -EKEYREJECTED },
		{ { .pcrs = 1U << 0 | 1U << 4 | 1U << 15 }, 0, "PCR 15 is to be learned", -EINVAL },
		{ { .waive_boot = true }, 0, "nothing is known of the boot", 0 },
		{ { .waive_boot = true, .pcrs = 1U << 9 }, 1, "nothing is known of the boot", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = new_policy();
		struct assay_error err = { 0 };
		struct fixture fixture;
		const json_t *values;
		int r;

		warnings[0] = '\0';
		fixture_begin(&fixture);
		fixture_build(&fixture, BEFORE_PCRS, fixture_add_firmware);
		r = policy_learn(&fixture.input, &rows[i].what, json, warn, NULL, &err);
		if (r != rows[i].result || !strstr(r < 0 ? err.text : warnings, rows[i].says))
			fail_msg("row %zu: %d, %s, %s", i, r, err.text, warnings);
		values = json_object_get(json_object_get(json, "pcrs"), "values");
		assert_int_equal(json_object_size(values), rows[i].values);
		assert_int_equal(!!json_object_get(json_object_get(json, "waive"), "boot-known"),
				 r == 0 && rows[i].what.waive_boot);
		fixture_free(&fixture);
		json_decref(json);
	}
}

/* The shim that was started measures its SbatLevel all the same. */
static void with_secure_boot_off(struct fixture *f)
{
#define GLOBAL "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
#define SIZES "\x0a\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
	static const char off[] = GLOBAL SIZES "S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0\0";

	without_the_module(f);
	memmove(&f->events[4], &f->events[3], (f->event_count - 3) * sizeof(f->events[0]));
	f->events[3] = (struct fixture_event){ 7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, off, NULL,
					       sizeof(off) - 1 };
	f->event_count++;
	f->events[f->event_count++] =
		(struct fixture_event){ 4, UEFI_EV_EFI_BOOT_SERVICES_APPLICATION, "shim.efi",
					"shim", 0 };
	f->events[f->event_count++] =
		(struct fixture_event){ 7, UEFI_EV_EFI_VARIABLE_AUTHORITY, "SbatLevel", NULL, 0 };
	fixture_mend_aggregate(f);
}

/* Nobody vouched for anything then, so that a rule on who did would hold for no boot. */
static void test_no_authorities_are_learned_without_secure_boot(void **state)
{
	const struct policy_learning what = { .firmware = true };
	const json_t *firmware;
	json_t *json = new_policy();
	static struct verdict verdict;
	struct fixture fixture;
	struct policy policy;

	(void)state;
	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, with_secure_boot_off);
	fixture.input.state = NULL;
	learn(&fixture, &what, json, &policy);
	firmware = json_object_get(json, "firmware");
	assert_non_null(json_object_get(firmware, "platform"));
	assert_null(json_object_get(firmware, "secure_boot"));
	assert_null(json_object_get(firmware, "authorities"));
	verify(&fixture.input, &policy.rules, &verdict);
	assert_int_equal(verdict.failed & verdict.required, 0);
	policy_free(&policy);
	json_decref(json);
	fixture_free(&fixture);
}

static void test_nothing_is_learned_from_what_is_wrong(void **state)
{
	static const struct policy_learning what = { .waive_boot = true };
	struct assay_error err;
	struct fixture fixture;
	json_t *json;

	(void)state;
	for (int i = 0; i < 3; i++) {
		json = new_policy();
		fixture_begin(&fixture);
		fixture_build(&fixture, BEFORE_PCRS, NULL);
		if (i == 0)
			fixture.input.evidence.size -= 3;
		if (i == 1)
			fixture.manifest_signature.data[fixture.manifest_signature.size - 1] ^= 1;
		if (i == 2) {
			uint8_t *event =
				memmem(fixture.text.data, fixture.text.size, "\"cel\": \"", 8);

			/* The first record's number is 1 then. */
			event[8 + 16]++;
		}
		assert_true(policy_learn(&fixture.input, &what, json, warn, NULL, &err) < 0);
		assert_int_equal(json_object_size(json), 2);
		json_decref(json);
		fixture_free(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_lint_of_the_boot),
		cmocka_unit_test(test_lint_of_logs),
		cmocka_unit_test(test_lint_of_idle_waivers),
		cmocka_unit_test(test_lint_says),
		cmocka_unit_test(test_import_of_a_runtime_policy),
		cmocka_unit_test(test_import_of_lines),
		cmocka_unit_test(test_import_of_odd_lines),
		cmocka_unit_test(test_import_of_zero_ended_lines),
		cmocka_unit_test(test_import_of_files),
		cmocka_unit_test(test_import_of_exclusions),
		cmocka_unit_test(test_exclusion_goes_before_digest),
		cmocka_unit_test(test_names_that_fall_together_are_told),
		cmocka_unit_test(test_import_takes_what_is_there),
		cmocka_unit_test(test_import_that_is_refused),
		cmocka_unit_test(test_import_adds),
		cmocka_unit_test(test_learned_policy_trusts),
		cmocka_unit_test(test_learned_logs),
		cmocka_unit_test(test_learned_of_mirrored_entries),
		cmocka_unit_test(test_nothing_is_learned_from_behind_the_quote),
		cmocka_unit_test(test_learned_pcrs),
		cmocka_unit_test(test_no_authorities_are_learned_without_secure_boot),
		cmocka_unit_test(test_nothing_is_learned_from_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
