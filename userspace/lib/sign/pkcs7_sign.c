// SPDX-License-Identifier: MIT
/*
 * Making signatures of sign/pkcs7.h. libcrypto puts the structure together, which takes half as
 * long as signing with P-256. Detached, those by one key differ in nothing but the signature's own
 * bytes, which come last, and in lengths, which that one's length settles. So the head, all in
 * front of these bytes, is kept for each length that a signature had.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/pkcs7.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/pkcs7_given.h"
#include "sign/pkcs7_internal.h"
#include "sign/signature.h"
#include "verity/verity.h"

/* ECDSA's signatures mostly have three lengths, for each hash. What finds no room is made anew. */
#define HEADS_MAX 16

struct head {
	const struct pkcs7_algorithm *algorithm;
	size_t signature_size;
	struct buffer bytes;
};

/**
 * struct pkcs7_maker - see pkcs7.h
 * @pure: the key signs messages, not digests of them
 * @lock: for who adds a head
 * @count: of heads; what is below it does not change any more
 */
struct pkcs7_maker {
	struct signer *signer;
	X509 *certificate;
	bool inside, pure;
	pthread_mutex_t lock;
	atomic_size_t count;
	struct head heads[HEADS_MAX];
};

static int out_of_memory(struct assay_error *err)
{
	crypto_errors_drop();
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

/* SignerInfo of RFC 2315, section 9.2, without authenticatedAttributes. */
static bool fill_signer(PKCS7_SIGNER_INFO *info, X509 *certificate,
			const struct pkcs7_algorithm *algorithm, struct bytes signature)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

	return ASN1_INTEGER_set(info->version, 1) &&
	       X509_NAME_set(&info->issuer_and_serial->issuer, X509_get_issuer_name(certificate)) &&
	       ASN1_STRING_copy(info->issuer_and_serial->serial, serial) &&
	       X509_ALGOR_set0(info->digest_alg, OBJ_nid2obj(algorithm->digest), V_ASN1_NULL,
			       NULL) &&
	       X509_ALGOR_set0(info->digest_enc_alg, pkcs7_signature_object(key, algorithm),
			       rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) &&
	       signature.size <= INT_MAX &&
	       ASN1_OCTET_STRING_set(info->enc_digest, signature.data, (int)signature.size);
}

/* Outside, or as an OCTET STRING inside. */
static bool set_content(PKCS7 *pkcs7, const struct pkcs7_content *content)
{
	if (!content->embedded)
		return PKCS7_set_detached(pkcs7, 1);
	return content->bytes.size <= INT_MAX &&
	       ASN1_OCTET_STRING_set(pkcs7->d.sign->contents->d.data, content->bytes.data,
				     (int)content->bytes.size);
}

static int assemble(const struct pkcs7_maker *maker, const struct pkcs7_algorithm *algorithm,
		    const struct pkcs7_content *content, struct bytes signature, struct buffer *out,
		    struct assay_error *err)
{
	PKCS7_SIGNER_INFO *info = PKCS7_SIGNER_INFO_new();
	PKCS7 *pkcs7 = PKCS7_new();
	unsigned char *der = NULL;
	int size = -1;

	if (info && pkcs7 && fill_signer(info, maker->certificate, algorithm, signature) &&
	    PKCS7_set_type(pkcs7, NID_pkcs7_signed) && PKCS7_content_new(pkcs7, NID_pkcs7_data) &&
	    set_content(pkcs7, content) &&
	    (!maker->inside || PKCS7_add_certificate(pkcs7, maker->certificate)) &&
	    PKCS7_add_signer(pkcs7, info)) {
		info = NULL; /* it is pkcs7's now */
		size = i2d_PKCS7(pkcs7, &der);
	}
	PKCS7_SIGNER_INFO_free(info);
	PKCS7_free(pkcs7);
	if (size <= 0)
		return out_of_memory(err);
	buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	return out->failed ? out_of_memory(err) : 0;
}

