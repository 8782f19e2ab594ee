// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "measure/scan_internal.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"

#define LIST_SIZE_MAX (64U << 20)
/* Nothing vouches for it until all of it is in memory; it has room for SCAN_FILES_MAX files. */
#define MANIFEST_MAX (64U << 20)
#define SIGNATURE_MAX (64U << 10)
#define SHOWN_MAX 1024

/* ---------------------------------------------------------------- what is found */

int scan_failed(struct scan_run *run, const char *format, ...)
{
	struct scan *scan = &run->scan;
	char *text;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	if (size < 0)
		return assay_fail(run->err, ENOMEM, "out of memory");
	if (scan->failure_count < SCAN_FAILURES_KEPT)
		scan->failures[scan->failure_count] = text;
	else
		free(text);
	scan->failure_count++;
	return 0;
}

static bool is_excluded(const struct scan_run *run, const char *path)
{
	for (size_t i = 0; i < run->rules->count; i++) {
		const struct rule *rule = &run->rules->list[i];

		if (rule->kind == RULE_EXCLUDE && (rule->stages & run->options->stage) &&
		    rules_path_matches(rule->value, path))
			return true;
	}
	return false;
}

static int add_file(struct scan_run *run, const char *directory, const char *name, bool named)
{
	struct scan *scan = &run->scan;
	char *path;

	if (asprintf(&path, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name) < 0)
		return assay_fail(run->err, ENOMEM, "out of memory");
	if (is_excluded(run, path)) {
		free(path);
		return 0;
	}
	run->path_bytes += strlen(path) + 1;
	if (scan->count == run->capacity && scan->count < run->most.files) {
		size_t capacity = run->capacity ? 2 * run->capacity : 256;
		struct scan_file *files = reallocarray(scan->files, capacity, sizeof(*files));

		if (files) {
			scan->files = files;
			run->capacity = capacity;
		}
	}
	if (scan->count >= run->most.files || run->path_bytes > run->most.path_bytes ||
	    scan->count == run->capacity) {
		free(path);
		return scan->count == run->capacity && scan->count < run->most.files ?
			       assay_fail(run->err, ENOMEM, "out of memory") :
			       assay_fail(run->err, E2BIG,
					  "the rules are for more than %" PRIu64
					  " files, or more than %" PRIu64
					  " bytes of names: have them find fewer",
					  run->most.files, run->most.path_bytes);
	}
	scan->files[scan->count++] = (struct scan_file){ .path = path, .named = named };
	return 0;
}

static bool is_regular(int fd, const char *name, struct statx *ret)
{
	return statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, ret) == 0 &&
	       S_ISREG(ret->stx_mode);
}

int scan_require(struct scan_run *run, int fd, const char *real, const char *name)
{
	struct statx found;

	return is_regular(fd, name, &found) ? add_file(run, real, name, true) : 0;
}

int scan_consider(struct scan_run *run, int fd, const char *real, const char *name)
{
	struct statx found;

	if (!is_regular(fd, name, &found))
		return 0;
	if (!(found.stx_attributes & STATX_ATTR_VERITY)) {
		run->scan.without_verity++;
		return 0;
	}
	return add_file(run, real, name, false);
}

/* ---------------------------------------------------------------- paths that are given */

static void leave_directory(struct scan_run *run)
{
	free(run->directory);
	free(run->directory_real);
	close_descriptor(&run->directory_fd);
	run->directory = run->directory_real = NULL;
	run->directory_fd = -1;
}

/*
 * Go to the directory of a path, which is that of the path before more often than not.
 * Return: false if there is none
 */
static bool enter_directory(struct scan_run *run, const char *directory)
{
	char real[PATH_MAX];

	if (run->directory && strcmp(run->directory, directory) == 0)
		return run->directory_real;
	leave_directory(run);
	run->directory = strdup(directory);
	if (!run->directory || scan_resolve(&run->mounts, run->options->root, directory, real) < 0)
		return false;
	run->directory_fd = root_open_file(run->options->root, real, O_PATH | O_DIRECTORY);
	if (run->directory_fd >= 0)
		run->directory_real = root_path(run->prefix, run->directory_fd);
	return run->directory_real;
}

