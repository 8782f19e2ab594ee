// SPDX-License-Identifier: MIT
/* `assay status`: what the module keeps and counts, and the regions' pages by state. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "log/cel.h"
#include "log/device.h"
#include "memory/memory.h"
#include "status_service.h"
#include "status_why.h"

/* Cells a line of a map; with the address before them they fit a terminal. */
#define MAP_WIDTH 64

/* Windows and owners that are told one by one to people; --json has all. */
#define LINES_TOLD 32

static const struct {
	char symbol;
	const char *colour; /* SGR parameters */
} looks[PAGE_STATES] = {
	[PAGE_UNKNOWN] = { '?', "2" },	 [PAGE_HELD] = { 'h', "2" },
	[PAGE_OFFLINE] = { 'x', "2" },	 [PAGE_LENT] = { '-', "2" },
	[PAGE_LENT_FREE] = { '.', "2" }, [PAGE_LENT_USED] = { 'u', "36" },
	[PAGE_STOCK] = { 's', "35" },	 [PAGE_EMPTY] = { 'e', "33" },
	[PAGE_CLAIMED] = { 'c', "37" },	 [PAGE_WRITABLE] = { 'w', "1;33" },
	[PAGE_PART] = { 'p', "32" },	 [PAGE_SEALED] = { 'S', "1;32" },
	[PAGE_OPEN] = { 'O', "1;31" },	 [PAGE_SECRET] = { 'k', "34" },
	[PAGE_HEADER] = { 'H', "1;34" },
};

/* Sums over all regions. */
struct totals {
	uint64_t reserved, claimed, lent, windows, claims, retries, failures, stock;
	uint64_t states[PAGE_STATES];
};

static struct totals add_up(const struct memory *memory)
{
	struct totals totals = { 0 };

	for (size_t i = 0; i < memory->region_count; i++) {
		const struct memory_region *region = &memory->regions[i];

		totals.reserved += region->reserved;
		totals.claimed += region->claimed;
		totals.lent += region->lent;
		totals.windows += region->windows;
		totals.claims += region->claims;
		totals.retries += region->retries;
		totals.failures += region->failures;
		totals.stock += region->stock;
		for (int state = 0; state < PAGE_STATES; state++)
			totals.states[state] += memory->pages.regions[i].states[state];
	}
	return totals;
}

/* ---------------------------------------------------------------- counters */

/* One value of sysfs as JSON: a number if it is one, else text. NULL if it cannot be read. */
static json_t *read_value(const char *directory, const char *name)
{
	struct buffer file = { 0 };
	struct assay_error unused;
	char path[PATH_MAX];
	json_t *value = NULL;
	struct bytes text;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return NULL;
	if (file_read(path, 65536, &file, &unused) == 0) {
		uint64_t number;
		struct bytes rest, sign;

		text = rest = value_text(buffer_bytes(&file));
		if (value_unsigned(text, &number, &unused) == 0 && number <= INT64_MAX)
			value = json_integer((json_int_t)number);
		else if (bytes_take(&rest, 1, &sign) && sign.data[0] == '-' &&
			 value_unsigned(rest, &number, &unused) == 0 && number <= INT64_MAX)
			value = json_integer(-(json_int_t)number);
		else
			value = json_escaped(text);
	}
	buffer_free(&file);
	return value;
}

/* All values of a directory of sysfs, sorted by name. */
static json_t *read_counters(const char *group)
{
	json_t *object = json_object();
	struct dirent **entries;
	char path[PATH_MAX];
	int count;

	snprintf(path, sizeof(path), "%s/%s", memory_paths.sysfs, group);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return object;
	for (int i = 0; i < count; i++) {
		json_t *value =
			entries[i]->d_type == DT_REG ? read_value(path, entries[i]->d_name) : NULL;

		if (value)
			json_object_set_new(object, entries[i]->d_name, value);
		free(entries[i]);
	}
	free(entries);
	return object;
}

/* ---------------------------------------------------------------- as JSON */

static json_t *number(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) :
				    json_sprintf("%" PRIu64, value);
}

