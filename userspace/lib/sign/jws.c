// SPDX-License-Identifier: MIT
#include "sign/jws.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/digest.h"
#include "sign/signature.h"

#define ES256_COORDINATE 32 /* bytes of R and of S: RFC 7518, section 3.4 */
#define GROUP_TEXT 64

void jws_base64url(struct bytes bytes, struct buffer *out)
{
	CLEANUP(free_pointer) char *text = base64_encode(bytes);

	if (!text)
		out->failed = true;
	for (const char *at = text; at && *at && *at != '='; at++)
		buffer_append_u8(out, *at == '+' ? '-' : *at == '/' ? '_' : (uint8_t)*at);
}

int jws_check_signer(const struct signer *signer, struct assay_error *err)
{
	char group[GROUP_TEXT] = "";

	if (EVP_PKEY_is_a(signer->public_key, "EC") &&
	    EVP_PKEY_get_group_name(signer->public_key, group, sizeof(group), NULL) &&
	    strcmp(group, "prime256v1") == 0 &&
	    (signer->hash == ASSAY_HASH_NONE || signer->hash == ASSAY_HASH_SHA256))
		return 0;
	crypto_errors_drop();
	return assay_fail(
		err, EINVAL, "the key cannot sign by ES256: that takes one on P-256, not %s%s%s",
		EVP_PKEY_get0_type_name(signer->public_key), group[0] ? " on " : "", group);
}

/* R || S of a DER of Ecdsa-Sig-Value */
static int append_pair(struct bytes der, struct buffer *out, struct assay_error *err)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.size);
	uint8_t *place = buffer_reserve(out, 2 * ES256_COORDINATE);
	int r = 0;

	if (!place)
		r = assay_fail(err, ENOMEM, "out of memory");
	else if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair), place, ES256_COORDINATE) < 0 ||
		 BN_bn2binpad(ECDSA_SIG_get0_s(pair), place + ES256_COORDINATE, ES256_COORDINATE) <
			 0)
		r = assay_fail(err, EIO, "the key made something that is no signature by P-256");
	else
		out->size += 2 * ES256_COORDINATE;
	ECDSA_SIG_free(pair);
	crypto_errors_drop();
	return r;
}

static int append_header(const struct signer *signer, const char *type, struct buffer *out,
			 struct assay_error *err)
{
	char header[256], hex[2 * ASSAY_DIGEST_MAX + 1];
	struct assay_digest digest;
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(signer->public_key, &der);
	int r = size > 0 ? digest_bytes(ASSAY_HASH_SHA256, BYTES(der, (size_t)size), &digest, err) :
			   assay_fail(err, ENOMEM, "out of memory");

	OPENSSL_free(der);
	if (r < 0)
		return r;
	hex_encode(BYTES(digest.bytes, digest.size), hex);
	size = snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}",
			hex, type);
	jws_base64url(BYTES((const uint8_t *)header, (size_t)size), out);
	return 0;
}

int jws_sign(struct signer *signer, const char *type, struct bytes payload, struct buffer *out,
	     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signing = { 0 };
	CLEANUP(buffer_free) struct buffer der = { 0 };
	CLEANUP(buffer_free) struct buffer pair = { 0 };
	struct assay_digest digest;
	int r = jws_check_signer(signer, err);

	if (r == 0)
		r = append_header(signer, type, &signing, err);
	if (r < 0)
		return r;
	buffer_append_u8(&signing, '.');
	jws_base64url(payload, &signing);
	if (signing.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&signing), &digest, err);
	if (r == 0)
		r = signer->sign(signer, &digest, &der, err);
	if (r == 0)
		r = signature_verify(signer->public_key, &digest, buffer_bytes(&der),
				     "the signature", err);
	if (r == 0)
		r = append_pair(buffer_bytes(&der), &pair, err);
	if (r < 0)
		return r;
	buffer_append_bytes(out, buffer_bytes(&signing));
	buffer_append_u8(out, '.');
	jws_base64url(buffer_bytes(&pair), out);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
