/* SPDX-License-Identifier: MIT */
/*
 * Reading the firmware's event log, as /sys/kernel/security/tpm0/binary_bios_measurements
 * gives it: TCG PC Client Platform Firmware Profile Specification (PFP) 1.06, section 10,
 * in its crypto-agile form, and in the old form of SHA-1 (TCG EFI Platform Specification).
 *
 * The log is hostile: the framing of every event is checked, and apart from it what the
 * specification says of the events (enum uefi_rule). One that breaks a rule still replays, and
 * says which.
 * The digests that were extended do not cover an event's type, and its data only where
 * @covered says so. For lib/verify and the commands. Nothing is copied: an event points
 * into the log it came from.
 */
#ifndef ASSAY_LOG_UEFI_H
#define ASSAY_LOG_UEFI_H

#include "base/bytes.h"
#include "log/hasher.h"

/* Algorithms of a log at most (HASH_COUNT of the TPM's Part 2, Annex A). */
#define UEFI_MAX_BANKS 16
#define UEFI_PCR_COUNT 24
/* Registers of a confidential machine (UEFI 2.10, 38.4.1): TDX has MRTD as number 0, which is what
 * the machine was made of and is never extended, and RTMR 0 to 3 as 1 to 4. */
#define UEFI_CC_COUNT 5
#define UEFI_CC_MRTD 0
/* An event that tells something and is of no PCR (EV_NO_ACTION only). */
#define UEFI_NO_PCR UINT32_MAX

/* Event types (PFP 10.4.1) that the rules here are about; uefi_type_name() knows more. */
#define UEFI_EV_NO_ACTION 0x00000003U
#define UEFI_EV_POST_CODE 0x00000001U
#define UEFI_EV_SEPARATOR 0x00000004U
#define UEFI_EV_EVENT_TAG 0x00000006U
#define UEFI_EV_S_CRTM_VERSION 0x00000008U
#define UEFI_EV_IPL 0x0000000dU
#define UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001U
#define UEFI_EV_EFI_VARIABLE_BOOT 0x80000002U
#define UEFI_EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003U
#define UEFI_EV_EFI_BOOT_SERVICES_DRIVER 0x80000004U
#define UEFI_EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005U
#define UEFI_EV_EFI_GPT_EVENT 0x80000006U
#define UEFI_EV_EFI_PLATFORM_FIRMWARE_BLOB 0x80000008U
#define UEFI_EV_EFI_HANDOFF_TABLES 0x80000009U
#define UEFI_EV_EFI_PLATFORM_FIRMWARE_BLOB2 0x8000000aU
#define UEFI_EV_EFI_HANDOFF_TABLES2 0x8000000bU
#define UEFI_EV_EFI_VARIABLE_BOOT2 0x8000000cU
#define UEFI_EV_EFI_GPT_EVENT2 0x8000000dU
#define UEFI_EV_EFI_HCRTM_EVENT 0x80000010U
#define UEFI_EV_EFI_VARIABLE_AUTHORITY 0x800000e0U

/**
 * enum uefi_rule - what the specification says of events, and what an event may break
 * An event that breaks one replays all the same. Machines that nobody tampered with break some:
 * each is a fact, which a verifier may accept by itself.
 */
enum uefi_rule {
	UEFI_RULE_BANK_MISSING, /* of the log, told of its header: event 0 */
	UEFI_RULE_DIGEST_MISSING,
	UEFI_RULE_NO_ACTION_SHORT,
	UEFI_RULE_NO_ACTION_DIGEST,
	UEFI_RULE_ZERO_DIGEST,
	UEFI_RULE_HEADER_LATE,
	UEFI_RULE_LOCALITY_FORM,
	UEFI_RULE_LOCALITY_ORDER,
	UEFI_RULE_SEPARATOR_TYPE,
	UEFI_RULE_SEPARATOR_SIZE,
	UEFI_RULE_SEPARATOR_DIGEST,
	UEFI_RULE_SEPARATOR_ERROR,
	UEFI_RULE_SEPARATOR_TWICE,
	UEFI_RULE_AFTER_SEPARATOR,
	UEFI_RULE_SECURE_BOOT_LATE,
	UEFI_RULE_MRTD,
	UEFI_RULES, /* how many there are; at most 32 */
};

/* uefi_rule_name() - "after-separator" and so on, as policies and options have it */
const char *uefi_rule_name(enum uefi_rule rule);
/* uefi_rule_by_name() - the same the other way round; false for no such name */
bool uefi_rule_by_name(const char *name, enum uefi_rule *ret);
/* uefi_rule_sentence() - what is so of an event that breaks it: a sentence without its full stop */
const char *uefi_rule_sentence(enum uefi_rule rule);

