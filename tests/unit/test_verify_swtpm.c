// SPDX-License-Identifier: MIT
/*
 * lib/verify on the quotes of a TPM (swtpm) that tpm2-tools asked for: what
 * tpm2_checkquote accepts is accepted here, logs included, and what a TPM signs
 * beside quotes is not.
 *
 * With ASSAY_TEST_KEEP=DIRECTORY, evidence and all that verifying it takes are kept
 * there: so tests/data/evidence was made.
 */
#define _GNU_SOURCE
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sign/certificate.h"
#include "verify/key.h"
#include "verify_fixture.h"

#define NONCE "this is a nonce!" /* the fixture's */

static pid_t swtpm;

/* ---------------------------------------------------------------- swtpm */

static int set_up(void **state)
{
	char directory[128], tcti[256];

	if (support_enter_directory(state) < 0 || !getcwd(directory, sizeof(directory)))
		return -1;
	if (!support_have("swtpm") || !support_have("tpm2_quote"))
		return -1;
	swtpm = support_swtpm_start(directory);
	snprintf(tcti, sizeof(tcti), "swtpm:path=%s/s", directory);
	return swtpm > 0 && setenv("TPM2TOOLS_TCTI", tcti, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	support_swtpm_stop(swtpm);
	return support_leave_directory(state);
}

/* A tpm2-tool; swtpm keeps three transient objects, so none is left behind. */
#define TPM(...)                                                                               \
	do {                                                                                   \
		assert_int_equal(support_run(__VA_ARGS__), 0);                                 \
		assert_int_equal(support_run("tpm2_flushcontext -t >/dev/null 2>&1 || :"), 0); \
	} while (0)

static struct buffer nonce_hex(void)
{
	struct buffer text = { 0 };

	assert_non_null(buffer_reserve(&text, 2 * sizeof(NONCE)));
	hex_encode(BYTES_LITERAL(NONCE), (char *)text.data);
	return text;
}

/* What the kernel does: extend the two PCRs of both banks with every record of the logs. */
static void extend_all(const struct fixture *fixture)
{
	char first[65], second[65];

	TPM("tpm2_pcrreset 16"); /* fails where no TPM answers */
	for (size_t i = 0; i < fixture->record_count; i++) {
		const struct assay_digest *digests = fixture->records[i].digests;

		hex_encode(BYTES(digests[0].bytes, digests[0].size), first);
		hex_encode(BYTES(digests[1].bytes, digests[1].size), second);
		TPM("tpm2_pcrextend 14:sha1=%s,sha256=%s", first, second);
	}
	for (size_t i = 0; i < fixture->entry_count; i++) {
		hex_encode(BYTES(fixture->entries[i].digest, 20), first);
		support_write("entry", buffer_bytes(&fixture->entries[i].data));
		TPM("tpm2_pcrextend 10:sha1=%s,sha256=$(sha256sum <entry | cut -c1-64)", first);
	}
}

static void make_key(const char *algorithm, const char *name)
{
	TPM("tpm2_createprimary -Q -C o -g sha256 -G ecc -c primary.ctx");
	TPM("tpm2_readpublic -Q -c primary.ctx -o primary.pub");
	TPM("tpm2_create -Q -C primary.ctx -g sha256 -G %s -u %s.pub -r %s.priv -a "
	    "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'",
	    algorithm, name, name);
	TPM("tpm2_load -Q -C primary.ctx -u %s.pub -r %s.priv -c %s.ctx", name, name, name);
	TPM("tpm2_readpublic -Q -c %s.ctx -n %s.name -q %s.qname -f pem -o %s.pem", name, name,
	    name, name);
}

/* ---------------------------------------------------------------- tests */

/* Which key's quote is to be put into the fixture, or what in its place. */
static const char *key_name, *message_name;

static void take(struct buffer *out, const char *name, const char *suffix)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.%s", name, suffix);
	buffer_free(out);
	*out = support_read(path);
}

