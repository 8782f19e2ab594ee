// SPDX-License-Identifier: MIT
/* `assay sign`: files signed; to a signed manifest, to detached signatures, to the xattr. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/work.h"
#include "sign/certificate_judge.h"
#include "sign/delegate.h"
#include "sign/job.h"
#include "sign/links.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"
#include "sign/reuse.h"
#include "sign/tree.h"
#include "tpm/signer.h"

#define FREE_SPACE "; free some space and try again"
#define PARTIAL_SUFFIX ".partial"

/* The most bytes of a list of files: some millions of them. */
#define LIST_MAX ((size_t)1 << 30)

struct names {
	const char **list;
	size_t count;
};

struct sign_options {
	struct signer_source key;
	const char *certificate, *root, *manifest, *incremental, *list;
	const char *delegate_certificate, *product;
	struct names include, exclude;
	const char *const *paths;
	size_t path_count;
	struct verity_parameters parameters;
	unsigned int jobs;
	bool nul, delegate, pkcs7, ima, kinds, detached, xattr, no_resume, json;
	bool accept_file_signature;
};

/**
 * struct sign_run - one call of the command
 * @own: what must not be signed, should it lie below the root: the manifest and its
 *       signature, both those being written and those to be replaced
 * @key: the signing key; @delegate: its delegate, with --delegate; @work has the one that
 *       signs files
 * @list: text of the list of files; @listed: where the paths in it begin
 * @manifest: is written as @partial as soon as that has all of what it had before
 * @broken: what an interrupted run left, @older: the manifest of --incremental
 * @adopt_at: so many jobs taken, and @manifest becomes @partial; 0: it is
 * @failed: paths that could not be signed; with one of them the manifest stays partial
 */
struct sign_run {
	const struct sign_options *options;
	struct sign_work work;
	struct signer *key, *delegate;
	X509 *certificate, *delegate_certificate;
	enum delegate_memory delegate_memory;
	struct manifest_header header;
	struct buffer list;
	struct names listed;
	struct tree *tree;
	struct work *pool;
	struct links *links;
	struct reuse *broken, *older;
	struct file_writer manifest, signature;
	char *signature_path, *partial_path;
	struct stat own[5];
	size_t own_count;
	struct progress progress;
	struct timespec start, flushed;
	uint64_t files, bytes, signed_files, reused, linked, skipped;
	uint64_t put, taken, adopt_at;
	bool partial_kept;
	json_t *failed;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

/* ---------------------------------------------------------------- what to sign with */

/* Before anything is signed: all that can be wrong with key and certificate. */
static int open_key(struct sign_run *run, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	int r = certificate_load(options->certificate, &run->certificate, err);

	if (r < 0)
		return r;
	r = signer_open(&options->key, &run->key, err);
	if (r < 0)
		return r;
	r = certificate_check_signer(run->certificate, run->key, err);
	if (r == 0)
		r = certificate_judge_at(run->certificate, (uint64_t)time(NULL), err);
	if (r == 0)
		r = manifest_begin(&run->header, &options->parameters, run->certificate, err);
	if (r == 0 && options->product)
		r = manifest_set_product(&run->header, options->product, err);
	if (r < 0)
		return assay_fail_context(err, "%s", options->certificate);
	return 0;
}

static int write_certificate(X509 *certificate, const char *path, struct assay_error *err)
{
	struct buffer pem = { 0 };
	int r = certificate_append_pem(certificate, &pem, err);

	if (r == 0)
		r = file_write(path, buffer_bytes(&pem), 0644, err);
	buffer_free(&pem);
	return r;
}

static int begin_work(struct sign_run *run, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	int r;

	run->work = (struct sign_work){
		.signer = run->key,
		.certificate = run->certificate,
		.own_certificate = run->certificate,
		.pkcs7 = options->pkcs7,
		.ima = options->ima,
		.line = options->manifest != NULL,
		.detached = options->detached,
		.xattr = options->xattr,
		.root_fd = run->work.root_fd,
		.parameters = options->parameters,
	};
	if (options->delegate) {
		r = delegate_new(run->key, run->certificate, run->header.id, &run->delegate,
				 &run->delegate_certificate, &run->delegate_memory, err);
		if (r < 0)
			return r;
		run->work.signer = run->delegate;
		run->work.certificate = run->delegate_certificate;
		run->work.delegated = true;
		if (options->delegate_certificate)
			r = write_certificate(run->delegate_certificate,
					      options->delegate_certificate, err);
		if (r < 0)
			return r;
	}
	r = sign_work_begin(&run->work, err);
	if (r < 0)
		return r;
	return work_new(options->jobs, sign_job_run, &run->work, &run->pool, err);
}

/* ---------------------------------------------------------------- what to sign */

static bool names_add(struct names *names, const char *name)
{
	/* Room doubles whenever the count is a power of two. */
	if ((names->count & (names->count - 1)) == 0) {
		const char **list = reallocarray(names->list, names->count ? 2 * names->count : 1,
						 sizeof(*list));

		if (!list)
			return false;
		names->list = list;
	}
	names->list[names->count++] = name;
	return true;
}

static int read_list(struct sign_run *run, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	const char separator = options->nul ? '\0' : '\n';
	char *at, *end;
	int r = file_read(options->list, LIST_MAX, &run->list, err);

	if (r < 0)
		return r;
	buffer_append_u8(&run->list, (uint8_t)separator);
	if (run->list.failed)
		return out_of_memory(err);
	at = (char *)run->list.data;
	end = at + run->list.size;
	while (at < end) {
		char *stop = memchr(at, separator, (size_t)(end - at));

		/* A NUL within a line would cut the path off, unseen. */
		if (!options->nul && memchr(at, '\0', (size_t)(stop - at)))
			return assay_fail(err, EINVAL,
					  "%s: there is a NUL in the list; is it for -0?",
					  options->list);
		*stop = '\0';
		if (stop > at && !names_add(&run->listed, at))
			return out_of_memory(err);
		at = stop + 1;
	}
	return 0;
}

static void free_list(struct sign_run *run)
{
	free(run->listed.list);
	run->listed = (struct names){ 0 };
	buffer_free(&run->list);
}

static struct tree_options tree_options(const struct sign_run *run)
{
	const struct sign_options *options = run->options;

