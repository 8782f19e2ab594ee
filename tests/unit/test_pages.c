// SPDX-License-Identifier: MIT
/* lib/memory: lines that tell of pages, and what they come to. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/pages.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void good_lines(void **state)
{
	static const struct {
		const char *text;
		uint64_t pfn;
		enum page_state state;
		const char *owner;
		uint64_t order, since;
		bool has_flags;
		uint64_t flags;
	} rows[] = {
		{ "0x80730 sealed log 3 12 0x0\n", 0x80730, PAGE_SEALED, "log", 3, 12, true, 0 },
		{ "0x80731 lent - - - 0x400\n", 0x80731, PAGE_LENT, "", 0, 0, true, 0x400 },
		{ "0x0 held - - - -\n", 0, PAGE_HELD, "", 0, 0, false, 0 },
		{ "0x6 offline - - - 0x0\n", 6, PAGE_OFFLINE, "", 0, 0, true, 0 },
		{ "0xffffffffffffffff stock stock 1 0 -\n", UINT64_MAX, PAGE_STOCK, "stock", 1, 0,
		  false, 0 },
		{ "0x1 claimed a b 9 7 0xffffffffffffffff\n", 1, PAGE_CLAIMED, "a b", 9, 7, true,
		  UINT64_MAX },
		{ "0x1 claimed 5 6 9 7 0x1\n", 1, PAGE_CLAIMED, "5 6", 9, 7, true, 1 },
		{ "0x1 claimed - 9 7 0x1\n", 1, PAGE_CLAIMED, "-", 9, 7, true, 1 },
		{ "0x1 claimed - - - 0x1\n", 1, PAGE_CLAIMED, "-", 0, 0, true, 1 },
		{ "0x1 empty pool-2 18446744073709551615 4294967296 0x0\n", 1, PAGE_EMPTY, "pool-2",
		  UINT64_MAX, 1ULL << 32, true, 0 },
		{ "0x2 writable p 1 1 -\n", 2, PAGE_WRITABLE, "p", 1, 1, false, 0 },
		{ "0x3 open p 1 1 -\n", 3, PAGE_OPEN, "p", 1, 1, false, 0 },
		{ "0x4 part p 1 1 -\n", 4, PAGE_PART, "p", 1, 1, false, 0 },
		{ "0x5 header log 1 1 -\n", 5, PAGE_HEADER, "log", 1, 1, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes in = support_text(rows[i].text);
		struct page_line line;
		struct assay_error err = { 0 };

		if (page_line_take(&in, false, &line, &err) != 1)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(in.size, 0);
		assert_true(line.pfn == rows[i].pfn);
		assert_int_equal(line.state, rows[i].state);
		assert_true(bytes_equal(line.owner, support_text(rows[i].owner)));
		assert_true(line.order == rows[i].order);
		assert_true(line.since == rows[i].since);
		assert_int_equal(line.has_flags, rows[i].has_flags);
		assert_true(line.flags == rows[i].flags);
	}
}

static void bad_lines(void **state)
{
#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{ "\n", "six words" },
		{ "0x1\n", "six words" },
		{ "0x1 lent\n", "six words" },
		{ "0x1 lent - - -\n", "six words" },
		{ "0x1 sealed log 3\n", "six words" },
		{ "80730 sealed log 3 12 0x0\n", "frame's number" },
		{ " sealed log 3 12 0x0\n", "frame's number" },
		{ "0x sealed log 3 12 0x0\n", "frame's number" },
		{ "0x1g sealed log 3 12 0x0\n", "frame's number" },
		{ "-0x1 sealed log 3 12 0x0\n", "frame's number" },
		{ "0X1 sealed log 3 12 0x0\n", "frame's number" },
		{ "0x10000000000000000 sealed log 3 12 0x0\n", "frame's number" },
		{ "0x1 SEALED log 3 12 0x0\n", "a state that is not known" },
		{ "0x1 seal log 3 12 0x0\n", "a state that is not known" },
		{ "0x1 sealedd log 3 12 0x0\n", "a state that is not known" },
		{ "0x1  log 3 12 0x0\n", "a state that is not known" },
		{ "0x1 lent-free - - - 0x0\n", "a state that is not known" },
		{ "0x1 lent-used - - - 0x0\n", "a state that is not known" },
		{ "0x1 unknown - - - 0x0\n", "a state that is not known" },
		{ "0x1 lent log 3 12 0x0\n", "though its page is idle" },
		{ "0x1 lent - 3 - 0x0\n", "though its page is idle" },
		{ "0x1 held - - 12 0x0\n", "though its page is idle" },
		{ "0x1 held  - - 0x0\n", "though its page is idle" },
		{ "0x1 sealed  3 12 0x0\n", "an owner without a name" },
		{ "0x1 sealed " SIXTY "0123 3 12 0x0\n", "one that is too long" },
		{ "0x1 sealed log - 12 0x0\n", "which claim" },
		{ "0x1 sealed log 0 12 0x0\n", "which claim" },
		{ "0x1 sealed log -3 12 0x0\n", "which claim" },
		{ "0x1 sealed log 0x3 12 0x0\n", "which claim" },
		{ "0x1 sealed log 18446744073709551616 12 0x0\n", "which claim" },
		{ "0x1 sealed log 3 - 0x0\n", "since when" },
		{ "0x1 sealed log 3 +1 0x0\n", "since when" },
		{ "0x1 sealed log 3 1.5 0x0\n", "since when" },
		{ "0x1 sealed log 3 12 0\n", "flags" },
		{ "0x1 sealed log 3 12 0x0 \n", "flags" },
		{ "0x1 sealed log 3 12 0x0\r\n", "flags" },
		{ "0x1 sealed log 3 12 0x10000000000000000\n", "flags" },
		{ "0x1 sealed " SIXTY SIXTY SIXTY SIXTY TEN " 3 12 0x0\n", "longer than any" },
		{ SIXTY SIXTY SIXTY SIXTY SIXTY, "longer than any" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes text = support_text(rows[i].text), in = text;
		struct page_line line;
		struct assay_error err = { 0 };
		int r = page_line_take(&in, false, &line, &err);

		if (r != -EBADMSG || !strstr(err.text, rows[i].error))
			fail_msg("\"%s\": %d, \"%s\"", rows[i].text, r, err.text);
		assert_true(bytes_equal(in, text));
	}
}

/* A line is the same however it is cut; at the end of all text a cut one is an error. */
static void lines_that_are_cut(void **state)
{
	static const char text[] = "0x80730 sealed log 3 12 0x0\n";
	struct page_line line;
	struct assay_error err;
	struct bytes in;

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		/* Of a size of its own, so that reading beyond it is seen. */
		uint8_t *copy = malloc(size > 0 ? size : 1);

		assert_non_null(copy);
		memcpy(copy, text, size);
		in = BYTES(copy, size);
		assert_int_equal(page_line_take(&in, false, &line, &err), 0);
		assert_int_equal(in.size, size);
		assert_int_equal(page_line_take(&in, true, &line, &err), size > 0 ? -EBADMSG : 0);
		if (size > 0)
			support_assert_error(&err, "is cut off");
		free(copy);
	}
	in = BYTES(NULL, 0);
	assert_int_equal(page_line_take(&in, true, &line, &err), 0);
}

