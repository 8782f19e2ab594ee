// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

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

char *assay_digest_text(const struct assay_digest *digest, char *text)
{
	const char *name = assay_hash_name(digest->hash);
	int used = snprintf(text, ASSAY_DIGEST_TEXT_MAX, "%s:", name ? name : "none");

	hex_encode(BYTES(digest->bytes, digest->size), text + used);
	return text;
}

int assay_digest_parse(const char *text, struct assay_digest *ret)
{
	const char *colon = strchr(text, ':');
	struct assay_digest digest = { 0 };
	char name[8];

	if (!colon || (size_t)(colon - text) >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	digest.hash = assay_hash_by_name(name);
	if (digest.hash == ASSAY_HASH_NONE ||
	    hex_decode(colon + 1, digest.bytes, sizeof(digest.bytes), &digest.size) < 0 ||
	    digest.size != assay_hash_size(digest.hash))
		return -EINVAL;
	*ret = digest;
	return 0;
}
