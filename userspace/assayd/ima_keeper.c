// SPDX-License-Identifier: MIT
/* The part `ima`: its passes over IMA's list, and what it tells. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ima_keeper.h"

#define RETRY_FIRST 1000
#define RETRY_LONGEST 300000
/* A pass gives the loop its turn after so many milliseconds. */
#define TURN 20
/* At the service's end entries are archived for so many milliseconds. */
#define STOP 5000
/* The next piece of a pass. */
#define AT_ONCE 1
/* EBUSY of so many passes in a row is told. */
#define BUSY_LIMIT 3

extern struct part part_ima;

/* ---------------------------------------------------------------- the archive */

static int write_batch(struct ima_keeper *keeper, struct assay_error *err)
{
	struct archive_batch batch = {
		.bytes = buffer_bytes(&keeper->batch),
		.first = keeper->batch_first,
		.count = keeper->batch_count,
		.offset = keeper->batch_offset,
		.bank = keeper->kernel.bank,
		.start = keeper->batch_start,
		.start_count = keeper->batch_start_count,
	};
	int r;

	if (keeper->batch_count == 0)
		return 0;
	r = archive_write(keeper->writer, &batch, err);
	if (r < 0)
		return r;
	keeper->archived = keeper->batch_first + keeper->batch_count;
	keeper->batch.size = 0;
	keeper->batch_count = 0;
	return 0;
}

static void begin_batch(struct ima_keeper *keeper)
{
	unsigned int pcr = (unsigned int)keeper->service->config->ima.pcr;

	keeper->batch_first = keeper->running.entries;
	keeper->batch_offset = archive_writer_offset(keeper->writer);
	keeper->batch_start_count = 0;
	for (size_t i = 0; i < keeper->bank_count; i++)
		keeper->batch_start[keeper->batch_start_count++] =
			*ima_running_value(&keeper->running, keeper->banks[i], pcr);
}

/* ---------------------------------------------------------------- entries */

static int take_entry(struct ima_keeper *keeper, const struct ima_frame *frame, struct bytes entry,
		      struct assay_error *err)
{
	int r;

	if (keeper->batch_count == 0)
		begin_batch(keeper);
	r = ima_running_add(&keeper->running, keeper->kernel.bank, frame, err);
	if (r < 0)
		return r;
	ima_pcr_compare(keeper);
	/* The list is read from its beginning in the next pass: this is in it once more. */
	if (keeper->kernel.staged[0] && !keeper->staging)
		r = ima_join_take(&keeper->join, entry, err);
	if (r < 0)
		return r;
	buffer_append_bytes(&keeper->batch, entry);
	if (keeper->batch.failed)
		return assay_fail(err, ENOMEM, "out of memory for entries of IMA's list");
	keeper->batch_count++;
	if (keeper->batch.size < IMA_FILE_BYTES && keeper->batch_count < IMA_FILE_ENTRIES)
		return 0;
	return write_batch(keeper, err);
}

static void tell_deleted(struct ima_keeper *keeper, uint64_t count)
{
	problem_set(keeper->service, keeper->part->name, "cut",
		    "somebody else has deleted %" PRIu64
		    " entries of IMA's list that are archived; if others went with them, the list "
		    "does not come to the PCR any more. Let no other program stage or delete "
		    "entries: assay log export --ima has the whole list",
		    count);
}

/* Somebody else has deleted what is archived, or a kexec has handed over less of it. */
static void note_missing(struct ima_keeper *keeper, const struct ima_rejoin *rejoined)
{
	keeper->notes.deleted += rejoined->missing;
	if (rejoined->missing > 0 && rejoined->handed > 0)
		keeper->notes.behind = keeper->archived - rejoined->run;
	keeper->seen = keeper->notes.deleted;
	if (rejoined->missing == 0 || rejoined->handed > 0 ||
	    keeper->notes.deleted == keeper->perhaps_deleted)
		return;
	tell_deleted(keeper, rejoined->missing);
}

