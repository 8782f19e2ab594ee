// SPDX-License-Identifier: MIT
/* lib/sign: keys, certificates, built-in and IMA signatures, against OpenSSL and fsverity. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign/certificate.h"
#include "sign/ima_sig.h"
#include "sign/key_file.h"
#include "sign/pkcs7.h"
#include "sign/signature.h"
#include "sign_fixture.h"
#include "verity/verity.h"

/* The kinds of keys that are taken, each in NAME.pem, with a certificate of OpenSSL in NAME.crt. */
static const char *const kinds[] = { "p256", "p384", "p521", "rsa2048", "rsa4096" };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

#define EXTENSIONS \
	" -addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE "

static int make_keys(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run(
		"(set -e\n"
		"for c in 256 384 521; do openssl genpkey -algorithm EC -pkeyopt "
		"ec_paramgen_curve:P-$c -out p$c.pem; done\n"
		"for b in 1024 2048 4096; do openssl genpkey -algorithm RSA -pkeyopt "
		"rsa_keygen_bits:$b -out rsa$b.pem; done\n"
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k1.pem\n"
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem\n"
		"openssl genpkey -algorithm ed25519 -out ed.pem\n"
		"openssl pkey -in p256.pem -aes128 -passout pass:x -out encrypted.pem\n"
		"openssl pkey -in p256.pem -pubout -out public.pem\n"
		"for k in p256 p384 p521 rsa1024 rsa2048 rsa4096 k1 other ed; do openssl req -new "
		"-x509 -key $k.pem -subj /O=assay/CN=$k -days 10 " EXTENSIONS "-out $k.crt; done\n"
		"openssl req -new -x509 -key p256.pem -subj /CN=noskid -days 10 "
		"-addext subjectKeyIdentifier=none -out noskid.crt\n"
		"openssl req -new -x509 -key p256.pem -subj /CN=usage -days 10 "
		"-addext keyUsage=critical,keyCertSign -out usage.crt\n"
		"openssl req -new -x509 -key p256.pem -subj /CN=short -days 10 "
		"-addext subjectKeyIdentifier=0102 -out short.crt\n"
		"openssl req -new -x509 -key p256.pem -subj /CN=ok -days 10 -out plain.crt\n"
		"openssl req -new -x509 -key p256.pem -subj /CN=again -days 10 -out again.crt\n"
		"head -c 100000 /dev/urandom > data) >log 2>&1 || { cat log; exit 1; }");
}

static struct signer *open_key(const char *name)
{
	struct assay_error err = { 0 };
	struct signer *signer;
	struct buffer pem;
	char path[64];

	snprintf(path, sizeof(path), "%s.pem", name);
	pem = support_read(path);
	if (key_file_signer(buffer_bytes(&pem), path, &signer, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&pem);
	return signer;
}

/* The fs-verity digest of "data"; its formatted digest lies in "content" then. */
static struct assay_digest data_digest(enum assay_hash hash)
{
	struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	uint8_t room[VERITY_FORMATTED_MAX];
	struct buffer data = support_read("data");
	struct assay_digest digest;

	parameters.hash = hash;
	assert_int_equal(
		verity_digest_bytes(&parameters, buffer_bytes(&data), "data", &digest, NULL), 0);
	buffer_free(&data);
	support_write("content", verity_formatted_digest(&digest, room));
	return digest;
}

static struct buffer make_pkcs7(const char *name, const struct assay_digest *digest)
{
	struct signer *signer = open_key(name);
	X509 *certificate = sign_fixture_certificate(name);
	struct buffer out = { 0 };
	struct assay_error err = { 0 };

	if (pkcs7_sign(signer, certificate, digest, &out, &err) < 0)
		fail_msg("%s", err.text);
	X509_free(certificate);
	signer->close(signer);
	return out;
}

static struct buffer make_ima(const char *name, const struct assay_digest *digest)
{
	struct signer *signer = open_key(name);
	X509 *certificate = sign_fixture_certificate(name);
	struct buffer out = { 0 };
	struct assay_error err = { 0 };

