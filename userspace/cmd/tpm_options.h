/* SPDX-License-Identifier: MIT */
/*
 * How a command reaches the TPM, as the command line says it: where it is, the passwords of its
 * hierarchies, and the key below which a key file's key stands. Only in the program assay.
 */
#ifndef ASSAY_CMD_TPM_OPTIONS_H
#define ASSAY_CMD_TPM_OPTIONS_H

#include "options.h"
#include "tpm/context.h"
#include "tpm/key.h"

/**
 * struct tpm_options - @tcti: as of tpm_open(); the password files are of secret_read()
 * @parent: a persistent handle in place of the parent that a key file names; 0: that one
 */
struct tpm_options {
	const char *tcti;
	const char *owner_password, *endorsement_password, *parent_password;
	uint32_t parent;
};

/* Rows of a command's table; @member: struct tpm_options */
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

/* option_tpm_parent() - an option_function: a uint32_t of "0x81000001" or "handle:0x81000001" */
int option_tpm_parent(void *place, const char *value, struct assay_error *err);

/* tpm_options_open() - tpm_open(), and give it the passwords */
int tpm_options_open(const struct tpm_options *options, struct tpm **ret, struct assay_error *err);

/*
 * tpm_options_key() - tpm_key_open(), below the parent that the command line names
 * Return: as tpm_key_open(); -EINVAL where @name is a handle and a parent is named
 */
int tpm_options_key(const struct tpm_options *options, struct tpm *tpm, const char *name,
		    struct tpm_key **ret, struct assay_error *err);

#endif /* ASSAY_CMD_TPM_OPTIONS_H */
