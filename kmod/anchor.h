/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TPM side of the log: which PCR banks there are, what the PCR should hold,
 * and extending it. Keeps a software copy of the PCR in each bank, so that after a
 * failed extend it can find out whether the TPM had done it all the same.
 *
 * Called by the ledger, under its lock, and by the module's start (the PCR's index).
 * All calls may sleep for as long as the TPM takes.
 */
#ifndef _ASSAY_ANCHOR_H
#define _ASSAY_ANCHOR_H

#include <linux/types.h>

#include "uapi/assay.h"

struct crypto_shash;
struct device;
struct tpm_chip;

/**
 * struct assay_bank - an allocated PCR bank
 * @alg: ASSAY_ALG_*
 * @size: bytes of a digest
 * @hash: the kernel's implementation
 * @start: the PCR when the log began
 * @value: the PCR after the last anchored record
 * @digest: digest of the record that is not anchored yet, if there is one
 * @next: the PCR after that record
 */
struct assay_bank {
	u16 alg;
	u16 size;
	struct crypto_shash *hash;
	u8 start[ASSAY_MAX_DIGEST];
	u8 value[ASSAY_MAX_DIGEST];
	u8 digest[ASSAY_MAX_DIGEST];
	u8 next[ASSAY_MAX_DIGEST];
};

/**
 * struct assay_anchor - the PCR that a log is anchored in
 * @dev: for messages
 * @pcr: PCR index
 * @chip: the TPM, NULL before one was seen and after it went away
 * @doubtful: what the PCR holds is not certain: an extend failed, or the TPM was
 *            away; it is read back before the next extend
 * @bank_count: how many of @banks are set; 0 before a TPM was seen, and from then
 *              on the same banks are asked of any TPM
 * @banks: the allocated banks, in the TPM's order
 */
struct assay_anchor {
	struct device *dev;
	u32 pcr;
	struct tpm_chip *chip;
	bool doubtful;
	unsigned int bank_count;
	struct assay_bank banks[ASSAY_MAX_BANKS];
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
 * @anchor: to initialise; to be released by assay_anchor_forget()
 * @dev: for messages
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 */
void assay_anchor_init(struct assay_anchor *anchor, struct device *dev, u32 pcr);

/**
 * assay_anchor_forget() - release what an anchor holds, as if no TPM had been seen
 * @anchor: initialised anchor
 */
void assay_anchor_forget(struct assay_anchor *anchor);

/**
 * assay_anchor_attach() - find the TPM, if it is not known yet
 * @anchor: initialised anchor
 *
 * The first time it sets the banks, and start and value from the PCR.
 *
 * Return: 0; -ENODEV (no TPM, or one that its driver could not start); after a
 * dev_err(): -EOPNOTSUPP (TPM 1.2), -ENOPKG (a bank whose hash is not known),
 * -EUCLEAN (another TPM with other banks), -ENOMEM, -EIO (the TPM cannot be read).
 */
int assay_anchor_attach(struct assay_anchor *anchor);

/**
 * assay_anchor_prepare() - compute digest and next of every bank for new content
 * @anchor: attached anchor
 * @content: what is to be extended
 * @size: bytes of @content
 *
 * Return: 0 or a negative errno of the hash.
 */
int assay_anchor_prepare(struct assay_anchor *anchor, const u8 *content, size_t size);

/**
 * assay_anchor_extend() - extend the PCR with what was prepared
 * @anchor: attached anchor
 *
 * On success value becomes next. After an earlier failure the PCR is read
 * first, and if it holds next already, nothing is extended.
 *
 * Return: 0; -ENODEV (the TPM went away); -EUCLEAN after a dev_err(): something
 * else has extended the PCR; -EIO and others: the TPM failed, and the same may be
 * tried again.
 */
int assay_anchor_extend(struct assay_anchor *anchor);

/**
 * assay_anchor_confirm() - make sure that the PCR holds value
 * @anchor: attached anchor with nothing prepared that was not extended
 *
 * Reads the PCR only after the TPM was away.
 *
 * Return: as assay_anchor_extend().
 */
int assay_anchor_confirm(struct assay_anchor *anchor);

/**
 * assay_anchor_ima_bypassed() - does IMA run without this TPM
 * @anchor: attached anchor
 *
 * Return: 1 if IMA is built in and its PCR was never extended, 0 if not so, 2 if
 * the PCR could not be read.
 */
u8 assay_anchor_ima_bypassed(struct assay_anchor *anchor);

#endif /* _ASSAY_ANCHOR_H */
