/* SPDX-License-Identifier: MIT */
/*
 * Files handed to the kernel, thousands at a time: each batch is one record of the log and one
 * extend of the PCR. For `assay measure`, the measuring at boot and the service.
 */
#ifndef ASSAY_MEASURE_BATCH_H
#define ASSAY_MEASURE_BATCH_H

#include "log/device.h"

/*
 * measure_told - called for each file, in order
 * @entry: its .result is 0, or a negative errno
 * @recorded: it is in the record with the number @recnum
 */
typedef void (*measure_told)(void *context, const char *path,
			     const struct assay_measure_entry *entry, bool recorded,
			     uint64_t recnum);

/**
 * struct measure_job - how files are measured
 * @device: open for writing
 * @root: descriptor of the directory that paths are seen from: no symbolic link and no ".." leads
 *        out of it. -1: the process' own root
 * @descriptors: descriptor of /proc/self/fd, for a process that has changed its root since; -1:
 *               that of /proc
 * @flags: ASSAY_MEASURE_*
 * @stay: the last component of a path may not be a symbolic link: -ELOOP
 * @told, @context: told of each file
 * @advanced: called with how many are done; may be NULL
 */
struct measure_job {
	const struct device *device;
	int root, descriptors;
	uint32_t flags;
	bool stay;
	measure_told told;
	void (*advanced)(void *context, size_t done);
	void *context;
};

/**
 * struct measure_counts - what came of it
 * @measured: files whose digest is in the log, anchored
 * @failed: files whose is not; of those that could be opened the log has why
 * @records: written; @last_record is the number of the last of them
 */
struct measure_counts {
	size_t measured, failed, records;
	uint64_t last_record;
};

/*
 * measure_files() - measure files in their order, up to ASSAY_MAX_BATCH with a call
 * @paths: @count of them, as seen from the job's root
 * @ret: filled also after an error
 *
 * Nothing but a regular file is opened for reading: opening a device can do things, opening a
 * FIFO can wait for ever. Raises the limit of open files as far as the process may.
 *
 * Return: 0, also if files failed; the error of the batch that could not be recorded or
 * anchored, as device_measure(): nothing after it was tried
 */
int measure_files(const struct measure_job *job, const char *const *paths, size_t count,
		  struct measure_counts *ret, struct assay_error *err);

/* measure_advice() - what a file's errno means here, and what to do: "; TEXT", or "" */
const char *measure_advice(int code);

#endif /* ASSAY_MEASURE_BATCH_H */
