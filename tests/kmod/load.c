// SPDX-License-Identifier: MIT
/*
 * load FILE ANON_MIB FILE_MIB READY: fills memory with data of others, keeps it busy,
 * and in the end says whether all of it is unharmed.
 *
 * ANON_MIB of anonymous memory, and as many MiB of page cache as the machine has room
 * for, of FILE_MIB of FILE, which is made sparse, so that reading it takes no disk.
 * When both are full, the file READY is made. From then on pages of both, chosen at
 * random, are written to (so that dirty pages are written back all the time), read and
 * checked, 100 times a second, and what memory got free is filled again, until SIGTERM;
 * then all pages are checked. Each page has a number of its own in all its words, that
 * changes with every write. Prints
 *	load: WRITES writes, READS reads, WRONG pages wrong
 * and ends with 1 if a page was wrong, and with 2 where something could not be done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define TURN_NS 10000000
#define FULL 1	   /* per cent that may be free */
#define REFILL 128 /* times a turn */
#define REFILL_BYTES (MIB / 8)

static volatile sig_atomic_t ended;
static size_t page_size;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;
	int error = errno;

	fprintf(stderr, "load: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(2);
}

static uint64_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* What all words of a page are; the file's are 0 until they are written to. */
static uint64_t word_of(size_t page, uint32_t generation)
{
	return ((uint64_t)page << 32 | generation) * 0xd6e8feb86659fd93;
}

static void fill(uint64_t *words, uint64_t word)
{
	for (size_t i = 0; i < page_size / sizeof(*words); i++)
		words[i] = word;
}

static bool filled(const uint64_t *words, uint64_t word)
{
	for (size_t i = 0; i < page_size / sizeof(*words); i++)
		if (words[i] != word)
			return false;
	return true;
}

/* One of the two kinds of memory. */
struct memory {
	const char *name;
	size_t pages;
	uint32_t *generation;
	uint8_t *base; /* of anonymous memory */
	int fd;	       /* of the file */
	uint64_t *buffer;
	size_t written, read; /* bytes a turn */
};

static uint64_t expected(const struct memory *memory, size_t page)
{
	uint32_t generation = memory->generation[page];

	return memory->base || generation ? word_of(page, generation) : 0;
}

static void write_page(struct memory *memory, size_t page)
{
	uint64_t word = word_of(page, ++memory->generation[page]);

	if (memory->base) {
		fill((uint64_t *)(memory->base + page * page_size), word);
		return;
	}
	fill(memory->buffer, word);
	if (pwrite(memory->fd, memory->buffer, page_size, (off_t)(page * page_size)) !=
	    (ssize_t)page_size)
		die("cannot write page %zu of the file", page);
}

/* Returns how many pages are wrong: 0 or 1. */
static unsigned int check_page(struct memory *memory, size_t page)
{
	const uint64_t *words = memory->buffer;

	if (memory->base)
		words = (const uint64_t *)(memory->base + page * page_size);
	else if (pread(memory->fd, memory->buffer, page_size, (off_t)(page * page_size)) !=
		 (ssize_t)page_size)
		die("cannot read page %zu of the file", page);
	if (filled(words, expected(memory, page)))
		return 0;
	fprintf(stderr, "load: page %zu of %s is wrong\n", page, memory->name);
	return 1;
}

static void open_memory(struct memory *memory, const char *name, size_t size)
{
	memory->name = name;
	memory->pages = size / page_size;
	memory->generation = calloc(memory->pages, sizeof(*memory->generation));
	if (!memory->generation || posix_memalign((void **)&memory->buffer, page_size, page_size))
		die("no memory for %s", name);
}

static void open_anonymous(struct memory *memory, size_t size)
{
	open_memory(memory, "anonymous memory", size);
	memory->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory->base == MAP_FAILED)
		die("cannot map %zu bytes", size);
	for (size_t page = 0; page < memory->pages; page++)
		write_page(memory, page);
}

static void open_file(struct memory *memory, const char *path, size_t size)
{
	open_memory(memory, "the file", size);
	memory->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (memory->fd < 0 || ftruncate(memory->fd, (off_t)size))
		die("cannot make %s", path);
	for (size_t page = 0; page < memory->pages; page++)
		if (check_page(memory, page))
			exit(1);
}

static size_t argument(const char *text)
{
	char *rest;
	unsigned long long value = strtoull(text, &rest, 10);

	if (rest == text || *rest || !value || value > (1 << 20)) {
		fprintf(stderr, "load: '%s' is not a number of MiB\n", text);
		exit(2);
	}
	return (size_t)value * MIB;
}

static bool memory_full(void)
{
	struct sysinfo info;

	return sysinfo(&info) || info.freeram <= info.totalram / 100 * FULL;
}

/* What others gave back is filled again, by reading ahead here and there in the file. */
static void refill(const struct memory *file)
{
	for (unsigned int i = 0; i < REFILL && !memory_full(); i++)
		posix_fadvise(file->fd, (off_t)(next_random() % file->pages * page_size),
			      REFILL_BYTES, POSIX_FADV_WILLNEED);
}

int main(int argc, char **argv)
{
	const struct timespec turn = { .tv_nsec = TURN_NS };
	const struct sigaction action = { .sa_handler = end };
	/* What a turn writes of the file takes room on the disk, hence the little. */
	struct memory memory[2] = {
		{ .written = MIB, .read = MIB / 4 },	 /* anonymous memory */
		{ .written = MIB / 8, .read = 2 * MIB }, /* the file */
	};
	unsigned long long writes = 0, reads = 0, wrong = 0;
	int ready;

	if (argc != 5) {
		fprintf(stderr, "Usage: load FILE ANON_MIB FILE_MIB READY\n");
		return 2;
	}
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGTERM, &action, NULL);
	open_anonymous(&memory[0], argument(argv[2]));
	open_file(&memory[1], argv[1], argument(argv[3]));
	ready = open(argv[4], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (ready < 0)
		die("cannot make %s", argv[4]);
	close(ready);

	while (!ended) {
		for (unsigned int kind = 0; kind < 2; kind++) {
			struct memory *chosen = &memory[kind];

			for (size_t i = 0; i < chosen->written / page_size; i++)
				write_page(chosen, next_random() % chosen->pages);
			for (size_t i = 0; i < chosen->read / page_size; i++)
				wrong += check_page(chosen, next_random() % chosen->pages);
			writes += chosen->written / page_size;
			reads += chosen->read / page_size;
		}
		refill(&memory[1]);
		nanosleep(&turn, NULL);
	}
	for (unsigned int kind = 0; kind < 2; kind++) {
		for (size_t page = 0; page < memory[kind].pages; page++)
			wrong += check_page(&memory[kind], page);
		reads += memory[kind].pages;
	}
	printf("load: %llu writes, %llu reads, %llu pages wrong\n", writes, reads, wrong);
	return wrong > 0;
}
