// SPDX-License-Identifier: MIT
/*
 * `assay policy`: explain, make and fill policies for `assay verify`. Also in the program
 * assay-verify, so nothing here may need the TPM stack.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "policy.h"
#include "policy_kernel.h"
#include "references.h"
#include "sign/lint.h"
#include "verify/policy_import.h"
#include "verify/policy_learn.h"
#include "verify/policy_lint.h"

#define TPM_PCRS 24

json_t *policy_new(void)
{
	return json_pack("{s:i, s:s}", "assay", 1, "type", "policy");
}

int policy_print(const struct command *command, json_t *policy)
{
	char *text = policy ? json_dumps(policy, JSON_COMPACT) : NULL;
	struct policy parsed = { 0 };
	struct assay_error err = { 0 };
	int r;

	r = text ? policy_parse(BYTES((const uint8_t *)text, strlen(text)), &parsed, &err) :
		   assay_fail(&err, ENOMEM, "out of memory");
	free(text);
	policy_free(&parsed);
	if (r < 0) {
		json_decref(policy);
		return command_failed(command, &err);
	}
	return command_emit_json(command, policy);
}

/* ---------------------------------------------------------------- lint */

struct policy_lint_options {
	const char *kernel_config;
	bool running, json;
};

/**
 * struct lint_run - what lint has found
 * @findings: an array; NULL to print them
 * @warnings: how many are warnings
 * @what, @subject: of a certificate: what it is for, and whose it is
 * @keyrings: bits of sign/lint.h: what the kernel would refuse matters here
 */
struct lint_run {
	json_t *findings;
	size_t warnings;
	bool failed;
	const char *what, *subject;
	unsigned int keyrings;
};

static const char *const levels[] = {
	[POLICY_SAYS] = "says",
	[POLICY_NOTE] = "note",
	[POLICY_WARNING] = "warning",
};

static void show_finding(void *context, enum policy_lint_level level, const char *text)
{
	struct lint_run *run = context;

	run->warnings += level == POLICY_WARNING;
	if (!run->findings) {
		printf("%s%s%s\n", level == POLICY_SAYS ? "" : levels[level],
		       level == POLICY_SAYS ? "" : ": ", text);
		return;
	}
	if (json_array_append_new(run->findings, json_pack("{s:s, s:s}", "level", levels[level],
							   "text", text)) < 0)
		run->failed = true;
}

static void show_certificate_finding(void *context, const struct lint_finding *finding)
{
	struct lint_run *run = context;
	char text[1024];

	/* That IMA's own keyring takes only what the kernel's keys signed is no matter here. */
	if (!finding->stricter && !(finding->keyrings & run->keyrings))
		return;
	snprintf(text, sizeof(text), "The certificate of %s, %s: %s.", run->what, run->subject,
		 finding->text);
	show_finding(run, POLICY_WARNING, text);
}

/* Signatures by such a key are not accepted, or not made: the policy may wait for ever. */
static void lint_certificates(struct lint_run *run, const char *what, unsigned int keyrings,
			      X509 *const *certificates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(free_pointer) char *subject = certificate_subject(certificates[i]);

		if (!subject) {
			run->failed = true;
			return;
		}
		run->what = what;
		run->subject = subject;
		run->keyrings = keyrings;
		(void)certificate_lint(certificates[i], NULL, 0, show_certificate_finding, run);
	}
}

static int lint_verifier_policy(struct bytes text, const char *path, struct lint_run *run,
				struct assay_error *err)
{
	CLEANUP(references_free) struct references references = { 0 };
	CLEANUP(policy_free) struct policy policy = { 0 };
	int r = references_policy_text(&references, text, path, &policy, err);

