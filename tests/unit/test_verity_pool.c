// SPDX-License-Identifier: MIT
/*
 * lib/verity on many threads: order, errors, large files in pieces, and files that change
 * meanwhile. Needs nothing but libcrypto, so that it also runs under the thread sanitizer.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verity/runs.h"
#include "verity/verity.h"
#include "verity/pool.h"

/* ---------------------------------------------------------------- steps */

#define STEP_FILES 200
#define STEP_LARGE 7 /* the file of several pieces */

/**
 * struct stepped - a file that steps are made with
 * @number: its own
 * @befores, @afters: how often each step saw it
 * @size, @digest: what the last one was given
 */
struct stepped {
	size_t number;
	atomic_uint befores, afters;
	int result;
	uint64_t size;
	struct assay_digest digest;
};

static atomic_uint dropped;

/* Of each five one needs no digest, and one must not have one. */
static int step_before(void *context, unsigned int thread, struct verity_job *job)
{
	struct stepped *file = job->owner;

	assert_ptr_equal(context, &dropped);
	assert_true(thread < 4);
	file->befores++;
	if (file->number % 5 == 1)
		return 1;
	if (file->number % 5 == 2)
		return assay_fail(&job->err, EPERM, "no");
	return 0;
}

static bool step_after(void *context, unsigned int thread, struct verity_job *job)
{
	struct stepped *file = job->owner;

	(void)context;
	(void)thread;
	file->afters++;
	file->result = job->result;
	file->size = job->size;
	file->digest = job->digest;
	return true;
}

static void step_drop(void *argument)
{
	const struct verity_job *job = argument;

	free(job->path);
	if (job->fd >= 0)
		close(job->fd);
	dropped++;
}

static uint64_t stepped_size(size_t number)
{
	return number == STEP_LARGE ? 3 * HASHER_PIECE + 5 : 100 * number;
}

static void put_stepped(struct verity_pool *pool, struct stepped *file, size_t number)
{
	int fd;

	file->number = number;
	fd = open("stepped", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	unlink("stepped");
	assert_int_equal(ftruncate(fd, (off_t)stepped_size(number)), 0);
	verity_pool_put_owner(pool, strdup("stepped"), fd, file);
}

static void check_stepped(const struct stepped *file)
{
	assert_int_equal(file->befores, 1);
	assert_int_equal(file->afters, 1);
	if (file->number % 5 == 2) {
		assert_int_equal(file->result, -EPERM);
		return;
	}
	assert_int_equal(file->result, 0);
	assert_int_equal(file->digest.size, file->number % 5 == 1 ? 0 : 32);
	if (file->number % 5 != 1)
		assert_int_equal(file->size, stepped_size(file->number));
}

/* Each file gets both steps once, before it is taken, also those in pieces and those that fail. */
static void steps_are_made_of_each_file(void **state)
{
	static const struct verity_steps steps = { step_before, step_after, step_drop, 32 };
	struct stepped *files = calloc(STEP_FILES, sizeof(*files));
	struct verity_pool *pool;
	size_t put = 0, taken = 0;

	(void)state;
	assert_non_null(files);
	dropped = 0;
	assert_int_equal(
		verity_pool_new_steps(&VERITY_PARAMETERS_DEFAULT, 4, &steps, &dropped, &pool, NULL),
		0);
	assert_int_equal(verity_pool_room(pool), 32);
	while (taken < STEP_FILES) {
		struct verity_job job;

		for (; put < STEP_FILES && verity_pool_room(pool) > 0; put++)
			put_stepped(pool, &files[put], put);
		verity_pool_take(pool, &job);
		assert_ptr_equal(job.owner, &files[taken]);
		check_stepped(&files[taken++]);
		close(job.fd);
		free(job.path);
	}
	for (put = 0; put < 3; put++)
		put_stepped(pool, &files[put], put);
	verity_pool_free(pool);
	assert_int_equal(dropped, 3);
	free(files);
}

static sem_t begun, go;

/* The first file waits for the others to be put. */
static int step_waits(void *context, unsigned int thread, struct verity_job *job)
{
	const struct stepped *file = job->owner;

	(void)context;
	(void)thread;
	if (file->number == 0) {
		sem_post(&begun);
		sem_wait(&go);
	}
	return 0;
}

static bool step_gives_up(void *context, unsigned int thread, struct verity_job *job)
{
	step_after(context, thread, job);
	return false;
}

/* The file that ends it can be taken; those behind it that its thread has are left alone. */
static void a_step_may_be_the_last_one(void **state)
{
	static const struct verity_steps steps = { step_waits, step_gives_up, step_drop, 0 };
	struct stepped *files = calloc(STEP_LARGE, sizeof(*files));
	struct verity_pool *pool;
	struct verity_job job;

	(void)state;
	assert_non_null(files);
	dropped = 0;
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&go, 0, 0), 0);
	assert_int_equal(
		verity_pool_new_steps(&VERITY_PARAMETERS_DEFAULT, 1, &steps, NULL, &pool, NULL), 0);
	put_stepped(pool, &files[0], 0);
	sem_wait(&begun);
	for (size_t i = 1; i < STEP_LARGE; i++)
		put_stepped(pool, &files[i], i);
	sem_post(&go);
	verity_pool_take(pool, &job);
	assert_ptr_equal(job.owner, &files[0]);
	close(job.fd);
	free(job.path);
	/* All the others at once. */
	while (files[1].afters == 0)
		usleep(1000);
	verity_pool_free(pool);
	assert_int_equal(dropped, STEP_LARGE - 1);
	for (size_t i = 0; i < STEP_LARGE; i++)
		assert_int_equal(files[i].afters, i < 2 ? 1 : 0);
	sem_destroy(&begun);
	sem_destroy(&go);
	free(files);
}

