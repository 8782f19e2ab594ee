// SPDX-License-Identifier: MIT
/*
 * `assay policy`: explain, make and fill policies for `assay verify`. Also in the program
 * assay-verify, so nothing here may need the TPM stack.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "references.h"
#include "verify/policy_import.h"
#include "verify/policy_learn.h"
#include "verify/policy_lint.h"

enum {
	OPTION_JSON = 256,
	OPTION_MANIFEST,
	OPTION_CERT,
	OPTION_IMA,
	OPTION_POLICY,
};

/* A policy that says nothing yet. */
static json_t *new_policy(void)
{
	return json_pack("{s:i, s:s}", "assay", 1, "type", "policy");
}

/* Prints a policy once the reader of policies takes it; @policy is taken over. */
static int print_policy(const struct command *command, json_t *policy)
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

static const char lint_help[] =
	"Usage: assay policy lint POLICY [--json]\n"
	"\n"
	"Read a policy and all that it names, say in words what it asks for, and warn of what is\n"
	"weaker than it looks.\n"
	"\n"
	"Options:\n"
	"      --json          print what is found as one JSON object\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 without warnings, 1 with some (or it cannot be read), 2 wrong usage.\n";

struct lint_run {
	json_t *json; /* an array of what is found; NULL to print it */
	bool failed;
};

static const char *const levels[] = {
	[POLICY_SAYS] = "says",
	[POLICY_NOTE] = "note",
	[POLICY_WARNING] = "warning",
};

static void show_finding(void *context, enum policy_lint_level level, const char *text)
{
	struct lint_run *run = context;

	if (!run->json) {
		printf("%s%s%s\n", level == POLICY_SAYS ? "" : levels[level],
		       level == POLICY_SAYS ? "" : ": ", text);
		return;
	}
	if (json_array_append_new(
		    run->json, json_pack("{s:s, s:s}", "level", levels[level], "text", text)) < 0)
		run->failed = true;
}

static int lint(const char *path, bool json)
{
	struct references references = { 0 };
	struct lint_run run = { 0 };
	struct policy policy = { 0 };
	struct assay_error err = { 0 };
	size_t warnings;
	int status;

	if (references_policy(&references, path, &policy, &err) < 0) {
		status = command_failed(&command_policy_lint, &err);
		goto out;
	}
	if (json)
		run.json = json_array();
	warnings = policy_lint(&policy, show_finding, &run);
	if (json)
		status = command_emit_json(
			&command_policy_lint,
			run.failed ? NULL :
				     json_pack("{s:o, s:b, s:O}", "policy", command_text_json(path),
					       "ok", (int)(warnings == 0), "findings", run.json));
	else
		status = command_flush(&command_policy_lint);
	if (status == EXIT_OK && warnings > 0)
		status = EXIT_FAILED;
out:
	json_decref(run.json);
	policy_free(&policy);
	references_free(&references);
	return status;
}

static int run_lint(int argc, char **argv)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	bool json = false;
	int status;

	while (command_option(&command_policy_lint, argc, argv, ":h", table, &status) != -1)
		json = true;
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(&command_policy_lint, "one policy is to be named, not %d",
				     argc - optind);
	return lint(argv[optind], json);
}

const struct command command_policy_lint = {
	.name = "policy lint",
	.summary = "say in words what a policy asks for, and what is weak in it",
	.help = lint_help,
	.run = run_lint,
};

/* ---------------------------------------------------------------- learn */

static const char learn_help[] =
	"Usage: assay policy learn EVIDENCE [OPTION]...\n"
	"\n"
	"Print a policy made from evidence of a device that is known to be good: the values of\n"
	"its PCRs, what its log began from, and what it measured that the manifests have not.\n"
	"The evidence must hold by itself; whether it is of the right device and fresh, 'assay\n"
	"verify' says, not this. EVIDENCE '-' is standard input.\n"
	"\n"
	"Options:\n"
	"      --manifest FILE a manifest whose files need not be learned; repeatable. The\n"
	"                      policy names it\n"
	"      --cert FILE     the certificate of its signer; repeatable\n"
	"      --ima           learn the digests in IMA's list, too\n"
	"  -h, --help          print this\n";

/* Adds the name to an array of the policy's; false without memory. */
static bool add_name(json_t *policy, const char *member, const char *name)
{
	json_t *array = json_object_get(policy, member);

	if (!array) {
		array = json_array();
		if (json_object_set_new(policy, member, array) < 0)
			return false;
	}
	return json_array_append_new(array, command_text_json(name)) == 0;
}

static int learn(const char *path, const struct references *references, bool ima, json_t *policy)
{
	struct buffer evidence = { 0 };
	struct assay_error err = { 0 };
	int r = file_read(path, EVIDENCE_MAX_SIZE, &evidence, &err);

	if (r == 0) {
		const struct verify_input input = {
			.evidence = buffer_bytes(&evidence),
			.manifests = references->manifests,
			.manifest_count = references->manifest_count,
			.certificates = references->certificates,
			.certificate_count = references->certificate_count,
		};

		r = policy_learn(&input, ima, policy, &err);
		if (r < 0)
			assay_fail_context(&err, "%s", path);
	}
	buffer_free(&evidence);
	if (r < 0) {
		json_decref(policy);
		return command_failed(&command_policy_learn, &err);
	}
	return print_policy(&command_policy_learn, policy);
}

