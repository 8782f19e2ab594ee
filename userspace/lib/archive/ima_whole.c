// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/ima_whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/archive_reader.h"
#include "archive/ima_notes.h"
#include "base/cleanup.h"
#include "log/ima_feed.h"
#include "log/ima_kernel.h"
#include "log/ima_overlap.h"

/* The service keeps readers out for as long as it takes to archive what is staged. */
#define BUSY_TRIES 100
#define BUSY_PAUSE 50000000 /* ns */
#define PIECE (64U << 10)

/* struct prints - of entries, in order */
struct prints {
	ima_print *list;
	size_t count, capacity;
};

static int add_print(struct prints *prints, struct bytes entry, struct assay_error *err)
{
	if (prints->count == prints->capacity) {
		size_t capacity = prints->capacity ? 2 * prints->capacity : 1024;
		ima_print *list = realloc(prints->list, capacity * sizeof(*list));

		if (!list)
			return assay_fail(err, ENOMEM, "out of memory for %zu entries", capacity);
		prints->list = list;
		prints->capacity = capacity;
	}
	return ima_print_of(entry, &prints->list[prints->count++], err);
}

static void free_prints(struct prints *prints)
{
	free(prints->list);
}

/* Append @bytes to @out as long as it is small enough. */
static int append_limited(struct buffer *out, struct bytes bytes, size_t limit,
			  struct assay_error *err)
{
	if (bytes.size > limit || out->size > limit - bytes.size)
		return assay_fail(err, EFBIG, "IMA's list has more than %zu bytes", limit);
	buffer_append_bytes(out, bytes);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory for IMA's list") : 0;
}

/* ---------------------------------------------------------------- the kernel's part */

static int open_list(const char *path, struct assay_error *err)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	for (int i = 0; fd < 0 && errno == EBUSY && i < BUSY_TRIES; i++) {
		nanosleep(&pause, NULL);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd >= 0 ? fd : assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
}

static int read_list(const char *path, int fd, size_t limit, struct buffer *out,
		     struct assay_error *err)
{
	uint8_t piece[PIECE];
	ssize_t size;
	int r = 0;

	while (r == 0 && (size = read(fd, piece, sizeof(piece))) != 0) {
		if (size < 0)
			return assay_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
		r = append_limited(out, BYTES(piece, (size_t)size), limit, err);
	}
	return r;
}

/**
 * struct kernel_part - what the kernel has
 * @fds: of what is staged and of the list; while they are open, nobody can delete entries
 * @own: the last entry that stands for a boot; 0 where that is the first, or none does
 */
struct kernel_part {
	int fds[2];
	struct buffer list;
	struct prints prints;
	size_t own;
};

static void close_kernel(struct kernel_part *part)
{
	for (size_t i = 0; i < 2; i++)
		if (part->fds[i] >= 0)
			close(part->fds[i]);
	buffer_free(&part->list);
	free_prints(&part->prints);
}

static int read_kernel(const struct ima_kernel *kernel, size_t limit, struct kernel_part *part,
		       struct assay_error *err)
{
	const char *paths[] = { kernel->staged, kernel->path };
	int r = 0;

	for (size_t i = 0; i < 2 && r == 0; i++) {
		if (!paths[i][0])
			continue;
		part->fds[i] = open_list(paths[i], err);
		r = part->fds[i] < 0 ? part->fds[i] : 0;
	}
	for (size_t i = 0; i < 2 && r == 0; i++)
		if (part->fds[i] >= 0)
			r = read_list(paths[i], part->fds[i], limit, &part->list, err);
	return r;
}

static int print_kernel(struct kernel_part *part, enum assay_hash bank, bool *ret_whole,
			struct assay_error *err)
{
	struct ima_reader reader;
	struct ima_entry entry;
	int r = 0;