	return (struct tree_options){
		.paths = options->list ?
				 (struct tree_names){ run->listed.list, run->listed.count } :
				 (struct tree_names){ options->paths, options->path_count },
		.include = { options->include.list, options->include.count },
		.exclude = { options->exclude.list, options->exclude.count },
		.list = options->list != NULL,
	};
}

/* Its own signatures are not what --detached is to sign. */
static bool is_detached_signature(const struct sign_run *run, const char *path)
{
	size_t length = strlen(path), suffix = strlen(SIGN_DETACHED_SUFFIX);

	return run->options->detached && length > suffix &&
	       strcmp(path + length - suffix, SIGN_DETACHED_SUFFIX) == 0;
}

/* How much there is, for the time left: only where somebody looks at it. */
static int count_files(struct sign_run *run, struct assay_error *err)
{
	struct tree_options options = tree_options(run);
	struct tree_item item;
	enum tree_kind kind;
	struct tree *tree;
	int r;

	if (!run->progress.terminal)
		return 0;
	options.closed = true;
	r = tree_open(run->options->root, &options, &tree, err);
	if (r < 0)
		return r;
	while (!interrupted && (kind = tree_next(tree, &item, NULL)) != TREE_END) {
		if (kind == TREE_FILE && !is_detached_signature(run, item.path)) {
			run->progress.total++;
			run->progress.total_bytes += (uint64_t)item.stat.st_size;
		}
		free(item.path);
	}
	tree_close(tree);
	return 0;
}

static int open_tree(struct sign_run *run, struct assay_error *err)
{
	const char *root = run->options->root;
	struct tree_options options;
	int r = 0;

	run->work.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->work.root_fd < 0)
		return assay_fail(err, errno, "cannot open the directory %s: %s", root,
				  strerror(errno));
	if (run->options->list)
		r = read_list(run, err);
	if (r == 0)
		r = count_files(run, err);
	if (r < 0)
		return r;
	options = tree_options(run);
	r = tree_open(root, &options, &run->tree, err);
	free_list(run);
	return r;
}

/* ---------------------------------------------------------------- the manifest being written */

/* A file to replace, if it is there; or the one being written. */
static void add_own(struct sign_run *run, const char *path, FILE *stream)
{
	struct stat *place = &run->own[run->own_count];

	if ((path && stat(path, place) == 0) || (stream && fstat(fileno(stream), place) == 0))
		run->own_count++;
}

static bool is_own(const struct sign_run *run, const struct stat *st)
{
	for (size_t i = 0; i < run->own_count; i++)
		if (run->own[i].st_dev == st->st_dev && run->own[i].st_ino == st->st_ino)
			return true;
	return false;
}

