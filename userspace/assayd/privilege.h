/* SPDX-License-Identifier: MIT */
/*
 * The service's privileges. It becomes a user of its own after the start, and keeps two
 * capabilities permitted but not effective: CAP_SYS_ADMIN, for trimming the log and IMA's list, and
 * CAP_DAC_READ_SEARCH, for reading what is measured and IMA's list. Each is raised for the one
 * call that needs it.
 */
#ifndef ASSAY_ASSAYD_PRIVILEGE_H
#define ASSAY_ASSAYD_PRIVILEGE_H

#include <sys/capability.h>

#include "assay.h"

/**
 * struct privilege_user - whom to become
 * @wanted: false: the process stays who it is
 */
struct privilege_user {
	bool wanted;
	char name[64];
	unsigned int uid, gid;
};

/*
 * privilege_find_user() - look a user up, while files can still be read
 * @name: empty, or of a process that is not root: nobody else is wanted
 */
int privilege_find_user(const char *name, struct privilege_user *ret, struct assay_error *err);

/*
 * privilege_keep() - become the user, keep the two capabilities as far as there are any, and no
 * others; nothing that is executed gets any
 */
int privilege_keep(const struct privilege_user *user, struct assay_error *err);

/*
 * privilege_raise() - have a capability in effect until privilege_drop()
 * Return: 0; -EPERM, with what to do, if the process does not have it
 */
int privilege_raise(cap_value_t capability, struct assay_error *err);
void privilege_drop(void);

#endif /* ASSAY_ASSAYD_PRIVILEGE_H */
