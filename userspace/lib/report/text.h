/* SPDX-License-Identifier: MIT */
/* A verdict for the person at the terminal: first what it is, then why. Pure. */
#ifndef ASSAY_REPORT_TEXT_H
#define ASSAY_REPORT_TEXT_H

#include "base/bytes.h"
#include "verify/verdict.h"

/*
 * report_text() - append the verdict as text to @out
 * @verbose: every check, too
 * @colours: for a terminal (ECMA-48)
 *
 * The first line is verdict_sentence() and nothing else. What the verdict is to blame on
 * follows, each check with what was found and what to do, then what was found although
 * nobody requires it, then a line a group of checks. @out->failed is set without memory.
 */
void report_text(struct buffer *out, const struct verdict *verdict, bool verbose, bool colours);

#endif /* ASSAY_REPORT_TEXT_H */
