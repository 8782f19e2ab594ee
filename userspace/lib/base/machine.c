// SPDX-License-Identifier: MIT
#include "base/machine.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/* One line, with or without its end. */
static int read_line(const char *path, char *line, size_t capacity, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, capacity, &text, err);

	if (r < 0)
		return r;
	if (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (text.size == 0 || text.size >= capacity || memchr(text.data, '\0', text.size))
		return assay_fail(err, EBADMSG, "%s does not hold one line of text", path);
	memcpy(line, text.data, text.size);
	line[text.size] = '\0';
	return 0;
}

int machine_id_read(char text[MACHINE_ID_TEXT], struct assay_error *err)
{
	return read_line(MACHINE_ID_PATH, text, MACHINE_ID_TEXT, err);
}

int boot_id_read(char text[BOOT_ID_TEXT], struct assay_error *err)
{
	int r = read_line(BOOT_ID_PATH, text, BOOT_ID_TEXT, err);

	if (r == 0 && strlen(text) != BOOT_ID_TEXT - 1)
		r = assay_fail(err, EBADMSG, BOOT_ID_PATH " does not hold a UUID");
	return r;
}