	if (ima_sig_sign(signer, certificate, digest, &out, &err) < 0)
		fail_msg("%s", err.text);
	X509_free(certificate);
	signer->close(signer);
	return out;
}

/* ---------------------------------------------------------------- keys */

static void keys_that_cannot_sign_are_refused(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{ "encrypted.pem", "is encrypted" }, { "public.pem", "not a private key" },
		{ "p256.crt", "not a private key" }, { "ed.pem", "must be ECDSA" },
		{ "k1.pem", "ECDSA secp256k1" },     { "rsa1024.pem", "too weak (RSA 1024)" },
		{ "/dev/null", "no private key" },   { "data", "too large" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer pem = support_read(rows[i].path);
		struct signer *signer = NULL;
		struct assay_error err = { 0 };

		assert_true(key_file_signer(buffer_bytes(&pem), rows[i].path, &signer, &err) < 0);
		assert_null(signer);
		support_assert_error(&err, rows[i].why);
		assert_false(key_file_is_tss2(buffer_bytes(&pem)));
		buffer_free(&pem);
	}
	assert_true(key_file_is_tss2(BYTES_LITERAL("-----BEGIN TSS2 PRIVATE KEY-----\nMI")));
}

static void signatures_of_every_kind_of_key_are_openssls(void **state)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						  ASSAY_HASH_SHA512 };

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct signer *signer = open_key(kinds[i]);

		assert_int_equal(
			support_run("openssl pkey -in %s.pem -pubout -out signer.pub", kinds[i]),
			0);
		for (size_t j = 0; j < sizeof(hashes) / sizeof(hashes[0]); j++) {
			struct assay_digest digest = { .hash = hashes[j] };
			struct buffer out = { 0 };
			char *hex = support_output("openssl dgst -r -%s data | cut -d' ' -f1",
						   assay_hash_name(hashes[j]));

			assert_int_equal(
				hex_decode(hex, digest.bytes, sizeof(digest.bytes), &digest.size),
				0);
			assert_int_equal(signer->sign(signer, &digest, &out, NULL), 0);
			support_write("signature", buffer_bytes(&out));
			assert_int_equal(
				support_run("openssl dgst -%s -verify signer.pub -signature "
					    "signature data >/dev/null",
					    assay_hash_name(hashes[j])),
				0);
			free(hex);
			buffer_free(&out);
		}
		signer->close(signer);
	}
}

/* ---------------------------------------------------------------- certificates */

static void certificates_that_are_made_hold_what_the_kernel_needs(void **state)
{
	static const char *const lines[] = {
		"Version: 3 (0x2)",
		"Issuer: CN = t\\C3\\A9st",
		"Subject: CN = t\\C3\\A9st",
		"X509v3 Subject Key Identifier",
		"X509v3 Key Usage: critical\n                Digital Signature",
		"X509v3 Basic Constraints: critical\n                CA:FALSE",
	};

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct signer *signer = open_key(kinds[i]);
		struct assay_error err = { 0 };
		struct buffer pem = { 0 };
		X509 *certificate;
		char *text, *ours, *theirs;

		if (certificate_make(signer, "t\xc3\xa9st", 3650, &certificate, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(certificate_check_signer(certificate, signer, NULL), 0);
		assert_int_equal(certificate_append_pem(certificate, &pem, NULL), 0);
		support_write("made.crt", buffer_bytes(&pem));
		buffer_free(&pem);
		text = support_output("openssl x509 -in made.crt -noout -text");
		for (size_t j = 0; j < sizeof(lines) / sizeof(lines[0]); j++)
			if (!strstr(text, lines[j]))
				fail_msg("no \"%s\" in: %s", lines[j], text);
		free(text);
		assert_int_equal(support_run("openssl verify -x509_strict -check_ss_sig -CAfile "
					     "made.crt -partial_chain made.crt >/dev/null"),
				 0);
		assert_int_equal(support_run("openssl x509 -in made.crt -noout -checkend %d "
					     ">/dev/null",
					     3649 * 86400),
				 0);
		assert_int_not_equal(support_run("openssl x509 -in made.crt -noout -checkend %d "
						 ">/dev/null",
						 3651 * 86400),
				     0);
		/* The subject key id is what OpenSSL makes of this key. */
		ours = support_output("openssl x509 -in made.crt -noout -ext subjectKeyIdentifier");
		theirs = support_output("openssl x509 -in %s.crt -noout -ext subjectKeyIdentifier",
					kinds[i]);
		assert_string_equal(ours, theirs);
		free(ours);
		free(theirs);
		X509_free(certificate);
		signer->close(signer);
	}
}

static void serial_numbers_differ_and_are_positive(void **state)
{
	struct signer *signer = open_key("p256");
	ASN1_INTEGER *previous = NULL;

	(void)state;
	for (int i = 0; i < 20; i++) {
		X509 *certificate;
		const ASN1_INTEGER *serial;

		assert_int_equal(certificate_make(signer, "x", 1, &certificate, NULL), 0);
		serial = X509_get0_serialNumber(certificate);
		assert_int_equal(serial->type, V_ASN1_INTEGER);
		assert_true(serial->length == 20 && serial->data[0] < 0x80);
		assert_true(!previous || ASN1_INTEGER_cmp(previous, serial) != 0);
		ASN1_INTEGER_free(previous);
		previous = ASN1_INTEGER_dup(serial);
		X509_free(certificate);
	}
	ASN1_INTEGER_free(previous);
	signer->close(signer);
}

static void certificates_are_not_made_of_what_is_out_of_range(void **state)
{
	static const struct {
		const char *subject;
		unsigned int days;
		const char *why;
	} rows[] = {
		{ "", 1, "1 to 64" },
		{ "12345678901234567890123456789012345678901234567890123456789012345", 1,
		  "1 to 64" },
		{ "\xff", 1, "UTF-8" },
		{ "x", 0, "36500" },
		{ "x", 36501, "36500" },
	};
	struct signer *signer = open_key("p256");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		X509 *certificate = NULL;

		assert_int_equal(
			certificate_make(signer, rows[i].subject, rows[i].days, &certificate, &err),
			-EINVAL);
		assert_null(certificate);
		support_assert_error(&err, rows[i].why);
	}
	signer->close(signer);
}

