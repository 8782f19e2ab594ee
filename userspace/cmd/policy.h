/* SPDX-License-Identifier: MIT */
/* What the verbs of `assay policy` that print a policy share. */
#ifndef ASSAY_CMD_POLICY_H
#define ASSAY_CMD_POLICY_H

#include "cmd.h"

/*
 * policy_base() - the policy to add to: that of @path, "-" for standard input; NULL: one that says
 * nothing yet
 */
int policy_base(const char *path, json_t **ret, struct assay_error *err);

/* policy_new() - one that says nothing yet; NULL without memory */
json_t *policy_new(void);

/* policy_print() - print a policy once the reader of policies takes it; @policy is taken over */
int policy_print(const struct command *command, json_t *policy);

#endif /* ASSAY_CMD_POLICY_H */
