// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "rate.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/digest.h"

#define SLOTS (1U << 20) /* 8 MiB, of which only what is used is in memory */
#define KEY_SIZE 16
#define MILLISECOND 1000U /* microseconds */
#define SECOND (1000U * MILLISECOND)
#define MINUTE (60000U * MILLISECOND)

/**
 * struct rates - who asked
 * @key: so that nobody can choose names that fall together
 * @free_at: when all that was asked would have come at an even pace, in microseconds: the generic
 *           cell rate algorithm (ITU-T I.371)
 */
struct rates {
	uint8_t key[KEY_SIZE];
	_Atomic uint64_t free_at[SLOTS];
};

int rates_new(struct rates **ret, struct assay_error *err)
{
	struct rates *rates = mmap(NULL, sizeof(*rates), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (rates == MAP_FAILED)
		return assay_fail(err, ENOMEM, "out of memory");
	if (RAND_bytes(rates->key, sizeof(rates->key)) != 1) {
		rates_free(rates);
		return assay_fail(err, EIO, "no random numbers for a key");
	}
	*ret = rates;
	return 0;
}

void rates_free(struct rates *rates)
{
	if (rates)
		(void)munmap(rates, sizeof(*rates));
}

/* NULL where no digest could be made */
static _Atomic uint64_t *slot_of(struct rates *rates, const char *who)
{
	const struct bytes pieces[] = { BYTES(rates->key, sizeof(rates->key)),
					BYTES((const uint8_t *)who, strlen(who)) };
	struct assay_digest digest;
	uint32_t number;

	if (digest_pieces(ASSAY_HASH_SHA256, pieces, 2, &digest, NULL) < 0)
		return NULL;
	memcpy(&number, digest.bytes, sizeof(number));
	return &rates->free_at[number % SLOTS];
}

unsigned int rates_wait(struct rates *rates, const char *who, uint64_t per_minute, uint64_t now)
{
	_Atomic uint64_t *slot = per_minute > 0 ? slot_of(rates, who) : NULL;
	uint64_t pace = per_minute > 0 ? (MINUTE + per_minute - 1) / per_minute : 0;
	uint64_t free_at, next;

	if (!slot)
		return 0;
	now *= MILLISECOND;
	free_at = atomic_load(slot);
	do {
		next = (free_at > now ? free_at : now) + pace;
		if (next > now + MINUTE)
			return (unsigned int)((next - now - MINUTE + SECOND - 1) / SECOND);
	} while (!atomic_compare_exchange_weak(slot, &free_at, next));
	return 0;
}
