// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* reallocarray() */
#include "enroll/ek_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE sizeof(((struct ek_list *)NULL)->keys[0])
#define DIGITS (2 * KEY_SIZE)
#define ROOM_FIRST 64

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SIZE);
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct bytes take_line(struct bytes *rest)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t size = end ? (size_t)(end - rest->data) : rest->size;
	struct bytes line = BYTES(rest->data, size);

	bytes_take(rest, end ? size + 1 : size, &(struct bytes){ 0 });
	return line;
}

/* Room for one key more, at the end. */
static uint8_t *add_room(struct ek_list *list)
{
	size_t room = list->room ? 2 * list->room : ROOM_FIRST;
	void *larger;

	if (list->count < list->room)
		return list->keys[list->count];
	larger = reallocarray(list->keys, room, KEY_SIZE);
	if (!larger)
		return NULL;
	list->keys = larger;
	list->room = room;
	return list->keys[list->count];
}

/* One line that has a key. Return: 0; -EBADMSG for one that has something else; -ENOMEM */
static int add_key(struct bytes line, struct ek_list *list)
{
	char digits[DIGITS + 1];
	uint8_t *key = add_room(list);
	size_t size = 0;

	if (!key)
		return -ENOMEM;
	if (line.size < DIGITS || (line.size > DIGITS && !is_blank(line.data[DIGITS])))
		return -EBADMSG;
	memcpy(digits, line.data, DIGITS);
	digits[DIGITS] = '\0';
	if (hex_decode(digits, key, KEY_SIZE, &size) < 0 || size != KEY_SIZE)
		return -EBADMSG;
	list->count++;
	return 0;
}

int ek_list_parse(struct bytes text, const char *name, struct ek_list *list,
		  struct assay_error *err)
{
	size_t before = list->count, number = 0;

	while (text.size > 0) {
		struct bytes line = take_line(&text);
		int r = 0;

		number++;
		while (line.size > 0 && is_blank(line.data[0]))
			line = BYTES(line.data + 1, line.size - 1);
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (list->count == EK_LIST_MAX)
			return assay_fail(err, E2BIG, "%s: there are more than %d keys", name,
					  EK_LIST_MAX);
		r = add_key(line, list);
		if (r == -ENOMEM)
			return assay_fail(err, ENOMEM, "out of memory");
		if (r < 0)
			return assay_fail(
				err, EBADMSG,
				"%s: line %zu does not begin with a SHA-256 in hexadecimal: one is "
				"what 'openssl pkey -pubin -in EK.pem -outform DER | sha256sum' "
				"prints",
				name, number);
	}
	if (list->count == before)
		return assay_fail(err, EBADMSG, "%s holds no endorsement key's digest", name);
	qsort(list->keys, list->count, KEY_SIZE, compare);
	return 0;
}

bool ek_list_has(const struct ek_list *list, const struct assay_digest *key)
{
	return key->size == KEY_SIZE && list->count > 0 &&
	       bsearch(key->bytes, list->keys, list->count, KEY_SIZE, compare) != NULL;
}

void ek_list_free(struct ek_list *list)
{
	free(list->keys);
	*list = (struct ek_list){ 0 };
}
