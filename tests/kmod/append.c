// SPDX-License-Identifier: MIT
/*
 * append COUNT SIZE [SEED [EVENTS]]: appends so many records, each an event labelled "count" whose
 * data are SEED and its number from 0 on, and zeros up to SIZE bytes; prints "RECORDS
 * MILLISECONDS". With EVENTS each record has so many of them, all alike. COUNT 0 appends until it
 * is killed, and prints "# RECORD HEAD" for each record once it is anchored: its number, and that
 * of the oldest one that the log had just before. With either of both, where the log is full it
 * waits for somebody to cut it, and a TPM that did not answer in time is no end: the record is
 * there, and is anchored before the next one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "uapi/assay.h"

static unsigned long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	static char label[] = "count";
	const struct assay_log_header *header;
	static struct assay_append_entry entries[ASSAY_MAX_BATCH];
	char *data;
	unsigned long count, size, events = 1, i;
	unsigned long long head;
	unsigned long long begin = now_ms();
	int fd = open("/dev/assay", O_RDWR | O_CLOEXEC);

	if (fd < 0 || argc < 3) {
		perror("/dev/assay");
		return 1;
	}
	count = strtoul(argv[1], NULL, 10);
	size = strtoul(argv[2], NULL, 10);
	if (argc > 4)
		events = strtoul(argv[4], NULL, 10);
	if (events == 0 || events > ASSAY_MAX_BATCH) {
		fprintf(stderr, "append: 1 to %d events a record\n", ASSAY_MAX_BATCH);
		return 1;
	}
	header = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return 1;
	data = calloc(1, size + 64);
	if (!data)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; count == 0 || i < count; i++) {
		int length = snprintf(data, size + 64, "%.32s %lu ", argc > 3 ? argv[3] : "0", i);
		struct assay_append append = {
			.count = (unsigned int)events,
			.entry_size = sizeof(entries[0]),
			.entries = (uintptr_t)entries,
		};

		for (unsigned long n = 0; n < events; n++)
			entries[n] = (struct assay_append_entry){
				.label = (uintptr_t)label,
				.label_size = sizeof(label) - 1,
				.data = (uintptr_t)data,
				.data_size = (unsigned int)(size > (size_t)length ? size :
										    (size_t)length),
			};
		head = __atomic_load_n(&header->head_recnum, __ATOMIC_ACQUIRE);
		if (ioctl(fd, ASSAY_IOC_APPEND, &append) < 0) {
			bool goes_on = count == 0 || argc > 4;

			if (goes_on && errno == ENOSPC) {
				usleep(10000);
				i--;
				continue;
			}
			if (goes_on && errno == ETIME && append.recnum != ASSAY_RECNUM_NONE)
				continue;
			fprintf(stderr, "append %lu: %s\n", i, strerror(errno));
			free(data);
			return 1;
		}
		if (count == 0)
			printf("# %llu %llu\n", (unsigned long long)append.recnum, head);
	}
	printf("%lu %llu\n", i, now_ms() - begin);
	free(data);
	return 0;
}
