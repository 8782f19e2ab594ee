// SPDX-License-Identifier: MIT
#include "sign/lint.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto_errors.h"
#include "sign/signature.h"

/* Before 2050 a time is UTCTime (RFC 5280, section 4.1.2.5), and the kernel insists. */
#define UTC_TIME_END 2050

struct lint {
	X509 *certificate;
	lint_function each;
	void *context;
	unsigned int refused;
};

static void tell(struct lint *lint, const struct lint_finding *finding)
{
	lint->refused |= finding->keyrings;
	lint->each(lint->context, finding);
}

static void find(struct lint *lint, unsigned int keyrings, const char *code, const char *text)
{
	tell(lint, &(struct lint_finding){ .code = code, .text = text, .keyrings = keyrings });
}

/* What assay refuses, and of the kernel's keyrings only these. */
static void find_stricter(struct lint *lint, unsigned int keyrings, const char *code,
			  const char *text)
{
	tell(lint, &(struct lint_finding){
			   .code = code, .text = text, .keyrings = keyrings, .stricter = true });
}

static void check_rsa(struct lint *lint, EVP_PKEY *key)
{
	switch (signature_judge_key(key, NULL)) {
	case SIGNATURE_KEY_GOOD:
	case SIGNATURE_KEY_NEWER:
		break;
	case SIGNATURE_KEY_WEAK:
		find_stricter(
			lint, 0, "rsa-too-short",
			"the RSA key has fewer than 2048 bits, too few for signatures; the "
			"kernel refuses it only in FIPS mode, assay always: make another key");
		break;
	case SIGNATURE_KEY_UNKNOWN:
		find(lint, LINT_ALL, "rsa-size",
		     "the kernel knows RSA keys of 2048, 3072 and 4096 bits (and shorter ones of "
		     "512, 1024 and 1536): signatures by this one are refused (EINVAL)");
		break;
	}
}

static void check_curve(struct lint *lint, EVP_PKEY *key)
{
	char curve[64] = "";

	(void)EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
	if (strcmp(curve, "secp521r1") == 0)
		find(lint, 0, "curve-new", "kernels before 6.10 do not know the curve P-521");
	switch (signature_judge_key(key, NULL)) {
	case SIGNATURE_KEY_GOOD:
	case SIGNATURE_KEY_NEWER:
		break;
	case SIGNATURE_KEY_WEAK:
		find_stricter(lint, 0, "curve-weak",
			      "the key is on the curve P-192, too small for signatures; kernels "
			      "take it, assay does not: take P-256 or P-384");
		break;
	case SIGNATURE_KEY_UNKNOWN:
		find(lint, LINT_ALL, "curve",
		     "the kernel does not know the key's elliptic curve (ENOPKG): take P-256 or "
		     "P-384");
		break;
	}
}

static void check_key(struct lint *lint)
{
	EVP_PKEY *key = X509_get0_pubkey(lint->certificate);

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		check_rsa(lint, key);
		break;
	case EVP_PKEY_EC:
		check_curve(lint, key);
		break;
	default:
		if (signature_is_pure(key)) {
			find(lint, LINT_ALL, "key-newer",
			     "kernels before 7.0 know no ML-DSA (ENOPKG), and those from 7.0 on "
			     "only "
			     "with CONFIG_CRYPTO_MLDSA: sign files with ECDSA or RSA, and the "
			     "manifest "
			     "with this key besides (--also-key)");
			break;
		}
		find(lint, LINT_ALL, "key-type",
		     "the kernel verifies no signatures by this kind of key (ENOPKG): take ECDSA "
		     "P-256 or P-384, or RSA");
	}
}

static bool is_among(int nid, const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (nid == list[i])
			return true;
	return false;
}

/* The certificate's own signature: the kernel has to know how to check it. */
static void check_signature(struct lint *lint)
{
	static const int accepted[] = {
		NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
		NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA256,
		NID_ecdsa_with_SHA384,	     NID_ecdsa_with_SHA512,
	};
	static const int sha1[] = { NID_sha1WithRSAEncryption, NID_ecdsa_with_SHA1 };
	static const int others[] = {
		NID_sha224WithRSAEncryption,
		NID_ecdsa_with_SHA224,
		NID_RSA_SHA3_256,
		NID_RSA_SHA3_384,
		NID_RSA_SHA3_512,
		NID_ecdsa_with_SHA3_256,
		NID_ecdsa_with_SHA3_384,
		NID_ecdsa_with_SHA3_512,
	};
	int nid = X509_get_signature_nid(lint->certificate);
	bool self;

	if (is_among(nid, sha1, sizeof(sha1) / sizeof(sha1[0])))
		find_stricter(lint, 0, "sha1",
			      "the certificate is signed with SHA-1, which assay does not accept; "
			      "of the kernels 6.7 and 6.8 refuse it (ENOPKG): have it signed with "
			      "SHA-256");
	else if (is_among(nid, others, sizeof(others) / sizeof(others[0])))
		find_stricter(lint, 0, "signature-hash",
			      "the certificate is signed with a hash that assay does not accept "
			      "and only newer kernels know: have it signed with SHA-256");
	else if (!is_among(nid, accepted, sizeof(accepted) / sizeof(accepted[0])))
		find(lint, LINT_ALL, "signature-algorithm",
		     "the kernel does not know the algorithm with which the certificate is signed "
		     "(ENOPKG): it must be SHA-256, SHA-384 or SHA-512 with RSA (PKCS#1 v1.5) or "
		     "ECDSA");
	self = certificate_same_name(X509_get_issuer_name(lint->certificate),
				     X509_get_subject_name(lint->certificate));
	if (self && X509_verify(lint->certificate, X509_get0_pubkey(lint->certificate)) != 1)
		find(lint, LINT_ALL, "self-signature",
		     "the certificate names itself as its issuer, but its signature is not by its "
		     "own key (EKEYREJECTED)");
	crypto_errors_drop();
}

