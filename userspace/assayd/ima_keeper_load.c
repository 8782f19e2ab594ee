// SPDX-License-Identifier: MIT
/*
 * What a pass begins from: which list there is, what of it is archived, and what that comes to.
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
#include "ima_keeper_steps.h"

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

static int open_writer(struct ima_keeper *keeper, struct assay_error *err)
{
	const char *boot_id = keeper->service->boot_id;
	int r = archive_writer_open(keeper->directory, ARCHIVE_IMA, boot_id, &keeper->writer, err);

	if (r != -EBADMSG)
		return r;
	/* What a damaged file held is written once more, if the kernel has it. */
	r = archive_set_aside(keeper->directory, ARCHIVE_IMA, ima_notes_kept(&keeper->notes), err);
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
	r = ima_boot_directory(keeper, keeper->service->boot_id, &keeper->directory, err);
	if (r == 0)
		r = open_writer(keeper, err);
	if (r == 0)
		archive_writer_join(keeper->writer, IMA_FILE_BYTES);
	return r;
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

/* Entries behind what a kexec has handed over are not archived any more, and get other numbers. */
static void shorten_behind(struct ima_keeper *keeper)
{
	struct ima_notes *notes = &keeper->notes;
	uint64_t less;

	if (notes->behind <= notes->deleted || notes->behind <= keeper->archived)
		return;
	less = notes->behind - keeper->archived;
	notes->behind -= less;
	notes->deleted = notes->deleted > less ? notes->deleted - less : 0;
}

/*
 * The archive has less than was deleted in the kernel: its directory, or files of it, were moved
 * away. What is gone is told. The list goes on behind what is there, and none of it is passed over.
 */