static int sign_wrongly(struct signer *signer, const struct assay_digest *digest,
			struct buffer *out, struct assay_error *err)
{
	struct assay_digest other = *digest;
	struct signer *key = open_key("p256");
	int r;

	(void)signer;
	other.bytes[0] ^= 1;
	r = key->sign(key, &other, out, err);
	key->close(key);
	return r;
}

static int sign_never(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		      struct assay_error *err)
{
	(void)signer;
	(void)digest;
	(void)out;
	return assay_fail(err, EIO, "the TPM is gone");
}

static void a_key_that_fails_makes_nothing(void **state)
{
	struct signer *signer = open_key("p256");
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("p256"), *made = NULL;
	struct assay_error err = { 0 };
	struct buffer out = { 0 };

	(void)state;
	signer->sign = sign_wrongly;
	assert_int_equal(certificate_make(signer, "x", 1, &made, &err), -EKEYREJECTED);
	signer->sign = sign_never;
	assert_int_equal(certificate_make(signer, "x", 1, &made, &err), -EIO);
	support_assert_error(&err, "the TPM is gone");
	assert_null(made);
	assert_int_equal(pkcs7_sign(signer, certificate, &digest, &out, &err), -EIO);
	assert_int_equal(ima_sig_sign(signer, certificate, &digest, &out, &err), -EIO);
	assert_int_equal(out.size, 0);
	X509_free(certificate);
	signer->close(signer);
}

static void certificates_unfit_for_the_signer_are_refused(void **state)
{
	static const struct {
		const char *key, *certificate, *why;
	} rows[] = {
		{ "p256", "p256", NULL },
		{ "p256", "plain", NULL },
		{ "p256", "other", "of another key" },
		{ "p256", "rsa2048", "of another key" },
		{ "p256", "noskid", "no subject key id" },
		{ "p256", "short", "no subject key id" },
		{ "p256", "usage", "digitalSignature" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signer *signer = open_key(rows[i].key);
		X509 *certificate = sign_fixture_certificate(rows[i].certificate);
		struct assay_error err = { 0 };
		int r = certificate_check_signer(certificate, signer, &err);

		assert_int_equal(r, rows[i].why ? -EINVAL : 0);
		if (rows[i].why)
			support_assert_error(&err, rows[i].why);
		X509_free(certificate);
		signer->close(signer);
	}
}

static void what_is_not_a_certificate_is_refused(void **state)
{
	static const char *const rows[] = { "data",	    "p256.pem", "/dev/null",
					    "trailing.der", "cut.der",	"/nonexistent" };

	(void)state;
	assert_int_equal(support_run("openssl x509 -in p256.crt -outform DER -out good.der && "
				     "(cat good.der; echo) > trailing.der && "
				     "head -c 300 good.der > cut.der"),
			 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		X509 *certificate = NULL;

		assert_true(certificate_load(rows[i], &certificate, &err) < 0);
		assert_null(certificate);
		support_assert_error(&err, rows[i]);
	}
}

static void certificates_come_in_both_encodings(void **state)
{
	X509 *pem = sign_fixture_certificate("p256"), *der;
	struct buffer out = { 0 };
	char *subject;

	(void)state;
	assert_int_equal(certificate_append_der(pem, &out, NULL), 0);
	assert_int_equal(certificate_parse(buffer_bytes(&out), "it", &der, NULL), 0);
	assert_int_equal(X509_cmp(pem, der), 0);
	subject = certificate_subject(der);
	assert_string_equal(subject, "CN=p256,O=assay");
	free(subject);
	buffer_free(&out);
	X509_free(pem);
	X509_free(der);
}

/* ---------------------------------------------------------------- PKCS#7 */

static void built_in_signatures_are_accepted_by_openssl_and_ourselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * KINDS; i++) {
		const char *kind = kinds[i / 2];
		struct assay_digest digest =
			data_digest(i % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256);
		struct buffer der = make_pkcs7(kind, &digest);
		X509 *certificate = sign_fixture_certificate(kind);
		struct assay_error err = { 0 };

		if (pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err) < 0)
			fail_msg("%s: %s", kind, err.text);
		support_write("signature", buffer_bytes(&der));
		assert_int_equal(
			support_run("openssl cms -verify -binary -inform DER -in signature "
				    "-content content -noverify -nointern -certfile %s.crt "
				    "-out /dev/null 2>/dev/null",
				    kind),
			0);
		buffer_free(&der);
		X509_free(certificate);
	}
}

