/* SPDX-License-Identifier: MIT */
/* The part `archive`: what archiver.c, which has when the log is looked at, and archiver_retain.c,
 * which has when what is old is removed, share. */
#ifndef ASSAY_ASSAYD_ARCHIVER_H
#define ASSAY_ASSAYD_ARCHIVER_H

#include "anchor_watch.h"
#include "archiver_keep.h"
#include "archiver_log.h"
#include "service.h"

#define ARCHIVER_NAME "archive"

/**
 * struct archiver - the part's own
 * @archive: open or not
 * @io: waits for a record behind what was archived, while @timer does not run
 * @timer: looks at the log, or tries again
 * @keep_timer: removes what is old
 * @since: loop_now() when what is waiting was seen first; 0: nothing waits
 * @anchor: of records that are not anchored
 * @retry_in: milliseconds until the next try, if there was a failure; else 0
 * @keeping, @step_timer: that, under way; NULL if not
 * @keep_spent: milliseconds of it so far
 * @keep_retry_in: milliseconds until that is tried again, if files could not be read; else 0
 * @kept: what came of it last; @written: archive.bytes then
 * @keep_after: loop_now() before which files that were written are no reason for it
 * @acknowledged: number of the first record that no verifier has seen
 */
struct archiver {
	struct service *service;
	struct part *part;
	struct log_archive archive;
	struct loop_io *io;
	struct loop_timer *timer, *keep_timer, *step_timer;
	struct keeping *keeping;
	uint64_t keep_spent;
	uint64_t since;
	struct anchor_watch anchor;
	uint64_t retry_in;
	struct keep_result kept;
	uint64_t written, keep_after, keep_retry_in;
	uint64_t acknowledged;
};

/* archiver_next_retry() - milliseconds until the next try, after so many; 0: the first */
uint64_t archiver_next_retry(uint64_t retry_in);

/* archiver_retain_begin() - the timers of what follows; the first look is soon */
int archiver_retain_begin(struct archiver *archiver, struct assay_error *err);
void archiver_retain_end(struct archiver *archiver);
/* archiver_retain() - remove what is old; @anew: forget what is under way: the configuration is
 * another */
void archiver_retain(struct archiver *archiver, bool anew);
/* archiver_retain_soon() - now, or as soon as it may be looked again */
void archiver_retain_soon(struct archiver *archiver);
/* archiver_retain_written() - files were written at @now, seconds since 1970 */
void archiver_retain_written(struct archiver *archiver, uint64_t now);

#endif /* ASSAY_ASSAYD_ARCHIVER_H */
