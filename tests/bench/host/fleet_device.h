/* SPDX-License-Identifier: MIT */
/*
 * Devices that are made up, for loads: each has an attestation key of its own in software, and
 * quotes that are honest answers to nonces. All have logs of one kind: assay's, which begins with
 * the files of a manifest, and IMA's list; each device has come some way in them.
 */
#ifndef ASSAY_BENCH_FLEET_DEVICE_H
#define ASSAY_BENCH_FLEET_DEVICE_H

#include "base/bytes.h"
#include "sign/manifest.h"

#define DEVICE_NAME_MAX 32
#define DEVICE_KEY_SIZE 32

/**
 * struct made_device - where a device is
 * @key, @point: its key: the private number, and x and y
 * @records, @entries: how many it has of assay's log and of IMA's list
 * @clock: of its TPM, in milliseconds
 */
struct made_device {
	uint8_t key[DEVICE_KEY_SIZE], point[2 * DEVICE_KEY_SIZE];
	uint32_t records, entries;
	uint64_t clock;
};

/* struct made_log - a log, where each of its records ends, and what its PCR is then */
struct made_log {
	struct buffer bytes;
	size_t *ends;
	struct assay_digest *values;
	size_t count;
};

struct made_logs {
	struct made_log assay, ima;
};

/* Both logs, of so many records and entries at most; made_logs_free() it. Ends the program where
 * that fails, as all that follows does. */
void made_logs_begin(struct made_logs *logs, const struct manifest *manifest, size_t records,
		     size_t entries);
void made_logs_free(struct made_logs *logs);

/* made_device_begin() - the device of that number, at its logs' first records */
void made_device_begin(struct made_device *device, uint64_t number, size_t entries);

/* made_device_name() - as it is enrolled */
void made_device_name(uint64_t number, char name[static DEVICE_NAME_MAX]);

/* made_device_record() - its device record's JSON, as `assay enroll` writes it */
void made_device_record(const struct made_device *device, uint64_t number, struct buffer *out);

/* made_device_public() - its key's TPM2B_PUBLIC */
void made_device_public(const struct made_device *device, struct buffer *out);

/*
 * made_device_attest() - evidence, as JSON
 * @have_log, @have_ima: how much of its logs it leaves out
 */
void made_device_attest(struct made_device *device, const struct made_logs *logs,
			struct bytes nonce, uint64_t have_log, uint64_t have_ima,
			struct buffer *out);

#endif /* ASSAY_BENCH_FLEET_DEVICE_H */
