// SPDX-License-Identifier: MIT
/* `assay key`: keys in the TPM. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "sign/certificate.h"
#include "sign/key_file.h"
#include "tpm/context.h"
#include "tpm/key.h"
#include "tpm/pcr.h"
#include "tpm/signer.h"

#define DEFAULT_DAYS 3650
#define DEFAULT_SUBJECT "assay signing key"

static const struct command create, show, cert, export;

/* Options without a letter. */
enum { OPT_PASSPHRASE = 256, OPT_REQUEST, OPT_PERSISTENT };

/* ------------------------------------------------------------------ create */

/* One file that `key create` writes. */
struct output {
	const char *path; /* NULL: not wanted */
	mode_t mode;
	struct buffer content;
	struct file_writer writer;
	bool committed;
};

enum { OUTPUT_CERTIFICATE, OUTPUT_PUBLIC, OUTPUT_KEY, OUTPUT_COUNT };

struct create_options {
	const char *tcti;
	const char *subject;
	unsigned int days;
	enum tpm_key_algorithm algorithm;
	const char *passphrase_file;
	struct tpm_pcrs pcrs;	/* of no bank: none */
	const char *persistent; /* the name of a handle; NULL: not wanted */
	struct tpm_key_handle handle;
	bool password, restricted, force, json;
};

static int check_absent(const struct output *outputs, struct assay_error *err)
{
	struct stat status;

	for (size_t i = 0; i < OUTPUT_COUNT; i++)
		if (outputs[i].path && lstat(outputs[i].path, &status) == 0)
			return assay_fail(
				err, EEXIST,
				"%s exists; choose another name, or replace it with --force",
				outputs[i].path);
	return 0;
}

/* All files are there with all their bytes before the first gets its name; the key is last. */
static int write_outputs(struct output *outputs, bool force, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OUTPUT_COUNT; i++) {
		struct output *output = &outputs[i];

		if (!output->path)
			continue;
		r = file_begin(&output->writer, output->path, output->mode, err);
		if (r == 0 && fwrite(output->content.data, 1, output->content.size,
				     output->writer.stream) != output->content.size)
			r = assay_fail(err, errno, "cannot write %s: %s", output->path,
				       strerror(errno));
	}
	/* Making a key takes a while: look again. */
	if (r == 0 && !force)
		r = check_absent(outputs, err);
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

static int certify(struct tpm_key *key, const struct create_options *options, struct buffer *out,
		   struct assay_error *err)
{
	struct signer *signer;
	X509 *certificate = NULL;
	int r = tpm_key_signer(key, &signer, err);

	if (r < 0)
		return r;
	r = certificate_make(signer, options->subject, options->days, &certificate, err);
	if (r == 0)
		r = certificate_append_pem(certificate, out, err);
	X509_free(certificate);
	signer->close(signer);
	return r;
}

static int create_and_load(struct tpm *tpm, const struct create_options *options,
			   struct bytes password, struct tpm_key_file *file, struct tpm_key **ret,
			   struct assay_error *err)
{
	const struct tpm_key_options wanted = {
		.use = options->restricted ? TPM_KEY_ATTESTATION : TPM_KEY_SIGNING,
		.algorithm = options->algorithm,
		.password = password,
		.pcrs = options->pcrs.count > 0 ? &options->pcrs : NULL,
	};
	int r = tpm_key_create(tpm, &wanted, file, err);

	/* Loading it proves that the file will do. */
	return r < 0 ? r : tpm_key_load(tpm, file, password, "the new key", ret, err);
}

static int make_key(const struct create_options *options, struct output *outputs,
		    struct tpm_key_file *file, struct buffer *qualified_name,
		    struct assay_error *err)
{
	struct buffer password = { 0 };
	struct tpm_key *key = NULL;
	struct tpm *tpm = NULL;
	int r = 0;

