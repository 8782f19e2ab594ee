// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/job.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/work.h"
#include "sign/ima_sig.h"
#include "sign/md5sum.h"
#include "sign/pkcs7.h"
#include "sign/reuse.h"
#include "sign/tree.h"

/* Digesting so much is cheaper than checking a signature of what an older manifest has. */
#define CHEAP_SIZE 262144U

/* Files in flight, of each thread, where a signature is dear. */
#define DEAR_A_THREAD 16U

/* Room for a path as it is shown to people. */
#define SHOWN_MAX 512

static const char *show(const struct sign_job *job, char *shown)
{
	return text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), shown, SHOWN_MAX);
}

int sign_work_begin(struct sign_work *work, struct assay_error *err)
{
	int r = trust_new(&work->trust, err);

	if (r == 0)
		r = trust_add(work->trust, work->own_certificate, TRUST_AUTHORITY, err);
	if (r == 0 && work->pkcs7)
		r = pkcs7_maker_new(work->signer, work->certificate,
				    work->delegated && !work->two_steps, &work->maker, err);
	if (r < 0)
		return r;
	work->now = time(NULL);
	pthread_mutex_init(&work->lock, NULL);
	return 0;
}

void sign_work_end(struct sign_work *work)
{
	if (!work->trust)
		return;
	pkcs7_maker_free(work->maker);
	trust_free(work->trust);
	work->trust = NULL;
	pthread_mutex_destroy(&work->lock);
}

/* ---------------------------------------------------------------- the digest */

/* Did our key, or a delegate of it, make one of the signatures? */
static bool is_ours(const struct sign_work *work, const struct sign_old *old)
{
	X509 *delegate = NULL;
	bool ours = false;

	if (old->pkcs7.size > 0)
		ours = trust_verify_pkcs7(work->trust, buffer_bytes(&old->pkcs7), &old->digest,
					  &delegate, NULL) == 0;
	else if (old->ima.size > 0)
		ours = trust_verify_ima(work->trust, buffer_bytes(&old->ima), &old->digest, NULL,
					NULL, NULL) == 0;
	X509_free(delegate);
	return ours;
}

/* Takes over what a dear signer made of the same digest. */
static void keep_signatures(const struct sign_work *work, struct sign_job *job)
{
	struct sign_old *old = &job->old;

	if (job->kept || !old->known || !work->signer->dear ||
	    !verity_digest_equal(&old->digest, &job->digest))
		return;
	job->kept = true;
	if (work->pkcs7 && old->pkcs7.size > 0 &&
	    pkcs7_verify(buffer_bytes(&old->pkcs7), &job->digest, work->certificate, NULL) == 0) {
		job->pkcs7 = old->pkcs7;
		old->pkcs7 = (struct buffer){ 0 };
	}
	if (work->ima && old->ima.size > 0 &&
	    ima_sig_verify(buffer_bytes(&old->ima), &job->digest, work->certificate, NULL) == 0) {
		job->ima = old->ima;
		old->ima = (struct buffer){ 0 };
	}
}

static bool is_cached(int fd)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };

	return preadv2(fd, &vector, 1, 0, RWF_NOWAIT) >= 0;
}

/*
 * Is the older manifest's digest taken over? A signature of the manifest is not enough: each
 * entry's own has to be good. To check that takes a processor as long as to digest some 200 KiB:
 * so a smaller file is read again, but where that means to wait for the disk, or where the
 * signature is checked in any case as it is to be kept.
 */
static bool reuse_digest(const struct sign_work *work, struct sign_job *job)
{
	const struct sign_old *old = &job->old;
	bool small = old->size <= CHEAP_SIZE;

	if (!old->known || !old->unchanged || (small && !old->whole))
		return false;
	if (small && !work->signer->dear && is_cached(job->fd))
		return false;
	job->digest = old->digest;
	keep_signatures(work, job);
	job->reused = job->pkcs7.size > 0 || job->ima.size > 0 || is_ours(work, old);
	if (job->reused)
		job->size = old->size;
	else
		job->digest = (struct assay_digest){ 0 };
	return job->reused;
}

/* ---------------------------------------------------------------- signatures */

