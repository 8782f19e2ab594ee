/* SPDX-License-Identifier: MIT */
/*
 * Policies that were read, with the manifests and certificates that they name: kept by the process
 * for as long as nobody changes what they are made of.
 */
#ifndef ASSAY_FLEET_POLICIES_H
#define ASSAY_FLEET_POLICIES_H

#include "assay-verify.h"
#include "rollouts.h"

/* struct fleet_policy - @id: NAME@VERSION; @policy: NULL if it cannot be used, @why says it */
struct fleet_policy {
	char id[REF_NAME_MAX + 32];
	struct assay_policy *policy;
	char *why;
};

/* struct policies - start with {0} */
struct policies {
	uint64_t generation;
	struct ref_assignment assignments[REF_ASSIGNMENTS_MAX];
	struct fleet_policy list[REF_ASSIGNMENTS_MAX];
	size_t count;
	struct rollout rollouts[ROLLOUTS_MAX];
	struct fleet_policy staged[ROLLOUTS_MAX];
	size_t staged_count;
};

/*
 * policies_read() - read a policy with all that it names, of which the newest versions count
 * @version: 0 for the newest
 * @generation: of what was there at this one, as refs_get()
 *
 * Return: 0 with .policy set; -ENOENT, -EINVAL with what is off; -EIO of the database
 */
int policies_read(struct store *store, const char *name, uint64_t version, uint64_t generation,
		  struct fleet_policy *ret, struct assay_error *err);
void policies_end(struct fleet_policy *policy);

/*
 * policies_refresh() - read anew what is assigned, if it is another generation
 * One that cannot be read is kept with the reason.
 */
int policies_refresh(struct policies *policies, uint64_t generation, struct store *store,
		     struct assay_error *err);

/*
 * policies_of() - by which that device of that label is judged: what is assigned, or what is being
 * rolled out, where that includes it; NULL if none is assigned
 */
const struct fleet_policy *policies_of(const struct policies *policies, const char *label,
				       const char *device);

void policies_free(struct policies *policies);

#endif /* ASSAY_FLEET_POLICIES_H */
