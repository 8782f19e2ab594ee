// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/trust.h"

#include <errno.h>
#include <limits.h>
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/certificate_judge.h"
#include "sign/ima_sig.h"
#include "sign/pkcs7_attributes.h"
#include "sign/pkcs7_kernel.h"
#include "sign/signature.h"
#include "sign/trust_heads.h"
#include "verity/enable.h"
#include "verity/verity.h"

/* Certificates from the signer's to the trusted one; more are somebody's joke. */
#define CHAIN_MAX 8

/**
 * struct trust - see trust.h
 * @authority: may it issue the certificates of signers?
 * @when: see trust_set_time()
 * @heads: of good signatures of PKCS#7
 */
struct trust {
	struct {
		X509 *certificate;
		bool authority;
	} * entries;
	size_t count;
	uint64_t when;
	struct trust_heads *heads;
};

int trust_new(struct trust **ret, struct assay_error *err)
{
	struct trust *trust = calloc(1, sizeof(*trust));

	if (trust)
		trust->heads = trust_heads_new();
	if (!trust || !trust->heads) {
		free(trust);
		return assay_fail(err, ENOMEM, "cannot keep certificates: out of memory");
	}
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
	trust_heads_free(trust->heads);
	free(trust);
}

X509 *trust_find(const struct trust *trust, struct bytes key_id)
{
	struct bytes id;

	for (size_t i = 0; i < trust->count; i++)
		if (certificate_key_id(trust->entries[i].certificate, &id, NULL) == 0 &&
		    bytes_equal(id, key_id))
			return trust->entries[i].certificate;
	return NULL;
}

