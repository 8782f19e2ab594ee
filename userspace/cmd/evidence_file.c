// SPDX-License-Identifier: MIT
#include "evidence_file.h"

#include "base/file.h"

static int write_evidence(FILE *stream, const void *evidence, struct assay_error *err)
{
	return evidence_write(stream, evidence, err);
}

int evidence_file_write(const char *path, const struct evidence *evidence, struct assay_error *err)
{
	return file_write_by(path, 0666, write_evidence, evidence, err);
}
