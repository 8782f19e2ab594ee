// SPDX-License-Identifier: MIT
/* `assay key`: keys in the TPM, and their certificates in the kernel's keyrings. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <keyutils.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "sign/certificate.h"
#include "tpm/context.h"
#include "tpm/key.h"

#define DEFAULT_DAYS 3650
#define DEFAULT_SUBJECT "assay signing key"
#define DEFAULT_KEYRING ".fs-verity"
#define REQUIRE_SIGNATURES "/proc/sys/fs/verity/require_signatures"

static const struct command create, load, show;

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
	bool restricted, force, json;
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
			unlink(outputs[i].path);
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

static int make_key(const struct create_options *options, struct output *outputs,
		    struct tpm_key_file *file, struct buffer *qualified_name,
		    struct assay_error *err)
{
	struct tpm_key *key = NULL;
	struct tpm *tpm;
	int r = tpm_open(options->tcti, &tpm, err);

	if (r < 0)
		return r;
	r = tpm_key_create(tpm, options->restricted ? TPM_KEY_ATTESTATION : TPM_KEY_SIGNING, file,
			   err);
	/* Loading it proves that the file will do. */
	if (r == 0)
		r = tpm_key_load(tpm, file, "the new key", &key, err);
	if (r == 0)
		r = tpm_key_qualified_name(key, qualified_name, err);
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

static json_t *text_json(const char *text)
{
	return json_escaped(BYTES((const uint8_t *)text, strlen(text)));
}

static json_t *facts_json(const char *path, const struct tpm_key_facts *facts, uint32_t parent)
{
	char handle[16];

	snprintf(handle, sizeof(handle), "0x%08" PRIx32, parent);
	return json_pack("{s:o, s:s, s:s, s:b, s:s, s:o}", "file", text_json(path), "use",
			 use_name(facts->use), "algorithm", facts->algorithm, "made_here",
			 (int)facts->made_here, "parent", handle, "name",
			 json_hex(BYTES(facts->name, facts->name_size)));
}

/* Takes @value over. */
static int print_json(const struct command *command, json_t *value)
{
	struct assay_error err;

	if (command_print_json(value, JSON_INDENT(2), &err) < 0)
		return command_failed(command, &err);
	return command_flush(command);
}

/* NULL without memory, which jansson hands through. */
static json_t *created_json(const struct output *outputs, const struct tpm_key_facts *facts,
			    uint32_t parent, struct bytes qualified_name)
{
	json_t *value = facts_json(outputs[OUTPUT_KEY].path, facts, parent);
	int bad = json_object_set_new(value, "qualified_name", json_hex(qualified_name));

	if (outputs[OUTPUT_CERTIFICATE].path)
		bad |= json_object_set_new(value, "certificate",
					   text_json(outputs[OUTPUT_CERTIFICATE].path));
	if (outputs[OUTPUT_PUBLIC].path)
		bad |= json_object_set_new(value, "public", text_json(outputs[OUTPUT_PUBLIC].path));
	if (bad == 0)
		return value;
	json_decref(value);
	return NULL;
}

static int print_created(const struct output *outputs, const struct tpm_key_file *file,
			 struct bytes qualified_name, bool json)
{
	const char *path = outputs[OUTPUT_KEY].path;
	struct tpm_key_facts facts;
	struct assay_error err;

	if (tpm_key_describe(file, path, &facts, &err) < 0)
		return command_failed(&create, &err);
	if (json)
		return print_json(&create,
				  created_json(outputs, &facts, file->parent, qualified_name));
	printf("%s: %s key, %s\n", path, use_name(facts.use), facts.algorithm);
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
					options->json);
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

