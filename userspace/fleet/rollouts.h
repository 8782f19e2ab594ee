/* SPDX-License-Identifier: MIT */
/*
 * A policy for some devices of a label first: a share of them, which its hash picks, is judged by
 * the new one, the others as before. If more of those than was said turn from trusted to not
 * trusted, it is halted by whoever has the lease, and all are judged as before.
 */
#ifndef ASSAY_FLEET_ROLLOUTS_H
#define ASSAY_FLEET_ROLLOUTS_H

#include "refs.h"

#define ROLLOUTS_MAX 32
#define ROLLOUT_HALT_DEFAULT 5 /* percent */

/* In SQL, of a label: it has nothing of its own, so what is for all others is for it
 * (policies_of()). */
#define ROLLOUT_OTHERS                                                                            \
	"NOT IN (SELECT label FROM assignment WHERE label <> '' UNION SELECT label FROM rollout " \
	"WHERE label <> '' AND halted = 0)"

/**
 * struct rollout - the policy of @to for @percent of the devices of its label
 * @percent: 1 to 99; of a decision also 100, for all, and 0, to end it
 * @halt_percent: halted if more of these turn red
 * @since: the newest change when it began
 */
struct rollout {
	struct ref_assignment to;
	uint64_t percent, halt_percent, since;
	bool halted;
};

/* rollouts_list() - all of them; @ret has room for ROLLOUTS_MAX */
int rollouts_list(struct store *store, struct rollout *ret, size_t *ret_count,
		  struct assay_error *err);

/*
 * rollouts_decide() - from now on
 * Assigns by 100 percent, ends by 0, else begins one or goes on with it, in a transaction of the
 * caller's; -EINVAL where there are ROLLOUTS_MAX already
 */
int rollouts_decide(struct store *store, struct rollout *rollout, const char *who, uint64_t now,
		    struct assay_error *err);

/* rollout_includes() - is that device judged by the new policy? */
bool rollout_includes(const struct rollout *rollout, const char *device);

/* struct rollout_counts - @staged: about so many devices; @judged of them by it; @red of these
 * turned */
struct rollout_counts {
	uint64_t staged, judged, red;
};

int rollouts_count(struct store *store, const struct rollout *rollout, struct rollout_counts *ret,
		   struct assay_error *err);

/*
 * rollouts_halt() - halt one, and note why in the audit
 * @ret_mine: false where another process has halted it, or it ended, meanwhile: then nothing is
 * noted
 */
int rollouts_halt(struct store *store, const struct rollout *rollout,
		  const struct rollout_counts *counts, uint64_t now, bool *ret_mine,
		  struct assay_error *err);

/*
 * rollouts_watch() - halt those of which too many have turned red, and note that in the audit
 * @ret_halted: how many
 */
int rollouts_watch(struct store *store, uint64_t now, uint64_t *ret_halted,
		   struct assay_error *err);

#endif /* ASSAY_FLEET_ROLLOUTS_H */
