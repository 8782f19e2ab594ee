// SPDX-License-Identifier: MIT
/* The check of the attestation key's certificate, of the verifier's side or of the evidence. */
#include <stdio.h>

#include "verify/ak_certificate.h"
#include "verify/appraisal.h"
#include "verify/key.h"
#include "verity/verity.h"

/* Room for what revocation lists do not tell. */
#define UNKNOWN_TEXT 128

/* The enrolled key, where the verifier has one beside the certificate; false where it has none. */
static bool find_enrolled(const struct verify_input *input, struct assay_digest *ret)
{
	struct tpm_public public;

	*ret = input->ak_key;
	if (input->ak_public.size == 0)
		return input->ak_key.size > 0;
	/* What is no key is told by ak-expected. */
	return tpm_public_parse(input->ak_public, &public, NULL) == 0 &&
	       tpm_public_key_digest(&public, ret, NULL) == 0;
}

static const char *unknown_text(const struct appraisal *appraisal,
				const struct chain_revocation *revocation,
				char text[static UNKNOWN_TEXT])
{
	const STACK_OF(X509_CRL) *lists = appraisal->input->ak_trust->revocations;

	text[0] = '\0';
	if (!lists || sk_X509_CRL_num(lists) == 0)
		snprintf(text, UNKNOWN_TEXT, "; revocation was not looked at");
	else if (revocation->unknown > 0)
		snprintf(text, UNKNOWN_TEXT,
			 "; of %zu of %zu certificates no revocation list tells",
			 revocation->unknown, revocation->certificates);
	return text;
}

static enum check_result take_certificate(struct appraisal *appraisal,
					  const struct ak_certificate *certificate, char *detail)
{
	char unknown[UNKNOWN_TEXT], enrolled_text[DIGEST_TEXT], found_text[DIGEST_TEXT];
	struct assay_digest enrolled;

	if (find_enrolled(appraisal->input, &enrolled) &&
	    !verity_digest_equal(&enrolled, &certificate->key.key)) {
		check_digest_text(&certificate->key.key, found_text);
		check_digest_text(&enrolled, enrolled_text);
		return check_tell(false, detail,
				  "the certificate of %s is of the key with digest %s; enrolled is "
				  "%s",
				  certificate->subject, found_text, enrolled_text);
	}
	appraisal->certified_key = certificate->key.key;
	appraisal->certified_restricted = certificate->restricted;
	return check_tell(true, detail, "%s, over %zu certificates to the root; %s%s",
			  certificate->subject, certificate->revocation.certificates,
			  certificate->restricted ? "its issuer says that the key is restricted" :
						    "it does not say that the key is restricted",
			  unknown_text(appraisal, &certificate->revocation, unknown));
}

enum check_result check_ak_certificate(struct appraisal *appraisal, char *detail)
{
	const struct verify_input *input = appraisal->input;
	struct bytes certificates = input->ak_certificates.size > 0 ?
					    input->ak_certificates :
					    buffer_bytes(&appraisal->evidence.ak_certificate);
	struct ak_certificate certificate = { 0 };
	struct assay_error err = { 0 };
	struct chain_trust trust;
	enum check_result result;

	if (!input->ak_trust)
		return check_skip(detail, "no roots of attestation keys were named");
	if (certificates.size == 0)
		return check_tell(false, detail,
				  "neither the evidence nor the verifier has a certificate of the "
				  "key");
	trust = *input->ak_trust;
	trust.now = input->now;
	if (ak_certificate_check(certificates, &trust,
				 input->ak_vouched || appraisal->policy->ak_vouched, &certificate,
				 &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	result = take_certificate(appraisal, &certificate, detail);
	ak_given_free(&certificate.key);
	return result;
}
