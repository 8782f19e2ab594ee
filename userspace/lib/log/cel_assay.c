// SPDX-License-Identifier: MIT
/* The content that assay.ko writes into records: uapi/assay.h, ASSAY_CEL_CONTENT. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/cel_internal.h"
#include "log/ima.h"

/* No kernel has larger pages (arm64); a PAD never fills one. */
#define LARGEST_PAGE 65536

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

/* Note @tlv as one of @fields. */
static int take_field(const struct cel_tlv *tlv, const char *where, const struct field *fields,
		      size_t field_count, struct bytes *found, struct assay_error *err)
{
	size_t i = 0;

	while (i < field_count && fields[i].type != tlv->type)
		i++;
	if (i == field_count)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": %s has a field 0x%02x, which is not "
				  "known there",
				  tlv->offset, where, tlv->type);
	if (found[i].data)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has %s twice", tlv->offset,
				  where, fields[i].name);
	if (tlv->value.size < fields[i].least || tlv->value.size > fields[i].most)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s of %s has %zu bytes",
				  tlv->offset, fields[i].name, where, tlv->value.size);
	found[i] = tlv->value;
	return 0;
}

/* Is every field there that must be? */
static int check_fields(uint64_t offset, const char *where, const struct field *fields,
			size_t field_count, const struct bytes *found, struct assay_error *err)
{
	for (size_t i = 0; i < field_count; i++)
		if (!found[i].data && !fields[i].optional)
			return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has no %s", offset,
					  where, fields[i].name);
	return 0;
}

static int parse_fields(struct bytes in, uint64_t offset, const char *where,
			const struct field *fields, size_t field_count, struct bytes *found,
			struct assay_error *err)
{
	uint64_t start = offset;

	for (size_t i = 0; i < field_count; i++)
		found[i] = BYTES(NULL, 0);
	while (in.size > 0) {
		struct cel_tlv tlv;
		int r = cel_take_tlv(&in, &offset, where, &tlv, err);

		if (r == 0)
			r = take_field(&tlv, where, fields, field_count, found, err);
		if (r < 0)
			return r;
	}
	return check_fields(start, where, fields, field_count, found, err);
}

/* For values whose size parse_fields() has checked. */
static uint64_t be_value(struct bytes in)
{
	uint64_t value = 0;

	(void)cel_integer(in, sizeof(value), &value);
	return value;
}

static int parse_values(struct bytes values, struct bytes in, uint64_t offset,
			struct assay_content *content, struct assay_error *err)
{
	uint64_t values_offset = offset + (uint64_t)(values.data - in.data);
	int r = cel_parse_digests(values, values_offset, "PCR_VALUES", content->pcr_values,
				  &content->pcr_value_count, err);

	if (r == 0 && content->pcr_value_count == 0)
		r = assay_fail(err, EBADMSG, "offset %" PRIu64 ": PCR_VALUES has no digest",
			       values_offset);
	return r;
}

/* A digest with its algorithm, u16, in front: @value of @field in @where. */
static int parse_tagged_digest(struct bytes value, uint64_t offset, const char *field,
			       const char *where, struct assay_digest *ret, struct assay_error *err)
{
	struct assay_digest digest = { 0 };
	uint16_t algorithm = 0;

	bytes_take_be16(&value, &algorithm);
	digest.hash = (enum assay_hash)algorithm;
	digest.size = value.size;
	if (digest.size == 0 || digest.size != assay_hash_size(digest.hash))
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": %s of %s has %zu bytes for "
				  "algorithm 0x%04x",
				  offset, field, where, digest.size, algorithm);
	memcpy(digest.bytes, value.data, digest.size);
	*ret = digest;
	return 0;
}

/* What describes a kernel and its module: all of START, and most of KEXEC. */
#define BOOT_FIELDS                                                          \
	{ ASSAY_FIELD_BOOT_ID, "BOOT_ID", 36, 36, false },                   \
		{ ASSAY_FIELD_RELEASE, "RELEASE", 1, 64, false },            \
		{ ASSAY_FIELD_VERSION, "VERSION", 1, 64, false },            \
		{ ASSAY_FIELD_PAGE_SIZE, "PAGE_SIZE", 4, 4, false },         \
		{ ASSAY_FIELD_REGION_KIND, "REGION_KIND", 1, 1, false },     \
		{ ASSAY_FIELD_REGION, "REGION", 16, 16, false },             \
		{ ASSAY_FIELD_WINDOW, "WINDOW", 16, 16, false },             \
		{ ASSAY_FIELD_PCR_VALUES, "PCR_VALUES", 1, ANY_SIZE, true }, \
		{ ASSAY_FIELD_IMA_BYPASS, "IMA_BYPASS", 1, 1, false },       \
		{ ASSAY_FIELD_PROTECTION, "PROTECTION", 1, 1, false },