static int write_failed(const struct sign_run *run, int code, struct assay_error *err)
{
	return assay_fail(err, code, "cannot write %s: %s%s", run->options->manifest,
			  strerror(code), code == ENOSPC ? FREE_SPACE : "");
}

/* From now on what is written outlives the run. */
static int adopt(struct sign_run *run, struct assay_error *err)
{
	char *path = strdup(run->partial_path);

	if (!path)
		return out_of_memory(err);
	if (fflush(run->manifest.stream) != 0 || rename(run->manifest.temporary, path) < 0) {
		int code = errno;

		free(path);
		return write_failed(run, code, err);
	}
	free(run->manifest.temporary);
	run->manifest.temporary = path;
	run->partial_kept = true;
	run->adopt_at = 0;
	return 0;
}

/* What an interrupted run left, unless nothing is of use. */
static int open_broken(struct sign_run *run, struct assay_error *err)
{
	int r;

	if (run->options->no_resume)
		return 0;
	r = reuse_open(run->partial_path, REUSE_BROKEN, &run->header, run->certificate, 0,
		       &run->broken, err);
	if (r == -ENOENT || r == -ENODATA)
		return 0;
	if (r == -EINVAL)
		assay_fail_context(
			err, "an interrupted run cannot be taken up (--no-resume forgets it)");
	return r;
}

static int begin_manifest(struct sign_run *run, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	struct buffer line = { 0 };
	int r;

	if (options->incremental) {
		r = reuse_open(options->incremental, REUSE_SIGNED, &run->header, run->certificate,
			       options->accept_file_signature ? MANIFEST_ACCEPT_FILE_SIGNATURE : 0,
			       &run->older, err);
		if (r < 0)
			return r;
	}
	if (!options->manifest)
		return 0;
	if (asprintf(&run->signature_path, "%s" MANIFEST_SIGNATURE_SUFFIX, options->manifest) < 0)
		run->signature_path = NULL;
	if (asprintf(&run->partial_path, "%s" PARTIAL_SUFFIX, options->manifest) < 0)
		run->partial_path = NULL;
	if (!run->signature_path || !run->partial_path)
		return out_of_memory(err);
	r = open_broken(run, err);
	if (r < 0)
		return r;
	add_own(run, options->manifest, NULL);
	add_own(run, run->signature_path, NULL);
	add_own(run, run->partial_path, NULL);
	r = file_begin(&run->manifest, options->manifest, 0644, err);
	if (r < 0)
		return r;
	if (!run->manifest.temporary)
		return assay_fail(err, EINVAL,
				  "the manifest %s must be a regular file: it is read again to be "
				  "signed",
				  options->manifest);
	add_own(run, NULL, run->manifest.stream);
	/* Where it cannot be locked, two runs at a time are not told apart. */
	(void)flock(fileno(run->manifest.stream), LOCK_EX | LOCK_NB);
	r = file_begin(&run->signature, run->signature_path, 0644, err);
	if (r < 0)
		return r;
	add_own(run, NULL, run->signature.stream);
	r = manifest_append_header(&run->header, &line, err);
	if (r == 0)
		fwrite(line.data, 1, line.size, run->manifest.stream);
	buffer_free(&line);
	if (r == 0 && !run->broken)
		r = adopt(run, err);
	return r;
}