void trust_set_time(struct trust *trust, uint64_t when)
{
	trust->when = when;
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

/*
 * What is not accepted of a signature. The kernel is a part of it where it is to verify the
 * signature, too: then it either refuses the same, or is less strict.
 */
static int refused(const struct pkcs7_content *content, struct assay_error *err, const char *why)
{
	if (!content->kernel)
		return assay_fail(err, EBADMSG, "%s is not accepted: %s", content->what, why);
	return assay_fail(err, EBADMSG, "the kernel does not take this built-in signature: %s",
			  why);
}

static int refused_stricter(const struct pkcs7_content *content, int code, const char *why,
			    struct assay_error *err)
{
	return assay_fail(
		err, code, "%s is not accepted%s: %s", content->what,
		content->kernel ? " (this is stricter than the kernel, which takes it)" : "", why);
}

static int stricter(const struct pkcs7_content *content, struct assay_error *err, const char *why)
{
	return refused_stricter(content, EOPNOTSUPP, why, err);
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

/* What judging a certificate gave; the kernel asks for none of it. */
static int judged(const struct pkcs7_content *content, int r, const struct assay_error *why,
		  struct assay_error *err)
{
	return r == 0 ? 0 : refused_stricter(content, -r, why->text, err);
}

/* -ENOKEY if none has issued it; else as certificate_judge_issuer_at(). */
static int judge_authority(const struct trust *trust, X509 *certificate, uint64_t when,
			   struct assay_error *err)
{
	int result = -ENOKEY;

	for (size_t i = 0; i < trust->count && result != 0; i++)
		if (trust->entries[i].authority &&
		    is_issued_by(certificate, trust->entries[i].certificate))
			result = certificate_judge_issuer_at(
				certificate, trust->entries[i].certificate, when, err);
	return result;
}

/* An authority's certificate inside the signature that issued @certificate; NULL: none */
static X509 *find_issuer(STACK_OF(X509) * inside, X509 *certificate)
{
	for (int i = 0; i < sk_X509_num(inside); i++) {
		X509 *candidate = sk_X509_value(inside, i);

		if (X509_cmp(candidate, certificate) != 0 && X509_check_ca(candidate) == 1 &&
		    (X509_get_key_usage(candidate) & KU_KEY_CERT_SIGN) &&
		    is_issued_by(certificate, candidate))
			return candidate;
	}
	return NULL;
}

/* From a certificate inside the signature to an authority. -ENOKEY: it does not get there */
static int judge_chain(const struct trust *trust, STACK_OF(X509) * inside, X509 *from,
		       uint64_t when, struct assay_error *err)
{
	for (int step = 0; step < CHAIN_MAX; step++) {
		int r = judge_authority(trust, from, when, err);
		X509 *issuer;

		if (r != -ENOKEY)
			return r;
		issuer = find_issuer(inside, from);
		if (!issuer)
			return -ENOKEY;
		r = certificate_judge_issuer_at(from, issuer, when, err);
		if (r < 0)
			return r;
		from = issuer;
	}
	return -ENOKEY;
}

static int no_authority(const struct pkcs7_content *content, X509 *certificate,
			struct assay_error *err)
{
	CLEANUP(free_pointer) char *issuer = certificate_issuer(certificate);

	return assay_fail(err, ENOKEY,
			  "%s brings its signer's certificate along, which none of the authorities "
			  "given has issued: give its issuer's certificate (--ca), that of %.200s",
			  content->what, issuer ? issuer : "an issuer without a name");
}

/* The signer's certificate, borrowed from @trust or @inside. */
static int find_signer(const struct trust *trust, const struct pkcs7_content *content,
		       CMS_SignerInfo *info, STACK_OF(X509) * inside, X509 **ret,
		       struct assay_error *err)
{
	for (size_t i = 0; i < trust->count; i++)
		if (is_signer(info, trust->entries[i].certificate)) {
			*ret = trust->entries[i].certificate;
			return 0;
		}
	for (int i = 0; i < sk_X509_num(inside); i++) {
		X509 *certificate = sk_X509_value(inside, i);
		struct assay_error why = { 0 };
		int r;

		if (!is_signer(info, certificate))
			continue;
		if (!X509_get0_pubkey(certificate))
			return refused(content, err,
				       "the signer's certificate has a key that is not known");
		r = judge_chain(trust, inside, certificate, content->when, &why);
		if (r == -ENOKEY)
			return no_authority(content, certificate, err);
		*ret = certificate;
		return judged(content, r, &why, err);
	}
	return assay_fail(err, ENOKEY, "%s is by another certificate's key than those given",
			  content->what);
}

/* The message digests that the kernel knows; @accepted here, or ASSAY_HASH_NONE. */
static const struct {
	int digest, ecdsa;
	enum assay_hash accepted;
} digests[] = {
	{ NID_sha256, NID_ecdsa_with_SHA256, ASSAY_HASH_SHA256 },
	{ NID_sha384, NID_ecdsa_with_SHA384, ASSAY_HASH_SHA384 },
	{ NID_sha512, NID_ecdsa_with_SHA512, ASSAY_HASH_SHA512 },
	{ NID_sha1, NID_ecdsa_with_SHA1, ASSAY_HASH_NONE },
	{ NID_sha224, NID_ecdsa_with_SHA224, ASSAY_HASH_NONE },
	{ NID_sha3_256, NID_ecdsa_with_SHA3_256, ASSAY_HASH_NONE },
	{ NID_sha3_384, NID_ecdsa_with_SHA3_384, ASSAY_HASH_NONE },
	{ NID_sha3_512, NID_ecdsa_with_SHA3_512, ASSAY_HASH_NONE },
};

#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

static int algorithm_nid(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return OBJ_obj2nid(object);
}

/* -EBADMSG for algorithms that the kernel does not know. */
static int check_known(CMS_SignerInfo *info, const struct pkcs7_content *content, EVP_PKEY *key,
		       size_t *ret_digest, size_t *ret_signature, struct assay_error *err)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	X509_ALGOR *digest = NULL, *signature = NULL;
	char description[SIGNATURE_KEY_TEXT];
	size_t d = 0, s = 0;

	CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, &signature);
	while (d < DIGESTS && digests[d].digest != algorithm_nid(digest))
		d++;
	while (s < DIGESTS && digests[s].ecdsa != algorithm_nid(signature))
		s++;
	if (d == DIGESTS)
		return refused(content, err,
			       "its message digest is not SHA-256, SHA-384 or SHA-512 (ENOPKG)");
	if (rsa ? algorithm_nid(signature) != NID_rsaEncryption : s == DIGESTS)
		return refused(content, err,
			       "its signature algorithm is not RSA with PKCS#1 v1.5, nor ECDSA "
			       "with the message digest's hash (ENOPKG), or not the "
			       "certificate's");
	if (signature_judge_key(key, description) == SIGNATURE_KEY_UNKNOWN) {
		char why[160];

		snprintf(why, sizeof(why), "the signer's key (%s) is of a kind or size not known",
			 description);
		return refused(content, err, why);
	}
	*ret_digest = d;
	*ret_signature = rsa ? d : s;
	return 0;
}

