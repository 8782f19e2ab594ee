// SPDX-License-Identifier: MIT
/* lib/sign/trust: whose signatures are believed, against those that OpenSSL makes. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/cms.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sign/ima_sig.h"
#include "sign/trust.h"
#include "sign_fixture.h"
#include "verity/verity.h"

#define LEAF "keyUsage=critical,digitalSignature"

/*
 * ca issues mid (an authority), leaf (no authority), noaki, nosign and expired; mid issues
 * deep; leaf, which it must not, issues forged. Another ca, "fake", has the name and the key
 * id of ca.
 */
static int make_keys(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run(
		"(set -e\n"
		"key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "
		"$1.pem; }\n"
		"issue() { issuer=$1 name=$2; shift 2; key $name; printf '%%s\\n' \"$@\" >ext; "
		"openssl req -new -key $name.pem -subj /CN=$name -out req; "
		"openssl x509 -req -in req -CA $issuer.crt -CAkey $issuer.pem -CAcreateserial "
		"-days ${days:-10} -extfile ext -out $name.crt; }\n"
		"for k in ca other rsa; do key $k; done\n"
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem\n"
		"openssl genpkey -algorithm ed25519 -out ed.pem\n"
		"for k in ca other rsa ed; do openssl req -new -x509 -key $k.pem -subj /CN=$k "
		"-days 10 -addext keyUsage=critical,digitalSignature,keyCertSign -out $k.crt; "
		"done\n"
		"ski=subjectKeyIdentifier=hash aki=authorityKeyIdentifier=keyid:always\n"
		"issue ca leaf $ski $aki " LEAF " basicConstraints=critical,CA:FALSE\n"
		"issue ca noaki $ski authorityKeyIdentifier=none " LEAF "\n"
		"issue ca nosign $ski $aki keyUsage=critical,keyEncipherment\n"
		"issue ca mid $ski $aki keyUsage=critical,keyCertSign "
		"basicConstraints=critical,CA:TRUE\n"
		"issue mid deep $ski $aki " LEAF "\n"
		"issue leaf forged $ski $aki " LEAF "\n"
		"key fake\n"
		"id=$(openssl x509 -in ca.crt -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d "
		"' ')\n"
		"openssl req -new -x509 -key fake.pem -subj /CN=ca -days 10 "
		"-addext subjectKeyIdentifier=$id -out fake.crt\n"
		"issue fake faked $ski $aki " LEAF "\n"
		"head -c 10000 /dev/zero >data; echo other >data2) >log 2>&1 || { cat log; exit 1; "
		"}");
}

static struct trust *trusted(const char *signer, const char *authority)
{
	struct trust *trust;
	X509 *certificate;

	assert_int_equal(trust_new(&trust, NULL), 0);
	if (signer) {
		certificate = sign_fixture_certificate(signer);
		assert_int_equal(trust_add(trust, certificate, TRUST_SIGNER, NULL), 0);
		X509_free(certificate);
	}
	if (authority) {
		certificate = sign_fixture_certificate(authority);
		assert_int_equal(trust_add(trust, certificate, TRUST_AUTHORITY, NULL), 0);
		X509_free(certificate);
	}
	return trust;
}

static struct assay_digest digest_of(const char *path)
{
	struct buffer data = support_read(path);
	uint8_t room[VERITY_FORMATTED_MAX];
	struct assay_digest digest;

	assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, buffer_bytes(&data), path,
					     &digest, NULL),
			 0);
	support_write("content", verity_formatted_digest(&digest, room));
	buffer_free(&data);
	return digest;
}

#define CMS "openssl cms -sign -binary -in content -outform DER -out signature "

