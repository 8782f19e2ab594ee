// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "retention.h"
#include "serve.h"
#include "trust_files.h"
#include "workers.h"

#define INTERVAL_DEFAULT 300
#define KEEP_DEFAULT 65536
#define TIMEOUT_DEFAULT 60
#define CONNECTIONS_DEFAULT 1000
#define PER_ADDRESS_DEFAULT 100
#define DEVICE_RATE_DEFAULT 60
#define OPERATOR_RATE_DEFAULT 1800

struct serve_options {
	struct database_options database;
	const char *operators, *enrol_label;
	struct option_texts listen, proxies;
	const char *certificate, *key, *client_ca;
	struct trust_paths trust;
	struct option_texts known_eks;
	uint64_t interval, keep, retain, retain_summaries, device_rate, operator_rate;
	const char *result_key;
	unsigned int timeout, connections, per_address, workers;
	bool device_certificates, approve, check, two_persons, proxy_certificates;
};

static const struct serve_options serve_defaults = { .interval = INTERVAL_DEFAULT,
						     .keep = KEEP_DEFAULT,
						     .retain = RETENTION_DAYS,
						     .retain_summaries = RETENTION_SUMMARY_DAYS,
						     .timeout = TIMEOUT_DEFAULT,
						     .connections = CONNECTIONS_DEFAULT,
						     .per_address = PER_ADDRESS_DEFAULT,
						     .device_rate = DEVICE_RATE_DEFAULT,
						     .operator_rate = OPERATOR_RATE_DEFAULT,
						     .enrol_label = "" };

