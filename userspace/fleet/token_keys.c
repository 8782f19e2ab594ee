// SPDX-License-Identifier: MIT
#include "token.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define COORDINATE 32	/* bytes, of P-256 and Ed25519 */
#define NUMBER_MAX 1024 /* bytes, of RSA */
#define BIT(algorithm) (1U << (algorithm))

CLEANUP_POINTER(OSSL_PARAM_BLD, param_bld_free, OSSL_PARAM_BLD_free);
CLEANUP_POINTER(OSSL_PARAM, param_free, OSSL_PARAM_free);
CLEANUP_POINTER(BIGNUM, bn_free, BN_free);

static const char *const algorithm_names[TOKEN_ALGORITHMS] = {
	[TOKEN_ES256] = "ES256",
	[TOKEN_RS256] = "RS256",
	[TOKEN_PS256] = "PS256",
	[TOKEN_EDDSA] = "EdDSA",
};

bool token_algorithm_by_name(const char *name, enum token_algorithm *ret)
{
	for (int i = 0; i < TOKEN_ALGORITHMS; i++)
		if (strcmp(algorithm_names[i], name) == 0) {
			*ret = (enum token_algorithm)i;
			return true;
		}
	return false;
}

static const char *member(const json_t *jwk, const char *name)
{
	const char *text = json_string_value(json_object_get(jwk, name));

	return text ? text : "";
}

/* Bytes of a member; @size: 0 for any number up to NUMBER_MAX */
static bool take_bytes(const json_t *jwk, const char *name, size_t size, struct buffer *ret)
{
	const char *text = member(jwk, name);

	return strlen(text) <= NUMBER_MAX * 2 && base64url_decode(text, strlen(text), ret) == 0 &&
	       !ret->failed && ret->size > 0 && ret->size <= NUMBER_MAX &&
	       (size == 0 || ret->size == size);
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
	CLEANUP(param_free_pointer) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
	CLEANUP(evp_pkey_ctx_free_pointer)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *take_ec(const json_t *jwk)
{
	CLEANUP(buffer_free) struct buffer x = { 0 };
	CLEANUP(buffer_free) struct buffer y = { 0 };
	CLEANUP(param_bld_free_pointer) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * COORDINATE] = { 4 };

	if (strcmp(member(jwk, "crv"), "P-256") != 0 || !take_bytes(jwk, "x", COORDINATE, &x) ||
	    !take_bytes(jwk, "y", COORDINATE, &y))
		return NULL;
	memcpy(point + 1, x.data, COORDINATE);
	memcpy(point + 1 + COORDINATE, y.data, COORDINATE);
	if (!build ||
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
		    1 ||
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) != 1)
		return NULL;
	return make_key("EC", build);
}

static EVP_PKEY *take_rsa(const json_t *jwk)
{
	CLEANUP(buffer_free) struct buffer n = { 0 };
	CLEANUP(buffer_free) struct buffer e = { 0 };
	CLEANUP(param_bld_free_pointer) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	CLEANUP(bn_free_pointer) BIGNUM *modulus = NULL;
	CLEANUP(bn_free_pointer) BIGNUM *exponent = NULL;

	if (!take_bytes(jwk, "n", 0, &n) || !take_bytes(jwk, "e", 0, &e) || e.size > 8)
		return NULL;
	modulus = BN_bin2bn(n.data, (int)n.size, NULL);
	exponent = BN_bin2bn(e.data, (int)e.size, NULL);
	if (!build || !modulus || !exponent || BN_num_bits(modulus) < TOKEN_RSA_BITS ||
	    !BN_is_odd(modulus) || !BN_is_odd(exponent) || BN_is_one(exponent) ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return NULL;
	return make_key("RSA", build);
}

static EVP_PKEY *take_okp(const json_t *jwk)
{
	CLEANUP(buffer_free) struct buffer x = { 0 };

	if (strcmp(member(jwk, "crv"), "Ed25519") != 0 || !take_bytes(jwk, "x", COORDINATE, &x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.size);
}

/* RFC 7517, section 4: "use", "key_ops" and "alg" may say that it is for something else. */
static bool is_for_signatures(const json_t *jwk, unsigned int *algorithms)
{
	const json_t *operations = json_object_get(jwk, "key_ops"), *operation;
	const char *use = member(jwk, "use"), *name = member(jwk, "alg");
	enum token_algorithm algorithm;
	bool verifies = !operations;
	size_t i;

	json_array_foreach(operations, i, operation) {
		const char *text = json_string_value(operation);

		verifies |= text && strcmp(text, "verify") == 0;
	}
	if (json_object_get(jwk, "alg"))
		*algorithms &= token_algorithm_by_name(name, &algorithm) ? BIT(algorithm) : 0;
	return verifies && *algorithms != 0 &&
	       (!json_object_get(jwk, "use") || strcmp(use, "sig") == 0);
}

static bool take_key(const json_t *jwk, struct token_key *ret)
{
	static const struct {
		const char *type;
		EVP_PKEY *(*take)(const json_t *jwk);
		unsigned int algorithms;
	} kinds[] = {
		{ "EC", take_ec, BIT(TOKEN_ES256) },
		{ "RSA", take_rsa, BIT(TOKEN_RS256) | BIT(TOKEN_PS256) },
		{ "OKP", take_okp, BIT(TOKEN_EDDSA) },
	};
	const char *id = member(jwk, "kid");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(member(jwk, "kty"), kinds[i].type) != 0)
			continue;
		*ret = (struct token_key){ .algorithms = kinds[i].algorithms };
		if (strlen(id) >= sizeof(ret->id) || !is_for_signatures(jwk, &ret->algorithms))
			return false;
		memcpy(ret->id, id, strlen(id) + 1);
		ret->key = kinds[i].take(jwk);
		return ret->key != NULL;
	}
	return false;
}

int token_keys_parse(struct bytes text, const char *name, struct token_keys *ret,
		     struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	const json_t *list, *jwk;
	size_t i;
	int r = text.size > TOKEN_SET_MAX ? assay_fail(err, EBADMSG, "%s is too large", name) :
					    json_parse(text, name, &json, err);

	*ret = (struct token_keys){ 0 };
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	list = json_object_get(json, "keys");
	if (!json_is_array(list))
		return assay_fail(err, EBADMSG, "%s has no array \"keys\"", name);
	json_array_foreach(list, i, jwk) {
		if (ret->count < TOKEN_KEYS_MAX && take_key(jwk, &ret->list[ret->count]))
			ret->count++;
	}
	if (ret->count == 0)
		return assay_fail(err, EBADMSG,
				  "%s has no key that can be used: P-256, RSA of %d bits or more, "
				  "Ed25519",
				  name, TOKEN_RSA_BITS);
	return 0;
}

void token_keys_free(struct token_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->list[i].key);
	*keys = (struct token_keys){ 0 };
}
