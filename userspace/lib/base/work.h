/* SPDX-License-Identifier: MIT */
/*
 * Work on many threads, given back in the order it was put in.
 *
 * Bounded: at most work_room() jobs are held, so memory and open descriptors do not
 * grow with the number of jobs. One thread puts and takes; the threads behind it are
 * the room's own.
 */
#ifndef ASSAY_BASE_WORK_H
#define ASSAY_BASE_WORK_H

#include "assay.h"

#define WORK_THREADS_MAX 64U
/* Jobs that a thread takes at a time, at most. */
#define WORK_BATCH_MAX 16U

struct work;

/*
 * work_function - does one job, on one of the threads
 * @thread: which, from 0 to less than work_threads(): for what each thread has for itself
 *
 * What came of the job is left in it.
 */
typedef void (*work_function)(void *context, unsigned int thread, void *job);

/* work_usable_cpus() - how many processors the process may run on, 1 at least */
unsigned int work_usable_cpus(void);

/* work_new() - @threads: how many, up to WORK_THREADS_MAX; 0: one for each usable CPU */
int work_new(unsigned int threads, work_function execute, void *context, struct work **ret,
	     struct assay_error *err);

/* work_end() - end the threads, once each has done what it is at; then only work_free() is allowed
 */
void work_end(struct work *work);

/* work_free() - the same first; @drop is given each job that was not taken. Either may be NULL. */
void work_free(struct work *work, void (*drop)(void *job));

unsigned int work_threads(const struct work *work);

/* work_room(), work_count() - how many may be put before one is taken; how many may be taken */
size_t work_room(const struct work *work);
size_t work_count(const struct work *work);

/* work_put() - there must be room; @job is not touched by the caller until it is taken */
void work_put(struct work *work, void *job);

/* work_take() - the oldest job, once it is done; there must be one */
void *work_take(struct work *work);

/* ---------------------------------------------------------------- small jobs, and large ones */

/**
 * struct work_batch - jobs that a thread has taken at once
 * @first: the number of the first; they are numbered as they are put
 * @open: set for a job that is not done when the function returns: it is done in parts, and
 *        work_finish() is called with its number when the last one is
 */
struct work_batch {
	uint64_t first;
	size_t count;
	void *jobs[WORK_BATCH_MAX];
	bool open[WORK_BATCH_MAX];
};

/**
 * struct work_part - a part of an open job, which any thread can do
 * @owner, @number: the caller's
 */
struct work_part {
	void *owner;
	uint64_t number;
};

/**
 * struct work_functions - how batches and parts are done
 * @execute: does the jobs of a batch
 * @claim: gives a part that is to be done now, false if there is none. With the room's lock,
 *         as what else it looks at must be: see work_lock(). It comes before jobs.
 * @execute_part: does a part
 */
struct work_functions {
	void (*execute)(void *context, unsigned int thread, struct work_batch *batch);
	bool (*claim)(void *context, struct work_part *ret);
	void (*execute_part)(void *context, unsigned int thread, const struct work_part *part);
};

/*
 * work_new_batches() - the same as work_new(), where several small jobs at a time are cheaper than
 * one by one, and a large one is worth to be shared
 * @functions: stays the caller's, until work_free()
 * @capacity: jobs that are held at most; threads leave some to each other
 */
int work_new_batches(unsigned int threads, size_t capacity, const struct work_functions *functions,
		     void *context, struct work **ret, struct assay_error *err);

/* For these functions. Without the lock, where nothing else is said. */
void work_lock(struct work *work);
void work_unlock(struct work *work);
/* work_wake() - there are parts to be claimed. With the lock. */
void work_wake(struct work *work);
/*
 * work_waiting() - the first job from @number on that no thread has begun; NULL if there is none.
 * With the lock, and with it alone is the job sure to stay.
 */
void *work_waiting(const struct work *work, uint64_t *number);
/* work_finish() - the job of that number, which was left open, is done */
void work_finish(struct work *work, uint64_t number);

#endif /* ASSAY_BASE_WORK_H */
