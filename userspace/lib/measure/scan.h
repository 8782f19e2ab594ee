/* SPDX-License-Identifier: MIT */
/*
 * From rules to files: which files there are that the rules are for, sorted, none twice. Nothing
 * is opened that is no regular file or directory, nor what could wait for a server.
 */
#ifndef ASSAY_MEASURE_SCAN_H
#define ASSAY_MEASURE_SCAN_H

#include <openssl/x509.h>

#include "measure/rules.h"

/* Files at most, bytes of their paths, and names that are looked at in directories. */
#define SCAN_FILES_MAX (256U * 1024)
#define SCAN_PATHS_MAX (64U << 20)
#define SCAN_NAMES_MAX (8U << 20)
/* Directories within each other. */
#define SCAN_DEPTH_MAX 64
/* Failures that are kept as sentences; the rest is counted. */
#define SCAN_FAILURES_KEPT 32

/**
 * struct scan_file - a file to be measured
 * @path: from the root, its directories without symbolic links
 * @named: a rule names this one (manifest, file, list), or it is an image (images), so that it
 *         has to be there, with fs-verity. Else it was found, and has it
 */
struct scan_file {
	char *path;
	bool named;
};

/**
 * struct scan - what rules came to; scan_free() it
 * @files: sorted by the bytes of their paths
 * @without_verity: regular files that rules have found, but not named, and that have none
 * @failures: sentences: rules that could not be followed: a manifest that is not signed by whom
 *            it should, a list that is not there
 * @failure_count: of all, also of those that are not kept
 */
struct scan {
	struct scan_file *files;
	size_t count;
	size_t without_verity;
	char *failures[SCAN_FAILURES_KEPT];
	size_t failure_count;
};

/**
 * struct scan_options - where to look, and whom to believe
 * @root: descriptor of the directory that all paths are seen from, from root_open()
 * @lists: descriptor of the one that RULE_LIST's files are seen from
 * @stage: whose rules
 * @certificates: a manifest is believed if the key of one of these has signed it
 * @look_ms: milliseconds that looking into directories may take; 0: as long as it takes
 */
struct scan_options {
	int root, lists;
	enum rule_stage stage;
	X509 *const *certificates;
	size_t certificate_count;
	uint64_t look_ms;
};

/*
 * scan_rules() - find the files that rules are for
 *
 * A rule that cannot be followed is a failure in @ret, and so is one that comes to more than the
 * bounds: neither keeps the others from it, and what it has found until then counts. Of the room
 * that those leave which name files, half is kept in equal parts for the rules that come yet.
 *
 * Return: 0; -ENOMEM; the error of the root or of /proc/self/mountinfo
 */
int scan_rules(const struct scan_options *options, const struct rules *rules, struct scan *ret,
	       struct assay_error *err);
void scan_free(struct scan *scan);

#endif /* ASSAY_MEASURE_SCAN_H */
