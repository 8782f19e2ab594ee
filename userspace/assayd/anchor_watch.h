/* SPDX-License-Identifier: MIT */
/* Whether records of the log wait for a TPM that does not come. */
#ifndef ASSAY_ASSAYD_ANCHOR_WATCH_H
#define ASSAY_ASSAYD_ANCHOR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Records that no PCR holds are told once none was anchored for so long, in milliseconds. */
#define ANCHOR_LATE 15000

/**
 * struct anchor_watch - begins with zeros
 * @waiting: there were records that are not anchored
 * @since: when they were seen first, or one was anchored last
 * @anchored: how far the log was anchored then
 */
struct anchor_watch {
	bool waiting;
	uint64_t since, anchored;
};

/*
 * anchor_watch_is_late() - to be asked at each look at the log
 * @tail, @anchored: the log's, in bytes
 * @now: loop_now()
 *
 * While one record comes after the other, there mostly is one that the TPM has not taken yet; but
 * then it takes others.
 */
static inline bool anchor_watch_is_late(struct anchor_watch *watch, uint64_t tail,
					uint64_t anchored, uint64_t now)
{
	if (tail <= anchored || !watch->waiting || anchored != watch->anchored)
		*watch = (struct anchor_watch){ tail > anchored, now, anchored };
	return watch->waiting && now - watch->since >= ANCHOR_LATE;
}

#endif /* ASSAY_ASSAYD_ANCHOR_WATCH_H */
