/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kind of region gives to regions.c, and what region.c gives to the kinds. */
#ifndef _ASSAY_REGION_KIND_H
#define _ASSAY_REGION_KIND_H

#include "region.h"

struct device_node;
struct reserved_mem;

/**
 * struct assay_region_source - how regions of a kind are asked for and opened
 * @match: NULL where the device tree has none; is @node, a reserved-memory node that is
 *         enabled, of this kind
 * @open_node: open it; @index is its place in the memory-region of @dev
 * @form: what the parameter region= has for it, "KIND" or "KIND:FIELDS", for messages
 *        and to be found by; NULL where it is not to be had by parameter
 * @open_parameter: open it; @parameter is all of it, @fields what is behind "KIND:",
 *                  or NULL
 *
 * The functions return a region that is not in the list yet, or an ERR_PTR() after a
 * dev_err() that says what to do; -ENOMEM without one.
 */
struct assay_region_source {
	bool (*match)(const struct device_node *node);
	struct assay_region *(*open_node)(struct device *dev, struct device_node *node, int index);
	const char *form;
	struct assay_region *(*open_parameter)(struct device *dev, const char *parameter,
					       const char *fields);
};

extern const struct assay_region_source assay_region_auto;
extern const struct assay_region_source assay_region_cma;
extern const struct assay_region_source assay_region_movable;
extern const struct assay_region_source assay_region_nomap;
extern const struct assay_region_source assay_region_static;

struct assay_region *assay_region_new(struct device *dev, const struct assay_region_ops *ops,
				      u64 base, u64 size);
struct assay_region *assay_region_new_cma(struct device *dev, u64 base, u64 size);
struct assay_region *assay_region_new_movable(struct device *dev, u64 base, u64 size);
void assay_region_free(struct assay_region *region);
void assay_region_add(struct assay_region *region);
void assay_regions_free(void);
int assay_region_check_online(struct assay_region *region, unsigned long pfn, unsigned long count,
			      bool reserved);
int assay_region_block_type(unsigned long pfn);
struct reserved_mem *assay_region_held(struct device *dev, struct device_node *node,
				       const char *advice);
int assay_region_parse_range(struct device *dev, const char *parameter, const char *range,
			     u64 *ret_base, u64 *ret_size);

#endif /* _ASSAY_REGION_KIND_H */
