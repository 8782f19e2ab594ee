/* SPDX-License-Identifier: MIT */
/*
 * What an older manifest knows of files that did not change since: their digests need not
 * be computed again, nor be signed again where a signature is dear.
 *
 * Files are asked for in the manifest's order, so that it is read once, as a stream. For
 * commands that sign.
 */
#ifndef ASSAY_SIGN_REUSE_H
#define ASSAY_SIGN_REUSE_H

#include <sys/stat.h>

#include "sign/manifest.h"

struct reuse;

enum reuse_kind {
	REUSE_SIGNED, /* a whole manifest, with its signature beside it */
	REUSE_BROKEN, /* what an interrupted run left: it has no signature and may be cut off */
};

/*
 * reuse_open() - read an older manifest
 * @header: of the new one: digests must have been computed in the same way, by the same
 *          signer
 * @certificates, @count: of the signer and of the second one; a REUSE_SIGNED one must be signed
 *                        by them, or by a delegate
 * @flags: MANIFEST_ACCEPT_* (sign/manifest_signature.h), for a REUSE_SIGNED one
 *
 * A REUSE_BROKEN one must be the caller's own file, which nobody else can write to: nothing
 * vouches for it but that. The signatures of entries are not checked here: that is for whoever
 * takes one over.
 *
 * Whoever writes one holds flock(2) on it, as this does then.
 *
 * Return: 0; -EBUSY while another run writes it; -ENOENT if it is not there; -ENODATA for a
 * REUSE_BROKEN one without a line; -EINVAL where it does not fit; else what is wrong with it
 */
int reuse_open(const char *path, enum reuse_kind kind, const struct manifest_header *header,
	       X509 *const *certificates, size_t count, unsigned int flags, struct reuse **ret,
	       struct assay_error *err);

/*
 * reuse_find() - the entry of a file, if there is one; it lives until the next call
 * @path: behind those asked for before
 *
 * Return: 1 and the entry; 0; what is wrong with a REUSE_SIGNED manifest. A REUSE_BROKEN
 * one ends where it is broken.
 */
int reuse_find(struct reuse *reuse, const char *path, struct manifest_entry *ret,
	       struct assay_error *err);

/* reuse_ended() - there is no entry behind the path asked for last */
bool reuse_ended(const struct reuse *reuse);

/*
 * reuse_check() - has nobody changed a REUSE_SIGNED manifest while it was read?
 * Return: 0, -EIO
 */
int reuse_check(const struct reuse *reuse, struct assay_error *err);

/* Does nothing with NULL. */
void reuse_close(struct reuse *reuse);

/* reuse_stat() - note in @entry what reuse_unchanged() will look at; @now: the present time */
void reuse_stat(struct manifest_entry *entry, const struct stat *stat, time_t now);

/* reuse_unchanged() - is the file the one of the entry, by size, mtime, ctime and inode? */
bool reuse_unchanged(const struct manifest_entry *entry, const struct stat *stat);

#endif /* ASSAY_SIGN_REUSE_H */
