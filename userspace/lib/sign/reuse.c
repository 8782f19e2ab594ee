// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/reuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/manifest_signature.h"
#include "verity/verity.h"

#define NS 1000000000U
/* The coarsest clock of a file system in use (FAT), in seconds. */
#define FRESH 2

/**
 * struct reuse - see reuse.h
 * @stat: of the manifest, before it was read
 * @entry: the next one to be looked at; it was read if @have is set
 */
struct reuse {
	char *name;
	enum reuse_kind kind;
	FILE *stream;
	struct stat stat;
	struct manifest_reader *reader;
	struct manifest_entry entry;
	bool have, ended;
};

static int check_owner(const struct reuse *reuse, struct assay_error *err)
{
	if (flock(fileno(reuse->stream), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return assay_fail(err, EBUSY, "another run is writing %s just now", reuse->name);
	if (S_ISREG(reuse->stat.st_mode) && reuse->stat.st_uid == geteuid() &&
	    !(reuse->stat.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return assay_fail(
		err, EPERM,
		"%s, which an interrupted run left, is not a file that only you can write "
		"to; remove it",
		reuse->name);
}

static int check_signature(const struct reuse *reuse, X509 *const *certificates, size_t count,
			   unsigned int flags, struct assay_error *err)
{
	const struct manifest_header *header = manifest_reader_header(reuse->reader);
	struct verity_hasher *hasher = NULL;
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	struct manifest_signed manifest = { .name = reuse->name,
					    .id = header->id,
					    .also_key_id = BYTES(header->also_key_id,
								 header->also_key_id_size),
					    .created = manifest_created(header),
					    .flags = flags };
	int r;

	if (asprintf(&path, "%s" MANIFEST_SIGNATURE_SUFFIX, reuse->name) < 0) {
		path = NULL;
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", reuse->name);
	}
	r = file_read(path, VERITY_BLOCK_SIZE_MAX, &signature, err);
	if (r == 0)
		r = verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, err);
	if (r < 0)
		return r;
	r = verity_hash_fd(hasher, fileno(reuse->stream), reuse->name, &manifest.digest, NULL, err);
	verity_hasher_free(hasher);
	manifest.signature = buffer_bytes(&signature);
	return r < 0 ? r : manifest_signed_verify(&manifest, certificates, count, err);
}

static bool same_parameters(const struct verity_parameters *a, const struct verity_parameters *b)
{
	return a->hash == b->hash && a->block_size == b->block_size &&
	       bytes_equal(BYTES(a->salt, a->salt_size), BYTES(b->salt, b->salt_size));
}

static int check_header(const struct reuse *reuse, const struct manifest_header *wanted,
			struct assay_error *err)
{
	const struct manifest_header *header = manifest_reader_header(reuse->reader);

	if (!same_parameters(&header->parameters, &wanted->parameters))
		return assay_fail(err, EINVAL,
				  "%s was made with another hash algorithm, block size or salt",
				  reuse->name);
	if (!bytes_equal(BYTES(header->key_id, header->key_id_size),
			 BYTES(wanted->key_id, wanted->key_id_size)))
		return assay_fail(err, EINVAL, "%s is of another signer: %s", reuse->name,
				  header->subject);
	return 0;
}

static int open_stream(struct reuse *reuse, struct assay_error *err)
{
	reuse->stream = fopen(reuse->name, "re");
	if (!reuse->stream || fstat(fileno(reuse->stream), &reuse->stat) < 0)
		return assay_fail(err, errno, "cannot open %s: %s", reuse->name, strerror(errno));
	return 0;
}

int reuse_open(const char *path, enum reuse_kind kind, const struct manifest_header *header,
	       X509 *const *certificates, size_t count, unsigned int flags, struct reuse **ret,
	       struct assay_error *err)
{
	struct reuse *reuse = calloc(1, sizeof(*reuse));
	int r;

	if (reuse)
		reuse->name = strdup(path);
	if (!reuse || !reuse->name) {
		free(reuse);
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
	}
	reuse->kind = kind;
	r = open_stream(reuse, err);
	if (r == 0 && kind == REUSE_BROKEN)
		r = check_owner(reuse, err);
	if (r == 0) {
		r = manifest_reader_open(reuse->stream, reuse->name, &reuse->reader, err);
		if (r == -EBADMSG && kind == REUSE_BROKEN)
			r = assay_fail(err, ENODATA, "%s holds nothing", path);
	}
	if (r == 0)
		r = check_header(reuse, header, err);
	if (r == 0 && kind == REUSE_SIGNED)
		r = check_signature(reuse, certificates, count, flags, err);
	if (r < 0) {
		reuse_close(reuse);
		return r;
	}
	*ret = reuse;
	return 0;
}

int reuse_find(struct reuse *reuse, const char *path, struct manifest_entry *ret,
	       struct assay_error *err)
{
	while (!reuse->ended) {
		int r = 1, order;

		if (!reuse->have)
			r = manifest_reader_next(reuse->reader, &reuse->entry, err);
		if (r < 0 && reuse->kind == REUSE_SIGNED)
			return r;
		reuse->have = r == 1;
		reuse->ended = r != 1;
		if (r != 1)
			break;
		order = strcmp(reuse->entry.path, path);
		if (order > 0)
			break;
		reuse->have = false;
		if (order == 0) {
			*ret = reuse->entry;
			return 1;
		}
	}
	return 0;
}

bool reuse_ended(const struct reuse *reuse)
{
	return reuse->ended;
}

int reuse_check(const struct reuse *reuse, struct assay_error *err)
{
	struct stat now;

	if (fstat(fileno(reuse->stream), &now) == 0 && now.st_size == reuse->stat.st_size &&
	    now.st_ctim.tv_sec == reuse->stat.st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == reuse->stat.st_ctim.tv_nsec)
		return 0;
	return assay_fail(err, EIO, "%s changed while it was read", reuse->name);
}

void reuse_close(struct reuse *reuse)
{
	if (!reuse)
		return;
	manifest_reader_close(reuse->reader);
	if (reuse->stream)
		fclose(reuse->stream);
	free(reuse->name);
	free(reuse);
}

/* In ns since 1970; 0 for a time before */
static uint64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec < 0 ? 0 : (uint64_t)time->tv_sec * NS + (uint64_t)time->tv_nsec;
}

void reuse_stat(struct manifest_entry *entry, const struct stat *stat, time_t now)
{
	/* A file so fresh may change once more without the change being seen in its times. */
	if (stat->st_mtim.tv_sec > now - FRESH || stat->st_ctim.tv_sec > now - FRESH)
		return;
	entry->mtime = nanoseconds(&stat->st_mtim);
	entry->ctime = nanoseconds(&stat->st_ctim);
	entry->inode = stat->st_ino;
}

bool reuse_unchanged(const struct manifest_entry *entry, const struct stat *stat)
{
	return entry->mtime != 0 && entry->mtime == nanoseconds(&stat->st_mtim) &&
	       entry->ctime != 0 && entry->ctime == nanoseconds(&stat->st_ctim) &&
	       entry->inode == stat->st_ino && entry->size == (uint64_t)stat->st_size;
}
