/* SPDX-License-Identifier: MIT */
/*
 * Bounded reading and growing writing of binary data, and its text encodings.
 *
 * A parser takes a `struct bytes` of what is left and moves it forward; every
 * take checks that enough is left first, so nothing is read past the end.
 */
#ifndef ASSAY_BASE_BYTES_H
#define ASSAY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay.h"

/* A borrowed piece of memory; whoever made it owns what it points to. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

#define BYTES(pointer, length) ((struct bytes){ (pointer), (length) })
/* A string literal's or array's bytes, without the terminating NUL. */
#define BYTES_LITERAL(text) ((struct bytes){ (const uint8_t *)(text), sizeof(text) - 1 })

/* Each takes from the front of @in; false, with nothing taken, if too little is left. */
bool bytes_take(struct bytes *in, size_t size, struct bytes *ret);
bool bytes_take_u8(struct bytes *in, uint8_t *ret);
bool bytes_take_be16(struct bytes *in, uint16_t *ret);
bool bytes_take_be32(struct bytes *in, uint32_t *ret);
bool bytes_take_be64(struct bytes *in, uint64_t *ret);
bool bytes_take_le16(struct bytes *in, uint16_t *ret);
bool bytes_take_le32(struct bytes *in, uint32_t *ret);
bool bytes_take_le64(struct bytes *in, uint64_t *ret);

bool bytes_equal(struct bytes a, struct bytes b);
/* No byte that is not 0; of no bytes as well. */
bool bytes_are_zero(struct bytes bytes);
/* Takes the same time wherever the bytes differ; sizes are not secret. */
bool bytes_equal_constant_time(struct bytes a, struct bytes b);

/*
 * A growing buffer. A failed allocation is remembered in `failed` and later
 * appends do nothing, so that a writer checks once, at its end.
 * Start with {0}, end with buffer_free().
 */
struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	bool failed;
};

void buffer_append(struct buffer *out, const void *data, size_t size);
void buffer_append_bytes(struct buffer *out, struct bytes bytes);
void buffer_append_u8(struct buffer *out, uint8_t value);
void buffer_append_be16(struct buffer *out, uint16_t value);
void buffer_append_be32(struct buffer *out, uint32_t value);
void buffer_append_be64(struct buffer *out, uint64_t value);
/* buffer_reserve() - room for @size more bytes; NULL (and failed) without memory. */
void *buffer_reserve(struct buffer *out, size_t size);
struct bytes buffer_bytes(const struct buffer *out);
void buffer_free(struct buffer *out);

/* hex_encode() - lower case; @text has room for 2 * size + 1 characters. */
void hex_encode(struct bytes bytes, char *text);

/*
 * hex_decode() - exactly an even number of hex digits, nothing else
 * Return: 0, -EINVAL for other text, -EMSGSIZE if more than @capacity bytes
 */
int hex_decode(const char *text, uint8_t *bytes, size_t capacity, size_t *ret_size);

/* base64_encode() - RFC 4648 with padding; a string to free(), NULL without memory. */
char *base64_encode(struct bytes bytes);
/* base64_append() - the same, appended to @out without a NUL; without memory @out has failed */
void base64_append(struct buffer *out, struct bytes bytes);

/*
 * base64_decode() - RFC 4648 section 4, strictly: padded, no white space, unused
 * bits zero. Appends to @out.
 * Return: 0, -EINVAL for other text, -ENOMEM
 */
int base64_decode(const char *text, size_t length, struct buffer *out);

/*
 * base64url_decode() - RFC 4648 section 5, without padding (RFC 7515, section 2), as strictly
 * Return: as base64_decode()
 */
int base64url_decode(const char *text, size_t length, struct buffer *out);

/*
 * text_escape() - make foreign bytes fit to print
 *
 * Well-formed UTF-8 stays, but for backslash and what cannot be seen or changes how other text is
 * seen: control and format characters, bidirectional ones among them, blanks other than the space,
 * fillers, variation selectors, tags, private characters. Those and ill-formed bytes become \xHH.
 * At most @capacity bytes with the terminating NUL are written; what does not fit is cut and ends
 * in "...".
 *
 * Return: @text
 */
char *text_escape(struct bytes bytes, char *text, size_t capacity);

/*
 * text_character() - bytes of the character of UTF-8 that @bytes begins with
 * Return: 0 for what is ill-formed, and for what text_escape() would not leave as it is; a
 * backslash is left
 */
size_t text_character(struct bytes bytes);

/*
 * text_end_whole() - take away the beginning of a character of UTF-8 with which @text ends, where
 * it was cut at a byte
 *
 * Return: the bytes that @text has then
 */
size_t text_end_whole(char *text);

#endif /* ASSAY_BASE_BYTES_H */
