/* SPDX-License-Identifier: MIT */
/* Numbers of the whole fleet, by their names: the table meta. Each has its row from its schema on.
 */
#ifndef ASSAY_FLEET_META_H
#define ASSAY_FLEET_META_H

#include "store.h"

int meta_get(struct store *store, const char *name, uint64_t *ret, struct assay_error *err);
int meta_set(struct store *store, const char *name, uint64_t number, struct assay_error *err);

#endif /* ASSAY_FLEET_META_H */
