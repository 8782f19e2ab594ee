// SPDX-License-Identifier: MIT
/* lib/verify/ak_given: attestation keys in every form, with OpenSSL's as the oracle; what they
 * are not. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_builder.h"
#include "verify/ak_given.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void read_key(struct bytes text, struct ak_given *ret)
{
	struct assay_error err;

	if (ak_given_read(text, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_same_key(const struct assay_digest *a, const struct assay_digest *b)
{
	assert_true(bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size)));
}

/* Both forms of a public area, and what OpenSSL makes of the key: PEM, and DER. */
static void one_key_is_the_same_in_every_form(void **state)
{
	static const char *const areas[] = {
		"evidence/ak.pub",		  /* P-256 */
		"quote/keylime-test-data/ak.pub", /* RSA */
		"fuzz_tpm_public/parsec.pub",	  /* P-256 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(areas); i++) {
		struct buffer area = log_test_data(areas[i]);
		struct bytes sized = buffer_bytes(&area);
		struct ak_given given, other;
		unsigned char *der = NULL;
		BIO *pem = BIO_new(BIO_s_mem());
		EVP_PKEY *key;
		char *text;
		int size;

		read_key(sized, &given);
		assert_int_equal(given.form, AK_GIVEN_TPM2B_PUBLIC);
		assert_true(bytes_equal(buffer_bytes(&given.public_area), sized));
		read_key(BYTES(sized.data + 2, sized.size - 2), &other);
		assert_int_equal(other.form, AK_GIVEN_TPMT_PUBLIC);
		assert_true(bytes_equal(buffer_bytes(&other.public_area), sized));
		assert_int_equal(other.public.attributes, given.public.attributes);
		assert_same_key(&given.key, &other.key);
		ak_given_free(&other);

		key = tpm_public_key(&given.public);
		assert_non_null(key);
		size = i2d_PUBKEY(key, &der);
		assert_true(size > 0);
		read_key(BYTES(der, (size_t)size), &other);
		assert_int_equal(other.form, AK_GIVEN_DER);
		assert_int_equal(other.public_area.size, 0);
		assert_int_equal(other.public.attributes, 0);
		assert_same_key(&given.key, &other.key);
		ak_given_free(&other);

		assert_int_equal(PEM_write_bio_PUBKEY(pem, key), 1);
		size = (int)BIO_get_mem_data(pem, &text);
		read_key(BYTES((const uint8_t *)text, (size_t)size), &other);
		assert_int_equal(other.form, AK_GIVEN_PEM);
		assert_int_equal(other.public_area.size, 0);
		assert_same_key(&given.key, &other.key);
		ak_given_free(&other);

		EVP_PKEY_free(key);
		OPENSSL_free(der);
		BIO_free(pem);
		ak_given_free(&given);
		buffer_free(&area);
	}
}

/* The keys of others' tests and standards; the digests are of `openssl pkey -pubin -outform DER`.
 */
static void published_keys_are_read(void **state)
{
	static const struct {
		const char *path;
		enum ak_given_form form;
		uint16_t type;
		const char *digest;
	} rows[] = {
		{ "ak/keylime-ak.pem", AK_GIVEN_PEM, TPM_ALG_RSA,
		  "f8e6c762d6d079f50442d7160edc28f637e444910874a6e391a1480dfa3251a5" },
		{ "ak/rfc7517-rsa.jwk", AK_GIVEN_JWK, TPM_ALG_RSA,
		  "ad32320cf6c596d884b05381ba573aba8ddd5749b4de8f4a23a79f9a89ddaeb2" },
		{ "ak/rfc7517-ec.jwk", AK_GIVEN_JWK, TPM_ALG_ECC,
		  "51b944cdfa544d4c3273aa6bf350625a7dd53bbb6a71723274f538b19a207760" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer text = log_test_data(rows[i].path);
		char hex[2 * ASSAY_DIGEST_MAX + 1];
		struct ak_given given;

		read_key(buffer_bytes(&text), &given);
		assert_int_equal(given.form, rows[i].form);
		assert_int_equal(given.public.type, rows[i].type);
		hex_encode(BYTES(given.key.bytes, given.key.size), hex);
		assert_string_equal(hex, rows[i].digest);
		ak_given_free(&given);
		buffer_free(&text);
	}
}

/* Every way in which the openssl program writes a public key of a kind that a TPM has. */
static void what_openssl_writes_is_read(void **state)
{
	static const struct {
		const char *make, *write;
		enum ak_given_form form;
		uint16_t curve;
	} rows[] = {
		{ "EC -pkeyopt ec_paramgen_curve:P-384", "pkey -pubout", AK_GIVEN_PEM,
		  TPM_ECC_NIST_P384 },
		{ "EC -pkeyopt ec_paramgen_curve:P-521", "pkey -pubout -outform DER", AK_GIVEN_DER,
		  TPM_ECC_NIST_P521 },
		{ "EC -pkeyopt ec_paramgen_curve:P-256", "ec -pubout -conv_form compressed",
		  AK_GIVEN_PEM, TPM_ECC_NIST_P256 },
		{ "EC -pkeyopt ec_paramgen_curve:P-256", "pkey -pubout -text", AK_GIVEN_PEM,
		  TPM_ECC_NIST_P256 },
		{ "RSA -pkeyopt rsa_keygen_bits:2048", "rsa -RSAPublicKey_out", AK_GIVEN_PEM, 0 },
		{ "RSA-PSS -pkeyopt rsa_keygen_bits:2048", "pkey -pubout", AK_GIVEN_PEM, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ak_given given, again;
		struct buffer text, plain;

		assert_int_equal(support_run("(openssl genpkey -algorithm %s -out k.pem && openssl "
					     "%s -in k.pem -out out && openssl pkey -in k.pem "
					     "-pubout -out plain) 2>/dev/null",
					     rows[i].make, rows[i].write),
				 0);
		text = support_read("out");
		read_key(buffer_bytes(&text), &given);
		assert_int_equal(given.form, rows[i].form);
		assert_int_equal(given.public.curve, rows[i].curve);
		plain = support_read("plain");
		read_key(buffer_bytes(&plain), &again);
		assert_same_key(&given.key, &again.key);
		ak_given_free(&again);
		ak_given_free(&given);
		buffer_free(&plain);
		buffer_free(&text);
	}
}

#define EC_JWK(members) "{\"kty\":\"EC\"," members "}"
#define X "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\""
#define Y "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""

/* Text that is no key: what it is is said. */
static void what_is_no_key_is_named(void **state)
{
	static const struct {
		struct bytes text;
		const char *says;
	} rows[] = {
		{ BYTES_LITERAL(""), "an empty file" },
		{ BYTES_LITERAL("hello\n"), "text that is neither PEM nor JSON" },
		{ BYTES_LITERAL("\x00\x01"), "of no form that is known" },
		{ BYTES_LITERAL("\x01\x02\x03\x04"), "of no form that is known" },
		{ BYTES_LITERAL("\xba\xdc\xc0\xde\x00\x00\x00\x01"), "a context or a credential" },
		{ BYTES_LITERAL("\xff"
				"TCG\x80\x18"),
		  "a quote (TPMS_ATTEST)" },
		{ BYTES_LITERAL("\x00\x18\x00\x0b\x00\x20"), "a signature (TPMT_SIGNATURE)" },
		{ BYTES_LITERAL("\x00\x0b\x01\x02"), "a key's name" },
		{ BYTES_LITERAL("\x00\x22\x00\x0b\x01\x02"), "a key's name" },
		{ BYTES_LITERAL("ssh-rsa AAAA"), "an SSH public key" },
		{ BYTES_LITERAL("ecdsa-sha2-nistp256 AAAA"), "an SSH public key" },
		{ BYTES_LITERAL("name: 000b\n"), "what tpm2_readpublic prints" },
		{ BYTES_LITERAL("CCEL\x38\x00\x00\x00"), "an ACPI table" },
		{ BYTES_LITERAL("\x30\x03\x02\x01\x00"), "DER of something else" },
		{ BYTES_LITERAL("\x30\x80"), "DER of something else" },
		{ BYTES_LITERAL("\x00\x05\x00\x23\x00\x0b\x00"), "TPMT_PUBLIC) ends inside" },
		{ BYTES_LITERAL("\x00\x23\x00\x0b\x00"), "TPMT_PUBLIC) ends inside" },
		{ BYTES_LITERAL("\x00\x58\x00\x23\x00\x0b\x00"), "cut or has bytes behind" },
		{ BYTES_LITERAL("-----BEGIN PUBLIC KEY-----\nMIIB\n"), "PEM that is damaged" },
		{ BYTES_LITERAL("-----BEGIN PUBLIC KEY-----\nMAMCAQA=\n-----END PUBLIC KEY-----\n"),
		  "DER of something else" },
		{ BYTES_LITERAL("-----BEGIN RSA PUBLIC KEY-----\nMAMCAQA=\n-----END RSA PUBLIC "
				"KEY-----\n"),
		  "not an RSAPublicKey" },
		{ BYTES_LITERAL("-----BEGIN TSS2 PRIVATE KEY-----\nMAMCAQA=\n-----END TSS2 PRIVATE "
				"KEY-----\n"),
		  "a TPM's key file" },
		{ BYTES_LITERAL("-----BEGIN EC PRIVATE KEY-----\nMAMCAQA=\n-----END EC PRIVATE "
				"KEY-----\n"),
		  "a private key" },
		{ BYTES_LITERAL("-----BEGIN PKCS7-----\nMAMCAQA=\n-----END PKCS7-----\n"),
		  "PEM of a \"PKCS7\"" },
		{ BYTES_LITERAL("{"), "not JSON" },
		{ BYTES_LITERAL("{}"), "without \"kty\"" },
		{ BYTES_LITERAL("{\"kty\":\"EC\",\"kty\":\"EC\"}"), "duplicate" },
		{ BYTES_LITERAL("{\"keys\":[]}"), "a set of JWKs" },
		{ BYTES_LITERAL("{\"payloadType\":\"x\"}"), "a DSSE envelope" },
		{ BYTES_LITERAL("{\"assay\":1,\"type\":\"device\"}"), "give it with --device" },
		{ BYTES_LITERAL("{\"assay\":1,\"type\":\"evidence\"}"), "\"evidence\" file" },
		{ BYTES_LITERAL("{\"kty\":1}"), "kty" },
		{ BYTES_LITERAL("{\"kty\":\"oct\",\"k\":\"AA\"}"), "must be \"EC\" or \"RSA\"" },
		{ BYTES_LITERAL(EC_JWK(X "," Y)), "crv" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256K\"," X "," Y)), "curve \"P-256K\"" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"prime256v1\"," X "," Y)), "curve" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256\"," X)), "\"y\"" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-384\"," X "," Y)), "as long as the curve" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256\"," X ",\"y\":\"AA=\"")), "base64url" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256\"," X ",\"y\":\"A+/A\"")), "base64url" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256\"," X ",\"y\":\"MKBCTNIcKUSDii11ySs3526iDZ8"
				       "AiTo7Tu6KPAqv7D4\"")),
		  "holds no key" },
		{ BYTES_LITERAL(EC_JWK("\"crv\":\"P-256\"," X "," Y ",\"d\":\"AA\"")),
		  "a private key" },
		{ BYTES_LITERAL("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}"), "\"n\"" },
		{ BYTES_LITERAL("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
		  "RSA of 17 bits" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_error err = { 0 };
		struct ak_given given;

		if (ak_given_read(rows[i].text, &given, &err) != -EBADMSG ||
		    !strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\", expected \"%s\"", i, err.text, rows[i].says);
	}
}

