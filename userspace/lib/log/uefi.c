// SPDX-License-Identifier: MIT
#include "log/uefi.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PCR_BIT(pcr) (UINT32_C(1) << (pcr))

/* TCG_EfiSpecIdEvent, PFP 10.4.5.1: the header of a crypto-agile log. Those of the old form, which
 * need none, are "Spec ID Event00" and "Spec ID Event02". */
#define SPEC_ID_AGILE "Spec ID Event03"
#define SPEC_ID_OLD "Spec ID Event0"
#define SPEC_ID_SIZE 16 /* with its NUL */
#define SPEC_VERSION_MAJOR 2

/* TCG_EfiStartupLocalityEvent, PFP 10.4.5.3 */
#define STARTUP_LOCALITY "StartupLocality"
#define STARTUP_LOCALITY_SIZE 17

/* What firmware measures: PCRs 0 to 7, PFP 2.3.4. */
#define FIRMWARE_PCRS 8
#define PCR_SECURE_BOOT 7
/* PCRs whose events are all of the firmware: its separator is their last one. Into 1, 4, 5 and 7
 * real firmware measures what it boots, and from where, after that. */
#define FIRMWARE_ONLY (PCR_BIT(0) | PCR_BIT(2) | PCR_BIT(3) | PCR_BIT(6))
/* Event types for a manufacturer's own use: AMD's firmware has some that late, in PCR 2. */
#define VENDOR_TYPES_FIRST 0x8000U
#define VENDOR_TYPES_LAST 0xffffU

/* What H-CRTM measured, before the TPM was started: PCR 0 then began at locality 4 (PFP 10.4.5.3),
 * which firmware does not always say in an event of its own. */
#define EV_EFI_HCRTM_EVENT 0x80000010U
#define HCRTM_LOCALITY 4

/* What a separator may hold (PFP 10.4.1), the second from firmware that is older; any other value
 * says that something failed. */
static const struct bytes separators[] = {
	{ (const uint8_t *)"\0\0\0\0", 4 },
	{ (const uint8_t *)"\xff\xff\xff\xff", 4 },
};

static bool starts_with(struct bytes bytes, const char *text)
{
	size_t size = strlen(text);

	return bytes.size >= size && memcmp(bytes.data, text, size) == 0;
}

static bool is_zero(const struct assay_digest *digest)
{
	uint8_t any = 0;

	for (size_t i = 0; i < digest->size; i++)
		any |= digest->bytes[i];
	return any == 0;
}

/* ---------------------------------------------------------------- framing */

static int truncated(const char *field, size_t left, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "truncated: %zu bytes are left where %s is due", left,
			  field);
}

static int take_digest(struct bytes *in, enum assay_hash hash, size_t size,
		       struct assay_digest *ret, struct assay_error *err)
{
	struct bytes digest;

	if (!bytes_take(in, size, &digest))
		return truncated("a digest", in->size, err);
	*ret = (struct assay_digest){ .hash = hash, .size = size };
	memcpy(ret->bytes, digest.data, size);
	return 0;
}

static int take_data(struct bytes *in, struct uefi_event *event, struct assay_error *err)
{
	uint32_t size;

	if (!bytes_take_le32(in, &size))
		return truncated("the size of an event's data", in->size, err);
	if (!bytes_take(in, size, &event->data))
		return assay_fail(err, EBADMSG,
				  "truncated: its data takes %" PRIu32 " bytes, %zu are left", size,
				  in->size);
	return 0;
}

static int take_pcr_and_type(struct bytes *in, struct uefi_event *event, struct assay_error *err)
{
	if (!bytes_take_le32(in, &event->pcr) || !bytes_take_le32(in, &event->type))
		return truncated("a PCR index and an event's type", in->size, err);
	event->extended = event->type != UEFI_EV_NO_ACTION;
	if (event->pcr < UEFI_PCR_COUNT || (event->pcr == UEFI_NO_PCR && !event->extended))
		return 0;
	return assay_fail(err, EBADMSG, "there is no PCR %" PRIu32, event->pcr);
}

/* TCG_PCClientPCREvent, PFP 10.2.1: the old form, which the header has too. */
static int take_old_event(struct bytes *in, struct uefi_event *event, struct assay_error *err)
{
	int r = take_pcr_and_type(in, event, err);

	if (r == 0)
		r = take_digest(in, ASSAY_HASH_SHA1, assay_hash_size(ASSAY_HASH_SHA1),
				&event->digests[0], err);
	event->digest_count = 1;
	return r == 0 ? take_data(in, event, err) : r;
}

static size_t bank_index(const struct uefi_reader *reader, enum assay_hash hash)
{
	size_t i = 0;

	while (i < reader->bank_count && reader->banks[i].hash != hash)
		i++;
	return i;
}

