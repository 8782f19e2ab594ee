// SPDX-License-Identifier: MIT
#include "enroll/credential.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/crypto_errors.h"
#include "base/digest.h"

/* Labels count with their NUL (part 1, B.4, C.6.1 and 24.4). */
#define LABEL_IDENTITY BYTES((const uint8_t *)"IDENTITY", sizeof("IDENTITY"))
#define LABEL_STORAGE BYTES((const uint8_t *)"STORAGE", sizeof("STORAGE"))
#define LABEL_INTEGRITY BYTES((const uint8_t *)"INTEGRITY", sizeof("INTEGRITY"))

#define RSA_BITS_MIN 2048
#define RSA_SIZE_MAX 512  /* bytes: 4096 bits */
#define COORDINATE_MAX 48 /* bytes: P-384 */
#define CFB_IV_SIZE 16	  /* an AES block */
#define EPHEMERAL_TRIES 64

static int fail_openssl(struct assay_error *err, const char *what)
{
	crypto_errors_drop();
	return assay_fail(err, EIO, "cannot make a credential: OpenSSL cannot %s", what);
}

/* ---------------------------------------------------------------- what an EK has to be */

int credential_check_ek(const struct tpm_public *ek, struct assay_error *err)
{
	static const struct {
		uint32_t bit;
		bool set;
		const char *why;
	} rules[] = {
		{ TPMA_OBJECT_RESTRICTED, true,
		  "is not restricted: it would decrypt for whoever asks" },
		{ TPMA_OBJECT_DECRYPT, true, "does not decrypt" },
		{ TPMA_OBJECT_FIXED_TPM, true, "is not fixedTPM: it may be in other TPMs too" },
		{ TPMA_OBJECT_FIXED_PARENT, true,
		  "is not fixedParent: it may be below other parents too" },
		{ TPMA_OBJECT_SENSITIVE_DATA_ORIGIN, true,
		  "is not of sensitiveDataOrigin: somebody brought it into the TPM" },
		{ TPMA_OBJECT_SIGN, false, "signs, which an endorsement key does not" },
	};
	uint32_t curve_size = ek->curve == TPM_ECC_NIST_P256 ? 32 : COORDINATE_MAX;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (((ek->attributes & rules[i].bit) != 0) != rules[i].set)
			return assay_fail(err, EINVAL, "the endorsement key (attributes 0x%x) %s",
					  ek->attributes, rules[i].why);
	if (assay_hash_size(ek->name_hash) < CREDENTIAL_SECRET_SIZE)
		return assay_fail(err, EINVAL,
				  "the endorsement key is named by algorithm 0x%04x; SHA-256 or a "
				  "longer one is due",
				  ek->name_hash);
	if (ek->symmetric != TPM_ALG_AES || ek->symmetric_mode != TPM_ALG_CFB ||
	    (ek->symmetric_bits != 128 && ek->symmetric_bits != 256))
		return assay_fail(err, EINVAL,
				  "the endorsement key's symmetric algorithm is not AES of 128 or "
				  "256 bits in CFB mode");
	if (ek->type == TPM_ALG_RSA &&
	    (ek->key_bits < RSA_BITS_MIN || ek->modulus.size > RSA_SIZE_MAX ||
	     ek->modulus.size * 8 != ek->key_bits || !(ek->modulus.data[0] & 0x80) ||
	     (ek->exponent != 0 && (ek->exponent < RSA_F4 || ek->exponent % 2 == 0))))
		return assay_fail(err, EINVAL,
				  "the endorsement key is RSA of %u bits with a modulus of %zu "
				  "bytes and the exponent %u, which is not accepted",
				  ek->key_bits, ek->modulus.size, ek->exponent);
	if (ek->type == TPM_ALG_ECC &&
	    ((ek->curve != TPM_ECC_NIST_P256 && ek->curve != TPM_ECC_NIST_P384) ||
	     ek->x.size > curve_size || ek->y.size > curve_size))
		return assay_fail(err, EINVAL,
				  "the endorsement key is on curve 0x%04x; P-256 (0x0003) and "
				  "P-384 (0x0004) are accepted",
				  ek->curve);
	return 0;
}

/* ---------------------------------------------------------------- key derivation */

/* What both begin with: the first block's number, and there is but one. */
static const uint8_t first_counter[] = { 0, 0, 0, 1 };

/* KDFa (part 1, 11.4.10.2) of at most one digest. */
static bool kdfa(uint16_t hash, struct bytes key, struct bytes label, struct bytes context,
		 size_t size, uint8_t *ret)
{
	struct buffer message = { 0 };
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	bool good;

	buffer_append(&message, first_counter, sizeof(first_counter));
	buffer_append_bytes(&message, label);
	buffer_append_bytes(&message, context);
	buffer_append_be32(&message, (uint32_t)size * 8);
	good = !message.failed &&
	       HMAC(digest_algorithm(hash), key.data, (int)key.size, message.data, message.size,
		    digest, &length) &&
	       length >= size;
	if (good)
		memcpy(ret, digest, size);
	OPENSSL_cleanse(digest, sizeof(digest));
	buffer_free(&message);
	return good;
}

