// SPDX-License-Identifier: MIT
#include "report/markup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for a path as text_escape() may make it longer. */
#define FOREIGN_MAX (4 * 4096 + 1)

void markup_add(struct buffer *out, const char *markup)
{
	buffer_append(out, markup, strlen(markup));
}

static void add_text(struct buffer *out, struct bytes text)
{
	while (text.size > 0) {
		size_t size = text_character(text);
		struct bytes taken;
		char escaped[5];

		bytes_take(&text, size > 0 ? size : 1, &taken);
		if (size == 0) {
			snprintf(escaped, sizeof(escaped), "\\x%02x", taken.data[0]);
			markup_add(out, escaped);
			continue;
		}
		switch (taken.data[0]) {
		case '&':
			markup_add(out, "&amp;");
			break;
		case '<':
			markup_add(out, "&lt;");
			break;
		case '>':
			markup_add(out, "&gt;");
			break;
		case '"':
			markup_add(out, "&quot;");
			break;
		case '\'':
			markup_add(out, "&#39;");
			break;
		default:
			buffer_append_bytes(out, taken);
		}
	}
}

void markup_text(struct buffer *out, const char *text)
{
	add_text(out, BYTES((const uint8_t *)text, strlen(text)));
}

void markup_foreign(struct buffer *out, struct bytes bytes)
{
	char *text = malloc(FOREIGN_MAX);

	if (!text) {
		out->failed = true;
		return;
	}
	markup_text(out, text_escape(bytes, text, FOREIGN_MAX));
	free(text);
}

void markup_number(struct buffer *out, uint64_t number)
{
	char text[21];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	markup_add(out, text);
}

void markup_print(struct buffer *out, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	markup_text(out, text);
}