/* ---------------------------------------------------------------- digests */

/* A pool's files come back in order, each with its own digest or its own error. */
static void a_pool_keeps_the_order(void **state)
{
	const size_t count = 500;
	struct verity_pool *pool;
	size_t put = 0, taken = 0;

	(void)state;
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 4, &pool, NULL), 0);
	while (taken < count) {
		struct assay_digest expected;
		struct verity_job job;
		char number[32];

		while (put < count && verity_pool_room(pool) > 0) {
			int fd;

			snprintf(number, sizeof(number), "n%zu", put);
			/* Every seventh is a directory. */
			fd = put % 7 == 6 ? open(".", O_RDONLY | O_CLOEXEC) :
					    open(number, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
			assert_true(fd >= 0);
			if (put % 7 != 6)
				assert_int_equal(ftruncate(fd, (off_t)(put * 997)), 0);
			verity_pool_put(pool, strdup(number), fd);
			put++;
		}
		verity_pool_take(pool, &job);
		snprintf(number, sizeof(number), "n%zu", taken);
		assert_string_equal(job.path, number);
		if (taken % 7 == 6) {
			assert_int_equal(job.result, -EISDIR);
			support_assert_error(&job.err, number);
		} else {
			uint8_t *zeros = calloc(1, taken * 997 + 1);

			assert_int_equal(job.result, 0);
			assert_int_equal(job.size, taken * 997);
			assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT,
							     BYTES(zeros, taken * 997), "zeros",
							     &expected, NULL),
					 0);
			assert_true(verity_digest_equal(&job.digest, &expected));
			free(zeros);
		}
		close(job.fd);
		free(job.path);
		taken++;
	}
	assert_int_equal(verity_pool_count(pool), 0);
	verity_pool_free(pool);
}

static void a_pool_that_is_dropped_closes_its_files(void **state)
{
	struct verity_pool *pool;
	int before, after;

	(void)state;
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 2, &pool, NULL), 0);
	while (verity_pool_room(pool) > 0) {
		int fd = open("pooled", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		verity_pool_put(pool, strdup("pooled"), fd);
	}
	verity_pool_free(pool);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
}