/* Takes a path apart. Return: the name in @directory */
static const char *split_path(const char *path, char directory[MANIFEST_PATH_MAX])
{
	const char *name = strrchr(path, '/') + 1;

	snprintf(directory, MANIFEST_PATH_MAX, "%.*s", name - path > 1 ? (int)(name - path - 1) : 1,
		 path);
	return name;
}

static int leave_out(struct scan_run *run, const char *path)
{
	return scan_failed(run,
			   "%s is not looked at: it is on an automount or a file system of a "
			   "network or a program",
			   path);
}

/* A file that a rule names, or one that a package has. */
static int add_path(struct scan_run *run, const char *path, bool named)
{
	char directory[MANIFEST_PATH_MAX], real[PATH_MAX];
	const char *name = split_path(path, directory);

	if (enter_directory(run, directory))
		return named ? add_file(run, run->directory_real, name, true) :
			       scan_consider(run, run->directory_fd, run->directory_real, name);
	if (!named)
		return 0;
	if (scan_resolve(&run->mounts, run->options->root, directory, real) == -EXDEV)
		return leave_out(run, path);
	/* Measuring it tells why it cannot be had. */
	return add_file(run, strcmp(directory, "/") == 0 ? "" : directory, name, true);
}

int scan_require_linked(struct scan_run *run, const char *path)
{
	char real[PATH_MAX], directory[MANIFEST_PATH_MAX], text[SHOWN_MAX];
	int r = scan_resolve(&run->mounts, run->options->root, path, real);
	const char *name;

	if (r == -EXDEV)
		return leave_out(run, path);
	if (r < 0) /* but maybe somewhere for who mounts it */
		return scan_failed(
			run, "%s leads nowhere: %s",
			text_escape(BYTES((const uint8_t *)path, strlen(path)), text, sizeof(text)),
			strerror(-r));
	name = split_path(real, directory); /* "" of the root, which is no file */
	return enter_directory(run, directory) ?
		       scan_require(run, run->directory_fd, run->directory_real, name) :
		       0;
}

/* ---------------------------------------------------------------- rules that name files */

/* Only once the signature is good is any of it looked at. */
static int scan_manifest(struct scan_run *run, const struct rule *rule)
{
	const struct scan_options *options = run->options;
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	CLEANUP(free_pointer) char *beside = NULL;
	struct manifest *manifest = NULL;
	struct assay_error why = { 0 };
	int r;

	if (asprintf(&beside, "%s" MANIFEST_SIGNATURE_SUFFIX, rule->value) < 0) {
		beside = NULL;
		return assay_fail(run->err, ENOMEM, "out of memory");
	}
	r = root_read(options->root, rule->value, MANIFEST_MAX, &text, &why);
	if (r == 0)
		r = root_read(options->root, beside, SIGNATURE_MAX, &signature, &why);
	if (r == 0 && options->certificate_count == 0)
		r = assay_fail(&why, ENOKEY,
			       "%s cannot be believed: there is no certificate to check its "
			       "signature with",
			       rule->value);
	if (r == 0)
		r = manifest_verify_any(buffer_bytes(&text), rule->value, buffer_bytes(&signature),
					options->certificates, options->certificate_count, 0, &why);
	if (r == 0)
		r = manifest_parse(buffer_bytes(&text), rule->value, &manifest, &why);
	if (r < 0 || !manifest)
		return scan_failed(run, "%s: %s", rule->place, why.text);
	for (size_t i = 0; i < manifest->count && r == 0; i++)
		r = add_path(run, manifest->files[i].path, true);
	manifest_free(manifest);
	return r;
}