/* Is it what it was when what is to be signed was listed? */
static int check_prepared(struct sign_job *job)
{
	const struct prepared_file *was = &job->prepared;
	char shown[SHOWN_MAX], then[ASSAY_DIGEST_TEXT_MAX], now[ASSAY_DIGEST_TEXT_MAX];

	if (was->digest.size == 0 ||
	    (was->size == job->size && verity_digest_equal(&was->digest, &job->digest)))
		return 0;
	return assay_fail(
		&job->err, ESTALE,
		"%s has changed since it was prepared: its fs-verity digest was %s, is %s; "
		"prepare and sign anew",
		show(job, shown), assay_digest_text(&was->digest, then),
		assay_digest_text(&job->digest, now));
}

/* Is it what its name says? */
static int check_name(struct sign_job *job)
{
	char shown[SHOWN_MAX], text[ASSAY_DIGEST_TEXT_MAX];

	if (job->expected.size == 0 || verity_digest_equal(&job->expected, &job->digest))
		return 0;
	return assay_fail(&job->err, ESTALE,
			  "%s is not the object that its name says: its fs-verity digest is %s; "
			  "it was damaged, or changed: get it anew",
			  show(job, shown), assay_digest_text(&job->digest, text));
}

static int sign_digest(struct sign_work *work, struct sign_job *job)
{
	bool locked = !work->signer->concurrent;
	char shown[SHOWN_MAX];
	int r = 0;

	keep_signatures(work, job);
	if (work->list && !work->delegated) {
		job->lacks_pkcs7 = work->pkcs7 && job->pkcs7.size == 0;
		job->lacks_ima = work->ima && job->ima.size == 0;
		return 0;
	}
	if (locked)
		pthread_mutex_lock(&work->lock);
	if (work->pkcs7 && job->pkcs7.size == 0)
		r = pkcs7_maker_sign(work->maker, &job->digest, &job->pkcs7, &job->err);
	if (r == 0 && work->ima && job->ima.size == 0)
		r = ima_sig_sign(work->signer, work->certificate, &job->digest, &job->ima,
				 &job->err);
	if (locked)
		pthread_mutex_unlock(&work->lock);
	if (r < 0) {
		job->fatal = !work->two_steps;
		assay_fail_context(&job->err, "signing %s", show(job, shown));
	}
	return r;
}

/* ---------------------------------------------------------------- where they go */

static int set_xattr(const struct sign_work *work, struct sign_job *job)
{
	char shown[SHOWN_MAX];
	int code;

	if (!work->xattr || job->fd < 0)
		return 0;
	if (fsetxattr(job->fd, IMA_SIG_XATTR, job->ima.data, job->ima.size, 0) == 0)
		return 0;
	code = errno;
	return assay_fail(&job->err, code, "cannot set " IMA_SIG_XATTR " of %s: %s%s",
			  show(job, shown), strerror(code),
			  code == EPERM	     ? "; it needs CAP_SYS_ADMIN" :
			  code == EOPNOTSUPP ? "; its file system has no such attributes" :
					       "");
}

static int write_all(int fd, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t written = write(fd, bytes.data, bytes.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes = BYTES(bytes.data + written, bytes.size - (size_t)written);
	}
	return 0;
}

