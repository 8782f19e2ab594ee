/* SPDX-License-Identifier: MIT */
/*
 * Manifests as a verifier uses them: verified, read once, and looked up in. Only for lib/verify,
 * and for whoever keeps a verified manifest for many verdicts.
 */
#ifndef ASSAY_VERIFY_MANIFESTS_H
#define ASSAY_VERIFY_MANIFESTS_H

#include "sign/manifest.h"
#include "verify/input.h"

/* A manifest whose signature was found good. It does not change: any thread may read it. */
struct verified_manifest;

/*
 * verified_manifest_new() - verify a manifest's signature, then read it
 * @manifest: its text may go when this returns
 * @certificates, @count: of accepted signers, one of which must have signed it
 * @flags: MANIFEST_ACCEPT_* (sign/manifest_signature.h)
 * @ret: verified_manifest_free() it
 *
 * Return: 0; as manifest_verify() and manifest_parse(); -ENOMEM
 */
int verified_manifest_new(const struct verify_manifest *manifest, X509 *const *certificates,
			  size_t count, unsigned int flags, struct verified_manifest **ret,
			  struct assay_error *err);
void verified_manifest_free(struct verified_manifest *manifest); /* does nothing with NULL */

/* verified_manifest_read() - what is in it; lives as long as it does */
const struct manifest *verified_manifest_read(const struct verified_manifest *manifest);

/* verified_manifest_digest() - SHA-256 of its text */
const struct assay_digest *verified_manifest_digest(const struct verified_manifest *manifest);

/* The manifests of one verdict. */
struct manifests;

/* manifests_new() - of all in @input; those that are verified already are taken as they are */
int manifests_new(const struct verify_input *input, unsigned int flags, struct manifests **ret,
		  struct assay_error *err);
void manifests_free(struct manifests *manifests); /* does nothing with NULL */

size_t manifests_count(const struct manifests *manifests);
const struct manifest *manifests_get(const struct manifests *manifests, size_t index);

/* manifests_digest() - what stands for all of them as a whole, in a state */
int manifests_digest(const struct manifests *manifests, struct assay_digest *ret,
		     struct assay_error *err);

/* manifests_newest() - when the newest of that product was created; 0 where there is none of it */
uint64_t manifests_newest(const struct manifests *manifests, const char *product);

/*
 * manifests_keep_created() - note in a state when the newest of each product was created
 * Return: false if the state had no room for some
 */
bool manifests_keep_created(const struct manifests *manifests, struct verify_state *state);

enum look_up {
	LOOK_UP_NONE,	 /* no manifest has it */
	LOOK_UP_MATCH,	 /* one of them has it with that digest */
	LOOK_UP_DIFFERS, /* they have it, and not with that digest */
};

/**
 * struct looked_up - what manifests say of a file
 * @expected: for LOOK_UP_DIFFERS: a digest that they have for it
 * @package: the package that the manifest with @expected has it of; NULL: it does not say
 * @names: how many files of them it can be: more than one where IMA cannot tell names apart
 */
struct looked_up {
	enum look_up result;
	const struct assay_digest *expected;
	const struct package_name *package;
	size_t names;
};

/*
 * manifest_path() - a measured path as manifests have it: without the policy's prefix
 * @ima_form: @path is in IMA's form, in which a space is '_': the prefix is compared so, too
 *
 * Return: false for one that no manifest can have: none, outside the prefix, with a NUL, too
 * long
 */
bool manifest_path(const struct verify_policy *policy, struct bytes path, bool ima_form,
		   char ret[static MANIFEST_PATH_MAX]);

/*
 * manifests_look_up() - what the manifests say of a file
 * @path: as it was measured; .data may be NULL
 * @ima_form: @path is in IMA's form: all names that IMA writes so are meant
 */
struct looked_up manifests_look_up(const struct manifests *manifests,
				   const struct verify_policy *policy, struct bytes path,
				   bool ima_form, const struct assay_digest *digest);

#endif /* ASSAY_VERIFY_MANIFESTS_H */
