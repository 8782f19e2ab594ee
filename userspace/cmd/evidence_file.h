/* SPDX-License-Identifier: MIT */
/* Evidence into a file. Also in the program assay-verify. */
#ifndef ASSAY_CMD_EVIDENCE_FILE_H
#define ASSAY_CMD_EVIDENCE_FILE_H

#include "verify/evidence.h"

/* evidence_file_write() - as of evidence_write() and file_write_by(); "-" is standard output */
int evidence_file_write(const char *path, const struct evidence *evidence, struct assay_error *err);

#endif /* ASSAY_CMD_EVIDENCE_FILE_H */
