// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: should a FIFO have taken a file's place, do not wait for its writer. */
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define DIRECTORY_FLAGS (O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC)

/**
 * struct name - a name in a directory
 * @text: that of a directory ends in "/", which sorts whole paths right
 * @regular: the directory says that it is a regular file
 */
struct name {
	char *text;
	bool regular;
};

struct names {
	struct name *list;
	size_t count, next;
};

/**
 * struct level - a directory being read
 * @fd: of the directory
 * @length: how much of the tree's path leads to it, with its "/" at the end
 */
struct level {
	int fd;
	size_t length;
	struct names names;
};

/**
 * struct tree - see tree.h
 * @levels: from the root to where we are
 * @path: of the item looked at, as seen from the root, without the leading "/"
 * @refused: of a list, what cannot be a path; told first
 */
struct tree {
	struct level *levels;
	size_t depth, capacity;
	struct buffer path;
	struct names refused;
	struct tree_names include, exclude;
	bool list, closed;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot read the directory: out of memory");
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].text);
	free(names->list);
	*names = (struct names){ 0 };
}

/* Takes @text over, also where it fails. */
static bool names_add(struct names *names, char *text, bool regular)
{
	size_t count = names->count;

	if (!text)
		return false;
	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		struct name *list = reallocarray(names->list, count ? 2 * count : 1, sizeof(*list));

		if (!list) {
			free(text);
			return false;
		}
		names->list = list;
	}
	names->list[names->count++] = (struct name){ text, regular };
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static char *with_slash(const char *name, bool slash)
{
	size_t length = strlen(name);
	char *copy = malloc(length + 2);

	if (!copy)
		return NULL;
	memcpy(copy, name, length);
	copy[length] = slash ? '/' : '\0';
	copy[length + 1] = '\0';
	return copy;
}

/* The names in a directory, sorted; on failure a positive errno. */
static int read_names(int fd, struct names *ret)
{
	struct names names = { 0 };
	struct dirent *entry;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	int code;

	if (!directory) {
		code = errno;
		if (copy >= 0)
			close(copy);
		return code;
	}
	for (;;) {
		struct stat st = { 0 };

		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			code = errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		st.st_mode = DTTOIF(entry->d_type);
		if (entry->d_type == DT_UNKNOWN &&
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			code = errno;
			if (code == ENOENT)
				continue; /* removed since */
			break;
		}
		if (!names_add(&names, with_slash(entry->d_name, S_ISDIR(st.st_mode)),
			       S_ISREG(st.st_mode))) {
			code = ENOMEM;
			break;
		}
	}
	closedir(directory);
	if (code != 0) {
		names_free(&names);
		return code;
	}
	if (names.count > 0)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	*ret = names;
	return 0;
}

/* Takes @fd and @names over, also where it fails. */
static int push(struct tree *tree, int fd, struct names *names, struct assay_error *err)
{
	if (tree->depth == tree->capacity) {
		size_t capacity = tree->capacity ? 2 * tree->capacity : 8;
		struct level *levels = reallocarray(tree->levels, capacity, sizeof(*levels));

		if (!levels) {
			close(fd);
			names_free(names);
			return out_of_memory(err);
		}
		tree->levels = levels;
		tree->capacity = capacity;
	}
	tree->levels[tree->depth++] =
		(struct level){ .fd = fd, .length = tree->path.size, .names = *names };
	return 0;
}

static void pop(struct tree *tree)
{
	struct level *level = &tree->levels[--tree->depth];

	close(level->fd);
	names_free(&level->names);
}

int tree_open_beneath(int root_fd, const char *path, int flags, const char *name,
		      struct assay_error *err)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd, code;

	do {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd >= 0)
		return fd;
	code = errno;
	if (code == ELOOP)
		return assay_fail(err, code,
				  "cannot open %s: it is, or is reached through, a symbolic link; "
				  "name the file itself",
				  name);
	return assay_fail(err, code, "cannot open %s: %s", name, strerror(code));
}

/* "usr/bin" of "//usr/./bin/"; "" of "/" */
static char *normalise(const char *path, struct assay_error *err)
{
	char *copy = malloc(strlen(path) + 1), *out = copy;

	if (!copy) {
		out_of_memory(err);
		return NULL;
	}
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && path[0] == '.' && path[1] == '.') {
			char shown[512];

			text_escape(BYTES((const uint8_t *)path, strlen(path)), shown,
				    sizeof(shown));
			assay_fail(err, EINVAL, "a path with \"..\" is not taken: %s", shown);
			free(copy);
			return NULL;
		}
		if (part > 0 && !(part == 1 && path[0] == '.')) {
			if (out > copy)
				*out++ = '/';
			out = mempcpy(out, path, part);
		}
		path += part;
		path += *path == '/';
	}
	*out = '\0';
	return copy;
}

