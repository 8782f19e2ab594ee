// SPDX-License-Identifier: MIT
/*
 * lib/verity/mapped.c: large files that are digested where they are in page cache, and what
 * becomes of pages that are no longer there.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verity/mapped.h"
#include "verity/pool.h"
#include "verity/split.h"
#include "verity/verity.h"

/* Each test begins with mapped_allow(), as cmocka has handlers of its own for each. */

#define MAP ((size_t)SPLIT_MAPPED * HASHER_PIECE)

/* Data without a block of zeros, in page cache. */
static int make_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint32_t *data = malloc(HASHER_PIECE), number = 1;

	assert_true(fd >= 0);
	assert_non_null(data);
	for (size_t done = 0; done < size;) {
		size_t part = size - done < HASHER_PIECE ? size - done : HASHER_PIECE;

		for (size_t i = 0; i < HASHER_PIECE / sizeof(*data); i++)
			data[i] = number++ * 2654435761U;
		assert_int_equal(write(fd, data, part), part);
		done += part;
	}
	free(data);
	return fd;
}

static int digest_mapped(const char *name, struct verity_output *output, struct verity_job *ret)
{
	struct verity_pool *pool;

	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 3, &pool, NULL), 0);
	verity_pool_put_output(pool, strdup(name), -1, output);
	verity_pool_take(pool, ret);
	free(ret->path);
	verity_pool_free(pool);
	return ret->result;
}

/* How many maps of a file there are. */
static size_t count_maps(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	size_t count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		count += strstr(line, name) != NULL;
	fclose(maps);
	return count;
}

/**
 * struct watch - what is seen, and done, when blocks of the tree are written: meanwhile others are
 * read
 * @cut: the file's size from then on; 0: it stays
 */
struct watch {
	const char *name;
	int fd;
	off_t cut;
	atomic_size_t most;
};

static int watch_blocks(void *context, uint64_t offset, struct bytes blocks,
			struct assay_error *err)
{
	struct watch *watch = context;
	size_t count = count_maps(watch->name);

	(void)offset;
	(void)blocks;
	(void)err;
	if (count > watch->most)
		watch->most = count;
	if (watch->cut > 0)
		assert_int_equal(ftruncate(watch->fd, watch->cut), 0);
	return 0;
}

static void mapped_files_have_the_same_digest(void **state)
{
	static const size_t sizes[] = {
		HASHER_PIECE + 1,   MAP - 1, MAP, MAP + 1, MAP + HASHER_PIECE, 2 * MAP + 12345,
		9 * MAP + 4096 + 1, 10 * MAP
	};

	(void)state;
	mapped_allow();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct watch watch = { .name = "/of-data" };
		struct verity_output output = { .write = watch_blocks, .context = &watch };
		struct assay_digest read;
		struct verity_hasher *hasher;
		struct verity_job job;
		int fd = make_file("of-data", sizes[i]);

		assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
		assert_int_equal(verity_hash_fd(hasher, fd, "of-data", &read, NULL, NULL), 0);
		verity_hasher_free(hasher);
		assert_int_equal(digest_mapped("of-data", NULL, &job), 0);
		assert_memory_equal(job.digest.bytes, read.bytes, read.size);
		assert_int_equal(digest_mapped("of-data", &output, &job), 0);
		assert_memory_equal(job.digest.bytes, read.bytes, read.size);
		assert_in_range(watch.most, 1, SPLIT_MAPS);
		assert_int_equal(count_maps("/of-data"), 0);
		close(fd);
	}
}

static void what_is_cut_off_meanwhile_is_an_error(void **state)
{
	(void)state;
	mapped_allow();
	for (off_t cut = 1; cut < (off_t)(2 * MAP); cut += (off_t)MAP / 3) {
		int fd = make_file("cut", 2 * MAP + 5);
		struct watch watch = { .name = "/cut", .fd = fd, .cut = cut };
		struct verity_output output = { .write = watch_blocks, .context = &watch };
		struct verity_job job;

		assert_int_equal(digest_mapped("cut", &output, &job), -EIO);
		support_assert_error(&job.err, "cut changed while it was read");
		assert_true(watch.most > 0);
		assert_int_equal(count_maps("/cut"), 0);
		close(fd);
	}
}

static atomic_bool racing;

