// SPDX-License-Identifier: MIT
#include "verify/ak_certificate.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"
#include "base/digest.h"
#include "sign/certificate.h"
#include "sign/usage.h"

#define WHAT "the attestation key's certificate"

static int reject(struct assay_error *err, const char *why)
{
	return assay_fail(err, EKEYREJECTED, WHAT " %s", why);
}

static int check_usage(X509 *certificate, bool vouched, bool *ret_restricted,
		       struct assay_error *err)
{
	enum usage usage = usage_of(certificate, USAGE_AIK_CERTIFICATE);

	if (usage == USAGE_INVALID)
		return reject(err, "has an extended key usage that cannot be read");
	*ret_restricted =
		usage == USAGE_NAMED || usage_has_policy(certificate, POLICY_TPM_RESTRICTED);
	if (usage == USAGE_OTHERS && !*ret_restricted && !vouched)
		return reject(err, "is for another purpose: its extended key usage is "
				   "not " USAGE_AIK_CERTIFICATE
				   ", and no policy of it is " POLICY_TPM_RESTRICTED);
	return 0;
}

static int check_extensions(X509 *certificate, bool vouched, bool *ret_restricted,
			    struct assay_error *err)
{
	if (X509_check_ca(certificate) != 0)
		return reject(err, "is an authority's");
	if (!(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE))
		return reject(err, "does not allow digitalSignature");
	if (!usage_name_understood(certificate))
		return reject(err, "has a critical subject alternative name of a kind that the "
				   "TCG's profiles do not have");
	return check_usage(certificate, vouched, ret_restricted, err);
}

static int read_key(X509 *certificate, struct ak_given *ret, struct assay_error *err)
{
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
	int r = size > 0 ? ak_given_read(BYTES(der, (size_t)size), ret, err) :
			   assay_fail(err, EBADMSG, WHAT " has a key that cannot be read");

	OPENSSL_free(der);
	return r;
}

static int tell_certificate(X509 *certificate, struct bytes der, struct ak_certificate *told,
			    struct assay_error *err)
{
	CLEANUP(free_pointer) char *subject = certificate_subject(certificate);

	if (!subject)
		return assay_fail(err, ENOMEM, "out of memory");
	snprintf(told->subject, sizeof(told->subject), "%s", subject[0] ? subject : "no subject");
	return digest_bytes(ASSAY_HASH_SHA256, der, &told->digest, err);
}

int ak_certificate_check(struct bytes certificates, const struct chain_trust *trust, bool vouched,
			 struct ak_certificate *ret, struct assay_error *err)
{
	/* A cloud's authority may be one for endorsement keys, and issue both. */
	static const char *const tcg[] = { USAGE_AIK_CERTIFICATE, NULL };
	static const char *const clouds[] = { USAGE_AIK_CERTIFICATE, USAGE_EK_CERTIFICATE, NULL };
	const struct chain_rules rules = { .what = WHAT, .purposes = vouched ? clouds : tcg };
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct bytes rest = certificates, first = certificates;
	struct ak_certificate told = { 0 };
	int r;

	if (!der_take_sequence(&rest, &first) || der_is_padding(rest))
		rest = BYTES(NULL, 0);
	r = chain_check(first, rest, &rules, trust, &certificate, &told.revocation, err);
	if (r == 0)
		r = check_extensions(certificate, vouched, &told.restricted, err);
	if (r == 0)
		r = tell_certificate(certificate, first, &told, err);
	if (r == 0)
		r = read_key(certificate, &told.key, err);
	crypto_errors_drop();
	if (r == 0)
		*ret = told;
	return r;
}