/* The kernel has not what it should: go on where it does, and say what that means. */
static int rejoin(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_rejoin rejoined;
	int r = ima_join_restart(&keeper->join, &rejoined, err);

	if (r == 0)
		r = ima_list_again(keeper, err);
	if (r < 0)
		return r;
	note_missing(keeper, &rejoined);
	ima_feed_free(&keeper->feed);
	ima_feed_begin(&keeper->feed, keeper->kernel.bank);
	return ima_keeper_note(keeper, err);
}

/* Whole entries of what was read. 1: the list is read from its beginning again. */
static int take_entries(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_frame frame;
	struct bytes entry;
	int r;

	while ((r = ima_feed_next(&keeper->feed, &frame, &entry, err)) == 1) {
		keeper->seen++;
		r = ima_join_step(&keeper->join, entry,
				  ima_join_is_open(&keeper->join) &&
					  ima_frame_begins_boot(&frame, keeper->kernel.bank),
				  err);
		if (r == IMA_TAKE)
			r = take_entry(keeper, &frame, entry, err);
		else if (r == IMA_PASS)
			r = 0;
		else if (r == IMA_ELSE)
			return rejoin(keeper, err) < 0 ? -err->code : 1;
		if (r < 0)
			return r;
	}
	return r;
}

/* ---------------------------------------------------------------- a pass */

/* What is staged is archived, but not what should be there before it. */
static void pass_over(struct ima_keeper *keeper, uint64_t count)
{
	keeper->notes.deleted += count;
	keeper->seen += count;
	ima_join_drop(&keeper->join, (size_t)count);
	tell_deleted(keeper, count);
}

/* The list's end: all of it is archived, and may be deleted. 1: there is more to do at once. */
static int end_pass(struct ima_keeper *keeper, struct assay_error *err)
{
	bool leftover = keeper->leftover;
	size_t before;
	int r;

	if (ima_feed_left(&keeper->feed) > 0)
		return assay_fail(err, EBADMSG, "IMA's list ends inside entry %" PRIu64,
				  keeper->seen);
	/*
	 * Of what was staged, what comes behind it in the list may be due still; but only what is
	 * archived may be deleted.
	 */
	if (ima_join_is_open(&keeper->join)) {
		if (!leftover || !ima_join_knows(&keeper->join, &before)) {
			r = rejoin(keeper, err);
			return r < 0 ? r : 1;
		}
		if (before > 0)
			pass_over(keeper, before);
	}
	r = write_batch(keeper, err);
	if (r == 0)
		r = ima_list_end(keeper, err);
	if (r < 0)
		return r;
	keeper->passing = false;
	keeper->passes++;
	keeper->pending = keeper->pending_since = 0;
	if (!leftover)
		ima_pcr_judge(keeper);
	service_changed(keeper->service);
	ima_mirror_due(keeper);
	return leftover;
}

static int begin_pass(struct ima_keeper *keeper, struct assay_error *err)
{
	bool anew = keeper->fd < 0;
	int r;

	ima_pcr_read(keeper);
	r = ima_list_begin(keeper, err);
	if (r < 0)
		return r;
	if (anew) {
		ima_feed_free(&keeper->feed);
		ima_feed_begin(&keeper->feed, keeper->kernel.bank);
		keeper->seen = keeper->notes.deleted;
		/* What was met in an earlier pass is at the front once more. */
		if (!ima_join_is_open(&keeper->join))
			ima_join_again(&keeper->join);
	}
	keeper->passing = r > 0;
	if (r == 0) {
		ima_list_close(keeper);
		keeper->passes++;
		keeper->pending = keeper->pending_since = 0;
		ima_pcr_judge(keeper);
	}
	return 0;
}

/* As much as a turn allows. 1 if the pass goes on, 0 if it has ended. */
static int go_on(struct ima_keeper *keeper, struct assay_error *err)
{
	uint8_t piece[IMA_PIECE];
	uint64_t until = loop_now() + TURN;
	ssize_t size;
	int r;

	do {
		size = ima_list_read(keeper, piece, sizeof(piece), err);
		if (size < 0)
			return (int)size;
		if (size == 0)
			return end_pass(keeper, err);
		r = ima_feed_add(&keeper->feed, BYTES(piece, (size_t)size), err);
		if (r == 0)
			r = take_entries(keeper, err);
		if (r < 0)
			return r;
	} while (loop_now() < until);
	return 1;
}

