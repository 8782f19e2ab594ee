// SPDX-License-Identifier: MIT
/*
 * `assay replay`: which PCRs a measurement log replays to. Also in the program assay-verify,
 * so nothing here may need the TPM stack.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmd.h"
#include "log/cel_json.h"
#include "log/ima.h"
#include "log/ima_ascii.h"
#include "log/log_kind.h"
#include "log/pcrs.h"
#include "replay_events.h"

#define MAX_VALUES 32
/* More than any kernel keeps; a mapped file costs no memory. */
#define MAX_LOG (UINT64_C(1) << 36)

/**
 * struct replay_options - what was asked for
 * @expect, @start: as they were given; @expected and @starts hold what they say
 * @accepted: bit n: rule n of enum uefi_rule is not counted with @strict
 * @events: show what the log is of, too
 */
struct replay_options {
	enum assay_hash template_bank;
	struct option_texts expect, start;
	struct pcrs_request request;
	struct pcrs_expected expected[MAX_VALUES];
	struct pcrs_start starts[MAX_VALUES];
	uint32_t accepted;
	bool strict, json, events;
};

/**
 * struct replay_format - a form of logs
 * @entries: what its entries are called
 * @pcr: that is meant where a value has no number; -1: none
 * @has_pcrs, @has_rtmrs: what its entries may be of: PCRs, registers of a confidential machine
 * @value: how a value of one is given
 * @events: prints what the log is of: replay_events.h; NULL: cannot
 */
struct replay_format {
	const struct command *command;
	const char *name, *entries;
	int pcr;
	bool has_pcrs, has_rtmrs;
	const char *value;
	int (*replay)(struct bytes log, struct replay_options *options, struct pcrs *ret,
		      struct assay_error *err);
	replay_events *events;
};

/* ---------------------------------------------------------------- forms of logs */

static int replay_ima(struct bytes log, struct replay_options *options, struct pcrs *ret,
		      struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer binary = { 0 };
	struct ima_ascii_list list;
	int r = 0;

	if (ima_ascii_is(log)) {
		r = ima_ascii_read(log, &binary, &list, err);
		if (r < 0)
			return r;
		options->template_bank = list.bank;
		log = buffer_bytes(&binary);
	}
	if (options->template_bank == ASSAY_HASH_NONE && log.size > 0)
		r = ima_detect_bank(log, &options->template_bank, err);
	if (r < 0)
		return r;
	return pcrs_of_ima(log, options->template_bank, &options->request, ret, err);
}

static int replay_cel(struct bytes log, struct replay_options *options, struct pcrs *ret,
		      struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer tlv = { 0 };
	int r;

	if (!cel_json_is(log))
		return pcrs_of_cel(log, &options->request, ret, err);
	r = cel_json_read(log, &tlv, err);
	if (r < 0)
		return r;
	return pcrs_of_cel(buffer_bytes(&tlv), &options->request, ret, err);
}

static int replay_uefi(struct bytes log, struct replay_options *options, struct pcrs *ret,
		       struct assay_error *err)
{
	return pcrs_of_uefi(log, &options->request, ret, err);
}

static int replay_ccel(struct bytes log, struct replay_options *options, struct pcrs *ret,
		       struct assay_error *err)
{
	return pcrs_of_cc(log, &options->request, ret, err);
}

static const struct command command_replay_ima, command_replay_cel, command_replay_uefi,
	command_replay_ccel;

static const struct replay_format format_ima = {
	.command = &command_replay_ima,
	.name = "ima",
	.entries = "entries",
	.pcr = 10,
	.has_pcrs = true,
	.value = "[PCR:]HASH:HEX",
	.replay = replay_ima,
	.events = replay_events_ima,
};
static const struct replay_format format_cel = {
	.command = &command_replay_cel,
	.name = "cel",
	.entries = "records",
	.pcr = 14,
	.has_pcrs = true,
	.has_rtmrs = true,
	.value = "[PCR:]HASH:HEX or RTMRn:HASH:HEX",
	.replay = replay_cel,
};
static const struct replay_format format_uefi = {
	.command = &command_replay_uefi,
	.name = "uefi",
	.entries = "events",
	.pcr = -1,
	.has_pcrs = true,
	.value = "PCR:HASH:HEX",
	.replay = replay_uefi,
	.events = replay_events_uefi,
};
static const struct replay_format format_ccel = {
	.command = &command_replay_ccel,
	.name = "ccel",
	.entries = "events",
	.pcr = -1,
	.has_rtmrs = true,
	.value = "RTMRn:HASH:HEX",
	.replay = replay_ccel,
	.events = replay_events_ccel,
};

