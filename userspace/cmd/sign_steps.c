// SPDX-License-Identifier: MIT
/*
 * `assay sign` in two steps, with a key that is elsewhere: --prepare lists what is to be signed,
 * --attach takes the signatures. Both go through all files as with a key.
 */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/certificate_judge.h"

/* The most bytes of a file of signatures. */
#define SIGNATURES_SIZE_MAX ((size_t)1 << 30)

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

/* ---------------------------------------------------------------- what was prepared */

/* A struct signatures_want: takes note of the only thing that may be missing. */
static int want_item(void *context, enum assay_hash hash, const struct assay_digest *digest,
		     struct bytes message, struct assay_error *err)
{
	struct sign_steps *steps = context;
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (!steps->wanting)
		return assay_fail(err, ENOKEY, "there is no signature of %s among those given",
				  assay_digest_text(digest, text));
	steps->wanted_bytes.size = 0;
	buffer_append_bytes(&steps->wanted_bytes, message);
	if (steps->wanted_bytes.failed)
		return out_of_memory(err);
	steps->wanted = (struct prepared_item){ .hash = hash,
						.digest = *digest,
						.bytes = buffer_bytes(&steps->wanted_bytes) };
	return 0;
}

static int read_prepared(struct sign_call *call, struct assay_error *err)
{
	const char *name = call->options->prepare;
	CLEANUP(file_unmap) struct file_view view = { 0 };
	int r = file_map(name, PREPARED_SIZE_MAX, &view, err);

	return r < 0 ? r :
		       prepared_parse(view.bytes, name, call->steps.signatures,
				      &call->steps.prepared, err);
}

static int read_signatures(struct sign_call *call, struct assay_error *err)
{
	const struct prepared *prepared = call->steps.prepared;
	const struct option_texts *names = &call->options->attach;
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++) {
		CLEANUP(buffer_free) struct buffer text = { 0 };

		r = file_read(names->list[i], SIGNATURES_SIZE_MAX, &text, err);
		if (r == 0)
			r = signatures_read(call->steps.signatures, buffer_bytes(&text),
					    names->list[i],
					    prepared->wanted == 1 ? &prepared->only : NULL, err);
	}
	return r;
}

static int differs(const struct sign_call *call, const char *how, struct assay_error *err)
{
	return assay_fail(err, EINVAL, "%s was prepared %s: give the same options",
			  call->options->prepare, how);
}

/* Both steps have to be of the same signer, with the same options. */
static int check_prepared(const struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	const struct prepared_header *header = &call->steps.prepared->header;
	const struct manifest_header *manifest = &header->manifest;
	const struct verity_parameters *given = &options->parameters, *was = &manifest->parameters;
	struct bytes key_id;
	int r = certificate_key_id(call->certificate, &key_id, err);

	if (r < 0)
		return r;
	if (!bytes_equal(key_id, BYTES(manifest->key_id, manifest->key_id_size)))
		return assay_fail(err, EINVAL, "%s was prepared for another signer: %s",
				  options->prepare, manifest->subject);
	if (given->hash != was->hash || given->block_size != was->block_size ||
	    !bytes_equal(BYTES(given->salt, given->salt_size), BYTES(was->salt, was->salt_size)))
		return differs(call, "with another hash algorithm, block size or salt", err);
	if (options->delegate != (header->delegate != NULL))
		return differs(call, header->delegate ? "with --delegate" : "without --delegate",
			       err);
	if (strcmp(options->product ? options->product : "", manifest->product) != 0)
		return differs(call, "with another --product", err);
	return 0;
}

int sign_steps_open(struct sign_call *call, struct assay_error *err)
{
	struct sign_steps *steps = &call->steps;
	const struct signatures_want want = { steps, want_item };
	int r = signatures_new(&steps->signatures, err);

	if (r == 0 && sign_is_second_step(call->options)) {
		r = read_prepared(call, err);
		if (r == 0)
			r = check_prepared(call, err);
		if (r == 0)
			r = read_signatures(call, err);
		if (r == 0)
			call->header = steps->prepared->header.manifest;
	}
	return r < 0 ? r :
		       signatures_signer(steps->signatures, X509_get0_pubkey(call->certificate),
					 NULL, &want, &call->key, err);
}

/* ---------------------------------------------------------------- delegates */

/*
 * The delegate signs everything in the first step, and is gone at its end. What the key has to
 * sign is its certificate.
 */
static int make_delegate(struct sign_call *call, struct assay_error *err)
{
	struct sign_steps *steps = &call->steps;
	CLEANUP(x509_free_pointer) X509 *none = NULL;
	int r = delegate_begin(call->certificate, call->header.id, &call->delegate,
			       &steps->unsigned_certificate, &call->delegate_memory, err);

	if (r < 0)
		return r;
	steps->wanting = true;
	r = certificate_sign(call->key, steps->unsigned_certificate, &none, err);
	steps->wanting = false;
	if (r != -EINPROGRESS)
		return r < 0 ? r : assay_fail(err, EINVAL, "the certificate is signed already");
	steps->wanted.sign = "certificate";
	r = signatures_signer(steps->signatures, call->delegate->public_key, call->delegate, NULL,
			      &steps->recorder, err);
	call->work.signer = steps->recorder;
	call->work.certificate = steps->unsigned_certificate;
	return r;
}