static json_t *address(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *condition_json(const struct value_condition *condition)
{
	if (condition->full)
		return json_pack("{s:b}", "full", 1);
	return json_pack("{s:b, s:s}", "full", 0, "why", condition->why);
}

static json_t *states_json(const uint64_t states[PAGE_STATES])
{
	json_t *object = json_object();

	for (int i = 0; i < PAGE_STATES; i++)
		if (states[i] > 0)
			json_object_set_new(object, page_state_name((enum page_state)i),
					    number(states[i]));
	return object;
}

static json_t *totals_json(const struct totals *totals, size_t regions)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "region_count",
			 number(regions), "bytes_reserved", number(totals->reserved),
			 "bytes_claimed", number(totals->claimed), "bytes_lent",
			 number(totals->lent), "window_count", number(totals->windows), "claims",
			 number(totals->claims), "claim_retries", number(totals->retries),
			 "claim_failures", number(totals->failures), "stock", number(totals->stock),
			 "pages", states_json(totals->states));
}

static json_t *run_json(enum page_state state, uint64_t count)
{
	return json_pack("{s:s, s:o}", "state", page_state_name(state), "count", number(count));
}

/* The cells of a region's map, as run lengths. */
static json_t *map_json(const struct pages_region *pages)
{
	json_t *cells = json_array();

	for (size_t i = 0, next; i < pages->cell_count; i = next) {
		enum page_state state = pages_cell(pages->cells[i]);

		for (next = i + 1;
		     next < pages->cell_count && pages_cell(pages->cells[next]) == state;)
			next++;
		json_array_append_new(cells, run_json(state, next - i));
	}
	return json_pack("{s:o, s:o}", "pages_per_cell", number(pages->cell_pages), "cells", cells);
}

static json_t *region_json(const struct memory *memory, size_t i, bool map)
{
	const struct memory_region *region = &memory->regions[i];
	json_t *object = json_object(), *latencies = json_array();

	for (size_t slot = 0; slot < region->claim_us.count; slot++)
		json_array_append_new(
			latencies, json_pack("{s:o, s:o}", "below",
					     number(region->claim_us.slots[slot].below_us), "count",
					     number(region->claim_us.slots[slot].count)));
	json_object_set_new(object, "region_id", number(i));
	json_object_set_new(object, "kind", json_string(memory_kind_name(region->kind)));
	json_object_set_new(object, "base", address(region->base));
	json_object_set_new(object, "bytes_reserved", number(region->reserved));
	json_object_set_new(object, "bytes_claimed", number(region->claimed));
	json_object_set_new(object, "bytes_lent", number(region->lent));
	json_object_set_new(object, "window_count", number(region->windows));
	json_object_set_new(object, "claims", number(region->claims));
	json_object_set_new(object, "claim_retries", number(region->retries));
	json_object_set_new(object, "claim_failures", number(region->failures));
	json_object_set_new(object, "last_claim_us", number(region->last_claim_us));
	json_object_set_new(object, "max_claim_us", number(region->max_claim_us));
	json_object_set_new(object, "claim_us", latencies);
	json_object_set_new(object, "stock", number(region->stock));
	json_object_set_new(object, "lending", condition_json(&region->lending));
	json_object_set_new(object, "pages", states_json(memory->pages.regions[i].states));
	if (map)
		json_object_set_new(object, "map", map_json(&memory->pages.regions[i]));
	return object;
}

static json_t *window_json(const struct memory *memory, const struct pages_window *window)
{
	const struct pages *pages = &memory->pages;
	json_t *runs = json_array();

	for (size_t i = 0; i < window->run_count; i++) {
		const struct pages_run *run = &pages->runs[window->first_run + i];

		json_array_append_new(runs, run_json(run->state, run->count));
	}
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "region_id", number(window->region),
			 "base", address(window->pfn * memory->page_size), "size",
			 number(window->count * memory->page_size), "owner",
			 pages->owners[window->owner].name, "claim", number(window->order), "since",
			 number(window->since), "runs", runs);
}

static json_t *owner_json(const struct pages_owner *owner)
{
	return json_pack("{s:s, s:o}", "name", owner->name, "pages", states_json(owner->states));
}

