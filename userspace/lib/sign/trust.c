// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/trust.h"

#include <errno.h>
#include <limits.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "sign/ima_sig.h"
#include "sign/signature.h"
#include "verity/enable.h"
#include "verity/verity.h"

/* Certificates from the signer's to the trusted one; more are somebody's joke. */
#define CHAIN_MAX 8

/**
 * struct trust - see trust.h
 * @authority: may it issue the certificates of signers?
 */
struct trust {
	struct {
		X509 *certificate;
		bool authority;
	} * entries;
	size_t count;
};

int trust_new(struct trust **ret, struct assay_error *err)
{
	struct trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return assay_fail(err, ENOMEM, "cannot keep certificates: out of memory");
	*ret = trust;
	return 0;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	for (size_t i = 0; i < trust->count; i++)
		X509_free(trust->entries[i].certificate);
	free(trust->entries);
	free(trust);
}

int trust_add(struct trust *trust, X509 *certificate, enum trust_use use, struct assay_error *err)
{
	void *entries = reallocarray(trust->entries, trust->count + 1, sizeof(trust->entries[0]));

	if (!entries)
		return assay_fail(err, ENOMEM, "cannot keep certificates: out of memory");
	trust->entries = entries;
	X509_up_ref(certificate);
	trust->entries[trust->count].certificate = certificate;
	trust->entries[trust->count].authority = use == TRUST_AUTHORITY;
	trust->count++;
	return 0;
}

/* ---------------------------------------------------------------- PKCS#7 */

static int refused(struct assay_error *err, const char *why)
{
	return assay_fail(err, EBADMSG, "the kernel does not take this built-in signature: %s",
			  why);
}

