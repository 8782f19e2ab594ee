/* SPDX-License-Identifier: MIT */
/*
 * Silence is a verdict: a device that may attest and has not been judged for two intervals is found
 * here, whatever died. One process of all that share the database looks at a time: who has set the
 * time of the last look has the lease for one period, and who dies with it is followed by the next.
 *
 * Where nobody looked for a while, the verifier itself was away, and no device is to blame: all
 * have two intervals from then on.
 */
#ifndef ASSAY_FLEET_LEASE_H
#define ASSAY_FLEET_LEASE_H

#include "store.h"

/* Devices of one look, and transaction: who looks answers nobody meanwhile. */
#define LEASE_ROWS 500

/**
 * struct lease_terms
 * @now: seconds since 1970-01-01 00:00 UTC; 0: what the database's clock says, which is the same
 * for all that share it
 * @period: seconds between two looks
 * @interval: seconds between two attestations of a device
 */
struct lease_terms {
	uint64_t now, period, interval;
};

/**
 * struct lease_found - what came of a look
 * @mine: this process had the lease; else nothing was looked at
 * @clock_back: so many seconds before the last look; then nothing is called silent
 * @was_away: nobody had looked for long
 * @silent: devices that are held for silent from now on
 * @more: there may be more of them: lease_go_on()
 */
struct lease_found {
	bool mine, was_away, more;
	uint64_t clock_back, silent;
};

/* lease_sweep() - find what is overdue, and note it as a change of its verdict */
int lease_sweep(struct store *store, const struct lease_terms *given, struct lease_found *ret,
		struct assay_error *err);

/*
 * lease_go_on() - find those that are overdue beside the ones that were found
 * @ret: as lease_sweep() left it: .silent and .more are changed
 */
int lease_go_on(struct store *store, const struct lease_terms *given, struct lease_found *ret,
		struct assay_error *err);

#endif /* ASSAY_FLEET_LEASE_H */