/* ---------------------------------------------------------------- options */

static void replay_options_free(struct replay_options *options)
{
	option_texts_free(&options->expect);
	option_texts_free(&options->start);
}

static int option_add_bank(void *place, const char *value, struct assay_error *err)
{
	struct pcrs_request *request = place;
	enum assay_hash hash = assay_hash_by_name(value);

	if (hash == ASSAY_HASH_NONE)
		return assay_fail(err, EINVAL, "must be sha1, sha256, sha384 or sha512");
	for (size_t i = 0; i < request->bank_count; i++)
		if (request->banks[i] == hash)
			return assay_fail(err, EINVAL, "names %s twice", value);
	/* As many as there are names. */
	request->banks[request->bank_count++] = hash;
	return 0;
}

static int option_accept_rule(void *place, const char *value, struct assay_error *err)
{
	uint32_t *accepted = place;
	enum uefi_rule rule;

	if (!uefi_rule_by_name(value, &rule))
		return assay_fail(err, EINVAL, "must be a rule's name, see assay-replay(1)");
	*accepted |= UINT32_C(1) << rule;
	return 0;
}

/* The digits and the colon in front of HASH:HEX, or RTMRn and one; without them *ret stays. */
static const char *skip_pcr(const char *text, unsigned int *ret)
{
	static const char rtmr[] = "RTMR";
	unsigned int pcr = 0;
	size_t digits = 0;

	if (strncasecmp(text, rtmr, strlen(rtmr)) == 0 && text[strlen(rtmr)] >= '0' &&
	    text[strlen(rtmr)] <= '3' && text[strlen(rtmr) + 1] == ':') {
		*ret = PCRS_CC + 1 + (unsigned int)(text[strlen(rtmr)] - '0');
		return text + strlen(rtmr) + 2;
	}
	while (digits < 2 && text[digits] >= '0' && text[digits] <= '9')
		pcr = 10 * pcr + (unsigned int)(text[digits++] - '0');
	if (digits == 0 || text[digits] != ':')
		return text;
	*ret = pcr;
	return text + digits + 1;
}

/* "[PCR:]HASH:HEX", as the format has it */
static bool parse_value(const char *text, const struct replay_format *format, unsigned int *ret_pcr,
			struct assay_digest *ret)
{
	unsigned int pcr = (unsigned int)format->pcr;
	const char *value = skip_pcr(text, &pcr);
	const char *colon = strchr(value, ':');
	char name[16] = "";

	if (colon && (size_t)(colon - value) < sizeof(name))
		memcpy(name, value, (size_t)(colon - value));
	ret->hash = assay_hash_by_name(name);
	*ret_pcr = pcr;
	if (pcr >= PCRS_COUNT ? !format->has_rtmrs || pcr >= PCRS_REGISTERS ||
					(value == text && format->pcr < 0) :
				!format->has_pcrs)
		return false;
	return ret->hash != ASSAY_HASH_NONE &&
	       hex_decode(colon + 1, ret->bytes, sizeof(ret->bytes), &ret->size) == 0 &&
	       ret->size == assay_hash_size(ret->hash);
}

