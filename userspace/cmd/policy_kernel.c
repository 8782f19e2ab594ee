// SPDX-License-Identifier: MIT
#include "policy_kernel.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enforce/ima_policy.h"
#include "enforce/ipe_load.h"

/* What DER of a SEQUENCE begins with, as a signed policy does. */
#define DER_SEQUENCE 0x30

int policy_kernel(const char *config, struct kernel_facts *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct kernel_config read = { 0 };
	int r;

	if (!config) {
		kernel_facts_running(ret);
		return 0;
	}
	r = file_read(config, KERNEL_CONFIG_MAX, &text, err);
	if (r == 0)
		r = kernel_config_read(buffer_bytes(&text), config, &read, err);
	if (r == 0)
		kernel_facts_of_config(&read, ret);
	return r;
}

int policy_honoured(struct bytes text, const char *path, const struct kernel_facts *facts,
		    honour_function each, void *context, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer inside = { 0 };
	CLEANUP(ipe_policy_free) struct ipe_policy policy = { 0 };
	int r;

	if (text.size > 0 && text.data[0] == DER_SEQUENCE)
		r = ipe_open_signed(text, path, &inside, &policy, err);
	else if (ipe_looks_like(text))
		r = ipe_policy_read(text, path, &policy, err);
	else if (ima_looks_like(text))
		return honour_ima(text, path, facts, each, context, err);
	else
		return -ENOENT;
	if (r == 0)
		honour_ipe(&policy, facts, each, context);
	return r == -ENOENT ? -EBADMSG : r;
}