	if (r < 0)
		return r;
	policy_lint(&policy, show_finding, run);
	lint_certificates(run, "a signer of manifests", LINT_FS_VERITY, references.certificates,
			  references.certificate_count);
	lint_certificates(run, "a signer of files in IMA's list", LINT_USER_IMA,
			  references.ima_certificates, references.ima_certificate_count);
	return run->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* The levels are the same. */
static void show_honour(void *context, enum honour_level level, const char *text)
{
	show_finding(context,
		     level == HONOUR_WARNING ? POLICY_WARNING :
		     level == HONOUR_NOTE    ? POLICY_NOTE :
					       POLICY_SAYS,
		     text);
}

static int lint_any(const char *path, const struct policy_lint_options *options,
		    struct lint_run *run, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(kernel_facts_free) struct kernel_facts facts = { 0 };
	bool kernel = options->kernel_config || options->running;
	int r = file_read(path, POLICY_MAX_SIZE, &text, err);

	if (r == 0 && kernel)
		r = policy_kernel(options->kernel_config, &facts, err);
	if (r < 0)
		return r;
	r = policy_honoured(buffer_bytes(&text), path, kernel ? &facts : NULL, show_honour, run,
			    err);
	if (r != -ENOENT)
		return r;
	if (kernel)
		return assay_fail(err, EINVAL,
				  "%s is a policy for verify, which no kernel honours: "
				  "--kernel-config and --running are for those of IPE and IMA",
				  path);
	return lint_verifier_policy(buffer_bytes(&text), path, run, err);
}

static int lint_policy(const char *path, const struct policy_lint_options *options)
{
	CLEANUP(json_decref_pointer) json_t *findings = options->json ? json_array() : NULL;
	struct lint_run run = { .findings = findings };
	struct assay_error err = { 0 };
	int status, r = lint_any(path, options, &run, &err);

	if (r == 0 && (run.failed || (options->json && !findings)))
		r = assay_fail(&err, ENOMEM, "out of memory");
	if (r < 0)
		return command_failed(&command_policy_lint, &err);
	if (options->json)
		status = command_emit_json(
			&command_policy_lint,
			json_pack("{s:o, s:b, s:O}", "policy", command_text_json(path), "ok",
				  (int)(run.warnings == 0), "findings", findings));
	else
		status = command_flush(&command_policy_lint);
	return status == EXIT_OK && run.warnings > 0 ? EXIT_FAILED : status;
}

static int run_lint(int argc, char **argv)
{
	struct policy_lint_options options = { 0 };
	struct operands operands;
	int status = command_parse(&command_policy_lint, argc, argv, &options, &operands);

	return status == COMMAND_GO ? lint_policy(operands.list[0], &options) : status;
}

static const struct option_row lint_rows[] = {
	OPTION_ROWS_KERNEL(struct policy_lint_options, kernel_config, running),
	OPTION_ROW_JSON(struct policy_lint_options, json),
	OPTION_END,
};

const struct command command_policy_lint = {
	.name = "policy lint",
	.summary = "say in words what a policy asks for, and what is weak in it",
	.intro = "Reads a policy and all that it names, says in words what it asks for, and warns\n"
		 "of what is weaker than it looks. POLICY is one for verify, or one of IPE's, "
		 "signed\n"
		 "or not, or of IMA's, of which it tells what a kernel honours, too. '-' is\n"
		 "standard input.\n",
	.options = lint_rows,
	.operands = "POLICY",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 without warnings, 1 with some (or it cannot be read), 2 wrong\n"
		    "usage.\n",
	.run = run_lint,
};

/* ---------------------------------------------------------------- what is told besides */

/* On standard error, since a policy is printed. */
static void show_warning(const struct command *command, const char *text)
{
	fprintf(stderr, "%s %s: %s\n", program_invocation_short_name, command->name, text);
}

/* ---------------------------------------------------------------- learn */

struct policy_learn_options {
	struct option_texts manifests, certificates;
	struct trust_paths ak_trust;
	struct policy_learning learning;
};

static void show_learn_warning(void *context, const char *text)
{
	(void)context;
	show_warning(&command_policy_learn, text);
}

static int add_pcr(void *place, const char *value, struct assay_error *err)
{
	uint32_t *pcrs = place;
	char *end;
	unsigned long index = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || index >= TPM_PCRS)
		return assay_fail(err, EINVAL, "must be a number from 0 to %u, not '%s'",
				  TPM_PCRS - 1, value);
	if (*pcrs & UINT32_C(1) << index)
		return assay_fail(err, EINVAL, "names PCR %lu twice", index);
	*pcrs |= UINT32_C(1) << index;
	return 0;
}

/* Adds the names to an array of the policy's, if there are any. */
static int add_names(json_t *policy, const char *member, const struct option_texts *names,
		     struct assay_error *err)
{
	json_t *array = names->count > 0 ? json_array() : NULL;

