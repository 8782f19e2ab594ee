/* SPDX-License-Identifier: MIT */
/*
 * Files of settings: [section], KEY = VALUE, and comments that begin with '#' or ';'. libinih
 * reads the lines; this is strict where it is not, and says in which line something is off.
 *
 * A value may be spread over lines of which all but the first begin with a blank: the function
 * is called for each. " ;" begins a comment also behind a value.
 */
#ifndef ASSAY_BASE_SETTINGS_H
#define ASSAY_BASE_SETTINGS_H

#include "base/bytes.h"

/* Bytes of a line, without its newline: what libinih takes. */
#define SETTINGS_LINE_MAX 196
/* Bytes of a file. */
#define SETTINGS_SIZE_MAX (1U << 20)

/**
 * struct setting - one line
 * @file: the name that settings_read() was given
 * @line: from 1 on
 * @section: "" before the first one
 * @key, @value: without the white space around them; they live until the call returns
 */
struct setting {
	const char *file;
	unsigned int line;
	const char *section;
	const char *key, *value;
};

/*
 * settings_function - what takes a setting
 * Return: 0, or a negative errno with *err set: the file's name and the line are put before it
 */
typedef int (*settings_function)(void *context, const struct setting *setting,
				 struct assay_error *err);

/*
 * settings_read() - read a file of settings in memory; pure
 * @file: names it in errors
 *
 * Return: 0; -EBADMSG for what is no such file: a line without '=' or ':', or with a section that
 * is not closed; -EMSGSIZE for a line that is too long; -EFBIG for a file that is; what @each
 * returned. It ends with the first line that is off.
 */
int settings_read(struct bytes text, const char *file, settings_function each, void *context,
		  struct assay_error *err);

/* settings_file - takes what stands in a file; @name: of it */
typedef int (*settings_file)(void *context, struct bytes text, const char *name,
			     struct assay_error *err);

/*
 * settings_load() - the file @path, then the drop-ins @path.d/NAME.conf in the order of their names
 * A file that is not there says nothing.
 */
int settings_load(const char *path, settings_file each, void *context, struct assay_error *err);

#endif /* ASSAY_BASE_SETTINGS_H */
