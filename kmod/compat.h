/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that assay builds on, in one place: the rest
 * of the module is written for the newest of them. Differences are probed for,
 * not deduced from a version, so that backports in a distribution's kernel count.
 *
 * The oldest kernel is 6.6, the first that exports fsverity_get_digest().
 */
#ifndef _ASSAY_COMPAT_H
#define _ASSAY_COMPAT_H

#include <linux/kconfig.h>
#include <linux/pgtable.h>

#if !IS_ENABLED(CONFIG_ARM64)
#error "assay changes arm64 page tables: it builds for arm64 only"
#endif
#if !IS_ENABLED(CONFIG_DMA_CMA) || !IS_ENABLED(CONFIG_OF_RESERVED_MEM)
#error "assay needs a kernel with CONFIG_DMA_CMA and CONFIG_OF_RESERVED_MEM"
#endif
#if !IS_ENABLED(CONFIG_FS_VERITY) || !IS_ENABLED(CONFIG_TCG_TPM)
#error "assay needs a kernel with CONFIG_FS_VERITY and CONFIG_TCG_TPM"
#endif

/* Moved in 6.12. */
#if __has_include("linux/unaligned.h")
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/*
 * Since 6.9 the plain names of these accessors go through the layer that folds
 * user memory into contiguous entries, and arm64 defines ptep_get as a macro.
 */
#ifndef ptep_get
#define __ptep_get(ptep) READ_ONCE(*(ptep))
#define __set_pte(ptep, pte) set_pte(ptep, pte)
#endif

#endif /* _ASSAY_COMPAT_H */
