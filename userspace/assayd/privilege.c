// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

static const cap_value_t kept[] = { CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH };

#define KEPT (sizeof(kept) / sizeof(kept[0]))

static void free_capabilities(cap_t *capabilities)
{
	if (*capabilities)
		cap_free(*capabilities);
}

int privilege_find_user(const char *name, struct privilege_user *ret, struct assay_error *err)
{
	const struct passwd *entry;

	*ret = (struct privilege_user){ 0 };
	if (name[0] == '\0' || geteuid() != 0)
		return 0;
	errno = 0;
	entry = getpwnam(name);
	if (!entry)
		return assay_fail(err, errno ? errno : ENOENT,
				  "there is no user %s to become; make it (systemd-sysusers does, "
				  "by assay.conf), or set user in [service]",
				  name);
	ret->wanted = true;
	ret->uid = entry->pw_uid;
	ret->gid = entry->pw_gid;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

static int become(const struct privilege_user *user, struct assay_error *err)
{
	/* What is permitted stays when root is left. */
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || initgroups(user->name, user->gid) < 0 ||
	    setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return assay_fail(err, errno, "cannot become user %s: %s", user->name,
				  strerror(errno));
	(void)prctl(PR_SET_KEEPCAPS, 0);
	return 0;
}

/* Of all others, also what a program with file capabilities could get. */
static void drop_bounds(void)
{
	for (cap_value_t capability = 0; cap_get_bound(capability) >= 0; capability++)
		if (capability != kept[0] && capability != kept[1])
			(void)cap_drop_bound(capability);
}

int privilege_keep(const struct privilege_user *user, struct assay_error *err)
{
	CLEANUP(free_capabilities) cap_t present = cap_get_proc();
	CLEANUP(free_capabilities) cap_t wanted = cap_init();
	int r;

	if (!present || !wanted)
		return assay_fail(err, ENOMEM, "out of memory");
	drop_bounds();
	if (user->wanted) {
		r = become(user, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < KEPT; i++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(present, kept[i], CAP_PERMITTED, &has) == 0 && has == CAP_SET)
			(void)cap_set_flag(wanted, CAP_PERMITTED, 1, &kept[i], CAP_SET);
	}
	(void)cap_reset_ambient();
	if (cap_set_proc(wanted) < 0)
		return assay_fail(err, errno, "cannot give up capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return assay_fail(err, errno, "cannot give up gaining privileges: %s",
				  strerror(errno));
	return 0;
}

/* What is effective: @capability alone, or, with none, nothing. */
static int set_effective(const cap_value_t *capability)
{
	CLEANUP(free_capabilities) cap_t capabilities = cap_get_proc();

	if (!capabilities || cap_clear_flag(capabilities, CAP_EFFECTIVE) < 0 ||
	    (capability && cap_set_flag(capabilities, CAP_EFFECTIVE, 1, capability, CAP_SET) < 0) ||
	    cap_set_proc(capabilities) < 0)
		return -errno;
	return 0;
}

int privilege_raise(cap_value_t capability, struct assay_error *err)
{
	int r = set_effective(&capability);
	char *name;

	if (r == 0)
		return 0;
	name = cap_to_name(capability);
	assay_fail(err, EPERM,
		   "the service does not have %s: start it as root, or with "
		   "AmbientCapabilities= of its unit",
		   name ? name : "a capability");
	cap_free(name);
	return -EPERM;
}

void privilege_drop(void)
{
	if (set_effective(NULL) < 0)
		abort();
}
