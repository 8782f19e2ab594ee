/* SPDX-License-Identifier: MIT */
/*
 * How a verdict is packed: big-endian numbers, and texts behind their length; all of it in one
 * frame of zstd.
 *
 *	u8	KEPT_VERSION
 *	u8	checks; of each: text8 name, u8 flags, text16 detail
 *	u64	records of assay's log, of these covered, likewise of IMA's list, measured files
 *	u8	manifests; of each: text8 id, created, product
 *	u8	states of files; of each: u8 state, u64 files in it
 *	u16	files; of each: u8 state, u8 flags, u64 number, text16 path, text8 digest, expected
 *	u16	records; of each: u64 number, text8 kind, u64 seconds, files, events, entries of IMA
 */
#ifndef ASSAY_FLEET_KEPT_VERDICT_INTERNAL_H
#define ASSAY_FLEET_KEPT_VERDICT_INTERNAL_H

#include <jansson.h>

#include "base/bytes.h"

#define KEPT_VERSION 1
#define KEPT_FILES_MAX 400
#define KEPT_RECORDS_MAX 400
#define KEPT_PATH_MAX 1024 /* bytes of a path, with a NUL, escaped or not */
/* More than all of that has. */
#define KEPT_EXPANDED_MAX (1U << 20)

/* Flags of a check. */
#define KEPT_REQUIRED 1
#define KEPT_PASSED 2
#define KEPT_FAILED 4

#define KEPT_BY_IMA 1 /* flag of a file */

/* The states of files are these numbers, in the order in which they are told. */
enum kept_state {
	KEPT_STATE_FAILED,
	KEPT_STATE_DIFFERS,
	KEPT_STATE_UNKNOWN,
	KEPT_STATE_ALLOWED,
	KEPT_STATE_SIGNED,
	KEPT_STATE_MATCHES,
	KEPT_STATES,
};

/* kept_verdict_read() - kept_verdict_json() of what is in the frame */
int kept_verdict_read(struct bytes plain, json_t **ret, struct assay_error *err);

#endif /* ASSAY_FLEET_KEPT_VERDICT_INTERNAL_H */
