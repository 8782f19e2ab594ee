// SPDX-License-Identifier: MIT
/* `assay key cert` and `assay key export`: what others need of a key. */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/bio.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "key.h"
#include "sign/certificate.h"
#include "sign/key_file.h"
#include "signer_options.h"

/* -------------------------------------------------------------------- cert */

struct cert_options {
	struct signer_source source;
	const char *out, *subject;
	uint32_t days;
	bool request, force, json;
};

static int make_certificate(const struct cert_options *options, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	CLEANUP(buffer_free) struct buffer pem = { 0 };
	struct signer *signer;
	int r = signer_open(&options->source, &signer, err);

	if (r < 0)
		return r;
	if (options->request) {
		r = certificate_request(signer, options->subject, &pem, err);
	} else {
		r = certificate_make(signer, options->subject, options->days, &certificate, err);
		if (r == 0)
			r = certificate_append_pem(certificate, &pem, err);
	}
	signer->close(signer);
	return r < 0 ? r : key_write_public(options->out, &pem, options->force, err);
}

static int run_key_cert(int argc, char **argv)
{
	struct cert_options options = { .subject = KEY_DEFAULT_SUBJECT,
					.days = KEY_DEFAULT_DAYS,
					.source.notice = signer_notice };
	struct assay_error err;
	int status = command_parse(&command_key_cert, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (make_certificate(&options, &err) < 0)
		return command_failed(&command_key_cert, &err);
	if (options.json)
		return command_emit_json(&command_key_cert,
					 json_pack("{s:o, s:o, s:b}", "key",
						   command_text_json(options.source.key), "file",
						   command_text_json(options.out), "is_request",
						   (int)options.request));
	printf("%s: %s of %s\n", options.out,
	       options.request ? "request for a certificate" : "certificate", options.source.key);
	return command_flush(&command_key_cert);
}

/* clang-format off */
static const struct option_row cert_rows[] = {
	OPTION_ROWS_SIGNER(struct cert_options, source),
	OPTION_HEADING("The certificate:"),
	{ "out", 'o', "FILE", "where to write it (PEM); not over an existing file",
	  OPTION_OUTPUT(struct cert_options, out), .required = true },
	{ "subject", 0, "CN", "its common name (" KEY_DEFAULT_SUBJECT ")",
	  OPTION_TEXT(struct cert_options, subject) },
	{ "days", 0, "N", "how long it is valid (3650); of a request it is the authority's to say",
	  OPTION_NUMBER(struct cert_options, days, 1, CERTIFICATE_DAYS_MAX),
	  .excludes = "request" },
	{ "request", 0, NULL, "make a request (PKCS#10) for an authority to make one",
	  OPTION_FLAG(struct cert_options, request) },
	OPTION_ROW_FORCE(struct cert_options, force),
	OPTION_ROW_JSON(struct cert_options, json),
	OPTION_END,
};
/* clang-format on */

const struct command command_key_cert = {
	.name = "key cert",
	.summary = "make a certificate of a key, or a request for one",
	.intro = "Makes a self-signed certificate of a key, with a subject key id and the key "
		 "usage\n"
		 "digitalSignature; or a request for an authority to make one.\n",
	.options = cert_rows,
	.run = run_key_cert,
};

/* ------------------------------------------------------------------ export */

struct export_options {
	struct signer_source source;
	const char *out;
	bool der, force, json;
};

/* What is in a file of public parts is told without the private one: 1 if it was none such. */
static int find_public_in_file(const char *path, EVP_PKEY **ret, struct assay_error *err)
{
	CLEANUP(tpm_key_file_free) struct tpm_key_file file = { 0 };
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	CLEANUP(secret_free) struct buffer text = { 0 };
	int r = file_read(path, KEY_FILE_MAX, &text, err);

	if (r < 0)
		return r;
	if (key_file_is_tss2(buffer_bytes(&text))) {
		r = tpm_key_file_parse(buffer_bytes(&text), path, &file, err);
		return r < 0 ? r : tpm_key_file_public(&file, path, ret, err);
	}
	if (text.size == 0 || certificate_parse(buffer_bytes(&text), path, &certificate, err) < 0)
		return 1;
	*ret = X509_get_pubkey(certificate);
	return *ret ? 0 : assay_fail(err, EINVAL, "%s: the certificate's key is not known", path);
}

/* The public half of what @source names: a key, or a certificate's. */
static int find_public(const struct signer_source *source, EVP_PKEY **ret, struct assay_error *err)
{
	struct signer *signer;
	int r = 1;

	if (strchr(source->key, ':') == NULL)
		r = find_public_in_file(source->key, ret, err);
	if (r <= 0)
		return r;
	r = signer_open(source, &signer, err);
	if (r < 0)
		return r;
	EVP_PKEY_up_ref(signer->public_key);
	*ret = signer->public_key;
	signer->close(signer);
	return 0;
}

static int export_public(const struct export_options *options, struct buffer *out,
			 struct assay_error *err)
{
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = NULL;
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());
	int r = find_public(&options->source, &key, err);

	if (r < 0)
		return r;
	if (bio && (options->der ? i2d_PUBKEY_bio(bio, key) : PEM_write_bio_PUBKEY(bio, key)) == 1)
		buffer_append_bytes(out, bio_bytes(bio));
	if (out->failed || out->size == 0)
		return assay_fail(err, EIO, "libcrypto cannot write the public key of %s",
				  options->source.key);
	return 0;
}

static int run_key_export(int argc, char **argv)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	struct export_options options = { .source.notice = signer_notice };
	struct assay_error err;
	int r, status = command_parse(&command_key_export, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	r = export_public(&options, &content, &err);
	if (r == 0 && options.out)
		r = key_write_public(options.out, &content, options.force, &err);
	if (r < 0)
		return command_failed(&command_key_export, &err);
	if (options.json)
		return command_emit_json(&command_key_export,
					 json_pack("{s:o, s:o}", "key",
						   command_text_json(options.source.key), "file",
						   command_text_json(options.out)));
	if (!options.out)
		fwrite(content.data, 1, content.size, stdout);
	return command_flush(&command_key_export);
}

/* clang-format off */
static const struct option_row export_rows[] = {
	OPTION_ROWS_SIGNER(struct export_options, source),
	OPTION_HEADING("Output:"),
	{ "out", 'o', "FILE", "where to write it; not over an existing file (standard output)",
	  OPTION_OUTPUT(struct export_options, out) },
	{ "der", 0, NULL, "write DER instead of PEM", OPTION_FLAG(struct export_options, der) },
	OPTION_ROW_FORCE(struct export_options, force),
	{ "json", 0, NULL, "print what was written as one JSON object, also where the call fails",
	  OPTION_FLAG(struct export_options, json), .needs = "out" },
	OPTION_END,
};
/* clang-format on */

const struct command command_key_export = {
	.name = "key export",
	.summary = "write the public half of a key",
	.intro = "Writes the public half of a key (SubjectPublicKeyInfo), to standard output or to "
		 "a\n"
		 "file. KEY may also be a certificate's file. Of a TSS2 key file, neither its TPM\n"
		 "nor its password is needed.\n",
	.options = export_rows,
	.run = run_key_export,
};
