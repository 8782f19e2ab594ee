// SPDX-License-Identifier: MIT
/*
 * The guest's half of bench-measure and bench-boot: reads a directory of files, plainly,
 * after one assay call has measured them, or after assay-initrd has, and prints the
 * nanoseconds of all that, and of the call or assay-initrd alone. Files are named 0, 1, 2, ...
 * With "enable" it turns fs-verity on for them instead.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <linux/fsverity.h>

#include "uapi/assay.h"

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int open_file(int directory, size_t number)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%zu", number);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "measure: cannot open %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return fd;
}

static void read_file(int fd)
{
	static char data[65536];
	ssize_t got;

	while ((got = read(fd, data, sizeof(data))) > 0)
		;
	if (got < 0) {
		fprintf(stderr, "measure: cannot read: %s\n", strerror(errno));
		exit(1);
	}
	close(fd);
}

static void failed(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enable_all(int directory, size_t count)
{
	struct fsverity_enable_arg argument = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	for (size_t i = 0; i < count; i++) {
		int fd = open_file(directory, i);

		if (ioctl(fd, FS_IOC_ENABLE_VERITY, &argument) < 0)
			failed("cannot enable fs-verity");
		close(fd);
	}
}

static void read_plain(int directory, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_file(open_file(directory, i));
}

/* Returns how long the call took. */
static int64_t read_measured(int directory, size_t count)
{
	struct assay_measure_entry *entries = calloc(count, sizeof(*entries));
	struct assay_measure request = {
		.count = (__u32)count,
		.entry_size = sizeof(*entries),
		.entries = (uintptr_t)entries,
	};
	int device = open("/dev/assay", O_RDWR | O_CLOEXEC);
	int64_t from, call;

	if (!entries || device < 0)
		failed("cannot open /dev/assay");
	for (size_t i = 0; i < count; i++)
		entries[i].fd = open_file(directory, i);
	from = now();
	if (ioctl(device, ASSAY_IOC_MEASURE, &request) < 0)
		failed("cannot measure");
	call = now() - from;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].result != 0) {
			errno = -entries[i].result;
			failed("a file could not be measured");
		}
		read_file(entries[i].fd);
	}
	close(device);
	free(entries);
	return call;
}

/* As the scripts of an initramfs do, by $ASSAY_INITRD. Returns how long it took. */
static int64_t read_after_initrd(int directory, size_t count)
{
	const char *command = getenv("ASSAY_INITRD");
	int64_t from = now(), call;

	if (!command || system(command) != 0)
		failed("assay-initrd");
	call = now() - from;
	read_plain(directory, count);
	return call;
}

int main(int argc, char **argv)
{
	const struct rlimit files = { 65536, 65536 };
	int64_t from, call = 0;
	int directory;
	size_t count;

	if (argc != 4) {
		fputs("Usage: measure enable|plain|assay|initrd DIRECTORY COUNT\n", stderr);
		return 2;
	}
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		perror("measure: setrlimit");
	directory = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		perror("measure: cannot open the directory");
		return 1;
	}
	count = strtoul(argv[3], NULL, 10);
	from = now();
	if (strcmp(argv[1], "enable") == 0)
		enable_all(directory, count);
	else if (strcmp(argv[1], "plain") == 0)
		read_plain(directory, count);
	else if (strcmp(argv[1], "initrd") == 0)
		call = read_after_initrd(directory, count);
	else
		call = read_measured(directory, count);
	printf("%" PRId64 " %" PRId64 "\n", now() - from, call);
	return 0;
}
