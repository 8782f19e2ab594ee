// SPDX-License-Identifier: MIT
/* Fuzzing the reader of logs in JSON: what it takes comes back, byte for byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "log/cel_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Each record of the TLV is one in JSON too, and both say the same. */
static void round_trip(struct bytes cel)
{
	struct buffer text = { 0 }, again = { 0 };
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, cel, 0);
	while (cel_next(&reader, &record, NULL) == 1) {
		json_t *object = cel_json_record(&record);
		char *line = json_dumps(object, JSON_COMPACT);

		require(object && line);
		buffer_append_u8(&text, CEL_JSON_SEPARATOR);
		buffer_append(&text, line, strlen(line));
		buffer_append_u8(&text, '\n');
		free(line);
		json_decref(object);
	}
	require(reader.rest.size == 0);
	if (cel.size > 0) {
		require(cel_json_is(buffer_bytes(&text)));
		require(cel_json_read(buffer_bytes(&text), &again, NULL) == 0);
		require(bytes_equal(buffer_bytes(&again), cel));
	}
	buffer_free(&text);
	buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer cel = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;

	/* What was read before an error counts as well. */
	if (cel_json_is(BYTES(data, size)))
		(void)cel_json_read(BYTES(data, size), &cel, &err);
	round_trip(buffer_bytes(&cel));
	buffer_free(&cel);

	/* The same bytes as TLV: contents that no JSON would have become. */
	cel_begin(&reader, BYTES(data, size), 0);
	while (cel_next(&reader, &record, NULL) == 1)
		;
	round_trip(BYTES(data, size - reader.rest.size));
	return 0;
}
