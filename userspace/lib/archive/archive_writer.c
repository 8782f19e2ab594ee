// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive_compress.h"
#include "archive/archive_joined.h"
#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"
#include "base/digest.h"

#define DIRECTORY_MODE 0750
#define FILE_MODE 0640
/* Who may open a lock could hold it. */
#define LOCK_MODE 0600

/**
 * struct archive_writer - where a stream goes on
 * @lock: open as long as the writer is, and locked
 * @number: of the newest file, 0 if there is none
 * @oldest: of the oldest that was not removed on purpose
 * @next, @offset, @previous, @bank: what the next file begins with
 * @lost: see archive_writer_lost()
 * @before: the first file goes on from that boot's archive; zeros if not
 * @stale: current.json does not say yet what is there
 * @join_limit: see archive_writer_join()
 * @tail: the newest files
 * @left: number of the last file that others were made of, and that is not removed yet
 */
struct archive_writer {
	char *path;
	enum archive_stream stream;
	int lock;
	uint8_t boot_id[ARCHIVE_BOOT_ID], before[ARCHIVE_BOOT_ID];
	uint64_t number, oldest, next, offset, lost;
	uint8_t previous[ARCHIVE_DIGEST];
	enum assay_hash bank;
	bool stale;
	uint64_t join_limit;
	struct archive_tail tail;
	uint64_t left;
};

static int join_path(char path[PATH_MAX], const char *directory, const char *name, const char *end,
		     struct assay_error *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s%s", directory, name, end) >= PATH_MAX)
		return assay_fail(err, ENAMETOOLONG, "%s is too long", directory);
	return 0;
}

static int fail_path(const char *what, const char *path, int code, struct assay_error *err)
{
	return assay_fail(err, code, "cannot %s %s: %s", what, path, strerror(code));
}

static int sync_directory(const char *path, struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot sync a directory. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return fail_path("sync", path, errno, err);
	return 0;
}

/* ---------------------------------------------------------------- opening */

static int make_directory(const char *path, struct assay_error *err)
{
	char parent[PATH_MAX];
	const char *end = strrchr(path, '/');

	if (mkdir(path, DIRECTORY_MODE) < 0)
		return errno == EEXIST ? 0 : fail_path("make", path, errno, err);
	if (snprintf(parent, sizeof(parent), "%.*s", end ? (int)(end - path) : 1,
		     end ? path : ".") >= (int)sizeof(parent))
		return fail_path("make", path, ENAMETOOLONG, err);
	return sync_directory(parent[0] ? parent : "/", err);
}

