// SPDX-License-Identifier: MIT
/*
 * Policies of IPE and IMA and kernels' configurations: what is read and what is refused, what is
 * made of a manifest whatever its paths are, and what is said of them.
 * tests/e2e/test_enforce_ipe.sh has the kernel judge the same forms.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "enforce/honour.h"
#include "enforce/ima_policy.h"
#include "enforce/ipe_load.h"
#include "enforce/make.h"

#define SEEN_MAX 1024
#define SIGNED_POLICY "tests/data/fuzz_enforce/signed"
#define HEADER "policy_name=a policy_version=1.2.3\n"
#define DENY HEADER "DEFAULT action=DENY\n"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---------------------------------------------------------------- IPE */

static void policies_are_read(void **state)
{
	static const char text[] =
		"# a comment first\n\n"
		"policy_name=it-is_1.x\tpolicy_version=65535.0.7 # and behind\r\n"
		"DEFAULT action=DENY\n"
		"DEFAULT op=FIRMWARE action=ALLOW\n"
		"\top=EXECUTE  boot_verified=TRUE fsverity_signature=FALSE action=ALLOW  \n"
		"op=KMODULE fsverity_digest=sha256:" HEX64 " action=DENY\n"
		"op=X509_CERT dmverity_roothash=sha1:00ff action=ALLOW\n"
		"op=POLICY action=ALLOW";
	struct ipe_policy policy;
	struct assay_error err = { 0 };
	char version[IPE_VERSION_TEXT];

	(void)state;
	assert_int_equal(ipe_policy_read(support_text(text), "p", &policy, &err), 0);
	assert_string_equal(policy.name, "it-is_1.x");
	assert_string_equal(ipe_version_text(&policy.version, version), "65535.0.7");
	assert_int_equal(policy.default_action, IPE_DENY);
	assert_int_equal(policy.default_actions[IPE_FIRMWARE], IPE_ALLOW);
	assert_int_equal(policy.default_actions[IPE_EXECUTE], IPE_UNSET);
	assert_int_equal(policy.rule_count, 4);
	assert_int_equal(policy.rules[0].operation, IPE_EXECUTE);
	assert_int_equal(policy.rules[0].properties,
			 1U << IPE_BOOT_VERIFIED | 1U << IPE_FSVERITY_SIGNATURE);
	assert_int_equal(policy.rules[0].truth, 1U << IPE_BOOT_VERIFIED);
	assert_int_equal(policy.rules[1].action, IPE_DENY);
	assert_int_equal(policy.rules[2].properties, 1U << IPE_DMVERITY_ROOTHASH);
	assert_int_equal(policy.rules[3].properties, 0);
	ipe_policy_free(&policy);
	ipe_policy_free(&policy);
	assert_true(ipe_looks_like(support_text(text)));
	assert_false(ima_looks_like(support_text(text)));
}

