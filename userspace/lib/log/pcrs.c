// SPDX-License-Identifier: MIT
#include "log/pcrs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/cel_content.h"
#include "log/ima_digests.h"
#include "log/uefi_internal.h"

char *pcrs_register_name(unsigned int number, char name[PCRS_NAME_MAX])
{
	if (number == PCRS_CC + UEFI_CC_MRTD)
		snprintf(name, PCRS_NAME_MAX, "MRTD");
	else if (number >= PCRS_CC)
		snprintf(name, PCRS_NAME_MAX, "RTMR%u", number - PCRS_CC - 1);
	else
		snprintf(name, PCRS_NAME_MAX, "PCR %u", number);
	return name;
}

/* ---------------------------------------------------------------- banks */

static int add_bank(struct pcrs *pcrs, enum assay_hash hash, struct assay_error *err)
{
	size_t size = assay_hash_size(hash);

	if (size == 0)
		return assay_fail(err, EINVAL, "there is no PCR bank of algorithm 0x%04x",
				  (unsigned int)hash);
	for (size_t i = 0; i < pcrs->bank_count; i++)
		if (pcrs->banks[i].hash == hash)
			return 0;
	pcrs->banks[pcrs->bank_count].hash = hash;
	for (size_t pcr = 0; pcr < PCRS_REGISTERS; pcr++) {
		struct assay_digest *value = &pcrs->banks[pcrs->bank_count].values[pcr];

		value->hash = hash;
		value->size = size;
	}
	/* As many as enum assay_hash has names for: there is room for all. */
	pcrs->bank_count++;
	return 0;
}

static int check_value(unsigned int pcr, const struct assay_digest *value, struct assay_error *err)
{
	char name[PCRS_NAME_MAX];

	if (pcr < PCRS_REGISTERS && value->size == assay_hash_size(value->hash))
		return 0;
	return assay_fail(err, EINVAL, "%s has no value of %zu bytes",
			  pcrs_register_name(pcr, name), value->size);
}

static int begin_pcrs(const struct pcrs_request *request, struct pcrs *pcrs,
		      struct assay_error *err)
{
	int r = 0;

	*pcrs = (struct pcrs){ 0 };
	if (request->bank_count > HASHERS_MAX)
		return assay_fail(err, EINVAL, "%d banks can be replayed at a time", HASHERS_MAX);
	for (size_t i = 0; i < request->bank_count && r == 0; i++)
		r = add_bank(pcrs, request->banks[i], err);
	for (size_t i = 0; i < request->expected_count && r == 0; i++) {
		struct pcrs_expected *expected = &request->expected[i];

		expected->reached = false;
		expected->after = 0;
		r = check_value(expected->pcr, &expected->value, err);
		if (r == 0)
			r = add_bank(pcrs, expected->value.hash, err);
	}
	for (size_t i = 0; i < request->start_count && r == 0; i++) {
		r = check_value(request->starts[i].pcr, &request->starts[i].value, err);
		if (r == 0)
			r = add_bank(pcrs, request->starts[i].value.hash, err);
	}
	return r;
}

/* An entry's extend was applied: is it an expected value? */
static void look_for_expected(const struct pcrs_request *request, unsigned int pcr,
			      const struct assay_digest *value, uint64_t after)
{
	for (size_t i = 0; i < request->expected_count; i++) {
		struct pcrs_expected *expected = &request->expected[i];

		if (expected->pcr != pcr || expected->value.hash != value->hash ||
		    expected->reached ||
		    memcmp(expected->value.bytes, value->bytes, value->size) != 0)
			continue;
		expected->reached = true;
		expected->after = after;
	}
}

static int extend_pcr(const struct pcrs_request *request, struct hashers *hashers,
		      struct pcrs *pcrs, size_t bank, uint32_t pcr, const uint8_t *digest,
		      struct assay_error *err)
{
	struct assay_digest *value;
	struct hasher *hasher;
	int r;

	if (pcr >= PCRS_REGISTERS)
		return assay_fail(err, EINVAL, "there is no PCR %" PRIu32, pcr);
	value = &pcrs->banks[bank].values[pcr];
	hasher = hashers_get(hashers, value->hash, err);
	if (!hasher)
		return -EIO;
	r = hasher_extend(hasher, value, BYTES(digest, value->size), err);
	if (r < 0)
		return r;
	pcrs->banks[bank].extended |= UINT32_C(1) << pcr;
	look_for_expected(request, pcr, value, pcrs->entries);
	return 0;
}