/* ---------------------------------------------------------------- when */

/* Entries that the kernel has and the archive has not; 1 also where that cannot be known. */
static uint64_t count_pending(struct ima_keeper *keeper)
{
	uint64_t count, kept = keeper->archived - keeper->notes.deleted - keeper->staged_count;

	if (ima_list_count(keeper, &count) < 0 || count < kept)
		return 1;
	return count - kept;
}

static bool is_due(struct ima_keeper *keeper)
{
	const struct config *config = keeper->service->config;
	uint64_t pending;

	if (keeper->passes == 0 || ima_join_is_open(&keeper->join))
		return true;
	pending = count_pending(keeper);
	if (pending == 0)
		keeper->pending_since = 0;
	else if (keeper->pending_since == 0)
		keeper->pending_since = loop_now();
	keeper->pending = pending;
	return pending >= config->ima.entries ||
	       (pending > 0 && loop_now() - keeper->pending_since >= config->ima.interval);
}

/* As much as a turn allows. 1 if it goes on. */
static int load(struct ima_keeper *keeper, struct assay_error *err)
{
	uint64_t until = loop_now() + TURN;
	int r;

	do
		r = ima_keeper_load(keeper, err);
	while (r > 0 && loop_now() < until);
	return r;
}

/* 1: at once again */
static int work(struct ima_keeper *keeper, struct assay_error *err)
{
	int r = 0;

	if (!keeper->loaded)
		r = load(keeper, err);
	if (r == 0 && !keeper->passing && is_due(keeper))
		r = begin_pass(keeper, err);
	if (r == 0 && keeper->passing)
		r = go_on(keeper, err);
	return r;
}

/* Drop all that is in memory: what is durable says where to go on. */
static void fail(struct ima_keeper *keeper, const struct assay_error *err)
{
	uint64_t wait = RETRY_FIRST;

	ima_keeper_unload(keeper);
	/* Others are done with the list in a moment. */
	for (unsigned int i = 0; err->code != EBUSY && i < keeper->failures; i++)
		wait = wait < RETRY_LONGEST ? 2 * wait : RETRY_LONGEST;
	keeper->failures++;
	if (err->code != EBUSY || keeper->failures >= BUSY_LIMIT)
		problem_set_error(keeper->service, keeper->part->name, "list", err);
	loop_timer_set(keeper->timer, wait < RETRY_LONGEST ? wait : RETRY_LONGEST);
}

static void timer_expired(void *context)
{
	struct ima_keeper *keeper = context;
	struct assay_error err;
	int r = work(keeper, &err);

	if (r < 0) {
		fail(keeper, &err);
		return;
	}
	if (keeper->loaded && !keeper->passing) {
		keeper->failures = 0;
		problem_clear(keeper->service, keeper->part->name, "list");
	}
	loop_timer_set(keeper->timer, r > 0 ? AT_ONCE : keeper->service->config->ima.poll);
}

/* ---------------------------------------------------------------- the part */

static int start_keeper(struct service *service, struct part *part, struct assay_error *err)
{
	struct ima_keeper *keeper;
	int r;

	if (!service->config->ima.keep)
		return 0;
	keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return assay_fail(err, ENOMEM, "out of memory");
	keeper->service = service;
	keeper->part = part;
	keeper->fd = keeper->staged_fd = -1;
	r = loop_timer_new(service->loop, timer_expired, keeper, &keeper->timer, err);
	if (r == 0)
		r = ima_mirror_open(keeper, err);
	if (r < 0) {
		loop_timer_free(keeper->timer);
		free(keeper);
		return r;
	}
	part->data = keeper;
	loop_timer_set(keeper->timer, AT_ONCE);
	return 0;
}

