// SPDX-License-Identifier: MIT
#include "base/settings.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

/**
 * struct settings_run - a file that is being read
 * @left: what is not yet
 * @place: of the line that libinih has now
 * @result: 0 as long as nothing was off; then nothing more is read
 */
struct settings_run {
	struct bytes left;
	struct setting place;
	settings_function each;
	void *context;
	int result;
	struct assay_error *err;
};

/* As fgets(): the next line with its newline; NULL at the end, or once something was off. */
static char *next_line(char *line, int capacity, void *context)
{
	struct settings_run *run = context;
	const uint8_t *end;
	struct bytes taken;
	size_t size;

	if (run->result < 0 || run->left.size == 0)
		return NULL;
	run->place.line++;
	end = memchr(run->left.data, '\n', run->left.size);
	size = end ? (size_t)(end - run->left.data) : run->left.size;
	if (size > SETTINGS_LINE_MAX || size + 2 > (size_t)capacity) {
		run->result = assay_fail(run->err, EMSGSIZE,
					 "a line of %zu bytes, of at most %d; names of files that "
					 "are longer go into a list",
					 size, SETTINGS_LINE_MAX);
		return NULL;
	}
	if (memchr(run->left.data, '\0', size)) {
		run->result = assay_fail(run->err, EBADMSG, "a byte of 0");
		return NULL;
	}
	bytes_take(&run->left, size, &taken);
	memcpy(line, taken.data, size);
	if (end)
		bytes_take(&run->left, 1, &taken);
	line[size] = '\n';
	line[size + 1] = '\0';
	return line;
}

static int take_setting(void *context, const char *section, const char *name, const char *value)
{
	struct settings_run *run = context;

	if (run->result < 0)
		return 0;
	run->place.section = section;
	run->place.key = name;
	run->place.value = value ? value : "";
	run->result = run->each(run->context, &run->place, run->err);
	return run->result == 0;
}

int settings_read(struct bytes text, const char *file, settings_function each, void *context,
		  struct assay_error *err)
{
	struct settings_run run = {
		.left = text,
		.place = { .file = file },
		.each = each,
		.context = context,
		.err = err,
	};
	int line;

	if (text.size > SETTINGS_SIZE_MAX)
		return assay_fail(err, EFBIG, "%s has %zu bytes, of at most %u", file, text.size,
				  SETTINGS_SIZE_MAX);
	line = ini_parse_stream(next_line, &run, take_setting, &run);
	/* What libinih could not read may be why a later line was refused. */
	if (run.result < 0 && (line <= 0 || (unsigned int)line >= run.place.line))
		return assay_fail_context(err, "%s line %u", file, run.place.line);
	if (line != 0)
		return assay_fail(err, EBADMSG,
				  "%s line %d: neither a [section] nor KEY = VALUE nor a comment",
				  file, line);
	return 0;
}
