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

/* Bytes of the well-formed UTF-8 character that @text begins with; 0 if it is none of XML's. */
static size_t character(const uint8_t *text, size_t size)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0x20 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t code = text[0] & (uint8_t)~forms[i].mask;

		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		if (i >= size)
			return 0;
		for (size_t j = 1; j <= i; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (text[j] & 0x3f);
		}
		/* XML 1.0, 2.2: no surrogates, no U+FFFE and U+FFFF; and no control characters. */
		if (code < forms[i].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
		    code == 0xfffe || code == 0xffff || (code >= 0x7f && code < 0xa0))
			return 0;
		return i + 1;
	}
	return 0;
}

static void add_text(struct buffer *out, struct bytes text)
{
	while (text.size > 0) {
		size_t size = character(text.data, text.size);
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
