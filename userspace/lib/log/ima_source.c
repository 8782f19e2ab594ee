// SPDX-License-Identifier: MIT
#include "log/ima_source.h"

void ima_source_list(struct ima_source *source, struct bytes list, enum assay_hash bank)
{
	*source = (struct ima_source){ 0 };
	ima_begin(&source->reader, list, bank);
}

void ima_source_mirrored(struct ima_source *source, struct bytes log)
{
	*source = (struct ima_source){ .mirrored = true };
	cel_begin(&source->log, log, 0);
}

static int next_of_list(struct ima_source *source, struct ima_item *item, struct assay_error *err)
{
	int r = ima_next(&source->reader, &item->entry, err);

	if (r <= 0)
		return r;
	item->mirrored = false;
	item->record = 0;
	item->covered_end = source->reader.offset;
	item->digests = &source->current.digests[0];
	item->digest_count = 1;
	source->current.digests[0] = item->entry.template_digest;
	return 1;
}

/* Goes on to the next record that mirrors entries. */
static int next_record(struct ima_source *source, struct assay_error *err)
{
	struct cel_reader ahead = source->log;
	struct assay_content content;
	struct cel_record record;
	int r;

	while ((r = cel_next(&ahead, &record, err)) > 0) {
		if (record.type == ASSAY_CEL_CONTENT) {
			r = assay_content_parse(&record, &content, err);
			if (r < 0)
				return r;
		}
		source->log = ahead;
		if (record.type != ASSAY_CEL_CONTENT || content.kind != ASSAY_KIND_IMA)
			continue;
		source->entries = content.batch.entries;
		source->record = record.recnum;
		source->offset = record.offset;
		source->record_end = record.offset + record.size;
		return 1;
	}
	return r;
}

/* Only all of its template digests together say that an entry is a violation. */
static const char *check_violation(const struct mirrored_entry *entry, bool *ret_violation)
{
	size_t zeros = 0;

	for (size_t i = 0; i < entry->digest_count; i++)
		zeros += bytes_are_zero(BYTES(entry->digests[i].bytes, entry->digests[i].size));
	*ret_violation = zeros == entry->digest_count;
	if (zeros > 0 && !*ret_violation)
		return "its template digests are zeros in one bank and not in another";
	return entry->pcr < IMA_PCR_COUNT ? NULL : "its PCR does not exist";
}

static int next_mirrored(struct ima_source *source, struct ima_item *item, struct assay_error *err)
{
	struct mirrored_entry *current = &source->current;
	struct ima_entry *entry = &item->entry;
	const char *problem;

	while (!mirrored_entry_next(&source->entries, current)) {
		int r = next_record(source, err);

		if (r <= 0)
			return r;
	}
	*entry = (struct ima_entry){
		.offset = source->offset,
		.pcr = current->pcr,
		.template_digest = current->digests[0],
		.name = current->name,
		.data = current->data,
	};
	problem = check_violation(current, &entry->violation);
	ima_entry_parse(&source->reader, entry);
	if (problem)
		ima_entry_refuse(entry, problem);
	item->mirrored = true;
	item->record = source->record;
	item->covered_end = source->record_end;
	item->digests = current->digests;
	item->digest_count = current->digest_count;
	return 1;
}

int ima_source_next(struct ima_source *source, struct ima_item *ret_item, struct assay_error *err)
{
	int r = source->mirrored ? next_mirrored(source, ret_item, err) :
				   next_of_list(source, ret_item, err);

	if (r > 0)
		ret_item->number = source->number++;
	return r;
}