static int write_line(struct sign_run *run, const struct sign_job *job, struct assay_error *err)
{
	struct timespec now;

	if (!run->options->manifest)
		return 0;
	errno = 0;
	if (fwrite(job->line.data, 1, job->line.size, run->manifest.stream) != job->line.size)
		return write_failed(run, errno ? errno : EIO, err);
	/* Should the machine stop, a second's signatures are lost. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > run->flushed.tv_sec + 1) {
		run->flushed = now;
		if (fflush(run->manifest.stream) != 0)
			return write_failed(run, errno, err);
	}
	return 0;
}

/* ---------------------------------------------------------------- signing */

/* Says on standard error what happened to a file; goes on. */
static int note_failed(struct sign_run *run, const char *path, const struct assay_error *why,
		       struct assay_error *err)
{
	json_t *item;

	progress_end(&run->progress);
	command_failed(&command_sign, why);
	item = json_pack("{s:o, s:s}", "path",
			 json_escaped(BYTES((const uint8_t *)path, strlen(path))), "error",
			 why->text);
	return json_array_append_new(run->failed, item) == 0 ? 0 : out_of_memory(err);
}

static void note_skipped(struct sign_run *run, const struct tree_item *item)
{
	char shown[512];

	run->skipped++;
	/* There are many links, and what they name is signed by itself. */
	if (S_ISLNK(item->stat.st_mode))
		return;
	progress_end(&run->progress);
	fprintf(stderr, "%s sign: skipped %s: it is not a regular file\n",
		program_invocation_short_name,
		text_escape(BYTES((const uint8_t *)item->path, strlen(item->path)), shown,
			    sizeof(shown)));
}

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
static int find_link(struct sign_run *run, struct sign_job *job, struct assay_error *err)
{
	struct link *link;

	if (job->stat.st_nlink < 2)
		return 0;
	link = links_find(run->links, &job->stat);
	if (!link)
		return links_add(run->links, job->path, &job->stat) ? 0 : out_of_memory(err);
	if (link->stat.st_size != job->stat.st_size ||
	    link->stat.st_mtim.tv_sec != job->stat.st_mtim.tv_sec ||
	    link->stat.st_mtim.tv_nsec != job->stat.st_mtim.tv_nsec)
		return 0; /* it changed since, and is looked at anew */
	close(job->fd);
	job->fd = -1;
	return 0;
}

static int put_file(struct sign_run *run, struct tree_item *item, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct sign_job *job;
	int r;

	/* A path that no manifest can hold may be signed to other places. */
	if (run->options->manifest && manifest_check_path(item->path, &why) < 0) {
		r = note_failed(run, item->path, &why, err);
		close(item->fd);
		free(item->path);
		return r;
	}
	job = calloc(1, sizeof(*job));
	if (!job) {
		close(item->fd);
		free(item->path);
		return out_of_memory(err);
	}
	job->path = item->path;
	job->fd = item->fd;
	job->stat = item->stat;
	r = find_old(run->broken, false, job, err);
	if (r == 0)
		r = find_old(run->older, true, job, err);
	if (r == 0)
		r = find_link(run, job, err);
	if (r < 0) {
		sign_job_free(job);
		return r;
	}
	work_put(run->pool, job);
	run->put++;
	if (run->broken && reuse_ended(run->broken) && run->adopt_at == 0 && !run->partial_kept)
		run->adopt_at = run->put;
	return 0;
}

/* The next thing in the tree; false at its end. */
static bool put(struct sign_run *run, int *ret, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct tree_item item;

	*ret = 0;
	switch (tree_next(run->tree, &item, &why)) {
	case TREE_END:
		return false;
	case TREE_FILE:
		if (!is_own(run, &item.stat) && !is_detached_signature(run, item.path)) {
			*ret = put_file(run, &item, err);
			return true;
		}
		close(item.fd);
		break;
	case TREE_SKIPPED:
		note_skipped(run, &item);
		break;
	case TREE_FAILED:
		*ret = note_failed(run, item.path ? item.path : "", &why, err);
		break;
	}
	free(item.path);
	return true;
}

/* A job of another link: as the first one's. */
static void copy_link(struct sign_run *run, struct sign_job *job, const struct link *link)
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
	sign_job_finish(&run->work, job);
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

static void settle_link(struct sign_run *run, struct sign_job *job, bool other)
{
	struct link *link = job->stat.st_nlink < 2 ? NULL : links_find(run->links, &job->stat);

	if (!link)
		return;
	if (other) {
		copy_link(run, job, link);
		run->linked++;
	} else if (link->result == 1) {
		keep_for_links(job, link);
	}
	links_seen(run->links, link);
}

static int take(struct sign_run *run, struct assay_error *err)
{
	struct sign_job *job = work_take(run->pool);
	/* sign_job_run() closes the descriptors of all others, too, so what tells is the size. */
	bool other = job->result == 0 && job->digest.size == 0;
	int r = 0;

	run->taken++;
	settle_link(run, job, other);
	if (job->result < 0 && job->fatal) {
		r = assay_fail(err, -job->result, "%s", job->err.text);
	} else if (job->result < 0) {
		r = note_failed(run, job->path, &job->err, err);
	} else {
		r = write_line(run, job, err);
		run->signed_files++;
		run->reused += job->reused;
		run->bytes += job->size;
	}
	run->files++;
	progress_update_bytes(&run->progress, run->files, run->bytes);
	sign_job_free(job);
	if (r == 0 && run->adopt_at > 0 && run->taken >= run->adopt_at)
		r = adopt(run, err);
	return r;
}

/* Whatever was begun when the run was interrupted is finished: signatures are dear. */
static int sign_tree(struct sign_run *run, struct assay_error *err)
{
	bool more = true;
	int r = 0;

	while (r == 0) {
		while (more && r == 0 && !interrupted && work_room(run->pool) > 0)
			more = put(run, &r, err);
		if (r < 0 || work_count(run->pool) == 0)
			break;
		r = take(run, err);
	}
	if (r < 0)
		return r;
	if (interrupted)
		return assay_fail(err, EINTR, "interrupted");
	if (run->older)
		r = reuse_check(run->older, err);
	if (r < 0)
		return r;
	if (json_array_size(run->failed) > 0)
		return assay_fail(err, EIO, "%zu of %" PRIu64 " files could not be signed",
				  json_array_size(run->failed),
				  run->signed_files + json_array_size(run->failed));
	if (run->files == 0)
		return assay_fail(err, ENOENT, "there is no regular file below %s%s",
				  run->options->root,
				  run->options->path_count > 0 ? " at the paths given" : "");
	return 0;
}

/* ---------------------------------------------------------------- the end */

/* Sees to it that what can fail for want of space fails before anything is in place. */
static int settle(struct file_writer *writer, struct assay_error *err)
{
	errno = 0;
	if (fflush(writer->stream) == 0 && !ferror(writer->stream) &&
	    fsync(fileno(writer->stream)) == 0)
		return 0;
	if (errno == 0)
		errno = EIO;
	return assay_fail(err, errno, "cannot write %s: %s%s", writer->path, strerror(errno),
			  errno == ENOSPC ? FREE_SPACE : "");
}

/* The manifest's own signature, then both files in place. */
static int finish(struct sign_run *run, struct assay_error *err)
{
	struct sign_work *work = &run->work;
	struct buffer signature = { 0 };
	struct verity_hasher *hasher;
	struct assay_digest digest;
	int r;

	if (!run->options->manifest)
		return 0;
	r = settle(&run->manifest, err);
	if (r < 0)
		return r;
	r = verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, err);
	if (r < 0)
		return r;
	r = verity_hash_fd(hasher, fileno(run->manifest.stream), run->options->manifest, &digest,
			   NULL, err);
	verity_hasher_free(hasher);
	if (r == 0)
		r = manifest_sign(work->signer, work->certificate, work->delegated, &digest,
				  &signature, err);
	if (r == 0) {
		fwrite(signature.data, 1, signature.size, run->signature.stream);
		r = settle(&run->signature, err);
	}
	buffer_free(&signature);
	/* Between the two renames old and new do not fit together, and verifying fails. */
	if (r == 0)
		r = file_commit(&run->signature, err);
	if (r == 0)
		r = file_commit(&run->manifest, err);
	if (r == 0) {
		/* If there was none to take up, it has just been renamed. */
		unlink(run->partial_path);
		run->partial_kept = false;
	}
	return r;
}

