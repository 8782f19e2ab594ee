// SPDX-License-Identifier: MIT
/* Fuzzing the reader of CEL records and of assay's content in them. */
#include <stdint.h>
#include <stdlib.h>

#include "log/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;
	uint64_t end = 0;

	cel_begin(&reader, BYTES(data, size), 0);
	while (cel_next(&reader, &record, &err) == 1) {
		struct assay_content content;
		struct measured_file file;

		/* Records follow one another without a gap, each within the log. */
		if (record.offset != end || record.size == 0 || record.digest_count == 0 ||
		    record.content.data + record.content.size != data + reader.offset)
			abort();
		end = reader.offset;
		if (assay_content_parse(&record, &content, &err) < 0 || !content.understood)
			continue;
		if (content.kind == ASSAY_KIND_MEASURE) {
			struct bytes files = content.measure.files;
			size_t count = 0;

			while (measured_file_next(&files, &file))
				count++;
			if (count != content.measure.file_count || files.size != 0)
				abort();
		}
	}
	if (end > size)
		abort();
	return 0;
}
