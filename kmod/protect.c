// SPDX-License-Identifier: GPL-2.0-only
/* What ways to keep pages from being written share. */
#include <linux/types.h>
#include <linux/uaccess.h>

#include "protect.h"

/**
 * assay_protect_try_write() - does a write get through
 * @target: address of eight bytes, mapped or not; what is there stays the same
 *
 * Return: false if it faulted, which is no oops.
 */
bool assay_protect_try_write(void *target)
{
	u64 value;

	__get_kernel_nofault(&value, target, u64, fault);
	__put_kernel_nofault(target, &value, u64, fault);
	return true;
fault:
	return false;
}
