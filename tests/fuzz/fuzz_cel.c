// SPDX-License-Identifier: MIT
/* Fuzzing the reader of CEL records and of assay's content in them. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "log/ima_source.h"
#include "log/pcrs.h"

/* The iterators find what the parser counted, and come to the end. */
static void check_entries(const struct assay_content *content)
{
	struct bytes entries = content->batch.entries, files = entries, mirrored = entries;
	size_t events = 0, file_count = 0, ima = 0;
	struct mirrored_entry ima_entry;
	struct measured_file file;
	struct batch_entry entry;

	if (content->kind == ASSAY_KIND_IMA) {
		while (mirrored_entry_next(&mirrored, &ima_entry))
			ima++;
		if (ima != content->batch.ima_count || mirrored.size != 0)
			abort();
		return;
	}
	while (batch_entry_next(&entries, &entry))
		events += entry.is_event;
	while (measured_file_next(&files, &file))
		file_count++;
	if (events != content->batch.event_count || file_count != content->batch.file_count ||
	    entries.size != 0 || files.size != 0)
		abort();
}

/* Entries of IMA that are mirrored: what is handed out of each lies in the log. */
static void check_mirrored(struct bytes log)
{
	struct ima_source source;
	struct ima_item item;
	uint64_t count = 0, end = 0;

	ima_source_mirrored(&source, log);
	while (ima_source_next(&source, &item, NULL) == 1) {
		if (item.number != count++ || item.entry.offset > item.covered_end ||
		    item.covered_end < end || item.covered_end > log.size)
			abort();
		end = item.covered_end;
		inside(item.entry.data, log);
		inside(item.entry.path, log);
		inside(item.entry.digest, log);
		inside(item.entry.signature, log);
		if ((!item.entry.known || item.entry.problem) && item.entry.path.data)
			abort();
	}
}

/* What parses to its end replays, if it has a bank that is known, and is all read. */
static void check_replay(struct bytes log, bool whole, uint64_t records, bool banks)
{
	struct pcrs_request request = { 0 };
	static struct pcrs pcrs;
	int r = pcrs_of_cel(log, &request, &pcrs, NULL);

	if ((r == 0) != (whole && banks) || (r == 0 && pcrs.entries != records))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;
	uint64_t end = 0, records = 0;
	bool banks = false;
	int r;

	cel_begin(&reader, BYTES(data, size), 0);
	while ((r = cel_next(&reader, &record, &err)) == 1) {
		struct assay_content content;

		records++;
		for (size_t i = 0; i < record.digest_count; i++)
			banks |= assay_hash_size(record.digests[i].hash) != 0;

		/* Records follow one another without a gap, each within the log. */
		if (record.offset != end || record.size == 0 ||
		    (record.digest_count == 0 && record.type != CEL_MANAGEMENT) ||
		    record.content.data + record.content.size != data + reader.offset)
			abort();
		end = reader.offset;
		if (assay_content_parse(&record, &content, &err) < 0 || !content.understood)
			continue;
		check_entries(&content);
	}
	if (end > size)
		abort();
	check_mirrored(BYTES(data, size));
	check_replay(BYTES(data, size), r == 0, records, banks);
	return 0;
}
