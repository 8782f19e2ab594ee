/* SPDX-License-Identifier: MIT */
/* What ima_keeper_load.c loads with: the kernel's list after kexec, and the archive, in steps. */
#ifndef ASSAY_ASSAYD_IMA_KEEPER_STEPS_H
#define ASSAY_ASSAYD_IMA_KEEPER_STEPS_H

#include "ima_keeper.h"

/* Does the kernel's list go on from that of the boot before, over a kexec? */
enum ima_carried {
	IMA_NOT_CARRIED,    /* it begins with this boot */
	IMA_CARRIED,	    /* entries of the boot before are in it */
	IMA_MAY_BE_CARRIED, /* none are, but the PCR is more than they come to */
};

/**
 * struct ima_scan - a whole list being read, to find out whether it is that of another boot, too
 * @pcr: what the PCR was before; of size 0 where there is none, or nothing extended it
 * @reached: the entries came to that
 * @first_is_aggregate: the first entry stands for a boot
 */
struct ima_scan {
	int fd;
	struct ima_running running;
	struct ima_feed feed;
	struct assay_digest pcr;
	bool reached, first_is_aggregate;
};

/* ima_scan_begin() - @from: before the list the PCR was what that came to; NULL: zeros */
int ima_scan_begin(struct ima_scan *scan, const struct ima_keeper *keeper,
		   const struct ima_running *from, struct assay_error *err);
/* ima_scan_on() - a piece. 1: there is more */
int ima_scan_on(struct ima_scan *scan, const struct ima_keeper *keeper, struct assay_error *err);
/* ima_scan_carried() - at its end */
enum ima_carried ima_scan_carried(const struct ima_scan *scan);
/* ima_scan_end() - also where it was not begun, with fd -1 and all else zeros */
void ima_scan_end(struct ima_scan *scan);

/* ---- ima_keeper_kexec.c */

/* ima_boot_directory() - of that boot's archive */
int ima_boot_directory(const struct ima_keeper *keeper, const char *boot_id, char **ret,
		       struct assay_error *err);
/*
 * ima_boot_begin() - have the notes be of this boot, which they were not
 * They are made durable but where that is still to be found out (IMA_MAY_BE_CARRIED).
 */
int ima_boot_begin(struct ima_keeper *keeper, enum ima_carried carried, struct assay_error *err);
/*
 * ima_boot_follow() - until this boot's first file is there, what is archived is what the boot
 * before has, if the notes name one
 * @carried: set to IMA_NOT_CARRIED where that boot was not archived
 * @ret_directory: that boot's; as it was where there is none
 */
int ima_boot_follow(struct ima_keeper *keeper, enum ima_carried *carried, char **ret_directory,
		    struct assay_error *err);

/* ---- ima_keeper_steps.c */

/**
 * struct ima_replay - the archived entries while they are read
 * @next: number of the next one
 * @extend_from: the PCR before this one is known: only from here on are they replayed
 */
struct ima_replay {
	struct ima_keeper *keeper;
	struct ima_feed feed;
	uint64_t next, extend_from;
};

/*
 * ima_replay_begin() - where to begin, so that all is met that the kernel still has, and the newest
 * file is replayed: what the PCR was before that, it says itself
 */
int ima_replay_begin(struct ima_replay *replay, struct ima_keeper *keeper,
		     const struct archive *archive, struct assay_error *err);
/* ima_replay_bytes() - an archive_sink for struct ima_replay */
int ima_replay_bytes(void *context, struct bytes bytes, struct assay_error *err);
void ima_replay_end(struct ima_replay *replay);

#endif /* ASSAY_ASSAYD_IMA_KEEPER_STEPS_H */
