// SPDX-License-Identifier: MIT
/*
 * The firmware's event log: those of other projects, and those that are ill-formed. The U
 * numbers are those of the design's list of bad input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/uefi.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_value(const struct uefi_pcrs *pcrs, enum assay_hash bank, unsigned int pcr,
			 const char *expected)
{
	const struct assay_digest *value = uefi_pcrs_value(pcrs, bank, pcr);
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	assert_non_null(value);
	hex_encode(BYTES(value->bytes, value->size), hex);
	assert_string_equal(hex, expected);
}

#define RULE(name) (UINT32_C(1) << UEFI_RULE_##name)

/* No other rules are broken than those of the mask. */
static void assert_rules(const struct uefi_pcrs *pcrs, uint32_t rules)
{
	enum uefi_rule rule = uefi_pcrs_first_rule(pcrs, ~rules);

	if (rule != UEFI_RULES)
		fail_msg("event %d: %s", (int)pcrs->broken[rule].number, uefi_rule_sentence(rule));
	assert_int_equal(pcrs->rules, rules);
}

/* The values are those that tpm2_eventlog 5.4 gives, but for the log on which it crashes. */
static void logs_of_other_projects_replay(void **state)
{
	static const struct {
		const char *file;
		bool agile;
		size_t events, banks;
		uint32_t extended;
		enum assay_hash bank;
		unsigned int pcr;
		const char *value;
	} logs[] = {
		{ "uefi/goattest-crypto_agile_eventlog", true, 27, 1, 0xff, ASSAY_HASH_SHA256, 0,
		  "1536de221b2187a421602cd81f43aa04496b0bd5a424d3b25b637a942080d0fa" },
		{ "uefi/goattest-crypto_agile_eventlog", true, 27, 1, 0xff, ASSAY_HASH_SHA256, 7,
		  "3d6207f9a2c3fa1db729f06e71b09d2e7ca7c0c198f6c1410c2186bbe2cc1826" },
		{ "uefi/goattest-sb_cert_eventlog", true, 15, 3, 0xb1, ASSAY_HASH_SHA1, 4,
		  "b771008d173c022bc16f4b4d1a7f8b99ed88eeb1" },
		{ "uefi/goattest-sb_cert_eventlog", true, 15, 3, 0xb1, ASSAY_HASH_SHA384, 7,
		  "bf54547614362d6cb54d3c7de075b78a81669cf63e3ea62d0da118220d96f489690c6ae84f146d7e"
		  "9019331bd4773b60" },
		{ "uefi/goattest-option_rom_eventlog", false, 61, 1, 0x78ff, ASSAY_HASH_SHA1, 7,
		  "20de7dfba6bcdfccadad7e3eb099c91d4d97c5ad" },
		{ "uefi/tpm2tools-event-arch-linux.bin", true, 25, 2, 0x1ff, ASSAY_HASH_SHA1, 8,
		  "aa99fc93faa0777f42da6e1ae77a0653b5005619" },
		{ "uefi/tpm2tools-event-arch-linux.bin", true, 25, 2, 0x1ff, ASSAY_HASH_SHA256, 0,
		  "758b773d94feabf52ef5a4c00a7ad2c80d8d6e6d9d58756150be9bc973da9087" },
		{ "uefi/aavmf-secureboot.bin", true, 25, 1, 0x2ff, ASSAY_HASH_SHA256, 7,
		  "02a4f904010ebddfb1ce765622af8d48ac2408422e220ad4eed1e1856407f704" },
		{ "uefi/aavmf-other-kernel.bin", true, 25, 1, 0x2ff, ASSAY_HASH_SHA256, 4,
		  "48c2b9a6dc36bf6a507e6c526e25fdaa9a51d35ba7e5736fb3509aaf3b60bb42" },
		{ "uefi/aavmf-other-initrd.bin", true, 25, 1, 0x2ff, ASSAY_HASH_SHA256, 9,
		  "c78416598910c855e5788549045a0f99a288eb403cd91b0929b973d7fd415342" },
		{ "uefi/ovmf-no-keys.bin", true, 25, 1, 0x2ff, ASSAY_HASH_SHA256, 4,
		  "68619fc48b3090191d815840b574ff106bfca286c28a404ae6aaea7ba6042bbf" },
		{ "uefi/ovmf-secureboot.bin", true, 31, 1, 0x12ff, ASSAY_HASH_SHA256, 12,
		  "950e91ddb9d4512dea973070081ffb4dd6303d55043e5b6323c1310fd7afb9a5" },
		{ "uefi/aavmf-no-keys.bin", true, 24, 1, 0x2ff, ASSAY_HASH_SHA256, 7,
		  "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", true, 28, 1, 0x12ff,
		  ASSAY_HASH_SHA256, 12,
		  "73b2090e3e72430531e7bc7d63e88826891ef4e04d6c1e250dc5c52db24f2f48" },
		{ "uefi/tpm2tools-event-uefi-sha1-log.bin", false, 17, 1, 0xff, ASSAY_HASH_SHA1, 5,
		  "d8949f1020f3344daf7aa87717ae58d6498731e4" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		struct buffer log = log_test_data(logs[i].file);
		struct uefi_reader reader;
		struct assay_error err = { 0 };
		static struct uefi_pcrs pcrs;

		print_message("%s\n", logs[i].file);
		assert_int_equal(uefi_open(&reader, buffer_bytes(&log), &err), 0);
		assert_int_equal(reader.agile, logs[i].agile);
		uefi_close(&reader);
		if (uefi_replay(buffer_bytes(&log), &pcrs, &err) < 0)
			fail_msg("%s", err.text);
		assert_rules(&pcrs, 0);
		assert_int_equal(pcrs.events, logs[i].events);
		assert_int_equal(pcrs.bank_count, logs[i].banks);
		assert_int_equal(pcrs.extended, logs[i].extended);
		assert_value(&pcrs, logs[i].bank, logs[i].pcr, logs[i].value);
		assert_null(uefi_pcrs_value(&pcrs, ASSAY_HASH_SHA512, 0));
		assert_null(uefi_pcrs_value(&pcrs, logs[i].bank, UEFI_PCR_COUNT));
		buffer_free(&log);
	}
}

/*
 * Logs of machines that nobody tampered with, which break a rule each: they replay, and what is so
 * is told. The values are tpm2_eventlog's.
 */
static void logs_that_break_a_rule_replay(void **state)
{
	static const struct {
		const char *file;
		enum uefi_rule rule;
		uint64_t events, number, offset;
		size_t banks;
		enum assay_hash bank;
		unsigned int pcr;
		const char *value;
	} logs[] = {
		{ "uefi/uefi-fit-2d.min.eventlog", UEFI_RULE_SEPARATOR_TYPE, 1, 4, 362, 2,
		  ASSAY_HASH_SHA256, 0,
		  "febefab20b6a7647a46a4a46379c705028600a96705f21ac54cc7f92a9ccc561" },
		{ "uefi/uefi-driver-after-separator.min.eventlog", UEFI_RULE_AFTER_SEPARATOR, 1, 2,
		  119, 1, ASSAY_HASH_SHA256, 2,
		  "4b035b746cf126686cda6bdb85d070cb271ef4513dbe7786b9909f1cf7202acd" },
		{ "uefi/bank-missing.bin", UEFI_RULE_BANK_MISSING, 1, 0, 0, 2, ASSAY_HASH_SHA256, 7,
		  "ecca06b5440a56b6021f831405531cf2af1b94ed19beafd4709e63e588b81056" },
		{ "uefi/digest-missing.bin", UEFI_RULE_DIGEST_MISSING, 1, 12, 974, 2,
		  ASSAY_HASH_SHA256, 14,
		  "120103212cb246e5aa581a3e7bd8ffa00d376856728b782eabfc4832b3e4c3ff" },
		{ "uefi/digest-missing.bin", UEFI_RULE_DIGEST_MISSING, 1, 12, 974, 2,
		  ASSAY_HASH_SHA1, 7, "e8544c0967f53860f987a0a6e85f0e4978cc9576" },
		{ "uefi/no-action-short.bin", UEFI_RULE_NO_ACTION_SHORT, 1, 1, 69, 2,
		  ASSAY_HASH_SHA1, 7, "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		struct buffer log = log_test_data(logs[i].file);
		const struct uefi_broken *broken;
		struct assay_error err = { 0 };
		static struct uefi_pcrs pcrs;

		print_message("%s\n", logs[i].file);
		if (uefi_replay(buffer_bytes(&log), &pcrs, &err) < 0)
			fail_msg("%s", err.text);
		assert_rules(&pcrs, UINT32_C(1) << logs[i].rule);
		broken = &pcrs.broken[logs[i].rule];
		assert_int_equal(broken->events, logs[i].events);
		assert_int_equal(broken->number, logs[i].number);
		assert_int_equal(broken->offset, logs[i].offset);
		assert_int_equal(pcrs.bank_count, logs[i].banks);
		assert_value(&pcrs, logs[i].bank, logs[i].pcr, logs[i].value);
		buffer_free(&log);
	}
}

/* Of which PCR a bank lacks an event; a bank that no event has is not one of the log. */
static void banks_that_lack_digests(void **state)
{
	struct buffer log = log_test_data("uefi/digest-missing.bin");
	static struct uefi_pcrs pcrs;

	(void)state;
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
	assert_false(uefi_pcrs_complete(&pcrs, ASSAY_HASH_SHA1, 14));
	assert_true(uefi_pcrs_complete(&pcrs, ASSAY_HASH_SHA1, 7));
	assert_true(uefi_pcrs_complete(&pcrs, ASSAY_HASH_SHA256, 14));
	assert_false(uefi_pcrs_complete(&pcrs, ASSAY_HASH_SHA384, 7));
	assert_int_equal(pcrs.extended, 0x40ff);
	assert_int_equal(pcrs.banks[0].hash, ASSAY_HASH_SHA1);
	assert_int_equal(pcrs.banks[0].extended, 0xff);
	assert_int_equal(pcrs.banks[1].extended, 0x40ff);
	buffer_free(&log);
	log = log_test_data("uefi/bank-missing.bin");
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
	assert_null(uefi_pcrs_value(&pcrs, ASSAY_HASH_SHA384, 0));
	assert_true(uefi_pcrs_complete(&pcrs, ASSAY_HASH_SHA256, 7));
	buffer_free(&log);
}

static void a_log_of_a_confidential_machine(void **state)
{
	struct buffer log = log_test_data("uefi/ccel-header.bin"), other;
	static struct uefi_pcrs pcrs;
	struct assay_error err;

	(void)state;
	assert_true(uefi_is_ccel(buffer_bytes(&log)));
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, &err), -ENOTSUP);
	support_assert_error(&err, "CCEL");
	assert_false(uefi_is_ccel(BYTES(log.data, 32)));
	assert_false(uefi_is_ccel(BYTES(NULL, 0)));
	other = log_test_data("uefi/bank-missing.bin");
	assert_false(uefi_is_ccel(buffer_bytes(&other)));
	buffer_free(&other);
	buffer_free(&log);
}

