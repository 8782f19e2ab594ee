// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chain of keys. Anybody who can use the TPM can extend the PCR, and so go on with a log,
 * or put records into it, without this module. That is told by keys that nobody else has:
 *
 *	key of record n		HMAC-SHA-256(seed, n); the seed is random, of this log alone
 *	NEXT of record n	commits to the key of record n + 1
 *	MAC of record n		binds its content and its number to its key
 *	KEY of record n + 1	reveals the key of record n, or ASSAY_IOC_KEYS does
 *
 * A key is of no use to anybody once its record is in the PCR, since what comes next needs the
 * next key. Before that it would be: the record is in memory that everybody can read before it
 * is extended, and whoever had its key then could extend another record in its place, with a
 * commitment to a key of their own, and keep the module from the TPM from then on. So:
 *
 *	A key is revealed when its record is anchored, and not before.
 *
 * That is why the record cannot hold its own key, and has a MAC. A virtual TPM is no proof that
 * a record is anchored in the real one: once there was one, no key is revealed any more.
 *
 * What this rests on: kernel memory, where the seed is, cannot be read by whoever is kept out.
 *
 * Called by the ledger, under its lock, and by chardev for keys.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/string.h>

#include "chain.h"
#include "compat.h"

/**
 * assay_chain_init() - a chain without a seed
 * @chain: to initialise; to be released by assay_chain_destroy()
 * @anchor: initialised anchor
 *
 * Return: 0; -ENOMEM, or -ENOENT where the kernel has no hmac(sha256), with nothing to release.
 */
int assay_chain_init(struct assay_chain *chain, const struct assay_anchor *anchor)
{
	memset(chain, 0, sizeof(*chain));
	chain->hmac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(chain->hmac)) {
		int ret = PTR_ERR(chain->hmac);

		chain->hmac = NULL;
		return ret;
	}
	chain->anchor = anchor;
	mutex_init(&chain->lock);
	return 0;
}

/**
 * assay_chain_destroy() - forget the seed
 * @chain: chain, initialised or zero
 */
void assay_chain_destroy(struct assay_chain *chain)
{
	if (!chain->hmac)
		return;
	/* The tfm holds pads of the last key, and is zeroed when it is freed. */
	crypto_free_shash(chain->hmac);
	mutex_destroy(&chain->lock);
	memzero_explicit(chain, sizeof(*chain));
}

/**
 * assay_chain_start() - a new log begins
 * @chain: initialised chain
 */
void assay_chain_start(struct assay_chain *chain)
{
	get_random_bytes(chain->seed, sizeof(chain->seed));
}

static int assay_chain_hmac(struct assay_chain *chain, const u8 *key, const u8 *data, size_t size,
			    u8 *ret_mac)
{
	int ret;

	mutex_lock(&chain->lock);
	ret = crypto_shash_setkey(chain->hmac, key, ASSAY_KEY_SIZE);
	if (!ret)
		ret = crypto_shash_tfm_digest(chain->hmac, data, size, ret_mac);
	mutex_unlock(&chain->lock);
	return ret;
}

/**
 * assay_chain_key() - the key of a record
 * @chain: started chain
 * @recnum: the record's number
 * @ret_key: set on success
 *
 * Return: 0 or a negative errno of the hash.
 */
int assay_chain_key(struct assay_chain *chain, u64 recnum, u8 *ret_key)
{
	u8 number[sizeof(u64)];

	put_unaligned_be64(recnum, number);
	return assay_chain_hmac(chain, chain->seed, number, sizeof(number), ret_key);
}

static int assay_chain_commitment(struct assay_chain *chain, u64 recnum, u8 *ret_commitment)
{
	u8 key[ASSAY_KEY_SIZE];
	const struct kvec piece = { key, sizeof(key) };
	int ret;

	ret = assay_chain_key(chain, recnum, key);
	if (!ret)
		ret = assay_anchor_hash_by_alg(chain->anchor, ASSAY_ALG_SHA256, &piece, 1,
					       ret_commitment);
	memzero_explicit(key, sizeof(key));
	return ret;
}