/* What the structure is found in, so that it need not be put together. */
static const struct head *find_head(struct pkcs7_maker *maker,
				    const struct pkcs7_algorithm *algorithm, size_t signature_size)
{
	size_t count = atomic_load_explicit(&maker->count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (maker->heads[i].algorithm == algorithm &&
		    maker->heads[i].signature_size == signature_size)
			return &maker->heads[i];
	return NULL;
}

/* Keeps the head of a whole structure that ends in @signature; not doing so is no failure. */
static void keep_head(struct pkcs7_maker *maker, const struct pkcs7_algorithm *algorithm,
		      struct bytes whole, struct bytes signature)
{
	struct buffer bytes = { 0 };
	size_t count, size = whole.size - signature.size;

	if (whole.size < signature.size ||
	    !bytes_equal(BYTES(whole.data + size, signature.size), signature))
		return;
	buffer_append(&bytes, whole.data, size);
	pthread_mutex_lock(&maker->lock);
	count = atomic_load_explicit(&maker->count, memory_order_relaxed);
	if (!bytes.failed && count < HEADS_MAX && !find_head(maker, algorithm, signature.size)) {
		maker->heads[count] = (struct head){ algorithm, signature.size, bytes };
		bytes = (struct buffer){ 0 };
		atomic_store_explicit(&maker->count, count + 1, memory_order_release);
	}
	pthread_mutex_unlock(&maker->lock);
	buffer_free(&bytes);
}

static const struct pkcs7_algorithm *find_algorithm(const struct pkcs7_maker *maker,
						    enum assay_hash hash)
{
	/* RFC 9882, section 3.3: it says nothing where there are no attributes, and is SHA-512. */
	if (maker->pure)
		hash = ASSAY_HASH_SHA512;
	/* Who verifies takes any of them, whatever the hash of the file's digest is. */
	if (maker->signer->hash != ASSAY_HASH_NONE)
		hash = maker->signer->hash;
	for (size_t i = 0; i < PKCS7_ALGORITHMS; i++)
		if (pkcs7_algorithms[i].hash == hash)
			return &pkcs7_algorithms[i];
	return NULL;
}

/* @signature: gets the signature's own bytes. 1: @out got the whole of one that was given */
static int sign_bytes(struct pkcs7_maker *maker, const struct pkcs7_content *content,
		      enum assay_hash hash, const struct pkcs7_algorithm **ret,
		      struct buffer *signature, struct buffer *out, struct assay_error *err)
{
	struct assay_error why = { 0 };
	int given, r;

	*ret = find_algorithm(maker, hash);
	if (!*ret || content->bytes.size == 0)
		return assay_fail(err, EINVAL, "%s needs SHA-256, SHA-384 or SHA-512",
				  content->what);
	given = pkcs7_take_given(maker->signer, maker->certificate, maker->inside, content,
				 (*ret)->hash, out, &why);
	if (given == 0)
		return 1;
	r = signature_make(maker->signer, (*ret)->hash, content->bytes, signature, err);
	if (r < 0 && given != -ENOENT)
		return assay_fail(err, -given, "the signature that was given of %s: %s",
				  content->what, why.text);
	return r;
}

int pkcs7_sign_content(struct signer *signer, X509 *certificate, bool inside,
		       const struct pkcs7_content *content, enum assay_hash hash,
		       struct buffer *out, struct assay_error *err)
{
	struct pkcs7_maker once = { .signer = signer,
				    .certificate = certificate,
				    .inside = inside };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	const struct pkcs7_algorithm *algorithm;
	int r;

	once.pure = signature_is_pure(X509_get0_pubkey(certificate));
	r = sign_bytes(&once, content, hash, &algorithm, &signature, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return assemble(&once, algorithm, content, buffer_bytes(&signature), out, err);
}

int pkcs7_maker_new(struct signer *signer, X509 *certificate, bool inside, struct pkcs7_maker **ret,
		    struct assay_error *err)
{
	struct pkcs7_maker *maker = calloc(1, sizeof(*maker));

	if (!maker)
		return out_of_memory(err);
	maker->signer = signer;
	maker->certificate = certificate;
	maker->inside = inside;
	maker->pure = signature_is_pure(X509_get0_pubkey(certificate));
	pthread_mutex_init(&maker->lock, NULL);
	*ret = maker;
	return 0;
}

void pkcs7_maker_free(struct pkcs7_maker *maker)
{
	if (!maker)
		return;
	for (size_t i = 0; i < HEADS_MAX; i++)
		buffer_free(&maker->heads[i].bytes);
	pthread_mutex_destroy(&maker->lock);
	free(maker);
}

int pkcs7_maker_sign(struct pkcs7_maker *maker, const struct assay_digest *digest,
		     struct buffer *out, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	const struct pkcs7_algorithm *algorithm;
	uint8_t room[VERITY_FORMATTED_MAX];
	struct pkcs7_content content;
	const struct head *head;
	size_t before = out->size;
	int r = pkcs7_digest_content(digest, room, &content, err);

	if (r < 0)
		return r;
	r = sign_bytes(maker, &content, digest->hash, &algorithm, &signature, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	head = find_head(maker, algorithm, signature.size);
	if (head) {
		buffer_reserve(out, head->bytes.size + signature.size);
		buffer_append_bytes(out, buffer_bytes(&head->bytes));
		buffer_append_bytes(out, buffer_bytes(&signature));
		return out->failed ? out_of_memory(err) : 0;
	}
	r = assemble(maker, algorithm, &content, buffer_bytes(&signature), out, err);
	if (r == 0)
		keep_head(maker, algorithm, BYTES(out->data + before, out->size - before),
			  buffer_bytes(&signature));
	return r;
}

static int sign_file(struct signer *signer, X509 *certificate, bool inside,
		     const struct assay_digest *digest, struct buffer *out, struct assay_error *err)
{
	uint8_t room[VERITY_FORMATTED_MAX];
	struct pkcs7_content content;
	int r = pkcs7_digest_content(digest, room, &content, err);

	return r < 0 ? r :
		       pkcs7_sign_content(signer, certificate, inside, &content, digest->hash, out,
					  err);
}

int pkcs7_sign(struct signer *signer, X509 *certificate, const struct assay_digest *digest,
	       struct buffer *out, struct assay_error *err)
{
	return sign_file(signer, certificate, false, digest, out, err);
}

int pkcs7_sign_with_certificate(struct signer *signer, X509 *certificate,
				const struct assay_digest *digest, struct buffer *out,
				struct assay_error *err)
{
	return sign_file(signer, certificate, true, digest, out, err);
}
