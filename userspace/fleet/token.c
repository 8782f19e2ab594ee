// SPDX-License-Identifier: MIT
#include "token.h"

#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json.h"

#define WHAT "the token"
#define PAIR 64 /* bytes of a signature by ES256 and Ed25519 */

CLEANUP_POINTER(ECDSA_SIG, ecdsa_sig_free, ECDSA_SIG_free);

/**
 * struct parts - of the compact serialization (RFC 7515, section 7.1)
 * @signed_text: what the signature is of
 */
struct parts {
	struct buffer header, payload, signature;
	struct bytes signed_text;
};

static void parts_free(struct parts *parts)
{
	buffer_free(&parts->header);
	buffer_free(&parts->payload);
	buffer_free(&parts->signature);
}

static int split(struct bytes text, struct parts *ret, struct assay_error *err)
{
	struct buffer *const to[] = { &ret->header, &ret->payload, &ret->signature };
	const char *at = (const char *)text.data, *end = at + text.size;

	if (text.size == 0 || text.size > TOKEN_MAX)
		return assay_fail(err, EBADMSG, WHAT " has %zu bytes", text.size);
	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		const char *stop = dot ? dot : end;

		/* RFC 7515 has three parts, not more and not fewer. */
		if ((i < 2) != (dot != NULL) ||
		    base64url_decode(at, (size_t)(stop - at), to[i]) < 0 || to[i]->failed)
			return assay_fail(err, EBADMSG,
					  WHAT
					  " is not three parts in base64url, with dots between");
		if (i == 2)
			ret->signed_text =
				BYTES(text.data, (size_t)(at - 1 - (const char *)text.data));
		at = stop + (dot != NULL);
	}
	return 0;
}

/* ---------------------------------------------------------------- the head */

static int read_header(const struct parts *parts, unsigned int taken, enum token_algorithm *ret,
		       char id[256], struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	const char *algorithm, *type, *name;
	int r = json_parse(buffer_bytes(&parts->header), WHAT "'s header", &json, err);

	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	algorithm = json_string_value(json_object_get(json, "alg"));
	if (!algorithm || !token_algorithm_by_name(algorithm, ret) || !(taken & 1U << *ret))
		return assay_fail(err, EKEYREJECTED, WHAT "'s algorithm is not one that is taken");
	/* What must be understood: nothing is. */
	if (json_object_get(json, "crit"))
		return assay_fail(err, EKEYREJECTED, WHAT " has critical extensions");
	type = json_string_value(json_object_get(json, "typ"));
	if (json_object_get(json, "typ") &&
	    (!type || (strcasecmp(type, "JWT") != 0 && strcasecmp(type, "at+jwt") != 0)))
		return assay_fail(err, EKEYREJECTED, WHAT " is of another type");
	name = json_string_value(json_object_get(json, "kid"));
	if (json_object_get(json, "kid") && (!name || name[0] == '\0' || strlen(name) >= 256))
		return assay_fail(err, EBADMSG, WHAT "'s \"kid\" is no name of a key");
	id[0] = '\0';
	if (name)
		memcpy(id, name, strlen(name) + 1);
	return 0;
}

/* Without a name it must be clear which. */
static int find_key(const struct token_keys *keys, enum token_algorithm algorithm, const char *id,
		    EVP_PKEY **ret, struct assay_error *err)
{
	size_t found = 0;

	for (size_t i = 0; i < keys->count; i++) {
		const struct token_key *key = &keys->list[i];

		if (!(key->algorithms & 1U << algorithm) ||
		    (id[0] != '\0' && strcmp(key->id, id) != 0))
			continue;
		*ret = key->key;
		found++;
	}
	return found == 1 ? 0 :
			    assay_fail(err, ENOKEY,
				       "the issuer has no key of that name and kind, or several");
}

/* ---------------------------------------------------------------- the signature */

