// SPDX-License-Identifier: MIT
/*
 * roofline LARGE SMALL...: what the kernel takes to hand over files that are in page cache, in
 * processor time of one thread: the limits of whatever digests them. Prints a JSON object: bytes
 * a second of LARGE that are copied by read() into a buffer, and that are mapped and looked at, a
 * byte of each line of the cache; and microseconds for each of SMALL, of up to 64 KiB each: to open
 * and close it, to ask for its size and time, and to open, ask, read, ask again and close it; the
 * same calls but for those that ask, and these in an io_uring ("uring", null where that is
 * forbidden), 16 files at a time with descriptors and buffers that the ring has. Each is the least
 * of several runs.
 *
 * roofline --read FILE...: the seconds of processor time that it takes to open, ask, read, ask
 * again and close them all, whatever their sizes, those above 1 MiB being mapped instead:
 * {"read":seconds}.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RUNS 3
#define BUFFER ((size_t)256 << 10)
/* What is mapped at once. */
#define PIECE ((size_t)16 << 20)
#define LINE ((size_t)64)
/* Files above this are, where any are. */
#define MAPPED ((off_t)1 << 20)
#define SMALL_MAX ((size_t)64 << 10)
#define BATCH 16
/* Of a file: open, read and close. */
#define OPERATIONS 3
#define ENTRIES 64

static uint8_t *buffer;
static size_t small_count;
static char **small;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

/* ---------------------------------------------------------------- a large file */

static void copy_file(int fd, size_t size)
{
	for (size_t at = 0; at < size; at += BUFFER)
		if (pread(fd, buffer, BUFFER, (off_t)at) <= 0)
			fail("read");
}

static void map_file(int fd, size_t size)
{
	for (size_t at = 0; at < size; at += PIECE) {
		size_t piece = size - at < PIECE ? size - at : PIECE;
		volatile uint8_t *map = mmap(NULL, piece, PROT_READ, MAP_SHARED, fd, (off_t)at);

		if (map == MAP_FAILED)
			fail("map");
		for (size_t line = 0; line < piece; line += LINE)
			(void)map[line];
		munmap((void *)map, piece);
	}
}

/* Bytes a second. */
static double rate_of(void (*way)(int fd, size_t size), const char *path)
{
	int fd = open_file(path);
	struct stat file;
	double least = 0;

	if (fstat(fd, &file) < 0)
		fail(path);
	for (int i = 0; i < RUNS; i++) {
		double from = seconds(), took;

		way(fd, (size_t)file.st_size);
		took = seconds() - from;
		if (i == 0 || took < least)
			least = took;
	}
	close(fd);
	return (double)file.st_size / least;
}

/* ---------------------------------------------------------------- small files, by calls */

static void open_and_close(void)
{
	for (size_t i = 0; i < small_count; i++)
		close(open_file(small[i]));
}

static void ask(void)
{
	struct stat file;

	for (size_t i = 0; i < small_count; i++)
		if (fstat(STDIN_FILENO, &file) < 0)
			fail("fstat");
}

static void read_one(const char *path, size_t number, bool asking)
{
	int fd = open_file(path);
	struct stat file;

	if (asking && fstat(fd, &file) < 0)
		fail(path);
	if (pread(fd, buffer + number % (BUFFER / SMALL_MAX) * SMALL_MAX, SMALL_MAX, 0) < 0)
		fail(path);
	if (asking && fstat(fd, &file) < 0)
		fail(path);
	close(fd);
}

static void read_asking(void)
{
	for (size_t i = 0; i < small_count; i++)
		read_one(small[i], i, true);
}

static void read_only(void)
{
	for (size_t i = 0; i < small_count; i++)
		read_one(small[i], i, false);
}

/* ---------------------------------------------------------------- small files, by io_uring */

/**
 * struct ring - an io_uring
 * @tail, @head, @mask: of the queue of completions, and @completions
 */
static struct {
	int fd;
	struct io_uring_sqe *entries;
	unsigned int *submit_tail, submit_mask, *submit_array;
	unsigned int *head, *tail, mask;
	struct io_uring_cqe *completions;
} ring;

static void *map_ring(size_t size, off_t offset)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
			 offset);

	if (map == MAP_FAILED)
		fail("map io_uring");
	return map;
}

