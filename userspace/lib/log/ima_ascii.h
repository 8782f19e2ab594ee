/* SPDX-License-Identifier: MIT */
/*
 * Entries of IMA's list as lines of text, as ascii_runtime_measurements has them: for
 * programs that read no other form, and of those who keep no other. For commands.
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

/**
 * struct ima_ascii_list - what a list as text is
 * @bank: of its template digests, told by their length
 * @entries: lines
 * @others: lines whose template digest is not that of their fields: the text lacks something of
 *          what was hashed, or was changed. The digest is taken as it stands
 * @first: number of the first of these; lines count from 1
 */
struct ima_ascii_list {
	enum assay_hash bank;
	uint64_t entries, others, first;
};

/*
 * ima_ascii_read() - append a list as text (ascii_runtime_measurements, or one of a bank's) to
 * @out in the binary form that the kernel gives it in
 *
 * Of all templates that are known, and formats of known fields. Where a path has spaces, or what
 * follows it is missing, the template digest decides what the path is.
 *
 * Return: 0; -EBADMSG with the line and what is wrong with it, also for a text of no line;
 * -EFBIG, -ENOMEM
 */
int ima_ascii_read(struct bytes text, struct buffer *out, struct ima_ascii_list *ret,
		   struct assay_error *err);

/* ima_ascii_is() - does a file begin as such a text does? */
bool ima_ascii_is(struct bytes file);

#endif /* ASSAY_LOG_IMA_ASCII_H */
