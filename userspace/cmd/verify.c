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

#include "base/cleanup.h"
#include "base/file.h"
#include "cmd.h"
#include "record_file.h"
#include "references.h"
#include "report/cmw.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/text.h"
#include "trust_files.h"
#include "verify/ak_given.h"
#include "verify/evidence.h"
#include "verify_results.h"
#include "verify_vsa.h"

#define MAX_STARTS 64 /* --pcr-start in one call */
#define MAX_NAME 128  /* bytes; a TPM's name has at most 66 */

/* struct pcr_starts - the values of --pcr-start */
struct pcr_starts {
	struct assay_digest values[MAX_STARTS];
	size_t count;
};

/* The call's words. What changes the policy is applied when that was read. */
struct verify_options {
	const char *evidence, *device, *ak, *ak_certificate, *policy, *prefix;
	const char *html, *junit;
	struct vsa_options vsa;
	struct option_texts manifests, certificates;
	struct trust_paths ak_trust;
	struct result_options results;
	struct pcr_starts starts;
	uint8_t nonce[EVIDENCE_MAX_NONCE];
	size_t nonce_size;
	uint8_t qualified_name[MAX_NAME];
	size_t qualified_name_size;
	uint64_t issued;
	check_mask waived;
	bool no_ima_log, json, verbose, no_update, ak_vouched, accept_file_signature;
};

/* What was read of it; freed by inputs_free(). */
struct inputs {
	struct file_view file;
	struct buffer unwrapped;
	struct bytes evidence; /* of one of the two */
	struct buffer ak, qualified_name;
	struct assay_digest ak_key; /* where @ak is not known; size 0 else */
	struct buffer ak_certificates;
	struct record_file device;
	struct references references;
	struct policy policy;
	struct signer *result_signer; /* NULL where no result is wanted */
	struct assay_digest *starts;  /* the policy's and the call's */
	struct vsa_signer vsa_signer;
};

/* ---------------------------------------------------------------- the call's words */

static int add_pcr_start(void *place, const char *value, struct assay_error *err)
{
	struct pcr_starts *starts = place;

	if (starts->count == MAX_STARTS)
		return assay_fail(err, EINVAL, "must be given at most %d times", MAX_STARTS);
	if (assay_digest_parse(value, &starts->values[starts->count]) < 0)
		return assay_fail(err, EINVAL,
				  "must be a PCR's value such as sha256:HEX with as many digits as "
				  "that hash has, not '%s'",
				  value);
	starts->count++;
	return 0;
}

static int add_waiver(void *place, const char *value, struct assay_error *err)
{
	check_mask *waived = place;
	enum check check;

	if (!check_by_name(value, &check))
		return assay_fail(err, EINVAL, "there is no check '%s'", value);
	if (!check_waivable(check))
		return assay_fail(err, EINVAL,
				  "the check '%s' cannot be waived: nothing could be trusted "
				  "without it",
				  value);
	*waived |= CHECK_BIT(check);
	return 0;
}

