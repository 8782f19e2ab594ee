/* SPDX-License-Identifier: MIT */
/*
 * Policies of IPE given to the kernel, in securityfs. For the device's command and the initramfs.
 */
#ifndef ASSAY_ENFORCE_IPE_LOAD_H
#define ASSAY_ENFORCE_IPE_LOAD_H

#include "enforce/ipe.h"

#define IPE_SECURITYFS "/sys/kernel/security"
/* Bytes of a signed policy: the text, certificates and the signature. */
#define IPE_SIGNED_MAX (IPE_TEXT_MAX + 65536)

/* What is done about enforcing: IPE is told of refusals either way, by audit. */
enum ipe_mode {
	IPE_MODE_KEEP,	     /* as it is: the kernel's default is to enforce */
	IPE_MODE_PERMISSIVE, /* refusals are told, and nothing is refused */
	IPE_MODE_ENFORCE,
};

/**
 * struct ipe_load - what to do
 * @securityfs: IPE_SECURITYFS, or where else it is mounted
 * @mode: set before the policy becomes active
 * @activate: make the policy the active one
 */
struct ipe_load {
	const char *securityfs;
	enum ipe_mode mode;
	bool activate;
};

/**
 * struct ipe_loaded - what came of it
 * @already: the kernel has this very policy
 * @updated: it took the place of an older version of the same name
 * @active: it is active
 */
struct ipe_loaded {
	char name[IPE_NAME_MAX];
	struct ipe_version version;
	bool already, updated, active;
};

/*
 * ipe_open_signed() - read the policy inside a signed one; nothing is verified
 * @text: appended to, the policy's own
 */
int ipe_open_signed(struct bytes der, const char *what, struct buffer *text, struct ipe_policy *ret,
		    struct assay_error *err);

/*
 * ipe_load() - give a signed policy to the kernel
 * @der: PKCS#7, as `assay policy sign` makes it
 * @what: names it in errors
 *
 * A policy of that name is updated. The kernel verifies who signed it.
 * Return: 0; -ENOKEY, -EKEYREJECTED: not signed by whom the kernel believes; -ESTALE: an older
 * version; -EINVAL: a newer one of another name is active; -EPERM without CAP_MAC_ADMIN; -ENOENT
 * without IPE; -EBADMSG for what is no such policy
 */
int ipe_load(struct bytes der, const char *what, const struct ipe_load *load,
	     struct ipe_loaded *ret, struct assay_error *err);

#endif /* ASSAY_ENFORCE_IPE_LOAD_H */