static void check_key_id(struct lint *lint)
{
	struct bytes id;

	if (certificate_key_id(lint->certificate, &id, NULL) < 0)
		find_stricter(lint, LINT_IMA | LINT_USER_IMA, "no-key-id",
			      "the certificate has no subject key id of 4 bytes or more, by which "
			      "IMA finds the key of a signature (EACCES) and fs-verity that of a "
			      "delegate; assay signs with none without: make it with "
			      "subjectKeyIdentifier=hash");
}

/* year of a time as it is written; 0 if it cannot be read */
static int year_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? tm.tm_year + 1900 : 0;
}

static void check_times(struct lint *lint)
{
	const ASN1_TIME *times[] = { X509_get0_notBefore(lint->certificate),
				     X509_get0_notAfter(lint->certificate) };

	for (size_t i = 0; i < 2; i++) {
		int year = year_of(times[i]);

		if (year == 0 ||
		    (ASN1_STRING_type(times[i]) == V_ASN1_GENERALIZEDTIME && year < UTC_TIME_END)) {
			find(lint, LINT_ALL, "time",
			     "a time in the certificate is not written as RFC 5280 wants it "
			     "(UTCTime "
			     "until 2049): the kernel does not read the certificate (EBADMSG)");
			break;
		}
	}
	/* The kernel looks at neither. */
	if (X509_cmp_current_time(times[1]) < 0)
		find(lint, 0, "expired",
		     "the certificate has expired; the kernel does not mind, others may");
	else if (X509_cmp_current_time(times[0]) > 0)
		find(lint, 0, "not-yet",
		     "the certificate is not valid yet; the kernel does not mind, others may");
}

static void check_use(struct lint *lint)
{
	uint32_t flags = X509_get_extension_flags(lint->certificate);
	uint32_t usage = X509_get_key_usage(lint->certificate);

	if (!(flags & EXFLAG_KUSAGE))
		find(lint, LINT_IMA, "no-key-usage",
		     "the certificate has no keyUsage; .ima wants digitalSignature (ENOKEY)");
	else if (!(usage & KU_DIGITAL_SIGNATURE))
		find_stricter(lint, LINT_IMA, "key-usage",
			      "the certificate's keyUsage lacks digitalSignature: .ima refuses it "
			      "(ENOKEY), and so does assay");
	if ((flags & EXFLAG_CA) || ((flags & EXFLAG_KUSAGE) && (usage & KU_KEY_CERT_SIGN)))
		find(lint, LINT_IMA, "authority",
		     "the certificate is an authority's (CA:TRUE or keyCertSign), which .ima "
		     "refuses "
		     "(ENOKEY): signers have one of their own");
	if (flags & EXFLAG_INVALID)
		find(lint, 0, "extensions", "an extension of the certificate is malformed");
	for (int i = 0; i < X509_get_ext_count(lint->certificate); i++) {
		X509_EXTENSION *extension = X509_get_ext(lint->certificate, i);

		if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension))
			find_stricter(lint, 0, "critical",
				      "the certificate has a critical extension that is not known; "
				      "the kernel ignores it, assay and others refuse it");
	}
}

static bool issued_by(X509 *certificate, X509 *authority)
{
	const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(certificate);
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(authority);
	bool good = wanted && id && ASN1_OCTET_STRING_cmp(wanted, id) == 0 &&
		    X509_verify(certificate, X509_get0_pubkey(authority)) == 1;

	crypto_errors_drop();
	return good;
}

static void check_issuer(struct lint *lint, X509 *const *authorities, size_t count)
{
	if (certificate_same_name(X509_get_issuer_name(lint->certificate),
				  X509_get_subject_name(lint->certificate))) {
		find(lint, LINT_IMA, "self-signed",
		     "the certificate is self-signed; .ima takes only what a key built into the "
		     "kernel (or in .secondary_trusted_keys) has signed (ENOKEY)");
		return;
	}
	if (!X509_get0_authority_key_id(lint->certificate)) {
		find(lint, LINT_IMA, "no-authority-key-id",
		     "the certificate has no authority key id, by which .ima finds the key that "
		     "signed it (ENOKEY)");
		return;
	}
	if (count == 0) {
		find(lint, 0, "issuer",
		     ".ima takes the certificate only if a key built into the kernel (or in "
		     ".secondary_trusted_keys) has signed it; name those with --ca to have this "
		     "checked");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (issued_by(lint->certificate, authorities[i]))
			return;
	find(lint, LINT_IMA, "issuer",
	     "none of the authorities given has issued the certificate: .ima refuses it (ENOKEY)");
}

unsigned int certificate_lint(X509 *certificate, X509 *const *authorities, size_t count,
			      lint_function each, void *context)
{
	struct lint lint = { .certificate = certificate, .each = each, .context = context };

	check_key(&lint);
	check_signature(&lint);
	check_key_id(&lint);
	check_times(&lint);
	check_use(&lint);
	check_issuer(&lint, authorities, count);
	return lint.refused;
}
