// SPDX-License-Identifier: MIT
/*
 * `assay verify`: read what lib/verify judges, and show its verdict. Also in the
 * program assay-verify, so nothing here may need the TPM stack.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/utc.h"
#include "cmd.h"
#include "record_file.h"
#include "references.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/text.h"
#include "verify/evidence.h"

#define MAX_FILES 64 /* manifests, certificates, waivers and PCR values of one call */
#define MAX_NAME 128 /* bytes; a TPM's name has at most 66 */

static const char help[] =
	"Usage: assay verify EVIDENCE --nonce HEX --device RECORD --policy POLICY [OPTION]...\n"
	"       assay verify EVIDENCE --nonce HEX --device RECORD --manifest M --cert CERT.pem\n"
	"                    [OPTION]...\n"
	"\n"
	"Judge evidence of 'assay quote': is the quote the enrolled key's answer to this nonce,\n"
	"do the logs replay to the quoted PCRs, and is every measured file what a signed manifest\n"
	"says? Only if every required check passed is the verdict \"trusted\"; what failed is "
	"named,\n"
	"with what to do. Needs neither a TPM nor the kernel module. EVIDENCE '-' is standard "
	"input.\n"
	"\n"
	"Options:\n"
	"      --nonce HEX     the nonce that was sent, at least 16 bytes\n"
	"      --device FILE   the device's record ('assay enroll'), which has its attestation\n"
	"                      key, and keeps what this verdict is to be compared with next\n"
	"                      time: with --no-update it is read only\n"
	"      --no-update     see there\n"
	"      --ak FILE       instead: the attestation key, as TPM2B_PUBLIC ('assay key create\n"
	"                      --restricted --public FILE')\n"
	"      --ak-qualified-name HEX\n"
	"                      the key's qualified name, where it was noted at enrolment\n"
	"      --policy FILE   what evidence must fulfil, and where the reference values are\n"
	"                      (assay-policy(5)); the options below add to it\n"
	"      --issued TIME   when the nonce was sent, 2026-01-31T23:59:59Z, for a policy's\n"
	"                      max_age; without it the device's own time of collecting counts\n"
	"      --manifest FILE a manifest; its signature is in FILE.p7s; repeatable\n"
	"      --cert FILE     the certificate of an accepted signer; repeatable\n"
	"      --strip-prefix PREFIX\n"
	"                      what to take off measured paths before they are looked up, where\n"
	"                      the manifest's root was mounted elsewhere: /mnt/root\n"
	"      --pcr-start HASH:HEX\n"
	"                      the value that PCR 14 may have before the log begins, where\n"
	"                      something else measures into it first: sha256:00...\n"
	"      --no-ima-log    do not require IMA's list, nor PCR 10\n"
	"      --waive CHECK   show this check but do not require it; repeatable. Only some\n"
	"                      can be waived: see assay-verify(1)\n"
	"      --json          print the verdict as one JSON object\n"
	"      --verbose       print every check, not only those that failed\n"
	"      --html FILE     write it as a page, too: checks, time line of the log, files\n"
	"      --junit FILE    write it as JUnit XML, too: a test case a check\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 trusted, 1 not trusted (or something else than the evidence cannot be\n"
	"read), 2 wrong usage, 3 the evidence cannot be read.\n";

enum {
	OPTION_NONCE = 256,
	OPTION_ISSUED,
	OPTION_POLICY,
	OPTION_DEVICE,
	OPTION_NO_UPDATE,
	OPTION_AK,
	OPTION_AK_QUALIFIED_NAME,
	OPTION_MANIFEST,
	OPTION_CERT,
	OPTION_STRIP_PREFIX,
	OPTION_PCR_START,
	OPTION_NO_IMA_LOG,
	OPTION_WAIVE,
	OPTION_JSON,
	OPTION_VERBOSE,
	OPTION_HTML,
	OPTION_JUNIT,
};

/* The call's words. What changes the policy is applied when that was read. */
struct options {
	const char *evidence, *device, *ak, *policy, *prefix;
	const char *html, *junit;
	const char *manifests[MAX_FILES], *certificates[MAX_FILES];
	size_t manifest_count, certificate_count;
	struct assay_digest starts[MAX_FILES];
	size_t start_count;
	uint8_t nonce[EVIDENCE_MAX_NONCE];
	size_t nonce_size;
	uint8_t qualified_name[MAX_NAME];
	size_t qualified_name_size;
	uint64_t issued;
	uint64_t waived;
	bool no_ima_log, json, verbose, no_update;
};

/* What was read of it; freed by inputs_free(). */
struct inputs {
	struct file_view evidence;
	struct buffer ak, qualified_name;
	struct record_file device;
	struct references references;
	struct policy policy;
	struct assay_digest *starts; /* the policy's and the call's */
};

