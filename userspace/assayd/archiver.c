// SPDX-License-Identifier: MIT
/*
 * The part `archive`: follows the log in its mapping, writes what is anchored to the archive, cuts
 * the ring behind that, and removes what is old. archiver_log.c and archiver_keep.c do it; here is
 * when, and what is told of it, and for what is old in archiver_retain.c.
 *
 * Nothing is looked at while nothing happens: a descriptor of the log's says when the next record
 * comes. From then on, until all is archived, a timer looks at the mapping, so that records cost no
 * system calls, however many come.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive_current.h"
#include "archiver.h"

/* Milliseconds: between two looks at the log; the same where the ring fills. */
#define LOOK 200
#define LOOK_SOON 20
/* After a failure to cut the log. */
#define RETRY_TRIM 10000
/* Files in a row, before others of the service have their turn. */
#define FILES_AT_ONCE 4

static const char *const name = ARCHIVER_NAME;

/* ---------------------------------------------------------------- what is off */

static const char *advice(int code)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return "free space there, or have less kept (keep-size)";
	case -EROFS:
		return "mount it for writing";
	case -EIO:
		return "the disk has failed; see dmesg";
	case -EACCES:
	case -EPERM:
		return "the directory must be the service's user's";
	default:
		return "it is tried again";
	}
}

static void fail(struct archiver *archiver, const char *key, const struct assay_error *err)
{
	problem_set(archiver->service, name, key, "%s: %s", err->text, advice(-err->code));
	archiver->retry_in = archiver_next_retry(archiver->retry_in);
	loop_timer_set(archiver->timer, archiver->retry_in);
}

static void tell_archive(struct archiver *archiver)
{
	const struct log_archive *archive = &archiver->archive;
	struct service *service = archiver->service;

	if (archive->lost_from < archive->lost_to)
		problem_set(service, name, "lost",
			    "records %" PRIu64 " to %" PRIu64
			    " are not in the archive %s: they were cut off the log before, or the "
			    "files that had them were removed; put these back from a copy",
			    archive->lost_from, archive->lost_to - 1, archive->path);
	else
		problem_clear(service, name, "lost");
	if (archive->is_aside)
		problem_set(
			service, name, "damaged",
			"the newest file in %s was damaged, and is now named *.damaged; what it "
			"held is archived again from the log: remove it once you know why",
			archive->path);
	else
		problem_clear(service, name, "damaged");
	if (archive->differs)
		problem_set(service, name, "differs",
			    "the log in memory does not make the PCR that the module keeps: "
			    "verifiers will not trust it; see dmesg");
	else
		problem_clear(service, name, "differs");
}

/* ---------------------------------------------------------------- the log */

static void judge_anchor(struct archiver *archiver, uint64_t tail, uint64_t anchored)
{
	if (anchor_watch_is_late(&archiver->anchor, tail, anchored, loop_now()))
		problem_set(archiver->service, name, "anchor",
			    "records of the log are in no PCR, and are not archived: the TPM is "
			    "gone, or fails (see dmesg). Once it is back, 'assay log anchor' "
			    "anchors them, and so does the next measurement");
	else if (!archiver->anchor.waiting)
		problem_clear(archiver->service, name, "anchor");
}

/* Nothing is anchored that is not archived: wait for the next record. */
static void wait_for_record(struct archiver *archiver)
{
	const struct log_archive *archive = &archiver->archive;
	uint64_t tail = __atomic_load_n(&archive->log.header->tail, __ATOMIC_ACQUIRE);
	uint64_t anchored = __atomic_load_n(&archive->log.header->anchored, __ATOMIC_RELAXED);
	struct assay_error err;

	archiver->since = 0;
	judge_anchor(archiver, tail, anchored);
	if (lseek(archive->device.fd, (off_t)tail, SEEK_SET) < 0 ||
	    loop_io_set(archiver->io, EPOLLIN, &err) < 0)
		loop_timer_set(archiver->timer, LOOK);
	/* What is there and not anchored yet is no event when it is. */
	if (tail > anchored)
		loop_timer_set(archiver->timer, LOOK);
}

static int write_files(struct archiver *archiver, struct assay_error *err)
{
	uint64_t size = archiver->service->config->archive.size;
	int r = 1;

	for (int i = 0; i < FILES_AT_ONCE && r == 1; i++)
		r = log_archive_write(&archiver->archive, size, err);
	service_changed(archiver->service);
	return r == -ESTALE || r > 0 ? 0 : r;
}

