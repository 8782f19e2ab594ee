/* SPDX-License-Identifier: MIT */
/* What came of measuring by rules, for the machine-readable result of either stage. */
#ifndef ASSAY_MEASURE_OUTCOME_H
#define ASSAY_MEASURE_OUTCOME_H

#include <jansson.h>

#include "measure/batch.h"
#include "measure/scan.h"

/* Files that could not be measured and are named in the result; the rest is counted. */
#define OUTCOME_FILES_MAX 100

enum outcome_kind {
	OUTCOME_MEASURED,   /* all that the rules name is measured and anchored */
	OUTCOME_INCOMPLETE, /* all rules were followed, but files of them could not be measured */
	OUTCOME_FAILED,	    /* nothing could be measured, or a rule could not be followed */
};

/**
 * struct outcome - {0} at first; outcome_free() it
 * @error: .code is not 0: what kept all of it, or what came after, from being measured
 * @file_count: files that were to be measured
 * @known_count: files besides that were measured in this boot, and are the same
 * @without_verity, @failure_count: of the scan
 * @counts: what was
 * @milliseconds: how long it took
 * @failures: the sentences of rules that could not be followed
 * @files: those that could not be measured: objects with path, errno, error
 */
struct outcome {
	struct assay_error error;
	size_t file_count, known_count, without_verity, failure_count;
	struct measure_counts counts;
	uint64_t milliseconds;
	json_t *failures, *files;
};

enum outcome_kind outcome_kind(const struct outcome *outcome);

/* outcome_take_scan() - note what a scan has found */
void outcome_take_scan(struct outcome *outcome, const struct scan *scan);
/* outcome_take_file() - note one that could not be measured: a positive @code of errno */
void outcome_take_file(struct outcome *outcome, const char *path, int code);

/* outcome_tell() - put its members into @object; false without memory */
bool outcome_tell(const struct outcome *outcome, json_t *object);

/* outcome_sentence() - one line for people; @text has room for 512 */
#define OUTCOME_SENTENCE_MAX 512
char *outcome_sentence(const struct outcome *outcome, char *text);

void outcome_free(struct outcome *outcome);

#endif /* ASSAY_MEASURE_OUTCOME_H */
