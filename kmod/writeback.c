// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reset keeps what is in memory, and loses what is in the caches alone. Lines are written
 * back in any order, at any time; so what must not be there before something else is stored
 * after that was written back.
 */
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/libnvdimm.h>

#include <asm/barrier.h>

#include "writeback.h"

/**
 * assay_writeback_works() - whether this kernel lets a module write caches back
 *
 * Without, a log goes on after kexec all the same: the caches stay as they are then.
 */
bool assay_writeback_works(void)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API);
}

/**
 * assay_writeback() - have bytes in memory before anything that is stored later
 * @start: first byte, at any mapping of the memory
 * @size: how many
 *
 * For memory of an emulated non-volatile DIMM the kernel does the same. Also orders the
 * stores for other processors.
 */
noinline void assay_writeback(const void *start, size_t size)
{
	/* Does nothing where it does not work. */
	arch_wb_cache_pmem((void *)start, size);
	pmem_wmb();
}