static json_t *log_json(const struct assay_info *info)
{
	json_t *object = json_object(), *banks = json_array();

	for (uint32_t i = 0; i < info->bank_count; i++) {
		const char *name = assay_hash_name((enum assay_hash)info->bank_alg[i]);

		json_array_append_new(banks, name ? json_string(name) :
						    json_sprintf("0x%04x", info->bank_alg[i]));
	}
	json_object_set_new(object, "window",
			    json_pack("{s:o, s:o}", "base", address(info->window_base), "size",
				      number(info->window_size)));
	json_object_set_new(object, "ring_size", number(info->ring_size));
	json_object_set_new(object, "head", number(info->head));
	json_object_set_new(object, "tail", number(info->tail));
	json_object_set_new(object, "anchored_offset", number(info->anchored));
	json_object_set_new(object, "record_count", number(info->records));
	json_object_set_new(object, "anchored_record_count", number(info->anchored_records));
	json_object_set_new(object, "verified_record_count", number(info->verified_records));
	json_object_set_new(object, "pcr", number(info->pcr));
	json_object_set_new(object, "pcr_state",
			    json_string(device_pcr_state_name(info->pcr_state)));
	json_object_set_new(object, "banks", banks);
	json_object_set_new(object, "protected",
			    json_boolean(assay_is_protected(info->protection)));
	json_object_set_new(object, "last_error", json_integer(info->last_error));
	return object;
}

/* A member or an element, after what stands before it; false without memory. */
static bool print_value(const char *before, json_t *value)
{
	if (!value)
		return false;
	fputs(before, stdout);
	json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(value);
	return true;
}