	*ret_whole = true;
	ima_begin(&reader, buffer_bytes(&part->list), bank);
	while (r == 0 && (r = ima_next(&reader, &entry, err)) == 1) {
		if (part->prints.count == 0)
			*ret_whole = entry.boot_aggregate != IMA_NO_BOOT_AGGREGATE;
		if (entry.boot_aggregate != IMA_NO_BOOT_AGGREGATE)
			part->own = part->prints.count;
		r = add_print(&part->prints,
			      BYTES(part->list.data + entry.offset,
				    (size_t)(reader.offset - entry.offset)),
			      err);
	}
	return r;
}

/* ---------------------------------------------------------------- the archive's */

struct archive_part {
	struct ima_feed feed;
	struct prints prints;
	struct buffer *out;
	size_t limit;
};

static int take_archived(void *context, struct bytes bytes, struct assay_error *err)
{
	struct archive_part *part = context;
	struct ima_frame frame;
	struct bytes entry;
	int r = append_limited(part->out, bytes, part->limit, err);

	if (r == 0)
		r = ima_feed_add(&part->feed, bytes, err);
	while (r == 0 && (r = ima_feed_next(&part->feed, &frame, &entry, err)) == 1)
		r = add_print(&part->prints, entry, err);
	return r;
}

/* The bank of the archive's list; ASSAY_HASH_NONE where there is none. */
static int find_bank(const char *path, enum assay_hash *ret, struct assay_error *err)
{
	struct archive_header header = { 0 };
	struct archive *archive;
	size_t count;
	int r;

	*ret = ASSAY_HASH_NONE;
	if (!path || !archive_is(path))
		return 0;
	r = archive_open(path, &archive, err);
	if (r < 0)
		return r;
	(void)archive_files(archive, ARCHIVE_IMA, &count);
	if (count > 0)
		r = archive_header(archive, ARCHIVE_IMA, count - 1, &header, err);
	if (r == 0 && count > 0)
		*ret = header.bank;
	archive_close(archive);
	return r;
}

static int read_archive(const char *path, struct archive_part *part, struct assay_error *err)
{
	struct archive *archive;
	int r = archive_open(path, &archive, err);

	if (r < 0)
		return r;
	r = archive_read(archive, ARCHIVE_IMA, 0, take_archived, part, err);
	archive_close(archive);
	return r;
}

/* ---------------------------------------------------------------- both */

/* Is the kernel's list what the service's notes say? They are of this archive. */
static bool notes_fit(const struct ima_notes *notes, const struct prints *archived,
		      const struct prints *kernel)
{
	uint64_t kept = ima_notes_kept(notes);
	size_t expected;

	if (kept > archived->count)
		return false;
	expected = (size_t)(archived->count - notes->deleted);
	return expected <= kernel->count &&
	       memcmp(archived->list + kept, kernel->list + (kept - notes->deleted),
		      (size_t)(archived->count - kept) * sizeof(*kernel->list)) == 0;
}

/* As the entries say, if the kernel's list began with the archived one of number @from. */
static int meet(const struct prints *archived, size_t from, const struct kernel_part *kernel,
		size_t *ret, struct assay_error *err)
{
	struct ima_meeting meeting = { 0 };
	int r = ima_meet(archived->list + from, archived->count - from, kernel->prints.list,
			 kernel->prints.count, kernel->own, &meeting, err);

	*ret = meeting.known;
	return r;
}

/*
 * How many of the kernel's entries are archived: as the service's notes say, if the entries are so;
 * else as the entries say alone.
 */
static int find_overlap(const struct ima_places *places, const struct prints *archived,
			const struct kernel_part *kernel, size_t *ret, struct assay_error *err)
{
	struct ima_notes notes = { 0 };
	size_t from = 0, all;
	int r;

	if (places->notes && ima_notes_load(places->notes, &notes, NULL) == 0 && notes.boot_id[0] &&
	    strstr(places->archive, notes.boot_id) && notes.deleted <= archived->count) {
		from = (size_t)notes.deleted;
		if (from == archived->count || notes_fit(&notes, archived, &kernel->prints)) {
			*ret = archived->count - from;
			return 0;
		}
	}
	r = meet(archived, from, kernel, ret, err);
	if (r == 0 && from > 0)
		r = meet(archived, 0, kernel, &all, err);
	if (r == 0 && from > 0 && all > *ret)
		*ret = all;
	return r;
}

