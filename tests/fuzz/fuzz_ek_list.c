// SPDX-License-Identifier: MIT
/* Fuzz target: lists of endorsement keys. */
#include <assert.h>
#include <string.h>

#include "enroll/ek_list.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_digest key = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct ek_list list = { 0 };
	int r = ek_list_parse(BYTES(data, size), "it", &list, NULL);

	/* In order, and each of them is found. */
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		assert(i == 0 || memcmp(list.keys[i - 1], list.keys[i], 32) <= 0);
		memcpy(key.bytes, list.keys[i], 32);
		assert(ek_list_has(&list, &key));
	}
	assert(r < 0 || (list.count > 0 && list.count <= size / 64));
	ek_list_free(&list);
	return 0;
}