/* Return: COMMAND_GO or an exit status */
static int parse_values(const struct replay_format *format, struct replay_options *options)
{
	if (options->expect.count > MAX_VALUES || options->start.count > MAX_VALUES)
		return command_usage(format->command, "--%s can be given at most %d times",
				     options->expect.count > MAX_VALUES ? "expect" : "start",
				     MAX_VALUES);
	for (size_t i = 0; i < options->expect.count; i++)
		if (!parse_value(options->expect.list[i], format, &options->expected[i].pcr,
				 &options->expected[i].value))
			return command_usage(format->command,
					     "--expect must be %s, a register's value with as many "
					     "digits as that hash has, not '%s'",
					     format->value, options->expect.list[i]);
	for (size_t i = 0; i < options->start.count; i++)
		if (!parse_value(options->start.list[i], format, &options->starts[i].pcr,
				 &options->starts[i].value))
			return command_usage(format->command,
					     "--start must be %s, a register's value with as many "
					     "digits as that hash has, not '%s'",
					     format->value, options->start.list[i]);
	options->request.expected = options->expected;
	options->request.expected_count = options->expect.count;
	options->request.starts = options->starts;
	options->request.start_count = options->start.count;
	return COMMAND_GO;
}

/* ---------------------------------------------------------------- what came of it */

static bool all_reached(const struct replay_options *options)
{
	for (size_t i = 0; i < options->request.expected_count; i++)
		if (!options->expected[i].reached)
			return false;
	return true;
}

static void print_expected(const struct replay_format *format, const struct replay_options *options,
			   const struct pcrs *pcrs)
{
	for (size_t i = 0; i < options->request.expected_count; i++) {
		const struct pcrs_expected *expected = &options->expected[i];
		const char *bank = assay_hash_name(expected->value.hash);
		char name[PCRS_NAME_MAX];

		pcrs_register_name(expected->pcr, name);
		if (!expected->reached && expected->after > 0)
			printf("%s, %s: the expected value comes up after %" PRIu64
			       " %s, and not at the end: what follows came later, or was never "
			       "extended\n",
			       name, bank, expected->after, format->entries);
		else if (!expected->reached)
			printf("%s, %s: the expected value comes up after none of the %s\n", name,
			       bank, format->entries);
		else if (expected->after < pcrs->entries)
			printf("%s, %s: as expected after %" PRIu64 " %s; the last %" PRIu64
			       " came later\n",
			       name, bank, expected->after, format->entries,
			       pcrs->entries - expected->after);
		else
			printf("%s, %s: as expected\n", name, bank);
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

/* "PCR  7", in a column */
static const char *column_name(unsigned int number, char name[PCRS_NAME_MAX])
{
	if (number < PCRS_COUNT)
		snprintf(name, PCRS_NAME_MAX, "PCR %2u", number);
	else
		pcrs_register_name(number, name);
	return name;
}

static void print_incomplete(const struct replay_format *format, const struct pcrs *pcrs)
{
	char name[PCRS_NAME_MAX];

	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = 0; pcr < PCRS_REGISTERS; pcr++)
			if (pcrs->banks[i].incomplete & UINT32_C(1) << pcr)
				printf("%s  %s  is incomplete: not all of its %s have a digest "
				       "of that bank\n",
				       assay_hash_name(pcrs->banks[i].hash), column_name(pcr, name),
				       format->entries);
}

/* Of a log in CEL: what is not said by any record of it. */
static void print_numbers(const struct pcrs *pcrs)
{
	if (pcrs->gaps > 0) {
		printf("gap: record %" PRIu64 " is followed by record %" PRIu64, pcrs->gap_after,
		       pcrs->gap_at);
		if (pcrs->gaps > 1)
			printf("; %" PRIu64 " more", pcrs->gaps - 1);
		putchar('\n');
	}
	if (pcrs->others > 0)
		printf("others: %" PRIu64 " records are of other registers, whose values are not "
		       "told\n",
		       pcrs->others);
	if (pcrs->first_record > 0 && !pcrs->start_told)
		printf("start: the log begins with record %" PRIu64
		       ", and nothing says what the PCRs were before it; see --start\n",
		       pcrs->first_record);
}

static void print_text(const struct replay_format *format, const struct replay_options *options,
		       const struct pcrs *pcrs)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1], name[PCRS_NAME_MAX];
	bool any = false;

	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = 0; pcr < PCRS_REGISTERS; pcr++) {
			const struct assay_digest *value = &pcrs->banks[i].values[pcr];

			if (!(pcrs->banks[i].extended & UINT32_C(1) << pcr))
				continue;
			any = true;
			hex_encode(BYTES(value->bytes, value->size), hex);
			printf("%-6s  %s  %s\n", assay_hash_name(value->hash),
			       column_name(pcr, name), hex);
		}
	if (!any)
		printf("no %s is extended by it\n", format->has_pcrs ? "PCR" : "RTMR");
	printf("%" PRIu64 " %s", pcrs->entries, format->entries);
	if (pcrs->violations > 0)
		printf(", %" PRIu64 " of them violations", pcrs->violations);
	if (format != &format_uefi && format != &format_ccel)
		printf(", %" PRIu64 " with another digest than that of their data", pcrs->problems);
	putchar('\n');
	if (pcrs->problems > 0)
		printf("%s\n", pcrs->problem);
	print_numbers(pcrs);
	print_incomplete(format, pcrs);
	print_rules(pcrs);
	print_expected(format, options, pcrs);
}

