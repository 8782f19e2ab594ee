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
int work_new(unsigned int threads, work_function run, void *context, struct work **ret,
	     struct assay_error *err);

/* work_free() - end the threads; @drop is given each job that was not taken. Either may be NULL. */
void work_free(struct work *work, void (*drop)(void *job));

unsigned int work_threads(const struct work *work);

/* work_room(), work_count() - how many may be put before one is taken; how many may be taken */
size_t work_room(const struct work *work);
size_t work_count(const struct work *work);

/* work_put() - there must be room; @job is not touched by the caller until it is taken */
void work_put(struct work *work, void *job);

/* work_take() - the oldest job, once it is done; there must be one */
void *work_take(struct work *work);

#endif /* ASSAY_BASE_WORK_H */
