// SPDX-License-Identifier: MIT
/*
 * The manifest's reader: from memory and from a stream alike, and what it takes is written
 * out again, taken again, and found. The form of line that is written, which has a parser of its
 * own, is taken as the same line in another form is.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sign/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct context {
	struct buffer out;
	bool header_written;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static int write_again(void *context, const struct manifest_header *header,
		       const struct manifest_entry *entry, struct assay_error *err)
{
	struct context *again = context;

	if (!again->header_written)
		require(manifest_append_header(header, &again->out, err) == 0);
	again->header_written = true;
	require(manifest_append_entry(entry, &again->out, err) == 0);
	return 0;
}

/* With a blank before each line, which is nothing to JSON, and is not how a line is written. */
static void read_spaced(struct bytes text, int expected, const struct buffer *expected_out)
{
	struct context again = { 0 };
	struct assay_error err = { 0 };
	struct buffer spaced = { 0 };

	for (size_t i = 0; i < text.size; i++) {
		if (i == 0 || text.data[i - 1] == '\n')
			buffer_append_u8(&spaced, ' ');
		buffer_append_u8(&spaced, text.data[i]);
	}
	require(manifest_read_bytes(buffer_bytes(&spaced), "m", write_again, &again, NULL, &err) ==
		expected);
	require(bytes_equal(buffer_bytes(&again.out), buffer_bytes(expected_out)));
	buffer_free(&again.out);
	buffer_free(&spaced);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	struct context again = { 0 };
	struct assay_error err = { 0 }, stream_err = { 0 };
	struct manifest *manifest;
	FILE *stream;
	int r;

	r = manifest_read_bytes(text, "m", write_again, &again, NULL, &err);
	if (size > 0) {
		stream = fmemopen((void *)data, size, "r");
		require(stream != NULL);
		require(manifest_read(stream, "m", NULL, NULL, NULL, &stream_err) == r);
		require(strcmp(err.text, stream_err.text) == 0);
		fclose(stream);
	}
	/* No line becomes too long. */
	if (size < MANIFEST_LINE_MAX - 1)
		read_spaced(text, r, &again.out);
	if (r == 0 && again.header_written) {
		require(manifest_parse(buffer_bytes(&again.out), "m", &manifest, &err) == 0);
		for (size_t i = 0; i < manifest->count; i++)
			require(manifest_find(manifest, manifest->files[i].path) ==
				&manifest->files[i]);
		manifest_free(manifest);
	}
	buffer_free(&again.out);
	return 0;
}
