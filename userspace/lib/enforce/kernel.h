/* SPDX-License-Identifier: MIT */
/* What a kernel honours of a policy: facts of it, gathered from this machine or its configuration.
 */
#ifndef ASSAY_ENFORCE_KERNEL_H
#define ASSAY_ENFORCE_KERNEL_H

#include "enforce/kernel_config.h"

#define KERNEL_LSM_MAX 512

/* What a running kernel says of something; KERNEL_UNKNOWN where none runs, or it cannot be seen. */
enum kernel_answer {
	KERNEL_UNKNOWN,
	KERNEL_YES,
	KERNEL_NO,
};

/**
 * struct kernel_facts - kernel_facts_free() it
 * @config: of size 0 where it could not be had, for @no_config
 * @running: the facts are of the kernel that runs
 * @lsm: the LSMs, with commas; "" where it is not known
 * @ipe_there: IPE has its files in securityfs
 * @ipe_policy: a policy of IPE's is active
 * @ipe_enforcing: IPE refuses rather than tells
 * @ima_policy_there: IMA takes a policy (again)
 * @ima_keyring, @user_ima_keyring, @verity_keyring: there are .ima, _ima, .fs-verity
 * @signatures_required: fs.verity.require_signatures
 */
struct kernel_facts {
	struct kernel_config config;
	struct assay_error no_config;
	bool running;
	char lsm[KERNEL_LSM_MAX];
	enum kernel_answer ipe_there, ipe_policy, ipe_enforcing, ima_policy_there, ima_keyring,
		user_ima_keyring, verity_keyring, signatures_required;
};

/* kernel_facts_of_config() - of a configuration alone; @config is taken over */
void kernel_facts_of_config(struct kernel_config *config, struct kernel_facts *ret);

/*
 * kernel_facts_running() - of the kernel that runs
 *
 * Its configuration is looked for in /proc/config.gz and /boot/config-RELEASE; without one much
 * stays unknown. Reads securityfs, /proc/keys and sysctls; as root it sees more.
 */
void kernel_facts_running(struct kernel_facts *ret);

/* kernel_facts_free() - does nothing with empty ones */
void kernel_facts_free(struct kernel_facts *facts);

/* kernel_facts_lsm() - is that LSM among the LSMs? KERNEL_UNKNOWN where these are not known */
enum kernel_answer kernel_facts_lsm(const struct kernel_facts *facts, const char *name);

#endif /* ASSAY_ENFORCE_KERNEL_H */
