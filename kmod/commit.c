// SPDX-License-Identifier: GPL-2.0-only
/*
 * Group commit: callers queue what they bring, and while one TPM extend is under way, all
 * that arrives becomes the next record. So the TPM's latency is paid a record, not a call.
 * Between chardev, whose callers bring entries, and the ledger.
 *
 * A request is queued, then taken, then done:
 *
 *	queued	it may be taken out again, as if it had never been
 *	taken	it is in a record that is about to be written, or is; a caller who is
 *		killed now waits all the same
 *	done	its result is set, and the committer has forgotten it
 *
 * One worker, the committer, takes requests in the order in which they came. When a record
 * had several, it waits a moment for as many, a fraction of what the record took: callers that
 * work in a loop are back soon, and without that the first of them would get a record
 * alone, with all others behind it. The queue is bounded: who finds it full waits until the
 * committer has taken some.
 *
 * What could not be anchored is tried again by itself, with growing pauses: after a TPM
 * has come or come back, the log is anchored without a call.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "commit.h"
#include "trim.h"

/* The committer waits for callers a fraction of what the last record took, but no longer than. */
#define ASSAY_GATHER_FRACTION 4
#define ASSAY_GATHER_LIMIT_NS (2 * NSEC_PER_MSEC)

/* A pause grows up to so many times the first. */
#define ASSAY_PAUSE_GROWTH 64

/* ------------------------------------------------------------------ the queue */
/* No more bytes wait than the ring holds; a request alone always has room. */
static bool assay_commit_full(const struct assay_commit *commit, size_t bytes)
{
	return commit->queued == ASSAY_COMMIT_QUEUE ||
	       (commit->queued && commit->queued_bytes + bytes > commit->ledger->ring.size);
}

static bool assay_commit_add(struct assay_commit *commit, struct assay_request *request)
{
	bool full, gathered;

	spin_lock(&commit->lock);
	full = assay_commit_full(commit, request->fields.size);
	if (!full) {
		list_add_tail(&request->node, &commit->queue);
		request->state = ASSAY_REQUEST_QUEUED;
		commit->queued++;
		commit->queued_bytes += request->fields.size;
	}
	gathered = commit->queued >= commit->last;
	spin_unlock(&commit->lock);
	/* From here on the request may be done and gone. */
	if (!full)
		queue_work(commit->workqueue, &commit->work);
	if (gathered)
		wake_up(&commit->gathered);
	return !full;
}

static void assay_commit_remove(struct assay_commit *commit, struct assay_request *request)
{
	list_del(&request->node);
	commit->queued--;
	commit->queued_bytes -= request->fields.size;
}

/**
 * assay_commit_submit() - queue a request
 * @commit: open
 * @request: with entries and @done; the committer's until that was called
 * @wait: whether to wait while the queue is full
 *
 * Return: 0; with nothing queued: -EAGAIN (the queue is full and @wait not set),
 * -EINTR (killed while waiting, or a worker of io_uring that was cancelled).
 */
int assay_commit_submit(struct assay_commit *commit, struct assay_request *request, bool wait)
{
	int ret;

	if (!wait)
		return assay_commit_add(commit, request) ? 0 : -EAGAIN;
	/* To cancel a worker, io_uring wakes it, but does not kill it. */
	if (current->flags & PF_IO_WORKER)
		ret = wait_event_interruptible(commit->room, assay_commit_add(commit, request));
	else
		ret = wait_event_killable(commit->room, assay_commit_add(commit, request));
	return ret ? -EINTR : 0;
}

/**
 * assay_commit_cancel() - take a request out of the queue again
 * @commit: open
 * @request: submitted, and not known to be done
 *
 * Return: true, and the request is the caller's again; false if it was taken already.
 */
bool assay_commit_cancel(struct assay_commit *commit, struct assay_request *request)
{
	bool queued;

	spin_lock(&commit->lock);
	queued = request->state == ASSAY_REQUEST_QUEUED;
	if (queued) {
		assay_commit_remove(commit, request);
		request->state = ASSAY_REQUEST_NEW;
	}
	spin_unlock(&commit->lock);
	if (queued)
		wake_up_all(&commit->room);
	return queued;
}

/**
 * assay_commit() - have a request's entries recorded and anchored
 * @commit: open
 * @request: with entries, and without @done
 *
 * Sleeps until that is so, or has failed. A fatal signal is heeded until the request is
 * taken; after that the record may be written already, and there is something to tell.
 *
 * Return: 0; -EINTR with nothing written; or as assay_ledger_append().
 */
