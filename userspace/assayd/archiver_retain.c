// SPDX-License-Identifier: MIT
/*
 * The part `archive`: when what is old is removed (archiver_keep.c does it), and what is told of
 * the archive's files by then.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "archiver.h"
#include "base/utc.h"

/* After a failure, and at most. */
#define RETRY_FIRST 1000
#define RETRY_LONGEST 60000
/* Until the first look at what is old. */
#define KEEP_FIRST 200
/* Between two looks at it; less where files are old before. */
#define KEEP_INTERVAL (60 * 60 * UINT64_C(1000))
#define KEEP_INTERVAL_LEAST 60000
/* Of the time that looking at what is old takes, which grows with the files, it pauses so much. */
#define KEEP_PAUSE 20
/* But not once so much was written as this part of what was kept: with very many files there is no
 * end to it otherwise, as more come while it pauses than it removes. What is written for each look
 * grows with what is looked through, so a file costs the same however many there are. */
#define KEEP_GROWTH 4
/* Milliseconds of that in a row, and between. */
#define KEEP_TURN 20
#define KEEP_BETWEEN 1
/* Seconds that the clock may be behind the newest file. */
#define CLOCK_MAY_LAG 60

static const char *const name = ARCHIVER_NAME;

uint64_t archiver_next_retry(uint64_t retry_in)
{
	if (retry_in == 0)
		return RETRY_FIRST;
	return 2 * retry_in < RETRY_LONGEST ? 2 * retry_in : RETRY_LONGEST;
}

/* What is off with the archive's files is told until it is mended. Could all be read? */
static bool tell_files(struct archiver *archiver)
{
	const struct archive_problem *problems;
	size_t count, first = 0;

	if (!log_archive_is_open(&archiver->archive) ||
	    !keeping_problems(archiver->keeping, archiver->archive.path, &problems, &count))
		return true;
	/* What harms comes before what is only in the way. */
	while (first + 1 < count && problems[first].fault == ARCHIVE_FOREIGN)
		first++;
	if (count == 0)
		problem_clear(archiver->service, name, "files");
	else
		problem_set(archiver->service, name, "files", "%s%s", problems[first].text,
			    count > 1 ? "; there is more: see 'assay log verify-archive'" : "");
	for (size_t i = 0; i < count; i++)
		if (problems[i].fault == ARCHIVE_UNREADABLE)
			return false;
	return true;
}

static uint64_t keep_interval(const struct config *config)
{
	const uint64_t age = config->archive.keep_age;

	if (age == 0 || age > KEEP_INTERVAL)
		return KEEP_INTERVAL;
	return age > KEEP_INTERVAL_LEAST ? age : KEEP_INTERVAL_LEAST;
}

/* @now: seconds since 1970 */
static void tell_clock(struct archiver *archiver, uint64_t now)
{
	struct service *service = archiver->service;
	char newest[UTC_LENGTH + 1];

	if (archiver->kept.newest > now + CLOCK_MAY_LAG)
		problem_set(service, name, "clock",
			    "the clock was set back: the newest archive is of %s. Nothing is lost; "
			    "set the clock right, as the age of files is judged by it",
			    utc_text(archiver->kept.newest, newest));
	else
		problem_clear(service, name, "clock");
}

/* What could not be read may be so again before its turn comes. */
static void retry_keeping(struct archiver *archiver, bool failed)
{
	const uint64_t pause = KEEP_PAUSE * archiver->keep_spent;

	archiver->keep_retry_in = failed ? archiver_next_retry(archiver->keep_retry_in) : 0;
	if (failed)
		loop_timer_set(archiver->keep_timer,
			       archiver->keep_retry_in > pause ? archiver->keep_retry_in : pause);
}

