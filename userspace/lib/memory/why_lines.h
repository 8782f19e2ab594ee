/* SPDX-License-Identifier: MIT */
/* Lines of what is read for why.h, which need not be text. */
#ifndef ASSAY_MEMORY_WHY_LINES_H
#define ASSAY_MEMORY_WHY_LINES_H

#include "base/bytes.h"

/* why_take_line() - the next line of @in, without its newline; false at the end */
bool why_take_line(struct bytes *in, struct bytes *ret);

bool why_starts_with(struct bytes line, const char *text);
bool why_contains(struct bytes line, const char *text);

/* why_copy_text() - for people: what is no printable ASCII becomes a question mark, what is too
 * long is cut */
void why_copy_text(struct bytes in, char *text, size_t capacity);

#endif /* ASSAY_MEMORY_WHY_LINES_H */
