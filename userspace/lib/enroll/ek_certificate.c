// SPDX-License-Identifier: MIT
#include "enroll/ek_certificate.h"

#include <errno.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"
#include "sign/certificate.h"
#include "verify/key.h"

#define EKU_EK_CERTIFICATE "2.23.133.8.1" /* tcg-kp-EKCertificate */
#define EKU_ANY "2.5.29.37.0"		  /* RFC 5280, section 4.2.1.12 */
/* What the profile puts into a subject alternative name beside the TPM's maker and model. */
#define HARDWARE_MODULE_NAME "1.3.6.1.5.5.7.8.4" /* RFC 4108 */
#define PERMANENT_IDENTIFIER "1.3.6.1.5.5.7.8.3" /* RFC 4043 */
#define OID_TEXT 64
#define CHAIN_DEPTH 8 /* certificates between the key's and the root */
#define SECURITY_LEVEL                                                             \
	2 /* 112 bits: no SHA-1, no RSA below 2048 (SSL_CTX_set_security_level(3)) \
	   */

static int reject_certificate(struct assay_error *err, const char *why)
{
	return assay_fail(err, EKEYREJECTED, "the endorsement key's certificate %s", why);
}

/* ---------------------------------------------------------------- extensions */

static bool is_oid(const ASN1_OBJECT *object, const char *oid)
{
	char text[OID_TEXT];
	int length = OBJ_obj2txt(text, sizeof(text), object, 1);

	return length > 0 && (size_t)length < sizeof(text) && strcmp(text, oid) == 0;
}

static bool has_usage(const EXTENDED_KEY_USAGE *usage, const char *oid)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++)
		if (is_oid(sk_ASN1_OBJECT_value(usage, i), oid))
			return true;
	return false;
}

static bool has_ek_usage(X509 *certificate)
{
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = has_usage(usage, EKU_EK_CERTIFICATE);

	EXTENDED_KEY_USAGE_free(usage);
	return found;
}

/* An authority's says what its keys may certify, or nothing of it. */
static bool may_certify_eks(X509 *authority)
{
	int critical = 0;
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(authority, NID_ext_key_usage, &critical, NULL);
	/* -1: there is none; -2: there are two, or it does not parse. */
	bool may = usage ? has_usage(usage, EKU_EK_CERTIFICATE) || has_usage(usage, EKU_ANY) :
			   critical == -1;

	EXTENDED_KEY_USAGE_free(usage);
	return may;
}

/* OpenSSL takes a critical name as understood whatever is in it. */
static bool name_understood(X509 *certificate)
{
	int critical = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
	/* -1: there is none; -2: there are two, or it does not parse. */
	bool good = names || critical == -1;

	for (int i = 0; good && critical == 1 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		good = name->type == GEN_DIRNAME ||
		       (name->type == GEN_OTHERNAME &&
			(is_oid(name->d.otherName->type_id, HARDWARE_MODULE_NAME) ||
			 is_oid(name->d.otherName->type_id, PERMANENT_IDENTIFIER)));
	}
	GENERAL_NAMES_free(names);
	return good;
}

static int check_extensions(X509 *certificate, struct assay_error *err)
{
	bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_RSA;
	uint32_t usage = X509_get_key_usage(certificate); /* all bits if it has none */

	if (!has_ek_usage(certificate))
		return reject_certificate(
			err, "is not one: its extended key usage is not " EKU_EK_CERTIFICATE);
	if (X509_check_ca(certificate) != 0)
		return reject_certificate(err, "is an authority's");
	if (!(usage & (rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT)))
		return reject_certificate(err, rsa ? "does not allow keyEncipherment" :
						     "does not allow keyAgreement");
	if (!name_understood(certificate))
		return reject_certificate(
			err, "has a critical subject alternative name of a kind that the EK "
			     "Credential Profile does not have");
	return 0;
}

/* ---------------------------------------------------------------- the chain */

static int reject_at(X509 *certificate, const char *why, struct assay_error *err)
{
	CLEANUP(free_pointer) char *subject = certificate ? certificate_subject(certificate) : NULL;

	return assay_fail(err, EKEYREJECTED, "the endorsement key's certificate %s%s%s%s", why,
			  subject ? " (at the certificate of " : "", subject ? subject : "",
			  subject ? ")" : "");
}

