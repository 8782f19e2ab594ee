// SPDX-License-Identifier: MIT
/*
 * What a pass begins from: which list there is, what of it is archived, what that comes to, and
 * whether the kernel's list is the one of the boot before, which a kexec has handed over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ima_keeper.h"

static const enum assay_hash preferred[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
					     ASSAY_HASH_SHA512 };

static int notes_path(const struct ima_keeper *keeper, char **ret, struct assay_error *err)
{
	if (asprintf(ret, "%s/" IMA_NOTES_NAME, keeper->service->config->service.state_directory) >=
	    0)
		return 0;
	*ret = NULL;
	return assay_fail(err, ENOMEM, "out of memory");
}

static int load_notes(struct ima_keeper *keeper, struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;
	int r = notes_path(keeper, &path, err);

	return r < 0 ? r : ima_notes_load(path, &keeper->notes, err);
}

int ima_keeper_note(struct ima_keeper *keeper, struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;
	int r = notes_path(keeper, &path, err);

	return r < 0 ? r : ima_notes_save(path, &keeper->notes, err);
}

/* ---------------------------------------------------------------- kexec */

/* Read a whole list, and find out whether entries of another boot are in it. */
static int scan_list(const struct ima_keeper *keeper, int fd, bool *ret_carried,
		     struct assay_error *err)
{
	uint8_t piece[IMA_PIECE];
	struct ima_running running;
	struct ima_frame frame;
	struct ima_feed feed;
	struct bytes bytes;
	bool first_is_aggregate = false;
	ssize_t size = 0;
	int r = ima_running_open(&running, &keeper->kernel.bank, 1, err);

	ima_feed_begin(&feed, keeper->kernel.bank);
	while (r == 0 && (size = read(fd, piece, sizeof(piece))) > 0) {
		r = ima_feed_add(&feed, BYTES(piece, (size_t)size), err);
		while (r == 0 && (r = ima_feed_next(&feed, &frame, &bytes, err)) == 1) {
			r = ima_running_add(&running, keeper->kernel.bank, &frame, err);
			if (running.entries == 1)
				first_is_aggregate = running.aggregates == 1;
		}
	}
	if (r == 0 && size < 0)
		r = assay_fail(err, errno, "cannot read %s: %s", keeper->kernel.path,
			       strerror(errno));
	*ret_carried = running.entries > 0 && (!first_is_aggregate || running.aggregates > 1);
	ima_running_close(&running);
	ima_feed_free(&feed);
	return r;
}

static int boot_directory(const struct ima_keeper *keeper, const char *boot_id, char **ret,
			  struct assay_error *err)
{
	if (asprintf(ret, "%s/%s", keeper->service->config->archive.directory, boot_id) >= 0)
		return 0;
	*ret = NULL;
	return assay_fail(err, ENOMEM, "out of memory");
}

/* The kernel puts an entry of its own boot behind those that it was handed: there are two then, or
 * the first is none. */
static int find_carried(const struct ima_keeper *keeper, bool *ret, struct assay_error *err)
{
	int r, fd = ima_list_open(keeper, err);

	if (fd < 0)
		return fd;
	r = scan_list(keeper, fd, ret, err);
	close(fd);
	return r;
}

/* In another boot than the notes': does the list go on with that one's? */
static int begin_boot(struct ima_keeper *keeper, struct assay_error *err)
{
	const struct ima_notes *before = &keeper->notes;
	struct ima_notes notes = { 0 };
	bool carried = false;
	int r = 0;

	memcpy(notes.boot_id, keeper->service->boot_id, sizeof(notes.boot_id));
	if (before->boot_id[0] && archive_writer_is_empty(keeper->writer))
		r = find_carried(keeper, &carried, err);
	if (r < 0)
		return r;
	if (carried) {
		notes.deleted = before->deleting ? before->deleting : before->deleted;
		notes.mirrored = before->mirrored;
		notes.record = before->record;
		memcpy(notes.before, before->boot_id, sizeof(notes.before));
	}
	keeper->notes = notes;
	return ima_keeper_note(keeper, err);
}

/* Until the first file is there, the archive of the boot before is what there is. */
static int follow_boot_before(struct ima_keeper *keeper, char **ret_directory,
			      struct assay_error *err)
{
	int r;

	if (!keeper->notes.before[0] || !archive_writer_is_empty(keeper->writer))
		return 0;
	r = boot_directory(keeper, keeper->notes.before, ret_directory, err);
	if (r == 0)
		r = archive_writer_follow(keeper->writer, *ret_directory, err);
	if (r != -ENODATA && r != -ENOENT)
		return r;
	/* That boot was not archived: all that the kernel has is. */
	free(*ret_directory);
	*ret_directory = NULL;
	keeper->notes.before[0] = '\0';
	keeper->notes.deleted = 0;
	return 0;
}

/* ---------------------------------------------------------------- notes */

