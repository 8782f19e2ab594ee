// SPDX-License-Identifier: MIT
/* What readers get by read(), poll() and lseek(), what they are refused, and what wakes them. */
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "guest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t buffer[1 << 20];

/* read() or lseek(), -errno where it fails. */
static long long get(int fd, void *to, size_t size)
{
	ssize_t n = read(fd, to, size);

	return n < 0 ? -errno : n;
}

static long long seek(int fd, off_t offset, int whence)
{
	off_t position = lseek(fd, offset, whence);

	return position < 0 ? -errno : position;
}

static int readable(int fd, int timeout)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, timeout) == 1 && wait.revents == POLLIN;
}

static void test_read(const struct log *log)
{
	static const size_t sizes[] = { 1, 7, 4096, 65537, sizeof(buffer) };
	uint64_t tail = log->header->tail;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd = open_assay(O_RDONLY | O_NONBLOCK);
		size_t total = 0;
		long long n;

		while ((n = get(fd, buffer + total,
				sizes[i] < sizeof(buffer) - total ? sizes[i] :
								    sizeof(buffer) - total)) > 0)
			total += (size_t)n;
		check(n == -EAGAIN && total == tail && !memcmp(buffer, log->ring, total),
		      "read() by %zu bytes gives the log as it is mapped, then -EAGAIN", sizes[i]);
		check_is(get(fd, buffer, 0), 0, "of nothing gives nothing");
		close(fd);
	}
}

static void test_seek(const struct log *log)
{
	off_t tail = (off_t)log->header->tail;
	const struct {
		const char *what;
		off_t offset;
		int whence;
		long long result;
	} rows[] = {
		{ "to the start", 0, SEEK_SET, 0 },
		{ "into a record", 3, SEEK_SET, 3 },
		{ "on from there", 4, SEEK_CUR, 7 },
		{ "back", -6, SEEK_CUR, 1 },
		{ "before the start", -2, SEEK_CUR, -EINVAL },
		{ "to the end", 0, SEEK_END, tail },
		{ "before the end", -1, SEEK_END, tail - 1 },
		{ "behind the end", 1, SEEK_END, -EINVAL },
		{ "behind the end, from the start", tail + 1, SEEK_SET, -EINVAL },
		{ "to a negative place", -1, SEEK_SET, -EINVAL },
		{ "so far that it overflows", LLONG_MAX, SEEK_CUR, -EOVERFLOW },
		{ "to the least place that there is", LLONG_MIN, SEEK_SET, -EINVAL },
		{ "to data", 0, SEEK_DATA, -EINVAL },
		{ "to a hole", 0, SEEK_HOLE, -EINVAL },
		{ "nobody knows how", 0, 77, -EINVAL },
		{ "nowhere", 0, SEEK_CUR, tail - 1 },
	};
	int fd = open_assay(O_RDONLY | O_NONBLOCK);

	for (size_t i = 0; i < COUNT(rows); i++)
		check_is(seek(fd, rows[i].offset, rows[i].whence), rows[i].result, rows[i].what);
	check_is(get(fd, buffer, 100), 1, "reading goes on where lseek() went");
	check(buffer[0] == log->ring[tail - 1], "with the byte that is there");
	check_is(pread(fd, buffer, 10, 3), 10, "pread() reads elsewhere");
	check(!memcmp(buffer, log->ring + 3, 10) && seek(fd, 0, SEEK_CUR) == tail,
	      "the bytes there, and the position stays");
	close(fd);
}

static void test_refused(const struct log *log)
{
	int fd = open_assay(O_RDONLY | O_NONBLOCK), write_only = open_assay(O_WRONLY);

	check_is(get(fd, (void *)16, 100), -EFAULT, "memory that is not there");
	check_is(get(fd, (void *)(uintptr_t)log->ring, 100), -EFAULT, "the log itself as memory");
	check_is(seek(fd, 0, SEEK_CUR), 0, "leave the position");
	check(get(write_only, buffer, 100) == -EBADF, "read() needs permission to read");
	check(mmap(NULL, log->mapped, PROT_READ, MAP_SHARED, write_only, 0) == MAP_FAILED &&
		      errno == EACCES,
	      "mmap() does, too");
	check(write(fd, buffer, 1) < 0 && errno == EBADF, "write() needs permission to write");
	check(write(write_only, buffer, 1) < 0 && errno == EINVAL, "and there is none anyway");
	close(write_only);
	close(fd);
}

struct waiter {
	pthread_t thread;
	int fd;
	uint64_t from;
	long long result;
	uint8_t bytes[4096];
};

static void *wait_to_read(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = get(waiter->fd, waiter->bytes, sizeof(waiter->bytes));
	return NULL;
}

static void *wait_to_poll(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = readable(waiter->fd, 20000);
	return NULL;
}

