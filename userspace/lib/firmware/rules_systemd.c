// SPDX-License-Identifier: MIT
/* Rules on what systemd extends behind the firmware's log: its phases, and os-separator. */
#include <string.h>

#include "firmware/rules_internal.h"
#include "firmware/uki.h"

void judge_phases(struct judging *judging)
{
	const struct firmware_rules *rules = judging->rules;
	char text[UKI_PHASES_MAX + 1];

	if (!judging_proven(judging, FIRMWARE_PHASES_PCR))
		return;
	uki_words_text(judging->log->phases, text);
	for (size_t i = 0; i < rules->phase_count; i++)
		if (strcmp(rules->phases[i], text) == 0)
			return;
	judging_find(judging, "PCR %d tells the phases %s, none of \"phases\"", FIRMWARE_PHASES_PCR,
		     text[0] ? text : "(none yet)");
}

void judge_separator(struct judging *judging)
{
	for (unsigned int pcr = 0; pcr < UEFI_PCR_COUNT; pcr++) {
		if (!(FIRMWARE_SEPARATED_PCRS & 1U << pcr))
			continue;
		if (!judging_proven(judging, pcr)) {
			if (FIRMWARE_SEPARATED_ALWAYS & 1U << pcr)
				return;
			judging->result.missing = false;
			continue;
		}
		if (!(judging->log->separated & 1U << pcr))
			judging_find(judging,
				     "PCR %u has no os-separator behind what the firmware's log "
				     "replays to",
				     pcr);
	}
	judging->result.pcr = 0;
}