static void names_of_rules(void **state)
{
	enum uefi_rule rule;

	(void)state;
	for (unsigned int i = 0; i < UEFI_RULES; i++) {
		assert_true(uefi_rule_by_name(uefi_rule_name((enum uefi_rule)i), &rule));
		assert_int_equal(rule, i);
		assert_true(strlen(uefi_rule_sentence(rule)) > 10);
	}
	assert_false(uefi_rule_by_name("separator", &rule));
	assert_false(uefi_rule_by_name("", &rule));
}

/*
 * How far a value covers a log: a beginning of its events, or nothing where it is of events that
 * are not in the log.
 */
static void how_far_a_value_covers_a_log(void **state)
{
	struct buffer log = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct uefi_prefix prefix;
	struct uefi_reader reader;
	struct uefi_event event;
	struct hasher hasher;
	struct assay_error err;
	uint64_t numbers[16], count = 0;

	(void)state;
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
	assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
	while (uefi_next(&reader, &event, NULL) == 1)
		if (event.pcr == 12 && event.extended)
			numbers[count++] = event.number;
	uefi_close(&reader);
	assert_true(count >= 2);

	/* After none, after each, and after one more than there are. */
	assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
	for (uint64_t covered = 0; covered <= count; covered++) {
		assert_int_equal(uefi_find_prefix(buffer_bytes(&log), 12, &value, &prefix, &err),
				 0);
		assert_true(prefix.reached);
		assert_int_equal(prefix.events, count);
		assert_int_equal(prefix.covered, covered);
		if (covered < count)
			assert_int_equal(prefix.number, numbers[covered]);
		while (uefi_next(&reader, &event, NULL) == 1 &&
		       (event.pcr != 12 || !event.extended))
			;
		assert_int_equal(
			hasher_extend(&hasher, &value,
				      BYTES(uefi_event_digest(&event, value.hash)->bytes, 32),
				      NULL),
			0);
	}
	uefi_close(&reader);
	assert_int_equal(uefi_find_prefix(buffer_bytes(&log), 12, &value, &prefix, &err), 0);
	assert_false(prefix.reached);
	assert_int_equal(prefix.covered, 0);
	assert_int_equal(uefi_find_prefix(buffer_bytes(&log), 24, &value, &prefix, &err), -EINVAL);
	value.hash = ASSAY_HASH_SHA1;
	value.size = 20;
	assert_int_equal(uefi_find_prefix(buffer_bytes(&log), 12, &value, &prefix, &err), -EINVAL);
	support_assert_error(&err, "no sha1 digests");
	hasher_close(&hasher);
	buffer_free(&log);
}

