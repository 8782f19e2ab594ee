// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/key_file.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/digest.h"
#include "base/secret.h"
#include "sign/signature.h"

/* A file signer's public_key is the whole pair: libcrypto keeps both in one. */

static int key_file_sign(struct signer *signer, const struct assay_digest *digest,
			 struct buffer *out, struct assay_error *err)
{
	CLEANUP(evp_pkey_ctx_free_pointer)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, signer->public_key, NULL);
	const EVP_MD *md = digest_algorithm(digest->hash);
	size_t size = (size_t)EVP_PKEY_get_size(signer->public_key);
	uint8_t *place = buffer_reserve(out, size);
	bool good;

	good = place && context && md && EVP_PKEY_sign_init(context) == 1 &&
	       (EVP_PKEY_get_base_id(signer->public_key) != EVP_PKEY_RSA ||
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1) &&
	       EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
	       EVP_PKEY_sign(context, place, &size, digest->bytes, digest->size) == 1;
	crypto_errors_drop();
	if (!good)
		return assay_fail(err, EIO, "libcrypto failed to sign a digest");
	out->size += size;
	return 0;
}

static int key_file_sign_message(struct signer *signer, enum assay_hash hash, struct bytes message,
				 struct buffer *out, struct assay_error *err)
{
	(void)hash;
	return signature_sign_pure(signer->public_key, message, out, err);
}

static void key_file_close(struct signer *signer)
{
	EVP_PKEY_free(signer->public_key);
	free(signer);
}

/* How an encrypted key's passphrase is asked for, and what came of it. */
struct passphrase {
	key_file_secret_function secret;
	void *context;
	struct assay_error err;
	bool asked, failed;
};

static int give_passphrase(char *text, int size, int writing, void *context)
{
	CLEANUP(secret_free) struct buffer value = { 0 };
	struct passphrase *passphrase = context;

	(void)writing;
	passphrase->asked = true;
	/* Without a way to ask: keeps libcrypto from asking on the terminal. */
	if (!passphrase->secret)
		return -1;
	passphrase->failed = passphrase->secret(passphrase->context, &value, &passphrase->err) < 0;
	if (passphrase->failed || value.size > (size_t)size)
		return -1;
	if (value.size > 0)
		memcpy(text, value.data, value.size);
	return (int)value.size;
}

static bool contains(struct bytes text, const char *part)
{
	return text.data && memmem(text.data, text.size, part, strlen(part));
}

bool key_file_is_tss2(struct bytes pem)
{
	return contains(pem, "-----BEGIN TSS2 PRIVATE KEY-----");
}

int key_file_wrap(EVP_PKEY *key, const char *name, bool concurrent, struct signer **ret,
		  struct assay_error *err)
{
	struct signer *signer;
	int r = signature_check_key(key, name, err);

	if (r < 0) {
		EVP_PKEY_free(key);
		return r;
	}
	signer = calloc(1, sizeof(*signer));
	if (!signer) {
		EVP_PKEY_free(key);
		return assay_fail(err, ENOMEM, "cannot open %s: out of memory", name);
	}
	signer->public_key = key;
	signer->concurrent = concurrent;
	signer->dear = !concurrent;
	signer->sign = key_file_sign;
	if (signature_is_pure(key))
		signer->sign_message = key_file_sign_message;
	signer->close = key_file_close;
	*ret = signer;
	return 0;
}

int key_file_open(struct bytes pem, const char *name, key_file_secret_function secret,
		  void *context, struct signer **ret, struct assay_error *err)
{
	struct passphrase passphrase = { .secret = secret, .context = context };
	CLEANUP(bio_free_pointer) BIO *bio = NULL;
	EVP_PKEY *key = NULL;

	if (pem.size > KEY_FILE_MAX)
		return assay_fail(err, EFBIG, "%s is too large for a key file", name);
	bio = BIO_new_mem_buf(pem.data ? (const void *)pem.data : "", (int)pem.size);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
	crypto_errors_drop();
	if (key)
		return key_file_wrap(key, name, true, ret, err);
	if (passphrase.failed) {
		if (err)
			*err = passphrase.err;
		return -passphrase.err.code;
	}
	if (passphrase.asked && !secret)
		return assay_fail(err, EACCES,
				  "the private key in %s is encrypted, and no passphrase is taken "
				  "here",
				  name);
	if (passphrase.asked)
		return assay_fail(err, EACCES,
				  "the private key in %s cannot be decrypted: the passphrase is "
				  "wrong, or the file is damaged",
				  name);
	if (contains(pem, "-----BEGIN PUBLIC KEY-----") ||
	    contains(pem, "-----BEGIN CERTIFICATE-----"))
		return assay_fail(err, EINVAL,
				  "%s holds a public key or a certificate, not a private key",
				  name);
	return assay_fail(err, EINVAL, "%s holds no private key in PEM form", name);
}

int key_file_signer(struct bytes pem, const char *name, struct signer **ret,
		    struct assay_error *err)
{
	return key_file_open(pem, name, NULL, NULL, ret, err);
}