/* What is archived leaves the ring when that is full enough. A failure here is the TPM's. */
static void trim(struct archiver *archiver)
{
	struct service *service = archiver->service;
	uint64_t trim_at = service->config->archive.trim_at;
	struct assay_error err;

	if (trim_at == 0 || log_archive_used(&archiver->archive) < trim_at)
		return;
	if (log_archive_trim(&archiver->archive, &service->device, &err) < 0) {
		problem_set_error(service, name, "trim", &err);
		loop_timer_set(archiver->timer, RETRY_TRIM);
	} else {
		problem_clear(service, name, "trim");
	}
}

/* How far a verifier has seen it, by the archive. */
static void read_acknowledged(struct archiver *archiver)
{
	struct archive_current current;

	archiver->acknowledged = 0;
	if (log_archive_is_open(&archiver->archive) &&
	    archive_current_read(archiver->archive.path, &current, NULL) == 0)
		archiver->acknowledged = current.streams[ARCHIVE_LOG].acknowledged;
}

static bool open_archive(struct archiver *archiver)
{
	struct service *service = archiver->service;
	struct assay_error err;

	if (log_archive_is_open(&archiver->archive))
		return true;
	archiver->archive.join_limit = service->config->archive.size;
	if (log_archive_open(&archiver->archive, service->config->archive.directory,
			     service->boot_id, &err) < 0) {
		fail(archiver, "open", &err);
		return false;
	}
	service->log_archive = archiver->archive.path;
	problem_clear(service, name, "open");
	tell_archive(archiver);
	read_acknowledged(archiver);
	archiver_retain(archiver, false);
	return true;
}

static void record_came(void *context, int fd, uint32_t events)
{
	struct archiver *archiver = context;
	struct assay_error err;

	(void)fd;
	(void)events;
	/* Until all is archived the timer looks. */
	(void)loop_io_set(archiver->io, 0, &err);
	loop_timer_set(archiver->timer, 1);
}

static bool is_due(struct archiver *archiver, uint64_t waiting)
{
	const struct config *config = archiver->service->config;

	if (archiver->since == 0)
		archiver->since = loop_now();
	return waiting >= config->archive.size || archiver->retry_in > 0 ||
	       loop_now() - archiver->since >= config->archive.interval ||
	       (config->archive.trim_at > 0 &&
		log_archive_used(&archiver->archive) >= config->archive.trim_at);
}

static bool listen_to_log(struct archiver *archiver)
{
	struct assay_error err;

	if (archiver->io)
		return true;
	if (loop_io_add(archiver->service->loop, archiver->archive.device.fd, 0, record_came,
			archiver, &archiver->io, &err) == 0)
		return true;
	fail(archiver, "open", &err);
	return false;
}

static void close_archive(struct archiver *archiver)
{
	loop_io_free(archiver->io);
	archiver->io = NULL;
	archiver->service->log_archive = NULL;
	log_archive_close(&archiver->archive);
}

/* Archive what is due. A failure has all looked at anew: the directory may be another one now. */
static bool write_due(struct archiver *archiver)
{
	struct service *service = archiver->service;
	const uint64_t now = (uint64_t)time(NULL);
	struct assay_error err;

	if (write_files(archiver, &err) < 0) {
		close_archive(archiver);
		fail(archiver, "write", &err);
		return false;
	}
	archiver->since = 0;
	archiver->retry_in = 0;
	problem_clear(service, name, "write");
	tell_archive(archiver);
	archiver_retain_written(archiver, now);
	return true;
}

static void look(void *context)
{
	struct archiver *archiver = context;
	const struct config *config = archiver->service->config;
	uint64_t waiting;

	if (archiver->service->device.fd < 0 || !open_archive(archiver) || !listen_to_log(archiver))
		return;
	waiting = log_archive_waiting(&archiver->archive);
	if (waiting > 0 && is_due(archiver, waiting) && !write_due(archiver))
		return;
	waiting = log_archive_waiting(&archiver->archive);
	if (waiting == 0) {
		problem_clear(archiver->service, name, "write");
		archiver->retry_in = 0;
		wait_for_record(archiver);
		trim(archiver);
		return;
	}
	trim(archiver);
	if (archiver->since == 0)
		archiver->since = loop_now();
	loop_timer_set(archiver->timer, waiting >= config->archive.size / 2 ? LOOK_SOON : LOOK);
}

/* ---------------------------------------------------------------- the part */

static void take_device(struct part *part, const struct device *device)
{
	struct archiver *archiver = part->data;

	if (!device) {
		close_archive(archiver);
		loop_timer_cancel(archiver->timer);
		return;
	}
	archiver->retry_in = 0;
	loop_timer_set(archiver->timer, 1);
}

static void free_archiver(struct archiver *archiver)
{
	close_archive(archiver);
	loop_timer_free(archiver->timer);
	archiver_retain_end(archiver);
	free(archiver);
}