/* A digest each of the header's algorithms, in any order: as many extends were made. */
static int take_digests(const struct uefi_reader *reader, struct bytes *in,
			struct uefi_event *event, struct assay_error *err)
{
	uint32_t count;

	if (!bytes_take_le32(in, &count))
		return truncated("the number of digests", in->size, err);
	if (count != reader->bank_count)
		return assay_fail(err, EBADMSG,
				  "it has %" PRIu32 " digests; the log's header names %zu "
				  "algorithms",
				  count, reader->bank_count);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t algorithm;
		size_t index;
		int r;

		if (!bytes_take_le16(in, &algorithm))
			return truncated("a digest's algorithm", in->size, err);
		index = bank_index(reader, algorithm);
		if (index == reader->bank_count)
			return assay_fail(err, EBADMSG,
					  "its digest is of algorithm 0x%04x, which the log's "
					  "header does not name",
					  algorithm);
		if (event->digests[index].size > 0)
			return assay_fail(err, EBADMSG, "it has two digests of algorithm 0x%04x",
					  algorithm);
		r = take_digest(in, algorithm, reader->banks[index].size, &event->digests[index],
				err);
		if (r < 0)
			return r;
	}
	event->digest_count = count;
	return 0;
}

/* TCG_PCR_EVENT2, PFP 10.2.2 */
static int take_agile_event(const struct uefi_reader *reader, struct bytes *in,
			    struct uefi_event *event, struct assay_error *err)
{
	int r = take_pcr_and_type(in, event, err);

	if (r == 0)
		r = take_digests(reader, in, event, err);
	return r == 0 ? take_data(in, event, err) : r;
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
	int r = take_old_event(&rest, &first, err);

	if (r < 0)
		return r;
	if (starts_with(first.data, SPEC_ID_AGILE)) {
		reader->agile = true;
		if (first.extended || first.pcr != 0 || !is_zero(&first.digests[0]))
			return assay_fail(err, EBADMSG,
					  "the log's header is not an EV_NO_ACTION event of PCR 0 "
					  "with a digest of zeros");
		return parse_spec_id(reader, first.data, err);
	}
	if (!first.extended && !starts_with(first.data, SPEC_ID_OLD))
		return assay_fail(err, EBADMSG,
				  "it begins with an EV_NO_ACTION event that is no header: the "
				  "log's beginning is missing");
	return add_bank(reader, ASSAY_HASH_SHA1, (uint16_t)assay_hash_size(ASSAY_HASH_SHA1), err);
}

int uefi_open(struct uefi_reader *reader, struct bytes log, struct assay_error *err)
{
	int r;

	*reader = (struct uefi_reader){ .rest = log };
	if (log.size == 0)
		return assay_fail(err, ENODATA,
				  "the firmware's log has no bytes: the firmware kept none, or it "
				  "was taken away");
	r = parse_first(reader, err);
	if (r < 0) {
		assay_fail_context(err, "firmware event 0 at offset 0");
		return r;
	}
	for (size_t i = 0; i < reader->bank_count; i++)
		if (assay_hash_size(reader->banks[i].hash) != 0 &&
		    !hashers_get(&reader->hashers, reader->banks[i].hash, err)) {
			uefi_close(reader);
			return -EIO;
		}
	return 0;
}

void uefi_close(struct uefi_reader *reader)
{
	hashers_close(&reader->hashers);
}

/* ---------------------------------------------------------------- rules */

/* Whether all digests that are known are those of @data; false if none is known. */
static int digests_are_of(struct uefi_reader *reader, const struct uefi_event *event,
			  struct bytes data, bool *ret, struct assay_error *err)
{
	size_t known = 0;

	*ret = false;
	for (size_t i = 0; i < event->digest_count; i++) {
		const struct assay_digest *digest = &event->digests[i];
		struct assay_digest computed;
		struct hasher *hasher;
		int r;

		if (assay_hash_size(digest->hash) == 0)
			continue;
		hasher = hashers_get(&reader->hashers, digest->hash, err);
		if (!hasher)
			return -EIO;
		r = hasher_digest(hasher, data, BYTES(NULL, 0), &computed, err);
		if (r < 0)
			return r;
		if (memcmp(computed.bytes, digest->bytes, digest->size) != 0)
			return 0;
		known++;
	}
	*ret = known > 0;
	return 0;
}

