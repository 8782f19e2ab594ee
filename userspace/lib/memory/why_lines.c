// SPDX-License-Identifier: MIT
/* Lines of what is read for why.h. */
#define _GNU_SOURCE
#include "memory/why_lines.h"

#include <string.h>

bool why_take_line(struct bytes *in, struct bytes *ret)
{
	const uint8_t *end;

	if (in->size == 0)
		return false;
	end = memchr(in->data, '\n', in->size);
	*ret = BYTES(in->data, end ? (size_t)(end - in->data) : in->size);
	in->data += ret->size + (end != NULL);
	in->size -= ret->size + (end != NULL);
	return true;
}

bool why_starts_with(struct bytes line, const char *text)
{
	return line.size >= strlen(text) && memcmp(line.data, text, strlen(text)) == 0;
}

bool why_contains(struct bytes line, const char *text)
{
	return line.size > 0 && memmem(line.data, line.size, text, strlen(text)) != NULL;
}

void why_copy_text(struct bytes in, char *text, size_t capacity)
{
	size_t size = in.size < capacity - 1 ? in.size : capacity - 1;

	if (size > 0)
		memcpy(text, in.data, size);
	for (size_t i = 0; i < size; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	text[size] = '\0';
}
