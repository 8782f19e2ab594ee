// SPDX-License-Identifier: MIT
#include "store_arrays.h"

#include <errno.h>
#include <string.h>

#define LENGTH_NULL UINT32_MAX

uint32_t store_value_type(char letter)
{
	return letter == 'n' ? OID_INT8 : letter == 'b' ? OID_BYTEA : OID_TEXT;
}

uint32_t store_array_type(char letter)
{
	return letter == 'n' ? OID_INT8_ARRAY : letter == 'b' ? OID_BYTEA_ARRAY : OID_TEXT_ARRAY;
}

void store_arrays_free(struct store_arrays *arrays)
{
	for (size_t i = 0; i < arrays->count; i++)
		buffer_free(&arrays->array[i]);
	arrays->count = 0;
}

static size_t value_size(const struct store_value *value)
{
	return sizeof(uint32_t) +
	       (value->type == STORE_NUMBER ? sizeof(uint64_t) : value->bytes.size);
}

static void put_value(const struct store_value *value, struct buffer *out)
{
	switch (value->type) {
	case STORE_NULL:
		buffer_append_be32(out, LENGTH_NULL);
		break;
	case STORE_NUMBER:
		buffer_append_be32(out, sizeof(uint64_t));
		buffer_append_be64(out, (uint64_t)value->number);
		break;
	case STORE_TEXT:
	case STORE_BLOB:
		buffer_append_be32(out, (uint32_t)value->bytes.size);
		buffer_append_bytes(out, value->bytes);
		break;
	}
}

/* Dimensions, whether there are nulls, the elements' type; of the dimension, how many and from
 * which on. */
static void put_array(char letter, const struct store_value *values, size_t sets, size_t step,
		      struct buffer *out)
{
	bool nulls = false;

	for (size_t i = 0; i < sets; i++)
		nulls |= values[i * step].type == STORE_NULL;
	buffer_append_be32(out, 1);
	buffer_append_be32(out, nulls);
	buffer_append_be32(out, store_value_type(letter));
	buffer_append_be32(out, (uint32_t)sets);
	buffer_append_be32(out, 1);
	for (size_t i = 0; i < sets; i++)
		put_value(&values[i * step], out);
}

int store_arrays_make(const char *types, const struct store_value *values, size_t sets, size_t most,
		      struct store_arrays *ret, struct assay_error *err)
{
	size_t count = strlen(types), size = 0;
	bool failed = false;

	if (count > STORE_ARRAYS_MAX)
		return assay_fail(err, EIO, "a statement has %zu parameters", count);
	for (size_t i = 0; i < sets * count; i++) {
		size += value_size(&values[i]);
		if (size > most)
			return assay_fail(err, EFBIG, "the values have more than %zu bytes", most);
	}
	ret->count = count;
	for (size_t i = 0; i < count; i++) {
		put_array(types[i], values + i, sets, count, &ret->array[i]);
		failed |= ret->array[i].failed;
	}
	return failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
