// SPDX-License-Identifier: MIT
/* The member "ak" of a policy: who may certify attestation keys. */
#include "verify/policy_values.h"

static int read_files(struct policy_parser *parser, const char *path, const json_t *value,
		      struct policy_files *ret)
{
	return policy_read_files(parser, path, value, &ret->list, &ret->count);
}

static int read_roots(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_files(parser, path, value, &parser->policy->ak.roots);
}

static int read_intermediates(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_files(parser, path, value, &parser->policy->ak.intermediates);
}

static int read_crls(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_files(parser, path, value, &parser->policy->ak.crls);
}

static int read_vouched(struct policy_parser *parser, const char *path, const json_t *value)
{
	if (!json_is_boolean(value))
		return policy_refuse(parser, path, "is neither true nor false");
	parser->policy->rules.ak_vouched = json_is_true(value);
	return 0;
}

int policy_read_ak(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "roots", .read = read_roots },
		{ "intermediates", .read = read_intermediates },
		{ "crls", .read = read_crls },
		{ "vouched", .read = read_vouched },
	};
	int r = policy_read_object(parser, path, value, members,
				   sizeof(members) / sizeof(members[0]));

	if (r == 0 && parser->policy->ak.roots.count == 0)
		r = policy_refuse(parser, path,
				  "has no \"roots\": name the authorities whose certificates of "
				  "attestation keys are believed");
	parser->policy->rules.ak_certified = r == 0;
	return r;
}