/**
 * struct uefi_event - one event; all but those of EV_NO_ACTION were extended
 * @number: 0 for the first, which in a crypto-agile log is its header
 * @offset: its first byte in the log
 * @pcr: 0 to UEFI_PCR_COUNT - 1, or UEFI_NO_PCR; in the log of a confidential machine the number
 *       of its register, 0 to UEFI_CC_COUNT - 1
 * @type: as it stands, and anybody's to change: no digest covers it
 * @digests: those it has, of banks of the log's header, in that one's order. Where struct
 *           assay_digest has no name for the algorithm, .hash is the TPM_ALG_ID as it stands
 * @digest_count: how many; 0 to the banks of the log
 * @data: the event's data, not yet fit to print
 * @extended: whether it went into the PCR or register
 * @covered: it has a digest of a known algorithm, and every such digest is that of @data: what is
 *           extended proves it
 * @after_separator: the separator of this PCR came before: it is not the firmware's own
 * @rules: bit n: it breaks rule n of enum uefi_rule
 */
struct uefi_event {
	uint64_t number;
	uint64_t offset;
	uint32_t pcr;
	uint32_t type;
	struct assay_digest digests[UEFI_MAX_BANKS];
	size_t digest_count;
	struct bytes data;
	bool extended;
	bool covered;
	bool after_separator;
	uint32_t rules;
};

/**
 * struct uefi_reader - where in a log one is; uefi_open() sets it up, uefi_close() ends it
 * @rest: what is not read yet
 * @offset: its offset in the log
 * @number: of the next event
 * @agile: crypto-agile; else of the old form, whose only bank is SHA-1
 * @cc: of a confidential machine
 * @fill: how many bytes at its end are all zeros or all ones: no event begins in them
 * @banks: what the log's header names: .hash and .size; .used: an event that was extended has a
 *         digest of it
 * @bank_count: how many
 * @separated: bit n: PCR n's separator was read
 * @extended: bit n: something was extended into PCR n
 * @locality: from where the platform was started, 0, 3 or 4: PCR 0 begins with that value
 * @locality_known: a StartupLocality event says so; else an H-CRTM's event, the first of PCR 0,
 *                  makes it 4
 * @hashers: of the banks that are known
 */
struct uefi_reader {
	struct bytes rest;
	uint64_t offset;
	uint64_t number;
	bool agile, cc;
	size_t fill;
	struct {
		enum assay_hash hash;
		size_t size;
		bool used;
	} banks[UEFI_MAX_BANKS];
	size_t bank_count;
	uint32_t separated;
	uint32_t extended;
	uint8_t locality;
	bool locality_known;
	struct hashers hashers;
};

/*
 * uefi_open() - read @log from its start
 *
 * Return: 0; -ENODATA for a log of no bytes, which says nothing and is not a log that
 *         replays; -ENOTSUP for the log of a confidential machine (CCEL), whose registers are
 *         no PCRs; -EBADMSG where it begins with no event
 */
int uefi_open(struct uefi_reader *reader, struct bytes log, struct assay_error *err);

/*
 * uefi_open_cc() - the same for the log of a confidential machine (UEFI 2.10, section 38: the data
 * of the ACPI table CCEL). Events are of its registers. The log lies in an area that is larger:
 * what is behind its last event is zeros or ones, and no part of it.
 *
 * Return: 0; -ENODATA; -EBADMSG, also for a log of a TPM
 */
int uefi_open_cc(struct uefi_reader *reader, struct bytes log, struct assay_error *err);
void uefi_close(struct uefi_reader *reader);

/* uefi_is_ccel() - does it begin as the log of a confidential machine does (ACPI table CCEL)? */
bool uefi_is_ccel(struct bytes log);

/*
 * uefi_next() - the next event
 *
 * Return: 1 with *ret_event set; 0 at the end; -EBADMSG for bytes that are no event,
 *         which @err places, and then the reader stays where it is; -EIO
 */
int uefi_next(struct uefi_reader *reader, struct uefi_event *ret_event, struct assay_error *err);

/* uefi_event_digest() - the event's digest of that bank; NULL if it has none */
const struct assay_digest *uefi_event_digest(const struct uefi_event *event, enum assay_hash hash);

/*
 * uefi_event_covers() - is each digest of @event whose algorithm is known that of @data?
 * @ret: false if none is known. For data that firmware extends in another form than it logs; of
 *       the event's whole data, .covered says it
 *
 * Return: 0, -EIO
 */
