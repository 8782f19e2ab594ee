// SPDX-License-Identifier: MIT
/* `assay push`: one attestation to a verifier, as assayd makes them all the time. */
#define _GNU_SOURCE
#include "push_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attest/quote_call.h"
#include "base/cleanup.h"
#include "base/machine.h"
#include "base/program.h"
#include "base/scratch.h"
#include "push/answer.h"
#include "push/http.h"
#include "push/message.h"
#include "tpm_options.h"

#define TIMEOUT_MAX 600U /* seconds */
/* A nonce that was good when it came, and is not any more, is asked for so often. */
#define TRIES 2

CLEANUP_POINTER(struct push_request, push_request_free, push_request_free);

struct push_options {
	struct push_settings settings;
	struct quote_call quote;
	struct tpm_options tpm;
	uint32_t quote_timeout;
	bool json;
};

/* What came of it. */
struct outcome {
	struct push_verdict verdict;
	uint64_t bytes;
};

/* ---------------------------------------------------------------- the two requests */

static int post(const struct push_settings *settings, const char *what,
		const struct push_body *body, struct push_request **request,
		struct bytes *ret_answer, struct assay_error *err)
{
	const struct push_peer peer = { settings->url, settings->name };
	char said[PUSH_SENTENCE_MAX];
	struct push_response response;
	int r = push_request_new(settings, what, body, request, err);

	if (r < 0)
		return r;
	r = push_request_response(*request, curl_easy_perform(push_request_handle(*request)),
				  &response, err);
	if (r < 0)
		return r;
	push_error_parse(response.body, said);
	r = push_answer_check(response.status, said, &peer, err);
	if (r == -EAGAIN && response.retry_after > 0) {
		struct assay_error reason = *err;

		return assay_fail(err, EAGAIN, "%.*s; come back in %" PRIu64 " s",
				  (int)sizeof(reason.text) - 64, reason.text, response.retry_after);
	}
	*ret_answer = response.body;
	return r;
}

static int get_challenge(const struct push_settings *settings, struct push_challenge *ret,
			 struct assay_error *err)
{
	CLEANUP(push_request_free_pointer) struct push_request *request = NULL;
	CLEANUP(buffer_free) struct buffer text = { 0 };
	char boot_id[BOOT_ID_TEXT];
	struct bytes answer = { 0 };
	int r = boot_id_read(boot_id, err);

	if (r == 0)
		r = push_ask(boot_id, &text, err);
	if (r == 0)
		r = post(settings, "challenge",
			 &(struct push_body){ .fd = -1, .text = buffer_bytes(&text) }, &request,
			 &answer, err);
	return r < 0 ? r : push_challenge_parse(answer, ret, err);
}

static int send_evidence(const struct push_settings *settings, int fd, struct outcome *ret,
			 struct assay_error *err)
{
	CLEANUP(push_request_free_pointer) struct push_request *request = NULL;
	struct bytes answer = { 0 };
	struct stat status;
	int r;

	if (fstat(fd, &status) < 0)
		return assay_fail(err, errno, "the evidence cannot be read back");
	ret->bytes = (uint64_t)status.st_size;
	r = post(settings, "evidence",
		 &(struct push_body){ .fd = fd, .size = ret->bytes, .compressed = true }, &request,
		 &answer, err);
	return r < 0 ? r : push_verdict_parse(answer, &ret->verdict, err);
}

/* ---------------------------------------------------------------- the evidence */

/* No timer, no handler: a process that waits beside another one can do without. */
static int wait_for(pid_t pid, uint32_t seconds, int *ret_status)
{
	const struct timespec step = { .tv_nsec = 10000000 };

	for (uint64_t i = 0; i < UINT64_C(100) * seconds; i++) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);

		if (ended == pid)
			return 0;
		if (ended < 0 && errno != EINTR)
			return -errno;
		nanosleep(&step, NULL);
	}
	kill(-pid, SIGKILL);
	return waitpid(pid, ret_status, 0) == pid ? 0 : -errno;
}

/* @messages: -1: what it says is shown as it comes */
static int run_quote(const struct push_options *options, const struct quote_call *call, int out,
		     int messages, struct assay_error *err)
{
	pid_t pid;
	int status, r;

	if (ftruncate(out, 0) < 0 || lseek(out, 0, SEEK_SET) < 0)
		return assay_fail(err, errno, "cannot begin the evidence");
	r = quote_call_start(call, out, messages, &pid, err);
	if (r < 0)
		return r;
	r = wait_for(pid, options->quote_timeout, &status);
	if (r < 0)
		return assay_fail(err, -r, "cannot wait for the evidence");
	return quote_call_result(status, messages, err);
}

