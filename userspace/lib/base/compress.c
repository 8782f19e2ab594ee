// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* fopencookie() */
#include "base/compress.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

struct compress {
	ZSTD_CCtx *context;
	FILE *to;
	uint8_t out[16384];
};

/* Return: bytes of @in taken, all of them; -1 with errno */
static ssize_t push(struct compress *compress, ZSTD_inBuffer in, ZSTD_EndDirective end)
{
	size_t left;

	do {
		ZSTD_outBuffer out = { compress->out, sizeof(compress->out), 0 };

		left = ZSTD_compressStream2(compress->context, &out, &in, end);
		if (ZSTD_isError(left)) {
			errno = ENOMEM;
			return -1;
		}
		if (fwrite(compress->out, 1, out.pos, compress->to) != out.pos)
			return -1;
	} while (end == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return (ssize_t)in.size;
}

static ssize_t write_some(void *cookie, const char *data, size_t size)
{
	ssize_t taken = push(cookie, (ZSTD_inBuffer){ data, size, 0 }, ZSTD_e_continue);

	return taken < 0 ? 0 : taken; /* what says failed: fopencookie(3) */
}

static int close_frame(void *cookie)
{
	struct compress *compress = cookie;
	ssize_t r = push(compress, (ZSTD_inBuffer){ NULL, 0, 0 }, ZSTD_e_end);

	ZSTD_freeCCtx(compress->context);
	free(compress);
	return r < 0 ? EOF : 0;
}

int compress_open(FILE *to, FILE **ret, struct assay_error *err)
{
	static const cookie_io_functions_t functions = { .write = write_some,
							 .close = close_frame };
	struct compress *compress = malloc(sizeof(*compress));

	if (!compress)
		return assay_fail(err, ENOMEM, "out of memory");
	compress->to = to;
	compress->context = ZSTD_createCCtx();
	if (!compress->context) {
		free(compress);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	/* The reader has something to compare with. Without it nothing but the sizes would tell. */
	ZSTD_CCtx_setParameter(compress->context, ZSTD_c_checksumFlag, 1);
	*ret = fopencookie(compress, "w", functions);
	if (*ret)
		return 0;
	ZSTD_freeCCtx(compress->context);
	free(compress);
	return assay_fail(err, ENOMEM, "out of memory");
}