static const struct {
	const char *title, *command, *signer, *authority;
	int result;
	const char *why; /* part of the error, or the subject of the signer */
} rows[] = {
	{ "fsverity's", "fsverity sign data signature --key=other.pem --cert=other.crt >/dev/null",
	  "other", NULL, 0, "CN=other" },
	{ "smime",
	  "openssl smime -sign -binary -in content -outform DER -out signature -nocerts "
	  "-noattr -md sha512 -signer rsa.crt -inkey rsa.pem",
	  "rsa", NULL, 0, "CN=rsa" },
	{ "by key id", CMS "-keyid -nocerts -noattr -signer other.crt -inkey other.pem", "other",
	  NULL, 0, "CN=other" },
	{ "an authority's own", CMS "-nocerts -noattr -signer ca.crt -inkey ca.pem", NULL, "ca", 0,
	  "CN=ca" },
	{ "with attributes", CMS "-nosmimecap -nocerts -signer other.crt -inkey other.pem", "other",
	  NULL, 0, "CN=other" },
	{ "SHA-384 with an attribute", CMS "-nosmimecap -md sha384 -signer rsa.crt -inkey rsa.pem",
	  "rsa", NULL, 0, "CN=rsa" },
	{ "a certificate inside", CMS "-noattr -signer leaf.crt -inkey leaf.pem", NULL, "ca", 0,
	  "CN=leaf" },
	{ "a certificate inside, by key id", CMS "-keyid -noattr -signer leaf.crt -inkey leaf.pem",
	  "other", "ca", 0, "CN=leaf" },
	{ "a chain inside", CMS "-noattr -signer deep.crt -inkey deep.pem -certfile mid.crt", NULL,
	  "ca", 0, "CN=deep" },
	{ "the chain's middle", CMS "-noattr -signer deep.crt -inkey deep.pem", NULL, "mid", 0,
	  "CN=deep" },

	{ "nobody's", CMS "-nocerts -noattr -signer other.crt -inkey other.pem", NULL, NULL,
	  -ENOKEY, "another certificate's key" },
	{ "another's", CMS "-nocerts -noattr -signer other.crt -inkey other.pem", "leaf", "ca",
	  -ENOKEY, "another certificate's key" },
	{ "another key in the certificate's name",
	  CMS "-nocerts -noattr -signer fake.crt -inkey fake.pem -keyid", "ca", NULL, -EKEYREJECTED,
	  "is wrong" },
	{ "of other data", "echo x >content; " CMS "-nocerts -noattr -signer ca.crt -inkey ca.pem",
	  "ca", NULL, -EKEYREJECTED, "is wrong" },
	{ "of the raw digest",
	  "tail -c 32 content >raw; mv raw content; " CMS
	  "-nocerts -noattr -signer ca.crt -inkey ca.pem",
	  "ca", NULL, -EKEYREJECTED, "is wrong" },
	{ "attributes of other data",
	  "echo x >content; " CMS "-nosmimecap -nocerts -signer ca.crt -inkey ca.pem", "ca", NULL,
	  -EKEYREJECTED, "is wrong" },
	{ "a certificate inside, its issuer only a signer",
	  CMS "-noattr -signer leaf.crt -inkey leaf.pem", "ca", NULL, -ENOKEY, "--ca" },
	{ "a certificate inside that nobody vouches for",
	  CMS "-noattr -signer other.crt -inkey other.pem", NULL, "ca", -ENOKEY, "--ca" },
	{ "a chain that a signer's certificate forged",
	  CMS "-noattr -signer forged.crt -inkey forged.pem -certfile leaf.crt", NULL, "ca",
	  -ENOKEY, "--ca" },
	{ "a chain with its middle missing", CMS "-noattr -signer deep.crt -inkey deep.pem", NULL,
	  "ca", -ENOKEY, "--ca" },
	{ "an issuer of the same name and key id",
	  CMS "-noattr -signer faked.crt -inkey faked.pem -certfile fake.crt", NULL, "ca", -ENOKEY,
	  "--ca" },
	{ "no authority key id", CMS "-noattr -signer noaki.crt -inkey noaki.pem", NULL, "ca",
	  -ENOKEY, "--ca" },
	{ "not for signing", CMS "-noattr -signer nosign.crt -inkey nosign.pem", NULL, "ca",
	  -EOPNOTSUPP,
	  "stricter than the kernel, which takes it): CN=nosign: the certificate's keyUsage" },
	{ "S/MIME capabilities", CMS "-nocerts -signer other.crt -inkey other.pem", "other", NULL,
	  -EBADMSG, "S/MIME" },
	{ "content inside", CMS "-nodetach -nocerts -noattr -signer other.crt -inkey other.pem",
	  "other", NULL, -EBADMSG, "not detached" },
	{ "PSS", CMS "-nocerts -noattr -signer rsa.crt -inkey rsa.pem -keyopt rsa_padding_mode:pss",
	  "rsa", NULL, -EBADMSG, "PKCS#1 v1.5" },
	{ "SHA-1", CMS "-md sha1 -nocerts -noattr -signer other.crt -inkey other.pem", "other",
	  NULL, -EOPNOTSUPP,
	  "stricter than the kernel, which takes it): its message digest is SHA1" },
	{ "MD5", CMS "-md md5 -nocerts -noattr -signer rsa.crt -inkey rsa.pem", "rsa", NULL,
	  -EBADMSG, "the kernel does not take this built-in signature: its message digest" },
	{ "two signers",
	  CMS "-nocerts -noattr -signer other.crt -inkey other.pem -signer rsa.crt -inkey rsa.pem",
	  "other", NULL, -EOPNOTSUPP, "takes it): it has more than one signer" },
	{ "PEM",
	  "openssl cms -sign -binary -in content -outform PEM -out signature -nocerts "
	  "-noattr -signer other.crt -inkey other.pem",
	  "other", NULL, -EBADMSG, "not PKCS#7 in DER" },
	{ "another content type",
	  "openssl cms -encrypt -in content -outform DER -out signature "
	  "-aes128 rsa.crt",
	  "other", NULL, -EBADMSG, "not PKCS#7 signedData" },
	{ "econtent of another type",
	  CMS "-econtent_type 1.2.3.4 -nocerts -noattr -signer other.crt -inkey other.pem", "other",
	  NULL, -EBADMSG, "not of type data" },
	{ "bytes behind it",
	  CMS "-nocerts -noattr -signer other.crt -inkey other.pem; "
	      "echo >>signature",
	  "other", NULL, -EOPNOTSUPP, "takes it): bytes follow it" },
	{ "bytes behind another's",
	  CMS "-nocerts -noattr -signer fake.crt -inkey fake.pem -keyid; echo >>signature", "ca",
	  NULL, -EKEYREJECTED, "is wrong" },
	{ "cut off",
	  CMS "-nocerts -noattr -signer other.crt -inkey other.pem; "
	      "truncate -s -1 signature",
	  "other", NULL, -EBADMSG, "not PKCS#7 in DER" },
	{ "nothing", ": >signature", "other", NULL, -EBADMSG, "counts as none" },
	{ "too much", "head -c 16129 /dev/zero >signature", "other", NULL, -EBADMSG, "16128" },
};