/* -EOPNOTSUPP for what the kernel takes, and this does not. */
static int check_strength(const struct pkcs7_content *content, X509 *signer, size_t digest,
			  size_t signature, struct assay_error *err)
{
	struct assay_error judgement = { 0 };
	char why[160];

	if (digests[digest].accepted == ASSAY_HASH_NONE) {
		snprintf(why, sizeof(why),
			 "its message digest is %s, not SHA-256, SHA-384 or SHA-512",
			 OBJ_nid2sn(digests[digest].digest));
		return stricter(content, err, why);
	}
	if (signature != digest)
		return stricter(
			content, err,
			"its signature algorithm names another hash than its message digest");
	return judged(content, certificate_judge_at(signer, content->when, &judgement), &judgement,
		      err);
}

/* The structure, and the one signer in it. */
static int check_structure(CMS_ContentInfo *cms, const struct pkcs7_content *content,
			   CMS_SignerInfo **ret, struct assay_error *err)
{
	STACK_OF(CMS_SignerInfo) * infos;
	CMS_SignerInfo *info;

	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return refused(content, err, "it is not PKCS#7 signedData");
	if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
		return refused(content, err, "its content is not of type data");
	if (CMS_is_detached(cms) != 1)
		return refused(content, err,
			       "it is not detached: there is content inside (EBADMSG)");
	infos = CMS_get0_SignerInfos(cms);
	if (sk_CMS_SignerInfo_num(infos) < 1)
		return refused(content, err, "it has no signer");
	if (sk_CMS_SignerInfo_num(infos) > 1)
		return stricter(content, err, "it has more than one signer");
	info = sk_CMS_SignerInfo_value(infos, 0);
	for (int i = 0; content->kernel && i < CMS_signed_get_attr_count(info); i++)
		if (pkcs7_attribute_is_refused(
			    X509_ATTRIBUTE_get0_object(CMS_signed_get_attr(info, i))))
			return refused(content, err,
				       "it has S/MIME capabilities, or what Authenticode has, "
				       "among its attributes; sign without attributes, or without "
				       "these (EKEYREJECTED)");
	*ret = info;
	return 0;
}

static int verify_by(CMS_ContentInfo *cms, CMS_SignerInfo *info, X509 *certificate,
		     const struct pkcs7_content *content, struct assay_error *err)
{
	const unsigned int flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
	BIO *memory = BIO_new_mem_buf(content->bytes.data, (int)content->bytes.size);
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_f_null());

	if (!memory || !bio) {
		BIO_free(memory);
		return assay_fail(err, ENOMEM, "cannot verify a signature: out of memory");
	}
	/* Of a BIO of memory itself CMS_verify() makes a copy, which it loses where it fails. */
	BIO_push(bio, memory);
	CMS_SignerInfo_set1_signer_cert(info, certificate);
	if (CMS_verify(cms, NULL, NULL, bio, NULL, flags) == 1)
		return 0;
	return assay_fail(err, EKEYREJECTED,
			  "%s is wrong: it was made by another key, or of other data",
			  content->what);
}

/* @ret: whose it is, whose reference is the caller's, and of which hash */
static int verify_cms(const struct trust *trust, const struct pkcs7_content *content,
		      CMS_ContentInfo *cms, STACK_OF(X509) * inside, struct trust_head *ret,
		      struct assay_error *err)
{
	CMS_SignerInfo *info = NULL;
	X509 *signer = NULL;
	size_t digest = 0, signature = 0;
	EVP_PKEY *key;
	int r = check_structure(cms, content, &info, err);

	if (r == 0)
		r = find_signer(trust, content, info, inside, &signer, err);
	if (r < 0)
		return r;
	key = X509_get0_pubkey(signer);
	r = check_known(info, content, key, &digest, &signature, err);
	if (r == 0)
		r = verify_by(cms, info, signer, content, err);
	if (r == 0)
		r = check_strength(content, signer, digest, signature, err);
	if (r == 0) {
		X509_up_ref(signer);
		*ret = (struct trust_head){ .signer = signer,
					    .hash = digests[digest].accepted,
					    .when = content->when };
	}
	return r;
}

/*
 * Of a good signature: what others of the same signer begin with. Of attributes the last bytes may
 * be a copy of the signature, so that others would be verified by the copy.
 */