/* Of a quote that the TPM gave just before this one. */
static void take_state(struct fixture *fixture)
{
	struct buffer before = support_read("before.msg");
	struct tpm_attest attest;
	struct assay_error err;

	if (tpm_attest_parse(buffer_bytes(&before), &attest, &err) < 0)
		fail_msg("%s", err.text);
	fixture->state.clock = attest.clock;
	fixture->state.reset_count = attest.reset_count;
	fixture->state.restart_count = attest.restart_count;
	fixture->state.firmware_version = attest.firmware_version;
	buffer_free(&before);
}

static void take_from_tpm(struct fixture *fixture)
{
	take(&fixture->evidence.attest, message_name, "msg");
	take(&fixture->evidence.signature, message_name, "sig");
	take(&fixture->evidence.ak_public, key_name, "pub");
	take(&fixture->enrolled, key_name, "pub");
	take(&fixture->qualified_name, key_name, "qname");
	fixture->quote.selections[0] = fixture_select(ASSAY_HASH_SHA256, 1U << 10 | 1U << 14);
	fixture->quote.selections_written = 1;
	fixture_supply(fixture);
	take_state(fixture);
}

static void keep(const char *directory, const char *name, struct bytes bytes)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	support_write(path, bytes);
}

/* For tests/data/evidence. */
static void keep_evidence(const char *directory)
{
	struct buffer certificate = { 0 };
	struct fixture fixture;

	key_name = message_name = "p256";
	fixture_begin(&fixture);
	fixture_build(&fixture, AFTER_QUOTE, take_from_tpm);
	assert_int_equal(certificate_append_pem(fixture.certificates[0], &certificate, NULL), 0);
	keep(directory, "evidence.json", buffer_bytes(&fixture.text));
	keep(directory, "ak.pub", buffer_bytes(&fixture.enrolled));
	keep(directory, "ak.qname", buffer_bytes(&fixture.qualified_name));
	keep(directory, "nonce", buffer_bytes(&fixture.nonce));
	keep(directory, "manifest.jsonl", buffer_bytes(&fixture.manifest_text));
	keep(directory, "manifest.jsonl.p7s", buffer_bytes(&fixture.manifest_signature));
	keep(directory, "cert.pem", buffer_bytes(&certificate));
	buffer_free(&certificate);
	fixture_free(&fixture);
}

/* Whether others accept a quote: tpm2_checkquote, which does not know PSS, or OpenSSL. */
static void assert_others_accept(const char *name, const char *scheme, const char *nonce)
{
	if (strcmp(scheme, "rsapss") == 0)
		TPM("tail -c 256 %s.sig >%s.raw && openssl dgst -sha256 -verify %s.pem -signature "
		    "%s.raw "
		    "-sigopt rsa_padding_mode:pss %s.msg >/dev/null",
		    name, name, name, name, name);
	else
		TPM("tpm2_checkquote -Q -g sha256 -u %s.pem -m %s.msg -s %s.sig -f %s.pcrs -q %s",
		    name, name, name, name, nonce);
}

