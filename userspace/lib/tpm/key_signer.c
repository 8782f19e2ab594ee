// SPDX-License-Identifier: MIT
/*
 * A signer with a key in a TPM. One thread talks to the TPM and does nothing else; those that
 * want a signature queue up for it, and check and use what they got while the TPM makes the
 * next one: it need never wait for them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tpm/key_internal.h"

/**
 * struct request - a signature that somebody waits for; theirs, on their stack
 * @next: behind it in the queue
 * @answered: signalled when @done is set
 * @digest, @scheme: what to sign, and how
 * @signature: Esys_Free() it
 * @result: 0 or a negative errno, with @err
 */
struct request {
	struct request *next;
	pthread_cond_t answered;
	bool done;
	TPM2B_DIGEST digest;
	TPMT_SIG_SCHEME scheme;
	TPMT_SIGNATURE *signature;
	int result;
	struct assay_error err;
};

/**
 * struct tpm_signer - the signer
 * @owned_tpm: set if TPM and key go with it
 * @thread: the one that talks to the TPM
 * @lock: protects all below, and each request's @done
 * @work: signalled when there is something to do
 * @first, @last: the queue
 * @closing: no more will come
 * @refusal: once the TPM refused the password, what every later request is told: each try would
 *           count for the dictionary attack lockout
 */
struct tpm_signer {
	struct signer signer;
	struct tpm_key *key;
	struct tpm *owned_tpm;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct request *first, **last;
	bool closing;
	struct assay_error refusal;
};

/* Of the signer's thread alone. */
static int ask_to_sign(struct tpm_signer *self, struct request *request)
{
	const TPMT_TK_HASHCHECK no_ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
	const struct tpm_key *key = self->key;
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC rc;
	int r;

	if (self->refusal.code != 0) {
		request->err = self->refusal;
		return -request->err.code;
	}
	if (tpm_interrupted())
		return assay_fail(&request->err, EINTR, "interrupted before signing with %s",
				  key->what);
	r = tpm_key_authorize(key, &session, &request->err);
	if (r < 0)
		return r;
	rc = Esys_Sign(key->tpm->esys, key->handle, session, ESYS_TR_NONE, ESYS_TR_NONE,
		       &request->digest, &request->scheme, &no_ticket, &request->signature);
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	r = tpm_fail(key->tpm, &request->err, rc, "cannot sign with %s", key->what);
	if (tpm_auth_refused(rc))
		self->refusal = request->err;
	return r;
}

static void *serve_requests(void *argument)
{
	struct tpm_signer *self = argument;
	struct request *request;

	pthread_mutex_lock(&self->lock);
	for (;;) {
		while (!self->first && !self->closing)
			pthread_cond_wait(&self->work, &self->lock);
		request = self->first;
		if (!request)
			break;
		self->first = request->next;
		if (!self->first)
			self->last = &self->first;
		pthread_mutex_unlock(&self->lock);
		request->result = ask_to_sign(self, request);
		pthread_mutex_lock(&self->lock);
		request->done = true;
		pthread_cond_signal(&request->answered);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

static void queue_up(struct tpm_signer *self, struct request *request)
{
	pthread_cond_init(&request->answered, NULL);
	pthread_mutex_lock(&self->lock);
	*self->last = request;
	self->last = &request->next;
	pthread_cond_signal(&self->work);
	while (!request->done)
		pthread_cond_wait(&request->answered, &self->lock);
	pthread_mutex_unlock(&self->lock);
	pthread_cond_destroy(&request->answered);
}

/* A key with a scheme of its own signs what that takes, and nothing else. */
static int check_scheme(const struct tpm_key *key, const struct request *request,
			const struct assay_digest *digest, struct assay_error *err)
{
	const struct tpm_key_public *public = &key->public;

	if (public->scheme == 0)
		return 0;
	if (public->scheme != request->scheme.scheme)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s cannot sign: its scheme is fixed to another than %s, which is what the "
			"kernel verifies; make a key without a scheme ('assay key create' does)",
			key->what, public->rsa ? "RSASSA (PKCS#1 v1.5)" : "ECDSA");
	if (public->scheme_hash != digest->hash)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s cannot sign a %s digest: its scheme is fixed to %s; make a key without "
			"a scheme ('assay key create' does)",
			key->what, assay_hash_name(digest->hash),
			assay_hash_size(public->scheme_hash) ?
				assay_hash_name(public->scheme_hash) :
				"another hash");
	return 0;
}

static int signer_sign(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		       struct assay_error *err)
{
	struct tpm_signer *self = (struct tpm_signer *)signer;
	const struct tpm_key *key = self->key;
	struct request request = {
		.scheme.scheme = key->public.rsa ? TPM2_ALG_RSASSA : TPM2_ALG_ECDSA,
		.scheme.details.any.hashAlg = (TPM2_ALG_ID)digest->hash,
	};
	int r;

	if (digest->size == 0 || digest->size != assay_hash_size(digest->hash) ||
	    digest->size > sizeof(request.digest.buffer))
		return assay_fail(err, EINVAL, "cannot sign with %s: the digest is malformed",
				  key->what);
	r = check_scheme(key, &request, digest, err);
	if (r < 0)
		return r;
	request.digest.size = (UINT16)digest->size;
	memcpy(request.digest.buffer, digest->bytes, digest->size);
	queue_up(self, &request);
	if (request.result < 0) {
		if (err)
			*err = request.err;
		return request.result;
	}
	r = tpm_key_check_signature(key, request.signature, digest, out, err);
	Esys_Free(request.signature);
	return r;
}

static void close_signer(struct signer *signer)
{
	struct tpm_signer *self = (struct tpm_signer *)signer;

	pthread_mutex_lock(&self->lock);
	self->closing = true;
	pthread_cond_signal(&self->work);
	pthread_mutex_unlock(&self->lock);
	pthread_join(self->thread, NULL);
	pthread_cond_destroy(&self->work);
	pthread_mutex_destroy(&self->lock);
	if (self->owned_tpm) {
		tpm_key_unload(self->key);
		tpm_close(self->owned_tpm);
	}
	free(self);
}

/* Signals are for the threads of whoever uses us. */
static int start_thread(struct tpm_signer *self)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&self->thread, NULL, serve_requests, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

int tpm_key_signer(struct tpm_key *key, struct signer **ret, struct assay_error *err)
{
	struct tpm_signer *self;
	int code;

	if (tpm_key_attests(key))
		return assay_fail(
			err, EPERM,
			"%s is an attestation key: it signs quotes and nothing else; make a "
			"signing key with 'assay key create' without --restricted",
			key->what);
	self = calloc(1, sizeof(*self));
	if (!self)
		return assay_fail(err, ENOMEM, "cannot use %s: out of memory", key->what);
	self->signer = (struct signer){ .public_key = key->public.key,
					.hash = key->public.scheme_hash,
					.concurrent = true,
					.dear = true,
					.sign = signer_sign,
					.close = close_signer };
	self->key = key;
	self->last = &self->first;
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->work, NULL);
	code = start_thread(self);
	if (code != 0) {
		pthread_cond_destroy(&self->work);
		pthread_mutex_destroy(&self->lock);
		free(self);
		return assay_fail(err, code, "cannot use %s: no thread can be started: %s",
				  key->what, strerror(code));
	}
	*ret = &self->signer;
	return 0;
}

void tpm_key_signer_own(struct signer *signer)
{
	struct tpm_signer *self = (struct tpm_signer *)signer;

	self->owned_tpm = self->key->tpm;
}