static int settle_archive(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_notes *notes = &keeper->notes;

	if (notes->deleted <= keeper->archived) {
		shorten_behind(keeper);
		return 0;
	}
	ima_join_free(&keeper->join);
	notes->behind = 0;
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

/* ---------------------------------------------------------------- all of it, in steps */

enum stage {
	STAGE_OPEN,   /* notes and archive */
	STAGE_SCAN,   /* the kernel's list, in another boot than the notes' */
	STAGE_BEGIN,  /* what is the archive's, and what the boot before's */
	STAGE_LOOK,   /* headers of the archive's files */
	STAGE_REPLAY, /* its files */
	STAGE_ASK,    /* the kernel's list once more: does it go on from what they came to? */
	STAGE_END,
};

/* Headers that are read in a step. */
#define HEADERS_AT_ONCE 64

/**
 * struct ima_loading - how far it is
 * @scan: of STAGE_SCAN and STAGE_ASK; @carried: whether there was a kexec
 * @archive, @replay: of STAGE_LOOK and STAGE_REPLAY; entries from @from on are wanted
 */
struct ima_loading {
	enum stage stage;
	struct ima_scan scan;
	enum ima_carried carried;
	struct archive *archive;
	struct ima_replay replay;
	uint64_t from;
};

static bool is_same_boot(const struct ima_keeper *keeper)
{
	return strcmp(keeper->notes.boot_id, keeper->service->boot_id) == 0;
}

static int load_open(struct ima_keeper *keeper, struct ima_loading *loading,
		     struct assay_error *err)
{
	int r = load_notes(keeper, err);

	if (r == 0)
		r = open_archive(keeper, err);
	/* Until then another process may have had the archive's lock, and written them. */
	if (r == 0)
		r = load_notes(keeper, err);
	if (r == 0)
		r = choose_list(keeper, err);
	loading->stage = STAGE_BEGIN;
	if (r < 0 || is_same_boot(keeper) || !keeper->notes.boot_id[0] ||
	    !archive_writer_is_empty(keeper->writer))
		return r;
	loading->stage = STAGE_SCAN;
	return ima_scan_begin(&loading->scan, keeper, NULL, err);
}

static int load_scan(struct ima_keeper *keeper, struct ima_loading *loading,
		     struct assay_error *err)
{
	int r = ima_scan_on(&loading->scan, keeper, err);

	if (r != 0)
		return r;
	loading->carried = ima_scan_carried(&loading->scan);
	if (loading->carried == IMA_MAY_BE_CARRIED && keeper->not_carried)
		loading->carried = IMA_NOT_CARRIED;
	ima_scan_end(&loading->scan);
	loading->stage = STAGE_BEGIN;
	return 0;
}

static int load_begin(struct ima_keeper *keeper, struct ima_loading *loading,
		      struct assay_error *err)
{
	CLEANUP(free_pointer) char *before = NULL;
	int r = is_same_boot(keeper) ? settle_deletion(keeper, err) :
				       ima_boot_begin(keeper, loading->carried, err);

	if (r == 0)
		r = ima_boot_follow(keeper, &loading->carried, &before, err);
	if (r == 0)
		r = begin_banks(keeper, err);
	if (r == 0)
		r = archive_look(before ? before : keeper->directory, &loading->archive, err);
	loading->stage = STAGE_LOOK;
	return r;
}

static int load_look(struct ima_keeper *keeper, struct ima_loading *loading,
		     struct assay_error *err)
{
	int r;

	if (archive_look_on(loading->archive, HEADERS_AT_ONCE) > 0)
		return 0;
	archive_follow(loading->archive);
	loading->stage = STAGE_REPLAY;
	r = ima_replay_begin(&loading->replay, keeper, loading->archive, err);
	loading->from = loading->replay.next;
	return r;
}

/* Each file's entries are whole. */
static int load_replay(struct ima_keeper *keeper, struct ima_loading *loading,
		       struct assay_error *err)
{
	struct ima_replay *replay = &loading->replay;
	uint64_t next = replay->next;

	if (next < archive_end(loading->archive, ARCHIVE_IMA))
		return archive_read_next(loading->archive, ARCHIVE_IMA, loading->from, &next,
					 ima_replay_bytes, replay, err);
	if (loading->carried != IMA_MAY_BE_CARRIED) {
		loading->stage = STAGE_END;
		return 0;
	}
	loading->stage = STAGE_ASK;
	return ima_scan_begin(&loading->scan, keeper, &keeper->running, err);
}

static int load_ask(struct ima_keeper *keeper, struct ima_loading *loading, struct assay_error *err)
{
	int r = ima_scan_on(&loading->scan, keeper, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (!loading->scan.reached) {
		/* Something else has extended the PCR. All begins anew, as in a boot of its own. */
		keeper->not_carried = true;
		ima_keeper_unload(keeper);
		return 0;
	}
	ima_scan_end(&loading->scan);
	loading->stage = STAGE_END;
	return ima_keeper_note(keeper, err);
}

static int load_end(struct ima_keeper *keeper, struct assay_error *err)
{
	int r = archive_unread(keeper->loading->archive, ARCHIVE_IMA, err);

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

static void free_loading(struct ima_keeper *keeper)
{
	struct ima_loading *loading = keeper->loading;

	if (!loading)
		return;
	ima_scan_end(&loading->scan);
	archive_close(loading->archive);
	ima_replay_end(&loading->replay);
	free(loading);
	keeper->loading = NULL;
}

static int load_step(struct ima_keeper *keeper, struct assay_error *err)
{
	struct ima_loading *loading = keeper->loading;

	switch (loading->stage) {
	case STAGE_OPEN:
		return load_open(keeper, loading, err);
	case STAGE_SCAN:
		return load_scan(keeper, loading, err);
	case STAGE_BEGIN:
		return load_begin(keeper, loading, err);
	case STAGE_LOOK:
		return load_look(keeper, loading, err);
	case STAGE_REPLAY:
		return load_replay(keeper, loading, err);
	case STAGE_ASK:
		return load_ask(keeper, loading, err);
	default:
		return load_end(keeper, err);
	}
}

int ima_keeper_load(struct ima_keeper *keeper, struct assay_error *err)
{
	int r;

	if (!keeper->loading) {
		keeper->loading = calloc(1, sizeof(*keeper->loading));
		if (!keeper->loading)
			return assay_fail(err, ENOMEM, "out of memory");
		keeper->loading->scan.fd = -1;
	}
	r = load_step(keeper, err);
	if (r < 0)
		return r;
	if (!keeper->loaded)
		return 1;
	free_loading(keeper);
	return 0;
}

void ima_keeper_unload(struct ima_keeper *keeper)
{
	free_loading(keeper);
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
	keeper->staged_count = 0;
}
