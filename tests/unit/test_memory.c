// SPDX-License-Identifier: MIT
/* lib/memory: the values of sysfs, and reading all files from directories made here. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memory/memory.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096

/* ---------------------------------------------------------------- values */

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool decimal, hexadecimal; /* whether it is one */
		uint64_t value;
	} rows[] = {
		{ "0\n", true, false, 0 },
		{ "0", true, false, 0 },
		{ "18446744073709551615\n", true, false, UINT64_MAX },
		{ "18446744073709551616\n", false, false, 0 },
		{ "99999999999999999999999999\n", false, false, 0 },
		{ "0x0\n", false, true, 0 },
		{ "0xffffffffffffffff", false, true, UINT64_MAX },
		{ "0x10000000000000000", false, false, 0 },
		{ "0x", false, false, 0 },
		{ "x1", false, false, 0 },
		{ "", false, false, 0 },
		{ "\n", false, false, 0 },
		{ "1\n\n", false, false, 0 },
		{ "-1\n", false, false, 0 },
		{ "+1\n", false, false, 0 },
		{ " 1\n", false, false, 0 },
		{ "1 \n", false, false, 0 },
		{ "1a\n", false, false, 0 },
		{ "0xg\n", false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes text = support_text(rows[i].text);
		struct assay_error err;
		uint64_t value = 77;

		if (value_unsigned(text, &value, &err) != (rows[i].decimal ? 0 : -EBADMSG) ||
		    (rows[i].decimal && value != rows[i].value))
			fail_msg("\"%s\" in decimal", rows[i].text);
		value = 77;
		if (value_address(text, &value, &err) != (rows[i].hexadecimal ? 0 : -EBADMSG) ||
		    (rows[i].hexadecimal && value != rows[i].value))
			fail_msg("\"%s\" in hexadecimal", rows[i].text);
	}
	/* A NUL does not end it. */
	assert_int_equal(value_unsigned(BYTES_LITERAL("1\0"), &(uint64_t){ 0 }, NULL), -EBADMSG);
}

static void conditions(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *why; /* NULL: full */
	} rows[] = {
		{ "full\n", 0, NULL },
		{ "full", 0, NULL },
		{ "none (held)\n", 0, "held" },
		{ "none (boot with rodata=full (or without it))\n", 0,
		  "boot with rodata=full (or without it)" },
		{ "none (\033[2J)\n", 0, "\\x1b[2J" },
		{ "", -EBADMSG, NULL },
		{ "Full\n", -EBADMSG, NULL },
		{ "full \n", -EBADMSG, NULL },
		{ "none\n", -EBADMSG, NULL },
		{ "none ()\n", -EBADMSG, NULL },
		{ "none (\n", -EBADMSG, NULL },
		{ "none (held\n", -EBADMSG, NULL },
		{ "none held)\n", -EBADMSG, NULL },
	};
	struct value_condition condition;
	struct assay_error err;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int r = value_condition(support_text(rows[i].text), &condition, &err);

		if (r != rows[i].result)
			fail_msg("\"%s\": %d", rows[i].text, r);
		if (r < 0)
			continue;
		assert_int_equal(condition.full, !rows[i].why);
		assert_string_equal(condition.why, rows[i].why ? rows[i].why : "");
	}
	snprintf(text, sizeof(text), "none (%0*d)", 900, 1);
	assert_int_equal(value_condition(support_text(text), &condition, &err), 0);
	assert_int_equal(strlen(condition.why), sizeof(condition.why) - 1);
}

