// SPDX-License-Identifier: MIT
/* libassay-verify: attestation keys that were read once. */
#include <errno.h>

#include "verify/library_internal.h"

PUBLIC enum assay_verify_error assay_ak_new(struct assay_verify_bytes ak_public,
					    struct assay_ak **ret_ak,
					    struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	struct assay_error err = { 0 };
	struct kept_key *key = NULL;

	if (kept_key_new(library_borrow(ak_public), &key, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_KEY, &err, message);
	*ret_ak = library_ak(key);
	return ASSAY_VERIFY_OK;
}

PUBLIC void assay_ak_free(struct assay_ak *ak)
{
	kept_key_free(library_kept_key(ak));
}

/* ---------------------------------------------------------------- who may certify them */

bool library_is_trust(enum assay_policy_use use)
{
	return use == ASSAY_POLICY_AK_ROOT || use == ASSAY_POLICY_AK_INTERMEDIATE ||
	       use == ASSAY_POLICY_AK_CRL;
}

static int add_lists(struct chain_trust *trust, struct bytes data, const char *name,
		     struct assay_error *err)
{
	if (!trust->revocations)
		trust->revocations = sk_X509_CRL_new_null();
	if (!trust->revocations)
		return assay_fail(err, ENOMEM, "out of memory");
	return revocations_parse(data, name, REVOCATIONS_ANY_TIME, trust->revocations, err);
}

static int add_certificates(STACK_OF(X509) * *stack, struct bytes data, const char *name,
			    struct assay_error *err)
{
	if (!*stack)
		*stack = sk_X509_new_null();
	if (!*stack)
		return assay_fail(err, ENOMEM, "out of memory");
	return certificates_parse(data, name, *stack, err);
}

int library_trust_add(struct chain_trust *trust, enum assay_policy_use use, struct bytes data,
		      const char *name, struct assay_error *err)
{
	if (use == ASSAY_POLICY_AK_CRL)
		return add_lists(trust, data, name, err);
	return add_certificates(use == ASSAY_POLICY_AK_ROOT ? &trust->roots : &trust->intermediates,
				data, name, err);
}

void library_trust_free(struct chain_trust *trust)
{
	sk_X509_pop_free(trust->roots, X509_free);
	sk_X509_pop_free(trust->intermediates, X509_free);
	sk_X509_CRL_pop_free(trust->revocations, X509_CRL_free);
	*trust = (struct chain_trust){ 0 };
}