static void built_in_signatures_of_other_programs_are_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
		X509 *certificate = sign_fixture_certificate(kinds[i]);
		struct assay_error err = { 0 };
		struct buffer der;

		assert_int_equal(
			support_run("openssl cms -sign -binary -in content -inkey %s.pem "
				    "-signer %s.crt -nocerts -noattr -md sha384 -outform DER "
				    "-out signature",
				    kinds[i], kinds[i]),
			0);
		der = support_read("signature");
		if (pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err) < 0)
			fail_msg("%s: %s", kinds[i], err.text);
		buffer_free(&der);
		if (support_have("fsverity")) {
			assert_int_equal(support_run("fsverity sign data signature --key=%s.pem "
						     "--cert=%s.crt >/dev/null",
						     kinds[i], kinds[i]),
					 0);
			der = support_read("signature");
			if (pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err) < 0)
				fail_msg("%s: %s", kinds[i], err.text);
			buffer_free(&der);
		}
		X509_free(certificate);
	}
}

/* As the kernel takes them; the hash of the attributes is that of the content. */
static void signed_attributes_of_other_programs_are_accepted(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		X509 *certificate = sign_fixture_certificate(kinds[i]);
		struct assay_error err = { 0 };
		struct buffer der;

		assert_int_equal(
			support_run("openssl cms -sign -binary -in content -inkey %s.pem "
				    "-signer %s.crt -nocerts -nosmimecap -md sha384 -outform DER "
				    "-out signature",
				    kinds[i], kinds[i]),
			0);
		der = support_read("signature");
		if (pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err) < 0)
			fail_msg("%s: %s", kinds[i], err.text);
		/* Each byte of them is signed, or a part of the form. */
		for (size_t j = 0; j < der.size; j++) {
			der.data[j] ^= 0x20;
			if (pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err) == 0)
				fail_msg("%s: byte %zu does not matter", kinds[i], j);
			der.data[j] ^= 0x20;
		}
		buffer_free(&der);
		X509_free(certificate);
	}
}

/* struct bad_attributes - what is changed before such attributes are signed, all by a good key */
struct bad_attributes {
	const char *name;
	void (*change)(STACK_OF(X509_ATTRIBUTE) * attributes);
	const char *why;
	bool kernel_only; /* good for a manifest */
};

static void remove_attribute(STACK_OF(X509_ATTRIBUTE) * attributes, int nid)
{
	X509_ATTRIBUTE_free(
		X509at_delete_attr(attributes, X509at_get_attr_by_NID(attributes, nid, -1)));
}

static void add_attribute(STACK_OF(X509_ATTRIBUTE) * attributes, const char *oid, int type,
			  const void *value, int size)
{
	assert_non_null(X509at_add1_attr_by_txt(&attributes, oid, type, value, size));
}

static void no_type(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	remove_attribute(attributes, NID_pkcs9_contentType);
}

static void no_digest(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	remove_attribute(attributes, NID_pkcs9_messageDigest);
}

static void other_digest(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	static const unsigned char zeros[32];

	no_digest(attributes);
	add_attribute(attributes, "1.2.840.113549.1.9.4", V_ASN1_OCTET_STRING, zeros, 32);
}

static void short_digest(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	no_digest(attributes);
	add_attribute(attributes, "1.2.840.113549.1.9.4", V_ASN1_OCTET_STRING, "", 0);
}

static void digest_of_another_type(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	no_digest(attributes);
	add_attribute(attributes, "1.2.840.113549.1.9.4", V_ASN1_UTF8STRING, "digest", 6);
}

