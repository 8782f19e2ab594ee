// SPDX-License-Identifier: MIT
#include "enforce/words.h"

#include <string.h>

bool words_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct bytes words_take(struct bytes *line)
{
	struct bytes word;

	while (line->size > 0 && words_is_blank(line->data[0]))
		*line = BYTES(line->data + 1, line->size - 1);
	word = BYTES(line->data, 0);
	while (word.size < line->size && !words_is_blank(line->data[word.size]))
		word.size++;
	if (word.size > 0)
		*line = BYTES(line->data + word.size, line->size - word.size);
	return word;
}

struct bytes words_take_line(struct bytes *text)
{
	struct bytes line = BYTES(text->data, 0);
	size_t over;

	while (line.size < text->size && text->data[line.size] != '\n' &&
	       text->data[line.size] != '\r')
		line.size++;
	over = line.size < text->size ? line.size + 1 : line.size;
	/* One end, for who counts lines; behind it would be an empty one. */
	if (over > 0 && over < text->size && text->data[over - 1] == '\r' &&
	    text->data[over] == '\n')
		over++;
	if (over > 0)
		*text = BYTES(text->data + over, text->size - over);
	return line;
}

struct bytes words_value(struct bytes word, const char *name)
{
	size_t size = strlen(name);

	if (word.size > size + 1 && memcmp(word.data, name, size) == 0 && word.data[size] == '=')
		return BYTES(word.data + size + 1, word.size - size - 1);
	return BYTES(word.data, 0);
}

bool words_are(struct bytes word, const char *text)
{
	size_t size = strlen(text);

	return word.size == size && (size == 0 || memcmp(word.data, text, size) == 0);
}

char *words_show(struct bytes word, char shown[WORDS_SHOWN_MAX])
{
	return text_escape(word, shown, WORDS_SHOWN_MAX);
}

bool words_are_plain(struct bytes line)
{
	for (size_t i = 0; i < line.size; i++)
		if (!words_is_blank(line.data[i]) && (line.data[i] <= ' ' || line.data[i] > '~'))
			return false;
	return true;
}
