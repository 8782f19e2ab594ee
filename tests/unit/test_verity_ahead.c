// SPDX-License-Identifier: MIT
/*
 * Files asked for before their turn: each file of a job that no thread has begun, once, and nothing
 * else. The program's own open(), preadv2() and posix_fadvise() stand before the kernel's. Needs
 * no more than lib/verity, so that it also runs under the thread sanitizer.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "verity/ahead.h"

/* Enough for several of each thread. */
#define FILES 100
#define NAME_SIZE 16

static atomic_bool cold, watched;
static atomic_uint opened, probed, asked[FILES + 1];

int own_open(const char *path, int flags, ...) __asm__("open");
ssize_t own_preadv2(int fd, const struct iovec *vectors, int count, off_t offset,
		    int flags) __asm__("preadv2");
int own_posix_fadvise(int fd, off_t offset, off_t size, int advice) __asm__("posix_fadvise");

int own_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list rest;

	va_start(rest, flags);
	if (flags & O_CREAT)
		mode = va_arg(rest, mode_t);
	va_end(rest);
	if (watched)
		opened++;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t own_preadv2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
	(void)fd;
	(void)vectors;
	(void)count;
	(void)offset;
	(void)flags;
	probed++;
	if (!cold)
		return 1;
	errno = EAGAIN;
	return -1;
}

/* File n has n + 1 bytes. */
int own_posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
	struct stat file;

	if (advice == POSIX_FADV_WILLNEED && offset == 0 && fstat(fd, &file) == 0 &&
	    file.st_size == size && size > 0 && size <= FILES)
		asked[size - 1]++;
	else
		asked[FILES]++;
	return 0;
}

/* ---------------------------------------------------------------- jobs that wait */

static sem_t go;

static void wait_for_go(void *context, unsigned int thread, struct work_batch *batch)
{
	(void)context;
	(void)thread;
	(void)batch;
	sem_wait(&go);
	sem_post(&go);
}

static const char *path_of(const void *job)
{
	const char *name = job;

	return name[0] == '-' ? NULL : name;
}

static void make_file(const char *name, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

/**
 * struct room - jobs of which the first ones are at work until the room is left
 * @begun: how many
 * @names: of the jobs; file n is job n + 4
 */
struct room {
	struct work *work;
	struct ahead *ahead;
	uint64_t begun;
	char names[FILES + 4][NAME_SIZE];
};

/* Until a thread has taken what it will take: from then on the numbers stay. */
static uint64_t count_begun(struct work *work)
{
	uint64_t number = 0;

	while (number == 0) {
		work_lock(work);
		work_waiting(work, &number);
		work_unlock(work);
		usleep(1000);
	}
	return number;
}

static void enter(struct room *room)
{
	static const struct work_functions functions = { .execute = wait_for_go };

	*room = (struct room){ 0 };
	cold = watched = false;
	opened = probed = 0;
	for (size_t i = 0; i <= FILES; i++)
		asked[i] = 0;
	assert_int_equal(sem_init(&go, 0, 0), 0);
	assert_int_equal(work_new_batches(1, 2 * FILES, &functions, NULL, &room->work, NULL), 0);
	assert_int_equal(ahead_new(room->work, path_of, &room->ahead, NULL), 0);
	/* One job that is at work, and then what is not to be opened. */
	snprintf(room->names[0], NAME_SIZE, "begun");
	snprintf(room->names[1], NAME_SIZE, "fifo");
	snprintf(room->names[2], NAME_SIZE, "not-there");
	snprintf(room->names[3], NAME_SIZE, "-");
	make_file("begun", 1);
	unlink("fifo");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	work_put(room->work, room->names[0]);
	room->begun = count_begun(room->work);
	assert_int_equal(room->begun, 1);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(room->names[i + 4], NAME_SIZE, "f%zu", i);
		make_file(room->names[i + 4], i + 1);
	}
	for (size_t i = 1; i < FILES + 4; i++)
		work_put(room->work, room->names[i]);
	watched = true;
}