/* KDFe (part 1, 11.4.10.3) of one digest. */
static bool kdfe(uint16_t hash, struct bytes z, struct bytes label, struct bytes u, struct bytes v,
		 uint8_t *ret)
{
	const struct bytes parts[] = { BYTES(first_counter, sizeof(first_counter)), z, label, u,
				       v };
	struct assay_digest digest;

	if (digest_pieces(hash, parts, sizeof(parts) / sizeof(parts[0]), &digest, NULL) < 0)
		return false;
	memcpy(ret, digest.bytes, digest.size);
	OPENSSL_cleanse(&digest, sizeof(digest));
	return true;
}

/* ---------------------------------------------------------------- the seed, for the EK only */

/* OAEP with the EK's name algorithm (part 1, B.4); its own scheme is null. */
static int wrap_rsa(const struct tpm_public *ek, EVP_PKEY *key, struct bytes seed,
		    struct buffer *out, struct assay_error *err)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	void *label = OPENSSL_memdup(LABEL_IDENTITY.data, LABEL_IDENTITY.size);
	uint8_t wrapped[RSA_SIZE_MAX];
	size_t size = sizeof(wrapped);
	int r = 0;

	if (!context || !label || EVP_PKEY_encrypt_init(context) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(context, digest_algorithm(ek->name_hash)) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest_algorithm(ek->name_hash)) != 1 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, (int)LABEL_IDENTITY.size) != 1) {
		OPENSSL_free(label);
		r = fail_openssl(err, "encrypt with OAEP");
	} else if (EVP_PKEY_encrypt(context, wrapped, &size, seed.data, seed.size) != 1) {
		r = fail_openssl(err, "encrypt with the endorsement key");
	} else {
		buffer_append_be16(out, (uint16_t)size);
		buffer_append(out, wrapped, size);
	}
	EVP_PKEY_CTX_free(context);
	return r;
}

/* A point's coordinates, of the size that the curve's have. */
static bool get_point(EVP_PKEY *key, size_t size, uint8_t *x, uint8_t *y)
{
	uint8_t point[1 + 2 * COORDINATE_MAX];
	size_t length = 0;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &length) != 1 ||
	    length != 1 + 2 * size || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	memcpy(x, point + 1, size);
	memcpy(y, point + 1 + size, size);
	return true;
}

static bool derive_shared(EVP_PKEY *own, EVP_PKEY *peer, size_t size, uint8_t *ret)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t length = size;
	bool good;

	good = context && EVP_PKEY_derive_init(context) == 1 &&
	       EVP_PKEY_derive_set_peer(context, peer) == 1 &&
	       EVP_PKEY_derive(context, ret, &length) == 1 && length == size;
	EVP_PKEY_CTX_free(context);
	return good;
}

/*
 * ECDH with a key for this once (part 1, C.6.3). TPMs differ in whether leading zeros of a
 * number count, so numbers with any are not taken.
 */
static int wrap_ecc(const struct tpm_public *ek, EVP_PKEY *key, uint8_t *ret_seed,
		    struct buffer *out, struct assay_error *err)
{
	const char *group = ek->curve == TPM_ECC_NIST_P256 ? "P-256" : "P-384";
	size_t size = ek->curve == TPM_ECC_NIST_P256 ? 32 : COORDINATE_MAX;
	uint8_t x[COORDINATE_MAX], y[COORDINATE_MAX], z[COORDINATE_MAX];
	bool good = false;

	for (int i = 0; i < EPHEMERAL_TRIES && !good; i++) {
		EVP_PKEY *own = EVP_EC_gen(group);

		if (!own || !get_point(own, size, x, y) || !derive_shared(own, key, size, z)) {
			EVP_PKEY_free(own);
			return fail_openssl(err, "agree on a key with the endorsement key");
		}
		EVP_PKEY_free(own);
		good = x[0] != 0 && y[0] != 0 && z[0] != 0;
	}
	good = good &&
	       kdfe(ek->name_hash, BYTES(z, size), LABEL_IDENTITY, BYTES(x, size), ek->x, ret_seed);
	OPENSSL_cleanse(z, sizeof(z));
	if (!good)
		return fail_openssl(err, "derive a key");
	buffer_append_be16(out, (uint16_t)(2 * (2 + size)));
	buffer_append_be16(out, (uint16_t)size);
	buffer_append(out, x, size);
	buffer_append_be16(out, (uint16_t)size);
	buffer_append(out, y, size);
	return 0;
}

