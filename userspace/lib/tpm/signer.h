/* SPDX-License-Identifier: MIT */
/*
 * Opens a signing key wherever it is: what stands behind the option --key.
 * For commands that sign; includes nothing of the TPM stack.
 */
#ifndef ASSAY_TPM_SIGNER_H
#define ASSAY_TPM_SIGNER_H

#include "base/signer.h"
#include "tpm/options.h"

/**
 * struct signer_source - which key, and what it takes to use it
 * @key: "handle:0x81000001" (tpm_key_handle()), "pkcs11:..." (RFC 7512), or a file: TSS2 PEM or
 * plain PEM; the file itself tells which
 * @tpm: of a key in a TPM: how that is reached
 * @passphrase_file: file of the passphrase of an encrypted PEM file, the password of a
 *                   TPM's key, or the PIN of a token; NULL: asked for on the terminal if
 *                   the key needs one, or its file says that it does
 * @passphrase: it is asked for in any case, if it is not in a file
 * @standard_input: where there is no terminal, what would be asked for is a line of standard input
 * @notice: what tells the user something that is no error; NULL: nothing does
 * @pkcs11_engine: shared object of an OpenSSL engine through which @key is taken, whatever
 *                 it looks like; NULL: none
 * @pkcs11_module: the token's module, which that engine loads
 */
struct signer_source {
	const char *key;
	struct tpm_options tpm;
	const char *passphrase_file;
	bool passphrase;
	bool standard_input;
	void (*notice)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	const char *pkcs11_engine;
	const char *pkcs11_module;
};

/*
 * signer_open() - open it
 * @ret: close it with its own close(). A TPM is opened once and the key loaded once
 *
 * `concurrent` is not set for keys by PKCS#11; `dear` is, as for those in a TPM.
 */
int signer_open(const struct signer_source *source, struct signer **ret, struct assay_error *err);

#endif /* ASSAY_TPM_SIGNER_H */
