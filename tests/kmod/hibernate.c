// SPDX-License-Identifier: MIT
/*
 * The machine hibernates with the module loaded, and goes on in another one that has the same
 * disk, with a TPM that was powered off: run in the first with the swap on DISK, and judged in
 * the second. The log is as it was and as protected as it was, that the PCR was reset is noticed
 * without a call, and no call is told that its record is anchored. Needs the module scribble.
 *
 * The port for results of the second machine is not the one that the first had open: what is
 * said there goes to the console, and the machine is powered off at the end.
 *
 *	hibernate DISK
 */
#define _GNU_SOURCE
#include <sys/reboot.h>
#include <sys/swap.h>

#include "guest.h"

/* Whether the log comes to that last error within half a minute, without a call. */
static bool comes_to(int fd, int error)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; i < 600; i++) {
		if (get_info(fd).last_error == error)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

int main(int count, char **arguments)
{
	struct assay_append appended;
	struct assay_info info;
	uint8_t *before;
	struct log log;
	int fd, result;

	need(count == 2, "hibernate DISK");
	load_assay("retry=1 verify=0");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	for (int i = 0; i < 10; i++)
		need(!append(fd, "hibernate", "before", 6, NULL), "append");
	need(!settle_log(fd), "anchor");
	before = malloc(log.mapped);
	need(before, "memory");
	memcpy(before, log.header, log.mapped);
	need(!swapon(arguments[1], 0), "swapon %s", arguments[1]);
	note("hibernating with %llu records", (unsigned long long)log.header->records);

	result = write_text("/sys/power/state", "disk");
	/* In the second machine. */
	need(freopen("/dev/console", "w", stdout), "the console");
	check_is(result, 0, "the machine hibernates and goes on");
	check(!memcmp(before, log.header, log.mapped), "the log is as it was");
	info = get_info(fd);
	check(scribble(info.window_base) == -EFAULT &&
		      scribble(info.window_base + info.page_size) == -EFAULT,
	      "and read-only");
	check(comes_to(fd, -EUCLEAN), "that the TPM lost its PCRs is noticed without a call");
	check_is(get_info(fd).pcr_state, ASSAY_PCR_RESET, "and told as a reset");
	check(append(fd, "hibernate", "after", 5, &appended) == -EUCLEAN &&
		      appended.recnum == ASSAY_RECNUM_NONE,
	      "APPEND is -EUCLEAN, and nothing is written");
	free(before);
	unmap_log(&log);
	close(fd);
	unload_assay();
	load_assay("");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	check_is(append(fd, "hibernate", "again", 5, NULL), 0, "loaded again it has a new log");
	check_is(replay(&log, log.header->bank_count), 2, "which explains the PCR");
	unmap_log(&log);
	close(fd);
	unload_assay();
	result = tap_end();
	sync();
	reboot(RB_POWER_OFF);
	return result;
}
