// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stdbool.h>
#include <stddef.h>
#endif

#include "frame.h"
#include "mirror.h"

/* Type u8, length u32 big endian. */
#define TLV_HEADER 5

/* The kernel's own limit for the name of a template, or a format in its place. */
#define TEMPLATE_MAX 255

/* struct rest - what is not read yet */
struct rest {
	const __u8 *bytes;
	__u32 size;
};

static __u32 be32(const __u8 *bytes)
{
	return (__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* The value of the TLV that @rest begins with, which is taken off; NULL if it is none of @type. */
static const __u8 *take(struct rest *rest, __u8 type, __u32 *ret_size)
{
	const __u8 *value;
	__u32 size;

	if (rest->size < TLV_HEADER || rest->bytes[0] != type)
		return NULL;
	size = be32(rest->bytes + 1);
	if (size > rest->size - TLV_HEADER)
		return NULL;
	value = rest->bytes + TLV_HEADER;
	rest->bytes = value + size;
	rest->size -= TLV_HEADER + size;
	*ret_size = size;
	return value;
}

/* One digest, of an algorithm whose bit is not in *@seen yet. */
static bool take_digest(struct rest *rest, __u32 *seen)
{
	__u32 size, bit;
	const __u8 *value = take(rest, ASSAY_FIELD_IMA_DIGEST, &size);
	__u16 alg;

	if (!value || size <= sizeof(alg))
		return false;
	alg = (__u16)(value[0] << 8 | value[1]);
	if (size != sizeof(alg) + assay_frame_digest_size(alg))
		return false;
	/* Every ASSAY_ALG_* is below 32. */
	bit = 1U << (alg & 31);
	if (*seen & bit)
		return false;
	*seen |= bit;
	return true;
}

int assay_mirror_check(const __u8 *bytes, __u32 size)
{
	struct rest rest = { bytes, size };
	__u32 seen = 0, value_size;

	if (!take(&rest, ASSAY_FIELD_IMA_PCR, &value_size) || value_size != sizeof(__u32))
		return -EINVAL;
	do {
		if (!take_digest(&rest, &seen))
			return -EINVAL;
	} while (rest.size && rest.bytes[0] == ASSAY_FIELD_IMA_DIGEST);
	if (!take(&rest, ASSAY_FIELD_IMA_TEMPLATE, &value_size) || !value_size ||
	    value_size > TEMPLATE_MAX)
		return -EINVAL;
	if (!take(&rest, ASSAY_FIELD_IMA_DATA, &value_size) || !value_size || rest.size)
		return -EINVAL;
	return 0;
}
