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

/* key_file_secret_function - puts the key's passphrase into @ret; 0, or a negative errno */
typedef int (*key_file_secret_function)(void *context, struct buffer *ret, struct assay_error *err);

/*
 * key_file_open() - a signer with the private key of a PEM file's text
 * @name: names the file in errors
 * @secret: called if the key is encrypted; NULL: such keys are refused
 * @ret: end it with (*ret)->close(*ret)
 *
 * RSA of 2048 to 4096 bits, P-256, P-384 or P-521; ML-DSA where OpenSSL has it. The signer may be
 * used by several threads at a time.
 */
int key_file_open(struct bytes pem, const char *name, key_file_secret_function secret,
		  void *context, struct signer **ret, struct assay_error *err);

/* key_file_signer() - the same without a passphrase */
int key_file_signer(struct bytes pem, const char *name, struct signer **ret,
		    struct assay_error *err);

/*
 * key_file_wrap() - a signer with a private key of libcrypto, wherever it has it from
 * @key: taken over, also on failure
 * @concurrent: may several threads use it at a time? If not, it is not in this process
 *              but in a token, and signing is dear
 */
int key_file_wrap(EVP_PKEY *key, const char *name, bool concurrent, struct signer **ret,
		  struct assay_error *err);

#endif /* ASSAY_SIGN_KEY_FILE_H */
