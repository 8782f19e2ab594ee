/* SPDX-License-Identifier: MIT */
/*
 * in-toto statements in signed envelopes: what tools of supply chains exchange.
 *
 * A statement (https://in-toto.io/Statement/v1) says something, the predicate, of artifacts
 * that it names by their digests. The envelope is DSSE 1.0 (secure-systems-lab/dsse,
 * protocol.md): its signature covers
 *
 *	"DSSEv1 " LEN(type) " " type " " LEN(payload) " " payload
 *
 * so that it is none of a file ("FSVerity", 0x06) nor of a manifest ("assay-manifest-1"). It is
 * DER for ECDSA, with SHA-256, or what is as wide as the curve; PKCS#1 v1.5 for RSA.
 *
 * Pure but for the signer's own I/O; no TPM code.
 */
#ifndef ASSAY_SIGN_STATEMENT_H
#define ASSAY_SIGN_STATEMENT_H

#include "base/json.h"
#include "sign/certificate.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define STATEMENT_PAYLOAD_TYPE "application/vnd.in-toto+json"
/* Longest URI that is taken, in bytes. */
#define STATEMENT_URI_MAX 2048

/* statement_check_uri() - is it a URI as RFC 3986 has it, with a scheme? -EINVAL and why */
int statement_check_uri(const char *uri, struct assay_error *err);

/*
 * statement_artifact() - a ResourceDescriptor: {"name":...,"digest":{"sha256":"HEX"}}
 * @name: NULL: none
 *
 * Return: NULL without memory
 */
json_t *statement_artifact(const char *name, const struct assay_digest *digest);

/* struct statement_signer - who signs; @certificate's subject key id names the key */
struct statement_signer {
	struct signer *signer;
	X509 *certificate;
};

/*
 * statement_sign() - append the envelope of a statement to @out, with a newline
 * @subject: array of artifacts; @predicate: object. Both are taken over, NULL is -ENOMEM
 * @signers, @count: each adds a signature
 */
int statement_sign(json_t *subject, const char *predicate_type, json_t *predicate,
		   const struct statement_signer *signers, size_t count, struct buffer *out,
		   struct assay_error *err);

#endif /* ASSAY_SIGN_STATEMENT_H */
