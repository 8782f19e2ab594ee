/* SPDX-License-Identifier: MIT */
/*
 * Reading the firmware's event log, as /sys/kernel/security/tpm0/binary_bios_measurements
 * gives it: TCG PC Client Platform Firmware Profile Specification (PFP) 1.06, section 10,
 * in its crypto-agile form, and in the old form of SHA-1 (TCG EFI Platform Specification).
 *
 * The log is hostile: the framing of every event is checked, and apart from it what the
 * specification says of the events. One that is off still replays, and says what is off.
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
/* An event that tells something and is of no PCR (EV_NO_ACTION only). */
#define UEFI_NO_PCR UINT32_MAX

/* Event types (PFP 10.4.1) that the rules here are about; uefi_type_name() knows more. */
#define UEFI_EV_NO_ACTION 0x00000003U
#define UEFI_EV_SEPARATOR 0x00000004U
#define UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001U

/**
 * struct uefi_event - one event; all but those of EV_NO_ACTION were extended
 * @number: 0 for the first, which in a crypto-agile log is its header
 * @offset: its first byte in the log
 * @pcr: 0 to UEFI_PCR_COUNT - 1, or UEFI_NO_PCR
 * @type: as it stands, and anybody's to change: no digest covers it
 * @digests: one a bank of the log, in the order of its header. Where struct assay_digest
 *           has no name for the algorithm, .hash is the TPM_ALG_ID as it stands
 * @digest_count: banks of the log
 * @data: the event's data, not yet fit to print
 * @extended: whether it went into the PCR
 * @covered: every digest of a known algorithm is that of @data: what is extended proves it
 * @after_separator: the separator of this PCR came before: it is not the firmware's own
 * @problem: what the specification forbids, NULL if nothing is off
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
	const char *problem;
};

/**
 * struct uefi_reader - where in a log one is; uefi_open() sets it up, uefi_close() ends it
 * @rest: what is not read yet
 * @offset: its offset in the log
 * @number: of the next event
 * @agile: crypto-agile; else of the old form, whose only bank is SHA-1
 * @banks: what digests every event has: .hash and .size
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
	bool agile;
	struct {
		enum assay_hash hash;
		size_t size;
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
 *         replays; -EBADMSG where it begins with no event
 */
int uefi_open(struct uefi_reader *reader, struct bytes log, struct assay_error *err);
void uefi_close(struct uefi_reader *reader);

/*
 * uefi_next() - the next event
 *
 * Return: 1 with *ret_event set; 0 at the end; -EBADMSG for bytes that are no event,
 *         which @err places, and then the reader stays where it is; -EIO
 */
int uefi_next(struct uefi_reader *reader, struct uefi_event *ret_event, struct assay_error *err);

/* uefi_event_digest() - the event's digest of that bank; NULL if it has none */
const struct assay_digest *uefi_event_digest(const struct uefi_event *event, enum assay_hash hash);

/**
 * struct uefi_pcrs - what all PCRs of all known banks replay to
 * @banks: a bank each: .hash, and the values; PCRs start at zeros (PCR 0: at the locality)
 * @bank_count: banks of known algorithms
 * @extended: bit n: something was extended into PCR n
 * @events: all that were read
 * @problems: how many of them are off, the first of them being @problem (else NULL), of event
 *            @problem_number at @problem_offset
 */
struct uefi_pcrs {
	struct {
		enum assay_hash hash;
		struct assay_digest values[UEFI_PCR_COUNT];
	} banks[HASHERS_MAX];
	size_t bank_count;
	uint32_t extended;
	uint64_t events;
	uint64_t problems;
	const char *problem;
	uint64_t problem_number, problem_offset;
};

/*
 * uefi_replay() - replay a whole log
 *
 * Return: 0; as uefi_open() and uefi_next(); -ENOTSUP if no bank of it is known
 */
int uefi_replay(struct bytes log, struct uefi_pcrs *ret, struct assay_error *err);

/* uefi_pcrs_value() - NULL if the log has no such bank */
const struct assay_digest *uefi_pcrs_value(const struct uefi_pcrs *pcrs, enum assay_hash bank,
					   unsigned int pcr);

/* uefi_type_name() - "EV_SEPARATOR" and so on; NULL for a type not known */
const char *uefi_type_name(uint32_t type);
/* uefi_type_by_name() - the same the other way round, in any case; false for no such name */
bool uefi_type_by_name(const char *name, uint32_t *ret);

#endif /* ASSAY_LOG_UEFI_H */
