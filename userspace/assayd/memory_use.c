// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "memory_use.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "memory/value.h"

uint64_t memory_use(const char *what)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	const size_t length = strlen(what);
	const char *at;
	uint64_t kib;
	size_t digits;

	if (file_read("/proc/self/status", 65536, &text, NULL) < 0)
		return 0;
	buffer_append_u8(&text, 0);
	at = text.failed ? NULL : (const char *)text.data;
	while (at && (strncmp(at, what, length) != 0 || at[length] != ':')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return 0;
	at += length + 1;
	at += strspn(at, " \t");
	digits = strspn(at, "0123456789");
	if (value_unsigned(BYTES((const uint8_t *)at, digits), &kib, NULL) < 0)
		return 0;
	return kib * 1024;
}
