/* SPDX-License-Identifier: MIT */
/* IMA's list of this boot, for `assay log export` and `assay quote`. */
#ifndef ASSAY_CMD_IMA_LIST_H
#define ASSAY_CMD_IMA_LIST_H

#include "archive/ima_notes.h"
#include "archive/ima_whole.h"
#include "log/ima_kernel.h"

/*
 * ima_list_whole() - all of it: ima_whole_read()
 * @archive: the directory of this boot's archive; NULL: where the service has it by default, if it
 *           is there
 */
int ima_list_whole(const char *archive, enum assay_hash bank, size_t limit, struct buffer *out,
		   struct ima_whole *ret, struct assay_error *err);

#endif /* ASSAY_CMD_IMA_LIST_H */
