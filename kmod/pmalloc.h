/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protectable memory for any module: pools from which objects are allocated and
 * never freed one by one, and which can be made read-only, in the linear map and so
 * for every CPU and everybody in the kernel. The names are those of the pmalloc
 * proposals of 2018 and 2019.
 *
 *	pool = pmalloc_create_pool(PMALLOC_MODE_RO);
 *	config = pzalloc(pool, sizeof(*config));
 *	config->limit = 42;
 *	ret = pmalloc_protect_pool(pool);	from now on a write to it faults
 *	...
 *	pmalloc_destroy_pool(pool);
 *
 * What protection means: no CPU can write the memory through the linear map, by which all
 * of the kernel reaches it, nor through a mapping that vunmap() has taken away (it does
 * so lazily; that is completed first). When the memory was claimed nobody else had it,
 * so other mappings are those that its owner makes, and they have the permission that
 * the owner asks for: vmap() with PAGE_KERNEL_RO, user mappings without VM_WRITE and
 * VM_MAYWRITE. A writable one made before stays writable.
 *
 * All functions may sleep, and all may be called at the same time but for
 * pmalloc_destroy_pool(): a pool has a lock of its own, held also while an allocation has
 * to wait for memory to be claimed. What is in an object while it is not protected yet is
 * the caller's to serialise.
 */
#ifndef _ASSAY_PMALLOC_H
#define _ASSAY_PMALLOC_H

#include <linux/types.h>

struct pmalloc_pool;

/**
 * enum pmalloc_mode - when a pool's memory becomes read-only, and whether it can
 * be changed then
 * @PMALLOC_MODE_RO: writable until pmalloc_protect_pool(), never after it
 * @PMALLOC_MODE_WR: likewise, then changed by pmalloc_write() alone
 * @PMALLOC_MODE_AUTO_RO: as RO; besides, memory that an allocation has found full
 *                        is protected when the pool takes more. Objects must be
 *                        complete before the next allocation
 * @PMALLOC_MODE_AUTO_WR: as WR, protected as AUTO_RO
 * @PMALLOC_MODE_START_WR: read-only from the first byte, changed by
 *                         pmalloc_write() alone
 */
enum pmalloc_mode {
	PMALLOC_MODE_RO,
	PMALLOC_MODE_WR,
	PMALLOC_MODE_AUTO_RO,
	PMALLOC_MODE_AUTO_WR,
	PMALLOC_MODE_START_WR,
};

/* For pmalloc_create_custom_pool(). */
#define PMALLOC_REFILL_DEFAULT 0
#define PMALLOC_ALIGN_ORDER_DEFAULT (-1) /* of a pointer's size */

/**
 * pmalloc_create_custom_pool() - a new, empty pool
 * @refill: bytes by which the pool grows, rounded up to pages;
 *          PMALLOC_REFILL_DEFAULT for a chunk of the module's stock
 * @align_order: objects start at multiples of 2^@align_order bytes, at most a page;
 *               or PMALLOC_ALIGN_ORDER_DEFAULT
 * @mode: enum pmalloc_mode
 *
 * Return: the pool, or an ERR_PTR(): -EINVAL, -ENOMEM, -ENODEV (no region).
 */
struct pmalloc_pool *pmalloc_create_custom_pool(size_t refill, short align_order,
						enum pmalloc_mode mode);

/**
 * pmalloc_create_pool() - a new, empty pool with the defaults
 * @mode: enum pmalloc_mode
 *
 * Return: as pmalloc_create_custom_pool().
 */
struct pmalloc_pool *pmalloc_create_pool(enum pmalloc_mode mode);

/**
 * pmalloc() - allocate from a pool
 * @pool: pool
 * @size: bytes, at least one
 *
 * The content is undefined (in fact zeroed: memory of a pool is handed out once).
 *
 * Return: the object, physically contiguous, or NULL: @size is 0 or more than any
 * region has room for, the kernel has no memory, that memory cannot be protected (and the
 * module's parameter allow_unprotected does not allow for it), or
 * pmalloc_make_pool_ro() was called.
 * Where the pool was protected it goes on with fresh memory, but in mode START_WR, where
 * all is read-only from the start.
 */
void *pmalloc(struct pmalloc_pool *pool, size_t size);

/**
 * pzalloc() - allocate zeroed memory from a pool
 * @pool: pool
 * @size: bytes, at least one
 *
 * Return: as pmalloc().
 */
void *pzalloc(struct pmalloc_pool *pool, size_t size);

/**
 * pmalloc_array() - allocate an array
 * @pool: pool
 * @n: number of elements
 * @size: bytes an element
 *
 * Return: as pmalloc(); NULL where @n * @size overflows.
 */
void *pmalloc_array(struct pmalloc_pool *pool, size_t n, size_t size);

/**
 * pcalloc() - allocate a zeroed array
 * @pool: pool
 * @n: number of elements
 * @size: bytes an element
 *
 * Return: as pmalloc_array().
 */
void *pcalloc(struct pmalloc_pool *pool, size_t n, size_t size);

/**
 * pstrdup() - a copy of a string
 * @pool: pool
 * @string: to copy, or NULL
 *
 * In a START_WR pool, too. Return: the copy, or NULL: as pmalloc(), or @string is
 * NULL.
 */
char *pstrdup(struct pmalloc_pool *pool, const char *string);

/**
 * pmalloc_write() - the one way to change protected memory
 * @pool: pool of a mode with WR
 * @destination: in one object of the pool
 * @source: bytes to copy
 * @size: how many, at least one
 *
 * Opens the pages, copies, closes and verifies them. For all CPUs either the old or
 * the new bytes are there afterwards; while it runs, readers may see some of each.
 * Meanwhile other bytes of the same pages are writable as well.
 *
 * Return: 0; -EINVAL (not in memory handed out by this pool), -EPERM (the mode has
 * no WR, or pmalloc_make_pool_ro() was called), -EOPNOTSUPP (the linear map is not what
 * it was: nothing was written), -EIO (a page could not be protected again: the pool takes
 * no more writes).
 */
int pmalloc_write(struct pmalloc_pool *pool, void *destination, const void *source, size_t size);

/**
 * pmalloc_protect_pool() - make all memory handed out until now read-only
 * @pool: pool
 *
 * One flush for all of it. Verified before it returns.
 *
 * Return: 0, or -EIO after a dev_err() where it did not hold: treat the pool as
 * writable.
 */
int pmalloc_protect_pool(struct pmalloc_pool *pool);

/**
 * pmalloc_make_pool_ro() - protect a pool, and refuse all further writes and
 * allocations
 * @pool: pool of any mode
 *
 * Return: as pmalloc_protect_pool().
 */
int pmalloc_make_pool_ro(struct pmalloc_pool *pool);

/**
 * pmalloc_destroy_pool() - give all memory of a pool back
 * @pool: pool, or NULL
 *
 * No pointer into the pool and no user mapping of it may be left.
 */
void pmalloc_destroy_pool(struct pmalloc_pool *pool);

#endif /* _ASSAY_PMALLOC_H */
