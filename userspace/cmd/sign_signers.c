// SPDX-License-Identifier: MIT
/* `assay sign`: with what. The key and a second one, the delegate, the kinds of signatures. */
#include "sign.h"

#include <errno.h>

#include "base/file.h"
#include "sign/certificate_judge.h"
#include "sign/signature.h"

/* Before anything is signed: all that can be wrong with key and certificate. */
static int open_key(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	int r = certificate_load(options->certificate, &call->certificate, err);

	if (r < 0)
		return r;
	r = options->prepare ? sign_steps_open(call, err) :
			       signer_open(&options->key, &call->key, err);
	if (r < 0)
		return r;
	r = certificate_check_signer(call->certificate, call->key, err);
	if (r == 0)
		r = certificate_judge_at(call->certificate, (uint64_t)time(NULL), err);
	if (r == 0 && !sign_is_second_step(options))
		r = manifest_begin(&call->header, &options->parameters, call->certificate, err);
	if (r == 0 && options->product && !sign_is_second_step(options))
		r = manifest_set_product(&call->header, options->product, err);
	if (r < 0)
		return assay_fail_context(err, "%s", options->certificate);
	return 0;
}

/* Who signs the manifest besides: what it signs is not for the kernel. */
static int open_also(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	int r = certificate_load(options->also_certificate, &call->also_certificate, err);

	if (r == 0)
		r = signer_open(&options->also, &call->also, err);
	if (r < 0)
		return r;
	r = certificate_check_signer(call->also_certificate, call->also, err);
	if (r == 0)
		r = certificate_judge_at(call->also_certificate, (uint64_t)time(NULL), err);
	if (r == 0 && EVP_PKEY_eq(call->also->public_key, call->key->public_key) == 1)
		r = assay_fail(err, EINVAL, "the second key is the first");
	if (r == 0)
		r = manifest_set_also(&call->header, call->also_certificate, err);
	return r < 0 ? assay_fail_context(err, "%s", options->also_certificate) : 0;
}

int sign_open_signers(struct sign_call *call, struct assay_error *err)
{
	int r = open_key(call, err);

	return r == 0 && call->options->also_certificate ? open_also(call, err) : r;
}

static int write_certificate(X509 *certificate, const char *path, struct assay_error *err)
{
	struct buffer pem = { 0 };
	int r = certificate_append_pem(certificate, &pem, err);

	if (r == 0)
		r = file_write(path, buffer_bytes(&pem), 0644, err);
	buffer_free(&pem);
	return r;
}

void sign_set_kinds(struct sign_work *work, const struct sign_options *options,
		    const struct prepared *prepared)
{
	if (prepared) {
		work->pkcs7 = prepared->header.pkcs7;
		work->ima = prepared->header.ima;
		return;
	}
	if (options->kinds_given) {
		work->pkcs7 = options->kinds != KINDS_IMA;
		work->ima = options->kinds != KINDS_PKCS7;
		return;
	}
	/* IMA would not find the key of a delegate. */
	work->pkcs7 = options->manifest || options->detached;
	work->ima = options->xattr || (options->manifest && !options->delegate);
}

static int begin_delegate(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	int r;

	call->work.delegated = true;
	if (options->prepare) {
		r = sign_steps_delegate(call, err);
	} else {
		r = delegate_new(call->key, call->certificate, call->header.id, &call->delegate,
				 &call->delegate_certificate, &call->delegate_memory, err);
		call->work.signer = call->delegate;
		call->work.certificate = call->delegate_certificate;
	}
	if (r == 0 && options->delegate_certificate && call->delegate_certificate)
		r = write_certificate(call->delegate_certificate, options->delegate_certificate,
				      err);
	return r;
}

/* What kernels take of which keys: what few take has to be asked for. */
static int check_kinds(const struct sign_call *call, struct assay_error *err)
{
	if (call->work.pkcs7 && !call->options->kinds_given && !call->steps.prepared &&
	    signature_is_pure(X509_get0_pubkey(call->certificate)))
		return assay_fail(
			err, EOPNOTSUPP,
			"built-in signatures by ML-DSA keys are made only where they are asked "
			"for (--signatures pkcs7 or both): kernels before 7.0 do not take them, "
			"and later ones only with CONFIG_CRYPTO_MLDSA. Sign with ECDSA or RSA and "
			"this key besides (--also-key), or for IMA of kernels from 7.2 on "
			"(--signatures ima)");
	return 0;
}

int sign_begin_work(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	int r;

	call->work = (struct sign_work){
		.signer = call->key,
		.certificate = call->certificate,
		.own_certificate = call->certificate,
		.two_steps = options->prepare != NULL,
		.list = sign_is_first_step(options),
		.line = options->manifest != NULL,
		.detached = options->detached,
		.xattr = options->xattr,
		.root_fd = call->work.root_fd,
		.parameters = options->parameters,
	};
	sign_set_kinds(&call->work, options, call->steps.prepared);
	r = check_kinds(call, err);
	if (r == 0 && options->delegate)
		r = begin_delegate(call, err);
	if (r == 0 && options->prepare)
		r = sign_steps_begin(call, err);
	return r < 0 ? r : sign_work_begin(&call->work, err);
}
