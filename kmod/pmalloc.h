/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools of memory that can be made read-only, for any module. The functions are in the
 * namespace ASSAY: MODULE_IMPORT_NS() or, on every kernel, MODULE_INFO(import_ns, "ASSAY").
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

struct pmalloc_pool *pmalloc_create_custom_pool(size_t refill, short align_order,
						enum pmalloc_mode mode);
struct pmalloc_pool *pmalloc_create_pool(enum pmalloc_mode mode);
void *pmalloc(struct pmalloc_pool *pool, size_t size);
void *pzalloc(struct pmalloc_pool *pool, size_t size);
void *pmalloc_array(struct pmalloc_pool *pool, size_t n, size_t size);
void *pcalloc(struct pmalloc_pool *pool, size_t n, size_t size);
char *pstrdup(struct pmalloc_pool *pool, const char *string);
int pmalloc_write(struct pmalloc_pool *pool, void *destination, const void *source, size_t size);
int pmalloc_protect_pool(struct pmalloc_pool *pool);
int pmalloc_make_pool_ro(struct pmalloc_pool *pool);
void pmalloc_destroy_pool(struct pmalloc_pool *pool);

#endif /* _ASSAY_PMALLOC_H */
