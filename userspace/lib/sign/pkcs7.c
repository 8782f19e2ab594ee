// SPDX-License-Identifier: MIT
#include "sign/pkcs7.h"

#include <errno.h>
#include <limits.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/pkcs7_attributes.h"
#include "sign/pkcs7_internal.h"
#include "sign/signature.h"
#include "verity/verity.h"

const struct pkcs7_algorithm pkcs7_algorithms[PKCS7_ALGORITHMS] = {
	{ ASSAY_HASH_SHA256, NID_sha256, NID_ecdsa_with_SHA256 },
	{ ASSAY_HASH_SHA384, NID_sha384, NID_ecdsa_with_SHA384 },
	{ ASSAY_HASH_SHA512, NID_sha512, NID_ecdsa_with_SHA512 },
};

struct pkcs7_content pkcs7_file_content(const struct assay_digest *digest, uint8_t *room)
{
	return (struct pkcs7_content){ "the built-in signature",
				       verity_formatted_digest(digest, room), true, 0, false };
}

int pkcs7_digest_content(const struct assay_digest *digest, uint8_t *room,
			 struct pkcs7_content *ret, struct assay_error *err)
{
	*ret = pkcs7_file_content(digest, room);
	if (ret->bytes.size == 0)
		return assay_fail(err, EINVAL, "built-in signatures are of fs-verity digests only");
	return 0;
}

static int out_of_memory(struct assay_error *err)
{
	crypto_errors_drop();
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

ASN1_OBJECT *pkcs7_signature_object(EVP_PKEY *key, const struct pkcs7_algorithm *algorithm)
{
	const char *pure = signature_pure_oid(key);

	if (pure)
		return OBJ_nid2obj(OBJ_txt2nid(pure));
	return OBJ_nid2obj(EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? NID_rsaEncryption :
								       algorithm->ecdsa);
}

static int not_ours(struct assay_error *err, const char *why)
{
	return assay_fail(err, EBADMSG, "it is not a signature as assay makes it: %s", why);
}

static bool plain_object(const X509_ALGOR *algorithm, const ASN1_OBJECT *object)
{
	int type;

	X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	return object && OBJ_cmp(algorithm->algorithm, object) == 0 &&
	       (type == V_ASN1_NULL || type == V_ASN1_UNDEF);
}

static bool plain_algorithm(const X509_ALGOR *algorithm, int nid)
{
	return plain_object(algorithm, OBJ_nid2obj(nid));
}

/* The structure, as in RFC 2315, section 9, and nothing that we do not use. */
static int check_structure(PKCS7 *pkcs7, PKCS7_SIGNER_INFO **ret, struct assay_error *err)
{
	PKCS7_SIGNER_INFO *info = NULL;
	PKCS7_SIGNED *content;

	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign || !pkcs7->d.sign->contents)
		return not_ours(err, "it is not PKCS#7 signedData");
	content = pkcs7->d.sign;
	if (ASN1_INTEGER_get(content->version) != 1)
		return not_ours(err, "its version is not 1");
	if (!PKCS7_type_is_data(content->contents))
		return not_ours(err, "its content is not of type data");
	if (content->contents->d.data)
		return not_ours(err, "it is not detached: there is content inside");
	if (sk_X509_num(content->cert) > 0 || sk_X509_CRL_num(content->crl) > 0)
		return not_ours(err, "there are certificates or revocation lists inside");
	if (sk_PKCS7_SIGNER_INFO_num(content->signer_info) != 1 ||
	    sk_X509_ALGOR_num(content->md_algs) != 1)
		return not_ours(err, "it does not have exactly one signer");
	info = sk_PKCS7_SIGNER_INFO_value(content->signer_info, 0);
	if (ASN1_INTEGER_get(info->version) != 1)
		return not_ours(err, "its signer's version is not 1");
	if (sk_X509_ATTRIBUTE_num(info->unauth_attr) > 0)
		return not_ours(err, "it has attributes that are not signed");
	*ret = info;
	return 0;
}

static int check_signer(PKCS7 *pkcs7, const struct pkcs7_content *content, X509 *certificate,
			struct assay_error *err)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	CLEANUP(buffer_free) struct buffer attributes = { 0 };
	struct bytes message = content->bytes;
	PKCS7_SIGNER_INFO *info = NULL;
	const struct pkcs7_algorithm *algorithm = pkcs7_algorithms;
	int r = check_structure(pkcs7, &info, err);

	if (r < 0)
		return r;
	if (!certificate_same_name(info->issuer_and_serial->issuer,
				   X509_get_issuer_name(certificate)) ||
	    ASN1_INTEGER_cmp(info->issuer_and_serial->serial,
			     X509_get0_serialNumber(certificate)) != 0)
		return assay_fail(err, EKEYREJECTED,
				  "the signature is by another certificate's key");
	while (algorithm < pkcs7_algorithms + PKCS7_ALGORITHMS &&
	       !plain_algorithm(info->digest_alg, algorithm->digest))
		algorithm++;
	if (algorithm == pkcs7_algorithms + PKCS7_ALGORITHMS ||
	    !plain_algorithm(sk_X509_ALGOR_value(pkcs7->d.sign->md_algs, 0), algorithm->digest))
		return not_ours(err, "its message digest is not SHA-256, SHA-384 or SHA-512");
	if (!plain_object(info->digest_enc_alg, pkcs7_signature_object(key, algorithm)))
		return not_ours(err, "its signature algorithm does not fit the certificate's key");
	if (info->auth_attr) {
		r = pkcs7_attributes(info, content, algorithm->hash, &attributes, err);
		if (r < 0)
			return r;
		message = buffer_bytes(&attributes);
	}
	return signature_verify_message(key, algorithm->hash, message,
					BYTES(ASN1_STRING_get0_data(info->enc_digest),
					      (size_t)ASN1_STRING_length(info->enc_digest)),
					content->what, err);
}

