// SPDX-License-Identifier: MIT
/* `assay enroll`: the device's verbs, request and answer, and both sides in one. */
#include "enroll.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/certificate.h"
#include "tpm/context.h"
#include "tpm/ek.h"
#include "tpm/key.h"

#define MACHINE_ID_PATH "/etc/machine-id"

static const struct command request, answer;

/* What the device's side of the command line says. */
struct device_options {
	const char *tcti, *ak, *ek_certificate, *machine_id;
	enum tpm_ek_template template;
};

enum { OPT_AK = 256, OPT_EK, OPT_EK_CERT, OPT_MACHINE_ID, OPT_TCTI, OPT_OUT, OPT_JSON };

/* clang-format off */
#define DEVICE_OPTIONS \
	{ "ak", required_argument, NULL, OPT_AK }, \
	{ "ek", required_argument, NULL, OPT_EK }, \
	{ "tcti", required_argument, NULL, OPT_TCTI }
#define IDENTITY_OPTIONS \
	{ "ek-cert", required_argument, NULL, OPT_EK_CERT }, \
	{ "machine-id", required_argument, NULL, OPT_MACHINE_ID }
/* clang-format on */

#define DEVICE_HELP                                                                           \
	"      --ak KEY             the attestation key: a key file, or handle:0x81...\n"     \
	"                           (assay key create --restricted)\n"                        \
	"      --ek KIND            p256-low|rsa2048-low|p256|rsa2048|p384\n"                 \
	"                           the endorsement key, by its template in the TCG's EK\n"   \
	"                           Credential Profile: L-2, L-1, H-2, H-1, H-3 [the first\n" \
	"                           whose certificate the TPM holds]\n"                       \
	"      --tcti CONF          where the TPM is: device:PATH, swtpm:path=SOCKET, ...\n"  \
	"                           [$ASSAY_TCTI, else $TPM2TOOLS_TCTI, else\n"               \
	"                           " TPM_DEFAULT_TCTI "]\n"
#define IDENTITY_HELP                                                                           \
	"      --ek-cert FILE       the endorsement key's certificate, PEM or DER, where the\n" \
	"                           TPM does not hold it; needs --ek\n"                         \
	"      --machine-id ID      what to call the machine [" MACHINE_ID_PATH "]\n"

/* -1 where it is none of the device's. */
static int device_option(const struct command *command, int option, const char *value,
			 struct device_options *device)
{
	switch (option) {
	case OPT_AK:
		device->ak = value;
		return EXIT_OK;
	case OPT_EK:
		if (!tpm_ek_template_by_name(value, &device->template))
			return command_usage(command,
					     "--ek takes p256-low, rsa2048-low, p256, rsa2048 or "
					     "p384, not '%s'",
					     value);
		return EXIT_OK;
	case OPT_EK_CERT:
		device->ek_certificate = value;
		return EXIT_OK;
	case OPT_MACHINE_ID:
		if (!machine_id_valid(value))
			return command_usage(command,
					     "--machine-id takes 1 to %d letters, digits, '-', "
					     "'_' and '.', not '%s'",
					     RECORD_MAX_MACHINE_ID, value);
		device->machine_id = value;
		return EXIT_OK;
	case OPT_TCTI:
		device->tcti = value;
		return EXIT_OK;
	default:
		return -1;
	}
}

static int check_device_options(const struct command *command, const struct device_options *device)
{
	if (!device->ak)
		return command_usage(command, "--ak is needed");
	if (device->ek_certificate && device->template == TPM_EK_ANY)
		return command_usage(command,
				     "--ek-cert needs --ek: of which key is the certificate?");
	return EXIT_OK;
}

/* ---------------------------------------------------------------- the device's two steps */

static int read_machine_id(const struct device_options *device, struct enroll_request *made,
			   struct assay_error *err)
{
	struct buffer text = { 0 };
	int r;

