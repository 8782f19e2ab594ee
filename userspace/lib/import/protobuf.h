/* SPDX-License-Identifier: MIT */
/*
 * The wire format of protocol buffers (protobuf.dev, "Encoding"), field by field: for messages of
 * a few known fields, of which every other one is to be told. Hostile bytes; nothing is copied.
 */
#ifndef ASSAY_IMPORT_PROTOBUF_H
#define ASSAY_IMPORT_PROTOBUF_H

#include "base/bytes.h"

enum protobuf_type {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2, /* strings and messages as well */
	PROTOBUF_FIXED32 = 5,
};

/**
 * struct protobuf_field - a field of a message
 * @number: from 1 on
 * @value: of PROTOBUF_VARINT
 * @bytes: of PROTOBUF_BYTES
 */
struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;
	struct bytes bytes;
};

/*
 * protobuf_next() - take the next field off the front of a message
 * Return: 1; 0 at the end; -EBADMSG for bytes that are no field, groups included
 */
int protobuf_next(struct bytes *message, struct protobuf_field *ret, struct assay_error *err);

#endif /* ASSAY_IMPORT_PROTOBUF_H */