/* ---------------------------------------------------------------- the secret, for both keys */

static bool encrypt_cfb(const uint8_t *key, unsigned int bits, struct bytes in, uint8_t *ret)
{
	static const uint8_t iv[CFB_IV_SIZE];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int size = 0, last = 0;
	bool good;

	good = context &&
	       EVP_EncryptInit_ex2(context,
				   bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128(), key,
				   iv, NULL) == 1 &&
	       EVP_EncryptUpdate(context, ret, &size, in.data, (int)in.size) == 1 &&
	       EVP_EncryptFinal_ex(context, ret + size, &last) == 1 &&
	       (size_t)size + (size_t)last == in.size;
	EVP_CIPHER_CTX_free(context);
	return good;
}

/* TPM2B_ID_OBJECT (part 1, 24.4 and 24.5): what is encrypted, behind an HMAC of it and the name. */
static int append_id_object(const struct tpm_public *ek, const struct tpm_name *ak_name,
			    const uint8_t *seed, struct bytes secret, struct buffer *out,
			    struct assay_error *err)
{
	const struct bytes name = BYTES(ak_name->bytes, ak_name->size);
	size_t digest_size = assay_hash_size(ek->name_hash), key_size = ek->symmetric_bits / 8;
	struct bytes seed_bytes = BYTES(seed, digest_size);
	uint8_t key[ASSAY_DIGEST_MAX], hmac[EVP_MAX_MD_SIZE];
	uint8_t hidden[2 + CREDENTIAL_SECRET_SIZE];
	struct buffer plain = { 0 }, message = { 0 };
	unsigned int length = 0;
	bool good;

	buffer_append_be16(&plain, (uint16_t)secret.size);
	buffer_append_bytes(&plain, secret);
	good = !plain.failed && plain.size == sizeof(hidden) &&
	       kdfa(ek->name_hash, seed_bytes, LABEL_STORAGE, name, key_size, key) &&
	       encrypt_cfb(key, ek->symmetric_bits, buffer_bytes(&plain), hidden) &&
	       kdfa(ek->name_hash, seed_bytes, LABEL_INTEGRITY, BYTES(NULL, 0), digest_size, key);
	if (good) {
		buffer_append(&message, hidden, sizeof(hidden));
		buffer_append_bytes(&message, name);
		good = !message.failed &&
		       HMAC(digest_algorithm(ek->name_hash), key, (int)digest_size, message.data,
			    message.size, hmac, &length) &&
		       length == digest_size;
	}
	OPENSSL_cleanse(key, sizeof(key));
	if (plain.data)
		OPENSSL_cleanse(plain.data, plain.capacity);
	buffer_free(&plain);
	buffer_free(&message);
	if (!good)
		return fail_openssl(err, "encrypt the secret");
	buffer_append_be16(out, (uint16_t)(2 + digest_size + sizeof(hidden)));
	buffer_append_be16(out, (uint16_t)digest_size);
	buffer_append(out, hmac, digest_size);
	buffer_append(out, hidden, sizeof(hidden));
	return 0;
}

int credential_make(const struct tpm_public *ek, const struct tpm_name *ak_name,
		    struct bytes secret, struct credential *ret, struct assay_error *err)
{
	size_t digest_size = assay_hash_size(ek->name_hash);
	struct credential credential = { 0 };
	uint8_t seed[ASSAY_DIGEST_MAX];
	EVP_PKEY *key;
	int r;

	if (secret.size != CREDENTIAL_SECRET_SIZE)
		return assay_fail(err, EINVAL, "a credential's secret has %d bytes, not %zu",
				  CREDENTIAL_SECRET_SIZE, secret.size);
	key = tpm_public_key(ek);
	if (!key)
		return assay_fail(err, EINVAL,
				  "the endorsement key is none: its numbers are not a point of "
				  "the curve or not a modulus");
	if (ek->type == TPM_ALG_ECC)
		r = wrap_ecc(ek, key, seed, &credential.secret, err);
	else if (RAND_bytes(seed, (int)digest_size) != 1)
		r = fail_openssl(err, "make random bytes");
	else
		r = wrap_rsa(ek, key, BYTES(seed, digest_size), &credential.secret, err);
	EVP_PKEY_free(key);
	if (r == 0)
		r = append_id_object(ek, ak_name, seed, secret, &credential.blob, err);
	OPENSSL_cleanse(seed, sizeof(seed));
	if (r == 0 && (credential.blob.failed || credential.secret.failed))
		r = assay_fail(err, ENOMEM, "cannot make a credential: out of memory");
	if (r < 0) {
		credential_free(&credential);
		return r;
	}
	*ret = credential;
	return 0;
}

void credential_free(struct credential *credential)
{
	buffer_free(&credential->blob);
	buffer_free(&credential->secret);
}
