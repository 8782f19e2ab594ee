// SPDX-License-Identifier: MIT
/* Fuzz target: device records. What is read is written again and comes back the same. */
#define _GNU_SOURCE /* open_memstream() */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device_record record = { 0 }, again = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *stream;

	if (device_record_parse(BYTES(data, size), &record, NULL) < 0)
		return 0;
	stream = open_memstream(&text, &length);
	if (!stream)
		abort();
	assert(device_record_write(stream, &record, NULL) == 0);
	assert(fclose(stream) == 0);
	assert(device_record_parse(BYTES((uint8_t *)text, length), &again, NULL) == 0);
	assert(strcmp(record.machine_id, again.machine_id) == 0);
	assert(record.enrolled == again.enrolled);
	assert(bytes_equal(buffer_bytes(&record.ak_public), buffer_bytes(&again.ak_public)));
	assert(record.ak_name.size == again.ak_name.size &&
	       memcmp(record.ak_name.bytes, again.ak_name.bytes, again.ak_name.size) == 0);
	free(text);
	device_record_free(&again);
	device_record_free(&record);
	return 0;
}
