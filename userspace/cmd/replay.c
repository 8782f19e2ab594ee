// SPDX-License-Identifier: MIT
/*
 * `assay replay`: which PCRs a measurement log replays to. Also in the program assay-verify,
 * so nothing here may need the TPM stack.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "log/ima.h"
#include "log/pcrs.h"

#define MAX_EXPECTED 32
/* More than any kernel keeps; a mapped file costs no memory. */
#define MAX_LOG (UINT64_C(1) << 36)

static const char help[] =
	"Usage: assay replay ima FILE [OPTION]...\n"
	"       assay replay cel FILE [OPTION]...\n"
	"       assay replay uefi FILE [OPTION]...\n"
	"\n"
	"Replay a measurement log and print the PCRs it comes to: the list of IMA\n"
	"(/sys/kernel/security/ima/binary_runtime_measurements*), a log in TCG CEL-TLV ('assay "
	"log\n"
	"export' writes one), or the firmware's event log (/sys/kernel/security/tpm0/\n"
	"binary_bios_measurements). Digests are compared with what they are of, as far as the form "
	"of\n"
	"the log allows. FILE '-' is standard input. Needs no TPM.\n"
	"\n"
	"Options:\n"
	"      --bank HASH     the PCR bank to replay: sha1, sha256, sha384 or sha512; "
	"repeatable.\n"
	"                      Without it: all that the log has digests of\n"
	"      --template-bank HASH\n"
	"                      ima: the hash of the list's template digests; without it the first\n"
	"                      entry tells\n"
	"      --expect [PCR:]HASH:HEX\n"
	"                      a value that the PCR must come to, repeatable; of ima PCR 10 is "
	"meant\n"
	"                      without a number, of cel PCR 14. A log may be longer than a PCR "
	"was\n"
	"                      read or quoted: then the value must come up on the way (uefi: at "
	"the\n"
	"                      end)\n"
	"      --strict        uefi: exit 1 also where an event breaks a rule of the "
	"specification, as\n"
	"                      those of some machines do that nobody tampered with\n"
	"      --json          print one JSON object\n"
	"  -h, --help          print this\n"
	"\n"
	"Exit status: 0 it replays, as expected; 1 an expected value does not come up, or a digest "
	"is\n"
	"not that of its data; 2 wrong usage; 3 the log cannot be read.\n";

enum { OPTION_BANK = 256, OPTION_TEMPLATE_BANK, OPTION_EXPECT, OPTION_STRICT, OPTION_JSON };

struct options {
	const struct format *format;
	const char *path;
	enum assay_hash template_bank;
	struct pcrs_request request;
	struct pcrs_expected expected[MAX_EXPECTED];
	bool strict, json;
};

/* ---------------------------------------------------------------- forms of logs */

static int replay_ima(struct bytes log, struct options *options, struct pcrs *ret,
		      struct assay_error *err)
{
	int r = 0;

	if (options->template_bank == ASSAY_HASH_NONE && log.size > 0)
		r = ima_detect_bank(log, &options->template_bank, err);
	if (r < 0)
		return r;
	return pcrs_of_ima(log, options->template_bank, &options->request, ret, err);
}

static int replay_cel(struct bytes log, struct options *options, struct pcrs *ret,
		      struct assay_error *err)
{
	return pcrs_of_cel(log, &options->request, ret, err);
}

static int replay_uefi(struct bytes log, struct options *options, struct pcrs *ret,
		       struct assay_error *err)
{
	return pcrs_of_uefi(log, &options->request, ret, err);
}

