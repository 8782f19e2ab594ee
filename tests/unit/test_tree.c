// SPDX-License-Identifier: MIT
/* lib/sign: walking a tree in a manifest's order, without ever leaving it. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign/tree.h"

/* All that a walk finds: files as paths, what is skipped with "-", what fails with "!". */
static char *walk_for(const struct tree_options *options)
{
	struct buffer out = { 0 };
	struct tree_item item;
	enum tree_kind kind;
	struct tree *tree;

	assert_int_equal(tree_open("root", options, &tree, NULL), 0);
	while ((kind = tree_next(tree, &item, NULL)) != TREE_END) {
		assert_int_equal(item.fd >= 0, kind == TREE_FILE && !options->closed);
		buffer_append(&out,
			      kind == TREE_FILE	   ? "" :
			      kind == TREE_SKIPPED ? "-" :
						     "!",
			      kind == TREE_FILE ? 0 : 1);
		buffer_append(&out, item.path, strlen(item.path));
		buffer_append_u8(&out, ' ');
		if (item.fd >= 0)
			close(item.fd);
		free(item.path);
	}
	tree_close(tree);
	buffer_append_u8(&out, '\0');
	return (char *)out.data;
}

static char *walk(const char *const *paths, size_t count)
{
	return walk_for(&(struct tree_options){ .paths = { paths, count } });
}

static void assert_walk(const char *const *paths, const char *expected)
{
	size_t count = 0;
	char *found;

	while (paths[count])
		count++;
	found = walk(paths, count);
	assert_string_equal(found, expected);
	free(found);
}

static int make_tree(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run("mkdir -p root/usr/bin root/usr/bin-x root/usr.d root/empty outside && "
			   "cd root && touch usr/bin/b usr/bin/a usr/bin-x/c usr/bin.x usr/bin0 "
			   "usr.d/x usr-d zzz && "
			   "ln -s usr/bin bin && ln -s /etc/passwd usr/passwd && "
			   "ln -s ../../outside usr/out && touch ../outside/secret && "
			   "ln usr/bin/a hard && mkfifo fifo");
}

static void everything_is_found_in_the_order_of_paths(void **state)
{
	char *sorted, *found;

	(void)state;
	assert_walk((const char *const[]){ NULL },
		    "-/bin -/fifo /hard /usr-d /usr.d/x /usr/bin-x/c /usr/bin.x /usr/bin/a "
		    "/usr/bin/b /usr/bin0 -/usr/out -/usr/passwd /zzz ");
	sorted = support_output("cd root && find . ! -type d ! -type l ! -type p | sed 's/^.//' | "
				"LC_ALL=C sort | tr '\\n' ' '");
	assert_int_equal(support_run("rm root/bin root/fifo root/usr/out root/usr/passwd"), 0);
	found = walk(NULL, 0);
	assert_string_equal(found, sorted);
	free(found);
	free(sorted);
	assert_int_equal(support_run("cd root && ln -s usr/bin bin && ln -s /etc/passwd usr/passwd "
				     "&& ln -s ../../outside usr/out && mkfifo fifo"),
			 0);
}

static void paths_are_taken_in_any_order_and_once(void **state)
{
	(void)state;
	assert_walk((const char *const[]){ "zzz", "/usr/bin", NULL },
		    "/usr/bin/a /usr/bin/b /zzz ");
	assert_walk(
		(const char *const[]){ "usr/bin/a", "/usr//bin/./", "usr/bin/b", "usr/bin", NULL },
		"/usr/bin/a /usr/bin/b ");
	assert_walk((const char *const[]){ "usr/bin", "usr/bin-x", "usr/bin.x", "usr/bin0", "usr-d",
					   NULL },
		    "/usr-d /usr/bin-x/c /usr/bin.x /usr/bin/a /usr/bin/b /usr/bin0 ");
	assert_walk((const char *const[]){ "hard", ".", NULL },
		    "-/bin -/fifo /hard /usr-d /usr.d/x /usr/bin-x/c /usr/bin.x /usr/bin/a "
		    "/usr/bin/b /usr/bin0 -/usr/out -/usr/passwd /zzz ");
	assert_walk((const char *const[]){ "empty", NULL }, "");
}

static void paths_that_leave_or_are_not_there_are_refused(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{ "../outside", "\"..\"" },
		{ "usr/../../outside/secret", "\"..\"" },
		{ "bin/a", "symbolic link" },
		{ "bin", "symbolic link" },
		{ "usr/out/secret", "symbolic link" },
		{ "usr/passwd", "symbolic link" },
		{ "missing", "No such file" },
		{ "zzz/x", "Not a directory" },
		{ "fifo", "neither a file nor a directory" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		struct tree *tree = NULL;

		const struct tree_options options = { .paths = { &rows[i].path, 1 } };

		assert_true(tree_open("root", &options, &tree, &err) < 0);
		assert_null(tree);
		support_assert_error(&err, rows[i].why);
	}
}

