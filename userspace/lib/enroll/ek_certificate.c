// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* memmem() */
#include "enroll/ek_certificate.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "sign/certificate.h"
#include "verify/key.h"

#define EKU_EK_CERTIFICATE "2.23.133.8.1" /* tcg-kp-EKCertificate */
/* What the profile puts into a subject alternative name beside the TPM's maker and model. */
#define HARDWARE_MODULE_NAME "1.3.6.1.5.5.7.8.4" /* RFC 4108 */
#define PERMANENT_IDENTIFIER "1.3.6.1.5.5.7.8.3" /* RFC 4043 */
#define OID_TEXT 64
#define CHAIN_DEPTH 8 /* certificates between the key's and the root */
#define SECURITY_LEVEL                                                             \
	2 /* 112 bits: no SHA-1, no RSA below 2048 (SSL_CTX_set_security_level(3)) \
	   */

int certificates_parse(struct bytes data, const char *name, STACK_OF(X509) * out,
		       struct assay_error *err)
{
	static const char pem[] = "-----BEGIN ";
	X509 *certificate;
	BIO *bio;
	int before = sk_X509_num(out), r = 0;

	if (!data.data || !memmem(data.data, data.size, pem, sizeof(pem) - 1)) {
		r = certificate_parse(data, name, &certificate, err);
		if (r == 0 && sk_X509_push(out, certificate) <= 0) {
			X509_free(certificate);
			r = assay_fail(err, ENOMEM, "out of memory");
		}
		return r;
	}
	bio = data.size <= INT_MAX ? BIO_new_mem_buf(data.data, (int)data.size) : NULL;
	if (!bio)
		return assay_fail(err, ENOMEM, "out of memory");
	while (r == 0 && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(out) - before == CERTIFICATES_MAX)
			r = assay_fail(err, E2BIG, "%s holds more than %d certificates", name,
				       CERTIFICATES_MAX);
		else if (sk_X509_push(out, certificate) <= 0)
			r = assay_fail(err, ENOMEM, "out of memory");
		if (r < 0)
			X509_free(certificate);
	}
	/* It ends because nothing begins any more, or because something is no certificate. */
	if (r == 0 && (sk_X509_num(out) == before ||
		       ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		r = assay_fail(err, EBADMSG, "%s: certificate %d in it cannot be read", name,
			       sk_X509_num(out) - before + 1);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

static int reject(struct assay_error *err, const char *why)
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

static bool has_ek_usage(X509 *certificate)
{
	EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++)
		found = found || is_oid(sk_ASN1_OBJECT_value(usage, i), EKU_EK_CERTIFICATE);
	EXTENDED_KEY_USAGE_free(usage);
	return found;
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
		return reject(err, "is not one: its extended key usage is not " EKU_EK_CERTIFICATE);
	if (X509_check_ca(certificate) != 0)
		return reject(err, "is an authority's");
	if (!(usage & (rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT)))
		return reject(err, rsa ? "does not allow keyEncipherment" :
					 "does not allow keyAgreement");
	if (!name_understood(certificate))
		return reject(err, "has a critical subject alternative name of a kind that the EK "
				   "Credential Profile does not have");
	return 0;
}

/* ---------------------------------------------------------------- the chain */

static int fail_chain(X509_STORE_CTX *context, struct assay_error *err)
{
	X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	char *subject = certificate ? certificate_subject(certificate) : NULL;

	assay_fail(err, EKEYREJECTED,
		   "the endorsement key's certificate leads to no trusted root: %s%s%s%s",
		   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)),
		   subject ? " (at the certificate of " : "", subject ? subject : "",
		   subject ? ")" : "");
	free(subject);
	return -EKEYREJECTED;
}

static int check_chain(X509 *certificate, const struct ek_trust *trust, struct assay_error *err)
{
	X509_VERIFY_PARAM *rules = X509_VERIFY_PARAM_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	int r = -ENOMEM;

	if (!rules || !context || !store ||
	    X509_STORE_CTX_init(context, store, certificate, trust->intermediates) != 1) {
		r = assay_fail(err, ENOMEM, "out of memory");
		goto out;
	}
	X509_VERIFY_PARAM_set_time(rules, (time_t)trust->now);
	X509_VERIFY_PARAM_set_depth(rules, CHAIN_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
	/* A root need not have signed itself: an issuing authority can be trusted as it is. */
	X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set0_param(context, rules);
	rules = NULL;
	X509_STORE_CTX_set0_trusted_stack(context, trust->roots);
	r = X509_verify_cert(context) == 1 ? 0 : fail_chain(context, err);
out:
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_VERIFY_PARAM_free(rules);
	ERR_clear_error();
	return r;
}

static int check_key(X509 *certificate, const struct tpm_public *ek, struct assay_error *err)
{
	EVP_PKEY *key = tpm_public_key(ek);
	bool same = key && EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) == 1;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return same ? 0 : reject(err, "is of another key than the one that the device names");
}

int ek_certificate_check(struct bytes der, const struct tpm_public *ek,
			 const struct ek_trust *trust, struct assay_error *err)
{
	X509 *certificate;
	int r = certificate_parse(der, "the endorsement key's certificate", &certificate, err);

	if (r < 0)
		return r;
	r = check_chain(certificate, trust, err);
	if (r == 0)
		r = check_extensions(certificate, err);
	if (r == 0)
		r = check_key(certificate, ek, err);
	X509_free(certificate);
	return r;
}