	if (device->machine_id) {
		memcpy(made->machine_id, device->machine_id, strlen(device->machine_id) + 1);
		return 0;
	}
	r = file_read(MACHINE_ID_PATH, RECORD_MAX_MACHINE_ID + 1, &text, err);
	if (r == 0 && text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (r == 0) {
		if (text.size <= RECORD_MAX_MACHINE_ID)
			memcpy(made->machine_id, text.data, text.size);
		if (!machine_id_valid(made->machine_id))
			r = assay_fail(err, EBADMSG,
				       MACHINE_ID_PATH " does not hold a machine's id: name one "
						       "with --machine-id");
	}
	buffer_free(&text);
	return r;
}

/* Of a file: the endorsement key's certificate first, then what leads from it to a root. */
static int read_certificate_file(const char *path, struct enroll_request *made,
				 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	STACK_OF(X509) *certificates = sk_X509_new_null();
	int r = file_read(path, ENROLL_MAX_CHAIN, &text, err);

	if (r == 0 && !certificates)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = certificates_parse(buffer_bytes(&text), path, certificates, err);
	for (int i = 0; r == 0 && i < sk_X509_num(certificates); i++)
		r = certificate_append_der(sk_X509_value(certificates, i),
					   i == 0 ? &made->ek_certificate : &made->ek_chain, err);
	sk_X509_pop_free(certificates, X509_free);
	return r;
}

/*
 * Of a file, or of the TPM. Without its chain the certificate may do all the same: the verifier can
 * have that from elsewhere.
 */
static int read_certificate(struct tpm *tpm, const struct device_options *device,
			    enum tpm_ek_template *ret_template, struct enroll_request *made,
			    struct assay_error *err)
{
	struct assay_error chain_err;
	int r;

	*ret_template = device->template;
	if (device->ek_certificate)
		return read_certificate_file(device->ek_certificate, made, err);
	r = tpm_ek_certificate(tpm, device->template, ret_template, &made->ek_certificate, err);
	if (r == 0 && tpm_ek_chain(tpm, &made->ek_chain, &chain_err) < 0)
		fprintf(stderr, "assay enroll: left out: %s\n", chain_err.text);
	return r;
}

static int make_request(struct tpm *tpm, const struct device_options *device,
			struct enroll_request *made, struct assay_error *err)
{
	enum tpm_ek_template template = TPM_EK_ANY;
	struct tpm_key *ak = NULL;
	struct tpm_ek *ek = NULL;
	int r = read_machine_id(device, made, err);

	if (r == 0)
		r = read_certificate(tpm, device, &template, made, err);
	if (r == 0)
		r = tpm_key_open(tpm, device->ak, &ak, err);
	if (r == 0 && !tpm_key_attests(ak))
		r = assay_fail(err, EPERM,
			       "%s is no attestation key: make one with 'assay key create "
			       "--restricted'",
			       device->ak);
	if (r == 0)
		r = tpm_key_qualified_name(ak, &made->ak_qualified_name, err);
	if (r == 0)
		buffer_append_bytes(&made->ak_public, tpm_key_public_area(ak));
	tpm_key_unload(ak);
	if (r == 0)
		r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		buffer_append_bytes(&made->ek_public, tpm_ek_public_area(ek));
	tpm_ek_close(ek);
	if (r == 0 && (made->ak_public.failed || made->ek_public.failed))
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

/* Which endorsement key it is: as make_request() finds it. */
static int find_template(struct tpm *tpm, const struct device_options *device,
			 enum tpm_ek_template *ret, struct assay_error *err)
{
	struct buffer unused = { 0 };
	int r = 0;

	*ret = device->template;
	if (device->template == TPM_EK_ANY)
		r = tpm_ek_certificate(tpm, TPM_EK_ANY, ret, &unused, err);
	buffer_free(&unused);
	return r;
}

static int make_answer(struct tpm *tpm, const struct device_options *device,
		       const struct enroll_challenge *challenge, struct enroll_answer *ret,
		       struct assay_error *err)
{
	enum tpm_ek_template template;
	struct buffer secret = { 0 };
	struct tpm_key *ak = NULL;
	struct tpm_ek *ek = NULL;
	int r = find_template(tpm, device, &template, err);