static void a_link_put_in_a_directorys_place_is_not_followed(void **state)
{
	const char *path = "usr";
	const struct tree_options options = { .paths = { &path, 1 } };
	struct assay_error err = { 0 };
	struct tree_item item;
	struct tree *tree;

	(void)state;
	/* Looked at as a directory, then swapped before it is entered. */
	assert_int_equal(tree_open("root", &options, &tree, &err), 0);
	assert_int_equal(support_run("cd root && mv usr usr.old && ln -s ../outside usr"), 0);
	assert_int_equal(tree_next(tree, &item, &err), TREE_FAILED);
	support_assert_error(&err, "cannot read /usr");
	free(item.path);
	assert_int_equal(tree_next(tree, &item, &err), TREE_END);
	tree_close(tree);
	assert_int_equal(support_run("cd root && rm usr && mv usr.old usr"), 0);
}

static size_t count_of(const char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

static void patterns_choose_files_and_whole_directories(void **state)
{
	static const struct {
		const char *include[4], *exclude[4], *expected;
	} rows[] = {
		{ { "a" }, { NULL }, "/usr/bin/a " },
		{ { "usr/bin" }, { NULL }, "/usr/bin/a /usr/bin/b " },
		{ { "/usr/bin" }, { "b" }, "/usr/bin/a " },
		{ { "usr/*" }, { "usr/bin*" }, "-/usr/out -/usr/passwd " },
		/* A "*" does not match "/": usr.d/x is not there, nor usr/bin/a. */
		{ { "usr*x", "u*/a" }, { NULL }, "" },
		{ { "usr/b*/?" }, { NULL }, "/usr/bin-x/c /usr/bin/a /usr/bin/b " },
		{ { NULL }, { "usr", "bin", "fifo" }, "/hard /usr-d /usr.d/x /zzz " },
		/* Without a "/" it is any part's name. */
		{ { NULL }, { "usr*", "[bf]i*" }, "/hard /zzz " },
		{ { "zzz", "hard" }, { "zzz" }, "/hard " },
		{ { "nothing" }, { NULL }, "" },
		{ { NULL }, { "*" }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tree_options options = {
			.include = { rows[i].include, count_of(rows[i].include) },
			.exclude = { rows[i].exclude, count_of(rows[i].exclude) },
		};
		char *found = walk_for(&options);

		if (strcmp(found, rows[i].expected) != 0)
			fail_msg("row %zu: \"%s\", not \"%s\"", i, found, rows[i].expected);
		free(found);
	}
}

static void a_place_below_what_is_excluded_is_excluded(void **state)
{
	const char *paths[] = { "usr/bin/a", "hard" }, *exclude[] = { "usr" };
	const struct tree_options options = { .paths = { paths, 2 }, .exclude = { exclude, 1 } };
	char *found = walk_for(&options);

	(void)state;
	assert_string_equal(found, "/hard ");
	free(found);
}

static void a_list_names_files_and_what_is_wrong_with_it_is_told_in_the_end(void **state)
{
	const char *paths[] = { "zzz",		"usr/bin/b", "/usr/bin/a", "zzz",  "missing",
				"usr",		"bin/a",     "../x",	   "fifo", "bin",
				"usr/bin/../b", "/",	     "zzz/below" };
	const struct tree_options options = { .paths = { paths, sizeof(paths) / sizeof(paths[0]) },
					      .list = true };
	char *found = walk_for(&options);

	(void)state;
	assert_string_equal(found, "!../x !usr/bin/../b -/bin !/bin/a -/fifo !/missing -/usr "
				   "/usr/bin/a /usr/bin/b /zzz !/zzz/below ");
	free(found);
	found = walk_for(&(struct tree_options){ .list = true });
	assert_string_equal(found, "");
	free(found);
}

static void files_are_counted_without_opening_them(void **state)
{
	char *found = walk_for(&(struct tree_options){ .closed = true });

	(void)state;
	assert_string_equal(found, "-/bin -/fifo /hard /usr-d /usr.d/x /usr/bin-x/c /usr/bin.x "
				   "/usr/bin/a /usr/bin/b /usr/bin0 -/usr/out -/usr/passwd /zzz ");
	free(found);
}

static void what_vanishes_is_named_and_the_rest_goes_on(void **state)
{
	const char *path = "usr/bin";
	const struct tree_options options = { .paths = { &path, 1 } };
	struct assay_error err = { 0 };
	struct tree_item item;
	struct tree *tree;

	(void)state;
	assert_int_equal(tree_open("root", &options, &tree, &err), 0);
	assert_int_equal(tree_next(tree, &item, &err), TREE_FILE);
	close(item.fd);
	free(item.path);
	assert_int_equal(support_run("mv root/usr/bin/b root/b.kept"), 0);
	assert_int_equal(tree_next(tree, &item, &err), TREE_FAILED);
	assert_string_equal(item.path, "/usr/bin/b");
	support_assert_error(&err, "cannot read /usr/bin/b: No such file");
	free(item.path);
	assert_int_equal(tree_next(tree, &item, &err), TREE_END);
	tree_close(tree);
	assert_int_equal(support_run("mv root/b.kept root/usr/bin/b"), 0);
}

static void a_deep_tree_is_walked(void **state)
{
	char *found;

	(void)state;
	assert_int_equal(support_run("mkdir deep && cd deep && p=. && for i in $(seq 300); do "
				     "p=$p/d; done && mkdir -p $p && touch $p/end && "
				     "mv ../root ../kept && mv ../deep ../root"),
			 0);
	found = walk(NULL, 0);
	assert_int_equal(strlen(found), strlen("/end ") + 300 * strlen("/d"));
	free(found);
	assert_int_equal(support_run("rm -r root && mv kept root"), 0);
}

/* Deeper than any path can name: made from within, one directory after the other. */
static void a_tree_deeper_than_a_path_can_be_ends_there(void **state)
{
	const char *name = "0123456789012345678901234567890123456789012345678901234567890123";
	struct assay_error err = { 0 };
	struct tree_item item;
	struct tree *tree;
	int top, at;

	(void)state;
	assert_int_equal(support_run("mv root kept && mkdir root && touch root/zzz"), 0);
	top = at = open("root", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 80; i++) {
		int below;

		assert_int_equal(mkdirat(at, name, 0755), 0);
		below = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(below >= 0);
		if (at != top)
			close(at);
		at = below;
	}
	close(at);
	close(top);
	assert_int_equal(tree_open("root", &(struct tree_options){ 0 }, &tree, &err), 0);
	assert_int_equal(tree_next(tree, &item, &err), TREE_FAILED);
	support_assert_error(&err, "File name too long");
	free(item.path);
	assert_int_equal(tree_next(tree, &item, &err), TREE_FILE);
	assert_string_equal(item.path, "/zzz");
	close(item.fd);
	free(item.path);
	assert_int_equal(tree_next(tree, &item, &err), TREE_END);
	tree_close(tree);
	assert_int_equal(support_run("rm -r root && mv kept root"), 0);
}

static void beneath_a_root_links_and_dots_lead_nowhere(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{ "/usr/bin/a", 0 },
		{ "usr/bin/a", 0 },
		{ "/bin/a", -ELOOP },
		{ "/usr/passwd", -ELOOP },
		{ "/usr/out/secret", -ELOOP },
		{ "/missing", -ENOENT },
		{ "/../../../../../../../../../etc/passwd", -ENOENT },
	};
	int root = open("root", O_PATH | O_CLOEXEC);

	(void)state;
	assert_true(root >= 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		int fd = tree_open_beneath(root, rows[i].path, O_RDONLY, rows[i].path, &err);

		assert_int_equal(fd >= 0 ? 0 : fd, rows[i].result);
		if (fd >= 0)
			close(fd);
		else
			support_assert_error(&err, rows[i].path);
	}
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_found_in_the_order_of_paths),
		cmocka_unit_test(paths_are_taken_in_any_order_and_once),
		cmocka_unit_test(paths_that_leave_or_are_not_there_are_refused),
		cmocka_unit_test(a_link_put_in_a_directorys_place_is_not_followed),
		cmocka_unit_test(what_vanishes_is_named_and_the_rest_goes_on),
		cmocka_unit_test(patterns_choose_files_and_whole_directories),
		cmocka_unit_test(a_place_below_what_is_excluded_is_excluded),
		cmocka_unit_test(a_list_names_files_and_what_is_wrong_with_it_is_told_in_the_end),
		cmocka_unit_test(files_are_counted_without_opening_them),
		cmocka_unit_test(a_deep_tree_is_walked),
		cmocka_unit_test(a_tree_deeper_than_a_path_can_be_ends_there),
		cmocka_unit_test(beneath_a_root_links_and_dots_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, make_tree, support_leave_directory);
}