static int parse_boot(struct bytes in, uint64_t offset, struct assay_content *content,
		      struct assay_error *err)
{
	static const struct field start_fields[] = { BOOT_FIELDS };
	static const struct field kexec_fields[] = {
		BOOT_FIELDS{ ASSAY_FIELD_BOOT_BEFORE, "BOOT_BEFORE", 36, 36, false },
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
		BOOT_BEFORE,
		COUNT
	};
	bool kexec = content->kind == ASSAY_KIND_KEXEC;
	const char *where = assay_kind_name(content->kind);
	struct bytes found[COUNT];
	int r;

	_Static_assert(sizeof(start_fields) / sizeof(start_fields[0]) == BOOT_BEFORE &&
			       sizeof(kexec_fields) / sizeof(kexec_fields[0]) == COUNT,
		       "a name a field");
	r = kexec ? parse_fields(in, offset, where, kexec_fields, COUNT, found, err) :
		    parse_fields(in, offset, where, start_fields, BOOT_BEFORE, found, err);
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
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": IMA_BYPASS of %s is %d",
				  offset, where, content->start.ima_bypass);
	content->start.protection = found[PROTECTION].data[0];
	if (kexec)
		content->boot_before = found[BOOT_BEFORE];
	if (found[PCR_VALUES].data)
		return parse_values(found[PCR_VALUES], in, offset, content, err);
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
		r = parse_tagged_digest(found[DIGEST], offset, "DIGEST", "FILE", &file.digest, err);
		if (r < 0)
			return r;
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

static bool is_printable_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	return true;
}

static int parse_event(struct bytes in, uint64_t offset, struct batch_entry *entry,
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
	entry->is_event = true;
	entry->label = found[LABEL];
	entry->data = found[DATA];
	return 0;
}

/* One entry of IMA's list; IMA_DIGEST is there once a bank. */
static int parse_mirrored(struct bytes in, uint64_t offset, struct mirrored_entry *entry,
			  struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_IMA_PCR, "IMA_PCR", 4, 4, false },
		{ ASSAY_FIELD_IMA_TEMPLATE, "IMA_TEMPLATE", 1, IMA_MAX_TEMPLATE_NAME, false },
		{ ASSAY_FIELD_IMA_DATA, "IMA_DATA", 0, IMA_MAX_TEMPLATE_DATA, false },
	};
	enum { PCR, TEMPLATE, DATA, COUNT };
	struct bytes found[COUNT] = { 0 }, rest = in;
	uint64_t start = offset;
	size_t count = 0;

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	while (rest.size > 0) {
		struct assay_digest *digest = &entry->digests[count];
		struct cel_tlv tlv;
		int r = cel_take_tlv(&rest, &offset, "IMA_ENTRY", &tlv, err);

		if (r < 0)
			return r;
		if (tlv.type != ASSAY_FIELD_IMA_DIGEST) {
			r = take_field(&tlv, "IMA_ENTRY", fields, COUNT, found, err);
			if (r < 0)
				return r;
			continue;
		}
		if (count == CEL_MAX_DIGESTS)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": IMA_ENTRY has more than %d digests",
					  tlv.offset, CEL_MAX_DIGESTS);
		r = parse_tagged_digest(tlv.value, tlv.offset, "IMA_DIGEST", "IMA_ENTRY", digest,
					err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < count; i++)
			if (entry->digests[i].hash == digest->hash)
				return assay_fail(err, EBADMSG,
						  "offset %" PRIu64 ": IMA_ENTRY has algorithm "
						  "0x%04x twice",
						  tlv.offset, digest->hash);
		count++;
	}
	if (count == 0)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": IMA_ENTRY has no IMA_DIGEST",
				  start);
	entry->pcr = (uint32_t)be_value(found[PCR]);
	entry->digest_count = count;
	entry->name = found[TEMPLATE];
	entry->data = found[DATA];
	return check_fields(start, "IMA_ENTRY", fields, COUNT, found, err);
}