/* The kernel's entries behind the first @overlap. */
static int append_rest(const struct kernel_part *part, enum assay_hash bank, size_t overlap,
		       size_t limit, struct buffer *out, struct assay_error *err)
{
	struct ima_reader reader;
	struct ima_frame frame;

	ima_begin(&reader, buffer_bytes(&part->list), bank);
	for (size_t i = 0; i < overlap; i++)
		if (ima_skim(&reader, &frame, err) != 1)
			return err ? -err->code : -EBADMSG;
	return append_limited(out, reader.rest, limit, err);
}

static int join_parts(const struct ima_places *places, enum assay_hash bank,
		      struct kernel_part *kernel, size_t limit, struct buffer *out,
		      struct ima_whole *ret, struct assay_error *err)
{
	struct archive_part archived = { .out = out, .limit = limit };
	size_t overlap = 0;
	bool whole;
	int r = print_kernel(kernel, bank, &whole, err);

	ima_feed_begin(&archived.feed, bank);
	if (r == 0 && places->archive && archive_is(places->archive))
		r = read_archive(places->archive, &archived, err);
	if (r == 0 && archived.prints.count > 0)
		r = find_overlap(places, &archived.prints, kernel, &overlap, err);
	if (r == 0 && archived.prints.count == 0 && !whole)
		r = assay_fail(err, ESTALE,
			       "the kernel's list does not begin with the boot: entries were "
			       "deleted from it; name the archive that has them");
	if (r == 0)
		r = append_rest(kernel, bank, overlap, limit, out, err);
	ret->archived = archived.prints.count;
	ret->kernel = kernel->prints.count;
	ret->entries = ret->archived + ret->kernel - overlap;
	ima_feed_free(&archived.feed);
	free_prints(&archived.prints);
	return r;
}

static int rebank(struct buffer *list, size_t from, enum assay_hash bank, enum assay_hash wanted,
		  struct assay_error *err)
{
	struct buffer out = { 0 };
	struct ima_reader reader;
	struct ima_frame frame;
	struct hasher hasher;
	int r = hasher_open(&hasher, wanted, err);

	if (r < 0)
		return r;
	buffer_append(&out, list->data, from);
	ima_begin(&reader, BYTES(list->data + from, list->size - from), bank);
	while (r == 0 && (r = ima_skim(&reader, &frame, err)) == 1)
		r = ima_frame_rebank(&frame, bank, &hasher, &out, err);
	hasher_close(&hasher);
	if (r < 0) {
		buffer_free(&out);
		return r;
	}
	buffer_free(list);
	*list = out;
	return 0;
}

int ima_whole_read(const struct ima_places *places, enum assay_hash bank, size_t limit,
		   struct buffer *out, struct ima_whole *ret, struct assay_error *err)
{
	struct kernel_part part = { .fds = { -1, -1 } };
	enum assay_hash archived = ASSAY_HASH_NONE;
	struct ima_kernel kernel = { 0 };
	size_t from = out->size;
	int r = find_bank(places->archive, &archived, err);

	if (r == 0)
		r = ima_kernel_find(places->kernel, archived == ASSAY_HASH_NONE ? &bank : &archived,
				    1, &kernel, err);
	if (r == 0 && archived != ASSAY_HASH_NONE && kernel.bank != archived)
		r = assay_fail(err, ENOTSUP, "%s is of bank %s, of which the kernel has no list",
			       places->archive, assay_hash_name(archived));
	if (r == 0)
		r = read_kernel(&kernel, limit, &part, err);
	if (r == 0)
		r = join_parts(places, kernel.bank, &part, limit, out, ret, err);
	close_kernel(&part);
	if (r < 0)
		return r;
	ret->bank = kernel.bank;
	if (archived == ASSAY_HASH_NONE || archived == bank)
		return 0;
	ret->bank = bank;
	return rebank(out, from, archived, bank, err);
}