static void other_type(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	ASN1_OBJECT *object = OBJ_nid2obj(NID_pkcs7_signed);

	no_type(attributes);
	add_attribute(attributes, "1.2.840.113549.1.9.3", V_ASN1_OBJECT, object, -1);
}

static void digest_twice(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	static const unsigned char zeros[32];
	X509_ATTRIBUTE *more = NULL;

	assert_non_null(X509_ATTRIBUTE_create_by_NID(&more, NID_pkcs9_messageDigest,
						     V_ASN1_OCTET_STRING, zeros, 32));
	assert_true(sk_X509_ATTRIBUTE_push(attributes, more) > 0);
}

static void two_values(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	static const unsigned char zeros[32];
	int at = X509at_get_attr_by_NID(attributes, NID_pkcs9_messageDigest, -1);

	assert_int_equal(X509_ATTRIBUTE_set1_data(X509at_get_attr(attributes, at),
						  V_ASN1_OCTET_STRING, zeros, 32),
			 1);
}

static void statement_type(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	add_attribute(attributes, "1.3.6.1.4.1.311.2.1.11", V_ASN1_UTF8STRING, "x", 1);
}

static void opus_info(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	add_attribute(attributes, "1.3.6.1.4.1.311.2.1.12", V_ASN1_UTF8STRING, "x", 1);
}

static void another(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	add_attribute(attributes, "1.3.6.1.4.1.55555.1", V_ASN1_UTF8STRING, "x", 1);
}

static void many(STACK_OF(X509_ATTRIBUTE) * attributes)
{
	char oid[64];

	for (int i = 0; i < 64; i++) {
		snprintf(oid, sizeof(oid), "1.3.6.1.4.1.55555.2.%d", i);
		add_attribute(attributes, oid, V_ASN1_UTF8STRING, "x", 1);
	}
}

/* @signature, with its attributes changed, and as if its signer had signed that. */
static struct buffer sign_again(const struct buffer *signature, const struct bad_attributes *row)
{
	const unsigned char *at = signature->data;
	PKCS7 *pkcs7 = d2i_PKCS7(NULL, &at, (long)signature->size);
	struct signer *signer = open_key("p256");
	PKCS7_SIGNER_INFO *info;
	struct buffer made = { 0 }, out = { 0 };
	unsigned char *der = NULL;
	int size;

	assert_non_null(pkcs7);
	info = sk_PKCS7_SIGNER_INFO_value(pkcs7->d.sign->signer_info, 0);
	row->change(info->auth_attr);
	/* Sorted, as DER wants it: what is read again then is. */
	size = ASN1_item_i2d((ASN1_VALUE *)info->auth_attr, &der, ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
	assert_true(size > 0);
	assert_int_equal(
		signature_make(signer, ASSAY_HASH_SHA256, BYTES(der, (size_t)size), &made, NULL),
		0);
	sk_X509_ATTRIBUTE_pop_free(info->auth_attr, X509_ATTRIBUTE_free);
	at = der;
	info->auth_attr = (STACK_OF(X509_ATTRIBUTE) *)ASN1_item_d2i(
		NULL, &at, size, ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
	assert_non_null(info->auth_attr);
	OPENSSL_free(der);
	assert_int_equal(ASN1_OCTET_STRING_set(info->enc_digest, made.data, (int)made.size), 1);
	der = NULL;
	size = i2d_PKCS7(pkcs7, &der);
	buffer_append(&out, der, (size_t)size);
	OPENSSL_free(der);
	buffer_free(&made);
	PKCS7_free(pkcs7);
	signer->close(signer);
	return out;
}

static void signed_attributes_that_are_not_good_are_refused(void **state)
{
	static const struct bad_attributes rows[] = {
		{ "good: another, which nobody knows", another, NULL, false },
		{ "no contentType", no_type, "there is no contentType", false },
		{ "no messageDigest", no_digest, "there is no messageDigest", false },
		{ "the digest of other data", other_digest, "is of other data", false },
		{ "an empty digest", short_digest, "is of other data", false },
		{ "a digest that is text", digest_of_another_type, "no OCTET STRING", false },
		{ "contentType signedData", other_type, "contentType is not data", false },
		{ "messageDigest twice", digest_twice, "is there twice", false },
		{ "messageDigest with two values", two_values, "exactly one value", false },
		{ "SpcStatementType", statement_type, "the kernel refuses", true },
		{ "SpcSpOpusInfo", opus_info, "the kernel refuses", true },
		{ "very many", many, "there are too many", false },
	};
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("p256");
	struct buffer good;

	(void)state;
	assert_int_equal(
		support_run("openssl cms -sign -binary -in content -inkey p256.pem -signer "
			    "p256.crt -nocerts -nosmimecap -md sha256 -outform DER -out "
			    "signature"),
		0);
	good = support_read("signature");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer der = sign_again(&good, &rows[i]);
		uint8_t room[VERITY_FORMATTED_MAX];
		struct pkcs7_content content = pkcs7_file_content(&digest, room);
		struct assay_error err = { 0 };
		int r = pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err);

		if ((r < 0) != (rows[i].why != NULL) ||
		    (rows[i].why && !strstr(err.text, rows[i].why)))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
		content.kernel = false;
		r = pkcs7_verify_content(buffer_bytes(&der), &content, certificate, &err);
		if ((r == 0) != (!rows[i].why || rows[i].kernel_only))
			fail_msg("%s, not for the kernel: %d", rows[i].name, r);
		buffer_free(&der);
	}
	buffer_free(&good);
	X509_free(certificate);
}

