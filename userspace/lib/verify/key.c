// SPDX-License-Identifier: MIT
#include "verify/key.h"

#include <errno.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/digest.h"

/* The largest coordinate of a curve that is known: P-521. */
#define COORDINATE_MAX 66
#define RSA_DEFAULT_EXPONENT 65537

/* nameAlg || H_nameAlg(first || second) */
static int make_name(uint16_t hash, struct bytes first, struct bytes second, struct tpm_name *ret,
		     struct assay_error *err)
{
	const struct bytes pieces[] = { first, second };
	struct assay_digest digest;
	int r = digest_pieces((enum assay_hash)hash, pieces, 2, &digest, err);

	if (r < 0)
		return r;
	ret->bytes[0] = (uint8_t)(hash >> 8);
	ret->bytes[1] = (uint8_t)hash;
	memcpy(ret->bytes + 2, digest.bytes, digest.size);
	ret->size = 2 + digest.size;
	return 0;
}

int tpm_key_name(const struct tpm_public *public, struct tpm_name *ret, struct assay_error *err)
{
	return make_name(public->name_hash, public->area, BYTES(NULL, 0), ret, err);
}

int tpm_qualified_name(const struct tpm_public *public, struct bytes parent, struct tpm_name *ret,
		       struct assay_error *err)
{
	struct tpm_name name;
	int r = tpm_key_name(public, &name, err);

	if (r < 0)
		return r;
	return make_name(public->name_hash, parent, BYTES(name.bytes, name.size), ret, err);
}

/* ---------------------------------------------------------------- the key for OpenSSL */

/* @selection: EVP_PKEY_PUBLIC_KEY, or EVP_PKEY_KEY_PARAMETERS */
static EVP_PKEY *key_from_params(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !context || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, selection, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *rsa_key(const struct tpm_public *public)
{
	BIGNUM *modulus = BN_bin2bn(public->modulus.data, (int)public->modulus.size, NULL);
	BIGNUM *exponent = BN_new();
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (modulus && exponent && builder &&
	    BN_set_word(exponent, public->exponent ? public->exponent : RSA_DEFAULT_EXPONENT) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent))
		key = key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

/* struct curve - one that is known; @group: OpenSSL's name; @size: of a coordinate */
struct curve {
	uint16_t id;
	const char *group;
	size_t size;
};

static const struct curve curves[] = {
	{ TPM_ECC_NIST_P256, "P-256", 32 },
	{ TPM_ECC_NIST_P384, "P-384", 48 },
	{ TPM_ECC_NIST_P521, "P-521", COORDINATE_MAX },
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

static EVP_PKEY *make_curve(const char *group)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0))
		key = key_from_params("EC", EVP_PKEY_KEY_PARAMETERS, builder);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

/* A key without a point: made once, since making a group takes four times as long as copying it. */
static const EVP_PKEY *key_of_curve(size_t curve)
{
	static _Atomic(EVP_PKEY *) made[CURVES];
	EVP_PKEY *key = atomic_load(&made[curve]), *other = NULL;

	if (key)
		return key;
	key = make_curve(curves[curve].group);
	if (!key || atomic_compare_exchange_strong(&made[curve], &other, key))
		return key;
	/* Another thread was faster. */
	EVP_PKEY_free(key);
	return other;
}

