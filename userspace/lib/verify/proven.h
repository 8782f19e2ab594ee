/* SPDX-License-Identifier: MIT */
/*
 * What a verified quote proves. Both types are opaque and are made in one way only:
 *
 *	a quote that was verified -> struct quoted_pcrs -> a replay -> struct proven_log
 *
 * so what appraises content cannot be given a log that nothing proves. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_PROVEN_H
#define ASSAY_VERIFY_PROVEN_H

#include "firmware/rules.h"
#include "log/uefi.h"
#include "verify/evidence.h"
#include "verify/replay.h"
#include "verify/structures.h"
#include "verify/input.h"

/* The PCR values that a quote vouches for. */
struct quoted_pcrs;

/*
 * quoted_pcrs_new() - the values beside a quote, if the quote's digest is theirs
 * @attest: its signature, nonce, magic, type and selection were found good before
 * @hash: of the quote's digest (TPM2_Quote, Part 3, 18.4: the signing scheme's)
 * @ret: quoted_pcrs_free() it; borrows from @evidence
 *
 * Return: 0; -EBADMSG where the digest is another; -ENOMEM, -EIO
 */
int quoted_pcrs_new(const struct evidence *evidence, const struct tpm_attest *attest,
		    enum assay_hash hash, struct quoted_pcrs **ret, struct assay_error *err);
void quoted_pcrs_free(struct quoted_pcrs *quoted); /* does nothing with NULL */

/* quoted_pcr() - a value; NULL if it is not quoted */
const struct assay_digest *quoted_pcr(const struct quoted_pcrs *quoted, enum assay_hash bank,
				      unsigned int index);

/* A log that replays to quoted PCRs. */
struct proven_log;

/**
 * struct replayed_log - what is to be replayed
 * @bytes: the log, digests of whose records were found to be those of their content
 * @pcr: that anchors it
 * @bank: in which it is quoted
 */
struct replayed_log {
	struct bytes bytes;
	unsigned int pcr;
	enum assay_hash bank;
};

/*
 * proven_assay() - replay assay's log
 * @start: the PCR's value before the first record
 * @may_be_covered_by_start: the log goes on from what was verified, so that there may be
 *                           nothing new in it, or nothing that was quoted yet
 * @ret_replay: how far it came
 * @ret: set if the quoted value was reached; proven_log_free() it
 *
 * Return: 0, reached or not; -ENOENT where the PCR is not quoted; as replay_assay()
 */
int proven_assay(const struct quoted_pcrs *quoted, const struct replayed_log *log,
		 const struct assay_digest *start, bool may_be_covered_by_start,
		 struct replay *ret_replay, struct proven_log **ret, struct assay_error *err);

/*
 * proven_ima() - the same of IMA's list; @template_bank as of replay_ima()
 * @start: what was verified of it before; NULL for a whole list
 */
int proven_ima(const struct quoted_pcrs *quoted, const struct replayed_log *log,
	       enum assay_hash template_bank, const struct assay_digest *start,
	       struct replay *ret_replay, struct proven_log **ret, struct assay_error *err);

/**
 * struct firmware_replay - what became of the PCRs that the firmware's log has events of
 * @proven: bit n: the log replays to the quoted value of PCR n, in an accepted bank
 * @later: bit n: it does not, which the policy accepts
 * @separated: bit n: systemd's os-separator comes behind what it replays to
 * @phases: of PCR 11: the words of systemd's phases that come behind it, as of uki.h
 * @differs: where it does not, and must: the bank of the first, else ASSAY_HASH_NONE
 * @pcr, @found, @replayed: that PCR, what is quoted and what the log replays to
 */
struct firmware_replay {
	uint32_t proven, later, separated, phases;
	enum assay_hash differs;
	unsigned int pcr;
	struct assay_digest found, replayed;
};

/**
 * struct firmware_before - the PCR that assay's log goes on with, before that log began
 * @pcr: its index; UEFI_PCR_COUNT where there is no log of assay's, so that each PCR must be
 *       what is quoted
 * @values: what it was, a value a bank, by a proven log that begins with the boot
 * @count: how many; 0 where nothing says it, so that nothing can be compared
 */
struct firmware_before {
	unsigned int pcr;
	const struct assay_digest *values;
	size_t count;
};

/*
 * proven_firmware() - compare what a log of the firmware replays to with what is quoted:
 * PCRs 0 to 7, which are the firmware's, and those above that the log has events of; systemd may
 * have extended them with os-separator since, and PCR 11 with the words of its phases
 * @log: well-formed
 * @pcrs: all of them, by uefi_replay()
 * @policy: which banks count (SHA-1 and such may agree; they prove nothing), and which PCRs
 *          may differ, since others extend them later
 * @ret: set if at least one PCR is proven and none differs that may not
 *
 * Return: 0; -ENOMEM
 */
int proven_firmware(const struct quoted_pcrs *quoted, struct bytes log,
		    const struct uefi_pcrs *pcrs, const struct verify_policy *policy,
		    const struct firmware_before *before, struct firmware_replay *ret_replay,
		    struct proven_log **ret, struct assay_error *err);

void proven_log_free(struct proven_log *log); /* does nothing with NULL */

/* proven_bytes() - all of the log: what comes behind proven_size() is not covered */
struct bytes proven_bytes(const struct proven_log *log);
/* proven_size(), proven_records() - how much of it is covered */
uint64_t proven_size(const struct proven_log *log);
uint64_t proven_records(const struct proven_log *log);
/* proven_bank() - whose template digests IMA's list holds */
enum assay_hash proven_bank(const struct proven_log *log);
/* proven_pcrs() - of the firmware's log: its PCRs; bit n of *ret_proven: n's value is proven */
const struct uefi_pcrs *proven_pcrs(const struct proven_log *log, uint32_t *ret_proven);
/* proven_separated() - likewise; bit n: systemd extended n with os-separator behind the log */
uint32_t proven_separated(const struct proven_log *log);

/* proven_firmware_log() - the firmware's log, and which PCRs it proves in which bank */
const struct firmware_log *proven_firmware_log(const struct proven_log *log);

#endif /* ASSAY_VERIFY_PROVEN_H */
