// SPDX-License-Identifier: MIT
/* lib/sign: files with several names are found again, and forgotten when all were seen. */
#include "support.h"

#include "sign/links.h"

static struct stat file(ino_t inode, dev_t device, nlink_t count)
{
	return (struct stat){ .st_ino = inode, .st_dev = device, .st_nlink = count };
}

static void a_file_is_found_until_its_last_link_was_seen(void **state)
{
	struct stat three = file(7, 1, 3), same_number = file(7, 2, 2);
	struct links *links = links_new();
	struct link *link;

	(void)state;
	assert_non_null(links);
	assert_null(links_find(links, &three));
	link = links_add(links, "/a", &three);
	assert_non_null(link);
	assert_int_equal(link->result, 1);
	assert_string_equal(link->path, "/a");
	assert_null(links_find(links, &same_number));
	for (int seen = 0; seen < 3; seen++) {
		assert_ptr_equal(links_find(links, &three), link);
		links_seen(links, link);
	}
	assert_null(links_find(links, &three));
	links_free(links);
	links_free(NULL);
}

static void many_files_are_kept_apart(void **state)
{
	enum { FILES = 5000 };
	struct links *links = links_new();

	(void)state;
	for (ino_t i = 0; i < FILES; i++) {
		/* Inodes of two devices that end in the same bits. */
		struct stat a = file(i << 8, 1, 2), b = file(i << 8, 2, 2);

		links_add(links, "/a", &a)->size = i;
		links_add(links, "/b", &b)->size = i + FILES;
	}
	for (ino_t i = 0; i < FILES; i++) {
		struct stat a = file(i << 8, 1, 2), b = file(i << 8, 2, 2);

		assert_int_equal(links_find(links, &a)->size, i);
		assert_int_equal(links_find(links, &b)->size, i + FILES);
		links_seen(links, links_find(links, &a));
		links_seen(links, links_find(links, &a));
		assert_null(links_find(links, &a));
	}
	links_free(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_found_until_its_last_link_was_seen),
		cmocka_unit_test(many_files_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
