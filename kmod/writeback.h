/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that outlives a reset: what was written is written back from the caches. */
#ifndef _ASSAY_WRITEBACK_H
#define _ASSAY_WRITEBACK_H

#include <linux/types.h>

bool assay_writeback_works(void);
void assay_writeback(const void *start, size_t size);

#endif /* _ASSAY_WRITEBACK_H */