/*
 * A log that begins with StartupLocality instead of its header; one whose header's data is four
 * bytes shorter than its fields, which tpm2_eventlog passes over; U5.
 */
static void logs_without_a_beginning(void **state)
{
	struct buffer log = log_test_data("uefi/goattest-short_no_action_eventlog");
	static struct uefi_pcrs pcrs;
	struct uefi_reader reader;
	struct assay_error err;

	(void)state;
	assert_int_equal(uefi_open(&reader, buffer_bytes(&log), &err), -EBADMSG);
	support_assert_error(&err, "firmware event 0 at offset 0: ");
	support_assert_error(&err, "the log's beginning is missing");
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, &err), -EBADMSG);
	buffer_free(&log);
	log = log_test_data("uefi/tpm2tools-specid-vendordata.bin");
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, &err), -EBADMSG);
	support_assert_error(&err, "the vendor's bytes of the log's header go beyond its data");
	assert_int_equal(uefi_open(&reader, BYTES(NULL, 0), &err), -ENODATA);
	assert_int_equal(uefi_replay(BYTES(NULL, 0), &pcrs, &err), -ENODATA);
	support_assert_error(&err, "no bytes");
	buffer_free(&log);
}

/* ---------------------------------------------------------------- logs made here */

static void put_le16(struct buffer *out, uint16_t value)
{
	buffer_append_u8(out, (uint8_t)value);
	buffer_append_u8(out, (uint8_t)(value >> 8));
}

