/* SPDX-License-Identifier: MIT */
/*
 * Policies that the kernel enforces, made from a manifest: of IPE (enforce/ipe.h) and of IMA
 * (enforce/ima_policy.h).
 *
 * Nothing of the manifest but digests becomes part of a rule. Paths stand in comments only,
 * escaped (text_escape()); what is made is read again before it is handed out.
 *
 * Pure.
 */
#ifndef ASSAY_ENFORCE_MAKE_H
#define ASSAY_ENFORCE_MAKE_H

#include "enforce/ipe.h"
#include "sign/manifest.h"

/* The kernel compares with one digest after the other at each execution. */
#define MAKE_DIGESTS_MAX 1000

/**
 * struct make_source - the manifest that a policy is made from
 * @text: its text, whose signature was checked
 * @name: names it in errors
 * @header: of it
 * @file_count: files in it
 * @without_pkcs7, @without_ima: how many of them have no such signature
 * @first_without_pkcs7, @first_without_ima: the path of the first, escaped; "" if there is none
 */
struct make_source {
	struct bytes text;
	const char *name;
	struct manifest_header header;
	size_t file_count, without_pkcs7, without_ima;
	char first_without_pkcs7[128], first_without_ima[128];
};

/* make_source_read() - look through a manifest; @ret points to @text and @name */
int make_source_read(struct bytes text, const char *name, struct make_source *ret,
		     struct assay_error *err);

/**
 * struct make_ipe - what an IPE policy is to say
 * @name: as ipe_check_name() has it
 * @version: of it
 * @operations: bits `1 << enum ipe_operation` that are enforced; others are allowed
 * @by_digest: allow the manifest's digests, one rule each, rather than whatever has a built-in
 *             signature of somebody in .fs-verity
 * @boot_verified: allow what is in the initramfs
 * @dmverity_signature: allow what is on a dm-verity volume with a signed root hash
 * @root_hashes, @root_hash_count: allow what is on such volumes with these; "sha256:HEX"
 */
struct make_ipe {
	const char *name;
	struct ipe_version version;
	unsigned int operations;
	bool by_digest, boot_verified, dmverity_signature;
	const char *const *root_hashes;
	size_t root_hash_count;
};

/*
 * make_ipe_policy() - append the policy's text to @out
 *
 * Return: 0; -ENOKEY where files of the manifest have no built-in signature, and would not run;
 * -E2BIG for more digests than MAKE_DIGESTS_MAX; -EINVAL for a root hash that is none
 */
int make_ipe_policy(const struct make_source *source, const struct make_ipe *wanted,
		    struct buffer *out, struct assay_error *err);

/**
 * struct make_ima - what an IMA policy is to say
 * @filesystem: UUID of the one file system whose files are appraised; NULL: all
 * @measure: measure what is appraised, too: a policy of one's own takes the place of the one that
 *           measures
 * @firmware: appraise firmware, too
 */
struct make_ima {
	const char *filesystem;
	bool measure, firmware;
};

/* make_ima_policy() - append the policy's text to @out; -ENOKEY as above, of IMA's signatures */
int make_ima_policy(const struct make_source *source, const struct make_ima *wanted,
		    struct buffer *out, struct assay_error *err);

#endif /* ASSAY_ENFORCE_MAKE_H */
