// SPDX-License-Identifier: MIT
/* Certificates and requests that are made, whatever the key is. */
#include "sign/certificate.h"

#include <limits.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/bio.h"
#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/signature.h"

/* RFC 5280, section 4.1.2.2: at most 20 octets, positive. */
#define SERIAL_BITS 159

static int out_of_memory(struct assay_error *err)
{
	crypto_errors_drop();
	return assay_fail(err, ENOMEM, "cannot make the certificate: out of memory");
}

bool certificate_set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool good = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

	BN_free(number);
	return good;
}

static size_t characters(const char *utf8)
{
	size_t count = 0;

	for (; *utf8; utf8++)
		count += (*utf8 & 0xc0) != 0x80;
	return count;
}

/* -EINVAL for text that is none for a certificate. */
static int make_name(const char *subject, X509_NAME **ret, struct assay_error *err)
{
	X509_NAME *name;

	if (!*subject || characters(subject) > CERTIFICATE_SUBJECT_MAX)
		return assay_fail(err, EINVAL,
				  "the certificate's subject must have 1 to %d characters",
				  CERTIFICATE_SUBJECT_MAX);
	name = X509_NAME_new();
	if (!name)
		return out_of_memory(err);
	if (!X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					(const unsigned char *)subject, -1, -1, 0)) {
		crypto_errors_drop();
		X509_NAME_free(name);
		return assay_fail(err, EINVAL, "the certificate's subject is not UTF-8 text");
	}
	*ret = name;
	return 0;
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

/* The extensions that a signer's certificate needs; *@ret is as X509V3_add1_i2d() takes it. */
static bool make_usage(STACK_OF(X509_EXTENSION) * *ret)
{
	/* RFC 5280, section 4.2.1.3: digitalSignature is bit 0. */
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	bool good = usage && constraints && ASN1_BIT_STRING_set_bit(usage, 0, 1) &&
		    X509V3_add1_i2d(ret, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1 &&
		    X509V3_add1_i2d(ret, NID_basic_constraints, constraints, 1,
				    X509V3_ADD_DEFAULT) == 1;

	ASN1_BIT_STRING_free(usage);
	BASIC_CONSTRAINTS_free(constraints);
	return good;
}

static bool add_usage(X509 *certificate)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool good = make_usage(&extensions);

	for (int i = 0; good && i < sk_X509_EXTENSION_num(extensions); i++)
		good = X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return good;
}

static bool set_algorithm(const X509_ALGOR *algorithm, int nid, bool rsa)
{
	/* libcrypto gives these out as const only, but has no other way to set them
	 * for a signature that it does not make itself. */
	return X509_ALGOR_set0((X509_ALGOR *)algorithm, OBJ_nid2obj(nid),
			       rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL);
}

/*
 * The encoding as others will read it: what was set piece by piece is checked by
 * parsing it again, and by its own signature.
 */
static int reparse(X509 *made, EVP_PKEY *issuer, X509 **ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer der = { 0 };
	X509 *certificate;
	int r = certificate_append_der(made, &der, err);

	if (r < 0)
		return r;
	r = certificate_parse(buffer_bytes(&der), "the new certificate", &certificate, err);
	if (r < 0)
		return r;
	if (X509_verify(certificate, issuer) != 1) {
		crypto_errors_drop();
		X509_free(certificate);
		return assay_fail(err, EKEYREJECTED,
				  "the key's signature of the certificate is wrong");
	}
	*ret = certificate;
	return 0;
}

/* With what a key signs certificates; NID_undef if it can with nothing that is known. */
static int signature_nid(const struct signer *signer, bool *ret_rsa, enum assay_hash *ret_hash)
{
	static const struct {
		enum assay_hash hash;
		int rsa, ecdsa;
	} algorithms[] = {
		{ ASSAY_HASH_SHA256, NID_sha256WithRSAEncryption, NID_ecdsa_with_SHA256 },
		{ ASSAY_HASH_SHA384, NID_sha384WithRSAEncryption, NID_ecdsa_with_SHA384 },
		{ ASSAY_HASH_SHA512, NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA512 },
	};
	bool rsa = EVP_PKEY_get_base_id(signer->public_key) == EVP_PKEY_RSA;
	bool wide = !rsa && EVP_PKEY_get_bits(signer->public_key) == 384;
	const char *pure = signature_pure_oid(signer->public_key);

	*ret_rsa = rsa;
	if (pure) {
		*ret_hash = ASSAY_HASH_SHA512; /* of nothing */
		return OBJ_txt2nid(pure);
	}
	*ret_hash = signer->hash != ASSAY_HASH_NONE ? signer->hash :
		    wide			    ? ASSAY_HASH_SHA384 :
						      ASSAY_HASH_SHA256;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].hash == *ret_hash)
			return rsa ? algorithms[i].rsa : algorithms[i].ecdsa;
	return NID_undef;
}

static int no_algorithm(struct assay_error *err)
{
	return assay_fail(err, EINVAL,
			  "the signing key signs digests of a hash only that no certificate may "
			  "be signed with; it must be SHA-256, SHA-384 or SHA-512");
}