static void put_le32(struct buffer *out, uint32_t value)
{
	put_le16(out, (uint16_t)value);
	put_le16(out, (uint16_t)(value >> 16));
}

/* What a log is made of; rows of the tables below change one thing each. */
struct sample {
	uint32_t locality_pcr;
	struct bytes locality;
	uint32_t version_type;
	uint32_t separator_pcr, separator_type;
	struct bytes separator;
	uint32_t last_pcr, last_type;
	struct bytes last;
};

static const struct sample good = {
	.locality = BYTES_LITERAL("StartupLocality\0\3"),
	.version_type = 8,
	.separator_type = UEFI_EV_SEPARATOR,
	.separator = BYTES_LITERAL("\0\0\0\0"),
	.last_pcr = 4,
	.last_type = 0x80000007,
	.last = BYTES_LITERAL("Calling EFI Application from Boot Option"),
};

static void put_digest(struct buffer *out, enum assay_hash hash, struct bytes data, bool zero)
{
	struct assay_digest digest = { .size = assay_hash_size(hash) };
	struct hasher hasher;

	assert_int_equal(hasher_open(&hasher, hash, NULL), 0);
	if (!zero)
		assert_int_equal(hasher_digest(&hasher, data, BYTES(NULL, 0), &digest, NULL), 0);
	hasher_close(&hasher);
	put_le16(out, (uint16_t)hash);
	buffer_append(out, digest.bytes, digest.size);
}

/* @measured: what was extended, where that is not the data */
static void put_uefi_event(struct buffer *out, uint32_t pcr, uint32_t type, struct bytes data,
			   struct bytes measured)
{
	bool zero = type == UEFI_EV_NO_ACTION && measured.size == 0;

	if (measured.size == 0)
		measured = data;
	put_le32(out, pcr);
	put_le32(out, type);
	put_le32(out, 2);
	put_digest(out, ASSAY_HASH_SHA1, measured, zero);
	put_digest(out, ASSAY_HASH_SHA256, measured, zero);
	put_le32(out, (uint32_t)data.size);
	buffer_append_bytes(out, data);
}

#define HEADER "Spec ID Event03\0\0\0\0\0\0\2\0\2\2\0\0\0\4\0\x14\0\xb\0\x20\0\0"

static void put_header(struct buffer *out)
{
	static const uint8_t zeros[20];
	struct bytes header = BYTES_LITERAL(HEADER);

	put_le32(out, 0);
	put_le32(out, UEFI_EV_NO_ACTION);
	buffer_append(out, zeros, sizeof(zeros));
	put_le32(out, (uint32_t)header.size);
	buffer_append_bytes(out, header);
}

