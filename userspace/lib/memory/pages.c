// SPDX-License-Identifier: MIT
#include "memory/pages.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/value.h"

/* Far above any line of the module's. */
#define LINE_MAX_SIZE 256

/* clang-format off */
static const char *const names[PAGE_STATES] = {
	[PAGE_UNKNOWN] = "unknown",
	[PAGE_HELD] = "held",
	[PAGE_OFFLINE] = "offline",
	[PAGE_LENT] = "lent",
	[PAGE_LENT_FREE] = "lent-free",
	[PAGE_LENT_USED] = "lent-used",
	[PAGE_STOCK] = "stock",
	[PAGE_EMPTY] = "empty",
	[PAGE_CLAIMED] = "claimed",
	[PAGE_WRITABLE] = "writable",
	[PAGE_PART] = "part",
	[PAGE_SEALED] = "sealed",
	[PAGE_OPEN] = "open",
	[PAGE_SECRET] = "secret",
	[PAGE_HEADER] = "header",
};
/* clang-format on */

const char *page_state_name(enum page_state state)
{
	return names[state];
}

bool page_is_idle(enum page_state state)
{
	return state < PAGE_STOCK;
}

enum page_state page_state_with_flags(enum page_state state, uint64_t flags)
{
	if (state != PAGE_LENT)
		return state;
	return flags & 1ULL << KPF_BUDDY ? PAGE_LENT_FREE : PAGE_LENT_USED;
}

/* ---------------------------------------------------------------- a line */

static int refuse(struct bytes line, const char *what, struct assay_error *err)
{
	char escaped[160];

	text_escape(line, escaped, sizeof(escaped));
	return assay_fail(err, EBADMSG, "\"%s\" %s; are assay and assay.ko of the same version?",
			  escaped, what);
}

static bool is_none(struct bytes word)
{
	return bytes_equal(word, BYTES_LITERAL("-"));
}

static bool take_first_word(struct bytes *rest, struct bytes *ret)
{
	const uint8_t *space = rest->size > 0 ? memchr(rest->data, ' ', rest->size) : NULL;
	struct bytes separator;

	return space && bytes_take(rest, (size_t)(space - rest->data), ret) &&
	       bytes_take(rest, 1, &separator);
}

static bool take_last_word(struct bytes *rest, struct bytes *ret)
{
	size_t at = rest->size;

	while (at > 0 && rest->data[at - 1] != ' ')
		at--;
	if (at == 0)
		return false;
	*ret = BYTES(rest->data + at, rest->size - at);
	rest->size = at - 1;
	return true;
}

static int parse_page_line(struct bytes line, struct page_line *ret, struct assay_error *err)
{
	struct bytes rest = line, pfn, state, order, since, flags;
	struct page_line page = { 0 };
	struct assay_error unused;

	if (!take_first_word(&rest, &pfn) || !take_first_word(&rest, &state) ||
	    !take_last_word(&rest, &flags) || !take_last_word(&rest, &since) ||
	    !take_last_word(&rest, &order))
		return refuse(line, "is not the six words that tell of a page", err);
	page.owner = rest;
	if (value_address(pfn, &page.pfn, &unused) < 0)
		return refuse(line, "does not begin with a page frame's number", err);

	for (page.state = PAGE_HELD; page.state < PAGE_STATES; page.state++)
		if (page.state != PAGE_LENT_FREE && page.state != PAGE_LENT_USED &&
		    bytes_equal(state, BYTES((const uint8_t *)names[page.state],
					     strlen(names[page.state]))))
			break;
	if (page.state == PAGE_STATES)
		return refuse(line, "has a state that is not known", err);

	if (!is_none(flags)) {
		if (value_address(flags, &page.flags, &unused) < 0)
			return refuse(line, "does not end with a page's flags", err);
		page.has_flags = true;
	}
	if (is_none(page.owner) && is_none(order) && is_none(since)) {
		if (page_is_idle(page.state))
			page.owner.size = 0;
		*ret = page;
		return 0;
	}
	if (page_is_idle(page.state))
		return refuse(line, "has an owner, though its page is idle", err);
	if (page.owner.size == 0 || page.owner.size > PAGE_OWNER_MAX)
		return refuse(line, "has an owner without a name, or with one that is too long",
			      err);
	if (value_unsigned(order, &page.order, &unused) < 0 || page.order == 0)
		return refuse(line, "does not say which claim its page is of", err);
	if (value_unsigned(since, &page.since, &unused) < 0)
		return refuse(line, "does not say since when its page is claimed", err);
	*ret = page;
	return 0;
}

