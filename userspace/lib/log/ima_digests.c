// SPDX-License-Identifier: MIT
#include "log/ima_digests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/work.h"

/* Entries that are worked on at a time; of a chunk, threads get all at once. */
#define CHUNK_ENTRIES 1024
/* A list shorter than this is done before a thread has started. */
#define THREADS_FROM (1U << 20)
/* Threads beyond these would wait for the one that reads the list and extends PCRs. */
#define THREADS_MAX 3U

/**
 * struct chunk - some entries in a row
 * @digests: of the i-th algorithm, in that order, each of its size
 * @result: of computing them
 */
struct chunk {
	size_t count;
	struct ima_frame entries[CHUNK_ENTRIES];
	struct bytes messages[CHUNK_ENTRIES];
	uint8_t digests[HASHERS_MAX][CHUNK_ENTRIES * ASSAY_DIGEST_MAX];
	int result;
	struct assay_error err;
};

/**
 * struct ima_digests - see ima_digests.h
 * @hashers: of each thread, one an algorithm; the first thread's are the caller's where there
 *           are no threads
 * @work: NULL without threads
 * @current: the chunk that the caller takes from, at @taken; NULL at first
 * @spare: a chunk to fill
 * @ended, @err: what came of reading, once it has come to its end: 0 or a negative errno
 */
struct ima_digests {
	struct ima_reader reader;
	enum assay_hash hashes[HASHERS_MAX];
	size_t hash_count;
	struct hasher hashers[THREADS_MAX][HASHERS_MAX];
	struct work *work;
	struct chunk *current, *spare;
	size_t taken;
	bool ended;
	int result;
	struct assay_error err;
};

/* ---------------------------------------------------------------- a chunk's digests */

static bool is_oldest(const struct ima_frame *entry)
{
	return bytes_equal(entry->name, BYTES_LITERAL("ima"));
}

static int digest_chunk(struct hasher *hasher, struct chunk *chunk, uint8_t *out,
			struct assay_error *err)
{
	int r = hasher_digest_many(hasher, chunk->count, chunk->messages, out, err);

	/* Of the oldest template, not what is in the list was hashed. */
	for (size_t i = 0; r == 0 && i < chunk->count; i++) {
		struct ima_entry entry = { .name = chunk->entries[i].name,
					   .data = chunk->entries[i].data };
		struct assay_digest digest;

		if (!is_oldest(&chunk->entries[i]))
			continue;
		r = ima_template_hash(&entry, hasher, &digest, err);
		if (r == 0)
			memcpy(out + i * hasher->size, digest.bytes, digest.size);
	}
	return r;
}

static void digest_job(void *context, unsigned int thread, void *job)
{
	struct ima_digests *digests = context;
	struct chunk *chunk = job;

	chunk->result = 0;
	for (size_t i = 0; i < digests->hash_count && chunk->result == 0; i++)
		chunk->result = digest_chunk(&digests->hashers[thread][i], chunk, chunk->digests[i],
					     &chunk->err);
}

/* ---------------------------------------------------------------- reading */

/* The next entries of the list; false if there are none any more. */
static bool fill_chunk(struct ima_digests *digests, struct chunk *chunk)
{
	chunk->count = 0;
	while (chunk->count < CHUNK_ENTRIES && !digests->ended) {
		struct ima_frame *frame = &chunk->entries[chunk->count];
		int r = ima_skim(&digests->reader, frame, &digests->err);

		if (r > 0) {
			chunk->messages[chunk->count++] = frame->data;
		} else {
			digests->result = r;
			digests->ended = true;
		}
	}
	return chunk->count > 0;
}

/* 1 with entries in the spare chunk, 0 if there are no more, or -ENOMEM */
static int fill_spare_chunk(struct ima_digests *digests, struct assay_error *err)
{
	if (!digests->spare)
		digests->spare = malloc(sizeof(*digests->spare));
	if (!digests->spare)
		return assay_fail(err, ENOMEM, "out of memory while replaying IMA's list");
	return fill_chunk(digests, digests->spare);
}

static struct chunk *give_spare_chunk(struct ima_digests *digests)
{
	struct chunk *chunk = digests->spare;

	digests->spare = NULL;
	return chunk;
}

