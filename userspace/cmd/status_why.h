/* SPDX-License-Identifier: MIT */
/* `assay status --why`: why the module does not keep a log here. For status.c. */
#ifndef ASSAY_CMD_STATUS_WHY_H
#define ASSAY_CMD_STATUS_WHY_H

#include <stdbool.h>

/* status_why() - tell it, as JSON or for people; the program's exit status */
int status_why(bool json);

#endif /* ASSAY_CMD_STATUS_WHY_H */
