// SPDX-License-Identifier: MIT
/* `assay key create`: a key in the TPM. */
#define _GNU_SOURCE
#include "key.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "sign/certificate.h"
#include "tpm/context.h"
#include "tpm/pcr.h"
#include "tpm_options.h"

/* One file that is written. */
struct key_output {
	const char *path; /* NULL: not wanted */
	mode_t mode;
	struct buffer content;
	struct file_writer writer;
	bool committed;
};

enum { OUTPUT_CERTIFICATE, OUTPUT_PUBLIC, OUTPUT_KEY, OUTPUT_COUNT };

/**
 * struct create_options - what is asked for
 * @tpm: how it is reached, and the parent
 * @passphrase, @passphrase_file: the new key's
 * @pcrs: of no bank: none
 * @persistent: where to keep the key; NULL: nowhere
 * @scheme: of attestation keys, in the order of the option's words
 */
struct create_options {
	struct tpm_options tpm;
	const char *passphrase_file;
	struct key_output outputs[OUTPUT_COUNT];
	const char *subject;
	uint32_t days;
	enum tpm_key_algorithm algorithm;
	enum { SCHEME_RSASSA, SCHEME_RSAPSS } scheme;
	bool scheme_given;
	struct tpm_pcrs pcrs;
	struct tpm_key_handle persistent;
	bool passphrase, restricted, force, json;
};

/* What the TPM made. */
struct created {
	struct tpm_key_file file;
	struct buffer qualified_name;
};

static void created_free(struct created *created)
{
	tpm_key_file_free(&created->file);
	buffer_free(&created->qualified_name);
}

/* ------------------------------------------------------------------- files */

static int check_outputs_absent(const struct key_output *outputs, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OUTPUT_COUNT; i++)
		if (outputs[i].path)
			r = key_check_absent(outputs[i].path, err);
	return r;
}

static int fill_output(struct key_output *output, struct assay_error *err)
{
	int r = file_begin(&output->writer, output->path, output->mode, err);

	if (r < 0)
		return r;
	if (fwrite(output->content.data, 1, output->content.size, output->writer.stream) ==
	    output->content.size)
		return 0;
	return assay_fail(err, errno, "cannot write %s: %s", output->path, strerror(errno));
}

/* All files are there with all their bytes before the first gets its name; the key is last. */
static int write_outputs(struct key_output *outputs, bool force, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OUTPUT_COUNT; i++)
		if (outputs[i].path)
			r = fill_output(&outputs[i], err);
	/* Making a key takes a while: look again. */
	if (r == 0 && !force)
		r = check_outputs_absent(outputs, err);
	for (size_t i = 0; r == 0 && i < OUTPUT_COUNT; i++)
		if (outputs[i].path) {
			r = file_commit(&outputs[i].writer, err);
			outputs[i].committed = r == 0;
		}
	for (size_t i = 0; i < OUTPUT_COUNT; i++) {
		file_abort(&outputs[i].writer);
		if (r < 0 && outputs[i].committed)
			file_discard(outputs[i].path);
	}
	return r;
}

/* ----------------------------------------------------------------- the key */

static int certify_key(struct tpm_key *key, const struct create_options *options,
		       struct buffer *out, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct signer *signer;
	int r = tpm_key_signer(key, &signer, err);

	if (r < 0)
		return r;
	r = certificate_make(signer, options->subject, options->days, &certificate, err);
	if (r == 0)
		r = certificate_append_pem(certificate, out, err);
	signer->close(signer);
	return r;
}

/* Of a key that is loaded: what else is wanted of it. */
static int finish_key(struct tpm_key *key, struct create_options *options, struct created *created,
		      struct assay_error *err)
{
	struct key_output *outputs = options->outputs;
	int r = tpm_key_qualified_name(key, &created->qualified_name, err);

