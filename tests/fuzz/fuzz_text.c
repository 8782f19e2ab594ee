// SPDX-License-Identifier: MIT
/* The encodings of lib/base: hex, base64, escaped text, JSON; and "sha256:HEX". */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "verity/verity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What is taken is the one encoding of what it stands for. */
static void try_base64(const char *text, size_t length)
{
	struct buffer out = { 0 };

	if (base64_decode(text, length, &out) == 0) {
		char *again = base64_encode(buffer_bytes(&out));

		require(again && strlen(again) == length && memcmp(again, text, length) == 0);
		free(again);
	}
	buffer_free(&out);
}

static void try_hex(const char *text)
{
	uint8_t bytes[32];
	char again[2 * sizeof(bytes) + 1];
	size_t size;

	if (hex_decode(text, bytes, sizeof(bytes), &size) == 0) {
		hex_encode(BYTES(bytes, size), again);
		require(strcasecmp(again, text) == 0);
	}
}

static void try_digest(const char *text)
{
	struct assay_digest digest;
	char again[ASSAY_DIGEST_TEXT_MAX];

	if (verity_digest_parse(text, &digest) == 0)
		require(strcasecmp(assay_digest_text(&digest, again), text) == 0);
}

/* Escaped text is printable UTF-8 that fits, so JSON takes it as it is. */
static void try_escape(struct bytes bytes)
{
	for (size_t capacity = 1; capacity < 64; capacity += 7) {
		char *text = malloc(capacity);
		json_t *value;

		require(text != NULL);
		text_escape(bytes, text, capacity);
		require(strlen(text) < capacity);
		for (const char *at = text; *at; at++)
			require((uint8_t)*at >= 0x20 && *at != 0x7f);
		value = json_string(text);
		require(value != NULL);
		json_decref(value);
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct assay_error err;
	json_t *value;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_base64(text, size);
	try_hex(text);
	try_digest(text);
	try_escape(BYTES(data, size));
	if (json_parse(BYTES(data, size), "it", &value, &err) == 0)
		json_decref(value);
	free(text);
	return 0;
}