/* After a failure: the signatures that were made stay, for the next run. */
static void keep_partial(struct sign_run *run)
{
	if (!run->manifest.path)
		return;
	if (run->partial_kept && run->signed_files > 0) {
		if (run->manifest.stream)
			fclose(run->manifest.stream);
		run->manifest.stream = NULL;
		free(run->manifest.temporary);
		run->manifest.temporary = NULL;
	} else {
		run->partial_kept = run->broken && !run->partial_kept;
	}
	file_abort(&run->manifest);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void print_text(const struct sign_run *run)
{
	printf("signed %" PRIu64 " files, %" PRIu64 " bytes, in %.2f s", run->signed_files,
	       run->bytes, seconds_since(&run->start));
	if (run->linked > 0)
		printf("; %" PRIu64 " are further links", run->linked);
	if (run->reused > 0)
		printf("; %" PRIu64 " had not changed", run->reused);
	if (run->options->manifest)
		printf(": %s, %s", run->options->manifest, run->signature_path);
	putchar('\n');
}

/* What failed was told when it did; this is what to look at. */
static void print_failed(const struct sign_run *run, bool good)
{
	if (json_array_size(run->failed) > 0)
		fprintf(stderr, "%s sign: not signed:\n", program_invocation_short_name);
	for (size_t i = 0; i < json_array_size(run->failed); i++)
		fprintf(stderr, "  %s\n",
			json_string_value(json_object_get(json_array_get(run->failed, i), "path")));
	if (!good && run->options->manifest)
		fprintf(stderr, "%s sign: no manifest was written%s%s%s\n",
			program_invocation_short_name,
			run->partial_kept ? "; what was done is in " : "",
			run->partial_kept ? run->partial_path : "",
			run->partial_kept ? ": the same command goes on from there" : "");
}

static int print_summary(const struct sign_run *run, bool good, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	json_t *object;

	print_failed(run, good);
	if (!options->json) {
		if (good)
			print_text(run);
		return 0;
	}
	object = json_pack("{s:b, s:s?, s:s?, s:s?, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:O, s:f}",
			   "ok", good, "manifest", options->manifest, "signature",
			   run->signature_path, "partial",
			   run->partial_kept ? run->partial_path : NULL, "id", run->header.id,
			   "delegate", options->delegate, "files", (json_int_t)run->signed_files,
			   "bytes", (json_int_t)run->bytes, "links", (json_int_t)run->linked,
			   "reused", (json_int_t)run->reused, "skipped", (json_int_t)run->skipped,
			   "failed", run->failed, "seconds", seconds_since(&run->start));
	if (options->delegate)
		json_object_set_new(object, "delegate_memory",
				    json_string(run->delegate_memory == DELEGATE_SECRET ?
							"memfd_secret" :
							"mlock"));
	return command_print_json(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6), err);
}

