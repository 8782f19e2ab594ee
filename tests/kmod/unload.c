// SPDX-License-Identifier: MIT
/*
 * The module is unloaded while the committer is about to plan another try of what could not be
 * anchored. The timer must not be set after that: it would fire in memory that was freed.
 */
#define _GNU_SOURCE
#include "guest.h"

#define HOLD "/sys/module/hold/parameters/"

int main(void)
{
	struct timespec pause = { .tv_sec = 3 };
	long long before;
	int fd;

	load_assay("retry=1");
	fd = open_assay(O_RDWR);
	check_is(append(fd, "a", "x", 1, NULL), -ENODEV, "APPEND without a TPM is pending");
	before = read_number(HOLD "held");
	need(!write_text(HOLD "ms", "1000"), "have the committer held up");
	check_is(append(fd, "a", "x", 1, NULL), -ENODEV, "so is another");
	close(fd);
	unload_assay();
	check(read_number(HOLD "held") > before, "the committer was held up, and is gone");
	need(!write_text(HOLD "ms", "0"), "not any more");
	/* Longer than the first pause: the kernel would say what it found. */
	nanosleep(&pause, NULL);
	load_assay("retry=1");
	check(true, "the module can be loaded again");
	unload_assay();
	return tap_end();
}
