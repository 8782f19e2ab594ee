// SPDX-License-Identifier: MIT
/* The checks of IMA's list: its form, where it begins, and its replay. */
#include <string.h>

#include "log/ima.h"
#include "log/ima_digests.h"
#include "verify/going_on.h"
#include "verify/logs.h"

typedef unsigned long long ull;

static void begin_ima(const struct appraisal *appraisal, struct ima_reader *reader)
{
	ima_begin(reader, buffer_bytes(&appraisal->evidence.ima_data),
		  appraisal->evidence.ima_template_bank);
}

enum check_result check_ima_log_parsed(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t entries = 0;
	int r;

	if (!appraisal->evidence.has_ima_log)
		return check_skip(detail, "the evidence holds no list of IMA");
	begin_ima(appraisal, &reader);
	while ((r = ima_next(&reader, &entry, &err)) > 0)
		entries++;
	if (r < 0)
		return check_tell(false, detail, "%s", err.text);
	if (entries == 0 && appraisal->evidence.ima_first == 0)
		return check_tell(false, detail,
				  "the list is empty; it begins with boot_aggregate");
	appraisal->verdict->ima_log.records = entries;
	return check_tell(true, detail, "%llu entries, %zu bytes", (ull)entries,
			  appraisal->evidence.ima_data.size);
}

static bool tell_unknown(const struct appraisal *appraisal, char *detail)
{
	return check_tell(false, detail,
			  "the list begins with entry %llu, and no state of this boot, by the same "
			  "policy and manifests, ends there: collect the whole list",
			  (ull)appraisal->evidence.ima_first);
}

enum check_result check_ima_log_start(struct appraisal *appraisal, char *detail)
{
	uint64_t number = appraisal->evidence.ima_first, zeros = 0, aggregates = 0;
	uint64_t expected = 1 + kexecs_of(appraisal);
	struct bytes first = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;

	if (number > 0) {
		const struct verify_state *state = appraisal->input->state;

		if (!ima_goes_on(appraisal))
			return tell_unknown(appraisal, detail);
		aggregates = state->ima.aggregates;
		zeros = state->ima.zeros;
		first = BYTES(state->ima.aggregate.bytes, state->ima.aggregate.size);
	}
	begin_ima(appraisal, &reader);
	for (; ima_next(&reader, &entry, NULL) > 0; number++) {
		if (entry.boot_aggregate == IMA_NO_BOOT_AGGREGATE) {
			if (number == 0)
				return check_tell(false, detail,
						  "the first entry is not boot_aggregate, which "
						  "IMA writes first: the list was cut");
			continue;
		}
		if (bytes_are_zero(entry.digest)) {
			zeros++;
			continue;
		}
		/* PCRs 0 to 9 outlive kexec and nothing else: another value is another boot's. */
		if (aggregates++ > 0 && !bytes_equal(entry.digest, first))
			return check_tell(false, detail,
					  "entry %llu at offset %llu is a second boot_aggregate "
					  "with another value: the list is of two boots",
					  (ull)number, (ull)entry.offset);
		first = entry.digest;
	}
	if (aggregates == 0)
		return check_tell(false, detail,
				  "boot_aggregate is zeros: IMA found no TPM when it began, so its "
				  "list is not anchored");
	if (aggregates > 1 && !appraisal->judged[VERIFY_LOG_ASSAY])
		return check_tell(
			false, detail,
			"there are %llu boot_aggregate entries: the kernel was started by "
			"another one (kexec), and without a log of assay's nothing says by "
			"which and how",
			(ull)aggregates);
	if (aggregates + zeros > expected && !(aggregates == 1 && zeros == 1))
		return check_tell(false, detail,
				  "there are %llu boot_aggregate entries, and assay's log knows of "
				  "%llu boot%s without a TPM reset",
				  (ull)(aggregates + zeros), (ull)expected,
				  expected == 1 ? "" : "s");
	return check_tell(true, detail, "boot_aggregate%s",
			  aggregates > 1 ? ", the same after kexec" : "");
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

enum check_result check_ima_log_digests(struct appraisal *appraisal, char *detail)
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

enum check_result check_ima_log_replay(struct appraisal *appraisal, char *detail)
{
	const struct replayed_log log = { .bytes = buffer_bytes(&appraisal->evidence.ima_data),
					  .pcr = appraisal->policy->ima_pcr,
					  .bank = appraisal->bank };
	struct proven_log *proven = NULL;
	struct assay_error err = { 0 };
	struct replay replay;

	if (appraisal->evidence.ima_first > 0 && !ima_goes_on(appraisal))
		return tell_unknown(appraisal, detail);
	if (proven_ima(appraisal->quoted, &log, appraisal->evidence.ima_template_bank,
		       appraisal->evidence.ima_first > 0 ? &appraisal->input->state->ima.value :
							   NULL,
		       &replay, &proven, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	appraisal->content.ima = proven;
	appraisal->content.ima_first = appraisal->evidence.ima_first;
	if (ima_goes_on(appraisal)) {
		appraisal->content.ima_aggregate = appraisal->input->state->ima.aggregate;
		appraisal->content.unknown_files |= appraisal->input->state->unknown_files;
	}
	return replay_tell(&replay, quoted_pcr(appraisal->quoted, log.bank, log.pcr), log.pcr,
			   "entries", log.bytes.size, &appraisal->verdict->ima_log, detail);
}
