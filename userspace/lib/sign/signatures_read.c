// SPDX-License-Identifier: MIT
/* Signatures as others hand them over: files of them, and the forms of one. */
#define _GNU_SOURCE
#include "sign/signatures.h"

#include <errno.h>
#include <limits.h>
#include <openssl/ec.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/cms_given.h"
#include "sign/signature.h"

/* Room for the largest, in base64, and the other members. */
#define LINE_MAX_BYTES (2 * SIGNATURES_ONE_MAX)

/* ---------------------------------------------------------------- files */

int signatures_read_object(struct signatures *signatures, const json_t *object, const char *what,
			   struct assay_error *err)
{
	static const char *const known[] = { "digest",	  "signature", "sign",
					     "algorithm", "bytes",     NULL };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	struct assay_digest digest;
	const char *text;
	int r = json_only(object, known, what, err);

	if (r == 0)
		r = json_get_string(object, "digest", what, &text, err);
	if (r == 0 && assay_digest_parse(text, &digest) < 0)
		r = assay_fail(err, EBADMSG,
			       "%s: \"digest\" is not \"sha256:\" (or another hash) and its "
			       "hexadecimal digits",
			       what);
	if (r == 0)
		r = json_get_base64(object, "signature", what, &signature, err);
	if (r == 0 && (signature.size == 0 || signature.size > SIGNATURES_ONE_MAX))
		r = assay_fail(err, EBADMSG, "%s: \"signature\" has %zu bytes, not 1 to %d", what,
			       signature.size, SIGNATURES_ONE_MAX);
	return r < 0 ? r : signatures_add(signatures, &digest, buffer_bytes(&signature), err);
}

static int read_lines(struct signatures *signatures, struct bytes text, const char *name,
		      struct assay_error *err)
{
	unsigned long long number = 0;
	int r = 0;

	while (r == 0 && text.size > 0) {
		const uint8_t *newline = memchr(text.data, '\n', text.size);
		size_t size = newline ? (size_t)(newline - text.data) : text.size;
		CLEANUP(json_decref_pointer) json_t *object = NULL;
		char what[600];
		struct bytes line;

		number++;
		snprintf(what, sizeof(what), "%s line %llu", name, number);
		(void)bytes_take(&text, size, &line);
		if (newline)
			(void)bytes_take(&text, 1, &(struct bytes){ 0 });
		if (line.size > LINE_MAX_BYTES)
			return assay_fail(err, EBADMSG, "%s is longer than %d bytes", what,
					  LINE_MAX_BYTES);
		r = json_parse(line, what, &object, err);
		if (r == 0)
			r = signatures_read_object(signatures, object, what, err);
	}
	return r;
}

/* No signature that stands by itself is all of printable characters. */
static bool is_lines(struct bytes text)
{
	if (text.data[0] != '{')
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == 0x7f ||
		    (text.data[i] < ' ' && (text.data[i] == 0 || !strchr("\t\r\n", text.data[i]))))
			return false;
	return true;
}

int signatures_read(struct signatures *signatures, struct bytes text, const char *name,
		    const struct assay_digest *only, struct assay_error *err)
{
	if (text.size == 0 && only)
		return assay_fail(err, EBADMSG, "%s is empty: there is no signature in it", name);
	if (text.size == 0)
		return 0;
	if (is_lines(text))
		return read_lines(signatures, text, name, err);
	if (!only)
		return assay_fail(err, EBADMSG,
				  "%s is not JSON Lines of {\"digest\":...,\"signature\":...}; a "
				  "signature alone is taken where only one is missing",
				  name);
	if (text.size > SIGNATURES_ONE_MAX)
		return assay_fail(err, EBADMSG, "%s is too large for a signature", name);
	return signatures_add(signatures, only, text, err);
}

/* ---------------------------------------------------------------- forms */

/* The signature inside a CMS; borrowed from it. */
static int open_cms(CMS_ContentInfo *cms, struct bytes *ret, struct assay_error *err)
{
	CMS_SignerInfo *signer = cms_given_signer(cms);
	const ASN1_OCTET_STRING *value;

	if (!signer)
		return assay_fail(err, EBADMSG, "the CMS does not have exactly one signer");
	if (CMS_signed_get_attr_count(signer) > 0)
		return assay_fail(err, EBADMSG,
				  "the CMS has signed attributes, so that its signature covers "
				  "them and not the bytes. A manifest and a file's built-in "
				  "signature can have them; IMA's signatures and certificates "
				  "cannot: make those without (openssl cms -sign -binary -noattr)");
	value = CMS_SignerInfo_get0_signature(signer);
	*ret = BYTES(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return 0;
}

/* r and s, each of as many bytes as the curve's order, as DER; false if it cannot be that */
static bool pair_to_der(EVP_PKEY *key, struct bytes pair, struct buffer *out)
{
	size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	ECDSA_SIG *signature = NULL;
	BIGNUM *r, *s;
	unsigned char *der = NULL;
	int size = -1;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || pair.size != 2 * half)
		return false;
	signature = ECDSA_SIG_new();
	r = BN_bin2bn(pair.data, (int)half, NULL);
	s = BN_bin2bn(pair.data + half, (int)half, NULL);
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
		r = s = NULL;
		size = i2d_ECDSA_SIG(signature, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	if (size > 0)
		buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	crypto_errors_drop();
	return size > 0 && !out->failed;
}

int signature_settle(EVP_PKEY *key, enum assay_hash hash, struct bytes message, struct bytes given,
		     struct buffer *out, struct assay_error *err)
{
	static const char what[] = "it";
	CLEANUP(buffer_free) struct buffer der = { 0 };
	CLEANUP(cms_free_pointer) CMS_ContentInfo *cms = cms_given_parse(given);
	struct bytes found = given;
	int r = cms ? open_cms(cms, &found, err) : 0;

	if (r < 0)
		return r;
	/* What has the length of a pair may be DER as well, if seldom: what verifies it is. */
	if (pair_to_der(key, found, &der) &&
	    signature_verify_message(key, hash, message, buffer_bytes(&der), what, NULL) == 0)
		found = buffer_bytes(&der);
	else
		r = signature_verify_message(key, hash, message, found, what, err);
	if (r == 0)
		buffer_append_bytes(out, found);
	return r < 0 || !out->failed ? r : assay_fail(err, ENOMEM, "out of memory");
}