	if (names->count == 0)
		return 0;
	if (json_object_set_new(policy, member, array) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < names->count; i++)
		if (json_array_append_new(array, command_text_json(names->list[i])) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

/* The policy's "ak"; the evidence has to have a certificate that they lead to. */
static int add_ak(json_t *policy, const struct policy_learn_options *options,
		  struct chain_trust *trust, struct assay_error *err)
{
	const struct trust_paths *paths = &options->ak_trust;
	json_t *ak = paths->roots.count > 0 ? json_object() : NULL;
	int r;

	if (paths->roots.count == 0)
		return 0;
	if (json_object_set_new(policy, "ak", ak) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	r = add_names(ak, "roots", &paths->roots, err);
	if (r == 0)
		r = add_names(ak, "intermediates", &paths->intermediates, err);
	if (r == 0)
		r = add_names(ak, "crls", &paths->crls, err);
	if (r == 0 && options->learning.ak_vouched &&
	    json_object_set_new(ak, "vouched", json_true()) < 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r < 0 ? r : trust_files_read(paths, (uint64_t)time(NULL), trust, err);
}

static int learn_policy(const char *path, const struct policy_learn_options *options,
			json_t *policy, struct assay_error *err)
{
	CLEANUP(references_free) struct references references = { 0 };
	CLEANUP(buffer_free) struct buffer evidence = { 0 };
	struct verify_input input = { 0 };
	int r = add_names(policy, "manifests", &options->manifests, err);

	if (r == 0)
		r = add_names(policy, "certificates", &options->certificates, err);
	if (r == 0)
		r = add_ak(policy, options, &references.ak_trust, err);
	for (size_t i = 0; r == 0 && i < options->manifests.count; i++)
		r = references_manifest(&references, options->manifests.list[i], err);
	for (size_t i = 0; r == 0 && i < options->certificates.count; i++)
		r = references_certificate(&references, options->certificates.list[i], err);
	if (r == 0)
		r = file_read(path, EVIDENCE_MAX_SIZE, &evidence, err);
	if (r < 0)
		return r;
	input.evidence = buffer_bytes(&evidence);
	input.manifests = references.manifests;
	input.manifest_count = references.manifest_count;
	input.certificates = references.certificates;
	input.certificate_count = references.certificate_count;
	input.ak_trust = references.ak_trust.roots ? &references.ak_trust : NULL;
	input.now = references.ak_trust.now;
	r = policy_learn(&input, &options->learning, policy, show_learn_warning, NULL, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_learn(int argc, char **argv)
{
	struct policy_learn_options options = { 0 };
	struct assay_error err = { 0 };
	struct operands operands;
	json_t *policy;
	int status = command_parse(&command_policy_learn, argc, argv, &options, &operands);

	if (status == COMMAND_GO) {
		policy = policy_new();
		if (!policy)
			assay_fail(&err, ENOMEM, "out of memory");
		if (policy && learn_policy(operands.list[0], &options, policy, &err) == 0) {
			status = policy_print(&command_policy_learn, policy);
		} else {
			json_decref(policy);
			status = command_failed(&command_policy_learn, &err);
		}
	}
	option_texts_free(&options.manifests);
	option_texts_free(&options.certificates);
	trust_paths_free(&options.ak_trust);
	return status;
}

static const struct option_row learn_rows[] = {
	{ "manifest", 'm', "FILE",
	  "a manifest whose files need not be learned; repeatable. The policy names it",
	  OPTION_INPUTS(struct policy_learn_options, manifests) },
	{ "cert", 'c', "FILE", "the certificate of its signer; repeatable",
	  OPTION_INPUTS(struct policy_learn_options, certificates) },
	{ "ima", 0, NULL, "learn the digests in IMA's list, too",
	  OPTION_FLAG(struct policy_learn_options, learning.ima) },
	{ "pcr", 0, "N",
	  "have the policy expect the value of this PCR, not of those of 0 to 9 and 12 to 14 that "
	  "are "
	  "quoted; "
	  "repeatable",
	  OPTION_FUNCTION(struct policy_learn_options, learning.pcrs, add_pcr),
	  .repeatable = true },
	{ "firmware", 0, NULL,
	  "make rules of what the firmware's log says (Secure Boot, its keys, programs, command "
	  "line), in the place of values of PCRs",
	  OPTION_FLAG(struct policy_learn_options, learning.firmware) },
	{ "waive-boot", 0, NULL,
	  "make a policy that does not judge the boot: it expects no value of PCRs 0 to 9 and "
	  "12 to 14, and waives boot-known",
	  OPTION_FLAG(struct policy_learn_options, learning.waive_boot) },
	{ "ak-roots", 0, "FILE",
	  "have the policy ask for a certificate of the attestation key that leads to these roots, "
	  "PEM or DER; repeatable. The policy names it, as it does the two below",
	  OPTION_INPUTS(struct policy_learn_options, ak_trust.roots) },
	{ "ak-intermediates", 0, "FILE",
	  "certificates that may stand between, not trusted for being there; repeatable",
	  OPTION_INPUTS(struct policy_learn_options, ak_trust.intermediates), .needs = "ak-roots" },
	{ "ak-crl", 0, "FILE", "revocation lists of such authorities, PEM or DER; repeatable",
	  OPTION_INPUTS(struct policy_learn_options, ak_trust.crls), .needs = "ak-roots" },
	{ "ak-vouched", 0, NULL,
	  "vouch for what the evidence's key, or the certificates of those roots, do not say: that "
	  "the key is restricted and bound to its TPM",
	  OPTION_FLAG(struct policy_learn_options, learning.ak_vouched) },
	OPTION_END,
};

const struct command command_policy_learn = {
	.name = "policy learn",
	.summary = "make a policy from evidence that is known to be good",
	.intro = "Prints a policy made from evidence of a device that is known to be good: the "
		 "values\n"
		 "of the PCRs of its boot, what its log began from, and what it measured that is "
		 "in\n"
		 "no manifest. The evidence must hold by itself; whether it is of the right\n"
		 "device and fresh, 'assay verify' says, not this. EVIDENCE '-' is standard "
		 "input.\n",
	.options = learn_rows,
	.operands = "EVIDENCE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue =
		"Exit status: 0 done, 1 nothing can be learned from the evidence, 2 wrong usage.\n",
	.run = run_learn,
};

/* ---------------------------------------------------------------- import */

struct policy_import_options {
	const char *base;
	bool no_assay_log;
};

static void show_import_warning(void *context, const char *text)
{
	(void)context;
	show_warning(&command_policy_import, text);
}

int policy_base(const char *path, json_t **ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	if (!path) {
		*ret = policy_new();
		return *ret ? 0 : assay_fail(err, ENOMEM, "out of memory");
	}
	r = file_read(path, POLICY_MAX_SIZE, &text, err);
	return r < 0 ? r : json_parse(buffer_bytes(&text), path, ret, err);
}

/* What the policy says already is not undone: it may be for devices with the module, too. */
static int say_no_assay_log(json_t *policy, struct assay_error *err)
{
	json_t *logs = json_object_get(policy, "logs");
	const char *said = json_string_value(json_object_get(logs, "assay_log"));

	if (said && strcmp(said, "absent") != 0)
		return assay_fail(err, EINVAL,
				  "the policy says something else of assay's log (logs.assay_log): "
				  "remove it, or --no-assay-log");
	if (!logs) {
		logs = json_object();
		if (json_object_set_new(policy, "logs", logs) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
	}
	if (json_object_set_new(logs, "assay_log", json_string("absent")) < 0)
		return assay_fail(err, EBADMSG, "the policy's \"logs\" is not as it must be");
	return 0;
}

static int import_policy(const char *path, const struct policy_import_options *options,
			 json_t **ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = policy_base(options->base, ret, err);

	if (r == 0 && options->no_assay_log)
		r = say_no_assay_log(*ret, err);
	if (r == 0)
		r = file_read(path, IMPORT_MAX_SIZE, &text, err);
	if (r < 0)
		return r;
	r = policy_import(buffer_bytes(&text), *ret, show_import_warning, NULL, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int run_import(int argc, char **argv)
{
	struct policy_import_options options = { 0 };
	struct assay_error err = { 0 };
	struct operands operands;
	json_t *policy = NULL;
	int status = command_parse(&command_policy_import, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		return status;
	if (options.base && strcmp(options.base, "-") == 0 && strcmp(operands.list[0], "-") == 0)
		return command_usage(&command_policy_import,
				     "standard input can be only one of FILE and --policy");
	if (import_policy(operands.list[0], &options, &policy, &err) < 0) {
		json_decref(policy);
		return command_failed(&command_policy_import, &err);
	}
	return policy_print(&command_policy_import, policy);
}

static const struct option_row import_rows[] = {
	{ "policy", 'p', "FILE", "add them to this policy instead of a new one",
	  OPTION_INPUT(struct policy_import_options, base) },
	{ "no-assay-log", 0, NULL,
	  "for devices without the module: the policy says that there is no log of assay's",
	  OPTION_FLAG(struct policy_import_options, no_assay_log) },
	OPTION_END,
};

const struct command command_policy_import = {
	.name = "policy import",
	.summary = "make a policy of others' reference values",
	.intro = "Prints a policy with the reference values of FILE: a runtime policy of "
		 "Keylime's, the\n"
		 "reference state of its measured boot, or lines of digests and names as sha256sum "
		 "writes them. What cannot be taken over "
		 "is\n"
		 "told on standard error, and makes the policy stricter than it was. FILE '-' is\n"
		 "standard input.\n",
	.options = import_rows,
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 done, 1 nothing can be taken over, 2 wrong usage.\n",
	.run = run_import,
};

/* ---------------------------------------------------------------- the verbs */

static const struct command *const policy_verbs[] = { &command_policy_lint,
						      &command_policy_learn,
						      &command_policy_import,
						      &command_policy_make,
						      &command_policy_diff,
						      &command_policy_pcr11,
						      NULL };

const struct command command_policy_verifier = {
	.name = "policy",
	.summary = "explain, make and fill policies for verify",
	.intro = "Explain, make and fill policies for 'assay verify' (their form: "
		 "assay-policy(5)).\n",
	.verbs = policy_verbs,
	.question = "lint, learn, import, make, diff or pcr11?",
};
