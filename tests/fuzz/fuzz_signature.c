// SPDX-License-Identifier: MIT
/* Certificates, both kinds of signatures and private keys, as they come from files. */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "sign/certificate.h"
#include "sign/certificate_judge.h"
#include "sign/ima_sig.h"
#include "sign/key_file.h"
#include "sign/lint.h"
#include "sign/manifest_signature.h"
#include "sign/pkcs7.h"
#include "sign/pkcs7_given.h"
#include "sign/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good signature, of another digest. */
static const struct assay_digest other_digest = { .hash = ASSAY_HASH_SHA256,
						  .size = 32,
						  .bytes = { 1 } };
static struct buffer good_signature;

/* A certificate that is good, so that the input gets past it to the signatures. */
static X509 *good_certificate(void)
{
	static X509 *certificate;
	EVP_PKEY *key;
	struct signer *signer;
	struct assay_error err;
	BIO *bio;
	char *pem;
	long size;

	if (certificate)
		return certificate;
	key = EVP_EC_gen("P-256");
	bio = BIO_new(BIO_s_mem());
	if (!key || !bio || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		abort();
	size = BIO_get_mem_data(bio, &pem);
	if (key_file_signer(BYTES((uint8_t *)pem, (size_t)size), "key", &signer, &err) < 0 ||
	    certificate_make(signer, "fuzz", 1, &certificate, &err) < 0 ||
	    pkcs7_sign(signer, certificate, &other_digest, &good_signature, &err) < 0)
		abort();
	signer->close(signer);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return certificate;
}

/* Believes the good one's signatures, and all that it issued. */
static struct trust *good_trust(void)
{
	static struct trust *trust;

	if (!trust && (trust_new(&trust, NULL) < 0 ||
		       trust_add(trust, good_certificate(), TRUST_AUTHORITY, NULL) < 0 ||
		       trust_verify_pkcs7(trust, buffer_bytes(&good_signature), &other_digest, NULL,
					  NULL) < 0))
		abort();
	return trust;
}

/* One that ends as the input does, and begins like the good one. */
static int verify_end(struct bytes input, const struct assay_digest *digest)
{
	struct buffer der = { 0 };
	size_t size = input.size < good_signature.size ? input.size : good_signature.size;
	int r;

	buffer_append(&der, good_signature.data, good_signature.size - size);
	buffer_append(&der, input.data, size);
	r = trust_verify_pkcs7(good_trust(), buffer_bytes(&der), digest, NULL, NULL);
	buffer_free(&der);
	return r;
}

static void ignore(void *context, const struct lint_finding *finding)
{
	(void)context;
	(void)finding;
}

/* A CMS of others: what is written of it is of our form, whoever it is by. */
static void take_over(struct bytes input, const struct assay_digest *digest)
{
	struct buffer out = { 0 };
	struct assay_error err = { 0 };

	if (pkcs7_from_cms(input, good_certificate(), &out, &err) == 0 &&
	    pkcs7_verify(buffer_bytes(&out), digest, good_certificate(), &err) == 0)
		abort();
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct bytes input = BYTES(data, size);
	struct signer *signer;
	struct assay_error err;
	X509 *certificate;

	/* No key is here that could have signed: nothing may be accepted. */
	if (pkcs7_verify(input, &digest, good_certificate(), &err) == 0 ||
	    ima_sig_verify(input, &digest, good_certificate(), &err) == 0 ||
	    trust_verify_pkcs7(good_trust(), input, &digest, NULL, &err) == 0 ||
	    verify_end(input, &digest) == 0 ||
	    trust_verify_ima(good_trust(), input, &digest, NULL, NULL, &err) == 0 ||
	    manifest_verify(BYTES_LITERAL("m"), "m", input, good_certificate(),
			    MANIFEST_ACCEPT_FILE_SIGNATURE, &err) == 0)
		abort();
	take_over(input, &digest);
	if (certificate_parse(input, "it", &certificate, &err) == 0) {
		struct bytes id;

		(void)certificate_key_id(certificate, &id, &err);
		free(certificate_subject(certificate));
		(void)certificate_lint(certificate, &certificate, 1, ignore, NULL);
		(void)certificate_judge_at(certificate, 1700000000, &err);
		(void)certificate_judge_issuer_at(certificate, good_certificate(), 1700000000,
						  &err);
		(void)pkcs7_verify(input, &digest, certificate, &err);
		X509_free(certificate);
	}
	if (key_file_signer(input, "it", &signer, &err) == 0)
		signer->close(signer);
	return 0;
}