/* Only the first is told in words; the others are counted. */
static void note_problem(struct pcrs *pcrs, const char *what, uint64_t number, uint64_t offset,
			 const char *problem)
{
	if (pcrs->problems++ == 0)
		snprintf(pcrs->problem, sizeof(pcrs->problem),
			 "%s %" PRIu64 " at offset %" PRIu64 ": %s", what, number, offset, problem);
}

/* ---------------------------------------------------------------- IMA */

static int extend_ima(const struct pcrs_request *request, struct hashers *hashers,
		      struct pcrs *pcrs, const struct ima_digested *entry, struct assay_error *err)
{
	static const uint8_t ones[ASSAY_DIGEST_MAX] = {
		[0 ... ASSAY_DIGEST_MAX - 1] = 0xff,
	};
	int r = 0;

	pcrs->entries++;
	pcrs->violations += entry->frame->violation;
	for (size_t i = 0; i < pcrs->bank_count && r == 0; i++)
		r = extend_pcr(request, hashers, pcrs, i, entry->frame->pcr,
			       entry->frame->violation ? ones : entry->digests[i], err);
	return r;
}

int pcrs_of_ima(struct bytes list, enum assay_hash template_bank, struct pcrs_request *request,
		struct pcrs *ret, struct assay_error *err)
{
	enum assay_hash hashes[HASHERS_MAX];
	struct ima_digests *digests = NULL;
	struct hashers hashers = { 0 };
	struct ima_digested entry;
	size_t compared = 0, count;
	int r = begin_pcrs(request, ret, err);

	if (r == 0 && list.size == 0)
		r = assay_fail(err, ENODATA, "the list has no bytes");
	if (r == 0 && ret->bank_count == 0)
		r = add_bank(ret, template_bank, err);
	if (r < 0)
		return r;
	for (count = 0; count < ret->bank_count; count++)
		hashes[count] = ret->banks[count].hash;
	while (compared < count && hashes[compared] != template_bank)
		compared++;
	/* There is room: else all are there. */
	if (compared == count)
		hashes[count++] = template_bank;
	r = ima_digests_new(list, template_bank, hashes, count, &digests, err);
	while (r == 0 && (r = ima_digests_next(digests, &entry, err)) > 0) {
		if (!entry.frame->violation &&
		    memcmp(entry.digests[compared], entry.frame->template_digest,
			   assay_hash_size(template_bank)) != 0)
			note_problem(ret, "entry", ret->entries, entry.frame->offset,
				     "its template digest is not that of its data");
		r = extend_ima(request, &hashers, ret, &entry, err);
	}
	ima_digests_free(digests);
	hashers_close(&hashers);
	return r;
}

/* ---------------------------------------------------------------- CEL */

static void set_values(const struct assay_digest *values, size_t count, uint32_t pcr,
		       struct pcrs *pcrs)
{
	for (size_t i = 0; i < count; i++)
		for (size_t bank = 0; bank < pcrs->bank_count; bank++)
			if (pcrs->banks[bank].hash == values[i].hash)
				pcrs->banks[bank].values[pcr] = values[i];
}

/* Does this record of assay's tell what the PCR was before the first one of this log? */
static bool tells_start(const struct assay_content *content, uint64_t first, bool at_start)
{
	return content->pcr_value_count > 0 &&
	       ((content->kind == ASSAY_KIND_START && at_start) ||
		(content->kind == ASSAY_KIND_TPM && first == 0) ||
		(content->kind == ASSAY_KIND_TRIM && content->trim.recnum == first));
}

/* What records, and the request, say of the PCRs' values before the first one of this log. */
static int start_values(struct bytes log, const struct pcrs_request *request, struct pcrs *pcrs,
			struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	bool at_start = true;
	int r;

	cel_begin(&reader, log, 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		struct assay_content content;

		if (at_start)
			pcrs->first_record = record.recnum;
		if (record.type == ASSAY_CEL_CONTENT && record.pcr < PCRS_COUNT &&
		    assay_content_parse(&record, &content, NULL) == 0 &&
		    tells_start(&content, pcrs->first_record, at_start)) {
			set_values(content.pcr_values, content.pcr_value_count, record.pcr, pcrs);
			pcrs->start_told = true;
		}
		at_start = false;
	}
	for (size_t i = 0; i < request->start_count; i++) {
		set_values(&request->starts[i].value, 1, request->starts[i].pcr, pcrs);
		pcrs->start_told = true;
	}
	return r;
}

