// SPDX-License-Identifier: MIT
#include "base/bytes.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bytes_take(struct bytes *in, size_t size, struct bytes *ret)
{
	if (in->size < size)
		return false;
	*ret = BYTES(in->data, size);
	if (size > 0)
		in->data += size;
	in->size -= size;
	return true;
}

static bool take_integer(struct bytes *in, size_t size, bool big_endian, uint64_t *ret)
{
	struct bytes raw;
	uint64_t value = 0;

	if (!bytes_take(in, size, &raw))
		return false;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | raw.data[big_endian ? i : size - 1 - i];
	*ret = value;
	return true;
}

bool bytes_take_u8(struct bytes *in, uint8_t *ret)
{
	uint64_t value;

	if (!take_integer(in, sizeof(*ret), true, &value))
		return false;
	*ret = (uint8_t)value;
	return true;
}

bool bytes_take_be16(struct bytes *in, uint16_t *ret)
{
	uint64_t value;

	if (!take_integer(in, sizeof(*ret), true, &value))
		return false;
	*ret = (uint16_t)value;
	return true;
}

bool bytes_take_be32(struct bytes *in, uint32_t *ret)
{
	uint64_t value;

	if (!take_integer(in, sizeof(*ret), true, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool bytes_take_be64(struct bytes *in, uint64_t *ret)
{
	return take_integer(in, sizeof(*ret), true, ret);
}

bool bytes_take_le16(struct bytes *in, uint16_t *ret)
{
	uint64_t value;

	if (!take_integer(in, sizeof(*ret), false, &value))
		return false;
	*ret = (uint16_t)value;
	return true;
}

bool bytes_take_le32(struct bytes *in, uint32_t *ret)
{
	uint64_t value;

	if (!take_integer(in, sizeof(*ret), false, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool bytes_take_le64(struct bytes *in, uint64_t *ret)
{
	return take_integer(in, sizeof(*ret), false, ret);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_are_zero(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		if (bytes.data[i] != 0)
			return false;
	return true;
}

bool bytes_equal_constant_time(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || CRYPTO_memcmp(a.data, b.data, a.size) == 0);
}

void *buffer_reserve(struct buffer *out, size_t size)
{
	if (out->failed)
		return NULL;
	if (size > SIZE_MAX / 4 - out->size) {
		out->failed = true;
		return NULL;
	}
	if (out->size + size > out->capacity) {
		size_t capacity = out->capacity ? out->capacity : 64;
		uint8_t *data;

		while (capacity < out->size + size)
			capacity *= 2;
		data = realloc(out->data, capacity);
		if (!data) {
			out->failed = true;
			return NULL;
		}
		out->data = data;
		out->capacity = capacity;
	}
	return out->data ? out->data + out->size : NULL;
}

void buffer_append(struct buffer *out, const void *data, size_t size)
{
	void *place = buffer_reserve(out, size);

	if (!place || size == 0)
		return;
	memcpy(place, data, size);
	out->size += size;
}

void buffer_append_bytes(struct buffer *out, struct bytes bytes)
{
	buffer_append(out, bytes.data, bytes.size);
}

static void append_integer(struct buffer *out, uint64_t value, size_t size)
{
	uint8_t raw[8];

	for (size_t i = 0; i < size; i++)
		raw[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	buffer_append(out, raw, size);
}

void buffer_append_u8(struct buffer *out, uint8_t value)
{
	append_integer(out, value, sizeof(value));
}

void buffer_append_be16(struct buffer *out, uint16_t value)
{
	append_integer(out, value, sizeof(value));
}

void buffer_append_be32(struct buffer *out, uint32_t value)
{
	append_integer(out, value, sizeof(value));
}

void buffer_append_be64(struct buffer *out, uint64_t value)
{
	append_integer(out, value, sizeof(value));
}

struct bytes buffer_bytes(const struct buffer *out)
{
	return BYTES(out->data, out->size);
}

void buffer_free(struct buffer *out)
{
	free(out->data);
	*out = (struct buffer){ 0 };
}

void hex_encode(struct bytes bytes, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.size; i++) {
		*text++ = digits[bytes.data[i] >> 4];
		*text++ = digits[bytes.data[i] & 0xf];
	}
	*text = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, uint8_t *bytes, size_t capacity, size_t *ret_size)
{
	size_t length = strlen(text);

	if (length % 2 != 0)
		return -EINVAL;
	if (length / 2 > capacity)
		return -EMSGSIZE;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)((unsigned int)high << 4 | (unsigned int)low);
	}
	*ret_size = length / 2;
	return 0;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
#define BASE64_PADDING 64

/* Characters that @size bytes take; 0 where they cannot be counted. */
static size_t base64_length(size_t size)
{
	return size > (SIZE_MAX - 1) / 4 * 3 - 3 ? 0 : (size + 2) / 3 * 4;
}

/* Return: behind the last character */
static char *base64_put(struct bytes bytes, char *out)
{
	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes.data[i + 1] << 8;
		if (left > 2)
			group |= bytes.data[i + 2];
		*out++ = base64_digits[group >> 18];
		*out++ = base64_digits[group >> 12 & 63];
		*out++ = base64_digits[left > 1 ? group >> 6 & 63 : BASE64_PADDING];
		*out++ = base64_digits[left > 2 ? group & 63 : BASE64_PADDING];
	}
	return out;
}

char *base64_encode(struct bytes bytes)
{
	size_t length = base64_length(bytes.size);
	char *text = length == 0 && bytes.size > 0 ? NULL : malloc(length + 1);

	if (text)
		*base64_put(bytes, text) = '\0';
	return text;
}

void base64_append(struct buffer *out, struct bytes bytes)
{
	size_t length = base64_length(bytes.size);
	char *place;

	if (bytes.size == 0)
		return;
	/* More than there can be is as good as no memory. */
	place = buffer_reserve(out, length > 0 ? length : SIZE_MAX);
	if (!place)
		return;
	base64_put(bytes, place);
	out->size += length;
}

/* What each character stands for; BASE64_NO_DIGIT for one that is none. */
#define BASE64_NO_DIGIT 0x80
#define NO BASE64_NO_DIGIT
/* clang-format off */
static const uint8_t base64_values[256] = {
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
	NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */
#undef NO

/* The last group, which may be padded. */
static int base64_decode_last(const uint8_t *in, struct buffer *out)
{
	int padding = in[2] == '=' ? 2 : in[3] == '=' ? 1 : 0;
	uint32_t group = 0;

	if (padding == 2 && in[3] != '=')
		return -EINVAL;
	for (int j = 0; j < 4 - padding; j++) {
		if (base64_values[in[j]] == BASE64_NO_DIGIT)
			return -EINVAL;
		group |= (uint32_t)base64_values[in[j]] << (18 - 6 * j);
	}
	if (padding > 0 && (group & ((1U << (8 * padding)) - 1)) != 0)
		return -EINVAL;
	for (int j = 0; j < 3 - padding; j++)
		buffer_append_u8(out, (uint8_t)(group >> (16 - 8 * j)));
	return 0;
}

int base64_decode(const char *text, size_t length, struct buffer *out)
{
	const uint8_t *in = (const uint8_t *)text;
	uint8_t *place;

	if (length % 4 != 0)
		return -EINVAL;
	if (length == 0)
		return 0;
	place = buffer_reserve(out, length / 4 * 3);
	if (!place)
		return -ENOMEM;
	for (; length > 4; length -= 4, in += 4) {
		uint8_t a = base64_values[in[0]], b = base64_values[in[1]],
			c = base64_values[in[2]], d = base64_values[in[3]];

		if ((a | b | c | d) & BASE64_NO_DIGIT)
			return -EINVAL;
		*place++ = (uint8_t)(a << 2 | b >> 4);
		*place++ = (uint8_t)(b << 4 | c >> 2);
		*place++ = (uint8_t)(c << 6 | d);
		out->size += 3;
	}
	return base64_decode_last(in, out);
}

int base64url_decode(const char *text, size_t length, struct buffer *out)
{
	static const char padding[] = "==";
	struct buffer plain = { 0 };
	char *at;
	int r;

	if (length == 0)
		return 0;
	at = buffer_reserve(&plain, length);
	if (!at)
		return -ENOMEM;
	memcpy(at, text, length);
	for (size_t i = 0; i < length; i++)
		if (text[i] == '-')
			at[i] = '+';
		else if (text[i] == '_')
			at[i] = '/';
		else if (text[i] == '+' || text[i] == '/' || text[i] == '=')
			at[i] = '!'; /* no digit of either */
	plain.size += length;
	buffer_append(&plain, padding, length % 4 == 2 ? 2 : length % 4 == 3);
	r = plain.failed ? -ENOMEM : base64_decode((const char *)plain.data, plain.size, out);
	buffer_free(&plain);
	return r;
}