static int run_learn(int argc, char **argv)
{
	static const struct option table[] = {
		{ "manifest", required_argument, NULL, OPTION_MANIFEST },
		{ "cert", required_argument, NULL, OPTION_CERT },
		{ "ima", no_argument, NULL, OPTION_IMA },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct references references = { 0 };
	json_t *policy = new_policy();
	struct assay_error err = { 0 };
	bool ima = false, named = policy != NULL;
	int option, status, r = 0;

	while (r == 0 && (option = command_option(&command_policy_learn, argc, argv, ":h", table,
						  &status)) != -1) {
		if (option == OPTION_MANIFEST) {
			r = references_manifest(&references, optarg, &err);
			named = named && add_name(policy, "manifests", optarg);
		} else if (option == OPTION_CERT) {
			r = references_certificate(&references, optarg, &err);
			named = named && add_name(policy, "certificates", optarg);
		} else {
			ima = true;
		}
	}
	if (r == 0 && !named)
		r = assay_fail(&err, ENOMEM, "out of memory");
	if (r < 0)
		status = command_failed(&command_policy_learn, &err);
	else if (status == -1 && optind + 1 != argc)
		status =
			command_usage(&command_policy_learn,
				      "one file of evidence is to be named, not %d", argc - optind);
	if (status == -1)
		status = learn(argv[optind], &references, ima, policy);
	else
		json_decref(policy);
	references_free(&references);
	return status;
}

const struct command command_policy_learn = {
	.name = "policy learn",
	.summary = "make a policy from evidence that is known to be good",
	.help = learn_help,
	.run = run_learn,
};

/* ---------------------------------------------------------------- import */

static const char import_help[] =
	"Usage: assay policy import FILE [--policy POLICY]\n"
	"\n"
	"Print a policy with the reference values of FILE: a runtime policy of Keylime's, or "
	"lines\n"
	"of digests and paths as sha256sum writes them. What cannot be taken over is told on\n"
	"standard error, and makes the policy stricter than it was. FILE '-' is standard input.\n"
	"\n"
	"Options:\n"
	"      --policy FILE   add them to this policy instead of a new one\n"
	"  -h, --help          print this\n";

static void show_warning(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "assay policy import: %s\n", text);
}

static int read_json(const char *path, json_t **ret, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, POLICY_MAX_SIZE, &text, err);

	if (r == 0)
		r = json_parse(buffer_bytes(&text), path, ret, err);
	buffer_free(&text);
	return r;
}

static int import(const char *path, const char *base)
{
	struct buffer text = { 0 };
	struct assay_error err = { 0 };
	json_t *policy = NULL;
	int r = 0;

	if (base)
		r = read_json(base, &policy, &err);
	else
		policy = new_policy();
	if (r == 0)
		r = policy ? file_read(path, IMPORT_MAX_SIZE, &text, &err) :
			     assay_fail(&err, ENOMEM, "out of memory");
	if (r == 0) {
		r = policy_import(buffer_bytes(&text), policy, show_warning, NULL, &err);
		if (r < 0)
			assay_fail_context(&err, "%s", path);
	}
	buffer_free(&text);
	if (r < 0) {
		json_decref(policy);
		return command_failed(&command_policy_import, &err);
	}
	return print_policy(&command_policy_import, policy);
}

static int run_import(int argc, char **argv)
{
	static const struct option table[] = {
		{ "policy", required_argument, NULL, OPTION_POLICY },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const char *base = NULL;
	int status;

	while (command_option(&command_policy_import, argc, argv, ":h", table, &status) != -1)
		base = optarg;
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(&command_policy_import, "one file is to be named, not %d",
				     argc - optind);
	return import(argv[optind], base);
}

const struct command command_policy_import = {
	.name = "policy import",
	.summary = "make a policy of others' reference values",
	.help = import_help,
	.run = run_import,
};

/* ---------------------------------------------------------------- the verbs */

static const char help[] =
	"Usage: assay policy lint POLICY [--json]\n"
	"       assay policy learn EVIDENCE [OPTION]...\n"
	"       assay policy import FILE [--policy POLICY]\n"
	"\n"
	"Explain, make and fill policies for 'assay verify' (their form: assay-policy(5)).\n"
	"'assay policy VERB --help' tells more.\n"
	"\n"
	"Options:\n"
	"  -h, --help          print this\n";

static int run(int argc, char **argv)
{
	static const struct command *const verbs[] = {
		&command_policy_lint,
		&command_policy_learn,
		&command_policy_import,
	};

	return command_verbs(&command_policy, verbs, sizeof(verbs) / sizeof(verbs[0]),
			     "lint, learn or import?", argc, argv);
}

const struct command command_policy = {
	.name = "policy",
	.summary = "explain, make and fill policies for verify",
	.help = help,
	.run = run,
};
