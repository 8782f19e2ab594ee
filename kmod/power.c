// SPDX-License-Identifier: GPL-2.0-only
/*
 * In hibernation and, with some firmware, in suspend the TPM loses its PCRs, and the kernel
 * that goes on does not know. So the PCR is in doubt from before the machine sleeps until it was
 * read after waking up. Called by main.
 */
#include <linux/suspend.h>
#include <linux/tpm.h>

#include "commit.h"
#include "power.h"

static int assay_power_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct assay_power *power = container_of(block, struct assay_power, sleep);
	struct assay_anchor *anchor = &power->commit->ledger->anchor;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_SUSPEND_PREPARE:
	case PM_RESTORE_PREPARE:
		assay_anchor_sleep(anchor, true);
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_SUSPEND:
	case PM_POST_RESTORE:
		assay_anchor_sleep(anchor, false);
		assay_commit_doubt(power->commit);
		break;
	}
	return NOTIFY_DONE;
}

#ifdef ASSAY_HAS_TPM_RESET_NOTIFIER
/* A TPM has woken up, or a driver has registered it. */
static int assay_power_reset(struct notifier_block *block, unsigned long event, void *chip)
{
	struct assay_power *power = container_of(block, struct assay_power, reset);

	assay_commit_doubt(power->commit);
	return NOTIFY_DONE;
}

static int assay_power_watch_tpm(struct assay_power *power)
{
	power->reset.notifier_call = assay_power_reset;
	return tpm_register_reset_notifier(&power->reset);
}

static void assay_power_unwatch_tpm(struct assay_power *power)
{
	tpm_unregister_reset_notifier(&power->reset);
}
#else
static int assay_power_watch_tpm(struct assay_power *power)
{
	return 0;
}

static void assay_power_unwatch_tpm(struct assay_power *power)
{
}
#endif

/**
 * assay_power_open() - be told of suspend, hibernation and, if the kernel tells, TPMs reset
 * @power: to initialise; to be released by assay_power_close()
 * @commit: open
 *
 * Return: 0 or a negative errno.
 */
int assay_power_open(struct assay_power *power, struct assay_commit *commit)
{
	int ret;

	power->commit = commit;
	power->sleep.notifier_call = assay_power_event;
	ret = register_pm_notifier(&power->sleep);
	if (ret)
		return ret;
	ret = assay_power_watch_tpm(power);
	if (ret)
		unregister_pm_notifier(&power->sleep);
	return ret;
}

/**
 * assay_power_close() - not any more
 * @power: open
 */
void assay_power_close(struct assay_power *power)
{
	assay_power_unwatch_tpm(power);
	unregister_pm_notifier(&power->sleep);
}
