// SPDX-License-Identifier: MIT
/*
 * A Debian package: whatever it is, what comes of it is a root of sorted paths without "..", of no
 * more than its limit. Bounded memory and time are the fuzzer's own checks.
 */
#define _GNU_SOURCE
#include <stdint.h>

#include "contents/deb.h"
#include "merged.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	struct unpack unpack = { .merged = merged_new(), .left = 1 << 20 };
	struct packages packages = { 0 };
	struct before before = { "" };
	struct assay_error err = { 0 };
	uint64_t configuration = 0;

	require(unpack.merged && verity_hasher_new(&parameters, &unpack.hasher, &err) == 0 &&
		deb_begin(unpack.merged, &err) == 0);
	if (deb_read(&unpack, -1, BYTES(data, size), "x", false, &packages, &configuration, &err) <
	    0)
		require(err.text[0] != '\0');
	require(merged_walk(unpack.merged, require_sorted, &before, &err) == 0);
	verity_hasher_free(unpack.hasher);
	merged_free(unpack.merged);
	packages_free(&packages);
	return 0;
}
