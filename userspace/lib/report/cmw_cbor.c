// SPDX-License-Identifier: MIT
/* CMWs as CBOR (RFC 8949). Item by item: nothing is allocated for what the bytes only announce. */
#include <cbor.h>
#include <errno.h>
#include <string.h>

#include "report/cmw_internal.h"

/* Tags that stand for CoAP's content formats 0 to 65024 (RFC 9277, appendix B). */
#define FIRST_FORMAT_TAG UINT64_C(1668546817)
#define LAST_FORMAT_TAG UINT64_C(1668612095)

/* ---------------------------------------------------------------- writing */

/* The longest head of an item is of 9 bytes. */
#define HEAD_MAX 9

typedef size_t encode_head(size_t size, unsigned char *buffer, size_t capacity);

static void add_head(encode_head *encode, size_t size, struct buffer *out)
{
	unsigned char head[HEAD_MAX];

	buffer_append(out, head, encode(size, head, sizeof(head)));
}

static void add_text(const char *text, struct buffer *out)
{
	add_head(cbor_encode_string_start, strlen(text), out);
	buffer_append(out, text, strlen(text));
}

void cmw_write_cbor_record(const struct cmw *message, struct buffer *out)
{
	unsigned char indicator[HEAD_MAX];

	add_head(cbor_encode_array_start, 3, out);
	add_text(message->type, out);
	add_head(cbor_encode_bytestring_start, message->value.size, out);
	buffer_append_bytes(out, message->value);
	buffer_append(out, indicator,
		      cbor_encode_uint(message->indicator, indicator, sizeof(indicator)));
}

void cmw_write_cbor_collection(const struct cmw *messages, size_t count, struct buffer *out)
{
	add_head(cbor_encode_map_start, count, out);
	for (size_t i = 0; i < count; i++) {
		add_text(messages[i].label, out);
		cmw_write_cbor_record(&messages[i], out);
	}
}

/* ---------------------------------------------------------------- items */

enum kind { OTHER, NUMBER, NEGATIVE, BINARY, TEXT, ARRAY, MAP, OPEN_MAP, TAG, BREAK };

/**
 * struct item - one item, of an array or a map its head
 * @number: NUMBER and TAG: it; ARRAY and MAP: how many follow
 * @bytes: BINARY and TEXT: what is in there
 * @encoded: all its bytes
 */
struct item {
	enum kind kind;
	uint64_t number;
	struct bytes bytes, encoded;
};

static void set(void *context, enum kind kind, uint64_t number)
{
	struct item *item = context;

	item->kind = kind;
	item->number = number;
}

static void set_u8(void *context, uint8_t value)
{
	set(context, NUMBER, value);
}

static void set_u16(void *context, uint16_t value)
{
	set(context, NUMBER, value);
}

static void set_u32(void *context, uint32_t value)
{
	set(context, NUMBER, value);
}

static void set_u64(void *context, uint64_t value)
{
	set(context, NUMBER, value);
}

static void set_negative_u8(void *context, uint8_t value)
{
	set(context, NEGATIVE, value);
}

static void set_negative_u16(void *context, uint16_t value)
{
	set(context, NEGATIVE, value);
}

static void set_negative_u32(void *context, uint32_t value)
{
	set(context, NEGATIVE, value);
}

static void set_negative_u64(void *context, uint64_t value)
{
	set(context, NEGATIVE, value);
}

static void set_binary(void *context, cbor_data data, size_t size)
{
	set(context, BINARY, 0);
	((struct item *)context)->bytes = BYTES(data, size);
}

static void set_text(void *context, cbor_data data, size_t size)
{
	set(context, TEXT, 0);
	((struct item *)context)->bytes = BYTES(data, size);
}

static void set_array(void *context, size_t count)
{
	set(context, ARRAY, count);
}

static void set_map(void *context, size_t count)
{
	set(context, MAP, count);
}

static void set_open_map(void *context)
{
	set(context, OPEN_MAP, 0);
}

static void set_tag(void *context, uint64_t tag)
{
	set(context, TAG, tag);
}

static void set_break(void *context)
{
	set(context, BREAK, 0);
}

static int take_item(struct bytes *in, struct item *ret, struct assay_error *err)
{
	struct cbor_callbacks callbacks = cbor_empty_callbacks;
	struct cbor_decoder_result result;

	callbacks.uint8 = set_u8;
	callbacks.uint16 = set_u16;
	callbacks.uint32 = set_u32;
	callbacks.uint64 = set_u64;
	callbacks.negint8 = set_negative_u8;
	callbacks.negint16 = set_negative_u16;
	callbacks.negint32 = set_negative_u32;
	callbacks.negint64 = set_negative_u64;
	callbacks.byte_string = set_binary;
	callbacks.string = set_text;
	callbacks.array_start = set_array;
	callbacks.map_start = set_map;
	callbacks.indef_map_start = set_open_map;
	callbacks.tag = set_tag;
	callbacks.indef_break = set_break;
	*ret = (struct item){ .kind = OTHER };
	result = cbor_stream_decode(in->data, in->size, &callbacks, ret);
	if (result.status == CBOR_DECODER_NEDATA)
		return assay_fail(err, EBADMSG, CMW_WHAT " ends within an item of its CBOR");
	if (result.status != CBOR_DECODER_FINISHED || !bytes_take(in, result.read, &ret->encoded))
		return assay_fail(err, EBADMSG, CMW_WHAT " is not CBOR");
	return 0;
}

