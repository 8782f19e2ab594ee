/* SPDX-License-Identifier: MIT */
/* Devices that are made up, in files and as rows of a database. */
#ifndef ASSAY_BENCH_FLEET_FILES_H
#define ASSAY_BENCH_FLEET_FILES_H

#include "fleet_device.h"

/* write_one_device() - its key, its first evidence, and some that goes on from that */
void write_one_device(const char *directory, struct made_device *device,
		      const struct made_logs *logs);

/* write_device_rows() - to standard output, as PostgreSQL's COPY takes them */
void write_device_rows(struct made_device *devices, uint64_t count);

#endif /* ASSAY_BENCH_FLEET_FILES_H */