/* Signs what was encoded (of @size, freed here; <= 0: it was not) into @bits. */
static int sign_encoded(struct signer *signer, enum assay_hash hash, unsigned char *tbs, int size,
			ASN1_BIT_STRING *bits, struct assay_error *err)
{
	struct buffer signature = { 0 };
	int r;

	if (size <= 0)
		return out_of_memory(err);
	r = signature_make(signer, hash, BYTES(tbs, (size_t)size), &signature, err);
	OPENSSL_free(tbs);
	if (r == 0) {
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

int certificate_sign(struct signer *signer, X509 *certificate, X509 **ret, struct assay_error *err)
{
	const ASN1_BIT_STRING *place;
	const X509_ALGOR *algorithm;
	unsigned char *tbs = NULL;
	enum assay_hash hash;
	bool rsa;
	int nid = signature_nid(signer, &rsa, &hash), size, r;

	if (nid == NID_undef)
		return no_algorithm(err);
	X509_get0_signature(&place, &algorithm, certificate);
	if (!set_algorithm(X509_get0_tbs_sigalg(certificate), nid, rsa) ||
	    !set_algorithm(algorithm, nid, rsa))
		return out_of_memory(err);
	size = i2d_re_X509_tbs(certificate, &tbs);
	r = sign_encoded(signer, hash, tbs, size, (ASN1_BIT_STRING *)place, err);
	return r < 0 ? r : reparse(certificate, signer->public_key, ret, err);
}

static int sign_request(struct signer *signer, X509_REQ *request, struct assay_error *err)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	unsigned char *tbs = NULL;
	enum assay_hash hash;
	bool rsa;
	int nid = signature_nid(signer, &rsa, &hash), r = 0;

	if (nid == NID_undef)
		r = no_algorithm(err);
	else if (!bits || !algorithm || !set_algorithm(algorithm, nid, rsa) ||
		 !X509_REQ_set1_signature_algo(request, algorithm))
		r = out_of_memory(err);
	if (r == 0) {
		int size = i2d_re_X509_REQ_tbs(request, &tbs);

		r = sign_encoded(signer, hash, tbs, size, bits, err);
	}
	if (r == 0) {
		X509_REQ_set0_signature(request, bits);
		bits = NULL;
		if (X509_REQ_verify(request, signer->public_key) != 1) {
			crypto_errors_drop();
			r = assay_fail(err, EKEYREJECTED,
				       "the key's signature of the request is wrong");
		}
	}
	ASN1_BIT_STRING_free(bits);
	X509_ALGOR_free(algorithm);
	return r;
}

static int append_request(X509_REQ *request, struct buffer *out, struct assay_error *err)
{
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || !PEM_write_bio_X509_REQ(bio, request))
		return out_of_memory(err);
	buffer_append_bytes(out, bio_bytes(bio));
	return out->failed ? out_of_memory(err) : 0;
}

int certificate_request(struct signer *signer, const char *subject, struct buffer *out,
			struct assay_error *err)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	X509_REQ *request = NULL;
	X509_NAME *name = NULL;
	int r = signature_check_key(signer->public_key, "the signing key", err);

	if (r == 0)
		r = make_name(subject, &name, err);
	if (r < 0)
		return r;
	request = X509_REQ_new();
	if (!request || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_subject_name(request, name) ||
	    !X509_REQ_set_pubkey(request, signer->public_key) || !make_usage(&extensions) ||
	    !X509_REQ_add_extensions(request, extensions))
		r = out_of_memory(err);
	if (r == 0)
		r = sign_request(signer, request, err);
	if (r == 0)
		r = append_request(request, out, err);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_NAME_free(name);
	X509_REQ_free(request);
	return r;
}

int certificate_make(struct signer *signer, const char *subject, unsigned int days, X509 **ret,
		     struct assay_error *err)
{
	X509_NAME *name = NULL;
	X509 *certificate;
	int r;

	if (days < 1 || days > CERTIFICATE_DAYS_MAX)
		return assay_fail(err, EINVAL, "a certificate is valid for 1 to %d days",
				  CERTIFICATE_DAYS_MAX);
	r = signature_check_key(signer->public_key, "the signing key", err);
	if (r == 0)
		r = make_name(subject, &name, err);
	if (r < 0)
		return r;
	certificate = X509_new();
	if (!certificate || !X509_set_subject_name(certificate, name) ||
	    !X509_set_issuer_name(certificate, name) ||
	    !X509_set_version(certificate, X509_VERSION_3) ||
	    !certificate_set_serial(certificate) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), 0) ||
	    !X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL) ||
	    !X509_set_pubkey(certificate, signer->public_key) || !add_key_id(certificate) ||
	    !add_usage(certificate))
		r = out_of_memory(err);
	else
		r = certificate_sign(signer, certificate, ret, err);
	X509_NAME_free(name);
	X509_free(certificate);
	return r;
}