static void an_error_shows_no_control_characters(void **state)
{
	struct bytes in = BYTES_LITERAL("0x1 \033[31m\377 log 3 12 0x0\n");
	struct page_line line;
	struct assay_error err;

	(void)state;
	assert_int_equal(page_line_take(&in, false, &line, &err), -EBADMSG);
	support_assert_error(&err, "\\x1b[31m\\xff");
}

static void add_text(struct pages *pages, const char *text)
{
	struct bytes in = support_text(text);
	struct page_line line;
	struct assay_error err;

	while (page_line_take(&in, true, &line, &err) == 1)
		if (pages_add(pages, &line, &err) < 0)
			fail_msg("%s", err.text);
	assert_int_equal(in.size, 0);
}

static void lines_come_to_windows_and_owners(void **state)
{
	static const struct pages_range ranges[] = { { 0x10, 10 }, { 0x8, 4 } };
	struct pages pages;
	struct assay_error err;
	uint64_t pfn;

	(void)state;
	assert_int_equal(pages_begin(&pages, ranges, COUNT_OF(ranges), &err), 0);
	add_text(&pages, "0x10 lent - - - 0x400\n"
			 "0x11 header log 1 5 -\n"
			 "0x12 sealed log 1 5 -\n"
			 "0x13 sealed log 1 5 -\n"
			 "0x14 part log 1 5 -\n"
			 "0x15 sealed log 1 5 -\n"
			 "0x16 empty pool-2 1 5 -\n" /* of the same claim, but not of the log */
			 "0x17 empty pool-2 2 5 -\n" /* another claim */
			 "0x18 lent - - - 0x20\n"
			 "0x19 claimed log 3 5 -\n");
	assert_true(pages_next(&pages, &pfn));
	assert_true(pfn == 0x8);
	add_text(&pages, "0x8 claimed log 3 5 -\n" /* of another region */
			 "0x9 held - - - -\n"
			 "0xa claimed log 3 5 -\n" /* not beside the last */
			 "0xb lent - - - -\n");
	assert_false(pages_next(&pages, &pfn));

	assert_int_equal(pages.window_count, 6);
	assert_int_equal(pages.owner_count, 2);
	assert_string_equal(pages.owners[0].name, "log");
	assert_int_equal(pages.owners[0].states[PAGE_SEALED], 3);
	assert_int_equal(pages.owners[0].states[PAGE_CLAIMED], 3);
	assert_string_equal(pages.owners[1].name, "pool-2");
	assert_int_equal(pages.owners[1].states[PAGE_EMPTY], 2);
	assert_true(pages.windows[0].pfn == 0x11);
	assert_true(pages.windows[0].count == 5);
	assert_true(pages.windows[0].order == 1);
	assert_true(pages.windows[0].since == 5);
	assert_int_equal(pages.windows[0].run_count, 4);
	assert_int_equal(pages.runs[1].state, PAGE_SEALED);
	assert_true(pages.runs[1].count == 2);
	assert_int_equal(pages.windows[1].owner, 1);
	assert_int_equal(pages.windows[2].owner, 1);
	assert_true(pages.windows[3].pfn == 0x19);
	assert_int_equal(pages.windows[4].region, 1);
	assert_true(pages.windows[5].pfn == 0xa);
	assert_int_equal(pages.regions[0].states[PAGE_LENT_FREE], 1);
	assert_int_equal(pages.regions[0].states[PAGE_LENT_USED], 1);
	assert_int_equal(pages.regions[1].states[PAGE_HELD], 1);
	assert_int_equal(pages.regions[1].states[PAGE_LENT], 1);
	pages_free(&pages);
}

