// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strdup(), reallocarray() */
#include "policies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct assay_verify_bytes lend(const struct buffer *buffer)
{
	return (struct assay_verify_bytes){ buffer->data, buffer->size };
}

static int refused(const struct assay_verify_message *message, const char *name,
		   struct assay_error *err)
{
	return assay_fail(err, EINVAL, "%s: %s", name, message->text);
}

/* struct source - where what a policy names is from: as it was at that generation */
struct source {
	struct store *store;
	uint64_t generation;
};

/* struct signers - certificates that the policy names: a manifest is read by them */
struct signers {
	struct ref refs[64];
	struct assay_verify_bytes list[64];
	size_t count;
};

static void signers_free(struct signers *signers)
{
	for (size_t i = 0; i < signers->count; i++)
		ref_free(&signers->refs[i]);
}

/* Also of authorities that certify attestation keys, and their revocation lists. */
static int supply_certificate(const struct source *source, struct assay_policy *policy,
			      size_t index, const struct assay_policy_file *file,
			      struct signers *signers, struct assay_error *err)
{
	const char *name = file->name;
	struct assay_verify_message message;
	struct ref ref;
	int r = refs_get(source->store, REF_CERTIFICATE, name, 0, source->generation, &ref, err);

	if (r < 0)
		return r;
	if (file->use != ASSAY_POLICY_SIGNER) {
		r = assay_policy_supply(policy, index, lend(&ref.content), &message) ==
				    ASSAY_VERIFY_OK ?
			    0 :
			    refused(&message, name, err);
		ref_free(&ref);
		return r;
	}
	if (signers->count == sizeof(signers->refs) / sizeof(signers->refs[0]) ||
	    assay_policy_supply(policy, index, lend(&ref.content), &message) != ASSAY_VERIFY_OK) {
		r = signers->count < sizeof(signers->refs) / sizeof(signers->refs[0]) ?
			    refused(&message, name, err) :
			    assay_fail(err, EINVAL, "the policy names too many certificates");
		ref_free(&ref);
		return r;
	}
	signers->refs[signers->count] = ref;
	signers->list[signers->count++] = lend(&ref.content);
	return 0;
}

static int supply_manifest(const struct source *source, struct assay_policy *policy, size_t index,
			   const char *name, const struct signers *signers, struct assay_error *err)
{
	struct assay_verify_message message;
	struct assay_manifest *manifest;
	CLEANUP(ref_free) struct ref ref = { 0 };
	int r = refs_get(source->store, REF_MANIFEST, name, 0, source->generation, &ref, err);

	if (r < 0)
		return r;
	const struct assay_manifest_source given = { .name = name,
						     .text = lend(&ref.content),
						     .signature = lend(&ref.signature) };

	if (assay_manifest_new(&given, signers->list, signers->count, &manifest, &message) !=
	    ASSAY_VERIFY_OK)
		return refused(&message, name, err);
	if (assay_policy_supply_manifest(policy, index, manifest, &message) != ASSAY_VERIFY_OK)
		r = refused(&message, name, err);
	assay_manifest_free(manifest);
	return r;
}

/* Certificates first: manifests are read by them. */
static int supply(const struct source *source, struct assay_policy *policy, struct assay_error *err)
{
	CLEANUP(signers_free) struct signers signers = { .count = 0 };
	struct assay_policy_file file;
	int r = 0;

	for (int manifests = 0; manifests < 2; manifests++)
		for (size_t i = 0; r == 0 && i < assay_policy_files(policy); i++) {
			if (assay_policy_file(policy, i, &file) != ASSAY_VERIFY_OK ||
			    (file.use == ASSAY_POLICY_MANIFEST) != (manifests == 1))
				continue;
			r = manifests ?
				    supply_manifest(source, policy, i, file.name, &signers, err) :
				    supply_certificate(source, policy, i, &file, &signers, err);
		}
	return r;
}