static const char *judge_locality(struct uefi_reader *reader, const struct uefi_event *event)
{
	uint8_t locality;

	if (event->pcr != 0 || event->data.size != STARTUP_LOCALITY_SIZE)
		return "a StartupLocality event is not of PCR 0, or not of its size";
	if (reader->locality_known)
		return "a second StartupLocality event";
	if (reader->extended & PCR_BIT(0))
		return "a StartupLocality event comes after PCR 0 was extended";
	locality = event->data.data[STARTUP_LOCALITY_SIZE - 1];
	if (locality != 0 && locality != 3 && locality != 4)
		return "a StartupLocality event names a locality that is not 0, 3 or 4";
	reader->locality = locality;
	reader->locality_known = true;
	return NULL;
}

static bool all_zero(const struct uefi_event *event)
{
	for (size_t i = 0; i < event->digest_count; i++)
		if (!is_zero(&event->digests[i]))
			return false;
	return true;
}

/* What is not extended: it must not look as if it was (its type is easily changed). */
static const char *judge_no_action(struct uefi_reader *reader, const struct uefi_event *event)
{
	/* Of no PCR, and so of no extend: there Windows has digests. */
	if (event->pcr != UEFI_NO_PCR && !all_zero(event))
		return "an EV_NO_ACTION event has a digest, as only what is extended does";
	if (starts_with(event->data, SPEC_ID_AGILE) && event->number > 0)
		return "a header is in the middle of the log";
	if (starts_with(event->data, STARTUP_LOCALITY))
		return judge_locality(reader, event);
	return NULL;
}

static int judge_separator(struct uefi_reader *reader, struct uefi_event *event,
			   struct assay_error *err)
{
	bool separator = false;
	int r = 0;

	for (size_t i = 0; i < COUNT_OF(separators) && !separator && r == 0; i++)
		r = digests_are_of(reader, event, separators[i], &separator, err);
	if (r < 0)
		return r;
	if (event->type != UEFI_EV_SEPARATOR) {
		if (separator)
			event->problem = "its digest is a separator's, its type is another: the "
					 "type was changed";
		return 0;
	}
	if (event->data.size != separators[0].size)
		event->problem = "a separator is not of 4 bytes";
	else if (!event->covered)
		event->problem = "a separator's digest is not that of its data";
	else if (!separator)
		event->problem = "a separator says that the firmware failed";
	else if (event->after_separator)
		event->problem = "a second separator of its PCR";
	return 0;
}

static int judge_extended(struct uefi_reader *reader, struct uefi_event *event,
			  struct assay_error *err)
{
	int r;

	if (all_zero(event)) {
		event->problem = "its digests are zeros, as of what is not extended";
		return 0;
	}
	/* Later, who measures follows rules of his own. */
	if (event->pcr >= FIRMWARE_PCRS)
		return 0;
	r = judge_separator(reader, event, err);
	if (r < 0 || event->problem || !event->after_separator)
		return r;
	if ((FIRMWARE_ONLY & PCR_BIT(event->pcr)) &&
	    (event->type < VENDOR_TYPES_FIRST || event->type > VENDOR_TYPES_LAST))
		event->problem = "it comes after the separator of a PCR that is the firmware's own";
	else if (event->pcr == PCR_SECURE_BOOT && event->type == UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG)
		event->problem = "a variable of Secure Boot comes after the separator";
	return 0;
}

static int judge(struct uefi_reader *reader, struct uefi_event *event, struct assay_error *err)
{
	int r;

	if (!event->extended) {
		event->problem = judge_no_action(reader, event);
		return 0;
	}
	if (event->pcr == 0 && event->type == EV_EFI_HCRTM_EVENT && !reader->locality_known &&
	    !(reader->extended & PCR_BIT(0)))
		reader->locality = HCRTM_LOCALITY;
	event->after_separator = reader->separated & PCR_BIT(event->pcr);
	r = digests_are_of(reader, event, event->data, &event->covered, err);
	if (r == 0)
		r = judge_extended(reader, event, err);
	if (r < 0)
		return r;
	if (event->type == UEFI_EV_SEPARATOR)
		reader->separated |= PCR_BIT(event->pcr);
	reader->extended |= PCR_BIT(event->pcr);
	return 0;
}

