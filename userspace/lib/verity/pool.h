/* SPDX-License-Identifier: MIT */
/*
 * Digests of many files on many threads, given back in the order they were put in.
 *
 * Bounded: a pool holds at most verity_pool_room() files, so memory and open
 * descriptors do not grow with the number of files, and leave half of the descriptors
 * that are allowed to others. One thread uses the pool; the threads behind it are its own.
 */
#ifndef ASSAY_VERITY_POOL_H
#define ASSAY_VERITY_POOL_H

#include "verity/hasher.h"

struct verity_pool;

/**
 * struct verity_job - a file and its digest
 * @path: free() it
 * @fd: close it, if there was one put in
 * @output, @owner: what was put in
 * @result: 0, or a negative errno; then @err says why and @digest and @size are not set. @err is
 *          set only then.
 */
struct verity_job {
	char *path;
	int fd;
	struct verity_output *output;
	void *owner;
	int result;
	struct assay_digest digest;
	uint64_t size;
	struct assay_error err;
};

/**
 * struct verity_steps - what a pool's threads do with a file beside its digest
 * @before: 0: compute the digest; 1: there is no need of one; or a negative errno with the job's
 *          @err set. NULL: as with 0
 * @after: with what came of it. false: there is no use in going on: the thread leaves alone what
 *         else it has, which is behind this file, and never can be taken. NULL: nothing
 * @drop: frees the path, fd and owner of a struct verity_job that was not taken
 * @capacity: files in flight at most; 0: as many as there is room for. For steps that are dear,
 *            as whatever was put has to be waited for
 *
 * Of one file after the other, while other threads compute digests: these are of several
 * files at a time.
 */
struct verity_steps {
	int (*before)(void *context, unsigned int thread, struct verity_job *job);
	bool (*after)(void *context, unsigned int thread, struct verity_job *job);
	void (*drop)(void *job);
	size_t capacity;
};

/*
 * verity_pool_new() - @threads: how many, up to WORK_THREADS_MAX (base/work.h); 0 for one for each
 * CPU that may be used
 */
int verity_pool_new(const struct verity_parameters *parameters, unsigned int threads,
		    struct verity_pool **ret, struct assay_error *err);

/* verity_pool_new_steps() - the same, with @steps, which stay the caller's, of @context */
int verity_pool_new_steps(const struct verity_parameters *parameters, unsigned int threads,
			  const struct verity_steps *steps, void *context, struct verity_pool **ret,
			  struct assay_error *err);

/* Ends the threads, and frees jobs that were not taken. Does nothing with NULL. */
void verity_pool_free(struct verity_pool *pool);

/* verity_pool_room() - how many more files may be put in before one is taken */
size_t verity_pool_room(const struct verity_pool *pool);

/* verity_pool_count() - how many were put in and not taken */
size_t verity_pool_count(const struct verity_pool *pool);

/*
 * verity_pool_put() - have the digest of @fd computed; there must be room
 * @path: names the file; it and @fd are the pool's from now on
 * @fd: open for reading, or -1: the pool opens the file itself, and closes it
 */
void verity_pool_put(struct verity_pool *pool, char *path, int fd);

/*
 * verity_pool_put_output() - the same, with more to make of it
 * @output: the caller's; it must stay until the file is taken. May be NULL.
 */
void verity_pool_put_output(struct verity_pool *pool, char *path, int fd,
			    struct verity_output *output);

/*
 * verity_pool_put_owner() - the same as verity_pool_put(), for a pool with steps
 * @fd: open for reading, or -1 where the steps need no digest
 * @owner: the caller's, of the file
 */
void verity_pool_put_owner(struct verity_pool *pool, char *path, int fd, void *owner);

/* verity_pool_take() - the oldest file, once its digest is there; there must be one */
void verity_pool_take(struct verity_pool *pool, struct verity_job *ret);

#endif /* ASSAY_VERITY_POOL_H */
