/* SPDX-License-Identifier: MIT */
/*
 * Partitions of verdict_change, of PostgreSQL: by the changes' numbers. verdict_change_N begins
 * with number N; verdict_change_0 has all that is older, which is what devices are held for since
 * then.
 */
#ifndef ASSAY_FLEET_PARTITIONS_H
#define ASSAY_FLEET_PARTITIONS_H

#include "store.h"

#define PARTITION_CHANGES 1000000U /* in one, as the schema has the first ones */

/* partitions_ahead() - a partition for changes that have none yet; does nothing on SQLite */
int partitions_ahead(struct store *store, uint64_t size, struct assay_error *err);

/*
 * partitions_drop() - drop those that have nothing but changes of before @before
 * @now: what was noted in a time to come is as old as what follows
 *
 * What devices are held for is taken out of them before; where that is much, the partition stays,
 * and what is old in it is removed by rows.
 */
int partitions_drop(struct store *store, uint64_t before, uint64_t now, uint64_t *ret_dropped,
		    struct assay_error *err);

#endif /* ASSAY_FLEET_PARTITIONS_H */
