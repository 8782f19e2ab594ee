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
 * struct made_device - where a device is; all zeros at its beginning, so that a million take little
 * memory. The rest follows from its number, and from the logs that all have.
 * @point: x and y of its key, since they take as long to make as a signature; zeros until then
 * @grown: how many records, and entries, it has more than at its beginning
 * @quotes: that it has made: its TPM's clock goes on by one with each
 * @answered: which of these was answered last; 0: none was
 * @busy: it is attesting
 */
struct made_device {
	uint8_t point[2 * DEVICE_KEY_SIZE];
	uint32_t grown, quotes, answered;
	bool busy;
};

/* struct made_log - a log, where each of its records ends, and what its PCR is then */
struct made_log {
	struct buffer bytes;
	size_t *ends;
	struct assay_digest *values;
	size_t count;
};

/**
 * struct made_logs - what all devices have
 * @first: entries of IMA's list that a device has at its beginning
 * @clock: of all TPMs then, in milliseconds
 */
struct made_logs {
	struct made_log assay, ima;
	size_t first;
	uint64_t clock;
};

/* Both logs, for devices that begin with @first entries and grow by @grows records and entries at
 * most; made_logs_free() it. Ends the program where that fails, as all that follows does. */
void made_logs_begin(struct made_logs *logs, const struct manifest *manifest, size_t first,
		     size_t grows);
void made_logs_free(struct made_logs *logs);

/* made_device_records(), made_device_entries() - how many it has; made_device_grow() - one more of
 * each, as long as there is more */
size_t made_device_records(const struct made_device *device);
size_t made_device_entries(const struct made_device *device, const struct made_logs *logs);
void made_device_grow(struct made_device *device, const struct made_logs *logs);

/* made_device_clock() - of its quote of that number, from 1 on */
uint64_t made_device_clock(const struct made_logs *logs, uint32_t quote);

/* made_device_name() - as it is enrolled */
void made_device_name(uint64_t number, char name[static DEVICE_NAME_MAX]);

/* made_device_record() - its device record's JSON, as `assay enroll` writes it */
void made_device_record(struct made_device *device, uint64_t number, struct buffer *out);

/* made_device_public() - its key's TPM2B_PUBLIC */
void made_device_public(struct made_device *device, uint64_t number, struct buffer *out);

/*
 * made_device_attest() - evidence, as JSON
 * @have_log, @have_ima: how much of its logs it leaves out
 */
void made_device_attest(struct made_device *device, uint64_t number, const struct made_logs *logs,
			struct bytes nonce, uint64_t have_log, uint64_t have_ima,
			struct buffer *out);

#endif /* ASSAY_BENCH_FLEET_DEVICE_H */