static int fail_chain(X509_STORE_CTX *context, struct assay_error *err)
{
	X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	int code = X509_STORE_CTX_get_error(context);
	char why[256];

	if (code == X509_V_ERR_CERT_REVOKED)
		return reject_at(certificate, "is revoked, or leads over one that is", err);
	snprintf(why, sizeof(why), "leads to no trusted root: %s",
		 X509_verify_cert_error_string(code));
	return reject_at(certificate, why, err);
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

/*
 * Those between the endorsement key's certificate and the root, which is trusted as it is. That
 * they are authorities that may sign certificates OpenSSL has seen to; but what an authority's
 * extended key usage lets it certify it looks at only for purposes that it knows.
 */
static int check_authorities(STACK_OF(X509) * chain, struct assay_error *err)
{
	for (int i = 1; i < sk_X509_num(chain) - 1; i++) {
		X509 *authority = sk_X509_value(chain, i);

		if (!may_certify_eks(authority))
			return reject_at(authority,
					 "is issued by an authority for other purposes: its "
					 "extended key usage is not " EKU_EK_CERTIFICATE,
					 err);
	}
	return 0;
}

CLEANUP_POINTER(X509_STORE, x509_store_free, X509_STORE_free);
CLEANUP_POINTER(X509_STORE_CTX, x509_store_ctx_free, X509_STORE_CTX_free);

static void set_rules(X509_STORE_CTX *context, X509_VERIFY_PARAM *rules,
		      const struct ek_trust *trust)
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
 * @ret_unknown: bit n: the list does not tell of the certificate number n
 * @ret_count: certificates in the chain
 */
static int check_chain(X509 *certificate, const struct ek_trust *trust, STACK_OF(X509) * between,
		       X509_CRL *list, uint32_t *ret_unknown, size_t *ret_count,
		       struct assay_error *err)
{
	X509_VERIFY_PARAM *rules = X509_VERIFY_PARAM_new();
	CLEANUP(x509_store_free_pointer) X509_STORE *store = X509_STORE_new();
	CLEANUP(x509_store_ctx_free_pointer) X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	int r;

	if (!rules || !context || !store || !lists ||
	    X509_STORE_CTX_init(context, store, certificate, between) != 1 ||
	    (list && sk_X509_CRL_push(lists, list) <= 0)) {
		X509_VERIFY_PARAM_free(rules);
		sk_X509_CRL_free(lists);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	set_rules(context, rules, trust);
	*ret_unknown = 0;
	if (list) {
		X509_STORE_CTX_set_flags(context,
					 X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		X509_STORE_CTX_set0_crls(context, lists);
		X509_STORE_CTX_set_verify_cb(context, pass_without_list);
		X509_STORE_CTX_set_app_data(context, ret_unknown);
	}
	r = X509_verify_cert(context) == 1 ?
		    check_authorities(X509_STORE_CTX_get0_chain(context), err) :
		    fail_chain(context, err);
	*ret_count = (size_t)sk_X509_num(X509_STORE_CTX_get0_chain(context));
	sk_X509_CRL_free(lists);
	return r;
}

/* By every list that is at hand. */
static int check_revocation(X509 *certificate, const struct ek_trust *trust,
			    STACK_OF(X509) * between, struct ek_revocation *ret,
			    struct assay_error *err)
{
	int count = trust->revocations ? sk_X509_CRL_num(trust->revocations) : 0;
	uint32_t unknown, unknown_to_all = UINT32_MAX;
	struct ek_revocation revocation = { 0 };
	int r = check_chain(certificate, trust, between, NULL, &unknown, &revocation.certificates,
			    err);

	for (int i = 0; r == 0 && i < count; i++) {
		r = check_chain(certificate, trust, between,
				sk_X509_CRL_value(trust->revocations, i), &unknown,
				&revocation.certificates, err);
		unknown_to_all &= unknown;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; count > 0 && i < revocation.certificates; i++)
		revocation.unknown += unknown_to_all >> i & 1;
	*ret = revocation;
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

struct bytes ek_certificate_trim(struct bytes der)
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

int ek_certificate_check(struct bytes der, struct bytes chain, const struct tpm_public *ek,
			 const struct ek_trust *trust, struct ek_revocation *ret_revocation,
			 struct assay_error *err)
{
	STACK_OF(X509) *between = copy_stack(trust->intermediates);
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	int r;

	if (!between)
		return assay_fail(err, ENOMEM, "out of memory");
	r = certificate_parse(ek_certificate_trim(der), "the endorsement key's certificate",
			      &certificate, err);
	if (r == 0 && chain.size > 0)
		r = certificates_parse(chain, "the chain of the endorsement key's certificate",
				       between, err);
	if (r == 0)
		r = check_revocation(certificate, trust, between, ret_revocation, err);
	sk_X509_pop_free(between, X509_free);
	if (r == 0)
		r = check_extensions(certificate, err);
	if (r == 0)
		r = check_key(certificate, ek, err);
	crypto_errors_drop();
	return r;
}
