// SPDX-License-Identifier: MIT
/*
 * Appending where entries of the linear map cannot be changed, or their protection does
 * not hold: an append that cannot open its pages writes nothing, and the next one works;
 * one that cannot close them is the last. Whatever happened, the PCR is explained by the
 * log, and after unloading all pages are writable again.
 *
 *	faults [map]
 *
 * With map: the log is in a region that the kernel does not map, and what fails is the mapping
 * of its pages for a write. Needs a kernel with fault injection and the module scribble. Loads
 * and unloads assay.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "guest.h"

#define FAULTS "/sys/kernel/debug/assay/"

static bool command(const char *text)
{
	int status = system(text);

	return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void set_fault(const char *point, const char *file, unsigned int value)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), FAULTS "%s/%s", point, file);
	snprintf(text, sizeof(text), "%u", value);
	need(!write_text(path, text), "write %s", path);
}

/* The @nth time and only then. */
static void arm(const char *point, unsigned int nth)
{
	set_fault(point, "probability", 100);
	set_fault(point, "space", nth);
	set_fault(point, "times", 1);
}

/* Returns whether it has failed. */
static bool disarm(const char *point)
{
	char path[96];
	bool failed;

	snprintf(path, sizeof(path), FAULTS "%s/times", point);
	failed = read_number(path) == 0;
	set_fault(point, "times", 0);
	return failed;
}

/* All pages of the window are read-only, or all could be written. */
static bool pages_are(const struct assay_info *info, int result)
{
	for (uint64_t at = 0; at < info->window_size; at += info->page_size) {
		if (scribble(info->window_base + at) != result)
			return false;
	}
	return true;
}

/*
 * One append with the @nth of what @point counts failing. Returns false when there is
 * no nth; counts in @opened the appends that could not open their pages.
 */
static bool try_append(const char *point, unsigned int nth, int error, unsigned int *opened)
{
	struct assay_info before, after;
	int fd, first, second;
	struct log log;
	bool failed;

	/* All of the window is claimed: no worker does it meanwhile. */
	need(command("insmod /bed/assay.ko stock=0 ahead=1M"), "insmod assay.ko");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	before = get_info(fd);
	arm(point, nth);
	first = append(fd, "fault", "x", 1, NULL);
	failed = disarm(point);
	second = append(fd, "fault", "y", 1, NULL);
	after = get_info(fd);

	if (!failed) {
		check(!first && !second, "%s: an append has no more than %u", point, nth - 1);
	} else if (!second) {
		++*opened;
		check(first == error, "%s %u: the append fails (%d), the next does not", point, nth,
		      first);
		check(after.records >= before.records + 1 && after.records <= before.records + 2 &&
			      after.anchored == after.tail,
		      "%s %u: all that is written is anchored", point, nth);
	} else {
		check(first == -EIO && second == -EIO, "%s %u: the append fails, and all others",
		      point, nth);
		check(after.records == before.records + 1, "%s %u: no more than one is written",
		      point, nth);
	}
	check_is(replay(&log, after.bank_count), (long long)after.anchored_records,
		 "the PCR is explained by what is anchored");
	if (!second)
		check(pages_are(&after, -EFAULT), "%s %u: all pages are read-only", point, nth);
	unmap_log(&log);
	close(fd);
	need(command("rmmod assay"), "rmmod assay");
	return failed;
}

/* Unloading with the @nth of what @point counts failing. */
static void try_unload(const char *point, unsigned int nth)
{
	struct assay_info info;
	int fd;

	need(command("insmod /bed/assay.ko stock=0"), "insmod assay.ko");
	fd = open_assay(O_RDONLY);
	info = get_info(fd);
	close(fd);
	arm(point, nth);
	need(command("rmmod assay"), "rmmod assay");
	check(pages_are(&info, 0), "%s %u at unloading: all pages are writable again", point, nth);
}

/* Each place in which @point is asked in an append; returns how many appends changed nothing. */
static unsigned int try_appends(const char *point, int error)
{
	unsigned int nth, opened = 0;

	for (nth = 1; nth < 40 && try_append(point, nth, error, &opened); nth++)
		;
	check(nth > 1 && nth < 40, "%s: %u are counted in an append", point, nth - 1);
	return opened;
}

int main(int argc, char **argv)
{
	unsigned int opened;

	if (argc > 1 && strcmp(argv[1], "map") == 0) {
		check_is(try_appends("fail_map", -ENOMEM), 2,
			 "writing a record and noting that it is anchored are what can fail");
		return tap_end();
	}
	opened = try_appends("fail_entry", -EOPNOTSUPP);
	opened += try_appends("fail_verify", -EOPNOTSUPP);
	check(opened > 0, "some appends could not open their pages");
	try_unload("fail_entry", 1);
	try_unload("fail_entry", 2);
	try_unload("fail_entry", 16);
	return tap_end();
}
