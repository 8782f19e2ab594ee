// SPDX-License-Identifier: MIT
/* `assay key lint`: would the kernel take this certificate? */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sign/lint.h"

static const struct {
	const char *name;
	unsigned int keyring;
} keyrings[] = {
	{ ".fs-verity", LINT_FS_VERITY },
	{ ".ima", LINT_IMA },
	{ "_ima", LINT_USER_IMA },
};

#define KEYRINGS (sizeof(keyrings) / sizeof(keyrings[0]))

/*
 * @wanted: keyrings that have to take it; @json: of the findings, or NULL
 * @stricter: assay refuses it, whatever the keyrings do
 */
struct lint_run {
	unsigned int wanted;
	json_t *json;
	bool failed, stricter;
};

static void print_finding(void *context, const struct lint_finding *finding)
{
	struct lint_run *run = context;
	unsigned int refused = finding->keyrings & run->wanted;
	const char *space = "";
	json_t *names;

	/* What stands only against keyrings that nobody asked for is no news. */
	if (finding->keyrings != 0 && refused == 0 && !finding->stricter)
		return;
	run->stricter = run->stricter || finding->stricter;
	if (!run->json) {
		for (size_t i = 0; i < KEYRINGS; i++)
			if (refused & keyrings[i].keyring) {
				printf("%s%s", space, keyrings[i].name);
				space = " ";
			}
		if (finding->stricter)
			printf("%sassay", space);
		else if (!refused)
			fputs("note", stdout);
		printf(": %s\n", finding->text);
		return;
	}
	names = json_array();
	for (size_t i = 0; i < KEYRINGS; i++)
		if ((refused & keyrings[i].keyring) &&
		    json_array_append_new(names, json_string(keyrings[i].name)) < 0)
			run->failed = true;
	if (json_array_append_new(run->json,
				  json_pack("{s:s, s:s, s:o, s:b}", "code", finding->code, "text",
					    finding->text, "refused_by", names, "stricter",
					    (int)finding->stricter)) < 0)
		run->failed = true;
}

static int print_json(const struct lint_run *run, const char *path, unsigned int refused, bool good)
{
	json_t *takes = json_object();
	int bad = run->failed;

	for (size_t i = 0; i < KEYRINGS; i++)
		if (run->wanted & keyrings[i].keyring)
			bad |= json_object_set_new(takes, keyrings[i].name,
						   json_boolean(!(refused & keyrings[i].keyring)));
	if (bad) {
		json_decref(takes);
		json_decref(run->json);
		return command_emit_json(&command_key_lint, NULL);
	}
	return command_emit_json(&command_key_lint,
				 json_pack("{s:o, s:b, s:o, s:b, s:o}", "certificate",
					   command_text_json(path), "ok", (int)good, "accepted",
					   takes, "stricter", (int)run->stricter, "findings",
					   run->json));
}

static void print_text(const struct lint_run *run, const char *path, unsigned int refused)
{
	unsigned int taken = run->wanted & ~refused;

	printf("%s: accepted by", path);
	for (size_t i = 0; i < KEYRINGS; i++)
		if (taken & keyrings[i].keyring)
			printf(" %s", keyrings[i].name);
	fputs(taken ? "" : " none", stdout);
	puts(run->stricter ? "; assay is stricter than the kernel, and refuses it" : "");
}

struct lint_options {
	unsigned int keyrings;
	struct option_texts authorities;
	bool json;
};

static int lint_certificate(const char *path, const struct lint_options *options,
			    X509 *const *authorities)
{
	struct lint_run run = { .wanted = options->keyrings ? options->keyrings : LINT_ALL };
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct assay_error err;
	unsigned int refused;
	int status;
	bool good;

	if (certificate_load(path, &certificate, &err) < 0)
		return command_failed(&command_key_lint, &err);
	if (options->json && !(run.json = json_array()))
		return command_emit_json(&command_key_lint, NULL);
	refused = certificate_lint(certificate, authorities, options->authorities.count,
				   print_finding, &run);
	/* Where no keyring was asked for, one that takes it is enough. */
	good = options->keyrings ? (refused & options->keyrings) == 0 :
				   (refused & LINT_ALL) != LINT_ALL;
	if (options->json) {
		status = print_json(&run, path, refused, good);
	} else {
		print_text(&run, path, refused);
		status = command_flush(&command_key_lint);
	}
	return status == EXIT_OK && !good ? EXIT_FAILED : status;
}

/* Loads the authorities first. */
static int lint_with(const char *path, const struct lint_options *options)
{
	size_t count = options->authorities.count, loaded = 0;
	X509 **authorities = calloc(count + 1, sizeof(X509 *));
	struct assay_error err;
	int r = 0, status;

	if (!authorities)
		return command_emit_json(&command_key_lint, NULL);
	for (; loaded < count && r == 0; loaded += r == 0)
		r = certificate_load(options->authorities.list[loaded], &authorities[loaded], &err);
	status = r < 0 ? command_failed(&command_key_lint, &err) :
			 lint_certificate(path, options, authorities);
	for (size_t i = 0; i < loaded; i++)
		X509_free(authorities[i]);
	free(authorities);
	return status;
}

static int take_keyring(void *place, const char *value, struct assay_error *err)
{
	unsigned int *wanted = place;

	for (size_t i = 0; i < KEYRINGS; i++) {
		if (strcmp(value, keyrings[i].name) == 0) {
			*wanted |= keyrings[i].keyring;
			return 0;
		}
	}
	return assay_fail(err, EINVAL, "must be .fs-verity, .ima or _ima, not '%s'", value);
}

static int run_lint(int argc, char **argv)
{
	struct lint_options options = { 0 };
	struct operands operands;
	int status = command_parse(&command_key_lint, argc, argv, &options, &operands);

	if (status == COMMAND_GO)
		status = lint_with(operands.list[0], &options);
	option_texts_free(&options.authorities);
	return status;
}

/* clang-format off */
static const struct option_row lint_rows[] = {
	{ "keyring", 0, "NAME",
	  "judge for this keyring, .fs-verity, .ima or _ima (all three); may be repeated",
	  OPTION_FUNCTION(struct lint_options, keyrings, take_keyring), .repeatable = true },
	{ "ca", 0, "CERT.pem",
	  "a certificate built into the kernel, whose key may have signed what .ima takes; may be "
	  "repeated",
	  OPTION_INPUTS(struct lint_options, authorities) },
	OPTION_ROW_JSON(struct lint_options, json),
	OPTION_END,
};
/* clang-format on */

const struct command command_key_lint = {
	.name = "key lint",
	.summary = "tell why the kernel would refuse a certificate",
	.intro = "Tells which of the kernel's keyrings .fs-verity, .ima and _ima would refuse a\n"
		 "certificate, or the signatures of its key, and why; and what assay refuses\n"
		 "whatever the kernel does.\n",
	.options = lint_rows,
	.operands = "CERT.pem",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 each keyring named takes it (or, with none named, one of the\n"
		    "three), 1 not so, 2 wrong usage.\n",
	.run = run_lint,
};
