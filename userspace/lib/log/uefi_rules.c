// SPDX-License-Identifier: MIT
/* What the specification says of the events of the firmware's log: enum uefi_rule. */
#include <errno.h>
#include <string.h>

#include "log/uefi_internal.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* TCG_EfiStartupLocalityEvent, PFP 10.4.5.3 */
#define STARTUP_LOCALITY "StartupLocality"
#define STARTUP_LOCALITY_SIZE 17

/* What firmware measures: PCRs 0 to 7, PFP 2.3.4. */
#define FIRMWARE_PCRS 8
#define PCR_SECURE_BOOT 7
/* PCRs whose events are all of the firmware: its separator is their last one. Into 1, 4, 5 and 7
 * real firmware measures what it boots, and from where, after that. */
#define FIRMWARE_ONLY (UEFI_PCR_BIT(0) | UEFI_PCR_BIT(2) | UEFI_PCR_BIT(3) | UEFI_PCR_BIT(6))
/* Event types for a manufacturer's own use: AMD's firmware has some that late, in PCR 2. */
#define VENDOR_TYPES_FIRST 0x8000U
#define VENDOR_TYPES_LAST 0xffffU

/* What H-CRTM measured, before the TPM was started: PCR 0 then began at locality 4 (PFP 10.4.5.3),
 * which firmware does not always say in an event of its own. */
#define HCRTM_LOCALITY 4

/* What a separator may hold (PFP 10.4.1), the second from firmware that is older; any other value
 * says that something failed. */
#define SEPARATOR_SIZE 4
static const struct bytes separators[] = {
	{ (const uint8_t *)"\0\0\0\0", SEPARATOR_SIZE },
	{ (const uint8_t *)"\xff\xff\xff\xff", SEPARATOR_SIZE },
};

static const struct {
	const char *name, *sentence;
} rule_table[] = {
	[UEFI_RULE_BANK_MISSING] = { "bank-missing",
				     "the log's header names an algorithm that no event has a "
				     "digest of" },
	[UEFI_RULE_DIGEST_MISSING] = { "digest-missing",
				       "it has no digest of an algorithm that other events have" },
	[UEFI_RULE_NO_ACTION_SHORT] = { "no-action-short",
					"an EV_NO_ACTION event, which is not extended, has no "
					"digest of an algorithm that other events have" },
	[UEFI_RULE_NO_ACTION_DIGEST] = { "no-action-digest",
					 "an EV_NO_ACTION event, which is not extended, has a "
					 "digest" },
	[UEFI_RULE_ZERO_DIGEST] = { "zero-digest",
				    "its digests are zeros, as of what is not extended" },
	[UEFI_RULE_HEADER_LATE] = { "header-late", "a log's header is in the middle of the log" },
	[UEFI_RULE_LOCALITY_FORM] = { "locality-form",
				      "a StartupLocality event is not of PCR 0, not of 17 bytes, "
				      "or not of locality 0, 3 or 4" },
	[UEFI_RULE_LOCALITY_ORDER] = { "locality-order",
				       "a StartupLocality event comes after another one, or after "
				       "PCR 0 was extended" },
	[UEFI_RULE_SEPARATOR_TYPE] = { "separator-type",
				       "its digest is that of a separator, its type is another; no "
				       "digest covers the type" },
	[UEFI_RULE_SEPARATOR_SIZE] = { "separator-size", "a separator is not of 4 bytes" },
	[UEFI_RULE_SEPARATOR_DIGEST] = { "separator-digest",
					 "a separator's digest is not that of its data" },
	[UEFI_RULE_SEPARATOR_ERROR] = { "separator-error",
					"a separator says that the firmware failed" },
	[UEFI_RULE_SEPARATOR_TWICE] = { "separator-twice", "it is a second separator of its PCR" },
	[UEFI_RULE_AFTER_SEPARATOR] = { "after-separator",
					"it comes after the separator of a PCR that is the "
					"firmware's own (0, 2, 3 or 6)" },
	[UEFI_RULE_SECURE_BOOT_LATE] = { "secure-boot-late",
					 "a variable of Secure Boot comes after the separator of "
					 "PCR 7" },
	[UEFI_RULE_MRTD] = { "mrtd",
			     "it is of MRTD, which nothing can be extended into: it is told, "
			     "and proven by no register" },
};