int assay_commit(struct assay_commit *commit, struct assay_request *request)
{
	int ret;

	ret = assay_commit_submit(commit, request, true);
	if (ret)
		return ret;
	if (wait_for_completion_killable(&request->finished) &&
	    assay_commit_cancel(commit, request))
		return -EINTR;
	wait_for_completion(&request->finished);
	return request->result;
}

/* ------------------------------------------------------------------ the committer */
/* Let those come who shared the last record, if there were several. */
static void assay_commit_gather(struct assay_commit *commit)
{
	u64 ns = min_t(u64, commit->last_ns / ASSAY_GATHER_FRACTION, ASSAY_GATHER_LIMIT_NS);

	if (commit->last > 1)
		wait_event_hrtimeout(commit->gathered, READ_ONCE(commit->queued) >= commit->last,
				     ns_to_ktime(ns));
}

/* Take what makes a record from the queue; returns how many requests that are. */
static unsigned int assay_commit_take(struct assay_commit *commit)
{
	struct assay_request *request, *next;
	unsigned int count = 0, entries = 0;
	size_t bytes = 0;

	spin_lock(&commit->lock);
	list_for_each_entry_safe(request, next, &commit->queue, node) {
		entries += request->entries;
		bytes += request->fields.size;
		if (count && (count == commit->group || entries > ASSAY_MAX_BATCH ||
			      bytes > commit->ledger->ring.size))
			break;
		assay_commit_remove(commit, request);
		list_add_tail(&request->node, &commit->taken);
		request->state = ASSAY_REQUEST_TAKEN;
		count++;
	}
	commit->last = count;
	spin_unlock(&commit->lock);
	if (count)
		wake_up_all(&commit->room);
	return count;
}

static void assay_commit_finish(struct assay_commit *commit, struct assay_request *request)
{
	list_del(&request->node);
	WRITE_ONCE(commit->calls, commit->calls + 1);
	WRITE_ONCE(commit->entries, commit->entries + request->entries);
	spin_lock(&commit->lock);
	request->state = ASSAY_REQUEST_DONE;
	spin_unlock(&commit->lock);
	/* Either is the last that we see of it. */
	if (request->done)
		request->done(request);
	else
		complete_all(&request->finished);
}

/* A record of the first @count requests that are taken. Returns their result. */
static int assay_commit_write(struct assay_commit *commit, unsigned int count)
{
	struct assay_request *request =
		list_first_entry(&commit->taken, struct assay_request, node);
	struct assay_entry entry = { .kind = request->kind, .fields = commit->content };
	u64 recnum, offset = 0;
	unsigned int n = 1;
	int ret;

	list_for_each_entry(request, &commit->taken, node) {
		if (n > count)
			break;
		commit->content[n++] = (struct kvec){ request->fields.data, request->fields.size };
		if (request->kind != entry.kind)
			entry.kind = ASSAY_KIND_BATCH;
	}
	entry.count = n;
	ret = assay_ledger_append(commit->ledger, &entry, &recnum, &offset);
	list_for_each_entry(request, &commit->taken, node) {
		if (!--n)
			break;
		request->result = ret;
		request->recnum = recnum;
		request->offset = offset;
	}
	return ret;
}

/* What was taken: one record or, where that has no room, one for each that has. */
static void assay_commit_taken(struct assay_commit *commit, unsigned int count)
{
	ktime_t begin = ktime_get();
	int ret = assay_commit_write(commit, count);

	commit->last_ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	while (!list_empty(&commit->taken)) {
		struct assay_request *request =
			list_first_entry(&commit->taken, struct assay_request, node);

		if (ret == -ENOSPC && count > 1)
			assay_commit_write(commit, 1);
		assay_commit_finish(commit, request);
	}
}

static void assay_commit_retry_later(struct assay_commit *commit)
{
	if (commit->first_pause && assay_ledger_unsettled(commit->ledger))
		queue_delayed_work(commit->workqueue, &commit->retry,
				   (unsigned long)commit->pause * HZ);
}

/**
 * assay_commit_follow_up() - to be called after the ledger was written to, or anchored
 * @commit: open
 *
 * Cuts the log if that waited for it, tells IMA if it is time, and sees to it that what
 * could not be anchored is tried again.
 */