/* Made by OpenSSL's command line; each has one thing that ours do not have. */
static void signatures_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *command;
		int result;
		const char *why;
	} rows[] = {
		{ "openssl cms -sign $S -nocerts -noattr -nodetach", -EBADMSG, "detached" },
		{ "openssl cms -sign $S -noattr", -EBADMSG, "certificates" },
		{ "openssl cms -sign $S -nocerts", -EBADMSG, "S/MIME capabilities" },
		{ "openssl cms -sign $S -nocerts -noattr -signer other.crt -inkey other.pem",
		  -EBADMSG, "exactly one signer" },
		{ "openssl cms -sign $S -nocerts -noattr -keyid", -EBADMSG, "PKCS#7" },
		{ "openssl cms -sign $S -nocerts -noattr -md sha1", -EBADMSG, "message digest" },
		{ "openssl cms -sign $S -nocerts -noattr -md sha224", -EBADMSG, "message digest" },
		{ "openssl cms -sign -binary -in content -signer rsa2048.crt -inkey rsa2048.pem "
		  "-nocerts -noattr -outform DER",
		  -EKEYREJECTED, "another certificate" },
		{ "openssl cms -sign -binary -in data -signer p256.crt -inkey p256.pem -nocerts "
		  "-noattr -outform DER",
		  -EKEYREJECTED, "of other data" },
		{ "openssl cms -sign -binary -in content -signer again.crt -inkey p256.pem "
		  "-nocerts "
		  "-noattr -outform DER",
		  -EKEYREJECTED, "another certificate" },
		{ "openssl cms -sign -binary -in content -signer p256.crt -inkey p256.pem -nocerts "
		  "-noattr -outform PEM",
		  -EBADMSG, "DER" },
		{ "openssl cms -encrypt -binary -in content -outform DER rsa2048.crt", -EBADMSG,
		  "signedData" },
		{ "openssl cms -data_create -in content -outform DER", -EBADMSG, "signedData" },
		{ "cat content", -EBADMSG, "DER" },
		{ "true", -EBADMSG, "DER" },
	};
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("p256");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		struct buffer der;
		int r;

		if (support_run("S='-binary -in content -signer p256.crt -inkey p256.pem "
				"-outform DER'; %s > signature",
				rows[i].command) != 0)
			fail_msg("this failed: %s", rows[i].command);
		der = support_read("signature");
		r = pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err);
		if (r != rows[i].result)
			fail_msg("%s: %d, \"%s\"", rows[i].command, r, err.text);
		support_assert_error(&err, rows[i].why);
		buffer_free(&der);
	}
	X509_free(certificate);
}

static void rsa_pss_is_refused(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("rsa2048");
	struct assay_error err = { 0 };
	struct buffer der;

	(void)state;
	assert_int_equal(support_run("openssl cms -sign -binary -in content -signer rsa2048.crt "
				     "-inkey rsa2048.pem -nocerts -noattr -outform DER "
				     "-keyopt rsa_padding_mode:pss -out signature"),
			 0);
	der = support_read("signature");
	assert_int_equal(pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err), -EBADMSG);
	support_assert_error(&err, "does not fit");
	buffer_free(&der);
	X509_free(certificate);
}

