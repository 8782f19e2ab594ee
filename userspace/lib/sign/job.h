/* SPDX-License-Identifier: MIT */
/*
 * What signing does with one file, on whatever thread: digest, signatures, the manifest's
 * line, a detached signature, the extended attribute.
 *
 * For commands that sign. The struct sign_work is shared by all threads and not changed
 * while they run, but for what it locks itself.
 */
#ifndef ASSAY_SIGN_JOB_H
#define ASSAY_SIGN_JOB_H

#include <pthread.h>
#include <sys/stat.h>

#include "sign/prepared.h"
#include "sign/source.h"
#include "sign/trust.h"
#include "verity/pool.h"

/* What `fsverity sign FILE FILE.sig` would write. */
#define SIGN_DETACHED_SUFFIX ".sig"

/**
 * struct sign_work - how files are signed
 * @signer, @certificate: of the signing key, or of its delegate
 * @own_certificate: of the signing key
 * @delegated: @certificate goes into each built-in signature
 * @pkcs7, @ima: which signatures are made
 * @two_steps: the signing key is elsewhere: a signature that is missing is a failure of that
 *             file, a delegate's certificate stays out of built-in signatures, as it is not there
 *             before they are, and lines have no times, so that they are the same each time
 * @list: the first of the steps: nothing is signed but by a delegate, nothing written to files
 * @line: the manifest's line is made
 * @detached, @xattr: where signatures go besides
 * @root_fd: of the directory that paths are seen from
 * @now: when the run began
 * @maker: of built-in signatures
 * @trust: whose signatures are taken over from an older manifest; for job.c
 */
struct sign_work {
	struct signer *signer;
	X509 *certificate, *own_certificate;
	bool delegated, two_steps, list, pkcs7, ima, line, detached, xattr;
	int root_fd;
	time_t now;
	struct verity_parameters parameters;
	struct pkcs7_maker *maker;
	struct trust *trust;
	pthread_mutex_t lock;
};

/**
 * struct sign_old - what an older manifest has of a file
 * @known: it has something
 * @unchanged: the file is the same by size, mtime, ctime and inode
 * @whole: it is of a signed manifest, not of what an interrupted run left
 */
struct sign_old {
	bool known, unchanged, whole;
	uint64_t size;
	struct assay_digest digest;
	struct buffer pkcs7, ima;
};

/**
 * struct sign_job - one file
 * @path: as in the manifest
 * @fd: open for reading, or -1 for another link of a file that is signed already, and where the
 *      digest is given
 * @package, @has_md5, @md5, @expected: as the source says, see sign/source.h
 * @given: @size and @digest are what the source says
 * @old: see there
 * @prepared: what it was when it was prepared; of digest size 0: nothing tells
 * @result: 0 or a negative errno, with @err
 * @fatal: the signer failed, so that there is no use in going on
 * @reused: the digest was not computed again
 * @kept: what signatures an older manifest has was looked at
 * @lacks_pkcs7, @lacks_ima: signatures that are to be listed, where nothing is signed
 * @size, @digest, @pkcs7, @ima, @line: what came of it
 */
struct sign_job {
	char *path;
	int fd;
	struct stat stat;
	struct package_name package;
	bool given, has_md5;
	uint8_t md5[SOURCE_MD5_SIZE];
	struct assay_digest expected;
	struct sign_old old;
	struct prepared_file prepared;
	int result;
	struct assay_error err;
	bool fatal, reused, kept, lacks_pkcs7, lacks_ima;
	uint64_t size;
	struct assay_digest digest;
	struct buffer pkcs7, ima, line;
};

/* sign_work_begin() - fill in what only job.c uses; the rest is there */
int sign_work_begin(struct sign_work *work, struct assay_error *err);
void sign_work_end(struct sign_work *work);

/*
 * sign_job_steps() - what is done with the files of a pool whose context is @work, each a struct
 * sign_job that sign_job_put() has put
 * @threads: as the pool has them
 */
struct verity_steps sign_job_steps(const struct sign_work *work, unsigned int threads);

/* sign_job_put() - has it signed; sign_job_taken() gives it back, or the pool frees it */
void sign_job_put(struct verity_pool *pool, struct sign_job *job);
struct sign_job *sign_job_taken(struct verity_pool *pool);

/*
 * sign_job_finish() - what follows the signatures: line and detached signature
 *
 * For another link of a file, whose size, digest and signatures were filled in.
 */
void sign_job_finish(const struct sign_work *work, struct sign_job *job);

/* sign_job_free() - with all that it has */
void sign_job_free(struct sign_job *job);

#endif /* ASSAY_SIGN_JOB_H */
