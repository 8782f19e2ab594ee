/* SPDX-License-Identifier: MIT */
/* What this system calls itself, and its present boot. */
#ifndef ASSAY_BASE_MACHINE_H
#define ASSAY_BASE_MACHINE_H

#include "assay.h"

#define MACHINE_ID_PATH "/etc/machine-id"
#define MACHINE_ID_TEXT 65 /* bytes that take one, with its NUL */
#define BOOT_ID_TEXT 37	   /* of a UUID */

/*
 * machine_id_read() - the line of /etc/machine-id
 * It may be any text that fits: whoever uses it looks whether it is a fit name.
 *
 * Return: 0; -errno; -EBADMSG if it does not fit
 */
int machine_id_read(char text[MACHINE_ID_TEXT], struct assay_error *err);

/* boot_id_read() - the UUID of the present boot; -EBADMSG if the kernel tells something else */
int boot_id_read(char text[BOOT_ID_TEXT], struct assay_error *err);

#endif /* ASSAY_BASE_MACHINE_H */