/* A path of a list: what it is will be seen when it is its turn. */
static int add_listed(struct tree *tree, const char *asked, struct names *starts,
		      struct assay_error *err)
{
	struct assay_error why = { 0 };
	char *path = normalise(asked, &why);

	if (!path && why.code != EINVAL)
		return out_of_memory(err);
	if (path && !*path) {
		free(path); /* the root: a directory */
		return 0;
	}
	if (!names_add(path ? starts : &tree->refused, path ? path : strdup(asked), false))
		return out_of_memory(err);
	return 0;
}

/* Adds the path @asked, which ends in "/" if it is a directory's; "" is the root. */
static int add_start(int root_fd, const char *asked, struct names *starts, struct assay_error *err)
{
	char *path = normalise(asked, err);
	char shown[512];
	struct stat st;
	int fd, r = 0;

	if (!path)
		return err ? -err->code : -EINVAL;
	text_escape(BYTES((const uint8_t *)asked, strlen(asked)), shown, sizeof(shown));
	fd = tree_open_beneath(root_fd, *path ? path : ".", O_PATH, shown, err);
	if (fd < 0) {
		r = fd;
	} else if (fstat(fd, &st) < 0) {
		r = assay_fail(err, errno, "cannot look at %s: %s", shown, strerror(errno));
	} else if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		r = assay_fail(err, EINVAL, "%s is neither a file nor a directory", shown);
	} else if (!names_add(starts, with_slash(path, S_ISDIR(st.st_mode) && *path), false)) {
		r = out_of_memory(err);
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return r;
}

/* Drops what is there twice or below another; @starts is sorted. */
static void drop_covered(struct names *starts)
{
	size_t kept = 0;

	for (size_t i = 0; i < starts->count; i++) {
		const char *last = kept > 0 ? starts->list[kept - 1].text : NULL;
		size_t length = last ? strlen(last) : 0;
		bool directory = last && (length == 0 || last[length - 1] == '/');

		if (last && (directory ? strncmp(starts->list[i].text, last, length) == 0 :
					 strcmp(starts->list[i].text, last) == 0))
			free(starts->list[i].text);
		else
			starts->list[kept++] = starts->list[i];
	}
	starts->count = kept;
}

/* The places where the walk begins, sorted. */
static int add_starts(struct tree *tree, int root_fd, const struct tree_names *paths,
		      struct names *starts, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; i < paths->count && r == 0; i++)
		r = tree->list ? add_listed(tree, paths->list[i], starts, err) :
				 add_start(root_fd, paths->list[i], starts, err);
	if (r == 0 && paths->count == 0 && !tree->list)
		r = add_start(root_fd, "/", starts, err);
	if (r < 0)
		return r;
	if (starts->count > 0)
		qsort(starts->list, starts->count, sizeof(*starts->list), compare_names);
	drop_covered(starts);
	return 0;
}

int tree_open(const char *root, const struct tree_options *options, struct tree **ret,
	      struct assay_error *err)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct names starts = { 0 };
	int root_fd, r;

	if (!tree)
		return out_of_memory(err);
	tree->include = options->include;
	tree->exclude = options->exclude;
	tree->list = options->list;
	tree->closed = options->closed;
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		r = assay_fail(err, errno, "cannot open the directory %s: %s", root,
			       strerror(errno));
		goto fail;
	}
	r = add_starts(tree, root_fd, &options->paths, &starts, err);
	if (r < 0) {
		close(root_fd);
		names_free(&starts);
		goto fail;
	}
	r = push(tree, root_fd, &starts, err);
	if (r < 0)
		goto fail;
	*ret = tree;
	return 0;
fail:
	tree_close(tree);
	return r;
}

void tree_close(struct tree *tree)
{
	if (!tree)
		return;
	while (tree->depth > 0)
		pop(tree);
	names_free(&tree->refused);
	free(tree->levels);
	buffer_free(&tree->path);
	free(tree);
}

static char *item_path(const struct tree *tree)
{
	size_t size = tree->path.size;
	char *path = malloc(size + 2);

	if (!path)
		return NULL;
	path[0] = '/';
	memcpy(path + 1, tree->path.data, size);
	path[size + 1] = '\0';
	return path;
}

