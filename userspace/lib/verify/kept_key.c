// SPDX-License-Identifier: MIT
#include "verify/kept_key.h"

#include <errno.h>
#include <stdlib.h>

/**
 * struct kept_key - a key and what is made of it
 * @bytes: what @public points into
 */
struct kept_key {
	struct buffer bytes;
	struct tpm_public public;
	struct tpm_name name;
	EVP_PKEY *openssl;
};

static int read_key(struct bytes tpm2b_public, struct kept_key *ret, struct assay_error *err)
{
	int r;

	buffer_append_bytes(&ret->bytes, tpm2b_public);
	if (ret->bytes.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = tpm_public_parse(buffer_bytes(&ret->bytes), &ret->public, err);
	if (r == 0)
		r = tpm_key_name(&ret->public, &ret->name, err);
	if (r < 0)
		return r;
	ret->openssl = tpm_public_key(&ret->public);
	if (!ret->openssl)
		return assay_fail(err, EBADMSG, "the numbers of the key are none of its kind");
	return 0;
}

int kept_key_new(struct bytes tpm2b_public, struct kept_key **ret, struct assay_error *err)
{
	struct kept_key *key = calloc(1, sizeof(*key));
	int r;

	if (!key)
		return assay_fail(err, ENOMEM, "out of memory");
	r = read_key(tpm2b_public, key, err);
	if (r < 0) {
		kept_key_free(key);
		return r;
	}
	*ret = key;
	return 0;
}

void kept_key_free(struct kept_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->openssl);
	buffer_free(&key->bytes);
	free(key);
}

struct bytes kept_key_bytes(const struct kept_key *key)
{
	return buffer_bytes(&key->bytes);
}

const struct tpm_public *kept_key_public(const struct kept_key *key)
{
	return &key->public;
}

const struct tpm_name *kept_key_name(const struct kept_key *key)
{
	return &key->name;
}

EVP_PKEY *kept_key_openssl(const struct kept_key *key)
{
	return key->openssl;
}
