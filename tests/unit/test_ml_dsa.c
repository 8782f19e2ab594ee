// SPDX-License-Identifier: MIT
/*
 * Keys of ML-DSA (FIPS 204), where libcrypto has them: from OpenSSL 3.5 on. e2e/test_post_quantum
 * runs this with such a one; with an older one each test is skipped.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "sign/key_file.h"
#include "sign/signature.h"

#define MESSAGE "what a manifest's signature is of"

static const struct {
	const char *name, *oid;
	size_t signature; /* bytes: FIPS 204, table 2 */
} kinds[] = {
	{ "ML-DSA-44", "2.16.840.1.101.3.4.3.17", 2420 },
	{ "ML-DSA-65", "2.16.840.1.101.3.4.3.18", 3309 },
	{ "ML-DSA-87", "2.16.840.1.101.3.4.3.19", 4627 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* NULL where libcrypto has no such keys. */
static EVP_PKEY *make_key(const char *name)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
	EVP_PKEY *key = NULL;

	if (!context)
		return NULL;
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* The private key's file, as a signer reads it. */
static struct signer *open_signer(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct signer *signer;
	struct assay_error err;
	char *text;
	long size;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	size = BIO_get_mem_data(bio, &text);
	if (key_file_signer(BYTES((const uint8_t *)text, (size_t)size), "key", &signer, &err) < 0)
		fail_msg("%s", err.text);
	BIO_free(bio);
	return signer;
}

static void signatures_are_made_and_checked(void **state)
{
	struct bytes message = support_text(MESSAGE), other = support_text(MESSAGE "!");

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		EVP_PKEY *key = make_key(kinds[i].name), *another = make_key(kinds[i].name);
		struct buffer signature = { 0 };
		struct signer *signer;
		struct assay_error err;

		if (!key)
			skip();
		assert_int_equal(signature_judge_key(key, NULL), SIGNATURE_KEY_NEWER);
		assert_true(signature_is_pure(key));
		assert_string_equal(signature_pure_oid(key), kinds[i].oid);
		assert_string_equal(signature_pure_name(kinds[i].oid), kinds[i].name);
		assert_int_equal(signature_check_key(key, "key", &err), 0);
		signer = open_signer(key);
		if (signature_make(signer, ASSAY_HASH_SHA256, message, &signature, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(signature.size, kinds[i].signature);
		/* It is of the message; who computes a digest of it first gets another one. */
		assert_int_equal(signature_verify_message(key, ASSAY_HASH_SHA256, message,
							  buffer_bytes(&signature), "s", &err),
				 0);
		assert_int_equal(signature_verify_message(key, ASSAY_HASH_SHA256, other,
							  buffer_bytes(&signature), "s", &err),
				 -EKEYREJECTED);
		assert_int_equal(signature_verify_message(another, ASSAY_HASH_SHA256, message,
							  buffer_bytes(&signature), "s", &err),
				 -EKEYREJECTED);
		/* Neither a changed one, nor one that is cut off or goes on. */
		for (size_t at = 0; at < signature.size; at += 97) {
			signature.data[at] ^= 1;
			if (signature_verify_message(key, ASSAY_HASH_SHA256, message,
						     buffer_bytes(&signature), "s", &err) == 0)
				fail_msg("byte %zu of %s can be changed", at, kinds[i].name);
			signature.data[at] ^= 1;
		}
		assert_true(signature_verify_message(key, ASSAY_HASH_SHA256, message,
						     BYTES(signature.data, signature.size - 1), "s",
						     &err) < 0);
		buffer_append_u8(&signature, 0);
		assert_true(signature_verify_message(key, ASSAY_HASH_SHA256, message,
						     buffer_bytes(&signature), "s", &err) < 0);
		buffer_free(&signature);
		signer->close(signer);
		EVP_PKEY_free(key);
		EVP_PKEY_free(another);
	}
}

/* By libcrypto alone: pure ML-DSA with an empty context. */
static void signatures_are_those_of_the_standard(void **state)
{
	struct bytes message = support_text(MESSAGE);

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		EVP_PKEY *key = make_key(kinds[i].name);
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		struct buffer signature = { 0 };
		struct assay_error err;

		if (!key) {
			EVP_MD_CTX_free(context);
			skip();
		}
		assert_int_equal(signature_sign_pure(key, message, &signature, &err), 0);
		assert_int_equal(
			EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL), 1);
		assert_int_equal(EVP_DigestVerify(context, signature.data, signature.size,
						  message.data, message.size),
				 1);
		EVP_MD_CTX_free(context);
		buffer_free(&signature);
		EVP_PKEY_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_made_and_checked),
		cmocka_unit_test(signatures_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
