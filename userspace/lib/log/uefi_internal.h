/* SPDX-License-Identifier: MIT */
/* What the parts of the firmware log's reader share: framing (uefi.c), rules, replay, names. */
#ifndef ASSAY_LOG_UEFI_INTERNAL_H
#define ASSAY_LOG_UEFI_INTERNAL_H

#include "log/uefi.h"

#define UEFI_PCR_BIT(pcr) (UINT32_C(1) << (pcr))
#define UEFI_RULE_BIT(rule) (UINT32_C(1) << (rule))

/* TCG_EfiSpecIdEvent, PFP 10.4.5.1: what the header of a crypto-agile log begins with. */
#define UEFI_SPEC_ID_AGILE "Spec ID Event03"

/* uefi_data_starts() - does an event's data begin with that text? */
bool uefi_data_starts(struct bytes data, const char *text);

/*
 * uefi_check_event() - set .covered, .after_separator and .rules of an event that was framed, and
 * note in the reader what counts for those that follow
 *
 * Return: 0, -EIO
 */
int uefi_check_event(struct uefi_reader *reader, struct uefi_event *event, struct assay_error *err);

/* uefi_note_rules() - count the rules that an event breaks, and note the first event of each */
void uefi_note_rules(const struct uefi_event *event, uint32_t *rules,
		     struct uefi_broken broken[UEFI_RULES]);

#endif /* ASSAY_LOG_UEFI_INTERNAL_H */