/* Sets "pcr", or "register" of a confidential machine's. */
static json_t *name_register(json_t *object, unsigned int number)
{
	char name[PCRS_NAME_MAX];

	if (number < PCRS_COUNT)
		json_object_set_new(object, "pcr", json_integer((json_int_t)number));
	else
		json_object_set_new(object, "register",
				    json_string(pcrs_register_name(number, name)));
	return object;
}

static json_t *incomplete_to_json(const struct pcrs *pcrs)
{
	json_t *all = json_array();

	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = 0; pcr < PCRS_REGISTERS; pcr++)
			if (pcrs->banks[i].incomplete & UINT32_C(1) << pcr)
				json_array_append_new(
					all, name_register(json_pack("{s:s}", "bank",
								     assay_hash_name(
									     pcrs->banks[i].hash)),
							   pcr));
	return all;
}

/* Of the registers from @first on, as many as @count. */
static json_t *values_to_json(const struct pcrs *pcrs, unsigned int first, unsigned int count)
{
	json_t *values = json_array();
	char text[ASSAY_DIGEST_TEXT_MAX];

	for (size_t i = 0; i < pcrs->bank_count; i++)
		for (unsigned int pcr = first; pcr < first + count; pcr++)
			if (pcrs->banks[i].extended & UINT32_C(1) << pcr)
				json_array_append_new(
					values,
					name_register(json_pack("{s:s}", "digest",
								assay_digest_text(
									&pcrs->banks[i].values[pcr],
									text)),
						      pcr));
	return values;
}

static json_t *expected_to_json(const struct replay_options *options)
{
	json_t *all = json_array();

	for (size_t i = 0; i < options->request.expected_count; i++) {
		const struct pcrs_expected *expected = &options->expected[i];

		json_array_append_new(all,
				      name_register(json_pack("{s:s, s:b, s:I}", "bank",
							      assay_hash_name(expected->value.hash),
							      "reached", expected->reached, "after",
							      (json_int_t)expected->after),
						    expected->pcr));
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
					  uefi_rule_sentence((enum uefi_rule)rule), "event_count",
					  (json_int_t)pcrs->broken[rule].events, "first_event",
					  (json_int_t)pcrs->broken[rule].number, "offset",
					  (json_int_t)pcrs->broken[rule].offset));
	return rules;
}

