// SPDX-License-Identifier: MIT
/* The framing of the firmware's event log. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/uefi_internal.h"

/* What the header of the old form begins with, which needs none: "Spec ID Event00" and such. */
#define SPEC_ID_OLD "Spec ID Event0"
#define SPEC_ID_SIZE 16 /* with its NUL */
#define SPEC_VERSION_MAJOR 2

bool uefi_data_starts(struct bytes data, const char *text)
{
	size_t size = strlen(text);

	return data.size >= size && memcmp(data.data, text, size) == 0;
}

static int fail_truncated(const char *field, size_t left, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "truncated: %zu bytes are left where %s is due", left,
			  field);
}

static int take_digest(struct bytes *in, enum assay_hash hash, size_t size,
		       struct assay_digest *ret, struct assay_error *err)
{
	struct bytes digest;

	if (!bytes_take(in, size, &digest))
		return fail_truncated("a digest", in->size, err);
	*ret = (struct assay_digest){ .hash = hash, .size = size };
	memcpy(ret->bytes, digest.data, size);
	return 0;
}

static int take_data(struct bytes *in, struct uefi_event *event, struct assay_error *err)
{
	uint32_t size;

	if (!bytes_take_le32(in, &size))
		return fail_truncated("the size of an event's data", in->size, err);
	if (!bytes_take(in, size, &event->data))
		return assay_fail(err, EBADMSG,
				  "truncated: its data takes %" PRIu32 " bytes, %zu are left", size,
				  in->size);
	return 0;
}

static int take_pcr_and_type(const struct uefi_reader *reader, struct bytes *in,
			     struct uefi_event *event, struct assay_error *err)
{
	if (!bytes_take_le32(in, &event->pcr) || !bytes_take_le32(in, &event->type))
		return fail_truncated("a PCR index and an event's type", in->size, err);
	event->extended = event->type != UEFI_EV_NO_ACTION;
	if (reader->cc && event->pcr >= UEFI_CC_COUNT)
		return assay_fail(err, EBADMSG, "there is no register %" PRIu32, event->pcr);
	if (reader->cc && event->pcr == UEFI_CC_MRTD)
		event->extended = false;
	if (event->pcr < UEFI_PCR_COUNT || (event->pcr == UEFI_NO_PCR && !event->extended))
		return 0;
	return assay_fail(err, EBADMSG, "there is no PCR %" PRIu32, event->pcr);
}

/* TCG_PCClientPCREvent, PFP 10.2.1: the old form, which the header has too. */
static int take_old_event(const struct uefi_reader *reader, struct bytes *in,
			  struct uefi_event *event, struct assay_error *err)
{
	int r = take_pcr_and_type(reader, in, event, err);

	if (r < 0)
		return r;
	r = take_digest(in, ASSAY_HASH_SHA1, assay_hash_size(ASSAY_HASH_SHA1), &event->digests[0],
			err);
	if (r < 0)
		return r;
	event->digest_count = 1;
	return take_data(in, event, err);
}

static size_t bank_index(const struct uefi_reader *reader, enum assay_hash hash)
{
	size_t i = 0;

	while (i < reader->bank_count && reader->banks[i].hash != hash)
		i++;
	return i;
}

/* At most a digest each of the header's algorithms, in any order: as many extends were made. */
static int take_digests(const struct uefi_reader *reader, struct bytes *in,
			struct uefi_event *event, struct assay_error *err)
{
	struct assay_digest found[UEFI_MAX_BANKS];
	uint32_t count, have = 0;

	if (!bytes_take_le32(in, &count))
		return fail_truncated("the number of digests", in->size, err);
	if (count > reader->bank_count)
		return assay_fail(err, EBADMSG,
				  "it has %" PRIu32 " digests; the log's header names %zu "
				  "algorithms",
				  count, reader->bank_count);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t algorithm;
		size_t index;
		int r;

		if (!bytes_take_le16(in, &algorithm))
			return fail_truncated("a digest's algorithm", in->size, err);
		index = bank_index(reader, algorithm);
		if (index == reader->bank_count)
			return assay_fail(err, EBADMSG,
					  "its digest is of algorithm 0x%04x, which the log's "
					  "header does not name",
					  algorithm);
		if (have & UINT32_C(1) << index)
			return assay_fail(err, EBADMSG, "it has two digests of algorithm 0x%04x",
					  algorithm);
		r = take_digest(in, algorithm, reader->banks[index].size, &found[index], err);
		if (r < 0)
			return r;
		have |= UINT32_C(1) << index;
	}
	for (size_t i = 0; i < reader->bank_count; i++)
		if (have & UINT32_C(1) << i)
			event->digests[event->digest_count++] = found[i];
	return 0;
}