static struct buffer build(const struct sample *sample)
{
	struct buffer log = { 0 };
	struct bytes none = BYTES(NULL, 0);

	put_header(&log);
	if (sample->locality.size > 0)
		put_uefi_event(&log, sample->locality_pcr, UEFI_EV_NO_ACTION, sample->locality,
			       none);
	put_uefi_event(&log, 0, sample->version_type, BYTES_LITERAL("1.0\0"),
		       sample->version_type == 8 ? none : BYTES_LITERAL("1.0\0"));
	put_uefi_event(&log, sample->separator_pcr, sample->separator_type, sample->separator,
		       good.separator_type == sample->separator_type ? none : good.separator);
	put_uefi_event(&log, sample->last_pcr, sample->last_type, sample->last, none);
	return log;
}

/* U3: PCR 0 begins with the locality that TPM2_Startup came from, or H-CRTM's. */
static void startup_locality(void **state)
{
	static const struct {
		struct bytes event;
		uint32_t first_type;
		uint8_t locality;
	} rows[] = {
		{ { NULL, 0 }, 8, 0 },
		{ BYTES_LITERAL("StartupLocality\0\0"), 8, 0 },
		{ BYTES_LITERAL("StartupLocality\0\3"), 8, 3 },
		{ BYTES_LITERAL("StartupLocality\0\4"), 8, 4 },
		{ { NULL, 0 }, 0x80000010, 4 },
		{ BYTES_LITERAL("StartupLocality\0\3"), 0x80000010, 3 },
	};
	struct hasher hasher;

	(void)state;
	assert_int_equal(hasher_open(&hasher, ASSAY_HASH_SHA256, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 }, digest;
		const struct bytes measured[] = { BYTES_LITERAL("1.0\0"), good.separator };
		struct sample changed = good;
		static struct uefi_pcrs pcrs;
		struct buffer log;

		changed.locality = rows[i].event;
		changed.version_type = rows[i].first_type;
		value.bytes[31] = rows[i].locality;
		for (size_t j = 0; j < COUNT_OF(measured); j++) {
			assert_int_equal(
				hasher_digest(&hasher, measured[j], BYTES(NULL, 0), &digest, NULL),
				0);
			assert_int_equal(
				hasher_extend(&hasher, &value, BYTES(digest.bytes, 32), NULL), 0);
		}
		log = build(&changed);
		assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
		assert_rules(&pcrs, 0);
		assert_memory_equal(uefi_pcrs_value(&pcrs, ASSAY_HASH_SHA256, 0)->bytes,
				    value.bytes, 32);
		assert_int_equal(pcrs.extended, 1 << 0 | 1 << 4);
		buffer_free(&log);
	}
	hasher_close(&hasher);
}

/* U1, U2, U3, U6: what the specification forbids is told, of the event that breaks the rule. */
static void events_that_break_a_rule(void **state)
{
#define BREAKS(what, n, member, new, broken_rule)                                             \
	{                                                                                     \
		.name = (what), .number = (n), .offset = offsetof(struct sample, member),     \
		.value = &(const __typeof__(((struct sample *)0)->member)){ new },            \
		.size = sizeof(((struct sample *)0)->member), .rule = UEFI_RULE_##broken_rule \
	}
#define TEXT(text) (const uint8_t *)(text), sizeof(text) - 1
	const struct {
		const char *name;
		uint64_t number;
		size_t offset;
		const void *value;
		size_t size;
		enum uefi_rule rule;
	} rows[] = {
		BREAKS("locality of another PCR", 1, locality_pcr, 1, LOCALITY_FORM),
		BREAKS("locality 5", 1, locality, TEXT("StartupLocality\0\5"), LOCALITY_FORM),
		BREAKS("locality missing", 1, locality, TEXT("StartupLocality"), LOCALITY_FORM),
		BREAKS("locality with more", 1, locality, TEXT("StartupLocality\0\3\3"),
		       LOCALITY_FORM),
		BREAKS("a second header", 1, locality, TEXT(HEADER), HEADER_LATE),
		BREAKS("U6 a version that is not extended", 2, version_type, UEFI_EV_NO_ACTION,
		       NO_ACTION_DIGEST),
		BREAKS("U1 a separator as a version", 3, separator_type, 8, SEPARATOR_TYPE),
		BREAKS("U1 a separator as an unknown type", 3, separator_type, 0x1234,
		       SEPARATOR_TYPE),
		BREAKS("U1 a separator as no action", 3, separator_type, UEFI_EV_NO_ACTION,
		       NO_ACTION_DIGEST),
		BREAKS("U1 an action as a separator", 4, last_type, UEFI_EV_SEPARATOR,
		       SEPARATOR_SIZE),
		BREAKS("a separator of an error", 3, separator, TEXT("\1\0\0\0"), SEPARATOR_ERROR),
		BREAKS("a separator of 3 bytes", 3, separator, TEXT("\0\0\0"), SEPARATOR_SIZE),
		BREAKS("U2 an action after the separator", 4, last_pcr, 0, AFTER_SEPARATOR),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample changed = good;
		static struct uefi_pcrs pcrs;
		struct buffer log;

		memcpy((uint8_t *)&changed + rows[i].offset, rows[i].value, rows[i].size);
		log = build(&changed);
		assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
		print_message("%s\n", rows[i].name);
		assert_rules(&pcrs, UINT32_C(1) << rows[i].rule);
		assert_int_equal(pcrs.broken[rows[i].rule].events, 1);
		assert_int_equal(pcrs.broken[rows[i].rule].number, rows[i].number);
		buffer_free(&log);
	}
}

