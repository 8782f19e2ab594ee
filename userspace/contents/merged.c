// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "merged.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Links on the way to a file, at most: as Linux has it. */
#define LINKS_MAX 40
/* Directories above each other, at most: a path has no more. What goes through all recurses so
 * deep. */
#define DEPTH_MAX (PATH_MAX / 2)

enum node_kind { NODE_DIRECTORY, NODE_FILE, NODE_LINK, NODE_OTHER };

/**
 * struct node - a name in the root
 * @children: of a directory, by name: a tree of tsearch(3)
 * @target: of a symbolic link
 * @depth: directories above it
 */
struct node {
	char *name;
	enum node_kind kind;
	struct node *parent;
	unsigned int depth;
	void *children;
	char *target;
	struct merged_file file;
};

struct merged {
	struct node root;
	size_t names, bytes;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot read it: out of memory");
}

static int bad_path(const char *path, const char *why, struct assay_error *err)
{
	char shown[512];

	return assay_fail(
		err, EBADMSG, "the path \"%s\" %s",
		text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown)), why);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name, ((const struct node *)b)->name);
}

struct merged *merged_new(void)
{
	return calloc(1, sizeof(struct merged));
}

static void free_node(void *argument);

static void drop_content(struct node *node)
{
	tdestroy(node->children, free_node);
	free(node->target);
	node->children = NULL;
	node->target = NULL;
}

static void free_node(void *argument)
{
	struct node *node = argument;

	drop_content(node);
	free(node->name);
	free(node);
}

void merged_free(struct merged *merged)
{
	if (!merged)
		return;
	drop_content(&merged->root);
	free(merged);
}

/* ---------------------------------------------------------------- one name */

static struct node *find_child(const struct node *directory, const char *name)
{
	struct node key = { .name = (char *)name };
	void *found = tfind(&key, &directory->children, compare);

	return found ? *(struct node *const *)found : NULL;
}

static int add_child(struct merged *merged, struct node *directory, const char *name,
		     struct node **ret, struct assay_error *err)
{
	struct node *node;

	if (directory->depth >= DEPTH_MAX)
		return bad_path(name, "lies in too many directories", err);
	/* What was removed still counts, so that nobody goes round for ever. */
	if (++merged->names > MERGED_NAMES_MAX ||
	    (merged->bytes += strlen(name) + sizeof(*node)) > MERGED_BYTES_MAX)
		return assay_fail(err, E2BIG, "there are more than %u names in it",
				  MERGED_NAMES_MAX);
	node = calloc(1, sizeof(*node));
	if (node)
		node->name = strdup(name);
	if (!node || !node->name || !tsearch(node, &directory->children, compare)) {
		if (node)
			free_node(node);
		return out_of_memory(err);
	}
	node->parent = directory;
	node->depth = directory->depth + 1;
	*ret = node;
	return 0;
}

static void remove_node(struct node *node)
{
	tdelete(node, &node->parent->children, compare);
	free_node(node);
}

/* ---------------------------------------------------------------- the way to it */

/**
 * struct way - on the way through the root
 * @at: the directory reached
 * @rest: what is still to go
 * @links: how many were followed
 * @make: directories that are not there are made
 */
struct way {
	struct merged *merged;
	struct node *at;
	char rest[2 * PATH_MAX];
	unsigned int links;
	bool make;
};

/* The next part of what is still to go, into @name. False at the end. */
static bool take_part(struct way *way, char name[static NAME_MAX + 2])
{
	size_t skip = strspn(way->rest, "/"), part = strcspn(way->rest + skip, "/");
	size_t kept = part > NAME_MAX ? NAME_MAX + 1 : part;

	memcpy(name, way->rest + skip, kept);
	name[kept] = '\0';
	memmove(way->rest, way->rest + skip + part, strlen(way->rest + skip + part) + 1);
	return part > 0;
}

/* What a link says comes before what is still to go. */
static int follow(struct way *way, const struct node *link, const char *path,
		  struct assay_error *err)
{
	size_t target = strlen(link->target), rest = strlen(way->rest);

	if (++way->links > LINKS_MAX)
		return bad_path(path, "leads through too many links", err);
	if (target + rest + 2 > sizeof(way->rest))
		return bad_path(path, "is too long once its links are followed", err);
	memmove(way->rest + target + 1, way->rest, rest + 1);
	memcpy(way->rest, link->target, target);
	way->rest[target] = '/';
	if (link->target[0] == '/')
		way->at = &way->merged->root;
	return 0;
}

