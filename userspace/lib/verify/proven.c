// SPDX-License-Identifier: MIT
#include "verify/proven.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "firmware/uki.h"
#include "log/hasher.h"
#include "verity/verity.h"

struct quoted_pcrs {
	const struct evidence_pcr *values;
	size_t count;
};

struct proven_log {
	struct bytes bytes;
	uint64_t records, size;
	enum assay_hash bank;
	const struct uefi_pcrs *pcrs;
	uint32_t pcrs_proven, separated;
	struct firmware_log firmware;
};

/* ---------------------------------------------------------------- the quote */

static const struct assay_digest *find_pcr(const struct evidence_pcr *values, size_t count,
					   enum assay_hash bank, unsigned int index)
{
	for (size_t i = 0; i < count; i++)
		if (values[i].index == index && values[i].value.hash == bank)
			return &values[i].value;
	return NULL;
}

/* TPM2_Quote (Part 3, 18.4): the values in the order of the selection. */
static int digest_values(const struct evidence *evidence, const struct tpm_attest *attest,
			 enum assay_hash hash, struct assay_digest *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer values = { 0 };
	struct hasher hasher;
	int r;

	for (size_t i = 0; i < attest->selection_count; i++)
		for (unsigned int index = 0; index < TPM_PCR_COUNT; index++) {
			const struct assay_digest *value =
				attest->selections[i].mask & 1U << index ?
					find_pcr(evidence->pcrs, evidence->pcr_count,
						 attest->selections[i].bank, index) :
					NULL;

			if (value)
				buffer_append(&values, value->bytes, value->size);
		}
	if (values.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = hasher_open(&hasher, hash, err);
	if (r < 0)
		return r;
	r = hasher_digest(&hasher, buffer_bytes(&values), BYTES(NULL, 0), ret, err);
	hasher_close(&hasher);
	return r;
}

int quoted_pcrs_new(const struct evidence *evidence, const struct tpm_attest *attest,
		    enum assay_hash hash, struct quoted_pcrs **ret, struct assay_error *err)
{
	struct assay_digest digest;
	struct quoted_pcrs *quoted;
	int r = digest_values(evidence, attest, hash, &digest, err);

	if (r < 0)
		return r;
	if (attest->pcr_digest.size != digest.size)
		return assay_fail(
			err, EBADMSG, "the quoted digest has %zu bytes; %s digests have %zu",
			attest->pcr_digest.size, assay_hash_name(digest.hash), digest.size);
	if (!bytes_equal(attest->pcr_digest, BYTES(digest.bytes, digest.size)))
		return assay_fail(err, EBADMSG,
				  "the supplied PCR values do not have the quoted digest");
	quoted = malloc(sizeof(*quoted));
	if (!quoted)
		return assay_fail(err, ENOMEM, "out of memory");
	*quoted = (struct quoted_pcrs){ .values = evidence->pcrs, .count = evidence->pcr_count };
	*ret = quoted;
	return 0;
}

void quoted_pcrs_free(struct quoted_pcrs *quoted)
{
	free(quoted);
}

const struct assay_digest *quoted_pcr(const struct quoted_pcrs *quoted, enum assay_hash bank,
				      unsigned int index)
{
	return find_pcr(quoted->values, quoted->count, bank, index);
}

/* ---------------------------------------------------------------- the logs */

static int proven_log_new(const struct proven_log *from, struct proven_log **ret,
			  struct assay_error *err)
{
	*ret = malloc(sizeof(**ret));
	if (!*ret)
		return assay_fail(err, ENOMEM, "out of memory");
	**ret = *from;
	return 0;
}

static int find_anchor(const struct quoted_pcrs *quoted, const struct replayed_log *log,
		       const struct assay_digest **ret, struct assay_error *err)
{
	*ret = quoted_pcr(quoted, log->bank, log->pcr);
	if (!*ret)
		return assay_fail(err, ENOENT, "PCR %u, which anchors the log, is not quoted",
				  log->pcr);
	return 0;
}

static int prove_replayed(const struct replayed_log *log, const struct replay *replay,
			  enum assay_hash bank, struct proven_log **ret, struct assay_error *err)
{
	const struct proven_log proven = { .bytes = log->bytes,
					   .records = replay->covered,
					   .size = replay->covered_size,
					   .bank = bank };

	return replay->reached ? proven_log_new(&proven, ret, err) : 0;
}

/* There may be nothing new in a log that goes on, or nothing that was quoted yet. */
static void cover_by_start(const struct assay_digest *start, const struct assay_digest *anchor,
			   struct replay *replay)
{
	replay->reached = verity_digest_equal(start, anchor);
	replay->covered = 0;
	replay->covered_size = 0;
}

int proven_assay(const struct quoted_pcrs *quoted, const struct replayed_log *log,
		 const struct assay_digest *start, bool may_be_covered_by_start,
		 struct replay *ret_replay, struct proven_log **ret, struct assay_error *err)
{
	const struct assay_digest *anchor;
	int r = find_anchor(quoted, log, &anchor, err);

	if (r == 0)
		r = replay_assay(log->bytes, log->pcr, start, anchor, ret_replay, err);
	if (r < 0)
		return r;
	if (!ret_replay->reached && may_be_covered_by_start)
		cover_by_start(start, anchor, ret_replay);
	return prove_replayed(log, ret_replay, log->bank, ret, err);
}

int proven_ima(const struct quoted_pcrs *quoted, const struct replayed_log *log,
	       enum assay_hash template_bank, const struct assay_digest *start,
	       struct replay *ret_replay, struct proven_log **ret, struct assay_error *err)
{
	struct assay_digest before = { 0 };
	const struct assay_digest *anchor;
	int r = find_anchor(quoted, log, &anchor, err);

	if (r < 0)
		return r;
	before.hash = anchor->hash;
	before.size = anchor->size;
	if (start)
		before = *start;
	r = replay_ima(log->bytes, template_bank, log->pcr, &before, anchor, ret_replay, err);
	if (r < 0)
		return r;
	if (start && !ret_replay->reached)
		cover_by_start(&before, anchor, ret_replay);
	return prove_replayed(log, ret_replay, template_bank, ret, err);
}

/* The value that the log must replay to; NULL where nothing says it. */
static const struct assay_digest *firmware_anchor(const struct quoted_pcrs *quoted,
						  const struct firmware_before *before,
						  enum assay_hash bank, unsigned int pcr)
{
	if (pcr != before->pcr)
		return quoted_pcr(quoted, bank, pcr);
	for (size_t i = 0; i < before->count; i++)
		if (before->values[i].hash == bank)
			return &before->values[i];
	return NULL;
}

#define OS_SEPARATOR "os-separator"

static int separate(const struct assay_digest *replayed, struct assay_digest *ret,
		    struct assay_error *err)
{
	struct assay_digest word;
	struct hasher hasher;
	int r = hasher_open(&hasher, replayed->hash, err);

	if (r < 0)
		return r;
	*ret = *replayed;
	r = hasher_digest(&hasher, BYTES((const uint8_t *)OS_SEPARATOR, strlen(OS_SEPARATOR)),
			  BYTES(NULL, 0), &word, err);
	if (r == 0)
		r = hasher_extend(&hasher, ret, BYTES(word.bytes, word.size), err);
	hasher_close(&hasher);
	return r;
}

/* Is PCR 11 what the log replays to, with words of systemd's phases behind it? */
static int reaches_phase(const struct assay_digest *replayed, const struct assay_digest *found,
			 struct firmware_replay *replay, bool *ret, struct assay_error *err)
{
	for (uint32_t words = 1; words < UINT32_C(1) << UKI_PHASE_WORDS && !*ret; words++) {
		struct assay_digest value = *replayed;
		int r = uki_pcr_words(words, &value, err);

		if (r < 0)
			return r;
		*ret = verity_digest_equal(found, &value);
		if (*ret)
			replay->phases = words;
	}
	return 0;
}

/* Is a PCR what the log replays to, with what systemd puts behind it or without? */
static int reaches(const struct assay_digest *replayed, const struct assay_digest *found,
		   unsigned int pcr, struct firmware_replay *replay, bool *ret,
		   struct assay_error *err)
{
	struct assay_digest separated;
	int r;

	*ret = verity_digest_equal(found, replayed);
	if (!*ret && pcr == FIRMWARE_PHASES_PCR)
		return reaches_phase(replayed, found, replay, ret, err);
	if (*ret || !(FIRMWARE_SEPARATED_PCRS & 1U << pcr))
		return 0;
	r = separate(replayed, &separated, err);
	if (r == 0 && verity_digest_equal(found, &separated)) {
		*ret = true;
		replay->separated |= 1U << pcr;
	}
	return r;
}

static int replay_firmware_bank(const struct quoted_pcrs *quoted, const struct uefi_pcrs *pcrs,
				enum assay_hash bank, const struct verify_policy *policy,
				const struct firmware_before *before,
				struct firmware_replay *replay, uint32_t *ret_proven,
				struct assay_error *err)
{
	bool counts = (policy->algorithms & verify_algorithm_bit(bank)) != 0;
	/* Without an event, those of the firmware's own, and those of a rule, are as at reset. */
	uint32_t whole = ((1U << FIRMWARE_PCRS) - 1) | pcrs->extended |
			 firmware_rules_pcrs(&policy->firmware);

	*ret_proven = 0;
	for (unsigned int pcr = 0; pcr < UEFI_PCR_COUNT; pcr++) {
		const struct assay_digest *found = firmware_anchor(quoted, before, bank, pcr);
		const struct assay_digest *replayed = uefi_pcrs_value(pcrs, bank, pcr);
		uint32_t bit = 1U << pcr;
		bool reached;
		int r;

		/* Of an event without a digest of this bank, the bank says nothing. */
		if (!found || !uefi_pcrs_complete(pcrs, bank, pcr))
			continue;
		r = reaches(replayed, found, pcr, replay, &reached, err);
		if (r < 0)
			return r;
		if (!(whole & bit))
			continue;
		if (reached) {
			*ret_proven |= counts ? bit : 0;
		} else if (policy->uefi_extended_later & bit) {
			replay->later |= bit;
		} else if (replay->differs == ASSAY_HASH_NONE) {
			replay->differs = bank;
			replay->pcr = pcr;
			replay->found = *found;
			replay->replayed = *replayed;
		}
	}
	return 0;
}

int proven_firmware(const struct quoted_pcrs *quoted, struct bytes log,
		    const struct uefi_pcrs *pcrs, const struct verify_policy *policy,
		    const struct firmware_before *before, struct firmware_replay *ret_replay,
		    struct proven_log **ret, struct assay_error *err)
{
	struct firmware_replay replay = { 0 };
	struct proven_log proven = { .pcrs = pcrs, .firmware = { .log = log } };
	struct firmware_log *firmware = &proven.firmware;

	for (size_t i = 0; i < pcrs->bank_count; i++) {
		firmware->banks[i].hash = pcrs->banks[i].hash;
		int r = replay_firmware_bank(quoted, pcrs, pcrs->banks[i].hash, policy, before,
					     &replay, &firmware->banks[i].pcrs, err);

		if (r < 0)
			return r;
		replay.proven |= firmware->banks[i].pcrs;
	}
	firmware->bank_count = pcrs->bank_count;
	replay.proven &= ~replay.later;
	for (size_t i = 0; i < firmware->bank_count; i++)
		firmware->banks[i].pcrs &= replay.proven;
	firmware->separated = replay.separated;
	firmware->phases = replay.phases;
	*ret_replay = replay;
	proven.pcrs_proven = replay.proven;
	proven.separated = replay.separated;
	if (replay.proven == 0 || replay.differs != ASSAY_HASH_NONE)
		return 0;
	return proven_log_new(&proven, ret, err);
}

void proven_log_free(struct proven_log *log)
{
	free(log);
}

struct bytes proven_bytes(const struct proven_log *log)
{
	return log->bytes;
}

uint64_t proven_size(const struct proven_log *log)
{
	return log->size;
}

uint64_t proven_records(const struct proven_log *log)
{
	return log->records;
}

enum assay_hash proven_bank(const struct proven_log *log)
{
	return log->bank;
}

const struct uefi_pcrs *proven_pcrs(const struct proven_log *log, uint32_t *ret_proven)
{
	*ret_proven = log->pcrs_proven;
	return log->pcrs;
}

uint32_t proven_separated(const struct proven_log *log)
{
	return log->separated;
}

const struct firmware_log *proven_firmware_log(const struct proven_log *log)
{
	return &log->firmware;
}