static int take_lock(struct archive_writer *writer, struct assay_error *err)
{
	char name[16], path[PATH_MAX];
	int r;

	snprintf(name, sizeof(name), ".%s.lock", archive_stream_name(writer->stream));
	r = join_path(path, writer->path, name, "", err);
	if (r < 0)
		return r;
	/* Nothing is open for writing but while a file is written: the disk can be made read-only.
	 */
	writer->lock = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
	if (writer->lock < 0)
		return fail_path("open", path, errno, err);
	if (flock(writer->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return assay_fail(err, EWOULDBLOCK,
				  "another program writes to %s: is there a second assayd?",
				  writer->path);
	return fail_path("lock", path, errno, err);
}

/* A file that is not finished was not durable: what it was to hold is still in the kernel. */
static int remove_partial(const struct archive_writer *writer, uint64_t number,
			  struct assay_error *err)
{
	char name[ARCHIVE_NAME_MAX], path[PATH_MAX];
	int r = join_path(path, writer->path, archive_file_name(writer->stream, number, name),
			  ARCHIVE_PARTIAL, err);

	if (r == 0 && unlink(path) < 0 && errno != ENOENT)
		r = fail_path("remove", path, errno, err);
	return r;
}

/* What current.json says was there, if it is of this boot. */
static void compare_current(struct archive_writer *writer, const struct archive *archive)
{
	const struct archive_current_stream *said = &archive->current.streams[writer->stream];

	writer->stale = writer->number > 0;
	writer->oldest = writer->number > 0 ? archive->streams[writer->stream].oldest : 1;
	if (!archive->has_current || said->number == 0 ||
	    memcmp(archive->current.boot_id, writer->boot_id, ARCHIVE_BOOT_ID) != 0)
		return;
	writer->oldest = said->oldest;
	writer->lost = said->next > writer->next ? said->next - writer->next : 0;
	writer->stale = said->number != writer->number || said->next != writer->next ||
			memcmp(said->digest, writer->previous, ARCHIVE_DIGEST) != 0;
}

/* A newest file that has no right header is not in the listing, but in the way. */
static int judge_newest(const struct archive *archive, enum archive_stream stream, uint64_t number,
			struct assay_error *err)
{
	char name[ARCHIVE_NAME_MAX];
	size_t count;
	const struct archive_problem *problems = archive_problems(archive, &count);
	int r = archive_exists(archive, archive_file_name(stream, number, name), err);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (strstr(problems[i].text, name))
			return assay_fail(err,
					  problems[i].fault == ARCHIVE_FUTURE ? ENOTSUP : EBADMSG,
					  "%s", problems[i].text);
	return assay_fail(err, EBADMSG, "%s/%s cannot be used", archive->path, name);
}

/* What is left of files that were joined. Before that current.json may not name them. */
static int remove_joined(struct archive_writer *writer, struct assay_error *err)
{
	int r;

	if (writer->left <= writer->number)
		return 0;
	r = archive_writer_head(writer, err);
	if (r == 0)
		r = archive_joined_remove(writer->path, writer->stream, writer->number + 1,
					  writer->left, err);
	if (r == 0)
		writer->left = 0;
	return r;
}

static int find_end(struct archive_writer *writer, struct archive *archive, struct assay_error *err)
{
	struct archive_header header;
	size_t count;
	const struct archive_file *files = archive_files(archive, writer->stream, &count);
	int r;

	if (count > 0) {
		r = archive_header(archive, writer->stream, count - 1, &header, err);
		if (r == 0 && memcmp(header.boot_id, writer->boot_id, ARCHIVE_BOOT_ID) != 0)
			r = assay_fail(err, EBADMSG,
				       "%s is the archive of another boot: move it away",
				       writer->path);
		if (r == 0)
			r = archive_check_newest(archive, writer->stream, NULL, NULL,
						 writer->previous, err);
		if (r < 0)
			return r;
		writer->number = files[count - 1].number;
		writer->next = header.first + header.count;
		writer->offset = header.offset + header.size;
		writer->bank = header.bank;
	}
	for (size_t i = 0; i < count; i++)
		archive_tail_add(&writer->tail,
				 &(struct archive_tail_file){ files[i].number, files[i].first,
							      files[i].count, files[i].content });
	compare_current(writer, archive);
	writer->left = archive->streams[writer->stream].left;
	r = remove_joined(writer, err);
	if (r < 0)
		return r;
	r = judge_newest(archive, writer->stream, writer->number + 1, err);
	return r == 0 ? remove_partial(writer, writer->number + 1, err) : r;
}

static int open_writer(struct archive_writer *writer, struct assay_error *err)
{
	struct archive *archive;
	int r = make_directory(writer->path, err);

	if (r == 0)
		r = take_lock(writer, err);
	if (r == 0)
		r = archive_open_newest(writer->path, writer->stream, &archive, err);
	if (r < 0)
		return r;
	r = find_end(writer, archive, err);
	archive_close(archive);
	/* What is there may have been put there by one that could not say so any more. */
	if (r == 0)
		r = sync_directory(writer->path, err);
	return r;
}

int archive_writer_open(const char *path, enum archive_stream stream, const char *boot_id,
			struct archive_writer **ret, struct assay_error *err)
{
	struct archive_writer *writer = calloc(1, sizeof(*writer));
	int r = 0;

	if (!writer)
		return assay_fail(err, ENOMEM, "out of memory");
	writer->stream = stream;
	writer->lock = -1;
	writer->path = strdup(path);
	if (!writer->path)
		r = assay_fail(err, ENOMEM, "out of memory");
	else if (!archive_boot_id_parse(boot_id, writer->boot_id))
		r = assay_fail(err, EINVAL, "the id of a boot must be a UUID");
	if (r == 0)
		r = open_writer(writer, err);
	if (r < 0) {
		archive_writer_close(writer);
		return r;
	}
	*ret = writer;
	return 0;
}

void archive_writer_close(struct archive_writer *writer)
{
	if (!writer)
		return;
	close_descriptor(&writer->lock);
	free(writer->path);
	free(writer);
}

int archive_writer_follow(struct archive_writer *writer, const char *before,
			  struct assay_error *err)
{
	struct archive *archive;
	struct archive_header header = { 0 };
	size_t count;
	int r;

	if (writer->number > 0)
		return assay_fail(err, EINVAL, "%s is begun already", writer->path);
	r = archive_open_newest(before, writer->stream, &archive, err);
	if (r < 0)
		return r;
	archive_files(archive, writer->stream, &count);
	if (count == 0)
		r = assay_fail(err, ENODATA, "%s has nothing of the %s", before,
			       archive_stream_name(writer->stream));
	if (r == 0)
		r = archive_header(archive, writer->stream, count - 1, &header, err);
	if (r == 0)
		r = archive_check_newest(archive, writer->stream, NULL, NULL, writer->previous,
					 err);
	archive_close(archive);
	if (r < 0)
		return r;
	memcpy(writer->before, header.boot_id, ARCHIVE_BOOT_ID);
	writer->next = header.first + header.count;
	writer->offset = header.offset + header.size;
	writer->bank = header.bank;
	return 0;
}

void archive_writer_join(struct archive_writer *writer, uint64_t limit)
{
	writer->join_limit = limit;
}

/* ---------------------------------------------------------------- where it stands */

uint64_t archive_writer_next(const struct archive_writer *writer)
{
	return writer->next;
}

uint64_t archive_writer_offset(const struct archive_writer *writer)
{
	return writer->offset;
}

bool archive_writer_is_empty(const struct archive_writer *writer)
{
	return writer->next == 0;
}

enum assay_hash archive_writer_bank(const struct archive_writer *writer)
{
	return writer->bank;
}

uint64_t archive_writer_lost(const struct archive_writer *writer)
{
	return writer->lost;
}

/* ---------------------------------------------------------------- writing */

static int judge_batch(const struct archive_writer *writer, const struct archive_batch *batch,
		       struct assay_error *err)
{
	struct archive_counter counter;
	int r;

	if (batch->count == 0 || batch->bytes.size == 0 || batch->start_count > ARCHIVE_MAX_START ||
	    batch->bytes.size > ARCHIVE_MAX_CONTENT ||
	    batch->first + batch->count >= ARCHIVE_MAX_NUMBER)
		return assay_fail(err, EINVAL, "it is no file of an archive that is to be written");
	if (batch->first < writer->next ||
	    (batch->first > writer->next && !batch->gap && !archive_writer_is_empty(writer)))
		return assay_fail(err, EINVAL, "%s %" PRIu64 " is due in %s, and not %" PRIu64,
				  archive_stream_unit(writer->stream), writer->next, writer->path,
				  batch->first);
	if (writer->bank != ASSAY_HASH_NONE && writer->bank != batch->bank)
		return assay_fail(err, EINVAL, "%s is in another bank", writer->path);
	archive_count_begin(&counter, writer->stream, batch->bank, batch->first);
	r = archive_count(&counter, batch->bytes, 0, NULL, NULL, err);
	if (r < 0)
		return r;
	if (!archive_count_whole(&counter) || counter.next != batch->first + batch->count)
		return assay_fail(err, EINVAL, "what is to be archived is not %" PRIu64 " whole %s",
				  batch->count,
				  writer->stream == ARCHIVE_IMA ? "entries" : "records");
	return 0;
}

/* Of a batch alone. */
static void fill_header(const struct archive_writer *writer, const struct archive_batch *batch,
			struct archive_header *header)
{
	*header = (struct archive_header){
		.stream = writer->stream,
		.number = writer->number + 1,
		.first = batch->first,
		.count = batch->count,
		.offset = batch->offset,
		.bank = batch->bank,
		.start_count = batch->start_count,
	};
	memcpy(header->boot_id, writer->boot_id, ARCHIVE_BOOT_ID);
	if (header->number == 1)
		memcpy(header->boot_before, writer->before, ARCHIVE_BOOT_ID);
	memcpy(header->previous, writer->previous, ARCHIVE_DIGEST);
	for (size_t i = 0; i < batch->start_count; i++)
		header->start[i] = batch->start[i];
}

static int complete_header(struct archive_header *header, struct bytes content,
			   struct assay_error *err)
{
	struct assay_digest digest;
	int r = digest_bytes(ASSAY_HASH_SHA256, content, &digest, err);

	if (r < 0)
		return r;
	header->size = content.size;
	header->time = (uint64_t)time(NULL);
	memcpy(header->digest, digest.bytes, ARCHIVE_DIGEST);
	return 0;
}

static int write_partial(const char *partial, const struct archive_header *header,
			 struct bytes content, uint8_t digest[ARCHIVE_DIGEST],
			 struct assay_error *err)
{
	CLEANUP(close_descriptor)
	int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int r;

	if (fd < 0)
		return fail_path("make", partial, errno, err);
	r = archive_compress(fd, header, content, digest, err);
	if (r < 0)
		return assay_fail_context(err, "%s", partial);
	return fsync(fd) < 0 ? fail_path("sync", partial, errno, err) : 0;
}

static int write_file(const struct archive_writer *writer, const struct archive_header *header,
		      struct bytes content, const struct archive_batch *batch,
		      uint8_t digest[ARCHIVE_DIGEST], struct assay_error *err)
{
	char name[ARCHIVE_NAME_MAX], path[PATH_MAX], partial[PATH_MAX];
	int r;

	archive_file_name(writer->stream, header->number, name);
	r = join_path(path, writer->path, name, "", err);
	if (r == 0)
		r = join_path(partial, writer->path, name, ARCHIVE_PARTIAL, err);
	if (r < 0)
		return r;
	r = write_partial(partial, header, content, digest, err);
	if (r == 0 && batch->unchanged)
		r = batch->unchanged(batch->context, err);
	if (r == 0 && rename(partial, path) < 0)
		r = fail_path("put in place", path, errno, err);
	if (r < 0) {
		(void)unlink(partial);
		return r;
	}
	r = sync_directory(writer->path, err);
	/* It may not last; the next try writes it again. What it was made of may be in its place.
	 */
	if (r < 0 && header->number > writer->number)
		(void)unlink(path);
	return r;
}

static void take_written(struct archive_writer *writer, const struct archive_header *header,
			 const uint8_t digest[ARCHIVE_DIGEST], size_t joined)
{
	if (joined > 0)
		writer->left = writer->number;
	writer->tail.count -= joined;
	archive_tail_add(&writer->tail, &(struct archive_tail_file){ header->number, header->first,
								     header->count, header->size });
	writer->number = header->number;
	writer->next = header->first + header->count;
	writer->offset = header->offset + header->size;
	writer->bank = header->bank;
	writer->lost = 0;
	memcpy(writer->previous, digest, ARCHIVE_DIGEST);
	writer->stale = true;
	(void)archive_writer_head(writer, NULL);
	/* If it fails, the next one that is written tries again. */
	(void)remove_joined(writer, NULL);
}

static int write_alone(struct archive_writer *writer, const struct archive_batch *batch,
		       struct assay_error *err)
{
	uint8_t digest[ARCHIVE_DIGEST];
	struct archive_header header;
	int r;

	fill_header(writer, batch, &header);
	r = complete_header(&header, batch->bytes, err);
	if (r == 0)
		r = write_file(writer, &header, batch->bytes, batch, digest, err);
	if (r == 0)
		take_written(writer, &header, digest, 0);
	return r;
}

/* In place of the first of these files, which @batch and the others are put behind. */
static int write_joined(struct archive_writer *writer, const struct archive_batch *batch,
			struct archive_joined *joined, size_t count, struct assay_error *err)
{
	struct archive_header *header = &joined->header;
	uint8_t digest[ARCHIVE_DIGEST];
	int r;

	buffer_append_bytes(&joined->content, batch->bytes);
	if (joined->content.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	header->count = batch->first + batch->count - header->first;
	r = complete_header(header, buffer_bytes(&joined->content), err);
	if (r == 0)
		r = write_file(writer, header, buffer_bytes(&joined->content), batch, digest, err);
	if (r == 0)
		take_written(writer, header, digest, count);
	return r;
}

/* 0: it was not to be joined, or it could not be: it is written alone. 1: it is written. */
static int try_joined(struct archive_writer *writer, const struct archive_batch *batch,
		      struct assay_error *err)
{
	struct archive_tail *tail = &writer->tail;
	struct archive_joined joined;
	size_t count;
	int r;

	count = archive_tail_choose(tail, batch->first, batch->bytes.size, writer->join_limit);
	if (count == 0)
		return 0;
	r = archive_joined_begin(&joined, writer->path, writer->stream,
				 tail->files[tail->count - count].number, writer->number,
				 batch->first, batch->start_count, NULL);
	if (r < 0) {
		/* Old ones were removed, or are not of the kind: it is begun anew with later ones.
		 */
		if (r != -EWOULDBLOCK)
			tail->count = 0;
		return 0;
	}
	r = write_joined(writer, batch, &joined, count, err);
	archive_joined_end(&joined);
	return r < 0 ? r : 1;
}

int archive_write(struct archive_writer *writer, const struct archive_batch *batch,
		  struct assay_error *err)
{
	int r = judge_batch(writer, batch, err);

	if (r == 0)
		r = remove_joined(writer, err);
	if (r == 0)
		r = try_joined(writer, batch, err);
	if (r == 0)
		return write_alone(writer, batch, err);
	return r < 0 ? r : 0;
}

/* The other stream's part stays as it is. */
int archive_writer_head(struct archive_writer *writer, struct assay_error *err)
{
	struct archive_current current = { 0 };
	struct archive_current_stream *said = &current.streams[writer->stream];
	struct assay_error why;
	int r;

	if (!writer->stale)
		return 0;
	/* One that is damaged, or is another boot's, is replaced. */
	r = archive_current_read(writer->path, &current, &why);
	if (archive_is_unread(r))
		return assay_fail(err, why.code, "%s", why.text);
	if (r < 0 || memcmp(current.boot_id, writer->boot_id, ARCHIVE_BOOT_ID) != 0)
		current = (struct archive_current){ 0 };
	memcpy(current.boot_id, writer->boot_id, ARCHIVE_BOOT_ID);
	if (said->oldest > writer->oldest)
		writer->oldest = said->oldest;
	said->oldest = writer->oldest > 0 ? writer->oldest : 1;
	said->number = writer->number;
	said->next = writer->next;
	memcpy(said->digest, writer->previous, ARCHIVE_DIGEST);
	r = archive_current_write(writer->path, &current, err);
	writer->stale = r < 0;
	return r;
}
