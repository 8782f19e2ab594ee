// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#include "frame.h"

/* Type u8, length u32 big endian. */
#define TLV_HEADER 5

#define ALGS 4
static const __u16 algs[ALGS] = { ASSAY_ALG_SHA1, ASSAY_ALG_SHA256, ASSAY_ALG_SHA384,
				  ASSAY_ALG_SHA512 };

__u32 assay_frame_digest_size(__u16 alg)
{
	switch (alg) {
	case ASSAY_ALG_SHA1:
		return 20;
	case ASSAY_ALG_SHA256:
		return 32;
	case ASSAY_ALG_SHA384:
		return 48;
	case ASSAY_ALG_SHA512:
		return 64;
	}
	return 0;
}

static __u32 be32(const __u8 *bytes)
{
	return (__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* The value of the TLV at *@at, which is moved behind its header; NULL if it is none such. */
static const __u8 *take(const __u8 *bytes, __u64 size, __u64 *at, __u8 type, __u32 *ret_size)
{
	if (size - *at < TLV_HEADER || bytes[*at] != type)
		return NULL;
	*ret_size = be32(bytes + *at + 1);
	*at += TLV_HEADER;
	return bytes + *at;
}

/* A value that must be there as a whole, of @want bytes. */
static const __u8 *take_all(const __u8 *bytes, __u64 size, __u64 *at, __u8 type, __u32 want)
{
	__u32 value_size;
	const __u8 *value = take(bytes, size, at, type, &value_size);

	if (!value || value_size != want || size - *at < want)
		return NULL;
	*at += want;
	return value;
}

static const __u8 *find_digest(const __u8 *digests, __u32 size, __u16 alg)
{
	__u64 at = 0;

	while (at < size) {
		__u32 value_size = be32(digests + at + 1);

		if (digests[at] == ASSAY_CEL_DIGEST_TYPE(alg))
			return digests + at + TLV_HEADER;
		at += TLV_HEADER + value_size;
	}
	return NULL;
}

/* Whole TLVs, each of another hash that is known. */
static int check_digests(const __u8 *digests, __u32 size)
{
	unsigned int i;
	__u64 at = 0;

	while (at < size) {
		for (i = 0; i < ALGS; i++) {
			if (digests[at] == ASSAY_CEL_DIGEST_TYPE(algs[i]))
				break;
		}
		if (i == ALGS || find_digest(digests, at, algs[i]) ||
		    !take_all(digests, size, &at, digests[at], assay_frame_digest_size(algs[i])))
			return -EBADMSG;
	}
	return 0;
}

/**
 * assay_frame_parse() - read a record's framing
 * @bytes: its first bytes
 * @size: how many: ASSAY_FRAME_MAX, or less where no more follow
 * @ret: set on success; its digests are in @bytes
 *
 * Whether the content is all there is for the caller to compare with @ret->size.
 *
 * Return: 0; -EBADMSG if it is not exactly what the ABI describes.
 */
int assay_frame_parse(const __u8 *bytes, __u64 size, struct assay_frame *ret)
{
	struct assay_frame frame = {};
	const __u8 *value;
	__u32 content_size;
	unsigned int i;
	__u64 at = 0;

	value = take_all(bytes, size, &at, ASSAY_CEL_RECNUM, 8);
	if (!value)
		return -EBADMSG;
	for (i = 0; i < 8; i++)
		frame.recnum = frame.recnum << 8 | value[i];
	value = take_all(bytes, size, &at, ASSAY_CEL_PCR, 1);
	if (!value)
		return -EBADMSG;
	frame.pcr = *value;
	frame.digests = take(bytes, size, &at, ASSAY_CEL_DIGESTS, &frame.digests_size);
	if (!frame.digests || size - at < frame.digests_size ||
	    check_digests(frame.digests, frame.digests_size))
		return -EBADMSG;
	at += frame.digests_size;
	frame.content = at;
	if (!take(bytes, size, &at, ASSAY_CEL_CONTENT, &content_size))
		return -EBADMSG;
	frame.size = at + content_size;
	*ret = frame;
	return 0;
}

/**
 * assay_frame_digest() - a digest of a record
 * @frame: from assay_frame_parse()
 * @alg: ASSAY_ALG_*
 *
 * Return: the digest, assay_frame_digest_size() bytes; NULL if the record has none.
 */
const __u8 *assay_frame_digest(const struct assay_frame *frame, __u16 alg)
{
	return find_digest(frame->digests, frame->digests_size, alg);
}
