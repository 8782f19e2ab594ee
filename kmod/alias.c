// SPDX-License-Identifier: GPL-2.0-only
/*
 * The linear map is walked from TTBR1_EL1, as neither init_mm nor swapper_pg_dir
 * is exported. Changing RDONLY and WRITE of a live entry needs no
 * break-before-make (they are what the kernel's pgattr_change_is_safe() lists).
 * WRITE is the architecture's DBM bit: left set on a read-only entry, hardware
 * that manages the dirty state would make the page writable again by itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include <asm/mmu.h>
#include <asm/sysreg.h>
#include <asm/tlbflush.h>

#include "alias.h"
#include "compat.h"

#define ASSAY_TTBR_CNP BIT(0)
#ifdef CONFIG_ARM64_PA_BITS_52
#define ASSAY_TTBR_HIGH GENMASK(5, 2) /* address bits 51:48 */
#define ASSAY_TTBR_HIGH_SHIFT 46
#endif

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

/* The entry that maps the page at @address alone, NULL if there is none. */
static pte_t *assay_alias_entry(unsigned long address)
{
	pgd_t *pgd = pgd_offset_pgd(assay_alias_root(), address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;
	pte_t entry;

	if (pgd_none(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(READ_ONCE(*p4d)))
		return NULL;
	pud = pud_offset(p4d, address);
	if (pud_none(READ_ONCE(*pud)) || pud_leaf(READ_ONCE(*pud)))
		return NULL;
	pmd = pmd_offset(pud, address);
	if (pmd_none(READ_ONCE(*pmd)) || pmd_leaf(READ_ONCE(*pmd)))
		return NULL;
	pte = pte_offset_kernel(pmd, address);
	entry = __ptep_get(pte);
	if (!pte_valid(entry) || pte_cont(entry))
		return NULL;
	return pte;
}

int assay_alias_check(unsigned long start, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (!assay_alias_entry(start + i * PAGE_SIZE))
			return -EOPNOTSUPP;
	}
	return 0;
}

static void assay_alias_change(unsigned long address, bool writable)
{
	pte_t *ptep = assay_alias_entry(address);
	pteval_t value = pte_val(__ptep_get(ptep));

	if (writable)
		value = (value & ~PTE_RDONLY) | PTE_WRITE;
	else
		value = (value & ~PTE_WRITE) | PTE_RDONLY;
	__set_pte(ptep, __pte(value));
}

int assay_alias_set(const struct assay_alias_range *ranges, unsigned int range_count, bool writable)
{
	unsigned long page;
	unsigned int i;

	for (i = 0; i < range_count; i++) {
		int ret = assay_alias_check(ranges[i].start, ranges[i].count);

		if (ret)
			return ret;
	}
	for (i = 0; i < range_count; i++) {
		for (page = 0; page < ranges[i].count; page++)
			assay_alias_change(ranges[i].start + page * PAGE_SIZE, writable);
	}
	for (i = 0; i < range_count; i++)
		flush_tlb_kernel_range(ranges[i].start,
				       ranges[i].start + ranges[i].count * PAGE_SIZE);
	return 0;
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
	par = read_sysreg(par_el1);
	local_irq_restore(flags);
	return !(par & SYS_PAR_EL1_F);
}

int assay_alias_verify(unsigned long start, unsigned long count, bool writable)
{
	pteval_t want = writable ? PTE_WRITE : PTE_RDONLY;
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long address = start + i * PAGE_SIZE;
		pte_t *ptep = assay_alias_entry(address);

		if (!ptep || (pte_val(__ptep_get(ptep)) & (PTE_WRITE | PTE_RDONLY)) != want) {
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
