/* SPDX-License-Identifier: MIT */
/*
 * What operators did, one row after the other, each with the digest of itself and the one before:
 * who changes or removes a row has to change all that follow, and the last digest, which may be
 * noted elsewhere.
 */
#ifndef ASSAY_FLEET_AUDIT_H
#define ASSAY_FLEET_AUDIT_H

#include "store.h"

/*
 * audit_add() - note an act; in the transaction that it is done in
 * @who: of http_call; @act: a word; @what: what it was done to
 */
int audit_add(struct store *store, uint64_t now, const char *who, const char *act, const char *what,
	      struct assay_error *err);

/* struct audit_row - @digest: 32 bytes */
struct audit_row {
	uint64_t id, at;
	const char *who, *act, *what;
	struct bytes digest;
};

typedef int audit_each(void *context, const struct audit_row *row, struct assay_error *err);

/* audit_list() - rows from @from on, ascending, at most @limit */
int audit_list(struct store *store, uint64_t from, uint64_t limit, audit_each *each, void *context,
	       struct assay_error *err);

/*
 * audit_check() - does each row follow from the one before?
 * @ret_rows: how many there are
 *
 * Return: 0; -EBADMSG with the first that does not
 */
int audit_check(struct store *store, uint64_t *ret_rows, struct assay_error *err);

#endif /* ASSAY_FLEET_AUDIT_H */
