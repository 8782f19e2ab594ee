// SPDX-License-Identifier: MIT
/*
 * The verifier's verbs of `assay enroll`, challenge and accept. Also in the program
 * assay-verify, so nothing here may need the TPM stack.
 */
#include "enroll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "enroll/store.h"

#define ROOTS_MAX_SIZE (16U << 20) /* bytes of a file of certificates */
#define DAYS_MAX 3650
#define SECONDS_A_DAY 86400

/* ---------------------------------------------------------------- shared */

static int add_file(const struct command *command, const char *option, const char *path,
		    const char **files, size_t *count)
{
	if (*count == ENROLL_MAX_FILES)
		return command_usage(command, "%s can be given at most %d times", option,
				     ENROLL_MAX_FILES);
	files[(*count)++] = path;
	return EXIT_OK;
}

static int parse_days(const struct command *command, const char *text, uint64_t *ret)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || days == 0 || days > DAYS_MAX)
		return command_usage(command, "--days takes 1 to %d, not '%s'", DAYS_MAX, text);
	*ret = days * SECONDS_A_DAY;
	return EXIT_OK;
}

int enroll_verifier_option(const struct command *command, int option, const char *value,
			   struct enroll_verifier *verifier)
{
	switch (option) {
	case ENROLL_RECORDS:
		verifier->records = value;
		return EXIT_OK;
	case ENROLL_ROOTS:
		return add_file(command, "--roots", value, verifier->roots, &verifier->root_count);
	case ENROLL_INTERMEDIATES:
		return add_file(command, "--intermediates", value, verifier->intermediates,
				&verifier->intermediate_count);
	case ENROLL_DAYS:
		return parse_days(command, value, &verifier->valid);
	default:
		verifier->replace = true;
		return EXIT_OK;
	}
}

static int read_certificates(const char *const *paths, size_t count, STACK_OF(X509) * out,
			     struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct buffer text = { 0 };

		r = file_read(paths[i], ROOTS_MAX_SIZE, &text, err);
		if (r == 0)
			r = certificates_parse(buffer_bytes(&text), paths[i], out, err);
		buffer_free(&text);
	}
	return r;
}

static int make_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request, struct enroll_challenge *ret,
			  struct enroll_pending *ret_pending, struct assay_error *err)
{
	struct ek_trust trust = { .roots = sk_X509_new_null(),
				  .intermediates = sk_X509_new_null(),
				  .now = (uint64_t)time(NULL) };
	int r = -ENOMEM;

	if (!trust.roots || !trust.intermediates)
		assay_fail(err, ENOMEM, "out of memory");
	else
		r = read_certificates(verifier->roots, verifier->root_count, trust.roots, err);
	if (r == 0)
		r = read_certificates(verifier->intermediates, verifier->intermediate_count,
				      trust.intermediates, err);
	if (r == 0)
		r = enroll_challenge(request, &trust, verifier->valid, ret, ret_pending, NULL, err);
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
	return r;
}

/* Told early; what counts is the same question once the answer is there. */
static int check_free(const struct enroll_verifier *verifier, const struct store *store,
		      const struct enroll_request *request, struct assay_error *err)
{
	struct tpm_public ek;
	struct assay_digest key;
	int r = tpm_public_parse(buffer_bytes(&request->ek_public), &ek, err);

	if (r == 0)
		r = tpm_public_key_digest(&ek, &key, err);
	return r < 0 ? r : store_check(store, request->machine_id, &key, verifier->replace, err);
}

int enroll_make_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request, struct enroll_challenge *ret,
			  struct assay_error *err)
{
	struct enroll_challenge challenge = { 0 };
	struct enroll_pending pending = { 0 };
	struct store *store = NULL;
	int r = make_challenge(verifier, request, &challenge, &pending, err);

	if (r == 0)
		r = store_open(verifier->records, &store, err);
	if (r == 0)
		r = check_free(verifier, store, request, err);
	if (r == 0)
		r = store_add_pending(store, &pending, (uint64_t)time(NULL), err);
	store_close(store);
	enroll_pending_free(&pending);
	if (r < 0)
		enroll_challenge_free(&challenge);
	else
		*ret = challenge;
	return r;
}

