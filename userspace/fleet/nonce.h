/* SPDX-License-Identifier: MIT */
/*
 * Nonces that need no memory: a keyed digest of the device's name, of what evidence may leave out,
 * and of the time in steps, which is computed again when evidence comes. So a nonce is good no more
 * once more is known, or less, than what the device was told. That a quote is not used twice is the
 * state's to see to, by the TPM's counters and clock. Pure: keys and time are the caller's.
 */
#ifndef ASSAY_FLEET_NONCE_H
#define ASSAY_FLEET_NONCE_H

#include "base/bytes.h"

#define NONCE_SIZE 32	  /* bytes: every TPM takes so many */
#define NONCE_KEY_SIZE 32 /* bytes */
#define NONCE_KEYS 2	  /* that are valid at a time: the newest, and the one before */

/* struct nonce_keys - @count of them, the newest first */
struct nonce_keys {
	uint8_t key[NONCE_KEYS][NONCE_KEY_SIZE];
	size_t count;
};

/**
 * struct nonce_for - whom a nonce is given, and what is told with it
 * @device: its name
 * @log, @ima, @uefi: what its evidence may leave out, as struct assay_state_info
 */
struct nonce_for {
	const char *device;
	uint64_t log, ima, uefi;
};

/**
 * nonce_make() - the nonce for a device at that time, by the newest key
 * @now: seconds since 1970-01-01 00:00 UTC
 * @step: of time, in seconds; a nonce is good for one to two of them
 * @ret_expires_in: seconds for which nonce_find() will find it
 *
 * Return: 0; -EINVAL without keys; -EIO
 */
int nonce_make(const struct nonce_keys *keys, const struct nonce_for *whom, uint64_t now,
	       uint64_t step, uint8_t ret[NONCE_SIZE], uint64_t *ret_expires_in,
	       struct assay_error *err);

/**
 * nonce_find() - is this a nonce that was made for that, and is it still good?
 * @ret_issued: when it was made at the earliest
 *
 * Return: 0; -ESTALE if it is not, or no more; -EIO
 */
int nonce_find(const struct nonce_keys *keys, const struct nonce_for *whom, struct bytes nonce,
	       uint64_t now, uint64_t step, uint64_t *ret_issued, struct assay_error *err);

#endif /* ASSAY_FLEET_NONCE_H */