static void policies_that_are_off_are_told(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "", "begins with policy_name" },
		{ "# nothing\n", "begins with policy_name" },
		{ "DEFAULT action=DENY\n", "p line 1: a policy begins with policy_name=NAME" },
		{ "policy_name= policy_version=1.0.0\n", "line 1: a policy begins with" },
		{ "policy_version=1.0.0 policy_name=a\n", "line 1: a policy begins with" },
		{ "policy_name=a\nDEFAULT action=DENY\n", "behind the name stands" },
		{ "policy_name=a policy_version=1.0.0 x\n", "nothing may follow the version: 'x'" },
		{ "policy_name=../x policy_version=1.0.0\n", "does not begin with '.'" },
		{ "policy_name=a/b policy_version=1.0.0\n", "letters, digits" },
		{ "policy_name=" HEX64 " policy_version=1.0.0\n", "1 to 63 characters" },
		{ "policy_name=a policy_version=1.0\n", "three numbers" },
		{ "policy_name=a policy_version=1.0.0.0\n", "three numbers" },
		{ "policy_name=a policy_version=1.0.65536\n", "three numbers" },
		{ "policy_name=a policy_version=+1.0.0\n", "three numbers" },
		{ "policy_name=a policy_version=1..0\n", "three numbers" },
		{ HEADER, "no default for op=EXECUTE" },
		{ HEADER "DEFAULT op=EXECUTE action=DENY\n", "no default for op=FIRMWARE" },
		{ DENY "DEFAULT action=ALLOW\n", "line 3: there is such a default already" },
		{ HEADER "DEFAULT\n", "line 2: a rule ends in action=" },
		{ DENY "DEFAULT op=EXECUTE boot_verified=TRUE action=DENY\n", "ends in action=" },
		{ DENY "DEFAULT action=DENY x\n", "already" },
		{ HEADER "DEFAULT action=DENY x\n", "a default has no property: 'x'" },
		{ DENY "op=EXECUTE\n", "line 3: a rule ends in action=" },
		{ DENY "op=EXECUTE boot_verified=TRUE\n", "a rule ends in action=" },
		{ DENY "op=EXECUTE action=allow\n", "a rule ends in action=" },
		{ DENY "op=execute action=ALLOW\n", "no such operation: 'op=execute'" },
		{ DENY "op=EXECUTE op=KMODULE action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE action=ALLOW action=DENY\n", "no such property" },
		{ DENY "action=ALLOW\n", "no such operation" },
		{ DENY "op=EXECUTE boot_verified=true action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE boot_verified action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE fsverity_digest=" HEX64 " action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE fsverity_digest=sha256:00 action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE fsverity_digest=sha1:" HEX64 " action=ALLOW\n",
		  "no such property" },
		{ DENY "op=EXECUTE dmverity_roothash=sha256:0 action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE dmverity_roothash=:00 action=ALLOW\n", "no such property" },
		{ DENY "op=EXECUTE\xc2\xa0"
		       "action=ALLOW\n",
		  "only printable ASCII" },
		{ DENY "op=EXECUTE\vaction=ALLOW\n", "only printable ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipe_policy policy;
		struct assay_error err = { 0 };

		assert_int_equal(ipe_policy_read(support_text(rows[i].text), "p", &policy, &err),
				 -EBADMSG);
		support_assert_error(&err, rows[i].told);
	}
}

static void what_the_kernel_would_not_see_is_refused(void **state)
{
	static const char nul[] = DENY "# \0\nop=EXECUTE action=ALLOW\n";
	struct ipe_policy policy;
	struct assay_error err = { 0 };
	struct buffer large = { 0 };

	(void)state;
	assert_int_equal(ipe_policy_read(BYTES_LITERAL(nul), "p", &policy, &err), -EBADMSG);
	support_assert_error(&err, "NUL");
	memset(buffer_reserve(&large, IPE_TEXT_MAX + 1), '#', IPE_TEXT_MAX + 1);
	large.size = IPE_TEXT_MAX + 1;
	assert_int_equal(ipe_policy_read(buffer_bytes(&large), "p", &policy, &err), -EFBIG);
	buffer_free(&large);
}

static void versions_are_ordered(void **state)
{
	static const char *const rising[] = { "0.0.0",
					      "0.0.1",
					      "0.1.0",
					      "0.65535.65535",
					      "1.0.0",
					      "20787.709.40",
					      "65535.65535.65535" };
	struct ipe_version of_time = ipe_version_of(1796039380); /* 2026-11-30 11:49:40 */
	char text[IPE_VERSION_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++) {
		struct ipe_version a, b;

		assert_int_equal(ipe_version_parse(rising[i], &a, NULL), 0);
		assert_int_equal(ipe_version_compare(&a, &a), 0);
		if (i == 0)
			continue;
		assert_int_equal(ipe_version_parse(rising[i - 1], &b, NULL), 0);
		assert_int_equal(ipe_version_compare(&a, &b), 1);
		assert_int_equal(ipe_version_compare(&b, &a), -1);
	}
	assert_string_equal(ipe_version_text(&of_time, text), "20787.709.40");
	of_time = ipe_version_of(UINT64_MAX);
	assert_int_equal(of_time.major, UINT16_MAX);
}

static void signed_policies_are_opened(void **state)
{
	struct buffer der = support_read(SIGNED_POLICY), text = { 0 };
	struct ipe_policy policy;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(ipe_open_signed(buffer_bytes(&der), "s", &text, &policy, &err), 0);
	assert_string_equal(policy.name, "assay");
	assert_int_equal(policy.rule_count, 14);
	ipe_policy_free(&policy);
	for (size_t cut = 0; cut < der.size; cut++) {
		text.size = 0;
		assert_int_equal(ipe_open_signed(BYTES(der.data, cut), "s", &text, &policy, &err),
				 -EBADMSG);
		support_assert_error(&err, "s: it is no signed policy");
	}
	buffer_append_u8(&der, 0);
	assert_int_equal(ipe_open_signed(buffer_bytes(&der), "s", &text, &policy, &err), -EBADMSG);
	buffer_free(&text);
	buffer_free(&der);
}