_Static_assert(COUNT_OF(rule_table) == UEFI_RULES && UEFI_RULES <= 32, "a bit and a row a rule");

const char *uefi_rule_name(enum uefi_rule rule)
{
	return rule_table[rule].name;
}

const char *uefi_rule_sentence(enum uefi_rule rule)
{
	return rule_table[rule].sentence;
}

bool uefi_rule_by_name(const char *name, enum uefi_rule *ret)
{
	for (size_t i = 0; i < COUNT_OF(rule_table); i++)
		if (strcmp(rule_table[i].name, name) == 0) {
			*ret = (enum uefi_rule)i;
			return true;
		}
	return false;
}

static void break_rule(struct uefi_event *event, enum uefi_rule rule)
{
	event->rules |= UEFI_RULE_BIT(rule);
}

int uefi_event_covers(struct uefi_reader *reader, const struct uefi_event *event, struct bytes data,
		      bool *ret, struct assay_error *err)
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

static bool digests_are_zero(const struct uefi_event *event)
{
	for (size_t i = 0; i < event->digest_count; i++)
		if (!bytes_are_zero(BYTES(event->digests[i].bytes, event->digests[i].size)))
			return false;
	return true;
}

/* Whether it lacks a digest that others have; what no event has is told once, of the header. */
static void check_banks(const struct uefi_reader *reader, struct uefi_event *event)
{
	for (size_t i = 0; i < reader->bank_count; i++) {
		if (event->number == 0 && reader->agile) {
			if (!reader->banks[i].used)
				break_rule(event, UEFI_RULE_BANK_MISSING);
		} else if (reader->banks[i].used &&
			   !uefi_event_digest(event, reader->banks[i].hash)) {
			break_rule(event, event->extended ? UEFI_RULE_DIGEST_MISSING :
							    UEFI_RULE_NO_ACTION_SHORT);
		}
	}
}

bool uefi_startup_locality(struct bytes data, uint8_t *ret)
{
	uint8_t locality;

	if (data.size != STARTUP_LOCALITY_SIZE || !uefi_data_starts(data, STARTUP_LOCALITY))
		return false;
	locality = data.data[STARTUP_LOCALITY_SIZE - 1];
	if (locality != 0 && locality != 3 && locality != 4)
		return false;
	*ret = locality;
	return true;
}

static void check_locality(struct uefi_reader *reader, struct uefi_event *event)
{
	uint8_t locality;

	if (event->pcr != 0 || !uefi_startup_locality(event->data, &locality)) {
		break_rule(event, UEFI_RULE_LOCALITY_FORM);
	} else if (reader->locality_known || (reader->extended & UEFI_PCR_BIT(0))) {
		break_rule(event, UEFI_RULE_LOCALITY_ORDER);
	} else {
		reader->locality = locality;
		reader->locality_known = true;
	}
}

/* What is not extended: it must not look as if it was (its type is easily changed). */
static void check_no_action(struct uefi_reader *reader, struct uefi_event *event)
{
	/* Of no PCR, and so of no extend: there Windows has digests. */
	if (event->pcr != UEFI_NO_PCR && !digests_are_zero(event))
		break_rule(event, UEFI_RULE_NO_ACTION_DIGEST);
	if (uefi_data_starts(event->data, UEFI_SPEC_ID_AGILE) && event->number > 0)
		break_rule(event, UEFI_RULE_HEADER_LATE);
	if (!reader->cc && uefi_data_starts(event->data, STARTUP_LOCALITY))
		check_locality(reader, event);
}