static bool ring_new(void)
{
	struct io_uring_params parameters = { .flags = IORING_SETUP_SINGLE_ISSUER |
						       IORING_SETUP_DEFER_TASKRUN };
	struct iovec memory = { .iov_base = buffer, .iov_len = BATCH * SMALL_MAX };
	int files[BATCH];
	uint8_t *submits, *completes;

	ring.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &parameters);
	if (ring.fd < 0)
		return false;
	memset(files, -1, sizeof(files));
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, files, BATCH) < 0 ||
	    syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &memory, 1) < 0)
		return false;
	submits = map_ring(parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned int),
			   IORING_OFF_SQ_RING);
	completes = map_ring(parameters.cq_off.cqes +
				     parameters.cq_entries * sizeof(struct io_uring_cqe),
			     IORING_OFF_CQ_RING);
	ring.entries =
		map_ring(parameters.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.submit_tail = (unsigned int *)(submits + parameters.sq_off.tail);
	ring.submit_mask = *(unsigned int *)(submits + parameters.sq_off.ring_mask);
	ring.submit_array = (unsigned int *)(submits + parameters.sq_off.array);
	ring.head = (unsigned int *)(completes + parameters.cq_off.head);
	ring.tail = (unsigned int *)(completes + parameters.cq_off.tail);
	ring.mask = *(unsigned int *)(completes + parameters.cq_off.ring_mask);
	ring.completions = (struct io_uring_cqe *)(completes + parameters.cq_off.cqes);
	return true;
}

static void submit(struct io_uring_sqe entry)
{
	unsigned int tail = *ring.submit_tail, place = tail & ring.submit_mask;

	ring.entries[place] = entry;
	ring.submit_array[place] = place;
	atomic_store_explicit((_Atomic unsigned int *)ring.submit_tail, tail + 1,
			      memory_order_release);
}

/*
 * Linked: each waits for the one before, and the next file's do not. A read that gets less than
 * the buffer's size would break a link that is not hard.
 */
static void submit_file(const char *path, unsigned int slot)
{
	submit((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
				      .flags = IOSQE_IO_LINK,
				      .fd = AT_FDCWD,
				      .addr = (uintptr_t)path,
				      .open_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY,
				      .file_index = slot + 1 });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_READ_FIXED,
				      .flags = IOSQE_IO_HARDLINK | IOSQE_FIXED_FILE,
				      .fd = (int)slot,
				      .addr = (uintptr_t)(buffer + slot * SMALL_MAX),
				      .len = SMALL_MAX });
	submit((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .file_index = slot + 1 });
}

static void read_by_ring(void)
{
	for (size_t i = 0; i < small_count; i += BATCH) {
		unsigned int count = 0, wanted;

		for (; count < BATCH && i + count < small_count; count++)
			submit_file(small[i + count], count);
		wanted = count * OPERATIONS;
		if (syscall(SYS_io_uring_enter, ring.fd, wanted, wanted, IORING_ENTER_GETEVENTS,
			    NULL, 0) != (long)wanted)
			fail("io_uring_enter");
		for (unsigned int j = 0; j < wanted; j++) {
			if (ring.completions[*ring.head & ring.mask].res < 0) {
				fprintf(stderr, "roofline: an io_uring's operation failed\n");
				exit(1);
			}
			atomic_store_explicit((_Atomic unsigned int *)ring.head, *ring.head + 1,
					      memory_order_release);
		}
	}
}

/* Seconds that a way takes of this thread. */
static double time_of(void (*way)(void))
{
	double least = 0;

	for (int i = 0; i < RUNS; i++) {
		double from = seconds(), took;

		way();
		took = seconds() - from;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

/* Microseconds a file. */
static double cost_of(void (*way)(void))
{
	return time_of(way) / (double)small_count * 1e6;
}

/* ---------------------------------------------------------------- files of any size */

static void read_whole(void)
{
	for (size_t i = 0; i < small_count; i++) {
		int fd = open_file(small[i]);
		struct stat file;

		if (fstat(fd, &file) < 0)
			fail(small[i]);
		if (file.st_size > MAPPED)
			map_file(fd, (size_t)file.st_size);
		for (off_t at = 0; file.st_size <= MAPPED && at < file.st_size; at += (off_t)BUFFER)
			if (pread(fd, buffer, BUFFER, at) < 0)
				fail(small[i]);
		if (fstat(fd, &file) < 0)
			fail(small[i]);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	char uring[32] = "null";

	if (argc < 3) {
		fprintf(stderr, "usage: roofline LARGE SMALL...\n       roofline --read FILE...\n");
		return 2;
	}
	small = argv + 2;
	small_count = (size_t)argc - 2;
	buffer = aligned_alloc(4096, BATCH * SMALL_MAX);
	if (!buffer)
		fail("memory");
	memset(buffer, 1, BATCH * SMALL_MAX);
	if (strcmp(argv[1], "--read") == 0) {
		printf("{\"read\":%.6f}\n", time_of(read_whole));
		return 0;
	}
	if (ring_new())
		snprintf(uring, sizeof(uring), "%.3f", cost_of(read_by_ring));
	printf("{\"copy\":%.0f,\"map\":%.0f,", rate_of(copy_file, argv[1]),
	       rate_of(map_file, argv[1]));
	printf("\"open_close\":%.3f,\"ask\":%.3f,\"open_ask_read_ask_close\":%.3f,",
	       cost_of(open_and_close), cost_of(ask), cost_of(read_asking));
	printf("\"open_read_close\":%.3f,\"uring\":%s}\n", cost_of(read_only), uring);
	return 0;
}
