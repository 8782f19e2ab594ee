/* SPDX-License-Identifier: MIT */
/* Options of the commands that reach a TPM (tpm/options.h). Not in assay-verify. */
#ifndef ASSAY_CMD_TPM_OPTIONS_H
#define ASSAY_CMD_TPM_OPTIONS_H

#include "options.h"
#include "tpm/options.h"

/* Rows of a command's table; @member: struct tpm_options */
/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define OPTION_ROW_TCTI(structure, member) \
	{ "tcti", 0, "CONF", "where the TPM is: device:PATH, swtpm:path=SOCKET, ... " \
	  "($ASSAY_TCTI, else $TPM2TOOLS_TCTI, else " TPM_DEFAULT_TCTI ")", \
	  OPTION_TEXT(structure, member.tcti) }
#define OPTION_ROW_OWNER_PASSWORD(structure, member) \
	{ "owner-password-file", 0, "FILE", "the password of the TPM's owner hierarchy, below " \
	  "which keys stand, where it has one", \
	  OPTION_INPUT(structure, member.owner_password) }
#define OPTION_ROW_ENDORSEMENT_PASSWORD(structure, member) \
	{ "endorsement-password-file", 0, "FILE", "the password of the endorsement hierarchy, " \
	  "where it has one", \
	  OPTION_INPUT(structure, member.endorsement_password) }
#define OPTION_ROWS_PARENT(structure, member) \
	{ "parent", 0, "HANDLE", "the persistent key below which the key of a key file stands, " \
	  "0x81..., where the file does not say so", \
	  OPTION_FUNCTION(structure, member.parent, option_tpm_parent) }, \
	{ "parent-password-file", 0, "FILE", "that key's password, where it has one", \
	  OPTION_INPUT(structure, member.parent_password) }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* option_tpm_parent() - an option_function: a uint32_t of "0x81000001" or "handle:0x81000001" */
int option_tpm_parent(void *place, const char *value, struct assay_error *err);

#endif /* ASSAY_CMD_TPM_OPTIONS_H */
