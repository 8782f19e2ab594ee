/* SPDX-License-Identifier: MIT */
/*
 * `assay verify`: the verdict for other machines, as an EAR and as a CMW. Also in the program
 * assay-verify, so nothing here may need the TPM stack.
 */
#ifndef ASSAY_CMD_VERIFY_RESULTS_H
#define ASSAY_CMD_VERIFY_RESULTS_H

#include "base/signer.h"
#include "cmd.h"
#include "options.h"
#include "report/ear.h"

/**
 * struct result_options - the command line
 * @ear, @cmw: where to write; NULL: not wanted
 * @key: of a PEM file, or a PKCS#11 URI
 * @passphrase: a file that has that key's; or NULL
 */
struct result_options {
	const char *ear, *cmw, *key, *passphrase;
	enum cmw_form { CMW_JSON, CMW_CBOR } cmw_form;
	enum ear_profile profile;
};

/* Rows of a command's table; @member: struct result_options */
/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define RESULT_ROWS(structure, member) \
	{ "ear", 0, "FILE", "write it as an EAT Attestation Result, too: a JWT, signed by ES256", \
	  OPTION_OUTPUT(structure, member.ear), .needs = "ear-key" }, \
	{ "ear-key", 0, "KEY", "the verifier's key, on P-256: a PEM file, or a PKCS#11 URI (pkcs11:...)", \
	  OPTION_INPUT(structure, member.key) }, \
	{ "ear-passphrase-file", 0, "FILE", "that key's passphrase or PIN (/dev/fd/N: a descriptor)", \
	  OPTION_INPUT(structure, member.passphrase), .needs = "ear-key" }, \
	{ "ear-profile", 0, "veraison|ietf", "its names of claims: those of Veraison's readers, or of " \
	  "draft-ietf-rats-ear-03 (veraison)", OPTION_CHOICE(structure, member.profile), \
	  .needs = "ear-key" }, \
	{ "cmw", 0, "FILE", "write the evidence and that result as one collection of conceptual message " \
	  "wrappers, too", OPTION_OUTPUT(structure, member.cmw), .needs = "ear-key" }, \
	{ "cmw-form", 0, "json|cbor", "what that is written as (json)", \
	  OPTION_CHOICE(structure, member.cmw_form), .needs = "cmw" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* results_check() - what the table cannot say; COMMAND_GO, or an exit status */
int results_check(const struct command *command, const struct result_options *options);

/*
 * results_open_key() - a key of the verifier: a PEM file, or a PKCS#11 URI
 * @passphrase: a file that has its passphrase or PIN; NULL: a key that wants one is refused
 */
int results_open_key(const char *key, const char *passphrase, struct signer **ret,
		     struct assay_error *err);

/*
 * results_signer() - the verifier's key, looked at before anything is judged
 * @ret: NULL where no result is wanted; else end it with (*ret)->close(*ret)
 */
int results_signer(const struct result_options *options, struct signer **ret,
		   struct assay_error *err);

/*
 * results_make() - what is to be written
 * @facts: but for the profile
 * @ear, @cmw: filled where they are wanted
 */
int results_make(const struct result_options *options, const struct verdict *verdict,
		 struct ear_facts facts, struct bytes evidence, struct signer *signer,
		 struct buffer *ear, struct buffer *cmw, struct assay_error *err);

#endif /* ASSAY_CMD_VERIFY_RESULTS_H */
