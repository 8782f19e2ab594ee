/* SPDX-License-Identifier: MIT */
/*
 * Signs the files of a source on all threads, in order: the loop between sign/source.h, which
 * finds them, sign/job.h, which signs one, and sign/manifest_writer.h.
 *
 * For commands that sign.
 */
#ifndef ASSAY_SIGN_SIGN_RUN_H
#define ASSAY_SIGN_SIGN_RUN_H

#include "sign/job.h"
#include "sign/manifest_writer.h"
#include "sign/source.h"

/**
 * struct sign_events - what the run tells on its way; each is called by the caller's thread
 * @failed: a file could not be signed; 0 to go on, or a negative errno with *err set
 * @skipped: what is neither file nor directory
 * @noted: what the source tells and is no failure; @path may be NULL
 * @done: another file was dealt with; so many are, with so many bytes signed
 * @stop: is the run to end? Whatever was begun is finished: signatures are dear
 */
struct sign_events {
	void *context;
	int (*failed)(void *context, const char *path, const struct assay_error *why,
		      struct assay_error *err);
	void (*skipped)(void *context, const struct source_item *item);
	void (*noted)(void *context, const char *path, const struct assay_error *what);
	void (*done)(void *context, uint64_t files, uint64_t bytes);
	bool (*stop)(void *context);
};

#define SIGN_RUN_OWN 16

/**
 * struct sign_run - what is signed, and what came of it
 * @work: how; sign_work_begin() was called
 * @source: where the files come from
 * @writer: the manifest; NULL: none
 * @older: a manifest to take unchanged files over from; NULL: none
 * @prepared: what was found when it was prepared; NULL: nothing was
 * @list: gets what there is to sign; NULL: it is signed
 * @own: files that are not signed, as they belong to the run; @own_count of them
 * @threads: as for verity_pool_new()
 * @signed_files, @bytes: files that were signed, and their data
 * @linked, @reused: of these, further links, and files that were not read again
 * @skipped, @failed: what was told so
 */
struct sign_run {
	struct sign_work *work;
	struct source *source;
	struct manifest_writer *writer;
	struct reuse *older;
	struct prepared *prepared;
	struct prepared_writer *list;
	struct stat own[SIGN_RUN_OWN];
	size_t own_count;
	unsigned int threads;
	struct sign_events events;
	uint64_t signed_files, bytes, linked, reused, skipped, failed;
};

/*
 * sign_run_is_signature() - is it what --detached wrote, and so not to be signed?
 */
bool sign_run_is_signature(const struct sign_work *work, const char *path);

/*
 * sign_run_files() - sign all of them; the manifest is left to be committed
 *
 * Return: 0; -EIO if files failed, once all others are signed; -ENOENT if there is none; -EINTR
 * if it was stopped; else why there was no use in going on
 */
int sign_run_files(struct sign_run *run, struct assay_error *err);

#endif /* ASSAY_SIGN_SIGN_RUN_H */