/* Goes to the directory that all parts of @rest lead to. Return: 0; -ENOENT without a word */
static int walk_directories(struct way *way, const char *path, struct assay_error *err)
{
	char name[NAME_MAX + 2];
	int r = 0;

	while (r == 0 && take_part(way, name)) {
		struct node *child;

		if (strlen(name) > NAME_MAX)
			return bad_path(path, "has a name that is too long", err);
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			way->at = way->at->parent ? way->at->parent : way->at;
			continue;
		}
		child = find_child(way->at, name);
		if (child && child->kind == NODE_LINK) {
			r = follow(way, child, path, err);
			continue;
		}
		if (!way->make && (!child || child->kind != NODE_DIRECTORY))
			return -ENOENT;
		if (!child)
			r = add_child(way->merged, way->at, name, &child, err);
		if (r == 0 && child->kind != NODE_DIRECTORY)
			child->kind = NODE_DIRECTORY; /* a file's place is taken */
		if (r == 0)
			way->at = child;
	}
	return r;
}

/* Of @path all but the last part is gone through. @name: the last one; "" of the root */
static int go(struct merged *merged, const char *path, bool make, struct node **ret_directory,
	      char name[static NAME_MAX + 2], struct assay_error *err)
{
	struct way way = { .merged = merged, .at = &merged->root, .make = make };
	const char *last = path, *end = path + strlen(path);
	size_t length;
	int r;

	while (end > path &&
	       (end[-1] == '/' || (end[-1] == '.' && (end == path + 1 || end[-2] == '/'))))
		end--;
	if ((size_t)(end - path) >= PATH_MAX)
		return bad_path(path, "is longer than 4095 bytes", err);
	for (const char *at = path; at < end; at++)
		if (*at == '/')
			last = at + 1;
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return bad_path(path, "has \"..\" in it", err);
	length = (size_t)(end - last);
	if (length > NAME_MAX)
		return bad_path(path, "has a name that is too long", err);
	memcpy(name, last, length);
	name[length] = '\0';
	memcpy(way.rest, path, (size_t)(last - path));
	way.rest[last - path] = '\0';
	r = walk_directories(&way, path, err);
	*ret_directory = way.at;
	return r;
}

/* ---------------------------------------------------------------- putting */

/* The node of a path, made anew but for a directory that is there. */
static int put(struct merged *merged, const char *path, enum node_kind kind, struct node **ret,
	       struct assay_error *err)
{
	char name[NAME_MAX + 2];
	struct node *directory, *node;
	int r = go(merged, path, true, &directory, name, err);

	if (r < 0)
		return r;
	if (name[0] == '\0') {
		if (kind != NODE_DIRECTORY)
			return bad_path(path, "is the root, which is a directory", err);
		*ret = directory;
		return 0;
	}
	node = find_child(directory, name);
	if (node && kind == NODE_DIRECTORY && node->kind == NODE_DIRECTORY) {
		*ret = node;
		return 0;
	}
	if (!node) {
		r = add_child(merged, directory, name, &node, err);
		if (r < 0)
			return r;
	}
	drop_content(node);
	node->file = (struct merged_file){ 0 };
	node->kind = kind;
	*ret = node;
	return 0;
}

int merged_put_file(struct merged *merged, const char *path, const struct merged_file *file,
		    struct assay_error *err)
{
	struct node *node;
	int r = put(merged, path, NODE_FILE, &node, err);

	if (r == 0)
		node->file = *file;
	return r;
}

/* Does a link lead to a directory that is there? */
static bool leads_to_directory(struct merged *merged, const char *path)
{
	struct way way = { .merged = merged, .at = &merged->root };

	if (strlen(path) >= PATH_MAX)
		return false;
	stpcpy(way.rest, path);
	return walk_directories(&way, path, NULL) == 0;
}

int merged_put_directory(struct merged *merged, const char *path, struct assay_error *err)
{
	char name[NAME_MAX + 2];
	struct node *directory, *node;
	int r = go(merged, path, true, &directory, name, err);

	if (r < 0)
		return r;
	node = find_child(directory, name);
	if (node && node->kind == NODE_LINK && leads_to_directory(merged, path))
		return 0;
	return put(merged, path, NODE_DIRECTORY, &node, err);
}

int merged_put_link(struct merged *merged, const char *path, const char *target,
		    struct assay_error *err)
{
	struct node *node;
	int r;

	if (target[0] == '\0' || strlen(target) >= PATH_MAX)
		return bad_path(path, "is a link to nothing, or to a path that is too long", err);
	merged->bytes += strlen(target);
	r = put(merged, path, NODE_LINK, &node, err);
	if (r < 0)
		return r;
	node->target = strdup(target);
	return node->target ? 0 : out_of_memory(err);
}

