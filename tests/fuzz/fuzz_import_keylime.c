// SPDX-License-Identifier: MIT
/* Fuzz target: what Keylime exchanges. What is imported, with a key, can be written as evidence. */
#define _GNU_SOURCE /* open_memstream() */
#include <assert.h>
#include <stdio.h>

#include "fuzz.h"
#include "import/keylime.h"

static void write_evidence(const struct evidence *evidence)
{
	struct evidence again = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	assert(evidence_write(stream, evidence, NULL) == 0);
	assert(fclose(stream) == 0);
	assert(evidence_parse(BYTES((uint8_t *)text, size), &again, NULL) == 0);
	evidence_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence evidence = { 0 };

	if (import_keylime(BYTES(data, size), NULL, &evidence, NULL) == 0 &&
	    (evidence.ak_public.size > 0 || evidence.ak_key.size > 0))
		write_evidence(&evidence);
	evidence_free(&evidence);
	return 0;
}