static int check_create(const struct create_options *options, const struct output *outputs,
			bool certificate_option)
{
	if (!outputs[OUTPUT_KEY].path)
		return command_usage(&create, "--out is needed: where to write the key file");
	if (options->restricted && outputs[OUTPUT_CERTIFICATE].path)
		return command_usage(
			&create, "a restricted key cannot sign a certificate: leave out --cert");
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
		"Make an ECDSA P-256 key in the TPM, below the owner hierarchy's storage primary.\n"
		"KEY.pem is a TSS2 key file (as tpm2-openssl and systemd use): it works with this\n"
		"TPM only.\n"
		"\n"
		"      --out FILE      where to write the key file; not over an existing one\n"
		"      --cert FILE     where to write a self-signed certificate of the key (PEM)\n"
		"      --subject CN    the certificate's common name [" DEFAULT_SUBJECT "]\n"
		"      --days N        how long the certificate is valid [3650]\n"
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

/* -------------------------------------------------------------------- load */

static int fail_keyring(const char *keyring, int code, struct assay_error *err)
{
	switch (code) {
	case ENOKEY:
	case ENOENT:
		return assay_fail(
			err, ENOKEY,
			"there is no keyring %s that you may see: run as root, on a kernel "
			"with CONFIG_FS_VERITY_BUILTIN_SIGNATURES (for .fs-verity)",
			keyring);
	default:
		return assay_fail(err, code, "cannot find the keyring %s: %s", keyring,
				  strerror(code));
	}
}

static int fail_add(const char *path, const char *keyring, int code, struct assay_error *err)
{
	const char *reason;

	switch (code) {
	case EACCES:
		reason = "not permitted: run as root";
		break;
	case EPERM:
		reason = "the keyring is closed (keyctl restrict_keyring) and takes no more keys "
			 "until the next boot";
		break;
	case EKEYREJECTED:
	case ENOKEY:
		reason = "the keyring takes only certificates that a key it trusts has signed";
		break;
	case EBADMSG:
		reason = "the kernel cannot read the certificate";
		break;
	case ENOPKG:
	case ENOENT:
		reason = "the kernel has no driver for the certificate's algorithm: ECDSA needs "
			 "CONFIG_CRYPTO_ECDSA";
		break;
	case ENODEV:
		reason = "the kernel has no asymmetric keys: it needs "
			 "CONFIG_ASYMMETRIC_KEY_TYPE and CONFIG_X509_CERTIFICATE_PARSER";
		break;
	case EDQUOT:
		reason = "the quota of keys is used up: see /proc/key-users";
		break;
	default:
		reason = strerror(code);
	}
	return assay_fail(err, code, "cannot add %s to the keyring %s: %s", path, keyring, reason);
}

static int load_certificate(const char *path, const char *keyring, key_serial_t *ret,
			    struct assay_error *err)
{
	X509 *certificate = NULL;
	struct buffer der = { 0 };
	key_serial_t ring, key;
	struct bytes key_id;
	int r = certificate_load(path, &certificate, err);

	/* IMA and delegate certificates find a key by it, so no key goes in without. */
	if (r == 0) {
		r = certificate_key_id(certificate, &key_id, err);
		if (r < 0)
			r = assay_fail_context(err, "%s", path);
	}
	if (r == 0)
		r = certificate_append_der(certificate, &der, err);
	X509_free(certificate);
	if (r < 0)
		goto out;
	ring = find_key_by_type_and_desc("keyring", keyring, 0);
	if (ring < 0) {
		r = fail_keyring(keyring, errno, err);
		goto out;
	}
	/* Without a description the kernel takes the certificate's subject and key id. */
	key = add_key("asymmetric", "", der.data, der.size, ring);
	if (key < 0)
		r = fail_add(path, keyring, errno, err);
	else
		*ret = key;
out:
	buffer_free(&der);
	return r;
}

static int require_signatures(struct assay_error *err)
{
	int fd = open(REQUIRE_SIGNATURES, O_WRONLY | O_CLOEXEC), code = errno;

	if (fd < 0 && code == ENOENT)
		return assay_fail(err, ENOENT,
				  "there is no " REQUIRE_SIGNATURES
				  ": the kernel needs CONFIG_FS_VERITY_BUILTIN_SIGNATURES");
	if (fd < 0)
		return assay_fail(err, code, "cannot open " REQUIRE_SIGNATURES ": %s%s",
				  strerror(code),
				  code == EACCES || code == EPERM ? "; run as root" : "");
	code = write(fd, "1", 1) == 1 ? 0 : errno;
	close(fd);
	return code == 0 ? 0 :
			   assay_fail(err, code, "cannot write to " REQUIRE_SIGNATURES ": %s",
				      strerror(code));
}

static int run_load(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cert", required_argument, NULL, 'c' },
		{ "keyring", required_argument, NULL, 'k' },
		{ "require-signatures", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const char *path = NULL, *keyring = DEFAULT_KEYRING;
	bool require = false, json = false;
	key_serial_t key = 0;
	struct assay_error err;
	int c, r, status;

	while ((c = command_option(&load, argc, argv, ":h", options, &status)) != -1)
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			keyring = optarg;
			break;
		case 'r':
			require = true;
			break;
		case 'j':
			json = true;
			break;
		}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&load, "'%s' is one word too many", argv[optind]);
	if (!path)
		return command_usage(&load, "--cert is needed: the certificate to add");
	r = load_certificate(path, keyring, &key, &err);
	if (r == 0 && require)
		r = require_signatures(&err);
	if (r < 0)
		return command_failed(&load, &err);
	if (json)
		return print_json(&load,
				  json_pack("{s:o, s:o, s:i, s:b}", "certificate", text_json(path),
					    "keyring", text_json(keyring), "key", (int)key,
					    "require_signatures", (int)require));
	printf("%s: in the keyring %s as key %" PRId32 "\n", path, keyring, key);
	if (require)
		printf("%s: 1\n", REQUIRE_SIGNATURES);
	return command_flush(&load);
}

