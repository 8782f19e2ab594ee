// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the files of tpm2-tools, one behind the other, each with its size (16 bits,
 * big-endian) in front. What is imported can be written as evidence, and its PCR values come back
 * from the form that they are exported in.
 */
#define _GNU_SOURCE /* open_memstream() */
#include <assert.h>
#include <stdio.h>

#include "fuzz.h"
#include "import/pcr_file.h"
#include "import/tpm2_tools.h"

static struct bytes take_file(struct bytes *in)
{
	struct bytes file;
	uint16_t size;

	if (!bytes_take_be16(in, &size) || !bytes_take(in, size, &file))
		return BYTES(in->data, 0);
	return file;
}

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

static void read_again(const struct evidence *evidence)
{
	struct evidence again = { 0 };
	struct buffer pcrs = { 0 };
	struct tpm_attest attest;

	assert(tpm_attest_parse(buffer_bytes(&evidence->attest), &attest, NULL) == 0);
	if (pcr_file_write(evidence, &pcrs, NULL) == 0) {
		size_t count = evidence->pcr_count;

		/* Values of PCRs that the quote does not select are not exported. */
		assert(pcr_file_read(buffer_bytes(&pcrs), &attest, &again, NULL) < 0 ||
		       again.pcr_count <= count);
	}
	buffer_free(&pcrs);
	evidence_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct import_scheme scheme = { 0 };
	struct tpm2_tools_files files;
	struct evidence evidence = { 0 };

	files.message = take_file(&in);
	files.signature = take_file(&in);
	files.pcrs = take_file(&in);
	files.ak = take_file(&in);
	if (import_tpm2_tools(&files, &scheme, NULL, &evidence, NULL) == 0) {
		write_evidence(&evidence);
		read_again(&evidence);
	}
	evidence_free(&evidence);
	return 0;
}
