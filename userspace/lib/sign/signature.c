// SPDX-License-Identifier: MIT
#include "sign/signature.h"

#include <errno.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/digest.h"

static enum signature_key judge_rsa(int bits)
{
	switch ((bits + 7) / 8 * 8) {
	case 2048:
	case 3072:
	case 4096:
		return SIGNATURE_KEY_GOOD;
	case 512:
	case 1024:
	case 1536:
		return SIGNATURE_KEY_WEAK;
	default:
		return SIGNATURE_KEY_UNKNOWN;
	}
}

static enum signature_key judge_curve(const char *curve)
{
	static const struct {
		const char *name;
		enum signature_key is;
	} curves[] = {
		{ "prime256v1", SIGNATURE_KEY_GOOD },
		{ "secp384r1", SIGNATURE_KEY_GOOD },
		{ "secp521r1", SIGNATURE_KEY_GOOD },
		{ "prime192v1", SIGNATURE_KEY_WEAK },
	};

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(curve, curves[i].name) == 0)
			return curves[i].is;
	return SIGNATURE_KEY_UNKNOWN;
}

/* Parameter sets of ML-DSA; the names are OpenSSL's, which knows them since 3.5. */
static const struct {
	const char *name, *oid;
} pure_keys[] = {
	{ "ML-DSA-44", "2.16.840.1.101.3.4.3.17" },
	{ "ML-DSA-65", "2.16.840.1.101.3.4.3.18" },
	{ "ML-DSA-87", "2.16.840.1.101.3.4.3.19" },
};

const char *signature_pure_oid(EVP_PKEY *key)
{
	int id = EVP_PKEY_get_id(key);

	/* To look a name up takes locks that all threads share. */
	if (id == EVP_PKEY_EC || id == EVP_PKEY_RSA)
		return NULL;
	for (size_t i = 0; i < sizeof(pure_keys) / sizeof(pure_keys[0]); i++)
		if (EVP_PKEY_is_a(key, pure_keys[i].name))
			return pure_keys[i].oid;
	return NULL;
}

bool signature_is_pure(EVP_PKEY *key)
{
	return signature_pure_oid(key) != NULL;
}

const char *signature_pure_name(const char *oid)
{
	for (size_t i = 0; i < sizeof(pure_keys) / sizeof(pure_keys[0]); i++)
		if (strcmp(pure_keys[i].oid, oid) == 0)
			return pure_keys[i].name;
	return NULL;
}

int signature_sign_pure(EVP_PKEY *key, struct bytes message, struct buffer *out,
			struct assay_error *err)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = (size_t)EVP_PKEY_get_size(key);
	uint8_t *place = buffer_reserve(out, size);
	bool good = place && context &&
		    EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
		    EVP_DigestSign(context, place, &size, message.data, message.size) == 1;

	crypto_errors_drop();
	if (!good)
		return assay_fail(err, EIO, "libcrypto failed to sign a message");
	out->size += size;
	return 0;
}

static bool verify_pure(EVP_PKEY *key, struct bytes message, struct bytes signature)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context &&
		    EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
		    EVP_DigestVerify(context, signature.data, signature.size, message.data,
				     message.size) == 1;

	crypto_errors_drop();
	return good;
}

enum signature_key signature_judge_key(EVP_PKEY *key, char *description)
{
	char room[SIGNATURE_KEY_TEXT], curve[64] = "";
	const char *type = EVP_PKEY_get0_type_name(key);
	enum signature_key is = SIGNATURE_KEY_UNKNOWN;

	if (!description)
		description = room;
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		snprintf(description, SIGNATURE_KEY_TEXT, "RSA %d", EVP_PKEY_get_bits(key));
		is = judge_rsa(EVP_PKEY_get_bits(key));
		break;
	case EVP_PKEY_EC:
		if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1)
			curve[0] = '\0';
		snprintf(description, SIGNATURE_KEY_TEXT, "ECDSA %s",
			 curve[0] ? curve : "on a curve without a name");
		is = judge_curve(curve);
		break;
	default:
		snprintf(description, SIGNATURE_KEY_TEXT, "%s", type ? type : "unknown");
		if (signature_is_pure(key))
			is = SIGNATURE_KEY_NEWER;
	}
	crypto_errors_drop();
	return is;
}

int signature_check_key(EVP_PKEY *key, const char *what, struct assay_error *err)
{
	static const char wanted[] = "must be ECDSA (P-256, P-384, P-521) or RSA (2048, 3072 or "
				     "4096 bits)";
	char description[SIGNATURE_KEY_TEXT];

	switch (signature_judge_key(key, description)) {
	case SIGNATURE_KEY_GOOD:
	case SIGNATURE_KEY_NEWER:
		return 0;
	case SIGNATURE_KEY_WEAK:
		return assay_fail(err, EINVAL, "%s is too weak (%s): it %s", what, description,
				  wanted);
	default:
		return assay_fail(err, EINVAL,
				  "%s is of a kind that the kernel does not verify signatures of "
				  "(%s): it %s",
				  what, description, wanted);
	}
}

static bool verify_plainly(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature)
{
	CLEANUP(evp_pkey_ctx_free_pointer)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	const EVP_MD *md = digest_algorithm(digest->hash);
	bool good = context && md && EVP_PKEY_verify_init(context) == 1 &&
		    (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
		     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1) &&
		    EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
		    EVP_PKEY_verify(context, signature.data, signature.size, digest->bytes,
				    digest->size) == 1;

	crypto_errors_drop();
	return good;
}

int signature_verify(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature,
		     const char *what, struct assay_error *err)
{
	char description[SIGNATURE_KEY_TEXT];
	enum signature_key is = signature_judge_key(key, description);

	if (is == SIGNATURE_KEY_UNKNOWN)
		return assay_fail(err, EOPNOTSUPP,
				  "%s is by a key of a kind that the kernel does not verify "
				  "signatures of (%s)",
				  what, description);
	if (!verify_plainly(key, digest, signature))
		return assay_fail(err, EKEYREJECTED,
				  "%s is wrong: it was made by another key, or of other data",
				  what);
	if (is == SIGNATURE_KEY_WEAK)
		return assay_fail(err, EOPNOTSUPP, "%s is valid, but the key is too weak (%s)",
				  what, description);
	if (digest->hash == ASSAY_HASH_SHA1)
		return assay_fail(err, EOPNOTSUPP, "%s is valid, but the hash is too weak (SHA-1)",
				  what);
	return 0;
}

int signature_make(struct signer *signer, enum assay_hash hash, struct bytes message,
		   struct buffer *out, struct assay_error *err)
{
	struct assay_digest digest;
	int r;

	if (signer->sign_message)
		return signer->sign_message(signer, hash, message, out, err);
	r = digest_bytes(hash, message, &digest, err);
	return r < 0 ? r : signer->sign(signer, &digest, out, err);
}

int signature_verify_message(EVP_PKEY *key, enum assay_hash hash, struct bytes message,
			     struct bytes signature, const char *what, struct assay_error *err)
{
	struct assay_digest digest;
	int r;

	if (signature_is_pure(key)) {
		if (verify_pure(key, message, signature))
			return 0;
		return assay_fail(err, EKEYREJECTED,
				  "%s is wrong: it was made by another key, or of other data",
				  what);
	}
	r = digest_bytes(hash, message, &digest, err);
	return r < 0 ? r : signature_verify(key, &digest, signature, what, err);
}