static const struct option_row verify_rows[] = {
	{ "nonce", 0, "HEX",
	  "the nonce that was sent, 1 to 64 bytes and as many as the policy wants (16); needed, "
	  "but "
	  "for policies that take quotes without one (nonce_bytes)",
	  OPTION_HEX(struct verify_options, nonce, nonce_size, 1) },
	{ "device", 0, "FILE",
	  "the device's record ('assay enroll'), which has its attestation key, and keeps what "
	  "the next verdict is to be compared with",
	  OPTION_OUTPUT(struct verify_options, device), .excludes = "ak" },
	{ "no-update", 0, NULL, "only read that record, and keep nothing in it",
	  OPTION_FLAG(struct verify_options, no_update), .needs = "device" },
	{ "ak", 0, "FILE",
	  "instead: the attestation key, as TPM2B_PUBLIC ('assay key create --restricted --public "
	  "FILE') or TPMT_PUBLIC; or in PEM, DER or as JWK, which do not say its attributes",
	  OPTION_INPUT(struct verify_options, ak) },
	{ "ak-roots", 0, "FILE",
	  "instead, or as well: roots of authorities that certify attestation keys, PEM or DER, or "
	  "a "
	  "directory of such files; repeatable",
	  OPTION_INPUTS(struct verify_options, ak_trust.roots) },
	{ "ak-cert", 0, "FILE",
	  "the key's certificate, PEM or DER, and what leads from it to a root (the evidence's)",
	  OPTION_INPUT(struct verify_options, ak_certificate) },
	{ "ak-intermediates", 0, "FILE",
	  "certificates that may stand between, not trusted for being there; repeatable",
	  OPTION_INPUTS(struct verify_options, ak_trust.intermediates) },
	{ "ak-crl", 0, "FILE", "revocation lists of such authorities, PEM or DER; repeatable",
	  OPTION_INPUTS(struct verify_options, ak_trust.crls) },
	{ "ak-vouched", 0, NULL,
	  "vouch for a key in PEM, DER or JWK, or in a certificate that does not say so: that it "
	  "is "
	  "restricted and bound to its TPM",
	  OPTION_FLAG(struct verify_options, ak_vouched), .excludes = "device" },
	{ "ak-qualified-name", 0, "HEX",
	  "the key's qualified name, where it was noted at enrolment",
	  OPTION_HEX(struct verify_options, qualified_name, qualified_name_size, 1),
	  .needs = "ak" },
	{ "issued", 0, "TIME",
	  "when the nonce was sent, 2026-01-31T23:59:59Z, for a policy's max_age; without it the "
	  "device's own time of collecting counts",
	  OPTION_TIME(struct verify_options, issued) },
	OPTION_HEADING("What evidence must fulfil:"),
	{ "policy", 'p', "FILE",
	  "a policy, which also says where the reference values are (assay-policy(5)); the options "
	  "below add to it, and may not contradict it",
	  OPTION_INPUT(struct verify_options, policy) },
	{ "manifest", 'm', "FILE", "a manifest; its signature is in FILE.p7s; repeatable",
	  OPTION_INPUTS(struct verify_options, manifests) },
	{ "cert", 'c', "FILE", "the certificate of an accepted signer; repeatable",
	  OPTION_INPUTS(struct verify_options, certificates) },
	{ "accept-file-signature", 0, NULL,
	  "take manifests that are signed in the old way, as files are: whoever gets a file into "
	  "a signed tree can make such a manifest",
	  OPTION_FLAG(struct verify_options, accept_file_signature) },
	{ "strip-prefix", 0, "PREFIX",
	  "what to take off measured paths before they are looked up, where the manifest's root "
	  "was mounted elsewhere: /mnt/root",
	  OPTION_TEXT(struct verify_options, prefix), .alias = "root" },
	{ "pcr-start", 0, "HASH:HEX",
	  "a value that PCR 14 may have before the log begins, where something else measures into "
	  "it first: sha256:00...; repeatable",
	  OPTION_FUNCTION(struct verify_options, starts, add_pcr_start), .repeatable = true },
	{ "no-ima-log", 0, NULL, "do not require IMA's list, nor PCR 10",
	  OPTION_FLAG(struct verify_options, no_ima_log), .alias = "without-ima" },
	{ "waive", 0, "CHECK",
	  "show this check but do not require it; repeatable. Only some can be waived: see "
	  "assay-verify(1)",
	  OPTION_FUNCTION(struct verify_options, waived, add_waiver), .repeatable = true },
	OPTION_HEADING("Output:"),
	OPTION_ROW_JSON(struct verify_options, json),
	{ "verbose", 'v', NULL, "print every check, not only those that failed",
	  OPTION_FLAG(struct verify_options, verbose) },
	{ "html", 0, "FILE", "write it as a page, too: checks, time line of the log, files",
	  OPTION_OUTPUT(struct verify_options, html) },
	{ "junit", 0, "FILE", "write it as JUnit XML, too: a test case a check",
	  OPTION_OUTPUT(struct verify_options, junit) },
	RESULT_ROWS(struct verify_options, results),
	OPTION_ROWS_VSA(struct verify_options, vsa),
	OPTION_END,
};

/* Which option is for certificates of attestation keys, and says nothing without a root. */
static const char *rootless_option(const struct verify_options *options)
{
	if (options->ak_trust.roots.count > 0)
		return NULL;
	return options->ak_certificate			 ? "--ak-cert" :
	       options->ak_trust.intermediates.count > 0 ? "--ak-intermediates" :
	       options->ak_trust.crls.count > 0		 ? "--ak-crl" :
							   NULL;
}

