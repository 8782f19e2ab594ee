// SPDX-License-Identifier: MIT
/* What is in an archive's files: read in pieces, and checked while it is. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"
#include "base/digest.h"

/* Pieces that are read, and decompressed. */
#define PIECE (128U << 10)
/* What a frame may make the decompressor hold; writers take far less. */
#define WINDOW_LOG_MAX 23

/**
 * struct content - a file that is being read
 * @header: what it says of itself
 * @size: bytes of content so far
 * @file, @digest: SHA-256 of the file, and of its content
 * @counter: of its records or entries
 * @from, @sink, @context: who gets it, from where on
 * @handed: what @sink gave that ended it
 */
struct content {
	struct archive_header header;
	uint64_t size;
	EVP_MD_CTX *file, *digest;
	ZSTD_DStream *stream;
	struct archive_counter counter;
	uint64_t from;
	archive_sink *sink;
	void *context;
	int handed;
	uint8_t in[PIECE], out[PIECE];
};

static int begin_digest(EVP_MD_CTX **ret, struct assay_error *err)
{
	EVP_MD *algorithm = digest_algorithm(ASSAY_HASH_SHA256);

	*ret = EVP_MD_CTX_new();
	if (!algorithm || !*ret || EVP_DigestInit_ex2(*ret, algorithm, NULL) != 1)
		return assay_fail(err, ENOMEM, "cannot begin a digest");
	return 0;
}