int uefi_event_covers(struct uefi_reader *reader, const struct uefi_event *event, struct bytes data,
		      bool *ret, struct assay_error *err);

/*
 * uefi_startup_locality() - is @data that of a StartupLocality event (PFP 10.4.5.3)?
 * @ret: set if so: 0, 3 or 4, what PCR 0 begins with
 */
bool uefi_startup_locality(struct bytes data, uint8_t *ret);

/**
 * struct uefi_broken - the events of a log that break a rule
 * @events: how many
 * @number, @offset: the first of them
 */
struct uefi_broken {
	uint64_t events, number, offset;
};

/**
 * struct uefi_pcrs - what all PCRs of all known banks replay to
 * @banks: a bank each that the log has digests of: .hash, and the values; PCRs start at zeros (PCR
 *         0: at the locality). .extended has bit n set where an event of PCR n has a digest of
 *         that bank, .incomplete where one has none: the value is that of the others
 * @bank_count: banks of known algorithms; a bank that the log's header names and no event has a
 *              digest of is none of them
 * @extended: bit n: something was extended into PCR n, of whatever bank
 * @events: all that were read
 * @rules: bit n: rule n of enum uefi_rule is broken
 * @broken: of each rule, by how many
 */
struct uefi_pcrs {
	struct {
		enum assay_hash hash;
		uint32_t extended, incomplete;
		struct assay_digest values[UEFI_PCR_COUNT];
	} banks[HASHERS_MAX];
	size_t bank_count;
	uint32_t extended;
	uint64_t events;
	uint32_t rules;
	struct uefi_broken broken[UEFI_RULES];
};

/*
 * uefi_replay() - replay a whole log
 *
 * Return: 0; as uefi_open() and uefi_next(); -ENOTSUP if no bank of it is known
 */
int uefi_replay(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err);

/* uefi_replay_cc() - the same of a confidential machine's log: .values[n] are its registers' */
int uefi_replay_cc(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err);

/* uefi_pcrs_value() - NULL if the log has no such bank */
const struct assay_digest *uefi_pcrs_value(const struct uefi_pcrs *pcrs, enum assay_hash bank,
					   unsigned int pcr);

/* uefi_pcrs_complete() - whether every event of that PCR has a digest of that bank */
bool uefi_pcrs_complete(const struct uefi_pcrs *pcrs, enum assay_hash bank, unsigned int pcr);

/* uefi_pcrs_first_rule() - of the rules in the mask @rules, that which is broken first in the log;
 * UEFI_RULES if none is */
enum uefi_rule uefi_pcrs_first_rule(const struct uefi_pcrs *pcrs, uint32_t rules);

/**
 * struct uefi_prefix - how far a PCR's value covers a log's events of that PCR
 * @reached: the value came up: zeros before the first event, or after one of them
 * @events: events of that PCR that are not EV_NO_ACTION
 * @covered: those up to which it came up. Among them may be some without a digest of its bank,
 *           which it says nothing of: see uefi_pcrs_complete()
 * @number, @offset: the first that is not covered, where there is one
 *
 * Nobody can tell from a value what was extended behind the log's last event, as the operating
 * system does with PCRs 8 to 15: then the value is not reached, and proves nothing. What can be
 * proven is a beginning of the log: that which the value is of. Events behind it came later than
 * the value, or were never extended.
 */
struct uefi_prefix {
	bool reached;
	uint64_t events, covered;
	uint64_t number, offset;
};

/*
 * uefi_find_prefix() - how far @value, of PCR @pcr in its bank, covers the log
 *
 * Return: 0; as uefi_replay(); -EINVAL where there is no such PCR, or the log has no such bank
 */
int uefi_find_prefix(struct bytes log, unsigned int pcr, const struct assay_digest *value,
		     struct uefi_prefix *ret, struct assay_error *err);

/* uefi_find_prefix_cc() - the same of a confidential machine's log and its register @mr */
int uefi_find_prefix_cc(struct bytes log, unsigned int mr, const struct assay_digest *value,
			struct uefi_prefix *ret, struct assay_error *err);

/* uefi_type_name() - "EV_SEPARATOR" and so on; NULL for a type not known */
const char *uefi_type_name(uint32_t type);
/* uefi_type_by_name() - the same the other way round, in any case; false for no such name */
bool uefi_type_by_name(const char *name, uint32_t *ret);

#endif /* ASSAY_LOG_UEFI_H */
