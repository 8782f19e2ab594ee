// SPDX-License-Identifier: MIT
/*
 * Mirroring: where IMA started before the TPM's driver, no PCR holds its entries. They are put into
 * assay's log, in records of kind IMA, and so are anchored by that log's PCR. They are read from
 * the archive, in which each is once.
 *
 * How many are mirrored is in ima.json, and, of records written since that was, in the log itself:
 * so none is mirrored twice, whenever the service was killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ima_keeper.h"
#include "log/cel.h"
#include "log/ima_mirror.h"

#define BATCH_ENTRIES 1024
#define BATCH_BYTES (256U << 10)
#define AT_ONCE 1
#define RETRY 10000
/* Milliseconds until it is looked again whether the log's archive is known. */
#define LOG_WAIT 200
/* Settling gives the loop its turn after so many milliseconds. */
#define TURN 20
/* Headers of the archive's files that are read in a step. */
#define HEADERS_AT_ONCE 64
#define ENOUGH 1 /* what the sink stops the reading with */

/**
 * struct tally - entries of IMA's list that records of the log have
 * @rest: of the archive's bytes, a record that is not whole yet
 * @from, @until: numbers of the records that count
 */
struct tally {
	struct buffer rest;
	uint64_t from, until;
	uint64_t entries;
};

/**
 * struct settling - the counting of what is in the log, which takes many turns where much of it is
 * archived
 * @begun: @tally says from where on it is to be counted
 * @archive: that is read; NULL: the log itself comes next
 * @looked: its headers are read; @next: the record of it that is read next
 */
struct settling {
	struct tally tally;
	struct archive *archive;
	uint64_t next;
	bool begun, looked;
};

/**
 * struct ima_mirror - what mirroring has in memory
 * @device: NULL where there is none
 * @settled: the notes say what is in the log
 * @settling: until they do
 */
struct ima_mirror {
	struct ima_keeper *keeper;
	const struct device *device;
	struct loop_timer *timer;
	bool settled;
	struct settling settling;
};

/* ---------------------------------------------------------------- what is in the log */

static int tally_record(struct tally *tally, const struct cel_record *record,
			struct assay_error *err)
{
	struct assay_content content;
	int r;

	if (record->recnum < tally->from || record->recnum >= tally->until ||
	    record->type != ASSAY_CEL_CONTENT)
		return 0;
	r = assay_content_parse(record, &content, err);
	if (r == 0 && content.kind == ASSAY_KIND_IMA)
		tally->entries += content.batch.ima_count;
	return r;
}

static int tally_records(struct tally *tally, struct bytes cel, size_t *ret_taken,
			 struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, cel, 0);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		r = tally_record(tally, &record, err);
		if (r < 0)
			return r;
	}
	*ret_taken = (size_t)reader.offset;
	return r;
}

/* Of the archive, in pieces: what does not parse may be the beginning of a record. */
static int tally_piece(void *context, struct bytes bytes, struct assay_error *err)
{
	struct tally *tally = context;
	size_t taken = 0;

	buffer_append_bytes(&tally->rest, bytes);
	if (tally->rest.failed)
		return assay_fail(err, ENOMEM, "out of memory for records of the archive");
	(void)tally_records(tally, buffer_bytes(&tally->rest), &taken, NULL);
	memmove(tally->rest.data, tally->rest.data + taken, tally->rest.size - taken);
	tally->rest.size -= taken;
	return 0;
}

/* The log itself is read where it is: it is this process that cuts it. */
static int tally_log(const struct device_log *log, struct tally *tally, struct assay_error *err)
{
	uint64_t head = log->header->head;
	uint64_t tail = __atomic_load_n(&log->header->tail, __ATOMIC_ACQUIRE);
	size_t taken;
	int r = tally_records(tally,
			      BYTES(log->ring + head % log->ring_size, (size_t)(tail - head)),
			      &taken, err);

	if (r == 0 && log->header->head != head)
		r = assay_fail(err, EAGAIN, "the log was cut while it was read");
	return r;
}

/* What was counted so far is dropped. */
static void end_settling(struct ima_mirror *mirror)
{
	archive_close(mirror->settling.archive);
	buffer_free(&mirror->settling.tally.rest);
	mirror->settling = (struct settling){ 0 };
}

