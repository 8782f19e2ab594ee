// SPDX-License-Identifier: MIT
#include "sign/chain.h"

#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"
#include "sign/certificate.h"
#include "sign/usage.h"

#define CHAIN_DEPTH 8 /* certificates between the key's and the root */
#define SECURITY_LEVEL                                                             \
	2 /* 112 bits: no SHA-1, no RSA below 2048 (SSL_CTX_set_security_level(3)) \
	   */

/*
 * struct walk - a certificate that is judged, with what may stand between it and a root
 * @unknown: bit n: no list tells of the certificate number n of the chain
 * @count: certificates in the chain
 */
struct walk {
	const struct chain_rules *rules;
	const struct chain_trust *trust;
	X509 *certificate;
	STACK_OF(X509) * between;
	uint32_t unknown;
	size_t count;
};

CLEANUP_POINTER(X509_STORE, x509_store_free, X509_STORE_free);
CLEANUP_POINTER(X509_STORE_CTX, x509_store_ctx_free, X509_STORE_CTX_free);

static int reject_at(const struct walk *walk, X509 *certificate, const char *why,
		     struct assay_error *err)
{
	CLEANUP(free_pointer) char *subject = certificate ? certificate_subject(certificate) : NULL;

	return assay_fail(err, EKEYREJECTED, "%s %s%s%s%s", walk->rules->what, why,
			  subject ? " (at the certificate of " : "", subject ? subject : "",
			  subject ? ")" : "");
}

static int fail_chain(const struct walk *walk, X509_STORE_CTX *context, struct assay_error *err)
{
	X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	int code = X509_STORE_CTX_get_error(context);
	char why[256];

	if (code == X509_V_ERR_CERT_REVOKED)
		return reject_at(walk, certificate, "is revoked, or leads over one that is", err);
	if (code == X509_V_ERR_CRL_HAS_EXPIRED || code == X509_V_ERR_CRL_NOT_YET_VALID)
		return reject_at(walk, certificate,
				 code == X509_V_ERR_CRL_HAS_EXPIRED ?
					 "is judged by a revocation list that expired: what was "
					 "revoked since is not in it" :
					 "is judged by a revocation list that is not valid yet: "
					 "check the verifier's clock",
				 err);
	snprintf(why, sizeof(why), "leads to no trusted root: %s",
		 X509_verify_cert_error_string(code));
	return reject_at(walk, certificate, why, err);
}

/*
 * Where a revocation list is at hand it counts; where none is, that is noted and passes. Anything
 * else that is wrong with a list, or with the chain, does not pass.
 */
static int pass_without_list(int good, X509_STORE_CTX *context)
{
	uint32_t *unknown = X509_STORE_CTX_get_app_data(context);

	if (good || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL)
		return good;
	*unknown |= UINT32_C(1) << X509_STORE_CTX_get_error_depth(context);
	X509_STORE_CTX_set_error(context, X509_V_OK);
	return 1;
}

static bool has_purpose(X509 *authority, const char *const purposes[])
{
	enum usage any = usage_of(authority, USAGE_ANY);

	for (; any == USAGE_OTHERS && *purposes; purposes++)
		any = usage_of(authority, *purposes);
	return any == USAGE_ABSENT || any == USAGE_NAMED;
}

/*
 * Those between the key's certificate and the root, which is trusted as it is. That they are
 * authorities that may sign certificates OpenSSL has seen to; but what an authority's extended
 * key usage lets it certify it looks at only for purposes that it knows.
 */
static int check_authorities(const struct walk *walk, STACK_OF(X509) * chain,
			     struct assay_error *err)
{
	for (int i = 1; i < sk_X509_num(chain) - 1; i++) {
		X509 *authority = sk_X509_value(chain, i);
		char why[128];

		snprintf(why, sizeof(why),
			 "is issued by an authority for other purposes: its extended key usage is "
			 "not %s",
			 walk->rules->purposes[0]);
		if (!has_purpose(authority, walk->rules->purposes))
			return reject_at(walk, authority, why, err);
	}
	return 0;
}

