// SPDX-License-Identifier: MIT
/*
 * `assay policy` of signers and devices: what assay-verify has, and policies of IPE signed and
 * given to the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmd.h"
#include "enforce/ipe_load.h"
#include "sign/pkcs7.h"
#include "signer_options.h"

static const struct command command_policy_sign, command_policy_load;

/* ---------------------------------------------------------------- sign */

struct policy_sign_options {
	struct signer_source key;
	const char *certificate, *out;
};

/* It begins with its name: no signature of anything else that assay signs covers such a text. */
static int check_beginning(struct bytes text, const char *path, struct assay_error *err)
{
	static const char wanted[] = "policy_name=";

	if (text.size >= sizeof(wanted) - 1 && memcmp(text.data, wanted, sizeof(wanted) - 1) == 0)
		return 0;
	return assay_fail(err, EBADMSG,
			  "%s: a policy that is signed begins with %s, without a comment before it",
			  path, wanted);
}

static int sign_text(const struct policy_sign_options *options, struct bytes text,
		     struct buffer *out, struct assay_error *err)
{
	const struct pkcs7_content content = { "the policy's signature", text, true, 0, true };
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct signer *signer = NULL;
	int r = certificate_load(options->certificate, &certificate, err);

	if (r == 0)
		r = signer_open(&options->key, &signer, err);
	if (!signer)
		return r;
	r = certificate_check_signer(certificate, signer, err);
	if (r == 0)
		r = pkcs7_sign_content(signer, certificate, true, &content, ASSAY_HASH_SHA256, out,
				       err);
	signer->close(signer);
	return r;
}

static int sign_policy(const char *path, const struct policy_sign_options *options,
		       struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(buffer_free) struct buffer out = { 0 };
	CLEANUP(ipe_policy_free) struct ipe_policy policy = { 0 };
	int r = file_read(path, IPE_TEXT_MAX, &text, err);

	if (r == 0)
		r = ipe_policy_read(buffer_bytes(&text), path, &policy, err);
	if (r == 0)
		r = check_beginning(buffer_bytes(&text), path, err);
	if (r == 0)
		r = sign_text(options, buffer_bytes(&text), &out, err);
	return r == 0 ? file_write(options->out, buffer_bytes(&out), 0644, err) : r;
}

