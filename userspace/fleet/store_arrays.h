/* SPDX-License-Identifier: MIT */
/*
 * Values as PostgreSQL takes them in its binary format: types, and arrays of one dimension
 * (array_recv() in its arrayfuncs.c). For store_postgres.c.
 */
#ifndef ASSAY_FLEET_STORE_ARRAYS_H
#define ASSAY_FLEET_STORE_ARRAYS_H

#include "store.h"

#define STORE_ARRAYS_MAX 40 /* parameters of a statement */

/* pg_type.dat */
enum {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_BYTEA_ARRAY = 1001,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_VARCHAR = 1043,
};

/* store_value_type(), store_array_type() - for a letter of struct store_statement's .types */
uint32_t store_value_type(char letter);
uint32_t store_array_type(char letter);

/* struct store_arrays - one a parameter; start with {0}, end with store_arrays_free() */
struct store_arrays {
	struct buffer array[STORE_ARRAYS_MAX];
	size_t count;
};

void store_arrays_free(struct store_arrays *arrays);

/*
 * store_arrays_make() - an array of each parameter's values
 * @types: a letter a parameter
 * @values: of all parameters, @sets times
 * @most: bytes that all of them may have
 *
 * Return: 0; -EFBIG; -ENOMEM; -EIO for more parameters than STORE_ARRAYS_MAX
 */
int store_arrays_make(const char *types, const struct store_value *values, size_t sets, size_t most,
		      struct store_arrays *ret, struct assay_error *err);

#endif /* ASSAY_FLEET_STORE_ARRAYS_H */
