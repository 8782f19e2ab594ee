// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TPM side of the log: which PCR banks there are, what the PCR should hold, which
 * records are not in it yet, and extending it. Keeps a software copy of the PCR in each
 * bank, so that after failed extends it can find out which of them the TPM had done all
 * the same.
 *
 * Called by the ledger, under its lock, and by the module's start (the PCR's index).
 * All calls may sleep for as long as the TPM takes.
 */
#include <crypto/hash.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tpm.h>
#include <linux/uio.h>

#include "anchor.h"
#include "piece.h"

static const struct {
	u16 alg;
	u16 size;
	const char *name;
} assay_hashes[ASSAY_HASHES] = {
	{ ASSAY_ALG_SHA1, 20, "sha1" },
	{ ASSAY_ALG_SHA256, 32, "sha256" },
	{ ASSAY_ALG_SHA384, 48, "sha384" },
	{ ASSAY_ALG_SHA512, 64, "sha512" },
};

static_assert(TPM2_MAX_PCR_BANKS <= ASSAY_MAX_BANKS);

/**
 * assay_anchor_check_pcr() - may a log be anchored in this PCR
 * @pcr: PCR index
 *
 * Return: NULL if so, else why not, as the end of a sentence "PCR 10 ...".
 */
const char *assay_anchor_check_pcr(u32 pcr)
{
	switch (pcr) {
	case 10:
		return "is IMA's";
	case 5:
	case 9:
	case 11:
	case 12:
	case 13:
	case 15:
		return "is measured into by the boot loader or systemd";
	case 16:
	case 23:
		return "can be reset by anybody who can use the TPM";
	}
	if (pcr > 23)
		return "does not exist; a TPM has PCRs 0 to 23";
	return NULL;
}

/**
 * assay_anchor_init() - an anchor that has seen no TPM yet
 * @anchor: to initialise; to be released by assay_anchor_destroy()
 * @dev: for messages
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 * @verify: seconds, or ASSAY_VERIFY_*: how often the PCR is read after an extend
 *
 * Return: 0 or -ENOMEM, with nothing to release.
 */
int assay_anchor_init(struct assay_anchor *anchor, struct device *dev, u32 pcr, unsigned int verify)
{
	unsigned int i;

	memset(anchor, 0, sizeof(*anchor));
	anchor->dev = dev;
	anchor->pcr = pcr;
	anchor->verify = verify;
	INIT_LIST_HEAD(&anchor->pending);
	for (i = 0; i < ASSAY_HASHES; i++) {
		struct crypto_shash *hash = crypto_alloc_shash(assay_hashes[i].name, 0, 0);

		if (!IS_ERR(hash)) {
			anchor->hash[i] = hash;
		} else if (PTR_ERR(hash) == -ENOMEM) {
			assay_anchor_destroy(anchor);
			return -ENOMEM;
		}
	}
	return 0;
}

static void assay_anchor_detach(struct assay_anchor *anchor)
{
	if (anchor->chip)
		put_device(&anchor->chip->dev);
	anchor->chip = NULL;
	anchor->doubtful = true;
}

/**
 * assay_anchor_destroy() - release what an anchor holds, its pending records as well
 * @anchor: initialised anchor
 */
void assay_anchor_destroy(struct assay_anchor *anchor)
{
	struct assay_pending *pending, *next;
	unsigned int i;

	assay_anchor_detach(anchor);
	list_for_each_entry_safe(pending, next, &anchor->pending, node)
		kfree(pending);
	INIT_LIST_HEAD(&anchor->pending);
	for (i = 0; i < ASSAY_HASHES; i++) {
		if (anchor->hash[i])
			crypto_free_shash(anchor->hash[i]);
		anchor->hash[i] = NULL;
	}
}

/*
 * What a driver says becomes one of three errors, none of which the ledger has itself: a
 * TPM's own codes are positive, and its garbage may look like a caller's mistake.
 */
