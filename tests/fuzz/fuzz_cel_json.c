// SPDX-License-Identifier: MIT
/* Fuzzing the reader of logs in JSON: what it takes comes back, byte for byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "log/cel_json.h"
#include "log/log_kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* The same records, though integers of them may be in another number of bytes. */
static void same_records(struct bytes a, struct bytes b)
{
	struct cel_reader first, second;
	struct cel_record one, other;

	cel_begin(&first, a, 0);
	cel_begin(&second, b, 0);
	while (cel_next(&first, &one, NULL) == 1) {
		require(cel_next(&second, &other, NULL) == 1);
		require(one.recnum == other.recnum && one.register_type == other.register_type &&
			one.register_number == other.register_number &&
			one.digest_count == other.digest_count &&
			bytes_equal(one.content, other.content));
		for (size_t i = 0; i < one.digest_count; i++)
			require(one.digests[i].hash == other.digests[i].hash &&
				bytes_equal(BYTES(one.digests[i].bytes, one.digests[i].size),
					    BYTES(other.digests[i].bytes, other.digests[i].size)));
	}
	require(first.rest.size == 0 && second.rest.size == 0);
}

/* Each record of the TLV is one in JSON too, and both say the same. */
static void round_trip(struct bytes cel, bool exact)
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
		same_records(buffer_bytes(&again), cel);
		require(!exact || bytes_equal(buffer_bytes(&again), cel));
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
	round_trip(buffer_bytes(&cel), true);
	buffer_free(&cel);

	/* What it is taken for has a sentence. */
	require(!log_kind_sentence(log_kind_detect(BYTES(data, size))) ==
		(log_kind_detect(BYTES(data, size)) == LOG_KIND_UNKNOWN));

	/* The same bytes as TLV: contents that no JSON would have become. */
	cel_begin(&reader, BYTES(data, size), 0);
	while (cel_next(&reader, &record, NULL) == 1)
		;
	round_trip(BYTES(data, size - reader.rest.size), false);
	return 0;
}