static json_t *result_to_json(const struct replay_format *format,
			      const struct replay_options *options, const struct pcrs *pcrs,
			      bool good)
{
	json_t *root =
		json_pack("{s:s, s:b, s:I, s:I, s:I, s:o, s:o, s:o}", "format", format->name, "ok",
			  good, "entry_count", (json_int_t)pcrs->entries, "violation_count",
			  (json_int_t)pcrs->violations, "problem_count", (json_int_t)pcrs->problems,
			  "incomplete", incomplete_to_json(pcrs), "rules", rules_to_json(pcrs),
			  "expected", expected_to_json(options));

	if (root && pcrs->problems > 0)
		json_object_set_new(root, "problem", json_string(pcrs->problem));
	if (root && format->has_pcrs)
		json_object_set_new(root, "pcrs", values_to_json(pcrs, 0, PCRS_COUNT));
	if (root && format->has_rtmrs)
		json_object_set_new(root, "registers",
				    values_to_json(pcrs, PCRS_CC, UEFI_CC_COUNT));
	if (root && format == &format_cel) {
		json_object_set_new(root, "gaps", json_integer((json_int_t)pcrs->gaps));
		json_object_set_new(root, "other_count", json_integer((json_int_t)pcrs->others));
		json_object_set_new(root, "first_record",
				    json_integer((json_int_t)pcrs->first_record));
		json_object_set_new(root, "start_known",
				    json_boolean(pcrs->first_record == 0 || pcrs->start_told));
	}
	return root;
}

/* The events come one by one: a list may be long. */
static int print_events_json(const struct replay_format *format,
			     const struct replay_options *options, struct bytes log,
			     const json_t *result)
{
	struct assay_error err = { 0 };
	const char *name;
	json_t *value;
	int r;

	command_begin_json(format->command);
	r = format->events(log, options->template_bank, true, &err);
	json_object_foreach((json_t *)result, name, value) {
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		if (text)
			printf(", \"%s\": %s", name, text);
		else if (r == 0)
			r = assay_fail(&err, ENOMEM, "out of memory");
		free(text);
	}
	if (r < 0)
		command_print_json_error(&err);
	fputs("}\n", stdout);
	return r < 0 ? command_failed(format->command, &err) : command_flush(format->command);
}

static int print_json(const struct replay_format *format, const struct replay_options *options,
		      struct bytes log, const struct pcrs *pcrs, bool good)
{
	json_t *result = result_to_json(format, options, pcrs, good);
	int status;

	if (!options->events || !result)
		return command_emit_json(format->command, result);
	status = print_events_json(format, options, log, result);
	json_decref(result);
	return status;
}

/* What can be read of a log is shown, also where it breaks off. */
static int print_events_text(const struct replay_format *format,
			     const struct replay_options *options, struct bytes log)
{
	struct assay_error err = { 0 };

	if (format->events(log, options->template_bank, false, &err) < 0 && err.code != EBADMSG)
		return command_failed(format->command, &err);
	putchar('\n');
	return EXIT_OK;
}

/* With --strict, what would only be told counts, too. */
static bool strictly_good(const struct replay_options *options, const struct pcrs *pcrs)
{
	for (size_t i = 0; i < pcrs->bank_count; i++)
		if (pcrs->banks[i].incomplete)
			return false;
	return !(pcrs->rules & ~options->accepted) && pcrs->gaps == 0 &&
	       (pcrs->first_record == 0 || pcrs->start_told);
}

static int replay_log(const struct replay_format *format, struct replay_options *options,
		      const char *path, struct bytes log, struct pcrs *ret, struct assay_error *err)
{
	int r = format->replay(log, options, ret, err);
	const char *sentence = r < 0 ? log_kind_sentence(log_kind_detect(log)) : NULL;

	if (sentence && !strstr(sentence, format->command->name) && !strstr(err->text, sentence))
		assay_fail(err, err->code, "%s: %s", path, sentence);
	return r;
}

static int show_log(const struct replay_format *format, struct replay_options *options,
		    const char *path, struct bytes log)
{
	struct pcrs pcrs = { 0 };
	struct assay_error err;
	int r = replay_log(format, options, path, log, &pcrs, &err);
	int status = EXIT_OK;
	bool good;

	if (options->events && !options->json && (r == 0 || err.code == EBADMSG))
		status = print_events_text(format, options, log);
	if (r < 0) {
		command_failed(format->command, &err);
		return EXIT_UNREADABLE;
	}
	if (status != EXIT_OK)
		return status;
	good = pcrs.problems == 0 && all_reached(options) &&
	       (!options->strict || strictly_good(options, &pcrs));
	if (options->json) {
		status = print_json(format, options, log, &pcrs, good);
	} else {
		print_text(format, options, &pcrs);
		status = command_flush(format->command);
	}
	return status == EXIT_OK && !good ? EXIT_FAILED : status;
}