static EVP_PKEY *ecc_key(const struct tpm_public *public)
{
	uint8_t point[1 + 2 * COORDINATE_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
	const EVP_PKEY *empty;
	EVP_PKEY *key;
	size_t curve = 0, size;

	while (curve < CURVES && curves[curve].id != public->curve)
		curve++;
	if (curve == CURVES)
		return NULL;
	size = curves[curve].size;
	/* A TPM may leave out leading zeros. */
	if (public->x.size == 0 || public->x.size > size || public->y.size == 0 ||
	    public->y.size > size)
		return NULL;
	memcpy(point + 1 + size - public->x.size, public->x.data, public->x.size);
	memcpy(point + 1 + 2 * size - public->y.size, public->y.data, public->y.size);
	empty = key_of_curve(curve);
	key = empty ? EVP_PKEY_dup((EVP_PKEY *)empty) : NULL;
	if (key && EVP_PKEY_set1_encoded_public_key(key, point, 1 + 2 * size) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

EVP_PKEY *tpm_public_key(const struct tpm_public *public)
{
	EVP_PKEY *key = public->type == TPM_ALG_RSA ? rsa_key(public) : ecc_key(public);

	crypto_errors_drop();
	return key;
}

static int fail_no_key(struct assay_error *err)
{
	return assay_fail(err, EBADMSG,
			  "the public area holds no key: its numbers are not a point of the curve "
			  "or not a modulus");
}

int tpm_public_key_der(const struct tpm_public *public, struct buffer *out, struct assay_error *err)
{
	EVP_PKEY *key = tpm_public_key(public);
	unsigned char *der = NULL;
	int size = key ? i2d_PUBKEY(key, &der) : 0;
	int r = 0;

	if (!key)
		r = fail_no_key(err);
	else if (size <= 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	else
		buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	crypto_errors_drop();
	return r == 0 && out->failed ? assay_fail(err, ENOMEM, "out of memory") : r;
}

int tpm_public_key_digest(const struct tpm_public *public, struct assay_digest *ret,
			  struct assay_error *err)
{
	struct buffer der = { 0 };
	int r = tpm_public_key_der(public, &der, err);

	if (r == 0)
		r = digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&der), ret, err);
	buffer_free(&der);
	return r;
}

/* ---------------------------------------------------------------- signatures */

/* The orders of the curves (SEC 2, 2.4.2, 2.5.1, 2.6.1), by the bits of their keys. */
static const struct {
	int bits;
	struct bytes order;
} orders[] = {
	{ 256, BYTES_LITERAL("\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
			     "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51") },
	{ 384, BYTES_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			     "\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf"
			     "\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73") },
	{ 521, BYTES_LITERAL("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			     "\xff\xfa\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09"
			     "\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38"
			     "\x64\x09") },
};

/* Is one big-endian number less than another? */
static bool is_less(struct bytes number, struct bytes than)
{
	while (number.size > 0 && number.data[0] == 0)
		number = BYTES(number.data + 1, number.size - 1);
	if (number.size != than.size)
		return number.size < than.size;
	return memcmp(number.data, than.data, than.size) < 0;
}

/* r and s as X9.62 has them: 1 to the group's order - 1. Asking OpenSSL for the order takes half
 * as long as verifying with it. */
static int check_range(EVP_PKEY *key, struct bytes number, const char *name,
		       struct assay_error *err)
{
	size_t curve = 0;

	while (curve < sizeof(orders) / sizeof(orders[0]) &&
	       orders[curve].bits != EVP_PKEY_get_bits(key))
		curve++;
	if (curve == sizeof(orders) / sizeof(orders[0]))
		return assay_fail(err, EBADMSG, "the key is of no curve that is known");
	if (bytes_are_zero(number) || !is_less(number, orders[curve].order))
		return assay_fail(err, EBADMSG,
				  "%s of the signature is not between 1 and the curve's order - 1",
				  name);
	return 0;
}

/* Appends DER of Ecdsa-Sig-Value. */
static int append_ecdsa(EVP_PKEY *key, const struct tpm_signature *signature, struct buffer *out,
			struct assay_error *err)
{
	BIGNUM *numbers[2] = { NULL, NULL };
	ECDSA_SIG *pair = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int size, r = -ENOMEM;

	if (signature->r.size > COORDINATE_MAX || signature->s.size > COORDINATE_MAX) {
		r = assay_fail(err, EBADMSG, "r or s of the signature has more than %d bytes",
			       COORDINATE_MAX);
		goto out;
	}
	numbers[0] = BN_bin2bn(signature->r.data, (int)signature->r.size, NULL);
	numbers[1] = BN_bin2bn(signature->s.data, (int)signature->s.size, NULL);
	if (!pair || !numbers[0] || !numbers[1]) {
		r = assay_fail(err, ENOMEM, "out of memory");
		goto out;
	}
	r = check_range(key, signature->r, "r", err);
	if (r == 0)
		r = check_range(key, signature->s, "s", err);
	if (r < 0)
		goto out;
	ECDSA_SIG_set0(pair, numbers[0], numbers[1]); /* cannot fail: neither is NULL */
	numbers[0] = numbers[1] = NULL;
	size = i2d_ECDSA_SIG(pair, &der);
	if (size > 0)
		buffer_append(out, der, (size_t)size);
	if (size <= 0 || out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	OPENSSL_free(der);
out:
	BN_free(numbers[0]);
	BN_free(numbers[1]);
	ECDSA_SIG_free(pair);
	return r;
}

/* Whether key and signature are of the same kind. */
static bool signature_fits(EVP_PKEY *key, const struct tpm_signature *signature)
{
	switch (signature->algorithm) {
	case TPM_ALG_ECDSA:
		return EVP_PKEY_is_a(key, "EC");
	case TPM_ALG_RSASSA:
	case TPM_ALG_RSAPSS:
		return EVP_PKEY_is_a(key, "RSA");
	default:
		return false;
	}
}

static int verify_form(EVP_PKEY *key, const struct tpm_signature *signature, struct bytes form,
		       const struct assay_digest *digest, struct assay_error *err)
{
	const EVP_MD *hash = digest_algorithm(digest->hash);
	CLEANUP(evp_pkey_ctx_free_pointer)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	/* The salt's length is the TPM's choice (Part 1, B.7): found from the signature. */
	if (!context || !hash || EVP_PKEY_verify_init(context) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(context, hash) <= 0 ||
	    (signature->algorithm == TPM_ALG_RSASSA &&
	     EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) <= 0) ||
	    (signature->algorithm == TPM_ALG_RSAPSS &&
	     (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) <= 0 ||
	      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_AUTO) <= 0)))
		return assay_fail(err, ENOMEM, "OpenSSL cannot verify with this key and algorithm");
	if (EVP_PKEY_verify(context, form.data, form.size, digest->bytes, digest->size) != 1)
		return assay_fail(
			err, EKEYREJECTED,
			"the signature is not this key's, or what was signed was changed");
	return 0;
}

int tpm_signature_verify(EVP_PKEY *key, const struct tpm_signature *signature,
			 const struct assay_digest *digest, struct buffer *out,
			 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer form = { 0 };
	int r = 0;

	if (!signature_fits(key, signature))
		return assay_fail(err, EBADMSG,
				  "the signature's algorithm (0x%04x) is not one of this key's",
				  signature->algorithm);
	if (signature->algorithm == TPM_ALG_ECDSA)
		r = append_ecdsa(key, signature, &form, err);
	else
		buffer_append_bytes(&form, signature->rsa);
	if (r == 0 && form.failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = verify_form(key, signature, buffer_bytes(&form), digest, err);
	crypto_errors_drop();
	if (r < 0 || !out)
		return r;
	buffer_append_bytes(out, buffer_bytes(&form));
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

int tpm_key_verify(const struct tpm_public *public, const struct tpm_signature *signature,
		   struct bytes message, struct assay_error *err)
{
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = tpm_public_key(public);
	struct assay_digest digest;
	int r;

	if (!key)
		return fail_no_key(err);
	r = digest_bytes((enum assay_hash)signature->hash, message, &digest, err);
	return r < 0 ? r : tpm_signature_verify(key, signature, &digest, NULL, err);
}