static void built_in_signatures_are_believed_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_digest digest = digest_of("data");
		struct trust *trust = trusted(rows[i].signer, rows[i].authority);
		struct assay_error err = { 0 };
		X509 *signer = NULL;
		struct buffer der;
		int r;

		if (strncmp(rows[i].command, "fsverity", 8) == 0 && !support_have("fsverity"))
			goto next;
		if (support_run("(%s) 2>log", rows[i].command) != 0)
			fail_msg("%s: it cannot be made", rows[i].title);
		der = support_read("signature");
		r = trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, &signer, &err);
		buffer_free(&der);
		if (r != rows[i].result)
			fail_msg("%s: %d, not %d: %s", rows[i].title, r, rows[i].result, err.text);
		if (r == 0) {
			char *subject = certificate_subject(signer);

			assert_string_equal(subject, rows[i].why);
			free(subject);
			X509_free(signer);
		} else {
			assert_null(signer);
			support_assert_error(&err, rows[i].why);
		}
next:
		trust_free(trust);
	}
}

/* Whoever has found one good says of each that is like it what others say, to the word. */
static void what_was_good_before_changes_no_judgement(void **state)
{
	static const struct {
		const char *title, *command, *signer, *authority;
	} cases[] = {
		{ "RSA", CMS "-nocerts -noattr -signer rsa.crt -inkey rsa.pem", "rsa", NULL },
		{ "ECDSA", CMS "-nocerts -noattr -signer other.crt -inkey other.pem", "other",
		  NULL },
		{ "attributes", CMS "-nosmimecap -nocerts -signer rsa.crt -inkey rsa.pem", "rsa",
		  NULL },
		{ "a certificate inside", CMS "-noattr -signer leaf.crt -inkey leaf.pem", NULL,
		  "ca" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct assay_digest other = digest_of("data2"), digest = digest_of("data");
		struct trust *trust = trusted(cases[i].signer, cases[i].authority);
		X509 *first = NULL, *again = NULL;
		struct buffer der;

		assert_int_equal(support_run("(%s) 2>log", cases[i].command), 0);
		der = support_read("signature");
		assert_int_equal(
			trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, &first, NULL), 0);
		assert_int_equal(
			trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, &again, NULL), 0);
		assert_int_equal(X509_cmp(first, again), 0);
		X509_free(first);
		X509_free(again);
		assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&der), &other, NULL, NULL),
				 -EKEYREJECTED);
		for (size_t at = 0; at < der.size; at++) {
			struct trust *fresh = trusted(cases[i].signer, cases[i].authority);
			struct assay_error err = { 0 }, expected = { 0 };
			int r;

			der.data[at] ^= 0x11;
			r = trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, NULL, &err);
			if (r != trust_verify_pkcs7(fresh, buffer_bytes(&der), &digest, NULL,
						    &expected) ||
			    strcmp(err.text, expected.text) != 0)
				fail_msg("%s, byte %zu: %s; else: %s", cases[i].title, at, err.text,
					 expected.text);
			der.data[at] ^= 0x11;
			trust_free(fresh);
		}
		/* In a year the certificates have expired. */
		trust_set_time(trust, (uint64_t)time(NULL) + 31536000);
		assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, NULL, NULL),
				 -EKEYEXPIRED);
		trust_set_time(trust, 0);
		assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, NULL, NULL),
				 0);
		buffer_free(&der);
		trust_free(trust);
	}
}

