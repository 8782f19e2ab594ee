/* SPDX-License-Identifier: MIT */
/* One pass over the rules: find the files, measure those that are not known, note them. */
#ifndef ASSAY_MEASURE_PASS_H
#define ASSAY_MEASURE_PASS_H

#include "measure/known.h"
#include "measure/outcome.h"
#include "measure/rules.h"

/**
 * struct measure_pass - what is to be done
 * @device: open for writing
 * @rules, @certificates: directories: rules_load(), trusted_load(); certificates are read only
 *                        where a rule names a manifest
 * @paths: @path_count files to measure instead of those of the rules; NULL: the rules'
 * @stage: whose rules
 * @root, @lists, @look_ms: as of struct scan_options
 * @flags: ASSAY_MEASURE_*
 * @known: files that are not measured again while they have the same digest; NULL: none
 * @enter: called once all is found, before the files are opened; may be NULL
 * @measured: what was measured is appended, as known_append_file() does
 */
struct measure_pass {
	const struct device *device;
	const char *rules, *certificates;
	const char *const *paths;
	size_t path_count;
	enum rule_stage stage;
	int root, lists;
	uint64_t look_ms;
	uint32_t flags;
	const struct known *known;
	int (*enter)(int root, struct assay_error *err);
	struct buffer *measured;
};

/*
 * measure_pass() - do it
 * @outcome: {0} before; what came of it, also after an error
 *
 * Return: 0, also where files and rules failed; else -errno, as its functions'
 */
int measure_pass(const struct measure_pass *pass, struct outcome *outcome, struct assay_error *err);

#endif /* ASSAY_MEASURE_PASS_H */
