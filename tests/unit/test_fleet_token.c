// SPDX-License-Identifier: MIT
/* Tokens of others: the example of RFC 7515, tokens of each algorithm, and many that are not right.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/oidc.h"
#include "fleet/token.h"
#include "sign/jws.h"

#define NOW 1800000000ULL
#define ALL ((1U << TOKEN_ALGORITHMS) - 1)

static struct bytes text(const char *string)
{
	return BYTES((const uint8_t *)string, strlen(string));
}

static char *base64url(const void *data, size_t size)
{
	struct buffer out = { 0 };

	jws_base64url(BYTES(data, size), &out);
	buffer_append_u8(&out, 0);
	assert_false(out.failed);
	return (char *)out.data;
}

/* ---------------------------------------------------------------- keys */

enum { EC, RSA2048, RSA1024, ED, OTHER, KEYS };

static EVP_PKEY *keys[KEYS];

static int make_keys(void **state)
{
	(void)state;
	keys[EC] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	keys[OTHER] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	keys[RSA2048] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	keys[RSA1024] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	keys[ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i < KEYS; i++)
		if (!keys[i])
			return -1;
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

static void add_number(json_t *jwk, const char *name, EVP_PKEY *key, const char *parameter,
		       int size)
{
	uint8_t bytes[512];
	BIGNUM *number = NULL;
	char *encoded;

	assert_int_equal(EVP_PKEY_get_bn_param(key, parameter, &number), 1);
	if (size == 0)
		size = BN_num_bytes(number);
	assert_int_equal(BN_bn2binpad(number, bytes, size), size);
	encoded = base64url(bytes, (size_t)size);
	json_object_set_new(jwk, name, json_string(encoded));
	free(encoded);
	BN_free(number);
}

static json_t *jwk_of(EVP_PKEY *key, const char *id)
{
	json_t *jwk = json_pack("{s:s}", "kid", id);

	if (EVP_PKEY_is_a(key, "EC")) {
		json_object_set_new(jwk, "kty", json_string("EC"));
		json_object_set_new(jwk, "crv", json_string("P-256"));
		add_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		add_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	} else if (EVP_PKEY_is_a(key, "RSA")) {
		json_object_set_new(jwk, "kty", json_string("RSA"));
		add_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
		add_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
	} else {
		uint8_t raw[32];
		size_t size = sizeof(raw);
		char *encoded;

		assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &size), 1);
		encoded = base64url(raw, size);
		json_object_set_new(jwk, "kty", json_string("OKP"));
		json_object_set_new(jwk, "crv", json_string("Ed25519"));
		json_object_set_new(jwk, "x", json_string(encoded));
		free(encoded);
	}
	return jwk;
}

/* @jwk: taken over */
static int parse_one(json_t *jwk, struct token_keys *ret)
{
	json_t *set = json_pack("{s:[o]}", "keys", jwk);
	char *dumped = json_dumps(set, 0);
	struct assay_error err = { 0 };
	int r = token_keys_parse(text(dumped), "set", ret, &err);

	free(dumped);
	json_decref(set);
	return r;
}

static void parse_all(struct token_keys *ret)
{
	json_t *set = json_pack("{s:[o, o, o, {s:s}]}", "keys", jwk_of(keys[EC], "ec"),
				jwk_of(keys[RSA2048], "rsa"), jwk_of(keys[ED], "ed"), "kty", "oct");
	char *dumped = json_dumps(set, 0);
	struct assay_error err = { 0 };

	assert_int_equal(token_keys_parse(text(dumped), "set", ret, &err), 0);
	assert_int_equal(ret->count, 3);
	free(dumped);
	json_decref(set);
}

/* ---------------------------------------------------------------- tokens */

static struct buffer sign_text(EVP_PKEY *key, const char *algorithm, const char *signed_text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding = NULL;
	uint8_t signature[512], pair[64];
	size_t size = sizeof(signature);
	struct buffer ret = { 0 };

	assert_int_equal(EVP_DigestSignInit(context, &padding,
					    EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256(),
					    NULL, key),
			 1);
	if (strcmp(algorithm, "PS256") == 0) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST),
				 1);
	}
	assert_int_equal(EVP_DigestSign(context, signature, &size, (const uint8_t *)signed_text,
					strlen(signed_text)),
			 1);
	EVP_MD_CTX_free(context);
	if (EVP_PKEY_is_a(key, "EC")) {
		const uint8_t *at = signature;
		ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)size);

		BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32);
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32);
		ECDSA_SIG_free(sig);
		buffer_append(&ret, pair, sizeof(pair));
	} else {
		buffer_append(&ret, signature, size);
	}
	return ret;
}

