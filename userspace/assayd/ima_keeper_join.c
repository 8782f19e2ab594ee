// SPDX-License-Identifier: MIT
/*
 * Where the kernel's list goes on from the archive. What is archived and was not deleted must be
 * the list's beginning, entry for entry. Where it is not, somebody else has deleted entries, and
 * the longest end of the archive that the list begins with says where it goes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ima_keeper.h"

int ima_join_keep(struct ima_join *join, struct bytes entry, struct assay_error *err)
{
	if (join->count == IMA_KEPT_MAX)
		return assay_fail(err, E2BIG,
				  "the kernel has more than %u entries that are archived: use a "
				  "kernel with CONFIG_IMA_STAGING, and staging in [ima]",
				  IMA_KEPT_MAX);
	if (join->count == join->capacity) {
		size_t capacity = join->capacity ? 2 * join->capacity : 1024;
		ima_print *prints = realloc(join->prints, capacity * sizeof(*prints));

		if (!prints)
			return assay_fail(err, ENOMEM, "out of memory for %zu entries", capacity);
		join->prints = prints;
		join->capacity = capacity;
	}
	return ima_print_of(entry, &join->prints[join->count++], err);
}

void ima_join_free(struct ima_join *join)
{
	free(join->prints);
	free(join->list);
	*join = (struct ima_join){ 0 };
}

bool ima_join_is_open(const struct ima_join *join)
{
	return join->matched < join->count || join->skip > 0;
}

/* The list is another one: from now on its beginning is collected. */
static int begin_list(struct ima_join *join, struct assay_error *err)
{
	join->list = calloc(join->count, sizeof(*join->list));
	if (!join->list)
		return assay_fail(err, ENOMEM, "out of memory for %zu entries", join->count);
	memcpy(join->list, join->prints, join->matched * sizeof(*join->list));
	join->list_count = join->matched;
	return 0;
}

int ima_join_step(struct ima_join *join, struct bytes entry, struct assay_error *err)
{
	ima_print print;
	int r;

	if (!ima_join_is_open(join))
		return IMA_TAKE;
	if (join->skip > 0) {
		join->skip--;
		return IMA_PASS;
	}
	r = ima_print_of(entry, &print, err);
	if (r < 0)
		return r;
	if (!join->list && print == join->prints[join->matched]) {
		join->matched++;
		return IMA_PASS;
	}
	if (!join->list) {
		r = begin_list(join, err);
		if (r < 0)
			return r;
	}
	join->list[join->list_count++] = print;
	return join->list_count == join->count ? IMA_ELSE : IMA_PASS;
}

bool ima_join_knows(const struct ima_join *join)
{
	if (!join->list)
		return true;
	for (size_t i = 0; i + join->list_count <= join->count; i++)
		if (memcmp(join->prints + i, join->list, join->list_count * sizeof(*join->list)) ==
		    0)
			return true;
	return false;
}

int ima_join_restart(struct ima_join *join, uint64_t *ret_lost, struct assay_error *err)
{
	size_t overlap = 0;
	int r = 0;

	if (join->list)
		r = ima_overlap(join->prints, join->count, join->list, join->list_count, &overlap,
				err);
	else
		/* It ends early: all of it may be the archive's end. */
		r = ima_overlap(join->prints, join->count, join->prints, join->matched, &overlap,
				err);
	if (r < 0)
		return r;
	*ret_lost = join->count - overlap;
	ima_join_free(join);
	join->skip = overlap;
	return 0;
}
