/* SPDX-License-Identifier: MIT */
/*
 * Which records of a log somebody wants to see: by kind, number, time, and the paths
 * in them. What the commands' options say is parsed here too, so that it can be tested.
 */
#ifndef ASSAY_LOG_FILTER_H
#define ASSAY_LOG_FILTER_H

#include "log/cel.h"

/**
 * struct log_filter - what a record has to be; log_filter_init() lets everything through
 * @kinds: a bit a kind, 0 for any. Records that are not assay's, or cannot be
 *         understood, are of no kind
 * @path: a file of the record has to match this pattern (fnmatch(3), where '*' takes
 *        '/' too); NULL for any, and records without files
 * @first, @last: numbers, both included
 * @since: nanoseconds since 1970, included; 0 for any. Records without a time have none
 *         that fits
 * @before: likewise, not included; UINT64_MAX for any
 */
struct log_filter {
	uint32_t kinds;
	const char *path;
	uint64_t first, last;
	uint64_t since, before;
};

void log_filter_init(struct log_filter *filter);

/* Each: 0; -EINVAL with what is off in @value. */

/* log_filter_kinds() - "START,measure": names, in any case, to be added to those asked for */
int log_filter_kinds(const char *value, struct log_filter *filter, struct assay_error *err);
/* log_filter_records() - "7", "3-7", "3-" or "-7" */
int log_filter_records(const char *value, struct log_filter *filter, struct assay_error *err);

/* log_number_parse() - decimal digits and nothing else, at most 2^64-1 */
bool log_number_parse(const char *value, uint64_t *ret);

/*
 * log_time_parse() - a point in time
 * @value: "2026-01-02", "2026-01-02 03:04" or "2026-01-02 03:04:05" (or with a T, and
 *         with a Z; all of them UTC), "@SECONDS" since 1970, or "-NUMBER" and s, m, h
 *         or d before now
 * @now: nanoseconds since 1970
 */
int log_time_parse(const char *value, uint64_t now, uint64_t *ret, struct assay_error *err);

/* log_now() - nanoseconds since 1970 by this system's clock */
uint64_t log_now(void);

/* Room for what log_time_text() writes: "2026-01-02T03:04:05.000000006Z". */
#define LOG_TIME_TEXT 32

/* log_time_text() - as RFC 3339 has it, to the nanosecond, UTC; returns @text */
const char *log_time_text(uint64_t time, char text[static LOG_TIME_TEXT]);

/*
 * log_filter_record() - does the record pass?
 * @content: NULL for one that is not assay's or is malformed; such records pass where
 *           neither kinds, times nor a path are asked for
 */
bool log_filter_record(const struct log_filter *filter, const struct cel_record *record,
		       const struct assay_content *content);

/* log_filter_file() - does the file's path match? */
bool log_filter_file(const struct log_filter *filter, const struct measured_file *file);

#endif /* ASSAY_LOG_FILTER_H */