static int start_archiver(struct service *service, struct part *part, struct assay_error *err)
{
	struct archiver *archiver = calloc(1, sizeof(*archiver));
	int r;

	if (!archiver)
		return assay_fail(err, ENOMEM, "out of memory");
	archiver->service = service;
	archiver->part = part;
	archiver->archive.device.fd = -1;
	r = loop_timer_new(service->loop, look, archiver, &archiver->timer, err);
	if (r == 0)
		r = archiver_retain_begin(archiver, err);
	if (r < 0) {
		free_archiver(archiver);
		return r;
	}
	part->data = archiver;
	return 0;
}

/* What waits is archived before the end. */
static void stop_archiver(struct service *service, struct part *part)
{
	struct archiver *archiver = part->data;
	struct assay_error err;

	(void)service;
	if (log_archive_is_open(&archiver->archive) &&
	    log_archive_waiting(&archiver->archive) > 0 && write_files(archiver, &err) < 0)
		fail(archiver, "write", &err);
	free_archiver(archiver);
	part->data = NULL;
}

/* The directory may be another one. */
static void reload_archiver(struct service *service, struct part *part)
{
	struct archiver *archiver = part->data;

	(void)service;
	close_archive(archiver);
	archiver->retry_in = 0;
	loop_timer_set(archiver->timer, 1);
	archiver_retain(archiver, true);
}

/* What is archived, and waits for a verifier to see it. */
static uint64_t count_unacknowledged(const struct archiver *archiver)
{
	uint64_t next = archive_writer_next(archiver->archive.writer);

	return next > archiver->acknowledged ? next - archiver->acknowledged : 0;
}

static void tell_archiver(struct part *part, json_t *object)
{
	const struct archiver *archiver = part->data;
	const struct log_archive *archive = &archiver->archive;

	json_object_set_new(object, "files_kept", json_integer((json_int_t)archiver->kept.files));
	json_object_set_new(object, "bytes_kept", json_integer((json_int_t)archiver->kept.size));
	json_object_set_new(object, "archived_records", json_integer((json_int_t)archive->records));
	json_object_set_new(object, "trimmed_records", json_integer((json_int_t)archive->trimmed));
	if (!log_archive_is_open(archive))
		return;
	json_object_set_new(object, "directory", json_string(archive->path));
	json_object_set_new(object, "archived_to",
			    json_integer((json_int_t)archive_writer_next(archive->writer)));
	json_object_set_new(object, "unacknowledged_records",
			    json_integer((json_int_t)count_unacknowledged(archiver)));
	json_object_set_new(object, "waiting_bytes",
			    json_integer((json_int_t)log_archive_waiting(archive)));
	json_object_set_new(object, "log_used_percent", json_integer(log_archive_used(archive)));
}

static void print_metrics(struct part *part, struct metrics *metrics)
{
	const struct archiver *archiver = part->data;
	const struct log_archive *archive = &archiver->archive;

	metrics_counter(metrics, "archive_files_total", "files that were archived", archive->files);
	metrics_counter(metrics, "archive_records_total", "records of the log that were archived",
			archive->records);
	metrics_counter(metrics, "archive_content_bytes_total",
			"bytes of the log that were archived, before compression", archive->bytes);
	metrics_counter(metrics, "archive_trimmed_records_total",
			"records that were cut off the log", archive->trimmed);
	metrics_gauge(metrics, "archive_size_bytes", "bytes of all archives",
		      (double)archiver->kept.size);
	if (!log_archive_is_open(archive))
		return;
	metrics_gauge(metrics, "archive_unacknowledged_records",
		      "records that are archived and no verifier has seen",
		      (double)count_unacknowledged(archiver));
	metrics_gauge(metrics, "archive_waiting_bytes",
		      "bytes of the log that are anchored and not archived yet",
		      (double)log_archive_waiting(archive));
	metrics_gauge(metrics, "log_used_ratio", "how much of the log's memory holds records",
		      (double)log_archive_used(archive) / 100);
}

static void take_acknowledged(struct part *part, uint64_t records, uint64_t entries)
{
	struct archiver *archiver = part->data;
	struct assay_error err;

	if (archiver_acknowledge(archiver->service->config->archive.directory,
				 archiver->service->boot_id, archiver->archive.path, records,
				 entries, &err) < 0)
		problem_set_error(archiver->service, name, "acknowledged", &err);
	else
		problem_clear(archiver->service, name, "acknowledged");
	read_acknowledged(archiver);
	/* What had to wait for that may go now. */
	if (archiver->kept.over > 0)
		archiver_retain_soon(archiver);
}

struct part part_archive = {
	.name = ARCHIVER_NAME,
	.start = start_archiver,
	.stop = stop_archiver,
	.reload = reload_archiver,
	.device = take_device,
	.tell = tell_archiver,
	.metrics = print_metrics,
	.acknowledged = take_acknowledged,
};