int policies_read(struct store *store, const char *name, uint64_t version, uint64_t generation,
		  struct fleet_policy *ret, struct assay_error *err)
{
	const struct source source = { store, generation };
	CLEANUP(ref_free) struct ref ref = { 0 };
	struct assay_verify_message message;
	int r = refs_get(store, REF_POLICY, name, version, generation, &ref, err);

	*ret = (struct fleet_policy){ 0 };
	if (r < 0)
		return r;
	snprintf(ret->id, sizeof(ret->id), "%s@%" PRIu64, name, ref.version);
	if (assay_policy_new(lend(&ref.content), &ret->policy, &message) != ASSAY_VERIFY_OK)
		return refused(&message, name, err);
	r = supply(&source, ret->policy, err);
	if (r < 0) {
		assay_policy_free(ret->policy);
		ret->policy = NULL;
	}
	return r;
}

void policies_end(struct fleet_policy *policy)
{
	assay_policy_free(policy->policy);
	free(policy->why);
	*policy = (struct fleet_policy){ 0 };
}

void policies_free(struct policies *policies)
{
	for (size_t i = 0; i < policies->count; i++)
		policies_end(&policies->list[i]);
	for (size_t i = 0; i < policies->staged_count; i++)
		policies_end(&policies->staged[i]);
	policies->count = policies->staged_count = 0;
	policies->generation = 0;
}

/* One that cannot be read is kept with the reason. */
static int keep(struct store *store, const struct ref_assignment *assignment,
		struct fleet_policy *ret, struct assay_error *err)
{
	int r = policies_read(store, assignment->policy, assignment->version,
			      assignment->generation, ret, err);

	if (r == -EIO || r == -ENOMEM)
		return r;
	if (r < 0)
		ret->why = strdup(err->text);
	return 0;
}

static int refresh_rollouts(struct policies *policies, struct store *store, struct assay_error *err)
{
	size_t count = 0;
	int r = rollouts_list(store, policies->rollouts, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		policies->staged_count = i + 1;
		policies->staged[i] = (struct fleet_policy){ .policy = NULL };
		if (!policies->rollouts[i].halted)
			r = keep(store, &policies->rollouts[i].to, &policies->staged[i], err);
	}
	return r;
}

int policies_refresh(struct policies *policies, uint64_t generation, struct store *store,
		     struct assay_error *err)
{
	size_t count = 0;
	int r;

	if (policies->generation == generation)
		return 0;
	policies_free(policies);
	r = refs_assignments(store, policies->assignments, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		policies->count = i + 1;
		r = keep(store, &policies->assignments[i], &policies->list[i], err);
	}
	if (r == 0)
		r = refresh_rollouts(policies, store, err);
	if (r == 0)
		policies->generation = generation;
	return r;
}

/* NULL where it is not included, or what is rolled out cannot be used. */
static const struct fleet_policy *staged_for(const struct policies *policies, const char *label,
					     const char *device)
{
	for (size_t i = 0; i < policies->staged_count; i++)
		if (strcmp(policies->rollouts[i].to.label, label) == 0)
			return policies->staged[i].policy &&
					       rollout_includes(&policies->rollouts[i], device) ?
				       &policies->staged[i] :
				       NULL;
	return NULL;
}

static bool has_rollout(const struct policies *policies, const char *label)
{
	for (size_t i = 0; i < policies->staged_count; i++)
		if (!policies->rollouts[i].halted &&
		    strcmp(policies->rollouts[i].to.label, label) == 0)
			return true;
	return false;
}

/* What is rolled out for all others is not for a label that has something of its own. */
const struct fleet_policy *policies_of(const struct policies *policies, const char *label,
				       const char *device)
{
	const struct fleet_policy *found = NULL, *staged;
	const char *by = has_rollout(policies, label) ? label : "";

	for (size_t i = 0; i < policies->count; i++) {
		if (strcmp(policies->assignments[i].label, label) == 0) {
			found = &policies->list[i];
			by = label;
			break;
		}
		if (policies->assignments[i].label[0] == '\0')
			found = &policies->list[i];
	}
	staged = staged_for(policies, by, device);
	return staged ? staged : found;
}