/* No bit may be flipped, no byte be missing or follow. */
static void a_changed_built_in_signature_is_refused(void **state)
{
	static const char *const names[] = { "p256", "rsa2048" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
		X509 *certificate = sign_fixture_certificate(names[i]);
		struct buffer der = make_pkcs7(names[i], &digest);
		struct assay_error err;

		for (size_t bit = 0; bit < 8 * der.size; bit++) {
			int r;

			der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			r = pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err);
			if (r != -EBADMSG && r != -EKEYREJECTED)
				fail_msg("%s, bit %zu of byte %zu: %d", names[i], bit % 8, bit / 8,
					 r);
			der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t size = 0; size < der.size; size++) {
			/* Its own allocation, so that the sanitizer sees a byte too many. */
			uint8_t *cut = malloc(size + 1);

			memcpy(cut, der.data, size);
			assert_int_equal(pkcs7_verify(BYTES(cut, size), &digest, certificate, &err),
					 -EBADMSG);
			free(cut);
		}
		buffer_append_u8(&der, 0);
		assert_int_equal(pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err),
				 -EBADMSG);
		support_assert_error(&err, "bytes follow");
		buffer_free(&der);
		X509_free(certificate);
	}
}

static void the_other_hash_of_the_same_bytes_is_another_digest(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("p256");
	struct buffer der = make_pkcs7("p256", &digest);
	struct assay_error err = { 0 };

	(void)state;
	digest.hash = ASSAY_HASH_SHA512;
	digest.size = 64;
	assert_int_equal(pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err),
			 -EKEYREJECTED);
	digest.hash = ASSAY_HASH_SHA1;
	digest.size = 20;
	assert_int_equal(pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err), -EINVAL);
	buffer_free(&der);
	X509_free(certificate);
}

/* As a key in a TPM whose scheme has a hash. */
static void a_key_of_one_hash_signs_with_that(void **state)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						  ASSAY_HASH_SHA512 };
	static const char *const names[] = { "ecdsa-with-SHA256", "ecdsa-with-SHA384",
					     "ecdsa-with-SHA512" };
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		struct signer *signer = open_key("p256");
		X509 *certificate = sign_fixture_certificate("p256"), *made;
		struct buffer der = { 0 }, ima = { 0 };
		struct assay_error err = { 0 };

		signer->hash = hashes[i];
		assert_int_equal(pkcs7_sign(signer, certificate, &digest, &der, &err), 0);
		assert_int_equal(pkcs7_verify(buffer_bytes(&der), &digest, certificate, &err), 0);
		assert_int_equal(ima_sig_sign(signer, certificate, &digest, &ima, &err),
				 hashes[i] == ASSAY_HASH_SHA256 ? 0 : -EINVAL);
		if (hashes[i] == ASSAY_HASH_SHA384)
			support_assert_error(&err, "the key signs sha384 digests only");
		assert_int_equal(certificate_make(signer, "x", 1, &made, &err), 0);
		assert_string_equal(OBJ_nid2sn(X509_get_signature_nid(made)), names[i]);
		X509_free(made);
		X509_free(certificate);
		buffer_free(&der);
		buffer_free(&ima);
		signer->close(signer);
	}
}

/* ---------------------------------------------------------------- IMA */

static void ima_signatures_are_what_the_kernel_computes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * KINDS; i++) {
		const char *kind = kinds[i / 2];
		enum assay_hash hash = i % 2 ? ASSAY_HASH_SHA512 : ASSAY_HASH_SHA256;
		struct assay_digest digest = data_digest(hash);
		struct buffer value = make_ima(kind, &digest), file_id = { 0 };
		struct bytes in = buffer_bytes(&value), head, signature;
		X509 *certificate = sign_fixture_certificate(kind);
		struct assay_error err = { 0 };
		char id[9], *theirs;
		uint16_t size;

		if (ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err) < 0)
			fail_msg("%s: %s", kind, err.text);
		assert_true(bytes_take(&in, 7, &head));
		assert_true(bytes_take_be16(&in, &size));
		assert_true(bytes_take(&in, size, &signature));
		assert_int_equal(in.size, 0);
		assert_true(value.size <= IMA_SIG_MAX);
		/* struct signature_v2_hdr: type, version, enum hash_algo, key id */
		assert_memory_equal(head.data, i % 2 ? "\x06\x03\x06" : "\x06\x03\x04", 3);
		hex_encode(BYTES(head.data + 3, 4), id);
		theirs =
			support_output("openssl x509 -in %s.crt -noout -ext subjectKeyIdentifier | "
				       "tail -1 | tr -d ' :' | tr A-F a-f | tail -c 9",
				       kind);
		assert_string_equal(id, theirs);
		free(theirs);
		/* struct ima_file_id */
		buffer_append_u8(&file_id, 0x06);
		buffer_append_u8(&file_id, i % 2 ? 6 : 4);
		buffer_append(&file_id, digest.bytes, digest.size);
		support_write("file_id", buffer_bytes(&file_id));
		support_write("signature", signature);
		assert_int_equal(
			support_run("openssl x509 -in %s.crt -noout -pubkey >signer.pub && "
				    "openssl dgst -%s -verify signer.pub -signature "
				    "signature file_id >/dev/null",
				    kind, assay_hash_name(hash)),
			0);
		buffer_free(&file_id);
		buffer_free(&value);
		X509_free(certificate);
	}
}

