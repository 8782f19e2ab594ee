/* SPDX-License-Identifier: MIT */
/*
 * The part `ima`: keeps IMA's list whole and small. Each entry is archived once, in order;
 * the replay is compared with the TPM's PCR; the kernel's copy is deleted where it can be; and
 * where IMA never extends the TPM, the entries are mirrored in assay's log. What its files share.
 *
 * The work is done in passes: a pass opens the list, reads what is new in pieces, one a call of the
 * loop, and ends at the list's end. Whatever fails, all that is in memory is dropped, and the
 * next pass begins from what is durable: the archive and ima.json.
 */
#ifndef ASSAY_ASSAYD_IMA_KEEPER_H
#define ASSAY_ASSAYD_IMA_KEEPER_H

#include "archive/archive_writer.h"
#include "archive/ima_notes.h"
#include "log/ima_feed.h"
#include "log/ima_kernel.h"
#include "log/ima_overlap.h"
#include "service.h"

/* Bytes read at a time, and bytes and entries of a file of the archive, about. */
#define IMA_PIECE (64U << 10)
#define IMA_FILE_BYTES (512U << 10)
#define IMA_FILE_ENTRIES 16384
/* Archived entries that the kernel still has, at most: their prints are kept in memory. */
#define IMA_KEPT_MAX (1U << 20)

/* How PCR and list belong together. */
enum ima_anchor {
	IMA_UNKNOWN,  /* not compared yet, or there is no TPM */
	IMA_VERIFIED, /* what is archived, up to struct ima_keeper.verified, comes to the PCR */
	IMA_BYPASSED, /* IMA never extended the PCR: it started before the TPM's driver */
	IMA_DIFFERS,  /* the PCR is something else */
};

/**
 * struct ima_join - finding where the kernel's list goes on from the archive
 * @prints: of the archived entries that the kernel should still have
 * @count, @capacity: of these
 * @unknown: entries that it should have before those, whose prints are not known
 * @list, @list_capacity: prints of the list's beginning, as it was met
 * @met: entries of it
 * @own: the last of these that stands for a boot; 0 where that is the first, or none does
 * @differs: one of them was not what is archived
 */
struct ima_join {
	ima_print *prints;
	size_t count, capacity;
	size_t unknown;
	ima_print *list;
	size_t met, list_capacity;
	size_t own;
	bool differs;
};

/**
 * struct ima_rejoin - what came of the list's beginning
 * @missing: entries that are archived and the kernel does not have
 * @handed, @run: of those that it has, how many a kexec has handed over, and others have come
 * behind them in the archive; and how many there are behind that, which the archive ends with
 */
struct ima_rejoin {
	uint64_t missing, handed, run;
};

struct ima_mirror;
struct ima_loading;

/**
 * struct ima_keeper - the part
 * @directory: of this boot's archive
 * @banks, @bank_count: that are replayed: those of the TPM, or the list's
 * @staging: by staging and deleting; else by following
 * @loaded: what follows is as the archive says; until then @loading is how far that is
 * @not_carried: it was found out that the list does not go on from another boot's
 * @running: the replay, up to the last entry that was taken
 * @fd: the list, or what is staged; -1
 * @staged_fd: what is staged, where it is followed: it is read before the list; -1
 * @reading_staged: it is
 * @staged_count: entries of it in the pass before
 * @perhaps_deleted: number up to which the kernel before a kexec may have deleted entries
 * @seen: number of the entry that is read next: of the whole list, from 0 on
 * @passing: a pass is under way
 * @leftover: it is over what was staged before; nothing is compared with the PCR after it
 * @batch: whole entries for the next file, from number @batch_first on
 * @batch_start, @batch_start_count: the PCR before them
 * @expected, @expected_count: the PCR before the pass, in each bank
 * @reached: the replay was that
 * @pending, @pending_since: entries that wait, and since when; 0: none do
 * @failures: passes in a row that failed
 * @passes: that have ended
 * @archived, @verified: entries
 * @mirror: of ima_keeper_mirror.c
 */
struct ima_keeper {
	struct service *service;
	struct part *part;
	struct loop_timer *timer;
	struct ima_notes notes;

	struct ima_kernel kernel;
	char *directory;
	enum assay_hash banks[HASHERS_MAX];
	size_t bank_count;
	bool staging, loaded, not_carried;
	struct ima_loading *loading;
	struct archive_writer *writer;
	struct ima_running running;
	struct ima_join join;
	struct ima_feed feed;
	int fd, staged_fd;
	bool reading_staged;
	uint64_t staged_count;
	uint64_t perhaps_deleted;
	uint64_t seen;

	bool passing, leftover;
	struct buffer batch;
	uint64_t batch_first, batch_offset, batch_count;
	struct assay_digest batch_start[HASHERS_MAX];
	size_t batch_start_count;
	struct assay_digest expected[HASHERS_MAX];
	size_t expected_count;
	bool reached;

	uint64_t pending, pending_since;
	unsigned int failures;
	uint64_t archived, verified, passes;
	enum ima_anchor anchor;
	struct ima_mirror *mirror;
};

