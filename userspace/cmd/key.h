/* SPDX-License-Identifier: MIT */
/* What the verbs of `assay key` share. */
#ifndef ASSAY_CMD_KEY_H
#define ASSAY_CMD_KEY_H

#include "cmd.h"
#include "tpm/key.h"

#define KEY_DEFAULT_DAYS 3650
#define KEY_DEFAULT_SUBJECT "assay signing key"

extern const struct command command_key_create;
extern const struct command command_key_cert;
extern const struct command command_key_show;
extern const struct command command_key_export;

/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define OPTION_ROW_FORCE(structure, member) \
	{ "force", 'f', NULL, "write over existing files", OPTION_FLAG(structure, member) }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

const char *key_use_name(enum tpm_key_use use);

/* key_facts_json() - what a key file says; NULL without memory */
json_t *key_facts_json(const char *path, const struct tpm_key_facts *facts,
		       const struct tpm_key_file *file);

/* key_check_absent() - -EEXIST where writing to @path would replace a file */
int key_check_absent(const char *path, struct assay_error *err);

/* key_write_public() - write what is no secret: over an existing file with @force only */
int key_write_public(const char *path, const struct buffer *content, bool force,
		     struct assay_error *err);

#endif /* ASSAY_CMD_KEY_H */