static int assay_anchor_error(struct assay_anchor *anchor, int ret)
{
	/* What kernels from 7.x say of a TPM that has no driver any more. */
	if (ret == -EIO && !READ_ONCE(anchor->chip->ops))
		ret = -ENODEV;
	switch (ret) {
	case 0:
	case -ETIME:
		return ret;
	case -ENODEV:
		assay_anchor_detach(anchor);
		return ret;
	}
	return -EIO;
}

static int assay_anchor_read(struct assay_anchor *anchor, u32 pcr, const struct assay_bank *bank,
			     u8 *value)
{
	struct tpm_digest digest = { .alg_id = bank->alg };
	int ret;

	ret = assay_anchor_error(anchor, tpm_pcr_read(anchor->chip, pcr, &digest));
	if (!ret)
		memcpy(value, digest.digest, bank->size);
	return ret;
}

static int assay_anchor_set_bank(struct assay_anchor *anchor, struct assay_bank *bank, u16 alg)
{
	unsigned int i;

	for (i = 0; i < ASSAY_HASHES; i++) {
		if (assay_hashes[i].alg == alg)
			break;
	}
	if (i == ASSAY_HASHES) {
		dev_err_ratelimited(
			anchor->dev,
			"the TPM has a PCR bank of algorithm %#06x, which assay does not know; deallocate it (tpm2_pcrallocate)\n",
			alg);
		return -ENOPKG;
	}
	if (!anchor->hash[i]) {
		dev_err_ratelimited(
			anchor->dev,
			"the TPM has a PCR bank of %s, which this kernel cannot compute; enable it in the kernel or deallocate the bank (tpm2_pcrallocate)\n",
			assay_hashes[i].name);
		return -ENOPKG;
	}
	bank->alg = alg;
	bank->size = assay_hashes[i].size;
	bank->hash = i;
	return 0;
}

/* The first TPM that we see decides which banks the log has. */
static int assay_anchor_set_banks(struct assay_anchor *anchor)
{
	const struct tpm_chip *chip = anchor->chip;
	struct assay_bank *banks = anchor->banks;
	struct device *dev = anchor->dev;
	unsigned int i;
	int ret = 0;

	if (!(chip->flags & TPM_CHIP_FLAG_TPM2)) {
		dev_err_ratelimited(dev, "the TPM is a TPM 1.2; assay needs a TPM 2.0\n");
		return -EOPNOTSUPP;
	}
	/* So a driver registers a TPM that did not answer it in time. */
	if (!chip->nr_allocated_banks) {
		dev_err_ratelimited(
			dev,
			"the TPM's driver knows of no PCR bank: it could not start the TPM, or none is allocated\n");
		return -ENODEV;
	}
	/* After an error the chip may be gone already. */
	for (i = 0; !ret && i < chip->nr_allocated_banks; i++) {
		ret = assay_anchor_set_bank(anchor, &banks[i], chip->allocated_banks[i].alg_id);
		if (!ret)
			ret = assay_anchor_read(anchor, anchor->pcr, &banks[i], banks[i].start);
		memcpy(banks[i].value, banks[i].start, banks[i].size);
	}
	if (ret)
		return ret;
	/* Pairs with assay_ledger_info(), which shows the banks without a lock. */
	smp_store_release(&anchor->bank_count, chip->nr_allocated_banks);
	anchor->doubtful = false;
	anchor->verified = jiffies;
	return 0;
}

static int assay_anchor_same_banks(struct assay_anchor *anchor)
{
	const struct tpm_chip *chip = anchor->chip;
	unsigned int i;

	for (i = 0; i < anchor->bank_count && i < chip->nr_allocated_banks; i++) {
		if (anchor->banks[i].alg != chip->allocated_banks[i].alg_id)
			break;
	}
	if (i == anchor->bank_count && i == chip->nr_allocated_banks)
		return 0;
	dev_err_ratelimited(
		anchor->dev,
		"the TPM has other PCR banks than when the log began; reload the module to begin a new log\n");
	WRITE_ONCE(anchor->state, ASSAY_PCR_OTHER_BANKS);
	return -EUCLEAN;
}

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
int assay_anchor_attach(struct assay_anchor *anchor)
{
	int ret;

	if (anchor->chip)
		return 0;
	anchor->chip = tpm_default_chip();
	if (!anchor->chip)
		return -ENODEV;
	ret = anchor->bank_count ? assay_anchor_same_banks(anchor) : assay_anchor_set_banks(anchor);
	if (ret)
		assay_anchor_detach(anchor);
	return ret;
}

