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
/* Characters of such a directory's name, with its NUL: others are passed over. */
#define BOOT_NAME_MAX (ARCHIVE_BOOT_ID_TEXT + 8)
/* Headers that are read in a step. */
#define HEADERS_AT_ONCE 64

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

/**
 * struct keeping - removing, under way
 * @rules: of it; @own: of @rules.boot_id
 * @names: directories of boots that are to be looked through, from @at on
 * @boots: those that are, the last one perhaps not to its end if @looking
 * @counted: all are, and @result has what is there
 */
struct keeping {
	char *root;
	struct keep_rules rules;
	char own[ARCHIVE_BOOT_ID_TEXT];
	char (*names)[BOOT_NAME_MAX];
	size_t name_count, at;
	struct boots boots;
	bool looking, counted;
	struct keep_result result;
};

static void free_boots(struct boots *boots)
{
	for (size_t i = 0; boots->list && i < boots->count; i++) {
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

/* Its files' headers are read in the steps that follow. */
static int add_boot(struct keeping *keeping, const char *name, struct assay_error *err)
{
	struct boot *boot = &keeping->boots.list[keeping->boots.count];
	int r;

	*boot = (struct boot){ .is_own = strncmp(name, keeping->own, strlen(keeping->own)) == 0 };
	if (asprintf(&boot->path, "%s/%s", keeping->root, name) < 0) {
		boot->path = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	r = archive_look(boot->path, &boot->archive, err);
	if (r < 0) {
		free(boot->path);
		/* No directory, or one that somebody removes. */
		return r == -ENOTDIR || r == -ENOENT ? 0 : r;
	}
	keeping->boots.count++;
	keeping->looking = true;
	return 0;
}

static int find_boots(struct keeping *keeping, struct assay_error *err)
{
	DIR *directory = opendir(keeping->root);
	const struct dirent *entry;

	/* Nothing was archived yet. */
	if (!directory && errno == ENOENT)
		return 0;
	if (!directory)
		return assay_fail(err, errno, "cannot read %s: %s", keeping->root, strerror(errno));
	while (keeping->name_count < BOOTS_MAX && (entry = readdir(directory)))
		if (is_boot(entry->d_name) && strlen(entry->d_name) < BOOT_NAME_MAX)
			memcpy(keeping->names[keeping->name_count++], entry->d_name,
			       strlen(entry->d_name) + 1);
	closedir(directory);
	return 0;
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
		if (problems[i].fault == ARCHIVE_FUTURE || problems[i].fault == ARCHIVE_DAMAGED ||
		    problems[i].fault == ARCHIVE_UNREADABLE)
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
	/* With the last one those would go that only could not be read now. */
	if (newest && (archive_unread(boot->archive, ARCHIVE_LOG, NULL) < 0 ||
		       archive_unread(boot->archive, ARCHIVE_IMA, NULL) < 0))
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
	const struct archive_file *files = archive_files(boot->archive, stream, &count);
	uint64_t number = files[boot->removed[stream]++].number;
	int r = 0;

	if (boot->removed[stream] < count)
		r = archive_remove_file(boot->path, stream, number, err);
	if (r == 0 && is_last(boot))
		r = archive_remove(boot->path, err);
	return r;
}

/* One file less, if one must go. 1: there may be more. */
static int remove_one(struct keeping *keeping, struct assay_error *err)
{
	const struct keep_rules *rules = &keeping->rules;
	struct keep_result *result = &keeping->result;
	enum archive_stream stream = ARCHIVE_LOG;
	struct boot *boot = NULL;
	const struct archive_file *file = find_oldest(&keeping->boots, rules, &boot, &stream);
	bool over = rules->size > 0 && result->size > rules->size;
	int r;

	/* What was written by a clock that was ahead is not old. */
	if (file && (over || (rules->age > 0 && file->time < rules->now &&
			      rules->now - file->time > rules->age))) {
		result->size -= file->size;
		result->files--;
		result->removed++;
		r = remove_file(boot, stream, err);
		return r < 0 ? r : 1;
	}
	result->over = over ? result->size - rules->size : 0;
	return 0;
}

/* 1: there is more. */
static int look_on(struct keeping *keeping, struct assay_error *err)
{
	struct boots *boots = &keeping->boots;
	int r;

	if (keeping->looking) {
		struct archive *archive = boots->list[boots->count - 1].archive;

		keeping->looking = archive_look_on(archive, HEADERS_AT_ONCE) > 0;
		if (!keeping->looking)
			archive_give_up_files(archive);
		return 1;
	}
	if (keeping->at == keeping->name_count) {
		count_files(boots, &keeping->result);
		keeping->counted = true;
		return 1;
	}
	r = add_boot(keeping, keeping->names[keeping->at++], err);
	return r < 0 ? r : 1;
}

int keeping_begin(const char *root, const struct keep_rules *rules, struct keeping **ret,
		  struct assay_error *err)
{
	struct keeping *keeping = calloc(1, sizeof(*keeping));
	int r;

	if (!keeping)
		return assay_fail(err, ENOMEM, "out of memory");
	keeping->rules = *rules;
	snprintf(keeping->own, sizeof(keeping->own), "%s", rules->boot_id);
	keeping->rules.boot_id = keeping->own;
	keeping->root = strdup(root);
	keeping->names = calloc(BOOTS_MAX, sizeof(*keeping->names));
	keeping->boots.list = calloc(BOOTS_MAX, sizeof(*keeping->boots.list));
	if (keeping->root && keeping->names && keeping->boots.list)
		r = find_boots(keeping, err);
	else
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r < 0)
		keeping_end(keeping);
	else
		*ret = keeping;
	return r;
}

int keeping_step(struct keeping *keeping, struct assay_error *err)
{
	return keeping->counted ? remove_one(keeping, err) : look_on(keeping, err);
}

const struct keep_result *keeping_result(const struct keeping *keeping)
{
	return &keeping->result;
}

bool keeping_problems(const struct keeping *keeping, const char *path,
		      const struct archive_problem **ret, size_t *ret_count)
{
	for (size_t i = 0; i < keeping->boots.count; i++) {
		const struct boot *boot = &keeping->boots.list[i];

		if (strcmp(boot->path, path) != 0)
			continue;
		*ret = archive_problems(boot->archive, ret_count);
		return true;
	}
	return false;
}

void keeping_end(struct keeping *keeping)
{
	if (!keeping)
		return;
	free_boots(&keeping->boots);
	free(keeping->names);
	free(keeping->root);
	free(keeping);
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
