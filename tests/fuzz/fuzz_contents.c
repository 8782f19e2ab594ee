// SPDX-License-Identifier: MIT
/* What assay-contents says: files come sorted, with a digest, and a failure is the end. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/contents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	const struct contents_options options = { .parameters = &parameters };
	char previous[4096] = "";
	struct source_item item;
	struct source *source;
	struct assay_error err;
	enum source_kind kind;

	if (size == 0 ||
	    source_contents_stream(fmemopen((void *)data, size, "r"), &options, &source, &err) < 0)
		return 0;
	while ((kind = source_next(source, &item, &err)) == SOURCE_FILE) {
		require(item.fd == -1 && item.digest.size == 32);
		require(strcmp(previous, item.path) < 0);
		stpcpy(previous, item.path);
		free(item.path);
	}
	require(kind == SOURCE_END ||
		(!item.path && source_next(source, &item, NULL) == SOURCE_END));
	source_close(source);
	return 0;
}
