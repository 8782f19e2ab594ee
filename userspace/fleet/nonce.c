// SPDX-License-Identifier: MIT
#include "nonce.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* Of this use of the key alone; the name, which has no NUL, ends where the next field begins. */
#define PURPOSE "assay-fleet nonce 2"

static int compute(const uint8_t key[NONCE_KEY_SIZE], const struct nonce_for *whom, uint64_t epoch,
		   uint8_t ret[NONCE_SIZE], struct assay_error *err)
{
	struct buffer message = { 0 };
	unsigned int size = 0;
	bool done;

	buffer_append(&message, PURPOSE, sizeof(PURPOSE));
	buffer_append(&message, whom->device, strlen(whom->device) + 1);
	buffer_append_be64(&message, whom->log);
	buffer_append_be64(&message, whom->ima);
	buffer_append_be64(&message, whom->uefi);
	buffer_append_be64(&message, epoch);
	done = !message.failed &&
	       HMAC(EVP_sha256(), key, NONCE_KEY_SIZE, message.data, message.size, ret, &size);
	buffer_free(&message);
	return done && size == NONCE_SIZE ? 0 : assay_fail(err, EIO, "no nonce could be computed");
}

int nonce_make(const struct nonce_keys *keys, const struct nonce_for *whom, uint64_t now,
	       uint64_t step, uint8_t ret[NONCE_SIZE], uint64_t *ret_expires_in,
	       struct assay_error *err)
{
	if (keys->count == 0)
		return assay_fail(err, EINVAL, "there is no key for nonces");
	*ret_expires_in = (now / step + 2) * step - now;
	return compute(keys->key[0], whom, now / step, ret, err);
}

int nonce_find(const struct nonce_keys *keys, const struct nonce_for *whom, struct bytes nonce,
	       uint64_t now, uint64_t step, uint64_t *ret_issued, struct assay_error *err)
{
	uint64_t epoch = now / step;
	uint8_t mine[NONCE_SIZE];

	for (size_t key = 0; key < keys->count; key++)
		for (uint64_t back = 0; back < 2 && back <= epoch; back++) {
			int r = compute(keys->key[key], whom, epoch - back, mine, err);

			if (r < 0)
				return r;
			if (bytes_equal_constant_time(BYTES(mine, sizeof(mine)), nonce)) {
				*ret_issued = (epoch - back) * step;
				return 0;
			}
		}
	return assay_fail(err, ESTALE,
			  "the nonce was not made for this device as it is known now, or is not "
			  "good any more: ask for another one");
}
