// SPDX-License-Identifier: MIT
#include "http_chunks.h"

#include <ctype.h>

static const char name[] = "transfer-encoding:";

/* As libevent ends lines: by a newline, which may have returns before it. */
static bool take_byte(struct http_chunks *chunks, uint8_t byte)
{
	if (byte == '\r')
		return false;
	if (byte == '\n') {
		chunks->over = chunks->begun && chunks->column == 0;
		chunks->begun = chunks->begun || chunks->column > 0;
		chunks->column = 0;
		chunks->other = false;
		return false;
	}
	chunks->other = chunks->other || tolower(byte) != name[chunks->column];
	chunks->column++;
	return !chunks->other && chunks->column == sizeof(name) - 1;
}

bool http_chunks_said(struct http_chunks *chunks, struct bytes input)
{
	for (size_t i = 0; i < input.size && !chunks->over; i++)
		if (take_byte(chunks, input.data[i])) {
			chunks->over = true;
			return true;
		}
	return false;
}