static void *cut_and_write(void *context)
{
	const int *fd = context;
	uint8_t *data = malloc(HASHER_PIECE);

	assert_non_null(data);
	memset(data, 7, HASHER_PIECE);
	while (racing) {
		assert_int_equal(ftruncate(*fd, 3 * HASHER_PIECE + 5), 0);
		for (off_t piece = 3; piece < 12; piece++)
			assert_int_equal(
				pwrite(*fd, data, HASHER_PIECE, piece * (off_t)HASHER_PIECE),
				HASHER_PIECE);
	}
	free(data);
	return NULL;
}

/* Pages that go away at any time: it is an error at most. */
static void pages_may_go_away_at_any_time(void **state)
{
	pthread_t thread;
	int fd = make_file("racing", 12 * HASHER_PIECE);

	(void)state;
	mapped_allow();
	racing = true;
	assert_int_equal(pthread_create(&thread, NULL, cut_and_write, &fd), 0);
	for (int i = 0; i < 40; i++) {
		struct verity_job job;

		if (digest_mapped("racing", NULL, &job) != 0)
			support_assert_error(&job.err, "racing changed while it was read");
	}
	racing = false;
	pthread_join(thread, NULL);
	close(fd);
}

/* A fault as the kernel tells of it, which a process may send to itself. */
static void send_fault(int code, uint8_t *at)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = code, .si_addr = at };

	assert_int_equal(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info), 0);
}

static void what_is_not_there_is_zeros_and_told(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = make_file("short", 4 * page);
	uint8_t *map;

	(void)state;
	mapped_allow();
	map = mapped_new(fd, 0, 4 * page);
	assert_non_null(map);
	mapped_begin(map + page, 2 * page);
	assert_int_not_equal(map[page] | map[page + 1] | map[page + 2], 0);
	assert_true(mapped_end());
	assert_int_equal(ftruncate(fd, (off_t)page), 0);
	mapped_begin(map + page, 2 * page - 1);
	for (size_t i = page; i < 3 * page - 1; i++)
		assert_int_equal(map[i], 0);
	assert_false(mapped_end());
	/* The thread's next one is another matter. */
	mapped_begin(map, page);
	assert_int_not_equal(map[0] | map[1] | map[2], 0);
	assert_true(mapped_end());
	/* Nor is memory that is broken. */
	mapped_begin(map, page);
	send_fault(BUS_MCEERR_AR, map + 5);
	for (size_t i = 0; i < page; i++)
		assert_int_equal(map[i], 0);
	assert_false(mapped_end());
	mapped_free(map, 4 * page);
	mapped_free(NULL, 1);
	close(fd);
}

/* BROKEN: a page that is read, but not by the instruction that the signal came to. */
enum fault { OUTSIDE, BEHIND, AFTER, SENT, BROKEN };

/* What a process dies of that has a fault which is none of a mapping that it reads. */
static int die(enum fault fault)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = make_file("fault", 2 * page), status = 0;
	uint8_t *map = mapped_new(fd, 0, 2 * page);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		volatile uint8_t *at = map;

		if (ftruncate(fd, 0) < 0)
			_exit(1);
		if (fault == BEHIND || fault == SENT || fault == BROKEN)
			mapped_begin(map, page);
		if (fault == AFTER) {
			mapped_begin(map, 2 * page);
			(void)mapped_end();
		}
		if (fault == SENT)
			kill(getpid(), SIGBUS);
		else if (fault == BROKEN)
			send_fault(BUS_MCEERR_AO, map);
		else
			(void)at[page];
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	mapped_free(map, 2 * page);
	close(fd);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void other_faults_end_the_process(void **state)
{
	(void)state;
	mapped_allow();
	for (enum fault fault = OUTSIDE; fault <= BROKEN; fault++)
		assert_int_equal(die(fault), SIGBUS);
}

static void nothing_is_mapped_where_it_is_not_allowed(void **state)
{
	int fd = make_file("unmapped", 8192);

	(void)state;
	assert_null(mapped_new(fd, 0, 8192));
	close(fd);
	mapped_allow();
	assert_null(mapped_new(-1, 0, 8192));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_mapped_where_it_is_not_allowed),
		cmocka_unit_test(mapped_files_have_the_same_digest),
		cmocka_unit_test(what_is_cut_off_meanwhile_is_an_error),
		cmocka_unit_test(pages_may_go_away_at_any_time),
		cmocka_unit_test(what_is_not_there_is_zeros_and_told),
		cmocka_unit_test(other_faults_end_the_process),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
