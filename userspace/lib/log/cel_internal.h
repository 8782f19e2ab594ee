/* SPDX-License-Identifier: MIT */
/* What the readers of CEL-TLV share: records (cel.c) and their contents (cel_assay.c and
 * cel_content.c). */
#ifndef ASSAY_LOG_CEL_INTERNAL_H
#define ASSAY_LOG_CEL_INTERNAL_H

#include "log/cel.h"

#define CEL_TLV_HEADER 5 /* type u8, length u32 */

/* struct cel_tlv - a TLV; @offset is that of its type in the log */
struct cel_tlv {
	uint64_t offset;
	uint8_t type;
	struct bytes whole, value;
};

/*
 * cel_take_tlv() - one TLV off the front
 * @offset: that of in's first byte; moves with it
 * @where: names what holds it, for errors
 *
 * Return: 0, -EBADMSG
 */
int cel_take_tlv(struct bytes *in, uint64_t *offset, const char *where, struct cel_tlv *ret,
		 struct assay_error *err);

/* cel_integer() - a big-endian integer of 1 to @most bytes; false if it is of more or none */
bool cel_integer(struct bytes in, size_t most, uint64_t *ret);

/*
 * cel_parse_digests() - nested TLVs of DIGESTS, or of anything else with a value a bank
 * @digests: room for CEL_MAX_DIGESTS
 *
 * Return: 0, also for none; -EBADMSG
 */
int cel_parse_digests(struct bytes in, uint64_t offset, const char *where,
		      struct assay_digest *digests, size_t *ret_count, struct assay_error *err);

#endif /* ASSAY_LOG_CEL_INTERNAL_H */