static void run_free(struct sign_run *run)
{
	/* The threads first: all else is theirs until they end. */
	work_free(run->pool, sign_job_free);
	sign_work_end(&run->work);
	tree_close(run->tree);
	links_free(run->links);
	reuse_close(run->broken);
	reuse_close(run->older);
	if (run->manifest.path)
		file_abort(&run->manifest);
	if (run->signature.path)
		file_abort(&run->signature);
	if (run->delegate)
		run->delegate->close(run->delegate);
	if (run->key)
		run->key->close(run->key);
	X509_free(run->delegate_certificate);
	X509_free(run->certificate);
	if (run->work.root_fd >= 0)
		close(run->work.root_fd);
	free_list(run);
	free(run->signature_path);
	free(run->partial_path);
	json_decref(run->failed);
}

static int begin(struct sign_run *run, struct assay_error *err)
{
	int r;

	run->links = links_new();
	if (!run->failed || !run->links)
		return out_of_memory(err);
	r = open_key(run, err);
	if (r == 0)
		r = open_tree(run, err);
	if (r == 0)
		r = begin_manifest(run, err);
	if (r == 0)
		r = begin_work(run, err);
	return r;
}

static int sign(const struct sign_options *options)
{
	struct sign_run run = { .options = options, .failed = json_array(), .work.root_fd = -1 };
	struct assay_error err = { 0 }, output = { 0 };
	int r, status = EXIT_OK;
	bool began;

	clock_gettime(CLOCK_MONOTONIC, &run.start);
	progress_begin(&run.progress, "signing", 0);
	r = begin(&run, &err);
	began = r == 0;
	if (r == 0)
		r = sign_tree(&run, &err);
	progress_end(&run.progress);
	if (r == 0)
		r = finish(&run, &err);
	if (r < 0) {
		status = command_failed(&command_sign, &err);
		keep_partial(&run);
	}
	if (began && print_summary(&run, r == 0, &output) < 0)
		status = command_failed(&command_sign, &output);
	if (status == EXIT_OK)
		status = command_flush(&command_sign);
	run_free(&run);
	return status;
}

/* ---------------------------------------------------------------- the call */

static int set_kinds(struct sign_options *options, const char *text, struct assay_error *err)
{
	options->kinds = true;
	options->pkcs7 = strcmp(text, "pkcs7") == 0 || strcmp(text, "both") == 0;
	options->ima = strcmp(text, "ima") == 0 || strcmp(text, "both") == 0;
	if (!options->pkcs7 && !options->ima)
		return assay_fail(err, EINVAL, "--signatures is pkcs7, ima or both, not '%s'",
				  text);
	return 0;
}

static const char *check_options(struct sign_options *options)
{
	if (!options->key.key || !options->certificate)
		return "--key and --cert are needed";
	if (!options->manifest && !options->detached && !options->xattr)
		return "where are the signatures to go? --manifest, --detached or --xattr is "
		       "needed";
	if (!options->root)
		return "--root is needed";
	if (options->list && options->path_count > 0)
		return "PATHs and --files-from exclude each other";
	if (options->nul && !options->list)
		return "-0 is for --files-from";
	if (options->product && !options->manifest)
		return "--product is for --manifest";
	if (options->incremental && !options->manifest)
		return "--incremental is for --manifest";
	if (options->accept_file_signature && !options->incremental)
		return "--accept-file-signature is for --incremental";
	if (options->delegate_certificate && !options->delegate)
		return "--delegate-cert is for --delegate";
	if (!options->kinds) {
		/* IMA would not find the key of a delegate. */
		options->pkcs7 = options->manifest || options->detached;
		options->ima = options->xattr || (options->manifest && !options->delegate);
	}
	if (options->detached && !options->pkcs7)
		return "--detached is for pkcs7 signatures";
	if (options->xattr && !options->ima)
		return "--xattr is for ima signatures";
	return NULL;
}

