// SPDX-License-Identifier: MIT
/* `assay status`: what the module keeps and counts, and the region's pages by state. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd.h"
#include "log/device.h"

#define SYSFS "/sys/class/misc/assay"
#define DEBUGFS_PAGES "/sys/kernel/debug/assay/pages"
#define KPAGEFLAGS "/proc/kpageflags"

/* A region far larger than any; bounds what is kept a page. */
#define MAX_PAGES (1U << 26)

static const char help[] =
	"Usage: assay status [OPTION]...\n"
	"\n"
	"Tell what the module keeps and where: its region and window of memory, the log and\n"
	"how much of it is anchored in the TPM, and all its counters.\n"
	"\n"
	"Options:\n"
	"      --map   draw the region's pages by state as well\n"
	"      --json  print one JSON object, the pages as run lengths\n"
	"  -h, --help  print this\n"
	"\n"
	"States of a page: lent to the kernel and free, lent and used by it, lent (where\n"
	"/proc/kpageflags may not be read), held (idle, in a region that cannot be lent);\n"
	"claimed and empty, claimed and in part written, sealed (full: not opened again),\n"
	"open (being written now), header (of the log). Claimed pages are read-only but\n"
	"while open.\n"
	"\n"
	"Exit status: 0 told, 1 the module is not there or does not answer, 2 wrong usage.\n";

enum page_state {
	PAGE_LENT,
	PAGE_LENT_FREE,
	PAGE_LENT_USED,
	PAGE_HELD,
	PAGE_EMPTY,
	PAGE_PART,
	PAGE_SEALED,
	PAGE_OPEN,
	PAGE_HEADER,
	PAGE_STATES,
};

/* In a map, where a character stands for several pages, the last of this order shows. */
static const struct {
	const char *name;
	char symbol;
	const char *colour; /* SGR parameters */
} states[PAGE_STATES] = {
	[PAGE_LENT] = { "lent", '-', "2" },
	[PAGE_LENT_FREE] = { "lent-free", '.', "2" },
	[PAGE_LENT_USED] = { "lent-used", 'u', "36" },
	[PAGE_HELD] = { "held", 'h', "2" },
	[PAGE_EMPTY] = { "empty", 'e', "33" },
	[PAGE_PART] = { "part", 'p', "32" },
	[PAGE_SEALED] = { "sealed", 'S', "1;32" },
	[PAGE_OPEN] = { "open", 'O', "1;31" },
	[PAGE_HEADER] = { "header", 'H', "1;34" },
};

static const char *region_name(uint32_t kind)
{
	return kind == ASSAY_REGION_CMA	    ? "cma" :
	       kind == ASSAY_REGION_MOVABLE ? "movable" :
	       kind == ASSAY_REGION_STATIC  ? "static" :
					      "unknown";
}

/* ---------------------------------------------------------------- pages */

/* The region's pages, a byte (enum page_state) each. */
struct pages {
	uint64_t first_pfn;
	size_t count;
	uint8_t *state;
};

/*
 * What the window's pages are by the log alone: a header page, then the ring, of
 * which [head, tail) holds records. The kernel's own descriptors say the same and
 * which page is open now; they need debugfs.
 */
static void fill_window(struct pages *pages, const struct assay_info *info)
{
	size_t first = (size_t)((info->window_base - info->region_base) / info->page_size);
	size_t count = (size_t)(info->window_size / info->page_size);

	memset(pages->state + first, PAGE_EMPTY, count);
	if (count > 0)
		pages->state[first] = PAGE_HEADER;
	for (uint64_t at = info->head - info->head % info->page_size; at < info->tail;
	     at += info->page_size) {
		size_t page = 1 + (size_t)(at % info->ring_size / info->page_size);

		if (page < count)
			pages->state[first + page] =
				at + info->page_size <= info->tail ? PAGE_SEALED : PAGE_PART;
	}
}

