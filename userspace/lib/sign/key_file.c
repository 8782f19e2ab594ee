// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/key_file.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/secret.h"
#include "sign/key_pair.h"
#include "sign/signature.h"

/* A file signer's public_key is the whole pair: libcrypto keeps both in one. */

struct key_file {
	struct signer signer; /* its public_key is the pair's */
	struct key_pair *pair;
};

static int key_file_sign(struct signer *signer, const struct assay_digest *digest,
			 struct buffer *out, struct assay_error *err)
{
	return key_pair_sign(((struct key_file *)signer)->pair, digest, "the key", out, err);
}

static int key_file_sign_message(struct signer *signer, enum assay_hash hash, struct bytes message,
				 struct buffer *out, struct assay_error *err)
{
	(void)hash;
	return signature_sign_pure(signer->public_key, message, out, err);
}

static void key_file_close(struct signer *signer)
{
	struct key_file *file = (struct key_file *)signer;

	key_pair_free(file->pair);
	free(file);
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
	struct key_file *file;
	int r = signature_check_key(key, name, err);

	if (r < 0) {
		EVP_PKEY_free(key);
		return r;
	}
	file = calloc(1, sizeof(*file));
	if (file)
		file->pair = key_pair_new(key, concurrent);
	else
		EVP_PKEY_free(key);
	if (!file || !file->pair) {
		free(file);
		return assay_fail(err, ENOMEM, "cannot open %s: out of memory", name);
	}
	file->signer = (struct signer){
		.public_key = key,
		.concurrent = concurrent,
		.dear = !concurrent,
		.sign = key_file_sign,
		.sign_message = signature_is_pure(key) ? key_file_sign_message : NULL,
		.close = key_file_close,
	};
	*ret = &file->signer;
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
