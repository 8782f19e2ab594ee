// SPDX-License-Identifier: MIT
#include "sign/manifest_members.h"

#include <string.h>

/* Those of INT64_MAX, the largest number that is read as JSON; 64 bits hold all of so many. */
#define DIGITS_MAX 19

static bool take_text(struct bytes *in, struct bytes text)
{
	struct bytes ignored;

	return in->size >= text.size && memcmp(in->data, text.data, text.size) == 0 &&
	       bytes_take(in, text.size, &ignored);
}

/* The string behind a quotation mark, and the one that ends it. */
static bool take_string(struct bytes *in, struct bytes *ret)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, '"', in->size) : NULL;

	if (!end || !bytes_take(in, (size_t)(end - in->data), ret))
		return false;
	in->data++;
	in->size--;
	return true;
}

/* A string that stands for itself. */
static bool take_plain(struct bytes *in, struct bytes *ret)
{
	if (!take_string(in, ret))
		return false;
	for (size_t i = 0; i < ret->size; i++)
		if (ret->data[i] < ' ' || ret->data[i] > '~' || ret->data[i] == '\\')
			return false;
	return true;
}

static bool take_number(struct bytes *in, uint64_t *ret)
{
	uint64_t value = 0;
	size_t size = 0;

	for (; size < in->size && in->data[size] >= '0' && in->data[size] <= '9'; size++) {
		if (size == DIGITS_MAX)
			return false;
		value = value * 10 + (uint64_t)(in->data[size] - '0');
	}
	/* No number of JSON begins with 0 but that itself. */
	if (size == 0 || (size > 1 && in->data[0] == '0') || value > INT64_MAX)
		return false;
	*in = BYTES(in->data + size, in->size - size);
	*ret = value;
	return true;
}

/* Members that may be missing. One that is empty is no such. */
static bool take_optional_string(struct bytes *in, struct bytes head, struct bytes *ret)
{
	return !take_text(in, head) || (take_string(in, ret) && ret->size > 0);
}

static bool take_optional_plain(struct bytes *in, struct bytes head, struct bytes *ret)
{
	return !take_text(in, head) || (take_plain(in, ret) && ret->size > 0);
}

static bool take_optional_number(struct bytes *in, struct bytes head, uint64_t *ret)
{
	return !take_text(in, head) || take_number(in, ret);
}

bool manifest_take_members(struct bytes line, struct manifest_members *ret)
{
	*ret = (struct manifest_members){ 0 };
	return take_text(&line, BYTES_LITERAL("{\"path\":\"")) && take_plain(&line, &ret->path) &&
	       take_text(&line, BYTES_LITERAL(",\"size\":")) && take_number(&line, &ret->size) &&
	       take_text(&line, BYTES_LITERAL(",\"digest\":\"")) &&
	       take_plain(&line, &ret->digest) &&
	       take_optional_plain(&line, BYTES_LITERAL(",\"package\":\""), &ret->package) &&
	       take_optional_plain(&line, BYTES_LITERAL(",\"version\":\""), &ret->version) &&
	       take_optional_plain(&line, BYTES_LITERAL(",\"architecture\":\""),
				   &ret->architecture) &&
	       take_optional_string(&line, BYTES_LITERAL(",\"pkcs7\":\""), &ret->pkcs7) &&
	       take_optional_string(&line, BYTES_LITERAL(",\"ima\":\""), &ret->ima) &&
	       take_optional_number(&line, BYTES_LITERAL(",\"mtime\":"), &ret->mtime) &&
	       take_optional_number(&line, BYTES_LITERAL(",\"ctime\":"), &ret->ctime) &&
	       take_optional_number(&line, BYTES_LITERAL(",\"inode\":"), &ret->inode) &&
	       take_text(&line, BYTES_LITERAL("}")) && line.size == 0;
}
