// SPDX-License-Identifier: MIT
/*
 * What bench-read and bench-memory need in the guest:
 *
 *	entries files DIR COUNT	make COUNT empty files that user 1000 owns
 *	entries touch DIR COUNT	open them for reading, so that IMA measures each
 *	entries copy		put each entry of IMA's list in assay's log; prints how many
 *	entries ima		read IMA's list; prints entries, nanoseconds, system calls
 *	entries assay		read assay's log by its mapping; likewise
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <uapi/assay.h>

#define IMA_LIST "/sys/kernel/security/ima/binary_runtime_measurements"
#define LIST_SIZE (64u << 20)
#define BATCH 1024

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "entries: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Empty ones: a page of 64 KiB for each is more than the guest has. */
static void each_file(const char *directory, unsigned long count, int make)
{
	char path[256];

	for (unsigned long i = 0; i < count; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/usr-lib-module-%06lu.so", directory, i);
		fd = open(path, make ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY, 0644);
		if (fd < 0 || (make && fchown(fd, 1000, 1000)))
			fail(path);
		close(fd);
	}
}

/* All of IMA's list; how many system calls that took, open() and close() included. */
static uint8_t *read_list(size_t *ret_size, unsigned long *ret_calls)
{
	int fd = open(IMA_LIST, O_RDONLY);
	uint8_t *list = malloc(LIST_SIZE);
	unsigned long calls = 2;
	size_t size = 0;
	ssize_t n;

	if (fd < 0 || !list)
		fail(IMA_LIST);
	do {
		n = read(fd, list + size, LIST_SIZE - size);
		if (n < 0)
			fail(IMA_LIST);
		size += (size_t)n;
		calls++;
	} while (n > 0);
	close(fd);
	*ret_size = size;
	*ret_calls = calls;
	return list;
}

static uint32_t le32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return value;
}

/* The template data of the entry at *@at, which is moved behind it; NULL at the end. */
static const uint8_t *next_entry(const uint8_t *list, size_t size, size_t *at, uint32_t *ret_size)
{
	uint32_t name;

	if (size - *at < 28)
		return NULL;
	name = le32(list + *at + 24);
	if (size - *at < 32 + (size_t)name)
		return NULL;
	*ret_size = le32(list + *at + 28 + name);
	*at += 32 + (size_t)name + *ret_size;
	return *at <= size ? list + *at - *ret_size : NULL;
}

static void copy(void)
{
	static struct assay_append_entry entries[BATCH];
	int fd = open("/dev/assay", O_RDWR);
	unsigned long calls, count = 0;
	const uint8_t *data;
	uint32_t data_size;
	size_t size, at = 0;
	uint8_t *list = read_list(&size, &calls);

	if (fd < 0)
		fail("/dev/assay");
	do {
		struct assay_append request = {
			.entry_size = sizeof(entries[0]),
			.entries = (uintptr_t)entries,
		};

		while (request.count < BATCH &&
		       (data = next_entry(list, size, &at, &data_size)) != NULL)
			entries[request.count++] = (struct assay_append_entry){
				.label = (uintptr_t) "ima",
				.label_size = 3,
				.data = (uintptr_t)data,
				.data_size = data_size,
			};
		count += request.count;
		/* Without a TPM the records wait for one: -ENODEV says no more. */
		if (request.count && ioctl(fd, ASSAY_IOC_APPEND, &request) && errno != ENODEV)
			fail("ASSAY_IOC_APPEND");
		if (request.count < BATCH)
			break;
	} while (1);
	printf("%lu\n", count);
}

/* Of template data of ima-ng the last letter of the file's name, which a NUL ends. */
static uint8_t letter_of(const uint8_t *data, uint32_t size)
{
	return size > 1 ? data[size - 2] : 0;
}

static void measure_ima(void)
{
	unsigned long calls, count = 0;
	uint64_t begin = now(), sum = 0;
	uint32_t data_size;
	size_t size, at = 0;
	uint8_t *list = read_list(&size, &calls);
	const uint8_t *data;

	while ((data = next_entry(list, size, &at, &data_size)) != NULL) {
		count++;
		sum += letter_of(data, data_size);
	}
	printf("%lu %" PRIu64 " %lu %" PRIu64 "\n", count, now() - begin, calls, sum);
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The TLV of a type among several that are complete, since the kernel wrote them. */
static const uint8_t *find(const uint8_t *at, const uint8_t *end, uint8_t type, uint32_t *ret_size)
{
	for (; at < end; at += 5 + be32(at + 1)) {
		if (*at == type) {
			*ret_size = be32(at + 1);
			return at + 5;
		}
	}
	return NULL;
}

static void measure_assay(void)
{
	struct assay_info info = { 0 };
	unsigned long count = 0;
	const struct assay_log_header *header;
	const uint8_t *at, *end;
	uint64_t begin = now(), sum = 0;
	/* What follows is all, whatever the number of entries. */
	unsigned long calls = 3;
	int fd = open("/dev/assay", O_RDONLY);
	void *map;

	if (fd < 0 || ioctl(fd, ASSAY_IOC_INFO, &info))
		fail("/dev/assay");
	map = mmap(NULL, info.page_size + 2 * info.ring_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	header = map;
	at = (const uint8_t *)map + info.page_size + header->head % info.ring_size;
	end = at + (__atomic_load_n(&header->tail, __ATOMIC_ACQUIRE) - header->head);
	while (at < end) {
		const uint8_t *entry, *entries_end;
		uint32_t size;

		/* RECNUM, PCR, DIGESTS, then the content. */
		for (unsigned int i = 0; i < 3; i++)
			at += 5 + be32(at + 1);
		entry = at + 5;
		entries_end = entry + be32(at + 1);
		at = entries_end;
		for (; entry < entries_end; entry += 5 + be32(entry + 1)) {
			const uint8_t *data;

			if (*entry != ASSAY_FIELD_EVENT)
				continue;
			data = find(entry + 5, entry + 5 + be32(entry + 1), ASSAY_FIELD_DATA,
				    &size);
			if (!data)
				fail("an entry without data");
			count++;
			sum += letter_of(data, size);
		}
	}
	printf("%lu %" PRIu64 " %lu %" PRIu64 "\n", count, now() - begin, calls, sum);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(verb, "files"))
		each_file(argv[2], strtoul(argv[3], NULL, 10), 1);
	else if (argc == 4 && !strcmp(verb, "touch"))
		each_file(argv[2], strtoul(argv[3], NULL, 10), 0);
	else if (argc == 2 && !strcmp(verb, "copy"))
		copy();
	else if (argc == 2 && !strcmp(verb, "ima"))
		measure_ima();
	else if (argc == 2 && !strcmp(verb, "assay"))
		measure_assay();
	else
		return 2;
	return 0;
}
