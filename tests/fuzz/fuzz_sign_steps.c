// SPDX-License-Identifier: MIT
/*
 * What comes back from who signs elsewhere: the list of what was to be signed, files of
 * signatures, and one signature in any form.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "sign/prepared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static int measure(void *context, const struct assay_digest *digest, struct bytes signature,
		   struct assay_error *err)
{
	(void)err;
	require(signatures_have(context, digest));
	require(signature.size > 0 && signature.size <= SIGNATURES_ONE_MAX);
	return 0;
}

static void match_all(struct prepared *prepared)
{
	const struct prepared_file *file = NULL;
	size_t gone = 0;

	while (prepared_match(prepared, NULL, &file) == PREPARED_GONE)
		gone += file->path[0] == '/';
	require(gone == prepared->count);
	prepared->next = 0;
	for (size_t i = 0; i < prepared->count; i++)
		require(prepared_match(prepared, prepared->files[i].path, &file) == PREPARED_SAME);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static EVP_PKEY *key;
	const struct assay_digest only = { ASSAY_HASH_SHA256, 32, { 1 } };
	struct bytes text = BYTES(data, size);
	struct signatures *signatures = NULL;
	struct prepared *prepared;
	struct buffer out = { 0 };
	struct assay_error err;

	if (!key)
		key = EVP_EC_gen("P-256");
	require(key && signatures_new(&signatures, &err) == 0);
	if (prepared_parse(text, "p", signatures, &prepared, &err) == 0) {
		match_all(prepared);
		prepared_free(prepared);
	}
	(void)signatures_read(signatures, text, "s", NULL, &err);
	(void)signatures_read(signatures, text, "s", &only, &err);
	require(signatures_each(signatures, measure, signatures, &err) == 0);
	signatures_free(signatures);
	/* Nobody made a signature with that key. */
	require(signature_settle(key, ASSAY_HASH_SHA256, text, text, &out, &err) < 0);
	require(out.size == 0);
	buffer_free(&out);
	return 0;
}
