// SPDX-License-Identifier: MIT
/* The checks of the manifests themselves: who signed them, and whether they are the wanted ones. */
#include <string.h>

#include "base/utc.h"
#include "sign/manifest_signature.h"
#include "verify/appraisal.h"

static void name_manifest(const struct manifest_header *header, struct verdict_manifest *ret)
{
	memcpy(ret->id, header->id, sizeof(ret->id));
	memcpy(ret->created, header->created, sizeof(ret->created));
	memcpy(ret->product, header->product, sizeof(ret->product));
}

enum check_result check_manifest_signature(struct appraisal *appraisal, char *detail)
{
	const struct verify_input *input = appraisal->input;
	struct manifests **manifests = &appraisal->content.manifests;
	unsigned int flags =
		appraisal->policy->manifest_file_signature ? MANIFEST_ACCEPT_FILE_SIGNATURE : 0;
	struct assay_error err = { 0 };
	size_t files = 0;

	if (input->manifest_count == 0)
		return check_tell(false, detail, "there is no manifest to compare with");
	if (manifests_new(input, flags, manifests, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	appraisal->verdict->manifest_count = manifests_count(*manifests);
	for (size_t i = 0; i < manifests_count(*manifests); i++) {
		if (appraisal->policy->manifest_signers > 1 &&
		    manifests_get(*manifests, i)->header.also_key_id_size == 0)
			return check_tell(false, detail,
					  "%s is signed by one key; the policy wants two "
					  "(manifest.signers)",
					  manifests_get(*manifests, i)->header.id);
		files += manifests_get(*manifests, i)->count;
		if (i < VERDICT_MANIFESTS)
			name_manifest(&manifests_get(*manifests, i)->header,
				      &appraisal->verdict->manifests[i]);
	}
	return check_tell(true, detail, "%zu files, in %zu signed manifest%s", files,
			  input->manifest_count, input->manifest_count == 1 ? "" : "s");
}

static bool is_wanted(const struct verify_policy *policy, const struct manifest_header *header,
		      const char *name, uint64_t created, char *detail)
{
	char wanted[UTC_LENGTH + 1];

	if (created < policy->manifest_min_created)
		return check_tell(false, detail,
				  "%s was created at %s; the policy takes none from "
				  "before %s",
				  name, header->created,
				  utc_text(policy->manifest_min_created, wanted));
	if (policy->manifest_id && strcmp(policy->manifest_id, header->id) != 0)
		return check_tell(false, detail, "%s has the id %s; the policy wants %s", name,
				  header->id, policy->manifest_id);
	if (policy->manifest_product && strcmp(policy->manifest_product, header->product) != 0) {
		char found[FOREIGN_TEXT];

		text_escape(BYTES((const uint8_t *)header->product, strlen(header->product)), found,
			    sizeof(found));
		return check_tell(false, detail,
				  "%s is of the product \"%s\"; the policy wants "
				  "\"%s\"",
				  name, found, policy->manifest_product);
	}
	return true;
}

/* Of a product that had a newer manifest before, older ones would bring back its old files. */
static bool are_no_older(const struct verify_state *before, const struct manifests *manifests,
			 char *detail)
{
	char now_text[UTC_LENGTH + 1], before_text[UTC_LENGTH + 1], product[FOREIGN_TEXT];

	for (size_t i = 0; i < before->manifest_count; i++) {
		const char *name = before->manifests[i].product;
		uint64_t newest = manifests_newest(manifests, name);

		if (newest == 0 || newest >= before->manifests[i].created)
			continue;
		text_escape(BYTES((const uint8_t *)name, strlen(name)), product, sizeof(product));
		return check_tell(false, detail,
				  "the newest manifest of the product \"%s\" was created at %s; at "
				  "the last attestation there was one of %s",
				  product, utc_text(newest, now_text),
				  utc_text(before->manifests[i].created, before_text));
	}
	return true;
}

/* Of a product that the state has no room for, an older manifest would not be noticed. */
static bool can_be_kept(const struct verify_state *before, const struct manifests *manifests,
			char *detail)
{
	struct verify_state kept = *before;

	if (manifests_keep_created(manifests, &kept))
		return true;
	return check_tell(false, detail,
			  "the manifests are of more products than the %d whose times a state "
			  "keeps: of the others, older manifests would not be noticed",
			  VERIFY_STATE_PRODUCTS);
}

enum check_result check_manifest_current(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *before = appraisal->input->state;
	const struct manifests *manifests = appraisal->content.manifests;
	uint64_t newest = 0;
	char text[UTC_LENGTH + 1];

	for (size_t i = 0; i < manifests_count(manifests); i++) {
		const struct manifest_header *header = &manifests_get(manifests, i)->header;
		const char *name = appraisal->input->manifests[i].name;
		uint64_t created;

		if (!utc_parse(header->created, &created))
			return check_tell(false, detail, "%s does not say when it was created",
					  name);
		if (!is_wanted(appraisal->policy, header, name, created, detail))
			return CHECK_FAILED;
		newest = created > newest ? created : newest;
	}
	if (before &&
	    (!are_no_older(before, manifests, detail) || !can_be_kept(before, manifests, detail)))
		return CHECK_FAILED;
	return check_tell(true, detail, "the newest was created at %s", utc_text(newest, text));
}
