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
 * committer has taken some; they are queued in the order of arrival.
 *
 * What could not be anchored is tried again by itself, with growing pauses: after a TPM
 * has come or come back, the log is anchored without a call. A backlog is anchored slice by
 * slice, so that the workqueue can be frozen between two of them.
 */
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "commit.h"
#include "layout.h"
#include "piece.h"
#include "trim.h"

/* The committer waits for callers a fraction of what the last record took, but no longer than. */
#define ASSAY_GATHER_FRACTION 4
#define ASSAY_GATHER_LIMIT_NS (2 * NSEC_PER_MSEC)

/* A pause grows up to so many times the first. */
#define ASSAY_PAUSE_GROWTH 64

/* How a task waits: it can be killed, and frozen where it is. */
#define ASSAY_WAIT_KILLABLE (TASK_KILLABLE | TASK_FREEZABLE)
#define ASSAY_WAIT_INTERRUPTIBLE (TASK_INTERRUPTIBLE | TASK_FREEZABLE)
#define ASSAY_WAIT (TASK_UNINTERRUPTIBLE | TASK_FREEZABLE)

/* ------------------------------------------------------------------ the queue */
/**
 * struct assay_waiter - who found the queue full
 * @node: in struct assay_commit.waiting
 * @request: to be queued
 * @queued: it is; from then on the committer knows nothing of the waiter
 */
struct assay_waiter {
	struct list_head node;
	struct assay_request *request;
	bool queued;
};

static size_t assay_commit_limit(const struct assay_commit *commit)
{
	return assay_layout_record_limit(commit->ledger->ring.size);
}

/* No more bytes wait than a record has; a request alone always has room. */
static bool assay_commit_full(const struct assay_commit *commit, size_t bytes)
{
	return commit->queued == ASSAY_COMMIT_QUEUE ||
	       (commit->queued && commit->queued_bytes + bytes > assay_commit_limit(commit));
}

static void assay_commit_enqueue(struct assay_commit *commit, struct assay_request *request)
{
	lockdep_assert_held(&commit->lock);
	list_add_tail(&request->node, &commit->queue);
	request->state = ASSAY_REQUEST_QUEUED;
	commit->queued++;
	commit->queued_bytes += request->fields.size;
}

/* Queue the oldest of those who wait, as far as there is room: nobody is overtaken. */
static void assay_commit_admit(struct assay_commit *commit)
{
	struct assay_waiter *waiter, *next;

	lockdep_assert_held(&commit->lock);
	list_for_each_entry_safe(waiter, next, &commit->waiting, node) {
		if (assay_commit_full(commit, waiter->request->fields.size))
			break;
		list_del(&waiter->node);
		assay_commit_enqueue(commit, waiter->request);
		/* Pairs with assay_commit_is_queued(): the waiter may be gone after this. */
		smp_store_release(&waiter->queued, true);
	}
}

static bool assay_commit_is_queued(const struct assay_waiter *waiter)
{
	/* Pairs with assay_commit_admit(). */
	return smp_load_acquire(&waiter->queued);
}

/* Queue a request, or @waiter for room; with no @waiter, do neither. Returns whether it is queued.
 */
static bool assay_commit_add(struct assay_commit *commit, struct assay_request *request,
			     struct assay_waiter *waiter)
{
	bool queued, gathered;

	spin_lock(&commit->lock);
	queued = list_empty(&commit->waiting) && !assay_commit_full(commit, request->fields.size);
	if (queued)
		assay_commit_enqueue(commit, request);
	else if (waiter)
		list_add_tail(&waiter->node, &commit->waiting);
	gathered = commit->queued >= commit->last;
	spin_unlock(&commit->lock);
	/* From here on the request may be done and gone. */
	if (queued)
		queue_work(commit->workqueue, &commit->work);
	if (gathered)
		wake_up(&commit->gathered);
	return queued;
}

static void assay_commit_remove(struct assay_commit *commit, struct assay_request *request)
{
	list_del(&request->node);
	commit->queued--;
	commit->queued_bytes -= request->fields.size;
}

/* After room has been made: wakes those who were admitted, and the committer. */
static void assay_commit_wake(struct assay_commit *commit)
{
	wake_up_all(&commit->room);
	queue_work(commit->workqueue, &commit->work);
}

