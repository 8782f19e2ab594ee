// SPDX-License-Identifier: MIT
/* `assay key`: its verbs, and `assay key show`. */
#define _GNU_SOURCE
#include "key.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

const char *key_use_name(enum tpm_key_use use)
{
	return use == TPM_KEY_ATTESTATION ? "attestation" : "signing";
}

int key_check_absent(const char *path, struct assay_error *err)
{
	CLEANUP(free_pointer) char *target = NULL;
	struct stat status;
	int r = file_resolve(path, &target, err);

	if (r < 0)
		return r;
	if (target && lstat(target, &status) == 0)
		return assay_fail(err, EEXIST,
				  "%s exists; choose another name, or replace it with --force",
				  path);
	return 0;
}

int key_write_public(const char *path, const struct buffer *content, bool force,
		     struct assay_error *err)
{
	int r = force ? 0 : key_check_absent(path, err);

	return r < 0 ? r : file_write(path, buffer_bytes(content), 0644, err);
}

json_t *key_facts_json(const char *path, const struct tpm_key_facts *facts,
		       const struct tpm_key_file *file)
{
	char handle[16];
	json_t *value;

	snprintf(handle, sizeof(handle), "0x%08" PRIx32, file->parent);
	value = json_pack("{s:o, s:s, s:s, s:b, s:s, s:o, s:b, s:b}", "file",
			  command_text_json(path), "use", key_use_name(facts->use), "algorithm",
			  facts->algorithm, "made_here", (int)facts->made_here, "parent", handle,
			  "name", json_hex(BYTES(facts->name, facts->name_size)), "password",
			  (int)facts->password, "pcr_policy", (int)facts->pcr_policy);
	/* What is left out is not known, or does not limit it. */
	if (file->parent_name.size > 0 &&
	    json_object_set_new(value, "parent_name", json_hex(buffer_bytes(&file->parent_name))) <
		    0)
		goto failed;
	if (facts->scheme_hash != ASSAY_HASH_NONE && assay_hash_size(facts->scheme_hash) > 0 &&
	    json_object_set_new(value, "scheme_hash",
				json_string(assay_hash_name(facts->scheme_hash))) < 0)
		goto failed;
	return value;
failed:
	json_decref(value);
	return NULL;
}

/* -------------------------------------------------------------------- show */

struct show_options {
	bool json;
};

static void print_facts(const struct tpm_key_facts *facts, const struct tpm_key_file *file)
{
	char name[2 * TPM_KEY_NAME_MAX + 1], parent[2 * TPM_KEY_NAME_MAX + 1] = "";

	hex_encode(BYTES(facts->name, facts->name_size), name);
	if (file->parent_name.size <= TPM_KEY_NAME_MAX)
		hex_encode(buffer_bytes(&file->parent_name), parent);
	printf("use:       %s\n"
	       "algorithm: %s\n",
	       key_use_name(facts->use), facts->algorithm);
	if (facts->scheme_hash != ASSAY_HASH_NONE)
		printf("signs:     digests of %s only\n",
		       assay_hash_size(facts->scheme_hash) ? assay_hash_name(facts->scheme_hash) :
							     "a hash that is not known");
	printf("made here: %s\n"
	       "name:      %s\n"
	       "parent:    0x%08" PRIx32 "\n"
	       "its name:  %s\n"
	       "password:  %s\n"
	       "PCRs:      %s\n",
	       facts->made_here ? "yes, in a TPM that it cannot leave" :
				  "no, it may exist elsewhere",
	       name, file->parent,
	       *parent ? parent :
			 "not noted; another key in its place would not be noticed (assay-key(1))",
	       facts->password ? "needed" : "none",
	       facts->pcr_policy ? "have to be as they were when it was made" : "any values");
}

static int run_key_show(int argc, char **argv)
{
	CLEANUP(tpm_key_file_free) struct tpm_key_file file = { 0 };
	struct show_options options = { 0 };
	struct tpm_key_facts facts = { 0 };
	struct operands operands;
	struct assay_error err;
	int r, status = command_parse(&command_key_show, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		return status;
	r = tpm_key_file_read(operands.list[0], &file, &err);
	if (r == 0)
		r = tpm_key_describe(&file, operands.list[0], &facts, &err);
	if (r < 0)
		return command_failed(&command_key_show, &err);
	if (options.json)
		return command_emit_json(&command_key_show,
					 key_facts_json(operands.list[0], &facts, &file));
	print_facts(&facts, &file);
	return command_flush(&command_key_show);
}

static const struct option_row show_rows[] = {
	OPTION_ROW_JSON(struct show_options, json),
	OPTION_END,
};

const struct command command_key_show = {
	.name = "key show",
	.summary = "tell what a key file holds",
	.intro = "Tells what a TSS2 key file says of its key; needs no TPM.\n",
	.options = show_rows,
	.operands = "KEY.pem",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.run = run_key_show,
};

/* --------------------------------------------------------------------- key */

static const struct command *const key_verbs[] = {
	&command_key_create, &command_key_cert,	  &command_key_show,
	&command_key_lint,   &command_key_export, NULL,
};

const struct command command_key = {
	.name = "key",
	.summary = "make keys in the TPM, certificates of keys, and tell about both",
	.verbs = key_verbs,
	.question = "create, cert, show, lint or export?",
};
