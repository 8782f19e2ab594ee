// SPDX-License-Identifier: MIT
/* A policy of IPE's in words, and what a kernel makes of it (security/ipe). */
#include <string.h>

#include "enforce/honour_internal.h"
#include "enforce/words.h"

/* What is said of an operation. */
static const char *const operation_texts[IPE_OPERATIONS] = {
	[IPE_EXECUTE] = "programs, libraries and other code that is mapped",
	[IPE_FIRMWARE] = "firmware of devices",
	[IPE_KMODULE] = "kernel modules",
	[IPE_KEXEC_IMAGE] = "kernels for kexec",
	[IPE_KEXEC_INITRAMFS] = "initramfs images for kexec",
	[IPE_POLICY] = "policies that IMA reads from files",
	[IPE_X509_CERT] = "certificates that IMA and EVM read from files",
};

/* A property is never true in a kernel without the option: the policy loads, and refuses more. */
static const char *const property_options[IPE_PROPERTIES] = {
	[IPE_DMVERITY_ROOTHASH] = "IPE_PROP_DM_VERITY",
	[IPE_DMVERITY_SIGNATURE] = "IPE_PROP_DM_VERITY_SIGNATURE",
	[IPE_FSVERITY_DIGEST] = "IPE_PROP_FS_VERITY",
	[IPE_FSVERITY_SIGNATURE] = "IPE_PROP_FS_VERITY_BUILTIN_SIG",
};

static const char *const property_texts[IPE_PROPERTIES] = {
	[IPE_BOOT_VERIFIED] = "what is in the initramfs",
	[IPE_DMVERITY_ROOTHASH] = "what is on a dm-verity volume with a root hash that it names",
	[IPE_DMVERITY_SIGNATURE] = "what is on a dm-verity volume whose root hash is signed",
	[IPE_FSVERITY_DIGEST] = "what has an fs-verity digest that it names",
	[IPE_FSVERITY_SIGNATURE] = "what has a built-in signature of fs-verity",
};

static enum ipe_action default_of(const struct ipe_policy *policy, enum ipe_operation operation)
{
	return policy->default_actions[operation] != IPE_UNSET ?
		       policy->default_actions[operation] :
		       policy->default_action;
}

static unsigned int allowed_properties(const struct ipe_policy *policy,
				       enum ipe_operation operation)
{
	unsigned int allowed = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].operation == operation && policy->rules[i].action == IPE_ALLOW)
			allowed |= policy->rules[i].truth;
	return allowed;
}

static void tell_operation(const struct honour *honour, const struct ipe_policy *policy,
			   enum ipe_operation operation)
{
	unsigned int allowed = allowed_properties(policy, operation);
	char list[512] = "";

	if (default_of(policy, operation) == IPE_ALLOW) {
		honour_tell(honour, HONOUR_WARNING,
			    "%s is allowed by default: nothing is enforced of %s.",
			    ipe_operation_name(operation), operation_texts[operation]);
		return;
	}
	for (size_t i = 0; i < IPE_PROPERTIES; i++) {
		if (!(allowed & 1U << i))
			continue;
		if (list[0] != '\0')
			strncat(list, "; ", sizeof(list) - strlen(list) - 1);
		strncat(list, property_texts[i], sizeof(list) - strlen(list) - 1);
	}
	honour_tell(honour, HONOUR_SAYS, "%s (%s): refused%s%s.", ipe_operation_name(operation),
		    operation_texts[operation], list[0] ? ", but " : "", list);
}

/* Rules that allow more than they look. */
static void tell_weak_rules(const struct honour *honour, const struct ipe_policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct ipe_rule *rule = &policy->rules[i];

		if (rule->action != IPE_ALLOW)
			continue;
		if (rule->properties == 0)
			honour_tell(honour, HONOUR_WARNING,
				    "A rule allows %s whatever the file is: what stands behind it "
				    "is never looked at.",
				    ipe_operation_name(rule->operation));
		else if (rule->truth == 0)
			honour_tell(honour, HONOUR_WARNING,
				    "A rule allows %s of files for what they do not have "
				    "(...=FALSE): of anybody's.",
				    ipe_operation_name(rule->operation));
	}
}

