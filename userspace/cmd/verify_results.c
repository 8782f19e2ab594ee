// SPDX-License-Identifier: MIT
#include "verify_results.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/secret.h"
#include "report/cmw.h"
#include "sign/jws.h"
#include "sign/key_file.h"
#include "sign/pkcs11.h"

#define TYPE_TEXT 128

int results_check(const struct command *command, const struct result_options *options)
{
	if (options->key && !options->ear && !options->cmw)
		return command_usage(command, "--ear-key needs --ear or --cmw");
	return COMMAND_GO;
}

/* struct locked_key - a key, and the file that has its passphrase */
struct locked_key {
	const char *key, *passphrase;
};

static int read_passphrase(void *context, struct buffer *ret, struct assay_error *err)
{
	const struct locked_key *locked = context;
	char what[512];

	snprintf(what, sizeof(what), "the passphrase of %s", locked->key);
	return secret_read(locked->passphrase, what, false, ret, err);
}

int results_open_key(const char *key, const char *passphrase, struct signer **ret,
		     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer pem = { 0 };
	struct locked_key locked = { key, passphrase };
	key_file_secret_function secret = passphrase ? read_passphrase : NULL;
	int r;

	if (strncmp(key, "pkcs11:", strlen("pkcs11:")) == 0)
		return pkcs11_signer(key, secret, &locked, ret, err);
	r = file_read(key, KEY_FILE_MAX, &pem, err);
	if (r == 0 && key_file_is_tss2(buffer_bytes(&pem)))
		r = assay_fail(err, ENOTSUP,
			       "%s is a TPM's key, and a verifier needs no TPM: take a PEM file or "
			       "a PKCS#11 URI",
			       key);
	return r < 0 ? r : key_file_open(buffer_bytes(&pem), key, secret, &locked, ret, err);
}

int results_signer(const struct result_options *options, struct signer **ret,
		   struct assay_error *err)
{
	struct signer *signer = NULL;
	int r;

	*ret = NULL;
	if (!options->key)
		return 0;
	r = results_open_key(options->key, options->passphrase, &signer, err);
	if (r < 0)
		return r;
	r = jws_check_signer(signer, err);
	if (r < 0) {
		signer->close(signer);
		return assay_fail_context(err, "%s", options->key);
	}
	*ret = signer;
	return 0;
}

static void make_cmw(const struct result_options *options, struct bytes evidence,
		     struct bytes result, struct buffer *out)
{
	char type[TYPE_TEXT];
	const struct cmw messages[] = {
		{ "evidence", CMW_TYPE_EVIDENCE, evidence, CMW_EVIDENCE },
		{ "result", type, result, CMW_ATTESTATION_RESULTS },
	};

	snprintf(type, sizeof(type), "application/eat+jwt; eat_profile=\"%s\"",
		 ear_profile_tag(options->profile));
	if (options->cmw_form == CMW_CBOR)
		cmw_write_cbor_collection(messages, sizeof(messages) / sizeof(messages[0]), out);
	else
		cmw_write_collection(messages, sizeof(messages) / sizeof(messages[0]), out);
}

int results_make(const struct result_options *options, const struct verdict *verdict,
		 struct ear_facts facts, struct bytes evidence, struct signer *signer,
		 struct buffer *ear, struct buffer *cmw, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer result = { 0 };
	int r;

	if (!signer)
		return 0;
	facts.profile = options->profile;
	r = ear_write(verdict, &facts, signer, &result, err);
	if (r < 0)
		return r;
	if (options->cmw)
		make_cmw(options, evidence, buffer_bytes(&result), cmw);
	if (options->ear) {
		buffer_append_bytes(ear, buffer_bytes(&result));
		buffer_append_u8(ear, '\n');
	}
	return 0;
}
