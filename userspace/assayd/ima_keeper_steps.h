/* SPDX-License-Identifier: MIT */
/* What ima_keeper_load.c loads in steps: the kernel's list after kexec, and the archive. */
#ifndef ASSAY_ASSAYD_IMA_KEEPER_STEPS_H
#define ASSAY_ASSAYD_IMA_KEEPER_STEPS_H

#include "ima_keeper.h"

/**
 * struct ima_scan - a whole list being read, to find out whether entries of another boot are in it
 * @first_is_aggregate: the first entry stands for a boot
 */
struct ima_scan {
	int fd;
	struct ima_running running;
	struct ima_feed feed;
	bool first_is_aggregate;
};

int ima_scan_begin(struct ima_scan *scan, const struct ima_keeper *keeper, struct assay_error *err);
/* ima_scan_on() - a piece. 1: there is more */
int ima_scan_on(struct ima_scan *scan, const struct ima_keeper *keeper, struct assay_error *err);
/* ima_scan_is_carried() - at its end: are they? */
bool ima_scan_is_carried(const struct ima_scan *scan);
/* ima_scan_end() - also where it was not begun, with fd -1 and all else zeros */
void ima_scan_end(struct ima_scan *scan);

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