/* A piece of the archive: some headers, or a file. */
static int settle_by_archive(struct settling *settling, struct assay_error *err)
{
	struct tally *tally = &settling->tally;
	uint64_t end;
	int r;

	if (!settling->looked) {
		settling->looked = archive_look_on(settling->archive, HEADERS_AT_ONCE) == 0;
		if (settling->looked)
			archive_follow(settling->archive);
		return 0;
	}
	end = archive_end(settling->archive, ARCHIVE_LOG);
	if (settling->next < end && settling->next < tally->until)
		return archive_read_next(settling->archive, ARCHIVE_LOG, tally->from,
					 &settling->next, tally_piece, tally, err);
	r = end < tally->until ? archive_unread(settling->archive, ARCHIVE_LOG, err) : 0;
	if (r < 0)
		return r;
	if (end < tally->until)
		return assay_fail(err, ENODATA,
				  "records %" PRIu64 " to %" PRIu64
				  " of the log were cut off and are not archived",
				  tally->from, tally->until - 1);
	/* More may have been cut off and archived meanwhile: the log says it. */
	tally->from = tally->until;
	buffer_free(&tally->rest);
	tally->rest = (struct buffer){ 0 };
	archive_close(settling->archive);
	settling->archive = NULL;
	settling->looked = false;
	return 0;
}

static const char *log_name(const struct ima_mirror *mirror)
{
	const char *path = mirror->keeper->service->log_archive, *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Is it another log than the notes are about? The module begins one anew when it is loaded again,
 * but where it adopts the one there was, also that of the boot before.
 */
static bool is_new_log(const struct ima_mirror *mirror, const struct assay_log_header *header)
{
	const struct ima_notes *notes = &mirror->keeper->notes;

	if (notes->record > header->records)
		return true;
	return notes->log[0] && !(header->flags & ASSAY_LOG_ADOPTED) &&
	       strcmp(notes->log, log_name(mirror)) != 0;
}

static int settle_by_log(struct ima_mirror *mirror, const struct device_log *log,
			 struct assay_error *err)
{
	struct settling *settling = &mirror->settling;
	struct ima_notes *notes = &mirror->keeper->notes;
	uint64_t first = log->header->head_recnum;
	struct tally *tally = &settling->tally;
	int r;

	/* A log that has begun anew has none of them. */
	if (!settling->begun && is_new_log(mirror, log->header))
		notes->mirrored = notes->record = 0;
	if (!settling->begun)
		tally->from = notes->record;
	settling->begun = true;
	if (tally->from < first) {
		tally->until = first;
		settling->next = tally->from;
		return archive_look(mirror->keeper->service->log_archive, &settling->archive, err);
	}
	tally->until = UINT64_MAX;
	r = tally_log(log, tally, err);
	if (r < 0)
		return r;
	notes->mirrored += tally->entries;
	notes->record = log->header->records;
	snprintf(notes->log, sizeof(notes->log), "%s", log_name(mirror));
	mirror->settled = true;
	end_settling(mirror);
	return ima_keeper_note(mirror->keeper, err);
}

static int settle_step(struct ima_mirror *mirror, struct assay_error *err)
{
	struct device_log log;
	int r;

	if (mirror->settling.archive)
		return settle_by_archive(&mirror->settling, err);
	r = device_map_log(mirror->device, &log, err);
	if (r < 0)
		return r;
	r = settle_by_log(mirror, &log, err);
	device_unmap_log(&log);
	return r;
}

/* As much as a turn allows. 1 if it goes on. */
static int settle(struct ima_mirror *mirror, struct assay_error *err)
{
	uint64_t until = loop_now() + TURN;
	int r;

	do
		r = settle_step(mirror, err);
	while (r == 0 && !mirror->settled && loop_now() < until);
	if (r < 0)
		end_settling(mirror);
	return r < 0 ? r : !mirror->settled;
}

/* ---------------------------------------------------------------- a batch */

/**
 * struct mirror_batch - entries for one record
 * @values: of their IMA_ENTRYs, one behind the other; @ends: where each ends
 * @bytes: of the archive, what is not a whole entry yet
 */
struct mirror_batch {
	struct ima_feed feed;
	struct buffer values;
	size_t ends[BATCH_ENTRIES];
	size_t count;
};

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	struct mirror_batch *batch = context;
	struct ima_frame frame;
	struct bytes entry;
	int r = ima_feed_add(&batch->feed, bytes, err);

	while (r == 0 && (r = ima_feed_next(&batch->feed, &frame, &entry, err)) == 1) {
		if (batch->count > 0 && batch->values.size + entry.size > BATCH_BYTES)
			return ENOUGH;
		ima_mirror_entry(&frame, batch->feed.bank, &batch->values);
		if (batch->values.failed)
			return assay_fail(err, ENOMEM, "out of memory for entries of IMA's list");
		batch->ends[batch->count++] = batch->values.size;
		if (batch->count == BATCH_ENTRIES)
			return ENOUGH;
		r = 0;
	}
	return r;
}