/* What waits is archived before the end. */
static void finish(struct ima_keeper *keeper)
{
	uint64_t until = loop_now() + STOP;
	struct assay_error err;
	int r = 1;

	keeper->pending_since = 0;
	if (keeper->loaded && !keeper->passing && count_pending(keeper) > 0)
		r = begin_pass(keeper, &err);
	while (r >= 0 && keeper->passing && loop_now() < until)
		r = go_on(keeper, &err);
	if (r < 0)
		problem_set_error(keeper->service, keeper->part->name, "list", &err);
}

static void stop_keeper(struct service *service, struct part *part)
{
	struct ima_keeper *keeper = part->data;

	(void)service;
	if (!keeper)
		return;
	part->data = NULL;
	finish(keeper);
	ima_keeper_unload(keeper);
	ima_mirror_close(keeper);
	loop_timer_free(keeper->timer);
	free(keeper);
}

static void reload_keeper(struct service *service, struct part *part)
{
	struct ima_keeper *keeper = part->data;
	struct assay_error err;

	if (keeper && service->config->ima.keep) {
		ima_keeper_unload(keeper);
		loop_timer_set(keeper->timer, AT_ONCE);
		return;
	}
	stop_keeper(service, part);
	if (start_keeper(service, part, &err) < 0)
		problem_set_error(service, part->name, "start", &err);
}

static const char *anchor_name(enum ima_anchor anchor)
{
	static const char *const names[] = {
		[IMA_UNKNOWN] = "unknown",
		[IMA_VERIFIED] = "verified",
		[IMA_BYPASSED] = "bypassed",
		[IMA_DIFFERS] = "differs",
	};

	return names[anchor];
}

static void tell_keeper(struct part *part, json_t *object)
{
	const struct ima_keeper *keeper = part->data;

	if (!keeper) {
		json_object_set_new(object, "keep", json_false());
		return;
	}
	json_object_set_new(object, "way", json_string(keeper->staging ? "staging" : "following"));
	json_object_set_new(object, "bank",
			    keeper->loaded ? json_string(assay_hash_name(keeper->kernel.bank)) :
					     json_null());
	json_object_set_new(object, "archived_count", json_integer((json_int_t)keeper->archived));
	json_object_set_new(object, "pending_count", json_integer((json_int_t)keeper->pending));
	json_object_set_new(object, "deleted_count",
			    json_integer((json_int_t)keeper->notes.deleted));
	json_object_set_new(object, "verified_count", json_integer((json_int_t)keeper->verified));
	json_object_set_new(object, "mirrored_count",
			    json_integer((json_int_t)keeper->notes.mirrored));
	json_object_set_new(object, "list_state", json_string(anchor_name(keeper->anchor)));
	json_object_set_new(object, "violation_count",
			    json_integer((json_int_t)keeper->running.violations));
}

static void count_keeper(struct part *part, struct metrics *metrics)
{
	const struct ima_keeper *keeper = part->data;

	if (!keeper)
		return;
	metrics_counter(metrics, "ima_archived_entries_total", "entries of IMA's list archived",
			keeper->archived);
	metrics_gauge(metrics, "ima_pending_entries", "entries of IMA's list not archived yet",
		      (double)keeper->pending);
	metrics_counter(metrics, "ima_deleted_entries_total",
			"entries of IMA's list deleted from the kernel", keeper->notes.deleted);
	metrics_counter(metrics, "ima_verified_entries_total",
			"entries of IMA's list that come to the PCR", keeper->verified);
	metrics_counter(metrics, "ima_mirrored_entries_total",
			"entries of IMA's list mirrored in the log", keeper->notes.mirrored);
	metrics_gauge(metrics, "ima_pcr_differs", "1 where IMA's list does not come to the PCR",
		      keeper->anchor == IMA_DIFFERS);
}

static void device_of_keeper(struct part *part, const struct device *device)
{
	struct ima_keeper *keeper = part->data;

	if (keeper)
		ima_mirror_device(keeper, device);
}

struct part part_ima = {
	.name = "ima",
	.prepare = ima_list_prepare,
	.start = start_keeper,
	.stop = stop_keeper,
	.reload = reload_keeper,
	.device = device_of_keeper,
	.tell = tell_keeper,
	.metrics = count_keeper,
};
