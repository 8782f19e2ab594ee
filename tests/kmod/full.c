// SPDX-License-Identifier: MIT
/*
 * A full ring: -ENOSPC before anything is written or extended, and what is there stays
 * whole. Full pages are sealed.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "guest.h"

static uint8_t data[ASSAY_MAX_EVENT];

/* Append until it fails; returns how it did. */
static int fill(int fd, size_t size)
{
	int ret;

	do
		ret = append(fd, "fill", data, size, NULL);
	while (!ret || is_late(ret));
	return ret;
}

/* A batch that is larger than any ring of a mebibyte: many long paths. */
static int measure_too_much(int fd)
{
	static struct assay_measure_entry entries[ASSAY_MAX_BATCH];
	char path[256];
	int file, ret;

	memset(path, 'p', sizeof(path));
	memcpy(path, "/tmp/", 5);
	path[255] = '\0';
	file = open(path, O_RDONLY | O_CREAT, 0600);
	need(file >= 0, "create a file with a long name");
	for (unsigned int i = 0; i < ASSAY_MAX_BATCH; i++)
		entries[i].fd = file;
	ret = measure(fd, 0, entries, ASSAY_MAX_BATCH, NULL);
	close(file);
	return ret;
}

static void check_sealed(int fd)
{
	struct assay_info info = get_info(fd);
	uint64_t sealed = info.tail / info.page_size;
	uint64_t window = info.window_base / info.page_size;
	uint64_t found = 0, last = 0;
	FILE *file = open_pages();
	struct page_line page;

	while (next_page(file, &page)) {
		if (strcmp(page.state, "sealed") != 0)
			continue;
		found++;
		last = page.frame - window;
	}
	check(found == sealed && last == sealed, "debugfs: all pages below the tail's are sealed");
	check_is(read_number(MISC "memory/bytes_sealed"), (long long)(sealed * info.page_size),
		 "sysfs: bytes sealed");
	check_is(scribble(info.window_base + sealed * info.page_size), -EFAULT,
		 "a stray write to a sealed page faults");
}

int main(void)
{
	int fd = open_assay(O_RDWR);
	struct assay_info before, after;
	struct assay_measure_entry entry = { .fd = open("/bed/busybox", O_RDONLY) };
	struct log log = map_log(fd);
	uint8_t *copy = malloc(log.mapped);
	uint8_t pcr[ASSAY_MAX_DIGEST], pcr_after[ASSAY_MAX_DIGEST];

	need(copy, "memory");
	/* INFO says how far the PCR was read back, which happens by itself. */
	need(!settle_log(fd), "anchor");
	before = get_info(fd);
	check_is(measure_too_much(fd), -ENOSPC, "a record larger than the ring is -ENOSPC");
	after = get_info(fd);
	check(memcmp(&before, &after, sizeof(before)) == 0, "and nothing happened");

	check_is(fill(fd, sizeof(data)), -ENOSPC, "large records fill the ring up to -ENOSPC");
	/* A record has some hundred bytes more than the event; 2 KiB are kept free for TRIM. */
	check(get_info(fd).ring_size - get_info(fd).tail < sizeof(data) + 4096,
	      "not before it is full");
	check_sealed(fd);
	check_is(fill(fd, 100), -ENOSPC, "small records still go in, up to -ENOSPC");
	check_is(fill(fd, 0), -ENOSPC, "and the smallest ones");
	check_sealed(fd);

	need(!settle_log(fd), "anchor");
	before = get_info(fd);
	memcpy(copy, log.header, log.mapped);
	need(read_pcr(before.bank_alg[0], before.pcr, pcr), "read the PCR");
	check_is(append(fd, "fill", data, 100, NULL), -ENOSPC, "APPEND: -ENOSPC");
	check_is(measure(fd, 0, &entry, 1, NULL), -ENOSPC, "MEASURE: -ENOSPC");
	after = get_info(fd);
	check(memcmp(&before, &after, sizeof(before)) == 0 &&
		      memcmp(copy, log.header, log.mapped) == 0,
	      "tail, header and ring are as they were");
	check(read_pcr(before.bank_alg[0], before.pcr, pcr_after) &&
		      memcmp(pcr, pcr_after, digest_size(before.bank_alg[0])) == 0,
	      "so is the PCR");
	check(after.anchored == after.tail && after.last_error == 0,
	      "all that is written is anchored");
	check_is(replay(&log, after.bank_count), (long long)after.records,
		 "the PCR is explained in every bank");
	free(copy);
	unmap_log(&log);
	return tap_end();
}
