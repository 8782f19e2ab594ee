// SPDX-License-Identifier: MIT
#include "log/cel.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define TLV_HEADER 5 /* type u8, length u32 */

struct tlv {
	uint64_t offset; /* of its type */
	uint8_t type;
	struct bytes whole, value;
};

/*
 * One TLV off the front. @offset is that of in's first byte and moves with it;
 * @where names what holds it.
 */
static int take_tlv(struct bytes *in, uint64_t *offset, const char *where, struct tlv *ret,
		    struct assay_error *err)
{
	struct bytes rest = *in;
	struct tlv tlv = { .offset = *offset };
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
	tlv.whole = BYTES(in->data, TLV_HEADER + (size_t)length);
	*offset += tlv.whole.size;
	*in = rest;
	*ret = tlv;
	return 0;
}

/* The next TLV of a record, which must be of this type and size. */
static int take_fixed(struct bytes *in, uint64_t *offset, uint8_t type, const char *name,
		      size_t size, struct bytes *ret, struct assay_error *err)
{
	uint64_t start = *offset;
	struct tlv tlv;
	int r = take_tlv(in, offset, "the record", &tlv, err);

	if (r < 0)
		return r;
	if (tlv.type != type)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where %s (0x%02x) is due",
				  start, tlv.type, name, type);
	if (size != 0 && tlv.value.size != size)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has %zu bytes, not %zu",
				  start, name, tlv.value.size, size);
	*ret = tlv.value;
	return 0;
}

/* Nested TLVs of DIGESTS, or of anything else with a value a bank. */
static int parse_digests(struct bytes in, uint64_t offset, const char *where,
			 struct assay_digest *digests, size_t *ret_count, struct assay_error *err)
{
	size_t count = 0;

	while (in.size > 0) {
		struct assay_digest *digest = &digests[count];
		size_t expected;
		struct tlv tlv;
		int r = take_tlv(&in, &offset, where, &tlv, err);

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
	if (count == 0)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has no digest", offset,
				  where);
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
	struct tlv tlv;
	int r = take_tlv(in, offset, "the record", &tlv, err);

	if (r < 0)
		return r;
	if (tlv.type != ASSAY_CEL_PCR && tlv.type != CEL_CCMR)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where PCR (0x%02x) is due",
				  tlv.offset, tlv.type, ASSAY_CEL_PCR);
	if (tlv.value.size != 1)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": PCR has %zu bytes, not 1",
				  tlv.offset, tlv.value.size);
	record->pcr = CEL_NO_PCR;
	if (tlv.type == CEL_CCMR) {
		record->ccmr = tlv.value.data[0];
		return 0;
	}
	record->pcr = tlv.value.data[0];
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
	struct tlv content;
	int r;

	r = take_fixed(in, offset, ASSAY_CEL_RECNUM, "RECNUM", sizeof(record->recnum), &value, err);
	if (r < 0)
		return r;
	bytes_take_be64(&value, &record->recnum);

	r = parse_register(in, offset, record, err);
	if (r < 0)
		return r;

	digests_offset = *offset + TLV_HEADER;
	r = take_fixed(in, offset, ASSAY_CEL_DIGESTS, "DIGESTS", 0, &value, err);
	if (r < 0)
		return r;
	r = parse_digests(value, digests_offset, "DIGESTS", record->digests, &record->digest_count,
			  err);
	if (r < 0)
		return r;

	r = take_tlv(in, offset, "the record", &content, err);
	if (r < 0)
		return r;
	if (content.type <= ASSAY_CEL_DIGESTS)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": field 0x%02x where the record's content is "
				  "due",
				  content.offset, content.type);
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

/*
 * A set of fields in which each may be there once, in any order. The table says
 * which are known, their sizes and whether they may be left out; @found gets
 * them in the table's order, .data NULL for those that are not there.
 */
struct field {
	uint8_t type;
	const char *name;
	size_t least, most;
	bool optional;
};

#define ANY_SIZE SIZE_MAX

static int parse_fields(struct bytes in, uint64_t offset, const char *where,
			const struct field *fields, size_t field_count, struct bytes *found,
			struct assay_error *err)
{
	uint64_t start = offset;

	for (size_t i = 0; i < field_count; i++)
		found[i] = BYTES(NULL, 0);
	while (in.size > 0) {
		struct tlv tlv;
		size_t i = 0;
		int r = take_tlv(&in, &offset, where, &tlv, err);

		if (r < 0)
			return r;
		while (i < field_count && fields[i].type != tlv.type)
			i++;
		if (i == field_count)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s has a field 0x%02x, which is not "
					  "known there",
					  tlv.offset, where, tlv.type);
		if (found[i].data)
			return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has %s twice",
					  tlv.offset, where, fields[i].name);
		if (tlv.value.size < fields[i].least || tlv.value.size > fields[i].most)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s of %s has %zu bytes", tlv.offset,
					  fields[i].name, where, tlv.value.size);
		found[i] = tlv.value;
	}
	for (size_t i = 0; i < field_count; i++)
		if (!found[i].data && !fields[i].optional)
			return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has no %s", start,
					  where, fields[i].name);
	return 0;
}

