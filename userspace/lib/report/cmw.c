// SPDX-License-Identifier: MIT
#include "report/cmw.h"

#include <stdio.h>
#include <string.h>

#include "sign/jws.h"

static void add_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

/* Labels and media types are this program's: of JSON's special characters they have the quote. */
static void add_string(struct buffer *out, const char *text)
{
	buffer_append_u8(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_append_u8(out, '\\');
		buffer_append_u8(out, (uint8_t)*text);
	}
	buffer_append_u8(out, '"');
}

static void add_record(const struct cmw *message, struct buffer *out)
{
	char indicator[16];

	snprintf(indicator, sizeof(indicator), "%u", message->indicator);
	add_text(out, "[");
	add_string(out, message->type);
	add_text(out, ", \"");
	jws_base64url(message->value, out);
	add_text(out, "\", ");
	add_text(out, indicator);
	add_text(out, "]");
}

void cmw_write_record(const struct cmw *message, struct buffer *out)
{
	add_record(message, out);
	add_text(out, "\n");
}

void cmw_write_collection(const struct cmw *messages, size_t count, struct buffer *out)
{
	for (size_t i = 0; i < count; i++) {
		add_text(out, i == 0 ? "{\n " : ",\n ");
		add_string(out, messages[i].label);
		add_text(out, ": ");
		add_record(&messages[i], out);
	}
	add_text(out, "\n}\n");
}
