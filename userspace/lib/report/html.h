/* SPDX-License-Identifier: MIT */
/*
 * A verdict as one HTML page that needs nothing else and lets nothing in: the verdict and
 * what it is to blame on, then the groups of checks, those where something failed first and
 * unfolded; with them assay's log as a time line, and the files by what became of them.
 * Pure: the caller writes it to a file.
 *
 *	struct html_report *report = html_begin();
 *	input.observer = html_observer(report);
 *	verify(&input, ...);
 *	html_end(report, ...);
 */
#ifndef ASSAY_REPORT_HTML_H
#define ASSAY_REPORT_HTML_H

#include "verify/verify.h"

struct html_report;

/* html_begin() - NULL without memory */
struct html_report *html_begin(void);

/* html_observer() - what gives the report the logs; lives as long as it does */
const struct verify_observer *html_observer(struct html_report *report);

/*
 * html_end() - append the page to @out, and free @report
 * @evidence: what was judged, for people
 * @now: when, in seconds since 1970-01-01 00:00 UTC
 *
 * @out->failed is set without memory.
 */
void html_end(struct html_report *report, const struct verdict *verdict, const char *evidence,
	      uint64_t now, struct buffer *out);

#endif /* ASSAY_REPORT_HTML_H */
