// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/manifest_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/manifest_signature.h"

#define PARTIAL_SUFFIX ".partial"
#define FREE_SPACE "; free some space and try again"
#define OWN_MAX 5

enum writer_state { WRITER_ASIDE, WRITER_PARTIAL, WRITER_DONE, WRITER_LEFT };

/**
 * struct manifest_writer - see manifest_writer.h
 * @broken: what an interrupted run left
 * @kept: OUT.partial stays, of this run or the one before
 * @own: the manifest and its signature, both those being written and those to be replaced
 * @expected, @added: entries
 * @adopt_at: ASIDE until so many were added; 0: not known yet
 * @lines: entries with a line
 * @also, @also_certificate: who signs besides; NULL: nobody
 */
struct manifest_writer {
	enum writer_state state;
	struct reuse *broken;
	bool kept;
	struct file_writer manifest, signature;
	char *signature_path, *partial_path;
	struct stat own[OWN_MAX];
	size_t own_count;
	struct timespec flushed;
	uint64_t expected, added, adopt_at, lines;
	struct signer *also;
	X509 *also_certificate;
};

static int write_failed(const char *path, int code, struct assay_error *err)
{
	return assay_fail(err, code, "cannot write %s: %s%s", path, strerror(code),
			  code == ENOSPC ? FREE_SPACE : "");
}

/* A file to replace, if it is there; or the one being written. */
static void add_own(struct manifest_writer *writer, const char *path, FILE *stream)
{
	struct stat *place = &writer->own[writer->own_count];

	if ((path && stat(path, place) == 0) || (stream && fstat(fileno(stream), place) == 0))
		writer->own_count++;
}

bool manifest_writer_owns(const struct manifest_writer *writer, const struct stat *stat)
{
	for (size_t i = 0; i < writer->own_count; i++)
		if (writer->own[i].st_dev == stat->st_dev && writer->own[i].st_ino == stat->st_ino)
			return true;
	return false;
}

/* ASIDE to PARTIAL: from now on what is written outlives the run. */
static int adopt(struct manifest_writer *writer, struct assay_error *err)
{
	char *path = strdup(writer->partial_path);

	if (!path)
		return write_failed(writer->partial_path, ENOMEM, err);
	if (fflush(writer->manifest.stream) != 0 || rename(writer->manifest.temporary, path) < 0) {
		int code = errno;

		free(path);
		return write_failed(writer->manifest.path, code, err);
	}
	free(writer->manifest.temporary);
	writer->manifest.temporary = path;
	writer->state = WRITER_PARTIAL;
	return 0;
}

/* What an interrupted run left, unless nothing is of use. */
static int open_broken(struct manifest_writer *writer, const struct manifest_header *header,
		       X509 *certificate, struct assay_error *err)
{
	int r = reuse_open(writer->partial_path, REUSE_BROKEN, header, &certificate, 1, 0,
			   &writer->broken, err);

	if (r == -ENOENT || r == -ENODATA)
		return 0;
	if (r == -EINVAL)
		assay_fail_context(
			err, "an interrupted run cannot be taken up (--no-resume forgets it)");
	return r;
}

/* Beside the file that is written, so that a rename does. */
static int set_paths(struct manifest_writer *writer, const char *path, struct assay_error *err)
{
	CLEANUP(free_pointer) char *target = NULL;
	int r = file_resolve(path, &target, err);

	if (r < 0)
		return r;
	if (!target)
		return assay_fail(err, EINVAL,
				  "the manifest %s must be a regular file: it is read again to be "
				  "signed",
				  path);
	if (asprintf(&writer->signature_path, "%s" MANIFEST_SIGNATURE_SUFFIX, path) < 0)
		writer->signature_path = NULL;
	if (asprintf(&writer->partial_path, "%s" PARTIAL_SUFFIX, target) < 0)
		writer->partial_path = NULL;
	return writer->signature_path && writer->partial_path ? 0 : write_failed(path, ENOMEM, err);
}

static int begin_files(struct manifest_writer *writer, const char *path, struct assay_error *err)
{
	int r;

	add_own(writer, path, NULL);
	add_own(writer, writer->signature_path, NULL);
	add_own(writer, writer->partial_path, NULL);
	r = file_begin(&writer->manifest, path, 0644, err);
	if (r < 0)
		return r;
	/* It was a regular file a moment ago. */
	if (!writer->manifest.temporary)
		return write_failed(path, EINVAL, err);
	add_own(writer, NULL, writer->manifest.stream);
	/* Where it cannot be locked, two runs at a time are not told apart. */
	(void)flock(fileno(writer->manifest.stream), LOCK_EX | LOCK_NB);
	r = file_begin(&writer->signature, writer->signature_path, 0644, err);
	if (r < 0)
		return r;
	if (!writer->signature.temporary)
		return assay_fail(err, EINVAL, "the manifest's signature %s must be a regular file",
				  writer->signature_path);
	add_own(writer, NULL, writer->signature.stream);
	return 0;
}

static int open_writer(struct manifest_writer *writer, const char *path,
		       const struct manifest_header *header, X509 *certificate, bool resume,
		       struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer line = { 0 };
	int r = set_paths(writer, path, err);

	if (r == 0 && resume)
		r = open_broken(writer, header, certificate, err);
	if (r == 0)
		r = begin_files(writer, path, err);
	if (r == 0)
		r = manifest_append_header(header, &line, err);
	if (r < 0)
		return r;
	fwrite(line.data, 1, line.size, writer->manifest.stream);
	return writer->broken ? 0 : adopt(writer, err);
}