/* ---------------------------------------------------------------- IMA */

static void ima_policies_that_are_off_are_told(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "", "no rule" },
		{ "# comment\n\n", "no rule" },
		{ "allow func=BPRM_CHECK\n", "p line 1: a rule begins with" },
		{ "\n\nmeasure func=NO_CHECK\n", "p line 3: no such function" },
		{ "measure what=1\n", "IMA knows no such word: 'what=1'" },
		{ "measure func=\n", "IMA knows no such word" },
		{ "measure mask=EXEC\n", "no such mask" },
		{ "measure func=BPRM_CHECK func=MMAP_CHECK\n", "it is said already" },
		{ "appraise digest_type=verity\n", "needs appraise_type=sigv3" },
		{ "appraise digest_type=verity appraise_type=imasig\n", "signed by sigv3" },
		{ "appraise appraise_type=sigv3 digest_type=verity\n", "has to stand before it" },
		{ "appraise appraise_type=imasig digest_type=verity\n", "before appraise_type" },
		{ "appraise appraise_type=sigv3\n", "digest_type=verity has to stand" },
		{ "appraise appraise_type=sigv4\n", "must be sigv3, imasig" },
		{ "appraise digest_type=sha256\n", "must be verity" },
		{ "appraise func=MODULE_CHECK digest_type=verity appraise_type=sigv3\n",
		  "no fs-verity digest for it: 'MODULE_CHECK'" },
		{ "measure appraise_type=imasig\n", "only what is appraised" },
		{ "appraise template=ima-ng\n", "only what is measured has a template" },
		{ "dont_measure pcr=11\n", "only what is measured has a PCR" },
		{ "measure func=BPRM_CHECK\xff\n", "printable ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct assay_error err = { 0 };

		assert_int_equal(ima_policy_read(support_text(rows[i].text), "p", NULL, NULL, &err),
				 -EBADMSG);
		support_assert_error(&err, rows[i].told);
	}
}

static void count_rule(void *context, const struct ima_rule *rule)
{
	char *seen = context;
	char line[64];

	snprintf(line, sizeof(line), "%zu:%s%s%s;", rule->line, ima_action_name(rule->action),
		 rule->sigv3 ? ":sigv3" : "", rule->limited ? ":limited" : "");
	strncat(seen, line, SEEN_MAX - strlen(seen) - 1);
}

static void ima_policies_are_read(void **state)
{
	static const char text[] =
		"# of the kernel's documents\n"
		"dont_measure fsmagic=0x9fa0\n"
		"measure func=FILE_CHECK mask=^MAY_READ euid=0 uid<1000 uid>100\r\n"
		"appraise func=BPRM_CHECK digest_type=verity appraise_type=sigv3\n"
		"measure func=KEY_CHECK keyrings=.ima|.evm template=ima-buf pcr=11\n"
		"appraise func=MODULE_CHECK appraise_type=imasig|modsig permit_directio\n";
	char seen[SEEN_MAX] = "";
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(ima_policy_read(support_text(text), "p", count_rule, seen, &err), 0);
	assert_string_equal(seen, "2:dont_measure:limited;3:measure:limited;4:appraise:sigv3;"
				  "5:measure:limited;6:appraise;");
	assert_true(ima_looks_like(support_text(text)));
	assert_false(ipe_looks_like(support_text(text)));
}

/* ---------------------------------------------------------------- made of a manifest */

/* Paths that would be rules where they are taken as they are. */
static const char *const hostile[] = {
	"/a b",
	"/c\nop=EXECUTE action=ALLOW",
	"/d\rDEFAULT op=KMODULE action=ALLOW",
	"/e#\" action=ALLOW",
	"/f\tfsverity_signature=FALSE",
	"/g'\xe2\x80\xa8op=EXECUTE action=ALLOW",
	"/h.ko",
	"/usr/lib/firmware/x\nappraise",
};

#define HOSTILE (sizeof(hostile) / sizeof(*hostile))

