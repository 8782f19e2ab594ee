// SPDX-License-Identifier: MIT
/* The checks of assay's log: its form, where it begins, and its replay. */
#include <errno.h>
#include <string.h>

#include "log/cel.h"
#include "log/hasher.h"
#include "log/ima.h"
#include "verify/going_on.h"
#include "verify/logs.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- assay's log */

static void begin_assay(const struct appraisal *appraisal, struct cel_reader *reader)
{
	cel_begin(reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
}

enum check_result check_assay_log_parsed(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;
	uint64_t records = 0;
	int r;

	if (!appraisal->evidence.has_assay_log)
		return check_skip(detail, "the evidence holds no log of assay's");
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
	log_start_find(&appraisal->log, &appraisal->evidence, &appraisal->attest,
		       appraisal->input->state, appraisal->policy, goes_on(appraisal),
		       &appraisal->start);
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

enum check_result check_assay_log_records(struct appraisal *appraisal, char *detail)
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

enum check_result check_assay_log_digests(struct appraisal *appraisal, char *detail)
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

/* ---------------------------------------------------------------- where it begins */

static struct bytes text_bytes(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

static bool tell_unknown(const struct appraisal *appraisal, char *detail)
{
	return check_tell(
		false, detail,
		"the log begins with record %llu, and nothing vouches for what was before: %s",
		(ull)appraisal->start.recnum,
		appraisal->policy->trimmed ?
			"the last TRIM record is of another cut" :
			"no state of this boot's earlier attestation, by the same policy and "
			"manifests, reaches there, and the policy takes no trimmed log");
}

/* The value before the first record in the quoted bank; false, with @detail set, if unknown. */
static bool find_start_value(const struct appraisal *appraisal, enum assay_hash bank,
			     struct assay_digest *ret, char *detail)
{
	if (appraisal->start.origin == LOG_UNKNOWN)
		return tell_unknown(appraisal, detail);
	if (!log_start_value(&appraisal->start, bank, ret))
		return check_tell(false, detail,
				  "nothing says what the %s PCR was before record %llu",
				  assay_hash_name(bank), (ull)appraisal->start.recnum);
	return true;
}

/*
 * The PCR before the first record may be zeros, or what the policy says. Only the bank that
 * is quoted matters, and of that one the policy must have named the value.
 */
static bool check_start_values(const struct appraisal *appraisal, char *detail)
{
	const struct verify_policy *policy = appraisal->policy;
	const struct log_start *start = &appraisal->start;

	for (size_t i = 0; i < start->value_count; i++) {
		const struct assay_digest *value = &start->values[i];
		char found[DIGEST_TEXT];
		bool named = false, other_bank = policy->start_count > 0;

		if (appraisal->bank != ASSAY_HASH_NONE && value->hash != appraisal->bank)
			continue;
		if (bytes_are_zero(BYTES(value->bytes, value->size)))
			continue;
		for (size_t j = 0; j < policy->start_count; j++) {
			named |= verity_digest_equal(value, &policy->starts[j]);
			other_bank &= policy->starts[j].hash != value->hash;
		}
		if (named)
			continue;
		return check_tell(false, detail,
				  "PCR %u of bank %s was %s before the log began; zeros were "
				  "expected%s: something else measures into it",
				  policy->assay_pcr,
				  assay_hash_name(value->hash) ? assay_hash_name(value->hash) : "?",
				  check_digest_text(value, found),
				  other_bank		  ? ", and the policy names a value of "
							    "another bank only" :
				  policy->start_count > 0 ? " or what the policy names" :
							    "");
	}
	return true;
}

static bool check_whole_start(const struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;

	if (!facts->has_start)
		return check_tell(false, detail, "the first record is not a START");
	if (facts->start.pcr_value_count > 0 ? facts->tpms > 0 : facts->tpms != 1)
		return check_tell(false, detail,
				  "START says that there was %s TPM, and %llu TPM records follow",
				  facts->start.pcr_value_count > 0 ? "a" : "no", (ull)facts->tpms);
	if (facts->tpms > 0 && facts->tpm.backlog > facts->tpm_recnum)
		return check_tell(false, detail,
				  "the TPM record, of number %llu, says that %llu came before it",
				  (ull)facts->tpm_recnum, (ull)facts->tpm.backlog);
	return check_start_values(appraisal, detail);
}

static bool tell_other_boot(const char *what, uint64_t number, struct bytes said,
			    struct bytes current, char *detail)
{
	char found[FOREIGN_TEXT], expected[FOREIGN_TEXT];

	return check_tell(false, detail, "%s %llu says that the log was boot %s's; it was %s's",
			  what, (ull)number, text_escape(said, found, sizeof(found)),
			  text_escape(current, expected, sizeof(expected)));
}

/* Where a log that goes on comes to the end of what the state is of, it is of the state's boot. */
static bool check_state_boot(const struct appraisal *appraisal, uint64_t number,
			     struct bytes *current, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	struct bytes boot_id;

	if (appraisal->start.origin != LOG_CONTINUED || number != state->records)
		return true;
	boot_id = text_bytes(state->boot_id);
	if (current->data && !bytes_equal(*current, boot_id))
		return tell_other_boot("the state, which is of what is before record", number,
				       boot_id, *current, detail);
	*current = boot_id;
	return true;
}

/* From boot to boot by KEXEC records, and at the end the one that the evidence is of. */
static bool check_boots(const struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	char found[FOREIGN_TEXT];
	struct bytes current = appraisal->start.boot_id;
	uint64_t number = appraisal->start.recnum;
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	for (; cel_next(&reader, &record, NULL) > 0; number++) {
		if (!check_state_boot(appraisal, number, &current, detail))
			return false;
		if (record.type != ASSAY_CEL_CONTENT ||
		    assay_content_parse(&record, &content, NULL) < 0 ||
		    content.kind != ASSAY_KIND_KEXEC)
			continue;
		if (current.data && !bytes_equal(content.boot_before, current))
			return tell_other_boot("record", record.recnum, content.boot_before,
					       current, detail);
		current = content.start.boot_id;
	}
	if (!check_state_boot(appraisal, number, &current, detail))
		return false;
	if (evidence->boot_id[0] == '\0')
		return check_tell(false, detail,
				  "the evidence does not say of which boot it is, and the log "
				  "says it of itself only");
	if (current.data && !bytes_equal(current, text_bytes(evidence->boot_id)))
		return check_tell(false, detail,
				  "the log is of boot %s, the evidence is of boot %s",
				  text_escape(current, found, sizeof(found)), evidence->boot_id);
	return true;
}

enum check_result check_assay_log_start(struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;
	const struct log_start *start = &appraisal->start;
	char text[FOREIGN_TEXT];

	if (start->origin == LOG_UNKNOWN)
		return tell_unknown(appraisal, detail);
	if (facts->later_starts > 0 || (facts->has_start && start->origin != LOG_WHOLE))
		return check_tell(false, detail,
				  "there is a START record that is not the log's first: a log "
				  "begins once");
	if (start->origin == LOG_WHOLE && !check_whole_start(appraisal, detail))
		return CHECK_FAILED;
	/* There was a TPM when the state was made, and the log had said so once. */
	if (start->origin == LOG_CONTINUED && facts->tpms > 0 &&
	    facts->tpm_recnum >= appraisal->input->state->records)
		return check_tell(false, detail,
				  "record %llu says that a TPM was found, and there was one before",
				  (ull)facts->tpm_recnum);
	if (!check_boots(appraisal, detail))
		return CHECK_FAILED;
	if (start->origin == LOG_CONTINUED)
		return check_tell(true, detail, "goes on from record %llu, where it was verified",
				  (ull)start->recnum);
	if (start->origin == LOG_TRIMMED)
		return check_tell(true, detail,
				  "trimmed: begins with record %llu; a TRIM record says what the "
				  "PCR was, and the policy takes its word",
				  (ull)start->recnum);
	return check_tell(true, detail, "boot %s, Linux %s%s", appraisal->evidence.boot_id,
			  text_escape(facts->kernel.start.release, text, sizeof(text)),
			  facts->kexecs > 0 ? ", after kexec" : "");
}

enum check_result check_assay_log_tpm(struct appraisal *appraisal, char *detail)
{
	const struct log_start *start = &appraisal->start;

	if (start->origin == LOG_TRIMMED)
		return check_tell(false, detail, "the START record, which says it, was trimmed");
	if (start->late_tpm)
		return check_tell(false, detail,
				  "the log began before a TPM was found: until then, its records "
				  "were the kernel's word alone");
	if (start->origin == LOG_CONTINUED)
		return check_tell(true, detail, "as the last attestation found");
	return check_tell(true, detail, "PCR %u in %zu banks, read before the first record",
			  appraisal->policy->assay_pcr, start->value_count);
}

enum check_result check_assay_log_protection(struct appraisal *appraisal, char *detail)
{
	const struct log_start *start = &appraisal->start;

	if (!start->protection_known)
		return check_tell(false, detail, "the START record, which says it, was trimmed");
	if (start->writable)
		return check_tell(false, detail,
				  "the log's pages are writable: a stray write of the kernel can "
				  "destroy it; see 'assay status' on the device");
	return check_tell(true, detail,
			  start->by_state ? "as the last attestation found" :
					    "in every mapping of the kernel");
}

/* ---------------------------------------------------------------- its replay */

/* What the PCR is after @count of the log's records; false where there are fewer. */
static bool value_after(const struct appraisal *appraisal, uint64_t count,
			struct assay_digest *value)
{
	struct cel_reader reader;
	struct cel_record record;
	struct hasher hasher;
	bool good = true;

	if (hasher_open(&hasher, value->hash, NULL) < 0)
		return false;
	cel_begin(&reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
	for (uint64_t i = 0; good && i < count; i++) {
		const struct assay_digest *digest = NULL;

		if (cel_next(&reader, &record, NULL) > 0)
			digest = cel_record_digest(&record, value->hash);
		good = digest &&
		       hasher_extend(&hasher, value, BYTES(digest->bytes, digest->size), NULL) == 0;
	}
	hasher_close(&hasher);
	return good;
}

/*
 * Does what vouches for the value before the log do so, now that the log replays from there?
 * @covered_size: bytes of the log that the quote covers
 */
static bool check_vouched(const struct appraisal *appraisal, const struct assay_digest *start,
			  uint64_t covered_size, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	uint64_t first = appraisal->start.recnum;
	struct assay_digest value = *start;
	char expected[DIGEST_TEXT];

	/* Anybody can append one: it would say of the boot what the TPM was never told. */
	if (appraisal->log.boots_end > covered_size)
		return check_tell(false, detail,
				  "a START, KEXEC or TPM record, which says what boot the log is "
				  "of, is not covered by the quote: collect the evidence again");
	switch (appraisal->start.origin) {
	case LOG_TRIMMED:
		if (appraisal->log.trim_end <= covered_size)
			return true;
		return check_tell(false, detail,
				  "the TRIM record that vouches for the PCR before record %llu is "
				  "itself not covered by the quote",
				  (ull)first);
	case LOG_CONTINUED:
		if (value_after(appraisal, state->records - first, &value) &&
		    verity_digest_equal(&value, &state->value))
			return true;
		return check_tell(false, detail,
				  "the log does not lead to what was verified last: %s after %llu "
				  "records",
				  check_digest_text(&state->value, expected), (ull)state->records);
	default:
		return true;
	}
}

enum check_result check_assay_log_replay(struct appraisal *appraisal, char *detail)
{
	const struct replayed_log log = { .bytes = buffer_bytes(&appraisal->evidence.assay_cel),
					  .pcr = appraisal->policy->assay_pcr,
					  .bank = appraisal->bank };
	struct proven_log *proven = NULL;
	struct assay_error err = { 0 };
	struct assay_digest start;
	struct replay replay;

	if (!find_start_value(appraisal, appraisal->bank, &start, detail))
		return CHECK_FAILED;
	if (proven_assay(appraisal->quoted, &log, &start, appraisal->start.origin != LOG_WHOLE,
			 &replay, &proven, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	if (!replay_tell(&replay, quoted_pcr(appraisal->quoted, log.bank, log.pcr), log.pcr,
			 "records", log.bytes.size, &appraisal->verdict->assay_log, detail))
		return CHECK_FAILED;
	if (!check_vouched(appraisal, &start, replay.covered_size, detail)) {
		proven_log_free(proven);
		return CHECK_FAILED;
	}
	appraisal->content.assay = proven;
	appraisal->content.assay_base = appraisal->evidence.assay_base;
	appraisal->content.assay_first = appraisal->start.recnum;
	appraisal->content.mirrored = appraisal->start.origin != LOG_WHOLE &&
				      !(appraisal->start.origin == LOG_CONTINUED &&
					goes_on(appraisal) && !appraisal->input->state->mirrored);
	if (appraisal->start.origin == LOG_CONTINUED) {
		appraisal->content.state = appraisal->input->state;
		appraisal->content.unknown_files |= appraisal->input->state->unknown_files;
	}
	return CHECK_PASSED;
}

/* ---------------------------------------------------------------- since the last attestation */

/*
 * Whether the PCR began anew since the last attestation, and the log with it. A boot id does
 * not outlive that: a log that begins anew with the one of before is not what it says.
 */
static bool check_other_boot(const struct appraisal *appraisal, char *detail)
{
	const struct verify_state *state = appraisal->input->state;

	if (strcmp(state->boot_id, appraisal->evidence.boot_id) == 0)
		return check_tell(false, detail,
				  "the TPM was %s since the last attestation, and the boot id is "
				  "the one of then, %s: a boot id does not outlive that%s",
				  state->reset_count != appraisal->attest.reset_count ? "reset" :
											"restarted",
				  state->boot_id,
				  state->reset_count != appraisal->attest.reset_count ?
					  "" :
					  "; of a machine that was suspended to RAM, let the "
					  "policy accept it (device.suspend)");
	return check_tell(true, detail, "the TPM was started anew: this is another log");
}

/* Over a restart that the policy takes for a suspend, a whole log may be another boot's. */
static bool is_log_after_restart(const struct appraisal *appraisal)
{
	const struct verify_state *state = appraisal->input->state;

	return state->restart_count != appraisal->attest.restart_count &&
	       appraisal->start.origin == LOG_WHOLE &&
	       !bytes_equal(appraisal->start.boot_id, text_bytes(state->boot_id));
}

enum check_result check_assay_log_progress(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	uint64_t first = appraisal->start.recnum;
	uint64_t covered = first + proven_records(appraisal->content.assay);
	struct assay_digest value = { 0 };

	if (!state || state->value.size == 0)
		return check_skip(detail,
				  "there is no state of an earlier attestation to compare with");
	if (!appraisal->start.same_tpm_boot)
		return check_other_boot(appraisal, detail);
	if (is_log_after_restart(appraisal))
		return check_tell(true, detail, "the TPM was started anew: this is another log");
	if (covered < state->records)
		return check_tell(false, detail,
				  "the quote covers %llu records; at the last attestation it "
				  "covered %llu: this is the past",
				  (ull)covered, (ull)state->records);
	/* Of a trimmed log the verifier may have missed a part; the policy takes that. */
	if (appraisal->start.origin == LOG_TRIMMED)
		return check_tell(true, detail,
				  "records %llu to %llu were trimmed before they were verified",
				  (ull)state->records, (ull)first - 1);
	if (!find_start_value(appraisal, state->value.hash, &value, detail))
		return CHECK_FAILED;
	if (!value_after(appraisal, state->records - first, &value) ||
	    !verity_digest_equal(&value, &state->value))
		return check_tell(false, detail,
				  "its first %llu records are not those of the last attestation",
				  (ull)state->records);
	return check_tell(true, detail, "%llu records since the last attestation",
			  (ull)(covered - state->records));
}