int manifest_writer_open(const char *path, const struct manifest_header *header, X509 *certificate,
			 bool resume, struct manifest_writer **ret, struct assay_error *err)
{
	struct manifest_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return write_failed(path, ENOMEM, err);
	r = open_writer(writer, path, header, certificate, resume, err);
	if (r < 0) {
		manifest_writer_free(writer);
		return r;
	}
	*ret = writer;
	return 0;
}

struct reuse *manifest_writer_previous(const struct manifest_writer *writer)
{
	return writer->broken;
}

void manifest_writer_expect(struct manifest_writer *writer)
{
	writer->expected++;
	if (writer->state == WRITER_ASIDE && writer->adopt_at == 0 && reuse_ended(writer->broken))
		writer->adopt_at = writer->expected;
}

int manifest_writer_add(struct manifest_writer *writer, struct bytes line, struct assay_error *err)
{
	FILE *stream = writer->manifest.stream;
	struct timespec now;

	writer->added++;
	writer->lines += line.size > 0;
	errno = 0;
	if (line.size > 0 && fwrite(line.data, 1, line.size, stream) != line.size)
		return write_failed(writer->manifest.path, errno ? errno : EIO, err);
	/* Should the machine stop, a second's signatures are lost. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > writer->flushed.tv_sec + 1) {
		writer->flushed = now;
		if (fflush(stream) != 0)
			return write_failed(writer->manifest.path, errno, err);
	}
	if (writer->state == WRITER_ASIDE && writer->adopt_at > 0 &&
	    writer->added >= writer->adopt_at)
		return adopt(writer, err);
	return 0;
}

/* Sees to it that what can fail for want of space fails before anything is in place. */
static int settle_file(struct file_writer *file, struct assay_error *err)
{
	errno = 0;
	if (fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0)
		return 0;
	return write_failed(file->path, errno ? errno : EIO, err);
}

static int make_signature(struct manifest_writer *writer, struct signer *signer, X509 *certificate,
			  bool inside, struct buffer *out, struct assay_error *err)
{
	struct verity_hasher *hasher;
	struct assay_digest digest;
	int r = verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, err);

	if (r < 0)
		return r;
	r = verity_hash_fd(hasher, fileno(writer->manifest.stream), writer->manifest.path, &digest,
			   NULL, err);
	verity_hasher_free(hasher);
	if (r == 0)
		r = manifest_sign(signer, certificate, inside, &digest, out, err);
	if (r == 0 && writer->also)
		r = manifest_sign(writer->also, writer->also_certificate, false, &digest, out, err);
	return r;
}

void manifest_writer_also(struct manifest_writer *writer, struct signer *signer, X509 *certificate)
{
	writer->also = signer;
	writer->also_certificate = certificate;
}

static int write_signature(struct manifest_writer *writer, struct signer *signer, X509 *certificate,
			   bool inside, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	int r = make_signature(writer, signer, certificate, inside, &signature, err);

	if (r < 0)
		return r;
	fwrite(signature.data, 1, signature.size, writer->signature.stream);
	return settle_file(&writer->signature, err);
}

int manifest_writer_presign(struct manifest_writer *writer, struct signer *signer,
			    X509 *certificate, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	int r = settle_file(&writer->manifest, err);

	if (r == 0)
		r = make_signature(writer, signer, certificate, false, &signature, err);
	writer->lines = 0;
	manifest_writer_leave(writer);
	return r;
}

int manifest_writer_commit(struct manifest_writer *writer, struct signer *signer, X509 *certificate,
			   bool inside, struct assay_error *err)
{
	int r = settle_file(&writer->manifest, err);

	if (r == 0)
		r = write_signature(writer, signer, certificate, inside, err);
	/* Between the two renames old and new do not fit together, and verifying fails. */
	if (r == 0)
		r = file_commit(&writer->signature, err);
	if (r == 0)
		r = file_commit(&writer->manifest, err);
	if (r < 0)
		return r;
	/* If there was none to take up, it has just been renamed. */
	unlink(writer->partial_path);
	writer->state = WRITER_DONE;
	return 0;
}

void manifest_writer_leave(struct manifest_writer *writer)
{
	if (!writer || writer->state == WRITER_DONE || writer->state == WRITER_LEFT)
		return;
	if (writer->state == WRITER_PARTIAL && writer->lines > 0) {
		if (writer->manifest.stream)
			fclose(writer->manifest.stream);
		writer->manifest.stream = NULL;
		free(writer->manifest.temporary);
		writer->manifest.temporary = NULL;
		writer->kept = true;
	} else {
		/* That of the run before, if this one has not replaced it. */
		writer->kept = writer->state == WRITER_ASIDE && writer->broken;
	}
	file_abort(&writer->manifest);
	file_abort(&writer->signature);
	writer->state = WRITER_LEFT;
}

const char *manifest_writer_signature(const struct manifest_writer *writer)
{
	return writer->signature_path;
}

const char *manifest_writer_partial(const struct manifest_writer *writer)
{
	return writer->state == WRITER_LEFT && writer->kept ? writer->partial_path : NULL;
}

void manifest_writer_free(struct manifest_writer *writer)
{
	if (!writer)
		return;
	manifest_writer_leave(writer);
	reuse_close(writer->broken);
	free(writer->signature_path);
	free(writer->partial_path);
	free(writer);
}