	if (r == 0)
		r = tpm_key_open(tpm, device->ak, &ak, err);
	if (r == 0)
		r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		r = tpm_ek_activate(ek, ak, buffer_bytes(&challenge->credential.blob),
				    buffer_bytes(&challenge->credential.secret), &secret, err);
	if (r == 0 && secret.size != sizeof(ret->secret))
		r = assay_fail(err, EBADMSG, "the challenge's secret has %zu bytes, not %zu",
			       secret.size, sizeof(ret->secret));
	if (r == 0) {
		memcpy(ret->id, challenge->id, sizeof(ret->id));
		memcpy(ret->secret, secret.data, secret.size);
	}
	if (secret.data)
		OPENSSL_cleanse(secret.data, secret.capacity);
	buffer_free(&secret);
	tpm_ek_close(ek);
	tpm_key_unload(ak);
	return r;
}

/* ---------------------------------------------------------------- request */

static int write_request(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_request_write(stream, message, err);
}

static int print_message(const struct command *command, const char *path, const char *key,
			 const char *what, bool json)
{
	if (json)
		return command_emit_json(command, json_pack("{s:o}", key, command_text_json(path)));
	printf("%s: %s\n", path, what);
	return command_flush(command);
}

static int run_request(int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTIONS,
		IDENTITY_OPTIONS,
		{ "out", required_argument, NULL, OPT_OUT },
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct device_options device = { 0 };
	struct enroll_request made = { 0 };
	struct assay_error err;
	struct tpm *tpm = NULL;
	const char *out = NULL;
	bool json = false;
	int c, r, status;

	while ((c = command_option(&request, argc, argv, ":h", options, &status)) != -1) {
		if (c == OPT_OUT)
			out = optarg;
		else if (c == OPT_JSON)
			json = true;
		else if ((status = device_option(&request, c, optarg, &device)) != EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&request, "'%s' is one word too many", argv[optind]);
	status = check_device_options(&request, &device);
	if (status != EXIT_OK)
		return status;
	if (!out)
		return command_usage(&request, "--out is needed");
	r = tpm_open(device.tcti, &tpm, &err);
	if (r == 0)
		r = make_request(tpm, &device, &made, &err);
	tpm_close(tpm);
	if (r == 0)
		r = enroll_write(out, 0644, write_request, &made, &err);
	enroll_request_free(&made);
	return r < 0 ? command_failed(&request, &err) :
		       print_message(&request, out, "request", "request for enrolment", json);
}

static const struct command request = {
	.name = "enroll request",
	.summary = "the device's first step: tell which keys it has",
	.help = "Usage: assay enroll request --ak KEY --out FILE [OPTION]...\n"
		"\n"
		"The device's first step: write down its endorsement key with the certificate\n"
		"that the TPM's maker made, its attestation key, and its machine id.\n"
		"\n" DEVICE_HELP IDENTITY_HELP
		"      --out FILE           where to write the request, for the verifier\n"
		"      --json               print what was made as JSON\n"
		"  -h, --help               show this\n"
		"\n"
		"Exit status: 0 made, 1 failed, 2 wrong usage.\n",
	.run = run_request,
};

/* ---------------------------------------------------------------- answer */

static int write_answer(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_answer_write(stream, message, err);
}

static int answer_challenge(const struct device_options *device, const char *in, const char *out,
			    bool json)
{
	struct enroll_challenge challenge = { 0 };
	struct enroll_answer made;
	struct buffer text = { 0 };
	struct tpm *tpm = NULL;
	struct assay_error err;
	int r = enroll_read(in, &text, &err);

	if (r == 0)
		r = enroll_challenge_parse(buffer_bytes(&text), &challenge, &err);
	if (r == 0)
		r = tpm_open(device->tcti, &tpm, &err);
	if (r == 0)
		r = make_answer(tpm, device, &challenge, &made, &err);
	tpm_close(tpm);
	if (r == 0)
		r = enroll_write(out, 0600, write_answer, &made, &err);
	enroll_challenge_free(&challenge);
	buffer_free(&text);
	return r < 0 ? command_failed(&answer, &err) :
		       print_message(&answer, out, "answer", "answer to the challenge", json);
}

static int run_answer(int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTIONS,
		{ "out", required_argument, NULL, OPT_OUT },
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct device_options device = { 0 };
	const char *out = NULL;
	bool json = false;
	int c, status;

	while ((c = command_option(&answer, argc, argv, ":h", options, &status)) != -1) {
		if (c == OPT_OUT)
			out = optarg;
		else if (c == OPT_JSON)
			json = true;
		else if ((status = device_option(&answer, c, optarg, &device)) != EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(&answer, "one challenge is to be named, not %d",
				     argc - optind);
	status = check_device_options(&answer, &device);
	if (status != EXIT_OK)
		return status;
	if (!out)
		return command_usage(&answer, "--out is needed");
	return answer_challenge(&device, argv[optind], out, json);
}

static const struct command answer = {
	.name = "enroll answer",
	.summary = "the device's second step: have the TPM unwrap the secret",
	.help = "Usage: assay enroll answer CHALLENGE --ak KEY --out FILE [OPTION]...\n"
		"\n"
		"The device's second step: have the TPM unwrap the secret that the verifier\n"
		"wrapped for its two keys. CHALLENGE '-' is standard input.\n"
		"\n" DEVICE_HELP
		"      --out FILE           where to write the answer, for the verifier\n"
		"      --json               print what was made as JSON\n"
		"  -h, --help               show this\n"
		"\n"
		"Exit status: 0 made, 1 refused by the TPM or failed, 2 wrong usage.\n",
	.run = run_answer,
};

/* ---------------------------------------------------------------- both sides in one */

static int enroll_here(const struct device_options *device, const struct enroll_verifier *verifier,
		       bool json)
{
	struct enroll_challenge challenge = { 0 };
	struct device_record record = { 0 };
	struct enroll_request made = { 0 };
	struct enroll_answer answered;
	struct tpm *tpm = NULL;
	struct assay_error err;
	char *path = NULL;
	int r = tpm_open(device->tcti, &tpm, &err), status;

	if (r == 0)
		r = make_request(tpm, device, &made, &err);
	if (r == 0)
		r = enroll_make_challenge(verifier, &made, &challenge, &err);
	if (r == 0)
		r = make_answer(tpm, device, &challenge, &answered, &err);
	if (r == 0)
		r = enroll_take_answer(verifier, &answered, &record, &path, &err);
	tpm_close(tpm);
	status = r < 0 ? command_failed(&command_enroll, &err) :
			 enroll_print_record(&command_enroll, &record, path, json);
	enroll_challenge_free(&challenge);
	enroll_request_free(&made);
	device_record_free(&record);
	free(path);
	return status;
}

static int run_here(int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTIONS,
		IDENTITY_OPTIONS,
		ENROLL_RECORDS_OPTIONS,
		ENROLL_TRUST_OPTIONS,
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct enroll_verifier verifier = { .valid = ENROLL_VALID };
	struct device_options device = { 0 };
	bool json = false;
	int c, status;

	while ((c = command_option(&command_enroll, argc, argv, ":h", options, &status)) != -1) {
		int r = c == OPT_JSON ? EXIT_OK :
					device_option(&command_enroll, c, optarg, &device);

		json = json || c == OPT_JSON;
		if (r == -1)
			r = enroll_verifier_option(&command_enroll, c, optarg, &verifier);
		if (r != EXIT_OK)
			return r;
	}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&command_enroll, "'%s' is one word too many", argv[optind]);
	status = check_device_options(&command_enroll, &device);
	if (status != EXIT_OK)
		return status;
	if (!verifier.records || verifier.root_count == 0)
		return command_usage(&command_enroll, "--records and --roots are needed");
	return enroll_here(&device, &verifier, json);
}

static int run_enroll(int argc, char **argv)
{
	static const struct command *const verbs[] = { &request, &command_enroll_challenge, &answer,
						       &command_enroll_accept };

	if (argc < 2 || argv[1][0] == '-')
		return run_here(argc, argv);
	return command_verbs(&command_enroll, verbs, sizeof(verbs) / sizeof(verbs[0]),
			     "request, challenge, answer or accept?", argc, argv);
}

const struct command command_enroll = {
	.name = "enroll",
	.summary = "enrol a device: tie its attestation key to its TPM's maker",
	.help = "Usage: assay enroll request --ak KEY --out FILE\n"
		"       assay enroll challenge REQUEST --records DIR --roots FILE --out FILE\n"
		"       assay enroll answer CHALLENGE --ak KEY --out FILE\n"
		"       assay enroll accept ANSWER --records DIR\n"
		"   or: assay enroll --ak KEY --records DIR --roots FILE [OPTION]...\n"
		"\n"
		"  request     the device's first step: tell which keys it has\n"
		"  challenge   the verifier's: check them, and wrap a secret for their TPM\n"
		"  answer      the device's second step: have the TPM unwrap it\n"
		"  accept      the verifier's: check the secret, and keep the device's record\n"
		"\n"
		"Without a verb all four are done here, where TPM and records are both at hand.\n"
		"'assay enroll VERB --help' tells more.\n"
		"\n" DEVICE_HELP IDENTITY_HELP ENROLL_RECORDS_HELP ENROLL_TRUST_HELP
		"      --json               print what was enrolled as JSON\n"
		"  -h, --help               show this\n"
		"\n"
		"Exit status: 0 enrolled, 1 refused or failed, 2 wrong usage.\n",
	.run = run_enroll,
};
