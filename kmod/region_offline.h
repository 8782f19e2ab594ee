/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of regions that is taken offline. */
#ifndef _ASSAY_REGION_OFFLINE_H
#define _ASSAY_REGION_OFFLINE_H

int assay_offline_open(void);
void assay_offline_close(void);

#endif /* _ASSAY_REGION_OFFLINE_H */
