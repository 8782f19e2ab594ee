/* SPDX-License-Identifier: MIT */
/*
 * Debian's control format (deb822(5)): stanzas of "Field: value", with empty lines between them;
 * lines that begin with a blank go on with the value before.
 *
 * Pure: what is returned points into the text.
 */
#ifndef ASSAY_SOURCE_DEB822_H
#define ASSAY_SOURCE_DEB822_H

#include "base/bytes.h"

/* deb822_next() - the next stanza of @text, which goes on behind it; false at the end */
bool deb822_next(struct bytes *text, struct bytes *ret);

/*
 * deb822_check() - has every line of a stanza a field's name, or goes on with a value?
 * Return: 0; -EBADMSG and the line
 */
int deb822_check(struct bytes stanza, struct assay_error *err);

/*
 * deb822_field() - the value of a field, the first of that name; upper and lower case are alike
 * @ret: without blanks around it, with the lines that go on with it; empty if there is none
 */
bool deb822_field(struct bytes stanza, const char *name, struct bytes *ret);

/* deb822_line() - the next line of @text, without its newline; false at the end */
bool deb822_line(struct bytes *text, struct bytes *ret);

/* deb822_trim() - without the blanks around it */
struct bytes deb822_trim(struct bytes text);

#endif /* ASSAY_SOURCE_DEB822_H */