static void leave(struct room *room)
{
	sem_post(&go);
	while (work_count(room->work) > 0)
		work_take(room->work);
	work_end(room->work);
	ahead_free(room->ahead);
	work_free(room->work, NULL);
	sem_destroy(&go);
}

/* Nothing is judged by this: the test ends when all was probed, or by its time limit. */
static void wait_for(const atomic_uint *count, unsigned int least)
{
	while (atomic_load(count) < least)
		usleep(1000);
}

static void each_file_is_asked_for_once(void **state)
{
	struct room room;

	(void)state;
	enter(&room);
	cold = true;
	ahead_note(room.ahead, room.begun, true);
	wait_for(&probed, FILES);
	/* Again, from threads that may sleep by now: there is nothing left. */
	ahead_note(room.ahead, room.begun, true);
	leave(&room);
	assert_int_equal(probed, FILES);
	assert_int_equal(opened, FILES);
	for (size_t i = 0; i < FILES; i++)
		assert_int_equal(asked[i], 1);
	assert_int_equal(asked[FILES], 0);
}

/* What is in page cache is looked at after one that is not, and left alone. */
static void what_is_cached_is_not_asked_for(void **state)
{
	struct room room;

	(void)state;
	enter(&room);
	ahead_note(room.ahead, room.begun, true);
	wait_for(&probed, FILES);
	leave(&room);
	for (size_t i = 0; i <= FILES; i++)
		assert_int_equal(asked[i], 0);
}

/* Where all is cached no thread starts: nothing is opened but by the one whose turn it is. */
static void without_a_cold_file_nothing_is_looked_at(void **state)
{
	struct room room;

	(void)state;
	enter(&room);
	cold = true;
	ahead_note(room.ahead, room.begun, false);
	leave(&room);
	assert_int_equal(opened, 0);
	assert_int_equal(probed, 0);
}

/* An open file is asked for when it comes, from the first cold one on; no thread looks for others.
 */
static void an_open_file_is_asked_for_when_it_comes(void **state)
{
	struct room room;
	int fd, fifo;

	(void)state;
	enter(&room);
	cold = true;
	fd = open("f0", O_RDONLY | O_CLOEXEC);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0 && fifo >= 0);
	opened = 0;
	ahead_see(room.ahead, FILES + 4, fd);
	assert_int_equal(probed, 0);
	ahead_note(room.ahead, room.begun, true);
	ahead_see(room.ahead, FILES + 5, fd);
	assert_int_equal(asked[0], 1);
	ahead_see(room.ahead, FILES + 6, fifo);
	cold = false;
	ahead_see(room.ahead, FILES + 7, fd);
	assert_int_equal(probed, 2);
	/* Threads that were started would open the files that wait. */
	usleep(100000);
	leave(&room);
	close(fd);
	close(fifo);
	assert_int_equal(opened, 0);
	assert_int_equal(probed, 2);
	assert_int_equal(asked[0], 1);
	assert_int_equal(asked[FILES], 0);
}

/* Few descriptors are left to those whose turn it is. */
static void with_few_descriptors_nothing_is_looked_at(void **state)
{
	struct rlimit before, few;
	struct room room;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 64, .rlim_max = before.rlim_max };
	enter(&room);
	cold = true;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ahead_note(room.ahead, room.begun, true);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* None was started, so that none can be late. */
	leave(&room);
	assert_int_equal(opened, 0);
	assert_int_equal(probed, 0);
}

/* Threads that are at a file, or sleep, end when they are told. */
static void it_can_end_at_any_time(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct room room;

		enter(&room);
		cold = true;
		ahead_note(room.ahead, room.begun, true);
		wait_for(&probed, (unsigned int)i);
		leave(&room);
		assert_true(probed <= FILES);
		assert_int_equal(asked[FILES], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_is_asked_for_once),
		cmocka_unit_test(what_is_cached_is_not_asked_for),
		cmocka_unit_test(without_a_cold_file_nothing_is_looked_at),
		cmocka_unit_test(an_open_file_is_asked_for_when_it_comes),
		cmocka_unit_test(with_few_descriptors_nothing_is_looked_at),
		cmocka_unit_test(it_can_end_at_any_time),
	};

	ahead_free(NULL);
	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