	if (options->password || options->passphrase_file)
		r = secret_read(options->passphrase_file, "the new key's password", true, &password,
				err);
	if (r == 0)
		r = tpm_open(options->tcti, &tpm, err);
	if (r == 0)
		r = create_and_load(tpm, options, buffer_bytes(&password), file, &key, err);
	secret_free(&password);
	if (r == 0)
		r = tpm_key_qualified_name(key, qualified_name, err);
	if (r == 0 && options->persistent)
		r = tpm_key_persist(key, options->handle.handle, err);
	if (r == 0 && outputs[OUTPUT_CERTIFICATE].path)
		r = certify(key, options, &outputs[OUTPUT_CERTIFICATE].content, err);
	if (r == 0)
		r = tpm_key_file_format(file, &outputs[OUTPUT_KEY].content, err);
	if (r == 0 && outputs[OUTPUT_PUBLIC].path) {
		buffer_append_bytes(&outputs[OUTPUT_PUBLIC].content, tpm_key_public_area(key));
		if (outputs[OUTPUT_PUBLIC].content.failed)
			r = assay_fail(err, ENOMEM, "out of memory");
	}
	tpm_key_unload(key);
	tpm_close(tpm);
	return r;
}

static const char *use_name(enum tpm_key_use use)
{
	return use == TPM_KEY_ATTESTATION ? "attestation" : "signing";
}

static json_t *facts_json(const char *path, const struct tpm_key_facts *facts, uint32_t parent)
{
	char handle[16];

	snprintf(handle, sizeof(handle), "0x%08" PRIx32, parent);
	return json_pack("{s:o, s:s, s:s, s:b, s:s, s:o, s:b, s:b}", "file",
			 command_text_json(path), "use", use_name(facts->use), "algorithm",
			 facts->algorithm, "made_here", (int)facts->made_here, "parent", handle,
			 "name", json_hex(BYTES(facts->name, facts->name_size)), "password",
			 (int)facts->password, "pcr_policy", (int)facts->pcr_policy);
}

/* NULL without memory, which jansson hands through. */
static json_t *created_json(const struct output *outputs, const struct tpm_key_facts *facts,
			    uint32_t parent, struct bytes qualified_name, const char *persistent)
{
	json_t *value = facts_json(outputs[OUTPUT_KEY].path, facts, parent);
	int bad = json_object_set_new(value, "qualified_name", json_hex(qualified_name));

	if (persistent)
		bad |= json_object_set_new(value, "persistent", command_text_json(persistent));
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

static int print_created(const struct output *outputs, const struct tpm_key_file *file,
			 struct bytes qualified_name, const char *persistent, bool json)
{
	const char *path = outputs[OUTPUT_KEY].path;
	struct tpm_key_facts facts;
	struct assay_error err;

	if (tpm_key_describe(file, path, &facts, &err) < 0)
		return command_failed(&create, &err);
	if (json)
		return command_emit_json(&create, created_json(outputs, &facts, file->parent,
							       qualified_name, persistent));
	if (persistent)
		printf("%s: the key, kept in the TPM\n", persistent);
	printf("%s: %s key, %s%s%s\n", path, use_name(facts.use), facts.algorithm,
	       facts.password ? ", with a password" : "",
	       facts.pcr_policy ? ", bound to PCRs" : "");
	if (outputs[OUTPUT_CERTIFICATE].path)
		printf("%s: its certificate\n", outputs[OUTPUT_CERTIFICATE].path);
	if (outputs[OUTPUT_PUBLIC].path)
		printf("%s: its public part\n", outputs[OUTPUT_PUBLIC].path);
	if (facts.use == TPM_KEY_ATTESTATION && qualified_name.size <= TPM_KEY_NAME_MAX) {
		char name[2 * TPM_KEY_NAME_MAX + 1];

		hex_encode(qualified_name, name);
		printf("qualified name: %s\n", name);
	}
	return command_flush(&create);
}

static int create_key(struct create_options *options, struct output *outputs)
{
	struct tpm_key_file file = { 0 };
	struct buffer qualified_name = { 0 };
	struct assay_error err;
	int r = 0, status;

	if (!options->force)
		r = check_absent(outputs, &err);
	if (r == 0)
		r = make_key(options, outputs, &file, &qualified_name, &err);
	if (r == 0)
		r = write_outputs(outputs, options->force, &err);
	status = r != 0 ? command_failed(&create, &err) :
			  print_created(outputs, &file, buffer_bytes(&qualified_name),
					options->persistent, options->json);
	tpm_key_file_free(&file);
	buffer_free(&qualified_name);
	for (size_t i = 0; i < OUTPUT_COUNT; i++)
		buffer_free(&outputs[i].content);
	return status;
}

static bool parse_days(const char *text, unsigned int *ret)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value == 0 ||
	    value > CERTIFICATE_DAYS_MAX)
		return false;
	*ret = (unsigned int)value;
	return true;
}