static const struct format {
	const char *name, *entries;
	int pcr; /* that is meant without a number; -1: none */
	int (*replay)(struct bytes log, struct options *options, struct pcrs *ret,
		      struct assay_error *err);
} formats[] = {
	{ "ima", "entries", 10, replay_ima },
	{ "cel", "records", 14, replay_cel },
	{ "uefi", "events", -1, replay_uefi },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* ---------------------------------------------------------------- the call's words */

static int parse_bank(const char *option, const char *text, enum assay_hash *ret)
{
	*ret = assay_hash_by_name(text);
	if (*ret == ASSAY_HASH_NONE)
		return command_usage(&command_replay,
				     "%s is sha1, sha256, sha384 or sha512, not '%s'", option,
				     text);
	return EXIT_OK;
}

/* The digits and the colon in front of HASH:HEX; without them *ret stays. */
static const char *skip_pcr(const char *text, unsigned int *ret)
{
	unsigned int pcr = 0;
	size_t digits = 0;

	while (digits < 2 && text[digits] >= '0' && text[digits] <= '9')
		pcr = 10 * pcr + (unsigned int)(text[digits++] - '0');
	if (digits == 0 || text[digits] != ':')
		return text;
	*ret = pcr;
	return text + digits + 1;
}

static int parse_expected(const char *text, struct options *options)
{
	struct pcrs_expected expected = { .pcr = (unsigned int)options->format->pcr };
	const char *value = skip_pcr(text, &expected.pcr);
	const char *colon = strchr(value, ':');
	char name[16] = "";

	if (colon && (size_t)(colon - value) < sizeof(name))
		memcpy(name, value, (size_t)(colon - value));
	expected.value.hash = assay_hash_by_name(name);
	if (expected.value.hash == ASSAY_HASH_NONE || expected.pcr >= PCRS_COUNT ||
	    hex_decode(colon + 1, expected.value.bytes, sizeof(expected.value.bytes),
		       &expected.value.size) < 0 ||
	    expected.value.size != assay_hash_size(expected.value.hash))
		return command_usage(&command_replay,
				     "--expect wants %sHASH:HEX, a PCR's value with as many digits "
				     "as that hash has, not '%s'",
				     options->format->pcr < 0 ? "PCR:" : "[PCR:]", text);
	if (options->request.expected_count == MAX_EXPECTED)
		return command_usage(&command_replay, "--expect can be given at most %d times",
				     MAX_EXPECTED);
	options->expected[options->request.expected_count++] = expected;
	options->request.expected = options->expected;
	return EXIT_OK;
}

static int apply_option(int option, const char *value, struct options *options)
{
	int status;

	switch (option) {
	case OPTION_BANK:
		if (options->request.bank_count == HASHERS_MAX)
			return command_usage(&command_replay, "--bank can be given %d times",
					     HASHERS_MAX);
		status = parse_bank("--bank", value,
				    &options->request.banks[options->request.bank_count]);
		options->request.bank_count++;
		return status;
	case OPTION_TEMPLATE_BANK:
		return parse_bank("--template-bank", value, &options->template_bank);
	case OPTION_EXPECT:
		return parse_expected(value, options);
	case OPTION_STRICT:
		options->strict = true;
		return EXIT_OK;
	default:
		options->json = true;
		return EXIT_OK;
	}
}

/* Return: -1 to go on, or an exit status */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "bank", required_argument, NULL, OPTION_BANK },
		{ "template-bank", required_argument, NULL, OPTION_TEMPLATE_BANK },
		{ "expect", required_argument, NULL, OPTION_EXPECT },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ "json", no_argument, NULL, OPTION_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	int option, status;

	while ((option = command_option(&command_replay, argc, argv, ":h", table, &status)) != -1) {
		status = apply_option(option, optarg, options);
		if (status != EXIT_OK)
			return status;
	}
	if (status != -1)
		return status;
	if (optind + 1 != argc)
		return command_usage(&command_replay, "one log is to be named, not %d",
				     argc - optind);
	if (options->template_bank != ASSAY_HASH_NONE && options->format->replay != replay_ima)
		return command_usage(&command_replay, "--template-bank is for ima only");
	options->path = argv[optind];
	return -1;
}

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; name && i < FORMATS; i++)
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	return NULL;
}

/* Without the form of the log only help can be given. */
static int run_without_format(int argc, char **argv)
{
	static const struct option table[] = { COMMAND_HELP_OPTION, { 0 } };
	int status;

	(void)command_option(&command_replay, argc, argv, "+:h", table, &status);
	if (status != -1)
		return status;
	return command_usage(&command_replay, "which form has the log: ima, cel or uefi?");
}

/* ---------------------------------------------------------------- what came of it */

static bool all_reached(const struct options *options)
{
	for (size_t i = 0; i < options->request.expected_count; i++)
		if (!options->expected[i].reached)
			return false;
	return true;
}

static void print_expected(const struct options *options, const struct pcrs *pcrs)
{
	for (size_t i = 0; i < options->request.expected_count; i++) {
		const struct pcrs_expected *expected = &options->expected[i];
		const char *bank = assay_hash_name(expected->value.hash);

		if (!expected->reached)
			printf("PCR %u, %s: the expected value comes up after none of the %s\n",
			       expected->pcr, bank, options->format->entries);
		else if (expected->after < pcrs->entries)
			printf("PCR %u, %s: as expected after %" PRIu64 " %s; the last %" PRIu64
			       " came later\n",
			       expected->pcr, bank, expected->after, options->format->entries,
			       pcrs->entries - expected->after);
		else
			printf("PCR %u, %s: as expected\n", expected->pcr, bank);
	}
}

/* What the specification says of a firmware's events: facts, of which honest machines have some. */
static void print_rules(const struct pcrs *pcrs)
{
	for (unsigned int rule = 0; rule < UEFI_RULES; rule++) {
		const struct uefi_broken *broken = &pcrs->broken[rule];

		if (!(pcrs->rules & UINT32_C(1) << rule))
			continue;
		printf("%s: event %" PRIu64 " at offset %" PRIu64 ": %s",
		       uefi_rule_name((enum uefi_rule)rule), broken->number, broken->offset,
		       uefi_rule_sentence((enum uefi_rule)rule));
		if (broken->events > 1)
			printf("; %" PRIu64 " more", broken->events - 1);
		putchar('\n');
	}
}

static void print_incomplete(const struct options *options, const struct pcrs *pcrs)
{
	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = 0; pcr < PCRS_COUNT; pcr++)
			if (pcrs->banks[i].incomplete & UINT32_C(1) << pcr)
				printf("%s  PCR %2u  is incomplete: not all of its %s have a "
				       "digest "
				       "of that bank\n",
				       assay_hash_name(pcrs->banks[i].hash), pcr,
				       options->format->entries);
}

