// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* Bytes of a file of sysfs, at most: a page of the kernel's. */
#define VALUE_LIMIT 65536

const struct memory_paths memory_paths = {
	.sysfs = "/sys/class/misc/assay",
	.pages = "/sys/kernel/debug/assay/pages",
	.page_flags = "/proc/kpageflags",
};

const char *memory_kind_name(enum assay_region_kind kind)
{
	return kind == ASSAY_REGION_CMA	    ? "cma" :
	       kind == ASSAY_REGION_MOVABLE ? "movable" :
	       kind == ASSAY_REGION_NOMAP   ? "nomap" :
					      "static";
}

/* ---------------------------------------------------------------- sysfs */

/* How a file's value is read into a member. */
typedef int (*value_reader)(struct bytes file, void *ret, struct assay_error *err);

static int read_unsigned(struct bytes file, void *ret, struct assay_error *err)
{
	return value_unsigned(file, ret, err);
}

static int read_address(struct bytes file, void *ret, struct assay_error *err)
{
	return value_address(file, ret, err);
}

static int read_condition(struct bytes file, void *ret, struct assay_error *err)
{
	return value_condition(file, ret, err);
}

/* Whichever way the pages are protected. */
static int read_protection(struct bytes file, void *ret, struct assay_error *err)
{
	if (bytes_equal(value_text(file), BYTES_LITERAL("alias"))) {
		*(struct value_condition *)ret = (struct value_condition){ .full = true };
		return 0;
	}
	return value_condition(file, ret, err);
}

static int read_latencies(struct bytes file, void *ret, struct assay_error *err)
{
	return value_latencies(file, ret, err);
}

static int read_kind(struct bytes file, void *ret, struct assay_error *err)
{
	static const enum assay_region_kind kinds[] = { ASSAY_REGION_CMA, ASSAY_REGION_MOVABLE,
							ASSAY_REGION_STATIC, ASSAY_REGION_NOMAP };
	struct bytes text = value_text(file);
	char escaped[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *name = memory_kind_name(kinds[i]);

		if (bytes_equal(text, BYTES((const uint8_t *)name, strlen(name)))) {
			*(enum assay_region_kind *)ret = kinds[i];
			return 0;
		}
	}
	text_escape(text, escaped, sizeof(escaped));
	return assay_fail(err, EBADMSG,
			  "\"%s\" is no kind of region that is known; are assay and assay.ko of "
			  "the same version?",
			  escaped);
}

static int read_file(const char *directory, const char *name, value_reader reader, void *ret,
		     struct assay_error *err)
{
	struct buffer file = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	r = file_read(path, VALUE_LIMIT, &file, err);
	if (r == 0) {
		r = reader(buffer_bytes(&file), ret, err);
		if (r < 0)
			r = assay_fail_context(err, "%s", path);
	}
	buffer_free(&file);
	return r;
}

