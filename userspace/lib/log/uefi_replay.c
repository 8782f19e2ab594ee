// SPDX-License-Identifier: MIT
/* What PCRs the firmware's event log comes to. */
#include <errno.h>
#include <string.h>

#include "log/uefi_internal.h"

static void begin_values(const struct uefi_reader *reader, struct uefi_pcrs *pcrs)
{
	for (size_t i = 0; i < reader->bank_count; i++) {
		enum assay_hash hash = reader->banks[i].hash;

		if (assay_hash_size(hash) == 0 || !reader->banks[i].used)
			continue;
		pcrs->banks[pcrs->bank_count].hash = hash;
		for (size_t pcr = 0; pcr < UEFI_PCR_COUNT; pcr++)
			pcrs->banks[pcrs->bank_count].values[pcr] =
				(struct assay_digest){ .hash = hash,
						       .size = assay_hash_size(hash) };
		pcrs->bank_count++;
	}
}

/* TPM2_Startup from a locality: it is the last byte of PCR 0, and of that alone. */
static void start_pcr_0(const struct uefi_reader *reader, struct uefi_pcrs *pcrs)
{
	for (size_t i = 0; i < pcrs->bank_count && !(pcrs->extended & UEFI_PCR_BIT(0)); i++) {
		struct assay_digest *value = &pcrs->banks[i].values[0];

		value->bytes[value->size - 1] = reader->locality;
	}
}

static int extend_banks(struct uefi_reader *reader, const struct uefi_event *event,
			struct uefi_pcrs *pcrs, struct assay_error *err)
{
	for (size_t i = 0; i < pcrs->bank_count; i++) {
		struct assay_digest *value = &pcrs->banks[i].values[event->pcr];
		const struct assay_digest *digest = uefi_event_digest(event, value->hash);
		struct hasher *hasher;
		int r;

		if (!digest) {
			pcrs->banks[i].incomplete |= UEFI_PCR_BIT(event->pcr);
			continue;
		}
		pcrs->banks[i].extended |= UEFI_PCR_BIT(event->pcr);
		hasher = hashers_get(&reader->hashers, value->hash, err);
		if (!hasher)
			return -EIO;
		r = hasher_extend(hasher, value, BYTES(digest->bytes, digest->size), err);
		if (r < 0)
			return r;
	}
	pcrs->extended |= UEFI_PCR_BIT(event->pcr);
	return 0;
}

/* Goes through a log; @after, if any, is told after each event that was extended. */
static int replay_log(struct bytes log, bool cc, struct uefi_pcrs *pcrs,
		      void (*after)(void *context, const struct uefi_event *event,
				    const struct uefi_pcrs *pcrs),
		      void *context, struct assay_error *err)
{
	struct uefi_reader reader;
	struct uefi_event event;
	int r = cc ? uefi_open_cc(&reader, log, err) : uefi_open(&reader, log, err);

	if (r < 0)
		return r;
	*pcrs = (struct uefi_pcrs){ 0 };
	begin_values(&reader, pcrs);
	if (pcrs->bank_count == 0)
		r = assay_fail(err, ENOTSUP, "the firmware's log has no bank of a known algorithm");
	while (r == 0 && (r = uefi_next(&reader, &event, err)) > 0) {
		uefi_note_rules(&event, &pcrs->rules, pcrs->broken);
		start_pcr_0(&reader, pcrs);
		r = event.extended ? extend_banks(&reader, &event, pcrs, err) : 0;
		if (r == 0 && event.extended && after)
			after(context, &event, pcrs);
	}
	pcrs->events = reader.number;
	uefi_close(&reader);
	return r;
}

static int replay_kind(struct bytes log, bool cc, struct uefi_pcrs *ret, struct assay_error *err)
{
	struct uefi_pcrs pcrs;
	int r = replay_log(log, cc, &pcrs, NULL, NULL, err);

	if (r == 0)
		*ret = pcrs;
	return r;
}

int uefi_replay(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err)
{
	return replay_kind(log, false, ret, err);
}