static const struct command load = {
	.name = "key load",
	.summary = "add a certificate to a keyring of the kernel",
	.help = "Usage: assay key load [OPTION]... --cert CERT.pem\n"
		"\n"
		"Add a certificate to a keyring of the kernel, so that what its key signed is\n"
		"accepted. It stays there until the next boot.\n"
		"\n"
		"      --cert FILE            certificate, PEM or DER, with a subject key id\n"
		"      --keyring NAME         the keyring [" DEFAULT_KEYRING "]\n"
		"      --require-signatures   refuse files with fs-verity but without a signature\n"
		"                             (writes 1 to " REQUIRE_SIGNATURES ")\n"
		"      --json                 print what was done as JSON\n"
		"  -h, --help                 show this\n",
	.run = run_load,
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
		status = print_json(&show, facts_json(argv[optind], &facts, file.parent));
	} else {
		hex_encode(BYTES(facts.name, facts.name_size), name);
		printf("use:       %s\n"
		       "algorithm: %s\n"
		       "made here: %s\n"
		       "parent:    0x%08" PRIx32 "\n"
		       "name:      %s\n",
		       use_name(facts.use), facts.algorithm,
		       facts.made_here ? "yes, in a TPM that it cannot leave" :
					 "no, it may exist elsewhere",
		       file.parent, name);
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

/* --------------------------------------------------------------------- key */

static int run_key(int argc, char **argv)
{
	static const struct command *const verbs[] = { &create, &load, &show };
	static const struct option options[] = { COMMAND_HELP_OPTION, { 0 } };
	int status;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i]->name + strlen("key ")) == 0)
			return verbs[i]->run(argc - 1, argv + 1);
	(void)command_option(&command_key, argc, argv, "+:h", options, &status);
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&command_key, "there is no 'key %s'", argv[optind]);
	return command_usage(&command_key, "create, load or show?");
}

const struct command command_key = {
	.name = "key",
	.summary = "make keys in the TPM, load certificates into the kernel",
	.help = "Usage: assay key create [OPTION]... --out KEY.pem\n"
		"       assay key load [OPTION]... --cert CERT.pem\n"
		"       assay key show [--json] KEY.pem\n"
		"\n"
		"  create   make a signing or attestation key in the TPM\n"
		"  load     add a certificate to a keyring of the kernel\n"
		"  show     tell what a key file holds\n"
		"\n"
		"'assay key VERB --help' tells more.\n",
	.run = run_key,
};