static void pages_that_are_not_next_are_refused(void **state)
{
	static const uint64_t wrong[] = { 0, 0xf, 0x11, 0x12, UINT64_MAX };
	static const struct pages_range range = { 0x10, 2 };
	struct page_line line = { .state = PAGE_LENT };
	struct pages pages;
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_int_equal(pages_begin(&pages, &range, 1, &err), 0);
		line.pfn = wrong[i];
		assert_int_equal(pages_add(&pages, &line, &err), -EPROTO);
		support_assert_error(&err, "where 0x10 of region 0 is expected");
		pages_free(&pages);
	}
	assert_int_equal(pages_begin(&pages, &range, 1, &err), 0);
	for (line.pfn = 0x10; line.pfn < 0x12; line.pfn++)
		assert_int_equal(pages_add(&pages, &line, &err), 0);
	assert_int_equal(pages_add(&pages, &line, &err), -EPROTO);
	support_assert_error(&err, "after the regions' last page");
	pages_free(&pages);
}

static void regions_that_cannot_be(void **state)
{
	static const struct pages_range rows[] = {
		{ 0, 0 },	   { 0, PAGES_MAX_REGION + 1 }, { 0, UINT64_MAX },
		{ UINT64_MAX, 1 }, { UINT64_MAX - 1, 3 },
	};
	struct pages_range many[PAGES_MAX_REGIONS + 1];
	struct pages pages;
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct pages_range ranges[] = { { 16, 16 }, rows[i] };

		assert_int_equal(pages_begin(&pages, ranges, 2, &err), -EPROTO);
		support_assert_error(&err, "region 1 cannot have");
	}
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = (struct pages_range){ i, 1 };
	assert_int_equal(pages_begin(&pages, many, 0, &err), -EPROTO);
	assert_int_equal(pages_begin(&pages, many, COUNT_OF(many), &err), -EPROTO);
	assert_int_equal(pages_begin(&pages, many, PAGES_MAX_REGIONS, &err), 0);
	pages_free(&pages);
}

