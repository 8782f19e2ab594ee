// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/hash.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/tpm.h>

#include "anchor.h"

static const struct {
	u16 alg;
	u16 size;
	const char *name;
} assay_hashes[] = {
	{ ASSAY_ALG_SHA1, 20, "sha1" },
	{ ASSAY_ALG_SHA256, 32, "sha256" },
	{ ASSAY_ALG_SHA384, 48, "sha384" },
	{ ASSAY_ALG_SHA512, 64, "sha512" },
};

static_assert(TPM2_MAX_PCR_BANKS <= ASSAY_MAX_BANKS);

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

void assay_anchor_init(struct assay_anchor *anchor, struct device *dev, u32 pcr)
{
	memset(anchor, 0, sizeof(*anchor));
	anchor->dev = dev;
	anchor->pcr = pcr;
}

static void assay_anchor_detach(struct assay_anchor *anchor)
{
	if (anchor->chip)
		put_device(&anchor->chip->dev);
	anchor->chip = NULL;
	anchor->doubtful = true;
}

void assay_anchor_forget(struct assay_anchor *anchor)
{
	unsigned int i;

	assay_anchor_detach(anchor);
	WRITE_ONCE(anchor->bank_count, 0);
	for (i = 0; i < ARRAY_SIZE(anchor->banks); i++) {
		if (anchor->banks[i].hash)
			crypto_free_shash(anchor->banks[i].hash);
	}
	memset(anchor->banks, 0, sizeof(anchor->banks));
}

/* The TPM's own error codes are positive. */
static int assay_anchor_error(struct assay_anchor *anchor, int ret)
{
	if (ret == -ENODEV)
		assay_anchor_detach(anchor);
	return ret > 0 ? -EIO : ret;
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
	struct crypto_shash *hash;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(assay_hashes); i++) {
		if (assay_hashes[i].alg == alg)
			break;
	}
	if (i == ARRAY_SIZE(assay_hashes)) {
		dev_err(anchor->dev,
			"the TPM has a PCR bank of algorithm %#06x, which assay does not know; deallocate it (tpm2_pcrallocate)\n",
			alg);
		return -ENOPKG;
	}
	hash = crypto_alloc_shash(assay_hashes[i].name, 0, 0);
	if (IS_ERR(hash)) {
		dev_err(anchor->dev,
			"the TPM has a PCR bank of %s, which this kernel cannot compute (error %ld); enable it in the kernel or deallocate the bank (tpm2_pcrallocate)\n",
			assay_hashes[i].name, PTR_ERR(hash));
		return PTR_ERR(hash) == -ENOMEM ? -ENOMEM : -ENOPKG;
	}
	bank->alg = alg;
	bank->size = assay_hashes[i].size;
	bank->hash = hash;
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
		dev_err(dev, "the TPM is a TPM 1.2; assay needs a TPM 2.0\n");
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
	if (ret) {
		for (i = 0; i < ASSAY_MAX_BANKS; i++) {
			if (banks[i].hash)
				crypto_free_shash(banks[i].hash);
		}
		memset(banks, 0, sizeof(anchor->banks));
		return ret;
	}
	/* Pairs with assay_ledger_info(), which shows the banks without a lock. */
	smp_store_release(&anchor->bank_count, chip->nr_allocated_banks);
	anchor->doubtful = false;
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
	dev_err(anchor->dev,
		"the TPM has other PCR banks than when the log began; reload the module to begin a new log\n");
	return -EUCLEAN;
}

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

static int assay_anchor_hash(const struct assay_bank *bank, const u8 *first, size_t first_size,
			     const u8 *second, size_t second_size, u8 *ret_digest)
{
	SHASH_DESC_ON_STACK(desc, bank->hash);
	int ret;

	desc->tfm = bank->hash;
	ret = crypto_shash_init(desc);
	if (!ret)
		ret = crypto_shash_update(desc, first, first_size);
	if (!ret)
		ret = crypto_shash_finup(desc, second, second_size, ret_digest);
	shash_desc_zero(desc);
	return ret;
}

int assay_anchor_prepare(struct assay_anchor *anchor, const u8 *content, size_t size)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < anchor->bank_count; i++) {
		struct assay_bank *bank = &anchor->banks[i];

		ret = assay_anchor_hash(bank, content, size, NULL, 0, bank->digest);
		if (!ret)
			ret = assay_anchor_hash(bank, bank->value, bank->size, bank->digest,
						bank->size, bank->next);
	}
	return ret;
}

/* One bank tells: an extend is one command for all of them. The largest is the hardest to fool. */
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

/*
 * What the PCR holds after an extend whose outcome is not known.
 * @may_be_next: whether something is prepared, so that next is meaningful.
 * *@ret_extended: whether it is next that the PCR holds.
 */
static int assay_anchor_resolve(struct assay_anchor *anchor, bool may_be_next, bool *ret_extended)
{
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 value[ASSAY_MAX_DIGEST];
	int ret;

	ret = assay_anchor_read(anchor, anchor->pcr, witness, value);
	if (ret)
		return ret;
	if (may_be_next && !memcmp(value, witness->next, witness->size)) {
		*ret_extended = true;
	} else if (!memcmp(value, witness->value, witness->size)) {
		*ret_extended = false;
	} else {
		dev_err(anchor->dev,
			"PCR %u does not hold what the log says: something else has extended it, or the TPM was restarted; reload the module to begin a new log\n",
			anchor->pcr);
		return -EUCLEAN;
	}
	anchor->doubtful = false;
	return 0;
}

int assay_anchor_extend(struct assay_anchor *anchor)
{
	struct tpm_digest digests[ASSAY_MAX_BANKS] = {};
	bool extended = false;
	unsigned int i;
	int ret;

	if (anchor->doubtful) {
		ret = assay_anchor_resolve(anchor, true, &extended);
		if (ret)
			return ret;
	}
	if (!extended) {
		for (i = 0; i < anchor->bank_count; i++) {
			digests[i].alg_id = anchor->banks[i].alg;
			memcpy(digests[i].digest, anchor->banks[i].digest, anchor->banks[i].size);
		}
		anchor->doubtful = true;
		ret = assay_anchor_error(anchor,
					 tpm_pcr_extend(anchor->chip, anchor->pcr, digests));
		if (ret)
			return ret;
		anchor->doubtful = false;
	}
	for (i = 0; i < anchor->bank_count; i++)
		memcpy(anchor->banks[i].value, anchor->banks[i].next, anchor->banks[i].size);
	return 0;
}

int assay_anchor_confirm(struct assay_anchor *anchor)
{
	bool extended;

	if (!anchor->doubtful)
		return 0;
	return assay_anchor_resolve(anchor, false, &extended);
}

u8 assay_anchor_ima_bypassed(struct assay_anchor *anchor)
{
#ifdef CONFIG_IMA
	const struct assay_bank *witness = assay_anchor_witness(anchor);
	u8 value[ASSAY_MAX_DIGEST];

	if (assay_anchor_read(anchor, CONFIG_IMA_MEASURE_PCR_IDX, witness, value))
		return 2;
	return !memchr_inv(value, 0, witness->size);
#else
	return 0;
#endif
}
