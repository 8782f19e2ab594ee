/* SPDX-License-Identifier: MIT */
/*
 * Files that are not in page cache, asked for before their turn.
 *
 * A thread that opens such a file waits for its directory and its inode, one read of the disk after
 * the other, and a disk does many reads in the time of one. So threads of this, more than there
 * are processors, look at files that no thread has begun. They start when the first file is met
 * that is not cached, sleep where files are, and hold one descriptor each. What goes wrong here is
 * left to be told by the one whose turn the file is.
 *
 * Of a file that comes opened all that has been read: its data is asked for when it comes, which
 * nobody waits for, and no thread is started.
 */
#ifndef ASSAY_VERITY_AHEAD_H
#define ASSAY_VERITY_AHEAD_H

#include "base/work.h"

/* Of each file that is asked for, in bytes: with all of a pool's, what page cache takes at most. */
#define AHEAD_BYTES ((off_t)256 << 10)

struct ahead;

/* ahead_path_function - the file of a job, NULL if it is to be left alone; with the room's lock */
typedef const char *(*ahead_path_function)(const void *job);

/* ahead_new() - @work: of the files; it must be there until ahead_free() */
int ahead_new(struct work *work, ahead_path_function path, struct ahead **ret,
	      struct assay_error *err);

/* Ends the threads; no other one may be at ahead_note(). Does nothing with NULL. */
void ahead_free(struct ahead *ahead);

/*
 * ahead_see() - the file of job @number, which is about to come, is open
 * One thread.
 */
void ahead_see(struct ahead *ahead, uint64_t number, int fd);

/*
 * ahead_note() - files before job @number were begun
 * @cold: not all of them were in page cache
 */
void ahead_note(struct ahead *ahead, uint64_t number, bool cold);

#endif /* ASSAY_VERITY_AHEAD_H */