/* Which entries a kind of batch may hold. */
static bool entry_allowed(uint8_t kind, uint8_t field)
{
	switch (field) {
	case ASSAY_FIELD_FILE:
		return kind == ASSAY_KIND_MEASURE || kind == ASSAY_KIND_BATCH;
	case ASSAY_FIELD_EVENT:
		return kind == ASSAY_KIND_EVENT || kind == ASSAY_KIND_BATCH;
	case ASSAY_FIELD_IMA_ENTRY:
		return kind == ASSAY_KIND_IMA;
	default:
		return false;
	}
}

static int parse_batch(struct bytes in, uint64_t offset, struct assay_content *content,
		       struct assay_error *err)
{
	const char *where = assay_kind_name(content->kind);
	struct bytes entries = in;
	uint64_t start = offset;
	size_t count = 0;

	while (in.size > 0) {
		struct mirrored_entry mirrored;
		struct batch_entry entry;
		struct cel_tlv tlv;
		int r = cel_take_tlv(&in, &offset, where, &tlv, err);

		if (r < 0)
			return r;
		if (!entry_allowed(content->kind, tlv.type))
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s has a field 0x%02x, which is not "
					  "known there",
					  tlv.offset, where, tlv.type);
		if (++count > ASSAY_MAX_BATCH)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": %s has more than %d entries",
					  tlv.offset, where, ASSAY_MAX_BATCH);
		switch (tlv.type) {
		case ASSAY_FIELD_FILE:
			r = parse_file(tlv.value, tlv.offset + CEL_TLV_HEADER, &entry.file, err);
			content->batch.file_count++;
			break;
		case ASSAY_FIELD_EVENT:
			r = parse_event(tlv.value, tlv.offset + CEL_TLV_HEADER, &entry, err);
			content->batch.event_count++;
			break;
		default:
			r = parse_mirrored(tlv.value, tlv.offset + CEL_TLV_HEADER, &mirrored, err);
			content->batch.ima_count++;
		}
		if (r < 0)
			return r;
	}
	if (count == 0)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has no entry", start,
				  where);
	content->batch.entries = entries;
	return 0;
}

static int parse_trim(struct bytes in, uint64_t offset, struct assay_content *content,
		      struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_CUT_RECNUM, "CUT_RECNUM", 8, 8, false },
		{ ASSAY_FIELD_CUT_OFFSET, "CUT_OFFSET", 8, 8, false },
		{ ASSAY_FIELD_CUT_SIZE, "CUT_SIZE", 8, 8, false },
		{ ASSAY_FIELD_CUT_DIGEST, "CUT_DIGEST", 2, 2 + ASSAY_DIGEST_MAX, false },
		{ ASSAY_FIELD_CUT_NEXT, "CUT_NEXT", ASSAY_KEY_SIZE, ASSAY_KEY_SIZE, true },
		{ ASSAY_FIELD_PCR_VALUES, "PCR_VALUES", 1, ANY_SIZE, false },
	};
	enum { CUT_RECNUM, CUT_OFFSET, CUT_SIZE, CUT_DIGEST, CUT_NEXT, PCR_VALUES, COUNT };
	struct bytes found[COUNT];
	int r = parse_fields(in, offset, "TRIM", fields, COUNT, found, err);

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	if (r < 0)
		return r;
	content->trim.recnum = be_value(found[CUT_RECNUM]);
	content->trim.offset = be_value(found[CUT_OFFSET]);
	content->trim.size = be_value(found[CUT_SIZE]);
	content->trim.next = found[CUT_NEXT];
	if (content->trim.size > content->trim.offset)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": CUT_SIZE of TRIM, %" PRIu64
				  ", is more than there is before CUT_OFFSET, %" PRIu64,
				  offset, content->trim.size, content->trim.offset);
	r = parse_tagged_digest(found[CUT_DIGEST], offset, "CUT_DIGEST", "TRIM",
				&content->trim.digest, err);
	if (r < 0)
		return r;
	if (content->trim.digest.hash != ASSAY_HASH_SHA256)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": CUT_DIGEST of TRIM is of algorithm 0x%04x, "
				  "not SHA-256",
				  offset, content->trim.digest.hash);
	return parse_values(found[PCR_VALUES], in, offset, content, err);
}