/* The waiter does not wait any more. Returns false if it was admitted meanwhile. */
static bool assay_commit_leave(struct assay_commit *commit, struct assay_waiter *waiter)
{
	bool left;

	spin_lock(&commit->lock);
	left = !waiter->queued;
	if (left) {
		list_del(&waiter->node);
		/* It may have been too large for the room that there is. */
		assay_commit_admit(commit);
	}
	spin_unlock(&commit->lock);
	if (left)
		assay_commit_wake(commit);
	return left;
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
	struct assay_waiter waiter = { .request = request };
	int ret;

	if (!wait)
		return assay_commit_add(commit, request, NULL) ? 0 : -EAGAIN;
	if (assay_commit_add(commit, request, &waiter))
		return 0;
	/* To cancel a worker, io_uring wakes it, but does not kill it. */
	if (current->flags & PF_IO_WORKER)
		ret = wait_event_state(commit->room, assay_commit_is_queued(&waiter),
				       ASSAY_WAIT_INTERRUPTIBLE);
	else
		ret = wait_event_state(commit->room, assay_commit_is_queued(&waiter),
				       ASSAY_WAIT_KILLABLE);
	return ret && assay_commit_leave(commit, &waiter) ? -EINTR : 0;
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
		assay_commit_admit(commit);
	}
	spin_unlock(&commit->lock);
	if (queued)
		assay_commit_wake(commit);
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
	if (wait_for_completion_state(&request->finished, ASSAY_WAIT_KILLABLE) &&
	    assay_commit_cancel(commit, request))
		return -EINTR;
	wait_for_completion_state(&request->finished, ASSAY_WAIT);
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

/* Files and events share a record, of kind BATCH; entries of IMA's list have one to themselves. */
static bool assay_commit_share(const struct assay_commit *commit,
			       const struct assay_request *request)
{
	const struct assay_request *first =
		list_first_entry(&commit->taken, struct assay_request, node);

	return (first->kind == ASSAY_KIND_IMA) == (request->kind == ASSAY_KIND_IMA);
}

/* Take what makes a record from the queue, and let others in; returns how many requests that are.
 */
