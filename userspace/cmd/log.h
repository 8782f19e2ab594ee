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
extern const struct command command_log_verify_archive;

/* ---------------------------------------------------------------- where from */

/**
 * struct log_source - a log in memory; log_source_free() it
 * @cel: its records
 * @base: offset of the first one
 * @device: @header is set: it is this system's log, or that of the boot before
 * @header: as it was when the log was copied
 * @pcr_state: enum assay_pcr_state, of this system's log
 * @broken: .code is not 0: it is a log in JSON that could be read only so far, and .text says why
 */
struct log_source {
	struct buffer cel;
	uint64_t base;
	bool device;
	struct assay_log_header header;
	uint32_t pcr_state;
	struct assay_error broken;
};

int log_source_device(struct log_source *source, bool previous, struct assay_error *err);
/*
 * log_source_file() - @path: "-" is standard input; a log in JSON is turned into TLV, with .base 0;
 * a directory is a boot's archive
 * What is no log but something else is named for what it is. Of a log in JSON that breaks off,
 * .cel has what comes before that, and .broken is set.
 */
int log_source_file(struct log_source *source, const char *path, struct assay_error *err);
/*
 * log_source_archive() - the records of a boot's archive, a directory
 * @live: and behind them those of this system's log, whose archive it must be
 */
int log_source_archive(struct log_source *source, const char *path, bool live,
		       struct assay_error *err);
int log_source_evidence(struct log_source *source, const char *path, struct assay_error *err);
void log_source_free(struct log_source *source);

/*
 * log_export_ima() - `assay log export --ima`; an exit status
 * @archive: NULL: the default
 * @bank: ASSAY_HASH_NONE: that of the archive
 * @output: NULL: standard output
 */
int log_export_ima(const struct command *command, const char *archive, enum assay_hash bank,
		   const char *output);

/* ---------------------------------------------------------------- which records */

/* Rows for a verb's table of options; @member: struct log_filter, begun by log_filter_init() */
/* clang-format off */
/* NOLINTBEGIN(bugprone-macro-parentheses): they are a type and a member */
#define LOG_FILTER_ROWS(structure, member) \
	OPTION_HEADING("Only records:"), \
	{ "kind", 'k', "K,...", "of these kinds: START, MEASURE, EVENT, ...; may be repeated", \
	  OPTION_FUNCTION(structure, member, option_log_kinds), .repeatable = true }, \
	{ "path", 'p', "GLOB", \
	  "with files whose path matches, and of these only those files; '*' takes '/' too", \
	  OPTION_TEXT(structure, member.path) }, \
	{ "records", 'n', "R", "of these numbers: 7, 3-7, 3- or -7", \
	  OPTION_FUNCTION(structure, member, option_log_records) }, \
	{ "since", 0, "T", \
	  "of this time or later: 2026-01-02, '2026-01-02 03:04:05' (UTC), @SECONDS since 1970, or " \
	  "-2h (s, m, h, d) for so long ago", \
	  OPTION_FUNCTION(structure, member.since, option_log_time) }, \
	{ "before", 0, "T", "of an earlier time", \
	  OPTION_FUNCTION(structure, member.before, option_log_time) }
/* NOLINTEND(bugprone-macro-parentheses) */
/* clang-format on */

/* What takes their values; also of log trim. @filter: struct log_filter; @time: uint64_t */
int option_log_kinds(void *filter, const char *value, struct assay_error *err);
int option_log_records(void *filter, const char *value, struct assay_error *err);
int option_log_time(void *time, const char *value, struct assay_error *err);

/* ---------------------------------------------------------------- showing */

/**
 * struct log_view - showing records one after the other; log_view_end() it
 * @filter: which ones
 * @json: each as a JSON object without a newline behind it, instead of as text
 * @has_anchored: @anchored is set: the log's offset up to which the PCR holds it
 * @colours: text in colours
 * @records: that were read
 * @shown: that passed the filter
 * @bad: that are malformed, or whose digest does not match, whether shown or not
 */
struct log_view {
	const struct log_filter *filter;
	bool json;
	bool has_anchored;
	uint64_t anchored;
	bool colours;
	uint64_t records, shown, bad;
	struct hashers hashers;
};

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