/* TCG_PCR_EVENT2, PFP 10.2.2 */
static int take_agile_event(const struct uefi_reader *reader, struct bytes *in,
			    struct uefi_event *event, struct assay_error *err)
{
	int r = take_pcr_and_type(reader, in, event, err);

	if (r < 0)
		return r;
	r = take_digests(reader, in, event, err);
	return r < 0 ? r : take_data(in, event, err);
}

static int add_bank(struct uefi_reader *reader, uint16_t algorithm, uint16_t size,
		    struct assay_error *err)
{
	size_t expected = assay_hash_size(algorithm);

	if (bank_index(reader, algorithm) < reader->bank_count)
		return assay_fail(err, EBADMSG, "the log's header names algorithm 0x%04x twice",
				  algorithm);
	if (size == 0 || size > ASSAY_DIGEST_MAX || (expected != 0 && size != expected))
		return assay_fail(err, EBADMSG,
				  "the log's header gives digests of algorithm 0x%04x %u bytes",
				  algorithm, size);
	reader->banks[reader->bank_count].hash = algorithm;
	reader->banks[reader->bank_count++].size = size;
	return 0;
}

/* The header's data, its signature included. */
static int parse_spec_id(struct uefi_reader *reader, struct bytes in, struct assay_error *err)
{
	struct bytes signature, vendor;
	uint8_t minor, major, errata, uintn_size, vendor_size;
	uint32_t platform_class, count;

	if (!bytes_take(&in, SPEC_ID_SIZE, &signature) || !bytes_take_le32(&in, &platform_class) ||
	    !bytes_take_u8(&in, &minor) || !bytes_take_u8(&in, &major) ||
	    !bytes_take_u8(&in, &errata) || !bytes_take_u8(&in, &uintn_size) ||
	    !bytes_take_le32(&in, &count))
		return assay_fail(err, EBADMSG, "the log's header is cut");
	if (major != SPEC_VERSION_MAJOR)
		return assay_fail(err, EBADMSG,
				  "the log's header is of version %u.%u; version 2.0 can be read",
				  major, minor);
	if (count == 0 || count > UEFI_MAX_BANKS)
		return assay_fail(err, EBADMSG,
				  "the log's header names %" PRIu32 " algorithms, not 1 to %d",
				  count, UEFI_MAX_BANKS);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t algorithm, size;
		int r;

		if (!bytes_take_le16(&in, &algorithm) || !bytes_take_le16(&in, &size))
			return assay_fail(err, EBADMSG, "the log's header is cut");
		r = add_bank(reader, algorithm, size, err);
		if (r < 0)
			return r;
	}
	if (!bytes_take_u8(&in, &vendor_size) || !bytes_take(&in, vendor_size, &vendor))
		return assay_fail(err, EBADMSG,
				  "the vendor's bytes of the log's header go beyond its data");
	if (in.size > 0)
		return assay_fail(err, EBADMSG, "the log's header has %zu bytes behind its fields",
				  in.size);
	return 0;
}

/* What form the log has: its first event tells, which is of the old form in either. */
static int parse_first(struct uefi_reader *reader, struct assay_error *err)
{
	struct uefi_event first = { 0 };
	struct bytes rest = reader->rest;
	int r = take_old_event(reader, &rest, &first, err);

	if (r < 0)
		return r;
	if (uefi_data_starts(first.data, UEFI_SPEC_ID_AGILE)) {
		reader->agile = true;
		if (first.extended || (first.pcr != 0 && !reader->cc) ||
		    !bytes_are_zero(BYTES(first.digests[0].bytes, first.digests[0].size)))
			return assay_fail(err, EBADMSG,
					  "the log's header is not an EV_NO_ACTION event of %s "
					  "with a digest of zeros",
					  reader->cc ? "any register" : "PCR 0");
		return parse_spec_id(reader, first.data, err);
	}
	if (!first.extended && !uefi_data_starts(first.data, SPEC_ID_OLD))
		return assay_fail(err, EBADMSG,
				  "it begins with an EV_NO_ACTION event that is no header: the "
				  "log's beginning is missing");
	return add_bank(reader, ASSAY_HASH_SHA1, (uint16_t)assay_hash_size(ASSAY_HASH_SHA1), err);
}

/* The frame of the next event, taken off @in. */
static int take_event(const struct uefi_reader *reader, struct bytes *in, struct uefi_event *event,
		      struct assay_error *err)
{
	if (reader->agile && event->number > 0)
		return take_agile_event(reader, in, event, err);
	return take_old_event(reader, in, event, err);
}

