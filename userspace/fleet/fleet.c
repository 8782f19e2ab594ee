// SPDX-License-Identifier: MIT
#include "fleet.h"

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

/* struct keys_read - @made: of the newest */
struct keys_read {
	struct nonce_keys keys;
	uint64_t made;
};

static int take_key(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	struct keys_read *read = context;

	(void)set;
	(void)count;
	if (read->keys.count == NONCE_KEYS)
		return 0;
	if (columns[1].bytes.size != NONCE_KEY_SIZE)
		return assay_fail(err, EIO, "a key for nonces in the database is of another size");
	if (read->keys.count == 0)
		read->made = store_get_number(&columns[0]);
	memcpy(read->keys.key[read->keys.count++], columns[1].bytes.data, NONCE_KEY_SIZE);
	return 0;
}

static int read_keys(struct store *store, struct keys_read *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT made, secret FROM nonce_key ORDER BY id DESC LIMIT 2", NULL
	};

	*ret = (struct keys_read){ 0 };
	return store_run(store, &get, NULL, 1, take_key, ret, err);
}

static int add_key(struct store *store, uint64_t now, struct assay_error *err)
{
	static const struct store_statement add = {
		"nb", "INSERT INTO nonce_key (made, secret) VALUES ($1, $2)", NULL
	};
	static const struct store_statement forget = {
		"",
		"DELETE FROM nonce_key WHERE id NOT IN (SELECT id FROM nonce_key ORDER BY id DESC "
		"LIMIT 2)",
		NULL
	};
	uint8_t secret[NONCE_KEY_SIZE];
	const struct store_value values[] = { store_number(now),
					      store_blob(BYTES(secret, sizeof(secret))) };
	int r;

	if (RAND_bytes(secret, sizeof(secret)) != 1)
		return assay_fail(err, EIO, "no random numbers for a key");
	r = store_run(store, &add, values, 1, NULL, NULL, err);
	if (r == 0)
		r = store_run(store, &forget, NULL, 1, NULL, NULL, err);
	return r < 0 ? r : refs_touch(store, err);
}

/* Two processes that find the key too old at once both make one; the last two are valid. */
static int rotate(struct fleet *fleet, uint64_t now, struct assay_error *err)
{
	struct keys_read read = { 0 };
	int r = store_begin(fleet->store, err);

	if (r < 0)
		return r;
	r = refs_touch(fleet->store, err); /* locks that row */
	if (r == 0)
		r = read_keys(fleet->store, &read, err);
	if (r == 0 && (read.keys.count == 0 || read.made + fleet->settings->nonce_rotation <= now))
		r = add_key(fleet->store, now, err);
	if (r == 0)
		return store_commit(fleet->store, err);
	store_rollback(fleet->store);
	return r;
}

int fleet_refresh(struct fleet *fleet, struct assay_error *err)
{
	uint64_t now = fleet_now(), generation = 0;
	struct keys_read read = { 0 };
	int r = 0;

	if (fleet->nonce_made + fleet->settings->nonce_rotation <= now)
		r = rotate(fleet, now, err);
	if (r == 0)
		r = refs_generation(fleet->store, &generation, err);
	if (r < 0 || (generation == fleet->policies.generation && fleet->nonce_keys.count > 0))
		return r;
	r = read_keys(fleet->store, &read, err);
	if (r < 0)
		return r;
	fleet->nonce_keys = read.keys;
	fleet->nonce_made = read.made;
	return policies_refresh(&fleet->policies, generation, fleet->store, err);
}