/* What comes behind a good log; the first has the digest of other bytes. */
static void orders_that_break_a_rule(void **state)
{
	static const struct {
		const char *name;
		uint32_t pcr, type;
		struct bytes data, measured;
		uint32_t rules;
	} rows[] = {
		{ "a separator of other bytes", 1, UEFI_EV_SEPARATOR, BYTES_LITERAL("\0\0\0\0"),
		  BYTES_LITERAL("x"), RULE(SEPARATOR_DIGEST) },
		{ "a second separator",
		  0,
		  UEFI_EV_SEPARATOR,
		  BYTES_LITERAL("\0\0\0\0"),
		  { NULL, 0 },
		  RULE(SEPARATOR_TWICE) },
		{ "locality after an extend",
		  0,
		  UEFI_EV_NO_ACTION,
		  BYTES_LITERAL("StartupLocality\0\3"),
		  { NULL, 0 },
		  RULE(LOCALITY_ORDER) },
		{ "another PCR's separator",
		  1,
		  UEFI_EV_SEPARATOR,
		  BYTES_LITERAL("\0\0\0\0"),
		  { NULL, 0 },
		  0 },
		{ "of later code, with rules of its own",
		  12,
		  UEFI_EV_SEPARATOR,
		  BYTES_LITERAL("WBCL"),
		  { NULL, 0 },
		  0 },
		{ "a manufacturer's own", 0, 0x8401, BYTES_LITERAL("x"), { NULL, 0 }, 0 },
		{ "what is just beside these",
		  0,
		  0x10000,
		  BYTES_LITERAL("x"),
		  { NULL, 0 },
		  RULE(AFTER_SEPARATOR) },
		{ "of no PCR, with a digest", UEFI_NO_PCR, UEFI_EV_NO_ACTION, BYTES_LITERAL("x"),
		  BYTES_LITERAL("x"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample without = good;
		static struct uefi_pcrs pcrs;
		struct buffer log;

		without.locality = BYTES(NULL, 0);
		log = build(&without);
		put_uefi_event(&log, rows[i].pcr, rows[i].type, rows[i].data, rows[i].measured);
		assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
		print_message("%s\n", rows[i].name);
		assert_rules(&pcrs, rows[i].rules);
		buffer_free(&log);
	}
}

/* U6 the other way round: what was not extended, as a type that is. */
static void zeros_that_are_extended(void **state)
{
	struct buffer log = build(&good);
	static struct uefi_pcrs pcrs;

	(void)state;
	assert_int_equal(log.data[73], UEFI_EV_NO_ACTION);
	log.data[73] = 8;
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
	assert_rules(&pcrs, RULE(ZERO_DIGEST));
	assert_int_equal(pcrs.broken[UEFI_RULE_ZERO_DIGEST].number, 1);
	buffer_free(&log);
}

static void two_localities(void **state)
{
	struct buffer log = { 0 };
	static struct uefi_pcrs pcrs;

	(void)state;
	put_header(&log);
	put_uefi_event(&log, 0, UEFI_EV_NO_ACTION, good.locality, BYTES(NULL, 0));
	put_uefi_event(&log, 0, UEFI_EV_NO_ACTION, good.locality, BYTES(NULL, 0));
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, NULL), 0);
	assert_rules(&pcrs, RULE(LOCALITY_ORDER));
	assert_int_equal(pcrs.broken[UEFI_RULE_LOCALITY_ORDER].number, 2);
	buffer_free(&log);
}

