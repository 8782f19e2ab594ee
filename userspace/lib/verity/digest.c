// SPDX-License-Identifier: MIT
#include "verity/digest.h"

#include <errno.h>
#include <string.h>

#include "verity/parameters.h"

struct bytes verity_formatted_digest(const struct assay_digest *digest, uint8_t *formatted)
{
	static const char magic[8] = { 'F', 'S', 'V', 'e', 'r', 'i', 't', 'y' };
	uint16_t algorithm = verity_algorithm(digest->hash);
	size_t size = assay_hash_size(digest->hash);

	if (algorithm == 0 || digest->size != size)
		return BYTES(formatted, 0);
	memcpy(formatted, magic, sizeof(magic));
	formatted[8] = (uint8_t)algorithm;
	formatted[9] = (uint8_t)(algorithm >> 8);
	formatted[10] = (uint8_t)size;
	formatted[11] = (uint8_t)(size >> 8);
	memcpy(formatted + 12, digest->bytes, size);
	return BYTES(formatted, 12 + size);
}

int verity_digest_parse(const char *text, struct assay_digest *ret)
{
	struct assay_digest digest;

	if (assay_digest_parse(text, &digest) < 0 || verity_algorithm(digest.hash) == 0)
		return -EINVAL;
	*ret = digest;
	return 0;
}

bool verity_digest_equal(const struct assay_digest *a, const struct assay_digest *b)
{
	return a->hash == b->hash &&
	       bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size));
}