static const struct option_row serve_rows[] = {
	FLEET_ROWS_DATABASE(struct serve_options),
	{ "check", 0, NULL, "read all that there is to read, say what is off, and end",
	  OPTION_FLAG(struct serve_options, check) },
	{ "listen", 'l', "ADDRESS",
	  "ADDRESS:PORT, or the absolute path of a Unix socket; systemd may hand over sockets as "
	  "well",
	  OPTION_TEXTS(struct serve_options, listen) },
	{ "operators", 0, "FILE",
	  "who may look and act: ROLE NAME token:SHA256 [EXPIRES], a line each",
	  OPTION_INPUT(struct serve_options, operators) },
	{ "workers", 'j', "N",
	  "processes that answer (with PostgreSQL as many as there are processors; else 1)",
	  OPTION_NUMBER(struct serve_options, workers, 1, WORKERS_MAX) },
	{ "timeout", 0, "SECONDS", "that a connection may take for a request, or be idle (60)",
	  OPTION_NUMBER(struct serve_options, timeout, 1, 3600) },
	{ "connections", 0, "N", "that are open at a time, shared by the workers (1000)",
	  OPTION_NUMBER(struct serve_options, connections, 1, 1000000) },
	{ "per-address", 0, "N",
	  "connections over TLS that an address may have open; 0: any number (100)",
	  OPTION_NUMBER(struct serve_options, per_address, 0, 1000000) },
	{ "proxy", 0, "ADDRESS", "of whom there may be any number of connections",
	  OPTION_TEXTS(struct serve_options, proxies) },
	{ "operator-rate", 0, "N", "requests a minute of an operator; 0: any number (1800)",
	  OPTION_NUMBER(struct serve_options, operator_rate, 0, 1000000) },
	{ "retain", 0, "DAYS",
	  "that former verdicts and evidence of former boots are kept; 0: for ever (90)",
	  OPTION_NUMBER(struct serve_options, retain, 0, 36500) },
	{ "retain-summaries", 0, "DAYS",
	  "that it is kept how many devices were held for what (800)",
	  OPTION_NUMBER(struct serve_options, retain_summaries, 1, 36500) },
	OPTION_HEADING("TLS:"),
	{ "cert", 0, "FILE", "the service's certificate, and those that lead to its root, in PEM",
	  OPTION_INPUT(struct serve_options, certificate) },
	{ "key", 0, "FILE", "its private key in PEM", OPTION_INPUT(struct serve_options, key) },
	{ "client-ca", 0, "FILE", "whose certificates of clients are believed, in PEM",
	  OPTION_INPUT(struct serve_options, client_ca) },
	{ "device-certs", 0, NULL, "a device must show a certificate with its name",
	  OPTION_FLAG(struct serve_options, device_certificates) },
	{ "proxy-certs", 0, NULL,
	  "who is behind a Unix socket has checked clients' certificates, and says which",
	  OPTION_FLAG(struct serve_options, proxy_certificates) },
	OPTION_HEADING("Devices:"),
	{ "interval", 0, "SECONDS", "between two attestations of a device (300)",
	  OPTION_NUMBER(struct serve_options, interval, 1, 31622400) },
	{ "device-rate", 0, "N", "requests a minute of a device; 0: any number (60)",
	  OPTION_NUMBER(struct serve_options, device_rate, 0, 1000000) },
	{ "keep", 0, "KIB", "of a device's evidence that are kept in a day (65536)",
	  OPTION_NUMBER(struct serve_options, keep, 0, 1U << 30) },
	{ "roots", 0, "PATH",
	  "certificates of TPM makers' roots: who enrols by itself is believed by them",
	  OPTION_INPUTS(struct serve_options, trust.roots) },
	{ "intermediates", 0, "PATH", "certificates that may stand between",
	  OPTION_INPUTS(struct serve_options, trust.intermediates) },
	{ "crls", 0, "PATH", "their revocation lists",
	  OPTION_INPUTS(struct serve_options, trust.crls) },
	{ "ek-hashes", 0, "FILE",
	  "TPMs that may enrol without a certificate: SHA-256 of their endorsement keys, a line "
	  "each",
	  OPTION_INPUTS(struct serve_options, known_eks) },
	{ "label", 0, "LABEL", "of devices that enrol themselves (none)",
	  OPTION_TEXT(struct serve_options, enrol_label) },
	{ "approve", 0, NULL, "let them attest without an approver",
	  OPTION_FLAG(struct serve_options, approve) },
	OPTION_HEADING("Policies:"),
	{ "two-persons", 0, NULL, "who assigns one proposes it, and another approver approves",
	  OPTION_FLAG(struct serve_options, two_persons) },
	OPTION_HEADING("Results:"),
	{ "result-key", 0, "FILE",
	  "private key, on P-256, in PEM, that attestation results are signed by",
	  OPTION_INPUT(struct serve_options, result_key) },
	OPTION_END,
};

/* SQLite has one that writes at a time. */
static unsigned int workers_of(const struct serve_options *options)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (options->workers > 0)
		return options->workers;
	if (strncmp(options->database.url, "postgres", strlen("postgres")) != 0 || processors < 1)
		return 1;
	return processors < WORKERS_MAX ? (unsigned int)processors : WORKERS_MAX;
}

static int serve(const struct serve_options *options, const struct fleet_config *config,
		 struct chain_trust *trust, struct assay_error *err)
{
	const unsigned int workers = workers_of(options);
	const struct serve_settings settings = {
		.fleet = { .interval = options->interval,
			   .nonce_step = 120,
			   .nonce_rotation = 86400,
			   .evidence_max = 64U << 20,
			   .kept_max = options->keep << 10,
			   .retain = options->retain,
			   .retain_summaries = options->retain_summaries,
			   .queue_max = 10000,
			   .device_rate = options->device_rate,
			   .operator_rate = options->operator_rate,
			   .enrol_label = options->enrol_label,
			   .enrol_approved = options->approve,
			   .two_persons = options->two_persons },
		.database = options->database.url,
		.listen = options->listen.list,
		.listen_count = options->listen.count,
		.tls = { options->certificate, options->key, options->client_ca, false },
		.limits = { options->timeout, (options->connections + workers - 1) / workers,
			    workers > 1, NULL, 0 },
		.per_address = options->per_address,
		.proxies = options->proxies.list,
		.proxy_count = options->proxies.count,
		.workers = workers,
		.operators = options->operators,
		.device_certificates = options->device_certificates,
		.proxy_certificates = options->proxy_certificates,
		.result_key = options->result_key,
		.ek_trust = *trust,
		.known_eks = options->known_eks.list,
		.known_ek_count = options->known_eks.count,
		.config = config,
	};

