// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/sign_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sign/links.h"

/**
 * struct run_state - a run while it goes
 * @files: jobs taken
 */
struct run_state {
	struct sign_run *run;
	struct verity_pool *pool;
	struct links *links;
	uint64_t files;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

bool sign_run_is_signature(const struct sign_work *work, const char *path)
{
	size_t length = strlen(path), suffix = strlen(SIGN_DETACHED_SUFFIX);

	return work->detached && length > suffix &&
	       strcmp(path + length - suffix, SIGN_DETACHED_SUFFIX) == 0;
}

static int tell_failed(struct run_state *state, const char *path, const struct assay_error *why,
		       struct assay_error *err)
{
	const struct sign_events *events = &state->run->events;

	state->run->failed++;
	return events->failed(events->context, path, why, err);
}

/* ---------------------------------------------------------------- before a file is signed */

static bool append_copy(struct buffer *out, struct bytes bytes)
{
	buffer_append_bytes(out, bytes);
	return !out->failed;
}

/* What an older manifest has of the file. */
static int find_old(struct reuse *reuse, bool whole, struct sign_job *job, struct assay_error *err)
{
	struct sign_old *old = &job->old;
	struct manifest_entry entry;
	int r;

	if (!reuse)
		return 0;
	r = reuse_find(reuse, job->path, &entry, err);
	if (r <= 0 || old->known)
		return r < 0 ? r : 0;
	old->known = true;
	old->whole = whole;
	old->unchanged = reuse_unchanged(&entry, &job->stat);
	old->size = entry.size;
	old->digest = entry.digest;
	if (!append_copy(&old->pkcs7, entry.pkcs7) || !append_copy(&old->ima, entry.ima))
		return out_of_memory(err);
	return 0;
}

/* Is the job of another link, which takes what the first link's job has found? */
static int find_link(struct run_state *state, struct sign_job *job, struct assay_error *err)
{
	struct link *link;

	if (job->stat.st_nlink < 2)
		return 0;
	link = links_find(state->links, &job->stat);
	if (!link)
		return links_add(state->links, job->path, &job->stat) ? 0 : out_of_memory(err);
	if (link->stat.st_size != job->stat.st_size ||
	    link->stat.st_mtim.tv_sec != job->stat.st_mtim.tv_sec ||
	    link->stat.st_mtim.tv_nsec != job->stat.st_mtim.tv_nsec)
		return 0; /* it changed since, and is looked at anew */
	close(job->fd);
	job->fd = -1;
	return 0;
}

/* What the source says of the file. */
static void take_item(struct sign_job *job, const struct source_item *item)
{
	job->path = item->path;
	job->fd = item->fd;
	job->stat = item->stat;
	if (item->package)
		job->package = *item->package;
	job->has_md5 = item->has_md5;
	memcpy(job->md5, item->md5, sizeof(job->md5));
	job->expected = item->expected;
	job->given = item->digest.size > 0;
	job->size = item->size;
	job->digest = item->digest;
}

static void free_item(struct source_item *item)
{
	if (item->fd >= 0)
		close(item->fd);
	free(item->path);
}

/* The job of a file, with what is known of it; takes @item's path and descriptor over. */
static int new_job(struct run_state *state, struct source_item *item, struct sign_job **ret,
		   struct assay_error *err)
{
	const struct sign_run *run = state->run;
	struct sign_job *job = calloc(1, sizeof(*job));
	int r = 0;

	if (!job) {
		free_item(item);
		return out_of_memory(err);
	}
	take_item(job, item);
	if (run->writer)
		r = find_old(manifest_writer_previous(run->writer), false, job, err);
	if (r == 0)
		r = find_old(run->older, true, job, err);
	if (r == 0)
		r = find_link(state, job, err);
	if (r < 0) {
		sign_job_free(job);
		return r;
	}
	*ret = job;
	return 0;
}

static int tell_gone(struct run_state *state, const struct prepared_file *file,
		     struct assay_error *err)
{
	struct assay_error why = { 0 };
	char shown[512];

	assay_fail(&why, ENOENT, "%s was prepared, and is not there any more",
		   text_escape(BYTES((const uint8_t *)file->path, strlen(file->path)), shown,
			       sizeof(shown)));
	return tell_failed(state, file->path, &why, err);
}

/* What it was when it was prepared. Return: 0; 1 for what was not, which is told */
static int find_prepared(struct run_state *state, const char *path, struct prepared_file *ret,
			 struct assay_error *err)
{
	const struct prepared_file *file = NULL;
	struct assay_error why = { 0 };
	enum prepared_match match;
	char shown[512];
	int r;