static void more_owners_than_are_taken(void **state)
{
	static const struct pages_range range = { 0, PAGES_MAX_OWNERS + 1 };
	struct page_line line = { .state = PAGE_CLAIMED, .order = 1 };
	struct pages pages;
	struct assay_error err;
	char name[16];
	int r = 0;

	(void)state;
	assert_int_equal(pages_begin(&pages, &range, 1, &err), 0);
	for (; line.pfn < range.count; line.pfn++) {
		snprintf(name, sizeof(name), "%d", (int)line.pfn);
		line.owner = support_text(name);
		r = pages_add(&pages, &line, &err);
		if (r < 0)
			break;
	}
	assert_int_equal(line.pfn, PAGES_MAX_OWNERS);
	assert_int_equal(r, -EPROTO);
	support_assert_error(&err, "more than 4096 owners");
	pages_free(&pages);
}

/* A large region's cells stand for several pages; what is kept does not grow with it. */
static void cells_of_a_large_region(void **state)
{
	static const struct {
		uint64_t pages, cell_pages;
		size_t cells;
	} rows[] = {
		{ 1, 1, 1 },
		{ 2048, 1, 2048 },
		{ 2049, 2, 1025 },
		{ 4096, 2, 2048 },
		{ 8192, 4, 2048 },
		{ 131072, 64, 2048 },
		{ 131073, 128, 1025 },
		{ 1 << 20, 512, 2048 },
		{ PAGES_MAX_REGION, PAGES_MAX_REGION / 2048, 2048 },
	};
	struct page_line line = { .state = PAGE_LENT, .has_flags = true };
	static const struct pages_range range = { 0, 131073 };
	struct pages pages;
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct pages_range one = { 0, rows[i].pages };

		assert_int_equal(pages_begin(&pages, &one, 1, &err), 0);
		assert_true(pages.regions[0].cell_pages == rows[i].cell_pages);
		assert_int_equal(pages.regions[0].cell_count, rows[i].cells);
		pages_free(&pages);
	}
	assert_int_equal(pages_begin(&pages, &range, 1, &err), 0);
	for (; line.pfn < range.count; line.pfn++) {
		line.flags = line.pfn % 2 == 0 ? 1ULL << KPF_BUDDY : 1ULL << KPF_LRU;
		assert_int_equal(pages_add(&pages, &line, &err), 0);
	}
	assert_int_equal(pages.regions[0].states[PAGE_LENT_FREE], 65537);
	assert_int_equal(pages.regions[0].states[PAGE_LENT_USED], 65536);
	assert_int_equal(pages.regions[0].cells[1023][PAGE_LENT_USED], 64);
	assert_int_equal(pages.regions[0].cells[1024][PAGE_LENT_FREE], 1);
	assert_int_equal(pages.window_capacity + pages.run_capacity + pages.owner_capacity, 0);
	pages_free(&pages);
}

static void what_a_cell_shows(void **state)
{
	static const struct {
		uint32_t states[PAGE_STATES];
		enum page_state shown;
	} rows[] = {
		{ { [PAGE_UNKNOWN] = 1 }, PAGE_UNKNOWN },
		{ { [PAGE_HELD] = 3 }, PAGE_HELD },
		{ { [PAGE_LENT_FREE] = 3, [PAGE_LENT_USED] = 1 }, PAGE_LENT_FREE },
		{ { [PAGE_LENT_FREE] = 2, [PAGE_LENT_USED] = 2 }, PAGE_LENT_USED },
		{ { [PAGE_LENT_FREE] = 1, [PAGE_LENT_USED] = 3 }, PAGE_LENT_USED },
		{ { [PAGE_LENT_FREE] = 99, [PAGE_LENT_USED] = 99, [PAGE_STOCK] = 1 }, PAGE_STOCK },
		{ { [PAGE_EMPTY] = 9, [PAGE_SEALED] = 1 }, PAGE_SEALED },
		{ { [PAGE_SEALED] = 9, [PAGE_HEADER] = 1 }, PAGE_HEADER },
		{ { [PAGE_SEALED] = 9, [PAGE_OPEN] = 1 }, PAGE_OPEN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(pages_cell(rows[i].states), rows[i].shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(lines_that_are_cut),
		cmocka_unit_test(an_error_shows_no_control_characters),
		cmocka_unit_test(lines_come_to_windows_and_owners),
		cmocka_unit_test(pages_that_are_not_next_are_refused),
		cmocka_unit_test(regions_that_cannot_be),
		cmocka_unit_test(more_owners_than_are_taken),
		cmocka_unit_test(cells_of_a_large_region),
		cmocka_unit_test(what_a_cell_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
