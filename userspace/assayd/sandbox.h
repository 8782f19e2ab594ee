/* SPDX-License-Identifier: MIT */
/* What the service and all that it starts cannot do any more, where no manager has seen to that. */
#ifndef ASSAY_ASSAYD_SANDBOX_H
#define ASSAY_ASSAYD_SANDBOX_H

#include "assay.h"

/*
 * sandbox_enter() - give up system calls that no part needs: they fail with EPERM from then on
 *
 * For good, and for children. A process that has a filter already, of systemd's SystemCallFilter=,
 * is left as it is.
 *
 * Return: 0; -errno where the kernel has no seccomp filters
 */
int sandbox_enter(struct assay_error *err);

#endif /* ASSAY_ASSAYD_SANDBOX_H */
