// SPDX-License-Identifier: MIT
/* `assay key lint`: would the kernel take this certificate? */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

#include "sign/lint.h"

static const struct {
	const char *name;
	unsigned int keyring;
} keyrings[] = {
	{ ".fs-verity", LINT_FS_VERITY },
	{ ".ima", LINT_IMA },
	{ "_ima", LINT_USER_IMA },
};

/* More keys than any kernel has built in. */
#define AUTHORITIES_MAX 64

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

static int lint(const char *path, unsigned int wanted, bool json, X509 *const *authorities,
		size_t count)
{
	struct lint_run run = { .wanted = wanted ? wanted : LINT_ALL };
	X509 *certificate;
	struct assay_error err;
	unsigned int refused;
	int status;
	bool good;

	if (certificate_load(path, &certificate, &err) < 0)
		return command_failed(&command_key_lint, &err);
	if (json && !(run.json = json_array())) {
		X509_free(certificate);
		return command_emit_json(&command_key_lint, NULL);
	}
	refused = certificate_lint(certificate, authorities, count, print_finding, &run);
	X509_free(certificate);
	/* Where no keyring was asked for, one that takes it is enough. */
	good = wanted ? (refused & wanted) == 0 : (refused & LINT_ALL) != LINT_ALL;
	if (json) {
		status = print_json(&run, path, refused, good);
	} else {
		printf("%s: accepted by", path);
		for (size_t i = 0; i < KEYRINGS; i++)
			if (run.wanted & ~refused & keyrings[i].keyring)
				printf(" %s", keyrings[i].name);
		fputs((run.wanted & ~refused) ? "" : " none", stdout);
		puts(run.stricter ? "; assay is stricter than the kernel, and refuses it" : "");
		status = command_flush(&command_key_lint);
	}
	return status == EXIT_OK && !good ? EXIT_FAILED : status;
}

static int run_lint(int argc, char **argv)
{
	static const struct option options[] = {
		{ "keyring", required_argument, NULL, 'k' },
		{ "ca", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	X509 *authorities[AUTHORITIES_MAX];
	unsigned int wanted = 0, keyring;
	struct assay_error err;
	bool json = false;
	size_t count = 0;
	int c, status;

	while ((c = command_option(&command_key_lint, argc, argv, ":h", options, &status)) != -1) {
		switch (c) {
		case 'k':
			keyring = 0;
			for (size_t i = 0; i < KEYRINGS; i++)
				if (strcmp(optarg, keyrings[i].name) == 0)
					keyring = keyrings[i].keyring;
			wanted |= keyring;
			if (keyring == 0)
				status = command_usage(&command_key_lint,
						       "--keyring takes .fs-verity, .ima or _ima, "
						       "not '%s'",
						       optarg);
			break;
		case 'c':
			if (count == AUTHORITIES_MAX)
				status = command_usage(&command_key_lint,
						       "--ca may be given %d times at most",
						       AUTHORITIES_MAX);
			else if (certificate_load(optarg, &authorities[count], &err) < 0)
				status = command_failed(&command_key_lint, &err);
			else
				count++;
			break;
		case 'j':
			json = true;
			break;
		}
		if (status != -1)
			break;
	}
	if (status == -1 && argc - optind != 1)
		status = command_usage(&command_key_lint, "one certificate is needed");
	if (status == -1)
		status = lint(argv[optind], wanted, json, authorities, count);
	for (size_t i = 0; i < count; i++)
		X509_free(authorities[i]);
	return status;
}

const struct command command_key_lint = {
	.name = "key lint",
	.summary = "tell why the kernel would refuse a certificate",
	.help = "Usage: assay key lint [OPTION]... CERT.pem\n"
		"\n"
		"Tell which of the kernel's keyrings .fs-verity, .ima and _ima would refuse a\n"
		"certificate, or the signatures of its key, and why.\n"
		"\n"
		"      --keyring NAME   judge for this keyring; may be repeated [all three]\n"
		"      --ca CERT.pem    a certificate built into the kernel, whose key may have\n"
		"                       signed what .ima takes; may be repeated\n"
		"      --json           print the findings as JSON\n"
		"  -h, --help           show this\n"
		"\n"
		"Exit status: 0 each keyring named takes it (or, with none named, one of the\n"
		"three), 1 not so, 2 wrong usage.\n",
	.run = run_lint,
};
