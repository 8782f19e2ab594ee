/* SPDX-License-Identifier: MIT */
/*
 * JSON Web Tokens (RFC 7519) of others, by the keys of their issuer (JWK sets, RFC 7517), as RFC
 * 8725 advises: only signatures by ES256, RS256, PS256 and EdDSA with Ed25519 (RFC 7518, RFC 8037)
 * by a key of that kind, and no claim is believed before. Pure: hostile bytes in, claims out.
 */
#ifndef ASSAY_FLEET_TOKEN_H
#define ASSAY_FLEET_TOKEN_H

#include <jansson.h>
#include <openssl/evp.h>

#include "base/bytes.h"

#define TOKEN_MAX 16384U	 /* bytes of a token */
#define TOKEN_KEYS_MAX 64	 /* of a set */
#define TOKEN_SET_MAX (1U << 20) /* bytes of a set */
#define TOKEN_RSA_BITS 2048	 /* at least */
#define TOKEN_SLACK 60		 /* seconds that clocks may differ */

enum token_algorithm { TOKEN_ES256, TOKEN_RS256, TOKEN_PS256, TOKEN_EDDSA, TOKEN_ALGORITHMS };

/* token_algorithm_by_name() - false for another one */
bool token_algorithm_by_name(const char *name, enum token_algorithm *ret);

/* struct token_key - @algorithms: a bit for each that it may be used with; @id: "" if it has none
 */
struct token_key {
	char id[256];
	unsigned int algorithms;
	EVP_PKEY *key;
};

/* struct token_keys - start with {0}, end with token_keys_free() */
struct token_keys {
	struct token_key list[TOKEN_KEYS_MAX];
	size_t count;
};

/*
 * token_keys_parse() - read a JWK set
 * @name: names it in errors
 *
 * Keys of other kinds and uses, and those that are no keys, are left out (RFC 7517, section 5).
 * Return: 0; -EBADMSG for what is no set, or has no key that can be used; -ENOMEM
 */
int token_keys_parse(struct bytes text, const char *name, struct token_keys *ret,
		     struct assay_error *err);
void token_keys_free(struct token_keys *keys);

/**
 * struct token_terms - what a token must say
 * @algorithms: a bit for each that is taken
 * @now: seconds since 1970-01-01 00:00 UTC
 */
struct token_terms {
	const char *issuer, *audience;
	unsigned int algorithms;
	uint64_t now;
};

/*
 * token_check() - is it signed by one of these keys, for us, and of now?
 * @ret: its claims; owned by the caller
 *
 * Return: 0; -ENOKEY if none of the keys is the one that it names; -EBADMSG for what is no token;
 * -EKEYREJECTED with what is wrong with it; -ENOMEM
 */
int token_check(struct bytes text, const struct token_keys *keys, const struct token_terms *terms,
		json_t **ret, struct assay_error *err);

#endif /* ASSAY_FLEET_TOKEN_H */