static void latencies(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t count;
		uint64_t total, half, most, all;
	} rows[] = {
		{ "\n", 0, 0, 0, 0, 0, 0 },
		{ "", 0, 0, 0, 0, 0, 0 },
		{ "16:1\n", 0, 1, 1, 16, 16, 16 },
		{ "16:98 32:1 1024:1\n", 0, 3, 100, 16, 32, 1024 },
		{ "16:1 32:1 1024:1\n", 0, 3, 3, 32, 1024, 1024 },
		{ "16:1 32:1 \n", 0, 2, 2, 16, 32, 32 },
		{ "1:18446744073709551614 2:1\n", 0, 2, UINT64_MAX, 1, 1, 2 },
		{ "1:18446744073709551615 2:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ ":1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:0\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "0:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:1:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:1  32:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "32:1 16:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:1 16:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:-1\n", -EBADMSG, 0, 0, 0, 0, 0 },
		{ "16:1\n32:1\n", -EBADMSG, 0, 0, 0, 0, 0 },
	};
	struct value_latencies found;
	struct assay_error err;
	char text[1024] = "";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int r = value_latencies(support_text(rows[i].text), &found, &err);

		if (r != rows[i].result)
			fail_msg("\"%s\": %d", rows[i].text, r);
		if (r < 0)
			continue;
		assert_int_equal(found.count, rows[i].count);
		assert_true(found.total == rows[i].total);
		assert_true(value_latency_below(&found, 50) == rows[i].half);
		assert_true(value_latency_below(&found, 99) == rows[i].most);
		assert_true(value_latency_below(&found, 100) == rows[i].all);
	}
	for (int i = 1; i <= VALUE_MAX_SLOTS + 1; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d:1 ", i);
		assert_int_equal(value_latencies(support_text(text), &found, &err),
				 i <= VALUE_MAX_SLOTS ? 0 : -EBADMSG);
	}
}

/* ---------------------------------------------------------------- files */

static const struct memory_paths paths = { "sys", "pages", "flags" };

static void put(const char *path, const char *text)
{
	support_write(path, support_text(text));
}

/* The log's region of 8 pages at 64 KiB, with its window of 4 in the middle. */
static struct assay_info log_info(void)
{
	return (struct assay_info){
		.abi_version = 1,
		.page_size = PAGE,
		.region_kind = ASSAY_REGION_CMA,
		.region_base = 16 * PAGE,
		.region_size = 8 * PAGE,
		.window_base = 18 * PAGE,
		.window_size = 4 * PAGE,
		.ring_size = 3 * PAGE,
		.tail = PAGE + 1,
	};
}

static void put_region(int id, const char *kind, const char *base, const char *reserved,
		       const char *claimed)
{
	static const char *const numbers_of_it[] = { "bytes_lent",     "windows",
						     "claims",	       "claim_retries",
						     "claim_failures", "last_claim_us",
						     "max_claim_us",   "stock" };
	char path[64];

	assert_int_equal(support_run("mkdir -p sys/memory sys/regions/%d", id), 0);
#define PUT(name, text)                                                      \
	do {                                                                 \
		snprintf(path, sizeof(path), "sys/regions/%d/%s", id, name); \
		put(path, text);                                             \
	} while (0)
	PUT("kind", kind);
	PUT("base", base);
	PUT("bytes_reserved", reserved);
	PUT("bytes_claimed", claimed);
	for (size_t i = 0; i < COUNT_OF(numbers_of_it); i++) {
		char text[16];

		snprintf(text, sizeof(text), "%zu\n", i);
		PUT(numbers_of_it[i], text);
	}
	PUT("claim_us", "16:3\n");
	PUT("lending", strncmp(kind, "static", 6) == 0 ? "none (held)\n" : "full\n");
#undef PUT
}

/* Two regions: the log's, and a static one of 2 pages at 0. */
static void put_all(void)
{
	uint64_t flags[32] = { 0 };

	assert_int_equal(support_run("rm -rf sys pages flags"), 0);
	put_region(0, "cma\n", "0x10000\n", "32768\n", "16384\n");
	put_region(1, "static\n", "0x0\n", "8192\n", "0\n");
	put("sys/memory/protection", "none (because)\n");
	flags[16] = 1ULL << KPF_BUDDY;
	flags[17] = 1ULL << KPF_LRU;
	support_write("flags", BYTES((const uint8_t *)flags, sizeof(flags)));
}

#define LOG_LINES                   \
	"0x10 lent - - - 0x0\n"     \
	"0x11 lent - - - 0x400\n"   \
	"0x12 header log 1 9 0x0\n" \
	"0x13 sealed log 1 9 0x0\n" \
	"0x14 open log 1 9 0x0\n"   \
	"0x15 empty log 1 9 0x0\n"  \
	"0x16 lent - - - 0x0\n"     \
	"0x17 lent - - - 0x400\n"

