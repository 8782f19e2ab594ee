/* SPDX-License-Identifier: MIT */
/*
 * Files that have several names (hard links), so that each is digested and signed once.
 *
 * Pure but for the memory. A file is forgotten when its last link was seen. For
 * commands that sign.
 */
#ifndef ASSAY_SIGN_LINKS_H
#define ASSAY_SIGN_LINKS_H

#include <sys/stat.h>

#include "base/bytes.h"

/**
 * struct link - a file and, once it is known, what came of it
 * @path: of the first link
 * @stat: as it was when the first link was found
 * @result: 0, or a negative errno; until it is known 1
 * @size, @digest, @pkcs7, @ima: as of struct manifest_entry; pkcs7 and ima are its own
 */
struct link {
	char *path;
	struct stat stat;
	int result;
	uint64_t size;
	struct assay_digest digest;
	struct buffer pkcs7, ima;
	uint64_t left; /* links not seen; for links.c */
	struct link *next;
};

struct links;

/* links_new() - NULL without memory */
struct links *links_new(void);
/* Does nothing with NULL. */
void links_free(struct links *links);

/* links_find() - the file that @stat is of; NULL if no link of it was added, or all were seen */
struct link *links_find(const struct links *links, const struct stat *stat);

/* links_add() - a file's first link; NULL without memory */
struct link *links_add(struct links *links, const char *path, const struct stat *stat);

/* links_seen() - one more link is dealt with, the first one too; @link may be gone then */
void links_seen(struct links *links, struct link *link);

#endif /* ASSAY_SIGN_LINKS_H */
