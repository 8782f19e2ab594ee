/* SPDX-License-Identifier: MIT */
/*
 * What a verifier keeps between the attestations of a device. As JSON it is the member "state" of
 * the device's record; as bytes it is what a database has in a row, and says besides what the logs
 * said, so that evidence which goes on can be judged as if it were whole. Pure.
 *
 * The bytes, numbers big-endian: 0xa5, the version 1, flags (16 bits), resetCount and restartCount
 * (32 each), clock, firmwareVersion, verified and records (64 each), the boot id (16 bytes); value,
 * next_key, complete, references, ima.value, ima.aggregate, firmware.log and firmware.pcrs, each
 * as TPMT_HA (16 bits of algorithm, 0 for none, and the digest); kexecs, ima.entries,
 * ima.aggregates, ima.zeros, firmware.size (64 each); passed and failed (32 each, bit n: the check
 * of index n in state_bytes.c); the number of products (8), for each its length (8), name and
 * time (64); the number of bytes of seen (16), and these. Nothing follows.
 */
#ifndef ASSAY_VERIFY_STATE_H
#define ASSAY_VERIFY_STATE_H

#include <jansson.h>

#include "base/bytes.h"
#include "verify/verdict.h"

/* state_to_json() - a new object; NULL without memory */
json_t *state_to_json(const struct verify_state *state);

/*
 * state_from_json() - read it back, strictly
 * Return: 0; -EBADMSG with the member that is off; -ENOMEM
 */
int state_from_json(const json_t *json, struct verify_state *ret, struct assay_error *err);

/* The most bytes of a state. */
#define STATE_BYTES_MAX 16384

/* state_carried() - CHECK_BIT()s of the checks whose results a state carries on */
check_mask state_carried(void);

/*
 * state_goes_on() - may evidence leave out what the state has seen?
 * @references: what it will be judged by: the logs until then were judged by the same
 */
bool state_goes_on(const struct verify_state *state, const struct assay_digest *references);

/* state_to_bytes() - append it; @out->failed without memory */
void state_to_bytes(const struct verify_state *state, struct buffer *out);

/* state_are_bytes() - whether that is a state as bytes, by how it begins, rather than as JSON */
bool state_are_bytes(struct bytes bytes);

/*
 * state_from_bytes() - read it back, strictly: of each state there is one form
 * Return: 0; -EBADMSG with what is off
 */
int state_from_bytes(struct bytes bytes, struct verify_state *ret, struct assay_error *err);

#endif /* ASSAY_VERIFY_STATE_H */