/**
 * assay_anchor_is_virtual() - is the TPM one that a process plays (tpm_vtpm_proxy)
 * @anchor: attached anchor
 */
bool assay_anchor_is_virtual(const struct assay_anchor *anchor)
{
	return anchor->chip && anchor->chip->flags & TPM_CHIP_FLAG_VIRTUAL;
}

/**
 * assay_anchor_hashes() - the hashes that a record's digests are made with now
 * @anchor: initialised anchor
 *
 * Return: a bit for each index: those of the banks or, before a TPM was seen, all
 * that this kernel can compute.
 */
unsigned long assay_anchor_hashes(const struct assay_anchor *anchor)
{
	unsigned long hashes = 0;
	unsigned int i;

	for (i = 0; i < anchor->bank_count; i++)
		hashes |= BIT(anchor->banks[i].hash);
	for (i = 0; !anchor->bank_count && i < ASSAY_HASHES; i++)
		hashes |= anchor->hash[i] ? BIT(i) : 0;
	return hashes;
}

/**
 * assay_anchor_hash_alg() - which hash is that
 * @hash: index, below ASSAY_HASHES
 * @ret_size: set to the bytes of a digest
 *
 * Return: ASSAY_ALG_*.
 */
u16 assay_anchor_hash_alg(unsigned int hash, u16 *ret_size)
{
	*ret_size = assay_hashes[hash].size;
	return assay_hashes[hash].alg;
}

static int assay_anchor_hash_piece(struct shash_desc *desc, const struct kvec *content)
{
	size_t at, piece;
	int ret = 0;

	for (at = 0; !ret && at < content->iov_len; at += piece) {
		piece = min_t(size_t, content->iov_len - at, ASSAY_PIECE);
		ret = crypto_shash_update(desc, content->iov_base + at, piece);
		cond_resched();
	}
	return ret;
}

static int assay_anchor_hash(struct crypto_shash *hash, const struct kvec *content,
			     unsigned int count, u8 *ret_digest)
{
	SHASH_DESC_ON_STACK(desc, hash);
	unsigned int i;
	int ret;

	desc->tfm = hash;
	ret = crypto_shash_init(desc);
	for (i = 0; !ret && i < count; i++)
		ret = assay_anchor_hash_piece(desc, &content[i]);
	if (!ret)
		ret = crypto_shash_final(desc, ret_digest);
	shash_desc_zero(desc);
	return ret;
}

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
			struct assay_pending *pending)
{
	unsigned long hashes = assay_anchor_hashes(anchor);
	unsigned int i;
	int ret = 0;

	for_each_set_bit(i, &hashes, ASSAY_HASHES) {
		ret = assay_anchor_hash(anchor->hash[i], content, count, pending->digest[i]);
		if (ret)
			break;
	}
	return ret;
}

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
			     unsigned int count, u8 *ret_digest)
{
	unsigned int i;

	for (i = 0; i < ASSAY_HASHES; i++) {
		if (assay_hashes[i].alg == alg && anchor->hash[i])
			return assay_anchor_hash(anchor->hash[i], content, count, ret_digest);
	}
	return -ENOPKG;
}

/**
 * assay_anchor_resume() - go on with a log that was anchored in the same banks before
 * @anchor: attached anchor with nothing pending
 * @banks: start and value of each bank, in the anchor's order
 * @pending: what may be in the PCR besides; moved to the anchor
 */
void assay_anchor_resume(struct assay_anchor *anchor, const struct assay_log_bank *banks,
			 struct list_head *pending)
{
	unsigned int i;