static void print_text(const struct options *options, const struct pcrs *pcrs)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	bool any = false;

	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = 0; pcr < PCRS_COUNT; pcr++) {
			const struct assay_digest *value = &pcrs->banks[i].values[pcr];

			if (!(pcrs->banks[i].extended & UINT32_C(1) << pcr))
				continue;
			any = true;
			hex_encode(BYTES(value->bytes, value->size), hex);
			printf("%-6s  PCR %2u  %s\n", assay_hash_name(value->hash), pcr, hex);
		}
	if (!any)
		printf("no PCR is extended by it\n");
	printf("%" PRIu64 " %s", pcrs->entries, options->format->entries);
	if (pcrs->violations > 0)
		printf(", %" PRIu64 " of them violations", pcrs->violations);
	printf(", %" PRIu64 " with another digest than that of their data\n", pcrs->problems);
	if (pcrs->problems > 0)
		printf("%s\n", pcrs->problem);
	print_incomplete(options, pcrs);
	print_rules(pcrs);
	print_expected(options, pcrs);
}

static json_t *banks_to_json(const struct pcrs *pcrs)
{
	json_t *banks = json_object();
	char hex[2 * ASSAY_DIGEST_MAX + 1], index[8];

	for (size_t i = 0; i < pcrs->bank_count; i++) {
		json_t *bank = json_object();

		for (unsigned int pcr = 0; pcr < PCRS_COUNT; pcr++) {
			const struct assay_digest *value = &pcrs->banks[i].values[pcr];

			if (!(pcrs->banks[i].extended & UINT32_C(1) << pcr))
				continue;
			hex_encode(BYTES(value->bytes, value->size), hex);
			snprintf(index, sizeof(index), "%u", pcr);
			json_object_set_new(bank, index, json_string(hex));
		}
		json_object_set_new(banks, assay_hash_name(pcrs->banks[i].hash), bank);
	}
	return banks;
}

static json_t *expected_to_json(const struct options *options)
{
	json_t *all = json_array();

	for (size_t i = 0; i < options->request.expected_count; i++) {
		const struct pcrs_expected *expected = &options->expected[i];

		json_array_append_new(
			all, json_pack("{s:i, s:s, s:b, s:I}", "pcr", (int)expected->pcr, "bank",
				       assay_hash_name(expected->value.hash), "reached",
				       expected->reached, "after", (json_int_t)expected->after));
	}
	return all;
}

static json_t *rules_to_json(const struct pcrs *pcrs)
{
	json_t *rules = json_array();

	for (unsigned int rule = 0; rule < UEFI_RULES; rule++)
		if (pcrs->rules & UINT32_C(1) << rule)
			json_array_append_new(
				rules,
				json_pack("{s:s, s:s, s:I, s:I, s:I}", "rule",
					  uefi_rule_name((enum uefi_rule)rule), "says",
					  uefi_rule_sentence((enum uefi_rule)rule), "events",
					  (json_int_t)pcrs->broken[rule].events, "first_event",
					  (json_int_t)pcrs->broken[rule].number, "offset",
					  (json_int_t)pcrs->broken[rule].offset));
	return rules;
}

static int print_json(const struct options *options, const struct pcrs *pcrs, bool good)
{
	json_t *root =
		json_pack("{s:s, s:b, s:I, s:I, s:I, s:o, s:o}", "format", options->format->name,
			  "ok", good, "entries", (json_int_t)pcrs->entries, "violations",
			  (json_int_t)pcrs->violations, "problems", (json_int_t)pcrs->problems,
			  "pcrs", banks_to_json(pcrs), "expected", expected_to_json(options));

	if (root && options->format->replay == replay_uefi)
		json_object_set_new(root, "rules", rules_to_json(pcrs));
	if (root && pcrs->problems > 0)
		json_object_set_new(root, "problem", json_string(pcrs->problem));
	return command_emit_json(&command_replay, root);
}

static int run_replay(int argc, char **argv)
{
	struct options options = { .format = find_format(argv[1]) };
	struct file_view log = { 0 };
	struct assay_error err;
	struct pcrs pcrs;
	bool good;
	int r, status;

	if (!options.format)
		return run_without_format(argc, argv);
	status = parse_options(argc - 1, argv + 1, &options);
	if (status != -1)
		return status;
	r = file_map(options.path, MAX_LOG, &log, &err);
	if (r == 0)
		r = options.format->replay(log.bytes, &options, &pcrs, &err);
	file_unmap(&log);
	if (r != 0) {
		command_failed(&command_replay, &err);
		return EXIT_UNREADABLE;
	}
	good = pcrs.problems == 0 && !(options.strict && pcrs.rules) && all_reached(&options);
	if (options.json) {
		status = print_json(&options, &pcrs, good);
	} else {
		print_text(&options, &pcrs);
		status = command_flush(&command_replay);
	}
	return status == EXIT_OK && !good ? EXIT_FAILED : status;
}

const struct command command_replay = {
	.name = "replay",
	.summary = "print the PCRs that a measurement log comes to",
	.help = help,
	.run = run_replay,
};
