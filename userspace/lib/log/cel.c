// SPDX-License-Identifier: MIT
/* The framing of records in CEL-TLV. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/cel_internal.h"

int cel_take_tlv(struct bytes *in, uint64_t *offset, const char *where, struct cel_tlv *ret,
		 struct assay_error *err)
{
	struct bytes rest = *in;
	struct cel_tlv tlv = { .offset = *offset };
	uint32_t length;

	if (!bytes_take_u8(&rest, &tlv.type) || !bytes_take_be32(&rest, &length))
		return assay_fail(err, EBADMSG,
				  "truncated at offset %" PRIu64
				  ": %zu bytes are left of %s where a field's type and length "
				  "take 5",
				  *offset, in->size, where);
	if (!bytes_take(&rest, length, &tlv.value))
		return assay_fail(err, EBADMSG,
				  "truncated at offset %" PRIu64 ": field 0x%02x of %s claims "
				  "%" PRIu32 " bytes, %zu are left",
				  *offset, tlv.type, where, length, rest.size);
	tlv.whole = BYTES(in->data, CEL_TLV_HEADER + (size_t)length);
	*offset += tlv.whole.size;
	*in = rest;
	*ret = tlv;
	return 0;
}

bool cel_integer(struct bytes in, size_t most, uint64_t *ret)
{
	uint64_t value = 0;

	if (in.size == 0 || in.size > most)
		return false;
	for (size_t i = 0; i < in.size; i++)
		value = value << 8 | in.data[i];
	*ret = value;
	return true;
}

/* The next TLV of a record, which must be of this type. */
static int take_typed(struct bytes *in, uint64_t *offset, uint8_t type, const char *name,
		      struct bytes *ret, struct assay_error *err)
{
	uint64_t start = *offset;
	struct cel_tlv tlv;
	int r = cel_take_tlv(in, offset, "the record", &tlv, err);

	if (r < 0)
		return r;
	if (tlv.type != type)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where %s (0x%02x) is due",
				  start, tlv.type, name, type);
	*ret = tlv.value;
	return 0;
}

int cel_parse_digests(struct bytes in, uint64_t offset, const char *where,
		      struct assay_digest *digests, size_t *ret_count, struct assay_error *err)
{
	size_t count = 0;

	while (in.size > 0) {
		struct assay_digest *digest = &digests[count];
		size_t expected;
		struct cel_tlv tlv;
		int r = cel_take_tlv(&in, &offset, where, &tlv, err);

		if (r < 0)
			return r;
		if (count == CEL_MAX_DIGESTS)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s has more than %d digests",
					  tlv.offset, where, CEL_MAX_DIGESTS);
		for (size_t i = 0; i < count; i++)
			if ((uint8_t)digests[i].hash == tlv.type)
				return assay_fail(err, EBADMSG,
						  "offset %" PRIu64 ": %s has algorithm 0x%02x "
						  "twice",
						  tlv.offset, where, tlv.type);
		expected = assay_hash_size((enum assay_hash)tlv.type);
		if (tlv.value.size == 0 || tlv.value.size > ASSAY_DIGEST_MAX ||
		    (expected != 0 && tlv.value.size != expected))
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s has a digest of %zu bytes for "
					  "algorithm 0x%02x",
					  tlv.offset, where, tlv.value.size, tlv.type);
		*digest = (struct assay_digest){
			.hash = (enum assay_hash)tlv.type,
			.size = tlv.value.size,
		};
		memcpy(digest->bytes, tlv.value.data, tlv.value.size);
		count++;
	}
	*ret_count = count;
	return 0;
}

void cel_begin(struct cel_reader *reader, struct bytes log, uint64_t base)
{
	*reader = (struct cel_reader){ .rest = log, .offset = base };
}

/* What was extended: a PCR, or a register of another kind. */
static int parse_register(struct bytes *in, uint64_t *offset, struct cel_record *record,
			  struct assay_error *err)
{
	struct cel_tlv tlv;
	uint64_t number;
	size_t most;
	int r = cel_take_tlv(in, offset, "the record", &tlv, err);

	if (r < 0)
		return r;
	if (tlv.type != ASSAY_CEL_PCR && tlv.type != CEL_NV_INDEX && tlv.type != CEL_CCMR)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where PCR (0x%02x) is due",
				  tlv.offset, tlv.type, ASSAY_CEL_PCR);
	most = tlv.type == CEL_NV_INDEX ? 4 : 1;
	if (!cel_integer(tlv.value, most, &number))
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has %zu bytes, not %s",
				  tlv.offset, tlv.type == ASSAY_CEL_PCR ? "PCR" : "its register",
				  tlv.value.size, most == 1 ? "1" : "1 to 4");
	record->register_type = tlv.type;
	record->register_number = (uint32_t)number;
	record->pcr = CEL_NO_PCR;
	if (tlv.type != ASSAY_CEL_PCR)
		return 0;
	record->pcr = record->register_number;
	if (record->pcr >= CEL_PCR_COUNT)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": there is no PCR %" PRIu32,
				  tlv.offset, record->pcr);
	return 0;
}

static int parse_record(struct bytes *in, uint64_t *offset, struct cel_record *record,
			struct assay_error *err)
{
	struct bytes value;
	uint64_t digests_offset;
	struct cel_tlv content;
	int r;

	r = take_typed(in, offset, ASSAY_CEL_RECNUM, "RECNUM", &value, err);
	if (r < 0)
		return r;
	/* Some writers give integers as many bytes as they need. */
	if (!cel_integer(value, sizeof(record->recnum), &record->recnum))
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": RECNUM has %zu bytes, not 1 to 8",
				  record->offset, value.size);

	r = parse_register(in, offset, record, err);
	if (r < 0)
		return r;

	digests_offset = *offset + CEL_TLV_HEADER;
	r = take_typed(in, offset, ASSAY_CEL_DIGESTS, "DIGESTS", &value, err);
	if (r < 0)
		return r;
	r = cel_parse_digests(value, digests_offset, "DIGESTS", record->digests,
			      &record->digest_count, err);
	if (r < 0)
		return r;

	r = cel_take_tlv(in, offset, "the record", &content, err);
	if (r < 0)
		return r;
	if (content.type <= ASSAY_CEL_DIGESTS)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where the record's content is "
				  "due",
				  content.offset, content.type);
	/* Only what manages the log need not be extended. */
	if (record->digest_count == 0 && content.type != CEL_MANAGEMENT)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": DIGESTS has no digest",
				  digests_offset);
	record->content_offset = content.offset;
	record->type = content.type;
	record->content = content.whole;
	record->value = content.value;
	return 0;
}

int cel_next(struct cel_reader *reader, struct cel_record *ret_record, struct assay_error *err)
{
	struct cel_record record = { .offset = reader->offset };
	struct cel_reader ahead = *reader;
	int r;

	if (reader->rest.size == 0)
		return 0;
	r = parse_record(&ahead.rest, &ahead.offset, &record, err);
	if (r < 0) {
		assay_fail_context(err, "record at offset %" PRIu64, reader->offset);
		return r;
	}
	record.size = ahead.offset - reader->offset;
	*reader = ahead;
	*ret_record = record;
	return 1;
}

const struct assay_digest *cel_record_digest(const struct cel_record *record, enum assay_hash hash)
{
	for (size_t i = 0; i < record->digest_count; i++)
		if (record->digests[i].hash == hash)
			return &record->digests[i];
	return NULL;
}
