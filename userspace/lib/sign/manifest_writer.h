/* SPDX-License-Identifier: MIT */
/*
 * A manifest while it is being written, so that neither an interruption nor a failure costs
 * the signatures that were made.
 *
 *	ASIDE    a temporary file, while what an interrupted run left (OUT.partial) still has
 *	         entries that may be taken over; goes with the run
 *	PARTIAL  OUT.partial: it has all that the older one had; outlives the run
 *	DONE     OUT and its signature are in place, OUT.partial is gone
 *	LEFT     given up; OUT.partial is there if it has anything of use
 *
 * ASIDE becomes PARTIAL once every file that the older OUT.partial had was written again, or at
 * once where there is none; PARTIAL becomes DONE by manifest_writer_commit(), each LEFT by
 * manifest_writer_leave(). Who writes holds flock(2) on the file.
 *
 * For commands that sign; one thread.
 */
#ifndef ASSAY_SIGN_MANIFEST_WRITER_H
#define ASSAY_SIGN_MANIFEST_WRITER_H

#include "sign/reuse.h"

struct manifest_writer;

/*
 * manifest_writer_open() - begin
 * @path: OUT; a regular file or none yet
 * @header: of the new one; @certificate: the signer's
 * @resume: take up what an interrupted run left
 *
 * Return: 0; as reuse_open() for what was left; else what cannot be written
 */
int manifest_writer_open(const char *path, const struct manifest_header *header, X509 *certificate,
			 bool resume, struct manifest_writer **ret, struct assay_error *err);

/* manifest_writer_previous() - what an interrupted run left; NULL: nothing */
struct reuse *manifest_writer_previous(const struct manifest_writer *writer);

/* manifest_writer_owns() - is it one of the files that this writes or replaces? */
bool manifest_writer_owns(const struct manifest_writer *writer, const struct stat *stat);

/*
 * manifest_writer_expect() - one more entry will come; called in the order of the paths, after
 * manifest_writer_previous() was asked for the path
 */
void manifest_writer_expect(struct manifest_writer *writer);

/*
 * manifest_writer_add() - the line of the next entry that was expected
 * @line: with its newline; empty for a file that has none, as it failed
 */
int manifest_writer_add(struct manifest_writer *writer, struct bytes line, struct assay_error *err);

/* manifest_writer_also() - who signs besides, as the header says; both are the caller's */
void manifest_writer_also(struct manifest_writer *writer, struct signer *signer, X509 *certificate);

/*
 * manifest_writer_commit() - sign it, and put it and its signature in place
 * @signer, @certificate, @inside: as for manifest_sign()
 *
 * After a failure it is as before: leave it.
 */
int manifest_writer_commit(struct manifest_writer *writer, struct signer *signer, X509 *certificate,
			   bool inside, struct assay_error *err);

/*
 * manifest_writer_presign() - sign it, whatever comes of the signature, and leave nothing of it
 *
 * For a @signer that keeps what it makes (sign/signatures.h).
 */
int manifest_writer_presign(struct manifest_writer *writer, struct signer *signer,
			    X509 *certificate, struct assay_error *err);

/*
 * manifest_writer_leave() - give up: what was written stays in OUT.partial, if there is any
 * Does nothing with NULL and after a commit.
 */
void manifest_writer_leave(struct manifest_writer *writer);

/* manifest_writer_signature() - the file that the signature goes to */
const char *manifest_writer_signature(const struct manifest_writer *writer);

/* manifest_writer_partial() - where the work of a run that was left is; NULL: nowhere */
const char *manifest_writer_partial(const struct manifest_writer *writer);

/* manifest_writer_free() - leaves it first; does nothing with NULL */
void manifest_writer_free(struct manifest_writer *writer);

#endif /* ASSAY_SIGN_MANIFEST_WRITER_H */
