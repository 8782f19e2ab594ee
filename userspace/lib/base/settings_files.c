// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/settings.h"

#define DROP_INS_MAX 1024

/* One file, if it is there. */
static int load_file(const char *path, settings_file each, void *context, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = file_read_regular(path, SETTINGS_SIZE_MAX, &text, err);
	if (r < 0)
		return r;
	return each(context, buffer_bytes(&text), path, err);
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

static int load_drop_ins(const char *path, settings_file each, void *context,
			 struct assay_error *err)
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
	if (count > DROP_INS_MAX)
		r = assay_fail(err, EINVAL, "%s has more than %d files", name, DROP_INS_MAX);
	for (int i = 0; i < count; i++) {
		if (r == 0 && snprintf(name, sizeof(name), "%s.d/%s", path, entries[i]->d_name) >=
				      (int)sizeof(name))
			r = assay_fail(err, ENAMETOOLONG, "the name %s.d/%s is too long", path,
				       entries[i]->d_name);
		if (r == 0)
			r = load_file(name, each, context, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int settings_load(const char *path, settings_file each, void *context, struct assay_error *err)
{
	int r = load_file(path, each, context, err);

	return r < 0 ? r : load_drop_ins(path, each, context, err);
}
