/* SPDX-License-Identifier: GPL-2.0-only */
/* After the machine has slept, or the TPM was reset, the PCR is read before it is relied on. */
#ifndef _ASSAY_POWER_H
#define _ASSAY_POWER_H

#include <linux/notifier.h>

struct assay_commit;

/**
 * struct assay_power - what tells of suspend, hibernation and a TPM that may have been reset
 * @commit: whose log's PCR is then in doubt
 * @sleep: of the kernel's power management
 * @reset: of its TPM drivers, where these tell (patches/)
 */
struct assay_power {
	struct assay_commit *commit;
	struct notifier_block sleep;
	struct notifier_block reset;
};

int assay_power_open(struct assay_power *power, struct assay_commit *commit);
void assay_power_close(struct assay_power *power);

#endif /* _ASSAY_POWER_H */