/* Framing that is off is refused, and the error says where and what. */
static void framing_that_is_off(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* header: data at 32; first event at 69: digests at 81 and 103 */
		const char *bytes;
		size_t size;
		const char *error;
	} rows[] = {
		{ "U1 type of the header", 4, "\x8\0\0\0", 4, "not an EV_NO_ACTION event" },
		{ "PCR 24 of the header", 0, "\x18\0\0\0", 4, "there is no PCR 24" },
		{ "digest of the header", 8, "\1", 1, "digest of zeros" },
		{ "size of the header", 28, "\0\0\0\0", 4, "the log's beginning is missing" },
		{ "size 16 of the header", 28, "\x10\0\0\0", 4, "header is cut" },
		{ "size 0xffffffff of the header", 28, "\xff\xff\xff\xff", 4, "truncated" },
		{ "more header", 28, "\x26\0\0\0", 4, "bytes behind its fields" },
		{ "version 1", 53, "\1", 1, "version 1.0" },
		{ "no algorithms", 56, "\0\0\0\0", 4, "0 algorithms" },
		{ "17 algorithms", 56, "\x11\0\0\0", 4, "17 algorithms" },
		{ "0xffffffff algorithms", 56, "\xff\xff\xff\xff", 4, "4294967295 algorithms" },
		{ "3 algorithms", 56, "\3\0\0\0", 4, "header is cut" },
		{ "1 algorithm", 56, "\1\0\0\0", 4, "vendor's bytes" },
		{ "an algorithm twice", 60, "\xb\0\x20\0", 4, "0x000b twice" },
		{ "SHA-1 of 32 bytes", 62, "\x20\0", 2, "0x0004 32 bytes" },
		{ "SHA-256 of 0 bytes", 66, "\0\0", 2, "0x000b 0 bytes" },
		{ "unknown of 65 bytes", 64, "\x12\0\x41\0", 4, "0x0012 65 bytes" },
		{ "vendor's bytes", 68, "\1", 1, "vendor's bytes of the log's header go beyond" },
		{ "PCR 24", 69, "\x18\0\0\0", 4, "there is no PCR 24" },
		{ "PCR 0xfffffffe", 69, "\xfe\xff\xff\xff", 4, "there is no PCR 4294967294" },
		{ "PCR 0xffffffff, extended", 69, "\xff\xff\xff\xff\x08", 5, "no PCR 4294967295" },
		{ "3 digests", 77, "\3\0\0\0", 4, "has 3 digests" },
		{ "0xffffffff digests", 77, "\xff\xff\xff\xff", 4, "has 4294967295 digests" },
		{ "a digest of an unnamed algorithm", 81, "\xc\0", 2, "0x000c, which" },
		{ "two of an algorithm", 103, "\4\0", 2, "two digests of algorithm 0x0004" },
		{ "data of 0xffffffff", 137, "\xff\xff\xff\xff", 4, "takes 4294967295 bytes" },
		{ "data of 16 MiB", 137, "\0\0\0\1", 4, "takes 16777216 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer log = build(&good);
		static struct uefi_pcrs pcrs;
		struct assay_error err = { 0 };
		char expected[64];
		int r;

		memcpy(log.data + rows[i].at, rows[i].bytes, rows[i].size);
		r = uefi_replay(buffer_bytes(&log), &pcrs, &err);
		snprintf(expected, sizeof(expected),
			 "firmware event %d at offset %d: ", rows[i].at >= 69,
			 rows[i].at >= 69 ? 69 : 0);
		if (r != -EBADMSG || !strstr(err.text, rows[i].error) ||
		    !strstr(err.text, expected))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
		buffer_free(&log);
	}
}

/* A bank that is not known is carried along; what is known of the log still replays. */
static void an_unknown_bank(void **state)
{
	struct buffer log = { 0 };
	static struct uefi_pcrs pcrs;
	struct assay_error err;

	(void)state;
	log = build(&good);
	/* SM3 in the place of SHA-256: in the header and in the four events. */
	for (size_t i = 64; i + 1 < log.size; i++)
		if (log.data[i] == 0x0b && log.data[i + 1] == 0)
			log.data[i] = 0x12;
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, &err), 0);
	assert_int_equal(pcrs.bank_count, 1);
	assert_null(uefi_pcrs_value(&pcrs, ASSAY_HASH_SHA256, 0));
	assert_non_null(uefi_pcrs_value(&pcrs, ASSAY_HASH_SHA1, 0));
	buffer_free(&log);

	put_header(&log);
	log.data[56] = 1; /* one algorithm, SM3 */
	log.data[60] = 0x12;
	log.data[62] = 0x20;
	log.data[64] = 0; /* and of vendor's bytes none */
	log.data[28] = 33;
	log.size = 65;
	assert_int_equal(uefi_replay(buffer_bytes(&log), &pcrs, &err), -ENOTSUP);
	support_assert_error(&err, "no bank of a known algorithm");
	buffer_free(&log);
}

