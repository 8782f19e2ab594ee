/* SPDX-License-Identifier: MIT */
/* Options of the commands that use a private key, in the same words everywhere. */
#ifndef ASSAY_CMD_SIGNER_OPTIONS_H
#define ASSAY_CMD_SIGNER_OPTIONS_H

#include "tpm/signer.h"
#include "tpm_options.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
/* @member: struct signer_source */
#define OPTION_ROWS_SIGNER(structure, member) OPTION_ROWS_SIGNER_IF(structure, member, true)
/* @needed: a key has to be given */
#define OPTION_ROWS_SIGNER_IF(structure, member, needed) \
	{ "key", 'k', "KEY", \
	  "private key: a TSS2 key file or handle:0x81... (the key is in a TPM), a PEM file, or a " \
	  "PKCS#11 URI (pkcs11:...)", \
	  OPTION_INPUT(structure, member.key), .required = (needed) }, \
	{ "passphrase-file", 0, "FILE", \
	  "the key's passphrase, password or PIN; else it is asked for if the key needs one", \
	  OPTION_INPUT(structure, member.passphrase_file) }, \
	{ "passphrase", 0, NULL, \
	  "ask for it on the terminal, also where nothing tells that the key needs one", \
	  OPTION_FLAG(structure, member.passphrase), .excludes = "passphrase-file" }, \
	OPTION_ROW_OWNER_PASSWORD(structure, member.tpm), \
	OPTION_ROWS_PARENT(structure, member.tpm), \
	OPTION_ROW_TCTI(structure, member.tpm)
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* signer_notice() - for the member notice of struct signer_source: a line on standard error */
void signer_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* ASSAY_CMD_SIGNER_OPTIONS_H */