/*
 * From the record and the entry on that the verifier needs; if one is gone, or not there, all there
 * is.
 * @anew: it did not take what was made first: that may be since PCRs of the boot have changed, and
 * it wants the firmware's log again
 */
static int make_evidence(const struct push_options *options, const struct push_challenge *challenge,
			 bool anew, int out, struct assay_error *err)
{
	const char *directory = getenv("TMPDIR");
	CLEANUP(close_descriptor) int messages = -1;
	struct quote_call call = options->quote;
	int r = scratch_open(directory ? directory : "/tmp", &messages, err);

	if (r < 0)
		return r;
	call.nonce = BYTES(challenge->nonce, challenge->nonce_size);
	call.has_since = challenge->log > 0 && !call.no_assay_log;
	call.since = challenge->log;
	call.since_ima = call.no_ima_log ? 0 : challenge->ima;
	call.since_uefi = anew ? 0 : challenge->uefi;
	r = run_quote(options, &call, out, messages, err);
	if (r == 0 || (!call.has_since && call.since_ima == 0) || r == -ETIME)
		return r;
	call.has_since = false;
	call.since_ima = 0;
	if (ftruncate(messages, 0) < 0 || lseek(messages, 0, SEEK_SET) < 0)
		return assay_fail(err, errno, "cannot begin the evidence");
	return run_quote(options, &call, out, messages, err);
}

/* ---------------------------------------------------------------- run */

static int attest(const struct push_options *options, struct outcome *ret, struct assay_error *err)
{
	const char *directory = getenv("TMPDIR");
	CLEANUP(close_descriptor) int out = -1;
	struct push_challenge challenge;
	int r = scratch_open(directory ? directory : "/tmp", &out, err);

	for (int i = 0; r == 0 && i < TRIES; i++) {
		r = get_challenge(&options->settings, &challenge, err);
		if (r == 0)
			r = make_evidence(options, &challenge, i > 0, out, err);
		if (r == 0)
			r = send_evidence(&options->settings, out, ret, err);
		if (r != -ESTALE || i == TRIES - 1)
			break;
		r = 0;
	}
	return r;
}

static int print(const struct push_options *options, const struct outcome *outcome)
{
	const struct push_verdict *verdict = &outcome->verdict;
	const char *word = push_word_name((enum push_word)verdict->word);
	const int status = verdict->word == PUSH_NOT_TRUSTED ? EXIT_FAILED : EXIT_OK;
	int flushed;

	if (options->json) {
		flushed = command_emit_json(
			&command_push_run,
			json_pack("{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "url",
				  command_text_json(options->settings.url), "machine_id",
				  options->settings.name, "verdict", word, "reason",
				  verdict->reason, "next_in", (json_int_t)verdict->next_in,
				  "evidence_bytes", (json_int_t)outcome->bytes,
				  "acknowledged_records", (json_int_t)verdict->log,
				  "acknowledged_entries", (json_int_t)verdict->ima));
		return flushed == EXIT_OK ? status : flushed;
	}
	printf("%s: %s%s%s; %" PRIu64 " bytes of evidence, the next is wanted in %" PRIu32 " s\n",
	       options->settings.name, word, verdict->reason[0] != '\0' ? ": " : "",
	       verdict->reason, outcome->bytes, verdict->next_in);
	flushed = command_flush(&command_push_run);
	return flushed == EXIT_OK ? status : flushed;
}

/* What is not said. */
static int fill_in(struct push_options *options, char name[MACHINE_ID_TEXT], char **program,
		   struct assay_error *err)
{
	int r = 0;

	if (!options->settings.name) {
		r = machine_id_read(name, err);
		if (r < 0)
			return assay_fail_context(err, "the device's name (--name)");
		options->settings.name = name;
	}
	r = push_settings_check(&options->settings, err);
	if (r == 0)
		r = program_beside("assay", program, err);
	options->quote.program = *program;
	return r;
}

