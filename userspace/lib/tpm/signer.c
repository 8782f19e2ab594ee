// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tpm/signer.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "sign/key_file.h"
#include "sign/pkcs11.h"
#include "tpm/context.h"
#include "tpm/key.h"

#define PKCS11_PREFIX "pkcs11:"

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static int read_secret(const struct signer_source *source, const char *kind, struct buffer *ret,
		       struct assay_error *err)
{
	char what[256];

	snprintf(what, sizeof(what), "the %s of %s", kind, source->key);
	return secret_read(source->passphrase_file, what, false, ret, err);
}

/* A signer that has the TPM for itself. Takes @key and @tpm over. */
static int make_signer(struct tpm *tpm, struct tpm_key *key, int r, struct signer **ret,
		       struct assay_error *err)
{
	if (r == 0)
		r = tpm_key_signer(key, ret, err);
	if (r == 0) {
		tpm_key_signer_own(*ret);
		return 0;
	}
	tpm_key_unload(key);
	tpm_close(tpm);
	return r;
}

static int open_key_file(const struct signer_source *source, struct bytes pem, struct signer **ret,
			 struct assay_error *err)
{
	struct tpm_key_file file = { 0 };
	struct buffer password = { 0 };
	struct tpm_key *key = NULL;
	struct tpm *tpm = NULL;
	int r;

	/* The file first: what is wrong with it can be told without a TPM. */
	r = tpm_key_file_parse(pem, source->key, &file, err);
	if (r < 0)
		return r;
	if (file.password)
		r = read_secret(source, "password", &password, err);
	if (r == 0)
		r = tpm_open(source->tcti, &tpm, err);
	if (r == 0) {
		r = tpm_key_load(tpm, &file, buffer_bytes(&password), source->key, &key, err);
		r = make_signer(tpm, key, r, ret, err);
	}
	secret_free(&password);
	tpm_key_file_free(&file);
	return r;
}

static int open_handle(const struct signer_source *source, struct signer **ret,
		       struct assay_error *err)
{
	struct buffer password = { 0 };
	struct tpm_key *key = NULL;
	struct tpm *tpm = NULL;
	uint32_t handle;
	int r = tpm_key_handle(source->key, &handle, err);

	if (r < 0)
		return r;
	/* Nothing but using it tells whether it has a password. */
	if (source->passphrase_file)
		r = read_secret(source, "password", &password, err);
	if (r == 0)
		r = tpm_open(source->tcti, &tpm, err);
	if (r == 0) {
		r = tpm_key_find(tpm, handle, buffer_bytes(&password), source->key, &key, err);
		r = make_signer(tpm, key, r, ret, err);
	}
	secret_free(&password);
	return r;
}

/* key_file_secret_function and pkcs11's: @context is the source. */
static int ask_passphrase(void *context, struct buffer *ret, struct assay_error *err)
{
	return read_secret(context, "passphrase", ret, err);
}

static int ask_pin(void *context, struct buffer *ret, struct assay_error *err)
{
	return read_secret(context, "PIN", ret, err);
}

int signer_open(const struct signer_source *source, struct signer **ret, struct assay_error *err)
{
	struct buffer pem = { 0 };
	int r;

	if (source->pkcs11_engine)
		return pkcs11_engine_signer(source->pkcs11_engine, source->pkcs11_module,
					    source->key, ask_pin, (void *)source, ret, err);
	if (starts_with(source->key, TPM_KEY_HANDLE_PREFIX))
		return open_handle(source, ret, err);
	if (starts_with(source->key, PKCS11_PREFIX))
		return pkcs11_signer(source->key, ask_pin, (void *)source, ret, err);
	r = file_read(source->key, KEY_FILE_MAX, &pem, err);
	if (r == 0) {
		if (key_file_is_tss2(buffer_bytes(&pem)))
			r = open_key_file(source, buffer_bytes(&pem), ret, err);
		else
			r = key_file_open(buffer_bytes(&pem), source->key, ask_passphrase,
					  (void *)source, ret, err);
	}
	secret_free(&pem);
	return r;
}
