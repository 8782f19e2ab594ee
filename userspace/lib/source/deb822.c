// SPDX-License-Identifier: MIT
#include "source/deb822.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes deb822_trim(struct bytes text)
{
	while (text.size > 0 && is_blank(text.data[0]))
		text = BYTES(text.data + 1, text.size - 1);
	while (text.size > 0 && is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool deb822_line(struct bytes *text, struct bytes *ret)
{
	const uint8_t *newline = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
	size_t size = newline ? (size_t)(newline - text->data) : text->size;

	if (text->size == 0)
		return false;
	*ret = BYTES(text->data, size);
	size += newline != NULL;
	*text = BYTES(text->data + size, text->size - size);
	return true;
}

bool deb822_next(struct bytes *text, struct bytes *ret)
{
	struct bytes rest, line;

	do {
		rest = *text;
		if (!deb822_line(text, &line))
			return false;
	} while (deb822_trim(line).size == 0);
	*ret = BYTES(rest.data, 0);
	do
		ret->size = (size_t)(line.data + line.size - rest.data);
	while (deb822_line(text, &line) && deb822_trim(line).size > 0);
	return true;
}

/* "Field: value"; false for a line that goes on with a value. */
static bool split(struct bytes line, struct bytes *ret_name, struct bytes *ret_value)
{
	const uint8_t *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;

	if (!colon || colon == line.data || is_blank(line.data[0]))
		return false;
	*ret_name = BYTES(line.data, (size_t)(colon - line.data));
	*ret_value = BYTES(colon + 1, line.size - ret_name->size - 1);
	return true;
}

int deb822_check(struct bytes stanza, struct assay_error *err)
{
	struct bytes line, name, value;
	char shown[80];

	for (bool first = true; deb822_line(&stanza, &line); first = false)
		if (!split(line, &name, &value) && (first || !is_blank(line.data[0])))
			return assay_fail(err, EBADMSG, "the line \"%s\" is no field",
					  text_escape(line, shown, sizeof(shown)));
	return 0;
}

bool deb822_field(struct bytes stanza, const char *name, struct bytes *ret)
{
	struct bytes line, found, value;
	size_t length = strlen(name);

	*ret = BYTES(NULL, 0);
	while (deb822_line(&stanza, &line)) {
		const uint8_t *begin;

		if (!split(line, &found, &value) || found.size != length ||
		    strncasecmp((const char *)found.data, name, length) != 0)
			continue;
		begin = value.data;
		while (stanza.size > 0 && (stanza.data[0] == ' ' || stanza.data[0] == '\t') &&
		       deb822_line(&stanza, &line))
			value.size = (size_t)(line.data + line.size - begin);
		*ret = deb822_trim(value);
		return true;
	}
	return false;
}
