// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/certificate.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "sign/signature.h"

/* Certificates of signers are about 1 KiB; what is larger is something else. */
#define CERTIFICATE_SIZE_MAX 65536

/* RFC 5280, section 4.1.2.2: at most 20 octets, positive. */
#define SERIAL_BITS 159

static int out_of_memory(struct assay_error *err)
{
	ERR_clear_error();
	return assay_fail(err, ENOMEM, "cannot make the certificate: out of memory");
}

static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool good = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

	BN_free(number);
	return good;
}

static bool set_names(X509 *certificate, const char *subject)
{
	X509_NAME *name = X509_NAME_new();
	bool good = name &&
		    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					       (const unsigned char *)subject, -1, -1, 0) &&
		    X509_set_subject_name(certificate, name) &&
		    X509_set_issuer_name(certificate, name);

	X509_NAME_free(name);
	return good;
}

static bool add_key_id(X509 *certificate)
{
	unsigned char sha1[EVP_MAX_MD_SIZE];
	unsigned int size;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	bool good = id && X509_pubkey_digest(certificate, EVP_sha1(), sha1, &size) &&
		    ASN1_OCTET_STRING_set(id, sha1, (int)size) &&
		    X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0,
				      X509V3_ADD_DEFAULT);

	ASN1_OCTET_STRING_free(id);
	return good;
}

static bool add_usage(X509 *certificate)
{
	/* RFC 5280, section 4.2.1.3: digitalSignature is bit 0. */
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	bool good = usage && constraints && ASN1_BIT_STRING_set_bit(usage, 0, 1) &&
		    X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) &&
		    X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1,
				      X509V3_ADD_DEFAULT);

	ASN1_BIT_STRING_free(usage);
	BASIC_CONSTRAINTS_free(constraints);
	return good;
}

static bool set_algorithm(const X509_ALGOR *algorithm, int nid, bool rsa)
{
	/* libcrypto gives these out as const only, but has no other way to set them
	 * for a signature that it does not make itself. */
	return X509_ALGOR_set0((X509_ALGOR *)algorithm, OBJ_nid2obj(nid),
			       rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL);
}

/* What X509_sign() does, with a key that is elsewhere. */
static int sign_certificate(struct signer *signer, X509 *certificate, struct assay_error *err)
{
	bool rsa = EVP_PKEY_get_base_id(signer->public_key) == EVP_PKEY_RSA;
	bool wide = !rsa && EVP_PKEY_get_bits(signer->public_key) == 384;
	int nid = rsa  ? NID_sha256WithRSAEncryption :
		  wide ? NID_ecdsa_with_SHA384 :
			 NID_ecdsa_with_SHA256;
	const ASN1_BIT_STRING *place;
	const X509_ALGOR *algorithm;
	unsigned char *tbs = NULL;
	struct buffer signature = { 0 };
	struct assay_digest digest;
	struct bytes piece;
	int size, r;

	X509_get0_signature(&place, &algorithm, certificate);
	if (!set_algorithm(X509_get0_tbs_sigalg(certificate), nid, rsa) ||
	    !set_algorithm(algorithm, nid, rsa))
		return out_of_memory(err);
	size = i2d_re_X509_tbs(certificate, &tbs);
	if (size <= 0)
		return out_of_memory(err);
	piece = BYTES(tbs, (size_t)size);
	r = signature_digest(wide ? ASSAY_HASH_SHA384 : ASSAY_HASH_SHA256, &piece, 1, &digest, err);
	if (r == 0)
		r = signer->sign(signer, &digest, &signature, err);
	OPENSSL_free(tbs);
	if (r == 0) {
		ASN1_BIT_STRING *bits = (ASN1_BIT_STRING *)place;

		if (signature.failed || signature.size > INT_MAX ||
		    !ASN1_BIT_STRING_set(bits, signature.data, (int)signature.size))
			r = out_of_memory(err);
		/* Say that no bits are unused, or the encoder drops trailing zero bits. */
		bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
		bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	}
	buffer_free(&signature);
	return r;
}

/*
 * The encoding as others will read it: what was set piece by piece is checked by
 * parsing it again, and by its own signature.
 */
static int reparse(X509 *made, X509 **ret, struct assay_error *err)
{
	struct buffer der = { 0 };
	X509 *certificate;
	int r = certificate_append_der(made, &der, err);

	if (r == 0)
		r = certificate_parse(buffer_bytes(&der), "the new certificate", &certificate, err);
	buffer_free(&der);
	if (r < 0)
		return r;
	if (X509_verify(certificate, X509_get0_pubkey(certificate)) != 1) {
		ERR_clear_error();
		X509_free(certificate);
		return assay_fail(err, EKEYREJECTED,
				  "the key's signature of its own certificate is wrong");
	}
	*ret = certificate;
	return 0;
}

static size_t characters(const char *utf8)
{
	size_t count = 0;

	for (; *utf8; utf8++)
		count += (*utf8 & 0xc0) != 0x80;
	return count;
}

int certificate_make(struct signer *signer, const char *subject, unsigned int days, X509 **ret,
		     struct assay_error *err)
{
	X509 *certificate;
	int r;

