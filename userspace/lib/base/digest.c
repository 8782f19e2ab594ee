// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED /* see write_sha1() */
#include "base/digest.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdatomic.h>

#include "base/cleanup.h"

static const enum assay_hash hashes[] = {
	ASSAY_HASH_SHA1,
	ASSAY_HASH_SHA256,
	ASSAY_HASH_SHA384,
	ASSAY_HASH_SHA512,
};

#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

EVP_MD *digest_algorithm(enum assay_hash hash)
{
	static _Atomic(EVP_MD *) fetched[HASHES];

	for (size_t i = 0; i < HASHES; i++) {
		EVP_MD *md, *other = NULL;

		if (hashes[i] != hash)
			continue;
		md = atomic_load(&fetched[i]);
		if (md)
			return md;
		/* What a failure leaves in the queue is not for those who look there later. */
		ERR_set_mark();
		md = EVP_MD_fetch(NULL, assay_hash_name(hash), NULL);
		ERR_pop_to_mark();
		if (!md || atomic_compare_exchange_strong(&fetched[i], &other, md))
			return md;
		/* Another thread was faster. */
		EVP_MD_free(md);
		return other;
	}
	return NULL;
}

/*
 * EVP allocates a state for each digest, which takes as long as hashing a block. For SHA-1, in
 * which lists of a million entries are, and for which there is no engine of ours, these
 * functions, which OpenSSL 3 keeps but calls deprecated, take no more than the hashing.
 */
static bool write_sha1(const struct bytes *pieces, size_t count, uint8_t *out)
{
	SHA_CTX context;
	bool good = SHA1_Init(&context) == 1;

	for (size_t i = 0; i < count && good; i++)
		good = SHA1_Update(&context, pieces[i].data, pieces[i].size) == 1;
	return good && SHA1_Final(out, &context) == 1;
}

static bool write_evp(EVP_MD_CTX *context, const EVP_MD *md, const struct bytes *pieces,
		      size_t count, uint8_t *out)
{
	bool good = context && EVP_DigestInit_ex2(context, md, NULL) == 1;

	for (size_t i = 0; i < count && good; i++)
		good = pieces[i].size == 0 ||
		       EVP_DigestUpdate(context, pieces[i].data, pieces[i].size) == 1;
	return good && EVP_DigestFinal_ex(context, out, NULL) == 1;
}

int digest_write(EVP_MD_CTX *context, enum assay_hash hash, const struct bytes *pieces,
		 size_t count, uint8_t *out, struct assay_error *err)
{
	const EVP_MD *md = digest_algorithm(hash);
	const char *name = assay_hash_name(hash);

	if (!name)
		return assay_fail(err, ENOTSUP, "hash algorithm 0x%04x is not known",
				  (unsigned int)hash);
	if (!md)
		return assay_fail(err, ENOTSUP, "OpenSSL offers no %s here", name);
	if (hash == ASSAY_HASH_SHA1 && write_sha1(pieces, count, out))
		return 0;
	if (write_evp(context, md, pieces, count, out))
		return 0;
	return assay_fail(err, EIO, "OpenSSL cannot compute a %s digest", name);
}

int digest_pieces(enum assay_hash hash, const struct bytes *pieces, size_t count,
		  struct assay_digest *ret, struct assay_error *err)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct assay_digest digest = { .hash = hash, .size = assay_hash_size(hash) };
	int r = digest_write(context, hash, pieces, count, digest.bytes, err);

	if (r == 0)
		*ret = digest;
	return r;
}

int digest_bytes(enum assay_hash hash, struct bytes data, struct assay_digest *ret,
		 struct assay_error *err)
{
	return digest_pieces(hash, &data, 1, ret, err);
}
