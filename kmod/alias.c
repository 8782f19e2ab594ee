// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write permission of pages in the linear map, the alias through which the whole
 * kernel sees all of RAM. Changes the page-table entries themselves, since the
 * kernel's own set_memory_ro() neither is exported nor tells when it left the
 * alias writable. Called by pmalloc and stock, for pages that
 * they own.
 *
 * The caller serialises calls for the same pages. Nothing here allocates or
 * splits: where the linear map is not made of single pages it refuses.
 *
 * The linear map is walked from TTBR1_EL1, as neither init_mm nor swapper_pg_dir
 * is exported. Changing RDONLY and WRITE of a live entry needs no
 * break-before-make (they are what the kernel's pgattr_change_is_safe() lists).
 * WRITE is the architecture's DBM bit: left set on a read-only entry, hardware
 * that manages the dirty state would make the page writable again by itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>

#include <asm/mmu.h>
#include <asm/sysreg.h>
#include <asm/tlbflush.h>

#include "alias.h"
#include "compat.h"
#include "fault.h"

#define ASSAY_TTBR_CNP BIT(0)
#ifdef CONFIG_ARM64_PA_BITS_52
#define ASSAY_TTBR_HIGH GENMASK(5, 2) /* address bits 51:48 */
#define ASSAY_TTBR_HIGH_SHIFT 46
#endif

/*
 * Up to so many ranges are flushed one by one: a barrier more costs less than what
 * flushing everything takes from the other users of the TLBs. A write of the log,
 * its header and a ring's bytes in two parts, stays within it.
 */
#define ASSAY_FLUSH_RANGES 3

/* Since 6.18 "on" says what "full" said before, which is no longer known. */
#ifdef ASSAY_HAS_RODATA_NOALIAS
#define ASSAY_RODATA "rodata=on"
#else
#define ASSAY_RODATA "rodata=full"
#endif

#define ASSAY_WHY_BLOCK "the linear map is made of blocks there; boot with " ASSAY_RODATA
#define ASSAY_WHY_CONTIGUOUS \
	"the linear map is made of contiguous groups of pages there; boot with " ASSAY_RODATA
#define ASSAY_WHY_BLOCKS_STAY \
	"the linear map is made of blocks there, as the kernel keeps it on these processors (BBM level 2); use a no-map region, or a kernel with set_direct_map_ro()"
#define ASSAY_WHY_UNMAPPED "the linear map has no such page"

static bool split_blocks = true;
module_param(split_blocks, bool, 0444);
MODULE_PARM_DESC(
	split_blocks,
	"Have the kernel split the linear map's blocks, where it keeps them and can (default y)");

static atomic64_t assay_alias_flush_count;
static bool assay_alias_by_kernel; /* set_direct_map_ro() does it: settled by the probe */

static pgd_t *assay_alias_root(void)
{
	u64 ttbr = read_sysreg(ttbr1_el1) & ~(TTBR_ASID_MASK | ASSAY_TTBR_CNP);
	u64 address = ttbr;

#ifdef CONFIG_ARM64_PA_BITS_52
	address &= ~ASSAY_TTBR_HIGH;
	address |= (ttbr & ASSAY_TTBR_HIGH) << ASSAY_TTBR_HIGH_SHIFT;
#endif
	/*
	 * Kernels built for 52-bit addresses point the register behind the
	 * table's start on CPUs with 48.
	 */
	return (pgd_t *)phys_to_virt(ALIGN_DOWN(address, PAGE_SIZE));
}

/*
 * Since 6.18: where all processors can take a block being split while it is used, the kernel
 * maps in blocks and splits them itself, as it needs. Nobody else may.
 */
static bool assay_alias_blocks_stay(void)
{
#if defined(ARM64_HAS_BBML3)
	return alternative_has_cap_unlikely(ARM64_HAS_BBML3);
#elif defined(ARM64_HAS_BBML2_NOABORT)
	return alternative_has_cap_unlikely(ARM64_HAS_BBML2_NOABORT);
#else
	return false;
#endif
}

static const char *assay_alias_why(const char *otherwise)
{
	return assay_alias_blocks_stay() ? ASSAY_WHY_BLOCKS_STAY : otherwise;
}

/* The kernel's own helper, which splits, changes and flushes; a patch so far. */
static int assay_alias_set_range(const struct assay_alias_range *range, bool writable)
{
#ifdef ASSAY_HAS_SET_DIRECT_MAP_RO
	struct page *page = virt_to_page((void *)range->start);

	return writable ? set_direct_map_rw(page, range->count) :
			  set_direct_map_ro(page, range->count);
#else
	return -EOPNOTSUPP;
#endif
}

/* The entry that maps the page at @address alone; NULL and the reason if there is none. */
static pte_t *assay_alias_entry(unsigned long address, const char **ret_why)
{
	pgd_t *pgd = pgd_offset_pgd(assay_alias_root(), address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;
	pte_t entry;

	*ret_why = ASSAY_WHY_UNMAPPED;
	if (pgd_none(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(READ_ONCE(*p4d)))
		return NULL;
	pud = pud_offset(p4d, address);
	if (pud_none(READ_ONCE(*pud)))
		return NULL;
	if (pud_leaf(READ_ONCE(*pud))) {
		*ret_why = assay_alias_why(ASSAY_WHY_BLOCK);
		return NULL;
	}
	pmd = pmd_offset(pud, address);
	if (pmd_none(READ_ONCE(*pmd)))
		return NULL;
	if (pmd_leaf(READ_ONCE(*pmd))) {
		*ret_why = assay_alias_why(ASSAY_WHY_BLOCK);
		return NULL;
	}
	pte = pte_offset_kernel(pmd, address);
	entry = __ptep_get(pte);
	if (!pte_valid(entry))
		return NULL;
	if (pte_cont(entry)) {
		*ret_why = assay_alias_why(ASSAY_WHY_CONTIGUOUS);
		return NULL;
	}
	return pte;
}

/*
 * Give the page at @address an entry of its own. It is writable, so that nothing else changes.
 * Done before the page is used, since it may take memory, and later changes then take none.
 */
static bool assay_alias_split(unsigned long address)
{
	const struct assay_alias_range page = { address, 1 };

	return assay_alias_by_kernel && !assay_alias_set_range(&page, true);
}

/**
 * assay_alias_check() - can the permission of these pages be changed one by one
 * @start: linear-map address of the first page
 * @count: number of pages
 * @ret_why: set where it cannot, for people: what maps them, and what to do
 *
 * The pages are writable. Blocks are split if the kernel lets us, which may sleep; they stay so.
 *
 * Return: 0, or -EOPNOTSUPP where a page is mapped by a block or a contiguous
 * group of entries, or not at all.
 */
int assay_alias_check(unsigned long start, unsigned long count, const char **ret_why)
{
	const char *why;
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long address = start + i * PAGE_SIZE;

		if (assay_alias_entry(address, &why))
			continue;
		if (assay_alias_split(address) && assay_alias_entry(address, &why))
			continue;
		*ret_why = why;
		return -EOPNOTSUPP;
	}
	return 0;
}

static int assay_alias_change(unsigned long address, bool writable)
{
	const char *why;
	pte_t *ptep = assay_alias_entry(address, &why);
	pteval_t value;

	if (!ptep)
		return -EOPNOTSUPP;
	value = pte_val(__ptep_get(ptep));
	if (writable)
		value = (value & ~PTE_RDONLY) | PTE_WRITE;
	else
		value = (value & ~PTE_WRITE) | PTE_RDONLY;
	__set_pte(ptep, __pte(value));
	return 0;
}

static void assay_alias_flush(const struct assay_alias_range *ranges, unsigned int range_count)
{
	unsigned int i;

	if (range_count > ASSAY_FLUSH_RANGES) {
		flush_tlb_all();
		atomic64_inc(&assay_alias_flush_count);
		return;
	}
	for (i = 0; i < range_count; i++)
		flush_tlb_kernel_range(ranges[i].start,
				       ranges[i].start + ranges[i].count * PAGE_SIZE);
	atomic64_add(range_count, &assay_alias_flush_count);
}

/**
 * struct assay_alias_cursor - a page of some ranges
 * @ranges: all of them, none empty
 * @range: index of its range
 * @page: its number in that
 */
struct assay_alias_cursor {
	const struct assay_alias_range *ranges;
	unsigned int range;
	unsigned long page;
};

static unsigned long assay_alias_at(const struct assay_alias_cursor *cursor)
{
	return cursor->ranges[cursor->range].start + cursor->page * PAGE_SIZE;
}

static void assay_alias_step(struct assay_alias_cursor *cursor)
{
	if (++cursor->page < cursor->ranges[cursor->range].count)
		return;
	cursor->range++;
	cursor->page = 0;
}

static bool assay_alias_step_back(struct assay_alias_cursor *cursor)
{
	if (!cursor->page) {
		if (!cursor->range)
			return false;
		cursor->range--;
		cursor->page = cursor->ranges[cursor->range].count;
	}
	cursor->page--;
	return true;
}

static int assay_alias_set_by_kernel(const struct assay_alias_range *ranges,
				     unsigned int range_count, bool writable)
{
	unsigned int done;
	int ret = 0;

	for (done = 0; done < range_count; done++) {
		ret = assay_fault(ASSAY_FAULT_ENTRY) ?
			      -EOPNOTSUPP :
			      assay_alias_set_range(&ranges[done], writable);
		if (ret)
			break;
	}
	atomic64_add(done, &assay_alias_flush_count);
	while (ret && done)
		assay_alias_set_range(&ranges[--done], !writable);
	return ret;
}

/**
 * assay_alias_set() - make pages writable or read-only
 * @ranges: what to change; each has at least one page
 * @range_count: how many ranges
 * @writable: what they become. Every page is the contrary now, since that is what a
 *            failure makes of them
 *
 * All entries are changed first, then TLBs of all CPUs are flushed: once for a range,
 * whatever its size, and once for all ranges if there are more than three.
 * Read-only pages cannot be written by any CPU once this returns.
 *
 * Return: 0, or -EOPNOTSUPP with every page as it was, flushed, if an entry cannot be
 * changed: assay_alias_check() says why.
 */
int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count, bool writable)
{
	struct assay_alias_cursor cursor = { .ranges = ranges };
	int ret = 0;

	if (assay_alias_by_kernel)
		return assay_alias_set_by_kernel(ranges, range_count, writable);
	while (cursor.range < range_count) {
		ret = assay_fault(ASSAY_FAULT_ENTRY) ?
			      -EOPNOTSUPP :
			      assay_alias_change(assay_alias_at(&cursor), writable);
		if (ret)
			break;
		assay_alias_step(&cursor);
	}
	/* These entries could be changed a moment ago, and nobody else changes them. */
	while (ret && assay_alias_step_back(&cursor))
		assay_alias_change(assay_alias_at(&cursor), !writable);
	assay_alias_flush(ranges, range_count);
	return ret;
}

/* What this CPU's MMU would do with a write: PAR_EL1.F is set where it would fault. */
static bool assay_alias_mmu_writable(unsigned long address)
{
	unsigned long flags;
	u64 par;

	/* PAR_EL1 is not kept over a context switch. */
	local_irq_save(flags);
	asm volatile("at s1e1w, %0" : : "r"(address) : "memory");
	isb();
	par = read_sysreg_par();
	local_irq_restore(flags);
	return !(par & SYS_PAR_EL1_F);
}

/**
 * assay_alias_verify() - is every page's permission what it should be
 * @start: linear-map address of the first page
 * @count: number of pages
 * @writable: what it should be
 *
 * Asked twice: a walk of the page tables, and the MMU itself (the AT S1E1W
 * instruction, which translates for a write without writing).
 *
 * Return: 0, or -EIO after a pr_err() that names the page.
 */
int assay_alias_verify(unsigned long start, unsigned long count, bool writable)
{
	pteval_t want = writable ? PTE_WRITE : PTE_RDONLY;
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long address = start + i * PAGE_SIZE;
		const char *why;
		pte_t *ptep = assay_alias_entry(address, &why);

		if (!ptep || (pte_val(__ptep_get(ptep)) & (PTE_WRITE | PTE_RDONLY)) != want ||
		    assay_fault(ASSAY_FAULT_VERIFY)) {
			pr_err("page frame %#llx: the page table does not say %s\n",
			       (u64)PHYS_PFN(__pa(address)), writable ? "writable" : "read-only");
			return -EIO;
		}
		if (assay_alias_mmu_writable(address) != writable) {
			pr_err("page frame %#llx: the MMU does not treat it as %s\n",
			       (u64)PHYS_PFN(__pa(address)), writable ? "writable" : "read-only");
			return -EIO;
		}
	}
	return 0;
}

