/* SPDX-License-Identifier: MIT */
/*
 * Policies of IPE, the kernel's LSM (Documentation/admin-guide/LSM/ipe.rst): their text, read as
 * the kernel reads it and made from a manifest.
 *
 * A policy is lines: first `policy_name=NAME policy_version=MAJOR.MINOR.REVISION`, then rules
 * `op=OPERATION PROPERTY=VALUE ... action=ALLOW|DENY`, the first that matches decides, and defaults
 * `DEFAULT [op=OPERATION] action=ALLOW|DENY`. '#' begins a comment, wherever it stands.
 *
 * Pure.
 */
#ifndef ASSAY_ENFORCE_IPE_H
#define ASSAY_ENFORCE_IPE_H

#include "base/bytes.h"

/* Longest name, with its NUL: it becomes a directory of securityfs. */
#define IPE_NAME_MAX 64
/* "65535.65535.65535" and its NUL */
#define IPE_VERSION_TEXT 18
/* Bytes of a policy: far below what the kernel copies in one piece. */
#define IPE_TEXT_MAX (1U << 20)

enum ipe_operation {
	IPE_EXECUTE,
	IPE_FIRMWARE,
	IPE_KMODULE,
	IPE_KEXEC_IMAGE,
	IPE_KEXEC_INITRAMFS,
	IPE_POLICY,
	IPE_X509_CERT,
	IPE_OPERATIONS,
};

enum ipe_action {
	IPE_UNSET,
	IPE_ALLOW,
	IPE_DENY,
};

enum ipe_property {
	IPE_BOOT_VERIFIED,
	IPE_DMVERITY_ROOTHASH,
	IPE_DMVERITY_SIGNATURE,
	IPE_FSVERITY_DIGEST,
	IPE_FSVERITY_SIGNATURE,
	IPE_PROPERTIES,
};

/* struct ipe_version - 16 bits each in the kernel, compared in this order */
struct ipe_version {
	uint16_t major, minor, revision;
};

/**
 * struct ipe_rule - a rule that is no default
 * @properties: bits `1 << enum ipe_property` of those that must hold
 * @truth: the same bits of those that must be TRUE; digests and root hashes are
 */
struct ipe_rule {
	enum ipe_operation operation;
	enum ipe_action action;
	unsigned int properties, truth;
};

/**
 * struct ipe_policy - what a policy says; ipe_policy_free() it
 * @default_action: for operations without one of their own
 * @default_actions: of each operation; IPE_UNSET: @default_action
 * @rules, @rule_count: in their order; of which file a digest is, is not kept
 */
struct ipe_policy {
	char name[IPE_NAME_MAX];
	struct ipe_version version;
	enum ipe_action default_action;
	enum ipe_action default_actions[IPE_OPERATIONS];
	struct ipe_rule *rules;
	size_t rule_count;
};

const char *ipe_operation_name(enum ipe_operation operation);
const char *ipe_property_name(enum ipe_property property);

/* ipe_operation_find() - by its name; -EINVAL and which there are */
int ipe_operation_find(const char *name, enum ipe_operation *ret, struct assay_error *err);

/*
 * ipe_check_name() - letters, digits and ".-_", no '.' at its front, shorter than IPE_NAME_MAX
 *
 * The kernel takes more, of which a directory is made then.
 * Return: 0; -EINVAL and why
 */
int ipe_check_name(const char *name, struct assay_error *err);

/* ipe_version_parse() - "1.2.3", decimal, each up to 65535; -EINVAL and why */
int ipe_version_parse(const char *text, struct ipe_version *ret, struct assay_error *err);

/* ipe_version_text() - the same as text; returns @text */
char *ipe_version_text(const struct ipe_version *version, char text[IPE_VERSION_TEXT]);

/* ipe_version_compare() - below 0, 0, above 0: as @a is before, the same as, after @b */
int ipe_version_compare(const struct ipe_version *a, const struct ipe_version *b);

/* ipe_version_of() - one that grows with time (seconds since 1970): day.minute.second */
struct ipe_version ipe_version_of(uint64_t when);

/*
 * ipe_policy_read() - read the text of a policy
 * @what: names it in errors, which also tell the line
 *
 * Whatever the kernel refuses is refused (security/ipe/policy_parser.c), and besides names that
 * ipe_check_name() refuses, versions with signs, digests of hashes that fs-verity has not, and
 * bytes that are neither printable ASCII nor blanks outside comments.
 *
 * Return: 0; -EBADMSG for what is no such policy; -EFBIG; -ENOMEM
 */
int ipe_policy_read(struct bytes text, const char *what, struct ipe_policy *ret,
		    struct assay_error *err);
/* Does nothing with an empty one. */
void ipe_policy_free(struct ipe_policy *policy);

/* ipe_looks_like() - does a text begin, after comments, as such a policy does? */
bool ipe_looks_like(struct bytes text);

#endif /* ASSAY_ENFORCE_IPE_H */
