// SPDX-License-Identifier: MIT
#include "import/keylime_quote.h"

#include <errno.h>
#include <string.h>

#include "base/inflate.h"
#include "import/pcr_file.h"

#define PARTS 3

/* A part as it is, or what was compressed. */
static int plain(struct bytes part, struct buffer *room, struct bytes *ret, struct assay_error *err)
{
	int r;

	*ret = part;
	if (!inflate_is(part))
		return 0;
	r = inflate_bytes(part, PCR_FILE_MAX_SIZE, room, err);
	if (r == -EFBIG && err)
		err->code = EBADMSG;
	*ret = buffer_bytes(room);
	return r < 0 ? assay_fail_context(err, "a compressed part of Keylime's quote") : 0;
}

int keylime_quote_parts(struct bytes attest, struct bytes signature, struct bytes pcrs,
			struct evidence *evidence, struct assay_error *err)
{
	static const struct import_scheme unknown = { 0 };
	struct buffer rooms[PARTS] = { 0 };
	struct tpm_attest parsed = { 0 };
	int r = plain(attest, &rooms[0], &attest, err);

	if (r == 0)
		r = plain(signature, &rooms[1], &signature, err);
	if (r == 0)
		r = plain(pcrs, &rooms[2], &pcrs, err);
	if (r == 0)
		r = import_attest(attest, evidence, &parsed, err);
	if (r == 0)
		r = import_signature(signature, &unknown, NULL, evidence, err);
	if (r == 0)
		r = pcr_file_read(pcrs, &parsed, evidence, err);
	for (size_t i = 0; i < PARTS; i++)
		buffer_free(&rooms[i]);
	return r;
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
