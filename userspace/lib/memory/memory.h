/* SPDX-License-Identifier: MIT */
/*
 * What the module tells of its memory: reads its sysfs and debugfs, and the kernel's page
 * flags. For `assay status`. All that is read is checked before it is believed.
 */
#ifndef ASSAY_MEMORY_MEMORY_H
#define ASSAY_MEMORY_MEMORY_H

#include "memory/pages.h"
#include "memory/value.h"
#include "uapi/assay.h"

/**
 * struct memory_paths - where it is read from
 * @sysfs: directory of the module's device, with memory/ and regions/
 * @pages: a line for each page, see page_line_take()
 * @page_flags: the kernel's flags of all page frames, a u64 each (/proc/kpageflags)
 */
struct memory_paths {
	const char *sysfs;
	const char *pages;
	const char *page_flags;
};

/* Where the kernel has them. */
extern const struct memory_paths memory_paths;

/**
 * struct memory_region - a region; sizes in bytes, times in microseconds
 * @kind: enum assay_region_kind
 * @base: physical address
 * @reserved: its size
 * @claimed: of windows
 * @lent: used by the kernel meanwhile, or free for it
 * @windows: how many there are
 * @claims: that succeeded
 * @retries: tries after the first, of all claims
 * @failures: claims that failed for good
 * @last_claim_us: how long the last claim took
 * @max_claim_us: the longest
 * @claim_us: all of them
 * @stock: chunks claimed ahead of need
 * @lending: whether the kernel uses idle pages
 */
struct memory_region {
	enum assay_region_kind kind;
	uint64_t base;
	uint64_t reserved;
	uint64_t claimed;
	uint64_t lent;
	uint64_t windows;
	uint64_t claims;
	uint64_t retries;
	uint64_t failures;
	uint64_t last_claim_us;
	uint64_t max_claim_us;
	struct value_latencies claim_us;
	uint64_t stock;
	struct value_condition lending;
};

/**
 * struct memory - all regions; memory_free() it
 * @page_size: bytes of a page
 * @regions: the log's first
 * @protection: whether windows are protected, in the linear map or by being in none
 * @pages: the regions' pages, in all
 * @pages_error: 0, or the errno with which the list of pages could not be opened. Then @pages
 *               has the log's window by the log alone, no other window, and PAGE_UNKNOWN
 *               for pages that may be of one
 * @flags_error: 0, or the errno with which the page flags could not be read; what lent pages
 *               are is then known only as far as the list of pages says it
 */
struct memory {
	uint64_t page_size;
	struct memory_region *regions;
	size_t region_count;
	struct value_condition protection;
	struct pages pages;
	int pages_error;
	int flags_error;
};

/* memory_kind_name() - as the module has it */
const char *memory_kind_name(enum assay_region_kind kind);

/*
 * memory_read() - read all of it
 * @info: of the module's device
 *
 * Return: 0; -EBADMSG (a file is not as it should be), -EPROTO (what they say does not go
 *         together), -ENOENT and whatever else reading gives, -ENOMEM
 */
int memory_read(const struct memory_paths *paths, const struct assay_info *info, struct memory *ret,
		struct assay_error *err);

void memory_free(struct memory *memory);

#endif /* ASSAY_MEMORY_MEMORY_H */
