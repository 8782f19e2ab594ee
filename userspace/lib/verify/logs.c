// SPDX-License-Identifier: MIT
/* The checks of assay's log and of IMA's list. */
#include <errno.h>
#include <string.h>

#include "log/cel.h"
#include "log/hasher.h"
#include "log/ima_digests.h"
#include "verify/checks.h"
#include "verify/replay.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- assay's log */

static void begin_assay(const struct appraisal *appraisal, struct cel_reader *reader)
{
	cel_begin(reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
}

bool check_assay_log_parsed(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;
	uint64_t records = 0;
	int r;

	if (!appraisal->evidence.has_assay_log)
		return check_tell(false, detail, "the evidence holds no log of assay");
	begin_assay(appraisal, &reader);
	while ((r = cel_next(&reader, &record, &err)) > 0) {
		if (record.type == ASSAY_CEL_CONTENT) {
			r = assay_content_parse(&record, &content, &err);
			if (r < 0)
				break;
			log_facts_add(&appraisal->log, &record, &content, records == 0);
		}
		records++;
	}
	if (r < 0)
		return check_tell(false, detail, "%s", err.text);
	if (records == 0 && appraisal->evidence.assay_first == 0)
		return check_tell(false, detail, "the log is empty; it begins with a START record");
	appraisal->log.origin = log_origin(appraisal);
	appraisal->verdict->assay_log.records = records;
	return check_tell(true, detail, "%llu records, %zu bytes", (ull)records,
			  appraisal->evidence.assay_cel.size);
}

static bool is_judged(const struct cel_record *record)
{
	struct assay_content content;

	return record->type == ASSAY_CEL_CONTENT &&
	       assay_content_parse(record, &content, NULL) == 0 && content.understood;
}

/* Whether this record is one that this verifier can judge, at its place. */
static bool check_record(const struct appraisal *appraisal, const struct cel_record *record,
			 uint64_t expected, uint64_t *unknown, char *detail)
{
	struct assay_content content = { 0 };

	if (record->recnum != expected)
		return check_tell(false, detail,
				  "at offset %llu is record %llu where %llu is due: records are "
				  "missing, added or in another order",
				  (ull)record->offset, (ull)record->recnum, (ull)expected);
	if (record->pcr != appraisal->policy->assay_pcr)
		return check_tell(false, detail,
				  "record %llu is not of PCR %u, which anchors the log",
				  (ull)expected, appraisal->policy->assay_pcr);
	if (appraisal->policy->unknown_records && !is_judged(record)) {
		(*unknown)++;
		return true;
	}
	if (record->type != ASSAY_CEL_CONTENT)
		return check_tell(false, detail,
				  "record %llu has content of type 0x%02x, which is not assay's",
				  (ull)expected, record->type);
	if (assay_content_parse(record, &content, NULL) < 0 || !content.understood) {
		const char *name = assay_kind_name(content.kind);

		return check_tell(
			false, detail,
			"record %llu is of kind %u (%s), which this verifier cannot judge",
			(ull)expected, content.kind, name ? name : "not known");
	}
	return true;
}

bool check_assay_log_records(struct appraisal *appraisal, char *detail)
{
	struct cel_reader reader;
	struct cel_record record;
	uint64_t first = appraisal->evidence.assay_first;
	uint64_t expected = first, unknown = 0;

	if (first == 0 && appraisal->evidence.assay_base != 0)
		return check_tell(false, detail,
				  "the log begins with record 0 at offset %llu, not 0",
				  (ull)appraisal->evidence.assay_base);
	begin_assay(appraisal, &reader);
	while (cel_next(&reader, &record, NULL) > 0)
		if (!check_record(appraisal, &record, expected++, &unknown, detail))
			return false;
	if (expected == first)
		return check_tell(true, detail, "none since record %llu", (ull)first);
	if (unknown > 0)
		return check_tell(true, detail,
				  "%llu to %llu, all of PCR %u; %llu of kinds that are not known, "
				  "which the policy takes",
				  (ull)first, (ull)expected - 1, appraisal->policy->assay_pcr,
				  (ull)unknown);
	return check_tell(true, detail, "%llu to %llu, all of PCR %u", (ull)first,
			  (ull)expected - 1, appraisal->policy->assay_pcr);
}

/* Every digest of an algorithm that is known; others cannot be quoted and say nothing. */
static bool check_record_digests(const struct cel_record *record, struct hashers *hashers,
				 char *detail)
{
	size_t checked = 0;

	for (size_t i = 0; i < record->digest_count; i++) {
		const struct assay_digest *digest = &record->digests[i];
		char found[DIGEST_TEXT], expected[DIGEST_TEXT];
		struct assay_error err = { 0 };
		struct assay_digest computed;
		struct hasher *hasher;

		if (assay_hash_size(digest->hash) == 0)
			continue;
		hasher = hashers_get(hashers, digest->hash, &err);
		if (!hasher ||
		    hasher_digest(hasher, record->content, BYTES(NULL, 0), &computed, &err) < 0)
			return check_tell(false, detail, "%s", err.text);
		if (!verity_digest_equal(&computed, digest))
			return check_tell(false, detail,
					  "record %llu at offset %llu: its %s digest is %s, its "
					  "content's is %s",
					  (ull)record->recnum, (ull)record->offset,
					  assay_hash_name(digest->hash),
					  check_digest_text(digest, found),
					  check_digest_text(&computed, expected));
		checked++;
	}
	if (checked == 0)
		return check_tell(false, detail, "record %llu has no digest of a known algorithm",
				  (ull)record->recnum);
	return true;
}

/* Of IMA's entries in it: their template hashes are digests of the content, too. */
static bool check_mirrored_digests(const struct cel_record *record, struct hashers *hashers,
				   char *detail)
{
	struct mirrored_entry mirrored;
	struct assay_content content;

	if (record->type != ASSAY_CEL_CONTENT || assay_content_parse(record, &content, NULL) < 0 ||
	    content.kind != ASSAY_KIND_IMA)
		return true;
	while (mirrored_entry_next(&content.batch.entries, &mirrored)) {
		const struct ima_entry entry = { .name = mirrored.name, .data = mirrored.data };

		for (size_t i = 0; i < mirrored.digest_count; i++) {
			const struct assay_digest *digest = &mirrored.digests[i];
			struct hasher *hasher = hashers_get(hashers, digest->hash, NULL);
			struct assay_digest computed;

			/* A violation has zeros; a bank that is not known says nothing. */
			if (!hasher || bytes_are_zero(BYTES(digest->bytes, digest->size)))
				continue;
			if (ima_template_hash(&entry, hasher, &computed, NULL) < 0 ||
			    !verity_digest_equal(&computed, digest))
				return check_tell(
					false, detail,
					"record %llu: the %s template hash of one of IMA's "
					"entries in it is not that of its data",
					(ull)record->recnum, assay_hash_name(digest->hash));
		}
	}
	return true;
}

bool check_assay_log_digests(struct appraisal *appraisal, char *detail)
{
	struct hashers hashers = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	bool good = true;

	begin_assay(appraisal, &reader);
	while (good && cel_next(&reader, &record, NULL) > 0)
		good = check_record_digests(&record, &hashers, detail) &&
		       check_mirrored_digests(&record, &hashers, detail);
	if (good)
		check_tell(true, detail, "of %llu records in %zu banks",
			   (ull)appraisal->verdict->assay_log.records, hashers.count);
	hashers_close(&hashers);
	return good;
}

/* The end that both replays have. */
static bool tell_replay(const struct replay *replay, const struct assay_digest *quoted,
			unsigned int pcr, const char *unit, size_t size, struct covered_log *ret,
			char *detail)
{
	char found[DIGEST_TEXT], expected[DIGEST_TEXT];

	ret->records = replay->records;
	ret->covered = replay->covered;
	if (!replay->reached)
		return check_tell(
			false, detail,
			"%llu %s replay to %s; the quoted %s PCR %u is %s, which comes up "
			"after none: the log is another one, was cut or was changed",
			(ull)replay->records, unit, check_digest_text(&replay->last, found),
			assay_hash_name(quoted->hash), pcr, check_digest_text(quoted, expected));
	if (replay->covered < replay->records)
		return check_tell(true, detail,
				  "the first %llu of %llu %s replay to the quoted %s PCR %u; the "
				  "last %llu (%llu bytes) came later and are not covered",
				  (ull)replay->covered, (ull)replay->records, unit,
				  assay_hash_name(quoted->hash), pcr,
				  (ull)(replay->records - replay->covered),
				  (ull)(size - replay->covered_size));
	return check_tell(true, detail, "%llu %s replay to the quoted %s PCR %u",
			  (ull)replay->records, unit, assay_hash_name(quoted->hash), pcr);
}

bool check_assay_log_replay(struct appraisal *appraisal, char *detail)
{
	unsigned int pcr = appraisal->policy->assay_pcr;
	const struct assay_digest *quoted = appraisal_pcr(appraisal, appraisal->bank, pcr);
	const struct buffer *log = &appraisal->evidence.assay_cel;
	struct assay_error err = { 0 };
	struct assay_digest start;
	struct replay replay;

	if (!quoted)
		return check_tell(false, detail, "PCR %u, which anchors the log, is not quoted",
				  pcr);
	if (!log_start_value(appraisal, appraisal->bank, &start, detail))
		return false;
	if (replay_assay(buffer_bytes(log), pcr, &start, quoted, &replay, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	/* Of a log that goes on, there may be nothing new, or nothing that was quoted yet. */
	if (!replay.reached && appraisal->log.origin != LOG_WHOLE &&
	    verity_digest_equal(&start, quoted)) {
		replay.reached = true;
		replay.covered = 0;
	}
	appraisal->covered = replay.covered;
	appraisal->covered_size = replay.covered_size;
	if (!tell_replay(&replay, quoted, pcr, "records", log->size, &appraisal->verdict->assay_log,
			 detail))
		return false;
	return log_start_covered(appraisal, &start, detail);
}

/* ---------------------------------------------------------------- IMA's list */

static void begin_ima(const struct appraisal *appraisal, struct ima_reader *reader)
{
	ima_begin(reader, buffer_bytes(&appraisal->evidence.ima_data),
		  appraisal->evidence.ima_template_bank);
}

bool check_ima_log_parsed(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t entries = 0;
	int r;

	if (!appraisal->evidence.has_ima_log)
		return check_tell(false, detail, "the evidence holds no list of IMA");
	begin_ima(appraisal, &reader);
	while ((r = ima_next(&reader, &entry, &err)) > 0)
		entries++;
	if (r < 0)
		return check_tell(false, detail, "%s", err.text);
	if (entries == 0)
		return check_tell(false, detail,
				  "the list is empty; it begins with boot_aggregate");
	appraisal->verdict->ima_log.records = entries;
	return check_tell(true, detail, "%llu entries, %zu bytes", (ull)entries,
			  appraisal->evidence.ima_data.size);
}

bool check_ima_log_entries(struct appraisal *appraisal, char *detail)
{
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t number = 0, unknown = 0;
	char name[FOREIGN_TEXT];

	begin_ima(appraisal, &reader);
	for (; ima_next(&reader, &entry, NULL) > 0; number++) {
		if (entry.pcr != appraisal->policy->ima_pcr)
			return check_tell(false, detail,
					  "entry %llu at offset %llu is of PCR %u, not of IMA's %u",
					  (ull)number, (ull)entry.offset, entry.pcr,
					  appraisal->policy->ima_pcr);
		text_escape(entry.name, name, sizeof(name));
		if (!entry.known && appraisal->policy->unknown_templates)
			unknown++;
		else if (!entry.known)
			return check_tell(
				false, detail,
				"entry %llu at offset %llu has the template \"%s\", which "
				"is not known",
				(ull)number, (ull)entry.offset, name);
		if (entry.problem)
			return check_tell(false, detail,
					  "entry %llu at offset %llu (template \"%s\"): %s",
					  (ull)number, (ull)entry.offset, name, entry.problem);
	}
	if (unknown > 0)
		return check_tell(true, detail,
				  "all of PCR %u; %llu of templates that are not known, which the "
				  "policy takes",
				  appraisal->policy->ima_pcr, (ull)unknown);
	return check_tell(true, detail, "all of PCR %u", appraisal->policy->ima_pcr);
}

/* The path of an entry whose hash is off, for people: its fields are read only for this. */
static const char *path_of_entry(const struct appraisal *appraisal, uint64_t offset, char *text,
				 size_t size)
{
	struct ima_reader reader;
	struct ima_entry entry;
	struct bytes path = BYTES_LITERAL("");

	begin_ima(appraisal, &reader);
	while (ima_next(&reader, &entry, NULL) > 0 && entry.offset <= offset)
		path = entry.path;
	return text_escape(path, text, size);
}

static bool tell_template_hash(const struct appraisal *appraisal, uint64_t number,
			       const struct ima_digested *entry, enum assay_hash bank, char *detail)
{
	char found[DIGEST_TEXT], expected[DIGEST_TEXT], path[FOREIGN_TEXT];
	size_t size = assay_hash_size(bank);

	hex_encode(BYTES(entry->frame->template_digest, size), found);
	hex_encode(BYTES(entry->digests[0], size), expected);
	return check_tell(false, detail,
			  "entry %llu at offset %llu (%s): its %s template hash is %s, its data's "
			  "is %s",
			  (ull)number, (ull)entry->frame->offset,
			  path_of_entry(appraisal, entry->frame->offset, path, sizeof(path)),
			  assay_hash_name(bank), found, expected);
}

bool check_ima_log_digests(struct appraisal *appraisal, char *detail)
{
	enum assay_hash bank = appraisal->evidence.ima_template_bank;
	struct bytes list = buffer_bytes(&appraisal->evidence.ima_data);
	struct assay_error err = { 0 };
	struct ima_digests *digests;
	struct ima_digested entry;
	uint64_t number = 0;
	bool good = true;
	int r;

	if (ima_digests_new(list, bank, &bank, 1, &digests, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	for (; good && (r = ima_digests_next(digests, &entry, &err)) > 0; number++)
		/* A violation has no digest; ima-log-violations tells of it. */
		if (!entry.frame->violation &&
		    memcmp(entry.digests[0], entry.frame->template_digest, assay_hash_size(bank)) !=
			    0)
			good = tell_template_hash(appraisal, number, &entry, bank, detail);
	if (good && r < 0)
		good = check_tell(false, detail, "%s", err.text);
	ima_digests_free(digests);
	if (good)
		check_tell(true, detail, "%s template hashes of %llu entries",
			   assay_hash_name(bank), (ull)number);
	return good;
}

bool check_ima_log_violations(struct appraisal *appraisal, char *detail)
{
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t violations = 0;
	char path[FOREIGN_TEXT] = "";

	begin_ima(appraisal, &reader);
	while (ima_next(&reader, &entry, NULL) > 0)
		if (entry.violation && violations++ == 0)
			text_escape(entry.path, path, sizeof(path));
	if (violations > 0)
		return check_tell(false, detail,
				  "%llu violations, the first of %s: what was read is not known",
				  (ull)violations, path);
	return check_tell(true, detail, "none");
}

bool check_ima_log_replay(struct appraisal *appraisal, char *detail)
{
	unsigned int pcr = appraisal->policy->ima_pcr;
	const struct assay_digest *quoted = appraisal_pcr(appraisal, appraisal->bank, pcr);
	const struct buffer *list = &appraisal->evidence.ima_data;
	struct assay_error err = { 0 };
	struct replay replay;

	if (!quoted)
		return check_tell(false, detail, "PCR %u, which anchors the list, is not quoted",
				  pcr);
	if (replay_ima(buffer_bytes(list), appraisal->evidence.ima_template_bank, pcr, quoted,
		       &replay, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	return tell_replay(&replay, quoted, pcr, "entries", list->size,
			   &appraisal->verdict->ima_log, detail);
}
