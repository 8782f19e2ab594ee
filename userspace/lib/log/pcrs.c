// SPDX-License-Identifier: MIT
#include "log/pcrs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/cel.h"
#include "log/ima_digests.h"

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
	for (size_t pcr = 0; pcr < PCRS_COUNT; pcr++) {
		struct assay_digest *value = &pcrs->banks[pcrs->bank_count].values[pcr];

		value->hash = hash;
		value->size = size;
	}
	/* As many as enum assay_hash has names for: there is room for all. */
	pcrs->bank_count++;
	return 0;
}

static int begin(const struct pcrs_request *request, struct pcrs *pcrs, struct assay_error *err)
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
		if (expected->pcr >= PCRS_COUNT ||
		    expected->value.size != assay_hash_size(expected->value.hash))
			r = assay_fail(err, EINVAL, "PCR %u has no value of %zu bytes",
				       expected->pcr, expected->value.size);
		else
			r = add_bank(pcrs, expected->value.hash, err);
	}
	return r;
}

/* An entry's extend was applied: is it an expected value? */
static void look_for(const struct pcrs_request *request, unsigned int pcr,
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

static int extend(const struct pcrs_request *request, struct hashers *hashers, struct pcrs *pcrs,
		  size_t bank, uint32_t pcr, const uint8_t *digest, struct assay_error *err)
{
	struct assay_digest *value;
	struct hasher *hasher;
	int r;

	if (pcr >= PCRS_COUNT)
		return assay_fail(err, EINVAL, "there is no PCR %" PRIu32, pcr);
	value = &pcrs->banks[bank].values[pcr];
	hasher = hashers_get(hashers, value->hash, err);
	if (!hasher)
		return -EIO;
	r = hasher_extend(hasher, value, BYTES(digest, value->size), err);
	if (r < 0)
		return r;
	pcrs->banks[bank].extended |= UINT32_C(1) << pcr;
	look_for(request, pcr, value, pcrs->entries);
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
		r = extend(request, hashers, pcrs, i, entry->frame->pcr,
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
	int r = begin(request, ret, err);

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

static void set_values(const struct assay_content *content, uint32_t pcr, struct pcrs *pcrs)
{
	for (size_t i = 0; i < content->pcr_value_count; i++)
		for (size_t bank = 0; bank < pcrs->bank_count; bank++)
			if (pcrs->banks[bank].hash == content->pcr_values[i].hash)
				pcrs->banks[bank].values[pcr] = content->pcr_values[i];
}

/* What records say of the PCR's value before the first one of this log. */
static int start_values(struct bytes log, struct pcrs *pcrs, struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	uint64_t first = 0;
	bool at_start = true;
	int r;

	cel_begin(&reader, log, 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		struct assay_content content;

		if (at_start)
			first = record.recnum;
		if (record.type == ASSAY_CEL_CONTENT && record.pcr < PCRS_COUNT &&
		    assay_content_parse(&record, &content, NULL) == 0 &&
		    ((content.kind == ASSAY_KIND_START && at_start) ||
		     (content.kind == ASSAY_KIND_TPM && first == 0) ||
		     (content.kind == ASSAY_KIND_TRIM && content.trim.recnum == first)))
			set_values(&content, record.pcr, pcrs);
		at_start = false;
	}
	return r;
}

static int take_banks_of_first(struct bytes log, struct pcrs *pcrs, struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, log, 0);
	r = cel_next(&reader, &record, err);
	if (r < 0)
		return r;
	r = 0;
	for (size_t i = 0; i < record.digest_count && r == 0; i++)
		if (assay_hash_size(record.digests[i].hash) != 0)
			r = add_bank(pcrs, record.digests[i].hash, err);
	if (r == 0 && pcrs->bank_count == 0)
		r = assay_fail(err, ENOTSUP, "the first record has no digest of a known algorithm");
	return r;
}

/* Of other contents, it is each one's own rule what was hashed. */
static int compare_content(const struct cel_record *record, const struct assay_digest *digest,
			   struct hashers *hashers, struct pcrs *pcrs, struct assay_error *err)
{
	struct hasher *hasher = hashers_get(hashers, digest->hash, err);
	struct assay_digest computed;
	int r;

	if (!hasher)
		return -EIO;
	r = hasher_digest(hasher, record->content, BYTES(NULL, 0), &computed, err);
	if (r == 0 && memcmp(computed.bytes, digest->bytes, digest->size) != 0)
		note_problem(pcrs, "record", record->recnum, record->offset,
			     "its digest is not that of its content");
	return r;
}

static int extend_cel(const struct pcrs_request *request, struct hashers *hashers,
		      struct pcrs *pcrs, const struct cel_record *record, struct assay_error *err)
{
	pcrs->entries++;
	for (size_t i = 0; i < pcrs->bank_count && record->pcr < PCRS_COUNT; i++) {
		const struct assay_digest *digest = cel_record_digest(record, pcrs->banks[i].hash);
		int r = 0;

		if (!digest)
			return assay_fail(err, EBADMSG,
					  "record %" PRIu64 " at offset %" PRIu64
					  " has no %s digest: that bank cannot be replayed",
					  record->recnum, record->offset,
					  assay_hash_name(pcrs->banks[i].hash));
		if (record->type == ASSAY_CEL_CONTENT)
			r = compare_content(record, digest, hashers, pcrs, err);
		if (r == 0)
			r = extend(request, hashers, pcrs, i, record->pcr, digest->bytes, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pcrs_of_cel(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		struct assay_error *err)
{
	struct hashers hashers = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	int r = begin(request, ret, err);

	if (r == 0 && log.size == 0)
		r = assay_fail(err, ENODATA, "the log has no bytes");
	if (r == 0 && ret->bank_count == 0)
		r = take_banks_of_first(log, ret, err);
	if (r == 0)
		r = start_values(log, ret, err);
	cel_begin(&reader, log, 0);
	while (r == 0 && (r = cel_next(&reader, &record, err)) > 0)
		r = extend_cel(request, &hashers, ret, &record, err);
	hashers_close(&hashers);
	return r;
}

/* ---------------------------------------------------------------- UEFI */

int pcrs_of_uefi(struct bytes log, struct pcrs_request *request, struct pcrs *ret,
		 struct assay_error *err)
{
	struct uefi_pcrs replayed;
	int r = begin(request, ret, err);

	if (r == 0)
		r = uefi_replay(log, &replayed, err);
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
	for (size_t i = 0; i < ret->bank_count; i++) {
		size_t bank = 0;

		while (bank < replayed.bank_count &&
		       replayed.banks[bank].hash != ret->banks[i].hash)
			bank++;
		if (bank == replayed.bank_count)
			return assay_fail(err, EBADMSG,
					  "the log has no %s digests: that bank cannot be replayed",
					  assay_hash_name(ret->banks[i].hash));
		ret->banks[i].extended = replayed.banks[bank].extended;
		ret->banks[i].incomplete = replayed.banks[bank].incomplete;
		memcpy(ret->banks[i].values, replayed.banks[bank].values,
		       sizeof(ret->banks[i].values));
		for (unsigned int pcr = 0; pcr < PCRS_COUNT; pcr++)
			look_for(request, pcr, &ret->banks[i].values[pcr], replayed.events);
	}
	return 0;
}
