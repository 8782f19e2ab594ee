/* SPDX-License-Identifier: MIT */
/* When the next attestation is due. Pure: whoever asks brings the chance along. */
#ifndef ASSAY_PUSH_SCHEDULE_H
#define ASSAY_PUSH_SCHEDULE_H

#include "assay.h"

/**
 * struct push_schedule - bounds, all in milliseconds
 * @least, @most: what the verifier asks for is brought into this range
 * @retry_first, @retry_most: what is waited after a first failure, and at most after many
 * @jitter: percent by which the next may come earlier than the verifier asks, 0 to 100
 */
struct push_schedule {
	uint64_t least, most;
	uint64_t retry_first, retry_most;
	unsigned int jitter;
};

/* What a verifier may ask for with Retry-After, in seconds; more counts as this. */
#define PUSH_RETRY_AFTER_MAX 86400U

/*
 * push_next() - milliseconds until the next attestation after one that a verifier has answered
 * @next_in: seconds that it asks for
 * @chance: any number, each as likely
 *
 * Never later than asked for, if that is within the bounds, so that no verifier misses it.
 */
uint64_t push_next(const struct push_schedule *schedule, uint64_t next_in, uint32_t chance);

/*
 * push_retry() - milliseconds until the next try after so many failures in a row
 * @failures: 1 and more
 * @retry_after: seconds that the verifier asks for; 0: it does not
 *
 * Doubles with each failure, and is spread over its second half: devices that lost their verifier
 * at one moment do not come back at one.
 */
uint64_t push_retry(const struct push_schedule *schedule, unsigned int failures,
		    uint64_t retry_after, uint32_t chance);

#endif /* ASSAY_PUSH_SCHEDULE_H */
