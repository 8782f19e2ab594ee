// SPDX-License-Identifier: MIT
#include "archive/archive_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_DIGITS 6
#define NAME_DIGITS_MAX 15

static const struct {
	const char *name, *unit, *suffix;
} streams[ARCHIVE_STREAMS] = {
	[ARCHIVE_LOG] = { "log", "record", ".cel.zst" },
	[ARCHIVE_IMA] = { "ima", "entry", ".ima.zst" },
};

const char *archive_stream_name(enum archive_stream stream)
{
	return streams[stream].name;
}

const char *archive_stream_unit(enum archive_stream stream)
{
	return streams[stream].unit;
}

/* ---------------------------------------------------------------- names */

char *archive_file_name(enum archive_stream stream, uint64_t number, char name[ARCHIVE_NAME_MAX])
{
	snprintf(name, ARCHIVE_NAME_MAX, "%0*" PRIu64 "%s", NAME_DIGITS, number,
		 streams[stream].suffix);
	return name;
}

bool archive_file_parse(const char *name, enum archive_stream *ret_stream, uint64_t *ret_number)
{
	size_t digits = strspn(name, "0123456789");
	char again[ARCHIVE_NAME_MAX];
	uint64_t number = 0;

	if (digits < NAME_DIGITS || digits > NAME_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (uint64_t)(name[i] - '0');
	if (number == 0 || number >= ARCHIVE_MAX_NUMBER)
		return false;
	for (int stream = 0; stream < ARCHIVE_STREAMS; stream++) {
		archive_file_name((enum archive_stream)stream, number, again);
		if (strcmp(name, again) != 0)
			continue;
		*ret_stream = (enum archive_stream)stream;
		*ret_number = number;
		return true;
	}
	return false;
}

char *archive_boot_id_text(const uint8_t boot_id[ARCHIVE_BOOT_ID], char text[ARCHIVE_BOOT_ID_TEXT])
{
	char hex[2 * ARCHIVE_BOOT_ID + 1];

	hex_encode(BYTES(boot_id, ARCHIVE_BOOT_ID), hex);
	snprintf(text, ARCHIVE_BOOT_ID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
	return text;
}

bool archive_boot_id_parse(const char *text, uint8_t boot_id[ARCHIVE_BOOT_ID])
{
	char hex[2 * ARCHIVE_BOOT_ID + 1], again[ARCHIVE_BOOT_ID_TEXT];
	size_t used = 0, size;

	if (strlen(text) != ARCHIVE_BOOT_ID_TEXT - 1)
		return false;
	for (const char *at = text; *at; at++)
		if (*at != '-' && used < sizeof(hex) - 1)
			hex[used++] = *at;
	hex[used] = '\0';
	return hex_decode(hex, boot_id, ARCHIVE_BOOT_ID, &size) == 0 && size == ARCHIVE_BOOT_ID &&
	       strcmp(archive_boot_id_text(boot_id, again), text) == 0;
}

/* ---------------------------------------------------------------- the frame */

void archive_header_make(const struct archive_header *header, struct buffer *out)
{
	struct buffer payload = { 0 };
	uint8_t frame[ARCHIVE_FRAME_HEADER];

	buffer_append(&payload, ARCHIVE_MAGIC, sizeof(ARCHIVE_MAGIC) - 1);
	buffer_append_be32(&payload, ARCHIVE_VERSION);
	buffer_append_be16(&payload, (uint16_t)header->stream);
	buffer_append_be16(&payload, (uint16_t)header->bank);
	buffer_append(&payload, header->boot_id, ARCHIVE_BOOT_ID);
	buffer_append(&payload, header->boot_before, ARCHIVE_BOOT_ID);
	buffer_append_be64(&payload, header->number);
	buffer_append_be64(&payload, header->first);
	buffer_append_be64(&payload, header->count);
	buffer_append_be64(&payload, header->offset);
	buffer_append_be64(&payload, header->size);
	buffer_append_be64(&payload, header->time);
	buffer_append(&payload, header->digest, ARCHIVE_DIGEST);
	buffer_append(&payload, header->previous, ARCHIVE_DIGEST);
	buffer_append_be32(&payload, (uint32_t)header->start_count);
	for (size_t i = 0; i < header->start_count; i++) {
		buffer_append_be16(&payload, (uint16_t)header->start[i].hash);
		buffer_append(&payload, header->start[i].bytes, header->start[i].size);
	}
	for (unsigned int i = 0; i < 4; i++) {
		frame[i] = (uint8_t)(ARCHIVE_FRAME_MAGIC >> 8 * i);
		frame[4 + i] = (uint8_t)((uint32_t)payload.size >> 8 * i);
	}
	out->failed |= payload.failed;
	buffer_append(out, frame, sizeof(frame));
	buffer_append_bytes(out, buffer_bytes(&payload));
	buffer_free(&payload);
}

static int not_archive(struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "it is no file of an archive of assay's");
}

static int is_damaged(struct assay_error *err, const char *what)
{
	return assay_fail(err, EBADMSG, "its header is damaged: %s", what);
}

static bool take_copy(struct bytes *in, uint8_t *out, size_t size)
{
	struct bytes taken;

	if (!bytes_take(in, size, &taken))
		return false;
	memcpy(out, taken.data, size);
	return true;
}

static bool take_start(struct bytes *in, struct assay_digest *ret)
{
	uint16_t hash;

	if (!bytes_take_be16(in, &hash))
		return false;
	*ret = (struct assay_digest){ .hash = (enum assay_hash)hash,
				      .size = assay_hash_size((enum assay_hash)hash) };
	return ret->size > 0 && take_copy(in, ret->bytes, ret->size);
}

static bool take_members(struct bytes *in, struct archive_header *header, uint32_t *ret_starts)
{
	uint16_t stream, bank;

	if (!bytes_take_be16(in, &stream) || !bytes_take_be16(in, &bank) ||
	    !take_copy(in, header->boot_id, ARCHIVE_BOOT_ID) ||
	    !take_copy(in, header->boot_before, ARCHIVE_BOOT_ID) ||
	    !bytes_take_be64(in, &header->number) || !bytes_take_be64(in, &header->first) ||
	    !bytes_take_be64(in, &header->count) || !bytes_take_be64(in, &header->offset) ||
	    !bytes_take_be64(in, &header->size) || !bytes_take_be64(in, &header->time) ||
	    !take_copy(in, header->digest, ARCHIVE_DIGEST) ||
	    !take_copy(in, header->previous, ARCHIVE_DIGEST) || !bytes_take_be32(in, ret_starts))
		return false;
	header->stream = (enum archive_stream)stream;
	header->bank = (enum assay_hash)bank;
	return true;
}

/* Values that no writer gives, and that would overflow what is computed of them. */
static const char *wrong_value(const struct archive_header *header)
{
	bool ima = header->stream == ARCHIVE_IMA;

	if ((unsigned int)header->stream >= ARCHIVE_STREAMS)
		return "there is no such stream";
	if (ima ? assay_hash_size(header->bank) == 0 : header->bank != ASSAY_HASH_NONE)
		return "the bank is not one that the stream can have";
	if (header->number == 0 || header->number >= ARCHIVE_MAX_NUMBER)
		return "the number of the file cannot be";
	if (header->count == 0 || header->count >= ARCHIVE_MAX_NUMBER ||
	    header->first >= ARCHIVE_MAX_NUMBER)
		return "the numbers of what is in it cannot be";
	if (header->size < header->count || header->size > ARCHIVE_MAX_CONTENT ||
	    header->offset >= 1ULL << 62)
		return "the size of what is in it cannot be";
	if (header->number > 1 &&
	    !bytes_are_zero(BYTES(header->boot_before, sizeof(header->boot_before))))
		return "it goes on from another boot, which only the first file can";
	return NULL;
}

int archive_header_parse(struct bytes front, struct archive_header *ret, size_t *ret_size,
			 struct assay_error *err)
{
	struct archive_header header = { 0 };
	struct bytes payload, magic;
	uint32_t frame, size, version, starts;
	const char *wrong;

	if (!bytes_take_le32(&front, &frame) || frame != ARCHIVE_FRAME_MAGIC ||
	    !bytes_take_le32(&front, &size))
		return not_archive(err);
	payload = BYTES(front.data, size < front.size ? size : front.size);
	if (!bytes_take(&payload, sizeof(ARCHIVE_MAGIC) - 1, &magic) ||
	    !bytes_equal(magic, BYTES_LITERAL(ARCHIVE_MAGIC)))
		return not_archive(err);
	if (!bytes_take_be32(&payload, &version))
		return is_damaged(err, "it breaks off");
	if (version > ARCHIVE_VERSION)
		return assay_fail(
			err, ENOTSUP,
			"it is of version %" PRIu32
			" of the format, and this program knows up to %d: use a newer assay",
			version, ARCHIVE_VERSION);
	if (version == 0)
		return is_damaged(err, "there is no version 0");
	if (size > front.size || !take_members(&payload, &header, &starts))
		return is_damaged(err, "it breaks off");
	if (starts > ARCHIVE_MAX_START)
		return is_damaged(err, "it has too many values of a PCR");
	for (header.start_count = 0; header.start_count < starts; header.start_count++) {
		if (!take_start(&payload, &header.start[header.start_count]))
			return is_damaged(err, "a value of a PCR cannot be read");
		for (size_t i = 0; i < header.start_count; i++)
			if (header.start[i].hash == header.start[header.start_count].hash)
				return is_damaged(err, "a PCR has two values in one bank");
	}
	if (payload.size > 0)
		return is_damaged(err, "there is more in it than it can have");
	wrong = wrong_value(&header);
	if (wrong)
		return is_damaged(err, wrong);
	*ret = header;
	*ret_size = ARCHIVE_FRAME_HEADER + size;
	return 0;
}
