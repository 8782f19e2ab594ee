// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tpm/signer.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
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
	if (source->standard_input && !source->passphrase_file)
		return secret_read_line(what, ret, err);
	return secret_read(source->passphrase_file, what, false, ret, err);
}

/*
 * What a key in the TPM is used with. Nothing but using it tells whether it has a password: what
 * its file says of that decides only whether to ask for one that was not given.
 */
static int read_password(const struct signer_source *source, bool expected, bool named,
			 struct buffer *ret, struct assay_error *err)
{
	int r;

	if (!source->passphrase_file && !source->passphrase && !expected)
		return 0;
	r = read_secret(source, "password", ret, err);
	if (r == 0 && ret->size > 0 && !named && source->notice)
		source->notice("no name of its parent key is noted for %s: a listener between "
			       "assay and the TPM does not learn its password, but who can change "
			       "what goes over may try passwords (assay-key(1))",
			       source->key);
	return r;
}

/* A signer that has the TPM for itself. Takes @key and @tpm over, also on failure. */
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
	CLEANUP(tpm_key_file_free) struct tpm_key_file file = { 0 };
	CLEANUP(secret_free) struct buffer password = { 0 };
	struct tpm_key *key = NULL;
	struct tpm *tpm = NULL;
	int r;

	/* The file first: what is wrong with it can be told without a TPM. */
	r = tpm_key_file_parse(pem, source->key, &file, err);
	if (r == 0)
		r = read_password(source, file.password, file.parent_name.size > 0, &password, err);
	if (r == 0)
		r = tpm_options_open(&source->tpm, &tpm, err);
	if (r < 0)
		return r;
	r = tpm_options_load(&source->tpm, tpm, &file, buffer_bytes(&password), source->key, &key,
			     err);
	return make_signer(tpm, key, r, ret, err);
}

static int open_handle(const struct signer_source *source, struct signer **ret,
		       struct assay_error *err)
{
	CLEANUP(secret_free) struct buffer password = { 0 };
	struct tpm_key_handle handle;
	struct tpm_key *key = NULL;
	struct tpm *tpm = NULL;
	int r = tpm_key_handle(source->key, &handle, err);

	if (r == 0)
		r = read_password(source, false, handle.primary_size > 0, &password, err);
	if (r == 0)
		r = tpm_options_open(&source->tpm, &tpm, err);
	if (r < 0)
		return r;
	r = tpm_key_find(tpm, &handle, buffer_bytes(&password), source->key, &key, err);
	return make_signer(tpm, key, r, ret, err);
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
	CLEANUP(secret_free) struct buffer pem = { 0 };
	int r;

	if (source->pkcs11_engine)
		return pkcs11_engine_signer(source->pkcs11_engine, source->pkcs11_module,
					    source->key, ask_pin, (void *)source, ret, err);
	if (starts_with(source->key, TPM_KEY_HANDLE_PREFIX))
		return open_handle(source, ret, err);
	if (starts_with(source->key, PKCS11_PREFIX))
		return pkcs11_signer(source->key, ask_pin, (void *)source, ret, err);
	r = file_read(source->key, KEY_FILE_MAX, &pem, err);
	if (r < 0)
		return r;
	if (key_file_is_tss2(buffer_bytes(&pem)))
		return open_key_file(source, buffer_bytes(&pem), ret, err);
	return key_file_open(buffer_bytes(&pem), source->key, ask_passphrase, (void *)source, ret,
			     err);
}
