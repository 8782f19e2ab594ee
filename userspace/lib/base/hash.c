// SPDX-License-Identifier: MIT
#include <string.h>

#include "assay.h"

static const struct {
	enum assay_hash hash;
	const char *name;
	size_t size;
} hashes[] = {
	{ ASSAY_HASH_SHA1, "sha1", 20 },
	{ ASSAY_HASH_SHA256, "sha256", 32 },
	{ ASSAY_HASH_SHA384, "sha384", 48 },
	{ ASSAY_HASH_SHA512, "sha512", 64 },
};

size_t assay_hash_size(enum assay_hash hash)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (hashes[i].hash == hash)
			return hashes[i].size;
	return 0;
}

const char *assay_hash_name(enum assay_hash hash)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (hashes[i].hash == hash)
			return hashes[i].name;
	return NULL;
}

enum assay_hash assay_hash_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strcmp(hashes[i].name, name) == 0)
			return hashes[i].hash;
	return ASSAY_HASH_NONE;
}
