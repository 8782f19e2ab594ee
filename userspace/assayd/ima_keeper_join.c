// SPDX-License-Identifier: MIT
/*
 * Where the kernel's list goes on from the archive. What is archived and was not deleted must be
 * the list's beginning, entry for entry. Where it is not, somebody else has deleted entries, or a
 * kexec has handed over less than was archived: then the entries say where it goes on.
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

int ima_join_take(struct ima_join *join, struct bytes entry, struct assay_error *err)
{
	int r = ima_join_keep(join, entry, err);

	if (r == 0)
		join->met++;
	return r;
}

void ima_join_free(struct ima_join *join)
{
	free(join->prints);
	free(join->list);
	*join = (struct ima_join){ 0 };
}

bool ima_join_is_open(const struct ima_join *join)
{
	return join->met < join->unknown + join->count;
}

void ima_join_again(struct ima_join *join)
{
	join->met = join->own = 0;
	join->differs = false;
}

static int make_room(struct ima_join *join, struct assay_error *err)
{
	size_t capacity = join->list_capacity ? 2 * join->list_capacity : 1024;
	ima_print *list;

	if (join->met < join->list_capacity)
		return 0;
	list = realloc(join->list, capacity * sizeof(*list));
	if (!list)
		return assay_fail(err, ENOMEM, "out of memory for %zu entries", capacity);
	join->list = list;
	join->list_capacity = capacity;
	return 0;
}

int ima_join_step(struct ima_join *join, struct bytes entry, bool begins_boot,
		  struct assay_error *err)
{
	ima_print print;
	int r;

	if (!ima_join_is_open(join))
		return IMA_TAKE;
	r = make_room(join, err);
	if (r == 0)
		r = ima_print_of(entry, &print, err);
	if (r < 0)
		return r;
	if (join->met >= join->unknown && join->prints[join->met - join->unknown] != print)
		join->differs = true;
	if (begins_boot)
		join->own = join->met;
	join->list[join->met++] = print;
	return join->differs && !ima_join_is_open(join) ? IMA_ELSE : IMA_PASS;
}

bool ima_join_knows(const struct ima_join *join, size_t *ret_before)
{
	*ret_before = 0;
	if (!join->differs)
		return true;
	for (size_t i = 0; i + join->met <= join->count; i++) {
		if (memcmp(join->prints + i, join->list, join->met * sizeof(*join->list)) != 0)
			continue;
		*ret_before = join->unknown + i;
		return true;
	}
	return false;
}

void ima_join_drop(struct ima_join *join, size_t count)
{
	size_t unknown = count < join->unknown ? count : join->unknown;

	join->unknown -= unknown;
	count -= unknown;
	if (count > join->count)
		count = join->count;
	if (count > 0) {
		join->count -= count;
		memmove(join->prints, join->prints + count, join->count * sizeof(*join->prints));
	}
	ima_join_again(join);
}

/* Entries were deleted of those alone whose prints are not known: the others are behind the rest of
 * these. How much that is; 0 where it is not so. */
static size_t rest_of_unknown(const struct ima_join *join)
{
	size_t rest = join->unknown;

	if (join->count == 0)
		return 0;
	while (rest > 0 &&
	       (rest + join->count > join->met ||
		memcmp(join->list + rest, join->prints, join->count * sizeof(*join->list)) != 0))
		rest--;
	return rest;
}

/* The list as it was met is what all that is archived and the kernel has is now known by. */
static void keep_known(struct ima_join *join, size_t known)
{
	free(join->prints);
	join->prints = join->list;
	join->capacity = join->list_capacity;
	join->count = known;
	join->unknown = 0;
	join->list = NULL;
	join->list_capacity = 0;
	ima_join_again(join);
}

int ima_join_restart(struct ima_join *join, struct ima_rejoin *ret, struct assay_error *err)
{
	size_t total = join->unknown + join->count;
	size_t rest = rest_of_unknown(join);
	struct ima_meeting meeting = { .known = rest + join->count, .run = rest + join->count };
	int r = 0;

	if (rest == 0)
		r = ima_meet(join->prints, join->count, join->list, join->met, join->own, &meeting,
			     err);
	if (r < 0)
		return r;
	*ret = (struct ima_rejoin){ .missing = total - meeting.known,
				    .run = meeting.run,
				    .handed = meeting.known - meeting.run };
	keep_known(join, meeting.known);
	return 0;
}
