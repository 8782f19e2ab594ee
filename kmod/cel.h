/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes TCG Canonical Event Log TLVs: type u8, length u32 big endian, value.
 * Knows no record kinds. Called by the ledger and by those who make content for
 * it.
 *
 * Errors stick: the first one is kept in @error, and everything after it is a
 * no-op, so a writer checks once at the end.
 */
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

/**
 * assay_cel_init() - an empty buffer, to be freed by assay_cel_free()
 * @cel: to initialise
 * @limit: bytes it may grow to
 */
void assay_cel_init(struct assay_cel *cel, size_t limit);

/**
 * assay_cel_free() - free a buffer's memory
 * @cel: initialised buffer
 */
void assay_cel_free(struct assay_cel *cel);

/**
 * assay_cel_begin() - start a TLV whose value is more TLVs
 * @cel: buffer
 * @type: its type
 *
 * Return: what assay_cel_end() needs to fill in the length.
 */
size_t assay_cel_begin(struct assay_cel *cel, u8 type);

/**
 * assay_cel_end() - end the TLV that assay_cel_begin() started
 * @cel: buffer
 * @begin: what assay_cel_begin() returned
 */
void assay_cel_end(struct assay_cel *cel, size_t begin);

/**
 * assay_cel_reserve() - append a TLV whose value the caller fills in
 * @cel: buffer
 * @type: its type
 * @size: bytes of the value
 *
 * Return: where the value goes in the buffer, valid until the next call; NULL after
 * an error.
 */
u8 *assay_cel_reserve(struct assay_cel *cel, u8 type, size_t size);

/**
 * assay_cel_put() - append a TLV
 * @cel: buffer
 * @type: its type
 * @value: its value
 * @size: bytes of the value
 */
void assay_cel_put(struct assay_cel *cel, u8 type, const void *value, size_t size);

/* TLVs of one integer. */
void assay_cel_put_u8(struct assay_cel *cel, u8 type, u8 value);
void assay_cel_put_u32(struct assay_cel *cel, u8 type, u32 value);
void assay_cel_put_u64(struct assay_cel *cel, u8 type, u64 value);

/* A TLV of text, without its terminating NUL. */
void assay_cel_put_text(struct assay_cel *cel, u8 type, const char *text);

#endif /* _ASSAY_CEL_H */
