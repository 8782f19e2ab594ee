/* SPDX-License-Identifier: GPL-2.0-only */
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
#ifndef _ASSAY_COMMIT_H
#define _ASSAY_COMMIT_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "cel.h"
#include "ima.h"
#include "ledger.h"

/* The most requests in the queue, and so in a record. */
#define ASSAY_COMMIT_QUEUE 256

enum assay_request_state {
	ASSAY_REQUEST_NEW,
	ASSAY_REQUEST_QUEUED,
	ASSAY_REQUEST_TAKEN,
	ASSAY_REQUEST_DONE,
};

/**
 * struct assay_request - entries that a caller brings
 * @node: in the queue, or among those of a record
 * @kind: ASSAY_KIND_MEASURE or ASSAY_KIND_EVENT
 * @entries: how many, 1 to ASSAY_MAX_BATCH
 * @fields: the entries, as TLVs; without an error
 * @done: called by the committer when the request is done, which it may free; NULL
 *        where somebody waits for it in assay_commit()
 * @state: under the queue's lock
 * @result: what assay_ledger_append() returned for the record
 * @recnum: of the record, or ASSAY_RECNUM_NONE
 * @offset: of the record
 * @finished: where @done is NULL
 */
struct assay_request {
	struct list_head node;
	enum assay_record_kind kind;
	unsigned int entries;
	struct assay_cel fields;
	void (*done)(struct assay_request *request);
	enum assay_request_state state;
	int result;
	u64 recnum;
	u64 offset;
	struct completion finished;
};

/**
 * struct assay_commit - queue and committer of a log
 * @ledger: the log
 * @lock: protects the queue and the requests' states
 * @queue: struct assay_request
 * @queued: how many
 * @queued_bytes: of their fields
 * @room: where those wait who find the queue full
 * @gathered: where the committer waits for @last requests
 * @last: requests of the last record
 * @last_ns: how long that took
 * @workqueue: of @work and @retry, one at a time
 * @work: the committer
 * @group: the most requests it puts into a record
 * @taken: requests of the record under way
 * @content: their fields; room for the ledger's own piece and one a request
 * @calls: requests done, and @entries, theirs; only grow, read without the lock
 * @retry: anchors what is pending
 * @pause: until it is tried next, in seconds
 * @first_pause: after a success; 0 for never by itself
 * @ima: told of what was anchored
 */
struct assay_commit {
	struct assay_ledger *ledger;
	spinlock_t lock; /* see above */
	struct list_head queue;
	unsigned int queued;
	size_t queued_bytes;
	wait_queue_head_t room;
	wait_queue_head_t gathered;
	unsigned int last;
	u64 last_ns;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	unsigned int group;
	struct list_head taken;
	struct kvec content[1 + ASSAY_COMMIT_QUEUE];
	u64 calls;
	u64 entries;
	struct delayed_work retry;
	unsigned int pause;
	unsigned int first_pause;
	struct assay_ima ima;
};

/**
 * assay_commit_open() - start the committer
 * @commit: to initialise; to be released by assay_commit_close()
 * @ledger: created ledger
 * @group: the most requests in a record, at least 1
 * @pause: seconds after which a log that could not be anchored is tried again, doubled
 *         each time; 0 for never
 * @ima: records after which IMA is told of the log; 0 for never
 *
 * Return: 0 or -ENOMEM.
 */
int assay_commit_open(struct assay_commit *commit, struct assay_ledger *ledger, unsigned int group,
		      unsigned int pause, unsigned int ima);

/**
 * assay_commit_close() - stop it
 * @commit: open, with no request
 *
 * IMA is told of all that is anchored by then.
 */
void assay_commit_close(struct assay_commit *commit);

/**
 * assay_commit_init() - a request without entries
 * @commit: open
 * @request: to initialise; its fields are to be freed by assay_cel_free()
 * @kind: ASSAY_KIND_MEASURE or ASSAY_KIND_EVENT
 */
void assay_commit_init(struct assay_commit *commit, struct assay_request *request,
		       enum assay_record_kind kind);

/**
 * assay_commit_submit() - queue a request
 * @commit: open
 * @request: with entries and @done; the committer's until that was called
 * @wait: whether to wait while the queue is full
 *
 * Return: 0; with nothing queued: -EAGAIN (the queue is full and @wait not set),
 * -EINTR (killed while waiting, or a worker of io_uring that was cancelled).
 */
int assay_commit_submit(struct assay_commit *commit, struct assay_request *request, bool wait);

/**
 * assay_commit_busy() - would a request have to wait now
 * @commit: open
 *
 * A hint, for who would rather not prepare one then.
 */
static inline bool assay_commit_busy(const struct assay_commit *commit)
{
	return READ_ONCE(commit->queued) == ASSAY_COMMIT_QUEUE;
}

/**
 * assay_commit_cancel() - take a request out of the queue again
 * @commit: open
 * @request: submitted, and not known to be done
 *
 * Return: true, and the request is the caller's again; false if it was taken already.
 */
bool assay_commit_cancel(struct assay_commit *commit, struct assay_request *request);

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
int assay_commit(struct assay_commit *commit, struct assay_request *request);

/**
 * assay_commit_anchor() - anchor what is pending now
 * @commit: open
 * @ret_records: as assay_ledger_anchor()
 * @ret_offset: as assay_ledger_anchor()
 *
 * Return: as assay_ledger_anchor().
 */
int assay_commit_anchor(struct assay_commit *commit, u64 *ret_records, u64 *ret_offset);

/**
 * assay_commit_follow_up() - to be called after the ledger was written to, or anchored
 * @commit: open
 *
 * Cuts the log if that waited for it, tells IMA if it is time, and sees to it that what
 * could not be anchored is tried again.
 */
void assay_commit_follow_up(struct assay_commit *commit);

#endif /* _ASSAY_COMMIT_H */
