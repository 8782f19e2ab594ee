// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream() */
#include "evidence_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "base/digest.h"
#include "verify/structures.h"

/* Bytes that a frame may ask for to remember: zstd's own programs take as much without being told
 * otherwise. */
#define WINDOW_LOG_MAX 27
#define PIECE 65536U

void evidence_in_forget(struct evidence_in *in)
{
	buffer_free(&in->text);
	evidence_free(&in->evidence);
	in->evidence = (struct evidence){ 0 };
}

void evidence_in_free(struct evidence_in *in)
{
	evidence_in_forget(in);
	buffer_free(&in->nonce);
	buffer_free(&in->made);
	*in = (struct evidence_in){ 0 };
}

/*
 * One for all frames, since making one takes as long as expanding what a device sends. NULL without
 * memory.
 */
static ZSTD_DCtx *expander(void)
{
	static _Thread_local ZSTD_DCtx *kept;

	if (!kept)
		kept = ZSTD_createDCtx();
	if (!kept || ZSTD_isError(ZSTD_DCtx_reset(kept, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(kept, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return NULL;
	return kept;
}

/* Memory grows with what comes out, and never with what a frame says of itself. */
static int expand(struct bytes body, size_t limit, struct buffer *out, struct assay_error *err)
{
	ZSTD_DCtx *context = expander();
	ZSTD_inBuffer in = { body.data, body.size, 0 };
	size_t left = 1;

	if (!context)
		return assay_fail(err, ENOMEM, "out of memory");
	while (left != 0) {
		ZSTD_outBuffer piece = { buffer_reserve(out, PIECE), PIECE, 0 };
		size_t before = in.pos;

		if (!piece.dst)
			return assay_fail(err, ENOMEM, "out of memory");
		left = ZSTD_decompressStream(context, &piece, &in);
		out->size += piece.pos;
		if (ZSTD_isError(left))
			return assay_fail(err, EBADMSG, "the evidence is no frame of zstd: %s",
					  ZSTD_getErrorName(left));
		if (out->size > limit)
			return assay_fail(err, EFBIG,
					  "the evidence has more than %zu bytes when it is "
					  "expanded",
					  limit);
		if (left != 0 && in.pos == before && piece.pos == 0)
			return assay_fail(err, EBADMSG, "the evidence breaks off");
	}
	if (in.pos != in.size)
		return assay_fail(err, EBADMSG, "the evidence is more than one frame of zstd");
	return 0;
}

static int read_quote(const struct evidence *evidence, struct evidence_in *in,
		      struct assay_error *err)
{
	struct tpm_attest attest;
	int r = tpm_attest_parse(buffer_bytes(&evidence->attest), &attest, err);

	if (r < 0)
		return r;
	in->resets = attest.reset_count;
	in->restarts = attest.restart_count;
	in->clock = attest.clock;
	memcpy(in->boot_id, evidence->boot_id, sizeof(in->boot_id));
	buffer_append_bytes(&in->nonce, buffer_bytes(&evidence->nonce));
	if (in->clock > INT64_MAX)
		return assay_fail(err, EBADMSG, "the quote's clock is over 2^63-1");
	return in->nonce.failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

int evidence_in_read(struct bytes body, size_t limit, struct evidence_in *ret,
		     struct assay_error *err)
{
	struct evidence_in in = { .body = body };
	int r = expand(body, limit, &in.text, err);

	if (r == 0)
		r = digest_bytes(ASSAY_HASH_SHA256, body, &in.digest, err);
	if (r == 0)
		r = evidence_parse(buffer_bytes(&in.text), &in.evidence, err);
	if (r == 0)
		r = read_quote(&in.evidence, &in, err);
	if (r < 0) {
		evidence_in_free(&in);
		return r;
	}
	*ret = in;
	return 0;
}

/* ---------------------------------------------------------------- other forms */

static int write_frame(const struct evidence *evidence, FILE *to, struct assay_error *err)
{
	FILE *stream;
	int r = compress_open(to, &stream, err);

	if (r < 0)
		return r;
	r = evidence_write(stream, evidence, err);
	if (fclose(stream) != 0 && r == 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

int evidence_in_make(const struct evidence *evidence, size_t limit, struct evidence_in *ret,
		     struct assay_error *err)
{
	CLEANUP(free_pointer) char *frame = NULL;
	struct buffer made = { 0 };
	size_t size = 0;
	FILE *stream = open_memstream(&frame, &size);
	int r;

	if (!stream)
		return assay_fail(err, ENOMEM, "out of memory");
	r = write_frame(evidence, stream, err);
	if (fclose(stream) != 0 && r == 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	buffer_append(&made, frame, size);
	if (made.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = evidence_in_read(buffer_bytes(&made), limit, ret, err);
	if (r < 0)
		buffer_free(&made);
	else
		ret->made = made;
	return r;
}
