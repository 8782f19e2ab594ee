// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "http_head.h"

#include <string.h>

/* Up to @end, which is taken as well; false if it is not there. */
static bool take_until(struct bytes *in, const char *end, struct bytes *ret)
{
	size_t length = strlen(end);
	const uint8_t *place = in->size ? memmem(in->data, in->size, end, length) : NULL;
	struct bytes taken;

	if (!place)
		return false;
	(void)bytes_take(in, (size_t)(place - in->data), ret);
	return bytes_take(in, length, &taken);
}

size_t http_head_size(struct bytes input, size_t searched)
{
	static const char end[] = "\r\n\r\n";
	struct bytes rest = input, head;

	/* The end may have begun in what was searched. */
	if (searched >= strlen(end))
		(void)bytes_take(&rest, searched - (strlen(end) - 1), &head);
	if (take_until(&rest, end, &head))
		return input.size - rest.size;
	return input.size >= HTTP_HEAD_MAX ? input.size : 0;
}

uint32_t http_head_status(struct bytes head, const char *path)
{
	struct bytes line, method, target;
	size_t length = strlen(path);

	if (head.size >= HTTP_HEAD_MAX)
		return 431;
	if (!take_until(&head, "\r\n", &line) || !take_until(&line, " ", &method) ||
	    !take_until(&line, " ", &target) || line.size != strlen("HTTP/1.1") ||
	    memcmp(line.data, "HTTP/", strlen("HTTP/")) != 0)
		return 400;
	if (memcmp(line.data, "HTTP/1.", strlen("HTTP/1.")) != 0)
		return 505;
	if (!bytes_equal(method, BYTES_LITERAL("GET")))
		return 405;
	if (target.size > length && target.data[length] == '?')
		target.size = length;
	return bytes_equal(target, BYTES((const uint8_t *)path, length)) ? 200 : 404;
}
