// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on demand, where the kernel has CONFIG_FAULT_INJECTION_DEBUG_FS: the
 * directories fail_* in /sys/kernel/debug/assay, with the files that the kernel's
 * Documentation/fault-injection describes. To fail the Nth time and only then:
 *
 *	echo 100 >probability; echo N >space; echo 1 >times
 *
 * A task's fail-nth counts the kernel's allocations, and not these, unless they are armed too: the
 * kernel would have them fail without a probability as well. Elsewhere it is nothing.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "fault.h"

static struct {
	const char *name;
	struct fault_attr attr;
} assay_faults[ASSAY_FAULT_POINTS] = {
	[ASSAY_FAULT_CLAIM] = { "fail_claim", FAULT_ATTR_INITIALIZER },
	[ASSAY_FAULT_CLAIM_FINAL] = { "fail_claim_final", FAULT_ATTR_INITIALIZER },
	[ASSAY_FAULT_ENTRY] = { "fail_entry", FAULT_ATTR_INITIALIZER },
	[ASSAY_FAULT_VERIFY] = { "fail_verify", FAULT_ATTR_INITIALIZER },
	[ASSAY_FAULT_MAP] = { "fail_map", FAULT_ATTR_INITIALIZER },
};

bool assay_fault(enum assay_fault_point point)
{
	struct fault_attr *attr = &assay_faults[point].attr;

	return READ_ONCE(attr->probability) && should_fail(attr, 1);
}

void assay_fault_open(struct dentry *directory)
{
	unsigned int i;

	for (i = 0; i < ASSAY_FAULT_POINTS; i++) {
		/* By default each failure comes with a call trace, as the kernel's own errors do.
		 */
		assay_faults[i].attr.verbose = 0;
		fault_create_debugfs_attr(assay_faults[i].name, directory, &assay_faults[i].attr);
	}
}