static void tell_limits(const struct honour *honour, const struct ipe_policy *policy)
{
	if (default_of(policy, IPE_EXECUTE) != IPE_DENY)
		return;
	honour_tell(honour, HONOUR_NOTE,
		    "What an interpreter reads is not executed in the kernel's eyes: a script that "
		    "is given to a signed interpreter (sh FILE) runs, one that is started itself "
		    "has to be signed. Sign no interpreter that is not needed.");
	honour_tell(honour, HONOUR_NOTE,
		    "Memory that belongs to no file cannot become executable: just-in-time "
		    "compilers (JavaScript, Java, PCRE) and closures of libffi fail.");
}

static unsigned int used_properties(const struct ipe_policy *policy)
{
	unsigned int used = 0;

	for (size_t i = 0; i < policy->rule_count; i++)
		used |= policy->rules[i].properties;
	return used;
}

static void tell_properties(const struct honour *honour, unsigned int used)
{
	for (size_t i = 0; i < IPE_PROPERTIES; i++)
		if (used & 1U << i && property_options[i] &&
		    honour_option(honour, property_options[i]) == KERNEL_NO)
			honour_tell(
				honour, HONOUR_WARNING,
				"This kernel takes %s, and it is never true: it lacks CONFIG_%s. "
				"What the rules with it allow is refused.",
				ipe_property_name((enum ipe_property)i), property_options[i]);
	if (used & (1U << IPE_FSVERITY_SIGNATURE))
		honour_verity_keyring(honour);
}

static void tell_signers(const struct honour *honour)
{
	bool secondary = honour_option(honour, "IPE_POLICY_SIG_SECONDARY_KEYRING") == KERNEL_YES;
	bool platform = honour_option(honour, "IPE_POLICY_SIG_PLATFORM_KEYRING") == KERNEL_YES;
	bool machine = honour_option(honour, "INTEGRITY_MACHINE_KEYRING") == KERNEL_YES;

	if (honour->facts->config.count == 0)
		return;
	honour_tell(honour, HONOUR_SAYS,
		    "The policy may be signed by a key whose certificate is built into the "
		    "kernel%s%s%s.",
		    secondary && machine ?
			    ", or enrolled as a machine owner key (MOK, in .machine and so in "
			    ".secondary_trusted_keys)" :
			    "",
		    secondary && !machine ? ", or in .secondary_trusted_keys" : "",
		    platform ? ", or in the firmware's db (.platform)" : "");
	if (!secondary && !platform)
		honour_tell(
			honour, HONOUR_WARNING,
			"Only whoever built this kernel can sign a policy for it "
			"(CONFIG_IPE_POLICY_SIG_SECONDARY_KEYRING and _PLATFORM_KEYRING are not "
			"set).");
}

static void tell_state(const struct honour *honour)
{
	const struct kernel_facts *facts = honour->facts;

	if (facts->ipe_there == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "IPE does not run here: there is no /sys/kernel/security/ipe.");
	if (facts->ipe_policy == KERNEL_NO)
		honour_tell(honour, HONOUR_NOTE,
			    "No policy of IPE's is active here: everything runs until one is "
			    "(assay policy load).");
	if (facts->ipe_enforcing == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "IPE only tells here what it would refuse: "
			    "/sys/kernel/security/ipe/enforce is 0.");
	if (kernel_config_value(&facts->config, "IPE_BOOT_POLICY").size > 0)
		honour_tell(honour, HONOUR_NOTE,
			    "A policy is built into this kernel (CONFIG_IPE_BOOT_POLICY), which "
			    "holds until another is active.");
}

void honour_ipe(const struct ipe_policy *policy, const struct kernel_facts *facts,
		honour_function each, void *context)
{
	const struct honour honour = { facts, each, context };
	char version[IPE_VERSION_TEXT];

	honour_tell(&honour, HONOUR_SAYS, "A policy of IPE's, %s, version %s, %zu rules.",
		    policy->name, ipe_version_text(&policy->version, version), policy->rule_count);
	for (size_t i = 0; i < IPE_OPERATIONS; i++)
		tell_operation(&honour, policy, (enum ipe_operation)i);
	tell_weak_rules(&honour, policy);
	tell_limits(&honour, policy);
	if (!facts)
		return;
	honour_kernel(&honour);
	if (honour_option(&honour, "SECURITY_IPE") == KERNEL_NO) {
		honour_tell(
			&honour, HONOUR_WARNING,
			"This kernel has no IPE (CONFIG_SECURITY_IPE, in Linux from 6.12 on): it "
			"honours nothing of this.");
		return;
	}
	honour_lsm(&honour, "ipe");
	tell_properties(&honour, used_properties(policy));
	tell_signers(&honour);
	tell_state(&honour);
}
