/* SPDX-License-Identifier: MIT */
/*
 * All entries of IMA that a log has, wherever they came from: IMA's own list, or the entries of
 * it that assay's log mirrors (records of kind IMA). Both give the same kind of entry, so that
 * one function can judge them. Hostile bytes, as in ima.h and cel.h. For lib/verify and the
 * commands. Nothing is copied but digests.
 */
#ifndef ASSAY_LOG_IMA_SOURCE_H
#define ASSAY_LOG_IMA_SOURCE_H

#include "log/cel.h"
#include "log/ima.h"

/**
 * struct ima_item - an entry and where it came from
 * @entry: the entry. .offset is that of its first byte in the list; of a mirrored one, that of
 *         its record in assay's log. .template_digest is the first of @digests. Where
 *         @digests disagree on whether it is a violation, or its PCR does not exist, .problem
 *         says so
 * @mirrored: it came from assay's log
 * @number: of the entry in the list, or among those mirrored; 0 for the first
 * @record: mirrored: number of the record that has it
 * @covered_end: the first byte behind the entry, or behind its record: whoever replayed the
 *               list, or assay's log, up to there has the entry covered
 * @digests: the template digests, one a bank: of a list one, in the list's bank. They belong to
 *           the source and are good until its next item
 * @digest_count: at least 1
 */
struct ima_item {
	struct ima_entry entry;
	bool mirrored;
	uint64_t number;
	uint64_t record;
	uint64_t covered_end;
	const struct assay_digest *digests;
	size_t digest_count;
};

/**
 * struct ima_source - where one is; ima_source_list() or ima_source_mirrored() sets it up
 * @mirrored: it is assay's log that is read
 * @reader: in the list; of a log, only what it remembers of the last template
 * @log: in assay's log
 * @entries: of the current record, those that are not taken yet
 * @record, @offset, @record_end: that record's number, its first byte, and the first behind it
 * @number: of the next item
 * @current: the mirrored entry that was taken last
 */
struct ima_source {
	bool mirrored;
	struct ima_reader reader;
	struct cel_reader log;
	struct bytes entries;
	uint64_t record, offset, record_end;
	uint64_t number;
	struct mirrored_entry current;
};

/* ima_source_list() - the entries of IMA's own list, whose template digests are in @bank */
void ima_source_list(struct ima_source *source, struct bytes list, enum assay_hash bank);

/* ima_source_mirrored() - the entries that a log in CEL-TLV mirrors; records of other kinds are
 * passed over */
void ima_source_mirrored(struct ima_source *source, struct bytes log);

/*
 * ima_source_next() - the next entry
 *
 * Return: 1 with *ret_item set; 0 at the end; -EBADMSG as of ima_next(), cel_next() and
 *         assay_content_parse(), and then the source stays where it is
 */
int ima_source_next(struct ima_source *source, struct ima_item *ret_item, struct assay_error *err);

#endif /* ASSAY_LOG_IMA_SOURCE_H */