static int run_push(int argc, char **argv)
{
	CLEANUP(free_pointer) char *program = NULL;
	struct push_options options = { .settings = { .timeout = 60 },
					.quote = { .compress = true },
					.quote_timeout = 120 };
	char name[MACHINE_ID_TEXT], parent[sizeof("0x00000000")];
	struct outcome outcome = { 0 };
	struct assay_error err;
	int r, status = command_parse(&command_push_run, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	options.quote.tcti = options.tpm.tcti;
	options.quote.owner_password_file = options.tpm.owner_password;
	options.quote.parent_password_file = options.tpm.parent_password;
	if (options.tpm.parent != 0) {
		snprintf(parent, sizeof(parent), "0x%" PRIx32, options.tpm.parent);
		options.quote.parent = parent;
	}
	r = fill_in(&options, name, &program, &err);
	if (r == -EINVAL)
		return command_usage(&command_push_run, "%s", err.text);
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = assay_fail(&err, EIO, "libcurl cannot be used");
	if (r < 0)
		return command_failed(&command_push_run, &err);
	r = attest(&options, &outcome, &err);
	curl_global_cleanup();
	return r < 0 ? command_failed(&command_push_run, &err) : print(&options, &outcome);
}

static const struct option_row push_rows[] = {
	{ "url", 0, "URL", "the verifier: https://HOST[:PORT][/PATH]",
	  OPTION_TEXT(struct push_options, settings.url), .required = true },
	{ "ak", 0, "KEY",
	  "the attestation key: a key file, or handle:0x81... (assay key create --restricted)",
	  OPTION_INPUT(struct push_options, quote.ak), .required = true },
	{ "name", 0, "NAME", "what this device is called there (what is in /etc/machine-id)",
	  OPTION_TEXT(struct push_options, settings.name) },
	OPTION_HEADING("The connection:"),
	{ "ca", 0, "FILE",
	  "certificates, PEM, one of which vouches for the verifier's (the system's)",
	  OPTION_INPUT(struct push_options, settings.ca) },
	{ "client-cert", 0, "FILE",
	  "this device's certificate, PEM, where the verifier asks for one",
	  OPTION_INPUT(struct push_options, settings.certificate) },
	{ "client-key", 0, "FILE", "its key, PEM, where it is not in the certificate's file",
	  OPTION_INPUT(struct push_options, settings.key), .needs = "client-cert" },
	{ "proxy", 0, "URL", "a proxy; without it none is used, whatever the environment says",
	  OPTION_TEXT(struct push_options, settings.proxy) },
	{ "unix-socket", 0, "PATH", "speak to this socket; the URL may be http:// then",
	  OPTION_TEXT(struct push_options, settings.unix_socket) },
	{ "timeout", 0, "SECONDS", "for a connection, and for an answer (60)",
	  OPTION_NUMBER(struct push_options, settings.timeout, 1, TIMEOUT_MAX) },
	OPTION_HEADING("The evidence (assay-quote(1)):"),
	{ "pcrs", 0, "LIST", "PCRs to quote", OPTION_TEXT(struct push_options, quote.pcrs),
	  .excludes = "policy" },
	{ "policy", 0, "FILE", "instead, those that this verifier's policy asks for",
	  OPTION_INPUT(struct push_options, quote.policy) },
	{ "bank", 0, "LIST", "their banks (sha256)", OPTION_TEXT(struct push_options, quote.bank) },
	{ "ak-cert", 0, "FILE", "put the key's certificate into the evidence",
	  OPTION_INPUT(struct push_options, quote.ak_cert) },
	{ "no-assay-log", 0, NULL, "leave assay's log out; the module is not needed then",
	  OPTION_FLAG(struct push_options, quote.no_assay_log) },
	{ "no-ima-log", 0, NULL, "leave IMA's list out",
	  OPTION_FLAG(struct push_options, quote.no_ima_log) },
	{ "no-uefi-log", 0, NULL, "leave the firmware's log out",
	  OPTION_FLAG(struct push_options, quote.no_uefi_log) },
	{ "quote-timeout", 0, "SECONDS", "how long collecting may take (120)",
	  OPTION_NUMBER(struct push_options, quote_timeout, 1, 3600) },
	OPTION_HEADING("The TPM:"),
	OPTION_ROW_TCTI(struct push_options, tpm),
	OPTION_ROW_OWNER_PASSWORD(struct push_options, tpm),
	OPTION_ROWS_PARENT(struct push_options, tpm),
	OPTION_HEADING("Output:"),
	OPTION_ROW_JSON(struct push_options, json),
	OPTION_END,
};

const struct command command_push_run = {
	.name = "push",
	.summary = "attest to a verifier over HTTPS, once",
	.intro =
		"Asks a verifier for a nonce, makes evidence as 'assay quote' does, sends it, and\n"
		"tells the verdict (assay-push(7)).\n",
	.options = push_rows,
	.epilogue =
		"Exit status: 0 trusted, or taken and not judged yet; 1 not trusted, or failed;\n"
		"2 wrong usage.\n",
	.run = run_push,
};