static struct bytes octets(const ASN1_OCTET_STRING *string)
{
	if (!string)
		return BYTES(NULL, 0);
	return BYTES(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

/* By issuer and serial number, or by subject key id, whichever names the signer. */
static bool is_signer(CMS_SignerInfo *info, X509 *certificate)
{
	ASN1_OCTET_STRING *key_id = NULL;
	ASN1_INTEGER *serial = NULL;
	X509_NAME *issuer = NULL;

	if (!CMS_SignerInfo_get0_signer_id(info, &key_id, &issuer, &serial))
		return false;
	if (key_id) {
		struct bytes own = octets(X509_get0_subject_key_id(certificate));

		return own.size > 0 && bytes_equal(own, octets(key_id));
	}
	return issuer && serial &&
	       certificate_same_name(issuer, X509_get_issuer_name(certificate)) &&
	       ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0;
}

/* Whether the kernel finds @issuer from @certificate, and the signature is its key's. */
static bool is_issued_by(X509 *certificate, X509 *issuer)
{
	struct bytes wanted = octets(X509_get0_authority_key_id(certificate));

	return wanted.size > 0 && bytes_equal(wanted, octets(X509_get0_subject_key_id(issuer))) &&
	       certificate_same_name(X509_get_issuer_name(certificate),
				     X509_get_subject_name(issuer)) &&
	       X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

static bool issued_by_authority(const struct trust *trust, X509 *certificate)
{
	for (size_t i = 0; i < trust->count; i++)
		if (trust->entries[i].authority &&
		    is_issued_by(certificate, trust->entries[i].certificate))
			return true;
	return false;
}

/* From a certificate inside the signature to an authority. */
static bool leads_to_authority(const struct trust *trust, STACK_OF(X509) * inside, X509 *from)
{
	for (int step = 0; step < CHAIN_MAX; step++) {
		X509 *next = NULL;

		if (issued_by_authority(trust, from))
			return true;
		for (int i = 0; i < sk_X509_num(inside) && !next; i++) {
			X509 *candidate = sk_X509_value(inside, i);

			if (X509_cmp(candidate, from) != 0 && X509_check_ca(candidate) == 1 &&
			    (X509_get_key_usage(candidate) & KU_KEY_CERT_SIGN) &&
			    is_issued_by(from, candidate))
				next = candidate;
		}
		if (!next)
			return false;
		from = next;
	}
	return false;
}

/* The signer's certificate, borrowed from @trust or @inside. */
static int find_signer(const struct trust *trust, CMS_SignerInfo *info, STACK_OF(X509) * inside,
		       X509 **ret, struct assay_error *err)
{
	for (size_t i = 0; i < trust->count; i++)
		if (is_signer(info, trust->entries[i].certificate)) {
			*ret = trust->entries[i].certificate;
			return 0;
		}
	for (int i = 0; i < sk_X509_num(inside); i++) {
		X509 *certificate = sk_X509_value(inside, i);

		if (!is_signer(info, certificate))
			continue;
		if (!X509_get0_pubkey(certificate))
			return refused(err, "the signer's certificate has a key that is not known");
		if (!leads_to_authority(trust, inside, certificate))
			return assay_fail(err, ENOKEY,
					  "the built-in signature brings its signer's certificate "
					  "along, which none of the authorities given (--ca) has "
					  "issued");
		if (!(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE))
			return assay_fail(err, EKEYREJECTED,
					  "the built-in signature's certificate is not for "
					  "signing: its keyUsage lacks digitalSignature");
		*ret = certificate;
		return 0;
	}
	return assay_fail(
		err, ENOKEY,
		"the built-in signature is by another certificate's key than those given");
}

static int check_algorithms(CMS_SignerInfo *info, EVP_PKEY *key, struct assay_error *err)
{
	static const struct {
		int digest, ecdsa;
	} known[] = {
		{ NID_sha256, NID_ecdsa_with_SHA256 },
		{ NID_sha384, NID_ecdsa_with_SHA384 },
		{ NID_sha512, NID_ecdsa_with_SHA512 },
	};
	X509_ALGOR *digest = NULL, *signature = NULL;
	const ASN1_OBJECT *object;
	int digest_nid, signature_nid;

	CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, &signature);
	X509_ALGOR_get0(&object, NULL, NULL, digest);
	digest_nid = OBJ_obj2nid(object);
	X509_ALGOR_get0(&object, NULL, NULL, signature);
	signature_nid = OBJ_obj2nid(object);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (digest_nid != known[i].digest)
			continue;
		if (signature_nid == (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ?
					      NID_rsaEncryption :
					      known[i].ecdsa))
			return signature_check_key(key, "the signer's key", err);
		return refused(err,
			       "its signature algorithm is not RSA with PKCS#1 v1.5, nor ECDSA "
			       "with the message digest's hash (ENOPKG), or not the "
			       "certificate's");
	}
	return refused(err, "its message digest is not SHA-256, SHA-384 or SHA-512");
}

/* The structure, and the one signer in it. */
static int check_structure(CMS_ContentInfo *cms, CMS_SignerInfo **ret, struct assay_error *err)
{
	STACK_OF(CMS_SignerInfo) * infos;
	CMS_SignerInfo *info;

	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return refused(err, "it is not PKCS#7 signedData");
	if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
		return refused(err, "its content is not of type data");
	if (CMS_is_detached(cms) != 1)
		return refused(err, "it is not detached: there is content inside (EBADMSG)");
	infos = CMS_get0_SignerInfos(cms);
	if (sk_CMS_SignerInfo_num(infos) != 1)
		return refused(err, "it has not exactly one signer");
	info = sk_CMS_SignerInfo_value(infos, 0);
	if (CMS_signed_get_attr_by_NID(info, NID_SMIMECapabilities, -1) >= 0)
		return refused(err, "it has S/MIME capabilities among its attributes; sign "
				    "without attributes, or without these (EKEYREJECTED)");
	*ret = info;
	return 0;
}

static int verify_by(CMS_ContentInfo *cms, CMS_SignerInfo *info, X509 *certificate,
		     struct bytes content, struct assay_error *err)
{
	const unsigned int flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
	BIO *bio = BIO_new_mem_buf(content.data, (int)content.size);
	int good;

