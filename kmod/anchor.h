/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TPM side of the log: which PCR banks there are, what the PCR should hold, which
 * records are not in it yet, and extending it. Keeps a software copy of the PCR in each
 * bank, so that after failed extends it can find out which of them the TPM had done all
 * the same.
 *
 * Called by the ledger, under its lock, and by the module's start (the PCR's index).
 * All calls may sleep for as long as the TPM takes.
 */
#ifndef _ASSAY_ANCHOR_H
#define _ASSAY_ANCHOR_H

#include <linux/list.h>
#include <linux/types.h>

#include "uapi/assay.h"

struct crypto_shash;
struct device;
struct kvec;
struct tpm_chip;

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
 * struct assay_anchor - the PCR that a log is anchored in
 * @dev: for messages
 * @pcr: PCR index
 * @chip: the TPM, NULL before one was seen and after it went away
 * @doubtful: what the PCR holds is not certain: an extend failed, or the TPM was
 *            away; it is read back before the next extend
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
	unsigned int ahead;
	struct crypto_shash *hash[ASSAY_HASHES];
	unsigned int bank_count;
	struct assay_bank banks[ASSAY_MAX_BANKS];
	struct list_head pending;
};

/**
 * assay_anchor_check_pcr() - may a log be anchored in this PCR
 * @pcr: PCR index
 *
 * Return: NULL if so, else why not, as the end of a sentence "PCR 10 ...".
 */
const char *assay_anchor_check_pcr(u32 pcr);

/**
 * assay_anchor_init() - an anchor that has seen no TPM yet
 * @anchor: to initialise; to be released by assay_anchor_destroy()
 * @dev: for messages
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 *
 * Return: 0 or -ENOMEM, with nothing to release.
 */
int assay_anchor_init(struct assay_anchor *anchor, struct device *dev, u32 pcr);

/**
 * assay_anchor_destroy() - release what an anchor holds, its pending records as well
 * @anchor: initialised anchor
 */
void assay_anchor_destroy(struct assay_anchor *anchor);

/**
 * assay_anchor_attach() - find the TPM, if it is not known yet
 * @anchor: initialised anchor
 *
 * The first time it sets the banks, and start and value from the PCR.
 *
 * Return: 0; -ENODEV (no TPM, or one that its driver could not start); after a
 * dev_err(): -EOPNOTSUPP (TPM 1.2), -ENOPKG (a bank whose hash is not known),
 * -EUCLEAN (another TPM with other banks); -ETIME, -EIO (the TPM cannot be read).
 */
int assay_anchor_attach(struct assay_anchor *anchor);

/**
 * assay_anchor_hashes() - the hashes that a record's digests are made with now
 * @anchor: initialised anchor
 *
 * Return: a bit for each index: those of the banks or, before a TPM was seen, all
 * that this kernel can compute.
 */
unsigned long assay_anchor_hashes(const struct assay_anchor *anchor);

/**
 * assay_anchor_hash_alg() - which hash is that
 * @hash: index, below ASSAY_HASHES
 * @ret_size: set to the bytes of a digest
 *
 * Return: ASSAY_ALG_*.
 */
u16 assay_anchor_hash_alg(unsigned int hash, u16 *ret_size);

/**
 * assay_anchor_digest() - the digests of a record
 * @anchor: initialised anchor
 * @content: what is to be extended, in pieces
 * @count: pieces
 * @pending: to set the digests of, in all of assay_anchor_hashes()
 *
 * Return: 0 or a negative errno of the hash.
 */
int assay_anchor_digest(struct assay_anchor *anchor, const struct kvec *content, unsigned int count,
			struct assay_pending *pending);

/**
 * assay_anchor_chain() - what a PCR holds after a record
 * @anchor: anchor that has banks
 * @bank: index of the bank
 * @value: what it held before; set to what it holds then
 * @digest: of the record
 *
 * TPM 2.0 Library, part 1, 17.3. Takes no lock: banks stay what they are.
 *
 * Return: 0 or a negative errno of the hash.
 */
int assay_anchor_chain(const struct assay_anchor *anchor, unsigned int bank, u8 *value,
		       const u8 *digest);

/**
 * assay_anchor_hash_by_alg() - a digest
 * @anchor: initialised anchor
 * @alg: any number
 * @content: what to hash, in pieces
 * @count: pieces
 * @ret_digest: set on success; room for ASSAY_MAX_DIGEST bytes
 *
 * Return: 0, -ENOPKG (not an ASSAY_ALG_*, or this kernel has no such hash) or another
 * negative errno of the hash.
 */
int assay_anchor_hash_by_alg(const struct assay_anchor *anchor, u16 alg, const struct kvec *content,
			     unsigned int count, u8 *ret_digest);

/**
 * assay_anchor_resume() - go on with a log that was anchored in the same banks before
 * @anchor: attached anchor with nothing pending
 * @banks: start and value of each bank, in the anchor's order
 * @pending: what may be in the PCR besides; moved to the anchor
 */
void assay_anchor_resume(struct assay_anchor *anchor, const struct assay_log_bank *banks,
			 struct list_head *pending);

/**
 * assay_anchor_add() - a record was written
 * @anchor: initialised anchor
 * @pending: the record, allocated with kmalloc() or the like; the anchor's from now on
 */
void assay_anchor_add(struct assay_anchor *anchor, struct assay_pending *pending);

/**
 * assay_anchor_extend() - extend the PCR with the oldest pending record
 * @anchor: attached anchor with a pending record
 * @ret_done: set to the record on success: the caller's again, to be freed with kfree()
 *
 * After earlier failures the PCR is read first, and what it turns out to hold already is
 * not extended again.
 *
 * Return: 0; -ENODEV (the TPM went away); -EUCLEAN after a dev_err(): something
 * else has extended the PCR; -ETIME, -EIO: the TPM did not answer or failed, and the
 * same may be tried again. No other error comes from a TPM.
 */
int assay_anchor_extend(struct assay_anchor *anchor, struct assay_pending **ret_done);

/**
 * assay_anchor_confirm() - make sure that the PCR holds value
 * @anchor: attached anchor with nothing pending
 *
 * Reads the PCR only after the TPM was away.
 *
 * Return: as assay_anchor_extend().
 */
int assay_anchor_confirm(struct assay_anchor *anchor);

/**
 * assay_anchor_ima_bypassed() - does IMA run without this TPM
 * @anchor: initialised anchor
 *
 * Return: 1 if IMA is built in and its PCR was never extended, 0 if not so, 2 if
 * the PCR could not be read, for one because there is no TPM.
 */
u8 assay_anchor_ima_bypassed(struct assay_anchor *anchor);

#endif /* _ASSAY_ANCHOR_H */
