/* SPDX-License-Identifier: MIT */
/*
 * The files of an archive: parts of assay's log, or of IMA's list, compressed with zstd behind a
 * skippable frame (RFC 8878, section 3.1.2) that says what they are; assay-archive(5) has it
 * byte by byte. Pure: bytes in, bytes out. For lib/archive, and for whoever looks at one file.
 */
#ifndef ASSAY_ARCHIVE_FORMAT_H
#define ASSAY_ARCHIVE_FORMAT_H

#include "base/bytes.h"

#define ARCHIVE_VERSION 1
/* Of RFC 8878's sixteen magic numbers of skippable frames; little-endian, as the size is. */
#define ARCHIVE_FRAME_MAGIC 0x184D2A5AU
#define ARCHIVE_FRAME_HEADER 8 /* bytes: magic number and size */
#define ARCHIVE_MAGIC "ASSAYARC"
#define ARCHIVE_BOOT_ID 16 /* bytes of a boot's UUID */
#define ARCHIVE_BOOT_ID_TEXT 37
#define ARCHIVE_DIGEST 32   /* bytes of SHA-256 */
#define ARCHIVE_MAX_START 8 /* banks */
/* Bytes of a file's front that have the whole skippable frame of this version. */
#define ARCHIVE_FRONT_MAX 1024
/* A file's content at most, in bytes; a window of the log is far smaller. */
#define ARCHIVE_MAX_CONTENT (1ULL << 40)
/* Numbers of records, entries and files stay below this. */
#define ARCHIVE_MAX_NUMBER (1ULL << 48)

enum archive_stream {
	ARCHIVE_LOG, /* assay's log: records, TCG CEL-TLV */
	ARCHIVE_IMA, /* IMA's list: entries, as binary_runtime_measurements has them */
};
#define ARCHIVE_STREAMS 2

/**
 * struct archive_header - what the frame at the front of a file says
 * @stream: what it is a part of
 * @boot_id: of the boot that wrote it
 * @boot_before: where the stream's first file goes on from another boot's archive (after kexec):
 *               that boot's id; else zeros
 * @number: of the file in its stream, from 1 on; also in its name
 * @first: number of its first record or entry, from 0 on
 * @count: records or entries in it, at least 1
 * @offset: of its first byte in the log or list
 * @size: bytes of its content before compression
 * @time: seconds since 1970 when it was written, by the system's clock, which may be off
 * @digest: SHA-256 of the content
 * @previous: SHA-256 of the file before it, as that is on the disk; zeros for the first
 * @bank: ARCHIVE_IMA: of the template digests in it; ASSAY_HASH_NONE of ARCHIVE_LOG
 * @start: the PCR's value before the first record or entry, in each bank known
 * @start_count: 0 to ARCHIVE_MAX_START
 */
struct archive_header {
	enum archive_stream stream;
	uint8_t boot_id[ARCHIVE_BOOT_ID];
	uint8_t boot_before[ARCHIVE_BOOT_ID];
	uint64_t number;
	uint64_t first, count;
	uint64_t offset, size;
	uint64_t time;
	uint8_t digest[ARCHIVE_DIGEST];
	uint8_t previous[ARCHIVE_DIGEST];
	enum assay_hash bank;
	struct assay_digest start[ARCHIVE_MAX_START];
	size_t start_count;
};

/*
 * archive_header_parse() - read the frame at the front of a file
 * @front: the file's first ARCHIVE_FRONT_MAX bytes, or all it has
 * @ret_size: bytes of the frame, behind which the compressed content begins
 *
 * Return: 0; -EBADMSG for what is no file of an archive, or is damaged; -ENOTSUP for a version
 *         that this library does not know
 */
int archive_header_parse(struct bytes front, struct archive_header *ret, size_t *ret_size,
			 struct assay_error *err);

/* archive_header_make() - append the frame to @out, which must be right by the rules above */
void archive_header_make(const struct archive_header *header, struct buffer *out);

/* Characters of a file's name with its NUL. */
#define ARCHIVE_NAME_MAX 40

/* archive_file_name() - "000001.cel.zst", "000001.ima.zst"; at least six digits. Return: @name */
char *archive_file_name(enum archive_stream stream, uint64_t number, char name[ARCHIVE_NAME_MAX]);
/* archive_file_parse() - false for the name of another file, or one written otherwise */
bool archive_file_parse(const char *name, enum archive_stream *ret_stream, uint64_t *ret_number);

/* archive_stream_name() - "log", "ima" */
const char *archive_stream_name(enum archive_stream stream);
/* archive_stream_unit() - "record", "entry": what is counted */
const char *archive_stream_unit(enum archive_stream stream);

/* A boot's UUID as text of 36 characters, lower case, as in /proc/sys/kernel/random/boot_id. */
char *archive_boot_id_text(const uint8_t boot_id[ARCHIVE_BOOT_ID], char text[ARCHIVE_BOOT_ID_TEXT]);
/* False for text of another form. */
bool archive_boot_id_parse(const char *text, uint8_t boot_id[ARCHIVE_BOOT_ID]);

#endif /* ASSAY_ARCHIVE_FORMAT_H */
