// SPDX-License-Identifier: MIT
#include "verify/log_start.h"

#include <string.h>

_Static_assert(EVIDENCE_MAX_BANKS <= CEL_MAX_DIGESTS, "room for a value of each bank");

void log_facts_add(struct log_facts *facts, const struct cel_record *record,
		   const struct assay_content *content, bool first)
{
	uint64_t end = record->offset + record->size;

	if (first)
		facts->first = record->recnum;
	switch (content->kind) {
	case ASSAY_KIND_START:
		facts->has_start |= first;
		facts->later_starts += !first;
		facts->kernel = *content;
		facts->boots_end = end;
		if (first)
			facts->start = *content;
		break;
	case ASSAY_KIND_KEXEC:
		facts->kexecs++;
		facts->kernel = *content;
		facts->boots_end = end;
		break;
	case ASSAY_KIND_TPM:
		facts->tpms++;
		facts->tpm = *content;
		facts->tpm_recnum = record->recnum;
		facts->boots_end = end;
		break;
	case ASSAY_KIND_TRIM:
		/* The log may have been trimmed again while the evidence was collected. */
		if (facts->trim_end > 0 && facts->trim.trim.recnum == facts->first)
			break;
		facts->trim = *content;
		facts->trim_end = end;
		break;
	default:
		break;
	}
}

static void set_values(struct log_start *start, const struct assay_digest *values, size_t count)
{
	memcpy(start->values, values, count * sizeof(*values));
	start->value_count = count;
}

/*
 * A TPM reset counts resetCount, a TPM restart, which zeroes the PCRs as well, only
 * restartCount (Part 1, 12.2.3); so does a resume from suspend to RAM, which keeps them.
 */
bool log_same_tpm_boot(const struct verify_state *state, const struct tpm_attest *attest,
		       const struct verify_policy *policy)
{
	return state && state->reset_count == attest->reset_count &&
	       (state->restart_count == attest->restart_count || policy->suspend);
}

static bool may_go_on(const struct verify_state *state, bool goes_on)
{
	return state->value.size > 0 && (state->references.size == 0 || goes_on);
}

static enum log_origin find_origin(const struct log_start *start, const struct log_facts *facts,
				   const struct verify_state *state,
				   const struct verify_policy *policy, bool goes_on)
{
	if (start->recnum == 0)
		return LOG_WHOLE;
	if (start->same_tpm_boot && may_go_on(state, goes_on) && start->recnum <= state->records)
		return LOG_CONTINUED;
	if (policy->trimmed && facts->trim_end > 0 && facts->trim.trim.recnum == start->recnum)
		return LOG_TRIMMED;
	return LOG_UNKNOWN;
}

void log_start_find(const struct log_facts *facts, const struct evidence *evidence,
		    const struct tpm_attest *attest, const struct verify_state *state,
		    const struct verify_policy *policy, bool goes_on, struct log_start *ret)
{
	/* Where a TPM came late, its record has what START could not say. */
	const struct assay_content *whole =
		facts->start.pcr_value_count > 0 ? &facts->start : &facts->tpm;
	struct log_start start = {
		.recnum = evidence->assay_first,
		.same_tpm_boot = log_same_tpm_boot(state, attest, policy),
		/* What a log that was cut does not say is taken for the worse. */
		.late_tpm = true,
		.writable = true,
	};

	start.origin = find_origin(&start, facts, state, policy, goes_on);
	switch (start.origin) {
	case LOG_WHOLE:
		set_values(&start, whole->pcr_values, whole->pcr_value_count);
		start.from_zeros = true;
		start.boot_id = facts->start.start.boot_id;
		start.late_tpm = facts->tpms > 0;
		break;
	case LOG_CONTINUED:
		start.late_tpm = state->late_tpm;
		start.protection_known = true;
		start.writable = state->writable;
		start.by_state = true;
		if (start.recnum < state->records) {
			set_values(&start, evidence->assay_start, evidence->assay_start_count);
			break;
		}
		set_values(&start, &state->value, 1);
		start.boot_id = BYTES((const uint8_t *)state->boot_id, strlen(state->boot_id));
		break;
	case LOG_TRIMMED:
		set_values(&start, facts->trim.pcr_values, facts->trim.pcr_value_count);
		break;
	case LOG_UNKNOWN:
		break;
	}
	if (facts->kernel.kind != 0) {
		start.protection_known = true;
		start.writable = !assay_is_protected(facts->kernel.start.protection);
		start.by_state = false;
	}
	*ret = start;
}

bool log_start_value(const struct log_start *start, enum assay_hash bank, struct assay_digest *ret)
{
	*ret = (struct assay_digest){ .hash = bank, .size = assay_hash_size(bank) };
	for (size_t i = 0; i < start->value_count; i++) {
		if (start->values[i].hash != bank)
			continue;
		*ret = start->values[i];
		return true;
	}
	return start->from_zeros;
}