/* ---------------------------------------------------------------- the call's words */

static int parse_start(const char *text, struct options *options)
{
	if (options->start_count == MAX_FILES)
		return command_usage(&command_verify, "--pcr-start can be given at most %d times",
				     MAX_FILES);
	if (assay_digest_parse(text, &options->starts[options->start_count]) < 0)
		return command_usage(&command_verify,
				     "--pcr-start wants a PCR's value such as sha256:HEX with as "
				     "many digits as that hash has, not '%s'",
				     text);
	options->start_count++;
	return EXIT_OK;
}

static int waive(const char *name, uint64_t *waived)
{
	enum check check;

	if (!check_by_name(name, &check))
		return command_usage(&command_verify, "there is no check '%s'", name);
	if (!check_waivable(check))
		return command_usage(&command_verify,
				     "the check '%s' cannot be waived: nothing could be trusted "
				     "without it",
				     name);
	*waived |= CHECK_BIT(check);
	return EXIT_OK;
}

static int add_file(const char *path, const char *option, const char **files, size_t *count)
{
	if (*count == MAX_FILES)
		return command_usage(&command_verify, "%s can be given at most %d times", option,
				     MAX_FILES);
	files[(*count)++] = path;
	return EXIT_OK;
}

static int apply_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case OPTION_NONCE:
		if (hex_decode(value, options->nonce, sizeof(options->nonce),
			       &options->nonce_size) < 0 ||
		    options->nonce_size == 0)
			return command_usage(
				&command_verify,
				"--nonce wants up to %d bytes in hexadecimal, not '%s'",
				EVIDENCE_MAX_NONCE, value);
		return EXIT_OK;
	case OPTION_ISSUED:
		if (!utc_parse(value, &options->issued))
			return command_usage(
				&command_verify,
				"--issued wants a time such as 2026-01-31T23:59:59Z, not '%s'",
				value);
		return EXIT_OK;
	case OPTION_POLICY:
		options->policy = value;
		return EXIT_OK;
	case OPTION_AK:
		options->ak = value;
		return EXIT_OK;
	case OPTION_DEVICE:
		options->device = value;
		return EXIT_OK;
	case OPTION_NO_UPDATE:
		options->no_update = true;
		return EXIT_OK;
	case OPTION_AK_QUALIFIED_NAME:
		if (hex_decode(value, options->qualified_name, sizeof(options->qualified_name),
			       &options->qualified_name_size) < 0 ||
		    options->qualified_name_size == 0)
			return command_usage(&command_verify,
					     "--ak-qualified-name wants hexadecimal, not '%s'",
					     value);
		return EXIT_OK;
	case OPTION_MANIFEST:
		return add_file(value, "--manifest", options->manifests, &options->manifest_count);
	case OPTION_CERT:
		return add_file(value, "--cert", options->certificates,
				&options->certificate_count);
	case OPTION_STRIP_PREFIX:
		options->prefix = value;
		return EXIT_OK;
	case OPTION_PCR_START:
		return parse_start(value, options);
	case OPTION_NO_IMA_LOG:
		options->no_ima_log = true;
		return EXIT_OK;
	case OPTION_WAIVE:
		return waive(value, &options->waived);
	case OPTION_HTML:
		options->html = value;
		return EXIT_OK;
	case OPTION_JUNIT:
		options->junit = value;
		return EXIT_OK;
	case OPTION_VERBOSE:
		options->verbose = true;
		return EXIT_OK;
	default:
		options->json = true;
		return EXIT_OK;
	}
}

