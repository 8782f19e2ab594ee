// SPDX-License-Identifier: MIT
#include "import/protobuf.h"

#include <errno.h>

#define VARINT_BITS 7
#define VARINT_MAX_SHIFT 63 /* of the last byte of 64 bits */

static bool take_varint(struct bytes *in, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift <= VARINT_MAX_SHIFT; shift += VARINT_BITS) {
		uint8_t byte;

		if (!bytes_take_u8(in, &byte) || (shift == VARINT_MAX_SHIFT && byte > 1))
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static bool take_value(struct bytes *in, struct protobuf_field *field)
{
	uint64_t size;

	switch (field->type) {
	case PROTOBUF_VARINT:
		return take_varint(in, &field->value);
	case PROTOBUF_FIXED64:
		return bytes_take(in, sizeof(uint64_t), &field->bytes);
	case PROTOBUF_FIXED32:
		return bytes_take(in, sizeof(uint32_t), &field->bytes);
	case PROTOBUF_BYTES:
		return take_varint(in, &size) && size <= in->size &&
		       bytes_take(in, (size_t)size, &field->bytes);
	}
	return false;
}

int protobuf_next(struct bytes *message, struct protobuf_field *ret, struct assay_error *err)
{
	struct protobuf_field field = { 0 };
	uint64_t tag;

	if (message->size == 0)
		return 0;
	if (!take_varint(message, &tag) || tag >> 3 == 0 || tag >> 3 > (UINT32_MAX >> 3))
		return assay_fail(err, EBADMSG, "a field has no valid number");
	field.number = (uint32_t)(tag >> 3);
	field.type = (enum protobuf_type)(tag & 7);
	if (!take_value(message, &field))
		return assay_fail(err, EBADMSG, "field %u is cut, or of a type that is not known",
				  field.number);
	*ret = field;
	return 1;
}
