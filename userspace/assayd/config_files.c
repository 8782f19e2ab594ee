// SPDX-License-Identifier: MIT
/* The configuration's files. */
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
#include "config.h"

/* Keys at most: see config_run.given. */
#define KEYS_MAX 256
#define SHOWN_MAX 80 /* bytes of a word that an error quotes */

/**
 * struct config_run - a file being read
 * @given: keys that stand in the file, which may be there once
 */
struct config_run {
	struct config *config;
	bool given[KEYS_MAX];
};

static int take_setting(void *context, const struct setting *setting, struct assay_error *err)
{
	struct config_run *run = context;
	const struct config_key *key = config_find(setting->section, setting->key);
	char name[SHOWN_MAX], section[SHOWN_MAX];
	struct assay_error why;
	size_t number;
	int r;

	text_escape(BYTES((const uint8_t *)setting->key, strlen(setting->key)), name, sizeof(name));
	text_escape(BYTES((const uint8_t *)setting->section, strlen(setting->section)), section,
		    sizeof(section));
	if (!key)
		return assay_fail(err, EINVAL, "[%s] has no key '%s'; see assayd.conf(5)", section,
				  name);
	number = (size_t)(key - config_keys);
	if (number >= KEYS_MAX || (key->type != CONFIG_LIST && run->given[number]))
		return assay_fail(err, EINVAL, "%s is given twice in [%s]", name, section);
	run->given[number] = true;
	r = config_set(run->config, key, setting->value, &why);
	if (r < 0)
		return assay_fail(err, -r, "%s in [%s] %s", name, section, why.text);
	return 0;
}

int config_parse(struct config *config, struct bytes text, const char *name,
		 struct assay_error *err)
{
	struct config_run run = { .config = config };

	return settings_read(text, name, take_setting, &run, err);
}

/* One file, if it is there. */
static int load_file(struct config *config, const char *path, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = file_read_regular(path, SETTINGS_SIZE_MAX, &text, err);
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