/* DER has one encoding for a value: what does not come out as it went in is not DER. */
static bool is_der(PKCS7 *pkcs7, struct bytes der)
{
	unsigned char *again = NULL;
	int size = i2d_PKCS7(pkcs7, &again);
	bool same = size > 0 && bytes_equal(der, BYTES(again, (size_t)size));

	OPENSSL_free(again);
	return same;
}

static PKCS7 *parse(struct bytes der, struct assay_error *err)
{
	const unsigned char *at = der.data;
	PKCS7 *pkcs7 = NULL;

	if (der.size > 0 && der.size <= LONG_MAX)
		pkcs7 = d2i_PKCS7(NULL, &at, (long)der.size);
	crypto_errors_drop();
	if (!pkcs7)
		not_ours(err, "it is not PKCS#7 in DER form");
	else if (at != der.data + der.size)
		not_ours(err, "bytes follow it");
	else if (!is_der(pkcs7, der))
		not_ours(err, "it is not encoded as DER wants it");
	else
		return pkcs7;
	PKCS7_free(pkcs7);
	return NULL;
}

int pkcs7_content_inside(struct bytes der, struct buffer *out, struct assay_error *err)
{
	CLEANUP(pkcs7_free_pointer) PKCS7 *pkcs7 = parse(der, err);
	const ASN1_OCTET_STRING *content;

	if (!pkcs7)
		return -EBADMSG;
	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign || !pkcs7->d.sign->contents ||
	    !PKCS7_type_is_data(pkcs7->d.sign->contents))
		return not_ours(err, "it is not PKCS#7 signedData over data");
	if (sk_PKCS7_SIGNER_INFO_num(pkcs7->d.sign->signer_info) < 1)
		return not_ours(err, "nobody signed it");
	content = pkcs7->d.sign->contents->d.data;
	if (!content)
		return assay_fail(err, ENOENT,
				  "what is signed is not inside: sign it with the content in it "
				  "(openssl smime -nodetach)");
	buffer_append(out, ASN1_STRING_get0_data(content), (size_t)ASN1_STRING_length(content));
	return out->failed ? out_of_memory(err) : 0;
}

int pkcs7_certificate_inside(struct bytes der, X509 **ret, struct assay_error *err)
{
	CLEANUP(pkcs7_free_pointer) PKCS7 *pkcs7 = parse(der, err);

	if (!pkcs7)
		return -EBADMSG;
	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign || sk_X509_num(pkcs7->d.sign->cert) != 1)
		return assay_fail(err, ENOENT, "there is not one certificate in the signature");
	*ret = sk_X509_value(pkcs7->d.sign->cert, 0);
	X509_up_ref(*ret);
	return 0;
}

int pkcs7_add_certificate(struct bytes der, X509 *certificate, struct buffer *out,
			  struct assay_error *err)
{
	CLEANUP(pkcs7_free_pointer) PKCS7 *pkcs7 = parse(der, err);
	unsigned char *again = NULL;
	int size = -1;

	if (!pkcs7)
		return -EBADMSG;
	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign)
		return not_ours(err, "it is not PKCS#7 signedData");
	if (sk_X509_num(pkcs7->d.sign->cert) > 0 || PKCS7_add_certificate(pkcs7, certificate))
		size = i2d_PKCS7(pkcs7, &again);
	if (size <= 0)
		return out_of_memory(err);
	buffer_append(out, again, (size_t)size);
	OPENSSL_free(again);
	return out->failed ? out_of_memory(err) : 0;
}

int pkcs7_verify_content(struct bytes der, const struct pkcs7_content *content, X509 *certificate,
			 struct assay_error *err)
{
	CLEANUP(pkcs7_free_pointer) PKCS7 *pkcs7 = parse(der, err);
	int r;

	if (!pkcs7)
		return -EBADMSG;
	r = check_signer(pkcs7, content, certificate, err);
	crypto_errors_drop();
	return r;
}

int pkcs7_verify(struct bytes der, const struct assay_digest *digest, X509 *certificate,
		 struct assay_error *err)
{
	uint8_t room[VERITY_FORMATTED_MAX];
	struct pkcs7_content content;
	int r = pkcs7_digest_content(digest, room, &content, err);

	return r < 0 ? r : pkcs7_verify_content(der, &content, certificate, err);
}
