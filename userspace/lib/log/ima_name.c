// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
/* Names of files in the form in which IMA writes them; see ima.h. */
#include <string.h>

#include "log/ima.h"

/* What IMA writes for a byte of a path. */
static uint8_t ima_name_byte(uint8_t byte)
{
	return byte == ' ' ? '_' : byte;
}

void ima_name_form(struct bytes path, struct buffer *out)
{
	uint8_t *form = path.size > 0 ? buffer_reserve(out, path.size) : NULL;

	if (!form)
		return;
	for (size_t i = 0; i < path.size; i++)
		form[i] = ima_name_byte(path.data[i]);
	out->size += path.size;
}

int ima_name_compare(struct bytes a, struct bytes b)
{
	size_t shorter = a.size < b.size ? a.size : b.size;

	for (size_t i = 0; i < shorter; i++) {
		int order = ima_name_byte(a.data[i]) - ima_name_byte(b.data[i]);

		if (order != 0)
			return order;
	}
	return (a.size > b.size) - (a.size < b.size);
}

struct bytes ima_name_limited(struct bytes path)
{
	const uint8_t *slash;

	if (path.size <= IMA_NAME_LIMIT)
		return path;
	slash = memrchr(path.data, '/', path.size);
	if (!slash)
		return BYTES(path.data, IMA_NAME_LIMIT);
	return BYTES(slash + 1, path.size - (size_t)(slash + 1 - path.data));
}
