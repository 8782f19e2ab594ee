// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Requests that the disk is to have at a time; `make bench-tree` tells what more or less gives. */
#define THREADS 16
/* After a file that was not cached, so many are looked at. */
#define REACH 1024
/* Where fewer descriptors are allowed, they are left to those whose turn it is. */
#define DESCRIPTORS_LEAST 256

/**
 * struct ahead - see ahead.h
 * @open: files come opened, so that there is nothing for threads to look up
 * @lock: guards what is below it; before the room's
 * @wake: there may be files to look at, or the threads are to end
 * @count, @idle: threads there are, and that sleep
 * @started: they have been started, or it was tried
 * @next: the first job that none of them has looked at
 * @until: those from here on are not looked at; written with the lock
 */
struct ahead {
	struct work *work;
	ahead_path_function path;
	pthread_t threads[THREADS];
	atomic_bool open;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned int count, idle;
	bool started, ending;
	uint64_t next;
	_Atomic uint64_t until;
};

/* The path of the next file to look at; its job may be done and gone without the room's lock. */
static bool next_path(struct ahead *ahead, char path[PATH_MAX], uint64_t *ret_number)
{
	const void *job;
	bool found = false;

	work_lock(ahead->work);
	while (!found && ahead->next < ahead->until &&
	       (job = work_waiting(ahead->work, &ahead->next))) {
		const char *name = ahead->path(job);
		size_t size = name ? strlen(name) + 1 : 0;

		found = size > 0 && size <= PATH_MAX;
		if (found)
			memcpy(path, name, size);
		*ret_number = ahead->next++;
	}
	work_unlock(ahead->work);
	return found;
}

/* Has an open file read by the kernel; false if it was in page cache. @size: it has in bytes */
static bool ask_for(int fd, off_t size)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	bool cold = preadv2(fd, &vector, 1, 0, RWF_NOWAIT) < 0 && errno == EAGAIN;

	if (cold)
		(void)posix_fadvise(fd, 0, size < AHEAD_BYTES ? size : AHEAD_BYTES,
				    POSIX_FADV_WILLNEED);
	return cold;
}

/* The same of a path. What is no file is not opened. */
static bool ask_for_path(const char *path)
{
	struct stat file;
	bool cold;
	int fd;

	if (stat(path, &file) < 0 || !S_ISREG(file.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	cold = ask_for(fd, file.st_size);
	close(fd);
	return cold;
}

/* With the lock. */
static void reach_to(struct ahead *ahead, uint64_t number)
{
	if (ahead->until < number + REACH)
		ahead->until = number + REACH;
}

static void *run_thread(void *argument)
{
	struct ahead *ahead = argument;
	char path[PATH_MAX];

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->ending) {
		uint64_t number;
		bool cold;

		if (!next_path(ahead, path, &number)) {
			ahead->idle++;
			pthread_cond_wait(&ahead->wake, &ahead->lock);
			ahead->idle--;
			continue;
		}
		pthread_mutex_unlock(&ahead->lock);
		cold = ask_for_path(path);
		pthread_mutex_lock(&ahead->lock);
		if (cold)
			reach_to(ahead, number);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* By a thread of the room, whose signals these do not take either. Fewer will do, or none. */
static void start_threads(struct ahead *ahead)
{
	struct rlimit limit;

	ahead->started = true;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < DESCRIPTORS_LEAST)
		return;
	while (ahead->count < THREADS &&
	       pthread_create(&ahead->threads[ahead->count], NULL, run_thread, ahead) == 0)
		ahead->count++;
}

int ahead_new(struct work *work, ahead_path_function path, struct ahead **ret,
	      struct assay_error *err)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return assay_fail(err, ENOMEM, "cannot compute digests: out of memory");
	ahead->work = work;
	ahead->path = path;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->wake, NULL);
	*ret = ahead;
	return 0;
}

void ahead_free(struct ahead *ahead)
{
	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	ahead->ending = true;
	pthread_cond_broadcast(&ahead->wake);
	pthread_mutex_unlock(&ahead->lock);
	for (unsigned int i = 0; i < ahead->count; i++)
		pthread_join(ahead->threads[i], NULL);
	pthread_cond_destroy(&ahead->wake);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

void ahead_see(struct ahead *ahead, uint64_t number, int fd)
{
	struct stat file;

	ahead->open = true;
	if (number >= ahead->until || fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) ||
	    !ask_for(fd, file.st_size))
		return;
	pthread_mutex_lock(&ahead->lock);
	reach_to(ahead, number);
	pthread_mutex_unlock(&ahead->lock);
}

void ahead_note(struct ahead *ahead, uint64_t number, bool cold)
{
	pthread_mutex_lock(&ahead->lock);
	if (cold && !ahead->started && !ahead->open)
		start_threads(ahead);
	if (cold)
		reach_to(ahead, number);
	if (ahead->idle > 0 && number < ahead->until)
		pthread_cond_broadcast(&ahead->wake);
	pthread_mutex_unlock(&ahead->lock);
}