/* A directory a level is open, and files in flight besides. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };
	struct sigaction before;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

enum {
	OPT_KEY = 256,
	OPT_CERT,
	OPT_PASSPHRASE_FILE,
	OPT_TCTI,
	OPT_ROOT,
	OPT_MANIFEST,
	OPT_PRODUCT,
	OPT_DETACHED,
	OPT_XATTR,
	OPT_SIGNATURES,
	OPT_DELEGATE,
	OPT_DELEGATE_CERT,
	OPT_LIST,
	OPT_INCLUDE,
	OPT_EXCLUDE,
	OPT_INCREMENTAL,
	OPT_NO_RESUME,
	OPT_ACCEPT_FILE_SIGNATURE,
	OPT_JOBS,
	OPT_JSON,
};

/* What options say with a value that may be wrong. */
static int take_value(struct sign_options *options, int option, struct assay_error *err)
{
	switch (option) {
	case OPT_SIGNATURES:
		return set_kinds(options, optarg, err);
	case OPT_JOBS:
		return command_jobs(optarg, &options->jobs, err);
	case OPT_INCLUDE:
		return names_add(&options->include, optarg) ? 0 : out_of_memory(err);
	case OPT_EXCLUDE:
		return names_add(&options->exclude, optarg) ? 0 : out_of_memory(err);
	default:
		return command_verity_option(option, optarg, &options->parameters, err);
	}
}

static int take_option(struct sign_options *options, int option, struct assay_error *err)
{
	const struct {
		int option;
		const char **text;
		bool *flag;
	} places[] = {
		{ OPT_KEY, &options->key.key, NULL },
		{ OPT_CERT, &options->certificate, NULL },
		{ OPT_PASSPHRASE_FILE, &options->key.passphrase_file, NULL },
		{ OPT_TCTI, &options->key.tpm.tcti, NULL },
		{ OPT_ROOT, &options->root, NULL },
		{ OPT_MANIFEST, &options->manifest, NULL },
		{ OPT_PRODUCT, &options->product, NULL },
		{ OPT_DETACHED, NULL, &options->detached },
		{ OPT_XATTR, NULL, &options->xattr },
		{ OPT_DELEGATE, NULL, &options->delegate },
		{ OPT_DELEGATE_CERT, &options->delegate_certificate, NULL },
		{ OPT_LIST, &options->list, NULL },
		{ '0', NULL, &options->nul },
		{ OPT_INCREMENTAL, &options->incremental, NULL },
		{ OPT_NO_RESUME, NULL, &options->no_resume },
		{ OPT_ACCEPT_FILE_SIGNATURE, NULL, &options->accept_file_signature },
		{ OPT_JSON, NULL, &options->json },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].option != option)
			continue;
		if (places[i].text)
			*places[i].text = optarg;
		else
			*places[i].flag = true;
		return 0;
	}
	return take_value(options, option, err);
}