static int parse_seal(struct bytes in, uint64_t offset, struct assay_content *content,
		      struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_PAD, "PAD", 0, LARGEST_PAGE, false },
	};
	struct bytes pad;
	int r = parse_fields(in, offset, "SEAL", fields, 1, &pad, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < pad.size; i++)
		if (pad.data[i] != 0)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": PAD of SEAL is not all zeros",
					  offset);
	content->pad_size = pad.size;
	return 0;
}

static int parse_tpm(struct bytes in, uint64_t offset, struct assay_content *content,
		     struct assay_error *err)
{
	static const struct field fields[] = {
		{ ASSAY_FIELD_PCR_VALUES, "PCR_VALUES", 1, ANY_SIZE, false },
		{ ASSAY_FIELD_BACKLOG, "BACKLOG", 8, 8, false },
	};
	enum { PCR_VALUES, BACKLOG, COUNT };
	struct bytes found[COUNT];
	int r = parse_fields(in, offset, "TPM", fields, COUNT, found, err);

	_Static_assert(sizeof(fields) / sizeof(fields[0]) == COUNT, "a name a field");
	if (r < 0)
		return r;
	content->backlog = be_value(found[BACKLOG]);
	return parse_values(found[PCR_VALUES], in, offset, content, err);
}

/* The fields behind KIND and TIME. */
static int parse_kind(struct bytes in, uint64_t offset, struct assay_content *content,
		      struct assay_error *err)
{
	switch (content->kind) {
	case ASSAY_KIND_START:
	case ASSAY_KIND_KEXEC:
		return parse_boot(in, offset, content, err);
	case ASSAY_KIND_MEASURE:
	case ASSAY_KIND_EVENT:
	case ASSAY_KIND_BATCH:
	case ASSAY_KIND_IMA:
		return parse_batch(in, offset, content, err);
	case ASSAY_KIND_TRIM:
		return parse_trim(in, offset, content, err);
	case ASSAY_KIND_SEAL:
		return parse_seal(in, offset, content, err);
	case ASSAY_KIND_TPM:
		return parse_tpm(in, offset, content, err);
	default:
		content->understood = false;
		return 0;
	}
}

/* TIME, which any kind may have behind KIND. */
static int parse_time(struct bytes *in, uint64_t *offset, struct assay_content *content,
		      struct assay_error *err)
{
	struct cel_tlv tlv;
	int r;

	if (in->size == 0 || in->data[0] != ASSAY_FIELD_TIME)
		return 0;
	r = cel_take_tlv(in, offset, "the content", &tlv, err);
	if (r < 0)
		return r;
	if (tlv.value.size != 8)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": TIME has %zu bytes, not 8",
				  tlv.offset, tlv.value.size);
	content->has_time = true;
	content->time = be_value(tlv.value);
	return 0;
}

/* A field of the chain off the front, if the next one is it. */
static int take_key(struct bytes *in, uint64_t *offset, uint8_t type, const char *name,
		    struct bytes *ret, struct assay_error *err)
{
	struct cel_tlv tlv;
	int r;

	if (in->size == 0 || in->data[0] != type)
		return 0;
	r = cel_take_tlv(in, offset, "the content", &tlv, err);
	if (r < 0)
		return r;
	if (tlv.value.size != ASSAY_KEY_SIZE)
		return assay_fail(err, EBADMSG, "offset %" PRIu64 ": %s has %zu bytes, not %d",
				  tlv.offset, name, tlv.value.size, ASSAY_KEY_SIZE);
	*ret = tlv.value;
	return 0;
}

/*
 * KEY and NEXT behind TIME, and MAC at the end, where it is taken off. Records of older modules
 * have none of them: whether that is to be taken is for the verifier.
 */
static int parse_chain(const struct cel_record *record, struct bytes *in, uint64_t *offset,
		       struct assay_content *content, struct assay_error *err)
{
	size_t mac_size = CEL_TLV_HEADER + ASSAY_KEY_SIZE;
	struct bytes last;
	uint64_t at;
	int r = take_key(in, offset, ASSAY_FIELD_KEY, "KEY", &content->chain.key, err);

