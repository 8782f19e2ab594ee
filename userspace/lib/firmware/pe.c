// SPDX-License-Identifier: MIT
/* PE/COFF images, and their Authenticode digests. */
#include "firmware/pe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define DOS_HEADER_SIZE 64
#define DOS_NEW_HEADER 60 /* where e_lfanew is */
#define FILE_HEADER_SIZE 20
#define SECTION_HEADER_SIZE 40
#define MAGIC_PE32 0x10b
#define MAGIC_PE32_PLUS 0x20b
/* Offsets in the optional header, which begins with its magic. */
#define OPTIONAL_HEADERS_SIZE 60
#define OPTIONAL_CHECKSUM 64
#define OPTIONAL_DIRECTORY_COUNT_PE32 92
#define OPTIONAL_DIRECTORY_COUNT_PE32_PLUS 108
#define DIRECTORY_SIZE 8
#define DIRECTORY_SECURITY 4

/* The bytes of the file from @offset on; of none where that is behind it. */
static struct bytes from(struct bytes file, uint64_t offset)
{
	if (offset > file.size)
		return BYTES(NULL, 0);
	return BYTES(file.data + offset, file.size - (size_t)offset);
}

static bool le16_at(struct bytes file, uint64_t offset, uint16_t *ret)
{
	struct bytes in = from(file, offset);

	return bytes_take_le16(&in, ret);
}

static bool le32_at(struct bytes file, uint64_t offset, uint32_t *ret)
{
	struct bytes in = from(file, offset);

	return bytes_take_le32(&in, ret);
}

static int fail_not_pe(struct bytes file, struct assay_error *err)
{
	if (file.size >= 2 && file.data[0] == 0x1f && file.data[1] == 0x8b)
		return assay_fail(err, EBADMSG,
				  "not a PE image but one packed by gzip: unpack it (zcat)");
	if (file.size >= 2 && memcmp(file.data, "VZ", 2) == 0)
		return assay_fail(err, EBADMSG,
				  "a TE image, which firmware has within itself: it has no "
				  "Authenticode digest");
	return assay_fail(err, EBADMSG,
			  "not a PE image: it has no MZ header with a PE header behind it");
}

static int fail_cut(const char *what, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "the image is cut: %s is not all in it", what);
}

/* The certificate table: UEFI finds its end by the file's, so it must be there. */
static int parse_security(struct pe_image *image, struct assay_error *err)
{
	uint32_t offset, size;

	if (!le32_at(image->file, image->security_offset, &offset) ||
	    !le32_at(image->file, image->security_offset + 4, &size))
		return fail_cut("its header", err);
	if (size == 0)
		return 0;
	if ((uint64_t)offset + size != image->file.size)
		return assay_fail(err, EBADMSG,
				  "the certificate table, %" PRIu32 " bytes at %" PRIu32
				  ", does not end where the file does, at %zu: firmware would not "
				  "find the end of what is signed",
				  size, offset, image->file.size);
	image->certificates = from(image->file, offset);
	return 0;
}

/* @at: of the optional header, which has @size bytes */
static int parse_optional(struct pe_image *image, uint64_t at, uint16_t size,
			  struct assay_error *err)
{
	uint32_t directories;
	uint16_t magic;
	size_t count_offset;

	if (!le16_at(image->file, at, &magic))
		return fail_cut("its optional header", err);
	if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		return assay_fail(err, EBADMSG,
				  "its optional header is of kind 0x%03x, neither PE32 nor PE32+",
				  magic);
	count_offset = magic == MAGIC_PE32 ? OPTIONAL_DIRECTORY_COUNT_PE32 :
					     OPTIONAL_DIRECTORY_COUNT_PE32_PLUS;
	if (size < count_offset + 4)
		return assay_fail(err, EBADMSG,
				  "its optional header has %u bytes, at least %zu are due", size,
				  count_offset + 4);
	if (!le32_at(image->file, at + OPTIONAL_HEADERS_SIZE, &image->headers_size) ||
	    !le32_at(image->file, at + count_offset, &directories))
		return fail_cut("its optional header", err);
	if (image->headers_size > image->file.size)
		return assay_fail(err, EBADMSG,
				  "its headers take %" PRIu32 " bytes, the file has %zu",
				  image->headers_size, image->file.size);
	if (directories > (size - count_offset - 4) / DIRECTORY_SIZE)
		return assay_fail(err, EBADMSG,
				  "it has %" PRIu32 " data directories, more than its optional "
				  "header has room for",
				  directories);
	/* What firmware hashes of the headers ends behind these. */
	if (at + size > image->headers_size)
		return assay_fail(err, EBADMSG,
				  "its optional header goes beyond its headers of %" PRIu32
				  " bytes",
				  image->headers_size);
	image->checksum_offset = (size_t)at + OPTIONAL_CHECKSUM;
	if (directories <= DIRECTORY_SECURITY)
		return 0;
	image->security_offset =
		(size_t)at + count_offset + 4 + DIRECTORY_SECURITY * (size_t)DIRECTORY_SIZE;
	return parse_security(image, err);
}

