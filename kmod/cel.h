/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes TCG Canonical Event Log TLVs. */
#ifndef _ASSAY_CEL_H
#define _ASSAY_CEL_H

#include <linux/types.h>

/* Type and length. */
#define ASSAY_CEL_HEADER_SIZE 5

/**
 * struct assay_cel - a buffer of TLVs
 * @data: what was written
 * @size: bytes of @data in use
 * @capacity: bytes of @data
 * @limit: bytes that @data never exceeds
 * @error: 0, -ENOMEM, or -ENOSPC once @limit was reached
 */
struct assay_cel {
	u8 *data;
	size_t size;
	size_t capacity;
	size_t limit;
	int error;
};

void assay_cel_init(struct assay_cel *cel, size_t limit);
void assay_cel_free(struct assay_cel *cel);
size_t assay_cel_begin(struct assay_cel *cel, u8 type);
void assay_cel_end(struct assay_cel *cel, size_t begin);
u8 *assay_cel_reserve(struct assay_cel *cel, u8 type, size_t size);
void assay_cel_put(struct assay_cel *cel, u8 type, const void *value, size_t size);

/* TLVs of one integer. */
void assay_cel_put_u8(struct assay_cel *cel, u8 type, u8 value);
void assay_cel_put_u32(struct assay_cel *cel, u8 type, u32 value);
void assay_cel_put_u64(struct assay_cel *cel, u8 type, u64 value);

/* A TLV of text, without its terminating NUL. */
void assay_cel_put_text(struct assay_cel *cel, u8 type, const char *text);

#endif /* _ASSAY_CEL_H */