void assay_commit_follow_up(struct assay_commit *commit)
{
	assay_trim_settle(commit->trimmer);
	assay_ima_tell(&commit->ima, commit->ledger, false);
	assay_commit_retry_later(commit);
}

static void assay_commit_work(struct work_struct *work)
{
	struct assay_commit *commit = container_of(work, struct assay_commit, work);
	unsigned int count;

	for (;;) {
		assay_commit_gather(commit);
		count = assay_commit_take(commit);
		if (!count)
			break;
		assay_commit_taken(commit, count);
		assay_commit_follow_up(commit);
		cond_resched();
	}
}

/* ------------------------------------------------------------------ anchoring again */
/**
 * assay_commit_anchor() - anchor what is pending now
 * @commit: open
 * @ret_records: as assay_ledger_anchor()
 * @ret_offset: as assay_ledger_anchor()
 *
 * Return: as assay_ledger_anchor().
 */
int assay_commit_anchor(struct assay_commit *commit, u64 *ret_records, u64 *ret_offset)
{
	int ret = assay_ledger_anchor(commit->ledger, ret_records, ret_offset);

	assay_trim_settle(commit->trimmer);
	assay_ima_tell(&commit->ima, commit->ledger, true);
	assay_commit_retry_later(commit);
	return ret;
}

static void assay_commit_retry(struct work_struct *work)
{
	struct assay_commit *commit = container_of(work, struct assay_commit, retry.work);
	u64 records, offset;

	if (assay_ledger_anchor(commit->ledger, &records, &offset))
		commit->pause = min(2 * commit->pause, ASSAY_PAUSE_GROWTH * commit->first_pause);
	else
		commit->pause = commit->first_pause;
	assay_commit_follow_up(commit);
}

/* ------------------------------------------------------------------ life */
/**
 * assay_commit_open() - start the committer
 * @commit: to initialise; to be released by assay_commit_close()
 * @ledger: created ledger
 * @trimmer: of the same log, open
 * @group: the most requests in a record, at least 1
 * @pause: seconds after which a log that could not be anchored is tried again, doubled
 *         each time; 0 for never
 * @ima: records after which IMA is told of the log; 0 for never
 *
 * Return: 0 or -ENOMEM.
 */
int assay_commit_open(struct assay_commit *commit, struct assay_ledger *ledger,
		      struct assay_trimmer *trimmer, unsigned int group, unsigned int pause,
		      unsigned int ima)
{
	commit->ledger = ledger;
	commit->trimmer = trimmer;
	spin_lock_init(&commit->lock);
	INIT_LIST_HEAD(&commit->queue);
	INIT_LIST_HEAD(&commit->taken);
	init_waitqueue_head(&commit->room);
	init_waitqueue_head(&commit->gathered);
	commit->group = group;
	commit->first_pause = pause;
	commit->pause = pause;
	commit->ima.every = ima;
	INIT_WORK(&commit->work, assay_commit_work);
	INIT_DELAYED_WORK(&commit->retry, assay_commit_retry);
	/* Frozen after those who wait for it, so that no record is begun in a suspend. */
	commit->workqueue = alloc_ordered_workqueue("assay", WQ_FREEZABLE);
	if (!commit->workqueue)
		return -ENOMEM;
	assay_ima_tell(&commit->ima, ledger, true);
	assay_commit_retry_later(commit);
	return 0;
}

/**
 * assay_commit_close() - stop it
 * @commit: open, with no request
 *
 * IMA is told of all that is anchored by then.
 */
void assay_commit_close(struct assay_commit *commit)
{
	commit->first_pause = 0;
	cancel_delayed_work_sync(&commit->retry);
	destroy_workqueue(commit->workqueue);
	assay_ima_tell(&commit->ima, commit->ledger, true);
}

/**
 * assay_commit_init() - a request without entries
 * @commit: open
 * @request: to initialise; its fields are to be freed by assay_cel_free()
 * @kind: ASSAY_KIND_MEASURE or ASSAY_KIND_EVENT
 */
void assay_commit_init(struct assay_commit *commit, struct assay_request *request,
		       enum assay_record_kind kind)
{
	memset(request, 0, sizeof(*request));
	request->kind = kind;
	request->recnum = ASSAY_RECNUM_NONE;
	init_completion(&request->finished);
	/* More than the ring holds can never be written. */
	assay_cel_init(&request->fields, commit->ledger->ring.size);
}
