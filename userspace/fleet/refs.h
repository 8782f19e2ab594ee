/* SPDX-License-Identifier: MIT */
/*
 * Reference values in the database: policies, manifests and certificates by name, each upload a
 * version of its own that never changes; and which policy devices of a label are judged by, with
 * what it names as that was when it was assigned. So nothing that is uploaded has an effect before
 * somebody who may assign has done so.
 */
#ifndef ASSAY_FLEET_REFS_H
#define ASSAY_FLEET_REFS_H

#include "store.h"

#define REF_NAME_MAX 128	     /* characters of a name */
#define REF_CONTENT_MAX (24U << 20)  /* bytes of a policy, manifest or certificate */
#define REF_SIGNATURE_MAX (1U << 20) /* bytes of a manifest's signature */

enum ref_kind { REF_POLICY, REF_MANIFEST, REF_CERTIFICATE, REF_KINDS };

/* ref_kind_name() - "policy", "manifest", "certificate" */
const char *ref_kind_name(enum ref_kind kind);
bool ref_kind_by_name(const char *name, enum ref_kind *ret);

/* ref_name_valid() - letters, digits, '-', '_', '.' and '/', as a relative path has them */
bool ref_name_valid(const char *name);

/**
 * struct ref - one version of one; ref_free() it
 * @signature: of a manifest
 */
struct ref {
	uint64_t version;
	struct buffer content, signature;
};

void ref_free(struct ref *ref);

/*
 * refs_add() - keep a new version
 * @signature: of size 0 where there is none
 * @ret_version: 1 for the first
 *
 * In a transaction of the caller's, as refs_assign().
 */
int refs_add(struct store *store, enum ref_kind kind, const char *name, struct bytes content,
	     struct bytes signature, const char *who, uint64_t now, uint64_t *ret_version,
	     struct assay_error *err);

#define REF_NEWEST ((uint64_t)INT64_MAX) /* a generation that none is behind */

/*
 * refs_get() - one version
 * @version: 0: the newest
 * @generation: of those that were there at this one, see refs_generation(); or REF_NEWEST
 *
 * Return: 0; -ENOENT if there is none
 */
int refs_get(struct store *store, enum ref_kind kind, const char *name, uint64_t version,
	     uint64_t generation, struct ref *ret, struct assay_error *err);

/**
 * struct ref_assignment - devices of @label ("" for all others) are judged by @policy @version
 * @generation: with what there was at this one; 0: refs_assign() sets it to the present one
 */
struct ref_assignment {
	char label[65];
	char policy[REF_NAME_MAX + 1];
	uint64_t version, generation;
};

#define REF_ASSIGNMENTS_MAX 256

/* refs_assignments() - all of them; @ret has room for REF_ASSIGNMENTS_MAX */
int refs_assignments(struct store *store, struct ref_assignment *ret, size_t *ret_count,
		     struct assay_error *err);

/* refs_assign() - from now on, with what there is now, or was at its generation */
int refs_assign(struct store *store, struct ref_assignment *assignment, const char *who,
		uint64_t now, struct assay_error *err);

/*
 * refs_generation() - a number that grows whenever something of what verdicts are made by is added,
 * assigned or rotated
 */
int refs_generation(struct store *store, uint64_t *ret, struct assay_error *err);
int refs_touch(struct store *store, struct assay_error *err);

#endif /* ASSAY_FLEET_REFS_H */