/*
 * take_path - called for each line of a list
 * Return: 0, or what ends the scan
 */
typedef int (*take_path)(struct scan_run *run, const struct rule *rule, const char *path);

static int each_line(struct scan_run *run, const struct rule *rule, struct bytes text,
		     take_path take)
{
	char path[MANIFEST_PATH_MAX];
	int r = 0;

	while (r == 0 && text.size > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		struct bytes line;

		bytes_take(&text, end ? (size_t)(end - text.data) : text.size, &line);
		if (end)
			text.data++, text.size--;
		if (line.size >= sizeof(path) || memchr(line.data, '\0', line.size)) {
			r = scan_failed(run, "%s: %s has a line that is no path", rule->place,
					rule->value);
			continue;
		}
		memcpy(path, line.data, line.size);
		path[line.size] = '\0';
		r = take(run, rule, path);
	}
	return r;
}

static int take_listed(struct scan_run *run, const struct rule *rule, const char *path)
{
	struct assay_error why;
	char text[SHOWN_MAX];

	if (path[0] == '\0' || path[0] == '#')
		return 0;
	if (manifest_check_path(path, &why) < 0)
		return scan_failed(
			run, "%s: %s: '%s': %s", rule->place, rule->value,
			text_escape(BYTES((const uint8_t *)path, strlen(path)), text, sizeof(text)),
			why.text);
	return add_path(run, path, true);
}

/* dpkg's lists have directories and links, too, and "/." first. */
static int take_packaged(struct scan_run *run, const struct rule *rule, const char *path)
{
	struct assay_error why;

	(void)rule;
	return manifest_check_path(path, &why) < 0 ? 0 : add_path(run, path, false);
}

static int scan_list(struct scan_run *run, const struct rule *rule)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct assay_error why = { 0 };

	if (root_read(run->options->lists, rule->value, LIST_SIZE_MAX, &text, &why) < 0)
		return scan_failed(run, "%s: %s", rule->place, why.text);
	return each_line(run, rule, buffer_bytes(&text), take_listed);
}

/* dpkg(1): NAME.list, or NAME:ARCHITECTURE.list of packages that there can be several of. */
static int scan_package(struct scan_run *run, const struct rule *rule)
{
	static const char *const architectures[] = { "",       ":amd64",   ":arm64",
						     ":armhf", ":riscv64", ":i386" };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct assay_error why = { 0 };
	char path[512];
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(architectures) / sizeof(*architectures) && r == -ENOENT;
	     i++) {
		snprintf(path, sizeof(path), "/var/lib/dpkg/info/%s%s.list", rule->value,
			 architectures[i]);
		r = root_read(run->options->root, path, LIST_SIZE_MAX, &text, &why);
		if (strchr(rule->value, ':'))
			break;
	}
	if (r == -ENOENT)
		return scan_failed(run, "%s: dpkg has no package %s", rule->place, rule->value);
	if (r < 0)
		return scan_failed(run, "%s: %s", rule->place, why.text);
	return each_line(run, rule, buffer_bytes(&text), take_packaged);
}

static int scan_rule(struct scan_run *run, const struct rule *rule)
{
	switch (rule->kind) {
	case RULE_MANIFEST:
		return scan_manifest(run, rule);
	case RULE_FILE:
		return add_path(run, rule->value, true);
	case RULE_LIST:
		return scan_list(run, rule);
	case RULE_PACKAGE:
		return scan_package(run, rule);
	case RULE_GLOB:
		return scan_glob(run, rule->value);
	case RULE_VERITY:
		return scan_verity(run, rule->value);
	case RULE_IMAGES:
		return scan_images(run, rule->value);
	case RULE_EXCLUDE:
		break;
	}
	return 0;
}

/* ---------------------------------------------------------------- all of them */

/* One that finds too much ends there, and keeps no other from what it finds. */
static int follow_rule(struct scan_run *run, const struct rule *rule)
{
	int r = scan_rule(run, rule);

	return r == -E2BIG ? scan_failed(run, "%s: %s", rule->place, run->err->text) : r;
}