/* Whether a thread of this process sleeps in the kernel: it waits then. */
static void until_all_wait(unsigned int count)
{
	for (int i = 0; i < 2000; i++) {
		unsigned int waiting = 0;

		for (int tid = getpid() + 1; tid < getpid() + 64; tid++) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
			waiting += strstr(read_text(path), ") S ") != NULL;
		}
		if (waiting >= count)
			return;
		usleep(5000);
	}
	bail_out("%u threads do not come to wait", count);
}

static void ignore(int number)
{
	(void)number;
}

static void test_wait(int fd, const struct log *log)
{
	static struct waiter waiters[8];
	struct assay_append request;
	struct sigaction action = { .sa_handler = ignore };
	uint64_t tail = log->header->tail;
	unsigned int good = 0;
	struct waiter *waiter = &waiters[0];

	for (size_t i = 0; i < COUNT(waiters); i++) {
		waiters[i].fd = open_assay(O_RDONLY);
		need(seek(waiters[i].fd, (off_t)tail, SEEK_SET) == (long long)tail, "lseek");
		check(!readable(waiters[i].fd, 0), "reader %zu: nothing to read at the tail", i);
		pthread_create(&waiters[i].thread, NULL, i % 2 ? wait_to_poll : wait_to_read,
			       &waiters[i]);
	}
	until_all_wait(COUNT(waiters));
	check_is(append(fd, "wake", "up", 2, &request), 0, "a record is appended");
	for (size_t i = 0; i < COUNT(waiters); i++) {
		long long size = (long long)(log->header->tail - tail);

		pthread_join(waiters[i].thread, NULL);
		good += i % 2 ? waiters[i].result == 1 :
				waiters[i].result == size &&
					!memcmp(waiters[i].bytes, log->ring + tail, (size_t)size);
	}
	check_is(good, COUNT(waiters), "all that read or polled are woken, and have it");

	/* A signal ends waiting. */
	sigaction(SIGUSR1, &action, NULL);
	need(seek(waiter->fd, 0, SEEK_END) > 0, "lseek");
	pthread_create(&waiter->thread, NULL, wait_to_read, waiter);
	until_all_wait(1);
	pthread_kill(waiter->thread, SIGUSR1);
	pthread_join(waiter->thread, NULL);
	check_is(waiter->result, -EINTR, "a signal ends waiting");
	for (size_t i = 0; i < COUNT(waiters); i++)
		close(waiters[i].fd);
}

/* Readers that have the mapping alone see every record when the tail says that it is there. */
static void *follow(void *argument)
{
	struct waiter *waiter = argument;
	struct log log = map_log(waiter->fd);
	const uint8_t *at = log.ring + waiter->from;
	uint64_t number = 0, offset = waiter->from;

	while (number < 200) {
		uint64_t tail = __atomic_load_n(&log.header->tail, __ATOMIC_ACQUIRE);
		size_t size = (size_t)(tail - offset);
		struct record record;

		while (size > 0) {
			struct tlv digest;
			uint8_t own[ASSAY_MAX_DIGEST];

			if (!next_record(&at, &size, &record))
				return NULL;
			digest = find_tlv(record.digests.value, record.digests.size,
					  ASSAY_CEL_DIGEST_TYPE(ASSAY_ALG_SHA256));
			sha(32, record.content.whole, record.content.whole_size, own);
			if (digest.size != 32 || memcmp(digest.value, own, 32) != 0)
				return NULL;
			number++;
		}
		offset = tail;
	}
	waiter->result = (long long)number;
	unmap_log(&log);
	return NULL;
}

static void test_follow(int fd, const struct log *log)
{
	static struct waiter waiters[4];
	unsigned int good = 0;

	for (size_t i = 0; i < COUNT(waiters); i++) {
		waiters[i].fd = fd;
		waiters[i].from = log->header->tail;
		pthread_create(&waiters[i].thread, NULL, follow, &waiters[i]);
	}
	for (unsigned int i = 0; i < 200; i++)
		need(append(fd, "follow", &i, sizeof(i), NULL) == 0, "append");
	for (size_t i = 0; i < COUNT(waiters); i++) {
		pthread_join(waiters[i].thread, NULL);
		good += waiters[i].result == 200;
	}
	check_is(good, COUNT(waiters), "followers see 200 records, each whole, as it appears");
}

int main(void)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);

	memset(buffer, 0xa5, 70000);
	need(append(fd, "small", "1", 1, NULL) == 0, "append");
	need(append(fd, "large", buffer, 65536, NULL) == 0, "append");
	test_read(&log);
	test_seek(&log);
	test_refused(&log);
	test_wait(fd, &log);
	test_follow(fd, &log);
	unmap_log(&log);
	close(fd);
	return tap_end();
}
