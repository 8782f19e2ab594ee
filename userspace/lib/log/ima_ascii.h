/* SPDX-License-Identifier: MIT */
/*
 * Entries of IMA's list as lines of text, as ascii_runtime_measurements has them: for
 * programs that read no other form. For commands.
 */
#ifndef ASSAY_LOG_IMA_ASCII_H
#define ASSAY_LOG_IMA_ASCII_H

#include "log/ima.h"

/*
 * ima_ascii() - append an entry as a line, its newline included
 * @sha1: a hasher of SHA-1, which the text's template hashes are in
 *
 * Of the templates ima, ima-ng, ima-sig and ima-buf.
 *
 * Return: 0; -ENOTSUP for another template; -EILSEQ for a path that would not come back from
 * the line: with control characters, no UTF-8, or a space where a field follows; -EBADMSG
 * for fields that do not parse; -ENOMEM
 */
int ima_ascii(const struct ima_entry *entry, struct hasher *sha1, struct buffer *out,
	      struct assay_error *err);

#endif /* ASSAY_LOG_IMA_ASCII_H */
