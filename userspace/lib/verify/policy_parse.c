// SPDX-License-Identifier: MIT
#include "verify/policy.h"

#include <errno.h>

#include "base/json.h"
#include "verify/policy_values.h"

void policy_default(struct policy *ret)
{
	*ret = (struct policy){ 0 };
	verify_policy_default(&ret->rules);
}

int policy_parse(struct bytes text, struct policy *ret, struct assay_error *err)
{
	struct policy policy;
	struct policy_parser parser = { .policy = &policy, .err = err };
	int r;

	if (text.size > POLICY_MAX_SIZE)
		return assay_fail(err, EFBIG, "the policy has more than %u bytes", POLICY_MAX_SIZE);
	policy_default(&policy);
	r = json_parse(text, "the policy", &policy.json, err);
	if (r < 0)
		return r;
	r = policy_read_members(&parser, policy.json);
	if (r == 0)
		r = policy_derive(&policy, err);
	if (r < 0) {
		assay_fail_context(err, "the policy");
		policy_free(&policy);
		return r;
	}
	*ret = policy;
	return 0;
}
