/* SPDX-License-Identifier: GPL-2.0-only */
/* Failures on demand, where the kernel has CONFIG_FAULT_INJECTION_DEBUG_FS. */
#ifndef _ASSAY_FAULT_H
#define _ASSAY_FAULT_H

#include <linux/types.h>

struct dentry;

enum assay_fault_point {
	ASSAY_FAULT_CLAIM,	 /* fail_claim: a try to claim pages is -EBUSY */
	ASSAY_FAULT_CLAIM_FINAL, /* fail_claim_final: it is -ENOMEM */
	ASSAY_FAULT_ENTRY,	 /* fail_entry: an entry of the linear map is not one to change */
	ASSAY_FAULT_VERIFY,	 /* fail_verify: a page's permission is not what it should be */
	ASSAY_FAULT_MAP,	 /* fail_map: mapping pages of a nomap region is -ENOMEM */
	ASSAY_FAULT_POINTS,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool assay_fault(enum assay_fault_point point);
void assay_fault_open(struct dentry *directory);
#else
static inline bool assay_fault(enum assay_fault_point point)
{
	return false;
}

static inline void assay_fault_open(struct dentry *directory)
{
}
#endif

#endif /* _ASSAY_FAULT_H */
