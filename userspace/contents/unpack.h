/* SPDX-License-Identifier: MIT */
/*
 * Archives and archives in them, read as a stream by libarchive: nothing is written, and what
 * they unpack to is bounded.
 */
#ifndef ASSAY_CONTENTS_UNPACK_H
#define ASSAY_CONTENTS_UNPACK_H

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>

#include "merged.h"
#include "verity/verity.h"

/* What all archives of a run unpack to, in bytes at most: an image of a whole system is less. */
#define UNPACK_BYTES_MAX ((uint64_t)1 << 38)

/**
 * struct unpack - a run
 * @hasher: of the digests
 * @merged: what it all makes
 * @left: bytes that may still be unpacked
 */
struct unpack {
	struct verity_hasher *hasher;
	struct merged *merged;
	uint64_t left;
};

/* unpack_error() - what libarchive says of an archive; @name names it */
int unpack_error(struct archive *archive, const char *name, struct assay_error *err);

/*
 * unpack_next() - the next member
 * Return: 1; 0 at the end; -EBADMSG and why
 */
int unpack_next(struct archive *archive, const char *name, struct archive_entry **ret,
		struct assay_error *err);

/*
 * unpack_open_within() - the archive that the present member of another one is: a tar, whatever it
 * is compressed with
 * @hash: all that is read of the member goes to it as well; NULL: nowhere
 * @ret: archive_read_free() it before the other one's next member is asked for
 */
int unpack_open_within(struct archive *outer, const char *name, EVP_MD_CTX *hash,
		       struct archive **ret, struct assay_error *err);

/* unpack_text() - append all of the present member to @out; -EFBIG above @limit */
int unpack_text(struct archive *archive, const char *name, size_t limit, struct buffer *out,
		struct assay_error *err);

/*
 * unpack_member() - put a member of a tar into the root
 * @package: whose it is; NULL: none's
 */
int unpack_member(struct unpack *unpack, struct archive *archive, struct archive_entry *entry,
		  const struct package_name *package, const char *name, struct assay_error *err);

#endif /* ASSAY_CONTENTS_UNPACK_H */