static void test_quotes_of_a_tpm(void **state)
{
	static const struct {
		const char *algorithm, *name, *scheme;
	} keys[] = {
		{ "ecc256:ecdsa-sha256:null", "p256", "ecdsa" },
		{ "rsa2048:rsassa-sha256:null", "rsassa", "rsassa" },
		{ "rsa2048:rsapss-sha256:null", "rsapss", "rsapss" },
	};
	struct buffer hex = nonce_hex();
	static struct verdict verdict;
	struct fixture fixture;

	(void)state;
	fixture_begin(&fixture);
	extend_all(&fixture);
	fixture_free(&fixture);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		key_name = message_name = keys[i].name;
		make_key(keys[i].algorithm, key_name);
		TPM("tpm2_quote -Q -c %s.ctx --scheme %s -g sha256 -l sha256:10,14 -q %s -m %s.msg "
		    "-s %s.sig -o %s.pcrs",
		    key_name, keys[i].scheme, (char *)hex.data, key_name, key_name, key_name);
		assert_others_accept(key_name, keys[i].scheme, (char *)hex.data);
		/* Offered for the second time, and then as the one that came after another. */
		TPM("cp %s.msg before.msg", key_name);
		fixture_judge(AFTER_QUOTE, take_from_tpm, &verdict);
		assert_true(verdict.failed == CHECK_BIT(CHECK_QUOTE_COUNTERS));
		assert_false(verdict_trusted(&verdict));
		TPM("tpm2_quote -Q -c %s.ctx --scheme %s -g sha256 -l sha256:10,14 -q %s -m %s.msg "
		    "-s %s.sig -o %s.pcrs",
		    key_name, keys[i].scheme, (char *)hex.data, key_name, key_name, key_name);
		fixture_judge(AFTER_QUOTE, take_from_tpm, &verdict);
		for (int j = 0; j < CHECK_COUNT; j++)
			if (verdict.failed & CHECK_BIT(j))
				fail_msg("%s: %s: %s", key_name, check_name((enum check)j),
					 verdict.detail[j]);
		assert_true(verdict_trusted(&verdict));
	}
	if (getenv("ASSAY_TEST_KEEP"))
		keep_evidence(getenv("ASSAY_TEST_KEEP"));
	buffer_free(&hex);
}

/* Signed by the same key, and no quote. */
static void assert_no_quote(const char *type)
{
	static struct verdict verdict;

	key_name = "p256";
	message_name = "other";
	TPM("cp other.msg before.msg");
	fixture_judge(AFTER_QUOTE, take_from_tpm, &verdict);
	assert_true((verdict.passed & CHECK_BIT(CHECK_QUOTE_SIGNATURE)) != 0);
	assert_true((verdict.failed & CHECK_BIT(CHECK_QUOTE_TYPE)) != 0);
	assert_non_null(strstr(verdict.detail[CHECK_QUOTE_TYPE], type));
	assert_false(verdict_trusted(&verdict));
}

static void test_what_is_no_quote(void **state)
{
	struct buffer hex = nonce_hex();

	(void)state;
	make_key("ecc256:ecdsa-sha256:null", "p256");
	TPM("tpm2_gettime -Q -c p256.ctx -g sha256 -q %s --attestation other.msg -o other.sig",
	    (char *)hex.data);
	assert_no_quote("TIME");
	TPM("tpm2_certify -Q -C p256.ctx -c p256.ctx -g sha256 -o other.msg -s other.sig");
	assert_no_quote("CERTIFY");
	buffer_free(&hex);
}

static struct buffer read_public(const char *path, struct tpm_public *ret)
{
	struct buffer public = support_read(path);
	struct assay_error err;

	if (tpm_public_parse(buffer_bytes(&public), ret, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	return public;
}

/* Names as the TPM computes them: of the key, and of its place below the owner's primary. */
static void test_names(void **state)
{
	struct tpm_name name, parent_name;
	struct tpm_public key, parent;
	struct buffer key_bytes, parent_bytes, expected;
	struct assay_error err;

	(void)state;
	make_key("ecc256:ecdsa-sha256:null", "p256");
	key_bytes = read_public("p256.pub", &key);
	parent_bytes = read_public("primary.pub", &parent);
	assert_int_equal(tpm_key_name(&key, &name, &err), 0);
	expected = support_read("p256.name");
	assert_true(bytes_equal(BYTES(name.bytes, name.size), buffer_bytes(&expected)));
	buffer_free(&expected);

	assert_int_equal(
		tpm_qualified_name(&parent, BYTES_LITERAL("\x40\x00\x00\x01"), &parent_name, &err),
		0);
	assert_int_equal(
		tpm_qualified_name(&key, BYTES(parent_name.bytes, parent_name.size), &name, &err),
		0);
	expected = support_read("p256.qname");
	assert_true(bytes_equal(BYTES(name.bytes, name.size), buffer_bytes(&expected)));
	buffer_free(&expected);
	buffer_free(&key_bytes);
	buffer_free(&parent_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_quote),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_quotes_of_a_tpm),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
