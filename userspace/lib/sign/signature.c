// SPDX-License-Identifier: MIT
#include "sign/signature.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/digest.h"

int signature_check_key(EVP_PKEY *key, const char *what, struct assay_error *err)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	int type = EVP_PKEY_get_base_id(key);
	char curve[64];

	if (type == EVP_PKEY_RSA) {
		int bits = EVP_PKEY_get_bits(key);

		if (bits < 2048 || bits > 4096)
			return assay_fail(err, EINVAL,
					  "%s is an RSA key of %d bits; take 2048 to 4096", what,
					  bits);
		return 0;
	}
	if (type != EVP_PKEY_EC)
		return assay_fail(err, EINVAL,
				  "%s is not a key that the kernel verifies signatures of; take "
				  "ECDSA (P-256, P-384, P-521) or RSA",
				  what);
	if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL))
		for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
			if (strcmp(curve, curves[i]) == 0)
				return 0;
	return assay_fail(
		err, EINVAL,
		"%s is on an elliptic curve that is not taken; take P-256, P-384 or P-521", what);
}

int signature_verify(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature,
		     const char *what, struct assay_error *err)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	const EVP_MD *md = digest_algorithm(digest->hash);
	bool good;

	good = context && md && EVP_PKEY_verify_init(context) == 1 &&
	       (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1) &&
	       EVP_PKEY_CTX_set_signature_md(context, md) == 1 &&
	       EVP_PKEY_verify(context, signature.data, signature.size, digest->bytes,
			       digest->size) == 1;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	if (!good)
		return assay_fail(err, EKEYREJECTED,
				  "%s is wrong: it was made by another key, or of other data",
				  what);
	return 0;
}