static void set_rules(X509_STORE_CTX *context, X509_VERIFY_PARAM *rules,
		      const struct chain_trust *trust)
{
	X509_VERIFY_PARAM_set_time(rules, (time_t)trust->now);
	X509_VERIFY_PARAM_set_depth(rules, CHAIN_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
	/* A root need not have signed itself: an issuing authority can be trusted as it is. */
	X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set0_param(context, rules);
	X509_STORE_CTX_set0_trusted_stack(context, trust->roots);
}

/*
 * The chain, by at most one revocation list: of several, OpenSSL would take one an issuer, and
 * leave out the others with all that they revoke.
 */
static int check_by_list(struct walk *walk, X509_CRL *list, struct assay_error *err)
{
	X509_VERIFY_PARAM *rules = X509_VERIFY_PARAM_new();
	CLEANUP(x509_store_free_pointer) X509_STORE *store = X509_STORE_new();
	CLEANUP(x509_store_ctx_free_pointer) X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	int r;

	if (!rules || !context || !store || !lists ||
	    X509_STORE_CTX_init(context, store, walk->certificate, walk->between) != 1 ||
	    (list && sk_X509_CRL_push(lists, list) <= 0)) {
		X509_VERIFY_PARAM_free(rules);
		sk_X509_CRL_free(lists);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	set_rules(context, rules, walk->trust);
	walk->unknown = 0;
	if (list) {
		X509_STORE_CTX_set_flags(context,
					 X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		X509_STORE_CTX_set0_crls(context, lists);
		X509_STORE_CTX_set_verify_cb(context, pass_without_list);
		X509_STORE_CTX_set_app_data(context, &walk->unknown);
	}
	r = X509_verify_cert(context) == 1 ?
		    check_authorities(walk, X509_STORE_CTX_get0_chain(context), err) :
		    fail_chain(walk, context, err);
	walk->count = (size_t)sk_X509_num(X509_STORE_CTX_get0_chain(context));
	sk_X509_CRL_free(lists);
	return r;
}

/* By every list that is at hand. */
static int check_by_lists(struct walk *walk, struct chain_revocation *ret, struct assay_error *err)
{
	STACK_OF(X509_CRL) *lists = walk->trust->revocations;
	int count = lists ? sk_X509_CRL_num(lists) : 0;
	uint32_t unknown_to_all = UINT32_MAX;
	int r = check_by_list(walk, NULL, err);

	for (int i = 0; r == 0 && i < count; i++) {
		r = check_by_list(walk, sk_X509_CRL_value(lists, i), err);
		unknown_to_all &= walk->unknown;
	}
	if (r < 0)
		return r;
	*ret = (struct chain_revocation){ .certificates = walk->count };
	for (size_t i = 0; count > 0 && i < walk->count; i++)
		ret->unknown += unknown_to_all >> i & 1;
	return 0;
}

struct bytes chain_trim(struct bytes der)
{
	struct bytes rest = der, certificate;

	return der_take_sequence(&rest, &certificate) && der_is_padding(rest) ? certificate : der;
}

static STACK_OF(X509) * copy_stack(STACK_OF(X509) * from)
{
	STACK_OF(X509) *to = sk_X509_new_null();

	for (int i = 0; to && i < sk_X509_num(from); i++) {
		X509 *certificate = sk_X509_value(from, i);

		if (sk_X509_push(to, certificate) <= 0) {
			sk_X509_pop_free(to, X509_free);
			return NULL;
		}
		X509_up_ref(certificate);
	}
	return to;
}

int chain_check(struct bytes der, struct bytes chain, const struct chain_rules *rules,
		const struct chain_trust *trust, X509 **ret,
		struct chain_revocation *ret_revocation, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct walk walk = { .rules = rules,
			     .trust = trust,
			     .between = copy_stack(trust->intermediates) };
	char name[128];
	int r;

	if (!walk.between)
		return assay_fail(err, ENOMEM, "out of memory");
	r = certificate_parse(chain_trim(der), rules->what, &certificate, err);
	snprintf(name, sizeof(name), "the chain of %s", rules->what);
	if (r == 0 && chain.size > 0)
		r = certificates_parse(chain, name, walk.between, err);
	walk.certificate = certificate;
	if (r == 0)
		r = check_by_lists(&walk, ret_revocation, err);
	sk_X509_pop_free(walk.between, X509_free);
	crypto_errors_drop();
	if (r < 0)
		return r;
	*ret = certificate;
	certificate = NULL;
	return 0;
}
