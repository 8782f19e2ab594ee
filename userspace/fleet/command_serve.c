// SPDX-License-Identifier: MIT
#include "commands.h"
#include "serve.h"
#include "trust_files.h"

#define INTERVAL_DEFAULT 300
#define KEEP_DEFAULT 65536
#define TIMEOUT_DEFAULT 60
#define CONNECTIONS_DEFAULT 1000

struct serve_options {
	const char *database, *operators, *enrol_label;
	struct option_texts listen;
	const char *certificate, *key, *client_ca;
	struct trust_paths trust;
	uint64_t interval, keep;
	const char *result_key;
	unsigned int timeout, connections;
	bool device_certificates, approve;
};

static const struct option_row serve_rows[] = {
	FLEET_ROW_DATABASE(struct serve_options),
	{ "listen", 'l', "ADDRESS",
	  "ADDRESS:PORT, or the absolute path of a Unix socket; systemd may hand over sockets as "
	  "well",
	  OPTION_TEXTS(struct serve_options, listen) },
	{ "operators", 0, "FILE",
	  "who may look and act: ROLE NAME token:SHA256 [EXPIRES], a line each",
	  OPTION_INPUT(struct serve_options, operators) },
	{ "timeout", 0, "SECONDS", "that a connection may take for a request, or be idle (60)",
	  OPTION_NUMBER(struct serve_options, timeout, 1, 3600) },
	{ "connections", 0, "N", "that are open at a time (1000)",
	  OPTION_NUMBER(struct serve_options, connections, 1, 1000000) },
	OPTION_HEADING("TLS:"),
	{ "cert", 0, "FILE", "the service's certificate, and those that lead to its root, in PEM",
	  OPTION_INPUT(struct serve_options, certificate), .needs = "key" },
	{ "key", 0, "FILE", "its private key in PEM", OPTION_INPUT(struct serve_options, key),
	  .needs = "cert" },
	{ "client-ca", 0, "FILE", "whose certificates of clients are believed, in PEM",
	  OPTION_INPUT(struct serve_options, client_ca), .needs = "cert" },
	{ "device-certs", 0, NULL, "a device must show a certificate with its name",
	  OPTION_FLAG(struct serve_options, device_certificates), .needs = "client-ca" },
	OPTION_HEADING("Devices:"),
	{ "interval", 0, "SECONDS", "between two attestations of a device (300)",
	  OPTION_NUMBER(struct serve_options, interval, 1, 31622400) },
	{ "keep", 0, "KIB", "of a device's evidence that are kept in a day (65536)",
	  OPTION_NUMBER(struct serve_options, keep, 0, 1U << 30) },
	{ "roots", 0, "PATH",
	  "certificates of TPM makers' roots: who enrols by itself is believed by them",
	  OPTION_INPUTS(struct serve_options, trust.roots) },
	{ "intermediates", 0, "PATH", "certificates that may stand between",
	  OPTION_INPUTS(struct serve_options, trust.intermediates) },
	{ "crls", 0, "PATH", "their revocation lists",
	  OPTION_INPUTS(struct serve_options, trust.crls) },
	{ "label", 0, "LABEL", "of devices that enrol themselves (none)",
	  OPTION_TEXT(struct serve_options, enrol_label) },
	{ "approve", 0, NULL, "let them attest without an approver",
	  OPTION_FLAG(struct serve_options, approve) },
	OPTION_HEADING("Results:"),
	{ "result-key", 0, "FILE",
	  "private key, on P-256, in PEM, that attestation results are signed by",
	  OPTION_INPUT(struct serve_options, result_key) },
	OPTION_END,
};

static int serve(const struct serve_options *options, struct chain_trust *trust)
{
	const struct serve_settings settings = {
		.fleet = { .interval = options->interval,
			   .nonce_step = 120,
			   .nonce_rotation = 86400,
			   .evidence_max = 64U << 20,
			   .kept_max = options->keep << 10,
			   .queue_max = 10000,
			   .enrol_label = options->enrol_label,
			   .enrol_approved = options->approve },
		.database = options->database,
		.listen = options->listen.list,
		.listen_count = options->listen.count,
		.tls = { options->certificate, options->key, options->client_ca, false },
		.limits = { options->timeout, options->connections },
		.operators = options->operators,
		.device_certificates = options->device_certificates,
		.result_key = options->result_key,
		.ek_trust = *trust,
	};
	struct assay_error err = { 0 };

	return serve_run(&settings, &err) < 0 ? command_failed(&command_fleet_serve, &err) :
						EXIT_OK;
}

static int run_serve(int argc, char **argv)
{
	struct serve_options options = { .interval = INTERVAL_DEFAULT,
					 .keep = KEEP_DEFAULT,
					 .timeout = TIMEOUT_DEFAULT,
					 .connections = CONNECTIONS_DEFAULT,
					 .enrol_label = "" };
	struct chain_trust trust = { 0 };
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_serve, argc, argv, &options, NULL);

	if (status == COMMAND_GO) {
		if (trust_files_read(&options.trust, fleet_now(), &trust, &err) < 0)
			status = command_failed(&command_fleet_serve, &err);
		else
			status = serve(&options, &trust);
		trust_files_free(&trust);
	}
	trust_paths_free(&options.trust);
	option_texts_free(&options.listen);
	return status;
}

const struct command command_fleet_serve = {
	.name = "serve",
	.summary = "judge devices, and show what they are held for",
	.intro =
		"Answers devices that push their evidence (assay-push(7)), and operators and\n"
		"programs that ask for it. A new database is filled. It stays in the foreground.\n",
	.options = serve_rows,
	.epilogue =
		"SIGHUP has it read the operators anew; SIGTERM and SIGINT end it.\n\n"
		"Exit status: 0 it was ended by a signal, 1 it could not start, 2 wrong usage.\n",
	.run = run_serve,
};