/* ---------------------------------------------------------------- messages */

static int fail_record(struct assay_error *err)
{
	return assay_fail(err, EBADMSG,
			  CMW_WHAT ": a record is a type, a value in bytes and maybe an "
				   "indicator");
}

static int read_record(struct bytes *in, uint64_t count, struct cmw_search *search,
		       struct assay_error *err)
{
	struct item type, value, indicator = { .kind = NUMBER };
	bool wanted;
	int r;

	if (count < 2 || count > 3)
		return fail_record(err);
	r = take_item(in, &type, err);
	if (r == 0)
		r = take_item(in, &value, err);
	if (r == 0 && count == 3)
		r = take_item(in, &indicator, err);
	if (r < 0)
		return r;
	if ((type.kind != TEXT && type.kind != NUMBER) || value.kind != BINARY ||
	    indicator.kind != NUMBER)
		return fail_record(err);
	/* Evidence of this program has no number as a content format. */
	r = cmw_see(search, type.bytes, &wanted, err);
	if (r == 0 && wanted)
		buffer_append_bytes(search->out, value.bytes);
	return r;
}

static int read_tagged(struct bytes *in, uint64_t tag, struct cmw_search *search,
		       struct assay_error *err)
{
	struct item value;
	bool wanted;
	int r;

	if (tag < FIRST_FORMAT_TAG || tag > LAST_FORMAT_TAG)
		return assay_fail(err, EBADMSG,
				  CMW_WHAT " has the CBOR tag %llu, which is that of no content "
					   "format",
				  (unsigned long long)tag);
	r = take_item(in, &value, err);
	if (r == 0 && value.kind != BINARY)
		r = assay_fail(err, EBADMSG, CMW_WHAT ": what is tagged is no byte string");
	return r < 0 ? r : cmw_see(search, BYTES(NULL, 0), &wanted, err);
}

/* Labels of one collection, each as it is encoded. */
struct labels {
	struct bytes list[CMW_MAX_MESSAGES + 1];
	size_t count;
};

static int add_label(const struct item *label, struct labels *labels, struct assay_error *err)
{
	if (label->kind != TEXT && label->kind != NUMBER && label->kind != NEGATIVE)
		return assay_fail(err, EBADMSG,
				  CMW_WHAT " has a label that is no text and no "
					   "integer");
	for (size_t i = 0; i < labels->count; i++)
		if (bytes_equal(labels->list[i], label->encoded))
			return assay_fail(err, EBADMSG, CMW_WHAT " has a label twice");
	if (labels->count == sizeof(labels->list) / sizeof(labels->list[0]))
		return assay_fail(err, E2BIG, CMW_WHAT " has more than %d messages",
				  CMW_MAX_MESSAGES);
	labels->list[labels->count++] = label->encoded;
	return 0;
}

static int read_message(struct bytes *in, unsigned int depth, struct cmw_search *search,
			struct assay_error *err);

static int read_member(struct bytes *in, const struct item *label, unsigned int depth,
		       struct cmw_search *search, struct assay_error *err)
{
	struct item type;
	int r;

	if (label->kind != TEXT || !bytes_equal(label->bytes, BYTES_LITERAL(CMW_COLLECTION_TYPE)))
		return read_message(in, depth + 1, search, err);
	r = take_item(in, &type, err);
	return r == 0 && type.kind != TEXT ?
		       assay_fail(err, EBADMSG,
				  CMW_WHAT ": \"" CMW_COLLECTION_TYPE "\" is no text") :
		       r;
}

static int read_collection(struct bytes *in, const struct item *head, unsigned int depth,
			   struct cmw_search *search, struct assay_error *err)
{
	struct labels labels = { .count = 0 };

	if (depth == CMW_MAX_DEPTH)
		return assay_fail(err, E2BIG, CMW_WHAT " has collections more than %d deep",
				  CMW_MAX_DEPTH);
	for (uint64_t i = 0; head->kind == OPEN_MAP || i < head->number; i++) {
		struct item label;
		int r = take_item(in, &label, err);

		if (r == 0 && head->kind == OPEN_MAP && label.kind == BREAK)
			return 0;
		if (r == 0)
			r = add_label(&label, &labels, err);
		if (r == 0)
			r = read_member(in, &label, depth, search, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_message(struct bytes *in, unsigned int depth, struct cmw_search *search,
			struct assay_error *err)
{
	struct item item;
	int r = take_item(in, &item, err);

	if (r < 0)
		return r;
	switch (item.kind) {
	case ARRAY:
		return read_record(in, item.number, search, err);
	case TAG:
		return read_tagged(in, item.number, search, err);
	case MAP:
	case OPEN_MAP:
		return read_collection(in, &item, depth, search, err);
	default:
		return assay_fail(err, EBADMSG,
				  CMW_WHAT " has something that is no record and no "
					   "collection");
	}
}

int cmw_read_cbor(struct bytes in, struct cmw_search *search, struct assay_error *err)
{
	int r = read_message(&in, 0, search, err);

	return r == 0 && in.size > 0 ?
		       assay_fail(err, EBADMSG, CMW_WHAT " has %zu bytes behind it", in.size) :
		       r;
}
