// SPDX-License-Identifier: MIT
/* A policy of IMA's in words, and what a kernel makes of it (security/integrity/ima). */
#include "enforce/honour_internal.h"
#include "enforce/ima_policy.h"
#include "enforce/words.h"

/**
 * struct ima_honour - while the rules go by
 * @verity: something is appraised by fs-verity's digest
 * @measures: something is measured
 * @programs: programs are appraised, wherever they are
 */
struct ima_honour {
	struct honour honour;
	bool verity, measures, appraises, programs;
};

static void tell_appraise(struct ima_honour *ima, const struct ima_rule *rule)
{
	char function[WORDS_SHOWN_MAX];

	words_show(rule->function, function);
	ima->appraises = true;
	ima->verity |= rule->verity;
	ima->programs |= !rule->limited && words_are(rule->function, "BPRM_CHECK");
	if (rule->sigv3)
		honour_tell(&ima->honour, HONOUR_SAYS,
			    "Line %zu: %s is refused of files%s whose security.ima is no signature "
			    "(sigv3) of their fs-verity digest.",
			    rule->line, rule->function.size ? function : "everything",
			    rule->limited ? " that it is limited to" : "");
	else if (rule->signature)
		honour_tell(&ima->honour, HONOUR_SAYS,
			    "Line %zu: %s is refused of files%s whose security.ima is no signature "
			    "of their content. assay signs fs-verity digests alone.",
			    rule->line, rule->function.size ? function : "everything",
			    rule->limited ? " that it is limited to" : "");
	else
		honour_tell(&ima->honour, HONOUR_WARNING,
			    "Line %zu: a mere hash in security.ima is enough, which whoever can "
			    "write there can make.",
			    rule->line);
}

static void tell_rule(void *context, const struct ima_rule *rule)
{
	struct ima_honour *ima = context;
	char template[WORDS_SHOWN_MAX];

	switch (rule->action) {
	case IMA_APPRAISE:
		tell_appraise(ima, rule);
		break;
	case IMA_MEASURE:
		ima->measures = true;
		if (words_are(rule->template, "ima-sigv3") ||
		    words_are(rule->template, "ima-sig-v3"))
			honour_tell(
				&ima->honour, HONOUR_WARNING,
				"Line %zu: no kernel has the template %s, and refuses the whole "
				"policy: ima-sigv2.",
				rule->line, words_show(rule->template, template));
		break;
	case IMA_DONT_APPRAISE:
		if (!rule->limited)
			honour_tell(&ima->honour, HONOUR_WARNING,
				    "Line %zu: nothing that is behind it is appraised.",
				    rule->line);
		break;
	default:
		break;
	}
}

static void tell_keyring(const struct honour *honour)
{
	const struct kernel_facts *facts = honour->facts;
	enum kernel_answer trusted = honour_option(honour, "INTEGRITY_TRUSTED_KEYRING");

	if (facts->ima_keyring != KERNEL_UNKNOWN)
		trusted = facts->ima_keyring;
	if (trusted == KERNEL_YES)
		honour_tell(
			honour, HONOUR_SAYS,
			"Signers are in the keyring .ima, which takes only certificates that a key "
			"built into the kernel%s has signed.",
			honour_option(honour,
				      "IMA_KEYRINGS_PERMIT_SIGNED_BY_BUILTIN_OR_SECONDARY") ==
					KERNEL_YES ?
				" or in its secondary keyring" :
				"");
	if (trusted == KERNEL_NO)
		honour_tell(
			honour, HONOUR_WARNING,
			"This kernel has no .ima (CONFIG_INTEGRITY_TRUSTED_KEYRING): signers are "
			"in "
			"_ima, which root makes and fills. Load and lock it before the root file "
			"system is used (assay keyring load, lock --keyring _ima), or root may "
			"sign "
			"for itself.");
}

static void tell_loading(const struct honour *honour)
{
	if (honour_option(honour, "IMA_WRITE_POLICY") == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "This kernel takes one policy of IMA's in a boot, whoever writes it "
			    "first, and never another (CONFIG_IMA_WRITE_POLICY): a mistake stays "
			    "until the next boot, and so does a policy of somebody else's.");
	if (honour_option(honour, "IMA_APPRAISE_REQUIRE_POLICY_SIGS") == KERNEL_YES)
		honour_tell(
			honour, HONOUR_NOTE,
			"This kernel takes only a policy file that is itself signed for IMA, by "
			"its path.");
	if (honour->facts->ima_policy_there == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "IMA takes no policy here any more: one was loaded in this boot "
			    "already.");
}

static void tell_kernel(const struct ima_honour *ima)
{
	const struct honour *honour = &ima->honour;

	honour_kernel(honour);
	if (honour_option(honour, "IMA") == KERNEL_NO ||
	    (ima->appraises && honour_option(honour, "IMA_APPRAISE") == KERNEL_NO)) {
		honour_tell(honour, HONOUR_WARNING,
			    "This kernel cannot appraise (CONFIG_IMA_APPRAISE): it honours nothing "
			    "of this.");
		return;
	}
	if (ima->verity && honour_option(honour, "FS_VERITY") == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "This kernel has no fs-verity (CONFIG_FS_VERITY): every file that is "
			    "appraised by its digest is refused.");
	if (ima->appraises)
		tell_keyring(honour);
	tell_loading(honour);
	if (ima->appraises && honour_option(honour, "IMA_APPRAISE_BOOTPARAM") == KERNEL_YES)
		honour_tell(honour, HONOUR_NOTE,
			    "ima_appraise=log on the kernel's command line has IMA tell what it "
			    "would refuse; not where Secure Boot is on. Whoever can write the "
			    "command line can turn appraisal off: measure it.");
}

int honour_ima(struct bytes text, const char *what, const struct kernel_facts *facts,
	       honour_function each, void *context, struct assay_error *err)
{
	struct ima_honour ima = { .honour = { facts, each, context } };
	int r;

	/* Nothing is told of what is no policy. */
	r = ima_policy_read(text, what, NULL, NULL, err);
	if (r < 0)
		return r;
	honour_tell(&ima.honour, HONOUR_SAYS, "A policy of IMA's.");
	r = ima_policy_read(text, what, tell_rule, &ima, err);
	if (ima.appraises && !ima.programs)
		honour_tell(&ima.honour, HONOUR_WARNING,
			    "It does not appraise every program (BPRM_CHECK): what is elsewhere "
			    "runs, signed or not.");
	if (!ima.measures)
		honour_tell(&ima.honour, HONOUR_NOTE,
			    "Nothing is measured: a policy of one's own takes the place of the one "
			    "that measures (ima_policy=).");
	if (ima.verity)
		honour_tell(
			&ima.honour, HONOUR_NOTE,
			"Kernel modules are not appraised by fs-verity's digest in any kernel: "
			"have IPE, or lockdown and signed modules, see to these. What an "
			"interpreter reads is not a program: scripts that are given to one run.");
	if (facts)
		tell_kernel(&ima);
	return r;
}