	for (i = 0; i < anchor->bank_count; i++) {
		memcpy(anchor->banks[i].start, banks[i].start, anchor->banks[i].size);
		memcpy(anchor->banks[i].value, banks[i].value, anchor->banks[i].size);
	}
	list_splice_tail_init(pending, &anchor->pending);
	/* How much of it the PCR holds is found out before the next extend. */
	anchor->doubtful = true;
}

/* What a PCR that holds @value holds after @digest: TPM 2.0 Library, part 1, 17.3. */
static int assay_anchor_after(const struct assay_anchor *anchor, const struct assay_bank *bank,
			      const u8 *value, const u8 *digest, u8 *ret_next)
{
	const struct kvec both[] = { { (u8 *)value, bank->size }, { (u8 *)digest, bank->size } };

	return assay_anchor_hash(anchor->hash[bank->hash], both, ARRAY_SIZE(both), ret_next);
}

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
		       const u8 *digest)
{
	return assay_anchor_after(anchor, &anchor->banks[bank], value, digest, value);
}

/**
 * assay_anchor_add() - a record was written
 * @anchor: initialised anchor
 * @pending: the record, allocated with kmalloc() or the like; the anchor's from now on
 */
void assay_anchor_add(struct assay_anchor *anchor, struct assay_pending *pending)
{
	list_add_tail(&pending->node, &anchor->pending);
}

static int assay_anchor_advance(const struct assay_anchor *anchor, const struct assay_bank *bank,
				const u8 *value, const struct assay_pending *pending, u8 *ret_next)
{
	return assay_anchor_after(anchor, bank, value, pending->digest[bank->hash], ret_next);
}

/* The bank that tells how far the TPM is: of the largest digest, which is the hardest to fool. */
static const struct assay_bank *assay_anchor_witness(const struct assay_anchor *anchor)
{
	const struct assay_bank *witness = &anchor->banks[0];
	unsigned int i;

	for (i = 1; i < anchor->bank_count; i++) {
		if (anchor->banks[i].size > witness->size)
			witness = &anchor->banks[i];
	}
	return witness;
}

/* ------------------------------------------------------------------ what the PCR holds */
/* A record was anchored. */
static void assay_anchor_remember(struct assay_anchor *anchor, const struct assay_pending *pending)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	struct assay_recent *recent = &anchor->recent[anchor->recent_count++ % ASSAY_RECENT];

	memcpy(recent->digest, pending->digest[witness->hash], witness->size);
	memcpy(recent->value, witness->value, witness->size);
}

/* How many records are in @recent. */
static unsigned int assay_anchor_remembered(const struct assay_anchor *anchor)
{
	return min_t(u64, anchor->recent_count, ASSAY_RECENT);
}

/* The record before which there were @age others, of those that are remembered. */
static const struct assay_recent *assay_anchor_recent(const struct assay_anchor *anchor,
						      unsigned int age)
{
	u64 oldest = anchor->recent_count - assay_anchor_remembered(anchor);

	return &anchor->recent[(oldest + age) % ASSAY_RECENT];
}

/* What a value becomes with the remembered records from @first on, and one that is pending. */
static bool assay_anchor_leads_to(const struct assay_anchor *anchor, const u8 *from,
				  unsigned int first, const u8 *found)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 value[ASSAY_MAX_DIGEST];
	unsigned int i;

	memcpy(value, from, witness->size);
	for (i = first; i < assay_anchor_remembered(anchor); i++) {
		if (assay_anchor_after(anchor, witness, value,
				       assay_anchor_recent(anchor, i)->digest, value))
			return false;
	}
	if (!memcmp(value, found, witness->size))
		return true;
	/* It may have been sent already. */
	if (list_empty(&anchor->pending) ||
	    assay_anchor_advance(anchor, witness, value,
				 list_first_entry(&anchor->pending, struct assay_pending, node),
				 value))
		return false;
	return !memcmp(value, found, witness->size);
}

