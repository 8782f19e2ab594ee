// SPDX-License-Identifier: MIT
/*
 * Certificates of signers, judged for the time when something was signed: each row breaks one
 * rule. openssl makes them.
 */
#include "support.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "sign/certificate.h"
#include "sign/certificate_judge.h"
#include "sign/delegate.h"
#include "sign_fixture.h"

#define NEW "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 10 "
#define ID "0123456789abcdef0123456789abcdef"
/* UTF8String of ID's 32 characters, as delegate_new() writes it */
#define DELEGATE_ID                                                                               \
	DELEGATE_OID "=DER:0c:20:30:31:32:33:34:35:36:37:38:39:61:62:63:64:65:66:30:31:32:33:34:" \
		     "35:36:37:38:39:61:62:63:64:65:66"

static void a_signers_certificate_is_judged_by_each_rule(void **state)
{
	static const struct {
		const char *title, *options;
		int64_t later; /* seconds after now; INT64_MIN: not known when */
		int result;
		const char *why;
	} rows[] = {
		{ "good", NEW, 0, 0, NULL },
		{ "for signing", NEW "-addext keyUsage=critical,digitalSignature ", 0, 0, NULL },
		{ "as long as it is valid", NEW, 10 * 86400 - 600, 0, NULL },
		{ "before", NEW, -600, -EKEYEXPIRED, "was not valid yet at" },
		{ "after", NEW, 10 * 86400 + 600, -EKEYEXPIRED, "has expired before" },
		{ "nobody knows when", NEW, INT64_MIN, 0, NULL },
		{ "not for signing", NEW "-addext keyUsage=keyEncipherment ", INT64_MIN,
		  -EOPNOTSUPP, "keyUsage does not allow digitalSignature" },
		{ "critical", NEW "-addext 1.2.3.4=critical,DER:05:00 ", INT64_MIN, -EOPNOTSUPP,
		  "critical extension that is not known" },
		{ "not critical", NEW "-addext 1.2.3.4=DER:05:00 ", 0, 0, NULL },
		{ "malformed", NEW "-addext keyUsage=DER:04:00 ", 0, -EOPNOTSUPP, "malformed" },
		{ "SHA-1", NEW "-sha1 ", 0, -EOPNOTSUPP, "signed with SHA1" },
		{ "short", "openssl req -x509 -nodes -newkey rsa:1024 -days 10 ", 0, -EOPNOTSUPP,
		  "too weak (RSA 1024)" },
		{ "odd", "openssl req -x509 -nodes -newkey rsa:2560 -days 10 ", 0, -EOPNOTSUPP,
		  "of a kind or size not known (RSA 2560)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(x509_free_pointer) X509 *certificate = NULL;
		struct assay_error err = { 0 };
		uint64_t when = 0;
		int r;

		if (support_run("%s -subj /CN=it -keyout it.pem -out it.crt 2>log || "
				"{ cat log; false; }",
				rows[i].options) != 0)
			fail_msg("%s: it cannot be made", rows[i].title);
		certificate = sign_fixture_certificate("it");
		/* Not before it was made, which takes its time. */
		if (rows[i].later != INT64_MIN)
			when = (uint64_t)((int64_t)time(NULL) + rows[i].later);
		r = certificate_judge_at(certificate, when, &err);
		if (r != rows[i].result)
			fail_msg("%s: %d, not %d: %s", rows[i].title, r, rows[i].result, err.text);
		if (rows[i].why) {
			support_assert_error(&err, "CN=it: ");
			support_assert_error(&err, rows[i].why);
		}
	}
}

/* leaf.crt by ISSUER.crt: a request signed with extensions */
static int make_leaf(const char *issuer, const char *extensions, int days)
{
	return support_run(
		"(printf 'subjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n%s\\n' "
		">extensions && openssl req -new -nodes -newkey ec -pkeyopt "
		"ec_paramgen_curve:P-256 -subj /CN=leaf -keyout leaf.pem -out leaf.csr && "
		"openssl x509 -req -in leaf.csr -CA %s.crt -CAkey %s.pem -CAcreateserial "
		"-days %d -extfile extensions -out leaf.crt) 2>log || { cat log; false; }",
		extensions, issuer, issuer, days);
}

static void an_issuer_is_judged_by_what_it_issued(void **state)
{
	static const struct {
		const char *issuer, *extensions;
		int days;
		int64_t later;
		int result;
		const char *why;
	} rows[] = {
		{ "ca", "keyUsage=digitalSignature", 5, 0, 0, NULL },
		{ "ca", "", 5, 11 * 86400, -EKEYEXPIRED, "CN=ca: the certificate has expired" },
		{ "signer", DELEGATE_ID, 1, 0, 0, NULL },
		{ "signer", DELEGATE_ID, 2, 0, -EOPNOTSUPP, "valid for more than 24 hours" },
		{ "signer", DELEGATE_ID "\\nbasicConstraints=CA:TRUE", 1, 0, -EOPNOTSUPP,
		  "is an authority's" },
		{ "signer", "keyUsage=digitalSignature", 1, 0, -EOPNOTSUPP, "is no authority" },
		{ "crl", "keyUsage=digitalSignature", 1, 0, -EOPNOTSUPP, "is no authority" },
		{ "crl", DELEGATE_ID, 1, 0, -EOPNOTSUPP, "does not allow digitalSignature" },
		{ "signer", DELEGATE_ID, 1, 11 * 86400, -EKEYEXPIRED, "CN=signer" },
	};

	(void)state;
	assert_int_equal(
		support_run(
			"(set -e\n" NEW "-subj /CN=ca -keyout ca.pem -out ca.crt -addext "
			"keyUsage=critical,keyCertSign\n" NEW
			"-subj /CN=crl -keyout crl.pem -out crl.crt -addext keyUsage=cRLSign\n" NEW
			"-subj /CN=signer -keyout signer.pem -out signer.crt -addext "
			"keyUsage=critical,digitalSignature -addext "
			"basicConstraints=critical,CA:FALSE) 2>log || { cat log; false; }"),
		0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(x509_free_pointer) X509 *issuer = sign_fixture_certificate(rows[i].issuer);
		CLEANUP(x509_free_pointer) X509 *leaf = NULL;
		struct assay_error err = { 0 };
		int r;

		assert_int_equal(make_leaf(rows[i].issuer, rows[i].extensions, rows[i].days), 0);
		leaf = sign_fixture_certificate("leaf");
		r = certificate_judge_issuer_at(
			leaf, issuer, (uint64_t)((int64_t)time(NULL) + rows[i].later), &err);
		if (r != rows[i].result)
			fail_msg("row %zu: %d, not %d: %s", i, r, rows[i].result, err.text);
		if (rows[i].why)
			support_assert_error(&err, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signers_certificate_is_judged_by_each_rule),
		cmocka_unit_test(an_issuer_is_judged_by_what_it_issued),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
