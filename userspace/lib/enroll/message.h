/* SPDX-License-Identifier: MIT */
/*
 * What device and verifier hand to each other to enrol a device, each one JSON object, and
 * what the verifier keeps meanwhile:
 *
 *	request	   device -> verifier	who it is, its two keys and the certificate of one
 *	challenge  verifier -> device	a secret, wrapped for these keys' TPM
 *	answer	   device -> verifier	the secret
 *	pending	   kept by the verifier	the request, and the secret's digest
 *
 * Parsing is strict, and says no more than that the members are there and are of the right
 * kind. Pure; no TPM stack.
 */
#ifndef ASSAY_ENROLL_MESSAGE_H
#define ASSAY_ENROLL_MESSAGE_H

#include <stdio.h>

#include "enroll/credential.h"
#include "verify/record.h"

#define ENROLL_MAX_SIZE (1U << 20)   /* bytes of one's JSON text */
#define ENROLL_MAX_VALUES 256	     /* of that: none has more than some twenty */
#define ENROLL_MAX_STRUCTURE 4096    /* bytes of one marshalled TPM structure */
#define ENROLL_MAX_CERTIFICATE 16384 /* bytes of the endorsement key's certificate */
#define ENROLL_MAX_CHAIN 65536	     /* bytes of the certificates between it and a root */
#define ENROLL_ID_SIZE 16	     /* bytes of what ties an answer to its challenge */

/**
 * struct enroll_request - @ek_public and @ak_public are TPM2B_PUBLIC
 * @ek_certificate: DER; size 0 where the device has none, and the verifier has to know the key
 * @ek_chain: certificates in DER, one after the other, that the TPM holds beside it; size 0 if
 *            there are none. Of a challenge that is open they are not kept
 * @ak_qualified_name: what the device says it is; size 0 if it says nothing
 */
struct enroll_request {
	char machine_id[RECORD_MAX_MACHINE_ID + 1];
	struct buffer ek_public;
	struct buffer ek_certificate;
	struct buffer ek_chain;
	struct buffer ak_public;
	struct buffer ak_qualified_name;
};

struct enroll_challenge {
	uint8_t id[ENROLL_ID_SIZE];
	struct credential credential;
};

struct enroll_answer {
	uint8_t id[ENROLL_ID_SIZE];
	uint8_t secret[CREDENTIAL_SECRET_SIZE];
};

/* struct enroll_pending - @secret: SHA-256 of it; @expires: seconds since 1970, UTC */
struct enroll_pending {
	uint8_t id[ENROLL_ID_SIZE];
	struct assay_digest secret;
	uint64_t expires;
	struct enroll_request request;
};

/* Each writes one, with a newline. Return: 0, -EINVAL for what is not complete, -ENOMEM, -EIO */
int enroll_request_write(FILE *stream, const struct enroll_request *request,
			 struct assay_error *err);
int enroll_challenge_write(FILE *stream, const struct enroll_challenge *challenge,
			   struct assay_error *err);
int enroll_answer_write(FILE *stream, const struct enroll_answer *answer, struct assay_error *err);
int enroll_pending_write(FILE *stream, const struct enroll_pending *pending,
			 struct assay_error *err);

/* Each reads one. Return: 0, -EBADMSG with the rule that broke, -EFBIG, -ENOMEM */
int enroll_request_parse(struct bytes text, struct enroll_request *ret, struct assay_error *err);
int enroll_challenge_parse(struct bytes text, struct enroll_challenge *ret,
			   struct assay_error *err);
int enroll_answer_parse(struct bytes text, struct enroll_answer *ret, struct assay_error *err);
int enroll_pending_parse(struct bytes text, struct enroll_pending *ret, struct assay_error *err);

void enroll_request_free(struct enroll_request *request);
void enroll_challenge_free(struct enroll_challenge *challenge);
void enroll_pending_free(struct enroll_pending *pending);

#endif /* ASSAY_ENROLL_MESSAGE_H */
