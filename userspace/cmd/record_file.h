/* SPDX-License-Identifier: MIT */
/*
 * A device's record as `assay verify --device` has it: read, and written back with the state
 * of a verdict that is trusted. One verdict of a device at a time, so that no state is lost.
 */
#ifndef ASSAY_CMD_RECORD_FILE_H
#define ASSAY_CMD_RECORD_FILE_H

#include "verify/record.h"

/*
 * struct record_file - an open record; start with {.lock = -1}, end with record_file_close()
 * @path: where the file is, with no symbolic link in it; owned
 * @lock: of the file, held; -1 if it is not to be written
 */
struct record_file {
	char *path;
	int lock;
	struct device_record record;
};

/*
 * record_file_open() - read a record, waiting for whoever else judges the device
 * @path: of a regular file, or a symbolic link to one, which stays as it is
 * @update: whether record_file_keep() is to follow
 */
int record_file_open(struct record_file *file, const char *path, bool update,
		     struct assay_error *err);

/* record_file_keep() - write the record back with that state, to the same file, for the same users
 */
int record_file_keep(struct record_file *file, const struct verify_state *state,
		     struct assay_error *err);

void record_file_close(struct record_file *file);

#endif /* ASSAY_CMD_RECORD_FILE_H */
