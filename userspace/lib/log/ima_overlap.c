// SPDX-License-Identifier: MIT
#include "log/ima_overlap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

int ima_print_of(struct bytes entry, ima_print *ret, struct assay_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(entry.data, entry.size, digest, NULL, EVP_sha256(), NULL))
		return assay_fail(err, EIO, "cannot compute SHA-256");
	memcpy(ret, digest, sizeof(*ret));
	return 0;
}

/* Of each beginning of @list, the longest shorter one that is its end as well (Knuth, Morris,
 * Pratt). */
static void find_borders(const ima_print *list, size_t count, size_t *borders)
{
	size_t length = 0;

	borders[0] = 0;
	for (size_t i = 1; i < count; i++) {
		while (length > 0 && list[i] != list[length])
			length = borders[length - 1];
		length += list[i] == list[length];
		borders[i] = length;
	}
}

int ima_overlap(const ima_print *kept, size_t kept_count, const ima_print *list, size_t list_count,
		size_t *ret_count, struct assay_error *err)
{
	size_t limit = list_count < kept_count ? list_count : kept_count;
	size_t *borders, matched = 0;

	*ret_count = 0;
	if (limit == 0)
		return 0;
	borders = calloc(limit, sizeof(*borders));
	if (!borders)
		return assay_fail(err, ENOMEM, "out of memory for %zu entries", limit);
	find_borders(list, limit, borders);
	for (size_t i = kept_count - limit; i < kept_count; i++) {
		if (matched == limit)
			matched = borders[matched - 1];
		while (matched > 0 && kept[i] != list[matched])
			matched = borders[matched - 1];
		matched += kept[i] == list[matched];
	}
	free(borders);
	*ret_count = matched;
	return 0;
}

int ima_meet(const ima_print *kept, size_t kept_count, const ima_print *list, size_t list_count,
	     size_t own, struct ima_meeting *ret, struct assay_error *err)
{
	size_t overlap;
	int r = ima_overlap(kept, kept_count, list, list_count, &overlap, err);

	if (r < 0)
		return r;
	*ret = (struct ima_meeting){ .known = overlap, .run = overlap };
	if (own == 0 || own > kept_count || own >= list_count ||
	    memcmp(kept, list, own * sizeof(*kept)) != 0)
		return 0;
	r = ima_overlap(kept + own, kept_count - own, list + own, list_count - own, &overlap, err);
	if (r == 0 && own + overlap > ret->known)
		*ret = (struct ima_meeting){ .known = own + overlap, .run = overlap };
	return r;
}