static enum tree_kind failed(const struct tree *tree, int code, struct tree_item *item,
			     struct assay_error *err)
{
	char shown[512];

	item->path = item_path(tree);
	assay_fail(
		err, code, "cannot read %s: %s",
		text_escape(BYTES((const uint8_t *)item->path, item->path ? strlen(item->path) : 0),
			    shown, sizeof(shown)),
		code == ELOOP ? "it is, or is reached through, a symbolic link" : strerror(code));
	return TREE_FAILED;
}

/*
 * Opens @name in the directory @fd. The names of the first level are whole paths, but
 * no part of them was a symbolic link, and none may be one now.
 */
static int open_in(const struct tree *tree, int fd, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (tree->depth > 1)
		return openat(fd, name, flags);
	return (int)syscall(SYS_openat2, fd, name, &how, sizeof(how));
}

static enum tree_kind enter(struct tree *tree, int parent, const char *name, bool *ret_entered,
			    struct tree_item *item, struct assay_error *err)
{
	struct names names = { 0 };
	int code, fd;

	*ret_entered = false;
	/* Nobody could name a file there, and the levels would use up the descriptors. */
	if (tree->path.size >= PATH_MAX)
		return failed(tree, ENAMETOOLONG, item, err);
	fd = open_in(tree, parent, *name ? name : ".", DIRECTORY_FLAGS);
	if (fd < 0)
		return failed(tree, errno, item, err);
	code = read_names(fd, &names);
	if (code != 0) {
		close(fd);
		return failed(tree, code, item, err);
	}
	if (push(tree, fd, &names, err) < 0)
		return failed(tree, ENOMEM, item, err);
	*ret_entered = true;
	return TREE_END;
}

static enum tree_kind look(const struct tree *tree, int parent, const struct name *name,
			   struct tree_item *item, struct assay_error *err)
{
	bool regular = name->regular && !tree->closed;
	int fd;

	/* Special files must not be opened: that alone can have effects. */
	if (!regular && fstatat(parent, name->text, &item->stat, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(tree, errno, item, err);
	if ((regular || S_ISREG(item->stat.st_mode)) && !tree->closed) {
		fd = open_in(tree, parent, name->text, FILE_FLAGS);
		if (fd < 0)
			return failed(tree, errno, item, err);
		if (fstat(fd, &item->stat) < 0) {
			int code = errno;

			close(fd);
			return failed(tree, code, item, err);
		}
		item->fd = fd;
		if (!S_ISREG(item->stat.st_mode)) {
			close(fd);
			item->fd = -1;
		}
	}
	item->path = item_path(tree);
	if (!item->path) {
		if (item->fd >= 0)
			close(item->fd);
		item->fd = -1;
		return failed(tree, ENOMEM, item, err);
	}
	return S_ISREG(item->stat.st_mode) ? TREE_FILE : TREE_SKIPPED;
}

/* What a list names and cannot be a path. */
static enum tree_kind refuse(struct tree *tree, struct tree_item *item, struct assay_error *err)
{
	struct name *name = &tree->refused.list[tree->refused.next++];

	item->path = name->text;
	name->text = NULL;
	/* It was refused before; now it is said why. */
	free(normalise(item->path, err));
	return TREE_FAILED;
}

enum tree_kind tree_next(struct tree *tree, struct tree_item *ret, struct assay_error *err)
{
	*ret = (struct tree_item){ .fd = -1 };
	if (tree->refused.next < tree->refused.count)
		return refuse(tree, ret, err);
	while (tree->depth > 0) {
		struct level *level = &tree->levels[tree->depth - 1];
		const struct name *entry;
		const char *name;
		size_t length;
		bool entered;

		tree->path.size = level->length;
		if (level->names.next == level->names.count) {
			pop(tree);
			continue;
		}
		entry = &level->names.list[level->names.next++];
		name = entry->text;
		length = strlen(name);
		buffer_append(&tree->path, name, length);
		if (tree->path.failed)
			return failed(tree, ENOMEM, ret, err);
		if (patterns_hold(&tree->exclude, buffer_bytes(&tree->path)))
			continue;
		if (length > 0 && name[length - 1] != '/' && tree->include.count > 0 &&
		    !patterns_hold(&tree->include, buffer_bytes(&tree->path)))
			continue;
		if (length > 0 && name[length - 1] != '/')
			return look(tree, level->fd, entry, ret, err);
		if (enter(tree, level->fd, name, &entered, ret, err) == TREE_FAILED)
			return TREE_FAILED;
	}
	return TREE_END;
}
