/* SPDX-License-Identifier: GPL-2.0-only */
/* Group commit: the queue of calls in front of the log, and the worker that writes records. */
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

struct assay_trimmer;

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
 * @kind: ASSAY_KIND_MEASURE, ASSAY_KIND_EVENT or ASSAY_KIND_IMA
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
 * @trimmer: told of what was anchored
 * @lock: protects the queue and the requests' states
 * @queue: struct assay_request
 * @queued: how many
 * @queued_bytes: of their fields
 * @waiting: struct assay_waiter: those who found the queue full, in their order
 * @room: where these wait
 * @gathered: where the committer waits for @last requests
 * @last: requests of the last record
 * @last_ns: how long that took
 * @workqueue: of @work, @retry and @verify, one at a time
 * @work: the committer
 * @group: the most requests it puts into a record
 * @taken: requests of the record under way
 * @split: they get a record each
 * @content: their fields; room for the ledger's own two pieces and one a request
 * @calls: requests done, and @entries, theirs; only grow, read without the lock
 * @retry: anchors what is pending
 * @pause: until it is tried next, in seconds
 * @first_pause: after a success; 0 for never by itself
 * @verify: reads the PCR where the last records were anchored without that
 * @closing: neither is planned any more
 * @ima: told of what was anchored
 */
struct assay_commit {
	struct assay_ledger *ledger;
	struct assay_trimmer *trimmer;
	spinlock_t lock; /* see above */
	struct list_head queue;
	unsigned int queued;
	size_t queued_bytes;
	struct list_head waiting;
	wait_queue_head_t room;
	wait_queue_head_t gathered;
	unsigned int last;
	u64 last_ns;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	unsigned int group;
	struct list_head taken;
	bool split;
	struct kvec content[2 + ASSAY_COMMIT_QUEUE];
	u64 calls;
	u64 entries;
	struct delayed_work retry;
	unsigned int pause;
	unsigned int first_pause;
	struct delayed_work verify;
	bool closing;
	struct assay_ima ima;
};

int assay_commit_open(struct assay_commit *commit, struct assay_ledger *ledger,
		      struct assay_trimmer *trimmer, unsigned int group, unsigned int pause,
		      unsigned int ima);
void assay_commit_close(struct assay_commit *commit);
void assay_commit_init(struct assay_commit *commit, struct assay_request *request,
		       enum assay_record_kind kind);
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

bool assay_commit_cancel(struct assay_commit *commit, struct assay_request *request);
int assay_commit(struct assay_commit *commit, struct assay_request *request);
int assay_commit_anchor(struct assay_commit *commit, u64 *ret_records, u64 *ret_offset);
void assay_commit_doubt(struct assay_commit *commit);
void assay_commit_follow_up(struct assay_commit *commit);

#endif /* _ASSAY_COMMIT_H */
