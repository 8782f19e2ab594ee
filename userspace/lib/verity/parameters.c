// SPDX-License-Identifier: MIT
#include "verity/parameters.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fsverity.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum assay_hash hash;
	uint16_t algorithm;
} algorithms[] = {
	{ ASSAY_HASH_SHA256, FS_VERITY_HASH_ALG_SHA256 },
	{ ASSAY_HASH_SHA512, FS_VERITY_HASH_ALG_SHA512 },
};

uint16_t verity_algorithm(enum assay_hash hash)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].hash == hash)
			return algorithms[i].algorithm;
	return 0;
}

enum assay_hash verity_hash_by_algorithm(uint16_t algorithm)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].algorithm == algorithm)
			return algorithms[i].hash;
	return ASSAY_HASH_NONE;
}

static int check_limits(const struct verity_parameters *parameters, uint32_t least,
			struct assay_error *err)
{
	uint32_t block_size = parameters->block_size;

	if (verity_algorithm(parameters->hash) == 0)
		return assay_fail(err, EINVAL, "fs-verity knows the hashes sha256 and sha512 only");
	if (block_size < least || block_size > VERITY_BLOCK_SIZE_MAX ||
	    (block_size & (block_size - 1)) != 0)
		return assay_fail(err, EINVAL,
				  "a block size of %" PRIu32
				  " is not possible: it must be a power of two from %" PRIu32
				  " to %d (and at most the device's page size and its file "
				  "system's block size)",
				  block_size, least, VERITY_BLOCK_SIZE_MAX);
	if (parameters->salt_size > VERITY_SALT_MAX)
		return assay_fail(err, EINVAL, "a salt of %zu bytes is longer than the %d possible",
				  parameters->salt_size, VERITY_SALT_MAX);
	return 0;
}

int verity_check_parameters(const struct verity_parameters *parameters, struct assay_error *err)
{
	return check_limits(parameters, VERITY_BLOCK_SIZE_MIN, err);
}

int verity_check_parameters_small(const struct verity_parameters *parameters,
				  struct assay_error *err)
{
	int r = check_limits(parameters, VERITY_BLOCK_SIZE_SMALL, err);

	if (r == 0 && parameters->block_size < 2 * assay_hash_size(parameters->hash))
		return assay_fail(err, EINVAL,
				  "blocks of %" PRIu32 " bytes are too small for %s: two digests "
				  "must fit into one",
				  parameters->block_size, assay_hash_name(parameters->hash));
	return r;
}

int verity_set_block_size(struct verity_parameters *parameters, const char *text,
			  struct assay_error *err)
{
	struct verity_parameters changed_parameters = *parameters;
	unsigned long size;
	char *end;

	errno = 0;
	size = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || size > VERITY_BLOCK_SIZE_MAX)
		return assay_fail(err, EINVAL,
				  "the block size is a power of two from %d to %d, not '%s'",
				  VERITY_BLOCK_SIZE_MIN, VERITY_BLOCK_SIZE_MAX, text);
	changed_parameters.block_size = (uint32_t)size;
	if (verity_check_parameters(&changed_parameters, err) < 0)
		return -EINVAL;
	*parameters = changed_parameters;
	return 0;
}