static int run_sign(int argc, char **argv)
{
	struct policy_sign_options options = { .key.notice = signer_notice };
	struct assay_error err = { 0 };
	struct operands operands;
	int status = command_parse(&command_policy_sign, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		return status;
	return sign_policy(operands.list[0], &options, &err) < 0 ?
		       command_failed(&command_policy_sign, &err) :
		       EXIT_OK;
}

static const struct option_row sign_rows[] = {
	OPTION_ROWS_SIGNER(struct policy_sign_options, key),
	{ "cert", 'c', "CERT.pem", "the key's certificate; it is put into the signature",
	  OPTION_INPUT(struct policy_sign_options, certificate), .required = true },
	{ "out", 'o', "FILE", "the signed policy, PKCS#7 in DER",
	  OPTION_OUTPUT(struct policy_sign_options, out), .required = true },
	OPTION_END,
};

static const struct command command_policy_sign = {
	.name = "policy sign",
	.summary = "sign a policy of IPE's, in the form that the kernel takes",
	.intro = "Signs a policy of IPE's, which the kernel takes if the signer's certificate is\n"
		 "built into it, a machine owner key (MOK), or in the firmware's db, or if one of\n"
		 "these issued it. POLICY '-' is standard input.\n",
	.options = sign_rows,
	.operands = "POLICY",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 done, 1 the kernel would not take the policy, or it could not "
		    "be signed,\n2 wrong usage.\n",
	.run = run_sign,
};

/* ---------------------------------------------------------------- load */

struct policy_load_options {
	const char *securityfs;
	bool permissive, enforce, no_activate, json;
};

static int print_loaded(const struct ipe_loaded *loaded, const struct policy_load_options *options)
{
	char version[IPE_VERSION_TEXT];

	ipe_version_text(&loaded->version, version);
	if (options->json)
		return command_emit_json(
			&command_policy_load,
			json_pack("{s:s, s:s, s:b, s:b, s:b}", "policy_name", loaded->name,
				  "policy_version", version, "was_loaded", (int)loaded->already,
				  "updated", (int)loaded->updated, "active", (int)loaded->active));
	printf("%s %s: %s, %s\n", loaded->name, version,
	       loaded->already ? "was loaded already" :
	       loaded->updated ? "updated" :
				 "loaded",
	       loaded->active ? "active" : "not active");
	return command_flush(&command_policy_load);
}

static int run_load(int argc, char **argv)
{
	struct policy_load_options options = { .securityfs = IPE_SECURITYFS };
	CLEANUP(buffer_free) struct buffer der = { 0 };
	struct ipe_loaded loaded = { 0 };
	struct assay_error err = { 0 };
	struct operands operands;
	int r, status = command_parse(&command_policy_load, argc, argv, &options, &operands);
	struct ipe_load load;

	if (status != COMMAND_GO)
		return status;
	load = (struct ipe_load){
		.securityfs = options.securityfs,
		.mode = options.permissive ? IPE_MODE_PERMISSIVE :
			options.enforce	   ? IPE_MODE_ENFORCE :
					     IPE_MODE_KEEP,
		.activate = !options.no_activate,
	};
	r = file_read(operands.list[0], IPE_SIGNED_MAX, &der, &err);
	if (r == 0)
		r = ipe_load(buffer_bytes(&der), operands.list[0], &load, &loaded, &err);
	return r < 0 ? command_failed(&command_policy_load, &err) : print_loaded(&loaded, &options);
}

static const struct option_row load_rows[] = {
	{ "permissive", 0, NULL,
	  "first have IPE tell what it would refuse (audit) and refuse nothing, whatever policy",
	  OPTION_FLAG(struct policy_load_options, permissive), .excludes = "enforce" },
	{ "enforce", 0, NULL, "first have IPE refuse again",
	  OPTION_FLAG(struct policy_load_options, enforce) },
	{ "no-activate", 0, NULL, "only load it: the active policy stays",
	  OPTION_FLAG(struct policy_load_options, no_activate) },
	{ "securityfs", 0, "DIR", "where securityfs is mounted (" IPE_SECURITYFS ")",
	  OPTION_DIRECTORY(struct policy_load_options, securityfs) },
	OPTION_ROW_JSON(struct policy_load_options, json),
	OPTION_END,
};

static const struct command command_policy_load = {
	.name = "policy load",
	.summary = "give a signed policy of IPE's to the kernel, and make it the active one",
	.intro = "Gives a signed policy of IPE's to the kernel, in the place of an older version\n"
		 "of the same name, and makes it the active one. It holds until the next boot.\n"
		 "SIGNED '-' is standard input.\n",
	.options = load_rows,
	.operands = "SIGNED",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 done, or the kernel has it already, 1 failed, 2 wrong usage.\n",
	.run = run_load,
};

/* ---------------------------------------------------------------- the verbs */

static const struct command *const policy_verbs[] = {
	&command_policy_lint, &command_policy_learn, &command_policy_import,
	&command_policy_make, &command_policy_sign,  &command_policy_load,
	&command_policy_diff, &command_policy_pcr11, NULL
};

const struct command command_policy = {
	.name = "policy",
	.summary = "explain, make and fill policies for verify and for the kernel",
	.intro = "Explain, make and fill policies for 'assay verify' (their form:\n"
		 "assay-policy(5)), and policies that the kernel enforces.\n",
	.verbs = policy_verbs,
	.question = "lint, learn, import, make, sign, load, diff or pcr11?",
};