static int begin_content(struct content **ret, struct assay_error *err)
{
	struct content *content = calloc(1, sizeof(*content));
	int r;

	*ret = content;
	if (!content)
		return assay_fail(err, ENOMEM, "out of memory");
	r = begin_digest(&content->file, err);
	if (r == 0)
		r = begin_digest(&content->digest, err);
	if (r < 0)
		return r;
	content->stream = ZSTD_createDStream();
	if (!content->stream || ZSTD_isError(ZSTD_DCtx_setParameter(
					content->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return assay_fail(err, ENOMEM, "cannot begin to decompress");
	return 0;
}

static void free_content(struct content *content)
{
	if (!content)
		return;
	EVP_MD_CTX_free(content->file);
	EVP_MD_CTX_free(content->digest);
	ZSTD_freeDStream(content->stream);
	free(content);
}

static int hand_on(void *context, struct bytes bytes, struct assay_error *err)
{
	struct content *content = context;

	content->handed = content->sink(content->context, bytes, err);
	return content->handed;
}

/* A piece of content. */
static int take_content(struct content *content, struct bytes bytes, struct assay_error *err)
{
	content->size += bytes.size;
	if (content->size > content->header.size)
		return assay_fail(err, EBADMSG, "it holds more than the %" PRIu64 " bytes it says",
				  content->header.size);
	if (EVP_DigestUpdate(content->digest, bytes.data, bytes.size) != 1)
		return assay_fail(err, EIO, "cannot compute a digest");
	return archive_count(&content->counter, bytes, content->from,
			     content->sink ? hand_on : NULL, content, err);
}

/*
 * A piece of the file behind the header's frame
 * @due: what zstd says of the frame under way: 0 at the end of one
 */
static int take_compressed(struct content *content, struct bytes bytes, size_t *due,
			   struct assay_error *err)
{
	ZSTD_inBuffer in = { bytes.data, bytes.size, 0 };
	bool full = false;

	/* What did not fit the output may be all that is left, with no input for it. */
	while (in.pos < in.size || full) {
		ZSTD_outBuffer out = { content->out, sizeof(content->out), 0 };
		int r;

		*due = ZSTD_decompressStream(content->stream, &out, &in);
		if (ZSTD_isError(*due))
			return assay_fail(err, EBADMSG, "it cannot be decompressed: %s",
					  ZSTD_getErrorName(*due));
		full = out.pos == out.size;
		r = out.pos > 0 ? take_content(content, BYTES(content->out, out.pos), err) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

static int read_piece(int fd, struct content *content, size_t *ret, struct assay_error *err)
{
	ssize_t got = archive_read_full(fd, content->in, sizeof(content->in));

	if (got < 0)
		return assay_fail(err, errno, "cannot read it: %s", strerror(errno));
	if (EVP_DigestUpdate(content->file, content->in, (size_t)got) != 1)
		return assay_fail(err, EIO, "cannot compute a digest");
	*ret = (size_t)got;
	return 0;
}

/* The header is in the first piece, which is full if there is so much. */
static int read_all(int fd, enum archive_stream stream, struct content *content,
		    struct assay_error *err)
{
	size_t got = 0, frame = 0, due = 1;
	int r = read_piece(fd, content, &got, err);

	if (r == 0)
		r = archive_header_parse(BYTES(content->in, got), &content->header, &frame, err);
	if (r == 0 && content->header.stream != stream)
		r = assay_fail(err, EBADMSG, "it is of another stream");
	if (r < 0)
		return r;
	archive_count_begin(&content->counter, stream, content->header.bank, content->header.first);
	r = take_compressed(content, BYTES(content->in + frame, got - frame), &due, err);
	while (r == 0) {
		r = read_piece(fd, content, &got, err);
		if (r != 0 || got == 0)
			break;
		r = take_compressed(content, BYTES(content->in, got), &due, err);
	}
	if (r == 0 && due != 0)
		r = assay_fail(err, EBADMSG, "it breaks off");
	return r;
}

static int judge_content(struct content *content, struct assay_error *err)
{
	const struct archive_header *header = &content->header;
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (content->size != header->size)
		return assay_fail(err, EBADMSG,
				  "it holds %" PRIu64 " bytes, and says that they are %" PRIu64,
				  content->size, header->size);
	if (EVP_DigestFinal_ex(content->digest, digest, NULL) != 1)
		return assay_fail(err, EIO, "cannot compute a digest");
	if (memcmp(digest, header->digest, ARCHIVE_DIGEST) != 0)
		return assay_fail(err, EBADMSG, "what is in it has not the digest that it says");
	if (!archive_count_whole(&content->counter) ||
	    content->counter.next != header->first + header->count)
		return assay_fail(err, EBADMSG, "it holds not the %" PRIu64 " %s that it says",
				  header->count,
				  header->stream == ARCHIVE_IMA ? "entries" : "records");
	return 0;
}

const uint8_t *archive_said_digest(const struct archive *archive, enum archive_stream stream,
				   size_t index)
{
	const struct archive_listing *listing = &archive->streams[stream];
	const struct archive_current_stream *said = &archive->current.streams[stream];
	uint64_t number = listing->files[index].number;

	if (index + 1 < listing->count)
		return listing->files[index + 1].number == number + 1 ?
			       listing->files[index + 1].previous :
			       NULL;
	/* It may be a file behind: where the newest was joined with another, that has the same
	 * number. */
	if (!archive->has_current || said->number != number ||
	    said->next != listing->files[index].first + listing->files[index].count)
		return NULL;
	return said->digest;
}

/* @digest: of the file, once all of it is right */
static int read_and_judge(int fd, enum archive_stream stream, struct content *content,
			  uint8_t digest[EVP_MAX_MD_SIZE], struct assay_error *err)
{
	int r = read_all(fd, stream, content, err);

	if (r == 0)
		r = judge_content(content, err);
	if (r == 0 && EVP_DigestFinal_ex(content->file, digest, NULL) != 1)
		r = assay_fail(err, EIO, "cannot compute a digest");
	return r;
}

int archive_read_file(const struct archive *archive, enum archive_stream stream, size_t index,
		      uint64_t from, archive_sink *sink, void *context,
		      uint8_t ret_digest[ARCHIVE_DIGEST], struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = -1;
	const uint8_t *said = archive_said_digest(archive, stream, index);
	uint8_t digest[EVP_MAX_MD_SIZE];
	char name[ARCHIVE_NAME_MAX];
	struct content *content;
	uint64_t size;
	int handed, r;

	archive_file_name(stream, archive->streams[stream].files[index].number, name);
	fd = archive_open_file(archive, name, &size, err);
	if (fd < 0)
		return fd;
	r = begin_content(&content, err);
	if (r == 0) {
		content->from = from;
		content->sink = sink;
		content->context = context;
		r = read_and_judge(fd, stream, content, digest, err);
	}
	handed = content ? content->handed : 0;
	free_content(content);
	if (handed)
		return handed;
	if (r == 0 && ret_digest)
		memcpy(ret_digest, digest, ARCHIVE_DIGEST);
	else if (r == 0 && said && memcmp(said, digest, ARCHIVE_DIGEST) != 0)
		r = assay_fail(err, EBADMSG, "it is not the file that %s names by its digest",
			       index + 1 < archive->streams[stream].count ? "the next one" :
									    ARCHIVE_CURRENT_NAME);
	return r < 0 ? assay_fail_context(err, "%s/%s", archive->path, name) : 0;
}

/* ---------------------------------------------------------------- a whole stream */

/* What is not there from @due on, in front of the file @index. */
static int fail_gap(const struct archive *archive, enum archive_stream stream, size_t index,
		    uint64_t due, struct assay_error *err)
{
	const struct archive_file *file = &archive->streams[stream].files[index];
	size_t count = archive->problem_count < ARCHIVE_PROBLEMS_MAX ? archive->problem_count :
								       ARCHIVE_PROBLEMS_MAX;
	const struct archive_problem *problem = NULL;
	int code = ENODATA;

	for (size_t i = 0; i < count && !problem; i++)
		if (archive->problems[i].fault != ARCHIVE_FOREIGN &&
		    archive->problems[i].stream == stream)
			problem = &archive->problems[i];
	if (problem && problem->fault == ARCHIVE_FUTURE)
		code = ENOTSUP;
	else if (problem && problem->fault == ARCHIVE_UNREADABLE)
		code = EIO;
	return assay_fail(err, code, "%s %" PRIu64 " to %" PRIu64 " cannot be read%s%s",
			  archive_stream_unit(stream), due, file->first - 1, problem ? ": " : "",
			  problem ? problem->text : "");
}

/* The file that has @number, or the first one behind it. */
static size_t find_file(const struct archive_listing *listing, uint64_t number)
{
	size_t low = 0, high = listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (listing->files[middle].first + listing->files[middle].count <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* @last: what the newest file's digest must be, by the archive that goes on from it; or NULL */
static int read_next(const struct archive *archive, enum archive_stream stream, uint64_t from,
		     uint64_t *next, const uint8_t *last, archive_sink *sink, void *context,
		     struct assay_error *err)
{
	const struct archive_listing *listing = &archive->streams[stream];
	const struct archive_file *file;
	uint8_t digest[ARCHIVE_DIGEST];
	size_t index;
	int r;

	if (listing->before && *next < listing->files[0].first)
		return read_next(listing->before, stream, from, next, listing->files[0].previous,
				 sink, context, err);
	index = find_file(listing, *next);
	if (index == listing->count)
		return assay_fail(err, ENODATA, "%s does not have %s %" PRIu64, archive->path,
				  archive_stream_unit(stream), *next);
	file = &listing->files[index];
	if (index + 1 < listing->count)
		last = NULL;
	/* Only where @from is may a file be begun in the middle. */
	if (file->first > *next || (file->first < *next && *next != from))
		return fail_gap(archive, stream, index, *next, err);
	r = archive_read_file(archive, stream, index, *next, sink, context, last ? digest : NULL,
			      err);
	if (r == 0 && last && memcmp(digest, last, ARCHIVE_DIGEST) != 0)
		r = assay_fail(err, EBADMSG, "what goes on from %s does not do so, as it says",
			       archive->path);
	if (r == 0)
		*next = file->first + file->count;
	return r;
}

static int judge_begin(const struct archive *archive, enum archive_stream stream, uint64_t from,
		       struct assay_error *err)
{
	if (from >= archive_begin(archive, stream))
		return 0;
	return assay_fail(err, ESTALE,
			  "%s begins with %s %" PRIu64 ": %s %" PRIu64
			  " was removed, as old ones are",
			  archive->path, archive_stream_unit(stream),
			  archive_begin(archive, stream), archive_stream_unit(stream), from);
}

int archive_read_next(const struct archive *archive, enum archive_stream stream, uint64_t from,
		      uint64_t *next, archive_sink *sink, void *context, struct assay_error *err)
{
	int r = judge_begin(archive, stream, from, err);

	return r < 0 ? r : read_next(archive, stream, from, next, NULL, sink, context, err);
}

int archive_read(const struct archive *archive, enum archive_stream stream, uint64_t from,
		 archive_sink *sink, void *context, struct assay_error *err)
{
	uint64_t next = from;
	int r = 0;

	while (r == 0 && next < archive_end(archive, stream))
		r = archive_read_next(archive, stream, from, &next, sink, context, err);
	return r;
}

int archive_check(struct archive *archive, enum archive_stream stream,
		  uint8_t ret_digest[ARCHIVE_DIGEST], struct assay_error *err)
{
	const struct archive_listing *listing = &archive->streams[stream];
	uint8_t digest[ARCHIVE_DIGEST] = { 0 };
	struct assay_error why;

	for (size_t i = 0; i < listing->count; i++) {
		const uint8_t *said = archive_said_digest(archive, stream, i);
		char name[ARCHIVE_NAME_MAX];
		int r = archive_read_file(archive, stream, i, 0, NULL, NULL, digest, &why);

		if (r == -ENOMEM)
			return assay_fail(err, ENOMEM, "%s", why.text);
		archive_file_name(stream, listing->files[i].number, name);
		if (r < 0)
			archive_note(archive, archive_fault_of(r), stream, "%s", why.text);
		else if (said && memcmp(said, digest, ARCHIVE_DIGEST) != 0)
			archive_note(archive, ARCHIVE_CHAIN, stream,
				     "%s/%s is not the file that %s names by its digest: put the "
				     "right one back from a copy",
				     archive->path, name,
				     i + 1 < listing->count ? "the next one" :
							      ARCHIVE_CURRENT_NAME);
	}
	if (ret_digest)
		memcpy(ret_digest, digest, ARCHIVE_DIGEST);
	return listing->before ? archive_check(listing->before, stream, NULL, err) : 0;
}

int archive_check_newest(struct archive *archive, enum archive_stream stream, archive_sink *sink,
			 void *context, uint8_t ret_digest[ARCHIVE_DIGEST], struct assay_error *err)
{
	size_t count = archive->streams[stream].count;

	memset(ret_digest, 0, ARCHIVE_DIGEST);
	if (count == 0)
		return 0;
	return archive_read_file(archive, stream, count - 1, 0, sink, context, ret_digest, err);
}