/* Return: -1 to go on, or an exit status */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "nonce", required_argument, NULL, OPTION_NONCE },
		{ "issued", required_argument, NULL, OPTION_ISSUED },
		{ "policy", required_argument, NULL, OPTION_POLICY },
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "no-update", no_argument, NULL, OPTION_NO_UPDATE },
		{ "ak", required_argument, NULL, OPTION_AK },
		{ "ak-qualified-name", required_argument, NULL, OPTION_AK_QUALIFIED_NAME },
		{ "manifest", required_argument, NULL, OPTION_MANIFEST },
		{ "cert", required_argument, NULL, OPTION_CERT },
		{ "strip-prefix", required_argument, NULL, OPTION_STRIP_PREFIX },
		{ "root", required_argument, NULL, OPTION_STRIP_PREFIX },
		{ "pcr-start", required_argument, NULL, OPTION_PCR_START },
		{ "no-ima-log", no_argument, NULL, OPTION_NO_IMA_LOG },
		{ "without-ima", no_argument, NULL, OPTION_NO_IMA_LOG },
		{ "waive", required_argument, NULL, OPTION_WAIVE },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "verbose", no_argument, NULL, OPTION_VERBOSE },
		{ "html", required_argument, NULL, OPTION_HTML },
		{ "junit", required_argument, NULL, OPTION_JUNIT },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	int option, status;

	while ((option = command_option(&command_verify, argc, argv, ":h", table, &status)) != -1) {
		status = apply_option(option, optarg, options);
		if (status != EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(&command_verify, "one file of evidence is to be named, not %d",
				     argc - optind);
	options->evidence = argv[optind];
	if (options->nonce_size == 0 || (!options->device && !options->ak))
		return command_usage(&command_verify, "--nonce and --device are both needed, or "
						      "--ak instead of the latter");
	if (options->device && (options->ak || options->qualified_name_size > 0))
		return command_usage(&command_verify, "--device says which key it is: leave out "
						      "--ak and --ak-qualified-name");
	if (!options->policy && (options->manifest_count == 0 || options->certificate_count == 0))
		return command_usage(&command_verify,
				     "either --policy or both --manifest and --cert are needed");
	return -1;
}

/* ---------------------------------------------------------------- reading */

/* The policy's own values that the PCR may begin from, and the call's. */
static int add_starts(const struct options *options, struct inputs *inputs, struct assay_error *err)
{
	struct verify_policy *rules = &inputs->policy.rules;
	size_t count = rules->start_count + options->start_count;

	if (options->start_count == 0)
		return 0;
	inputs->starts = calloc(count, sizeof(*inputs->starts));
	if (!inputs->starts)
		return assay_fail(err, ENOMEM, "out of memory");
	if (rules->start_count > 0)
		memcpy(inputs->starts, rules->starts, rules->start_count * sizeof(*inputs->starts));
	memcpy(inputs->starts + rules->start_count, options->starts,
	       options->start_count * sizeof(*inputs->starts));
	rules->starts = inputs->starts;
	rules->start_count = count;
	return 0;
}

/* The policy, with what the call says besides. */
static int read_policy(const struct options *options, struct inputs *inputs,
		       struct assay_error *err)
{
	struct policy *policy = &inputs->policy;
	int r = 0;

	policy_default(policy);
	if (options->policy)
		r = references_policy(&inputs->references, options->policy, policy, err);
	if (r < 0)
		return r;
	if (options->prefix && policy->rules.prefix)
		return assay_fail(err, EINVAL,
				  "both --strip-prefix and the policy's \"strip_prefix\" are "
				  "given: remove one of the two");
	if (options->prefix)
		policy->rules.prefix = options->prefix;
	policy->said.option_waived = options->waived;
	policy->said.option_no_ima_log = options->no_ima_log;
	r = policy_derive(policy, err);
	if (r < 0)
		return r;
	return add_starts(options, inputs, err);
}

/* The enrolled key: of a device's record, or by itself. */
static int read_key(const struct options *options, struct inputs *inputs, struct assay_error *err)
{
	const struct device_record *record = &inputs->device.record;
	int r;

	if (!options->device) {
		buffer_append(&inputs->qualified_name, options->qualified_name,
			      options->qualified_name_size);
		return file_read(options->ak, EVIDENCE_MAX_STRUCTURE, &inputs->ak, err);
	}
	r = record_file_open(&inputs->device, options->device, !options->no_update, err);
	if (r == 0) {
		buffer_append_bytes(&inputs->ak, buffer_bytes(&record->ak_public));
		buffer_append_bytes(&inputs->qualified_name,
				    buffer_bytes(&record->ak_qualified_name));
	}
	return r;
}

/* All but the evidence: what the verifier's own side is to provide. */
static int read_references(const struct options *options, struct inputs *inputs,
			   struct assay_error *err)
{
	int r = read_key(options, inputs, err);

	if (r == 0 && (inputs->ak.failed || inputs->qualified_name.failed))
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = read_policy(options, inputs, err);
	for (size_t i = 0; r == 0 && i < options->manifest_count; i++)
		r = references_manifest(&inputs->references, options->manifests[i], err);
	for (size_t i = 0; r == 0 && i < options->certificate_count; i++)
		r = references_certificate(&inputs->references, options->certificates[i], err);
	return r;
}

static void inputs_free(struct inputs *inputs)
{
	file_unmap(&inputs->evidence);
	buffer_free(&inputs->ak);
	buffer_free(&inputs->qualified_name);
	record_file_close(&inputs->device);
	free(inputs->starts);
	references_free(&inputs->references);
	policy_free(&inputs->policy);
}

/* ---------------------------------------------------------------- showing */

/* Return: whether it got into the stream */
static bool print_text(const struct verdict *verdict, bool verbose)
{
	struct buffer out = { 0 };
	bool printed;

	report_text(&out, verdict, verbose, command_colours());
	printed = !out.failed && fwrite(out.data, 1, out.size, stdout) == out.size;
	buffer_free(&out);
	return printed;
}

/* The reports that were asked for; each is written whole or not at all. */
static int write_reports(const struct options *options, const struct verdict *verdict,
			 struct html_report *html, uint64_t now)
{
	struct assay_error err = { 0 };
	struct buffer out = { 0 };
	int r = 0;

	if (html) {
		html_end(html, verdict, options->evidence, now, &out);
		r = out.failed ? assay_fail(&err, ENOMEM, "out of memory") :
				 file_write(options->html, buffer_bytes(&out), 0666, &err);
		buffer_free(&out);
	}
	if (r == 0 && options->junit) {
		junit_write(verdict, options->evidence, now, &out);
		r = out.failed ? assay_fail(&err, ENOMEM, "out of memory") :
				 file_write(options->junit, buffer_bytes(&out), 0666, &err);
		buffer_free(&out);
	}
	return r < 0 ? command_failed(&command_verify, &err) : EXIT_OK;
}

static int show(const struct verdict *verdict, const struct options *options)
{
	int status = verdict_trusted(verdict)				? EXIT_OK :
		     verdict->passed & CHECK_BIT(CHECK_EVIDENCE_PARSED) ? EXIT_FAILED :
									  EXIT_UNREADABLE;
	int flushed;

	if (options->json) {
		json_t *object = verdict_to_json(verdict);

		if (!object || json_dumpf(object, stdout, JSON_INDENT(1)) < 0) {
			json_decref(object);
			fprintf(stderr, "assay verify: cannot write the verdict as JSON\n");
			return EXIT_FAILED;
		}
		json_decref(object);
		putchar('\n');
	} else if (!print_text(verdict, options->verbose)) {
		fprintf(stderr, "assay verify: cannot write the verdict\n");
		return EXIT_FAILED;
	}
	/* A verdict that did not get out is not a verdict. */
	flushed = command_flush(&command_verify);
	return flushed == EXIT_OK ? status : flushed;
}

static int judge(const struct options *options, struct inputs *inputs)
{
	const struct references *references = &inputs->references;
	struct verify_input input = {
		.evidence = inputs->evidence.bytes,
		.nonce = BYTES(options->nonce, options->nonce_size),
		.ak_public = buffer_bytes(&inputs->ak),
		.ak_qualified_name = buffer_bytes(&inputs->qualified_name),
		.state = inputs->device.record.has_state ? &inputs->device.record.state : NULL,
		.now = (uint64_t)time(NULL),
		.nonce_issued = options->issued,
		.manifests = references->manifests,
		.manifest_count = references->manifest_count,
		.certificates = references->certificates,
		.certificate_count = references->certificate_count,
		.ima_certificates = references->ima_certificates,
		.ima_certificate_count = references->ima_certificate_count,
	};
	struct html_report *html = NULL;
	struct assay_error err = { 0 };
	struct verdict *verdict;
	int status = EXIT_FAILED;

	if (input.nonce.size < inputs->policy.rules.nonce_size)
		return command_usage(&command_verify,
				     "the nonce has %zu bytes; the policy takes no fewer than %zu",
				     input.nonce.size, inputs->policy.rules.nonce_size);
	verdict = malloc(sizeof(*verdict));
	if (options->html)
		html = html_begin();
	if (!verdict || (options->html && !html)) {
		fprintf(stderr, "assay verify: out of memory\n");
		goto out;
	}
	if (html)
		input.observer = html_observer(html);
	verify(&input, &inputs->policy.rules, verdict);
	status = write_reports(options, verdict, html, input.now);
	html = NULL;
	/* What is not kept could be offered again: then there is no verdict. */
	if (status == EXIT_OK && verdict_trusted(verdict) &&
	    record_file_keep(&inputs->device, &verdict->state, &err) < 0)
		status = command_failed(&command_verify, &err);
	if (status == EXIT_OK)
		status = show(verdict, options);
out:
	free(html);
	free(verdict);
	return status;
}

static int run(int argc, char **argv)
{
	struct options options = { 0 };
	struct inputs inputs = { .device = { .lock = -1 } };
	struct assay_error err = { 0 };
	int status = parse_options(argc, argv, &options);

	if (status != -1)
		return status;
	if (file_map(options.evidence, EVIDENCE_MAX_SIZE, &inputs.evidence, &err) < 0) {
		command_failed(&command_verify, &err);
		status = EXIT_UNREADABLE;
	} else if (read_references(&options, &inputs, &err) < 0) {
		status = command_failed(&command_verify, &err);
	} else {
		status = judge(&options, &inputs);
	}
	inputs_free(&inputs);
	return status;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "judge evidence: a verdict in which every check is named",
	.help = help,
	.run = run,
};