/* The kernel's descriptors: "0xPFN STATE OWNER", a line a claimed page. */
static void read_descriptors(struct pages *pages)
{
	FILE *stream = fopen(DEBUGFS_PAGES, "re");
	char line[256], *name;

	if (!stream)
		return;
	while (fgets(line, sizeof(line), stream)) {
		const uint64_t pfn = strtoull(line, &name, 16);
		enum page_state state = PAGE_STATES;

		if (name == line || *name != ' ' || pfn < pages->first_pfn ||
		    pfn - pages->first_pfn >= pages->count)
			continue;
		name++;
		name[strcspn(name, " \n")] = '\0';
		for (int i = PAGE_EMPTY; i < PAGE_STATES; i++)
			if (strcmp(name, states[i].name) == 0)
				state = (enum page_state)i;
		if (state == PAGE_STATES)
			continue;
		pages->state[pfn - pages->first_pfn] = (uint8_t)state;
	}
	fclose(stream);
}

/* Which of the lent pages the kernel uses; they stay "lent" where it does not tell. */
static void read_page_flags(struct pages *pages)
{
	uint64_t flags[512];
	int fd = open(KPAGEFLAGS, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < pages->count;) {
		size_t wanted = pages->count - i;
		ssize_t got;

		if (wanted > sizeof(flags) / sizeof(flags[0]))
			wanted = sizeof(flags) / sizeof(flags[0]);
		got = pread(fd, flags, wanted * sizeof(flags[0]),
			    (off_t)((pages->first_pfn + i) * sizeof(flags[0])));
		if (got < (ssize_t)sizeof(flags[0]))
			break;
		for (size_t j = 0; j < (size_t)got / sizeof(flags[0]); j++, i++)
			if (pages->state[i] == PAGE_LENT)
				pages->state[i] = flags[j] & 1ULL << KPF_BUDDY ? PAGE_LENT_FREE :
										 PAGE_LENT_USED;
	}
	close(fd);
}

static int read_pages(const struct assay_info *info, struct pages *ret, struct assay_error *err)
{
	struct pages pages = { 0 };

	if (info->page_size == 0 || info->ring_size == 0 || info->region_size % info->page_size ||
	    info->window_size % info->page_size || info->window_base % info->page_size ||
	    info->region_base % info->page_size || info->ring_size % info->page_size ||
	    info->region_size / info->page_size > MAX_PAGES ||
	    info->window_base < info->region_base || info->window_size > info->region_size ||
	    info->window_base - info->region_base > info->region_size - info->window_size ||
	    info->head > info->tail || info->tail - info->head > info->ring_size)
		return assay_fail(err, EPROTO, "%s tells of a region that cannot be",
				  ASSAY_DEVICE_PATH);
	pages.first_pfn = info->region_base / info->page_size;
	pages.count = (size_t)(info->region_size / info->page_size);
	pages.state = malloc(pages.count + 1);
	if (!pages.state)
		return assay_fail(err, ENOMEM, "out of memory");
	memset(pages.state, info->region_kind == ASSAY_REGION_STATIC ? PAGE_HELD : PAGE_LENT,
	       pages.count);
	fill_window(&pages, info);
	read_descriptors(&pages);
	if (info->region_kind != ASSAY_REGION_STATIC)
		read_page_flags(&pages);
	*ret = pages;
	return 0;
}

/* ---------------------------------------------------------------- counters */

/* One value of sysfs as JSON: a number if it is one, else text. NULL if it cannot be read. */
static json_t *read_value(int directory, const char *name)
{
	char text[4096], *end;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size;
	long long number;

	if (fd < 0)
		return NULL;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size < 0)
		return NULL;
	while (size > 0 && text[size - 1] == '\n')
		size--;
	text[size] = '\0';
	errno = 0;
	number = strtoll(text, &end, 10);
	if (size > 0 && *end == '\0' && errno == 0)
		return json_integer(number);
	return json_escaped(BYTES((const uint8_t *)text, (size_t)size));
}

