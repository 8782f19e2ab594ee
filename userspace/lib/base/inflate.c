// SPDX-License-Identifier: MIT
#include "base/inflate.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

/* zlib.h, inflateInit2(): the largest window, and the header tells the format. */
#define WINDOW_BITS 15
#define EITHER_FORMAT 32

bool inflate_is_gzip(struct bytes in)
{
	/* RFC 1952, section 2.3.1: ID1, ID2 and deflate. */
	return in.size > 3 && in.data[0] == 0x1f && in.data[1] == 0x8b && in.data[2] == 8;
}

bool inflate_is(struct bytes in)
{
	/* RFC 1950, section 2.2: the two bytes are a multiple of 31. */
	return in.size > 2 && in.data[0] == 0x78 && (in.data[0] << 8 | in.data[1]) % 31 == 0;
}

/* @place: has room for one byte more than there may be, so that more is seen */
static int run(struct bytes in, uint8_t *place, size_t room, size_t *ret_size,
	       struct assay_error *err)
{
	z_stream stream = { .next_in = (uint8_t *)in.data,
			    .avail_in = (uInt)in.size,
			    .next_out = place,
			    .avail_out = (uInt)room };
	int r = inflateInit2(&stream, WINDOW_BITS + EITHER_FORMAT);

	if (r != Z_OK)
		return assay_fail(err, ENOMEM, "zlib cannot begin: out of memory");
	r = inflate(&stream, Z_FINISH);
	*ret_size = stream.total_out;
	inflateEnd(&stream);
	if (r == Z_MEM_ERROR)
		return assay_fail(err, ENOMEM, "zlib has no memory");
	if (*ret_size == room)
		return assay_fail(err, EFBIG, "what is compressed has more than %zu bytes",
				  room - 1);
	if (r != Z_STREAM_END || stream.avail_in > 0)
		return assay_fail(err, EBADMSG,
				  "it is no whole stream of zlib or gzip, with nothing behind it");
	return 0;
}

int inflate_bytes(struct bytes in, size_t most, struct buffer *out, struct assay_error *err)
{
	size_t size = 0;
	void *place;
	int r;

	if (in.size > UINT_MAX || most >= UINT_MAX)
		return assay_fail(err, EFBIG, "it is too large");
	place = buffer_reserve(out, most + 1);
	if (!place)
		return assay_fail(err, ENOMEM, "out of memory");
	r = run(in, place, most + 1, &size, err);
	if (r == 0)
		out->size += size;
	return r;
}