static bool names_files(const struct rule *rule)
{
	return rule->kind == RULE_MANIFEST || rule->kind == RULE_FILE || rule->kind == RULE_LIST;
}

static bool is_followed(const struct scan_run *run, const struct rule *rule)
{
	return (rule->stages & run->options->stage) && rule->kind != RULE_EXCLUDE;
}

static int follow_naming(struct scan_run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->rules->count && r == 0; i++)
		if (is_followed(run, &run->rules->list[i]) && names_files(&run->rules->list[i]))
			r = follow_rule(run, &run->rules->list[i]);
	return r;
}

/* Of what is left of @all, half is in equal parts for the @behind of @count rules that come yet. */
static uint64_t without_rest(uint64_t used, uint64_t all, size_t behind, size_t count)
{
	return used < all ? all - (all - used) / 2 / count * behind : all;
}

static int follow_looking(struct scan_run *run)
{
	const struct scan_most all = run->most;
	const struct scan_most used = { run->scan.count, run->path_bytes, run->names, scan_now() };
	size_t count = 0, behind;
	int r = 0;

	for (size_t i = 0; i < run->rules->count; i++)
		count += is_followed(run, &run->rules->list[i]) &&
			 !names_files(&run->rules->list[i]);
	behind = count;
	for (size_t i = 0; i < run->rules->count && r == 0; i++) {
		const struct rule *rule = &run->rules->list[i];

		if (!is_followed(run, rule) || names_files(rule))
			continue;
		behind--;
		run->most = (struct scan_most){
			without_rest(used.files, all.files, behind, count),
			without_rest(used.path_bytes, all.path_bytes, behind, count),
			without_rest(used.names, all.names, behind, count),
			without_rest(used.look_until, all.look_until, behind, count),
		};
		r = follow_rule(run, rule);
	}
	return r;
}

static int by_path(const void *a, const void *b)
{
	const struct scan_file *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	/* A named one first, which stays of several. */
	return order ? order : (int)right->named - (int)left->named;
}

static void sort_files(struct scan *scan)
{
	size_t kept = 0;

	if (scan->count == 0)
		return;
	qsort(scan->files, scan->count, sizeof(*scan->files), by_path);
	for (size_t i = 0; i < scan->count; i++) {
		if (kept > 0 && strcmp(scan->files[i].path, scan->files[kept - 1].path) == 0)
			free(scan->files[i].path);
		else
			scan->files[kept++] = scan->files[i];
	}
	scan->count = kept;
}

uint64_t scan_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int scan_rules(const struct scan_options *options, const struct rules *rules, struct scan *ret,
	       struct assay_error *err)
{
	struct scan_run run = {
		.options = options,
		.rules = rules,
		.most = { SCAN_FILES_MAX, SCAN_PATHS_MAX, SCAN_NAMES_MAX,
			  options->look_ms > 0 ? scan_now() + options->look_ms : UINT64_MAX },
		.directory_fd = -1,
		.err = err,
	};
	int r = root_prefix(options->root, &run.prefix, err);

	if (r == 0)
		r = mounts_load(run.prefix, &run.mounts, err);
	if (r == 0)
		/* There is room for these, however much is found where others look. */
		r = follow_naming(&run);
	if (r == 0)
		r = follow_looking(&run);
	leave_directory(&run);
	mounts_free(&run.mounts);
	free(run.prefix);
	if (r < 0) {
		scan_free(&run.scan);
		return r;
	}
	sort_files(&run.scan);
	*ret = run.scan;
	return 0;
}

void scan_free(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++)
		free(scan->files[i].path);
	free(scan->files);
	for (size_t i = 0; i < scan->failure_count && i < SCAN_FAILURES_KEPT; i++)
		free(scan->failures[i]);
	*scan = (struct scan){ 0 };
}