static bool parse_algorithm(const char *text, enum tpm_key_algorithm *ret)
{
	static const struct {
		const char *name;
		enum tpm_key_algorithm algorithm;
	} known[] = {
		{ "p256", TPM_KEY_P256 },
		{ "p384", TPM_KEY_P384 },
		{ "rsa2048", TPM_KEY_RSA2048 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i].name) == 0) {
			*ret = known[i].algorithm;
			return true;
		}
	return false;
}

/* "sha384:7,14", or "7,14" of sha256 */
static bool parse_policy(const char *text, struct tpm_pcrs *ret)
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

static int check_create(const struct create_options *options, const struct output *outputs,
			bool certificate_option)
{
	if (!outputs[OUTPUT_KEY].path)
		return command_usage(&create, "--out is needed: where to write the key file");
	if (options->restricted && outputs[OUTPUT_CERTIFICATE].path)
		return command_usage(
			&create, "a restricted key cannot sign a certificate: leave out --cert");
	if (options->restricted &&
	    (options->password || options->passphrase_file || options->pcrs.count > 0))
		return command_usage(&create, "a restricted key is without password and PCRs: a "
					      "quote is asked for by the verifier's nonce");
	if (certificate_option && !outputs[OUTPUT_CERTIFICATE].path)
		return command_usage(&create, "--subject and --days need --cert");
	for (size_t i = 0; i < OUTPUT_COUNT; i++)
		for (size_t j = 0; j < i; j++)
			if (outputs[i].path && outputs[j].path &&
			    strcmp(outputs[i].path, outputs[j].path) == 0)
				return command_usage(&create, "%s is named twice", outputs[i].path);
	return EXIT_OK;
}

static int run_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tcti", required_argument, NULL, 't' },
		{ "restricted", no_argument, NULL, 'r' },
		{ "out", required_argument, NULL, 'o' },
		{ "cert", required_argument, NULL, 'c' },
		{ "subject", required_argument, NULL, 's' },
		{ "days", required_argument, NULL, 'd' },
		{ "public", required_argument, NULL, 'p' },
		{ "algorithm", required_argument, NULL, 'a' },
		{ "password", no_argument, NULL, 'w' },
		{ "passphrase-file", required_argument, NULL, 'W' },
		{ "pcrs", required_argument, NULL, 'P' },
		{ "persistent", required_argument, NULL, OPT_PERSISTENT },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct create_options chosen = { .subject = DEFAULT_SUBJECT, .days = DEFAULT_DAYS };
	struct output outputs[OUTPUT_COUNT] = {
		[OUTPUT_CERTIFICATE] = { .mode = 0644 },
		[OUTPUT_PUBLIC] = { .mode = 0644 },
		[OUTPUT_KEY] = { .mode = 0600 },
	};
	bool certificate_option = false;
	int c, status;

	while ((c = command_option(&create, argc, argv, ":h", options, &status)) != -1)
		switch (c) {
		case 't':
			chosen.tcti = optarg;
			break;
		case 'r':
			chosen.restricted = true;
			break;
		case 'o':
			outputs[OUTPUT_KEY].path = optarg;
			break;
		case 'c':
			outputs[OUTPUT_CERTIFICATE].path = optarg;
			break;
		case 's':
			chosen.subject = optarg;
			certificate_option = true;
			break;
		case 'd':
			if (!parse_days(optarg, &chosen.days))
				return command_usage(&create, "--days takes 1 to %d, not '%s'",
						     CERTIFICATE_DAYS_MAX, optarg);
			certificate_option = true;
			break;
		case 'p':
			outputs[OUTPUT_PUBLIC].path = optarg;
			break;
		case 'a':
			if (!parse_algorithm(optarg, &chosen.algorithm))
				return command_usage(&create,
						     "--algorithm takes p256, p384 or rsa2048, "
						     "not '%s'",
						     optarg);
			break;
		case 'w':
			chosen.password = true;
			break;
		case 'W':
			chosen.passphrase_file = optarg;
			break;
		case 'P':
			if (!parse_policy(optarg, &chosen.pcrs))
				return command_usage(&create,
						     "--pcrs takes PCRs of one bank, as "
						     "sha256:7,14, not '%s'",
						     optarg);
			break;
		case OPT_PERSISTENT:
			if (tpm_key_handle(optarg, &chosen.handle, NULL) < 0)
				return command_usage(&create,
						     "--persistent takes handle:0x81000000 to "
						     "handle:0x81ffffff, not '%s'",
						     optarg);
			chosen.persistent = optarg;
			break;
		case 'f':
			chosen.force = true;
			break;
		case 'j':
			chosen.json = true;
			break;
		}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&create, "'%s' is one word too many", argv[optind]);
	status = check_create(&chosen, outputs, certificate_option);
	return status != EXIT_OK ? status : create_key(&chosen, outputs);
}

