// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archiver_keep.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Directories of boots at most: the rest is looked at once the oldest are gone. */
#define BOOTS_MAX 4096

/* An archive of a boot, as it was looked through; @is_own: of this boot */
struct boot {
	char *path;
	bool is_own;
	struct archive *archive;
	size_t removed[ARCHIVE_STREAMS]; /* how many of its files, from the front */
};

struct boots {
	struct boot *list;
	size_t count;
};

static void free_boots(struct boots *boots)
{
	for (size_t i = 0; i < boots->count; i++) {
		archive_close(boots->list[i].archive);
		free(boots->list[i].path);
	}
	free(boots->list);
}

/* BOOT-ID, or BOOT-ID.N */
static bool is_boot(const char *name)
{
	char text[ARCHIVE_BOOT_ID_TEXT];
	uint8_t boot_id[ARCHIVE_BOOT_ID];
	const char *rest = name + ARCHIVE_BOOT_ID_TEXT - 1;

	if (strlen(name) < ARCHIVE_BOOT_ID_TEXT - 1)
		return false;
	memcpy(text, name, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return archive_boot_id_parse(text, boot_id) &&
	       (!*rest ||
		(rest[0] == '.' && rest[1] && strspn(rest + 1, "0123456789") == strlen(rest + 1)));
}

static int add_boot(struct boots *boots, const char *root, const char *name, const char *own,
		    struct assay_error *err)
{
	struct boot *boot = &boots->list[boots->count];
	struct archive *archive;
	int r;

	if (asprintf(&boot->path, "%s/%s", root, name) < 0) {
		boot->path = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	r = archive_open(boot->path, &archive, err);
	if (r < 0) {
		free(boot->path);
		/* No directory, or one that somebody removes. */
		return r == -ENOTDIR || r == -ENOENT ? 0 : r;
	}
	archive_give_up_files(archive);
	boot->archive = archive;
	boot->is_own = strncmp(name, own, ARCHIVE_BOOT_ID_TEXT - 1) == 0;
	boots->count++;
	return 0;
}

static int find_boots(const char *root, const char *own, struct boots *boots,
		      struct assay_error *err)
{
	DIR *directory = opendir(root);
	struct dirent *entry;
	int r = 0;

	/* Nothing was archived yet. */
	if (!directory && errno == ENOENT)
		return 0;
	if (!directory)
		return assay_fail(err, errno, "cannot read %s: %s", root, strerror(errno));
	while (r == 0 && boots->count < BOOTS_MAX && (entry = readdir(directory)))
		if (is_boot(entry->d_name))
			r = add_boot(boots, root, entry->d_name, own, err);
	closedir(directory);
	return r;
}

static void count_files(const struct boots *boots, struct keep_result *result)
{
	for (size_t i = 0; i < boots->count; i++) {
		for (int stream = 0; stream < ARCHIVE_STREAMS; stream++) {
			size_t count;
			const struct archive_file *files = archive_files(
				boots->list[i].archive, (enum archive_stream)stream, &count);

			result->files += count;
			for (size_t j = 0; j < count; j++) {
				result->size += files[j].size;
				if (files[j].time > result->newest)
					result->newest = files[j].time;
			}
		}
	}
}

/*
 * Are there files that this program cannot read, as those of a newer one? Nobody knows what of them
 * a verifier has seen.
 */
static bool has_unread(const struct boot *boot)
{
	size_t count;
	const struct archive_problem *problems = archive_problems(boot->archive, &count);

	for (size_t i = 0; i < count; i++)
		if (problems[i].fault == ARCHIVE_FUTURE || problems[i].fault == ARCHIVE_DAMAGED)
			return true;
	/* Of more nothing is told. */
	return count == ARCHIVE_PROBLEMS_MAX;
}

/*
 * The oldest file of a stream that is left, if it may go; NULL if not. With the last one all of the
 * directory goes.
 */
static const struct archive_file *first_left(const struct boot *boot, enum archive_stream stream,
					     const struct keep_rules *rules)
{
	size_t count;
	const struct archive_file *files = archive_files(boot->archive, stream, &count);
	const struct archive_file *file = &files[boot->removed[stream]];
	bool newest = boot->removed[stream] + 1 == count;

	if (boot->removed[stream] >= count || (boot->is_own && (stream == ARCHIVE_IMA || newest)))
		return NULL;
	if (rules->unacknowledged && newest && has_unread(boot))
		return NULL;
	if (rules->unacknowledged &&
	    file->first + file->count > archive_acknowledged(boot->archive, stream))
		return NULL;
	return file;
}

/* The oldest of all that may go, by the clock that wrote it; NULL without any. */
static const struct archive_file *find_oldest(const struct boots *boots,
					      const struct keep_rules *rules,
					      struct boot **ret_boot,
					      enum archive_stream *ret_stream)
{
	const struct archive_file *oldest = NULL;

	for (size_t i = 0; i < boots->count; i++) {
		for (int stream = 0; stream < ARCHIVE_STREAMS; stream++) {
			struct boot *boot = &boots->list[i];
			const struct archive_file *file =
				first_left(boot, (enum archive_stream)stream, rules);

			if (!file || (oldest && oldest->time <= file->time))
				continue;
			oldest = file;
			*ret_boot = boot;
			*ret_stream = (enum archive_stream)stream;
		}
	}
	return oldest;
}

static bool is_last(const struct boot *boot)
{
	for (int stream = 0; stream < ARCHIVE_STREAMS; stream++) {
		size_t count;

		archive_files(boot->archive, (enum archive_stream)stream, &count);
		if (boot->removed[stream] < count)
			return false;
	}
	return true;
}

/* The last file of a boot's streams goes with the directory. */
static int remove_file(struct boot *boot, enum archive_stream stream, struct assay_error *err)
{
	size_t count;
	int r = 0;

	archive_files(boot->archive, stream, &count);
	boot->removed[stream]++;
	if (boot->removed[stream] < count)
		r = archive_remove_oldest(boot->path, stream, NULL, err);
	if (r == 0 && is_last(boot))
		r = archive_remove(boot->path, err);
	return r;
}

static int keep_boots(struct boots *boots, const struct keep_rules *rules,
		      struct keep_result *result, struct assay_error *err)
{
	const struct archive_file *file;
	enum archive_stream stream = ARCHIVE_LOG;
	struct boot *boot = NULL;
	int r = 0;

	count_files(boots, result);
	while (r == 0 && (file = find_oldest(boots, rules, &boot, &stream))) {
		bool over = rules->size > 0 && result->size > rules->size;
		/* What was written by a clock that was ahead is not old. */
		bool old = rules->age > 0 && file->time < rules->now &&
			   rules->now - file->time > rules->age;

		if (!over && !old)
			break;
		result->size -= file->size;
		result->files--;
		result->removed++;
		r = remove_file(boot, stream, err);
	}
	if (rules->size > 0 && result->size > rules->size)
		result->over = result->size - rules->size;
	return r;
}

int archiver_keep(const char *root, const struct keep_rules *rules, struct keep_result *ret,
		  struct assay_error *err)
{
	struct boots boots = { .list = calloc(BOOTS_MAX, sizeof(*boots.list)) };
	struct keep_result result = { 0 };
	int r = boots.list ? find_boots(root, rules->boot_id, &boots, err) :
			     assay_fail(err, ENOMEM, "out of memory");

	if (r == 0)
		r = keep_boots(&boots, rules, &result, err);
	free_boots(&boots);
	if (r == 0)
		*ret = result;
	return r;
}

static int acknowledge(const char *path, enum archive_stream stream, uint64_t number,
		       struct assay_error *err)
{
	int r = archive_acknowledge(path, stream, number, err);

	/* Nothing was archived yet. */
	return r == -ENOENT ? 0 : r;
}

int archiver_acknowledge(const char *root, const char *boot_id, const char *log_path,
			 uint64_t records, uint64_t entries, struct assay_error *err)
{
	char *path;
	int r = log_path ? acknowledge(log_path, ARCHIVE_LOG, records, err) : 0;

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s", root, boot_id) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	r = acknowledge(path, ARCHIVE_IMA, entries, err);
	free(path);
	return r;
}
