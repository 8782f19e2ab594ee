// SPDX-License-Identifier: MIT
#include "sign/certificate_judge.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/utc.h"
#include "sign/certificate.h"
#include "sign/delegate.h"
#include "sign/signature.h"

/* What a delegate is backdated by, and some seconds between two readings of a clock. */
#define DELEGATE_SLACK_SECONDS (DELEGATE_BACKDATE_SECONDS + 60)

static int judge_time(X509 *certificate, uint64_t when, struct assay_error *err)
{
	const ASN1_TIME *from = X509_get0_notBefore(certificate);
	const ASN1_TIME *until = X509_get0_notAfter(certificate);
	time_t time = (time_t)when;
	char text[UTC_LENGTH + 1];
	int early, late;

	if (when == 0)
		return 0;
	early = ASN1_TIME_cmp_time_t(from, time);
	late = ASN1_TIME_cmp_time_t(until, time);
	if (early == -2 || late == -2)
		return assay_fail(err, EOPNOTSUPP,
				  "the certificate's period of validity cannot be read");
	if (early > 0)
		return assay_fail(err, EKEYEXPIRED, "the certificate was not valid yet at %s",
				  utc_text(when, text));
	if (late < 0)
		return assay_fail(err, EKEYEXPIRED, "the certificate has expired before %s",
				  utc_text(when, text));
	return 0;
}

static int judge_extensions(X509 *certificate, struct assay_error *err)
{
	uint32_t flags = X509_get_extension_flags(certificate);

	if (flags & EXFLAG_INVALID)
		return assay_fail(err, EOPNOTSUPP, "an extension of the certificate is malformed");
	if (flags & EXFLAG_CRITICAL)
		return assay_fail(err, EOPNOTSUPP,
				  "the certificate has a critical extension that is not known");
	return 0;
}

static int judge_signature(X509 *certificate, struct assay_error *err)
{
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *object;
	int digest = NID_undef;
	char oid[80];

	X509_get0_signature(NULL, &algorithm, certificate);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	if (OBJ_obj2txt(oid, sizeof(oid), object, 1) > 0 && signature_pure_name(oid))
		return 0;
	(void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
	if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512)
		return 0;
	return assay_fail(err, EOPNOTSUPP,
			  "the certificate is signed with %s, not with SHA-256, SHA-384 or SHA-512",
			  digest == NID_undef ? "an unknown hash" : OBJ_nid2sn(digest));
}

static int judge_key(X509 *certificate, struct assay_error *err)
{
	char description[SIGNATURE_KEY_TEXT];
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	if (!key)
		return assay_fail(err, EOPNOTSUPP, "the certificate's key cannot be read");
	switch (signature_judge_key(key, description)) {
	case SIGNATURE_KEY_GOOD:
	case SIGNATURE_KEY_NEWER:
		return 0;
	case SIGNATURE_KEY_WEAK:
		return assay_fail(err, EOPNOTSUPP, "the certificate's key is too weak (%s)",
				  description);
	default:
		return assay_fail(err, EOPNOTSUPP,
				  "the certificate's key is of a kind or size "
				  "not known (%s)",
				  description);
	}
}

static int judge_certificate(X509 *certificate, uint32_t usage, const char *usage_name,
			     uint64_t when, struct assay_error *err)
{
	int r = judge_time(certificate, when, err);

	if (r == 0)
		r = judge_extensions(certificate, err);
	/* All bits are set where there is no keyUsage. */
	if (r == 0 && !(X509_get_key_usage(certificate) & usage))
		r = assay_fail(err, EOPNOTSUPP, "the certificate's keyUsage does not allow %s",
			       usage_name);
	if (r == 0)
		r = judge_signature(certificate, err);
	if (r == 0)
		r = judge_key(certificate, err);
	crypto_errors_drop();
	return r;
}

/* @r and *err, with the name of the certificate in front */
static int name_certificate(X509 *certificate, int r, struct assay_error *err)
{
	CLEANUP(free_pointer) char *subject = NULL;

	if (r == 0 || !err)
		return r;
	subject = certificate_subject(certificate);
	assay_fail_context(err, "%s", subject ? subject : "a certificate");
	return r;
}

int certificate_judge_at(X509 *certificate, uint64_t when, struct assay_error *err)
{
	return name_certificate(
		certificate,
		judge_certificate(certificate, KU_DIGITAL_SIGNATURE, "digitalSignature", when, err),
		err);
}

/* Whether a certificate is what delegate_new() makes, whoever's key signed it. */
static int judge_delegate(X509 *certificate, struct assay_error *err)
{
	int days = 0, seconds = 0;
	char id[33];

	if (delegate_manifest_id(certificate, id, NULL) < 0)
		return assay_fail(
			err, EOPNOTSUPP,
			"the certificate's issuer is no authority (CA:TRUE, keyCertSign), "
			"and may issue certificates of delegates only");
	if (X509_check_ca(certificate) != 0)
		return assay_fail(err, EOPNOTSUPP, "the delegate's certificate is an authority's");
	if (ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate),
			   X509_get0_notAfter(certificate)) != 1 ||
	    days < 0 || seconds < 0 ||
	    (int64_t)days * 86400 + seconds > DELEGATE_HOURS * 3600 + DELEGATE_SLACK_SECONDS)
		return assay_fail(err, EOPNOTSUPP,
				  "the delegate's certificate is valid for more than %d hours",
				  DELEGATE_HOURS);
	return 0;
}

int certificate_judge_issuer_at(X509 *certificate, X509 *issuer, uint64_t when,
				struct assay_error *err)
{
	/* 1 is what RFC 5280 calls an authority; others are of old versions. */
	bool authority = X509_check_ca(issuer) == 1;
	int r = 0;

	if (authority && !(X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN))
		authority = false;
	if (!authority)
		r = name_certificate(certificate, judge_delegate(certificate, err), err);
	crypto_errors_drop();
	if (r < 0)
		return r;
	return name_certificate(
		issuer,
		authority ? judge_certificate(issuer, KU_KEY_CERT_SIGN, "keyCertSign", when, err) :
			    judge_certificate(issuer, KU_DIGITAL_SIGNATURE, "digitalSignature",
					      when, err),
		err);
}