	while ((match = prepared_match(state->run->prepared, path, &file)) == PREPARED_GONE) {
		r = tell_gone(state, file, err);
		if (r < 0)
			return r;
	}
	if (match == PREPARED_SAME) {
		*ret = *file;
		return 0;
	}
	assay_fail(&why, ESTALE, "%s was not there when it was prepared; prepare and sign anew",
		   text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown)));
	r = tell_failed(state, path, &why, err);
	return r < 0 ? r : 1;
}

/* At the end of the source: what was prepared, and did not come. */
static int tell_rest(struct run_state *state, struct assay_error *err)
{
	const struct prepared_file *file = NULL;
	int r = 0;

	while (r == 0 && state->run->prepared &&
	       prepared_match(state->run->prepared, NULL, &file) == PREPARED_GONE)
		r = tell_gone(state, file, err);
	return r;
}

static bool makes_lines(const struct sign_run *run)
{
	return run->writer && (!run->list || run->work->delegated);
}

static int put_file(struct run_state *state, struct source_item *item, struct assay_error *err)
{
	const struct sign_run *run = state->run;
	struct prepared_file prepared = { 0 };
	struct assay_error why = { 0 };
	struct sign_job *job = NULL;
	int r;

	/* A path that no manifest can hold may be signed to other places. */
	if ((run->writer || run->list || run->prepared) &&
	    manifest_check_path(item->path, &why) < 0) {
		r = tell_failed(state, item->path, &why, err);
		free_item(item);
		return r;
	}
	r = run->prepared ? find_prepared(state, item->path, &prepared, err) : 0;
	if (r != 0) {
		free_item(item);
		return r < 0 ? r : 0;
	}
	r = new_job(state, item, &job, err);
	if (r < 0)
		return r;
	job->prepared = prepared;
	if (makes_lines(run))
		manifest_writer_expect(run->writer);
	sign_job_put(state->pool, job);
	return 0;
}

/* Is it of what this run writes itself? */
static bool is_own(const struct run_state *state, const struct source_item *item)
{
	const struct sign_run *run = state->run;

	for (size_t i = 0; i < run->own_count; i++)
		if (run->own[i].st_dev == item->stat.st_dev &&
		    run->own[i].st_ino == item->stat.st_ino)
			return true;
	return (run->writer && manifest_writer_owns(run->writer, &item->stat)) ||
	       sign_run_is_signature(run->work, item->path);
}

/* The next thing of the source; false at its end. */
static bool put_next(struct run_state *state, int *ret, struct assay_error *err)
{
	const struct sign_events *events = &state->run->events;
	struct assay_error why = { 0 };
	struct source_item item;

	*ret = 0;
	switch (source_next(state->run->source, &item, &why)) {
	case SOURCE_END:
		*ret = tell_rest(state, err);
		return false;
	case SOURCE_FILE:
		if (!is_own(state, &item)) {
			*ret = put_file(state, &item, err);
			return true;
		}
		if (item.fd >= 0)
			close(item.fd);
		break;
	case SOURCE_SKIPPED:
		state->run->skipped++;
		events->skipped(events->context, &item);
		break;
	case SOURCE_NOTE:
		events->noted(events->context, item.path, &why);
		break;
	case SOURCE_FAILED:
		*ret = tell_failed(state, item.path ? item.path : "", &why, err);
		break;
	}
	free(item.path);
	return true;
}

/* ---------------------------------------------------------------- after it was */

/* A job of another link: as the first one's. */
static void copy_link(struct run_state *state, struct sign_job *job, const struct link *link)
{
	char path[512], first[512];

	if (link->result < 0) {
		job->result = assay_fail(
			&job->err, -link->result, "%s is the same file as %s, which failed",
			text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), path,
				    sizeof(path)),
			text_escape(BYTES((const uint8_t *)link->path, strlen(link->path)), first,
				    sizeof(first)));
		return;
	}
	job->size = link->size;
	job->digest = link->digest;
	if (!append_copy(&job->pkcs7, buffer_bytes(&link->pkcs7)) ||
	    !append_copy(&job->ima, buffer_bytes(&link->ima))) {
		job->result = out_of_memory(&job->err);
		return;
	}
	sign_job_finish(state->run->work, job);
}