	if (!bio)
		return assay_fail(err, ENOMEM, "cannot verify a signature: out of memory");
	CMS_SignerInfo_set1_signer_cert(info, certificate);
	good = CMS_verify(cms, NULL, NULL, bio, NULL, flags);
	BIO_free(bio);
	if (good == 1)
		return 0;
	return assay_fail(err, EKEYREJECTED,
			  "the built-in signature is wrong: it was made by another key, or of "
			  "other data");
}

static int verify_cms(const struct trust *trust, CMS_ContentInfo *cms, struct bytes formatted,
		      X509 **ret_signer, struct assay_error *err)
{
	STACK_OF(X509) *inside = NULL;
	CMS_SignerInfo *info = NULL;
	X509 *signer = NULL;
	int r = check_structure(cms, &info, err);

	if (r < 0)
		return r;
	inside = CMS_get1_certs(cms);
	r = find_signer(trust, info, inside, &signer, err);
	if (r == 0)
		r = check_algorithms(info, X509_get0_pubkey(signer), err);
	if (r == 0)
		r = verify_by(cms, info, signer, formatted, err);
	if (r == 0 && ret_signer) {
		X509_up_ref(signer);
		*ret_signer = signer;
	}
	sk_X509_pop_free(inside, X509_free);
	return r;
}

int trust_verify_pkcs7(const struct trust *trust, struct bytes der,
		       const struct assay_digest *digest, X509 **ret_signer,
		       struct assay_error *err)
{
	uint8_t room[VERITY_FORMATTED_MAX];
	struct bytes formatted = verity_formatted_digest(digest, room);
	const unsigned char *at = der.data;
	CMS_ContentInfo *cms = NULL;
	int r;

	if (formatted.size == 0)
		return assay_fail(err, EINVAL, "built-in signatures are of fs-verity digests only");
	if (der.size == 0)
		return refused(err, "it is empty, which counts as none");
	if (der.size > VERITY_SIGNATURE_MAX)
		return assay_fail(err, EBADMSG,
				  "the built-in signature has more than the %d bytes that the "
				  "kernel takes",
				  VERITY_SIGNATURE_MAX);
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.size);
	if (!cms)
		r = refused(err, "it is not PKCS#7 in DER form (EBADMSG)");
	else if (at != der.data + der.size)
		r = refused(err, "bytes follow it");
	else
		r = verify_cms(trust, cms, formatted, ret_signer, err);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return r;
}

/* ---------------------------------------------------------------- IMA */

static bool has_key_id(X509 *certificate, struct bytes end)
{
	struct bytes id;

	if (certificate_key_id(certificate, &id, NULL) < 0)
		return false;
	return bytes_equal(BYTES(id.data + id.size - 4, 4), end);
}

int trust_verify_ima(const struct trust *trust, struct bytes value,
		     const struct assay_digest *digest, X509 *also, X509 **ret_signer,
		     struct assay_error *err)
{
	struct bytes key_id;
	char hex[9];
	int r = ima_sig_key_id(value, &key_id, err);

	if (r < 0)
		return r;
	r = -ENOKEY;
	/* Four bytes may be the end of several keys' ids: one of them has to fit. */
	for (size_t i = 0; i < trust->count + (also != NULL) && r != 0; i++) {
		X509 *certificate = i < trust->count ? trust->entries[i].certificate : also;

		if (!has_key_id(certificate, key_id))
			continue;
		r = ima_sig_verify(value, digest, certificate, err);
		if (r == 0 && ret_signer) {
			X509_up_ref(certificate);
			*ret_signer = certificate;
		}
	}
	if (r != -ENOKEY)
		return r;
	hex_encode(key_id, hex);
	return assay_fail(err, ENOKEY,
			  "the IMA signature is by the key whose id ends in %s, which none of the "
			  "certificates given has",
			  hex);
}
