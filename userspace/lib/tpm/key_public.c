// SPDX-License-Identifier: MIT
#include "tpm/key_public.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "verify/key.h"

/* RSA keys below this are not worth a signature (NIST SP 800-131A). */
#define RSA_BITS_MIN 2048

static int fail_no_use(struct assay_error *err, const char *what)
{
	return assay_fail(
		err, EOPNOTSUPP,
		"%s: this key cannot be used: it has to be ECC P-256, P-384 or P-521, or RSA with "
		"%d bits or more",
		what, RSA_BITS_MIN);
}

/* Other objects, which are none of the keys that tpm_public_parse() knows, do not sign either. */
static bool is_asymmetric(struct bytes area)
{
	uint16_t size, type;

	return !bytes_take_be16(&area, &size) || !bytes_take_be16(&area, &type) ||
	       type == TPM_ALG_RSA || type == TPM_ALG_ECC;
}

static void tell_facts(const struct tpm_public *area, EVP_PKEY *key, struct tpm_key_facts *ret)
{
	const uint32_t made_here = TPMA_OBJECT_FIXED_TPM | TPMA_OBJECT_FIXED_PARENT |
				   TPMA_OBJECT_SENSITIVE_DATA_ORIGIN;
	const uint32_t kind = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

	ret->use = (area->attributes & kind) == TPMA_OBJECT_RESTRICTED ? TPM_KEY_ATTESTATION :
									 TPM_KEY_SIGNING;
	ret->made_here = (area->attributes & made_here) == made_here;
	snprintf(ret->algorithm, sizeof(ret->algorithm), "%s-%d",
		 area->type == TPM_ALG_RSA ? "RSA" : "P", EVP_PKEY_get_bits(key));
}

int tpm_key_public_read(struct bytes area, const char *what, struct tpm_key_public *ret,
			struct assay_error *err)
{
	struct tpm_key_public public = { 0 };
	struct tpm_public parsed;
	struct tpm_name name = { 0 };
	int r;

	if (!is_asymmetric(area))
		return assay_fail(err, EOPNOTSUPP, "%s: this key cannot be used: it does not sign",
				  what);
	r = tpm_public_parse(area, &parsed, err);
	if (r < 0) {
		assay_fail_context(err, "%s", what);
		return r;
	}
	if ((parsed.attributes & TPMA_OBJECT_SIGN) == 0)
		return assay_fail(err, EOPNOTSUPP, "%s: this key cannot be used: it does not sign",
				  what);
	if (tpm_key_name(&parsed, &name, NULL) < 0)
		return assay_fail(err, EOPNOTSUPP,
				  "%s: the key's name is made with an unknown hash", what);
	public.key = tpm_public_key(&parsed);
	public.rsa = parsed.type == TPM_ALG_RSA;
	if (!public.key || (public.rsa && EVP_PKEY_get_bits(public.key) < RSA_BITS_MIN)) {
		tpm_key_public_free(&public);
		return fail_no_use(err, what);
	}
	if (parsed.scheme != TPM_ALG_NULL) {
		public.scheme = parsed.scheme;
		public.scheme_hash = (enum assay_hash)parsed.scheme_hash;
	}
	public.needs_policy =
		parsed.policy.size > 0 && (parsed.attributes & TPMA_OBJECT_USER_WITH_AUTH) == 0;
	tell_facts(&parsed, public.key, &public.facts);
	public.facts.scheme_hash = public.scheme_hash;
	memcpy(public.facts.name, name.bytes, name.size);
	public.facts.name_size = name.size;
	*ret = public;
	return 0;
}

int tpm_key_public_name(struct bytes area, uint8_t *name, size_t *ret_size)
{
	struct tpm_public parsed;
	struct tpm_name found = { 0 };
	int r = tpm_public_parse(area, &parsed, NULL);

	if (r == 0)
		r = tpm_key_name(&parsed, &found, NULL);
	if (r < 0)
		return r;
	memcpy(name, found.bytes, found.size);
	*ret_size = found.size;
	return 0;
}

void tpm_key_public_free(struct tpm_key_public *public)
{
	EVP_PKEY_free(public->key);
	*public = (struct tpm_key_public){ 0 };
}

int tpm_key_public_verify(const struct tpm_key_public *public, struct bytes signature,
			  const struct assay_digest *digest, struct buffer *out,
			  struct assay_error *err)
{
	struct tpm_signature parsed;
	int r = tpm_signature_parse(signature, &parsed, err);

	if (r < 0)
		return r;
	if (parsed.hash != digest->hash)
		return assay_fail(err, EBADMSG, "the signature is not of the %s digest",
				  assay_hash_name(digest->hash));
	return tpm_signature_verify(public->key, &parsed, digest, out, err);
}