/* Removing has ended: it failed (@r), or @archiver.keeping has what came of it. */
static void end_keeping(struct archiver *archiver, int r, const struct assay_error *err)
{
	struct service *service = archiver->service;
	bool all_read = false;

	archiver->keep_after = loop_now() + KEEP_PAUSE * archiver->keep_spent;
	if (r == 0) {
		archiver->kept = *keeping_result(archiver->keeping);
		all_read = tell_files(archiver);
	}
	retry_keeping(archiver, !all_read);
	keeping_end(archiver->keeping);
	archiver->keeping = NULL;
	if (r < 0) {
		problem_set_error(service, name, "keep", err);
		return;
	}
	if (archiver->kept.over > 0)
		problem_set(
			service, name, "keep",
			"the archives in %s have more bytes than keep-size, and no verifier has "
			"seen what would go: push evidence to one, give them more, or set "
			"keep-unacknowledged=no",
			service->config->archive.directory);
	else
		problem_clear(service, name, "keep");
	tell_clock(archiver, (uint64_t)time(NULL));
	service_changed(service);
}

/* As much as a turn allows: an archive may have very many files. */
static void keep_on(void *context)
{
	struct archiver *archiver = context;
	const uint64_t begin = loop_now();
	struct assay_error err;
	int r = 1;

	while (r > 0 && loop_now() - begin < KEEP_TURN)
		r = keeping_step(archiver->keeping, &err);
	archiver->keep_spent += loop_now() - begin;
	if (r > 0)
		loop_timer_set(archiver->step_timer, KEEP_BETWEEN);
	else
		end_keeping(archiver, r, &err);
}

void archiver_retain(struct archiver *archiver, bool anew)
{
	const struct config *config = archiver->service->config;
	const struct keep_rules rules = {
		.size = config->archive.keep_size,
		.age = config->archive.keep_age / 1000,
		.unacknowledged = config->archive.keep_unacknowledged,
		.boot_id = archiver->service->boot_id,
		.now = (uint64_t)time(NULL),
	};
	struct assay_error err;
	int r;

	if (archiver->keeping && !anew)
		return;
	keeping_end(archiver->keeping);
	archiver->keeping = NULL;
	archiver->keep_spent = 0;
	archiver->written = archiver->archive.bytes;
	loop_timer_set(archiver->keep_timer, keep_interval(config));
	r = keeping_begin(config->archive.directory, &rules, &archiver->keeping, &err);
	if (r < 0)
		end_keeping(archiver, r, &err);
	else
		loop_timer_set(archiver->step_timer, KEEP_BETWEEN);
}

/* Bytes of content since what is old was looked at last. */
static uint64_t written_since(const struct archiver *archiver)
{
	return archiver->archive.bytes - archiver->written;
}

/*
 * After files were written: can there be more than may stay? Content is counted as it is before
 * compression, so that all headers are read in time, and seldom. What is old waits for the timer.
 */
static bool may_be_over(const struct archiver *archiver)
{
	const uint64_t size = archiver->service->config->archive.keep_size;

	return size > 0 && archiver->kept.size + written_since(archiver) > size;
}

/* Nothing else may come that would have it done. */
void archiver_retain_soon(struct archiver *archiver)
{
	const uint64_t now = loop_now();

	if (now >= archiver->keep_after)
		archiver_retain(archiver, false);
	else
		loop_timer_set(archiver->keep_timer, archiver->keep_after - now);
}

static void keep_due(void *context)
{
	struct archiver *archiver = context;

	archiver_retain(archiver, false);
}

void archiver_retain_written(struct archiver *archiver, uint64_t now)
{
	if (archiver->kept.newest < now)
		archiver->kept.newest = now;
	tell_clock(archiver, now);
	if (!may_be_over(archiver))
		return;
	if (written_since(archiver) > archiver->kept.size / KEEP_GROWTH)
		archiver_retain(archiver, false);
	else
		archiver_retain_soon(archiver);
}

int archiver_retain_begin(struct archiver *archiver, struct assay_error *err)
{
	struct loop *loop = archiver->service->loop;
	int r = loop_timer_new(loop, keep_due, archiver, &archiver->keep_timer, err);

	if (r == 0)
		r = loop_timer_new(loop, keep_on, archiver, &archiver->step_timer, err);
	if (r == 0)
		loop_timer_set(archiver->keep_timer, KEEP_FIRST);
	return r;
}

void archiver_retain_end(struct archiver *archiver)
{
	loop_timer_free(archiver->keep_timer);
	loop_timer_free(archiver->step_timer);
	keeping_end(archiver->keeping);
}
