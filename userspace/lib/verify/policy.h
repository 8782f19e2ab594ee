/* SPDX-License-Identifier: MIT */
/*
 * A verifier's policy as one JSON object: what evidence of a device must fulfil, and
 * where the reference values are. assay-policy(5) describes it for people,
 * policy/verify-policy.schema.json for programs.
 *
 * Pure: files that a policy names are not opened here. Strict: what is not known is
 * refused, with the path of the member, since a rule that is misspelt would otherwise
 * be a rule that is not there.
 */
#ifndef ASSAY_VERIFY_POLICY_H
#define ASSAY_VERIFY_POLICY_H

#include <jansson.h>

#include "verify/policy_said.h"
#include "verify/verify.h"

#define POLICY_MAX_SIZE (64U << 20) /* bytes of the whole JSON text */

/* struct policy_certificate - a certificate, or what else comes as PEM: one of the two is set */
struct policy_certificate {
	const char *path; /* relative to the policy's directory */
	const char *pem;
};

/* struct policy_files - certificates, or revocation lists: each in a file or here, as PEM */
struct policy_files {
	struct policy_certificate *list;
	size_t count;
};

/**
 * struct policy_ak - whose certificates of attestation keys are believed
 * @roots: trusted as they are; none: the policy does not say it
 * @intermediates: what may stand between; none of them is trusted for being here
 * @crls: revocation lists
 */
struct policy_ak {
	struct policy_files roots, intermediates, crls;
};

/* struct policy_waiver - a check that is not required, and why */
struct policy_waiver {
	enum check check;
	const char *reason;
};

/**
 * struct policy - a policy that was read; policy_free() it
 * @said: what the policy says, and what was said besides: see policy_derive()
 * @rules: for verify(); borrows from this struct
 * @description: for people; NULL if there is none
 * @manifests, @manifest_count: paths, relative to the policy's directory
 * @certificates, @certificate_count: of signers of manifests, and of files in IMA's list
 * @ima_certificates, @ima_certificate_count: of signers of files in IMA's list only
 * @ak: whose certificates of attestation keys are believed
 * @waivers, @waiver_count: as they stand in the policy
 * @memory: what all of it is in
 * @json: what the texts are in
 */
struct policy {
	struct policy_said said;
	struct verify_policy rules;
	const char *description;
	const char **manifests;
	size_t manifest_count;
	struct policy_certificate *certificates;
	size_t certificate_count;
	struct policy_certificate *ima_certificates;
	size_t ima_certificate_count;
	struct policy_ak ak;
	struct policy_waiver *waivers;
	size_t waiver_count;
	struct policy_memory *memory;
	json_t *json;
};

/* policy_default() - a policy that says nothing: the rules are verify_policy_default()'s */
void policy_default(struct policy *ret);

/*
 * policy_parse() - read the JSON text of a policy
 * What it does not say is as verify_policy_default() has it.
 *
 * Return: 0; -EBADMSG with the path of the member that is off, or with the two that
 *         contradict each other; -EFBIG, -ENOMEM
 */
int policy_parse(struct bytes text, struct policy *ret, struct assay_error *err);

/*
 * policy_derive() - make the rules' masks and flags of policy->said, once more
 * For who adds to policy->said what the options of a command say. The rules that no
 * statement is about, such as the PCRs' values, stay as they are.
 *
 * Return: 0; -EBADMSG with the two statements that contradict each other, and then the
 *         rules are not to be used
 */
int policy_derive(struct policy *policy, struct assay_error *err);

/*
 * policy_idle_waivers() - CHECK_BIT()s of the checks that "waive" names, and without which
 * another check that is required cannot pass
 */
check_mask policy_idle_waivers(const struct policy *policy);

void policy_free(struct policy *policy);

#endif /* ASSAY_VERIFY_POLICY_H */
