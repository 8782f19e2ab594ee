/* SPDX-License-Identifier: MIT */
/* `assay push` in the program that it is (assay-push.c). */
#ifndef ASSAY_CMD_PUSH_RUN_H
#define ASSAY_CMD_PUSH_RUN_H

#include "cmd.h"

extern const struct command command_push_run;

#endif /* ASSAY_CMD_PUSH_RUN_H */
