// SPDX-License-Identifier: MIT
/* `assay policy make`: policies for IPE, IMA and verify, from one signed manifest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/make.h"
#include "policy.h"
#include "policy_kernel.h"
#include "references.h"
#include "sign/manifest_signature.h"

#define ALL_OPERATIONS ((1U << IPE_OPERATIONS) - 1)
#define UUID_LENGTH 36

enum make_kind { MAKE_IPE, MAKE_IMA, MAKE_VERIFY };

/**
 * struct make_options - what was asked for
 * @operations: 0: all
 * @version: of IPE's policy; @version_given: else it is made of the manifest's time
 */
struct make_options {
	const char *manifest, *certificate;
	int kind;
	const char *name, *filesystem;
	struct ipe_version version;
	unsigned int operations;
	int by;
	struct option_texts root_hashes;
	bool version_given, no_initramfs, dmverity_signature, measure, firmware;
	const char *kernel_config;
	bool running;
};

static int add_operation(void *place, const char *value, struct assay_error *err)
{
	unsigned int *operations = place;
	enum ipe_operation operation;
	int r = ipe_operation_find(value, &operation, err);

	if (r == 0)
		*operations |= 1U << operation;
	return r;
}

static int set_version(void *place, const char *value, struct assay_error *err)
{
	return ipe_version_parse(value, place, err);
}

static int set_name(void *place, const char *value, struct assay_error *err)
{
	*(const char **)place = value;
	return ipe_check_name(value, err);
}

/* As IMA has them: 8-4-4-4-12 hexadecimal digits. */
static int set_filesystem(void *place, const char *value, struct assay_error *err)
{
	bool good = strlen(value) == UUID_LENGTH;

	for (size_t i = 0; i < UUID_LENGTH && good; i++)
		good = i == 8 || i == 13 || i == 18 || i == 23 ?
			       value[i] == '-' :
			       strchr("0123456789abcdefABCDEF", value[i]) != NULL;
	if (!good)
		return assay_fail(err, EINVAL,
				  "must be the UUID of a file system (blkid), 36 characters");
	*(const char **)place = value;
	return 0;
}

static int make_ipe(const struct make_options *options, const struct make_source *source,
		    struct buffer *out, struct assay_error *err)
{
	struct make_ipe wanted = {
		.name = options->name ? options->name : "assay",
		.version = options->version_given ?
				   options->version :
				   ipe_version_of(manifest_created(&source->header)),
		.operations = options->operations ? options->operations : ALL_OPERATIONS,
		.by_digest = options->by == 1,
		.boot_verified = !options->no_initramfs,
		.dmverity_signature = options->dmverity_signature,
		.root_hashes = options->root_hashes.list,
		.root_hash_count = options->root_hashes.count,
	};

	return make_ipe_policy(source, &wanted, out, err);
}

static int make_ima(const struct make_options *options, const struct make_source *source,
		    struct buffer *out, struct assay_error *err)
{
	struct make_ima wanted = {
		.filesystem = options->filesystem,
		.measure = options->measure,
		.firmware = options->firmware,
	};

	return make_ima_policy(source, &wanted, out, err);
}

/* The manifest that it names, or a newer one of the same product, and nobody else's. */
static json_t *make_verify(const struct make_options *options, const struct make_source *source)
{
	json_t *policy = policy_new();
	json_t *manifest = json_pack("{s:s}", "min_created", source->header.created);
	bool good =
		policy && manifest &&
		json_object_set_new(policy, "manifests",
				    json_pack("[o]", command_text_json(options->manifest))) == 0 &&
		json_object_set_new(policy, "certificates",
				    json_pack("[o]", command_text_json(options->certificate))) == 0;

	if (good && source->header.product[0] != '\0')
		good = json_object_set_new(manifest, "product",
					   json_string(source->header.product)) == 0;
	good = good && json_object_set(policy, "manifest", manifest) == 0;
	json_decref(manifest);
	if (good)
		return policy;
	json_decref(policy);
	return NULL;
}

/* What a kernel honours of what was made: on standard error, for the policy is printed. */
static void tell(void *context, enum honour_level level, const char *text)
{
	(void)context;
	if (level != HONOUR_SAYS)
		fprintf(stderr, "assay policy make: %s: %s\n",
			level == HONOUR_WARNING ? "warning" : "note", text);
}

static int tell_honoured(const struct make_options *options, struct bytes text,
			 struct assay_error *err)
{
	CLEANUP(kernel_facts_free) struct kernel_facts facts = { 0 };
	bool kernel = options->kernel_config || options->running;
	int r = kernel ? policy_kernel(options->kernel_config, &facts, err) : 0;

	return r == 0 ? policy_honoured(text, "the policy", kernel ? &facts : NULL, tell, NULL,
					err) :
			r;
}

static int print_text(const struct make_options *options, const struct buffer *text)
{
	struct assay_error err = { 0 };

	if (tell_honoured(options, buffer_bytes(text), &err) < 0)
		return command_failed(&command_policy_make, &err);
	fwrite(text->data, 1, text->size, stdout);
	return command_flush(&command_policy_make);
}

static int read_source(const struct make_options *options, struct references *references,
		       struct make_source *ret, struct assay_error *err)
{
	const struct verify_manifest *manifest;
	int r = references_certificate(references, options->certificate, err);

	if (r == 0)
		r = references_manifest(references, options->manifest, err);
	if (r < 0)
		return r;
	manifest = references->manifests;
	r = manifest_verify_any(manifest->text, manifest->name, manifest->signature,
				references->certificates, references->certificate_count, 0, err);
	return r == 0 ? make_source_read(manifest->text, manifest->name, ret, err) : r;
}

