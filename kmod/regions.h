/* SPDX-License-Identifier: GPL-2.0-only */
/* All regions of the device: opened when the driver is bound, closed when it is removed. */
#ifndef _ASSAY_REGIONS_H
#define _ASSAY_REGIONS_H

struct device;

int assay_regions_open(struct device *dev, char *const *parameters, unsigned int parameter_count);
void assay_regions_close(void);

#endif /* _ASSAY_REGIONS_H */