static char *make_token(EVP_PKEY *key, const char *header, const char *claims)
{
	char *head = base64url(header, strlen(header)), *body = base64url(claims, strlen(claims));
	char *signed_text = NULL, *token = NULL, *signature;
	struct buffer bytes;

	assert_true(asprintf(&signed_text, "%s.%s", head, body) > 0);
	bytes = sign_text(key, strstr(header, "PS256") ? "PS256" : "", signed_text);
	signature = base64url(bytes.data, bytes.size);
	assert_true(asprintf(&token, "%s.%s", signed_text, signature) > 0);
	free(head);
	free(body);
	free(signed_text);
	free(signature);
	buffer_free(&bytes);
	return token;
}

static int check(const char *token, unsigned int algorithms, struct assay_error *err)
{
	const struct token_terms terms = { "https://issuer", "fleet", algorithms, NOW };
	struct token_keys set = { 0 };
	json_t *claims = NULL;
	int r;

	parse_all(&set);
	r = token_check(text(token), &set, &terms, &claims, err);
	token_keys_free(&set);
	json_decref(claims);
	return r;
}

#define CLAIMS "{\"iss\":\"https://issuer\",\"aud\":\"fleet\",\"exp\":1800000060}"

static void each_algorithm_is_taken(void **state)
{
	static const struct {
		int key;
		const char *header;
		enum token_algorithm algorithm;
	} rows[] = {
		{ EC, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", TOKEN_ES256 },
		{ EC, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", TOKEN_ES256 },
		{ RSA2048, "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", TOKEN_RS256 },
		{ RSA2048, "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", TOKEN_PS256 },
		{ ED, "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", TOKEN_EDDSA },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *token = make_token(keys[rows[i].key], rows[i].header, CLAIMS);
		struct assay_error err = { 0 };

		if (check(token, ALL, &err) < 0)
			fail_msg("%s: %s", rows[i].header, err.text);
		assert_int_equal(check(token, 1U << rows[i].algorithm, &err), 0);
		assert_int_equal(check(token, ALL & ~(1U << rows[i].algorithm), &err),
				 -EKEYREJECTED);
		/* One bit less is another token. */
		for (size_t at = 0; at < strlen(token); at += 7) {
			char *wrong = strdup(token);

			wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
			assert_true(check(wrong, ALL, &err) < 0);
			free(wrong);
		}
		free(token);
	}
}

static void what_is_off_is_refused(void **state)
{
#define GOOD "\"iss\":\"https://issuer\",\"aud\":\"fleet\""
	static const struct {
		int key;
		const char *header, *claims;
		int result;
	} rows[] = {
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":1800000060}", 0 },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{" GOOD ",\"exp\":1800000060.5,\"nbf\":1800000060,\"iat\":1799999999}", 0 },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":\"https://issuer\",\"aud\":[\"x\",\"fleet\"],\"exp\":1800000060}", 0 },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":1799999940}", -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":-1}", -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":\"1900000000\"}", -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD "}", -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":1900000000,\"nbf\":1800000061}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":1900000000,\"nbf\":null}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{" GOOD ",\"exp\":1900000000,\"iat\":1800000061}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":\"https://issuer/\",\"aud\":\"fleet\",\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":[\"https://issuer\"],\"aud\":\"fleet\",\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{\"aud\":\"fleet\",\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":\"https://issuer\",\"aud\":\"other\",\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":\"https://issuer\",\"aud\":{\"fleet\":1},\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}",
		  "{\"iss\":\"https://issuer\",\"aud\":[],\"exp\":1900000000}", -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{\"iss\":\"https://issuer\",\"exp\":1900000000}",
		  -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\"}", "{\"iss\":\"x\"," GOOD ",\"exp\":1900000000}",
		  -EBADMSG },
		{ EC, "{\"alg\":\"ES256\"}", "[1]", -EBADMSG },
		{ EC, "{\"alg\":\"ES256\"}", "", -EBADMSG },
		{ EC, "{\"alg\":\"none\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"None\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"HS256\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"es256\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES384\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":[\"ES256\"]}", CLAIMS, -EKEYREJECTED },
		{ EC, "{}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"none\",\"alg\":\"ES256\"}", CLAIMS, -EBADMSG },
		{ EC, "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\",\"typ\":\"secevent+jwt\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\",\"typ\":1}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", CLAIMS, -ENOKEY },
		{ EC, "{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIMS, -ENOKEY },
		{ EC, "{\"alg\":\"ES256\",\"kid\":\"\"}", CLAIMS, -EBADMSG },
		{ EC, "{\"alg\":\"ES256\",\"kid\":1}", CLAIMS, -EBADMSG },
		{ EC, "{\"alg\":\"RS256\"}", CLAIMS, -EKEYREJECTED },
		{ EC, "{\"alg\":\"EdDSA\"}", CLAIMS, -EKEYREJECTED },
		{ RSA2048, "{\"alg\":\"ES256\"}", CLAIMS, -EKEYREJECTED },
		{ ED, "{\"alg\":\"ES256\"}", CLAIMS, -EKEYREJECTED },
		{ OTHER, "{\"alg\":\"ES256\"}", CLAIMS, -EKEYREJECTED },
		{ OTHER, "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"}}", CLAIMS, -EKEYREJECTED },
		{ EC, "\"ES256\"", CLAIMS, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *token = make_token(keys[rows[i].key], rows[i].header, rows[i].claims);
		struct assay_error err = { 0 };
		int r = check(token, ALL, &err);

		if (r != rows[i].result)
			fail_msg("%s %s: %d %s", rows[i].header, rows[i].claims, r, err.text);
		free(token);
	}
}

static void forms_are_strict(void **state)
{
	static const char *const forms[] = { "%s.", ".%s",  "%s=",  " %s",
					     "%s ", "%s\n", "%s.x", "x.%s" };
	char *token = make_token(keys[EC], "{\"alg\":\"ES256\"}", CLAIMS), *wrong = NULL, *large;
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		assert_true(asprintf(&wrong, forms[i], token) > 0);
#pragma GCC diagnostic pop
		assert_int_equal(check(wrong, ALL, &err), -EBADMSG);
		free(wrong);
	}
	for (size_t size = 0; size < strlen(token); size += 11) {
		wrong = strndup(token, size);
		assert_true(check(wrong, ALL, &err) < 0);
		free(wrong);
	}
	large = calloc(1, TOKEN_MAX + 2);
	memset(large, 'A', TOKEN_MAX + 1);
	assert_int_equal(check(large, ALL, &err), -EBADMSG);
	free(large);
	free(token);
}

/* RFC 7515, appendix A.3. */
static void the_rfcs_example(void **state)
{
	static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
	static const char token[] =
		"eyJhbGciOiJFUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
		"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
		"pmWQxfKTUJqPP3-Kg6NU1Q";
	const struct token_terms terms = { "joe", "fleet", ALL, 1300819000 };
	struct assay_error err = { 0 };
	struct token_keys keys_read = { 0 };
	json_t *claims = NULL;

	(void)state;
	assert_int_equal(token_keys_parse(text(set), "set", &keys_read, &err), 0);
	/* All holds but that it is for nobody. */
	assert_int_equal(token_check(text(token), &keys_read, &terms, &claims, &err),
			 -EKEYREJECTED);
	assert_non_null(strstr(err.text, "audience"));
	token_keys_free(&keys_read);
}

static void keys_are_checked(void **state)
{
	static const struct {
		int key;
		const char *member, *value;
		bool good;
	} rows[] = {
		{ EC, "use", "sig", true },
		{ EC, "use", "enc", false },
		{ EC, "alg", "ES256", true },
		{ EC, "alg", "RS256", false },
		{ EC, "alg", "ES384", false },
		{ RSA2048, "alg", "PS256", true },
		{ EC, "crv", "P-384", false },
		{ EC, "kty", "RSA", false },
		{ ED, "crv", "X25519", false },
		{ RSA1024, "use", "sig", false },
		{ EC, "x", "AAAA", false },
		{ EC, "y", "", false },
		{ EC, "y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false },
		{ RSA2048, "e", "AQ", false },
		{ RSA2048, "e", "AQABAQABAQABAQAB", false },
		{ RSA2048, "n", "AQAB", false },
		{ ED, "x", "AAAA", false },
	};
	static const char *const none[] = { "",
					    "{}",
					    "[]",
					    "{\"keys\":{}}",
					    "{\"keys\":[]}",
					    "{\"keys\":[1,null,[]]}",
					    "{\"keys\":[{}]}" };
	struct token_keys set = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *jwk = jwk_of(keys[rows[i].key], "k");
		int r;

		json_object_set_new(jwk, rows[i].member, json_string(rows[i].value));
		r = parse_one(jwk, &set);
		if ((r == 0) != rows[i].good)
			fail_msg("%s %s: %d", rows[i].member, rows[i].value, r);
		token_keys_free(&set);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct assay_error err = { 0 };

		assert_int_equal(token_keys_parse(text(none[i]), "set", &set, &err), -EBADMSG);
		token_keys_free(&set);
	}
}

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void claims_make_roles(void **state)
{
	static const struct {
		const char *claim, *name, *claims;
		int result;
		enum http_role role;
		const char *who;
	} rows[] = {
		{ NULL, NULL, "{\"sub\":\"u1\",\"roles\":\"v\"}", 0, HTTP_VIEWER, "u1" },
		{ NULL, NULL, "{\"sub\":\"u1\",\"roles\":[\"x\",\"v\",\"a\"]}", 0, HTTP_APPROVER,
		  "u1" },
		{ NULL, NULL, "{\"sub\":\"u1\",\"roles\":[\"o2\"]}", 0, HTTP_OPERATOR, "u1" },
		{ NULL, NULL, "{\"sub\":\"u1\",\"roles\":[\"V\",\"vv\",\"\",1]}", -EACCES, 0,
		  NULL },
		{ NULL, NULL, "{\"sub\":\"u1\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"sub\":\"\",\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"sub\":1,\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"sub\":\"a\\u001b[2J\",\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"sub\":\"" SIXTY_FOUR "\",\"roles\":\"v\"}", 0, HTTP_VIEWER,
		  SIXTY_FOUR },
		/* Cut, these two would be one. */
		{ NULL, NULL, "{\"sub\":\"" SIXTY_FOUR "a\",\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ NULL, NULL, "{\"sub\":\"" SIXTY_FOUR "b\",\"roles\":\"v\"}", -EACCES, 0, NULL },
		{ "realm.roles", "email", "{\"email\":\"me@x\",\"realm\":{\"roles\":[\"v\"]}}", 0,
		  HTTP_VIEWER, "me@x" },
		{ "realm.roles", "email",
		  "{\"email\":\"me@x\",\"realm.roles\":[\"a\"],\"realm\":{\"roles\":[\"v\"]}}", 0,
		  HTTP_APPROVER, "me@x" },
		{ "realm.roles", "email", "{\"email\":\"me@x\",\"realm\":\"v\"}", -EACCES, 0,
		  NULL },
	};
	const char *viewer[] = { "v" }, *operator[] = { "o1", "o2" }, *approver[] = { "a" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct oidc_settings settings = {
			.claim = rows[i].claim,
			.name = rows[i].name,
			.viewer = { viewer, 1 },
			.operator= { operator, 2 }, .approver = { approver, 1 } };
		json_t *claims = json_loads(rows[i].claims, 0, NULL);
		struct oidc_bearer bearer = { .role = HTTP_ANYBODY };
		struct assay_error err = { 0 };
		int r = oidc_bearer(&settings, claims, &bearer, &err);

		if (r != rows[i].result)
			fail_msg("%s: %d", rows[i].claims, r);
		if (r == 0) {
			assert_int_equal(bearer.role, rows[i].role);
			assert_string_equal(bearer.name, rows[i].who);
		}
		json_decref(claims);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_is_taken), cmocka_unit_test(what_is_off_is_refused),
		cmocka_unit_test(forms_are_strict),	   cmocka_unit_test(the_rfcs_example),
		cmocka_unit_test(keys_are_checked),	   cmocka_unit_test(claims_make_roles),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
