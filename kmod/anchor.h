/* SPDX-License-Identifier: GPL-2.0-only */
/* The TPM side of the log: banks, extends, and what the PCR holds. */
#ifndef _ASSAY_ANCHOR_H
#define _ASSAY_ANCHOR_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

#include "uapi/assay.h"

struct crypto_shash;
struct device;
struct kvec;
struct tpm_chip;

/* How often the PCR is read after an extend: a number of seconds, or one of these. */
#define ASSAY_VERIFY_NEVER 0
#define ASSAY_VERIFY_EACH UINT_MAX

/* Records whose values are kept, to tell what has happened to a PCR that is not the log's. */
#define ASSAY_RECENT 32

/* The hashes that a bank may be of: every ASSAY_ALG_*. */
#define ASSAY_HASHES 4

/**
 * struct assay_pending - a record that is written and not in the PCR yet
 * @node: in struct assay_anchor.pending, the oldest first
 * @recnum: its number
 * @end: offset behind it
 * @digest: of its content, in each hash that assay_anchor_hashes() named when it was
 *          made
 */
struct assay_pending {
	struct list_head node;
	u64 recnum;
	u64 end;
	u8 digest[ASSAY_HASHES][ASSAY_MAX_DIGEST];
};

/**
 * struct assay_bank - an allocated PCR bank
 * @alg: ASSAY_ALG_*
 * @size: bytes of a digest
 * @hash: index of its hash, as in struct assay_pending.digest
 * @start: the PCR before the record at the log's head
 * @value: the PCR after the last anchored record
 * @next: while a record is extended, the PCR after that
 */
struct assay_bank {
	u16 alg;
	u16 size;
	unsigned int hash;
	u8 start[ASSAY_MAX_DIGEST];
	u8 value[ASSAY_MAX_DIGEST];
	u8 next[ASSAY_MAX_DIGEST];
};

/**
 * struct assay_recent - a record that was anchored, in the bank that is read
 * @digest: of its content
 * @value: the PCR after it
 */
struct assay_recent {
	u8 digest[ASSAY_MAX_DIGEST];
	u8 value[ASSAY_MAX_DIGEST];
};

/**
 * struct assay_anchor - the PCR that a log is anchored in
 * @dev: for messages
 * @pcr: PCR index
 * @chip: the TPM, NULL before one was seen and after it went away
 * @doubtful: what the PCR holds is not certain: an extend failed, or the TPM was
 *            away; it is read back before the next extend
 * @doubts: how often assay_anchor_doubt() was called; without a lock
 * @doubts_seen: of them, before the PCR was last read
 * @asleep: the machine is about to sleep, or has just woken up; without a lock
 * @verify: seconds, or ASSAY_VERIFY_*
 * @verified: in jiffies, when the PCR was last read and held what the log says
 * @unverified: records anchored since then
 * @state: enum assay_pcr_state
 * @recent: of the last records; record N of the @recent_count that there have been is at
 *          N modulo ASSAY_RECENT
 * @recent_count: see @recent
 * @ahead: so many of @pending, from the oldest, turned out to be in the PCR
 * @hash: the kernel's implementations, NULL where it has none
 * @bank_count: how many of @banks are set; 0 before a TPM was seen, and from then
 *              on the same banks are asked of any TPM
 * @banks: the allocated banks, in the TPM's order
 * @pending: struct assay_pending, in the log's order
 */
struct assay_anchor {
	struct device *dev;
	u32 pcr;
	struct tpm_chip *chip;
	bool doubtful;
	atomic_t doubts;
	int doubts_seen;
	bool asleep;
	unsigned int verify;
	unsigned long verified;
	u64 unverified;
	u32 state;
	struct assay_recent recent[ASSAY_RECENT];
	u64 recent_count;
	unsigned int ahead;
	struct crypto_shash *hash[ASSAY_HASHES];
	unsigned int bank_count;
	struct assay_bank banks[ASSAY_MAX_BANKS];
	struct list_head pending;
};

const char *assay_anchor_check_pcr(u32 pcr);
int assay_anchor_init(struct assay_anchor *anchor, struct device *dev, u32 pcr,
		      unsigned int verify);
void assay_anchor_destroy(struct assay_anchor *anchor);
int assay_anchor_attach(struct assay_anchor *anchor);
bool assay_anchor_is_virtual(const struct assay_anchor *anchor);
unsigned long assay_anchor_hashes(const struct assay_anchor *anchor);
u16 assay_anchor_hash_alg(unsigned int hash, u16 *ret_size);
int assay_anchor_digest(struct assay_anchor *anchor, const struct kvec *content, unsigned int count,
			struct assay_pending *pending);
int assay_anchor_chain(const struct assay_anchor *anchor, unsigned int bank, u8 *value,
		       const u8 *digest);
int assay_anchor_hash_by_alg(const struct assay_anchor *anchor, u16 alg, const struct kvec *content,
			     unsigned int count, u8 *ret_digest);
void assay_anchor_resume(struct assay_anchor *anchor, const struct assay_log_bank *banks,
			 struct list_head *pending);
void assay_anchor_add(struct assay_anchor *anchor, struct assay_pending *pending);
int assay_anchor_extend(struct assay_anchor *anchor, struct assay_pending **ret_done);
int assay_anchor_confirm(struct assay_anchor *anchor, bool now);
void assay_anchor_doubt(struct assay_anchor *anchor);
void assay_anchor_sleep(struct assay_anchor *anchor, bool asleep);
u8 assay_anchor_ima_bypassed(struct assay_anchor *anchor);

#endif /* _ASSAY_ANCHOR_H */
