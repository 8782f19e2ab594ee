/* SPDX-License-Identifier: MIT */
/* Of `assay policy`: policies that a kernel enforces, and which kernel. */
#ifndef ASSAY_CMD_POLICY_KERNEL_H
#define ASSAY_CMD_POLICY_KERNEL_H

#include "cmd.h"
#include "enforce/honour.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
/* @file: const char *; @flag: bool */
#define OPTION_ROWS_KERNEL(structure, file, flag) \
	{ "kernel-config", 0, "FILE", \
	  "say what a kernel with this configuration honours of it (/boot/config-..., also packed by " \
	  "gzip)", \
	  OPTION_INPUT(structure, file), .excludes = "running" }, \
	{ "running", 0, NULL, "say what the kernel that runs honours of it", \
	  OPTION_FLAG(structure, flag) }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* policy_kernel() - the facts of a kernel: by its configuration, or (NULL) of the one that runs */
int policy_kernel(const char *config, struct kernel_facts *ret, struct assay_error *err);

/*
 * policy_honoured() - explain a policy of IPE's, signed or not, or of IMA's
 * Return: 0; -ENOENT, with nothing told, where it looks like neither; -EBADMSG
 */
int policy_honoured(struct bytes text, const char *path, const struct kernel_facts *facts,
		    honour_function each, void *context, struct assay_error *err);

#endif /* ASSAY_CMD_POLICY_KERNEL_H */