/* A new file @name in @directory, complete or not there. */
static int replace_file(int directory, const char *name, struct bytes bytes)
{
	char temporary[sizeof(".assay-") + 32];
	uint8_t random[16];
	struct stat old;
	int fd, r;

	/* In a tree that may be anybody's, no link is followed, and no device replaced. */
	if (fstatat(directory, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(old.st_mode))
		return -EEXIST;
	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	hex_encode(BYTES(random, sizeof(random)), stpcpy(temporary, ".assay-"));
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(directory, temporary, directory, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(directory, temporary, 0);
	return r;
}

static int append_copy(struct buffer *out, const struct buffer *from, struct assay_error *err)
{
	buffer_append_bytes(out, buffer_bytes(from));
	return out->failed ? assay_fail(err, ENOMEM, "cannot sign: out of memory") : 0;
}

static int write_detached(const struct sign_work *work, struct sign_job *job)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	char *slash = strrchr(job->path, '/'), *name = NULL;
	char shown[SHOWN_MAX];
	int directory, r;

	if (!work->detached)
		return 0;
	/* Here nothing else tells who the delegate is. */
	if (work->delegated)
		r = pkcs7_add_certificate(buffer_bytes(&job->pkcs7), work->certificate, &signature,
					  &job->err);
	else
		r = append_copy(&signature, &job->pkcs7, &job->err);
	if (r < 0)
		return r;
	if (asprintf(&name, "%s" SIGN_DETACHED_SUFFIX, slash + 1) < 0)
		return assay_fail(&job->err, ENOMEM, "cannot sign %s: out of memory",
				  show(job, shown));
	slash[0] = '\0';
	directory = tree_open_beneath(work->root_fd, job->path[0] ? job->path : "/",
				      O_PATH | O_DIRECTORY, show(job, shown), &job->err);
	slash[0] = '/';
	r = directory;
	if (directory >= 0) {
		r = replace_file(directory, name, buffer_bytes(&signature));
		close(directory);
		if (r < 0)
			assay_fail(&job->err, -r,
				   "cannot write the signature %s" SIGN_DETACHED_SUFFIX ": %s",
				   show(job, shown),
				   r == -EEXIST ? "what is there is no regular file; remove it" :
						  strerror(-r));
	}
	free(name);
	return r < 0 ? r : 0;
}

static int make_line(const struct sign_work *work, struct sign_job *job)
{
	struct manifest_entry entry = {
		.path = job->path,
		.size = job->size,
		.digest = job->digest,
		.package = job->package,
		.pkcs7 = buffer_bytes(&job->pkcs7),
		.ima = buffer_bytes(&job->ima),
	};

	if (!work->line || (work->list && !work->delegated))
		return 0;
	if (!work->two_steps)
		reuse_stat(&entry, &job->stat, work->now);
	return manifest_append_entry(&entry, &job->line, &job->err);
}

void sign_job_finish(const struct sign_work *work, struct sign_job *job)
{
	/* Another link's may have been another file then. */
	job->result = check_prepared(job);
	if (job->result == 0 && !work->list)
		job->result = set_xattr(work, job);
	if (job->result == 0 && !work->list)
		job->result = write_detached(work, job);
	if (job->result == 0)
		job->result = make_line(work, job);
}

/* ---------------------------------------------------------------- the pool's steps */

/* Another link's file, which is settled when the first one's is. */
static bool is_other_link(const struct sign_job *job)
{
	return job->fd < 0 && !job->given;
}

static int before_digest(void *context, unsigned int thread, struct verity_job *file)
{
	struct sign_job *job = file->owner;
	char shown[SHOWN_MAX];

	(void)thread;
	if (is_other_link(job) || job->given || reuse_digest(context, job))
		return 1;
	return job->has_md5 ? md5sum_check(job->fd, job->md5, show(job, shown), &job->package,
					   &file->err) :
			      0;
}

static bool after_digest(void *context, unsigned int thread, struct verity_job *file)
{
	struct sign_work *work = context;
	struct sign_job *job = file->owner;

	(void)thread;
	if (is_other_link(job))
		return true;
	job->result = file->result;
	if (job->result < 0) {
		job->err = file->err;
	} else if (!job->given && !job->reused) {
		job->size = file->size;
		job->digest = file->digest;
	}
	if (job->result == 0)
		job->result = check_name(job);
	if (job->result == 0)
		job->result = check_prepared(job);
	if (job->result == 0)
		job->result = sign_digest(work, job);
	if (job->result == 0)
		sign_job_finish(work, job);
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	/* Only other links need them still; to free them by another thread takes longer. */
	if (job->stat.st_nlink < 2) {
		buffer_free(&job->pkcs7);
		buffer_free(&job->ima);
	}
	return !job->fatal;
}

static void drop_file(void *argument)
{
	const struct verity_job *file = argument;

	sign_job_free(file->owner);
}

struct verity_steps sign_job_steps(const struct sign_work *work, unsigned int threads)
{
	if (threads == 0)
		threads = work_usable_cpus();
	return (struct verity_steps){
		.before = before_digest,
		.after = after_digest,
		.drop = drop_file,
		/* Whatever was begun is waited for when the run is interrupted. */
		.capacity = work->signer->dear ? (size_t)threads * DEAR_A_THREAD : 0,
	};
}

void sign_job_put(struct verity_pool *pool, struct sign_job *job)
{
	verity_pool_put_owner(pool, job->path, job->fd, job);
}

struct sign_job *sign_job_taken(struct verity_pool *pool)
{
	struct verity_job file;

	verity_pool_take(pool, &file);
	return file.owner;
}

void sign_job_free(struct sign_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	buffer_free(&job->old.pkcs7);
	buffer_free(&job->old.ima);
	buffer_free(&job->pkcs7);
	buffer_free(&job->ima);
	buffer_free(&job->line);
	free(job->path);
	free(job);
}
