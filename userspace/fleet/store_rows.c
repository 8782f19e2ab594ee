// SPDX-License-Identifier: MIT
#include "store_rows.h"

#include <errno.h>

#include "store_arrays.h"

#define COLUMNS_MAX 40

static int column(const PGresult *result, int row, int place, struct store_value *ret,
		  struct assay_error *err)
{
	const char *data = PQgetvalue(result, row, place);
	size_t size = (size_t)PQgetlength(result, row, place);
	struct bytes rest = { (const uint8_t *)data, size };
	uint64_t number;
	uint32_t small;

	*ret = (struct store_value){ .type = STORE_NULL };
	if (PQgetisnull(result, row, place))
		return 0;
	switch (PQftype(result, place)) {
	case OID_INT8:
		ret->type = STORE_NUMBER;
		if (!bytes_take_be64(&rest, &number))
			break;
		ret->number = (int64_t)number;
		return 0;
	case OID_INT4:
		ret->type = STORE_NUMBER;
		if (!bytes_take_be32(&rest, &small))
			break;
		ret->number = (int32_t)small;
		return 0;
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BYTEA:
		ret->type = PQftype(result, place) == OID_BYTEA ? STORE_BLOB : STORE_TEXT;
		ret->bytes = rest;
		return 0;
	default:
		break;
	}
	return assay_fail(err, EIO, "the database gives column %s in another type",
			  PQfname(result, place));
}

static int give_row(const struct store_value *columns, size_t count, size_t set, store_row *row,
		    void *context, struct assay_error *err)
{
	uint64_t number;

	if (set != STORE_SET_IN_ROW)
		return row(context, set, columns, count, err);
	number = count > 0 ? store_get_number(&columns[0]) : 0;
	if (number == 0)
		return assay_fail(err, EIO, "the database gives a row of no set");
	return row(context, (size_t)number - 1, columns + 1, count - 1, err);
}

int store_rows_give(const PGresult *result, size_t set, store_row *row, void *context,
		    struct assay_error *err)
{
	struct store_value columns[COLUMNS_MAX];
	int count = PQnfields(result), r = 0;

	if (!row)
		return 0;
	if (count > COLUMNS_MAX)
		return assay_fail(err, EIO, "a row has %d columns", count);
	for (int i = 0; r == 0 && i < PQntuples(result); i++) {
		for (int place = 0; r == 0 && place < count; place++)
			r = column(result, i, place, &columns[place], err);
		if (r == 0)
			r = give_row(columns, (size_t)count, set, row, context, err);
	}
	return r;
}
