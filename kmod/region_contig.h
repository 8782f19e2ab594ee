/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of the page allocator, taken at exact addresses: what the kinds cma and movable share. */
#ifndef _ASSAY_REGION_CONTIG_H
#define _ASSAY_REGION_CONTIG_H

#include "compat.h"

struct assay_region;

int assay_contig_claim(unsigned long pfn, unsigned long count, assay_contig_t type);
void assay_contig_release(struct assay_region *region, unsigned long pfn, unsigned long count);

#endif /* _ASSAY_REGION_CONTIG_H */
