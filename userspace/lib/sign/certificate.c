// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/certificate.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/bio.h"
#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/file.h"
#include "sign/signature.h"

/* Certificates of signers are about 1 KiB; what is larger is something else. */
#define CERTIFICATE_SIZE_MAX 65536

static int out_of_memory(struct assay_error *err)
{
	crypto_errors_drop();
	return assay_fail(err, ENOMEM, "cannot read or write a certificate: out of memory");
}

static int unknown_key(X509 *certificate, const char *name, struct assay_error *err)
{
	ASN1_OBJECT *object = NULL;
	const char *pure = NULL;
	char oid[80];

	if (X509_PUBKEY_get0_param(&object, NULL, NULL, NULL, X509_get_X509_PUBKEY(certificate)) &&
	    OBJ_obj2txt(oid, sizeof(oid), object, 1) > 0)
		pure = signature_pure_name(oid);
	if (pure)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s: the key is of %s, which OpenSSL knows from 3.5 on, and here it "
			"is %s: use assay where that is installed (Debian 13)",
			name, pure, OpenSSL_version(OPENSSL_VERSION_STRING));
	return assay_fail(err, EBADMSG, "%s: the certificate's key cannot be read", name);
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
	crypto_errors_drop();
	if (!certificate)
		return assay_fail(err, EBADMSG, "%s holds no X.509 certificate in PEM or DER form",
				  name);
	if (!X509_get0_pubkey(certificate)) {
		int r = unknown_key(certificate, name, err);

		crypto_errors_drop();
		X509_free(certificate);
		return r;
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
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || !PEM_write_bio_X509(bio, certificate))
		return out_of_memory(err);
	buffer_append_bytes(out, bio_bytes(bio));
	return out->failed ? out_of_memory(err) : 0;
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

	crypto_errors_drop();
	if (!id || ASN1_STRING_length(id) < 4)
		return assay_fail(
			err, EINVAL,
			"the certificate has no subject key id, by which the kernel finds "
			"the key of a signature; make one with the extension "
			"subjectKeyIdentifier=hash");
	*ret = BYTES(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
	return 0;
}

bool certificate_same_name(const X509_NAME *a, const X509_NAME *b)
{
	const unsigned char *a_der, *b_der;
	size_t a_size, b_size;

	/* X509_NAME_cmp() does not mind upper and lower case. */
	return X509_NAME_get0_der(a, &a_der, &a_size) && X509_NAME_get0_der(b, &b_der, &b_size) &&
	       bytes_equal(BYTES(a_der, a_size), BYTES(b_der, b_size));
}

int certificate_check_signer(X509 *certificate, const struct signer *signer,
			     struct assay_error *err)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	struct bytes id;
	int r;

	if (EVP_PKEY_eq(key, signer->public_key) != 1) {
		crypto_errors_drop();
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

static char *name_text(const X509_NAME *name)
{
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		struct bytes subject = bio_bytes(bio);
		size_t capacity = 4 * subject.size + 1;

		text = malloc(capacity);
		if (text)
			text_escape(subject, text, capacity);
	}
	return text;
}

char *certificate_subject(X509 *certificate)
{
	return name_text(X509_get_subject_name(certificate));
}

char *certificate_issuer(X509 *certificate)
{
	return name_text(X509_get_issuer_name(certificate));
}
