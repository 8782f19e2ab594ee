/* SPDX-License-Identifier: MIT */
/*
 * All of IMA's list of this boot, as if nothing of it had ever been deleted: what the service has
 * archived, and what the kernel has behind that. For commands that hand it on.
 */
#ifndef ASSAY_ARCHIVE_IMA_WHOLE_H
#define ASSAY_ARCHIVE_IMA_WHOLE_H

#include "archive/archive_format.h"

/**
 * struct ima_places - where its parts are
 * @kernel: the directory with the kernel's lists (IMA_DIRECTORY)
 * @archive: the directory of this boot's archive; it need not be there
 * @notes: the service's ima.json; it need not be there
 */
struct ima_places {
	const char *kernel, *archive, *notes;
};

/**
 * struct ima_whole - what it was made of
 * @bank: of the template digests
 * @archived, @kernel: entries in the archive, and in the kernel; some may be in both
 * @entries: in the list
 */
struct ima_whole {
	enum assay_hash bank;
	uint64_t archived, kernel, entries;
};

/*
 * ima_whole_read() - append the list to @out
 * @bank: wanted; of what the archive has in another bank the digests are computed. Without an
 *        archive it may be another one: see ima_kernel_find()
 * @limit: bytes of it at most
 *
 * Where the kernel can stage, nobody can delete entries while this reads.
 *
 * Return: 0; -EBUSY where another program holds the list for longer than some seconds; -EFBIG;
 *         -ESTALE where the kernel's list begins with a later entry than the archive ends with;
 *         -EBADMSG, -EACCES and others
 */
int ima_whole_read(const struct ima_places *places, enum assay_hash bank, size_t limit,
		   struct buffer *out, struct ima_whole *ret, struct assay_error *err);

#endif /* ASSAY_ARCHIVE_IMA_WHOLE_H */
