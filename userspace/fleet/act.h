/* SPDX-License-Identifier: MIT */
/* What handlers that change something have in common: a transaction, the audit, the answer. */
#ifndef ASSAY_FLEET_ACT_H
#define ASSAY_FLEET_ACT_H

#include "fleet.h"

/*
 * act_function - does what a call asks for, in a transaction
 * @ret: the call's own; may be NULL
 */
typedef int act_function(struct http_call *call, char **ret, struct assay_error *err);

/* act_do() - in a transaction, which is committed when this returns 0 */
int act_do(struct http_call *call, act_function *function, char **ret, struct assay_error *err);

/* act_note() - in the audit, that the caller did @act to what the path names */
int act_note(struct http_call *call, const char *act, struct assay_error *err);

/* act_failed() - answer by what @r, a negative errno, stands for */
void act_failed(struct http_call *call, int r, const struct assay_error *err);

/* act_answer() - do it, and answer that it was done, or why not */
void act_answer(struct http_call *call, act_function *function);

#endif /* ASSAY_FLEET_ACT_H */
