/* SPDX-License-Identifier: MIT */
/* Signing keys in plain PEM files; those in a TPM are lib/tpm's. */
#ifndef ASSAY_SIGN_KEY_FILE_H
#define ASSAY_SIGN_KEY_FILE_H

#include "base/signer.h"

/* Larger files are no key's. */
#define KEY_FILE_MAX 65536

/*
 * key_file_is_tss2() - is @pem a TPM's key file ("BEGIN TSS2 PRIVATE KEY")?
 *
 * Such a file is opened with lib/tpm's tpm_signer_open().
 */
bool key_file_is_tss2(struct bytes pem);

/*
 * key_file_signer() - a signer with the unencrypted private key of a PEM file's text
 * @name: names the file in errors
 * @ret: end it with (*ret)->close(*ret)
 *
 * RSA of 2048 to 4096 bits, P-256, P-384 or P-521. The signer may be used by
 * several threads at a time.
 */
int key_file_signer(struct bytes pem, const char *name, struct signer **ret,
		    struct assay_error *err);

#endif /* ASSAY_SIGN_KEY_FILE_H */