static struct buffer manifest_of(const char *const *paths, size_t count, bool pkcs7, bool ima)
{
	struct manifest_header header = { .id = "00112233445566778899aabbccddeeff",
					  .created = "2026-11-30T11:49:40Z",
					  .parameters = VERITY_PARAMETERS_DEFAULT,
					  .subject = "CN=x",
					  .key_id_size = 4 };
	struct buffer out = { 0 };

	assert_int_equal(manifest_append_header(&header, &out, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		struct manifest_entry entry = {
			.path = paths[i], .digest = { .hash = ASSAY_HASH_SHA256, .size = 32 }
		};

		entry.digest.bytes[0] = (uint8_t)i;
		if (pkcs7)
			entry.pkcs7 = BYTES_LITERAL("p");
		if (ima)
			entry.ima = BYTES_LITERAL("i");
		assert_int_equal(manifest_append_entry(&entry, &out, NULL), 0);
	}
	return out;
}

static const struct make_ipe all_by_digest = { .name = "a",
					       .operations = (1U << IPE_OPERATIONS) - 1,
					       .by_digest = true };

static void paths_become_no_rules(void **state)
{
	struct buffer text = manifest_of(hostile, HOSTILE, true, true), ipe = { 0 }, ima = { 0 };
	struct make_ima wanted = { .measure = true, .firmware = true };
	struct make_source source;
	struct ipe_policy policy;
	struct assay_error err = { 0 };
	size_t of[IPE_OPERATIONS] = { 0 };
	char seen[SEEN_MAX] = "";

	(void)state;
	assert_int_equal(make_source_read(buffer_bytes(&text), "m", &source, &err), 0);
	assert_int_equal(source.file_count, HOSTILE);
	assert_int_equal(make_ipe_policy(&source, &all_by_digest, &ipe, &err), 0);
	assert_int_equal(ipe_policy_read(buffer_bytes(&ipe), "p", &policy, &err), 0);
	assert_int_equal(policy.rule_count, HOSTILE);
	assert_int_equal(policy.default_action, IPE_DENY);
	for (size_t i = 0; i < IPE_OPERATIONS; i++)
		assert_int_equal(policy.default_actions[i], IPE_UNSET);
	for (size_t i = 0; i < policy.rule_count; i++) {
		assert_int_equal(policy.rules[i].properties, 1U << IPE_FSVERITY_DIGEST);
		of[policy.rules[i].operation]++;
	}
	assert_int_equal(of[IPE_EXECUTE], HOSTILE - 2);
	assert_int_equal(of[IPE_KMODULE], 1);
	assert_int_equal(of[IPE_FIRMWARE], 1);
	ipe_policy_free(&policy);
	buffer_append_u8(&ipe, 0);
	assert_non_null(strstr((char *)ipe.data, "# /c\\x0aop=EXECUTE action=ALLOW\n"));

	assert_int_equal(make_ima_policy(&source, &wanted, &ima, &err), 0);
	assert_int_equal(ima_policy_read(buffer_bytes(&ima), "p", count_rule, seen, &err), 0);
	assert_null(memmem(ima.data, ima.size, "/c", 2));
	buffer_free(&ima);
	buffer_free(&ipe);
	buffer_free(&text);
}

static void what_would_not_run_is_told(void **state)
{
	struct make_ipe by_signature = { .name = "a", .operations = 1 };
	struct make_ipe named = all_by_digest;
	struct make_ima ima = { 0 };
	static const char *const bad_hashes[] = {
		"sha256:00 action=ALLOW",	  "sha256:0", "00", "", "sha256:00#",
		"sha256:00\nDEFAULT action=ALLOW"
	};
	struct buffer text = manifest_of(hostile, HOSTILE, false, true), out = { 0 };
	struct make_source source;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(make_source_read(buffer_bytes(&text), "m", &source, &err), 0);
	assert_int_equal(make_ipe_policy(&source, &by_signature, &out, &err), -ENOKEY);
	support_assert_error(&err, "8 of 8 files have no built-in signature, first /a b");
	for (size_t i = 0; i < sizeof(bad_hashes) / sizeof(*bad_hashes); i++) {
		named.root_hashes = &bad_hashes[i];
		named.root_hash_count = 1;
		assert_int_equal(make_ipe_policy(&source, &named, &out, &err), -EINVAL);
		support_assert_error(&err, "root hash");
	}
	buffer_free(&out);
	buffer_free(&text);
	text = manifest_of(hostile, HOSTILE, true, false);
	assert_int_equal(make_source_read(buffer_bytes(&text), "m", &source, &err), 0);
	assert_int_equal(make_ima_policy(&source, &ima, &out, &err), -ENOKEY);
	support_assert_error(&err, "have no IMA signature");
	buffer_free(&text);
	text = manifest_of(NULL, 0, false, false);
	assert_int_equal(make_source_read(buffer_bytes(&text), "m", &source, &err), -ENOENT);
	buffer_free(&text);
}

static void many_digests_are_refused(void **state)
{
	size_t count = MAKE_DIGESTS_MAX + 1;
	char **paths = calloc(count, sizeof(*paths));
	struct buffer text, out = { 0 };
	struct make_source source;
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_true(asprintf(&paths[i], "/%04zu", i) > 0);
	text = manifest_of((const char *const *)paths, count, false, true);
	assert_int_equal(make_source_read(buffer_bytes(&text), "m", &source, &err), 0);
	assert_int_equal(make_ipe_policy(&source, &all_by_digest, &out, &err), -E2BIG);
	support_assert_error(&err, "take --by signature");
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	buffer_free(&text);
	buffer_free(&out);
}

/* ---------------------------------------------------------------- kernels */

static void configurations_are_read(void **state)
{
	static const char text[] = "#\n# Automatically generated file; DO NOT EDIT.\n"
				   "# Linux/arm64 6.12.117 Kernel Configuration\n#\n"
				   "CONFIG_B=y\nCONFIG_A=m\n# CONFIG_C is not set\n"
				   "CONFIG_LSM=\"landlock,ipe\"\nCONFIG_EMPTY=\"\"\nCONFIG_N=0x10\n"
				   "CONFIG_B=y\n";
	uint8_t packed[1024];
	z_stream stream = { .next_in = (uint8_t *)text,
			    .avail_in = sizeof(text) - 1,
			    .next_out = packed,
			    .avail_out = sizeof(packed) };
	struct kernel_config config;
	struct kernel_facts facts;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	for (int i = 0; i < 2; i++) {
		struct bytes from = i == 0 ? support_text(text) : BYTES(packed, stream.total_out);

		assert_int_equal(kernel_config_read(from, "c", &config, &err), 0);
		assert_true(bytes_equal(config.release, support_text("6.12.117")));
		assert_true(kernel_config_has(&config, "A"));
		assert_true(kernel_config_has(&config, "B"));
		assert_false(kernel_config_has(&config, "C"));
		assert_false(kernel_config_has(&config, "N"));
		assert_true(bytes_equal(kernel_config_value(&config, "N"), support_text("0x10")));
		assert_int_equal(kernel_config_value(&config, "EMPTY").size, 0);
		kernel_facts_of_config(&config, &facts);
		assert_int_equal(kernel_facts_lsm(&facts, "ipe"), KERNEL_YES);
		assert_int_equal(kernel_facts_lsm(&facts, "ip"), KERNEL_NO);
		assert_int_equal(kernel_facts_lsm(&facts, "landlock"), KERNEL_YES);
		kernel_facts_free(&facts);
		assert_int_equal(kernel_facts_lsm(&(struct kernel_facts){ 0 }, "ipe"),
				 KERNEL_UNKNOWN);
	}
	/* Cut anywhere. */
	for (size_t cut = 4; cut < stream.total_out; cut += 7)
		assert_true(kernel_config_read(BYTES(packed, cut), "c", &config, &err) < 0);
}

static void configurations_that_are_off_are_told(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "", "no kernel's configuration" },
		{ "# nothing\n", "no kernel's configuration" },
		{ "CONFIG_A\n", "c line 1: it is no CONFIG_NAME=VALUE" },
		{ "CONFIG_=y\n", "c line 1" },
		{ "CONFIG_A=\n", "it has no value" },
		{ "CONFIG_A=\"x\n", "its string does not end" },
		{ "CONFIG_A=\"\n", "its string does not end" },
		{ "CONFIG_A B=y\n", "it is no CONFIG_NAME=VALUE" },
		{ "\nHello\n", "c line 2" },
		{ "CONFIG_A=y\nCONFIG_B=y\nCONFIG_A=m\n", "CONFIG_A has two values" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kernel_config config;
		struct assay_error err = { 0 };

		assert_int_equal(kernel_config_read(support_text(rows[i].text), "c", &config, &err),
				 -EBADMSG);
		support_assert_error(&err, rows[i].told);
	}
}