static unsigned int assay_commit_take(struct assay_commit *commit)
{
	struct assay_request *request, *next;
	unsigned int count = 0, entries = 0;
	size_t bytes = 0;

	spin_lock(&commit->lock);
	list_for_each_entry_safe(request, next, &commit->queue, node) {
		entries += request->entries;
		bytes += request->fields.size;
		if (count &&
		    (count == commit->group || entries > ASSAY_MAX_BATCH ||
		     bytes > assay_commit_limit(commit) || !assay_commit_share(commit, request)))
			break;
		assay_commit_remove(commit, request);
		list_add_tail(&request->node, &commit->taken);
		request->state = ASSAY_REQUEST_TAKEN;
		count++;
	}
	commit->last = count;
	if (count)
		assay_commit_admit(commit);
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
	entry.count = n + 1;
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

/*
 * Nothing was written of several requests that share a record. Perhaps each of them alone, which
 * takes less room and memory, can be; but not where the PCR is not the log's any more.
 */
static bool assay_commit_may_split(const struct assay_commit *commit)
{
	const struct assay_request *request =
		list_first_entry(&commit->taken, struct assay_request, node);

	return !list_is_singular(&commit->taken) && request->recnum == ASSAY_RECNUM_NONE &&
	       request->result != -EUCLEAN;
}

/*
 * Write what is taken: all of it as a record or, if that cannot be, the first alone. What is left
 * after that is for the next time.
 */
static void assay_commit_taken(struct assay_commit *commit)
{
	unsigned int count = commit->split ? 1 : ASSAY_COMMIT_QUEUE;
	ktime_t begin = ktime_get();
	struct assay_request *request, *next;

	/* There is a backlog, some of which is anchored now. */
	if (assay_commit_write(commit, count) == -EAGAIN)
		return;
	if (!commit->split && assay_commit_may_split(commit)) {
		commit->split = true;
		return;
	}
	commit->last_ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	list_for_each_entry_safe(request, next, &commit->taken, node) {
		if (!count--)
			break;
		assay_commit_finish(commit, request);
	}
}

/* Have the rest of a backlog, what failed, and what was not verified be looked after later. */
static void assay_commit_plan(struct assay_commit *commit)
{
	const struct assay_ledger *ledger = commit->ledger;
	unsigned int verify = ledger->anchor.verify;

	if (READ_ONCE(commit->closing))
		return;
	if (commit->first_pause && assay_ledger_unsettled(ledger))
		queue_delayed_work(commit->workqueue, &commit->retry,
				   (unsigned long)READ_ONCE(commit->pause) * HZ);
	if (verify != ASSAY_VERIFY_NEVER && verify != ASSAY_VERIFY_EACH &&
	    assay_ledger_unverified(ledger) && !READ_ONCE(ledger->last_error))
		queue_delayed_work(commit->workqueue, &commit->verify, (unsigned long)verify * HZ);
}

/**
 * assay_commit_follow_up() - to be called after the ledger was written to, or anchored
 * @commit: open
 *
 * Cuts the log if that waited for it, tells IMA if it is time, and sees to it that what
 * could not be anchored is tried again, and what was not verified is.
 */
void assay_commit_follow_up(struct assay_commit *commit)
{
	assay_trim_settle(commit->trimmer);
	assay_ima_tell(&commit->ima, commit->ledger, false);
	assay_commit_plan(commit);
}

/* A record, and then it is the turn of others: the workqueue is frozen between two works. */
static void assay_commit_work(struct work_struct *work)
{
	struct assay_commit *commit = container_of(work, struct assay_commit, work);

	if (list_empty(&commit->taken)) {
		assay_commit_gather(commit);
		if (!assay_commit_take(commit))
			return;
		commit->split = false;
	}
	assay_commit_taken(commit);
	assay_commit_follow_up(commit);
	queue_work(commit->workqueue, &commit->work);
}

/* ------------------------------------------------------------------ anchoring again */
/**
 * assay_commit_anchor() - anchor what is pending now, and read the PCR
 * @commit: open
 * @ret_records: as assay_ledger_anchor()
 * @ret_offset: as assay_ledger_anchor()
 *
 * Return: as assay_ledger_anchor(), but for -EAGAIN.
 */
int assay_commit_anchor(struct assay_commit *commit, u64 *ret_records, u64 *ret_offset)
{
	int ret;

	do {
		ret = assay_ledger_anchor(commit->ledger, ret_records, ret_offset);
	} while (ret == -EAGAIN && !assay_pause());
	assay_trim_settle(commit->trimmer);
	assay_ima_tell(&commit->ima, commit->ledger, true);
	assay_commit_plan(commit);
	return ret == -EAGAIN ? -EINTR : ret;
}

/* By itself: anchor what is pending, read the PCR, and plan the next time. */
static void assay_commit_settle(struct assay_commit *commit)
{
	u64 records, offset;
	int ret = assay_ledger_anchor(commit->ledger, &records, &offset);

	if (ret && ret != -EAGAIN)
		WRITE_ONCE(commit->pause,
			   min(2 * commit->pause, ASSAY_PAUSE_GROWTH * commit->first_pause));
	else
		WRITE_ONCE(commit->pause, commit->first_pause);
	/* Unloading is not held up by a backlog. */
	if (ret == -EAGAIN && !READ_ONCE(commit->closing))
		mod_delayed_work(commit->workqueue, &commit->retry, 0);
	assay_commit_follow_up(commit);
}

static void assay_commit_retry(struct work_struct *work)
{
	assay_commit_settle(container_of(work, struct assay_commit, retry.work));
}

static void assay_commit_verify(struct work_struct *work)
{
	struct assay_commit *commit = container_of(work, struct assay_commit, verify.work);

	/* Unless a record was verified meanwhile. */
	if (assay_ledger_unverified(commit->ledger))
		assay_commit_settle(commit);
}

/**
 * assay_commit_doubt() - the TPM may have been reset
 * @commit: open
 *
 * The PCR is read soon, and before it is relied on. May be called from any context that is not
 * after assay_commit_close().
 */
void assay_commit_doubt(struct assay_commit *commit)
{
	assay_anchor_doubt(&commit->ledger->anchor);
	mod_delayed_work(commit->workqueue, &commit->retry, 0);
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
	INIT_LIST_HEAD(&commit->waiting);
	init_waitqueue_head(&commit->room);
	init_waitqueue_head(&commit->gathered);
	commit->group = group;
	commit->first_pause = pause;
	commit->pause = pause;
	commit->ima.every = ima;
	INIT_WORK(&commit->work, assay_commit_work);
	INIT_DELAYED_WORK(&commit->retry, assay_commit_retry);
	INIT_DELAYED_WORK(&commit->verify, assay_commit_verify);
	/* Frozen after those who wait for it, so that no record is begun in a suspend. */
	commit->workqueue = alloc_ordered_workqueue("assay", WQ_FREEZABLE);
	if (!commit->workqueue)
		return -ENOMEM;
	assay_ima_tell(&commit->ima, ledger, true);
	assay_commit_plan(commit);
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
	WRITE_ONCE(commit->closing, true);
	/* Whatever may have found it false has planned by the end of this, and the rest will not.
	 */
	flush_workqueue(commit->workqueue);
	cancel_delayed_work_sync(&commit->retry);
	cancel_delayed_work_sync(&commit->verify);
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
	assay_cel_init(&request->fields, assay_commit_limit(commit));
}
