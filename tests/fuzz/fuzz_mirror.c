// SPDX-License-Identifier: MIT
/*
 * Fuzzing what the module takes for an entry of IMA's list (kmod/mirror.c): no record that it
 * writes may be one that readers refuse.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "log/cel.h"
#include "mirror.h"

static void put(struct buffer *out, uint8_t type, struct bytes value)
{
	buffer_append_u8(out, type);
	buffer_append_be32(out, (uint32_t)value.size);
	buffer_append_bytes(out, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t kind = ASSAY_KIND_IMA;
	struct buffer fields = { 0 };
	struct cel_record record = { .type = ASSAY_CEL_CONTENT };
	struct assay_content content;
	struct mirrored_entry entry;
	struct assay_error err;

	if (assay_mirror_check(data, (uint32_t)size) < 0)
		return 0;
	put(&fields, ASSAY_FIELD_KIND, BYTES(&kind, 1));
	put(&fields, ASSAY_FIELD_IMA_ENTRY, BYTES(data, size));
	record.content = record.value = buffer_bytes(&fields);
	if (assay_content_parse(&record, &content, &err) < 0 ||
	    !mirrored_entry_next(&content.batch.entries, &entry) ||
	    mirrored_entry_next(&content.batch.entries, &entry))
		abort();
	inside(entry.name, record.content);
	inside(entry.data, record.content);
	buffer_free(&fields);
	return 0;
}