/* Files of all sizes at once: those in pieces must not disturb the order of the others. */
static void large_and_small_files_are_mixed(void **state)
{
	static const uint64_t sizes[] = {
		0,
		HASHER_PIECE,
		1,
		7 * HASHER_PIECE + 1,
		5000,
		300000,
		HASHER_PIECE + 1,
		4096,
		33 * HASHER_PIECE - 1,
		12345,
		777777,
		2 * HASHER_PIECE,
		999999,
		64,
		3 * HASHER_PIECE,
	};
	const size_t count = 5 * sizeof(sizes) / sizeof(sizes[0]), rows = count / 5;
	struct assay_digest expected[sizeof(sizes) / sizeof(sizes[0])];
	struct verity_hasher *hasher;

	(void)state;
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	for (size_t i = 0; i < rows; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "m%zu", i);
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		for (uint64_t at = 1000 * i; at + 4 < sizes[i]; at += 543210)
			assert_int_equal(pwrite(fd, name, 3, (off_t)at), 3);
		assert_int_equal(verity_hash_fd(hasher, fd, name, &expected[i], NULL, NULL), 0);
		close(fd);
	}
	verity_hasher_free(hasher);
	for (unsigned int threads = 1; threads <= 5; threads += 2) {
		struct verity_pool *pool;
		size_t put = 0;

		assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, threads, &pool, NULL),
				 0);
		for (size_t taken = 0; taken < count; taken++) {
			struct verity_job job;

			while (put < count && verity_pool_room(pool) > 0) {
				char *name;

				assert_true(asprintf(&name, "m%zu", put++ % rows) > 0);
				verity_pool_put(pool, name, -1);
			}
			verity_pool_take(pool, &job);
			assert_int_equal(job.result, 0);
			assert_true(job.size == sizes[taken % rows]);
			assert_true(verity_digest_equal(&job.digest, &expected[taken % rows]));
			assert_int_equal(job.fd, -1);
			free(job.path);
		}
		verity_pool_free(pool);
	}
}

static void a_pool_names_what_it_cannot_open(void **state)
{
	struct verity_pool *pool;
	struct verity_job job;

	(void)state;
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 2, &pool, NULL), 0);
	verity_pool_put(pool, strdup("not\nthere"), -1);
	verity_pool_put(pool, strdup("."), -1);
	verity_pool_take(pool, &job);
	assert_int_equal(job.result, -ENOENT);
	support_assert_error(&job.err, "cannot open not\\x0athere: No such file");
	free(job.path);
	verity_pool_take(pool, &job);
	assert_int_equal(job.result, -EISDIR);
	support_assert_error(&job.err, ". is a directory");
	free(job.path);
	verity_pool_free(pool);
}

/* Large files, with readers at work, when nobody wants them any more. */
static void a_pool_that_is_dropped_drops_pieces(void **state)
{
	int before, after, fd = open("dropped", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 60 * HASHER_PIECE), 0);
	close(fd);
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	for (long pause = 0; pause < 8; pause++) {
		struct verity_pool *pool;

		assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 3, &pool, NULL), 0);
		for (int i = 0; i < 4; i++)
			verity_pool_put(pool, strdup("dropped"), -1);
		usleep(500 * (unsigned int)pause);
		verity_pool_free(pool);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
}

enum change { SHRINKS, GROWS, IS_WRITTEN_TO, CANNOT_BE_WRITTEN };

struct changer {
	enum change change;
	int fd;
};

/* Called while the file is read: for its tree, of which the first blocks come before its end. */
static int change_file(void *context, uint64_t offset, struct bytes blocks, struct assay_error *err)
{
	const struct changer *changer = context;

	(void)offset;
	(void)blocks;
	switch (changer->change) {
	case SHRINKS:
		assert_int_equal(ftruncate(changer->fd, 10 * HASHER_PIECE), 0);
		return 0;
	case GROWS:
		assert_int_equal(ftruncate(changer->fd, 20 * HASHER_PIECE + 1), 0);
		return 0;
	case IS_WRITTEN_TO:
		assert_int_equal(pwrite(changer->fd, "x", 1, 5), 1);
		return 0;
	default:
		return assay_fail(err, ENOSPC, "the disk is full");
	}
}