static const struct command create = {
	.name = "key create",
	.summary = "make a key in the TPM",
	.help = "Usage: assay key create [OPTION]... --out KEY.pem\n"
		"\n"
		"Make a key in the TPM, below the owner hierarchy's storage primary.\n"
		"KEY.pem is a TSS2 key file (as tpm2-openssl and systemd use): it works with this\n"
		"TPM only.\n"
		"\n"
		"      --out FILE      where to write the key file; not over an existing one\n"
		"      --cert FILE     where to write a self-signed certificate of the key (PEM)\n"
		"      --subject CN    the certificate's common name [" DEFAULT_SUBJECT "]\n"
		"      --days N        how long the certificate is valid [3650]\n"
		"      --algorithm A   p256, p384 or rsa2048 [p256]\n"
		"      --password      using the key takes a password, which is asked for now\n"
		"      --passphrase-file FILE\n"
		"                      using the key takes the password in this file\n"
		"      --pcrs LIST     the key can be used only while these PCRs are as they are "
		"now:\n"
		"                      7,14 or sha384:7,14\n"
		"      --persistent handle:0x81...\n"
		"                      keep the key in the TPM, too, at this handle: what takes a\n"
		"                      key file takes this name as well\n"
		"      --restricted    make an attestation key: it signs quotes and nothing else\n"
		"      --public FILE   where to write the public part (TPM2B_PUBLIC), which\n"
		"                      'assay verify --ak' takes\n"
		"      --tcti CONF     where the TPM is: device:PATH, swtpm:path=SOCKET, ...\n"
		"                      [$ASSAY_TCTI, else $TPM2TOOLS_TCTI, else " TPM_DEFAULT_TCTI
		"]\n"
		"      --force         write over existing files\n"
		"      --json          print what was made as JSON\n"
		"  -h, --help          show this\n"
		"\n"
		"The qualified name that is told of an attestation key is what quotes will say\n"
		"signed them: note it for 'assay verify --ak-qualified-name'.\n",
	.run = run_create,
};

/* -------------------------------------------------------------------- show */

static int run_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct tpm_key_file file = { 0 };
	char name[2 * TPM_KEY_NAME_MAX + 1];
	struct tpm_key_facts facts = { 0 };
	struct assay_error err;
	bool json = false;
	int c, r, status;

	while ((c = command_option(&show, argc, argv, ":h", options, &status)) != -1)
		if (c == 'j')
			json = true;
	if (status != -1)
		return status;
	if (argc - optind != 1)
		return command_usage(&show, "one key file is needed");
	r = tpm_key_file_read(argv[optind], &file, &err);
	if (r == 0)
		r = tpm_key_describe(&file, argv[optind], &facts, &err);
	if (r != 0) {
		status = command_failed(&show, &err);
	} else if (json) {
		status = command_emit_json(&show, facts_json(argv[optind], &facts, file.parent));
	} else {
		hex_encode(BYTES(facts.name, facts.name_size), name);
		printf("use:       %s\n"
		       "algorithm: %s\n"
		       "made here: %s\n"
		       "parent:    0x%08" PRIx32 "\n"
		       "name:      %s\n"
		       "password:  %s\n"
		       "PCRs:      %s\n",
		       use_name(facts.use), facts.algorithm,
		       facts.made_here ? "yes, in a TPM that it cannot leave" :
					 "no, it may exist elsewhere",
		       file.parent, name, facts.password ? "needed" : "none",
		       facts.pcr_policy ? "have to be as they were when it was made" :
					  "any values");
		status = command_flush(&show);
	}
	tpm_key_file_free(&file);
	return status;
}

static const struct command show = {
	.name = "key show",
	.summary = "tell what a key file holds",
	.help = "Usage: assay key show [--json] KEY.pem\n"
		"\n"
		"Tell what a TSS2 key file says of its key; needs no TPM.\n"
		"\n"
		"      --json   print it as JSON\n"
		"  -h, --help   show this\n",
	.run = run_show,
};

/* -------------------------------------------------------------------- cert */

struct cert_options {
	struct signer_source source;
	const char *out, *subject;
	unsigned int days;
	bool request, force, json;
};

