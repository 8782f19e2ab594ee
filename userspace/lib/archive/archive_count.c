// SPDX-License-Identifier: MIT
#include "archive/archive_count.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/ima.h"
#include "uapi/assay.h"

/* CEL-TLV: type and length of a TLV; RECNUM, PCR, DIGESTS and content are one record. */
#define TLV_FRONT 5
#define RECNUM_FRONT (TLV_FRONT + 8)
#define TLVS 4
/* Template "ima" has a digest of SHA-1 in front of its last length. */
#define IMA_TEMPLATE "ima"
#define IMA_TEMPLATE_DIGEST 20

static void begin_item(struct archive_counter *counter)
{
	counter->used = 0;
	counter->tlvs = 0;
	counter->wanted = counter->stream == ARCHIVE_IMA ? 4 + counter->digest_size + 4 : TLV_FRONT;
}

void archive_count_begin(struct archive_counter *counter, enum archive_stream stream,
			 enum assay_hash bank, uint64_t first)
{
	*counter = (struct archive_counter){
		.stream = stream,
		.digest_size = assay_hash_size(bank),
		.next = first,
	};
	begin_item(counter);
}

bool archive_count_whole(const struct archive_counter *counter)
{
	return counter->used == 0 && counter->skip == 0 && counter->tlvs == 0;
}

static int no_item(const struct archive_counter *counter, const char *what, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "where %s %" PRIu64 " is due: %s",
			  archive_stream_unit(counter->stream), counter->next, what);
}

/* A TLV's front is there. */
static int judge_tlv(struct archive_counter *counter, struct assay_error *err)
{
	struct bytes front = BYTES(counter->front, counter->used);
	uint32_t length = 0;
	uint64_t recnum;
	uint8_t type = 0;

	bytes_take_u8(&front, &type);
	bytes_take_be32(&front, &length);
	if ((counter->tlvs == 0) != (type == ASSAY_CEL_RECNUM))
		return no_item(counter, "there is another field of a record", err);
	if (type != ASSAY_CEL_RECNUM) {
		counter->skip = length;
	} else if (length != sizeof(recnum)) {
		return no_item(counter, "its number is not of eight bytes", err);
	} else if (counter->used < RECNUM_FRONT) {
		counter->wanted = RECNUM_FRONT;
		return 0;
	} else if (!bytes_take_be64(&front, &recnum) || recnum != counter->next) {
		return no_item(counter, "there is another", err);
	}
	counter->tlvs++;
	counter->used = 0;
	counter->wanted = TLV_FRONT;
	return 0;
}

/* The PCR, template digest and length of the name are there, or the name and a length as well. */
static int judge_entry(struct archive_counter *counter, struct assay_error *err)
{
	struct bytes front = BYTES(counter->front, counter->used), name, ignored;
	uint32_t length = 0;
	size_t due;
	bool old;

	bytes_take(&front, 4 + counter->digest_size, &ignored);
	bytes_take_le32(&front, &length);
	if (length == 0 || length > IMA_MAX_TEMPLATE_NAME)
		return no_item(counter, "the length of a template's name cannot be", err);
	due = 4 + counter->digest_size + 4 + length;
	if (!bytes_take(&front, length, &name)) {
		counter->wanted = due;
		return 0;
	}
	old = bytes_equal(name, BYTES_LITERAL(IMA_TEMPLATE));
	due += (old ? IMA_TEMPLATE_DIGEST : 0) + 4;
	if (counter->used < due) {
		counter->wanted = due;
		return 0;
	}
	if (old)
		bytes_take(&front, IMA_TEMPLATE_DIGEST, &ignored);
	bytes_take_le32(&front, &length);
	if (length > IMA_MAX_TEMPLATE_DATA)
		return no_item(counter, "the length of the template's data cannot be", err);
	counter->skip = length;
	counter->tlvs = TLVS;
	counter->used = 0;
	return 0;
}

/*
 * Take a piece of the item that is under way off @bytes
 *
 * Return: how many bytes that was; -EBADMSG
 */
static int64_t count_piece(struct archive_counter *counter, struct bytes bytes,
			   struct assay_error *err)
{
	size_t size;
	int r = 0;

	if (counter->skip > 0) {
		size = bytes.size < counter->skip ? bytes.size : (size_t)counter->skip;
		counter->skip -= size;
	} else {
		size = counter->wanted - counter->used;
		if (bytes.size < size)
			size = bytes.size;
		memcpy(counter->front + counter->used, bytes.data, size);
		counter->used += size;
		if (counter->used == counter->wanted)
			r = counter->stream == ARCHIVE_IMA ? judge_entry(counter, err) :
							     judge_tlv(counter, err);
	}
	return r < 0 ? r : (int64_t)size;
}

int archive_count(struct archive_counter *counter, struct bytes bytes, uint64_t from,
		  archive_sink *sink, void *context, struct assay_error *err)
{
	size_t wanted = 0, done = 0;

	while (done < bytes.size) {
		bool is_wanted = counter->next >= from;
		int64_t size =
			count_piece(counter, BYTES(bytes.data + done, bytes.size - done), err);

		if (size < 0)
			return (int)size;
		/* What is wanted is all that is behind the first piece that is. */
		done += (size_t)size;
		if (is_wanted)
			wanted += (size_t)size;
		if (counter->tlvs == TLVS && counter->skip == 0) {
			counter->next++;
			begin_item(counter);
		}
	}
	if (!sink || wanted == 0)
		return 0;
	return sink(context, BYTES(bytes.data + (bytes.size - wanted), wanted), err);
}
