// SPDX-License-Identifier: MIT
#include "import/keylime_quote.h"

#include <errno.h>
#include <string.h>

#include "import/pcr_file.h"

#define PARTS 3

/* A zlib stream's header (RFC 1950, section 2.2), which no part has that is not compressed. */
static bool is_compressed(struct bytes part)
{
	return part.size > 2 && part.data[0] == 0x78 &&
	       (part.data[0] << 8 | part.data[1]) % 31 == 0;
}

int keylime_quote_parts(struct bytes attest, struct bytes signature, struct bytes pcrs,
			struct evidence *evidence, struct assay_error *err)
{
	static const struct import_scheme unknown = { 0 };
	struct tpm_attest parsed = { 0 };
	int r;

	if (is_compressed(attest))
		return assay_fail(err, EBADMSG,
				  "the parts of Keylime's quote are compressed with zlib, which "
				  "is not undone here: have the agent quote without it");
	r = import_attest(attest, evidence, &parsed, err);
	if (r == 0)
		r = import_signature(signature, &unknown, NULL, evidence, err);
	return r < 0 ? r : pcr_file_read(pcrs, &parsed, evidence, err);
}

static int decode(struct bytes text, struct buffer parts[PARTS], struct assay_error *err)
{
	for (size_t i = 0; i < PARTS; i++) {
		const uint8_t *end = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;
		size_t size = end ? (size_t)(end - text.data) : text.size;

		if ((end != NULL) != (i + 1 < PARTS))
			return assay_fail(err, EBADMSG,
					  "Keylime's quote has not three parts with ':' between "
					  "them");
		if (base64_decode((const char *)text.data, size, &parts[i]) < 0)
			return assay_fail(err, EBADMSG, "part %zu of Keylime's quote is no base64",
					  i + 1);
		text = end ? BYTES(end + 1, text.size - size - 1) : BYTES(text.data, 0);
	}
	return 0;
}

int keylime_quote_read(struct bytes text, struct evidence *evidence, struct assay_error *err)
{
	struct buffer parts[PARTS] = { 0 };
	int r;

	if (text.size == 0 || text.data[0] != KEYLIME_QUOTE_MARK)
		return assay_fail(err, EBADMSG, "Keylime's quote does not begin with 'r'");
	r = decode(BYTES(text.data + 1, text.size - 1), parts, err);
	if (r == 0)
		r = keylime_quote_parts(buffer_bytes(&parts[0]), buffer_bytes(&parts[1]),
					buffer_bytes(&parts[2]), evidence, err);
	for (size_t i = 0; i < PARTS; i++)
		buffer_free(&parts[i]);
	return r;
}