/* Files that the openssl program writes and that are no public key of a TPM's. */
static void other_files_of_openssl_are_named(void **state)
{
	static const struct {
		const char *make, *says;
	} rows[] = {
		{ "req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out out",
		  "a certificate" },
		{ "req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=x -outform DER -out out",
		  "a certificate" },
		{ "req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out out",
		  "a request for a certificate" },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out out",
		  "a private key" },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out out",
		  "a private key" },
		{ "genpkey -algorithm ed25519 -out k && openssl pkey -in k -pubout -out out",
		  "ED25519" },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k && openssl "
		  "pkey -in k -pubout -out out",
		  "curve \"secp256k1\"" },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k && openssl pkey "
		  "-in k -pubout -out p && cat p p >out",
		  "one of several PEM blocks" },
		{ "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k && openssl pkey "
		  "-in k -pubout -outform DER -out out && echo >>out",
		  "1 bytes behind its end" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_error err = { 0 };
		struct ak_given given;
		struct buffer text;

		assert_int_equal(support_run("(openssl %s) 2>/dev/null", rows[i].make), 0);
		text = support_read("out");
		if (ak_given_read(buffer_bytes(&text), &given, &err) != -EBADMSG ||
		    !strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\", expected \"%s\"", i, err.text, rows[i].says);
		buffer_free(&text);
	}
}

static void a_large_file_is_not_read(void **state)
{
	static uint8_t text[AK_GIVEN_MAX_SIZE + 1];
	struct assay_error err = { 0 };
	struct ak_given given;

	(void)state;
	assert_int_equal(ak_given_read(BYTES(text, sizeof(text)), &given, &err), -EFBIG);
	support_assert_error(&err, "at most 65536");
}

int main(void)
{
	const struct CMUnitTest in_tree[] = {
		cmocka_unit_test(one_key_is_the_same_in_every_form),
		cmocka_unit_test(published_keys_are_read),
		cmocka_unit_test(what_is_no_key_is_named),
		cmocka_unit_test(a_large_file_is_not_read),
	};
	const struct CMUnitTest in_directory[] = {
		cmocka_unit_test(what_openssl_writes_is_read),
		cmocka_unit_test(other_files_of_openssl_are_named),
	};

	/* What reads tests/data comes before this leaves its directory. */
	return cmocka_run_group_tests_name("ak_given", in_tree, NULL, NULL) +
	       cmocka_run_group_tests_name("ak_given with openssl", in_directory,
					   support_enter_directory, support_leave_directory);
}
