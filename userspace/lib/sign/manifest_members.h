/* SPDX-License-Identifier: MIT */
/*
 * The lines of a manifest's entries in the one form that manifest_append_entry() writes, read
 * without a tree of JSON, which most of a long manifest's time would go to.
 *
 * For sign/manifest_reader.c. Pure.
 */
#ifndef ASSAY_SIGN_MANIFEST_MEMBERS_H
#define ASSAY_SIGN_MANIFEST_MEMBERS_H

#include "base/bytes.h"

/**
 * struct manifest_members - what an entry's line says, the text of it borrowed from the line
 * @path: ASCII that can be seen, without quotation marks and backslashes; so is @digest
 * @package, @version, @architecture: likewise; of size 0 where the member is missing
 * @pkcs7, @ima: what is to be base64, unchecked; of size 0 where the member is missing
 * @mtime, @ctime, @inode: 0 where the member is missing
 */
struct manifest_members {
	struct bytes path, digest, package, version, architecture, pkcs7, ima;
	uint64_t size, mtime, ctime, inode;
};

/*
 * manifest_take_members() - those of @line, which is without its newline
 *
 * The members are to be in the order that they are written in, without white space and escapes,
 * and numbers of at most INT64_MAX.
 *
 * Return: false for any other line, right or wrong: only its JSON tells which
 */
bool manifest_take_members(struct bytes line, struct manifest_members *ret);

#endif /* ASSAY_SIGN_MANIFEST_MEMBERS_H */