/* Was what was about to be deleted deleted? Not so while it is still staged. */
static int settle_deletion(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_notes *notes = &keeper->notes;
	struct ima_keeper staged = *keeper;
	uint8_t byte;
	ssize_t size;
	int fd;

	if (notes->deleting == 0 || !keeper->kernel.staged[0])
		return 0;
	memcpy(staged.kernel.path, keeper->kernel.staged, sizeof(staged.kernel.path));
	fd = ima_list_open(&staged, err);
	if (fd < 0)
		return fd;
	size = read(fd, &byte, 1);
	close(fd);
	if (size < 0)
		return assay_fail(err, errno, "cannot read %s: %s", keeper->kernel.staged,
				  strerror(errno));
	if (size == 0)
		notes->deleted = notes->deleting;
	notes->deleting = 0;
	return 0;
}

/* ---------------------------------------------------------------- the archive */

/**
 * struct replay - the archived entries while they are read
 * @next: number of the next one
 * @extend_from: the PCR before this one is known: only from here on are they replayed
 */
struct replay {
	struct ima_keeper *keeper;
	struct ima_feed feed;
	uint64_t next, extend_from;
};

static int replay_bytes(void *context, struct bytes bytes, struct assay_error *err)
{
	struct replay *replay = context;
	struct ima_keeper *keeper = replay->keeper;
	struct ima_frame frame;
	struct bytes entry;
	int r = ima_feed_add(&replay->feed, bytes, err);

	while (r == 0 && (r = ima_feed_next(&replay->feed, &frame, &entry, err)) == 1) {
		if (replay->next >= replay->extend_from)
			r = ima_running_add(&keeper->running, replay->feed.bank, &frame, err);
		else
			r = 0;
		if (r == 0 && replay->next >= keeper->notes.deleted)
			r = ima_join_keep(&keeper->join, entry, err);
		replay->next++;
	}
	return r;
}

/* Begin with the PCR that a file names before its first entry, if it does in every bank. */
static int begin_with(struct ima_keeper *keeper, const struct archive *archive, size_t index,
		      bool *ret, struct assay_error *err)
{
	unsigned int pcr = (unsigned int)keeper->service->config->ima.pcr;
	struct archive_header header;
	size_t known = 0;
	int r = archive_header(archive, ARCHIVE_IMA, index, &header, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < keeper->bank_count; i++)
		for (size_t n = 0; n < header.start_count; n++)
			known += header.start[n].hash == keeper->banks[i];
	*ret = known == keeper->bank_count;
	for (size_t n = 0; n < header.start_count && *ret; n++)
		ima_running_begin(&keeper->running, pcr, &header.start[n], header.first);
	return 0;
}

/*
 * Where to begin, so that all is met that the kernel still has, and the newest file is replayed:
 * what the PCR was before that, it says itself. Where older files were removed, what they held is
 * passed over in the list without being compared.
 */
static int begin_replay(struct ima_keeper *keeper, const struct archive *archive,
			struct replay *replay, struct assay_error *err)
{
	uint64_t deleted = keeper->notes.deleted, oldest = archive_begin(archive, ARCHIVE_IMA);
	size_t count, i;
	const struct archive_file *files = archive_files(archive, ARCHIVE_IMA, &count);
	bool known = false;
	int r;

	replay->next = replay->extend_from = oldest;
	if (count == 0)
		return 0;
	for (i = count - 1; i > 0 && files[i].first > deleted;)
		i--;
	/* Else from the first entry of all, or of the boot before. */
	if (files[i].first <= deleted || oldest == files[i].first)
		replay->next = files[i].first;
	if (replay->next > deleted)
		keeper->join.skip = replay->next - deleted;
	r = begin_with(keeper, archive, count - 1, &known, err);
	replay->extend_from = known ? files[count - 1].first : oldest;
	/* A bank came later than the newest file: all that there is is replayed. */
	if (!known)
		replay->next = oldest;
	return r;
}

static int replay_archive(struct ima_keeper *keeper, const char *directory, struct assay_error *err)
{
	struct replay replay = { .keeper = keeper };
	struct archive *archive;
	int r = archive_open(directory, &archive, err);

	if (r < 0)
		return r;
	r = begin_replay(keeper, archive, &replay, err);
	ima_feed_begin(&replay.feed, keeper->kernel.bank);
	if (r == 0)
		r = archive_read(archive, ARCHIVE_IMA, replay.next, replay_bytes, &replay, err);
	ima_feed_free(&replay.feed);
	archive_close(archive);
	return r;
}

static int open_writer(struct ima_keeper *keeper, struct assay_error *err)
{
	const char *boot_id = keeper->service->boot_id;
	int r = archive_writer_open(keeper->directory, ARCHIVE_IMA, boot_id, &keeper->writer, err);

	if (r != -EBADMSG)
		return r;
	/* What a damaged file held is written once more, if the kernel has it. */
	r = archive_set_aside(keeper->directory, ARCHIVE_IMA, keeper->notes.deleted, err);
	if (r < 0)
		return r;
	return archive_writer_open(keeper->directory, ARCHIVE_IMA, boot_id, &keeper->writer, err);
}