static void truncated_at_every_byte(void **state)
{
	struct buffer log = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	struct uefi_reader reader;
	struct uefi_event event;
	uint64_t ends[64] = { 0 };
	size_t events = 0, next = 0;

	(void)state;
	assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
	while (uefi_next(&reader, &event, NULL) == 1)
		ends[events++] = reader.offset;
	uefi_close(&reader);
	assert_int_equal(events, 28);
	for (size_t size = 1; size <= log.size; size++) {
		/* In memory of its own, so that a byte too far is found. */
		uint8_t *copy = malloc(size);
		static struct uefi_pcrs pcrs;
		struct assay_error err;
		bool whole = size == ends[next];

		assert_non_null(copy);
		memcpy(copy, log.data, size);
		assert_int_equal(uefi_replay(BYTES(copy, size), &pcrs, &err), whole ? 0 : -EBADMSG);
		if (whole)
			next++;
		else
			support_assert_error(&err, "truncated");
		free(copy);
	}
	assert_int_equal(next, events);
	buffer_free(&log);
}

static bool same_values(const struct uefi_pcrs *a, const struct uefi_pcrs *b)
{
	for (unsigned int pcr = 0; pcr < UEFI_PCR_COUNT; pcr++)
		if (memcmp(uefi_pcrs_value(a, ASSAY_HASH_SHA256, pcr)->bytes,
			   uefi_pcrs_value(b, ASSAY_HASH_SHA256, pcr)->bytes, 32) != 0)
			return false;
	return true;
}

/* Of each byte of a log that is changed: it is refused, or told, or a PCR is another, or it is
 * data or a type that no digest covers, and then no event that is @covered. */
static void a_changed_byte_is_noticed(void **state)
{
	struct buffer log = log_test_data("uefi/tpm2tools-event-sd-boot-fedora37.bin");
	static struct uefi_pcrs before, after;
	size_t unnoticed = 0;

	(void)state;
	assert_int_equal(uefi_replay(buffer_bytes(&log), &before, NULL), 0);
	for (size_t i = 0; i < log.size; i++) {
		struct uefi_reader reader;
		struct uefi_event event = { 0 };

		log.data[i] ^= 0x10;
		if (uefi_replay(buffer_bytes(&log), &after, NULL) == 0 && !after.rules &&
		    same_values(&before, &after)) {
			/* In which event is it, and where in it? */
			assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
			while (reader.offset <= i)
				assert_int_equal(uefi_next(&reader, &event, NULL), 1);
			uefi_close(&reader);
			if (event.number > 0 && (i < event.offset + 4 || i >= event.offset + 8))
				assert_false(event.covered);
			unnoticed++;
		}
		log.data[i] ^= 0x10;
	}
	print_message("%zu of %zu bytes\n", unnoticed, log.size);
	assert_true(unnoticed < log.size / 2);
	buffer_free(&log);
}

static void names_of_types(void **state)
{
	(void)state;
	assert_string_equal(uefi_type_name(UEFI_EV_SEPARATOR), "EV_SEPARATOR");
	assert_string_equal(uefi_type_name(0x800000e0), "EV_EFI_VARIABLE_AUTHORITY");
	assert_null(uefi_type_name(0x80000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_of_other_projects_replay),
		cmocka_unit_test(logs_that_break_a_rule_replay),
		cmocka_unit_test(banks_that_lack_digests),
		cmocka_unit_test(a_log_of_a_confidential_machine),
		cmocka_unit_test(names_of_rules),
		cmocka_unit_test(how_far_a_value_covers_a_log),
		cmocka_unit_test(logs_without_a_beginning),
		cmocka_unit_test(startup_locality),
		cmocka_unit_test(events_that_break_a_rule),
		cmocka_unit_test(orders_that_break_a_rule),
		cmocka_unit_test(zeros_that_are_extended),
		cmocka_unit_test(two_localities),
		cmocka_unit_test(framing_that_is_off),
		cmocka_unit_test(an_unknown_bank),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(a_changed_byte_is_noticed),
		cmocka_unit_test(names_of_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