static void files_that_change_meanwhile_are_refused(void **state)
{
	(void)state;
	for (enum change change = SHRINKS; change <= CANNOT_BE_WRITTEN; change++) {
		for (unsigned int threads = 0; threads <= 3; threads++) {
			const struct timespec past[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
			int fd = open("changing", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
			struct changer changer = { .change = change, .fd = fd };
			struct verity_output output = { .write = change_file, .context = &changer };
			struct assay_digest digest = { .size = 99 };
			struct assay_error err = { 0 };
			int r;

			assert_true(fd >= 0);
			assert_int_equal(ftruncate(fd, 0), 0);
			assert_int_equal(ftruncate(fd, 20 * HASHER_PIECE), 0);
			assert_int_equal(futimens(fd, past), 0);
			if (threads == 0) {
				struct verity_hasher *hasher;

				assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT,
								   &hasher, NULL),
						 0);
				r = verity_hash_fd_output(hasher, fd, "changing", &output, &digest,
							  NULL, &err);
				assert_int_equal(digest.size, 99);
				verity_hasher_free(hasher);
			} else {
				struct verity_pool *pool;
				struct verity_job job;

				assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT,
								 threads, &pool, NULL),
						 0);
				verity_pool_put_output(pool, strdup("changing"), -1, &output);
				verity_pool_take(pool, &job);
				verity_pool_free(pool);
				free(job.path);
				r = job.result;
				err = job.err;
			}
			assert_int_equal(r, change == CANNOT_BE_WRITTEN ? -ENOSPC : -EIO);
			support_assert_error(&err, change == CANNOT_BE_WRITTEN ?
							   "the disk is full" :
							   "changing changed while it was read");
			close(fd);
		}
	}
}

static atomic_bool racing;

static void *shrink_and_grow(void *context)
{
	const int *fd = context;

	while (racing) {
		assert_int_equal(ftruncate(*fd, 3 * HASHER_PIECE + 5), 0);
		assert_int_equal(ftruncate(*fd, 12 * HASHER_PIECE), 0);
	}
	return NULL;
}

/* Pages that go away while they are read, at any time: it is an error at most. */
static void a_file_may_shrink_at_any_time(void **state)
{
	struct verity_pool *pool;
	pthread_t thread;
	int fd = open("racing", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 12 * HASHER_PIECE), 0);
	racing = true;
	assert_int_equal(pthread_create(&thread, NULL, shrink_and_grow, &fd), 0);
	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 3, &pool, NULL), 0);
	for (int i = 0; i < 15; i++) {
		struct verity_job job;

		verity_pool_put(pool, strdup("racing"), -1);
		verity_pool_take(pool, &job);
		if (job.result != 0)
			support_assert_error(&job.err, "racing changed while it was read");
		free(job.path);
	}
	verity_pool_free(pool);
	racing = false;
	pthread_join(thread, NULL);
	close(fd);
}

/* Files whose size is not that of their data, as those of the kernel. */
static void files_with_more_or_less_than_their_size_are_refused(void **state)
{
	static const char *const paths[] = { "/proc/self/status",
					     "/sys/kernel/mm/transparent_hugepage/enabled" };
	struct verity_hasher *hasher;

	(void)state;
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct assay_error err = { 0 };
		struct assay_digest digest;
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		assert_int_equal(verity_hash_fd(hasher, fd, paths[i], &digest, NULL, &err), -EIO);
		support_assert_error(&err, "changed while it was read");
		close(fd);
	}
	verity_hasher_free(hasher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_made_of_each_file),
		cmocka_unit_test(a_step_may_be_the_last_one),
		cmocka_unit_test(a_pool_keeps_the_order),
		cmocka_unit_test(a_pool_that_is_dropped_closes_its_files),
		cmocka_unit_test(large_and_small_files_are_mixed),
		cmocka_unit_test(a_pool_names_what_it_cannot_open),
		cmocka_unit_test(a_pool_that_is_dropped_drops_pieces),
		cmocka_unit_test(files_that_change_meanwhile_are_refused),
		cmocka_unit_test(a_file_may_shrink_at_any_time),
		cmocka_unit_test(files_with_more_or_less_than_their_size_are_refused),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
