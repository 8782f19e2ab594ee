// SPDX-License-Identifier: MIT
#include "sign/pkcs7_given.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/cms_given.h"

/* ---------------------------------------------------------------- taking over a CMS */

/* The signer, named by issuer and serial number, which the signature does not cover. */
static bool fill_signer(PKCS7_SIGNER_INFO *info, CMS_SignerInfo *signer, X509 *certificate)
{
	X509_ALGOR *digest = NULL, *encryption = NULL;
	const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(signer);
	bool filled;

	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &encryption);
	filled = ASN1_INTEGER_set(info->version, 1) &&
		 X509_NAME_set(&info->issuer_and_serial->issuer,
			       X509_get_issuer_name(certificate)) &&
		 ASN1_STRING_copy(info->issuer_and_serial->serial,
				  X509_get0_serialNumber(certificate)) &&
		 X509_ALGOR_copy(info->digest_alg, digest) &&
		 X509_ALGOR_copy(info->digest_enc_alg, encryption) &&
		 ASN1_STRING_copy(info->enc_digest, value);
	for (int i = 0; filled && i < CMS_signed_get_attr_count(signer); i++)
		filled = X509at_add1_attr(&info->auth_attr, CMS_signed_get_attr(signer, i)) != NULL;
	return filled;
}

static int assemble(CMS_SignerInfo *signer, X509 *certificate, struct buffer *out,
		    struct assay_error *err)
{
	PKCS7_SIGNER_INFO *info = PKCS7_SIGNER_INFO_new();
	CLEANUP(pkcs7_free_pointer) PKCS7 *pkcs7 = PKCS7_new();
	unsigned char *der = NULL;
	int size = -1;

	if (info && pkcs7 && fill_signer(info, signer, certificate) &&
	    PKCS7_set_type(pkcs7, NID_pkcs7_signed) && PKCS7_content_new(pkcs7, NID_pkcs7_data) &&
	    PKCS7_set_detached(pkcs7, 1) && PKCS7_add_signer(pkcs7, info)) {
		info = NULL; /* it is pkcs7's now */
		size = i2d_PKCS7(pkcs7, &der);
	}
	PKCS7_SIGNER_INFO_free(info);
	if (size > 0)
		buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	crypto_errors_drop();
	return size > 0 && !out->failed ?
		       0 :
		       assay_fail(err, EBADMSG, "the CMS cannot be written as PKCS#7");
}

int pkcs7_from_cms(struct bytes given, X509 *certificate, struct buffer *out,
		   struct assay_error *err)
{
	CLEANUP(cms_free_pointer) CMS_ContentInfo *cms = cms_given_parse(given);
	CMS_SignerInfo *signer = cms ? cms_given_signer(cms) : NULL;

	if (!signer || CMS_signed_get_attr_count(signer) <= 0)
		return -ENOENT;
	return assemble(signer, certificate, out, err);
}

/* ---------------------------------------------------------------- among those given */

/* struct taking - a signature with signed attributes that is looked for */
struct taking {
	X509 *certificate;
	bool inside;
	const struct pkcs7_content *content;
	struct buffer *out;
	struct assay_error *err;
};

static int take_given(void *context, struct bytes given)
{
	const struct taking *taking = context;
	CLEANUP(buffer_free) struct buffer der = { 0 };
	int r = pkcs7_from_cms(given, taking->certificate, &der, taking->err);

	if (r == 0)
		r = pkcs7_verify_content(buffer_bytes(&der), taking->content, taking->certificate,
					 taking->err);
	if (r < 0)
		return r;
	if (taking->inside)
		return pkcs7_add_certificate(buffer_bytes(&der), taking->certificate, taking->out,
					     taking->err);
	buffer_append_bytes(taking->out, buffer_bytes(&der));
	return taking->out->failed ? assay_fail(taking->err, ENOMEM, "out of memory") : 0;
}

int pkcs7_take_given(struct signer *signer, X509 *certificate, bool inside,
		     const struct pkcs7_content *content, enum assay_hash hash, struct buffer *out,
		     struct assay_error *err)
{
	struct taking taking = { certificate, inside, content, out, err };

	return signer->given && !content->embedded ?
		       signer->given(signer, hash, content->bytes, take_given, &taking) :
		       -ENOENT;
}