static int open_archive(struct ima_keeper *keeper, struct assay_error *err)
{
	const char *parent = keeper->service->config->archive.directory;
	int r;

	if (mkdir(parent, 0750) < 0 && errno != EEXIST)
		return assay_fail(err, errno, "cannot make the directory %s: %s", parent,
				  strerror(errno));
	r = boot_directory(keeper, keeper->service->boot_id, &keeper->directory, err);
	return r < 0 ? r : open_writer(keeper, err);
}

static int choose_list(struct ima_keeper *keeper, struct assay_error *err)
{
	const struct config *config = keeper->service->config;
	enum assay_hash bank = archive_writer_bank(keeper->writer);
	size_t count = sizeof(preferred) / sizeof(preferred[0]);
	int r = bank == ASSAY_HASH_NONE ?
			ima_kernel_find(config->ima.directory, preferred, count, &keeper->kernel,
					err) :
			ima_kernel_find(config->ima.directory, &bank, 1, &keeper->kernel, err);

	if (r < 0)
		return assay_fail_context(err, "there is no list to keep (else set keep=no in "
					       "[ima])");
	if (bank != ASSAY_HASH_NONE && keeper->kernel.bank != bank)
		return assay_fail(err, ENOTSUP,
				  "%s has a list of bank %s, and this kernel has none of it: move "
				  "the directory away",
				  keeper->directory, assay_hash_name(bank));
	keeper->staging = config->ima.staging != IMA_STAGING_NO && keeper->kernel.staged[0];
	if (config->ima.staging == IMA_STAGING_YES && !keeper->staging)
		return assay_fail(err, ENOTSUP,
				  "this kernel cannot stage IMA's list (CONFIG_IMA_STAGING, Linux "
				  "7.2): set staging in [ima] to auto");
	return 0;
}

static int begin_banks(struct ima_keeper *keeper, struct assay_error *err)
{
	keeper->bank_count = ima_pcr_banks(keeper->service->config, keeper->banks);
	if (keeper->bank_count == 0)
		keeper->banks[keeper->bank_count++] = keeper->kernel.bank;
	return ima_running_open(&keeper->running, keeper->banks, keeper->bank_count, err);
}

/*
 * The archive has less than was deleted in the kernel: its directory, or files of it, were moved
 * away. What is gone is told. The list goes on behind what is there, and none of it is passed over.
 */
static int settle_archive(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_notes *notes = &keeper->notes;

	if (notes->deleted <= keeper->archived)
		return 0;
	problem_set(keeper->service, keeper->part->name, "gone",
		    "%s has %" PRIu64 " entries of IMA's list, and %" PRIu64
		    " were archived and deleted from the kernel: the archive was moved away or "
		    "removed; put it back from a copy, with the service stopped",
		    keeper->directory, keeper->archived, notes->deleted);
	if (notes->mirrored > keeper->archived)
		notes->mirrored =
			keeper->archived +
			(notes->mirrored > notes->deleted ? notes->mirrored - notes->deleted : 0);
	notes->deleted = keeper->archived;
	return ima_keeper_note(keeper, err);
}

int ima_keeper_load(struct ima_keeper *keeper, struct assay_error *err)
{
	CLEANUP(free_pointer) char *before = NULL;
	int r = load_notes(keeper, err);
	bool same;

	if (r == 0)
		r = open_archive(keeper, err);
	/* Until then another process may have had the archive's lock, and written them. */
	if (r == 0)
		r = load_notes(keeper, err);
	if (r == 0)
		r = choose_list(keeper, err);
	if (r < 0)
		return r;
	same = strcmp(keeper->notes.boot_id, keeper->service->boot_id) == 0;
	r = same ? settle_deletion(keeper, err) : begin_boot(keeper, err);
	if (r == 0)
		r = follow_boot_before(keeper, &before, err);
	if (r == 0)
		r = begin_banks(keeper, err);
	if (r == 0)
		r = replay_archive(keeper, before ? before : keeper->directory, err);
	if (r < 0)
		return r;
	keeper->archived = keeper->running.entries;
	if (keeper->archived != archive_writer_next(keeper->writer))
		return assay_fail(
			err, EPROTO, "%s has %llu entries of IMA's list, and %llu could be read",
			keeper->directory, (unsigned long long)archive_writer_next(keeper->writer),
			(unsigned long long)keeper->archived);
	r = settle_archive(keeper, err);
	if (r < 0)
		return r;
	ima_feed_begin(&keeper->feed, keeper->kernel.bank);
	keeper->loaded = true;
	return 0;
}

void ima_keeper_unload(struct ima_keeper *keeper)
{
	ima_list_close(keeper);
	archive_writer_close(keeper->writer);
	keeper->writer = NULL;
	ima_running_close(&keeper->running);
	keeper->running = (struct ima_running){ 0 };
	ima_join_free(&keeper->join);
	ima_feed_free(&keeper->feed);
	buffer_free(&keeper->batch);
	keeper->batch = (struct buffer){ 0 };
	keeper->batch_count = 0;
	free(keeper->directory);
	keeper->directory = NULL;
	keeper->loaded = keeper->passing = false;
}
