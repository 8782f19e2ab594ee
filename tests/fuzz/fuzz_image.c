// SPDX-License-Identifier: MIT
/*
 * An image in an archive: whatever it is, what comes of it is a root of sorted paths without "..",
 * of no more than its limit. Bounded memory and time are the fuzzer's own checks.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "contents/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

struct before {
	char path[8192];
};

static int each(void *context, const char *path, const struct merged_file *file,
		struct assay_error *err)
{
	struct before *before = context;

	(void)err;
	require(path[0] == '/' && file->digest.size == 32);
	require(!strstr(path, "/../") && !strstr(path, "//"));
	if (strlen(path) < sizeof(before->path)) {
		require(strcmp(before->path, path) < 0);
		stpcpy(before->path, path);
	}
	return 0;
}

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
	require(merged_walk(unpack.merged, each, &before, &err) == 0);
	verity_hasher_free(unpack.hasher);
	merged_free(unpack.merged);
	return 0;
}
