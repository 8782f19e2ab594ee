// SPDX-License-Identifier: MIT
/*
 * An image in an archive: whatever it is, what comes of it is a root of sorted paths without "..",
 * of no more than its limit. Bounded memory and time are the fuzzer's own checks.
 */
#define _GNU_SOURCE
#include <stdint.h>

#include "contents/image.h"
#include "merged.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	struct unpack unpack = { .merged = merged_new(), .left = 1 << 20 };
	const struct image_source source = {
		.fd = -1, .text = BYTES(data, size), .name = "x", .wanted = ""
	};
	struct before before = { "" };
	struct assay_error err = { 0 };

	require(unpack.merged && verity_hasher_new(&parameters, &unpack.hasher, &err) == 0);
	if (image_read(&unpack, &source, &err) < 0)
		require(err.text[0] != '\0');
	require(merged_walk(unpack.merged, require_sorted, &before, &err) == 0);
	verity_hasher_free(unpack.hasher);
	merged_free(unpack.merged);
	return 0;
}