static void all_is_read(void **state)
{
	const struct assay_info info = log_info();
	struct memory memory;
	struct assay_error err = { 0 };

	(void)state;
	put_all();
	put("pages", LOG_LINES "0x0 held - - - -\n0x1 stock stock 2 9 -\n");
	if (memory_read(&paths, &info, &memory, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(memory.region_count, 2);
	assert_int_equal(memory.regions[0].kind, ASSAY_REGION_CMA);
	assert_int_equal(memory.regions[1].kind, ASSAY_REGION_STATIC);
	assert_int_equal(memory.regions[0].base, 0x10000);
	assert_int_equal(memory.regions[0].max_claim_us, 6);
	assert_int_equal(memory.regions[0].stock, 7);
	assert_int_equal(memory.regions[0].claim_us.total, 3);
	assert_false(memory.regions[1].lending.full);
	assert_string_equal(memory.protection.why, "because");
	assert_int_equal(memory.pages_error, 0);
	assert_int_equal(memory.flags_error, 0);
	/* The kernel's flags go before those in the list: 0x10 and no other is free. */
	assert_int_equal(memory.pages.regions[0].states[PAGE_LENT_FREE], 1);
	assert_int_equal(memory.pages.regions[0].states[PAGE_LENT_USED], 3);
	assert_int_equal(memory.pages.regions[0].states[PAGE_OPEN], 1);
	assert_int_equal(memory.pages.regions[1].states[PAGE_STOCK], 1);
	assert_int_equal(memory.pages.window_count, 2);
	memory_free(&memory);

	/* Without them, those in the list. */
	assert_int_equal(unlink("flags"), 0);
	assert_int_equal(memory_read(&paths, &info, &memory, &err), 0);
	assert_int_equal(memory.flags_error, ENOENT);
	assert_int_equal(memory.pages.regions[0].states[PAGE_LENT_FREE], 2);
	assert_int_equal(memory.pages.regions[0].states[PAGE_LENT_USED], 2);
	memory_free(&memory);

	/* And where they end too early. */
	support_write("flags", BYTES((const uint8_t *)"1234567", 7));
	assert_int_equal(memory_read(&paths, &info, &memory, &err), 0);
	assert_int_equal(memory.flags_error, ENODATA);
	assert_int_equal(memory.pages.regions[0].states[PAGE_LENT_FREE], 2);
	memory_free(&memory);
}

/* A list that is longer than what is read at once, cut anywhere by it. */
static void a_long_list_is_read(void **state)
{
	enum { COUNT = 8192 };
	struct assay_info info = log_info();
	struct memory memory;
	struct assay_error err = { 0 };
	FILE *stream;

	(void)state;
	put_all();
	put_region(1, "movable\n", "0x100000\n", "33554432\n", "16777216\n");
	stream = fopen("pages", "w");
	assert_non_null(stream);
	fputs(LOG_LINES, stream);
	for (unsigned int i = 0; i < COUNT; i++)
		if (i % 2 == 0)
			fprintf(stream, "0x%x lent - - - -\n", 0x100 + i);
		else
			fprintf(stream, "0x%x part window-%0*u %u 9 0x0\n", 0x100 + i,
				(int)(i % 16) + 1, i % 7, i);
	assert_int_equal(fclose(stream), 0);
	if (memory_read(&paths, &info, &memory, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(memory.pages.window_count, 1 + COUNT / 2);
	assert_int_equal(memory.pages.regions[1].states[PAGE_PART], COUNT / 2);
	assert_int_equal(memory.pages.regions[1].cell_pages, 4);
	memory_free(&memory);
}

/* Without debugfs: the log's window by the log, elsewhere no more than is known. */
static void without_the_list_of_pages(void **state)
{
	static const struct {
		uint64_t head, tail;
		enum page_state ring[3];
	} rows[] = {
		{ 0, 0, { PAGE_EMPTY, PAGE_EMPTY, PAGE_EMPTY } },
		{ 0, 1, { PAGE_PART, PAGE_EMPTY, PAGE_EMPTY } },
		{ 0, PAGE - 1, { PAGE_PART, PAGE_EMPTY, PAGE_EMPTY } },
		{ 0, PAGE, { PAGE_SEALED, PAGE_EMPTY, PAGE_EMPTY } },
		{ 0, PAGE + 1, { PAGE_SEALED, PAGE_PART, PAGE_EMPTY } },
		{ 0, 3 * PAGE, { PAGE_SEALED, PAGE_SEALED, PAGE_SEALED } },
		{ 3 * PAGE, 3 * PAGE, { PAGE_EMPTY, PAGE_EMPTY, PAGE_EMPTY } },
		{ 100, 100, { PAGE_PART, PAGE_EMPTY, PAGE_EMPTY } },
		{ 2 * PAGE, 4 * PAGE + 9, { PAGE_SEALED, PAGE_PART, PAGE_SEALED } },
		{ PAGE + 5, 4 * PAGE + 5, { PAGE_SEALED, PAGE_PART, PAGE_SEALED } },
		{ PAGE + 5, 4 * PAGE, { PAGE_SEALED, PAGE_SEALED, PAGE_SEALED } },
		{ PAGE, 4 * PAGE - 1, { PAGE_PART, PAGE_SEALED, PAGE_SEALED } },
		{ 301 * PAGE + 7, 302 * PAGE, { PAGE_EMPTY, PAGE_SEALED, PAGE_EMPTY } },
	};
	struct assay_info info = log_info();
	struct memory memory;
	struct assay_error err;

	(void)state;
	put_all();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t states[PAGE_STATES] = { 0 };

		info.head = rows[i].head;
		info.tail = rows[i].tail;
		assert_int_equal(memory_read(&paths, &info, &memory, &err), 0);
		assert_int_equal(memory.pages_error, ENOENT);
		states[PAGE_HEADER] = 1;
		states[PAGE_LENT_FREE] = 1;
		states[PAGE_LENT_USED] = 3;
		for (size_t page = 0; page < 3; page++) {
			/* Its cells are of one page. */
			const uint32_t *cell = memory.pages.regions[0].cells[3 + page];

			states[rows[i].ring[page]]++;
			if (pages_cell(cell) != rows[i].ring[page])
				fail_msg("row %zu, page %zu: %s", i, page,
					 page_state_name(pages_cell(cell)));
		}
		assert_memory_equal(memory.pages.regions[0].states, states, sizeof(states));
		assert_int_equal(memory.pages.window_count, 1);
		assert_string_equal(memory.pages.owners[0].name, "log");
		assert_int_equal(memory.pages.regions[1].states[PAGE_HELD], 2);
		memory_free(&memory);
	}
	/* Somebody has more of the regions: who has which page is not known. */
	put("sys/regions/0/bytes_claimed", "20480\n");
	put("sys/regions/1/bytes_claimed", "4096\n");
	assert_int_equal(memory_read(&paths, &info, &memory, &err), 0);
	assert_int_equal(memory.pages.regions[0].states[PAGE_UNKNOWN], 4);
	assert_int_equal(memory.pages.regions[1].states[PAGE_UNKNOWN], 2);
	memory_free(&memory);
}

static void files_that_are_off(void **state)
{
	static const struct {
		const char *path;
		const char *text; /* NULL: removed */
		int result;
		const char *error;
	} rows[] = {
		{ "sys/regions/0/kind", "dma\n", -EBADMSG, "no kind of region" },
		{ "sys/regions/0/kind", "", -EBADMSG, "sys/regions/0/kind" },
		{ "sys/regions/0/base", "65536\n", -EBADMSG, "sys/regions/0/base" },
		{ "sys/regions/0/base", "0x10001\n", -EPROTO, "different regions" },
		{ "sys/regions/0/bytes_reserved", "0\n", -EPROTO, "different regions" },
		{ "sys/regions/1/bytes_reserved", "0\n", -EPROTO, "region 1 cannot have 0 pages" },
		{ "sys/regions/1/bytes_reserved", "4097\n", -EPROTO, "not made of pages" },
		{ "sys/regions/1/bytes_reserved", "18446744073709547520\n", -EPROTO,
		  "region 1 cannot have" },
		{ "sys/regions/1/base", "0x1\n", -EPROTO, "not made of pages" },
		{ "sys/regions/1/base", "0xfffffffffffff000\n", -EPROTO,
		  "region 1 reaches beyond" },
		{ "sys/regions/1/bytes_claimed", "-1\n", -EBADMSG, "\"-1\" is not a number" },
		{ "sys/regions/1/claim_us", "x\n", -EBADMSG, "sys/regions/1/claim_us" },
		{ "sys/regions/1/lending", "partly\n", -EBADMSG, "\"partly\"" },
		{ "sys/regions/1/stock", NULL, -ENOENT, "sys/regions/1/stock" },
		{ "sys/memory/protection", "yes\n", -EBADMSG, "sys/memory/protection" },
		{ "sys/memory/protection", NULL, -ENOENT, "sys/memory/protection" },
		{ "pages", "", -EPROTO, "ends where page frame 0x10 is expected" },
		{ "pages", LOG_LINES, -EPROTO, "ends where page frame 0x0 is expected" },
		{ "pages", LOG_LINES "0x0 held - - - -", -EBADMSG, "is cut off" },
		{ "pages", LOG_LINES "0x0 held - - - -\n", -EPROTO, "0x1 is expected" },
		{ "pages", LOG_LINES "0x0 held - - - -\n0x1 held - - - -\n0x2 held - - - -\n",
		  -EPROTO, "pages: page frame 0x2 comes after" },
		{ "pages", "0x12 lent - - - 0x0\n", -EPROTO, "where 0x10 of region 0" },
		{ "pages", "0x10 lend - - - 0x0\n", -EBADMSG, "a state that is not known" },
	};
	const struct assay_info info = log_info();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_error err = { 0 };
		struct memory memory;
		int r;

		put_all();
		put("pages", LOG_LINES "0x0 held - - - -\n0x1 held - - - -\n");
		if (rows[i].text)
			put(rows[i].path, rows[i].text);
		else
			assert_int_equal(unlink(rows[i].path), 0);
		r = memory_read(&paths, &info, &memory, &err);
		if (r != rows[i].result || !strstr(err.text, rows[i].error))
			fail_msg("%s, \"%s\": %d, \"%s\"", rows[i].path,
				 rows[i].text ? rows[i].text : "removed", r, err.text);
	}
}

static void logs_that_cannot_be(void **state)
{
	const struct assay_info good = log_info();
	struct assay_info rows[] = { good, good, good, good, good, good, good, good, good, good };
	struct memory memory;
	struct assay_error err;

	(void)state;
	put_all();
	rows[0].page_size = 0;
	rows[1].page_size = 4097;
	rows[2].window_base = good.region_base - PAGE;
	rows[3].window_size = 7 * PAGE;
	rows[4].window_base = UINT64_MAX - PAGE + 1;
	rows[5].ring_size = 0;
	rows[6].ring_size = 5 * PAGE;
	rows[7].head = good.tail + 1;
	rows[8].tail = good.ring_size + 1;
	rows[9].window_size = 4 * PAGE - 1;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (memory_read(&paths, &rows[i], &memory, &err) != -EPROTO)
			fail_msg("row %zu", i);
}

static void regions_that_are_not_there(void **state)
{
	const struct assay_info info = log_info();
	struct memory memory;
	struct assay_error err;

	(void)state;
	put_all();
	assert_int_equal(support_run("rm -r sys/regions/*"), 0);
	assert_int_equal(memory_read(&paths, &info, &memory, &err), -ENOENT);
	support_assert_error(&err, "no region in sys/regions");
	put_all();
	assert_int_equal(support_run("for i in $(seq 2 %d); do cp -r sys/regions/1 sys/regions/$i; "
				     "done",
				     PAGES_MAX_REGIONS),
			 0);
	assert_int_equal(memory_read(&paths, &info, &memory, &err), -EPROTO);
	support_assert_error(&err, "more than the 64 regions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(conditions),
		cmocka_unit_test(latencies),
		cmocka_unit_test(all_is_read),
		cmocka_unit_test(a_long_list_is_read),
		cmocka_unit_test(without_the_list_of_pages),
		cmocka_unit_test(files_that_are_off),
		cmocka_unit_test(logs_that_cannot_be),
		cmocka_unit_test(regions_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
