/* SPDX-License-Identifier: MIT */
/* Writing HTML and XML: foreign text goes through here, and so cannot become markup. */
#ifndef ASSAY_REPORT_MARKUP_H
#define ASSAY_REPORT_MARKUP_H

#include "base/bytes.h"

/* markup_add() - markup as it stands: for literals only */
void markup_add(struct buffer *out, const char *markup);

/*
 * markup_text() - any text as the content of an element or of a quoted attribute
 * What is no UTF-8, and what cannot be seen or changes how other text is seen, becomes \xHH
 * (text_character()): among that are all characters that XML 1.0 has not.
 */
void markup_text(struct buffer *out, const char *text);

/* markup_foreign() - the same of bytes that nobody has made fit to print yet */
void markup_foreign(struct buffer *out, struct bytes bytes);

/* markup_number() - in decimal */
void markup_number(struct buffer *out, uint64_t number);

/* markup_print() - printf(), then markup_text() */
void markup_print(struct buffer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* ASSAY_REPORT_MARKUP_H */