/* ---------------------------------------------------------------- what is said */

static void write_down(void *context, enum honour_level level, const char *text)
{
	struct buffer *out = context;
	static const char *const levels[] = { "says ", "note ", "warning " };

	buffer_append(out, levels[level], strlen(levels[level]));
	buffer_append(out, text, strlen(text));
	buffer_append_u8(out, '\n');
}

#define IPE_KERNEL "CONFIG_SECURITY_IPE=y\nCONFIG_LSM=\"lockdown,ipe\"\nCONFIG_FS_VERITY=y\n"
#define SIGNED_RULE "op=EXECUTE fsverity_signature=TRUE action=ALLOW\n"
#define SIGV3_RULE "appraise func=BPRM_CHECK digest_type=verity appraise_type=sigv3\n"
#define IMA_KERNEL "CONFIG_IMA=y\nCONFIG_IMA_APPRAISE=y\nCONFIG_FS_VERITY=y\n"

/* A policy, a kernel's configuration or none, and what has to be said; "!" before what must not. */
static const struct {
	const char *policy, *config, *said;
} said_rows[] = {
	{ DENY SIGNED_RULE, NULL, "says EXECUTE (programs" },
	{ DENY SIGNED_RULE, NULL, "but what has a built-in signature" },
	{ DENY SIGNED_RULE, NULL, "!warning" },
	{ DENY SIGNED_RULE, NULL, "note What an interpreter reads" },
	{ HEADER "DEFAULT action=ALLOW\n", NULL, "warning EXECUTE is allowed by default" },
	{ HEADER "DEFAULT action=ALLOW\n", NULL, "!note" },
	{ DENY "op=KMODULE action=ALLOW\n", NULL, "warning A rule allows KMODULE whatever" },
	{ DENY "op=EXECUTE boot_verified=FALSE action=ALLOW\n", NULL, "what they do not have" },
	{ DENY SIGNED_RULE, "CONFIG_A=y\n", "warning This kernel has no IPE" },
	{ DENY SIGNED_RULE, "CONFIG_SECURITY_IPE=y\nCONFIG_LSM=\"yama\"\n",
	  "warning This kernel does not start ipe: it is not among its LSMs (yama)" },
	{ DENY SIGNED_RULE, IPE_KERNEL, "lacks CONFIG_IPE_PROP_FS_VERITY_BUILTIN_SIG" },
	{ DENY SIGNED_RULE, IPE_KERNEL "CONFIG_IPE_PROP_FS_VERITY_BUILTIN_SIG=y\n", "!lacks" },
	{ DENY SIGNED_RULE, IPE_KERNEL, "warning Only whoever built this kernel" },
	{ DENY SIGNED_RULE, IPE_KERNEL "CONFIG_IPE_POLICY_SIG_PLATFORM_KEYRING=y\n",
	  "or in the firmware's db (.platform)" },
	{ DENY SIGNED_RULE,
	  IPE_KERNEL
	  "CONFIG_IPE_POLICY_SIG_SECONDARY_KEYRING=y\nCONFIG_INTEGRITY_MACHINE_KEYRING=y\n",
	  "machine owner key (MOK" },
	{ DENY SIGNED_RULE, IPE_KERNEL "CONFIG_IPE_BOOT_POLICY=\"/x\"\n",
	  "built into this kernel" },
	{ DENY "op=EXECUTE dmverity_signature=TRUE action=ALLOW\n", IPE_KERNEL,
	  "lacks CONFIG_IPE_PROP_DM_VERITY_SIGNATURE" },
	{ SIGV3_RULE, NULL, "says Line 1: BPRM_CHECK is refused" },
	{ SIGV3_RULE, NULL, "note Kernel modules are not appraised" },
	{ SIGV3_RULE, NULL, "note Nothing is measured" },
	{ "appraise func=MMAP_CHECK digest_type=verity appraise_type=sigv3\n", NULL,
	  "warning It does not appraise every program" },
	{ "appraise func=BPRM_CHECK\n", NULL, "warning Line 1: a mere hash" },
	{ "appraise func=BPRM_CHECK appraise_type=imasig\n", NULL,
	  "no signature of their content" },
	{ "dont_appraise func=BPRM_CHECK\n" SIGV3_RULE, NULL, "nothing that is behind it" },
	{ "measure func=BPRM_CHECK template=ima-sigv3\n", NULL, "no kernel has the template" },
	{ "measure func=BPRM_CHECK\n", NULL, "!warning" },
	{ SIGV3_RULE, "CONFIG_IMA=y\n", "warning This kernel cannot appraise" },
	{ SIGV3_RULE, IMA_KERNEL, "warning This kernel has no .ima" },
	{ SIGV3_RULE, IMA_KERNEL, "warning This kernel takes one policy of IMA's in a boot" },
	{ SIGV3_RULE, IMA_KERNEL "CONFIG_IMA_WRITE_POLICY=y\n", "!one policy" },
	{ SIGV3_RULE, IMA_KERNEL "CONFIG_INTEGRITY_TRUSTED_KEYRING=y\n",
	  "says Signers are in the keyring .ima" },
	{ SIGV3_RULE, IMA_KERNEL "CONFIG_IMA_APPRAISE_REQUIRE_POLICY_SIGS=y\n", "itself signed" },
	{ SIGV3_RULE, "CONFIG_IMA=y\nCONFIG_IMA_APPRAISE=y\n", "has no fs-verity" },
};

