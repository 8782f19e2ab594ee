/* SPDX-License-Identifier: MIT */
/* Devices in the database: who is enrolled, and what is known of each. */
#ifndef ASSAY_FLEET_DEVICES_H
#define ASSAY_FLEET_DEVICES_H

#include "store.h"
#include "verify/record.h"

#define DEVICE_LABEL_MAX 64 /* characters */

/* What a device is held for. Kept as these numbers. */
enum device_verdict {
	DEVICE_NEVER = 0, /* nothing of it was judged yet */
	DEVICE_TRUSTED = 1,
	DEVICE_NOT_TRUSTED = 2,
	DEVICE_SILENT = 3, /* it may attest, and is overdue */
	DEVICE_VERDICTS,
};

/* device_verdict_name() - "never", "trusted", "not-trusted", "silent" */
const char *device_verdict_name(enum device_verdict verdict);

/* device_verdict_by_name() - false for another word */
bool device_verdict_by_name(const char *name, enum device_verdict *ret);

/**
 * struct device - a device, as a verdict needs it; begin with {0}, end with device_free()
 * @ak: TPM2B_PUBLIC; @qualified_name: of size 0 if it is not known
 * @label: what policies are assigned by; "" for none
 * @approved: it may attest
 * @verdict, @since: what it is held for, and from when on
 * @change: of verdict_change, the row that says so; 0 if there is none
 * @seen: when it last sent anything that is its own; @judged: likewise, and was judged
 * @due: when the next is wanted
 * @boot_id: of the evidence that was judged last; "" if there was none
 * @resets, @restarts, @clock: of that quote
 * @evidence: SHA-256 of that evidence, as it was sent; of size 0 if there was none
 * @records, @entries: how many records and entries of this boot's logs were judged and are kept,
 *                       by the policy of then
 * @checks: a digest of the policy and which checks did not pass then; of size 0 if there was none
 * @state: as assay_verdict_state_bytes() gave it; of size 0 if there is none
 * @kept, @kept_since: bytes of its evidence that are kept from that time on; 0 and 0 at first
 * Times are in seconds since 1970-01-01 00:00 UTC.
 */
struct device {
	char name[RECORD_MAX_MACHINE_ID + 1];
	char label[DEVICE_LABEL_MAX + 1];
	struct buffer ak, qualified_name;
	bool approved;
	enum device_verdict verdict;
	uint64_t change, since, seen, judged, due;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	uint64_t resets, restarts, clock;
	struct assay_digest evidence;
	uint64_t records, entries;
	struct assay_digest checks;
	struct buffer state;
	uint64_t kept, kept_since;
};

void device_free(struct device *device);

/* device_forget_verdicts() - as it was when it was enrolled: for who judges all of it anew */
void device_forget_verdicts(struct device *device);

/*
 * devices_load() - read several
 * @names: in ascending order, each once, so that two who lock the same wait for each other in turn
 * @lock: hold them until the transaction's end
 * @ret: as many; of one that is not enrolled, .name stays ""
 */
int devices_load(struct store *store, const char *const *names, size_t count, bool lock,
		 struct device *ret, struct assay_error *err);

/* devices_save() - write back what a verdict changed: all from @verdict on */
int devices_save(struct store *store, const struct device *const *devices, size_t count,
		 struct assay_error *err);

/**
 * struct device_change - a verdict that became another one
 * @kept: kept_verdict_pack() of it; of size 0 of silence
 * @first: of the device: it is held for nothing in the database yet
 */
struct device_change {
	const char *name;
	uint64_t at;
	enum device_verdict verdict;
	const char *reason, *policy;
	struct bytes kept;
	struct assay_digest evidence;
	bool first;
};

/*
 * devices_add_changes() - keep them, in this order, and the alarms that they open and close
 * @ret_ids: as many, each for .change of its device
 *
 * In a transaction, whose other rows are locked already: others that have changes wait for its end.
 */
int devices_add_changes(struct store *store, const struct device_change *changes, size_t count,
			uint64_t *ret_ids, struct assay_error *err);

/* devices_reason() - the reason of a change; "" if there is no such */
int devices_reason(struct store *store, uint64_t change, char *reason, size_t capacity,
		   struct assay_error *err);

/**
 * struct device_evidence - what was judged, for who asks later
 * @body: one frame of zstd, as it was sent
 * @clock: of the TPM, in its quote
 */
struct device_evidence {
	struct assay_digest digest;
	const char *name;
	uint64_t at;
	const char *boot_id;
	struct bytes nonce;
	uint64_t issued;
	struct bytes body;
	uint64_t clock;
};

/* devices_add_evidence() - keep it, if it is not there */
int devices_add_evidence(struct store *store, const struct device_evidence *evidence, size_t count,
			 struct assay_error *err);

/*
 * devices_enrol() - add a device
 * @record: of lib/verify; its state is not used
 * @due: it may attest, and its first evidence is wanted then; 0: it is not approved yet
 * @replace: with another attestation key than it has
 *
 * Return: 0; -EEXIST if the name, or its TPM's key under another name, is enrolled
 */
int devices_enrol(struct store *store, const struct device_record *record, const char *label,
		  uint64_t due, bool replace, struct assay_error *err);

/*
 * devices_remove(), devices_set_label(), devices_approve() - -ENOENT if it is not enrolled
 * @now: seconds since 1970-01-01 00:00 UTC; its alarm is closed then
 * @due: as of devices_enrol(); one that was approved before keeps its own
 */
int devices_remove(struct store *store, const char *name, uint64_t now, struct assay_error *err);
int devices_set_label(struct store *store, const char *name, const char *label,
		      struct assay_error *err);
int devices_approve(struct store *store, const char *name, uint64_t due, struct assay_error *err);

#endif /* ASSAY_FLEET_DEVICES_H */