/* A new file, from what is in @content. */
static int write_output(const char *path, const struct buffer *content, bool force,
			struct assay_error *err)
{
	struct stat st;

	if (!force && lstat(path, &st) == 0)
		return assay_fail(err, EEXIST,
				  "%s exists; choose another name, or replace it with --force",
				  path);
	return file_write(path, buffer_bytes(content), 0644, err);
}

static int make_certificate(const struct cert_options *options, struct assay_error *err)
{
	struct buffer pem = { 0 };
	X509 *certificate = NULL;
	struct signer *signer;
	int r = signer_open(&options->source, &signer, err);

	if (r < 0)
		return r;
	if (options->request) {
		r = certificate_request(signer, options->subject, &pem, err);
	} else {
		r = certificate_make(signer, options->subject, options->days, &certificate, err);
		if (r == 0)
			r = certificate_append_pem(certificate, &pem, err);
	}
	if (r == 0)
		r = write_output(options->out, &pem, options->force, err);
	X509_free(certificate);
	buffer_free(&pem);
	signer->close(signer);
	return r;
}

static int run_cert(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE },
		{ "tcti", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' },
		{ "subject", required_argument, NULL, 's' },
		{ "days", required_argument, NULL, 'd' },
		{ "request", no_argument, NULL, OPT_REQUEST },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct cert_options chosen = { .subject = DEFAULT_SUBJECT, .days = DEFAULT_DAYS };
	struct assay_error err;
	bool days = false;
	int c, status;

	while ((c = command_option(&cert, argc, argv, ":h", options, &status)) != -1)
		switch (c) {
		case 'k':
			chosen.source.key = optarg;
			break;
		case OPT_PASSPHRASE:
			chosen.source.passphrase_file = optarg;
			break;
		case 't':
			chosen.source.tcti = optarg;
			break;
		case 'o':
			chosen.out = optarg;
			break;
		case 's':
			chosen.subject = optarg;
			break;
		case 'd':
			if (!parse_days(optarg, &chosen.days))
				return command_usage(&cert, "--days takes 1 to %d, not '%s'",
						     CERTIFICATE_DAYS_MAX, optarg);
			days = true;
			break;
		case OPT_REQUEST:
			chosen.request = true;
			break;
		case 'f':
			chosen.force = true;
			break;
		case 'j':
			chosen.json = true;
			break;
		}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&cert, "'%s' is one word too many", argv[optind]);
	if (!chosen.source.key || !chosen.out)
		return command_usage(&cert, "--key and --out are needed");
	if (chosen.request && days)
		return command_usage(&cert, "how long it is valid is the authority's to say: leave "
					    "out --days");
	if (make_certificate(&chosen, &err) < 0)
		return command_failed(&cert, &err);
	if (chosen.json)
		return command_emit_json(&cert, json_pack("{s:o, s:o, s:b}", "key",
							  command_text_json(chosen.source.key),
							  "file", command_text_json(chosen.out),
							  "request", (int)chosen.request));
	printf("%s: %s of %s\n", chosen.out,
	       chosen.request ? "request for a certificate" : "certificate", chosen.source.key);
	return command_flush(&cert);
}

static const struct command cert = {
	.name = "key cert",
	.summary = "make a certificate of a key, or a request for one",
	.help = "Usage: assay key cert [OPTION]... --key KEY --out FILE\n"
		"\n"
		"Make a self-signed certificate of a key, with a subject key id and the key usage\n"
		"digitalSignature; or a request (PKCS#10) for an authority to make one.\n"
		"\n" SIGNER_KEY_HELP
		"  --out FILE            where to write it (PEM); not over an existing one\n"
		"  --subject CN          the common name [" DEFAULT_SUBJECT "]\n"
		"  --days N              how long the certificate is valid [3650]\n"
		"  --request             make a request\n"
		"  --force               write over an existing file\n"
		"  --json                print what was made as JSON\n"
		"  -h, --help            show this\n",
	.run = run_cert,
};

/* ------------------------------------------------------------------ export */