/* Return: COMMAND_GO, or an exit status */
static int check_options(const struct verify_options *options)
{
	if (!options->device && !options->ak && !options->policy &&
	    options->ak_trust.roots.count == 0)
		return command_usage(&command_verify,
				     "missing option: --device, --ak or --ak-roots");
	if (rootless_option(options) && !options->policy)
		return command_usage(&command_verify, "%s needs --ak-roots as well",
				     rootless_option(options));
	if (options->device && strcmp(options->device, "-") == 0)
		return command_usage(&command_verify,
				     "--device must be a file, not standard input: what is kept "
				     "of a verdict is written back to it");
	if (options->prefix && options->prefix[0] != '/')
		return command_usage(&command_verify,
				     "--strip-prefix must be an absolute path, not '%s'",
				     options->prefix);
	if (!options->policy && (options->manifests.count == 0 || options->certificates.count == 0))
		return command_usage(&command_verify,
				     "missing option: --policy, or both --manifest and --cert");
	if (strcmp(options->evidence, "-") == 0 &&
	    ((options->policy && strcmp(options->policy, "-") == 0) ||
	     (options->ak && strcmp(options->ak, "-") == 0)))
		return command_usage(&command_verify,
				     "standard input can be only one of the evidence, --policy and "
				     "--ak");
	return results_check(&command_verify, &options->results);
}

/* ---------------------------------------------------------------- reading */

/* The policy's own values that the PCR may begin from, and the call's. */
static int add_starts(const struct verify_options *options, struct inputs *inputs,
		      struct assay_error *err)
{
	struct verify_policy *rules = &inputs->policy.rules;
	size_t count = rules->start_count + options->starts.count;

	if (options->starts.count == 0)
		return 0;
	inputs->starts = calloc(count, sizeof(*inputs->starts));
	if (!inputs->starts)
		return assay_fail(err, ENOMEM, "out of memory");
	if (rules->start_count > 0)
		memcpy(inputs->starts, rules->starts, rules->start_count * sizeof(*inputs->starts));
	memcpy(inputs->starts + rules->start_count, options->starts.values,
	       options->starts.count * sizeof(*inputs->starts));
	rules->starts = inputs->starts;
	rules->start_count = count;
	return 0;
}

/* The policy, with what the call says besides. */
static int read_policy(const struct verify_options *options, struct inputs *inputs,
		       struct assay_error *err)
{
	struct policy *policy = &inputs->policy;
	int r;

	policy_default(policy);
	if (options->policy) {
		r = references_policy(&inputs->references, options->policy, policy, err);
		if (r < 0)
			return r;
	}
	if (options->prefix && policy->rules.prefix)
		return assay_fail(err, EINVAL,
				  "both --strip-prefix and the policy's \"strip_prefix\" are "
				  "given: remove one of the two");
	if (options->prefix)
		policy->rules.prefix = options->prefix;
	if (options->accept_file_signature &&
	    policy->said.keys[POLICY_KEY_FILE_SIGNATURE] == SAID_YES)
		return assay_fail(err, EINVAL,
				  "the policy refuses the signatures of files (manifest."
				  "file_signature): remove --accept-file-signature");
	if (options->accept_file_signature)
		policy->said.keys[POLICY_KEY_FILE_SIGNATURE] = SAID_NO;
	policy->said.option_waived = options->waived;
	policy->said.option_no_ima_log = options->no_ima_log;
	r = policy_derive(policy, err);
	if (r < 0)
		return r;
	return add_starts(options, inputs, err);
}

static int read_ak(const struct verify_options *options, struct inputs *inputs,
		   struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct ak_given given;
	const char *path = options->ak;
	int r = file_read(path, AK_GIVEN_MAX_SIZE, &text, err);

	if (r < 0)
		return r;
	r = ak_given_read(buffer_bytes(&text), &given, err);
	if (r < 0)
		return assay_fail_context(err, "%s", path);
	buffer_append_bytes(&inputs->ak, buffer_bytes(&given.public_area));
	if (given.public_area.size == 0)
		inputs->ak_key = given.key;
	else if (options->ak_vouched)
		r = assay_fail(err, EINVAL,
			       "%s says itself what the key may do: remove --ak-vouched", path);
	ak_given_free(&given);
	return r;
}

