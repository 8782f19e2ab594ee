/* SPDX-License-Identifier: MIT */
/*
 * Measuring is done in a child of the service, as looking for files, and the TPM, take their time.
 * It is the part's own code, with the part's capability to read what is measured.
 */
#ifndef ASSAY_ASSAYD_MEASURE_CHILD_H
#define ASSAY_ASSAYD_MEASURE_CHILD_H

#include <sys/types.h>

#include "base/bytes.h"
#include "config.h"
#include "log/device.h"

/* Files of a request, as of a batch. */
#define MEASURE_PATHS_MAX ASSAY_MAX_BATCH
/* Bytes that it answers with, at most. */
#define MEASURE_OUTPUT_MAX (8U << 20)

/* What was measured, in the runtime directory: of stage 1, and of this one (measure/known.h). */
#define MEASURE_KNOWN_INITRD "stage1.measured"
#define MEASURE_KNOWN "measured"

/**
 * struct measure_task - what the child is to do
 * @paths: paths to measure, each with its NUL, whether or not they were before; at most
 *         MEASURE_PATHS_MAX. None: what the rules say that was not
 * @looks: ROOT_LOOKS_SIZE bytes of shared memory, where it has the path that it looks at
 * @files: answer with the files that were measured
 */
struct measure_task {
	const struct config *config;
	const struct device *device;
	struct bytes paths;
	char *looks;
	bool files;
};

/*
 * measure_child_start() - start it
 * @ret_pid: the child, to be reaped
 * @ret_output: descriptor, not blocking, of what it answers with: an object with the members of
 *              an outcome (measure/outcome.h), and "measured", an array of objects with path and
 *              digest, if files were asked for
 *
 * Files that rules name are read with CAP_DAC_READ_SEARCH; those of a request are not, so that who
 * asks learns nothing of files that not everybody may read.
 */
int measure_child_start(const struct measure_task *task, pid_t *ret_pid, int *ret_output,
			struct assay_error *err);

#endif /* ASSAY_ASSAYD_MEASURE_CHILD_H */
