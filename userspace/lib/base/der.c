// SPDX-License-Identifier: MIT
#include "base/der.h"

#define TAG_SEQUENCE 0x30
#define LENGTH_LONG 0x80 /* the other bits say how many bytes of length follow */

bool der_take_sequence(struct bytes *in, struct bytes *ret)
{
	struct bytes rest = *in;
	uint8_t tag, length, high = 0, low;
	size_t size;

	if (!bytes_take_u8(&rest, &tag) || tag != TAG_SEQUENCE || !bytes_take_u8(&rest, &length))
		return false;
	if (length < LENGTH_LONG) {
		size = length;
	} else {
		if (length != (LENGTH_LONG | 1) && length != (LENGTH_LONG | 2))
			return false;
		if (length == (LENGTH_LONG | 2) && !bytes_take_u8(&rest, &high))
			return false;
		if (!bytes_take_u8(&rest, &low))
			return false;
		size = (size_t)high << 8 | low;
	}
	return bytes_take(in, (size_t)(rest.data - in->data) + size, ret);
}

bool der_is_padding(struct bytes bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		if (bytes.data[i] != bytes.data[0])
			return false;
	return bytes.size == 0 || bytes.data[0] == 0x00 || bytes.data[0] == 0xff;
}