/* What OpenSSL signs of the file at @path as rsa, with an attribute that is not signed behind it.
 */
static struct buffer signature_with_copy(const char *path, struct bytes *ret_copy)
{
	struct buffer der = { 0 }, read;
	const unsigned char *at;
	unsigned char *out = NULL;
	ASN1_OCTET_STRING *signature;
	CMS_SignerInfo *info;
	CMS_ContentInfo *cms;
	size_t size;
	int all;

	(void)digest_of(path);
	assert_int_equal(
		support_run("(%s) 2>log", CMS "-nocerts -noattr -signer rsa.crt -inkey rsa.pem"),
		0);
	read = support_read("signature");
	at = read.data;
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)read.size);
	assert_non_null(cms);
	info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	signature = CMS_SignerInfo_get0_signature(info);
	size = (size_t)ASN1_STRING_length(signature);
	assert_int_equal(CMS_unsigned_add1_attr_by_txt(info, "1.2.3.4", V_ASN1_OCTET_STRING,
						       ASN1_STRING_get0_data(signature), (int)size),
			 1);
	all = i2d_CMS_ContentInfo(cms, &out);
	assert_true(all > 0 && (size_t)all > size);
	buffer_append(&der, out, (size_t)all);
	OPENSSL_free(out);
	CMS_ContentInfo_free(cms);
	buffer_free(&read);
	*ret_copy = BYTES(der.data + der.size - size, size);
	return der;
}

/* The kernel looks at the signature, not at what an attribute that nobody signed has of another. */
static void no_copy_of_a_signature_is_taken_for_it(void **state)
{
	struct assay_digest digest = digest_of("data"), other = digest_of("data2");
	struct bytes of_data, of_other;
	struct buffer one = signature_with_copy("data", &of_data);
	struct buffer two = signature_with_copy("data2", &of_other);
	struct trust *trust = trusted("rsa", NULL);

	(void)state;
	assert_int_equal(of_data.size, of_other.size);
	assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&one), &digest, NULL, NULL), 0);
	memcpy(one.data + one.size - of_data.size, of_other.data, of_other.size);
	assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&one), &other, NULL, NULL),
			 -EKEYREJECTED);
	buffer_free(&one);
	buffer_free(&two);
	trust_free(trust);
}

