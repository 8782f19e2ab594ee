/* SPDX-License-Identifier: MIT */
/*
 * Files of certificates and revocation lists that a command names, and directories of them. Also
 * in the program assay-verify, so nothing here may need the TPM stack.
 */
#ifndef ASSAY_CMD_TRUST_FILES_H
#define ASSAY_CMD_TRUST_FILES_H

#include "options.h"
#include "sign/chain.h"

/* struct trust_paths - of a command's words: files, or directories of them */
struct trust_paths {
	struct option_texts roots, intermediates, crls;
};

void trust_paths_free(struct trust_paths *paths);

/*
 * trust_files_read() - read all of them
 * @now: seconds since 1970-01-01 00:00 UTC
 * @ret: trust_files_free() it, also on failure; nothing in it is NULL where it succeeded
 *
 * Of a directory: the files of it whose names end in .pem, .crt, .cer, .der or .crl, in the order
 * of their names; those of directories below it are not looked at, and without any it is an error.
 */
int trust_files_read(const struct trust_paths *paths, uint64_t now, struct chain_trust *ret,
		     struct assay_error *err);

/*
 * trust_files_begin(), trust_files_add() - the same in two steps: without any, and then more
 * @ret, @trust: trust_files_free() it, also on failure
 */
int trust_files_begin(struct chain_trust *ret, uint64_t now, struct assay_error *err);
int trust_files_add(const struct trust_paths *paths, struct chain_trust *trust,
		    struct assay_error *err);

/*
 * trust_files_add_one() - one file or directory, which is of certificates; or, where
 * @certificates is NULL, of revocation lists, whose times are then looked at with the chain
 */
int trust_files_add_one(const char *path, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists,
			struct assay_error *err);

/* trust_files_add_roots() - those of one file or directory more */
int trust_files_add_roots(const char *path, struct chain_trust *trust, struct assay_error *err);

/* trust_files_certificates() - append the certificates of a file, PEM or DER, as DER in its order
 */
int trust_files_certificates(const char *path, struct buffer *out, struct assay_error *err);

void trust_files_free(struct chain_trust *trust);

#endif /* ASSAY_CMD_TRUST_FILES_H */