/* IMAGE_SECTION_HEADER, at @at */
static int parse_section(struct pe_image *image, uint64_t at, struct assay_error *err)
{
	struct pe_section *section = &image->sections[image->section_count];
	struct bytes header, name, rest = from(image->file, at);
	uint32_t address, size;

	if (!bytes_take(&rest, SECTION_HEADER_SIZE, &header))
		return fail_cut("its section table", err);
	bytes_take(&header, PE_NAME_SIZE, &name);
	memcpy(section->name, name.data, PE_NAME_SIZE);
	bytes_take_le32(&header, &section->virtual_size);
	bytes_take_le32(&header, &address);
	bytes_take_le32(&header, &size);
	bytes_take_le32(&header, &section->offset);
	section->data = from(image->file, section->offset);
	if (size > section->data.size)
		return assay_fail(err, EBADMSG,
				  "section %zu: its %" PRIu32 " bytes at %" PRIu32
				  " go beyond the file of %zu",
				  image->section_count, size, section->offset, image->file.size);
	section->data.size = size;
	image->section_count++;
	return 0;
}

int pe_parse(struct bytes file, struct pe_image *ret, struct assay_error *err)
{
	static const uint8_t signature[] = { 'P', 'E', 0, 0 };
	uint16_t sections, optional_size;
	struct bytes header, mark;
	uint32_t offset;
	uint64_t at;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->file = file;
	if (file.size < DOS_HEADER_SIZE || memcmp(file.data, "MZ", 2) != 0 ||
	    !le32_at(file, DOS_NEW_HEADER, &offset))
		return fail_not_pe(file, err);
	header = from(file, offset);
	if (!bytes_take(&header, sizeof(signature), &mark) ||
	    !bytes_equal(mark, BYTES(signature, sizeof(signature))))
		return fail_not_pe(file, err);
	at = (uint64_t)offset + sizeof(signature);
	if (!le16_at(file, at + 2, &sections) || !le16_at(file, at + 16, &optional_size))
		return fail_cut("its file header", err);
	if (sections > PE_MAX_SECTIONS)
		return assay_fail(err, EOPNOTSUPP, "it has %u sections; up to %d can be read",
				  sections, PE_MAX_SECTIONS);
	at += FILE_HEADER_SIZE;
	r = parse_optional(ret, at, optional_size, err);
	at += optional_size;
	for (uint16_t i = 0; i < sections && r == 0; i++)
		r = parse_section(ret, at + i * UINT64_C(40), err);
	return r;
}

/* ---------------------------------------------------------------- Authenticode */

/* A section's place in the file, and in the section table. */
struct place {
	uint32_t offset;
	uint32_t index;
};

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* What is hashed: the headers in three pieces, each section with data, and what is behind. */
struct pieces {
	struct bytes list[PE_MAX_SECTIONS + 4];
	size_t count;
};

static void add_piece(struct pieces *pieces, struct bytes piece)
{
	if (piece.size > 0)
		pieces->list[pieces->count++] = piece;
}

/* The headers, but for the checksum and the certificate table's entry. */
static void add_headers(struct pieces *pieces, const struct pe_image *image)
{
	const uint8_t *data = image->file.data;
	size_t at = image->checksum_offset + sizeof(uint32_t);

	add_piece(pieces, BYTES(data, image->checksum_offset));
	if (image->security_offset > 0) {
		add_piece(pieces, BYTES(data + at, image->security_offset - at));
		at = image->security_offset + DIRECTORY_SIZE;
	}
	add_piece(pieces, BYTES(data + at, image->headers_size - at));
}

/* Returns the bytes that sections have; *ret_complete: each lies behind the one before */
static uint64_t add_sections(struct pieces *pieces, const struct pe_image *image,
			     bool *ret_complete)
{
	struct place places[PE_MAX_SECTIONS];
	uint64_t end = image->headers_size, sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < image->section_count; i++)
		if (image->sections[i].data.size > 0)
			places[count++] = (struct place){ image->sections[i].offset, (uint32_t)i };
	qsort(places, count, sizeof(places[0]), compare_places);
	*ret_complete = true;
	for (size_t i = 0; i < count; i++) {
		struct bytes data = image->sections[places[i].index].data;

		*ret_complete = *ret_complete && places[i].offset == end;
		end = (uint64_t)places[i].offset + data.size;
		sum += data.size;
		add_piece(pieces, data);
	}
	return sum;
}

int pe_authenticode(const struct pe_image *image, enum assay_hash hash, struct assay_digest *ret,
		    bool *ret_complete, struct assay_error *err)
{
	struct pieces pieces = { .count = 0 };
	uint64_t sum, end = image->file.size - image->certificates.size;
	bool complete;

	add_headers(&pieces, image);
	/* Firmware adds up sizes, and goes on at the sum: where there are gaps it hashes some
	 * bytes twice and others never. */
	sum = image->headers_size + add_sections(&pieces, image, &complete);
	if (sum > end)
		return assay_fail(err, EBADMSG,
				  "its headers and sections together take %" PRIu64
				  " bytes, and the file has %" PRIu64 " before its certificates: "
				  "firmware would not load it",
				  sum, end);
	add_piece(&pieces, BYTES(image->file.data + sum, (size_t)(end - sum)));
	if (ret_complete)
		*ret_complete = complete;
	return digest_pieces(hash, pieces.list, pieces.count, ret, err);
}