/* Have the threads' room full, and take what is done first. */
static int next_chunk_of_threads(struct ima_digests *digests, struct chunk **ret,
				 struct assay_error *err)
{
	int r = 1;

	while (r > 0 && work_room(digests->work) > 0) {
		r = fill_spare_chunk(digests, err);
		if (r > 0)
			work_put(digests->work, give_spare_chunk(digests));
	}
	if (r >= 0 && work_count(digests->work) > 0)
		*ret = work_take(digests->work);
	return r;
}

/* The next chunk, its digests computed; NULL at the end */
static int next_chunk(struct ima_digests *digests, struct chunk **ret, struct assay_error *err)
{
	int r;

	*ret = NULL;
	if (digests->work)
		return next_chunk_of_threads(digests, ret, err);
	r = fill_spare_chunk(digests, err);
	if (r > 0) {
		*ret = give_spare_chunk(digests);
		digest_job(digests, 0, *ret);
	}
	return r;
}

/* The chunk that is used up becomes the next one to fill. */
static int advance_chunk(struct ima_digests *digests, struct assay_error *err)
{
	int r;

	if (digests->spare)
		free(digests->current);
	else
		digests->spare = digests->current;
	digests->current = NULL;
	digests->taken = 0;
	r = next_chunk(digests, &digests->current, err);
	if (r < 0 || !digests->current || digests->current->result == 0)
		return r;
	if (err)
		*err = digests->current->err;
	return digests->current->result;
}

int ima_digests_next(struct ima_digests *digests, struct ima_digested *ret, struct assay_error *err)
{
	const struct chunk *chunk;

	if (!digests->current || digests->taken == digests->current->count) {
		int r = advance_chunk(digests, err);

		if (r < 0)
			return r;
	}
	chunk = digests->current;
	if (!chunk) {
		if (err && digests->result < 0)
			*err = digests->err;
		return digests->result;
	}
	ret->frame = &chunk->entries[digests->taken];
	for (size_t i = 0; i < digests->hash_count; i++)
		ret->digests[i] = chunk->digests[i] + digests->taken * digests->hashers[0][i].size;
	digests->taken++;
	return 1;
}

/* ---------------------------------------------------------------- begin and end */

static int open_hashers(struct ima_digests *digests, unsigned int threads, struct assay_error *err)
{
	int r = 0;

	for (unsigned int thread = 0; thread < threads; thread++)
		for (size_t i = 0; i < digests->hash_count && r == 0; i++)
			r = hasher_open(&digests->hashers[thread][i], digests->hashes[i], err);
	return r;
}

/* One for each processor but that of the caller, who has his own to do. */
static unsigned int thread_count(size_t size)
{
	unsigned int cpus = work_usable_cpus();

	if (size < THREADS_FROM)
		return 0;
	return cpus > THREADS_MAX ? THREADS_MAX : cpus > 1 ? cpus - 1 : 0;
}

int ima_digests_new(struct bytes list, enum assay_hash bank, const enum assay_hash *hashes,
		    size_t count, struct ima_digests **ret, struct assay_error *err)
{
	unsigned int threads = thread_count(list.size);
	struct ima_digests *digests;
	int r;

	if (count == 0 || count > HASHERS_MAX)
		return assay_fail(err, EINVAL, "1 to %d banks can be replayed, not %zu",
				  HASHERS_MAX, count);
	digests = calloc(1, sizeof(*digests));
	if (!digests)
		return assay_fail(err, ENOMEM, "out of memory while replaying IMA's list");
	ima_begin(&digests->reader, list, bank);
	memcpy(digests->hashes, hashes, count * sizeof(*hashes));
	digests->hash_count = count;
	r = open_hashers(digests, threads ? threads : 1, err);
	if (r == 0 && threads > 0)
		r = work_new(threads, digest_job, digests, &digests->work, err);
	if (r < 0) {
		ima_digests_free(digests);
		return r;
	}
	*ret = digests;
	return 0;
}

void ima_digests_free(struct ima_digests *digests)
{
	if (!digests)
		return;
	work_free(digests->work, free);
	free(digests->current);
	free(digests->spare);
	for (unsigned int thread = 0; thread < THREADS_MAX; thread++)
		for (size_t i = 0; i < HASHERS_MAX; i++)
			hasher_close(&digests->hashers[thread][i]);
	free(digests);
}
