// SPDX-License-Identifier: MIT
/* Fuzz target: IMA's list as text. What is read is a list, of as many entries as lines. */
#include <assert.h>

#include "fuzz.h"
#include "log/ima_ascii.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ima_ascii_list list;
	struct buffer binary = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t entries = 0;

	(void)ima_ascii_is(BYTES(data, size));
	if (ima_ascii_read(BYTES(data, size), &binary, &list, NULL) == 0) {
		ima_begin(&reader, buffer_bytes(&binary), list.bank);
		while (ima_next(&reader, &entry, NULL) == 1) {
			assert(entry.known);
			entries++;
		}
		assert(reader.rest.size == 0 && entries == list.entries);
	}
	buffer_free(&binary);
	return 0;
}
