/* SPDX-License-Identifier: MIT */
/* Lines and words of the kernel's policies: what their readers share. Pure. */
#ifndef ASSAY_ENFORCE_WORDS_H
#define ASSAY_ENFORCE_WORDS_H

#include "base/bytes.h"

/* A word is quoted in errors up to so many bytes of it. */
#define WORDS_SHOWN_MAX 80

/* words_is_blank() - a space or a tab */
bool words_is_blank(uint8_t c);

/* words_take() - the next word of a line, moved over; of size 0 at its end */
struct bytes words_take(struct bytes *line);

/* words_take_line() - the next line, and what ends it ("\n", "\r" or both), moved over */
struct bytes words_take_line(struct bytes *text);

/* words_value() - what follows "NAME=" in a word; of size 0 where the word is another */
struct bytes words_value(struct bytes word, const char *name);

/* words_are() - is it this text? */
bool words_are(struct bytes word, const char *text);

/* words_show() - fit to print, cut at @shown's size; returns @shown */
char *words_show(struct bytes word, char shown[WORDS_SHOWN_MAX]);

/* words_are_plain() - printable ASCII and blanks only */
bool words_are_plain(struct bytes line);

#endif /* ASSAY_ENFORCE_WORDS_H */