/* For values whose size parse_fields() has checked. */
static uint64_t be_value(struct bytes in)
{
	uint64_t value = 0;

	for (size_t i = 0; i < in.size; i++)
		value = value << 8 | in.data[i];
	return value;
}

static int parse_start(struct bytes in, uint64_t offset, struct assay_content *content,
		       struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_BOOT_ID, "BOOT_ID", 36, 36, false },
		{ ASSAY_FIELD_RELEASE, "RELEASE", 1, 64, false },
		{ ASSAY_FIELD_VERSION, "VERSION", 1, 64, false },
		{ ASSAY_FIELD_PAGE_SIZE, "PAGE_SIZE", 4, 4, false },
		{ ASSAY_FIELD_REGION_KIND, "REGION_KIND", 1, 1, false },
		{ ASSAY_FIELD_REGION, "REGION", 16, 16, false },
		{ ASSAY_FIELD_WINDOW, "WINDOW", 16, 16, false },
		{ ASSAY_FIELD_PCR_VALUES, "PCR_VALUES", 1, ANY_SIZE, true },
		{ ASSAY_FIELD_IMA_BYPASS, "IMA_BYPASS", 1, 1, false },
		{ ASSAY_FIELD_PROTECTION, "PROTECTION", 1, 1, false },
	};
	enum {
		BOOT_ID,
		RELEASE,
		VERSION,
		PAGE_SIZE,
		REGION_KIND,
		REGION,
		WINDOW,
		PCR_VALUES,
		IMA_BYPASS,
		PROTECTION,
		COUNT
	};
	struct bytes found[COUNT];
	int r = parse_fields(in, offset, "START", fields, COUNT, found, err);

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	if (r < 0)
		return r;
	content->start.boot_id = found[BOOT_ID];
	content->start.release = found[RELEASE];
	content->start.version = found[VERSION];
	content->start.page_size = (uint32_t)be_value(found[PAGE_SIZE]);
	content->start.region_kind = found[REGION_KIND].data[0];
	bytes_take_be64(&found[REGION], &content->start.region_base);
	bytes_take_be64(&found[REGION], &content->start.region_size);
	bytes_take_be64(&found[WINDOW], &content->start.window_base);
	bytes_take_be64(&found[WINDOW], &content->start.window_size);
	content->start.ima_bypass = found[IMA_BYPASS].data[0];
	if (content->start.ima_bypass > 2)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": IMA_BYPASS of START is %d",
				  offset, content->start.ima_bypass);
	content->start.protection = found[PROTECTION].data[0];
	if (found[PCR_VALUES].data)
		return parse_digests(found[PCR_VALUES],
				     offset + (uint64_t)(found[PCR_VALUES].data - in.data),
				     "PCR_VALUES", content->start.pcr_values,
				     &content->start.pcr_value_count, err);
	return 0;
}

static int parse_file(struct bytes in, uint64_t offset, struct measured_file *ret,
		      struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_PATH, "PATH", 1, ANY_SIZE, true },
		{ ASSAY_FIELD_DIGEST, "DIGEST", 2, 2 + ASSAY_DIGEST_MAX, true },
		{ ASSAY_FIELD_FSUUID, "FSUUID", 16, 16, true },
		{ ASSAY_FIELD_INODE, "INODE", 8, 8, true },
		{ ASSAY_FIELD_GENERATION, "GENERATION", 4, 4, true },
		{ ASSAY_FIELD_SIZE, "SIZE", 8, 8, true },
		{ ASSAY_FIELD_ERRNO, "ERRNO", 4, 4, true },
	};
	enum { PATH, DIGEST, FSUUID, INODE, GENERATION, SIZE, ERRNO, COUNT };
	struct measured_file file = { 0 };
	struct bytes found[COUNT];
	int r = parse_fields(in, offset, "FILE", fields, COUNT, found, err);

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	if (r < 0)
		return r;
	if (!found[DIGEST].data == !found[ERRNO].data)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": FILE has %s DIGEST %s ERRNO",
				  offset, found[DIGEST].data ? "both" : "neither",
				  found[DIGEST].data ? "and" : "nor");
	if (found[DIGEST].data) {
		uint16_t algorithm;

		bytes_take_be16(&found[DIGEST], &algorithm);
		file.digest.hash = (enum assay_hash)algorithm;
		file.digest.size = found[DIGEST].size;
		if (file.digest.size != assay_hash_size(file.digest.hash) || file.digest.size == 0)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": DIGEST of FILE has %zu bytes for "
					  "algorithm 0x%04x",
					  offset, file.digest.size, algorithm);
		memcpy(file.digest.bytes, found[DIGEST].data, file.digest.size);
	} else {
		file.errnum = (uint32_t)be_value(found[ERRNO]);
		if (file.errnum == 0 || file.errnum > 4095)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": ERRNO of FILE is %" PRIu32, offset,
					  file.errnum);
	}
	file.path = found[PATH];
	file.fsuuid = found[FSUUID];
	file.has_inode = found[INODE].data;
	file.inode = be_value(found[INODE]);
	file.has_generation = found[GENERATION].data;
	file.generation = (uint32_t)be_value(found[GENERATION]);
	file.has_size = found[SIZE].data;
	file.size = be_value(found[SIZE]);
	*ret = file;
	return 0;
}

