// SPDX-License-Identifier: MIT
/*
 * Fuzz target: files of certificates and of revocation lists, as the verifier of an enrolment
 * reads them, and the chain that a device brings along; and certificates of attestation keys.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/der.h"
#include "enroll/ek_certificate.h"
#include "fuzz.h"
#include "verify/ak_certificate.h"

#define NOW 1800000000

/* What is taken from the front lies there, one behind the other. */
static void take_apart(struct bytes rest)
{
	struct bytes whole = rest, part;

	while (der_take_sequence(&rest, &part)) {
		inside(part, whole);
		assert(part.size >= 2 && part.data + part.size == rest.data);
	}
	(void)der_is_padding(rest);
	inside(chain_trim(whole), whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	struct chain_trust trust = { .roots = sk_X509_new_null(),
				     .intermediates = sk_X509_new_null(),
				     .revocations = sk_X509_CRL_new_null(),
				     .now = NOW };
	struct tpm_public key = { .type = TPM_ALG_RSA };
	struct chain_revocation revocation;
	struct ak_certificate certified;

	if (!trust.roots || !trust.intermediates || !trust.revocations)
		abort();
	take_apart(text);
	(void)certificates_parse(text, "it", trust.roots, NULL);
	(void)revocations_parse(text, "it", NOW, trust.revocations, NULL);
	assert(sk_X509_num(trust.roots) <= CERTIFICATES_MAX &&
	       sk_X509_CRL_num(trust.revocations) <= CERTIFICATES_MAX);
	/* Trusted or not, it is not of a key without numbers. */
	assert(ek_certificate_check(text, text, &key, &trust, &revocation, NULL) < 0);
	if (ak_certificate_check(text, &trust, true, &certified, NULL) == 0)
		ak_given_free(&certified.key);
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
	sk_X509_CRL_pop_free(trust.revocations, X509_CRL_free);
	return 0;
}
