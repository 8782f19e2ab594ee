/* SPDX-License-Identifier: MIT */
/* What the verbs of `assay log` share: where a log comes from, and how it is shown. */
#ifndef ASSAY_CMD_LOG_H
#define ASSAY_CMD_LOG_H

#include "cmd.h"
#include "log/cel.h"
#include "log/device.h"
#include "log/filter.h"
#include "log/hasher.h"

extern const struct command command_log_show;
extern const struct command command_log_follow;
extern const struct command command_log_anchor;
extern const struct command command_log_trim;
extern const struct command command_log_export;
extern const struct command command_log_import;

/* ---------------------------------------------------------------- where from */

/**
 * struct log_source - a log in memory; log_source_free() it
 * @cel: its records
 * @base: offset of the first one
 * @device: @header is set: it is this system's log, or that of the boot before
 * @header: as it was when the log was copied
 */
struct log_source {
	struct buffer cel;
	uint64_t base;
	bool device;
	struct assay_log_header header;
};

int log_source_device(struct log_source *source, bool previous, struct assay_error *err);
/* @path: "-" is standard input; a log in JSON is turned into TLV, with .base 0 */
int log_source_file(struct log_source *source, const char *path, struct assay_error *err);
int log_source_evidence(struct log_source *source, const char *path, struct assay_error *err);
void log_source_free(struct log_source *source);

/* ---------------------------------------------------------------- which records */

/* Rows for a verb's table of options, and what takes their values. */
enum { LOG_KIND = 2048, LOG_PATH, LOG_RECORDS, LOG_SINCE, LOG_BEFORE };
/* clang-format off */
#define LOG_FILTER_OPTIONS \
	{ "kind", required_argument, NULL, LOG_KIND }, \
	{ "path", required_argument, NULL, LOG_PATH }, \
	{ "records", required_argument, NULL, LOG_RECORDS }, \
	{ "since", required_argument, NULL, LOG_SINCE }, \
	{ "before", required_argument, NULL, LOG_BEFORE }
/* clang-format on */
#define LOG_FILTER_HELP                                                                          \
	"      --kind K,...   only records of these kinds: START, MEASURE, EVENT, ...\n"         \
	"      --path GLOB    only files whose path matches, and records with such files;\n"     \
	"                     '*' takes '/' too\n"                                               \
	"      --records R    only these: 7, 3-7, 3- or -7\n"                                    \
	"      --since T      only records of this time or later: 2026-01-02,\n"                 \
	"                     '2026-01-02 03:04:05' (UTC), @SECONDS since 1970, or -2h (s, m,\n" \
	"                     h, d) for so long ago\n"                                           \
	"      --before T     only records of an earlier time\n"

int log_filter_option(int option, const char *value, struct log_filter *filter,
		      struct assay_error *err);

/* ---------------------------------------------------------------- showing */

/**
 * struct log_view - showing records one after the other; log_view_end() it
 * @filter: which ones
 * @json: each as a JSON object without a newline behind it, instead of as text
 * @has_anchored: @anchored is set: the log's offset up to which the PCR holds it
 * @colours: text in colours
 * @records: that were read
 * @shown: that passed the filter
 * @off: that are malformed, or whose digest does not fit, whether shown or not
 */
struct log_view {
	const struct log_filter *filter;
	bool json;
	bool has_anchored;
	uint64_t anchored;
	bool colours;
	uint64_t records, shown, off;
	struct hashers hashers;
};

/*
 * log_digests_fit() - are the record's digests those of its content?
 * Only of records of assay's own kind, whose digest is over the content's bytes; other kinds
 * have their own rules. Digests of algorithms that cannot be computed here are passed over.
 */
bool log_digests_fit(const struct cel_record *record, struct hashers *hashers);

/* log_view_header() - the table's head; for text only */
void log_view_header(const struct log_view *view);

/*
 * log_view_record() - check a record, and print it if it passes the filter
 * @separator: printed before it if it is
 *
 * Return: 1 if it was printed, 0 if not, -EIO, -ENOMEM
 */
int log_view_record(struct log_view *view, const struct cel_record *record, const char *separator,
		    struct assay_error *err);

void log_view_end(struct log_view *view);

#endif /* ASSAY_CMD_LOG_H */