/* Behind a confidential machine's log is what its area was filled with. */
static size_t find_fill(struct bytes log)
{
	size_t size = 0;

	if (log.size == 0 || (log.data[log.size - 1] != 0 && log.data[log.size - 1] != 0xff))
		return 0;
	while (size < log.size && log.data[log.size - 1 - size] == log.data[log.size - 1])
		size++;
	return size;
}

static bool at_end(const struct uefi_reader *reader, struct bytes rest)
{
	return rest.size == 0 || rest.size <= reader->fill;
}

/* Which banks were extended: some firmware names one in the header that no event has. */
static void find_used_banks(struct uefi_reader *reader)
{
	struct bytes rest = reader->rest;
	struct uefi_event event;
	bool any = false;

	for (uint64_t number = 0; !at_end(reader, rest); number++) {
		event = (struct uefi_event){ .number = number };
		/* Where it is cut, uefi_next() will say so. */
		if (take_event(reader, &rest, &event, NULL) < 0)
			break;
		if (!event.extended)
			continue;
		for (size_t i = 0; i < event.digest_count; i++)
			reader->banks[bank_index(reader, event.digests[i].hash)].used = true;
		any |= event.digest_count > 0;
	}
	/* Nothing is known of a log without events. */
	for (size_t i = 0; i < reader->bank_count && !any; i++)
		reader->banks[i].used = true;
}

bool uefi_is_ccel(struct bytes log)
{
	struct uefi_reader reader = { .cc = false };
	struct uefi_event first = { 0 };

	/* Its registers are numbered from 1 where PCRs are from 0 (UEFI 2.10, 38.4.1), and only
	 * a header that is of one tells. */
	return take_old_event(&reader, &log, &first, NULL) == 0 && !first.extended &&
	       first.pcr != 0 && uefi_data_starts(first.data, UEFI_SPEC_ID_AGILE);
}

static int open_log(struct uefi_reader *reader, struct assay_error *err)
{
	int r;

	if (at_end(reader, reader->rest))
		return assay_fail(err, ENODATA,
				  "the firmware's log has no bytes: the firmware kept none, or it "
				  "was taken away");
	r = parse_first(reader, err);
	if (r < 0) {
		assay_fail_context(err, "firmware event 0 at offset 0");
		return r;
	}
	find_used_banks(reader);
	for (size_t i = 0; i < reader->bank_count; i++)
		if (assay_hash_size(reader->banks[i].hash) != 0 && reader->banks[i].used &&
		    !hashers_get(&reader->hashers, reader->banks[i].hash, err)) {
			uefi_close(reader);
			return -EIO;
		}
	return 0;
}

int uefi_open(struct uefi_reader *reader, struct bytes log, struct assay_error *err)
{
	*reader = (struct uefi_reader){ .rest = log };
	if (uefi_is_ccel(log))
		return assay_fail(err, ENOTSUP,
				  "it is the log of a confidential machine (CCEL): it is of the "
				  "registers of the processor's TDX or such, not of a TPM's PCRs");
	return open_log(reader, err);
}

int uefi_open_cc(struct uefi_reader *reader, struct bytes log, struct assay_error *err)
{
	int r;

	*reader = (struct uefi_reader){ .rest = log, .cc = true, .fill = find_fill(log) };
	r = open_log(reader, err);
	if (r < 0 || reader->agile)
		return r;
	uefi_close(reader);
	return assay_fail(
		err, EBADMSG,
		"it has no header of a crypto-agile log, as a confidential machine's has");
}

void uefi_close(struct uefi_reader *reader)
{
	hashers_close(&reader->hashers);
}

int uefi_next(struct uefi_reader *reader, struct uefi_event *ret_event, struct assay_error *err)
{
	struct uefi_event event = { .number = reader->number, .offset = reader->offset };
	struct bytes rest = reader->rest;
	int r;

	if (at_end(reader, rest))
		return 0;
	r = take_event(reader, &rest, &event, err);
	if (r == 0)
		r = uefi_check_event(reader, &event, err);
	if (r < 0) {
		assay_fail_context(err, "firmware event %" PRIu64 " at offset %" PRIu64,
				   event.number, event.offset);
		return r;
	}
	reader->number++;
	reader->offset += reader->rest.size - rest.size;
	reader->rest = rest;
	*ret_event = event;
	return 1;
}

const struct assay_digest *uefi_event_digest(const struct uefi_event *event, enum assay_hash hash)
{
	for (size_t i = 0; i < event->digest_count; i++)
		if (event->digests[i].hash == hash)
			return &event->digests[i];
	return NULL;
}