/* Does the PCR hold what it did after a record that was not the last, and newer ones on that? */
static bool assay_anchor_rolled_back(const struct assay_anchor *anchor, const u8 *found)
{
	unsigned int newest = assay_anchor_remembered(anchor), i, first;

	for (i = 0; i < newest; i++) {
		const u8 *value = assay_anchor_recent(anchor, i)->value;

		/* The record behind it is not among those that it was extended with. */
		for (first = i + 2; first <= newest; first++) {
			if (assay_anchor_leads_to(anchor, value, first, found))
				return true;
		}
	}
	return false;
}

/*
 * Does the PCR hold what a reset leaves, and what we have extended it with since then? PCRs 17
 * to 22 are all ones after a restart, others zero: TCG PC Client Platform TPM Profile. And
 * firmware may measure again what it had when the log began.
 */
static bool assay_anchor_was_reset(const struct assay_anchor *anchor, const u8 *found)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 fixed[ASSAY_MAX_DIGEST];
	unsigned int i;

	memset(fixed, anchor->pcr >= 17 && anchor->pcr <= 22 ? 0xff : 0, sizeof(fixed));
	for (i = 0; i <= assay_anchor_remembered(anchor); i++) {
		if (assay_anchor_leads_to(anchor, fixed, i, found) ||
		    assay_anchor_leads_to(anchor, witness->start, i, found))
			return true;
	}
	return false;
}

/* The PCR holds @found, and the log does not say so: find out what has happened, and say it. */
static int assay_anchor_unclean(struct assay_anchor *anchor, const u8 *found)
{
	static const char *const why[] = {
		[ASSAY_PCR_EXTENDED] = "something else has extended it",
		[ASSAY_PCR_RESET] = "the TPM was reset while the log went on",
		[ASSAY_PCR_ROLLED_BACK] =
			"it holds what it did after an older record, as if an older state of the TPM had been restored",
	};
	u32 state = ASSAY_PCR_EXTENDED;

	if (assay_anchor_rolled_back(anchor, found))
		state = ASSAY_PCR_ROLLED_BACK;
	else if (assay_anchor_was_reset(anchor, found))
		state = ASSAY_PCR_RESET;
	if (anchor->state != state)
		dev_err(anchor->dev,
			"PCR %u does not hold what the log says: %s. %llu records were anchored since it was read last; reload the module to begin a new log\n",
			anchor->pcr, why[state], anchor->unverified);
	WRITE_ONCE(anchor->state, state);
	return -EUCLEAN;
}

/* A bank other than the witness, which holds the first @ahead pending records: does it, too? */
static int assay_anchor_check_bank(struct assay_anchor *anchor, const struct assay_bank *bank,
				   unsigned int ahead)
{
	u8 found[ASSAY_MAX_DIGEST], value[ASSAY_MAX_DIGEST];
	const struct assay_pending *pending;
	int ret;

	memcpy(value, bank->value, bank->size);
	list_for_each_entry(pending, &anchor->pending, node) {
		if (!ahead--)
			break;
		ret = assay_anchor_advance(anchor, bank, value, pending, value);
		if (ret)
			return ret;
	}
	ret = assay_anchor_read(anchor, anchor->pcr, bank, found);
	if (ret || !memcmp(found, value, bank->size))
		return ret;
	if (anchor->state != ASSAY_PCR_EXTENDED)
		dev_err(anchor->dev,
			"PCR %u holds what the log says in one bank, but not in the bank of %s: something else has extended it; reload the module to begin a new log\n",
			anchor->pcr, assay_hashes[bank->hash].name);
	WRITE_ONCE(anchor->state, ASSAY_PCR_EXTENDED);
	return -EUCLEAN;
}

/* An extend is one command for all banks, but others may extend one of them alone. */
static int assay_anchor_check_banks(struct assay_anchor *anchor, unsigned int ahead)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < anchor->bank_count; i++) {
		if (&anchor->banks[i] != witness)
			ret = assay_anchor_check_bank(anchor, &anchor->banks[i], ahead);
	}
	return ret;
}