/* One object, printed bit by bit: windows may be many. */
static int print_json(const struct assay_info *info, const struct memory *memory, bool map,
		      const struct service_status *service, struct assay_error *err)
{
	const struct totals totals = add_up(memory);
	const struct pages *pages = &memory->pages;
	bool ok;

	command_begin_json(&command_status);
	ok = print_value(",\"page_size\":", number(memory->page_size)) &&
	     print_value(",\"protection\":", condition_json(&memory->protection)) &&
	     print_value(",\"totals\":", totals_json(&totals, memory->region_count)) &&
	     print_value(",\"pages_listed\":", json_boolean(memory->pages_error == 0));
	fputs(",\"regions\":[", stdout);
	for (size_t i = 0; ok && i < memory->region_count; i++)
		ok = print_value(i > 0 ? "," : "", region_json(memory, i, map));
	fputs("],\"windows\":[", stdout);
	for (size_t i = 0; ok && i < pages->window_count; i++)
		ok = print_value(i > 0 ? "," : "", window_json(memory, &pages->windows[i]));
	fputs("],\"owners\":[", stdout);
	for (size_t i = 0; ok && i < pages->owner_count; i++)
		ok = print_value(i > 0 ? "," : "", owner_json(&pages->owners[i]));
	putchar(']');
	ok = ok && print_value(",\"log\":", log_json(info)) &&
	     print_value(",\"counters\":",
			 json_pack("{s:o, s:o}", "memory", read_counters("memory"), "log",
				   read_counters("log"))) &&
	     print_value(",\"service_running\":", json_boolean(service->running)) &&
	     print_value(",\"service\":",
			 service->state ? json_incref(service->state) : json_null());
	puts(ok ? "}" : ",\"error\":\"out of memory\"}");
	return ok ? 0 : assay_fail(err, ENOMEM, "out of memory; the output is not complete");
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

static const char *time_text(uint64_t us, char text[32])
{
	if (us < 1000)
		snprintf(text, 32, "%" PRIu64 " us", us);
	else if (us < 1000000)
		snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " ms", us / 1000, us % 1000 / 100);
	else
		snprintf(text, 32, "%" PRIu64 ".%" PRIu64 " s", us / 1000000,
			 us % 1000000 / 100000);
	return text;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* "1 header, 3 sealed" */
static void print_states(const uint64_t states[PAGE_STATES])
{
	const char *before = "";

	for (int i = PAGE_STATES - 1; i >= 0; i--)
		if (states[i] > 0) {
			printf("%s%" PRIu64 " %s", before, states[i],
			       page_state_name((enum page_state)i));
			before = ", ";
		}
	putchar('\n');
}

static void print_counters(const char *group)
{
	json_t *counters = read_counters(group), *value;
	const char *key;

	if (json_object_size(counters) > 0)
		printf("\ncounters of the %s\n", group);
	json_object_foreach(counters, key, value) {
		if (json_is_integer(value))
			printf("  %-24s %" JSON_INTEGER_FORMAT "\n", key,
			       json_integer_value(value));
		else
			printf("  %-24s %s\n", key, json_string_value(value));
	}
	json_decref(counters);
}

static const char *protection_text(uint32_t protection)
{
	switch (protection) {
	case ASSAY_PROTECTION_FULL:
		return "read-only in every mapping but during an append";
	case ASSAY_PROTECTION_ALIAS:
		return "read-only, and mapped elsewhere for the time of an append";
	default:
		return "NOT PROTECTED: the kernel's linear map leaves it writable";
	}
}

static void print_log(const struct assay_info *info)
{
	char a[32];

	printf("log         %" PRIu64 " record%s, %" PRIu64 " of %" PRIu64
	       " bytes used; %s at 0x%" PRIx64 ", %s\n",
	       (uint64_t)info->records, plural(info->records), (uint64_t)(info->tail - info->head),
	       (uint64_t)info->ring_size, size_text(info->window_size, a),
	       (uint64_t)info->window_base, protection_text(info->protection));
	printf("anchored    %" PRIu64 " record%s in PCR %" PRIu32, (uint64_t)info->anchored_records,
	       plural(info->anchored_records), info->pcr);
	if (info->bank_count == 0)
		fputs(", no TPM was seen", stdout);
	for (uint32_t i = 0; i < info->bank_count; i++) {
		const char *name = assay_hash_name((enum assay_hash)info->bank_alg[i]);

		printf("%s%s", i == 0 ? ", banks " : " ", name ? name : "of no known name");
	}
	putchar('\n');
	printf("verified    %" PRIu64 " record%s when the PCR was last read\n",
	       (uint64_t)info->verified_records, plural(info->verified_records));
	if (info->pcr_state != ASSAY_PCR_RIGHT)
		printf("PCR         NOT THE LOG'S: %s; reload the module to begin a new log\n",
		       device_pcr_state_text(info->pcr_state));
	else if (info->last_error != 0)
		printf("last error  %s; the next append tries again\n",
		       strerror(-info->last_error));
}

static void print_condition(const char *title, const struct value_condition *condition)
{
	if (condition->full)
		printf("%sfull\n", title);
	else
		printf("%snone (%s)\n", title, condition->why);
}

static void print_region(const struct memory *memory, size_t i)
{
	const struct memory_region *region = &memory->regions[i];
	uint64_t half = value_latency_below(&region->claim_us, 50);
	uint64_t most = value_latency_below(&region->claim_us, 99);
	char a[32], b[32], c[32], d[32];

	/* Slots are coarse: none took longer than the longest. */
	half = half < region->max_claim_us ? half : region->max_claim_us;
	most = most < region->max_claim_us ? most : region->max_claim_us;

	printf("\nregion %-4zu %s at 0x%" PRIx64 ", %s\n", i, size_text(region->reserved, a),
	       region->base, memory_kind_name(region->kind));
	printf("  claimed   %s in %" PRIu64 " window%s, %" PRIu64 " chunk%s of it in stock\n",
	       size_text(region->claimed, a), region->windows, plural(region->windows),
	       region->stock, plural(region->stock));
	printf("  lent      %s\n", size_text(region->lent, a));
	print_condition("  lending   ", &region->lending);
	printf("  claims    %" PRIu64 ", after %" PRIu64 " retr%s; %" PRIu64 " failed\n",
	       region->claims, region->retries, region->retries == 1 ? "y" : "ies",
	       region->failures);
	if (region->claim_us.total > 0)
		printf("  latency   half within %s, 99 %% within %s; longest %s, last %s\n",
		       time_text(half, a), time_text(most, b), time_text(region->max_claim_us, c),
		       time_text(region->last_claim_us, d));
	fputs("  pages     ", stdout);
	print_states(memory->pages.regions[i].states);
}

static void print_windows(const struct memory *memory)
{
	const struct pages *pages = &memory->pages;
	char text[32];

	if (pages->window_count > 0)
		puts("\nwindows");
	for (size_t i = 0; i < pages->window_count && i < LINES_TOLD; i++) {
		const struct pages_window *window = &pages->windows[i];
		uint64_t states[PAGE_STATES] = { 0 };

		for (size_t run = 0; run < window->run_count; run++)
			states[pages->runs[window->first_run + run].state] +=
				pages->runs[window->first_run + run].count;
		printf("  0x%-12" PRIx64 " %10s  %-12s ", window->pfn * memory->page_size,
		       size_text(window->count * memory->page_size, text),
		       pages->owners[window->owner].name);
		if (window->order > 0)
			printf("claim %" PRIu64 ", %" PRIu64 " s after boot: ", window->order,
			       window->since);
		print_states(states);
	}
	if (pages->window_count > LINES_TOLD)
		printf("  and %zu more, see --json\n", pages->window_count - LINES_TOLD);
}

static void print_owners(const struct pages *pages)
{
	if (pages->owner_count > 0)
		puts("\nowners");
	for (size_t i = 0; i < pages->owner_count && i < LINES_TOLD; i++) {
		const struct pages_owner *owner = &pages->owners[i];
		uint64_t count = 0;

		for (int state = 0; state < PAGE_STATES; state++)
			count += owner->states[state];
		printf("  %-12s %8" PRIu64 " page%s: ", owner->name, count, plural(count));
		print_states(owner->states);
	}
	if (pages->owner_count > LINES_TOLD)
		printf("  and %zu more, see --json\n", pages->owner_count - LINES_TOLD);
}

static void print_status(const struct assay_info *info, const struct memory *memory)
{
	const struct totals totals = add_up(memory);
	char a[32], b[32], c[32], d[32];

	printf("memory      %s in %zu region%s, pages of %s: %s claimed in %" PRIu64
	       " window%s, %s lent\n",
	       size_text(totals.reserved, a), memory->region_count, plural(memory->region_count),
	       size_text(memory->page_size, b), size_text(totals.claimed, c), totals.windows,
	       plural(totals.windows), size_text(totals.lent, d));
	print_condition("protection  ", &memory->protection);
	print_log(info);
	for (size_t i = 0; i < memory->region_count; i++)
		print_region(memory, i);
	print_windows(memory);
	print_owners(&memory->pages);
	print_counters("memory");
	print_counters("log");
	if (memory->pages_error != 0)
		printf("\nOf the windows only the log's is told: %s cannot be read (%s). As root, "
		       "with debugfs mounted, all are.\n",
		       memory_paths.pages, strerror(memory->pages_error));
	if (memory->flags_error != 0 && totals.states[PAGE_LENT] > 0)
		printf("\nWhich of the lent pages are free is not told: %s cannot be read (%s).\n",
		       memory_paths.page_flags, strerror(memory->flags_error));
}

/* ---------------------------------------------------------------- the map */

static void print_legend(const uint64_t states[PAGE_STATES], uint64_t page_size, bool colours)
{
	char text[32];

	for (int i = PAGE_STATES - 1; i >= 0; i--) {
		if (states[i] == 0)
			continue;
		if (colours)
			printf("  \033[%sm%c\033[0m", looks[i].colour, looks[i].symbol);
		else
			printf("  %c", looks[i].symbol);
		printf(" %-10s %8" PRIu64 " page%s, %s\n", page_state_name((enum page_state)i),
		       states[i], plural(states[i]), size_text(states[i] * page_size, text));
	}
}

static void print_region_map(const struct memory *memory, size_t i, bool colours)
{
	const struct pages_region *pages = &memory->pages.regions[i];
	char text[32];

	printf("\nmap of region %zu, %s: a cell is %" PRIu64 " page%s, %s\n", i,
	       memory_kind_name(memory->regions[i].kind), pages->cell_pages,
	       plural(pages->cell_pages), size_text(pages->cell_pages * memory->page_size, text));
	for (size_t line = 0; line < pages->cell_count; line += MAP_WIDTH) {
		enum page_state shown = PAGE_STATES;

		printf("%12" PRIx64 "  ",
		       (pages->pfn + line * pages->cell_pages) * memory->page_size);
		for (size_t cell = line; cell < line + MAP_WIDTH && cell < pages->cell_count;
		     cell++) {
			enum page_state state = pages_cell(pages->cells[cell]);

			if (colours && state != shown)
				printf("\033[0;%sm", looks[state].colour);
			shown = state;
			putchar(looks[state].symbol);
		}
		fputs(colours ? "\033[0m\n" : "\n", stdout);
	}
	print_legend(pages->states, memory->page_size, colours);
}

static void print_map(const struct memory *memory)
{
	const struct totals totals = add_up(memory);
	const bool colours = command_colours();

	for (size_t i = 0; i < memory->region_count; i++)
		print_region_map(memory, i, colours);
	if (memory->region_count > 1) {
		puts("\nall regions");
		print_legend(totals.states, memory->page_size, colours);
	}
}

struct status_options {
	bool json, map, why;
};

/* What the module tells; the device is open until all is read, so that the module stays. */
static int read_module(struct assay_info *info, struct memory *memory, struct assay_error *err)
{
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return r;
	r = device_info(&device, info, err);
	if (r == 0)
		r = memory_read(&memory_paths, info, memory, err);
	device_close(&device);
	return r;
}

static int run_status(int argc, char **argv)
{
	struct status_options options = { 0 };
	struct service_status service;
	struct memory memory = { 0 };
	struct assay_error err, service_error;
	struct assay_info info;
	int r, status = command_parse(&command_status, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (options.why)
		return status_why(options.json);
	r = read_module(&info, &memory, &err);
	if (service_status_read(SERVICE_DIRECTORY, &service, &service_error) < 0) {
		service = (struct service_status){ 0 };
		if (r == 0) {
			err = service_error;
			r = -err.code;
		}
	}
	if (options.json) {
		if (r == 0)
			r = print_json(&info, &memory, options.map, &service, &err);
	} else {
		if (r == 0)
			print_status(&info, &memory);
		if (r == 0 && options.map)
			print_map(&memory);
		if (service.state || service.running) {
			if (r == 0)
				putchar('\n');
			service_status_print(&service);
		}
	}
	json_decref(service.state);
	memory_free(&memory);
	status = command_flush(&command_status);
	return r < 0 ? command_failed(&command_status, &err) : status;
}

static const struct option_row status_rows[] = {
	{ "map", 0, NULL, "draw each region's pages by state as well",
	  OPTION_FLAG(struct status_options, map) },
	{ "why", 0, NULL, "tell instead why there is no module, from facts of this machine",
	  OPTION_FLAG(struct status_options, why) },
	OPTION_ROW_JSON(struct status_options, json),
	OPTION_END,
};

static const struct command *const verbs[] = { &command_status_service, NULL };

const struct command command_status = {
	.name = "status",
	.summary = "tell what the module keeps and counts",
	.intro =
		"Tell what the module keeps and where: its regions of memory and the windows in "
		"them,\nhow claiming them went, the log and how much of it is anchored in the TPM, "
		"and all\ncounters; and what the service assayd tells of itself, where it "
		"runs.\n",
	.options = status_rows,
	.verbs = verbs,
	.epilogue =
		"States of a page. Idle: lent-free (lent to the kernel, and free), lent-used "
		"(lent, and\nused by it), held (in a region that is not lent), offline "
		"(unplugged). Claimed: stock\n(ahead of need), claimed (by a window, which "
		"writes to it as it likes), empty, writable\n(of a pool, not protected yet), open "
		"(a protected page while it is written), part\n(holds data, may be opened again), "
		"sealed (not opened again), secret (what the keys of\nthe log's records are made "
		"from), header (of the log).\n"
		"\n"
		"Exit status: 0 told, 1 the module is not there or does not answer (--why: "
		"something "
		"keeps it\nfrom its work), 2 wrong usage.\n",
	.run = run_status,
};
