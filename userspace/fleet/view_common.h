/* SPDX-License-Identifier: MIT */
/* What handlers of routes that only show something have in common. */
#ifndef ASSAY_FLEET_VIEW_COMMON_H
#define ASSAY_FLEET_VIEW_COMMON_H

#include "fleet.h"

/* Rows of a list: how many where the query does not say, and at most. */
#define VIEW_LIST_DEFAULT 100
#define VIEW_LIST_MAX 1000

/*
 * view_answer() - an object of @type with what was found as @member; or, if @r is a negative errno,
 * why there is nothing
 * @found: taken over
 */
void view_answer(struct http_call *call, const char *type, const char *member, json_t *found, int r,
		 const struct assay_error *err);

/* view_answer_one() - likewise, of a list of one row at most, which is taken over: that row */
void view_answer_one(struct http_call *call, const char *type, const char *member, json_t *list,
		     int r, struct assay_error *err);

/* view_append() - @row: taken over; -ENOMEM, also where it is NULL */
int view_append(json_t *list, json_t *row, struct assay_error *err);

/* view_number() - a number of the query up to @most; @initial if it is not there; -EINVAL */
int view_number(const struct http_call *call, const char *name, uint64_t initial, uint64_t most,
		uint64_t *ret, struct assay_error *err);

#endif /* ASSAY_FLEET_VIEW_COMMON_H */