int enroll_take_answer(const struct enroll_verifier *verifier, const struct enroll_answer *answer,
		       struct device_record *ret, char **ret_path, struct assay_error *err)
{
	struct device_record record = { 0 };
	struct enroll_pending pending = { 0 };
	struct store *store;
	char *path = NULL;
	int r = store_open(verifier->records, &store, err);

	if (r < 0)
		return r;
	r = store_find_pending(store, answer->id, &pending, err);
	if (r == 0)
		r = enroll_accept(answer, &pending, (uint64_t)time(NULL), &record, err);
	if (r == 0)
		r = store_add(store, &record, verifier->replace, &path, err);
	if (r == 0)
		r = store_drop_pending(store, &pending, err);
	store_close(store);
	enroll_pending_free(&pending);
	if (r < 0) {
		device_record_free(&record);
		free(path);
		return r;
	}
	*ret = record;
	*ret_path = path;
	return 0;
}

int enroll_read(const char *path, struct buffer *out, struct assay_error *err)
{
	return file_read(path, ENROLL_MAX_SIZE, out, err);
}

int enroll_write(const char *path, mode_t mode,
		 int (*write)(FILE *stream, const void *message, struct assay_error *err),
		 const void *message, struct assay_error *err)
{
	struct file_writer writer;
	int r = file_begin(&writer, path, mode, err);

	if (r < 0)
		return r;
	r = write(writer.stream, message, err);
	if (r == 0)
		r = file_commit(&writer, err);
	file_abort(&writer);
	return r;
}

int enroll_print_record(const struct command *command, const struct device_record *record,
			const char *path, bool json)
{
	char name[2 * TPM_NAME_MAX + 1];

	hex_encode(BYTES(record->ak_name.bytes, record->ak_name.size), name);
	if (json)
		return command_emit_json(command, json_pack("{s:o, s:s, s:s}", "record",
							    command_text_json(path), "machine_id",
							    record->machine_id, "ak_name", name));
	printf("%s: the machine %s is enrolled with the attestation key %s\n", path,
	       record->machine_id, name);
	return command_flush(command);
}

/* ---------------------------------------------------------------- challenge */

static int write_challenge(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_challenge_write(stream, message, err);
}

static int challenge(const struct enroll_verifier *verifier, const char *in, const char *out,
		     bool json)
{
	const struct command *command = &command_enroll_challenge;
	struct enroll_request request = { 0 };
	struct enroll_challenge made = { 0 };
	struct buffer text = { 0 };
	struct assay_error err;
	int r = enroll_read(in, &text, &err), status;

	if (r == 0)
		r = enroll_request_parse(buffer_bytes(&text), &request, &err);
	if (r == 0)
		r = enroll_make_challenge(verifier, &request, &made, &err);
	if (r == 0)
		r = enroll_write(out, 0644, write_challenge, &made, &err);
	if (r < 0) {
		status = command_failed(command, &err);
	} else if (json) {
		status = command_emit_json(
			command, json_pack("{s:o, s:s, s:o}", "challenge", command_text_json(out),
					   "machine_id", request.machine_id, "id",
					   json_hex(BYTES(made.id, sizeof(made.id)))));
	} else {
		printf("%s: challenge for the machine %s\n", out, request.machine_id);
		status = command_flush(command);
	}
	enroll_challenge_free(&made);
	enroll_request_free(&request);
	buffer_free(&text);
	return status;
}

