/* SPDX-License-Identifier: MIT */
/*
 * Policies of IMA: lines of rules as the kernel reads them (Documentation/ABI/testing/ima_policy,
 * security/integrity/ima/ima_policy.c).
 *
 * Pure.
 */
#ifndef ASSAY_ENFORCE_IMA_POLICY_H
#define ASSAY_ENFORCE_IMA_POLICY_H

#include "base/bytes.h"

/* Bytes of a line: the kernel takes less than a page in one write. */
#define IMA_LINE_MAX 4094
#define IMA_TEXT_MAX (1U << 20)

enum ima_action {
	IMA_MEASURE,
	IMA_DONT_MEASURE,
	IMA_APPRAISE,
	IMA_DONT_APPRAISE,
	IMA_AUDIT,
	IMA_HASH,
	IMA_DONT_HASH,
	IMA_ACTIONS,
};

/**
 * struct ima_rule - what of a rule matters here
 * @line: from 1 on
 * @function: value of func=, of size 0 where it is not said
 * @template: likewise
 * @verity: digest_type=verity
 * @signature: a signature is asked for: appraise_type= is there
 * @sigv3: it is that
 * @limited: it is of some files only: by file system, owner or user
 */
struct ima_rule {
	size_t line;
	enum ima_action action;
	struct bytes function, template;
	bool verity, signature, sigv3, limited;
};

/* ima_rule_function - called for each rule in order; what @rule points to is in the text */
typedef void (*ima_rule_function)(void *context, const struct ima_rule *rule);

/*
 * ima_policy_read() - read a policy
 * @what: names it in errors, which also tell the line
 * @each: NULL to check only; called also of rules before one that is off
 *
 * What of a rule the kernel refuses as a whole is refused: unknown words, a key twice, actions
 * and functions that do not go with fs-verity's digests. Values other than func=, mask=,
 * digest_type=, appraise_type= and template= are not looked at.
 *
 * Return: 0; -EBADMSG for what is no such policy, or has no rule; -EFBIG
 */
int ima_policy_read(struct bytes text, const char *what, ima_rule_function each, void *context,
		    struct assay_error *err);

/* ima_looks_like() - does a text begin, after comments, as such a policy does? */
bool ima_looks_like(struct bytes text);

const char *ima_action_name(enum ima_action action);

#endif /* ASSAY_ENFORCE_IMA_POLICY_H */
