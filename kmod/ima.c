// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cross-anchor: IMA's list, and with it IMA's PCR, notes how far the log is anchored and
 * with what values, so that who has IMA's list alone sees that there is a log, and which.
 * As critical data of the label "assay", which a rule of IMA's policy has to ask for:
 *
 *	measure func=CRITICAL_DATA label=assay
 *
 * The data is a line of text, all but the first three once a bank:
 *
 *	pcr=14 records=12 offset=3456 sha1=... sha256=...
 *
 * Called by commit, without any lock: IMA extends the TPM itself.
 */
#include <linux/device.h>
#include <linux/ima.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "ima.h"
#include "ledger.h"

/* Three numbers, and a name and a value in hexadecimal for each bank: below. */
#define ASSAY_IMA_TEXT 1536

static size_t assay_ima_describe(const struct assay_ledger *ledger, char *text)
{
	const struct assay_anchor *anchor = &ledger->anchor;
	unsigned int i;
	size_t size;

	size = scnprintf(text, ASSAY_IMA_TEXT, "pcr=%u records=%llu offset=%llu", anchor->pcr,
			 ledger->anchored_records, ledger->anchored);
	for (i = 0; i < anchor->bank_count; i++) {
		const struct assay_bank *bank = &anchor->banks[i];

		size += scnprintf(text + size, ASSAY_IMA_TEXT - size, " sha%u=%*phN",
				  bank->alg == ASSAY_ALG_SHA1 ? 1 : 8 * bank->size, bank->size,
				  bank->value);
	}
	return size;
}

static int assay_ima_measure(const char *text, size_t size)
{
#ifdef ASSAY_HAS_IMA_CRITICAL_DATA
	return ima_measure_critical_data("assay", "assay", text, size, false, NULL, 0);
#else
	return -EOPNOTSUPP;
#endif
}

static const char *assay_ima_reason(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return "this kernel has no IMA, or does not export ima_measure_critical_data";
	case -ENOENT:
		return "its policy has no rule: measure func=CRITICAL_DATA label=assay";
	}
	return "it failed";
}

/**
 * assay_ima_tell() - have IMA note how far the log is anchored
 * @ima: set up
 * @ledger: created ledger
 * @now: not only when enough records have come since the last time; but nothing is noted
 *       twice
 *
 * What IMA refuses is said in the kernel's log, once.
 */
void assay_ima_tell(struct assay_ima *ima, struct assay_ledger *ledger, bool now)
{
	size_t size = 0;
	char *text;
	int ret;

	if (!ima->every)
		return;
	text = kmalloc(ASSAY_IMA_TEXT, GFP_KERNEL);
	if (!text)
		return; /* the next record brings the next occasion */
	mutex_lock(&ledger->lock);
	if (!ima->told || ledger->anchored_records - ima->records >= (now ? 1 : ima->every)) {
		size = assay_ima_describe(ledger, text);
		ima->records = ledger->anchored_records;
		ima->told = true;
	}
	mutex_unlock(&ledger->lock);
	ret = size ? assay_ima_measure(text, size) : ima->error;
	if (ret && ret != ima->error)
		dev_warn(ledger->dev, "IMA does not note the log's state (error %d): %s\n", ret,
			 assay_ima_reason(ret));
	ima->error = ret;
	kfree(text);
}
