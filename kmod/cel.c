// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes TCG Canonical Event Log TLVs: type u8, length u32 big endian, value.
 * Knows no record kinds. Called by the ledger and by those who make content for
 * it.
 *
 * Errors stick: the first one is kept in @error, and everything after it is a
 * no-op, so a writer checks once at the end.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "cel.h"
#include "compat.h"
#include "piece.h"

#define ASSAY_CEL_FIRST_CAPACITY 1024

/**
 * assay_cel_init() - an empty buffer, to be freed by assay_cel_free()
 * @cel: to initialise
 * @limit: bytes it may grow to
 */
void assay_cel_init(struct assay_cel *cel, size_t limit)
{
	memset(cel, 0, sizeof(*cel));
	cel->limit = limit;
}

/**
 * assay_cel_free() - free a buffer's memory
 * @cel: initialised buffer
 */
void assay_cel_free(struct assay_cel *cel)
{
	kvfree(cel->data);
	cel->data = NULL;
}

/* Room for @size more bytes, which count as written. */
static u8 *assay_cel_grow(struct assay_cel *cel, size_t size)
{
	u8 *place;

	if (cel->error)
		return NULL;
	if (size > cel->limit - cel->size) {
		cel->error = -ENOSPC;
		return NULL;
	}
	if (size > cel->capacity - cel->size) {
		size_t capacity =
			clamp(2 * (cel->size + size), ASSAY_CEL_FIRST_CAPACITY, cel->limit);
		u8 *data = kvmalloc(capacity, GFP_KERNEL_ACCOUNT);

		if (!data) {
			cel->error = -ENOMEM;
			return NULL;
		}
		if (cel->size)
			assay_copy(data, cel->data, cel->size);
		kvfree(cel->data);
		cel->data = data;
		cel->capacity = capacity;
	}
	place = cel->data + cel->size;
	cel->size += size;
	return place;
}

/**
 * assay_cel_begin() - start a TLV whose value is more TLVs
 * @cel: buffer
 * @type: its type
 *
 * Return: what assay_cel_end() needs to fill in the length.
 */
size_t assay_cel_begin(struct assay_cel *cel, u8 type)
{
	size_t begin = cel->size;
	u8 *place = assay_cel_grow(cel, ASSAY_CEL_HEADER_SIZE);

	if (place)
		place[0] = type;
	return begin;
}

/**
 * assay_cel_end() - end the TLV that assay_cel_begin() started
 * @cel: buffer
 * @begin: what assay_cel_begin() returned
 */
void assay_cel_end(struct assay_cel *cel, size_t begin)
{
	if (!cel->error)
		put_unaligned_be32(cel->size - begin - ASSAY_CEL_HEADER_SIZE,
				   cel->data + begin + 1);
}

/**
 * assay_cel_reserve() - append a TLV whose value the caller fills in
 * @cel: buffer
 * @type: its type
 * @size: bytes of the value
 *
 * Return: where the value goes in the buffer, valid until the next call; NULL after
 * an error.
 */
u8 *assay_cel_reserve(struct assay_cel *cel, u8 type, size_t size)
{
	u8 *place = assay_cel_grow(cel, ASSAY_CEL_HEADER_SIZE + size);

	if (!place)
		return NULL;
	place[0] = type;
	put_unaligned_be32(size, place + 1);
	return place + ASSAY_CEL_HEADER_SIZE;
}

/**
 * assay_cel_put() - append a TLV
 * @cel: buffer
 * @type: its type
 * @value: its value
 * @size: bytes of the value
 */
void assay_cel_put(struct assay_cel *cel, u8 type, const void *value, size_t size)
{
	u8 *place = assay_cel_reserve(cel, type, size);

	if (place)
		memcpy(place, value, size);
}

void assay_cel_put_u8(struct assay_cel *cel, u8 type, u8 value)
{
	assay_cel_put(cel, type, &value, sizeof(value));
}

void assay_cel_put_u32(struct assay_cel *cel, u8 type, u32 value)
{
	__be32 be = cpu_to_be32(value);

	assay_cel_put(cel, type, &be, sizeof(be));
}

void assay_cel_put_u64(struct assay_cel *cel, u8 type, u64 value)
{
	__be64 be = cpu_to_be64(value);

	assay_cel_put(cel, type, &be, sizeof(be));
}

void assay_cel_put_text(struct assay_cel *cel, u8 type, const char *text)
{
	assay_cel_put(cel, type, text, strlen(text));
}