int merged_put_other(struct merged *merged, const char *path, struct assay_error *err)
{
	struct node *node;

	return put(merged, path, NODE_OTHER, &node, err);
}

/* ---------------------------------------------------------------- what is there */

static struct node *find(struct merged *merged, const char *path, struct assay_error *err)
{
	char name[NAME_MAX + 2];
	struct node *directory;

	if (go(merged, path, false, &directory, name, err) < 0)
		return NULL;
	return name[0] == '\0' ? directory : find_child(directory, name);
}

const struct merged_file *merged_find(const struct merged *merged, const char *path)
{
	/* Nothing is made on the way. */
	const struct node *node = find((struct merged *)merged, path, NULL);

	return node && node->kind == NODE_FILE ? &node->file : NULL;
}

int merged_put_hard_link(struct merged *merged, const char *path, const char *target,
			 struct assay_error *err)
{
	struct node *there = find(merged, target, NULL), *node;
	struct merged_file file;
	char *link;
	int r;

	if (!there || there->kind == NODE_DIRECTORY)
		return bad_path(path, "is a hard link to what is not there", err);
	if (there->kind == NODE_FILE) {
		file = there->file;
		return merged_put_file(merged, path, &file, err);
	}
	if (there->kind == NODE_OTHER)
		return put(merged, path, NODE_OTHER, &node, err);
	link = strdup(there->target);
	if (!link)
		return out_of_memory(err);
	r = merged_put_link(merged, path, link, err);
	free(link);
	return r;
}

int merged_remove(struct merged *merged, const char *path, struct assay_error *err)
{
	char name[NAME_MAX + 2];
	struct node *directory, *node;
	int r = go(merged, path, false, &directory, name, err);

	if (r == -ENOENT)
		return 0;
	node = r < 0 || name[0] == '\0' ? NULL : find_child(directory, name);
	if (node)
		remove_node(node);
	return r;
}

int merged_empty(struct merged *merged, const char *path, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct node *node = find(merged, path, &why);

	if (!node && why.code != 0)
		return assay_fail(err, why.code, "%s", why.text);
	if (node && node->kind == NODE_DIRECTORY) {
		tdestroy(node->children, free_node);
		node->children = NULL;
	}
	return 0;
}

/* ---------------------------------------------------------------- all of it */

struct listed {
	char *path;
	const struct merged_file *file;
};

struct list {
	struct listed *files;
	size_t count;
	bool failed;
};

static bool add_listed(struct list *list, char *path, const struct merged_file *file)
{
	size_t count = list->count;

	/* Room doubles whenever the count is a power of two. */
	if (path && (count & (count - 1)) == 0) {
		struct listed *files =
			reallocarray(list->files, count ? 2 * count : 1, sizeof(*files));

		if (files)
			list->files = files;
		else
			count = SIZE_MAX;
	}
	if (!path || count == SIZE_MAX) {
		free(path);
		return false;
	}
	list->files[list->count++] = (struct listed){ path, file };
	return true;
}

/* The path from the root, which a node knows by its parents. */
static char *path_of(const struct node *node)
{
	size_t size = 1;
	char *path, *at;

	for (const struct node *up = node; up->parent; up = up->parent)
		size += strlen(up->name) + 1;
	path = malloc(size);
	if (!path)
		return NULL;
	at = path + size - 1;
	*at = '\0';
	for (const struct node *up = node; up->parent; up = up->parent) {
		size_t length = strlen(up->name);

		at -= length;
		memcpy(at, up->name, length);
		*--at = '/';
	}
	return path;
}

static void list_node(const void *place, VISIT visit, void *closure)
{
	const struct node *node = *(const struct node *const *)place;
	struct list *list = closure;

	if ((visit != postorder && visit != leaf) || list->failed)
		return;
	if (node->kind == NODE_FILE)
		list->failed = !add_listed(list, path_of(node), &node->file);
	else if (node->kind == NODE_DIRECTORY)
		twalk_r(node->children, list_node, list);
}

static int compare_listed(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->path, ((const struct listed *)b)->path);
}

int merged_walk(struct merged *merged,
		int (*each)(void *context, const char *path, const struct merged_file *file,
			    struct assay_error *err),
		void *context, struct assay_error *err)
{
	struct list list = { 0 };
	int r = 0;

	twalk_r(merged->root.children, list_node, &list);
	if (list.failed)
		r = out_of_memory(err);
	if (r == 0 && list.count > 0)
		qsort(list.files, list.count, sizeof(*list.files), compare_listed);
	for (size_t i = 0; i < list.count; i++) {
		if (r == 0)
			r = each(context, list.files[i].path, list.files[i].file, err);
		free(list.files[i].path);
	}
	free(list.files);
	return r;
}
