// SPDX-License-Identifier: MIT
/*
 * Fuzzing what `assay status` reads of the module: lines of pages and what they come to, and
 * values of sysfs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory/pages.h"
#include "memory/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What is accepted goes together. */
static void try_values(struct bytes text)
{
	struct value_condition condition;
	struct value_latencies latencies;
	struct assay_error err;
	uint64_t value;

	(void)value_unsigned(text, &value, &err);
	(void)value_address(text, &value, &err);
	if (value_condition(text, &condition, &err) == 0)
		require(condition.full == (condition.why[0] == '\0'));
	if (value_latencies(text, &latencies, &err) == 0 && latencies.count > 0) {
		const struct value_slot *last = &latencies.slots[latencies.count - 1];

		require(value_latency_below(&latencies, 1) >= latencies.slots[0].below_us);
		require(value_latency_below(&latencies, 50) <= value_latency_below(&latencies, 99));
		require(value_latency_below(&latencies, 100) == last->below_us);
	}
}

/* The regions in which these lines would be in order, as many as there may be. */
static size_t find_ranges(struct bytes text, struct pages_range ranges[PAGES_MAX_REGIONS])
{
	struct page_line line;
	struct assay_error err;
	size_t count = 0;

	while (page_line_take(&text, true, &line, &err) == 1) {
		struct pages_range *last = count > 0 ? &ranges[count - 1] : NULL;

		if (last && line.pfn - last->pfn == last->count) {
			last->count++;
			continue;
		}
		if (count == PAGES_MAX_REGIONS)
			break;
		ranges[count++] = (struct pages_range){ line.pfn, 1 };
	}
	return count;
}

/* All that was counted is the same pages, however they are counted. */
static void check(const struct pages *pages, uint64_t lines)
{
	uint64_t states[PAGE_STATES] = { 0 }, cells[PAGE_STATES] = { 0 };
	uint64_t all = 0, of_owners = 0, of_windows = 0, of_runs = 0, claimed = 0;

	for (size_t i = 0; i < pages->region_count; i++) {
		const struct pages_region *region = &pages->regions[i];

		require(region->cell_count <= PAGES_MAX_CELLS);
		for (int state = 0; state < PAGE_STATES; state++) {
			states[state] += region->states[state];
			for (size_t cell = 0; cell < region->cell_count; cell++)
				cells[state] += region->cells[cell][state];
		}
	}
	require(memcmp(states, cells, sizeof(states)) == 0);
	for (int state = 0; state < PAGE_STATES; state++) {
		all += states[state];
		if (!page_is_idle((enum page_state)state))
			claimed += states[state];
		for (size_t i = 0; i < pages->owner_count; i++)
			of_owners += pages->owners[i].states[state];
	}
	for (size_t i = 0; i < pages->window_count; i++) {
		const struct pages_window *window = &pages->windows[i];
		uint64_t count = 0;

		require(window->owner < pages->owner_count && window->run_count > 0);
		for (size_t run = 0; run < window->run_count; run++)
			count += pages->runs[window->first_run + run].count;
		require(count == window->count);
		of_windows += count;
	}
	for (size_t i = 0; i < pages->run_count; i++) {
		require(!page_is_idle(pages->runs[i].state));
		of_runs += pages->runs[i].count;
	}
	require(all == lines && of_owners == claimed && of_windows == claimed &&
		of_runs == claimed);
}

/* Read in pieces as from a file, of @piece bytes. */
static uint64_t add_lines(struct pages *pages, struct bytes text, size_t piece)
{
	uint64_t lines = 0;
	struct page_line line;
	struct assay_error err;
	size_t given = 0, taken = 0;
	int r = 0;

	while (r == 0 && taken < text.size) {
		bool last = text.size - given <= piece;
		struct bytes rest;

		given = last ? text.size : given + piece;
		rest = BYTES(text.data + taken, given - taken);
		while ((r = page_line_take(&rest, last, &line, &err)) == 1) {
			require(line.state != PAGE_LENT_FREE && line.state != PAGE_LENT_USED);
			require(page_is_idle(line.state) == (line.owner.size == 0));
			r = pages_add(pages, &line, &err);
			if (r < 0)
				break;
			lines++;
		}
		taken = given - rest.size;
		if (last)
			break;
	}
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pages_range ranges[PAGES_MAX_REGIONS];
	struct assay_error err;
	struct bytes text = BYTES(data, size);
	uint64_t expected = 0;
	struct pages pages;
	size_t count;

	try_values(text);
	count = find_ranges(text, ranges);
	if (count == 0)
		return 0;
	/* Refused is only what reaches beyond the last frame. */
	if (pages_begin(&pages, ranges, count, &err) < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		expected += ranges[i].count;
	for (size_t piece = 1; piece <= size; piece = 3 * piece + 1) {
		uint64_t lines = add_lines(&pages, text, piece);

		require(lines == expected);
		check(&pages, lines);
		pages_free(&pages);
		require(pages_begin(&pages, ranges, count, &err) == 0);
	}
	pages_free(&pages);
	return 0;
}
