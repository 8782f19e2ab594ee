// SPDX-License-Identifier: MIT
/*
 * The log's memory comes when it is needed: what readers see before and after, through
 * whatever device node they came; and where it does not come, -ENOSPC before anything
 * is written, and nothing is lost by it. Begins with an empty log.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest.h"

#define OTHER_NODE "/tmp/assay"
#define FAULT "/sys/kernel/debug/assay/fail_claim_final/"

static uint8_t data[ASSAY_MAX_EVENT];

static long long claimed(void)
{
	return read_number(MISC "memory/bytes_claimed");
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

/* Both copies of the ring in a mapping are what read() gives, and zeros behind it. */
static bool shows_log(const struct log *log, int fd)
{
	struct assay_info info = get_info(fd);
	uint8_t *bytes = malloc(info.ring_size);
	size_t total = 0;
	bool good;
	ssize_t n;

	need(bytes && lseek(fd, 0, SEEK_SET) == 0, "lseek");
	while (total < info.tail && (n = read(fd, bytes + total, info.tail - total)) > 0)
		total += (size_t)n;
	good = total == info.tail;
	for (const uint8_t *ring = log->ring; ring <= log->ring + info.ring_size;
	     ring += info.ring_size)
		good = good && !memcmp(ring, bytes, total) &&
		       is_zero(ring + total, info.ring_size - total);
	free(bytes);
	return good;
}

/* Claims follow the tail; waits for the worker. */
static bool is_ahead(int fd)
{
	struct assay_info info = get_info(fd);
	uint64_t want = info.tail + 262144;

	if (want > info.ring_size)
		want = info.ring_size;
	for (int i = 0; i < 1000; i++) {
		if ((uint64_t)claimed() >= info.page_size + want)
			return true;
		usleep(10000);
	}
	note("%lld bytes are claimed, tail %llu", claimed(), (unsigned long long)info.tail);
	return false;
}

static void test_failing(int fd, const struct log *log)
{
	struct assay_info before, after;
	int ret;

	if (access(FAULT "times", F_OK)) {
		note("this kernel has no failures on demand");
		return;
	}
	write_text(FAULT "probability", "100");
	write_text(FAULT "times", "-1");
	/* What is claimed already can be had. */
	do {
		before = get_info(fd);
		ret = append(fd, "grow", data, sizeof(data), NULL);
	} while (!ret);
	after = get_info(fd);
	check_is(ret, -ENOSPC, "where memory cannot be claimed, APPEND is -ENOSPC");
	check(before.tail == after.tail && before.records == after.records &&
		      after.tail + sizeof(data) < after.ring_size && shows_log(log, fd),
	      "before anything was written, and far from the ring's end");
	check_is(append(fd, "grow", data, sizeof(data), NULL), -ENOSPC, "so is the next");
	check_is(append(fd, "small", "1", 1, NULL), 0, "what fits in the memory there is works");
	write_text(FAULT "times", "0");
	check_is(append(fd, "grow", data, sizeof(data), NULL), 0,
		 "when memory can be claimed again, it works");
	check(is_ahead(fd), "and is claimed ahead");
	check(shows_log(log, fd), "nothing was lost by it");
}

int main(void)
{
	int fd = open_assay(O_RDWR), other;
	struct assay_info info = get_info(fd);
	struct log log = map_log(fd), other_log;
	long long before = claimed();
	struct stat stat_buffer;
	int ret, good = 1;

	need(!stat(DEVICE, &stat_buffer) && !mknod(OTHER_NODE, S_IFCHR | 0600, stat_buffer.st_rdev),
	     "mknod " OTHER_NODE);
	other = open(OTHER_NODE, O_RDONLY | O_CLOEXEC);
	need(other >= 0, "open " OTHER_NODE);
	other_log = map_log(other);

	check(before < (long long)info.window_size, "not all of the window is claimed");
	check(shows_log(&log, fd) && shows_log(&other_log, fd),
	      "what is not claimed reads as zeros, in both copies, through both nodes");
	memset(data, 0xa5, sizeof(data));
	while (good && get_info(fd).tail < info.ring_size / 2) {
		good = append(fd, "grow", data, sizeof(data), NULL) == 0 && is_ahead(fd);
		good = good && shows_log(&log, fd) && shows_log(&other_log, fd);
	}
	check(good, "with each record the log grows, and readers see it where zeros had been");
	check(claimed() > before, "more of the window is claimed");
	test_failing(fd, &log);
	do
		ret = append(fd, "grow", data, sizeof(data), NULL);
	while (!ret);
	check_is(ret, -ENOSPC, "at the window's end it is -ENOSPC");
	check_is(claimed(), (long long)info.window_size, "all of the window is claimed then");
	check(shows_log(&log, fd) && shows_log(&other_log, fd), "and readers see all of it");
	check(replay(&log, info.bank_count) == (int)get_info(fd).records,
	      "the PCR is explained by all records");
	unmap_log(&other_log);
	unmap_log(&log);
	close(other);
	close(fd);
	unlink(OTHER_NODE);
	return tap_end();
}
