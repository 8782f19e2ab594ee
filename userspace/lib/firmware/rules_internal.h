/* SPDX-License-Identifier: MIT */
/* What the parts of rules.h share: lists of digests (rules.c), Secure Boot, command lines. */
#ifndef ASSAY_FIRMWARE_RULES_INTERNAL_H
#define ASSAY_FIRMWARE_RULES_INTERNAL_H

#include "firmware/content.h"
#include "firmware/rules.h"

/**
 * struct judging - while a rule is judged
 * @reader: in the log; @event, @content: its present event
 */
struct judging {
	const struct firmware_rules *rules;
	const struct firmware_log *log;
	firmware_finding *each;
	void *context;
	struct firmware_result result;
	struct uefi_reader reader;
	struct uefi_event event;
	struct firmware_content content;
	struct assay_error *err;
};

/* judging_next() - the next event that was extended into @pcr: 1, 0, or an error */
int judging_next(struct judging *judging, unsigned int pcr);

/* judging_has_events() - was something extended into @pcr, by what is left of the log? 1, 0, an
 * error */
int judging_has_events(struct judging *judging, unsigned int pcr);

/* judging_rewind() - begin with the first event again */
int judging_rewind(struct judging *judging);

/* judging_proven() - is the PCR proven, in any bank? If not, .result says so */
bool judging_proven(struct judging *judging, unsigned int pcr);

/* judging_find() - tell a finding */
void judging_find(struct judging *judging, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* judging_is() - has the present event one of these digests, in a bank in which it is proven? */
bool judging_is(const struct judging *judging, const struct firmware_digests *digests,
		unsigned int pcr);

/* judging_says() - what the present event says, fit to print and cut; @text */
#define JUDGING_TEXT 200
const char *judging_says(const struct judging *judging, char text[static JUDGING_TEXT]);

/* judging_digest_text() - the present event's digest of a bank in which it is proven; @text */
const char *judging_digest_text(const struct judging *judging, unsigned int pcr,
				char text[static ASSAY_DIGEST_TEXT_MAX]);

/* judging_is_line() - is the present event's digest that of a command line of the policy, in the
 * form in which Linux's EFI stub measures it? Those with '*' are none. */
int judging_is_line(struct judging *judging, bool *ret);

/* judging_item() - which of the items the present event is; .count if none */
size_t judging_item(const struct judging *judging, const struct firmware_items *items,
		    unsigned int pcr);

int judge_secure_boot(struct judging *judging);
int judge_keys(struct judging *judging, enum firmware_key first, enum firmware_key last);
int judge_authorities(struct judging *judging);
int judge_command_line(struct judging *judging);
void judge_phases(struct judging *judging);
void judge_separator(struct judging *judging);

#endif /* ASSAY_FIRMWARE_RULES_INTERNAL_H */
