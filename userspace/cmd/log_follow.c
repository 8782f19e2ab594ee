// SPDX-License-Identifier: MIT
/* `assay log follow`: records as they appear. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* How long a signal, or that nobody reads the output any more, may go unnoticed. */
#define WAIT_MS 1000
#define OUTPUT_BUFFER (1U << 16)

/**
 * struct follow - where one is
 * @offset: of the log, behind what was read
 * @next: number of the record that is due
 * @started: @next is known; not so before the first record where none was asked for
 * @until: the last record that is wanted
 * @count: records that may still be shown
 * @new: only records that appear from now on
 */
struct follow {
	struct device device;
	struct device_log log;
	struct log_view view;
	uint64_t offset;
	uint64_t next;
	bool started;
	uint64_t until;
	uint64_t count;
	struct log_filter filter;
	bool new;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	/* Without SA_RESTART, so that waiting ends. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* That nobody reads is told by the write. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static bool output_is_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

/* Return: 1 to go on, 0 if nobody reads any more, -EIO */
static int flush(struct assay_error *err)
{
	if (fflush(stdout) == 0)
		return 1;
	return errno == EPIPE ?
		       0 :
		       assay_fail(err, EIO, "cannot write the output: %s", strerror(errno));
}

/* Records @follow->next to before @first are gone: say so to whoever reads. */
static void tell_trimmed(struct follow *follow, uint64_t first)
{
	if (follow->view.json) {
		printf("{\"trimmed\":{\"first\":%" PRIu64 ",\"record_count\":%" PRIu64 "}}\n",
		       follow->next, first - follow->next);
		return;
	}
	fflush(stdout);
	fprintf(stderr,
		"assay log follow: records %" PRIu64 " to %" PRIu64
		" were trimmed before they could be read\n",
		follow->next, first - 1);
}

/* Return: 1 to go on, 0 when what was wanted is shown, -errno */
static int show_record(struct follow *follow, const struct cel_record *record,
		       struct assay_error *err)
{
	int r;

	if (follow->started && record->recnum < follow->next)
		return 1;
	if (follow->started && record->recnum > follow->next)
		tell_trimmed(follow, record->recnum);
	follow->started = true;
	follow->next = record->recnum + 1;
	if (record->recnum > follow->until)
		return 0;
	r = log_view_record(&follow->view, record, "", err);
	if (r < 0)
		return r;
	if (r == 1 && follow->view.json)
		putchar('\n');
	if (r == 1 && --follow->count == 0)
		return 0;
	return record->recnum < follow->until && !interrupted;
}

/* Return: as show_record() */
static int show_records(struct follow *follow, struct bytes cel, uint64_t base,
			struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, cel, base);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		r = show_record(follow, &record, err);
		if (r != 1)
			return r;
		/* Nobody reads: there may be a whole log of records more. */
		if (ferror(stdout))
			break;
	}
	return r < 0 ? r : 1;
}

static int follow_log(struct follow *follow, struct assay_error *err)
{
	struct buffer cel = { 0 };
	int r = 1;

	while (r == 1 && !interrupted && !output_is_gone()) {
		uint64_t base = follow->offset;

		cel.size = 0;
		r = device_follow(&follow->device, &follow->log, &follow->offset, WAIT_MS, &cel,
				  err);
		if (r == -ESTALE) {
			/* What is missing is told by the number of the record that comes. */
			follow->offset =
				__atomic_load_n(&follow->log.header->head, __ATOMIC_ACQUIRE);
			r = 1;
			continue;
		}
		if (r == 0 || r == -EINTR) {
			r = 1;
			continue;
		}
		if (r == 1)
			r = show_records(follow, buffer_bytes(&cel), base, err);
		if (r >= 0) {
			int flushed = flush(err);

			if (flushed != 1)
				r = flushed;
		}
	}
	buffer_free(&cel);
	if (r >= 0 && follow->view.bad > 0)
		r = assay_fail(err, EBADMSG,
			       "%" PRIu64 " of %" PRIu64
			       " records are malformed or have a digest that does not match",
			       follow->view.bad, follow->view.records);
	return r;
}

static int follow_device(struct follow *follow)
{
	static char output[OUTPUT_BUFFER];
	struct assay_error err;
	int r = device_open(&follow->device, DEVICE_READ, &err);

	if (r < 0)
		return command_failed(&command_log_follow, &err);
	r = device_map_log(&follow->device, &follow->log, &err);
	if (r == 0) {
		const struct assay_log_header *header = follow->log.header;

		follow->offset = __atomic_load_n(follow->new ? &header->tail : &header->head,
						 __ATOMIC_ACQUIRE);
		setvbuf(stdout, output, _IOFBF, sizeof(output));
		catch_signals();
		if (!follow->view.json)
			log_view_header(&follow->view);
		r = flush(&err);
		if (r == 1)
			r = follow_log(follow, &err);
		device_unmap_log(&follow->log);
	}
	device_close(&follow->device);
	log_view_end(&follow->view);
	return r < 0 ? command_failed(&command_log_follow, &err) : EXIT_OK;
}

static int run_log_follow(int argc, char **argv)
{
	struct follow follow = { .until = UINT64_MAX, .count = UINT64_MAX };
	int status;

	log_filter_init(&follow.filter);
	status = command_parse(&command_log_follow, argc, argv, &follow, NULL);
	if (status != COMMAND_GO)
		return status;
	follow.view.filter = &follow.filter;
	follow.view.colours = !follow.view.json && command_colours();
	return follow_device(&follow);
}

static const struct option_row follow_rows[] = {
	{ "from", 0, "N", "begin with record N: to go on where another call ended",
	  OPTION_NUMBER(struct follow, next, 0, UINT64_MAX), OPTION_GIVEN(struct follow, started),
	  .excludes = "new" },
	{ "new", 0, NULL, "only records that appear from now on", OPTION_FLAG(struct follow, new) },
	{ "until", 0, "N", "end with record N",
	  OPTION_NUMBER(struct follow, until, 0, UINT64_MAX) },
	{ "count", 'c', "N", "end after N records were printed",
	  OPTION_NUMBER(struct follow, count, 1, UINT64_MAX) },
	{ "json", 0, NULL, "print an object a line, as 'assay log show --json' has them",
	  OPTION_FLAG(struct follow, view.json) },
	LOG_FILTER_ROWS(struct follow, filter),
	OPTION_END,
};

const struct command command_log_follow = {
	.name = "log follow",
	.summary = "print records as they appear",
	.intro =
		"Print the records of this system's log, and then each as it appears, until it is\n"
		"interrupted or nobody reads the output. Records are read through a mapping of\n"
		"/dev/assay: there is no system call a record, only for waiting and for writing. "
		"Whether\n"
		"a record is anchored is not known yet when it appears; 'assay log show' tells.\n"
		"\n"
		"Records that were trimmed before they could be read are told.\n",
	.options = follow_rows,
	.epilogue =
		"Exit status: 0 ended as asked for or by a signal, 1 the log cannot be read, or "
		"had\n"
		"records that are malformed or have a digest that does not match, 2 wrong usage.\n",
	.run = run_log_follow,
};
