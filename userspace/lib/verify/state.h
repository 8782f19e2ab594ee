/* SPDX-License-Identifier: MIT */
/*
 * What a verifier keeps between the attestations of a device, as JSON: the member
 * "state" of the device's record. Pure.
 */
#ifndef ASSAY_VERIFY_STATE_H
#define ASSAY_VERIFY_STATE_H

#include <jansson.h>

#include "verify/verdict.h"

/* state_to_json() - a new object; NULL without memory */
json_t *state_to_json(const struct verify_state *state);

/*
 * state_from_json() - read it back, strictly
 * Return: 0; -EBADMSG with the member that is off; -ENOMEM
 */
int state_from_json(const json_t *json, struct verify_state *ret, struct assay_error *err);

#endif /* ASSAY_VERIFY_STATE_H */
