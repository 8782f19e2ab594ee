// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/key_file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "sign/signature.h"

/* A file signer's public_key is the whole pair: libcrypto keeps both in one. */

static int file_sign(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		     struct assay_error *err)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, signer->public_key, NULL);
	const char *name = assay_hash_name(digest->hash);
	EVP_MD *md = name ? EVP_MD_fetch(NULL, name, NULL) : NULL;
	size_t size = (size_t)EVP_PKEY_get_size(signer->public_key);
	uint8_t *place = buffer_reserve(out, size);
	bool good;

	good = place && context && md && EVP_PKEY_sign_init(context) == 1 &&
	       (EVP_PKEY_get_base_id(signer->public_key) != EVP_PKEY_RSA ||
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1) &&
	       EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
	       EVP_PKEY_sign(context, place, &size, digest->bytes, digest->size) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_MD_free(md);
	ERR_clear_error();
	if (!good)
		return assay_fail(err, EIO, "libcrypto failed to sign a digest");
	out->size += size;
	return 0;
}

static void file_close(struct signer *signer)
{
	EVP_PKEY_free(signer->public_key);
	free(signer);
}

/* Keeps libcrypto from asking on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)context = true;
	return -1;
}

static bool contains(struct bytes text, const char *part)
{
	return text.data && memmem(text.data, text.size, part, strlen(part));
}

bool key_file_is_tss2(struct bytes pem)
{
	return contains(pem, "-----BEGIN TSS2 PRIVATE KEY-----");
}

int key_file_signer(struct bytes pem, const char *name, struct signer **ret,
		    struct assay_error *err)
{
	bool encrypted = false;
	struct signer *signer;
	EVP_PKEY *key = NULL;
	BIO *bio;
	int r;

	if (pem.size > KEY_FILE_MAX)
		return assay_fail(err, EFBIG, "%s is too large for a key file", name);
	bio = BIO_new_mem_buf(pem.data ? (const void *)pem.data : "", (int)pem.size);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
	BIO_free(bio);
	ERR_clear_error();
	if (!key && encrypted)
		return assay_fail(err, EACCES,
				  "the private key in %s is encrypted, which is not supported; "
				  "decrypt it ('openssl pkey'), or better keep it in a TPM",
				  name);
	if (!key && (contains(pem, "-----BEGIN PUBLIC KEY-----") ||
		     contains(pem, "-----BEGIN CERTIFICATE-----")))
		return assay_fail(err, EINVAL,
				  "%s holds a public key or a certificate, not a private key",
				  name);
	if (!key)
		return assay_fail(err, EINVAL, "%s holds no private key in PEM form", name);
	r = signature_check_key(key, name, err);
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
	signer->sign = file_sign;
	signer->close = file_close;
	*ret = signer;
	return 0;
}