static int parse_measure(struct bytes in, uint64_t offset, struct assay_content *content,
			 struct assay_error *err)
{
	struct bytes files = in;
	size_t count = 0;

	while (in.size > 0) {
		struct measured_file file;
		struct tlv tlv;
		int r = take_tlv(&in, &offset, "MEASURE", &tlv, err);

		if (r < 0)
			return r;
		if (tlv.type != ASSAY_FIELD_FILE)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64
					  ": MEASURE has a field 0x%02x, which is "
					  "not known there",
					  tlv.offset, tlv.type);
		if (++count > ASSAY_MAX_BATCH)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": MEASURE has more than %d files",
					  tlv.offset, ASSAY_MAX_BATCH);
		r = parse_file(tlv.value, tlv.offset + TLV_HEADER, &file, err);
		if (r < 0)
			return r;
	}
	if (count == 0)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": MEASURE has no FILE", offset);
	content->measure.files = files;
	content->measure.file_count = count;
	return 0;
}

static bool is_printable_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	return true;
}

static int parse_event(struct bytes in, uint64_t offset, struct assay_content *content,
		       struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_LABEL, "LABEL", 1, ASSAY_MAX_LABEL, false },
		{ ASSAY_FIELD_DATA, "DATA", 0, ASSAY_MAX_EVENT, false },
	};
	enum { LABEL, DATA, COUNT };
	struct bytes found[COUNT];
	int r = parse_fields(in, offset, "EVENT", fields, COUNT, found, err);

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	if (r < 0)
		return r;
	if (!is_printable_ascii(found[LABEL]))
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": LABEL of EVENT is not printable ASCII",
				  offset);
	content->event.label = found[LABEL];
	content->event.data = found[DATA];
	return 0;
}

int assay_content_parse(const struct cel_record *record, struct assay_content *ret,
			struct assay_error *err)
{
	struct bytes in = record->value;
	uint64_t offset = record->content_offset + TLV_HEADER;
	struct assay_content content = { 0 };
	struct tlv kind;
	int r;

	if (record->type != ASSAY_CEL_CONTENT)
		r = assay_fail(err, EBADMSG, "its content is of type 0x%02x, not assay's (0x%02x)",
			       record->type, ASSAY_CEL_CONTENT);
	else
		r = take_tlv(&in, &offset, "the content", &kind, err);
	if (r == 0 && (kind.type != ASSAY_FIELD_KIND || kind.value.size != 1))
		r = assay_fail(err, EBADMSG,
			       "offset %" PRIu64 ": field 0x%02x of %zu bytes where KIND, of 1, is "
			       "due",
			       kind.offset, kind.type, kind.value.size);
	if (r == 0) {
		content.kind = kind.value.data[0];
		content.understood = true;
		switch (content.kind) {
		case ASSAY_KIND_START:
			r = parse_start(in, offset, &content, err);
			break;
		case ASSAY_KIND_MEASURE:
			r = parse_measure(in, offset, &content, err);
			break;
		case ASSAY_KIND_EVENT:
			r = parse_event(in, offset, &content, err);
			break;
		default:
			content.understood = false;
		}
	}
	if (r < 0) {
		assay_fail_context(err, "record %" PRIu64, record->recnum);
		return r;
	}
	*ret = content;
	return 0;
}

bool measured_file_next(struct bytes *files, struct measured_file *ret)
{
	uint64_t offset = 0;
	struct tlv tlv;

	return files->size > 0 && take_tlv(files, &offset, "MEASURE", &tlv, NULL) == 0 &&
	       parse_file(tlv.value, offset, ret, NULL) == 0;
}

const char *assay_kind_name(uint8_t kind)
{
	static const char *const names[] = {
		[ASSAY_KIND_START] = "START", [ASSAY_KIND_MEASURE] = "MEASURE",
		[ASSAY_KIND_IMA] = "IMA",     [ASSAY_KIND_EVENT] = "EVENT",
		[ASSAY_KIND_TRIM] = "TRIM",   [ASSAY_KIND_KEXEC] = "KEXEC",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}
