/* SPDX-License-Identifier: MIT */
/* Rows as PostgreSQL gives them in its binary format. For store_postgres.c. */
#ifndef ASSAY_FLEET_STORE_ROWS_H
#define ASSAY_FLEET_STORE_ROWS_H

#include <postgresql/libpq-fe.h>

#include "store.h"

/* Instead of a set's number: it is a row's first column. */
#define STORE_SET_IN_ROW SIZE_MAX

/* store_rows_give() - each to @row, which may be NULL; -EIO for a type that is none of the store's
 */
int store_rows_give(const PGresult *result, size_t set, store_row *row, void *context,
		    struct assay_error *err);

#endif /* ASSAY_FLEET_STORE_ROWS_H */
