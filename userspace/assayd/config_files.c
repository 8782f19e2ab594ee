// SPDX-License-Identifier: MIT
/* The configuration's files, read by libinih. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "config.h"

/* Keys at most: see config_run.given. */
#define KEYS_MAX 256
#define SHOWN_MAX 80 /* bytes of a word that an error quotes */

/**
 * struct config_run - a file being read
 * @text: what is left of it
 * @line: number of the line that libinih has got last
 * @given: keys that stand in the file, which may be there once
 * @r: 0, or what the first error was
 */
struct config_run {
	struct config *config;
	const char *name;
	struct bytes text;
	unsigned int line;
	bool given[KEYS_MAX];
	int r;
	struct assay_error *err;
};

static int fail_line(struct config_run *run, const char *what)
{
	if (run->r == 0)
		run->r = assay_fail(run->err, EINVAL, "%s line %u: %s", run->name, run->line, what);
	return run->r;
}

/* The next line, as fgets() gives it; NULL at the end, and once there was an error. */
static char *read_line(char *line, int size, void *context)
{
	struct config_run *run = context;
	const uint8_t *end = run->text.size ? memchr(run->text.data, '\n', run->text.size) : NULL;
	size_t length = end ? (size_t)(end - run->text.data) : run->text.size;
	struct bytes taken;

	if (run->r < 0 || run->text.size == 0)
		return NULL;
	run->line++;
	/* libinih would take what does not fit for a line of its own. */
	if (length > CONFIG_LINE_MAX || length + 2 > (size_t)size) {
		run->r = assay_fail(run->err, EINVAL,
				    "%s line %u: it is longer than %d characters; lists may go on "
				    "in lines that begin with a space",
				    run->name, run->line, CONFIG_LINE_MAX);
		return NULL;
	}
	(void)bytes_take(&run->text, length + (end != NULL), &taken);
	if (memchr(taken.data, '\0', taken.size)) {
		fail_line(run, "there is a NUL character in it");
		return NULL;
	}
	memcpy(line, taken.data, taken.size);
	line[taken.size] = '\0';
	return line;
}

static int take_value(void *context, const char *section, const char *name, const char *value)
{
	struct config_run *run = context;
	const struct config_key *key = config_find(section, name);
	char shown[SHOWN_MAX], shown_section[SHOWN_MAX];
	struct assay_error why;
	size_t number;

	if (run->r < 0)
		return 1;
	text_escape(BYTES((const uint8_t *)name, strlen(name)), shown, sizeof(shown));
	text_escape(BYTES((const uint8_t *)section, strlen(section)), shown_section,
		    sizeof(shown_section));
	if (!key) {
		run->r = assay_fail(run->err, EINVAL,
				    "%s line %u: [%s] has no key '%s'; see assayd.conf(5)",
				    run->name, run->line, shown_section, shown);
		return 1;
	}
	number = (size_t)(key - config_keys);
	if (key->type != CONFIG_LIST && run->given[number]) {
		run->r = assay_fail(run->err, EINVAL, "%s line %u: %s is given twice in [%s]",
				    run->name, run->line, shown, shown_section);
		return 1;
	}
	run->given[number] = true;
	run->r = config_set(run->config, key, value, &why);
	if (run->r < 0)
		assay_fail(run->err, why.code, "%s line %u: %s in [%s] %s", run->name, run->line,
			   shown, shown_section, why.text);
	return 1;
}

int config_parse(struct config *config, struct bytes text, const char *name,
		 struct assay_error *err)
{
	struct config_run run = { .config = config, .name = name, .text = text, .err = err };
	int line = ini_parse_stream(read_line, &run, take_value, &run);

	if (run.r < 0)
		return run.r;
	if (line > 0)
		return assay_fail(err, EINVAL,
				  "%s line %d: it is neither KEY=VALUE nor [SECTION] nor a comment",
				  name, line);
	if (line < 0)
		return assay_fail(err, ENOMEM, "%s: out of memory", name);
	return 0;
}

/* One file, if it is there. */
static int load_file(struct config *config, const char *path, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = file_read(path, CONFIG_FILE_MAX, &text, err);
	if (r < 0)
		return r;
	return config_parse(config, buffer_bytes(&text), path, err);
}

static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > strlen(".conf") &&
	       strcmp(entry->d_name + length - strlen(".conf"), ".conf") == 0;
}

/* Byte by byte, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(struct config *config, const char *path, struct assay_error *err)
{
	struct dirent **entries;
	char name[PATH_MAX];
	int count, r = 0;

	if (snprintf(name, sizeof(name), "%s.d", path) >= (int)sizeof(name))
		return assay_fail(err, ENAMETOOLONG, "the name %s is too long", path);
	count = scandir(name, &entries, is_drop_in, by_name);
	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return assay_fail(err, errno, "cannot read the directory %s: %s", name,
				  strerror(errno));
	if (count > CONFIG_LIST_MAX)
		r = assay_fail(err, EINVAL, "%s has more than %d files", name, CONFIG_LIST_MAX);
	for (int i = 0; i < count; i++) {
		if (r == 0 && snprintf(name, sizeof(name), "%s.d/%s", path, entries[i]->d_name) >=
				      (int)sizeof(name))
			r = assay_fail(err, ENAMETOOLONG, "the name %s.d/%s is too long", path,
				       entries[i]->d_name);
		if (r == 0)
			r = load_file(config, name, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int config_load(const char *path, struct config **ret, struct assay_error *err)
{
	struct config *config;
	int r = config_new(&config, err);

	if (r < 0)
		return r;
	r = load_file(config, path, err);
	if (r == 0)
		r = load_drop_ins(config, path, err);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret = config;
	return 0;
}

int config_credential(const char *path, char **ret, struct assay_error *err)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (strchr(path, '/') || path[0] == '\0') {
		*ret = strdup(path);
	} else if (!directory) {
		return assay_fail(
			err, ENOENT,
			"the credential %s cannot be had: the service was started without "
			"credentials; put LoadCredential=%s:/PATH in a drop-in of its "
			"unit, or give a path",
			path, path);
	} else if (asprintf(ret, "%s/%s", directory, path) < 0) {
		*ret = NULL;
	}
	return *ret ? 0 : assay_fail(err, ENOMEM, "out of memory");
}
