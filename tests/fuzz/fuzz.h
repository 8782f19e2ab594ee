/* SPDX-License-Identifier: MIT */
/* What fuzz targets share. */
#ifndef ASSAY_TESTS_FUZZ_H
#define ASSAY_TESTS_FUZZ_H

#include <stdlib.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a parser hands out lies within what it was given. */
static inline void inside(struct bytes part, struct bytes whole)
{
	if (part.size > 0 &&
	    (part.data < whole.data || part.data + part.size > whole.data + whole.size))
		abort();
}

#endif /* ASSAY_TESTS_FUZZ_H */