/* Whose certificates of attestation keys are believed: by the policy, which was read, and by the
 * call. */
static int read_ak_trust(const struct verify_options *options, struct inputs *inputs,
			 struct assay_error *err)
{
	struct chain_trust *trust = &inputs->references.ak_trust;
	const char *rootless = rootless_option(options);
	int r = 0;

	if (!trust->roots && rootless)
		return assay_fail(err, EINVAL,
				  "%s is given, and neither --ak-roots nor a policy with \"ak\"",
				  rootless);
	if (!trust->roots && options->ak_trust.roots.count == 0)
		return options->device || options->ak ?
			       0 :
			       assay_fail(err, EINVAL,
					  "whose evidence it is must be said: by --device, --ak or "
					  "--ak-roots, or by the policy's \"ak\"");
	if (!trust->roots)
		r = trust_files_begin(trust, 0, err);
	trust->now = (uint64_t)time(NULL);
	if (r == 0)
		r = trust_files_add(&options->ak_trust, trust, err);
	if (r == 0 && options->ak_certificate)
		r = trust_files_certificates(options->ak_certificate, &inputs->ak_certificates,
					     err);
	return r;
}

/* The enrolled key: of a device's record, or by itself; none where a certificate is to tell. */
static int read_key(const struct verify_options *options, struct inputs *inputs,
		    struct assay_error *err)
{
	const struct device_record *record = &inputs->device.record;
	int r;

	if (!options->device) {
		buffer_append(&inputs->qualified_name, options->qualified_name,
			      options->qualified_name_size);
		return options->ak ? read_ak(options, inputs, err) : 0;
	}
	r = record_file_open(&inputs->device, options->device, !options->no_update, err);
	if (r < 0)
		return r;
	buffer_append_bytes(&inputs->ak, buffer_bytes(&record->ak_public));
	buffer_append_bytes(&inputs->qualified_name, buffer_bytes(&record->ak_qualified_name));
	return 0;
}

/* All but the evidence: what the verifier's own side is to provide. */
static int read_references(const struct verify_options *options, struct inputs *inputs,
			   struct assay_error *err)
{
	int r = options->vsa.file ? vsa_signer_open(&options->vsa, &inputs->vsa_signer, err) : 0;

	if (r == 0)
		r = read_key(options, inputs, err);
	if (r == 0 && (inputs->ak.failed || inputs->qualified_name.failed))
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = read_policy(options, inputs, err);
	if (r == 0)
		r = read_ak_trust(options, inputs, err);
	for (size_t i = 0; r == 0 && i < options->manifests.count; i++)
		r = references_manifest(&inputs->references, options->manifests.list[i], err);
	for (size_t i = 0; r == 0 && i < options->certificates.count; i++)
		r = references_certificate(&inputs->references, options->certificates.list[i], err);
	if (r == 0)
		r = results_signer(&options->results, &inputs->result_signer, err);
	return r;
}