/* As X.509 has it: RFC 7518, section 3.4, has the two numbers behind each other. */
static bool pair_to_der(struct bytes pair, struct buffer *ret)
{
	CLEANUP(ecdsa_sig_free_pointer) ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(pair.data, PAIR / 2, NULL),
	       *s = BN_bin2bn(pair.data + PAIR / 2, PAIR / 2, NULL);
	uint8_t *der = NULL;
	int size;

	if (!signature || !r || !s || ECDSA_SIG_set0(signature, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return false;
	}
	size = i2d_ECDSA_SIG(signature, &der);
	if (size > 0)
		buffer_append(ret, der, (size_t)size);
	OPENSSL_free(der);
	return size > 0 && !ret->failed;
}

static bool verify(EVP_PKEY *key, enum token_algorithm algorithm, struct bytes text,
		   struct bytes signature)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *context = EVP_MD_CTX_new();
	CLEANUP(buffer_free) struct buffer der = { 0 };
	EVP_PKEY_CTX *padding = NULL;

	if (!context ||
	    ((algorithm == TOKEN_ES256 || algorithm == TOKEN_EDDSA) && signature.size != PAIR))
		return false;
	if (algorithm == TOKEN_ES256) {
		if (!pair_to_der(signature, &der))
			return false;
		signature = buffer_bytes(&der);
	}
	if (EVP_DigestVerifyInit(context, &padding, algorithm == TOKEN_EDDSA ? NULL : EVP_sha256(),
				 NULL, key) != 1)
		return false;
	if (algorithm == TOKEN_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1))
		return false;
	return EVP_DigestVerify(context, signature.data, signature.size, text.data, text.size) == 1;
}

/* ---------------------------------------------------------------- the claims */

static bool is_text(const json_t *json, const char *text)
{
	return json_is_string(json) && strlen(text) == json_string_length(json) &&
	       memcmp(json_string_value(json), text, strlen(text)) == 0;
}

static bool is_audience(const json_t *audience, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(audience, i, one) {
		if (is_text(one, name))
			return true;
	}
	return is_text(audience, name);
}

/* NumericDate (RFC 7519, section 2): seconds, perhaps with a fraction. false: it is none */
static bool take_time(const json_t *claims, const char *name, double initial, double *ret)
{
	const json_t *time = json_object_get(claims, name);

	*ret = time ? json_number_value(time) : initial;
	return !time || (json_is_number(time) && *ret >= 0);
}

static int check_claims(const json_t *claims, const struct token_terms *terms,
			struct assay_error *err)
{
	const double now = (double)terms->now;
	double expires, begins, made;

	if (!json_is_object(claims) || !take_time(claims, "exp", 0, &expires) ||
	    !take_time(claims, "nbf", 0, &begins) || !take_time(claims, "iat", 0, &made))
		return assay_fail(err, EKEYREJECTED, WHAT "'s claims have another form");
	if (!is_text(json_object_get(claims, "iss"), terms->issuer))
		return assay_fail(err, EKEYREJECTED, WHAT " is of another issuer");
	if (!is_audience(json_object_get(claims, "aud"), terms->audience))
		return assay_fail(err, EKEYREJECTED, WHAT " is for another audience");
	if (expires + TOKEN_SLACK <= now)
		return assay_fail(err, EKEYREJECTED, WHAT " has expired, or does not say when");
	if (begins > now + TOKEN_SLACK || made > now + TOKEN_SLACK)
		return assay_fail(err, EKEYREJECTED, WHAT " is of a later time than now");
	return 0;
}

int token_check(struct bytes text, const struct token_keys *keys, const struct token_terms *terms,
		json_t **ret, struct assay_error *err)
{
	CLEANUP(parts_free) struct parts parts = { .header = { 0 } };
	enum token_algorithm algorithm = TOKEN_ES256;
	EVP_PKEY *key = NULL;
	json_t *claims = NULL;
	char id[256];
	int r = split(text, &parts, err);

	if (r == 0)
		r = read_header(&parts, terms->algorithms, &algorithm, id, err);
	if (r == 0)
		r = find_key(keys, algorithm, id, &key, err);
	if (r < 0)
		return r;
	if (!verify(key, algorithm, parts.signed_text, buffer_bytes(&parts.signature)))
		return assay_fail(err, EKEYREJECTED, WHAT "'s signature is not the issuer's");
	r = json_parse(buffer_bytes(&parts.payload), WHAT "'s claims", &claims, err);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	r = check_claims(claims, terms, err);
	if (r < 0) {
		json_decref(claims);
		return r;
	}
	*ret = claims;
	return 0;
}