	if (r == 0 && options->persistent.handle != 0)
		r = tpm_key_persist(key, options->persistent.handle, err);
	if (r == 0 && outputs[OUTPUT_CERTIFICATE].path)
		r = certify_key(key, options, &outputs[OUTPUT_CERTIFICATE].content, err);
	if (r == 0)
		r = tpm_key_file_format(&created->file, &outputs[OUTPUT_KEY].content, err);
	if (r < 0 || !outputs[OUTPUT_PUBLIC].path)
		return r;
	buffer_append_bytes(&outputs[OUTPUT_PUBLIC].content, tpm_key_public_area(key));
	return outputs[OUTPUT_PUBLIC].content.failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static int make_key(struct tpm *tpm, struct create_options *options, struct bytes password,
		    struct created *created, struct assay_error *err)
{
	const struct tpm_key_options wanted = {
		.use = options->restricted ? TPM_KEY_ATTESTATION : TPM_KEY_SIGNING,
		.algorithm = options->algorithm,
		.pss = options->scheme == SCHEME_RSAPSS,
		.parent = options->tpm.parent,
		.password = password,
		.pcrs = options->pcrs.count > 0 ? &options->pcrs : NULL,
	};
	struct tpm_key *key = NULL;
	int r = tpm_key_create(tpm, &wanted, &created->file, err);

	/* Loading it proves that the file will do. */
	if (r == 0)
		r = tpm_key_load(tpm, &created->file, password, "the new key", &key, err);
	if (r == 0)
		r = finish_key(key, options, created, err);
	tpm_key_unload(key);
	return r;
}

static int ask_and_make_key(struct create_options *options, struct created *created,
			    struct assay_error *err)
{
	CLEANUP(secret_free) struct buffer password = { 0 };
	struct tpm *tpm = NULL;
	int r = 0;