int page_line_take(struct bytes *in, bool last, struct page_line *ret, struct assay_error *err)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, '\n', in->size) : NULL;
	struct bytes line = BYTES(in->data, end ? (size_t)(end - in->data) : in->size), newline;
	int r;

	if (!end && in->size == 0)
		return 0;
	if (line.size > LINE_MAX_SIZE)
		return refuse(line, "is longer than any line is", err);
	if (!end && !last)
		return 0;
	if (!end)
		return refuse(line, "is cut off", err);
	r = parse_page_line(line, ret, err);
	if (r < 0)
		return r;
	bytes_take(in, line.size, &line);
	bytes_take(in, 1, &newline);
	return 1;
}

/* ---------------------------------------------------------------- all lines */

int pages_begin(struct pages *ret, const struct pages_range *ranges, size_t count,
		struct assay_error *err)
{
	struct pages pages = { 0 };

	if (count == 0 || count > PAGES_MAX_REGIONS)
		return assay_fail(err, EPROTO,
				  "there cannot be %zu regions; between 1 and %d are expected",
				  count, PAGES_MAX_REGIONS);
	pages.regions = calloc(count, sizeof(*pages.regions));
	if (!pages.regions)
		return assay_fail(err, ENOMEM, "out of memory");
	pages.region_count = count;
	for (size_t i = 0; i < count; i++) {
		struct pages_region *region = &pages.regions[i];

		if (ranges[i].count == 0 || ranges[i].count > PAGES_MAX_REGION ||
		    ranges[i].pfn > UINT64_MAX - ranges[i].count) {
			pages_free(&pages);
			return assay_fail(err, EPROTO,
					  "region %zu cannot have %" PRIu64
					  " pages from frame 0x%" PRIx64 " on",
					  i, ranges[i].count, ranges[i].pfn);
		}
		region->pfn = ranges[i].pfn;
		region->count = ranges[i].count;
		region->cell_pages = 1;
		while ((region->count - 1) / region->cell_pages >= PAGES_MAX_CELLS)
			region->cell_pages *= 2;
		region->cell_count = (size_t)((region->count - 1) / region->cell_pages + 1);
		region->cells = calloc(region->cell_count, sizeof(*region->cells));
		if (!region->cells) {
			pages_free(&pages);
			return assay_fail(err, ENOMEM, "out of memory");
		}
	}
	*ret = pages;
	return 0;
}

void pages_free(struct pages *pages)
{
	for (size_t i = 0; i < pages->region_count; i++)
		free(pages->regions[i].cells);
	free(pages->regions);
	free(pages->owners);
	free(pages->windows);
	free(pages->runs);
	*pages = (struct pages){ 0 };
}

bool pages_next(const struct pages *pages, uint64_t *ret_pfn)
{
	if (pages->at_region == pages->region_count)
		return false;
	*ret_pfn = pages->regions[pages->at_region].pfn + pages->at;
	return true;
}

/* Room for one more element: @array, or another with the same elements; NULL without memory. */
static void *grow(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity > 0 ? 2 * *capacity : 16;
	void *larger;

	if (count < *capacity)
		return array;
	larger = realloc(array, wanted * size);
	if (larger)
		*capacity = wanted;
	return larger;
}

static int add_owner(struct pages *pages, const char *name, struct assay_error *err)
{
	struct pages_owner *owners;

	if (pages->owner_count == PAGES_MAX_OWNERS)
		return assay_fail(err, EPROTO, "there are more than %d owners", PAGES_MAX_OWNERS);
	owners = grow(pages->owners, pages->owner_count, &pages->owner_capacity, sizeof(*owners));
	if (!owners)
		return assay_fail(err, ENOMEM, "out of memory");
	pages->owners = owners;
	owners += pages->owner_count++;
	*owners = (struct pages_owner){ 0 };
	snprintf(owners->name, sizeof(owners->name), "%s", name);
	return 0;
}