/* ---- ima_keeper_load.c */

/*
 * ima_keeper_load() - find the list, open the archive, and replay it; a step of that each time
 * Return: 1: there is more; 0: it is loaded; -errno
 */
int ima_keeper_load(struct ima_keeper *keeper, struct assay_error *err);
/* ima_keeper_unload() - drop all of that */
void ima_keeper_unload(struct ima_keeper *keeper);
/* ima_keeper_note() - make keeper->notes durable */
int ima_keeper_note(struct ima_keeper *keeper, struct assay_error *err);

/* ---- ima_keeper_join.c */

/* ima_join_keep() - an archived entry that the kernel should still have; -E2BIG, -ENOMEM */
int ima_join_keep(struct ima_join *join, struct bytes entry, struct assay_error *err);
/* ima_join_take() - likewise, of one that was new in the list */
int ima_join_take(struct ima_join *join, struct bytes entry, struct assay_error *err);
void ima_join_free(struct ima_join *join);

/* What is to be done with an entry of the list. */
enum ima_step {
	IMA_TAKE, /* it is new */
	IMA_PASS, /* it is archived already */
	IMA_ELSE, /* the list's beginning is not what is archived: see ima_join_restart() */
};

/*
 * ima_join_step() - the next entry of the list; enum ima_step or -errno
 * @begins_boot: it stands for a boot
 */
int ima_join_step(struct ima_join *join, struct bytes entry, bool begins_boot,
		  struct assay_error *err);
/*
 * ima_join_knows() - is all that came archived, one behind the other, wherever the archive has it?
 * If not, some of it may be new: see ima_join_restart().
 * @ret_before: entries that are archived before those
 */
bool ima_join_knows(const struct ima_join *join, size_t *ret_before);
/* ima_join_drop() - the kernel has @count entries less at its list's beginning, which is read anew
 */
void ima_join_drop(struct ima_join *join, size_t count);
/*
 * ima_join_restart() - the list was looked through, or it ends before all that was kept came
 * It is to be read from its beginning once more; what of it is archived is known then.
 */
int ima_join_restart(struct ima_join *join, struct ima_rejoin *ret, struct assay_error *err);
/* ima_join_again() - the list is read from its beginning */
void ima_join_again(struct ima_join *join);
/* ima_join_is_open() - archived entries are still due */
bool ima_join_is_open(const struct ima_join *join);

/* ---- ima_keeper_list.c: the list, followed or staged */

/* ima_list_prepare() - as root: have the group write to what is staged */
void ima_list_prepare(const struct config *config, unsigned int gid);
/* ima_list_begin() - open it; 1 if there is something to read, 0 if not, -errno */
int ima_list_begin(struct ima_keeper *keeper, struct assay_error *err);
/* ima_list_read() - its next bytes; 0 at its end, -errno */
ssize_t ima_list_read(struct ima_keeper *keeper, void *buffer, size_t size,
		      struct assay_error *err);
/* ima_list_again() - from its first entry; of what is staged, what is staged now */
int ima_list_again(struct ima_keeper *keeper, struct assay_error *err);
/* ima_list_end() - all that was read is durable: delete it where that is done. */
int ima_list_end(struct ima_keeper *keeper, struct assay_error *err);
void ima_list_close(struct ima_keeper *keeper);
/* ima_list_open() - the list, for reading: a descriptor or -errno */
int ima_list_open(const struct ima_keeper *keeper, struct assay_error *err);

/* ima_list_count() - entries in the kernel's list, without what is staged; -errno */
int ima_list_count(const struct ima_keeper *keeper, uint64_t *ret);

/* ---- ima_keeper_mirror.c: entries in assay's log, where the TPM has none of them */
int ima_mirror_open(struct ima_keeper *keeper, struct assay_error *err);
void ima_mirror_close(struct ima_keeper *keeper);
/* ima_mirror_device() - /dev/assay is there, or no more (NULL) */
void ima_mirror_device(struct ima_keeper *keeper, const struct device *device);
/* ima_mirror_due() - there may be more to mirror */
void ima_mirror_due(struct ima_keeper *keeper);

/* ---- ima_keeper_pcr.c: what the TPM has */

/* ima_pcr_banks() - the banks whose PCR the kernel shows; 0 where there is no TPM */
size_t ima_pcr_banks(const struct config *config, enum assay_hash banks[HASHERS_MAX]);
/* ima_pcr_extended() - in the first bank where anything extended it; of size 0 where nothing did */
void ima_pcr_extended(const struct config *config, struct assay_digest *ret);
/* ima_pcr_read() - the PCR, into keeper->expected; none where there is no TPM */
void ima_pcr_read(struct ima_keeper *keeper);
/* ima_pcr_compare() - is the replay what was read? */
void ima_pcr_compare(struct ima_keeper *keeper);
/* ima_pcr_judge() - after a whole pass */
void ima_pcr_judge(struct ima_keeper *keeper);

#endif /* ASSAY_ASSAYD_IMA_KEEPER_H */