/* All values of a directory of sysfs, sorted by name. */
static json_t *read_counters(const char *group)
{
	json_t *object = json_object();
	char path[sizeof(SYSFS) + 16];
	struct dirent **entries;
	int count, directory;

	snprintf(path, sizeof(path), "%s/%s", SYSFS, group);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return object;
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < count; i++) {
		json_t *value = entries[i]->d_type == DT_REG ?
					read_value(directory, entries[i]->d_name) :
					NULL;

		if (value)
			json_object_set_new(object, entries[i]->d_name, value);
		free(entries[i]);
	}
	free(entries);
	if (directory >= 0)
		close(directory);
	return object;
}

/* ---------------------------------------------------------------- as JSON */

static json_t *number(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) :
				    json_sprintf("%" PRIu64, value);
}

static json_t *range_json(uint64_t base, uint64_t size)
{
	return json_pack("{s:o, s:o}", "base", json_sprintf("0x%" PRIx64, base), "size",
			 number(size));
}

static json_t *pages_json(const struct pages *pages)
{
	json_t *array = json_array();

	for (size_t i = 0, next; i < pages->count; i = next) {
		for (next = i + 1; next < pages->count && pages->state[next] == pages->state[i];)
			next++;
		json_array_append_new(array,
				      json_pack("{s:s, s:o}", "state", states[pages->state[i]].name,
						"count", number(next - i)));
	}
	return array;
}

static json_t *log_json(const struct assay_info *info)
{
	json_t *object = json_object(), *banks = json_array();

	for (uint32_t i = 0; i < info->bank_count; i++) {
		const char *name = assay_hash_name((enum assay_hash)info->bank_alg[i]);

		json_array_append_new(banks, name ? json_string(name) :
						    json_sprintf("0x%04x", info->bank_alg[i]));
	}
	json_object_set_new(object, "ring_size", number(info->ring_size));
	json_object_set_new(object, "head", number(info->head));
	json_object_set_new(object, "tail", number(info->tail));
	json_object_set_new(object, "anchored", number(info->anchored));
	json_object_set_new(object, "records", number(info->records));
	json_object_set_new(object, "anchored_records", number(info->anchored_records));
	json_object_set_new(object, "pcr", number(info->pcr));
	json_object_set_new(object, "banks", banks);
	json_object_set_new(object, "protected",
			    json_boolean(info->protection == ASSAY_PROTECTION_FULL));
	json_object_set_new(object, "last_error", json_integer(info->last_error));
	return object;
}

static int print_json(const struct assay_info *info, const struct pages *pages,
		      struct assay_error *err)
{
	json_t *region = range_json(info->region_base, info->region_size);
	json_t *root = json_object();

	json_object_set_new(region, "kind", json_string(region_name(info->region_kind)));
	json_object_set_new(root, "region", region);
	json_object_set_new(root, "window", range_json(info->window_base, info->window_size));
	json_object_set_new(root, "page_size", number(info->page_size));
	json_object_set_new(root, "pages", pages_json(pages));
	json_object_set_new(root, "counters",
			    json_pack("{s:o, s:o}", "memory", read_counters("memory"), "log",
				      read_counters("log")));
	json_object_set_new(root, "log", log_json(info));
	return command_print_json(root, JSON_COMPACT, err);
}

/* ---------------------------------------------------------------- for people */

static const char *size_text(uint64_t size, char text[32])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	size_t unit = 0;

	while (unit < 3 && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(text, 32, "%" PRIu64 " %s", size, units[unit]);
	return text;
}

static void print_counters(const char *title, json_t *counters)
{
	json_t *value;
	const char *key;

	if (json_object_size(counters) > 0)
		printf("\n%s\n", title);
	json_object_foreach(counters, key, value) {
		if (json_is_integer(value))
			printf("  %-24s %" JSON_INTEGER_FORMAT "\n", key,
			       json_integer_value(value));
		else
			printf("  %-24s %s\n", key, json_string_value(value));
	}
	json_decref(counters);
}

