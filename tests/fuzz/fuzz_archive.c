// SPDX-License-Identifier: MIT
/*
 * Fuzzing what is read of an archive: the first byte chooses the header of a file, current.json and
 * ima.json, or counting records, or entries of a bank, in pieces of a size that the next byte says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_count.h"
#include "archive/archive_current.h"
#include "archive/ima_notes.h"
#include "fuzz.h"

enum { HEADER, CURRENT, RECORDS, ENTRIES };

/* Whatever is accepted is written again as it was. */
static void read_header(struct bytes front)
{
	struct archive_header header;
	struct buffer again = { 0 };
	struct assay_error err;
	size_t size;

	if (archive_header_parse(front, &header, &size, &err) < 0)
		return;
	archive_header_make(&header, &again);
	if (size > front.size || !bytes_equal(buffer_bytes(&again), BYTES(front.data, size)))
		abort();
	buffer_free(&again);
}

static void read_current(struct bytes text)
{
	struct archive_current current;
	struct assay_error err;

	if (archive_current_parse(text, &current, &err) < 0)
		return;
	for (int i = 0; i < ARCHIVE_STREAMS; i++)
		if (current.streams[i].oldest > current.streams[i].number)
			abort();
}

static void read_notes(struct bytes text)
{
	struct ima_notes notes;
	struct assay_error err;

	if (ima_notes_parse(text, &notes, &err) < 0)
		return;
	if (ima_notes_kept(&notes) < notes.deleted || strlen(notes.log) >= sizeof(notes.log) ||
	    strchr(notes.log, '/'))
		abort();
}

static int count_bytes(void *context, struct bytes bytes, struct assay_error *err)
{
	(void)err;
	*(size_t *)context += bytes.size;
	return 0;
}

/* In pieces or in one: the same is found. */
static void count(struct bytes content, enum archive_stream stream, enum assay_hash bank)
{
	struct archive_counter pieces, one;
	struct assay_error err;
	size_t handed = 0, size;
	uint8_t piece;
	int r = 0;

	if (!bytes_take_u8(&content, &piece))
		return;
	size = (size_t)piece + 1;
	archive_count_begin(&pieces, stream, bank, 0);
	for (size_t at = 0; at < content.size && r == 0; at += size) {
		size_t left = content.size - at;

		r = archive_count(&pieces, BYTES(content.data + at, left < size ? left : size), 2,
				  count_bytes, &handed, &err);
	}
	archive_count_begin(&one, stream, bank, 0);
	if (archive_count(&one, content, 2, NULL, NULL, &err) != r || one.next != pieces.next)
		abort();
	if (handed > content.size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						 ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct bytes rest;

	if (size == 0)
		return 0;
	rest = BYTES(data + 1, size - 1);
	switch (data[0] % 4) {
	case HEADER:
		read_header(rest);
		break;
	case CURRENT:
		read_current(rest);
		read_notes(rest);
		break;
	case RECORDS:
		count(rest, ARCHIVE_LOG, ASSAY_HASH_NONE);
		break;
	default:
		count(rest, ARCHIVE_IMA, banks[data[0] / 4 % 4]);
	}
	return 0;
}