static int check_separator(struct uefi_reader *reader, struct uefi_event *event,
			   struct assay_error *err)
{
	bool separator = false;

	for (size_t i = 0; i < COUNT_OF(separators) && !separator; i++) {
		int r = uefi_event_covers(reader, event, separators[i], &separator, err);

		if (r < 0)
			return r;
	}
	if (event->type != UEFI_EV_SEPARATOR) {
		if (separator)
			break_rule(event, UEFI_RULE_SEPARATOR_TYPE);
		return 0;
	}
	if (event->data.size != SEPARATOR_SIZE)
		break_rule(event, UEFI_RULE_SEPARATOR_SIZE);
	else if (!event->covered)
		break_rule(event, UEFI_RULE_SEPARATOR_DIGEST);
	else if (!separator)
		break_rule(event, UEFI_RULE_SEPARATOR_ERROR);
	if (event->after_separator)
		break_rule(event, UEFI_RULE_SEPARATOR_TWICE);
	return 0;
}

/* What comes when the firmware has said that it is done. */
static void check_late(struct uefi_event *event)
{
	if (event->type == UEFI_EV_SEPARATOR)
		return;
	if ((FIRMWARE_ONLY & UEFI_PCR_BIT(event->pcr)) &&
	    (event->type < VENDOR_TYPES_FIRST || event->type > VENDOR_TYPES_LAST))
		break_rule(event, UEFI_RULE_AFTER_SEPARATOR);
	else if (event->pcr == PCR_SECURE_BOOT && event->type == UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG)
		break_rule(event, UEFI_RULE_SECURE_BOOT_LATE);
}

static int check_extended(struct uefi_reader *reader, struct uefi_event *event,
			  struct assay_error *err)
{
	int r;

	if (event->digest_count > 0 && digests_are_zero(event)) {
		break_rule(event, UEFI_RULE_ZERO_DIGEST);
		return 0;
	}
	/* Later, who measures follows rules of his own. */
	if (event->pcr >= FIRMWARE_PCRS)
		return 0;
	/* A register of a confidential machine is for several PCRs: each has its separator. */
	r = check_separator(reader, event, err);
	if (r == 0 && event->after_separator)
		check_late(event);
	return r;
}

int uefi_check_event(struct uefi_reader *reader, struct uefi_event *event, struct assay_error *err)
{
	int r;

	check_banks(reader, event);
	if (reader->cc && !event->extended && event->type != UEFI_EV_NO_ACTION) {
		break_rule(event, UEFI_RULE_MRTD);
		return 0;
	}
	if (!event->extended) {
		check_no_action(reader, event);
		return 0;
	}
	if (!reader->cc && event->pcr == 0 && event->type == UEFI_EV_EFI_HCRTM_EVENT &&
	    !reader->locality_known && !(reader->extended & UEFI_PCR_BIT(0)))
		reader->locality = HCRTM_LOCALITY;
	event->after_separator = reader->separated & UEFI_PCR_BIT(event->pcr);
	r = uefi_event_covers(reader, event, event->data, &event->covered, err);
	if (r == 0)
		r = check_extended(reader, event, err);
	if (r < 0)
		return r;
	if (event->type == UEFI_EV_SEPARATOR && !reader->cc)
		reader->separated |= UEFI_PCR_BIT(event->pcr);
	reader->extended |= UEFI_PCR_BIT(event->pcr);
	return 0;
}

void uefi_note_rules(const struct uefi_event *event, uint32_t *rules,
		     struct uefi_broken broken[UEFI_RULES])
{
	for (unsigned int rule = 0; rule < UEFI_RULES; rule++) {
		if (!(event->rules & UEFI_RULE_BIT(rule)) || broken[rule].events++ > 0)
			continue;
		broken[rule].number = event->number;
		broken[rule].offset = event->offset;
	}
	*rules |= event->rules;
}
