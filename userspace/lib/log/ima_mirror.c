// SPDX-License-Identifier: MIT
#include "log/ima_mirror.h"

#include "uapi/assay.h"

static void put_head(struct buffer *out, uint8_t type, size_t size)
{
	buffer_append_u8(out, type);
	buffer_append_be32(out, (uint32_t)size);
}

void ima_mirror_entry(const struct ima_frame *frame, enum assay_hash bank, struct buffer *out)
{
	size_t digest = assay_hash_size(bank);

	put_head(out, ASSAY_FIELD_IMA_PCR, sizeof(frame->pcr));
	buffer_append_be32(out, frame->pcr);
	put_head(out, ASSAY_FIELD_IMA_DIGEST, sizeof(uint16_t) + digest);
	buffer_append_be16(out, (uint16_t)bank);
	buffer_append(out, frame->template_digest, digest);
	put_head(out, ASSAY_FIELD_IMA_TEMPLATE, frame->name.size);
	buffer_append_bytes(out, frame->name);
	put_head(out, ASSAY_FIELD_IMA_DATA, frame->data.size);
	buffer_append_bytes(out, frame->data);
}