static int run_format(const struct replay_format *format, int argc, char **argv)
{
	CLEANUP(replay_options_free) struct replay_options options = { 0 };
	struct file_view log = { 0 };
	struct operands files;
	struct assay_error err;
	int status = command_parse(format->command, argc, argv, &options, &files);

	if (status == COMMAND_GO)
		status = parse_values(format, &options);
	if (status != COMMAND_GO)
		return status;
	if (file_map(files.list[0], MAX_LOG, &log, &err) < 0) {
		command_failed(format->command, &err);
		return EXIT_UNREADABLE;
	}
	status = show_log(format, &options, files.list[0], log.bytes);
	file_unmap(&log);
	return status;
}

static int run_replay_ima(int argc, char **argv)
{
	return run_format(&format_ima, argc, argv);
}

static int run_replay_cel(int argc, char **argv)
{
	return run_format(&format_cel, argc, argv);
}

static int run_replay_uefi(int argc, char **argv)
{
	return run_format(&format_uefi, argc, argv);
}

static int run_replay_ccel(int argc, char **argv)
{
	return run_format(&format_ccel, argc, argv);
}

/* ---------------------------------------------------------------- tables */

/* clang-format off */
#define ROW_BANK \
	{ "bank", 'b', "sha1|sha256|sha384|sha512", \
	  "a PCR bank to replay; may be repeated. Without it: all that the log has digests of", \
	  OPTION_FUNCTION(struct replay_options, request, option_add_bank), .repeatable = true }
#define ROW_EVENTS(text) \
	{ "events", 0, NULL, text, OPTION_FLAG(struct replay_options, events) }
#define ROW_EXPECT(value, text) \
	{ "expect", 'e', value, \
	  "a value that the PCR must come to; may be repeated. " text, \
	  OPTION_TEXTS(struct replay_options, expect) }
#define ROW_ACCEPT \
	{ "accept", 0, "RULE", \
	  "a rule of assay-replay(1) that does not count for --strict; may be repeated", \
	  OPTION_FUNCTION(struct replay_options, accepted, option_accept_rule), \
	  .repeatable = true, .needs = "strict" }
/* clang-format on */

#define LONGER                                                                             \
	" A log may be longer than a PCR was read or quoted: then the value must come up " \
	"on the way"

static const struct option_row replay_ima_rows[] = {
	ROW_BANK,
	{ "template-bank", 0, "sha1|sha256|sha384|sha512",
	  "the hash of the list's template digests; without it the first entry tells",
	  OPTION_HASH(struct replay_options, template_bank) },
	ROW_EXPECT("[PCR:]HASH:HEX", "Without a number PCR 10 is meant." LONGER),
	ROW_EVENTS("show its entries first"),
	OPTION_ROW_JSON(struct replay_options, json),
	OPTION_END,
};

static const struct option_row replay_cel_rows[] = {
	ROW_BANK,
	{ "start", 's', "[PCR:]HASH:HEX",
	  "what the PCR was before the first record; may be repeated. Without it: what the log "
	  "says, else zeros",
	  OPTION_TEXTS(struct replay_options, start) },
	ROW_EXPECT("[PCR:]HASH:HEX",
		   "Without a number PCR 14 is meant; RTMR0 to RTMR3 are a confidential machine's "
		   "registers." LONGER),
	{ "strict", 0, NULL,
	  "exit 1 also where a firmware's event breaks a rule, a number is missing, or a bank "
	  "lacks a digest",
	  OPTION_FLAG(struct replay_options, strict) },
	ROW_ACCEPT,
	OPTION_ROW_JSON(struct replay_options, json),
	OPTION_END,
};