int uefi_replay_cc(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err)
{
	return replay_kind(log, true, ret, err);
}

static size_t bank_of(const struct uefi_pcrs *pcrs, enum assay_hash bank)
{
	size_t i = 0;

	while (i < pcrs->bank_count && pcrs->banks[i].hash != bank)
		i++;
	return i;
}

const struct assay_digest *uefi_pcrs_value(const struct uefi_pcrs *pcrs, enum assay_hash bank,
					   unsigned int pcr)
{
	size_t i = bank_of(pcrs, bank);

	return i < pcrs->bank_count && pcr < UEFI_PCR_COUNT ? &pcrs->banks[i].values[pcr] : NULL;
}

bool uefi_pcrs_complete(const struct uefi_pcrs *pcrs, enum assay_hash bank, unsigned int pcr)
{
	size_t i = bank_of(pcrs, bank);

	return i < pcrs->bank_count && pcr < UEFI_PCR_COUNT &&
	       !(pcrs->banks[i].incomplete & UEFI_PCR_BIT(pcr));
}

enum uefi_rule uefi_pcrs_first_rule(const struct uefi_pcrs *pcrs, uint32_t rules)
{
	enum uefi_rule first = UEFI_RULES;

	for (unsigned int rule = 0; rule < UEFI_RULES; rule++)
		if ((pcrs->rules & rules & UEFI_RULE_BIT(rule)) &&
		    (first == UEFI_RULES || pcrs->broken[rule].number < pcrs->broken[first].number))
			first = (enum uefi_rule)rule;
	return first;
}

/* ---------------------------------------------------------------- how far a value covers it */

/* struct search - what uefi_find_prefix() looks for, and what it has found */
struct search {
	unsigned int pcr;
	const struct assay_digest *value;
	struct uefi_prefix found;
};

static bool same_value(const struct assay_digest *a, const struct assay_digest *b)
{
	return bytes_equal(BYTES(a->bytes, a->size), BYTES(b->bytes, b->size));
}

static void search_after(void *context, const struct uefi_event *event,
			 const struct uefi_pcrs *pcrs)
{
	struct search *search = context;
	struct uefi_prefix *found = &search->found;

	if (event->pcr != search->pcr)
		return;
	/* The first behind those that are covered so far. */
	if (found->events == found->covered) {
		found->number = event->number;
		found->offset = event->offset;
	}
	found->events++;
	/* What was not extended is not covered. */
	if (!uefi_event_digest(event, search->value->hash) ||
	    !same_value(uefi_pcrs_value(pcrs, search->value->hash, search->pcr), search->value))
		return;
	found->reached = true;
	found->covered = found->events;
}

static int find_prefix(struct bytes log, bool cc, unsigned int pcr,
		       const struct assay_digest *value, struct uefi_prefix *ret,
		       struct assay_error *err)
{
	struct search search = { .pcr = pcr, .value = value };
	struct uefi_pcrs pcrs;
	int r;

	if (pcr >= UEFI_PCR_COUNT)
		return assay_fail(err, EINVAL, "there is no PCR %u", pcr);
	search.found.reached = bytes_are_zero(BYTES(value->bytes, value->size));
	r = replay_log(log, cc, &pcrs, search_after, &search, err);
	if (r < 0)
		return r;
	if (!uefi_pcrs_value(&pcrs, value->hash, pcr))
		return assay_fail(err, EINVAL, "the log has no %s digests",
				  assay_hash_size(value->hash) ? assay_hash_name(value->hash) :
								 "such");
	*ret = search.found;
	return 0;
}

int uefi_find_prefix(struct bytes log, unsigned int pcr, const struct assay_digest *value,
		     struct uefi_prefix *ret, struct assay_error *err)
{
	return find_prefix(log, false, pcr, value, ret, err);
}

int uefi_find_prefix_cc(struct bytes log, unsigned int mr, const struct assay_digest *value,
			struct uefi_prefix *ret, struct assay_error *err)
{
	return find_prefix(log, true, mr, value, ret, err);
}
