/* SPDX-License-Identifier: MIT */
/*
 * For static analysers only, which tests/lint makes include this first. They look at
 * one source file at a time, so they cannot know that a failure that was noted is
 * never 0, and would follow each one as if it had been a success.
 */
#ifndef TESTS_ANALYSIS_H
#define TESTS_ANALYSIS_H

/* As the sources that need it do; here it must come before the first header. */
#define _GNU_SOURCE

#include <errno.h>

#include "assay.h"

#define assay_fail(...) ((void)(assay_fail)(__VA_ARGS__), -EINVAL)
#define assay_fail_context(...) ((void)(assay_fail_context)(__VA_ARGS__), -EINVAL)

#endif