/* As it is, or out of its wrapper. */
static int read_evidence(const char *path, struct inputs *inputs, struct assay_error *err)
{
	int r = file_map(path, EVIDENCE_MAX_SIZE, &inputs->file, err);

	if (r < 0)
		return r;
	inputs->evidence = inputs->file.bytes;
	if (!cmw_is_wrapped(inputs->evidence))
		return 0;
	r = cmw_read_evidence(inputs->evidence, &inputs->unwrapped, err);
	inputs->evidence = buffer_bytes(&inputs->unwrapped);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static void inputs_free(struct inputs *inputs)
{
	if (inputs->result_signer)
		inputs->result_signer->close(inputs->result_signer);
	file_unmap(&inputs->file);
	buffer_free(&inputs->unwrapped);
	buffer_free(&inputs->ak);
	buffer_free(&inputs->qualified_name);
	buffer_free(&inputs->ak_certificates);
	record_file_close(&inputs->device);
	vsa_signer_close(&inputs->vsa_signer);
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

/*
 * struct report - a report in a file: begun, so that what can fail has failed, before the
 * device's record is written; filled and put in place after
 */
struct report {
	struct file_writer writer;
	struct buffer text;
	bool wanted;
};

static void report_free(struct report *report)
{
	if (report->wanted)
		file_abort(&report->writer);
	buffer_free(&report->text);
}

static int begin_report(struct report *report, const char *path, struct assay_error *err)
{
	int r;

	if (report->text.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = file_begin(&report->writer, path, 0666, err);
	report->wanted = r == 0;
	return r;
}

static int commit_report(struct report *report, struct assay_error *err)
{
	if (!report->wanted)
		return 0;
	fwrite(report->text.data, 1, report->text.size, report->writer.stream);
	return file_commit(&report->writer, err);
}

static int begin_summary(struct report *report, const struct verify_options *options,
			 const struct inputs *inputs, const struct verdict *verdict, uint64_t now,
			 struct assay_error *err)
{
	const struct references *references = &inputs->references;
	const struct vsa vsa = { .verifier = options->vsa.verifier,
				 .resource = options->vsa.resource,
				 .policy = references->policy_digest,
				 .evidence = inputs->evidence,
				 .evidence_name = options->evidence,
				 .manifests = references->manifests,
				 .manifest_count = references->manifest_count,
				 .now = now };
	int r = vsa_write(verdict, &vsa, &inputs->vsa_signer.signer, &report->text, err);

	return r < 0 ? r : begin_report(report, options->vsa.file, err);
}

static int show(const struct verdict *verdict, const struct verify_options *options)
{
	int status = verdict_trusted(verdict)				? EXIT_OK :
		     verdict->passed & CHECK_BIT(CHECK_EVIDENCE_PARSED) ? EXIT_FAILED :
									  EXIT_UNREADABLE;
	struct assay_error err;
	int flushed;

	if (options->json) {
		if (command_print_json(verdict_to_json(verdict), JSON_INDENT(1), &err) < 0)
			return command_failed(&command_verify, &err);
	} else if (!print_text(verdict, options->verbose)) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_verify, &err);
	}
	/* A verdict that did not get out is not a verdict. */
	flushed = command_flush(&command_verify);
	return flushed == EXIT_OK ? status : flushed;
}

/* Room for "sha256:", a digest and what the call changes of the policy. */
#define POLICY_ID (2 * ASSAY_DIGEST_MAX + 32)

/* The policy by its file's digest, and that the call's words changed it. */
static void policy_id(const struct verify_options *options, const struct inputs *inputs,
		      char text[static POLICY_ID])
{
	const struct assay_digest *digest = &inputs->references.policy;
	char hex[2 * ASSAY_DIGEST_MAX + 1] = "";
	bool changed = options->waived || options->no_ima_log || options->prefix ||
		       options->starts.count > 0 || options->accept_file_signature ||
		       options->ak_vouched ||
		       (inputs->policy.rules.ak_certified && options->ak_trust.roots.count > 0);

	hex_encode(BYTES(digest->bytes, digest->size), hex);
	snprintf(text, POLICY_ID, "%s%s%s", options->policy ? "sha256:" : "default", hex,
		 changed ? "+options" : "");
}

static int make_results(const struct verify_options *options, struct inputs *inputs,
			const struct verdict *verdict, uint64_t now, struct buffer *ear,
			struct buffer *cmw, struct assay_error *err)
{
	char policy[POLICY_ID];
	struct ear_facts facts = {
		.nonce = BYTES(options->nonce, options->nonce_size),
		.now = now,
		.policy_id = policy,
		.device = options->device ? inputs->device.record.machine_id : NULL,
	};

	policy_id(options, inputs, policy);
	return results_make(&options->results, verdict, facts, inputs->evidence,
			    inputs->result_signer, ear, cmw, err);
}

/*
 * Nothing says "trusted" before what this verdict leaves is kept: what is not kept could be
 * offered again.
 */
static int publish(const struct verify_options *options, struct inputs *inputs,
		   const struct verdict *verdict, struct html_report *html, uint64_t now)
{
	CLEANUP(report_free) struct report page = { 0 };
	CLEANUP(report_free) struct report junit = { 0 };
	CLEANUP(report_free) struct report ear = { 0 };
	CLEANUP(report_free) struct report cmw = { 0 };
	CLEANUP(report_free) struct report summary = { 0 };
	struct report *const reports[] = { &page, &junit, &ear, &cmw, &summary };
	struct assay_error err = { 0 };
	int r;

	if (html)
		html_end(html, verdict, options->evidence, now, &page.text);
	r = make_results(options, inputs, verdict, now, &ear.text, &cmw.text, &err);
	if (r == 0 && options->results.ear)
		r = begin_report(&ear, options->results.ear, &err);
	if (r == 0 && options->results.cmw)
		r = begin_report(&cmw, options->results.cmw, &err);
	if (r == 0 && html)
		r = begin_report(&page, options->html, &err);
	if (r == 0 && options->junit) {
		junit_write(verdict, options->evidence, now, &junit.text);
		r = begin_report(&junit, options->junit, &err);
	}
	if (r == 0 && options->vsa.file)
		r = begin_summary(&summary, options, inputs, verdict, now, &err);
	if (r == 0 && verdict_trusted(verdict))
		r = record_file_keep(&inputs->device, &verdict->state, &err);
	for (size_t i = 0; r == 0 && i < sizeof(reports) / sizeof(reports[0]); i++)
		r = commit_report(reports[i], &err);
	if (r < 0)
		return command_failed(&command_verify, &err);
	return show(verdict, options);
}

static int judge_evidence(const struct verify_options *options, struct inputs *inputs)
{
	const struct references *references = &inputs->references;
	struct verify_input input = {
		.evidence = inputs->evidence,
		.nonce = BYTES(options->nonce, options->nonce_size),
		.ak_public = buffer_bytes(&inputs->ak),
		.ak_key = inputs->ak_key,
		.ak_trust = references->ak_trust.roots ? &references->ak_trust : NULL,
		.ak_certificates = buffer_bytes(&inputs->ak_certificates),
		.ak_vouched = options->ak_vouched,
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
	struct verdict verdict;
	struct html_report *html = NULL;

	if (input.nonce.size == 0 && !inputs->policy.rules.no_nonce)
		return command_usage(&command_verify,
				     "missing option: --nonce, which the policy wants");
	if (input.nonce.size > 0 && input.nonce.size < inputs->policy.rules.nonce_size)
		return command_usage(&command_verify,
				     "the nonce has %zu bytes; the policy takes no fewer than %zu",
				     input.nonce.size, inputs->policy.rules.nonce_size);
	if (options->html)
		html = html_begin();
	if (options->html && !html) {
		struct assay_error err;

		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_verify, &err);
	}
	if (html)
		input.observer = html_observer(html);
	verify(&input, &inputs->policy.rules, &verdict);
	return publish(options, inputs, &verdict, html, input.now);
}

static int run_verify(int argc, char **argv)
{
	struct verify_options options = { 0 };
	struct inputs inputs = { .device = { .lock = -1 } };
	struct assay_error err = { 0 };
	struct operands operands;
	int status = command_parse(&command_verify, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		goto out;
	options.evidence = operands.list[0];
	status = check_options(&options);
	if (status != COMMAND_GO)
		goto out;
	if (read_evidence(options.evidence, &inputs, &err) < 0) {
		command_failed(&command_verify, &err);
		status = EXIT_UNREADABLE;
	} else if (read_references(&options, &inputs, &err) < 0) {
		status = command_failed(&command_verify, &err);
	} else {
		status = judge_evidence(&options, &inputs);
	}
out:
	inputs_free(&inputs);
	option_texts_free(&options.manifests);
	option_texts_free(&options.certificates);
	trust_paths_free(&options.ak_trust);
	return status;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "judge evidence: a verdict in which every check is named",
	.usage = "EVIDENCE --nonce HEX --device RECORD --policy POLICY [OPTION]...\n"
		 "EVIDENCE --nonce HEX --device RECORD --manifest M --cert CERT.pem [OPTION]...\n",
	.intro =
		"Judges evidence of 'assay quote': is the quote the enrolled key's answer to this\n"
		"nonce, do the logs replay to the quoted PCRs, and is every measured file what a\n"
		"signed manifest says? Only if every required check passed is the verdict\n"
		"\"trusted\"; what failed is named, with what to do. Needs neither a TPM nor the\n"
		"kernel module. EVIDENCE may be in a conceptual message wrapper (CMW); '-' is\n"
		"standard input.\n",
	.options = verify_rows,
	.operands = "EVIDENCE",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 trusted, 1 not trusted (or something else than the evidence\n"
		    "cannot be read), 2 wrong usage, 3 the evidence cannot be read.\n",
	.run = run_verify,
};