/**
 * assay_alias_was_changed() - is any of these pages read-only
 * @start: linear-map address of the first page
 * @count: number of pages
 *
 * Page by page: those that have no entry of their own cannot have become read-only.
 *
 * Return: true after a message that names the first one that is.
 */
bool assay_alias_was_changed(unsigned long start, unsigned long count)
{
	const char *why;
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long address = start + i * PAGE_SIZE;

		if (assay_alias_entry(address, &why) && assay_alias_verify(address, 1, true))
			return true;
	}
	return false;
}

/* Does a write to @target get through? Where it faults that is no oops. */
static bool assay_alias_try_write(u64 *target, u64 value)
{
	__put_kernel_nofault(target, &value, u64, fault);
	return READ_ONCE(*target) == value;
fault:
	return false;
}

/**
 * assay_alias_probe() - does this kernel let us protect memory at all
 * @ret_why: set where it does not, for people
 *
 * Does it, to a page of its own: read-only, verified, written to (which must
 * fault), writable again, written to.
 *
 * Return: 0, -ENOMEM, or -EOPNOTSUPP.
 */
int assay_alias_probe(const char **ret_why)
{
	struct assay_alias_range range = { .count = 1 };
	bool kept, changed;
	struct page *page;
	int ret;

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	range.start = (unsigned long)page_address(page);
	assay_alias_by_kernel =
		split_blocks && assay_alias_blocks_stay() && !assay_alias_set_range(&range, true);
	ret = assay_alias_check(range.start, 1, ret_why);
	if (ret)
		goto free;
	*ret_why = "a page made read-only could still be written";
	ret = assay_alias_set(&range, 1, false);
	if (ret)
		goto free;
	kept = !assay_alias_verify(range.start, 1, false) &&
	       !assay_alias_try_write((u64 *)range.start, ~0ULL);
	changed = !assay_alias_set(&range, 1, true) && !assay_alias_verify(range.start, 1, true) &&
		  assay_alias_try_write((u64 *)range.start, ~0ULL);
	if (!changed) {
		*ret_why = "a page made read-only could not be made writable again";
		return -EOPNOTSUPP; /* the page is lost: its next owner would fault on it */
	}
	if (!kept)
		ret = -EOPNOTSUPP;
free:
	__free_page(page);
	return ret;
}

/**
 * assay_alias_flushes() - how often TLBs were flushed since loading, for display
 */
u64 assay_alias_flushes(void)
{
	return atomic64_read(&assay_alias_flush_count);
}