/*
 * Read the PCR in every bank, and find out how many of the pending records it holds. Sets
 * ahead, and ends all doubt.
 */
static int assay_anchor_resolve(struct assay_anchor *anchor)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 found[ASSAY_MAX_DIGEST], value[ASSAY_MAX_DIGEST];
	struct assay_pending *pending = list_entry(&anchor->pending, struct assay_pending, node);
	int doubts = atomic_read(&anchor->doubts), ret;
	unsigned int ahead = 0;

	/* A doubt that is raised from here on stays after this read. */
	smp_mb();
	ret = assay_anchor_read(anchor, anchor->pcr, witness, found);
	if (ret)
		return ret;
	memcpy(value, witness->value, witness->size);
	while (memcmp(found, value, witness->size)) {
		if (list_is_last(&pending->node, &anchor->pending)) {
			anchor->doubtful = true;
			return assay_anchor_unclean(anchor, found);
		}
		pending = list_next_entry(pending, node);
		ret = assay_anchor_advance(anchor, witness, value, pending, value);
		if (ret)
			return ret;
		ahead++;
	}
	ret = assay_anchor_check_banks(anchor, ahead);
	if (ret) {
		anchor->doubtful = true;
		return ret;
	}
	anchor->ahead = ahead;
	anchor->doubtful = false;
	anchor->doubts_seen = doubts;
	anchor->verified = jiffies;
	anchor->unverified = 0;
	WRITE_ONCE(anchor->state, ASSAY_PCR_RIGHT);
	return 0;
}

/* Must the PCR be read before it is relied on? */
static bool assay_anchor_in_doubt(const struct assay_anchor *anchor)
{
	return anchor->doubtful || atomic_read(&anchor->doubts) != anchor->doubts_seen;
}

/* Is the PCR to be read after this extend? */
static bool assay_anchor_verify_due(const struct assay_anchor *anchor)
{
	if (READ_ONCE(anchor->asleep) || anchor->verify == ASSAY_VERIFY_EACH)
		return true;
	if (anchor->verify == ASSAY_VERIFY_NEVER)
		return false;
	return time_after_eq(jiffies, anchor->verified + (unsigned long)anchor->verify * HZ);
}

/**
 * assay_anchor_doubt() - the PCR may not be what it was
 * @anchor: initialised anchor
 *
 * May be called at any time, without a lock and from any context: when the TPM may have
 * been reset. The PCR is read before it is relied on again.
 */
void assay_anchor_doubt(struct assay_anchor *anchor)
{
	atomic_inc(&anchor->doubts);
	/* Pairs with assay_anchor_resolve(). */
	smp_mb__after_atomic();
}

/**
 * assay_anchor_sleep() - the machine is about to sleep, or has woken up
 * @anchor: initialised anchor
 * @asleep: which of the two
 *
 * While it is set every extend is verified: tasks run already when the kernel tells that the
 * machine has woken up.
 */
void assay_anchor_sleep(struct assay_anchor *anchor, bool asleep)
{
	if (asleep)
		WRITE_ONCE(anchor->asleep, true);
	assay_anchor_doubt(anchor);
	if (!asleep)
		WRITE_ONCE(anchor->asleep, false);
}

/* ------------------------------------------------------------------ extending */
static int assay_anchor_send(struct assay_anchor *anchor, const struct assay_pending *pending)
{
	struct tpm_digest digests[ASSAY_MAX_BANKS] = {};
	unsigned int i;
	int ret;

	for (i = 0; i < anchor->bank_count; i++) {
		const struct assay_bank *bank = &anchor->banks[i];

		digests[i].alg_id = bank->alg;
		memcpy(digests[i].digest, pending->digest[bank->hash], bank->size);
	}
	anchor->doubtful = true;
	ret = assay_anchor_error(anchor, tpm_pcr_extend(anchor->chip, anchor->pcr, digests));
	if (!ret)
		anchor->doubtful = false;
	return ret;
}

