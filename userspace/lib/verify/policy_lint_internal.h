/* SPDX-License-Identifier: MIT */
/* What the parts of policy_lint() share: each part says in sentences what a policy asks for. */
#ifndef ASSAY_VERIFY_POLICY_LINT_INTERNAL_H
#define ASSAY_VERIFY_POLICY_LINT_INTERNAL_H

#include "verify/policy_lint.h"

/* Room for foreign text in a sentence. */
#define LINT_TEXT 200

struct lint {
	policy_lint_function each;
	void *context;
	size_t warnings;
};

/* lint_say() - one sentence */
void lint_say(struct lint *lint, enum policy_lint_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* lint_printable() - foreign text, fit to print and cut; returns @escaped */
const char *lint_printable(const char *text, char escaped[static LINT_TEXT]);

/* lint_requires() - is the check required? */
bool lint_requires(const struct verify_policy *rules, enum check check);

/* lint_list_pcrs() - the PCRs of a mask: "0, 4, 7" */
void lint_list_pcrs(uint32_t mask, char text[static LINT_TEXT]);

/* The quote and the boot: policy_lint_quote.c */
void lint_algorithms(const struct verify_policy *rules, struct lint *lint);
void lint_ak(const struct policy *policy, struct lint *lint);
void lint_freshness(const struct verify_policy *rules, struct lint *lint);
void lint_pcrs(const struct verify_policy *rules, struct lint *lint);
void lint_boot(const struct verify_policy *rules, struct lint *lint);
void lint_starts(const struct verify_policy *rules, struct lint *lint);

/* The logs: policy_lint_logs.c */
void lint_firmware(const struct firmware_rules *rules, struct lint *lint);
void lint_uefi(const struct verify_policy *rules, struct lint *lint);
void lint_log(const struct verify_policy *rules, struct lint *lint);
void lint_logs(const struct policy *policy, struct lint *lint);
void lint_ima_digests(const struct policy *policy, struct lint *lint);
void lint_ima(const struct policy *policy, struct lint *lint);

#endif /* ASSAY_VERIFY_POLICY_LINT_INTERNAL_H */
