// SPDX-License-Identifier: MIT
#include "enroll/ek_certificate.h"

#include <errno.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/usage.h"
#include "verify/key.h"

static int reject_certificate(struct assay_error *err, const char *why)
{
	return assay_fail(err, EKEYREJECTED, "the endorsement key's certificate %s", why);
}

static int check_extensions(X509 *certificate, struct assay_error *err)
{
	bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_RSA;
	uint32_t usage = X509_get_key_usage(certificate); /* all bits if it has none */

	if (usage_of(certificate, USAGE_EK_CERTIFICATE) != USAGE_NAMED)
		return reject_certificate(
			err, "is not one: its extended key usage is not " USAGE_EK_CERTIFICATE);
	if (X509_check_ca(certificate) != 0)
		return reject_certificate(err, "is an authority's");
	if (!(usage & (rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT)))
		return reject_certificate(err, rsa ? "does not allow keyEncipherment" :
						     "does not allow keyAgreement");
	if (!usage_name_understood(certificate))
		return reject_certificate(
			err, "has a critical subject alternative name of a kind that the EK "
			     "Credential Profile does not have");
	return 0;
}

static int check_key(X509 *certificate, const struct tpm_public *ek, struct assay_error *err)
{
	EVP_PKEY *key = tpm_public_key(ek);
	bool same = key && EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) == 1;

	EVP_PKEY_free(key);
	crypto_errors_drop();
	return same ? 0 :
		      reject_certificate(err,
					 "is of another key than the one that the device names");
}

int ek_certificate_check(struct bytes der, struct bytes chain, const struct tpm_public *ek,
			 const struct chain_trust *trust, struct chain_revocation *ret_revocation,
			 struct assay_error *err)
{
	static const char *const purposes[] = { USAGE_EK_CERTIFICATE, NULL };
	static const struct chain_rules rules = { .what = "the endorsement key's certificate",
						  .purposes = purposes };
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	int r = chain_check(der, chain, &rules, trust, &certificate, ret_revocation, err);

	if (r == 0)
		r = check_extensions(certificate, err);
	if (r == 0)
		r = check_key(certificate, ek, err);
	crypto_errors_drop();
	return r;
}
