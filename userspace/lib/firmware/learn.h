/* SPDX-License-Identifier: MIT */
/* Rules of rules.h from the log of a boot that is known to be good, as a policy has them. Pure. */
#ifndef ASSAY_FIRMWARE_LEARN_H
#define ASSAY_FIRMWARE_LEARN_H

#include <jansson.h>

#include "firmware/rules.h"

/*
 * firmware_learn() - the member "firmware" of a policy, which that log fulfils
 * @ret_pcrs: bit n: its rules are about PCR n
 *
 * Of PCRs that @log does not prove nothing is learned. PK, KEK and db are learned by their values,
 * of dbx that it must contain what it does now; whether Secure Boot is on only where it is. Names
 * are those beside the digests, which nobody proves: they are for people.
 *
 * Return: 0 with *ret a new object; as firmware_judge()
 */
int firmware_learn(const struct firmware_log *log, json_t **ret, uint32_t *ret_pcrs,
		   struct assay_error *err);

/*
 * firmware_event_name() - what the event is, in a word or two, by its label; free() it
 * Return: NULL without memory
 */
struct firmware_content;
char *firmware_event_name(const struct uefi_event *event, const struct firmware_content *content);

#endif /* ASSAY_FIRMWARE_LEARN_H */
