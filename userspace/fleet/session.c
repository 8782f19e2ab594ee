// SPDX-License-Identifier: MIT
#include "session.h"

#include <errno.h>
#include <stdio.h>

#include "verify/key.h"
#include "verify/record.h"

/* No device's name has a colon. */
#define OF_CHALLENGE "session:"
#define OF_TOKEN "token:"

static struct nonce_for named(const char *use, const char *device,
			      char name[RECORD_MAX_MACHINE_ID + 16])
{
	snprintf(name, RECORD_MAX_MACHINE_ID + 16, "%s%s", use, device);
	return (struct nonce_for){ .device = name };
}

int session_challenge(const struct nonce_keys *keys, const char *device, uint64_t now,
		      uint64_t step, uint8_t ret[NONCE_SIZE], uint64_t *ret_expires_in,
		      struct assay_error *err)
{
	char name[RECORD_MAX_MACHINE_ID + 16];
	const struct nonce_for whom = named(OF_CHALLENGE, device, name);

	return nonce_make(keys, &whom, now, step, ret, ret_expires_in, err);
}

/* The key's name comes first (TPMS_CERTIFY_INFO, Part 2, 10.12.3). */
static bool certifies(struct bytes attest, const struct tpm_name *key)
{
	struct tpm_attest parsed;
	struct bytes part = { 0 };
	uint16_t size = 0;

	if (tpm_attest_parse(attest, &parsed, NULL) < 0 || parsed.magic != TPM_GENERATED ||
	    parsed.type != TPM_ST_ATTEST_CERTIFY || !bytes_take_be16(&parsed.attested, &size) ||
	    !bytes_take(&parsed.attested, size, &part))
		return false;
	return bytes_equal(part, BYTES(key->bytes, key->size));
}

/* What a quote of that key would have to be signed by; else the verdict refused it later. */
static bool is_signed_by(const struct tpm_public *key, struct bytes attest, struct bytes signature,
			 struct assay_error *err)
{
	struct tpm_signature parsed;

	if (tpm_signature_parse(signature, &parsed, err) < 0)
		return false;
	return parsed.algorithm == key->scheme && parsed.hash == key->scheme_hash &&
	       tpm_key_verify(key, &parsed, attest, err) == 0;
}

int session_proved(const struct nonce_keys *keys, const char *device, struct bytes ak,
		   struct bytes attest, struct bytes signature, uint64_t now, uint64_t step,
		   struct assay_error *err)
{
	char name[RECORD_MAX_MACHINE_ID + 16];
	const struct nonce_for whom = named(OF_CHALLENGE, device, name);
	struct tpm_attest parsed;
	struct tpm_public key;
	struct tpm_name key_name = { 0 };
	uint64_t issued;
	int r = tpm_attest_parse(attest, &parsed, err);

	if (r < 0)
		return assay_fail_context(err, "the proof");
	r = tpm_public_parse(ak, &key, err);
	if (r == 0)
		r = tpm_key_name(&key, &key_name, err);
	if (r < 0)
		return r;
	if (!certifies(attest, &key_name))
		return assay_fail(err, EKEYREJECTED,
				  "the proof does not certify the device's attestation key");
	if (!is_signed_by(&key, attest, signature, NULL))
		return assay_fail(err, EKEYREJECTED,
				  "the proof is not signed by the device's attestation key");
	return nonce_find(keys, &whom, parsed.extra_data, now, step, &issued, err);
}

int session_token(const struct nonce_keys *keys, const char *device, uint64_t now,
		  char ret[SESSION_TOKEN_TEXT], uint64_t *ret_expires_in, struct assay_error *err)
{
	char name[RECORD_MAX_MACHINE_ID + 16];
	const struct nonce_for whom = named(OF_TOKEN, device, name);
	uint8_t token[NONCE_SIZE];
	int r = nonce_make(keys, &whom, now, SESSION_TOKEN_STEP, token, ret_expires_in, err);

	if (r == 0)
		hex_encode(BYTES(token, sizeof(token)), ret);
	return r;
}

int session_check(const struct nonce_keys *keys, const char *device, struct bytes token,
		  uint64_t now, struct assay_error *err)
{
	char name[RECORD_MAX_MACHINE_ID + 16], text[SESSION_TOKEN_TEXT];
	const struct nonce_for whom = named(OF_TOKEN, device, name);
	uint8_t bytes[NONCE_SIZE];
	size_t size = 0;
	uint64_t issued;
	int r = -ESTALE;

	if (token.size == sizeof(text) - 1) {
		snprintf(text, sizeof(text), "%.*s", (int)token.size, (const char *)token.data);
		if (hex_decode(text, bytes, sizeof(bytes), &size) == 0 && size == sizeof(bytes))
			r = nonce_find(keys, &whom, BYTES(bytes, size), now, SESSION_TOKEN_STEP,
				       &issued, err);
	}
	return r == -ESTALE ? assay_fail(err, EACCES,
					 "the token is not that device's, or has expired: prove "
					 "again that this is it") :
			      r;
}