static int write_record(struct ima_mirror *mirror, const struct mirror_batch *batch,
			struct assay_error *err)
{
	struct ima_notes *notes = &mirror->keeper->notes;
	struct bytes entries[BATCH_ENTRIES];
	uint64_t record;
	size_t at = 0;
	int r;

	for (size_t i = 0; i < batch->count; i++) {
		entries[i] = BYTES(batch->values.data + at, batch->ends[i] - at);
		at = batch->ends[i];
	}
	r = device_mirror(mirror->device, entries, batch->count, &record, err);
	/* What is written is anchored later, where it is not yet. */
	if (record == ASSAY_RECNUM_NONE)
		return r;
	notes->mirrored += batch->count;
	notes->record = record + 1;
	return ima_keeper_note(mirror->keeper, err);
}

/* 1 if there may be more. */
static int mirror_batch(struct ima_mirror *mirror, struct assay_error *err)
{
	struct ima_keeper *keeper = mirror->keeper;
	struct mirror_batch *batch = calloc(1, sizeof(*batch));
	struct archive *archive;
	int r;

	if (!batch)
		return assay_fail(err, ENOMEM, "out of memory");
	ima_feed_begin(&batch->feed, keeper->kernel.bank);
	r = archive_open(keeper->directory, &archive, err);
	if (r == 0) {
		r = archive_read(archive, ARCHIVE_IMA, keeper->notes.mirrored, collect, batch, err);
		archive_close(archive);
	}
	if (r >= 0 && batch->count > 0) {
		bool more = r == ENOUGH;

		r = write_record(mirror, batch, err);
		r = r < 0 ? r : more;
	}
	ima_feed_free(&batch->feed);
	buffer_free(&batch->values);
	free(batch);
	return r;
}

static bool is_wanted(const struct ima_keeper *keeper)
{
	switch (keeper->service->config->ima.mirror) {
	case IMA_MIRROR_YES:
		return true;
	case IMA_MIRROR_NO:
		return false;
	default:
		return keeper->anchor == IMA_BYPASSED;
	}
}

static void timer_expired(void *context)
{
	struct ima_mirror *mirror = context;
	struct ima_keeper *keeper = mirror->keeper;
	struct assay_error err;
	int r = 0;

	if (!keeper->loaded || !mirror->device || !is_wanted(keeper))
		return;
	if (!mirror->settled && !keeper->service->log_archive) {
		loop_timer_set(mirror->timer, LOG_WAIT);
		return;
	}
	if (!mirror->settled)
		r = settle(mirror, &err);
	if (r == 0 && keeper->notes.mirrored < keeper->archived)
		r = mirror_batch(mirror, &err);
	if (r < 0) {
		problem_set_error(keeper->service, keeper->part->name, "mirror", &err);
		loop_timer_set(mirror->timer, RETRY);
		return;
	}
	problem_clear(keeper->service, keeper->part->name, "mirror");
	service_changed(keeper->service);
	if (r > 0)
		loop_timer_set(mirror->timer, AT_ONCE);
}

/* ---------------------------------------------------------------- the keeper's calls */

int ima_mirror_open(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_mirror *mirror = calloc(1, sizeof(*mirror));
	int r;

	if (!mirror)
		return assay_fail(err, ENOMEM, "out of memory");
	mirror->keeper = keeper;
	r = loop_timer_new(keeper->service->loop, timer_expired, mirror, &mirror->timer, err);
	if (r < 0)
		free(mirror);
	else
		keeper->mirror = mirror;
	return r;
}

void ima_mirror_close(struct ima_keeper *keeper)
{
	end_settling(keeper->mirror);
	loop_timer_free(keeper->mirror->timer);
	free(keeper->mirror);
	keeper->mirror = NULL;
}

void ima_mirror_device(struct ima_keeper *keeper, const struct device *device)
{
	keeper->mirror->device = device;
	keeper->mirror->settled = false;
	end_settling(keeper->mirror);
	if (device)
		ima_mirror_due(keeper);
}

void ima_mirror_due(struct ima_keeper *keeper)
{
	if (!loop_timer_is_set(keeper->mirror->timer))
		loop_timer_set(keeper->mirror->timer, AT_ONCE);
}