	if (options->passphrase || options->passphrase_file)
		r = secret_read(options->passphrase_file, "the new key's password", true, &password,
				err);
	if (r == 0)
		r = tpm_options_open(&options->tpm, &tpm, err);
	if (r == 0)
		r = make_key(tpm, options, buffer_bytes(&password), created, err);
	tpm_close(tpm);
	return r;
}

/* ------------------------------------------------------------ what is told */

static void name_persistent(const struct create_options *options, char *text, size_t size)
{
	snprintf(text, size, TPM_KEY_HANDLE_PREFIX "0x%08" PRIx32, options->persistent.handle);
}

/* NULL without memory, which jansson hands through. */
static json_t *created_json(const struct create_options *options, const struct created *created,
			    const struct tpm_key_facts *facts)
{
	const struct key_output *outputs = options->outputs;
	json_t *value = key_facts_json(outputs[OUTPUT_KEY].path, facts, &created->file);
	int bad = json_object_set_new(value, "qualified_name",
				      json_hex(buffer_bytes(&created->qualified_name)));
	char persistent[32];

	name_persistent(options, persistent, sizeof(persistent));
	if (options->persistent.handle != 0)
		bad |= json_object_set_new(value, "persistent", json_string(persistent));
	if (outputs[OUTPUT_CERTIFICATE].path)
		bad |= json_object_set_new(value, "certificate",
					   command_text_json(outputs[OUTPUT_CERTIFICATE].path));
	if (outputs[OUTPUT_PUBLIC].path)
		bad |= json_object_set_new(value, "public",
					   command_text_json(outputs[OUTPUT_PUBLIC].path));
	if (bad == 0)
		return value;
	json_decref(value);
	return NULL;
}

static int print_created(const struct create_options *options, const struct created *created)
{
	const struct key_output *outputs = options->outputs;
	const char *path = outputs[OUTPUT_KEY].path;
	struct tpm_key_facts facts;
	struct assay_error err;
	char text[2 * TPM_KEY_NAME_MAX + 1];

	if (tpm_key_describe(&created->file, path, &facts, &err) < 0)
		return command_failed(&command_key_create, &err);
	if (options->json)
		return command_emit_json(&command_key_create,
					 created_json(options, created, &facts));
	if (options->persistent.handle != 0) {
		name_persistent(options, text, sizeof(text));
		printf("%s: the key, kept in the TPM\n", text);
	}
	printf("%s: %s key, %s%s%s\n", path, key_use_name(facts.use), facts.algorithm,
	       facts.password ? ", with a password" : "",
	       facts.pcr_policy ? ", bound to PCRs" : "");
	if (outputs[OUTPUT_CERTIFICATE].path)
		printf("%s: its certificate\n", outputs[OUTPUT_CERTIFICATE].path);
	if (outputs[OUTPUT_PUBLIC].path)
		printf("%s: its public part\n", outputs[OUTPUT_PUBLIC].path);
	if (facts.use == TPM_KEY_ATTESTATION && created->qualified_name.size <= TPM_KEY_NAME_MAX) {
		hex_encode(buffer_bytes(&created->qualified_name), text);
		printf("qualified name: %s\n", text);
	}
	return command_flush(&command_key_create);
}

static int create_key(struct create_options *options)
{
	CLEANUP(created_free) struct created created = { 0 };
	struct assay_error err;
	int r = options->force ? 0 : check_outputs_absent(options->outputs, &err);

	if (r == 0)
		r = ask_and_make_key(options, &created, &err);
	if (r == 0)
		r = write_outputs(options->outputs, options->force, &err);
	return r < 0 ? command_failed(&command_key_create, &err) : print_created(options, &created);
}

/* ----------------------------------------------------------------- options */

/* "sha384:7,14", or "7,14" of sha256 */
static bool parse_pcrs(const char *text, struct tpm_pcrs *ret)
{
	const char *colon = strchr(text, ':');
	enum assay_hash hash = ASSAY_HASH_SHA256;
	uint32_t selected = 0;
	char name[16], *end;

	if (colon) {
		if ((size_t)(colon - text) >= sizeof(name))
			return false;
		memcpy(name, text, (size_t)(colon - text));
		name[colon - text] = '\0';
		hash = assay_hash_by_name(name);
		text = colon + 1;
	}
	for (;; text = end + 1) {
		unsigned long pcr = strtoul(text, &end, 10);

		if (text[0] < '0' || text[0] > '9' || pcr >= TPM_PCR_COUNT)
			return false;
		selected |= UINT32_C(1) << pcr;
		if (*end != ',')
			break;
	}
	if (*end != '\0' || hash == ASSAY_HASH_NONE)
		return false;
	*ret = (struct tpm_pcrs){ .count = 1, .banks = { { .hash = hash, .selected = selected } } };
	return true;
}

static int take_pcrs(void *place, const char *value, struct assay_error *err)
{
	if (parse_pcrs(value, place))
		return 0;
	return assay_fail(err, EINVAL, "must be PCRs of one bank, as sha256:7,14, not '%s'", value);
}

static int take_handle(void *place, const char *value, struct assay_error *err)
{
	struct tpm_key_handle *handle = place;

	if (tpm_key_handle(value, handle, NULL) == 0 && handle->primary_size == 0)
		return 0;
	return assay_fail(err, EINVAL,
			  "must be " TPM_KEY_HANDLE_PREFIX "0x81000000 to " TPM_KEY_HANDLE_PREFIX
			  "0x81ffffff, not '%s'",
			  value);
}

static int check_create(const struct create_options *options)
{
	const struct key_output *outputs = options->outputs;

	if (options->restricted && outputs[OUTPUT_CERTIFICATE].path)
		return command_usage(
			&command_key_create,
			"a restricted key cannot sign a certificate: leave out --cert");
	if (options->restricted && options->algorithm == TPM_KEY_P521)
		return command_usage(
			&command_key_create,
			"an attestation key cannot be p521: 'assay verify' takes quotes "
			"by P-256, P-384 and RSA");
	if (options->restricted &&
	    (options->passphrase || options->passphrase_file || options->pcrs.count > 0))
		return command_usage(&command_key_create,
				     "a restricted key is without password and PCRs: a "
				     "quote is asked for by the verifier's nonce");
	if (options->scheme_given && options->algorithm < TPM_KEY_RSA2048)
		return command_usage(&command_key_create,
				     "--scheme is of RSA keys: give one with --algorithm");
	return EXIT_OK;
}

static int run_key_create(int argc, char **argv)
{
	struct create_options options = {
		.subject = KEY_DEFAULT_SUBJECT,
		.days = KEY_DEFAULT_DAYS,
		.outputs = {
			[OUTPUT_CERTIFICATE] = { .mode = 0644 },
			[OUTPUT_PUBLIC] = { .mode = 0644 },
			[OUTPUT_KEY] = { .mode = 0600 },
		},
	};
	int status = command_parse(&command_key_create, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	status = check_create(&options);
	if (status == EXIT_OK)
		status = create_key(&options);
	for (size_t i = 0; i < OUTPUT_COUNT; i++)
		buffer_free(&options.outputs[i].content);
	return status;
}

/* clang-format off */
static const struct option_row create_rows[] = {
	{ "out", 'o', "FILE", "where to write the key file; not over an existing one",
	  OPTION_OUTPUT(struct create_options, outputs[OUTPUT_KEY].path), .required = true },
	{ "algorithm", 'a', "p256|p384|p521|rsa2048|rsa3072|rsa4096",
	  "what kind of key, of those that the TPM has (p256)",
	  OPTION_CHOICE(struct create_options, algorithm) },
	{ "cert", 0, "FILE", "where to write a self-signed certificate of the key (PEM)",
	  OPTION_OUTPUT(struct create_options, outputs[OUTPUT_CERTIFICATE].path) },
	{ "subject", 0, "CN", "the certificate's common name (" KEY_DEFAULT_SUBJECT ")",
	  OPTION_TEXT(struct create_options, subject), .needs = "cert" },
	{ "days", 0, "N", "how long the certificate is valid (3650)",
	  OPTION_NUMBER(struct create_options, days, 1, CERTIFICATE_DAYS_MAX), .needs = "cert" },
	{ "public", 0, "FILE",
	  "where to write the public part (TPM2B_PUBLIC), which 'assay verify --ak' takes",
	  OPTION_OUTPUT(struct create_options, outputs[OUTPUT_PUBLIC].path) },
	OPTION_HEADING("What using the key takes:"),
	{ "passphrase", 0, NULL, "a password, which is asked for now",
	  OPTION_FLAG(struct create_options, passphrase), .alias = "password",
	  .excludes = "passphrase-file" },
	{ "passphrase-file", 0, "FILE", "the password in this file",
	  OPTION_INPUT(struct create_options, passphrase_file) },
	{ "pcrs", 0, "LIST", "that these PCRs are as they are now: 7,14 or sha384:7,14",
	  OPTION_FUNCTION(struct create_options, pcrs, take_pcrs) },
	OPTION_HEADING("Attestation keys:"),
	{ "restricted", 0, NULL, "make an attestation key: it signs quotes and nothing else",
	  OPTION_FLAG(struct create_options, restricted) },
	{ "scheme", 0, "rsassa|rsapss", "of one that is RSA: the scheme that it is fixed to (rsassa)",
	  OPTION_CHOICE(struct create_options, scheme), .needs = "restricted",
	  OPTION_GIVEN(struct create_options, scheme_given) },
	OPTION_HEADING("The TPM:"),
	{ "parent", 0, "HANDLE",
	  "the persistent storage key to make it below, 0x81... (the owner hierarchy's storage "
	  "primary)",
	  OPTION_FUNCTION(struct create_options, tpm.parent, option_tpm_parent) },
	{ "parent-password-file", 0, "FILE", "that key's password, where it has one",
	  OPTION_INPUT(struct create_options, tpm.parent_password), .needs = "parent" },
	{ "persistent", 0, "handle:0x81...",
	  "keep the key in the TPM, too, at this handle: what takes a key file takes this name as "
	  "well",
	  OPTION_FUNCTION(struct create_options, persistent, take_handle) },
	OPTION_ROW_OWNER_PASSWORD(struct create_options, tpm),
	OPTION_ROW_TCTI(struct create_options, tpm),
	OPTION_HEADING("Output:"),
	OPTION_ROW_FORCE(struct create_options, force),
	OPTION_ROW_JSON(struct create_options, json),
	OPTION_END,
};
/* clang-format on */

const struct command command_key_create = {
	.name = "key create",
	.summary = "make a signing or attestation key in the TPM",
	.intro =
		"Makes a key in the TPM, below the owner hierarchy's storage primary or another\n"
		"storage key. What is written is a TSS2 key file (as tpm2-openssl uses): it works\n"
		"with this TPM only.\n",
	.options = create_rows,
	.epilogue =
		"The qualified name that is told of an attestation key is what quotes will say\n"
		"signed them: note it for 'assay verify --ak-qualified-name'.\n",
	.run = run_key_create,
};