/* The owner of that name, which is the last window's most of the time. */
static int find_owner(struct pages *pages, struct bytes text, size_t *ret, struct assay_error *err)
{
	char name[sizeof(pages->owners->name)];
	int r;

	text_escape(text, name, sizeof(name));
	if (pages->window_count > 0) {
		size_t owner = pages->windows[pages->window_count - 1].owner;

		if (strcmp(pages->owners[owner].name, name) == 0) {
			*ret = owner;
			return 0;
		}
	}
	for (size_t i = 0; i < pages->owner_count; i++)
		if (strcmp(pages->owners[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
	r = add_owner(pages, name, err);
	if (r == 0)
		*ret = pages->owner_count - 1;
	return r;
}

/* The window that the page goes on with, or a new one; NULL without memory. */
static struct pages_window *find_window(struct pages *pages, const struct page_line *line,
					size_t owner)
{
	struct pages_window *windows;

	if (pages->window_count > 0) {
		struct pages_window *window = &pages->windows[pages->window_count - 1];

		if (window->region == pages->at_region &&
		    window->pfn + window->count == line->pfn && window->owner == owner &&
		    window->order == line->order && window->since == line->since)
			return window;
	}
	windows = grow(pages->windows, pages->window_count, &pages->window_capacity,
		       sizeof(*windows));
	if (!windows)
		return NULL;
	pages->windows = windows;
	windows += pages->window_count++;
	*windows = (struct pages_window){
		.region = pages->at_region,
		.pfn = line->pfn,
		.owner = owner,
		.order = line->order,
		.since = line->since,
		.first_run = pages->run_count,
	};
	return windows;
}

static int add_claimed(struct pages *pages, const struct page_line *line, struct assay_error *err)
{
	struct pages_window *window;
	size_t owner = 0;
	int r = find_owner(pages, line->owner, &owner, err);

	if (r < 0)
		return r;
	window = find_window(pages, line, owner);
	if (!window)
		return assay_fail(err, ENOMEM, "out of memory");
	if (window->run_count == 0 || pages->runs[pages->run_count - 1].state != line->state) {
		struct pages_run *runs;

		if (pages->run_count == PAGES_MAX_RUNS)
			return assay_fail(err, EPROTO, "windows have more than %u runs of pages",
					  PAGES_MAX_RUNS);
		runs = grow(pages->runs, pages->run_count, &pages->run_capacity, sizeof(*runs));
		if (!runs)
			return assay_fail(err, ENOMEM, "out of memory");
		pages->runs = runs;
		runs[pages->run_count++] = (struct pages_run){ .state = line->state };
		window->run_count++;
	}
	pages->runs[pages->run_count - 1].count++;
	window->count++;
	pages->owners[owner].states[line->state]++;
	return 0;
}

int pages_add(struct pages *pages, const struct page_line *line, struct assay_error *err)
{
	enum page_state state =
		line->has_flags ? page_state_with_flags(line->state, line->flags) : line->state;
	struct pages_region *region;
	uint64_t pfn;
	int r;

	if (!pages_next(pages, &pfn))
		return assay_fail(err, EPROTO,
				  "page frame 0x%" PRIx64 " comes after the regions' last page",
				  line->pfn);
	if (line->pfn != pfn)
		return assay_fail(err, EPROTO,
				  "page frame 0x%" PRIx64 " comes where 0x%" PRIx64
				  " of region %zu is expected",
				  line->pfn, pfn, pages->at_region);
	if (!page_is_idle(state)) {
		r = add_claimed(pages, line, err);
		if (r < 0)
			return r;
	}
	region = &pages->regions[pages->at_region];
	region->states[state]++;
	region->cells[pages->at / region->cell_pages][state]++;
	if (++pages->at == region->count) {
		pages->at_region++;
		pages->at = 0;
	}
	return 0;
}

enum page_state pages_cell(const uint32_t states[PAGE_STATES])
{
	enum page_state state = PAGE_STATES - 1;

	while (state > PAGE_UNKNOWN && states[state] == 0)
		state--;
	if (state == PAGE_LENT_USED && states[PAGE_LENT_FREE] > states[PAGE_LENT_USED])
		return PAGE_LENT_FREE;
	return state;
}