static int certify_delegate(struct sign_call *call, struct assay_error *err)
{
	struct sign_steps *steps = &call->steps;
	X509 *without = steps->prepared->header.delegate;
	char id[33];
	int r = certificate_sign(call->key, without, &call->delegate_certificate, err);

	if (r == 0)
		r = delegate_manifest_id(call->delegate_certificate, id, err);
	if (r == 0 && strcmp(id, call->header.id) != 0)
		r = assay_fail(err, EINVAL, "it is for another manifest");
	if (r == 0)
		r = certificate_judge_issuer_at(call->delegate_certificate, call->certificate,
						manifest_created(&call->header), err);
	if (r < 0)
		return assay_fail_context(err, "the delegate's certificate");
	r = signatures_signer(steps->signatures, X509_get0_pubkey(call->delegate_certificate), NULL,
			      NULL, &steps->recorder, err);
	call->work.signer = steps->recorder;
	call->work.certificate = call->delegate_certificate;
	return r;
}

int sign_steps_delegate(struct sign_call *call, struct assay_error *err)
{
	return sign_is_first_step(call->options) ? make_delegate(call, err) :
						   certify_delegate(call, err);
}

/* ---------------------------------------------------------------- before the run */

/* No file of the run's own is signed, should it lie in the tree. */
static void add_own(struct sign_run *run, const char *path)
{
	if (run->own_count < SIGN_RUN_OWN && stat(path, &run->own[run->own_count]) == 0)
		run->own_count++;
}

int sign_steps_begin(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	const struct prepared_header header = { call->header, call->work.pkcs7, call->work.ima,
						call->steps.unsigned_certificate };
	int r;

	add_own(&call->run, options->prepare);
	for (size_t i = 0; i < options->attach.count; i++)
		add_own(&call->run, options->attach.list[i]);
	call->run.prepared = call->steps.prepared;
	if (!sign_is_first_step(options))
		return 0;
	r = prepared_writer_open(options->prepare, &header, call->key->public_key, &call->run.list,
				 err);
	if (r == 0 && fstat(fileno(prepared_writer_stream(call->run.list)),
			    &call->run.own[call->run.own_count]) == 0)
		call->run.own_count++;
	return r;
}

/* ---------------------------------------------------------------- after it */

static int end_list(struct sign_call *call, struct assay_error *err)
{
	struct sign_steps *steps = &call->steps;
	struct prepared_writer *list = call->run.list;
	int r = 0;

	if (call->work.delegated && call->run.writer)
		r = manifest_writer_presign(call->run.writer, call->work.signer,
					    call->work.certificate, err);
	if (r == 0 && call->work.delegated)
		r = prepared_writer_item(list, &steps->wanted, err);
	if (r < 0)
		return r;
	steps->items = prepared_writer_items(list);
	return prepared_writer_commit(list, steps->signatures, err);
}

/* All but the manifest is signed: the list says so from now on. */
static int list_manifest(struct sign_call *call, struct assay_error *err)
{
	struct sign_steps *steps = &call->steps;
	const struct prepared *prepared = steps->prepared;
	struct prepared_writer *list = NULL;
	int r = prepared_writer_open(call->options->prepare, &prepared->header,
				     call->key->public_key, &list, err);

	for (size_t i = 0; r == 0 && i < prepared->count; i++)
		r = prepared_writer_file(list, &prepared->files[i], false, false, err);
	steps->wanted.sign = "manifest";
	if (r == 0)
		r = prepared_writer_item(list, &steps->wanted, err);
	if (r == 0)
		r = prepared_writer_commit(list, steps->signatures, err);
	prepared_writer_free(list);
	steps->items = 1;
	return r;
}

static int end_manifest(struct sign_call *call, struct assay_error *err)
{
	int r;

	if (!call->run.writer)
		return 0;
	call->steps.wanting = true;
	r = manifest_writer_commit(call->run.writer, call->work.signer, call->work.certificate,
				   call->work.delegated, err);
	call->steps.wanting = false;
	if (r == -ENOKEY && call->work.delegated)
		return assay_fail(err, ESTALE,
				  "the manifest is not the one that was prepared: give the same "
				  "options, or prepare anew");
	if (r == -EINPROGRESS) {
		r = list_manifest(call, err);
		if (r < 0)
			return r;
		return assay_fail(err, EINPROGRESS,
				  "the files are signed; the manifest itself is to be signed next: "
				  "%s says what; then attach that signature with the same command",
				  call->options->prepare);
	}
	return r;
}

int sign_steps_end(struct sign_call *call, struct assay_error *err)
{
	return sign_is_first_step(call->options) ? end_list(call, err) : end_manifest(call, err);
}

void sign_steps_free(struct sign_steps *steps)
{
	if (steps->recorder)
		steps->recorder->close(steps->recorder);
	X509_free(steps->unsigned_certificate);
	prepared_free(steps->prepared);
	signatures_free(steps->signatures);
	buffer_free(&steps->wanted_bytes);
}