	if (!*subject || characters(subject) > CERTIFICATE_SUBJECT_MAX)
		return assay_fail(err, EINVAL,
				  "the certificate's subject must have 1 to %d characters",
				  CERTIFICATE_SUBJECT_MAX);
	if (days < 1 || days > CERTIFICATE_DAYS_MAX)
		return assay_fail(err, EINVAL, "a certificate is valid for 1 to %d days",
				  CERTIFICATE_DAYS_MAX);
	r = signature_check_key(signer->public_key, "the signing key", err);
	if (r < 0)
		return r;
	certificate = X509_new();
	if (!certificate)
		return out_of_memory(err);
	if (!set_names(certificate, subject)) {
		ERR_clear_error();
		r = assay_fail(err, EINVAL, "the certificate's subject is not UTF-8 text");
	} else if (!X509_set_version(certificate, X509_VERSION_3) || !set_serial(certificate) ||
		   !X509_gmtime_adj(X509_getm_notBefore(certificate), 0) ||
		   !X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL) ||
		   !X509_set_pubkey(certificate, signer->public_key) || !add_key_id(certificate) ||
		   !add_usage(certificate)) {
		r = out_of_memory(err);
	} else {
		r = sign_certificate(signer, certificate, err);
	}
	if (r == 0)
		r = reparse(certificate, ret, err);
	X509_free(certificate);
	return r;
}

int certificate_parse(struct bytes data, const char *name, X509 **ret, struct assay_error *err)
{
	static const char pem[] = "-----BEGIN ";
	X509 *certificate = NULL;

	if (data.size > CERTIFICATE_SIZE_MAX)
		return assay_fail(err, EFBIG, "%s is too large for a certificate", name);
	if (data.size > 0 && memmem(data.data, data.size, pem, sizeof(pem) - 1)) {
		BIO *bio = BIO_new_mem_buf(data.data, (int)data.size);

		if (bio)
			certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
	} else if (data.size > 0) {
		const unsigned char *at = data.data;

		certificate = d2i_X509(NULL, &at, (long)data.size);
		if (certificate && at != data.data + data.size) {
			X509_free(certificate);
			return assay_fail(err, EBADMSG, "%s: bytes follow the certificate", name);
		}
	}
	ERR_clear_error();
	if (!certificate)
		return assay_fail(err, EBADMSG, "%s holds no X.509 certificate in PEM or DER form",
				  name);
	if (!X509_get0_pubkey(certificate)) {
		ERR_clear_error();
		X509_free(certificate);
		return assay_fail(err, EBADMSG, "%s: the certificate's key cannot be read", name);
	}
	*ret = certificate;
	return 0;
}

int certificate_load(const char *path, X509 **ret, struct assay_error *err)
{
	struct buffer data = { 0 };
	int r = file_read(path, CERTIFICATE_SIZE_MAX, &data, err);

	if (r == 0)
		r = certificate_parse(buffer_bytes(&data), path, ret, err);
	buffer_free(&data);
	return r;
}

int certificate_append_pem(X509 *certificate, struct buffer *out, struct assay_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long size;
	int r = 0;

	if (!bio || !PEM_write_bio_X509(bio, certificate)) {
		BIO_free(bio);
		return out_of_memory(err);
	}
	size = BIO_get_mem_data(bio, &text);
	buffer_append(out, text, (size_t)size);
	if (out->failed)
		r = out_of_memory(err);
	BIO_free(bio);
	return r;
}

int certificate_append_der(X509 *certificate, struct buffer *out, struct assay_error *err)
{
	unsigned char *der = NULL;
	int size = i2d_X509(certificate, &der);

	if (size <= 0)
		return out_of_memory(err);
	buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	return out->failed ? out_of_memory(err) : 0;
}

int certificate_key_id(X509 *certificate, struct bytes *ret, struct assay_error *err)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(certificate);

	ERR_clear_error();
	if (!id || ASN1_STRING_length(id) < 4)
		return assay_fail(
			err, EINVAL,
			"the certificate has no subject key id, by which the kernel finds "
			"the key of a signature; make one with the extension "
			"subjectKeyIdentifier=hash");
	*ret = BYTES(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
	return 0;
}

int certificate_check_signer(X509 *certificate, const struct signer *signer,
			     struct assay_error *err)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	struct bytes id;
	int r;

	if (EVP_PKEY_eq(key, signer->public_key) != 1) {
		ERR_clear_error();
		return assay_fail(err, EINVAL,
				  "the certificate is of another key than the signing key");
	}
	r = signature_check_key(key, "the certificate's key", err);
	if (r < 0)
		return r;
	r = certificate_key_id(certificate, &id, err);
	if (r < 0)
		return r;
	/* X509_get_key_usage() has all bits set where there is no keyUsage. */
	if (!(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE))
		return assay_fail(err, EINVAL,
				  "the certificate's keyUsage does not allow digitalSignature");
	return 0;
}

char *certificate_subject(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *data;
	long size;

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
				      XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		size_t capacity;

		size = BIO_get_mem_data(bio, &data);
		capacity = 4 * (size_t)size + 1;
		text = malloc(capacity);
		if (text)
			text_escape(BYTES((const uint8_t *)data, (size_t)size), text, capacity);
	}
	BIO_free(bio);
	return text;
}
