// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/settings.h"
#include "sign/manifest.h"

#define SHOWN_MAX 96 /* bytes of a word that an error quotes */
#define PACKAGE_MAX 128

static const char *const kind_names[] = {
	[RULE_MANIFEST] = "manifest", [RULE_FILE] = "file",	  [RULE_LIST] = "list",
	[RULE_PACKAGE] = "package",   [RULE_GLOB] = "glob",	  [RULE_VERITY] = "verity",
	[RULE_IMAGES] = "images",     [RULE_EXCLUDE] = "exclude",
};
#define KIND_COUNT (sizeof(kind_names) / sizeof(*kind_names))

static const struct {
	const char *name;
	unsigned int stages;
} sections[] = {
	{ "measure", RULE_STAGE_INITRD | RULE_STAGE_SYSTEM },
	{ "initrd", RULE_STAGE_INITRD },
	{ "system", RULE_STAGE_SYSTEM },
};

const char *rule_kind_name(enum rule_kind kind)
{
	return kind_names[kind];
}

static const char *shown(const char *word, char text[SHOWN_MAX])
{
	return text_escape(BYTES((const uint8_t *)word, strlen(word)), text, SHOWN_MAX);
}

/* ---------------------------------------------------------------- one rule */

/* A package's name as dpkg has it (deb-control(5)), perhaps with ":ARCHITECTURE". */
static int check_package(const char *value, struct assay_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
	size_t name = strspn(value, allowed), whole = strlen(value);
	char text[SHOWN_MAX];

	if (name > 1 && value[0] != '.' && value[0] != '-' && whole < PACKAGE_MAX &&
	    (name == whole ||
	     (value[name] == ':' && name + 1 < whole &&
	      strspn(value + name + 1, allowed) == whole - name - 1 && value[name + 1] != '.')))
		return 0;
	return assay_fail(err, EINVAL, "'%s' is no package's name", shown(value, text));
}

static int check_value(enum rule_kind kind, const char *value, struct assay_error *err)
{
	struct assay_error why;
	char text[SHOWN_MAX];

	if (kind == RULE_PACKAGE)
		return check_package(value, err);
	if (kind == RULE_VERITY && strcmp(value, "/") == 0)
		return 0;
	if (manifest_check_path(value, &why) < 0)
		return assay_fail(err, EINVAL, "'%s': %s", shown(value, text), why.text);
	return 0;
}

static int add_rule(struct rules *rules, enum rule_kind kind, unsigned int stages,
		    const struct setting *setting, struct assay_error *err)
{
	struct rule rule = { .kind = kind, .stages = stages };
	struct rule *list;

	if (rules->count >= RULES_MAX)
		return assay_fail(err, E2BIG, "there are more than %d rules", RULES_MAX);
	list = reallocarray(rules->list, rules->count + 1, sizeof(*list));
	if (!list)
		return assay_fail(err, ENOMEM, "out of memory");
	rules->list = list;
	rule.value = strdup(setting->value);
	if (asprintf(&rule.place, "%s line %u", setting->file, setting->line) < 0)
		rule.place = NULL;
	rules->list[rules->count++] = rule;
	return rule.value && rule.place ? 0 : assay_fail(err, ENOMEM, "out of memory");
}

/* ---------------------------------------------------------------- files of rules */

static int take_rule(void *context, const struct setting *setting, struct assay_error *err)
{
	unsigned int stages = 0;
	char text[SHOWN_MAX];
	size_t kind = 0;
	int r;

	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (strcmp(sections[i].name, setting->section) == 0)
			stages = sections[i].stages;
	if (stages == 0)
		return assay_fail(err, EINVAL,
				  "[%s] is no section of rules: [measure], [initrd], [system]",
				  shown(setting->section, text));
	while (kind < KIND_COUNT && strcmp(kind_names[kind], setting->key) != 0)
		kind++;
	if (kind == KIND_COUNT)
		return assay_fail(err, EINVAL,
				  "there is no rule '%s': manifest, file, list, package, glob, "
				  "verity, images, exclude; see assay-measure.d(5)",
				  shown(setting->key, text));
	r = check_value((enum rule_kind)kind, setting->value, err);
	if (r < 0)
		return assay_fail_context(err, "%s", kind_names[kind]);
	return add_rule(context, (enum rule_kind)kind, stages, setting, err);
}

int rules_parse(struct bytes text, const char *name, struct rules *rules, struct assay_error *err)
{
	return settings_read(text, name, take_rule, rules, err);
}

static int is_rules(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end && strcmp(end, RULES_SUFFIX) == 0;
}

/* Byte by byte, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_file(const char *directory, const char *name, struct rules *rules,
		     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	r = file_read_regular(path, SETTINGS_SIZE_MAX, &text, err);
	return r < 0 ? r : rules_parse(buffer_bytes(&text), path, rules, err);
}

int rules_load(const char *directory, struct rules *rules, struct assay_error *err)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_rules, by_name), r = 0;

	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return assay_fail(err, errno, "cannot read the directory %s: %s", directory,
				  strerror(errno));
	if (count > RULES_FILES_MAX)
		r = assay_fail(err, E2BIG, "%s has more than %d files", directory, RULES_FILES_MAX);
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = load_file(directory, entries[i]->d_name, rules, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

void rules_free(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->list[i].value);
		free(rules->list[i].place);
	}
	free(rules->list);
	*rules = (struct rules){ 0 };
}

/* ---------------------------------------------------------------- forms of paths */

bool rules_path_matches(const char *pattern, const char *path)
{
	/* Where to go on if what follows "**" does not match from here: one component further. */
	const char *again_pattern = NULL, *again_path = NULL;

	for (;;) {
		size_t pattern_size, path_size;

		pattern += *pattern == '/';
		path += *path == '/';
		pattern_size = strcspn(pattern, "/");
		path_size = strcspn(path, "/");
		if (pattern_size == 2 && strncmp(pattern, "**", 2) == 0) {
			pattern += 2;
			again_pattern = pattern;
			again_path = path;
			continue;
		}
		if (pattern_size == 0 && path_size == 0)
			return true;
		if (pattern_size > 0 && path_size > 0) {
			char one[MANIFEST_PATH_MAX], other[MANIFEST_PATH_MAX];

			snprintf(one, sizeof(one), "%.*s", (int)pattern_size, pattern);
			snprintf(other, sizeof(other), "%.*s", (int)path_size, path);
			if (fnmatch(one, other, 0) == 0) {
				pattern += pattern_size;
				path += path_size;
				continue;
			}
		}
		if (!again_pattern || *again_path == '\0')
			return false;
		again_path += strcspn(again_path, "/");
		again_path += *again_path == '/';
		pattern = again_pattern;
		path = again_path;
	}
}