/**
 * assay_chain_resume() - a log goes on
 * @chain: initialised chain
 * @seed: what may be the log's; ASSAY_KEY_SIZE bytes
 * @recnum: number of the next record
 * @head: of the content of the record before it
 *
 * Return: 0; -EKEYREJECTED if that record commits to another key; or a negative errno of the
 * hash.
 */
int assay_chain_resume(struct assay_chain *chain, const u8 *seed, u64 recnum,
		       const u8 head[ASSAY_CHAIN_HEAD_SIZE])
{
	/* Behind the content's TLV header, KIND and TIME. */
	const u8 *next = head + 3 * ASSAY_CEL_HEADER_SIZE + 1 + 8;
	u8 commitment[ASSAY_MAX_DIGEST];
	int ret;

	if (*next == ASSAY_FIELD_KEY)
		next += ASSAY_CHAIN_FIELD_SIZE;
	memcpy(chain->seed, seed, sizeof(chain->seed));
	ret = assay_chain_commitment(chain, recnum, commitment);
	if (!ret && (*next != ASSAY_FIELD_NEXT ||
		     memcmp(next + ASSAY_CEL_HEADER_SIZE, commitment, ASSAY_KEY_SIZE)))
		ret = -EKEYREJECTED;
	if (ret)
		memzero_explicit(chain->seed, sizeof(chain->seed));
	return ret;
}

/* A field of ASSAY_KEY_SIZE bytes. */
static void assay_chain_put_field(struct assay_cel *fields, u8 field, int ret, const u8 *value)
{
	if (ret && !fields->error)
		fields->error = ret;
	assay_cel_put(fields, field, value, ASSAY_KEY_SIZE);
}

/**
 * assay_chain_put_commitment() - append what commits to a record's key
 * @chain: started chain
 * @fields: where to; its error is set if that fails
 * @field: ASSAY_FIELD_*
 * @recnum: the record's number
 */
void assay_chain_put_commitment(struct assay_chain *chain, struct assay_cel *fields, u8 field,
				u64 recnum)
{
	u8 commitment[ASSAY_MAX_DIGEST] = {};
	int ret = assay_chain_commitment(chain, recnum, commitment);

	assay_chain_put_field(fields, field, ret, commitment);
}

/**
 * assay_chain_put() - append KEY and NEXT of a record
 * @chain: started chain
 * @fields: where to; its error is set if that fails
 * @recnum: the record's number
 * @reveal: the record before is anchored
 */
void assay_chain_put(struct assay_chain *chain, struct assay_cel *fields, u64 recnum, bool reveal)
{
	u8 key[ASSAY_KEY_SIZE] = {};
	int ret;

	if (reveal) {
		ret = assay_chain_key(chain, recnum - 1, key);
		assay_chain_put_field(fields, ASSAY_FIELD_KEY, ret, key);
	}
	assay_chain_put_commitment(chain, fields, ASSAY_FIELD_NEXT, recnum + 1);
}

/**
 * assay_chain_mac() - the MAC field of a record
 * @chain: started chain
 * @recnum: the record's number
 * @content: the content TLV as far as that field, in pieces; its length counts the field
 * @count: pieces
 * @ret_field: set on success; room for ASSAY_CHAIN_FIELD_SIZE bytes
 *
 * Return: 0 or a negative errno of the hash.
 */
int assay_chain_mac(struct assay_chain *chain, u64 recnum, const struct kvec *content,
		    unsigned int count, u8 *ret_field)
{
	u8 data[sizeof(u64) + ASSAY_MAX_DIGEST], key[ASSAY_KEY_SIZE];
	int ret;

	put_unaligned_be64(recnum, data);
	ret = assay_anchor_hash_by_alg(chain->anchor, ASSAY_ALG_SHA256, content, count,
				       data + sizeof(u64));
	if (!ret)
		ret = assay_chain_key(chain, recnum, key);
	if (!ret)
		ret = assay_chain_hmac(chain, key, data, sizeof(u64) + ASSAY_KEY_SIZE,
				       ret_field + ASSAY_CEL_HEADER_SIZE);
	ret_field[0] = ASSAY_FIELD_MAC;
	put_unaligned_be32(ASSAY_KEY_SIZE, ret_field + 1);
	memzero_explicit(key, sizeof(key));
	return ret;
}