/* The public half of what @source names: a key, or a certificate's. */
static int find_public(const struct signer_source *source, EVP_PKEY **ret, struct assay_error *err)
{
	struct tpm_key_file file = { 0 };
	struct buffer text = { 0 };
	struct signer *signer;
	X509 *certificate;
	int r = 0;

	/* What is in a file of public parts is told without the private one. */
	if (strchr(source->key, ':') == NULL)
		r = file_read(source->key, KEY_FILE_MAX, &text, err);
	if (r == 0 && key_file_is_tss2(buffer_bytes(&text))) {
		r = tpm_key_file_parse(buffer_bytes(&text), source->key, &file, err);
		if (r == 0)
			r = tpm_key_file_public(&file, source->key, ret, err);
		tpm_key_file_free(&file);
	} else if (r == 0 && text.size > 0 &&
		   certificate_parse(buffer_bytes(&text), source->key, &certificate, err) == 0) {
		*ret = X509_get_pubkey(certificate);
		X509_free(certificate);
	} else if (r == 0) {
		r = signer_open(source, &signer, err);
		if (r == 0) {
			EVP_PKEY_up_ref(signer->public_key);
			*ret = signer->public_key;
			signer->close(signer);
		}
	}
	secret_free(&text);
	return r;
}

static int export_public(const struct signer_source *source, bool der, struct buffer *out,
			 struct assay_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_PKEY *key = NULL;
	char *data;
	int r = find_public(source, &key, err);

	if (r == 0 && bio &&
	    (der ? i2d_PUBKEY_bio(bio, key) : PEM_write_bio_PUBKEY(bio, key)) == 1) {
		long size = BIO_get_mem_data(bio, &data);

		buffer_append(out, data, (size_t)size);
	}
	if (r == 0 && (out->failed || out->size == 0))
		r = assay_fail(err, EIO, "libcrypto cannot write the public key of %s",
			       source->key);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return r;
}

static int run_export(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE },
		{ "tcti", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' },
		{ "der", no_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct signer_source source = { 0 };
	struct buffer content = { 0 };
	const char *out = NULL;
	bool der = false, force = false;
	struct assay_error err;
	int c, r, status;

	while ((c = command_option(&export, argc, argv, ":h", options, &status)) != -1)
		switch (c) {
		case 'k':
			source.key = optarg;
			break;
		case OPT_PASSPHRASE:
			source.passphrase_file = optarg;
			break;
		case 't':
			source.tcti = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		case 'd':
			der = true;
			break;
		case 'f':
			force = true;
			break;
		}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&export, "'%s' is one word too many", argv[optind]);
	if (!source.key)
		return command_usage(&export, "--key is needed");
	r = export_public(&source, der, &content, &err);
	if (r == 0 && out)
		r = write_output(out, &content, force, &err);
	else if (r == 0)
		fwrite(content.data, 1, content.size, stdout);
	buffer_free(&content);
	return r < 0 ? command_failed(&export, &err) : command_flush(&export);
}

static const struct command export = {
	.name = "key export",
	.summary = "write the public half of a key",
	.help = "Usage: assay key export [OPTION]... --key KEY\n"
		"\n"
		"Write the public half of a key (SubjectPublicKeyInfo), to standard output or to "
		"a\n"
		"file. KEY may also be a certificate's file. Of a TSS2 key file, neither its TPM\n"
		"nor its password is needed.\n"
		"\n" SIGNER_KEY_HELP
		"  --out FILE            where to write it; not over an existing one\n"
		"  --der                 write DER instead of PEM\n"
		"  --force               write over an existing file\n"
		"  -h, --help            show this\n",
	.run = run_export,
};

/* --------------------------------------------------------------------- key */

static int run_key(int argc, char **argv)
{
	static const struct command *const verbs[] = { &create, &cert, &show, &command_key_lint,
						       &export };

	return command_verbs(&command_key, verbs, sizeof(verbs) / sizeof(verbs[0]),
			     "create, cert, show, lint or export?", argc, argv);
}

const struct command command_key = {
	.name = "key",
	.summary = "make keys in the TPM, certificates of keys, and tell about both",
	.help = "Usage: assay key create [OPTION]... --out KEY.pem\n"
		"       assay key cert [OPTION]... --key KEY --out FILE\n"
		"       assay key show [--json] KEY.pem\n"
		"       assay key lint [OPTION]... CERT.pem\n"
		"       assay key export [OPTION]... --key KEY\n"
		"\n"
		"  create   make a signing or attestation key in the TPM\n"
		"  cert     make a certificate of a key, or a request for one\n"
		"  show     tell what a key file holds\n"
		"  lint     tell which keyrings of the kernel would refuse a certificate, and why\n"
		"  export   write the public half of a key\n"
		"\n"
		"'assay key VERB --help' tells more.\n",
	.run = run_key,
};
