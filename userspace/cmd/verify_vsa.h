/* SPDX-License-Identifier: MIT */
/* `assay verify --vsa`: the verdict as a signed summary for CI. */
#ifndef ASSAY_CMD_VERIFY_VSA_H
#define ASSAY_CMD_VERIFY_VSA_H

#include "options.h"
#include "report/vsa.h"

/* @key, @certificate, @passphrase: files of who signs it; the last may be NULL */
struct vsa_options {
	const char *file, *key, *passphrase, *certificate, *verifier, *resource;
};

/* @member: struct vsa_options */
/* NOLINTBEGIN(bugprone-macro-parentheses): rows of a table, and names of members */
/* clang-format off */
#define OPTION_ROWS_VSA(structure, member) \
	{ "vsa", 0, "FILE", \
	  "write it as a SLSA verification summary, too: an in-toto statement in a DSSE envelope", \
	  OPTION_OUTPUT(structure, member.file), .needs = "vsa-key" }, \
	{ "vsa-key", 0, "KEY", "the key that signs the summary: a PEM file, or a PKCS#11 URI (pkcs11:...)", \
	  OPTION_INPUT(structure, member.key), .needs = "vsa-cert" }, \
	{ "vsa-passphrase-file", 0, "FILE", "that key's passphrase or PIN (/dev/fd/N: a descriptor)", \
	  OPTION_INPUT(structure, member.passphrase), .needs = "vsa-key" }, \
	{ "vsa-cert", 0, "CERT.pem", "that key's certificate", \
	  OPTION_INPUT(structure, member.certificate), .needs = "verifier-id" }, \
	{ "verifier-id", 0, "URI", "who judges, for the summary", \
	  OPTION_FUNCTION(structure, member.verifier, vsa_uri), .needs = "vsa" }, \
	{ "resource-uri", 0, "URI", "what the evidence is of, for the summary (the evidence)", \
	  OPTION_FUNCTION(structure, member.resource, vsa_uri), .needs = "vsa" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

/* vsa_uri() - an option_function of a const char * */
int vsa_uri(void *place, const char *value, struct assay_error *err);

/* struct vsa_signer - who signs it; vsa_signer_close() it. Start with {0} */
struct vsa_signer {
	struct statement_signer signer;
};

/* vsa_signer_open() - before the evidence is judged: all that can be wrong with the key */
int vsa_signer_open(const struct vsa_options *options, struct vsa_signer *ret,
		    struct assay_error *err);
void vsa_signer_close(struct vsa_signer *signer);

#endif /* ASSAY_CMD_VERIFY_VSA_H */
