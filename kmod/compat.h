/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that assay builds on, in one place: the rest
 * of the module is written for the newest of them. Differences are probed for,
 * here or by Kbuild (ASSAY_HAS_*), not deduced from a version, so that backports in
 * a distribution's kernel count.
 *
 * The oldest kernel is 6.1. There fsverity_get_digest() is not exported, and files
 * cannot be measured.
 */
#ifndef _ASSAY_COMPAT_H
#define _ASSAY_COMPAT_H

#include <linux/gfp.h>
#include <linux/kconfig.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#if IS_ENABLED(CONFIG_OF_RESERVED_MEM) && !IS_ENABLED(CONFIG_DMA_CMA)
#error "assay needs a kernel with CONFIG_DMA_CMA where it has CONFIG_OF_RESERVED_MEM"
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

/* Since 6.3 a mapping's flags are constant but for these. */
#ifndef ASSAY_HAS_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* Since 6.17 that a block is isolated is a bit beside its type. */
#ifndef MIGRATETYPE_MASK
#define MIGRATETYPE_MASK PAGEBLOCK_MIGRATETYPE_MASK
#endif

/* Newer kernels name it otherwise. */
#ifndef TTBR_ASID_MASK
#define TTBR_ASID_MASK GENMASK_ULL(63, 48)
#endif

/* What alloc_contig_range() is told of the pages; a migrate type before 6.16. */
#ifdef ACR_FLAGS_CMA
#define assay_contig_t acr_flags_t
#define ASSAY_CONTIG_CMA ACR_FLAGS_CMA
#define ASSAY_CONTIG_MOVABLE ACR_FLAGS_NONE
#else
#define assay_contig_t enum migratetype
#if IS_ENABLED(CONFIG_CMA)
#define ASSAY_CONTIG_CMA MIGRATE_CMA
#else
#define ASSAY_CONTIG_CMA MIGRATE_MOVABLE /* no page is in a CMA area */
#endif
#define ASSAY_CONTIG_MOVABLE MIGRATE_MOVABLE
#endif

/*
 * set_pte_at() of an entry that is empty. With CONFIG_DEBUG_VM that of arm64 asks whether an
 * entry may be changed so, by a function that modules cannot call.
 */
static inline void assay_set_empty_pte(struct mm_struct *mm, unsigned long address, pte_t *ptep,
				       pte_t pte)
{
#if IS_ENABLED(CONFIG_ARM64) && IS_ENABLED(CONFIG_DEBUG_VM)
#if IS_ENABLED(CONFIG_PAGE_TABLE_CHECK)
#error "with CONFIG_DEBUG_VM, CONFIG_PAGE_TABLE_CHECK keeps modules from mapping pages"
#endif
	set_pte(ptep, pte);
#else
	set_pte_at(mm, address, ptep, pte);
#endif
}

/* Since 6.18 the flags of a page are a struct of one word. */
static inline unsigned long assay_page_flags(const struct page *page)
{
	return READ_ONCE(*(const unsigned long *)&page->flags);
}

#endif /* _ASSAY_COMPAT_H */
