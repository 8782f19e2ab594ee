/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a verdict: its checks, the files by state and the log's records, packed. The
 * first verdict of each device is kept, so that packing it must cost little; JSON is made of it
 * when somebody looks at it, with the words that the checks have then.
 */
#ifndef ASSAY_FLEET_KEPT_VERDICT_H
#define ASSAY_FLEET_KEPT_VERDICT_H

#include <jansson.h>

#include "assay-verify.h"
#include "store.h"

/*
 * kept_verdict_pack() - a verdict that was made with ASSAY_VERIFY_KEEP_FILES, for the database
 * @out: a frame of zstd is appended
 *
 * Return: 0; -ENOMEM
 */
int kept_verdict_pack(const struct assay_verdict *verdict, struct buffer *out,
		      struct assay_error *err);

/*
 * kept_verdict_json() - as assay_verdict_json() has it, with members more: "file_states", how many
 * files are in which state; "files", those that are amiss first, and "records", the newest, both up
 * to a number; of what this evidence brought
 *
 * Return: 0; -EBADMSG where it is nothing that kept_verdict_pack() has made; -ENOMEM
 */
int kept_verdict_json(struct bytes packed, json_t **ret, struct assay_error *err);

/* Columns of verdict_change, for kept_verdict_take() */
#define KEPT_VERDICT_COLUMNS(table) table "verdict_json, " table "packed"

/*
 * kept_verdict_take() - the same of KEPT_VERDICT_COLUMNS: packed, or JSON, as what is older was
 * kept, and silence
 */
int kept_verdict_take(const struct store_value columns[static 2], json_t **ret,
		      struct assay_error *err);

#endif /* ASSAY_FLEET_KEPT_VERDICT_H */
