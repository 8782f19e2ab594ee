// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_compress.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/digest.h"

/* A window of 1 MiB: so much a reader holds, and about three times as much the writer. */
#define LEVEL 3
#define WINDOW_LOG 20
#define PIECE 65536

static void free_stream(ZSTD_CCtx **context)
{
	ZSTD_freeCCtx(*context);
}

static int write_piece(int fd, EVP_MD_CTX *digest, struct bytes piece, struct assay_error *err)
{
	if (EVP_DigestUpdate(digest, piece.data, piece.size) != 1)
		return assay_fail(err, EIO, "cannot compute a digest");
	while (piece.size > 0) {
		ssize_t written = write(fd, piece.data, piece.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return assay_fail(err, errno, "cannot write: %s", strerror(errno));
		piece = BYTES(piece.data + written, piece.size - (size_t)written);
	}
	return 0;
}

static int write_header(int fd, EVP_MD_CTX *digest, const struct archive_header *header,
			struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer frame = { 0 };

	archive_header_make(header, &frame);
	if (frame.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return write_piece(fd, digest, buffer_bytes(&frame), err);
}

static int write_content(int fd, EVP_MD_CTX *digest, ZSTD_CCtx *context, struct bytes content,
			 struct assay_error *err)
{
	ZSTD_inBuffer in = { content.data, content.size, 0 };
	uint8_t piece[PIECE];
	size_t left;

	do {
		ZSTD_outBuffer out = { piece, sizeof(piece), 0 };
		int r;

		left = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
		if (ZSTD_isError(left))
			return assay_fail(err, ENOMEM, "cannot compress: %s",
					  ZSTD_getErrorName(left));
		r = write_piece(fd, digest, BYTES(piece, out.pos), err);
		if (r < 0)
			return r;
	} while (left > 0);
	return 0;
}

int archive_compress(int fd, const struct archive_header *header, struct bytes content,
		     uint8_t digest[ARCHIVE_DIGEST], struct assay_error *err)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *md = EVP_MD_CTX_new();
	CLEANUP(free_stream) ZSTD_CCtx *context = ZSTD_createCCtx();
	EVP_MD *algorithm = digest_algorithm(ASSAY_HASH_SHA256);
	uint8_t value[EVP_MAX_MD_SIZE];
	int r;

	if (!md || !context || !algorithm || EVP_DigestInit_ex2(md, algorithm, NULL) != 1 ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context, content.size)))
		return assay_fail(err, ENOMEM, "cannot begin to compress");
	r = write_header(fd, md, header, err);
	if (r == 0)
		r = write_content(fd, md, context, content, err);
	if (r == 0 && EVP_DigestFinal_ex(md, value, NULL) != 1)
		r = assay_fail(err, EIO, "cannot compute a digest");
	if (r == 0)
		memcpy(digest, value, ARCHIVE_DIGEST);
	return r;
}