static void keep_head(const struct trust *trust, struct bytes der, CMS_ContentInfo *cms,
		      const struct trust_head *head)
{
	CMS_SignerInfo *info = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);

	if (CMS_signed_get_attr_count(info) < 0 && CMS_unsigned_get_attr_count(info) < 0)
		trust_heads_keep(trust->heads, der, octets(CMS_SignerInfo_get0_signature(info)),
				 head);
}

static int verify_der(const struct trust *trust, struct bytes der,
		      const struct pkcs7_content *content, X509 **ret_signer,
		      struct assay_error *err)
{
	const unsigned char *at = der.data;
	CLEANUP(cms_free_pointer) CMS_ContentInfo *cms = NULL;
	struct trust_head head = { 0 };
	STACK_OF(X509) * inside;
	const char *why;
	int r;

	if (der.size == 0)
		return refused(content, err, "it is empty, which counts as none");
	if (der.size > VERITY_SIGNATURE_MAX)
		return assay_fail(err, EBADMSG,
				  "%s has more than the %d bytes that the kernel takes",
				  content->what, VERITY_SIGNATURE_MAX);
	cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.size);
	if (!cms)
		return refused(content, err, "it is not PKCS#7 in DER form (EBADMSG)");
	inside = CMS_get1_certs(cms);
	r = verify_cms(trust, content, cms, inside, &head, err);
	sk_X509_pop_free(inside, X509_free);
	why = r == 0 && content->kernel ? pkcs7_kernel_refuses(der) : NULL;
	if (why)
		r = refused(content, err, why);
	if (r == 0 && at != der.data + der.size)
		r = stricter(content, err, "bytes follow it");
	/* Of what the kernel does not verify not all was looked at. */
	if (r == 0 && content->kernel)
		keep_head(trust, der, cms, &head);
	if (r == 0 && ret_signer)
		*ret_signer = head.signer;
	else
		X509_free(head.signer);
	return r;
}

/*
 * That begins like one that was found good, so that the signature itself is all there is to verify.
 * Return: 1 where it does not, or is not good, which verify_der() then tells
 */
static int verify_head(const struct trust *trust, struct bytes der,
		       const struct pkcs7_content *content, X509 **ret_signer)
{
	const struct trust_head *head = trust_heads_find(trust->heads, der, content->when);

	if (!head ||
	    signature_verify_message(X509_get0_pubkey(head->signer), head->hash, content->bytes,
				     BYTES(der.data + head->size, der.size - head->size),
				     content->what, NULL) < 0)
		return 1;
	if (ret_signer && X509_up_ref(head->signer) == 1)
		*ret_signer = head->signer;
	return 0;
}

/*
 * By a key of ML-DSA, whose signatures kernels verify from 7.0 on (CONFIG_CRYPTO_MLDSA): in assay's
 * own form only. Return: 1 where it is by none of them
 */
static int verify_pure(const struct trust *trust, struct bytes der,
		       const struct pkcs7_content *content, X509 **ret_signer,
		       struct assay_error *err)
{
	for (size_t i = 0; i < trust->count; i++) {
		X509 *certificate = trust->entries[i].certificate;

		if (!signature_is_pure(X509_get0_pubkey(certificate)) ||
		    pkcs7_verify_content(der, content, certificate, NULL) < 0)
			continue;
		if (ret_signer && X509_up_ref(certificate) == 1)
			*ret_signer = certificate;
		return certificate_judge_at(certificate, content->when, err);
	}
	return 1;
}

int trust_verify_content(const struct trust *trust, struct bytes der,
			 const struct pkcs7_content *content, X509 **ret_signer,
			 struct assay_error *err)
{
	int r = verify_head(trust, der, content, ret_signer);

	if (r == 1)
		r = verify_pure(trust, der, content, ret_signer, err);
	if (r == 1)
		r = verify_der(trust, der, content, ret_signer, err);
	crypto_errors_drop();
	return r;
}

int trust_verify_pkcs7(const struct trust *trust, struct bytes der,
		       const struct assay_digest *digest, X509 **ret_signer,
		       struct assay_error *err)
{
	uint8_t room[VERITY_FORMATTED_MAX];
	struct pkcs7_content content = pkcs7_file_content(digest, room);

	if (content.bytes.size == 0)
		return assay_fail(err, EINVAL, "built-in signatures are of fs-verity digests only");
	content.when = trust->when;
	return trust_verify_content(trust, der, &content, ret_signer, err);
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
		if (r == 0)
			r = certificate_judge_at(certificate, trust->when, err);
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