/* The signature of security.ima, made by OpenSSL from the definition. */
static struct buffer openssl_ima(const char *name, const struct assay_digest *digest)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	hex_encode(BYTES(digest->bytes, digest->size), hex);
	assert_int_equal(
		support_run("(set -e\n"
			    "unhex() { tr a-f A-F | basenc -d --base16; }\n"
			    "(printf '\\006\\004'; printf %%s %s | unhex) | openssl dgst -sha256 "
			    "-binary >id\n"
			    "openssl pkeyutl -sign -inkey %s.pem -in id -pkeyopt digest:sha256 "
			    "-out raw\n"
			    "(printf '\\006\\003\\004'; openssl x509 -in %s.crt -noout -ext "
			    "subjectKeyIdentifier | tail -n 1 | tr -d ' :\\n' | tail -c 8 | unhex\n"
			    "printf %%04x $(stat -c %%s raw) | unhex; cat raw) >value)",
			    hex, name, name),
		0);
	return support_read("value");
}

static void ima_signatures_are_believed_or_not(void **state)
{
	static const struct {
		const char *by, *of, *signer, *authority, *also;
		int result;
	} cases[] = {
		{ "other", "data", "other", NULL, NULL, 0 },
		{ "rsa", "data", "rsa", NULL, NULL, 0 },
		{ "ca", "data", "other", "ca", NULL, 0 },
		{ "leaf", "data", NULL, "ca", "leaf", 0 },
		/* Two certificates with one key id: the right one is found. */
		{ "ca", "data", "fake", "ca", NULL, 0 },
		{ "leaf", "data", NULL, "ca", NULL, -ENOKEY },
		{ "other", "data", "rsa", "ca", "leaf", -ENOKEY },
		{ "fake", "data", "ca", NULL, NULL, -EKEYREJECTED },
		{ "other", "data2", "other", NULL, NULL, -EKEYREJECTED },
	};
	struct assay_digest expected = digest_of("data");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trust *trust = trusted(cases[i].signer, cases[i].authority);
		X509 *also = cases[i].also ? sign_fixture_certificate(cases[i].also) : NULL,
		     *signer = NULL;
		struct assay_digest digest = digest_of(cases[i].of);
		struct buffer value = openssl_ima(cases[i].by, &digest);
		struct assay_error err = { 0 };
		int r = trust_verify_ima(trust, buffer_bytes(&value), &expected, also, &signer,
					 &err);

		if (r != cases[i].result)
			fail_msg("case %zu: %d: %s", i, r, err.text);
		assert_int_equal(signer != NULL, r == 0);
		X509_free(signer);
		X509_free(also);
		buffer_free(&value);
		trust_free(trust);
	}
}

static void ima_values_that_are_damaged_are_refused(void **state)
{
	struct assay_digest digest = digest_of("data");
	struct trust *trust = trusted("rsa", NULL);
	struct buffer value = openssl_ima("rsa", &digest);

	(void)state;
	/* RSA with PKCS#1 v1.5 has one signature for a digest: no other byte is good anywhere. */
	for (size_t i = 0; i < value.size; i++) {
		value.data[i] ^= 0x10;
		assert_true(trust_verify_ima(trust, buffer_bytes(&value), &digest, NULL, NULL,
					     NULL) < 0);
		value.data[i] ^= 0x10;
		assert_true(trust_verify_ima(trust, BYTES(value.data, i), &digest, NULL, NULL,
					     NULL) == -EBADMSG);
	}
	buffer_append_u8(&value, 0);
	assert_int_equal(trust_verify_ima(trust, buffer_bytes(&value), &digest, NULL, NULL, NULL),
			 -EBADMSG);
	buffer_free(&value);
	trust_free(trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_signatures_are_believed_or_not),
		cmocka_unit_test(what_was_good_before_changes_no_judgement),
		cmocka_unit_test(no_copy_of_a_signature_is_taken_for_it),
		cmocka_unit_test(ima_signatures_are_believed_or_not),
		cmocka_unit_test(ima_values_that_are_damaged_are_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, support_leave_directory);
}