int uefi_next(struct uefi_reader *reader, struct uefi_event *ret_event, struct assay_error *err)
{
	struct uefi_event event = { .number = reader->number, .offset = reader->offset };
	struct bytes rest = reader->rest;
	int r;

	if (rest.size == 0)
		return 0;
	if (reader->agile && event.number > 0)
		r = take_agile_event(reader, &rest, &event, err);
	else
		r = take_old_event(&rest, &event, err);
	if (r == 0)
		r = judge(reader, &event, err);
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

/* ---------------------------------------------------------------- replay */

static void begin_values(const struct uefi_reader *reader, struct uefi_pcrs *pcrs)
{
	for (size_t i = 0; i < reader->bank_count; i++) {
		enum assay_hash hash = reader->banks[i].hash;

		if (assay_hash_size(hash) == 0)
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
	for (size_t i = 0; i < pcrs->bank_count && !(pcrs->extended & PCR_BIT(0)); i++) {
		struct assay_digest *value = &pcrs->banks[i].values[0];

		value->bytes[value->size - 1] = reader->locality;
	}
}

static int extend(struct uefi_reader *reader, const struct uefi_event *event,
		  struct uefi_pcrs *pcrs, struct assay_error *err)
{
	for (size_t i = 0; i < pcrs->bank_count; i++) {
		struct assay_digest *value = &pcrs->banks[i].values[event->pcr];
		const struct assay_digest *digest = uefi_event_digest(event, value->hash);
		struct hasher *hasher = hashers_get(&reader->hashers, value->hash, err);
		int r;

		if (!digest || !hasher)
			return -EIO;
		r = hasher_extend(hasher, value, BYTES(digest->bytes, digest->size), err);
		if (r < 0)
			return r;
	}
	pcrs->extended |= PCR_BIT(event->pcr);
	return 0;
}

int uefi_replay(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err)
{
	struct uefi_pcrs pcrs = { 0 };
	struct uefi_reader reader;
	struct uefi_event event;
	int r = uefi_open(&reader, log, err);

	if (r < 0)
		return r;
	begin_values(&reader, &pcrs);
	if (pcrs.bank_count == 0)
		r = assay_fail(err, ENOTSUP, "the firmware's log has no bank of a known algorithm");
	while (r == 0 && (r = uefi_next(&reader, &event, err)) > 0) {
		r = 0;
		if (event.problem && pcrs.problems++ == 0) {
			pcrs.problem = event.problem;
			pcrs.problem_number = event.number;
			pcrs.problem_offset = event.offset;
		}
		start_pcr_0(&reader, &pcrs);
		if (event.extended)
			r = extend(&reader, &event, &pcrs, err);
	}
	pcrs.events = reader.number;
	uefi_close(&reader);
	if (r == 0)
		*ret = pcrs;
	return r;
}

const struct assay_digest *uefi_pcrs_value(const struct uefi_pcrs *pcrs, enum assay_hash bank,
					   unsigned int pcr)
{
	for (size_t i = 0; i < pcrs->bank_count && pcr < UEFI_PCR_COUNT; i++)
		if (pcrs->banks[i].hash == bank)
			return &pcrs->banks[i].values[pcr];
	return NULL;
}

/* ---------------------------------------------------------------- names */

/* PFP 10.4.1, table 27 */
static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{ 0x00000000, "EV_PREBOOT_CERT" },
	{ 0x00000001, "EV_POST_CODE" },
	{ 0x00000002, "EV_UNUSED" },
	{ 0x00000003, "EV_NO_ACTION" },
	{ 0x00000004, "EV_SEPARATOR" },
	{ 0x00000005, "EV_ACTION" },
	{ 0x00000006, "EV_EVENT_TAG" },
	{ 0x00000007, "EV_S_CRTM_CONTENTS" },
	{ 0x00000008, "EV_S_CRTM_VERSION" },
	{ 0x00000009, "EV_CPU_MICROCODE" },
	{ 0x0000000a, "EV_PLATFORM_CONFIG_FLAGS" },
	{ 0x0000000b, "EV_TABLE_OF_DEVICES" },
	{ 0x0000000c, "EV_COMPACT_HASH" },
	{ 0x0000000d, "EV_IPL" },
	{ 0x0000000e, "EV_IPL_PARTITION_DATA" },
	{ 0x0000000f, "EV_NONHOST_CODE" },
	{ 0x00000010, "EV_NONHOST_CONFIG" },
	{ 0x00000011, "EV_NONHOST_INFO" },
	{ 0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS" },
	{ 0x00000013, "EV_POST_CODE2" },
	{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
	{ 0x80000002, "EV_EFI_VARIABLE_BOOT" },
	{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
	{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
	{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
	{ 0x80000006, "EV_EFI_GPT_EVENT" },
	{ 0x80000007, "EV_EFI_ACTION" },
	{ 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
	{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
	{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
	{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
	{ 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
	{ 0x8000000d, "EV_EFI_GPT_EVENT2" },
	{ EV_EFI_HCRTM_EVENT, "EV_EFI_HCRTM_EVENT" },
	{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
	{ 0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
	{ 0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
	{ 0x800000e3, "EV_EFI_SPDM_DEVICE_POLICY" },
	{ 0x800000e4, "EV_EFI_SPDM_DEVICE_AUTHORITY" },
};

const char *uefi_type_name(uint32_t type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

bool uefi_type_by_name(const char *name, uint32_t *ret)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcasecmp(types[i].name, name) == 0) {
			*ret = types[i].type;
			return true;
		}
	return false;
}