static int run_sign(int argc, char **argv)
{
	static const struct option table[] = {
		{ "key", required_argument, NULL, OPT_KEY },
		{ "cert", required_argument, NULL, OPT_CERT },
		{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE },
		{ "tcti", required_argument, NULL, OPT_TCTI },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "manifest", required_argument, NULL, OPT_MANIFEST },
		{ "product", required_argument, NULL, OPT_PRODUCT },
		{ "detached", no_argument, NULL, OPT_DETACHED },
		{ "xattr", no_argument, NULL, OPT_XATTR },
		{ "signatures", required_argument, NULL, OPT_SIGNATURES },
		{ "delegate", no_argument, NULL, OPT_DELEGATE },
		{ "delegate-cert", required_argument, NULL, OPT_DELEGATE_CERT },
		{ "files-from", required_argument, NULL, OPT_LIST },
		{ "null", no_argument, NULL, '0' },
		{ "include", required_argument, NULL, OPT_INCLUDE },
		{ "exclude", required_argument, NULL, OPT_EXCLUDE },
		{ "incremental", required_argument, NULL, OPT_INCREMENTAL },
		{ "no-resume", no_argument, NULL, OPT_NO_RESUME },
		{ "accept-file-signature", no_argument, NULL, OPT_ACCEPT_FILE_SIGNATURE },
		{ "jobs", required_argument, NULL, OPT_JOBS },
		COMMAND_VERITY_OPTIONS,
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct sign_options options = { .parameters = VERITY_PARAMETERS_DEFAULT };
	struct assay_error err = { 0 };
	const char *wrong = NULL;
	int c, status;

	while (!wrong &&
	       (c = command_option(&command_sign, argc, argv, ":h0", table, &status)) != -1)
		if (take_option(&options, c, &err) < 0)
			wrong = err.text;
	if (!wrong && status < 0) {
		options.paths = (const char *const *)(argv + optind);
		options.path_count = (size_t)(argc - optind);
		wrong = check_options(&options);
	}
	if (wrong) {
		status = command_usage(&command_sign, "%s", wrong);
	} else if (status < 0) {
		allow_descriptors();
		catch_signals();
		status = sign(&options);
	}
	free(options.include.list);
	free(options.exclude.list);
	/* Let those who wait for us see why we end. */
	if (interrupted)
		raise(interrupted);
	return status;
}

const struct command command_sign = {
	.name = "sign",
	.summary = "sign files, and write the signed manifest of them",
	.help = "Usage: assay sign --key KEY --cert CERT.pem --root DIR --manifest OUT\n"
		"                  [OPTION]... [PATH]...\n"
		"\n"
		"Computes the fs-verity digest of each regular file below DIR, or below the\n"
		"PATHs in it, and signs it for fs-verity (PKCS#7) and for IMA (version 3). With\n"
		"--manifest all goes to the manifest OUT, and OUT's own signature to OUT.p7s.\n"
		"Symbolic links are not followed, special files are skipped, further hard links\n"
		"of a file get the first one's signatures. A file that cannot be read, or\n"
		"changes while it is, is named, and the others are signed all the same; then\n"
		"OUT is not written, and what was done stays in OUT.partial, as it does when the\n"
		"run is interrupted: the same command goes on from there.\n"
		"\n"
		"Key:\n" SIGNER_KEY_HELP
		"  --cert CERT.pem       the key's certificate; needs a subject key id\n"
		"  --delegate            ask KEY for one signature only: it certifies a key that\n"
		"                        lives as long as the run and signs the files. The kernel\n"
		"                        takes these with CERT.pem alone, IMA does not\n"
		"  --delegate-cert FILE  write that key's certificate (for IMA's keyring)\n"
		"\n"
		"Files:\n"
		"  --root DIR            paths begin here: DIR/usr/x is /usr/x\n"
		"  --files-from LIST     sign the files that LIST ('-': standard input) names, "
		"one\n"
		"                        a line, and nothing else; directories in it are skipped\n"
		"  -0, --null            the names in LIST end in NUL\n"
		"  --include PATTERN     only files that match, or lie in a directory that does\n"
		"  --exclude PATTERN     not those; both may be given several times. A PATTERN "
		"with\n"
		"                        a '/' is of the whole path, one without of a name\n"
		"  --incremental OLD     do not read files again that are as OLD, a manifest of\n"
		"                        the same signer, has them (size, mtime, ctime, inode)\n"
		"  --accept-file-signature\n"
		"                        OLD may be signed as a file is, as earlier versions did\n"
		"\n"
		"Signatures:\n"
		"  --manifest OUT        manifest to write\n"
		"  --product TEXT        say in the manifest what the files are of, for verifiers\n"
		"                        that accept the manifests of some products only\n"
		"  --detached            write FILE.sig beside each FILE, as 'fsverity sign' does\n"
		"  --xattr               set security.ima of each file\n"
		"  --signatures KIND     pkcs7, ima or both (what the places above can hold;\n"
		"                        pkcs7 with --delegate)\n"
		"  --no-resume           forget what an interrupted run left\n"
		"\n"
		"  --hash sha256|sha512  hash algorithm (sha256)\n"
		"  --block-size N        bytes of a Merkle tree block (4096)\n"
		"  --salt HEX            up to 32 bytes (none)\n"
		"  --jobs N              threads (one for each processor)\n"
		"  --json                print the summary as a JSON object\n"
		"\n"
		"Exit status: 0 done, 1 a file failed or nothing could be done, 2 wrong usage.\n",
	.run = run_sign,
};