static int run_challenge(int argc, char **argv)
{
	static const struct option options[] = {
		ENROLL_RECORDS_OPTIONS,
		ENROLL_TRUST_OPTIONS,
		{ "days", required_argument, NULL, ENROLL_DAYS },
		{ "out", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const struct command *command = &command_enroll_challenge;
	struct enroll_verifier verifier = { .valid = ENROLL_VALID };
	const char *out = NULL;
	bool json = false;
	int c, status;

	while ((c = command_option(command, argc, argv, ":h", options, &status)) != -1) {
		if (c == 'o')
			out = optarg;
		else if (c == 'j')
			json = true;
		else if ((status = enroll_verifier_option(command, c, optarg, &verifier)) !=
			 EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(command, "one request is to be named, not %d", argc - optind);
	if (!out || !verifier.records || verifier.root_count == 0)
		return command_usage(command, "--records, --roots and --out are needed");
	return challenge(&verifier, argv[optind], out, json);
}

const struct command command_enroll_challenge = {
	.name = "enroll challenge",
	.summary = "check a device's request, and make a challenge for its TPM",
	.help = "Usage: assay enroll challenge REQUEST --records DIR --roots FILE --out FILE\n"
		"                              [OPTION]...\n"
		"\n"
		"The verifier's first step: is the certificate in the request one of an\n"
		"endorsement key, made by a maker who is trusted, and for the key that the device\n"
		"names; and is the attestation key one that may attest? Then wrap a secret that\n"
		"only a TPM with both keys can unwrap. Needs no TPM. REQUEST '-' is standard "
		"input.\n"
		"\n" ENROLL_RECORDS_HELP ENROLL_TRUST_HELP
		"      --out FILE           where to write the challenge, for the device\n"
		"      --days N             how long it may be answered [7]\n"
		"      --json               print what was made as JSON\n"
		"  -h, --help               show this\n"
		"\n"
		"Exit status: 0 made, 1 refused or failed, 2 wrong usage.\n",
	.run = run_challenge,
};

/* ---------------------------------------------------------------- accept */

static int accept_answer(const struct enroll_verifier *verifier, const char *in, bool json)
{
	const struct command *command = &command_enroll_accept;
	struct device_record record = { 0 };
	struct enroll_answer answer;
	struct buffer text = { 0 };
	struct assay_error err;
	char *path = NULL;
	int r = enroll_read(in, &text, &err), status;

	if (r == 0)
		r = enroll_answer_parse(buffer_bytes(&text), &answer, &err);
	if (r == 0)
		r = enroll_take_answer(verifier, &answer, &record, &path, &err);
	status = r < 0 ? command_failed(command, &err) :
			 enroll_print_record(command, &record, path, json);
	device_record_free(&record);
	buffer_free(&text);
	free(path);
	return status;
}

static int run_accept(int argc, char **argv)
{
	static const struct option options[] = {
		ENROLL_RECORDS_OPTIONS,
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const struct command *command = &command_enroll_accept;
	struct enroll_verifier verifier = { 0 };
	bool json = false;
	int c, status;

	while ((c = command_option(command, argc, argv, ":h", options, &status)) != -1) {
		if (c == 'j')
			json = true;
		else if ((status = enroll_verifier_option(command, c, optarg, &verifier)) !=
			 EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(command, "one answer is to be named, not %d", argc - optind);
	if (!verifier.records)
		return command_usage(command, "--records is needed");
	return accept_answer(&verifier, argv[optind], json);
}

const struct command command_enroll_accept = {
	.name = "enroll accept",
	.summary = "check a device's answer, and keep its record",
	.help = "Usage: assay enroll accept ANSWER --records DIR [OPTION]...\n"
		"\n"
		"The verifier's second step: is the secret the one that was wrapped? Then the\n"
		"device is enrolled: its record, which 'assay verify --device' takes, is in\n"
		"DIR/devices. An endorsement key stands for one machine, and a machine for one\n"
		"endorsement key; a challenge is answered once. ANSWER '-' is standard input.\n"
		"\n" ENROLL_RECORDS_HELP
		"      --json               print what was enrolled as JSON\n"
		"  -h, --help               show this\n"
		"\n"
		"Exit status: 0 enrolled, 1 refused or failed, 2 wrong usage.\n",
	.run = run_accept,
};

/* ---------------------------------------------------------------- enroll, of assay-verify */

static int run_enroll(int argc, char **argv)
{
	static const struct command *const verbs[] = { &command_enroll_challenge,
						       &command_enroll_accept };

	return command_verbs(&command_enroll_verifier, verbs, sizeof(verbs) / sizeof(verbs[0]),
			     "challenge or accept?", argc, argv);
}

const struct command command_enroll_verifier = {
	.name = "enroll",
	.summary = "enrol a device: tie its attestation key to its TPM's maker",
	.help = "Usage: assay enroll challenge REQUEST --records DIR --roots FILE --out FILE\n"
		"       assay enroll accept ANSWER --records DIR\n"
		"\n"
		"  challenge   check a device's request, and make a challenge for its TPM\n"
		"  accept      check a device's answer, and keep its record\n"
		"\n"
		"What the device does takes the program assay: 'assay enroll request' and\n"
		"'assay enroll answer'. 'assay enroll VERB --help' tells more.\n",
	.run = run_enroll,
};
