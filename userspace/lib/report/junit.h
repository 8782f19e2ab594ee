/* SPDX-License-Identifier: MIT */
/* A verdict as JUnit XML, which CI systems show: a test case a check. Pure. */
#ifndef ASSAY_REPORT_JUNIT_H
#define ASSAY_REPORT_JUNIT_H

#include "base/bytes.h"
#include "verify/verdict.h"

/*
 * junit_write() - append the document to @out
 * @evidence: what was judged, for people
 * @now: when, in seconds since 1970-01-01 00:00 UTC
 *
 * The property "verdict" is verdict_sentence(). A required check that did not pass is a failure,
 * one that was not made or is not required and did not pass is skipped. There is a failure exactly
 * if the verdict is not "trusted": of a policy that requires nothing, a test case of its own says
 * so.
 * @out->failed is set without memory.
 */
void junit_write(const struct verdict *verdict, const char *evidence, uint64_t now,
		 struct buffer *out);

#endif /* ASSAY_REPORT_JUNIT_H */
