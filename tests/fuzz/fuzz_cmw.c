// SPDX-License-Identifier: MIT
/* Fuzz target: a conceptual message wrapper. What comes out is written and read again. */
#include <assert.h>

#include "fuzz.h"
#include "report/cmw.h"

typedef void write_record(const struct cmw *message, struct buffer *out);

static void again(struct bytes content, write_record *write)
{
	const struct cmw message = { .type = CMW_TYPE_EVIDENCE,
				     .value = content,
				     .indicator = CMW_EVIDENCE };
	struct buffer text = { 0 }, back = { 0 };

	write(&message, &text);
	assert(!text.failed && cmw_is_wrapped(buffer_bytes(&text)));
	assert(cmw_read_evidence(buffer_bytes(&text), &back, NULL) == 0);
	assert(bytes_equal(buffer_bytes(&back), content));
	buffer_free(&text);
	buffer_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = { 0 };

	if (cmw_read_evidence(BYTES(data, size), &out, NULL) == 0) {
		again(buffer_bytes(&out), cmw_write_record);
		again(buffer_bytes(&out), cmw_write_cbor_record);
	}
	buffer_free(&out);
	return 0;
}
