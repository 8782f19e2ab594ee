/* SPDX-License-Identifier: MIT */
/* Keylime's push evidence, API version 3; see keylime.h. */
#ifndef ASSAY_IMPORT_KEYLIME_PUSH_H
#define ASSAY_IMPORT_KEYLIME_PUSH_H

#include <jansson.h>

#include "import/parts.h"

/* keylime_push_read() - @root has "data" with "attributes" */
int keylime_push_read(const json_t *root, const struct import_notes *notes,
		      struct evidence *evidence, struct assay_error *err);

#endif /* ASSAY_IMPORT_KEYLIME_PUSH_H */
