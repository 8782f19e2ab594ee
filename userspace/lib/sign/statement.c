// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/statement.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sign/signature.h"

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot write a statement: out of memory");
}

int statement_check_uri(const char *uri, struct assay_error *err)
{
	static const char unreserved[] = "-._~:/?#[]@!$&'()*+,;=%";
	const char *colon = strchr(uri, ':');
	bool good = colon && colon > uri && isalpha((unsigned char)uri[0]) && colon[1] != '\0' &&
		    strlen(uri) <= STATEMENT_URI_MAX;

	for (const char *at = uri; good && at < colon; at++)
		good = isalnum((unsigned char)*at) || *at == '+' || *at == '-' || *at == '.';
	for (const char *at = uri; good && *at; at++)
		good = isalnum((unsigned char)*at) || strchr(unreserved, *at);
	if (good)
		return 0;
	return assay_fail(err, EINVAL, "must be a URI such as https://example.com/builder");
}

json_t *statement_artifact(const char *name, const struct assay_digest *digest)
{
	json_t *set = json_object(), *artifact = json_object();

	json_object_set_new(set, assay_hash_name(digest->hash),
			    json_hex(BYTES(digest->bytes, digest->size)));
	if (name)
		json_object_set_new(artifact, "name",
				    json_escaped(BYTES((const uint8_t *)name, strlen(name))));
	if (json_object_set_new(artifact, "digest", set) == 0 && json_object_size(set) == 1)
		return artifact;
	json_decref(artifact);
	return NULL;
}

/* What is signed: PAE() of DSSE. */
static void encode(struct bytes payload, struct buffer *out)
{
	char text[160];
	int size = snprintf(text, sizeof(text), "DSSEv1 %zu %s %zu ",
			    strlen(STATEMENT_PAYLOAD_TYPE), STATEMENT_PAYLOAD_TYPE, payload.size);

	buffer_append(out, text, (size_t)size);
	buffer_append_bytes(out, payload);
}

/* What a key signs with, as others expect it of its size. */
static enum assay_hash hash_of(const struct signer *signer)
{
	int bits = EVP_PKEY_get_bits(signer->public_key);

	if (signer->hash != ASSAY_HASH_NONE)
		return signer->hash;
	if (EVP_PKEY_get_base_id(signer->public_key) != EVP_PKEY_EC)
		return ASSAY_HASH_SHA256;
	return bits > 384 ? ASSAY_HASH_SHA512 : bits > 256 ? ASSAY_HASH_SHA384 : ASSAY_HASH_SHA256;
}

static int add_signature(const struct statement_signer *by, struct bytes message,
			 json_t *signatures, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };
	struct bytes key_id;
	int r = certificate_key_id(by->certificate, &key_id, err);

	if (r == 0)
		r = signature_make(by->signer, hash_of(by->signer), message, &signature, err);
	if (r < 0)
		return r;
	return json_array_append_new(signatures,
				     json_pack("{s:o, s:o}", "keyid", json_hex(key_id), "sig",
					       json_base64(buffer_bytes(&signature)))) == 0 ?
		       0 :
		       out_of_memory(err);
}

static int sign_payload(struct bytes payload, const struct statement_signer *signers, size_t count,
			struct buffer *out, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *envelope = NULL;
	CLEANUP(buffer_free) struct buffer message = { 0 };
	CLEANUP(free_pointer) char *text = NULL;
	json_t *signatures = json_array();
	int r = 0;

	envelope = json_pack("{s:o, s:s, s:o}", "payload", json_base64(payload), "payloadType",
			     STATEMENT_PAYLOAD_TYPE, "signatures", signatures);
	encode(payload, &message);
	if (!envelope || message.failed)
		return out_of_memory(err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_signature(&signers[i], buffer_bytes(&message), signatures, err);
	if (r < 0)
		return r;
	text = json_dumps(envelope, JSON_COMPACT);
	if (text) {
		buffer_append(out, text, strlen(text));
		buffer_append_u8(out, '\n');
	}
	return text && !out->failed ? 0 : out_of_memory(err);
}

int statement_sign(json_t *subject, const char *predicate_type, json_t *predicate,
		   const struct statement_signer *signers, size_t count, struct buffer *out,
		   struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *statement = NULL;
	CLEANUP(free_pointer) char *payload = NULL;

	statement = json_pack("{s:s, s:o, s:s, s:o}", "_type", STATEMENT_TYPE, "subject", subject,
			      "predicateType", predicate_type, "predicate", predicate);
	payload = statement ? json_dumps(statement, JSON_COMPACT) : NULL;
	if (!payload)
		return out_of_memory(err);
	return sign_payload(BYTES((const uint8_t *)payload, strlen(payload)), signers, count, out,
			    err);
}
