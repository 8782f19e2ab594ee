/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/what-if: judge what devices sent last once more, by a policy that they are not judged
 * by: who would be held for something else? Nothing is changed. Some devices at a time, so that
 * nobody waits for it: the answer says from where to go on.
 */
#ifndef ASSAY_FLEET_WHAT_IF_H
#define ASSAY_FLEET_WHAT_IF_H

#include "fleet.h"

void what_if(struct http_call *call);

#endif /* ASSAY_FLEET_WHAT_IF_H */
