/* SPDX-License-Identifier: MIT */
/* Points in time as text: RFC 3339, UTC, whole seconds, "2026-01-31T23:59:59Z". */
#ifndef ASSAY_BASE_UTC_H
#define ASSAY_BASE_UTC_H

#include "assay.h"

#define UTC_LENGTH 20 /* characters, without the NUL */

/*
 * utc_text() - @seconds since 1970-01-01 00:00 UTC as text
 * Return: @text; empty for a time after the year 9999
 */
char *utc_text(uint64_t seconds, char text[UTC_LENGTH + 1]);

/* utc_parse() - that form only, and only times that there are; false otherwise */
bool utc_parse(const char *text, uint64_t *ret);

#endif /* ASSAY_BASE_UTC_H */
