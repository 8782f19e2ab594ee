// SPDX-License-Identifier: MIT
/* Fuzz target: a signed report of systemd. What is imported can be written as evidence. */
#define _GNU_SOURCE /* open_memstream() */
#include <assert.h>
#include <stdio.h>

#include "fuzz.h"
#include "import/systemd_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence evidence = { 0 };

	if (import_systemd_report(BYTES(data, size), NULL, &evidence, NULL) == 0) {
		char *text = NULL;
		size_t length = 0;
		FILE *stream = open_memstream(&text, &length);

		/* Without a PCR value it is none. */
		assert(stream &&
		       (evidence_write(stream, &evidence, NULL) == 0) == (evidence.pcr_count > 0));
		assert(fclose(stream) == 0);
		free(text);
	}
	evidence_free(&evidence);
	return 0;
}
