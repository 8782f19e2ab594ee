/* SPDX-License-Identifier: MIT */
/* Options of the commands that use a private key, in the same words everywhere. */
#ifndef ASSAY_CMD_SIGNER_OPTIONS_H
#define ASSAY_CMD_SIGNER_OPTIONS_H

#include "options.h"
#include "tpm/context.h"
#include "tpm/signer.h"

/* clang-format off */
/* @member: const char *, as tpm_open() takes it */
#define OPTION_ROW_TCTI(structure, member) \
	{ "tcti", 0, "CONF", \
	  "where the TPM is: device:PATH, swtpm:path=SOCKET, ... ($ASSAY_TCTI, else " \
	  "$TPM2TOOLS_TCTI, else " TPM_DEFAULT_TCTI ")", \
	  OPTION_TEXT(structure, member) }

/* Of a TPM whose owner has taken it. @member: a structure with members of these names */
#define OPTION_ROWS_TPM_PASSWORDS(structure, member) \
	{ "owner-password-file", 0, "FILE", \
	  "the password of the TPM's owner hierarchy, if it has one", \
	  OPTION_INPUT(structure, member.owner_password_file) }, \
	{ "parent-password-file", 0, "FILE", \
	  "the password of the persistent key that the key stands below, if it has one", \
	  OPTION_INPUT(structure, member.parent_password_file) }

/* @member: struct signer_source */
#define OPTION_ROWS_SIGNER(structure, member) \
	{ "key", 'k', "KEY", \
	  "private key: a TSS2 key file or handle:0x81... (the key is in a TPM), a PEM file, or a " \
	  "PKCS#11 URI (pkcs11:...)", \
	  OPTION_TEXT(structure, member.key), .required = true }, \
	{ "passphrase-file", 0, "FILE", \
	  "the key's passphrase, password or PIN; else it is asked for if the key needs one", \
	  OPTION_INPUT(structure, member.passphrase_file) }, \
	{ "passphrase", 0, NULL, \
	  "ask for it on the terminal, also where nothing tells that the key needs one", \
	  OPTION_FLAG(structure, member.passphrase), .excludes = "passphrase-file" }, \
	OPTION_ROWS_TPM_PASSWORDS(structure, member), \
	OPTION_ROW_TCTI(structure, member.tcti)
/* clang-format on */

/* signer_notice() - for the member notice of struct signer_source: a line on standard error */
void signer_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* ASSAY_CMD_SIGNER_OPTIONS_H */
