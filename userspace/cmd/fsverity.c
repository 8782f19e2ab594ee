// SPDX-License-Identifier: MIT
/*
 * `assay fsverity`, also by the name fsverity through a link: the commands of
 * fsverity-utils 1.5, with their options, output and exit statuses (0 done, 1 failed, 2
 * wrong usage), so that scripts that call fsverity run unchanged. Its words are
 * others' interface: they differ from assay's own on purpose.
 */
#define _GNU_SOURCE
#include "fsverity.h"

#include <stdio.h>
#include <string.h>

#define COMPATIBLE_VERSION "fsverity v1.5\n"

/* clang-format off */
static const struct fsverity_verb verbs[] = {
	{
		"digest", "Compute the fs-verity digest of the given file(s), for offline signing",
		"    fsverity digest FILE...\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--out-merkle-tree=FILE] [--out-descriptor=FILE]\n"
		"               [--compact] [--for-builtin-sig]\n",
		fsverity_digest,
	},
	{
		"dump_metadata", "Dump the fs-verity metadata of the given file",
		"    fsverity dump_metadata TYPE FILE [--offset=OFFSET] [--length=LENGTH]\n",
		fsverity_dump_metadata,
	},
	{
		"enable", "Enable fs-verity on a file",
		"    fsverity enable FILE\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--signature=SIGFILE]\n",
		fsverity_enable,
	},
	{
		"measure", "Display the fs-verity digest of the given verity file(s)",
		"    fsverity measure FILE...\n",
		fsverity_measure,
	},
	{
		"sign", "Sign a file for fs-verity built-in signature verification",
		"    fsverity sign FILE OUT_SIGFILE\n"
		"               [--key=KEYFILE] [--cert=CERTFILE] [--pkcs11-engine=SOFILE]\n"
		"               [--pkcs11-module=SOFILE] [--pkcs11-keyid=KEYID]\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--out-merkle-tree=FILE] [--out-descriptor=FILE]\n",
		fsverity_sign,
	},
};
/* clang-format on */

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_usage(FILE *stream)
{
	fputs("Usage:\n", stream);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stream, "  %s:\n%s\n", verbs[i].summary, verbs[i].usage);
	fputs("  Standard options:\n"
	      "    fsverity --help\n"
	      "    fsverity --version\n"
	      "\n",
	      stream);
	fsverity_list_algorithms(stream);
}

static int run_fsverity(int argc, char **argv)
{
	const struct fsverity_verb *verb = NULL;

	if (argc < 2) {
		fsverity_complain("no command specified");
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = &verbs[i];
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			if (verb)
				printf("Usage:\n%s", verb->usage);
			else
				print_usage(stdout);
			return fsverity_ended(EXIT_OK);
		}
		if (strcmp(argv[i], "--version") == 0) {
			fputs(COMPATIBLE_VERSION, stdout);
			return fsverity_ended(EXIT_OK);
		}
	}
	if (!verb) {
		fsverity_complain("unrecognized command: '%s'", argv[1]);
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return verb->run(verb, argc - 1, argv + 1);
}

const struct command command_fsverity = {
	.name = "fsverity",
	.summary = "do what fsverity(1) does, with its options and output",
	.run = run_fsverity,
};