/* The banks that records have digests of; those that were asked for must be among them. */
static int find_cel_banks(struct bytes log, struct pcrs *pcrs, struct assay_error *err)
{
	bool all = pcrs->bank_count == 0;
	struct cel_reader reader;
	struct cel_record record;
	bool found[HASHERS_MAX] = { false };
	int r;

	cel_begin(&reader, log, 0);
	while ((r = cel_next(&reader, &record, err)) > 0)
		for (size_t i = 0; i < record.digest_count; i++) {
			if (assay_hash_size(record.digests[i].hash) == 0)
				continue;
			if (all && add_bank(pcrs, record.digests[i].hash, err) < 0)
				return -EINVAL;
			for (size_t bank = 0; bank < pcrs->bank_count; bank++)
				found[bank] |= pcrs->banks[bank].hash == record.digests[i].hash;
		}
	if (r < 0)
		return r;
	if (pcrs->bank_count == 0)
		return assay_fail(err, ENOTSUP, "no record has a digest of a known algorithm");
	for (size_t bank = 0; bank < pcrs->bank_count; bank++)
		if (!found[bank])
			return assay_fail(err, EBADMSG,
					  "no record has a %s digest: that bank cannot be replayed",
					  assay_hash_name(pcrs->banks[bank].hash));
	return 0;
}

/**
 * struct cel_replay - a log in CEL on its way
 * @firmware: what the firmware's events among its records say of those that follow
 * @expected: number of the next record
 */
struct cel_replay {
	const struct pcrs_request *request;
	struct pcrs *pcrs;
	struct hashers hashers;
	struct uefi_reader firmware;
	uint64_t expected;
};

static bool start_is_given(const struct pcrs_request *request, unsigned int pcr,
			   enum assay_hash hash)
{
	for (size_t i = 0; i < request->start_count; i++)
		if (request->starts[i].pcr == pcr && request->starts[i].value.hash == hash)
			return true;
	return false;
}

/* The rules of a firmware's log are those of its events, wherever they are kept. */
static int check_firmware(struct cel_replay *replay, const struct cel_record *record,
			  struct assay_error *err)
{
	struct uefi_event event = { .number = replay->firmware.number,
				    .offset = record->offset,
				    .pcr = record->pcr,
				    .digest_count = record->digest_count };
	struct pcrs *pcrs = replay->pcrs;
	int r;

	if (record->type != CEL_PCCLIENT_STD || record->pcr >= PCRS_COUNT ||
	    cel_pcclient_parse(record, &event.type, &event.data, NULL) < 0)
		return 0;
	memcpy(event.digests, record->digests, sizeof(record->digests));
	event.extended = event.type != UEFI_EV_NO_ACTION;
	r = uefi_check_event(&replay->firmware, &event, err);
	if (r < 0)
		return r;
	replay->firmware.number++;
	event.number = record->recnum;
	uefi_note_rules(&event, &pcrs->rules, pcrs->broken);
	for (size_t i = 0; i < pcrs->bank_count; i++) {
		struct assay_digest *value = &pcrs->banks[i].values[0];

		if (!(pcrs->banks[i].extended & 1) &&
		    !start_is_given(replay->request, 0, value->hash))
			value->bytes[value->size - 1] = replay->firmware.locality;
	}
	return 0;
}

static void note_gap(struct cel_replay *replay, const struct cel_record *record)
{
	struct pcrs *pcrs = replay->pcrs;

	if (pcrs->entries > 0 && record->recnum != replay->expected && pcrs->gaps++ == 0) {
		pcrs->gap_after = replay->expected - 1;
		pcrs->gap_at = record->recnum;
	}
	replay->expected = record->recnum + 1;
}

/* What the record was extended into: false where it is no register that is replayed. */
static bool cel_register(const struct cel_record *record, uint32_t *ret)
{
	if (record->register_type == ASSAY_CEL_PCR) {
		*ret = record->pcr;
		return record->pcr < PCRS_COUNT;
	}
	if (record->register_type != CEL_CCMR || record->register_number >= UEFI_CC_COUNT ||
	    record->register_number == UEFI_CC_MRTD)
		return false;
	*ret = PCRS_CC + record->register_number;
	return true;
}

static int extend_cel(struct cel_replay *replay, const struct cel_record *record,
		      struct assay_error *err)
{
	struct pcrs *pcrs = replay->pcrs;
	struct assay_digest digest;
	struct assay_error problem;
	uint32_t number = 0;
	bool match, known = cel_register(record, &number);
	int r;