	if (r == 0)
		r = take_key(in, offset, ASSAY_FIELD_NEXT, "NEXT", &content->chain.next, err);
	if (r < 0)
		return r;
	if (!content->chain.next.data)
		return content->chain.key.data ?
			       assay_fail(err, EBADMSG,
					  "offset %" PRIu64 ": NEXT is missing behind KEY",
					  *offset) :
			       0;
	at = in->size < mac_size ? *offset : *offset + in->size - mac_size;
	last = BYTES(in->data + (at - *offset), in->size - (size_t)(at - *offset));
	r = take_key(&last, &at, ASSAY_FIELD_MAC, "MAC", &content->chain.mac, err);
	if (r < 0)
		return r;
	if (!content->chain.mac.data || last.size > 0)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": the content has NEXT, and does not end in "
				  "MAC, of %d bytes",
				  record->offset + record->size, ASSAY_KEY_SIZE);
	in->size -= mac_size;
	content->chain.content = BYTES(record->content.data, record->content.size - mac_size);
	return 0;
}

int assay_content_parse(const struct cel_record *record, struct assay_content *ret,
			struct assay_error *err)
{
	struct bytes in = record->value;
	uint64_t offset = record->content_offset + CEL_TLV_HEADER;
	struct assay_content content = { 0 };
	struct cel_tlv kind;
	int r;

	if (record->type != ASSAY_CEL_CONTENT)
		r = assay_fail(err, EBADMSG, "its content is of type 0x%02x, not assay's (0x%02x)",
			       record->type, ASSAY_CEL_CONTENT);
	else
		r = cel_take_tlv(&in, &offset, "the content", &kind, err);
	if (r == 0 && (kind.type != ASSAY_FIELD_KIND || kind.value.size != 1))
		r = assay_fail(err, EBADMSG,
			       "offset %" PRIu64 ": field 0x%02x of %zu bytes where KIND, of 1, is "
			       "due",
			       kind.offset, kind.type, kind.value.size);
	if (r == 0) {
		content.kind = kind.value.data[0];
		content.understood = true;
		r = parse_time(&in, &offset, &content, err);
	}
	if (r == 0)
		r = parse_chain(record, &in, &offset, &content, err);
	if (r == 0)
		r = parse_kind(in, offset, &content, err);
	if (r < 0) {
		assay_fail_context(err, "record %" PRIu64, record->recnum);
		return r;
	}
	*ret = content;
	return 0;
}

bool batch_entry_next(struct bytes *entries, struct batch_entry *ret)
{
	struct batch_entry entry = { 0 };
	uint64_t offset = 0;
	struct cel_tlv tlv;
	int r;

	if (entries->size == 0 || cel_take_tlv(entries, &offset, "the batch", &tlv, NULL) < 0)
		return false;
	if (tlv.type == ASSAY_FIELD_EVENT)
		r = parse_event(tlv.value, 0, &entry, NULL);
	else
		r = parse_file(tlv.value, 0, &entry.file, NULL);
	if (r < 0)
		return false;
	*ret = entry;
	return true;
}

bool measured_file_next(struct bytes *entries, struct measured_file *ret)
{
	struct batch_entry entry;

	while (batch_entry_next(entries, &entry)) {
		if (entry.is_event)
			continue;
		*ret = entry.file;
		return true;
	}
	return false;
}

bool mirrored_entry_next(struct bytes *entries, struct mirrored_entry *ret)
{
	struct mirrored_entry entry;
	uint64_t offset = 0;
	struct cel_tlv tlv;

	if (entries->size == 0 || cel_take_tlv(entries, &offset, "the batch", &tlv, NULL) < 0 ||
	    parse_mirrored(tlv.value, 0, &entry, NULL) < 0)
		return false;
	*ret = entry;
	return true;
}

const char *assay_kind_name(uint8_t kind)
{
	static const char *const names[] = {
		[ASSAY_KIND_START] = "START", [ASSAY_KIND_MEASURE] = "MEASURE",
		[ASSAY_KIND_IMA] = "IMA",     [ASSAY_KIND_EVENT] = "EVENT",
		[ASSAY_KIND_TRIM] = "TRIM",   [ASSAY_KIND_KEXEC] = "KEXEC",
		[ASSAY_KIND_BATCH] = "BATCH", [ASSAY_KIND_SEAL] = "SEAL",
		[ASSAY_KIND_TPM] = "TPM",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}
