// SPDX-License-Identifier: MIT
/* Foreign text made fit to print: what cannot be seen, or changes what is seen, is shown as bytes.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/*
 * Above ASCII: the characters of Unicode's categories Cc, Cf, Zl, Zp, Co and Zs (all blanks but
 * the space itself), those with the property Default_Ignorable_Code_Point (the fillers and
 * variation selectors, and what is kept free for more of them), noncharacters, and the empty
 * Braille pattern. Unicode 15; ranges are in order.
 */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x0080, 0x00a0 },   { 0x00ad, 0x00ad },   { 0x034f, 0x034f },	  { 0x0600, 0x0605 },
	{ 0x061c, 0x061c },   { 0x06dd, 0x06dd },   { 0x070f, 0x070f },	  { 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },   { 0x115f, 0x1160 },   { 0x1680, 0x1680 },	  { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },   { 0x2000, 0x200f },   { 0x2028, 0x202f },	  { 0x205f, 0x206f },
	{ 0x2800, 0x2800 },   { 0x3000, 0x3000 },   { 0x3164, 0x3164 },	  { 0xe000, 0xf8ff },
	{ 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },	  { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },   { 0xfffe, 0xffff },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0x1fffe, 0x1ffff },
	{ 0x2fffe, 0x2ffff }, { 0x3fffe, 0x3ffff }, { 0x4fffe, 0x4ffff }, { 0x5fffe, 0x5ffff },
	{ 0x6fffe, 0x6ffff }, { 0x7fffe, 0x7ffff }, { 0x8fffe, 0x8ffff }, { 0x9fffe, 0x9ffff },
	{ 0xafffe, 0xaffff }, { 0xbfffe, 0xbffff }, { 0xcfffe, 0xcffff }, { 0xdfffe, 0xe0fff },
	{ 0xefffe, 0x10ffff }
};

/* How many bytes the well-formed UTF-8 sequence at the front has; 0 if there is none. */
static size_t utf8_sequence(struct bytes in, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = in.data[0];
	size_t size = first < 0x80 ? 1 :
		      first < 0xc2 ? 0 :
		      first < 0xe0 ? 2 :
		      first < 0xf0 ? 3 :
		      first < 0xf5 ? 4 :
				     0;
	uint32_t point;

	if (size == 0 || size > in.size)
		return 0;
	point = size == 1 ? first : first & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((in.data[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (in.data[i] & 0x3f);
	}
	if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return size;
}

static bool is_seen(uint32_t point)
{
	size_t low = 0, high = sizeof(unseen) / sizeof(unseen[0]);

	if (point < 0x80)
		return point >= 0x20 && point != 0x7f;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (point > unseen[middle].last)
			low = middle + 1;
		else if (point < unseen[middle].first)
			high = middle;
		else
			return false;
	}
	return true;
}

size_t text_character(struct bytes bytes)
{
	uint32_t point = 0;
	size_t size = bytes.size > 0 ? utf8_sequence(bytes, &point) : 0;

	return size > 0 && is_seen(point) ? size : 0;
}

size_t text_end_whole(char *text)
{
	static const size_t longest = 4;
	size_t length = strlen(text), start = length;
	uint8_t first;

	while (start > 0 && length - start < longest - 1 && (text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return length;
	first = (uint8_t)text[--start];
	if (length - start < (first < 0xc0 ? 1U : first < 0xe0 ? 2U : first < 0xf0 ? 3U : 4U)) {
		text[start] = '\0';
		return start;
	}
	return length;
}

char *text_escape(struct bytes bytes, char *text, size_t capacity)
{
	static const char cut[] = "...";
	size_t used = 0, fits = 0;

	if (capacity == 0)
		return text;
	while (bytes.size > 0) {
		uint32_t point = 0;
		size_t size = utf8_sequence(bytes, &point);
		bool plain = size > 0 && is_seen(point) && point != '\\';
		size_t taken = size > 0 ? size : 1;
		size_t need = plain ? taken : 4 * taken;
		const uint8_t *piece = bytes.data;

		if (used + need >= capacity) {
			size_t room = capacity - 1 - fits;

			if (room > sizeof(cut) - 1)
				room = sizeof(cut) - 1;
			memcpy(text + fits, cut, room);
			used = fits + room;
			break;
		}
		bytes = BYTES(bytes.data + taken, bytes.size - taken);
		for (size_t i = 0; i < taken; i++) {
			if (plain)
				text[used++] = (char)piece[i];
			else
				used += (size_t)snprintf(text + used, capacity - used, "\\x%02x",
							 piece[i]);
		}
		if (used + sizeof(cut) <= capacity)
			fits = used;
	}
	text[used] = '\0';
	return text;
}