	note_gap(replay, record);
	pcrs->entries++;
	pcrs->others += !known;
	r = cel_digests_check(record, &replay->hashers, &match, err);
	if (r < 0)
		return r;
	if (cel_content_check(record, &problem) < 0)
		note_problem(pcrs, "record", record->recnum, record->offset, problem.text);
	else if (!match)
		note_problem(pcrs, "record", record->recnum, record->offset,
			     "its digest is not that of its content");
	r = check_firmware(replay, record, err);
	for (size_t i = 0; r >= 0 && i < pcrs->bank_count && known; i++) {
		r = cel_record_extend_digest(record, pcrs->banks[i].hash, &digest);
		if (r == -ENODATA) {
			pcrs->banks[i].incomplete |= UINT32_C(1) << number;
			r = 0;
		} else if (r > 0) {
			r = extend_pcr(replay->request, &replay->hashers, pcrs, i, number,
				       digest.bytes, err);
		}
	}
	return r;
}

int pcrs_of_cel(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		struct assay_error *err)
{
	struct cel_replay replay = { .request = request, .pcrs = ret };
	struct cel_reader reader;
	struct cel_record record;
	int r = begin_pcrs(request, ret, err);

	if (r == 0 && log.size == 0)
		r = assay_fail(err, ENODATA, "the log has no bytes");
	if (r == 0)
		r = find_cel_banks(log, ret, err);
	if (r == 0)
		r = start_values(log, request, ret, err);
	if (r < 0)
		return r;
	cel_begin(&reader, log, 0);
	while (r == 0 && (r = cel_next(&reader, &record, err)) > 0)
		r = extend_cel(&replay, &record, err);
	hashers_close(&replay.hashers);
	hashers_close(&replay.firmware.hashers);
	return r;
}

/* ---------------------------------------------------------------- firmware */

/* Values that are not those at the end: did they come up before? */
static int find_prefixes(struct bytes log, bool cc, const struct pcrs_request *request,
			 struct assay_error *err)
{
	for (size_t i = 0; i < request->expected_count; i++) {
		struct pcrs_expected *expected = &request->expected[i];
		struct uefi_prefix prefix;
		int r;

		if (expected->reached)
			continue;
		if (cc != (expected->pcr >= PCRS_CC))
			continue;
		r = cc ? uefi_find_prefix_cc(log, expected->pcr - PCRS_CC, &expected->value,
					     &prefix, err) :
			 uefi_find_prefix(log, expected->pcr, &expected->value, &prefix, err);
		if (r < 0)
			return r;
		if (prefix.reached && prefix.covered > 0)
			expected->after = prefix.number;
	}
	return 0;
}

/* Of one bank: @from is where the log's registers are among ours. */
static int take_firmware_bank(const struct uefi_pcrs *replayed, bool cc,
			      const struct pcrs_request *request, struct pcrs *pcrs, size_t index,
			      struct assay_error *err)
{
	unsigned int from = cc ? PCRS_CC : 0, count = cc ? UEFI_CC_COUNT : PCRS_COUNT;
	size_t bank = 0;

	while (bank < replayed->bank_count && replayed->banks[bank].hash != pcrs->banks[index].hash)
		bank++;
	if (bank == replayed->bank_count)
		return assay_fail(err, EBADMSG,
				  "the log has no %s digests: that bank cannot be replayed",
				  assay_hash_name(pcrs->banks[index].hash));
	pcrs->banks[index].extended = replayed->banks[bank].extended << from;
	pcrs->banks[index].incomplete = replayed->banks[bank].incomplete << from;
	for (unsigned int i = 0; i < count; i++) {
		pcrs->banks[index].values[from + i] = replayed->banks[bank].values[i];
		look_for_expected(request, from + i, &replayed->banks[bank].values[i],
				  replayed->events);
	}
	return 0;
}

static int pcrs_of_firmware(struct bytes log, bool cc, struct pcrs_request *request,
			    struct pcrs *ret, struct assay_error *err)
{
	struct uefi_pcrs replayed;
	int r = begin_pcrs(request, ret, err);

	if (r == 0)
		r = cc ? uefi_replay_cc(log, &replayed, err) : uefi_replay(log, &replayed, err);
	if (r != 0)
		return r;
	if (ret->bank_count == 0)
		for (size_t i = 0; i < replayed.bank_count && r == 0; i++)
			r = add_bank(ret, replayed.banks[i].hash, err);
	if (r != 0)
		return r;
	ret->entries = replayed.events;
	ret->rules = replayed.rules;
	memcpy(ret->broken, replayed.broken, sizeof(ret->broken));
	for (size_t i = 0; i < ret->bank_count && r == 0; i++)
		r = take_firmware_bank(&replayed, cc, request, ret, i, err);
	return r < 0 ? r : find_prefixes(log, cc, request, err);
}

int pcrs_of_uefi(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		 struct assay_error *err)
{
	return pcrs_of_firmware(log, false, request, ret, err);
}

int pcrs_of_cc(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
	       struct assay_error *err)
{
	return pcrs_of_firmware(log, true, request, ret, err);
}