static const struct option_row replay_uefi_rows[] = {
	ROW_BANK,
	ROW_EXPECT("PCR:HASH:HEX", "It must be what the whole log comes to"),
	ROW_EVENTS("show its events first, with what they say, and what of it their digests prove"),
	{ "strict", 0, NULL,
	  "exit 1 also where an event breaks a rule of the specification, as those of some "
	  "machines do that nobody tampered with, or a bank lacks a digest",
	  OPTION_FLAG(struct replay_options, strict) },
	ROW_ACCEPT,
	OPTION_ROW_JSON(struct replay_options, json),
	OPTION_END,
};

static const struct option_row replay_ccel_rows[] = {
	ROW_BANK,
	ROW_EXPECT("RTMRn:HASH:HEX", "It must be what the whole log comes to"),
	ROW_EVENTS("show its events first, with what they say, and what of it their digests prove"),
	{ "strict", 0, NULL,
	  "exit 1 also where an event breaks a rule of the specification, or a bank lacks a digest",
	  OPTION_FLAG(struct replay_options, strict) },
	ROW_ACCEPT,
	OPTION_ROW_JSON(struct replay_options, json),
	OPTION_END,
};

#define REPLAY_STATUS                                                                          \
	"Exit status: 0 it replays, as expected; 1 an expected value does not come up, or a\n" \
	"digest is not that of its data, or --strict was given and something was told;\n"      \
	"2 wrong usage; 3 the log cannot be read.\n"

/* What the commands have in common. */
#define REPLAY_COMMAND \
	.operands = "FILE", .operands_min = 1, .operands_max = 1, .epilogue = REPLAY_STATUS

static const struct command command_replay_ima = {
	.name = "replay ima",
	.summary = "IMA's list",
	.intro = "Replays the list of IMA, /sys/kernel/security/ima/binary_runtime_measurements\n"
		 "or one in another bank, and prints the PCRs that it comes to. Each template\n"
		 "digest is compared with that of its data. FILE '-' is standard input. Needs no\n"
		 "TPM.\n",
	.options = replay_ima_rows,
	REPLAY_COMMAND,
	.run = run_replay_ima,
};

static const struct command command_replay_cel = {
	.name = "replay cel",
	.summary = "a log in CEL, TLV or JSON",
	.intro = "Replays a Canonical Event Log in either encoding ('assay log export' writes "
		 "both,\n"
		 "systemd-pcrlock JSON), and prints the PCRs that it comes to. Digests are "
		 "compared\n"
		 "with what they are of where the content's type says what that is. FILE '-' is\n"
		 "standard input. Needs no TPM.\n",
	.options = replay_cel_rows,
	REPLAY_COMMAND,
	.run = run_replay_cel,
};

static const struct command command_replay_uefi = {
	.name = "replay uefi",
	.summary = "a firmware's event log",
	.intro = "Replays the firmware's event log, /sys/kernel/security/tpm0/\n"
		 "binary_bios_measurements, and prints the PCRs that it comes to, and which rules\n"
		 "of the specification its events break. FILE '-' is standard input. Needs no "
		 "TPM.\n",
	.options = replay_uefi_rows,
	REPLAY_COMMAND,
	.run = run_replay_uefi,
};

static const struct command command_replay_ccel = {
	.name = "replay ccel",
	.summary = "the log of a confidential machine (CCEL)",
	.intro = "Replays the event log of a confidential virtual machine's firmware,\n"
		 "/sys/firmware/acpi/tables/data/CCEL, and prints the registers of TDX (RTMR) that "
		 "it\n"
		 "comes to. Nothing here judges a quote of TDX: whether the registers had these "
		 "values\n"
		 "is for others to say. FILE '-' is standard input. Needs no TPM.\n",
	.options = replay_ccel_rows,
	REPLAY_COMMAND,
	.run = run_replay_ccel,
};

static const struct command *const replay_verbs[] = { &command_replay_ima, &command_replay_cel,
						      &command_replay_uefi, &command_replay_ccel,
						      NULL };

const struct command command_replay = {
	.name = "replay",
	.summary = "print the PCRs or registers that a measurement log comes to",
	.verbs = replay_verbs,
	.question = "which form has the log: ima, cel, uefi or ccel?",
};
