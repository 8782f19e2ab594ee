/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of `assay import` share: the files of a call, what is told of them, and writing
 * the evidence. Also in the program assay-verify, so nothing here may need the TPM stack.
 */
#ifndef ASSAY_CMD_IMPORT_H
#define ASSAY_CMD_IMPORT_H

#include "cmd.h"
#include "import/parts.h"

/**
 * struct import_files - what all verbs that make evidence take
 * @ak, @certificate, @ima, @uefi: NULL: not given
 */
struct import_files {
	const char *ak, *certificate, *ima, *uefi, *out;
	bool json;
};

/**
 * struct import_run - one call
 * @notes: what was told, an array of strings
 * @told: hands what is told to @notes
 */
struct import_run {
	const struct command *command;
	json_t *notes;
	struct import_notes told;
};

/* import_begin() - @run is pointed to from within: it must stay where it is */
int import_begin(struct import_run *run, const struct command *command, struct assay_error *err);
void import_end(struct import_run *run);

/* import_read() - append a file, of which there may be EVIDENCE_MAX_SIZE bytes */
int import_read(const char *path, struct buffer *out, struct assay_error *err);

/* import_add_files() - what was given besides: the key where there is none yet, its certificate,
 * the logs, which stand for those in the evidence */
int import_add_files(const struct import_run *run, const struct import_files *files,
		     struct evidence *evidence, struct assay_error *err);

/* import_finish() - write the evidence, and tell what became of it; an exit status */
int import_finish(const struct import_run *run, const struct import_files *files,
		  const struct evidence *evidence);

/*
 * Rows that the verbs have, always in these words. What these macros get is parts of an
 * initializer: see options.h.
 * NOLINTBEGIN(bugprone-macro-parentheses)
 */
/* clang-format off */
#define IMPORT_ROW_AK(structure, member, text) \
	{ "ak", 0, "FILE", text, OPTION_INPUT(structure, member) }
#define IMPORT_ROWS_LOGS(structure, ima_member, uefi_member) \
	{ "ima", 0, "FILE", "IMA's list: binary, or text (ascii_runtime_measurements)", \
	  OPTION_INPUT(structure, ima_member) }, \
	{ "uefi", 0, "FILE", "the firmware's log (binary_bios_measurements)", \
	  OPTION_INPUT(structure, uefi_member) }
#define IMPORT_ROWS_OUTPUT(structure, out_member, json_member) \
	OPTION_HEADING("Output:"), \
	{ "out", 'o', "FILE", "where to write the evidence", \
	  OPTION_OUTPUT(structure, out_member), .required = true }, \
	OPTION_ROW_JSON(structure, json_member)
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

extern const struct command command_import_tpm2_tools; /* verbs of command_import */
extern const struct command command_import_keylime;
extern const struct command command_import_go_tpm_tools;
extern const struct command command_import_systemd_report;
extern const struct command command_import_cmw;
extern const struct command command_import_ima;

#endif /* ASSAY_CMD_IMPORT_H */