	return options->check ? serve_check(&settings, err) : serve_run(&settings, err);
}

/* ---------------------------------------------------------------- the configuration */

/* What belongs together may be said in two places. */
static int check_together(const struct serve_options *options, struct assay_error *err)
{
	if (!options->database.url)
		return assay_fail(err, EINVAL, "--database is needed, or database in [serve] of %s",
				  options->database.config ? options->database.config :
							     CONFIG_FILE);
	if (!options->certificate != !options->key)
		return assay_fail(err, EINVAL, "--cert and --key need each other");
	if (options->client_ca && !options->certificate)
		return assay_fail(err, EINVAL, "--client-ca needs --cert");
	if (options->device_certificates && !options->client_ca && !options->proxy_certificates)
		return assay_fail(err, EINVAL,
				  "--device-certs needs --client-ca, or --proxy-certs");
	return 0;
}

static void serve_options_free(struct serve_options *options)
{
	trust_paths_free(&options->trust);
	option_texts_free(&options->listen);
	option_texts_free(&options->known_eks);
	option_texts_free(&options->proxies);
}

int fleet_database(struct database_options *database, struct assay_error *err)
{
	static struct fleet_config config; /* what is found lives as long as the process */
	struct serve_options options = serve_defaults;
	int r = database->url ? 0 :
				config_load(database->config, serve_rows, &options, &config, err);

	if (r == 0 && !database->url) {
		database->url = options.database.url;
		r = check_together(&(struct serve_options){ .database = *database }, err);
	}
	serve_options_free(&options);
	return r;
}

/* The words of the command line count for more than those of files, so they are taken again. */
static int read_options(int argc, char **argv, struct fleet_config *config,
			struct serve_options *ret)
{
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	struct serve_options first = serve_defaults;
	struct assay_error err = { 0 };
	int status;

	if (!words)
		return command_failed(&command_fleet_serve,
				      (assay_fail(&err, ENOMEM, "out of memory"), &err));
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	status = command_parse(&command_fleet_serve, argc, words, &first, NULL);
	if (status == COMMAND_GO &&
	    config_load(first.database.config, serve_rows, ret, config, &err) < 0)
		status = command_failed(&command_fleet_serve, &err);
	if (status == COMMAND_GO)
		status = command_parse(&command_fleet_serve, argc, argv, ret, NULL);
	if (status == COMMAND_GO && check_together(ret, &err) < 0)
		status = command_usage(&command_fleet_serve, "%s", err.text);
	serve_options_free(&first);
	free(words);
	return status;
}

static int run_serve(int argc, char **argv)
{
	struct serve_options options = serve_defaults;
	struct fleet_config config = { 0 };
	struct chain_trust trust = { 0 };
	struct assay_error err = { 0 };
	int status = read_options(argc, argv, &config, &options);

	if (status == COMMAND_GO) {
		status = EXIT_OK;
		if (trust_files_read(&options.trust, fleet_now(), &trust, &err) < 0 ||
		    serve(&options, &config, &trust, &err) < 0)
			status = command_failed(&command_fleet_serve, &err);
		else if (options.check)
			printf("all that there is to read can be read\n");
		trust_files_free(&trust);
	}
	serve_options_free(&options);
	config_free(&config);
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
		"What is given here counts for more than what the configuration says\n"
		"(assay-fleet.conf(5)). SIGHUP has it read the operators anew; SIGTERM and SIGINT\n"
		"end it. A worker that ends otherwise is followed by another one.\n\n"
		"Exit status: 0 it was ended by a signal, or all can be read (--check); 1 it "
		"could\n"
		"not start; 2 wrong usage.\n",
	.run = run_serve,
};
