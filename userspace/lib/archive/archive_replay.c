// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_replay.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive_reader_internal.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "log/cel.h"
#include "log/cel_content.h"
#include "log/hasher.h"
#include "log/since.h"

/* Of TRIM records as many are compared; a log of a year has fewer. */
#define TRIMS_MAX (1U << 20)

/* What a TRIM record says was cut off: the bytes from @offset on had @digest. */
struct cut {
	uint64_t recnum, offset, size;
	uint8_t digest[ARCHIVE_DIGEST];
};

/**
 * struct replay - while files are gone through
 * @values, @count: what the PCR is behind the file before, if @known
 * @next: number of the record that is due
 */
struct replay {
	struct archive *archive;
	struct archive_replayed *result;
	struct hashers hashers;
	struct assay_digest values[ARCHIVE_MAX_START];
	size_t count;
	bool known;
	uint64_t next;
	struct cut *cuts;
	size_t cut_count, cut_capacity;
};

static int collect(void *context, struct bytes bytes, struct assay_error *err)
{
	struct buffer *out = context;

	if (out->size + bytes.size > ARCHIVE_REPLAY_MAX)
		return assay_fail(err, EFBIG, "it is too large");
	buffer_append_bytes(out, bytes);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static int add_cut(struct replay *replay, const struct cel_record *record, struct assay_error *err)
{
	struct assay_content content;
	struct cut *cut;

	if (record->type != ASSAY_CEL_CONTENT || assay_content_parse(record, &content, NULL) < 0 ||
	    content.kind != ASSAY_KIND_TRIM)
		return 0;
	replay->result->trims++;
	if (replay->cut_count == TRIMS_MAX || content.trim.digest.size != ARCHIVE_DIGEST ||
	    content.trim.size > content.trim.offset)
		return 0;
	if (replay->cut_count == replay->cut_capacity) {
		size_t capacity = replay->cut_capacity > 0 ? 2 * replay->cut_capacity : 64;
		struct cut *cuts = realloc(replay->cuts, capacity * sizeof(*cuts));

		if (!cuts)
			return assay_fail(err, ENOMEM, "out of memory");
		replay->cuts = cuts;
		replay->cut_capacity = capacity;
	}
	cut = &replay->cuts[replay->cut_count++];
	*cut = (struct cut){ .recnum = record->recnum,
			     .offset = content.trim.offset - content.trim.size,
			     .size = content.trim.size };
	memcpy(cut->digest, content.trim.digest.bytes, ARCHIVE_DIGEST);
	return 0;
}

static int check_records(struct replay *replay, const char *name, struct bytes content,
			 uint32_t *ret_pcr, struct assay_error *err)
{
	struct archive *archive = replay->archive;
	struct assay_error problem;
	struct cel_reader reader;
	struct cel_record record;
	bool match;
	int r;

	cel_begin(&reader, content, 0);
	while ((r = cel_next(&reader, &record, &problem)) == 1) {
		*ret_pcr = record.pcr;
		replay->result->records++;
		r = cel_digests_check(&record, &replay->hashers, &match, err);
		if (r >= 0 && !match)
			archive_note(archive, ARCHIVE_DAMAGED, ARCHIVE_LOG,
				     "%s/%s: the digest of record %" PRIu64
				     " is not that of its content",
				     archive->path, name, record.recnum);
		if (r >= 0)
			r = add_cut(replay, &record, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		archive_note(archive, ARCHIVE_DAMAGED, ARCHIVE_LOG, "%s/%s: %s", archive->path,
			     name, problem.text);
	return 0;
}

/* What the header says the PCR was must be what the file before made of it. */
static void compare_values(struct replay *replay, const char *name,
			   const struct archive_header *header)
{
	if (!replay->known || replay->next != header->first)
		return;
	for (size_t i = 0; i < header->start_count; i++)
		for (size_t j = 0; j < replay->count; j++)
			if (header->start[i].hash == replay->values[j].hash &&
			    memcmp(header->start[i].bytes, replay->values[j].bytes,
				   header->start[i].size) != 0)
				archive_note(replay->archive, ARCHIVE_CHAIN, ARCHIVE_LOG,
					     "%s/%s: the PCR was not before it what its header "
					     "says, by the records before it",
					     replay->archive->path, name);
}

static int replay_file(struct replay *replay, size_t index, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	struct archive *archive = replay->archive;
	const struct archive_file *file = &archive->streams[ARCHIVE_LOG].files[index];
	struct archive_header header;
	char name[ARCHIVE_NAME_MAX];
	uint8_t digest[ARCHIVE_DIGEST];
	uint32_t pcr = CEL_NO_PCR;
	size_t offset;
	int r;

	archive_file_name(ARCHIVE_LOG, file->number, name);
	r = archive_header(archive, ARCHIVE_LOG, index, &header, err);
	if (r == 0)
		r = archive_read_file(archive, ARCHIVE_LOG, index, 0, collect, &content, digest,
				      err);
	/* Else what keeps it from being read was noted, or it is too large. */
	if (archive_is_unread(r) && r != -ENOMEM && archive->problem_count == 0)
		archive_note(archive, ARCHIVE_UNREADABLE, ARCHIVE_LOG, "%s", err->text);
	if (r < 0) {
		replay->known = false;
		return r == -ENOMEM ? r : 0;
	}
	compare_values(replay, name, &header);
	r = check_records(replay, name, buffer_bytes(&content), &pcr, err);
	if (r < 0)
		return r;
	memcpy(replay->values, header.start, sizeof(replay->values));
	replay->count = header.start_count;
	replay->next = header.first + header.count;
	replay->known = log_since(buffer_bytes(&content), pcr, replay->next, replay->values,
				  replay->count, &offset, NULL) == 0;
	return 0;
}

/* ---------------------------------------------------------------- what was cut */

/**
 * struct comparing - the archived bytes, as they come, against what TRIM records say
 * @offset: of what comes next
 * @at: the cut that is under way
 * @inside: its begin has been seen
 */
struct comparing {
	struct replay *replay;
	EVP_MD_CTX *digest;
	uint64_t offset;
	size_t at;
	bool inside;
};

static void end_cut(struct comparing *comparing)
{
	struct replay *replay = comparing->replay;
	const struct cut *cut = &replay->cuts[comparing->at];
	uint8_t digest[EVP_MAX_MD_SIZE];

	replay->result->trims_compared++;
	if (EVP_DigestFinal_ex(comparing->digest, digest, NULL) != 1 ||
	    memcmp(digest, cut->digest, ARCHIVE_DIGEST) != 0)
		archive_note(replay->archive, ARCHIVE_CHAIN, ARCHIVE_LOG,
			     "record %" PRIu64 " (TRIM) says that other bytes were cut off the log "
			     "than the archive has",
			     cut->recnum);
	comparing->at++;
	comparing->inside = false;
}

static int compare_piece(void *context, struct bytes bytes, struct assay_error *err)
{
	struct comparing *comparing = context;
	const struct replay *replay = comparing->replay;

	while (bytes.size > 0 && comparing->at < replay->cut_count) {
		const struct cut *cut = &replay->cuts[comparing->at];
		uint64_t end = cut->offset + cut->size;
		size_t size = bytes.size;

		/* Its begin was there before the archive was. */
		if (cut->offset < comparing->offset && !comparing->inside) {
			comparing->at++;
			continue;
		}
		if (cut->offset >= comparing->offset && !comparing->inside) {
			if (cut->offset - comparing->offset < size)
				size = (size_t)(cut->offset - comparing->offset);
			if (cut->offset == comparing->offset) {
				if (EVP_DigestInit_ex2(comparing->digest,
						       digest_algorithm(ASSAY_HASH_SHA256),
						       NULL) != 1)
					return assay_fail(err, ENOMEM, "cannot begin a digest");
				comparing->inside = true;
				continue;
			}
		} else {
			if (end - comparing->offset < size)
				size = (size_t)(end - comparing->offset);
			if (EVP_DigestUpdate(comparing->digest, bytes.data, size) != 1)
				return assay_fail(err, EIO, "cannot compute a digest");
		}
		comparing->offset += size;
		bytes = BYTES(bytes.data + size, bytes.size - size);
		if (comparing->inside && comparing->offset == end)
			end_cut(comparing);
	}
	comparing->offset += bytes.size;
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct cut *left = a, *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	return left->recnum < right->recnum ? -1 : left->recnum > right->recnum;
}

/*
 * Of several records about one begin the last one counts: of one that the TPM did not take in time
 * nothing came, but its record stays.
 */
static void keep_last_cuts(struct replay *replay)
{
	size_t kept = 0;

	qsort(replay->cuts, replay->cut_count, sizeof(*replay->cuts), by_offset);
	for (size_t i = 0; i < replay->cut_count; i++)
		if (i + 1 == replay->cut_count ||
		    replay->cuts[i + 1].offset != replay->cuts[i].offset)
			replay->cuts[kept++] = replay->cuts[i];
	replay->cut_count = kept;
}

static int compare_cuts(struct replay *replay, struct assay_error *err)
{
	CLEANUP(evp_md_ctx_free_pointer) EVP_MD_CTX *digest = EVP_MD_CTX_new();
	struct comparing comparing = { .replay = replay, .digest = digest };
	size_t count;
	const struct archive_file *files = archive_files(replay->archive, ARCHIVE_LOG, &count);
	int r;

	if (!digest)
		return assay_fail(err, ENOMEM, "out of memory");
	if (replay->cut_count == 0 || count == 0)
		return 0;
	keep_last_cuts(replay);
	comparing.offset = files[0].offset;
	r = archive_read(replay->archive, ARCHIVE_LOG, files[0].first, compare_piece, &comparing,
			 err);
	/* What keeps it from being read was noted, unless it could be read before. */
	if (archive_is_unread(r) && r != -ENOMEM && replay->archive->problem_count == 0)
		archive_note(replay->archive, ARCHIVE_UNREADABLE, ARCHIVE_LOG, "%s", err->text);
	return r == -ENOMEM ? r : 0;
}

int archive_replay(struct archive *archive, struct archive_replayed *ret, struct assay_error *err)
{
	struct archive_replayed result = { 0 };
	struct replay replay = { .archive = archive, .result = &result };
	size_t count;
	int r = 0;

	archive_files(archive, ARCHIVE_LOG, &count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = replay_file(&replay, i, err);
	if (r == 0)
		r = compare_cuts(&replay, err);
	hashers_close(&replay.hashers);
	free(replay.cuts);
	if (r == 0)
		*ret = result;
	return r;
}
