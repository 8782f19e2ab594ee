// SPDX-License-Identifier: MIT
/*
 * The checks of where assay's log begins: with the boot, where an earlier attestation
 * ended, or where it was trimmed; and of what its START says.
 *
 * A log that does not begin with the boot is worth what vouches for the PCR's value
 * before it. A state does, since the verifier saw what is before. A TRIM record does
 * only so far as the device was honest when it wrote it: who may extend the PCR may
 * write one that hides all that was measured before, so that takes the policy's word.
 */
#include <string.h>

#include "log/hasher.h"
#include "verify/checks.h"

typedef unsigned long long ull;

static const struct assay_digest *value_of(const struct assay_digest *values, size_t count,
					   enum assay_hash bank)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].hash == bank)
			return &values[i];
	return NULL;
}

static struct bytes text_bytes(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

/* ---------------------------------------------------------------- what the log says */

void log_facts_add(struct log_facts *facts, const struct cel_record *record,
		   const struct assay_content *content, bool first)
{
	if (first)
		facts->first = record->recnum;
	switch (content->kind) {
	case ASSAY_KIND_START:
		facts->has_start |= first;
		facts->later_starts += !first;
		facts->kernel = *content;
		if (first)
			facts->start = *content;
		break;
	case ASSAY_KIND_KEXEC:
		facts->kexecs++;
		facts->kernel = *content;
		break;
	case ASSAY_KIND_TPM:
		facts->tpms++;
		facts->tpm = *content;
		facts->tpm_recnum = record->recnum;
		break;
	case ASSAY_KIND_TRIM:
		/* The log may have been trimmed again while the evidence was collected. */
		if (facts->trim_end > 0 && facts->trim.trim.recnum == facts->first)
			break;
		facts->trim = *content;
		facts->trim_end = record->offset + record->size;
		break;
	default:
		break;
	}
}

/* Whether the verifier saw, in this boot, the log to where this one begins, or further. */
static bool state_reaches(const struct appraisal *appraisal)
{
	const struct verify_state *state = appraisal->input->state;

	return state && state->value.size > 0 &&
	       state->reset_count == appraisal->attest.reset_count &&
	       appraisal->evidence.assay_first <= state->records;
}

enum log_origin log_origin(const struct appraisal *appraisal)
{
	const struct log_facts *facts = &appraisal->log;

	if (appraisal->evidence.assay_first == 0)
		return LOG_WHOLE;
	if (state_reaches(appraisal))
		return LOG_CONTINUED;
	if (appraisal->policy->trimmed && facts->trim_end > 0 &&
	    facts->trim.trim.recnum == appraisal->evidence.assay_first)
		return LOG_TRIMMED;
	return LOG_UNKNOWN;
}

static bool tell_unknown(const struct appraisal *appraisal, char *detail)
{
	return check_tell(
		false, detail,
		"the log begins with record %llu, and nothing vouches for what was before: %s",
		(ull)appraisal->evidence.assay_first,
		appraisal->policy->trimmed ?
			"the last TRIM record is of another cut" :
			"no state of this boot's earlier attestation reaches there, and the policy "
			"takes no trimmed log");
}

/* ---------------------------------------------------------------- the PCR before it */

/* The values that a whole log has from its START, or from TPM, where that came late. */
static const struct assay_digest *whole_values(const struct log_facts *facts, size_t *count)
{
	const struct assay_content *from =
		facts->start.pcr_value_count > 0 ? &facts->start : &facts->tpm;

	*count = from->pcr_value_count;
	return from->pcr_values;
}

bool log_start_value(const struct appraisal *appraisal, enum assay_hash bank,
		     struct assay_digest *ret, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	const struct verify_state *state = appraisal->input->state;
	const struct assay_digest *value = NULL;
	const struct assay_digest *values;
	size_t count;

	*ret = (struct assay_digest){ .hash = bank, .size = assay_hash_size(bank) };
	switch (appraisal->log.origin) {
	case LOG_WHOLE:
		values = whole_values(&appraisal->log, &count);
		value = value_of(values, count, bank);
		/* A bank that the kernel did not know of: zeros, or the replay will tell. */
		if (!value)
			return true;
		break;
	case LOG_CONTINUED:
		/* Before what the verifier saw last, the device's word, which must lead there. */
		value = evidence->assay_first == state->records ?
				value_of(&state->value, 1, bank) :
				value_of(evidence->assay_start, evidence->assay_start_count, bank);
		break;
	case LOG_TRIMMED:
		value = value_of(appraisal->log.trim.pcr_values,
				 appraisal->log.trim.pcr_value_count, bank);
		break;
	case LOG_UNKNOWN:
		return tell_unknown(appraisal, detail);
	}
	if (!value)
		return check_tell(false, detail,
				  "nothing says what the %s PCR was before record %llu",
				  assay_hash_name(bank), (ull)evidence->assay_first);
	*ret = *value;
	return true;
}

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

bool log_start_covered(const struct appraisal *appraisal, const struct assay_digest *start,
		       char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	struct assay_digest value = *start;
	char expected[DIGEST_TEXT];

	switch (appraisal->log.origin) {
	case LOG_TRIMMED:
		if (appraisal->log.trim_end > appraisal->covered_size)
			return check_tell(false, detail,
					  "the TRIM record that vouches for the PCR before record "
					  "%llu is itself not covered by the quote",
					  (ull)appraisal->evidence.assay_first);
		return true;
	case LOG_CONTINUED:
		if (value_after(appraisal, state->records - appraisal->evidence.assay_first,
				&value) &&
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

/* ---------------------------------------------------------------- the checks */

/* The PCR before the first record may be zeros, or what the policy says. */
static bool start_allowed(const struct verify_policy *policy, const struct assay_digest *value)
{
	bool named = false;

	if (bytes_are_zero(BYTES(value->bytes, value->size)))
		return true;
	for (size_t i = 0; i < policy->start_count; i++) {
		named |= policy->starts[i].hash == value->hash;
		if (verity_digest_equal(value, &policy->starts[i]))
			return true;
	}
	/* Of the other banks of a PCR that something else starts, the policy says nothing. */
	return policy->start_count > 0 && !named;
}

static bool check_whole_start(const struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;
	const struct assay_digest *values;
	size_t count;

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
	values = whole_values(facts, &count);
	for (size_t i = 0; i < count; i++) {
		char found[DIGEST_TEXT];

		if (!start_allowed(appraisal->policy, &values[i]))
			return check_tell(false, detail,
					  "PCR %u of bank 0x%04x was %s before the log began; "
					  "zeros were expected: something else measures into it",
					  appraisal->policy->assay_pcr, values[i].hash,
					  check_digest_text(&values[i], found));
	}
	return true;
}

/* From boot to boot by KEXEC records, and at the end the one that the evidence is of. */
static bool check_boots(const struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	const struct verify_state *state = appraisal->input->state;
	char found[FOREIGN_TEXT], expected[FOREIGN_TEXT];
	struct bytes current = { 0 };
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;

	if (appraisal->log.origin == LOG_WHOLE)
		current = appraisal->log.start.start.boot_id;
	else if (appraisal->log.origin == LOG_CONTINUED && evidence->assay_first == state->records)
		current = text_bytes(state->boot_id);
	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	while (cel_next(&reader, &record, NULL) > 0) {
		if (record.type != ASSAY_CEL_CONTENT ||
		    assay_content_parse(&record, &content, NULL) < 0 ||
		    content.kind != ASSAY_KIND_KEXEC)
			continue;
		if (current.data && !bytes_equal(content.boot_before, current))
			return check_tell(
				false, detail,
				"record %llu says that the log was boot %s's; it was %s's",
				(ull)record.recnum,
				text_escape(content.boot_before, found, sizeof(found)),
				text_escape(current, expected, sizeof(expected)));
		current = content.start.boot_id;
	}
	if (current.data && !bytes_equal(current, text_bytes(evidence->boot_id)))
		return check_tell(false, detail,
				  "the log is of boot %s, the evidence is of boot %s",
				  text_escape(current, found, sizeof(found)), evidence->boot_id);
	return true;
}

bool check_assay_log_start(struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;
	const struct evidence *evidence = &appraisal->evidence;
	char text[FOREIGN_TEXT];

	if (facts->origin == LOG_UNKNOWN)
		return tell_unknown(appraisal, detail);
	if (facts->later_starts > 0 || (facts->has_start && facts->origin != LOG_WHOLE))
		return check_tell(false, detail,
				  "there is a START record that is not the log's first: a log "
				  "begins once");
	if (facts->origin == LOG_WHOLE && !check_whole_start(appraisal, detail))
		return false;
	if (!check_boots(appraisal, detail))
		return false;
	if (facts->origin == LOG_CONTINUED)
		return check_tell(true, detail, "goes on from record %llu, where it was verified",
				  (ull)evidence->assay_first);
	if (facts->origin == LOG_TRIMMED)
		return check_tell(true, detail,
				  "trimmed: begins with record %llu; a TRIM record says what the "
				  "PCR was, and the policy takes its word",
				  (ull)evidence->assay_first);
	return check_tell(true, detail, "boot %s, Linux %s%s", evidence->boot_id,
			  text_escape(facts->kernel.start.release, text, sizeof(text)),
			  facts->kexecs > 0 ? ", after kexec" : "");
}

bool check_assay_log_tpm(struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;

	if (facts->origin == LOG_TRIMMED)
		return check_tell(false, detail, "the START record, which says it, was trimmed");
	if (facts->origin == LOG_CONTINUED ? appraisal->input->state->late_tpm : facts->tpms > 0)
		return check_tell(false, detail,
				  "the log began before a TPM was found: until then, its records "
				  "were the kernel's word alone");
	if (facts->origin == LOG_CONTINUED)
		return check_tell(true, detail, "as the last attestation found");
	return check_tell(true, detail, "PCR %u in %zu banks, read before the first record",
			  appraisal->policy->assay_pcr, facts->start.pcr_value_count);
}

bool check_assay_log_protection(struct appraisal *appraisal, char *detail)
{
	const struct log_facts *facts = &appraisal->log;

	if (facts->kernel.kind == 0 && facts->origin == LOG_TRIMMED)
		return check_tell(false, detail, "the START record, which says it, was trimmed");
	if (facts->kernel.kind == 0 ? appraisal->input->state->writable :
				      facts->kernel.start.protection != ASSAY_PROTECTION_FULL)
		return check_tell(false, detail,
				  "the log's pages are writable: a stray write of the kernel can "
				  "destroy it; see 'assay status' on the device");
	return check_tell(true, detail,
			  facts->kernel.kind == 0 ? "as the last attestation found" :
						    "in every mapping of the kernel");
}

/*
 * Whether the PCR began anew since the last attestation, and the log with it: by a TPM
 * reset, or by a TPM restart (Part 1, 12.2.3.2), which counts otherwise. A whole log that
 * replays from its START leaves nothing out, whatever the device says of its boot.
 */
static bool is_another_log(const struct appraisal *appraisal)
{
	const struct verify_state *state = appraisal->input->state;

	if (state->reset_count != appraisal->attest.reset_count)
		return true;
	return state->restart_count != appraisal->attest.restart_count &&
	       appraisal->log.origin == LOG_WHOLE &&
	       !bytes_equal(appraisal->log.start.start.boot_id, text_bytes(state->boot_id));
}

bool check_assay_log_progress(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	uint64_t first = appraisal->evidence.assay_first;
	uint64_t covered = first + appraisal->covered;
	struct assay_digest value;

	if (!state || state->value.size == 0)
		return check_skip(appraisal, detail,
				  "there is no state of an earlier attestation to compare with");
	if (is_another_log(appraisal))
		return check_tell(true, detail, "the TPM was started anew: this is another log");
	if (covered < state->records)
		return check_tell(false, detail,
				  "the quote covers %llu records; at the last attestation it "
				  "covered %llu: this is the past",
				  (ull)covered, (ull)state->records);
	/* Of a trimmed log the verifier may have missed a part; the policy takes that. */
	if (appraisal->log.origin == LOG_TRIMMED)
		return check_tell(true, detail,
				  "records %llu to %llu were trimmed before they were verified",
				  (ull)state->records, (ull)first - 1);
	if (!log_start_value(appraisal, state->value.hash, &value, detail))
		return false;
	if (!value_after(appraisal, state->records - first, &value) ||
	    !verity_digest_equal(&value, &state->value))
		return check_tell(false, detail,
				  "its first %llu records are not those of the last attestation",
				  (ull)state->records);
	return check_tell(true, detail, "%llu records since the last attestation",
			  (ull)(covered - state->records));
}