static void a_changed_ima_signature_is_refused(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	X509 *certificate = sign_fixture_certificate("p256");
	struct buffer value = make_ima("p256", &digest);
	struct assay_error err;

	(void)state;
	for (size_t bit = 0; bit < 8 * value.size; bit++) {
		int r;

		value.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err);
		if (r != -EBADMSG && r != -EKEYREJECTED && r != -ENOKEY)
			fail_msg("bit %zu of byte %zu: %d", bit % 8, bit / 8, r);
		value.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t size = 0; size < value.size; size++) {
		uint8_t *cut = malloc(size + 1);

		memcpy(cut, value.data, size);
		assert_int_equal(ima_sig_verify(BYTES(cut, size), &digest, certificate, &err),
				 -EBADMSG);
		free(cut);
	}
	buffer_append_u8(&value, 0);
	assert_int_equal(ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err),
			 -EBADMSG);
	value.size--;
	digest.bytes[5] ^= 1;
	assert_int_equal(ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err),
			 -EKEYREJECTED);
	buffer_free(&value);
	X509_free(certificate);
}

static void ima_signatures_need_a_subject_key_id(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	struct signer *signer = open_key("p256");
	X509 *certificate = sign_fixture_certificate("noskid");
	struct assay_error err = { 0 };
	struct buffer out = { 0 };

	(void)state;
	assert_int_equal(ima_sig_sign(signer, certificate, &digest, &out, &err), -EINVAL);
	support_assert_error(&err, "no subject key id");
	assert_int_equal(out.size, 0);
	X509_free(certificate);
	signer->close(signer);
}

static void an_ima_signature_by_another_key_is_refused(void **state)
{
	struct assay_digest digest = data_digest(ASSAY_HASH_SHA256);
	struct buffer value = make_ima("other", &digest);
	X509 *certificate = sign_fixture_certificate("p256");
	struct assay_error err = { 0 };
	struct bytes id;

	(void)state;
	assert_int_equal(ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err), -ENOKEY);
	support_assert_error(&err, "names another key");
	/* And with the right name on it, too. */
	assert_int_equal(certificate_key_id(certificate, &id, NULL), 0);
	memcpy(value.data + 3, id.data + id.size - 4, 4);
	assert_int_equal(ima_sig_verify(buffer_bytes(&value), &digest, certificate, &err),
			 -EKEYREJECTED);
	support_assert_error(&err, "made by another key");
	buffer_free(&value);
	X509_free(certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_cannot_sign_are_refused),
		cmocka_unit_test(signatures_of_every_kind_of_key_are_openssls),
		cmocka_unit_test(certificates_that_are_made_hold_what_the_kernel_needs),
		cmocka_unit_test(serial_numbers_differ_and_are_positive),
		cmocka_unit_test(certificates_are_not_made_of_what_is_out_of_range),
		cmocka_unit_test(a_key_that_fails_makes_nothing),
		cmocka_unit_test(certificates_unfit_for_the_signer_are_refused),
		cmocka_unit_test(what_is_not_a_certificate_is_refused),
		cmocka_unit_test(certificates_come_in_both_encodings),
		cmocka_unit_test(built_in_signatures_are_accepted_by_openssl_and_ourselves),
		cmocka_unit_test(built_in_signatures_of_other_programs_are_accepted),
		cmocka_unit_test(signed_attributes_of_other_programs_are_accepted),
		cmocka_unit_test(signed_attributes_that_are_not_good_are_refused),
		cmocka_unit_test(signatures_of_another_form_are_refused),
		cmocka_unit_test(rsa_pss_is_refused),
		cmocka_unit_test(a_changed_built_in_signature_is_refused),
		cmocka_unit_test(the_other_hash_of_the_same_bytes_is_another_digest),
		cmocka_unit_test(ima_signatures_are_what_the_kernel_computes),
		cmocka_unit_test(a_changed_ima_signature_is_refused),
		cmocka_unit_test(ima_signatures_need_a_subject_key_id),
		cmocka_unit_test(a_key_of_one_hash_signs_with_that),
		cmocka_unit_test(an_ima_signature_by_another_key_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, support_leave_directory);
}