static void policies_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(said_rows) / sizeof(*said_rows); i++) {
		struct bytes text = support_text(said_rows[i].policy);
		const char *said = said_rows[i].said;
		struct kernel_config config = { 0 };
		struct kernel_facts facts = { 0 }, *given = said_rows[i].config ? &facts : NULL;
		struct assay_error err = { 0 };
		struct buffer out = { 0 };

		if (given) {
			assert_int_equal(kernel_config_read(support_text(said_rows[i].config), "c",
							    &config, &err),
					 0);
			kernel_facts_of_config(&config, &facts);
		}
		if (ipe_looks_like(text)) {
			struct ipe_policy policy;

			assert_int_equal(ipe_policy_read(text, "p", &policy, &err), 0);
			honour_ipe(&policy, given, write_down, &out);
			ipe_policy_free(&policy);
		} else {
			assert_int_equal(honour_ima(text, "p", given, write_down, &out, &err), 0);
		}
		buffer_append_u8(&out, 0);
		if (said[0] == '!' ? strstr((char *)out.data, said + 1) != NULL :
				     strstr((char *)out.data, said) == NULL)
			fail_msg("row %zu, %s: %s", i, said, (char *)out.data);
		buffer_free(&out);
		kernel_facts_free(&facts);
	}
}

static void what_is_not_known_of_a_kernel_is_told(void **state)
{
	struct kernel_facts facts = { .running = true,
				      .ipe_there = KERNEL_YES,
				      .ipe_policy = KERNEL_NO,
				      .ipe_enforcing = KERNEL_NO,
				      .ima_policy_there = KERNEL_NO };
	struct assay_error err = { 0 };
	struct buffer out = { 0 };
	struct ipe_policy policy;

	(void)state;
	assay_fail(&facts.no_config, ENOENT, "there is no file");
	assert_int_equal(ipe_policy_read(support_text(DENY), "p", &policy, &err), 0);
	honour_ipe(&policy, &facts, write_down, &out);
	ipe_policy_free(&policy);
	assert_int_equal(honour_ima(support_text(SIGV3_RULE), "p", &facts, write_down, &out, &err),
			 0);
	buffer_append_u8(&out, 0);
	assert_non_null(strstr((char *)out.data, "configuration is not known (there is no file)"));
	assert_non_null(strstr((char *)out.data, "note No policy of IPE's is active"));
	assert_non_null(strstr((char *)out.data, "warning IPE only tells here"));
	assert_non_null(strstr((char *)out.data, "warning IMA takes no policy here any more"));
	assert_null(strstr((char *)out.data, "This kernel has no"));
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(policies_that_are_off_are_told),
		cmocka_unit_test(what_the_kernel_would_not_see_is_refused),
		cmocka_unit_test(versions_are_ordered),
		cmocka_unit_test(signed_policies_are_opened),
		cmocka_unit_test(ima_policies_that_are_off_are_told),
		cmocka_unit_test(ima_policies_are_read),
		cmocka_unit_test(paths_become_no_rules),
		cmocka_unit_test(what_would_not_run_is_told),
		cmocka_unit_test(many_digests_are_refused),
		cmocka_unit_test(configurations_are_read),
		cmocka_unit_test(configurations_that_are_off_are_told),
		cmocka_unit_test(policies_are_explained),
		cmocka_unit_test(what_is_not_known_of_a_kernel_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
