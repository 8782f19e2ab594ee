// SPDX-License-Identifier: MIT
/*
 * Fuzzing what the module makes of a log that it finds in memory: the very code of
 * kmod/found.c, frame.c and layout.c. What it reports must be a log that it finds good, and
 * that it could go on with.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "found.h"
#include "frame.h"
#include "layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of the input that say what to do with it; the second is how large chunks are. */
#define CONTROL 2
/* With this bit, digests are made to fit, so that records can be good at all. */
#define FIT 0x1

static int hash(void *context, __u16 alg, const struct assay_found_bytes pieces[2], __u8 *digest)
{
	const EVP_MD *md = alg == ASSAY_ALG_SHA1   ? EVP_sha1() :
			   alg == ASSAY_ALG_SHA256 ? EVP_sha256() :
			   alg == ASSAY_ALG_SHA384 ? EVP_sha384() :
						     EVP_sha512();
	EVP_MD_CTX *hasher = context;

	if (EVP_DigestInit_ex(hasher, md, NULL) != 1 ||
	    EVP_DigestUpdate(hasher, pieces[0].data, pieces[0].size) != 1 ||
	    EVP_DigestUpdate(hasher, pieces[1].data, pieces[1].size) != 1 ||
	    EVP_DigestFinal_ex(hasher, digest, NULL) != 1)
		abort();
	return 0;
}

/* Put the right digest into the first records, where they are framed well and do not wrap. */
static void fit_digests(uint8_t *window, size_t size, EVP_MD_CTX *hasher)
{
	const struct assay_log_header *header = (const struct assay_log_header *)(void *)window;
	static const uint16_t algs[] = { ASSAY_ALG_SHA1, ASSAY_ALG_SHA256, ASSAY_ALG_SHA384,
					 ASSAY_ALG_SHA512 };
	struct assay_frame frame;
	size_t at;

	if (size < sizeof(*header) || header->page_size > size || header->ring_size == 0)
		return;
	at = header->page_size + header->head % header->ring_size;
	while (at < size && assay_frame_parse(window + at, size - at, &frame) == 0 &&
	       frame.size <= size - at) {
		for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
			const uint8_t *digest = assay_frame_digest(&frame, algs[i]);
			const struct assay_found_bytes content[2] = {
				{ window + at + frame.content, frame.size - frame.content },
				{ window, 0 },
			};

			if (digest)
				hash(hasher, algs[i], content, window + (digest - window));
		}
		at += frame.size;
	}
}

/* Where the log would go on, whatever its chunks are: they hold it, and fit in its ring. */
static void check_layout(const struct assay_log_header *header, uint64_t chunk)
{
	const struct assay_layout layout = {
		.size = header->ring_size,
		.chunk = chunk < header->ring_size ? chunk : header->ring_size,
	};
	uint64_t count = 0;
	__u64 floor, limit;
	int r;

	r = assay_layout_resume(&layout, header->head, header->tail, &floor, &limit);
	if (r == -ENOSPC)
		return;
	if (r || floor > header->head || limit < header->tail || limit - floor > layout.size)
		abort();
	for (; floor < limit; floor += assay_layout_chunk(&layout, floor))
		if (count++ > layout.size / layout.chunk + 1)
			abort();
	if (floor != limit)
		abort();
}

/* What was reported, laid over what was found, is a log without damage. */
static void check_again(uint8_t *window, size_t size, const struct assay_found *found,
			EVP_MD_CTX *hasher)
{
	struct assay_found again = { 0 };

	memcpy(window, &found->header, sizeof(found->header));
	if (assay_found_check((struct assay_found_bytes){ window, size }, hash, hasher, &again) ||
	    (again.what && !again.unvouched) || (found->unvouched && !again.unvouched) ||
	    again.header.tail != found->header.tail ||
	    again.header.anchored != found->header.anchored ||
	    again.header.records != found->header.records)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_found found = { 0 };
	EVP_MD_CTX *hasher;
	uint8_t *window;
	int r;

	if (size <= CONTROL)
		return 0;
	/* Of just this size, so that one byte too far is seen. */
	window = malloc(size - CONTROL);
	hasher = EVP_MD_CTX_new();
	if (!window || !hasher)
		abort();
	memcpy(window, data + CONTROL, size - CONTROL);
	size -= CONTROL;
	if (data[0] & FIT)
		fit_digests(window, size, hasher);
	r = assay_found_check((struct assay_found_bytes){ window, size }, hash, hasher, &found);
	if (r == 0) {
		const struct assay_log_header *header = &found.header;

		if (header->head > header->anchored || header->anchored > header->tail ||
		    header->tail - header->head > header->ring_size ||
		    header->page_size + header->ring_size > size ||
		    !found.what != !(header->flags & ASSAY_LOG_DAMAGED))
			abort();
		check_layout(header, header->page_size * (1ULL + data[1]));
		/* A log that is damaged in its first record has none. */
		if (header->tail > 0 || header->head_recnum > 0)
			check_again(window, size, &found, hasher);
	} else if (r != -ENODATA && (r != -EBADMSG || !found.what)) {
		abort();
	}
	EVP_MD_CTX_free(hasher);
	free(window);
	return 0;
}