static int read_region(const char *directory, struct memory_region *region, struct assay_error *err)
{
	const struct {
		const char *name;
		value_reader reader;
		void *member;
	} files[] = {
		{ "kind", read_kind, &region->kind },
		{ "base", read_address, &region->base },
		{ "bytes_reserved", read_unsigned, &region->reserved },
		{ "bytes_claimed", read_unsigned, &region->claimed },
		{ "bytes_lent", read_unsigned, &region->lent },
		{ "windows", read_unsigned, &region->windows },
		{ "claims", read_unsigned, &region->claims },
		{ "claim_retries", read_unsigned, &region->retries },
		{ "claim_failures", read_unsigned, &region->failures },
		{ "last_claim_us", read_unsigned, &region->last_claim_us },
		{ "max_claim_us", read_unsigned, &region->max_claim_us },
		{ "claim_us", read_latencies, &region->claim_us },
		{ "stock", read_unsigned, &region->stock },
		{ "lending", read_condition, &region->lending },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		r = read_file(directory, files[i].name, files[i].reader, files[i].member, err);
	return r;
}

/* The directories 0, 1, ... of regions/; there is at least the log's. */
static int read_regions(const char *sysfs, struct memory *memory, struct assay_error *err)
{
	memory->regions = calloc(PAGES_MAX_REGIONS, sizeof(*memory->regions));
	if (!memory->regions)
		return assay_fail(err, ENOMEM, "out of memory");
	for (;;) {
		char directory[PATH_MAX];
		int r;

		snprintf(directory, sizeof(directory), "%s/regions/%zu", sysfs,
			 memory->region_count);
		if (access(directory, F_OK) < 0)
			break;
		if (memory->region_count == PAGES_MAX_REGIONS)
			return assay_fail(
				err, EPROTO,
				"%s/regions has more than the %d regions expected at most", sysfs,
				PAGES_MAX_REGIONS);
		r = read_region(directory, &memory->regions[memory->region_count], err);
		if (r < 0)
			return r;
		memory->region_count++;
	}
	if (memory->region_count == 0)
		return assay_fail(err, ENOENT,
				  "there is no region in %s/regions; are assay and assay.ko of the "
				  "same version?",
				  sysfs);
	return 0;
}

/* ---------------------------------------------------------------- pages */

/* The kernel's flags, a piece at a time, since pages are asked for in their order. */
struct flag_reader {
	int fd; /* -1: they cannot be read */
	int error;
	uint64_t first;
	size_t count;
	uint64_t flags[512];
};

static void flags_open(struct flag_reader *reader, const char *path)
{
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	reader->error = reader->fd < 0 ? errno : 0;
	reader->first = 0;
	reader->count = 0;
}

static void flags_close(struct flag_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = -1;
}

/* What the kernel says goes before what the line says; without either, the line stays. */
static void flags_into(struct flag_reader *reader, struct page_line *line)
{
	if (reader->fd < 0)
		return;
	if (line->pfn < reader->first || line->pfn - reader->first >= reader->count) {
		ssize_t got;

		if (line->pfn > INT64_MAX / sizeof(reader->flags[0]))
			return;
		got = pread(reader->fd, reader->flags, sizeof(reader->flags),
			    (off_t)(line->pfn * sizeof(reader->flags[0])));
		if (got < (ssize_t)sizeof(reader->flags[0])) {
			reader->error = got < 0 ? errno : ENODATA;
			flags_close(reader);
			return;
		}
		reader->first = line->pfn;
		reader->count = (size_t)got / sizeof(reader->flags[0]);
	}
	line->flags = reader->flags[line->pfn - reader->first];
	line->has_flags = true;
}

static int add_page(struct memory *memory, struct flag_reader *flags, struct page_line *line,
		    struct assay_error *err)
{
	if (line->state == PAGE_LENT)
		flags_into(flags, line);
	return pages_add(&memory->pages, line, err);
}

/* All lines of an open file. */
static int read_lines(int fd, struct memory *memory, struct flag_reader *flags,
		      struct assay_error *err)
{
	uint8_t text[65536];
	size_t size = 0;
	uint64_t pfn;
	ssize_t got;
	int r;

	do {
		struct bytes rest;
		struct page_line line;

		got = read(fd, text + size, sizeof(text) - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return assay_fail(err, errno, "cannot be read: %s", strerror(errno));
		size += (size_t)got;
		rest = BYTES(text, size);
		while ((r = page_line_take(&rest, got == 0, &line, err)) == 1) {
			r = add_page(memory, flags, &line, err);
			if (r < 0)
				return r;
		}
		if (r < 0)
			return r;
		memmove(text, rest.data, rest.size);
		size = rest.size;
	} while (got != 0);
	if (pages_next(&memory->pages, &pfn))
		return assay_fail(err, EPROTO, "it ends where page frame 0x%" PRIx64 " is expected",
				  pfn);
	return 0;
}

/*
 * What the log alone says of page @page of its window: a header page, then the ring, of
 * which [head, tail) holds records.
 */
static enum page_state log_page(const struct assay_info *info, uint64_t page)
{
	uint64_t first = info->head - info->head % info->page_size, place, at;

	if (page == 0)
		return PAGE_HEADER;
	place = (page - 1) * info->page_size;
	if (place >= info->ring_size)
		return PAGE_EMPTY;
	/* The page's offset in the log, once records have come to it. */
	at = first + (place + info->ring_size - first % info->ring_size) % info->ring_size;
	if (at >= info->tail)
		return PAGE_EMPTY;
	/* In a full log the newest record may be in front of the oldest, in its page. */
	return info->tail - at >= info->page_size && info->tail - at <= info->ring_size ?
		       PAGE_SEALED :
		       PAGE_PART;
}

/* Whether the kernel has no use for idle pages of it. */
static bool is_held(const struct memory_region *region)
{
	return region->kind == ASSAY_REGION_STATIC || region->kind == ASSAY_REGION_NOMAP;
}

/* Each page as far as it is known without the kernel's list of them. */
static int assume_pages(const struct assay_info *info, struct memory *memory,
			struct flag_reader *flags, struct assay_error *err)
{
	const struct pages *pages = &memory->pages;
	uint64_t pfn;

	while (pages_next(pages, &pfn)) {
		const struct memory_region *region = &memory->regions[pages->at_region];
		uint64_t known = pages->at_region == 0 ? info->window_size : 0;
		uint64_t offset = pages->at * memory->page_size;
		struct page_line line = { .pfn = pfn };
		int r;

		if (known > 0 && region->base + offset >= info->window_base &&
		    region->base + offset - info->window_base < known) {
			line.state = log_page(info, (region->base + offset - info->window_base) /
							    memory->page_size);
			line.owner = BYTES_LITERAL("log");
		} else if (region->claimed > known) {
			line.state = PAGE_UNKNOWN;
		} else {
			line.state = is_held(region) ? PAGE_HELD : PAGE_LENT;
		}
		r = add_page(memory, flags, &line, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_info(const struct assay_info *info, const struct memory *memory,
		      struct assay_error *err)
{
	const struct memory_region *region = &memory->regions[0];

	if (info->page_size < 4096 || (info->page_size & (info->page_size - 1)) != 0)
		return assay_fail(err, EPROTO, "the module tells of pages of %" PRIu32 " bytes",
				  info->page_size);
	if (info->region_base != region->base || info->region_size != region->reserved ||
	    info->window_base < info->region_base || info->window_size > info->region_size ||
	    info->window_base - info->region_base > info->region_size - info->window_size ||
	    info->window_base % info->page_size != 0 || info->window_size % info->page_size != 0)
		return assay_fail(err, EPROTO,
				  "the module's device and its sysfs tell of different regions");
	if (info->ring_size == 0 || info->ring_size % info->page_size != 0 ||
	    info->ring_size > info->window_size || info->head > info->tail ||
	    info->tail - info->head > info->ring_size)
		return assay_fail(err, EPROTO, "the module tells of a log that cannot be");
	return 0;
}

static int read_pages(const struct memory_paths *paths, const struct assay_info *info,
		      struct memory *memory, struct assay_error *err)
{
	struct pages_range ranges[PAGES_MAX_REGIONS];
	struct flag_reader flags;
	int fd, r;

	for (size_t i = 0; i < memory->region_count; i++) {
		const struct memory_region *region = &memory->regions[i];

		if (region->base > UINT64_MAX - region->reserved)
			return assay_fail(err, EPROTO, "region %zu reaches beyond all memory", i);
		if (region->base % memory->page_size != 0 ||
		    region->reserved % memory->page_size != 0)
			return assay_fail(err, EPROTO,
					  "region %zu is not made of pages of %" PRIu64 " bytes", i,
					  memory->page_size);
		ranges[i] = (struct pages_range){ region->base / memory->page_size,
						  region->reserved / memory->page_size };
	}
	r = pages_begin(&memory->pages, ranges, memory->region_count, err);
	if (r < 0)
		return r;

	flags_open(&flags, paths->page_flags);
	fd = open(paths->pages, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		r = read_lines(fd, memory, &flags, err);
		if (r < 0)
			r = assay_fail_context(err, "%s", paths->pages);
		close(fd);
	} else {
		memory->pages_error = errno;
		r = assume_pages(info, memory, &flags, err);
	}
	memory->flags_error = flags.error;
	flags_close(&flags);
	return r;
}

int memory_read(const struct memory_paths *paths, const struct assay_info *info, struct memory *ret,
		struct assay_error *err)
{
	struct memory memory = { .page_size = info->page_size };
	int r = read_regions(paths->sysfs, &memory, err);

	if (r == 0)
		r = check_info(info, &memory, err);
	if (r == 0)
		r = read_file(paths->sysfs, "memory/protection", read_protection,
			      &memory.protection, err);
	if (r == 0)
		r = read_pages(paths, info, &memory, err);
	if (r < 0) {
		memory_free(&memory);
		return r;
	}
	*ret = memory;
	return 0;
}

void memory_free(struct memory *memory)
{
	pages_free(&memory->pages);
	free(memory->regions);
	*memory = (struct memory){ 0 };
}
