// SPDX-License-Identifier: MIT
/*
 * Headers that whoever had the machine before can leave in a static region: their numbers are
 * near the largest that there are, or they say that the log begins later than it does. None of
 * them goes on, none is believed without a word, and loading ends.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "follow.h"
#include "kept.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RECORDS 6
#define LOAD_SECONDS 30

/* In a child, so that one that does not end is seen. */
static bool load_ends(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	int status, tries = 0;
	pid_t child = fork();

	need(child >= 0, "fork");
	if (!child) {
		load_assay("");
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (tries++ == 10 * LOAD_SECONDS)
			return false;
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The log with a forged header: unloads the module, and loads it again. */
static void test_forged(const struct assay_info *info, const struct assay_log_header *header,
			const char *what, const char *said, bool readable)
{
	struct assay_log_header previous;
	struct log log;
	int fd;

	lay_over(info, header);
	kernel_said("");
	check(load_ends(), "%s: loading ends", what);
	if (access(DEVICE, F_OK))
		bail_out("%s", what);
	check(kernel_said(said), "%s: \"%s\"", what, said);
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	check(!log.header->flags && log.header->records == 1 && log.header->head == 0,
	      "%s: a fresh log begins", what);
	check_is(replay(&log, log.header->bank_count), 1, "it explains the PCR");
	check(previous_header(fd, &previous) &&
		      previous.flags == (ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED) &&
		      previous.head == (readable ? header->head : 0) &&
		      previous.tail == (readable ? header->tail : 0),
	      "%s: what was there is kept as damaged", what);
	unmap_log(&log);
	close(fd);
}

/* Some records, and the module unloaded; the header that is in memory then. */
static struct assay_log_header leave_log(struct assay_info *ret_info, struct follower *ret_fourth)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct assay_log_header header;
	struct follower follower = {};
	struct record record;

	for (int i = 0; i < RECORDS; i++)
		need(append(fd, "forge", "some data", 9, NULL) == 0, "append");
	*ret_info = get_info(fd);
	header = *log.header;
	follow_from(&follower, &log, &header);
	for (int i = 0; i < 4; i++)
		need(follow_next(&follower, &record) == FOLLOWED, "a record");
	*ret_fourth = follower;
	follow_end(&follower);
	unmap_log(&log);
	close(fd);
	unload_assay();
	return header;
}

static void test_empty(void)
{
	static const struct {
		const char *what;
		uint64_t place, number;
		const char *said;
		bool readable;
	} rows[] = {
		{ "no records, at 0", 0, 1000, "nothing in it vouches", true },
		{ "no records, further on", 5000, 1000, "nothing in it vouches", true },
		{ "at 2^62", 1ULL << 62, 1000, "nothing in it vouches", true },
		{ "above 2^62", (1ULL << 62) + 1, 1000, "no log is as long", false },
		{ "at 2^63", 1ULL << 63, 1000, "no log is as long", false },
		{ "near 2^64", UINT64_MAX - 100, 1000, "no log is as long", false },
		{ "so many records that they stand for none", 5000, UINT64_MAX, "no log is as long",
		  false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_info info;
		struct follower fourth;
		struct assay_log_header header = leave_log(&info, &fourth);

		header.head = header.tail = header.anchored = rows[i].place;
		header.records = header.anchored_records = header.head_recnum = rows[i].number;
		for (unsigned int bank = 0; bank < header.bank_count; bank++)
			memcpy(header.banks[bank].start, header.banks[bank].value,
			       ASSAY_MAX_DIGEST);
		test_forged(&info, &header, rows[i].what, rows[i].said, rows[i].readable);
	}
}

/* The head moved as a cut would move it, without one. */
static void test_head_moved(void)
{
	struct assay_info info;
	struct follower fourth;
	struct assay_log_header header = leave_log(&info, &fourth);

	header.head = fourth.offset;
	header.head_recnum = fourth.number;
	for (unsigned int bank = 0; bank < header.bank_count; bank++)
		memcpy(header.banks[bank].start, fourth.banks[bank].value, ASSAY_MAX_DIGEST);
	test_forged(&info, &header, "records without those before", "nothing in it vouches", true);
}

int main(void)
{
	load_assay("");
	test_empty();
	test_head_moved();
	unload_assay();
	return tap_end();
}