/* The oldest pending record was sent: does the PCR hold it? An error leaves it pending. */
static int assay_anchor_read_back(struct assay_anchor *anchor)
{
	int ret;

	anchor->doubtful = true;
	ret = assay_anchor_resolve(anchor);
	if (ret)
		return ret;
	if (!anchor->ahead) {
		dev_err_ratelimited(
			anchor->dev,
			"the TPM says that it extended PCR %u, which holds what it did before\n",
			anchor->pcr);
		return -EIO;
	}
	anchor->ahead--;
	return 0;
}

/* Have the TPM extend the PCR with the oldest pending record, unless it has already. */
static int assay_anchor_do_extend(struct assay_anchor *anchor, const struct assay_pending *pending)
{
	int ret;

	if (anchor->ahead) {
		anchor->ahead--;
		return 0;
	}
	ret = assay_anchor_send(anchor, pending);
	if (ret)
		return ret;
	if (assay_anchor_verify_due(anchor))
		return assay_anchor_read_back(anchor);
	anchor->unverified++;
	return 0;
}

/**
 * assay_anchor_extend() - extend the PCR with the oldest pending record
 * @anchor: attached anchor with a pending record
 * @ret_done: set to the record on success: the caller's again, to be freed with kfree()
 *
 * Where there is doubt, as after failures, the PCR is read first, and what it turns out to
 * hold already is not extended again. It is read afterwards as often as @verify says.
 *
 * Return: 0; -ENODEV (the TPM went away); -EUCLEAN after a dev_err(): the PCR does not
 * hold what the log says; -ETIME, -EIO: the TPM did not answer or failed, and the
 * same may be tried again. No other error comes from a TPM.
 */
int assay_anchor_extend(struct assay_anchor *anchor, struct assay_pending **ret_done)
{
	struct assay_pending *pending;
	unsigned int i;
	int ret;

	if (assay_anchor_in_doubt(anchor)) {
		ret = assay_anchor_resolve(anchor);
		if (ret)
			return ret;
	}
	pending = list_first_entry(&anchor->pending, struct assay_pending, node);
	/* All that can fail here comes before the TPM has it. */
	for (i = 0; i < anchor->bank_count; i++) {
		struct assay_bank *bank = &anchor->banks[i];

		ret = assay_anchor_advance(anchor, bank, bank->value, pending, bank->next);
		if (ret)
			return ret;
	}
	ret = assay_anchor_do_extend(anchor, pending);
	if (ret)
		return ret;
	for (i = 0; i < anchor->bank_count; i++)
		memcpy(anchor->banks[i].value, anchor->banks[i].next, anchor->banks[i].size);
	assay_anchor_remember(anchor, pending);
	list_del(&pending->node);
	*ret_done = pending;
	return 0;
}

/**
 * assay_anchor_confirm() - make sure that the PCR holds value
 * @anchor: attached anchor with nothing pending
 * @now: read it in any case, and not only where there is doubt
 *
 * Return: as assay_anchor_extend().
 */
int assay_anchor_confirm(struct assay_anchor *anchor, bool now)
{
	return now || assay_anchor_in_doubt(anchor) ? assay_anchor_resolve(anchor) : 0;
}

/**
 * assay_anchor_ima_bypassed() - does IMA run without this TPM
 * @anchor: initialised anchor
 *
 * Return: 1 if IMA is built in and its PCR was never extended, 0 if not so, 2 if
 * the PCR could not be read, for one because there is no TPM.
 */
u8 assay_anchor_ima_bypassed(struct assay_anchor *anchor)
{
#ifdef CONFIG_IMA
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 value[ASSAY_MAX_DIGEST];

	if (!anchor->chip)
		return 2;
	if (assay_anchor_read(anchor, CONFIG_IMA_MEASURE_PCR_IDX, witness, value))
		return 2;
	return !memchr_inv(value, 0, witness->size);
#else
	return 0;
#endif
}