static int make(const struct make_options *options)
{
	CLEANUP(references_free) struct references references = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct make_source source = { 0 };
	struct assay_error err = { 0 };
	json_t *policy;
	int r = read_source(options, &references, &source, &err);

	if (r == 0 && options->kind == MAKE_VERIFY) {
		policy = make_verify(options, &source);
		if (policy)
			return policy_print(&command_policy_make, policy);
		r = assay_fail(&err, ENOMEM, "out of memory");
	} else if (r == 0) {
		r = options->kind == MAKE_IPE ? make_ipe(options, &source, &text, &err) :
						make_ima(options, &source, &text, &err);
	}
	return r < 0 ? command_failed(&command_policy_make, &err) : print_text(options, &text);
}

/* What is for another kind of policy would be passed over: NULL if there is nothing. */
static const char *misplaced(const struct make_options *options)
{
	bool ipe = options->name || options->version_given || options->operations ||
		   options->by > 0 || options->no_initramfs || options->dmverity_signature ||
		   options->root_hashes.count > 0;
	bool ima = options->filesystem || options->measure || options->firmware;

	if (ipe && options->kind != MAKE_IPE)
		return "--name, --policy-version, --op, --by, --no-initramfs, --dm-verity and "
		       "--dm-verity-root are for --for ipe";
	if (ima && options->kind != MAKE_IMA)
		return "--file-system, --measure and --firmware are for --for ima";
	if ((options->kernel_config || options->running) && options->kind == MAKE_VERIFY)
		return "--kernel-config and --running are for --for ipe and ima";
	return NULL;
}

static int run_make(int argc, char **argv)
{
	struct make_options options = { 0 };
	int status = command_parse(&command_policy_make, argc, argv, &options, NULL);
	const char *wrong = status == COMMAND_GO ? misplaced(&options) : NULL;

	if (wrong)
		status = command_usage(&command_policy_make, "%s", wrong);
	else if (status == COMMAND_GO)
		status = make(&options);
	option_texts_free(&options.root_hashes);
	return status;
}

/* clang-format off */
static const struct option_row make_rows[] = {
	{ "from", 'm', "MANIFEST", "the manifest; its signature is beside it, in MANIFEST.p7s",
	  OPTION_INPUT(struct make_options, manifest), .required = true },
	{ "cert", 'c', "CERT.pem", "the certificate of its signer",
	  OPTION_INPUT(struct make_options, certificate), .required = true },
	{ "for", 0, "ipe|ima|verify", "who is to take the policy",
	  OPTION_CHOICE(struct make_options, kind), .required = true },
	OPTION_HEADING("For IPE:"),
	{ "name", 0, "NAME", "the policy's name; policies of one name replace each other (assay)",
	  OPTION_FUNCTION(struct make_options, name, set_name) },
	{ "policy-version", 0, "N.N.N",
	  "its version, which has to be higher than that of the one that it replaces (when the manifest "
	  "was made: day.minute.second)",
	  OPTION_FUNCTION(struct make_options, version, set_version),
	  OPTION_GIVEN(struct make_options, version_given) },
	{ "op", 0, "OPERATION",
	  "enforce it, and allow the others: EXECUTE, FIRMWARE, KMODULE, KEXEC_IMAGE, "
	  "KEXEC_INITRAMFS, POLICY or X509_CERT; repeatable (all of them)",
	  OPTION_FUNCTION(struct make_options, operations, add_operation), .repeatable = true },
	{ "by", 0, "signature|digest",
	  "allow what has a built-in signature by a certificate in .fs-verity, or the manifest's digests "
	  "alone, one rule each (signature)",
	  OPTION_CHOICE(struct make_options, by) },
	{ "no-initramfs", 0, NULL,
	  "do not allow what is in the initramfs: for a policy that is loaded behind it",
	  OPTION_FLAG(struct make_options, no_initramfs) },
	{ "dm-verity", 0, NULL, "allow what is on dm-verity volumes whose root hash is signed",
	  OPTION_FLAG(struct make_options, dmverity_signature) },
	{ "dm-verity-root", 0, "HASH:HEX",
	  "allow what is on the dm-verity volume with this root hash; repeatable",
	  OPTION_TEXTS(struct make_options, root_hashes) },
	OPTION_HEADING("For IMA:"),
	{ "file-system", 0, "UUID", "appraise files on this file system alone",
	  OPTION_FUNCTION(struct make_options, filesystem, set_filesystem) },
	{ "measure", 0, NULL,
	  "measure what is appraised, too: the policy takes the place of the one that measures",
	  OPTION_FLAG(struct make_options, measure) },
	{ "firmware", 0, NULL, "appraise firmware of devices, too",
	  OPTION_FLAG(struct make_options, firmware) },
	OPTION_HEADING("What of it is honoured, on standard error:"),
	OPTION_ROWS_KERNEL(struct make_options, kernel_config, running),
	OPTION_END,
};
/* clang-format on */

const struct command command_policy_make = {
	.name = "policy make",
	.summary = "make a policy that lets only a manifest's files run, for IPE or IMA, or one "
		   "for verify",
	.intro = "Prints a policy made from a manifest whose signature is good: one of IPE's, to "
		 "be\n"
		 "signed by 'assay policy sign', one of IMA's, or one for 'assay verify' that "
		 "takes\n"
		 "this manifest or a newer one.\n",
	.options = make_rows,
	.epilogue = "Exit status: 0 done, 1 the manifest cannot be believed, or its files would "
		    "not run,\n"
		    "2 wrong usage.\n",
	.run = run_make,
};