static void keep_for_links(struct sign_job *job, struct link *link)
{
	link->result = job->result;
	link->size = job->size;
	link->digest = job->digest;
	link->pkcs7 = job->pkcs7;
	link->ima = job->ima;
	job->pkcs7 = job->ima = (struct buffer){ 0 };
}

static void settle_link(struct run_state *state, struct sign_job *job, bool other)
{
	struct link *link = job->stat.st_nlink < 2 ? NULL : links_find(state->links, &job->stat);

	if (!link)
		return;
	if (other) {
		copy_link(state, job, link);
		state->run->linked++;
	} else if (link->result == 1) {
		keep_for_links(job, link);
	}
	links_seen(state->links, link);
}

/* What is to be signed of the job's file, for who signs it. */
static int list_job(const struct sign_run *run, const struct sign_job *job, struct assay_error *err)
{
	const struct prepared_file file = { job->path, job->size, job->digest };

	return prepared_writer_file(run->list, &file, job->lacks_pkcs7, job->lacks_ima, err);
}

/* Counts the job and writes its line. */
static int settle_job(struct run_state *state, const struct sign_job *job, struct assay_error *err)
{
	struct sign_run *run = state->run;
	int r = 0;

	if (job->result < 0 && job->fatal)
		return assay_fail(err, -job->result, "%s", job->err.text);
	if (job->result < 0) {
		r = tell_failed(state, job->path, &job->err, err);
	} else {
		run->signed_files++;
		run->reused += job->reused;
		run->bytes += job->size;
	}
	if (r == 0 && run->list && job->result == 0)
		r = list_job(run, job, err);
	if (r == 0 && makes_lines(run))
		r = manifest_writer_add(run->writer,
					job->result < 0 ? BYTES(NULL, 0) : buffer_bytes(&job->line),
					err);
	return r;
}

static int take_job(struct run_state *state, struct assay_error *err)
{
	const struct sign_events *events = &state->run->events;
	struct sign_job *job = sign_job_taken(state->pool);
	/* The threads close the descriptors of all others, too, so what tells is the size. */
	bool other = job->result == 0 && job->digest.size == 0;
	int r;

	settle_link(state, job, other);
	r = settle_job(state, job, err);
	state->files++;
	events->done(events->context, state->files, state->run->bytes);
	sign_job_free(job);
	return r;
}

/* ---------------------------------------------------------------- all */

static int go_through(struct run_state *state, struct assay_error *err)
{
	const struct sign_events *events = &state->run->events;
	bool more = true;
	int r = 0;

	for (;;) {
		while (more && r == 0 && !events->stop(events->context) &&
		       verity_pool_room(state->pool) > 0)
			more = put_next(state, &r, err);
		if (r < 0 || verity_pool_count(state->pool) == 0)
			return r;
		r = take_job(state, err);
		if (r < 0)
			return r;
	}
}

static int judge_end(const struct run_state *state, struct assay_error *err)
{
	const struct sign_run *run = state->run;
	int r;

	if (run->events.stop(run->events.context))
		return assay_fail(err, EINTR, "interrupted");
	r = run->older ? reuse_check(run->older, err) : 0;
	if (r < 0)
		return r;
	if (run->failed > 0)
		return assay_fail(err, EIO, "%" PRIu64 " of %" PRIu64 " files could not be signed",
				  run->failed, run->signed_files + run->failed);
	if (state->files == 0)
		return assay_fail(err, ENOENT, "there is no regular file there");
	return 0;
}

int sign_run_files(struct sign_run *run, struct assay_error *err)
{
	struct run_state state = { .run = run, .links = links_new() };
	const struct verity_steps steps = sign_job_steps(run->work, run->threads);
	int r;

	if (!state.links)
		return out_of_memory(err);
	r = verity_pool_new_steps(&run->work->parameters, run->threads, &steps, run->work,
				  &state.pool, err);
	if (r == 0)
		r = go_through(&state, err);
	if (r == 0)
		r = judge_end(&state, err);
	/* The threads first: all else is theirs until they end. */
	verity_pool_free(state.pool);
	links_free(state.links);
	return r;
}