static void print_status(const struct assay_info *info)
{
	char a[32], b[32];

	printf("region      %s at 0x%" PRIx64 ", %s\n", size_text(info->region_size, a),
	       (uint64_t)info->region_base, region_name(info->region_kind));
	printf("window      %s at 0x%" PRIx64 ", pages of %s, %s\n",
	       size_text(info->window_size, a), (uint64_t)info->window_base,
	       size_text(info->page_size, b),
	       info->protection == ASSAY_PROTECTION_FULL ?
		       "read-only in every mapping but during an append" :
		       "NOT PROTECTED: the kernel's linear map leaves it writable");
	printf("log         %" PRIu64 " record%s, %" PRIu64 " of %" PRIu64 " bytes used\n",
	       (uint64_t)info->records, info->records == 1 ? "" : "s",
	       (uint64_t)(info->tail - info->head), (uint64_t)info->ring_size);
	printf("anchored    %" PRIu64 " record%s in PCR %" PRIu32, (uint64_t)info->anchored_records,
	       info->anchored_records == 1 ? "" : "s", info->pcr);
	if (info->bank_count == 0)
		fputs(", no TPM was seen", stdout);
	for (uint32_t i = 0; i < info->bank_count; i++) {
		const char *name = assay_hash_name((enum assay_hash)info->bank_alg[i]);

		printf("%s%s", i == 0 ? ", banks " : " ", name ? name : "of no known name");
	}
	putchar('\n');
	if (info->last_error != 0)
		printf("last error  %s; the next append tries again\n",
		       strerror(-info->last_error));
	print_counters("memory", read_counters("memory"));
	print_counters("log", read_counters("log"));
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

static void print_cell(enum page_state state, enum page_state *shown, bool colours)
{
	if (colours && state != *shown)
		printf("\033[0;%sm", states[state].colour);
	*shown = state;
	putchar(states[state].symbol);
}

static void print_map(const struct pages *pages, uint64_t page_size)
{
	bool colours = isatty(STDOUT_FILENO);
	size_t width = terminal_width() - 14, totals[PAGE_STATES] = { 0 }, group = 1;
	char text[32];

	/* Whole powers of two of pages a character, in at most 32 lines. */
	while (pages->count / group > 32 * width)
		group *= 2;
	printf("\npages (a character is %zu page%s, %s)\n", group, group == 1 ? "" : "s",
	       size_text(group * page_size, text));
	for (size_t line = 0; line < pages->count; line += width * group) {
		enum page_state shown = PAGE_STATES;

		printf("%12" PRIx64 "  ", (pages->first_pfn + line) * page_size);
		for (size_t cell = line; cell < line + width * group && cell < pages->count;
		     cell += group) {
			enum page_state most = PAGE_LENT;

			for (size_t i = cell; i < cell + group && i < pages->count; i++)
				if (pages->state[i] > most)
					most = (enum page_state)pages->state[i];
			print_cell(most, &shown, colours);
		}
		fputs(colours ? "\033[0m\n" : "\n", stdout);
	}
	for (size_t i = 0; i < pages->count; i++)
		totals[pages->state[i]]++;
	for (int i = 0; i < PAGE_STATES; i++)
		if (totals[i] > 0)
			printf("  %c %-10s %8zu pages, %s\n", states[i].symbol, states[i].name,
			       totals[i], size_text(totals[i] * page_size, text));
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "map", no_argument, NULL, 'm' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct pages pages = { 0 };
	struct assay_error err;
	struct assay_info info;
	struct device device;
	bool json = false, map = false;
	int c, status, r;

	while ((c = command_option(&command_status, argc, argv, ":h", options, &status)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'm':
			map = true;
			break;
		}
	}
	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(&command_status, "there is nothing to say about '%s'",
				     argv[optind]);

	r = device_open(&device, DEVICE_READ, &err);
	if (r == 0) {
		r = device_info(&device, &info, &err);
		device_close(&device);
	}
	if (r == 0 && (json || map))
		r = read_pages(&info, &pages, &err);
	if (r == 0 && json) {
		r = print_json(&info, &pages, &err);
	} else if (r == 0) {
		print_status(&info);
		if (map)
			print_map(&pages, info.page_size);
	}
	free(pages.state);
	status = command_flush(&command_status);
	return r < 0 ? command_failed(&command_status, &err) : status;
}

const struct command command_status = {
	.name = "status",
	.summary = "tell what the module keeps and counts",
	.help = help,
	.run = run,
};
