/* SPDX-License-Identifier: MIT */
/*
 * What a file is that was taken for a log: a log of another kind, or no log but something that
 * is easily mistaken for one. For errors that say so; a guess by the file's first bytes, which are
 * hostile. For the commands.
 */
#ifndef ASSAY_LOG_KIND_H
#define ASSAY_LOG_KIND_H

#include "base/bytes.h"

enum log_kind {
	LOG_KIND_UNKNOWN,
	LOG_KIND_IMA,
	LOG_KIND_IMA_ASCII,
	LOG_KIND_CEL,
	LOG_KIND_CEL_JSON,
	LOG_KIND_UEFI,
	LOG_KIND_CCEL,
	LOG_KIND_ACPI_CCEL,
	LOG_KIND_ACPI_TABLE,
	LOG_KIND_DSSE,
	LOG_KIND_ASSAY_JSON,
	LOG_KIND_JSON,
	LOG_KIND_PEM,
};

enum log_kind log_kind_detect(struct bytes file);

/* log_kind_sentence() - "it is ..., ...": what it is and what to do; NULL of LOG_KIND_UNKNOWN */
const char *log_kind_sentence(enum log_kind kind);

#endif /* ASSAY_LOG_KIND_H */
