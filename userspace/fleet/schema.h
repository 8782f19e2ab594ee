/* SPDX-License-Identifier: MIT */
/* The database's tables, and how those of former versions become those of this one. */
#ifndef ASSAY_FLEET_SCHEMA_H
#define ASSAY_FLEET_SCHEMA_H

#include "store.h"

/* schema_newest() - the version that this program works with, from 1 on */
uint64_t schema_newest(void);

/* schema_version() - that of the database; 0 of an empty one */
int schema_version(struct store *store, uint64_t *ret, struct assay_error *err);

/*
 * schema_migrate() - bring it to @version, a step at a time, each in a transaction
 * Whoever else does so at the same time waits, and finds nothing to do.
 *
 * Return: 0; -EINVAL for a database that is newer than @version, or this program
 */
int schema_migrate(struct store *store, uint64_t version, struct assay_error *err);

/* schema_check() - -EINVAL where it is of another version, with what to do */
int schema_check(struct store *store, struct assay_error *err);

#endif /* ASSAY_FLEET_SCHEMA_H */
