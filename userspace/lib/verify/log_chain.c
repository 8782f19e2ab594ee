// SPDX-License-Identifier: MIT
/*
 * Was every record of assay's log written by the module that wrote the one before? Everybody who
 * can use the TPM can extend the log's PCR, so a log that replays says only that somebody wrote
 * it. Each record commits to the key of the next one, and has a MAC by its own key, which nobody
 * but the module has before the record is in the PCR (kmod/chain.c).
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "base/cleanup.h"
#include "log/cel.h"
#include "log/hasher.h"
#include "verify/appraisal.h"
#include "verify/logs.h"

typedef unsigned long long ull;

/**
 * struct chain - the check under way
 * @from: number of the first record to check; what is before was checked
 * @commitment: to the key of the next record; size 0 where there is none
 * @hasher: SHA-256
 * @mac: HMAC-SHA-256
 * @detail: of the check
 */
struct chain {
	const struct appraisal *appraisal;
	uint64_t from;
	struct assay_digest commitment;
	struct hasher hasher;
	EVP_MAC_CTX *mac;
	char *detail;
};

/* A record whose key is yet to come. */
struct link {
	uint64_t recnum;
	struct bytes next, mac, content;
};

static void set_commitment(struct chain *chain, struct bytes next)
{
	chain->commitment =
		(struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = ASSAY_KEY_SIZE };
	memcpy(chain->commitment.bytes, next.data, ASSAY_KEY_SIZE);
}

/* Is that what was committed to? Nothing is before START, nor in front of older modules' logs. */
static bool is_committed(struct chain *chain, const struct link *link, const uint8_t *key)
{
	struct assay_digest digest;

	if (link->recnum == 0)
		return true;
	return hasher_digest(&chain->hasher, BYTES(key, ASSAY_KEY_SIZE), BYTES(NULL, 0), &digest,
			     NULL) == 0 &&
	       verity_digest_equal(&digest, &chain->commitment);
}

static bool is_mac(struct chain *chain, const struct link *link, const uint8_t *key)
{
	uint8_t data[8 + ASSAY_KEY_SIZE], mac[EVP_MAX_MD_SIZE];
	struct assay_digest digest;
	size_t size = 0;

	for (size_t i = 0; i < 8; i++)
		data[i] = (uint8_t)(link->recnum >> (56 - 8 * i));
	if (hasher_digest(&chain->hasher, link->content, BYTES(NULL, 0), &digest, NULL) < 0)
		return false;
	memcpy(data + 8, digest.bytes, ASSAY_KEY_SIZE);
	return EVP_MAC_init(chain->mac, key, ASSAY_KEY_SIZE, NULL) == 1 &&
	       EVP_MAC_update(chain->mac, data, sizeof(data)) == 1 &&
	       EVP_MAC_final(chain->mac, mac, &size, sizeof(mac)) == 1 &&
	       bytes_equal(BYTES(mac, size), link->mac);
}

/* @key: of @link, as the record behind it has it; .data is NULL if it has none */
static bool check_link(struct chain *chain, const struct link *link, struct bytes key)
{
	const uint8_t *given = evidence_key(&chain->appraisal->evidence, link->recnum);

	if (!link->next.data)
		return check_tell(
			false, chain->detail,
			"record %llu has no MAC: something else than the module wrote it, "
			"or a module of before records had keys",
			(ull)link->recnum);
	if (!key.data && !given)
		return check_tell(false, chain->detail,
				  "the key of record %llu is not known: the module gives it when "
				  "the record is anchored, and not if it was unloaded before",
				  (ull)link->recnum);
	/* What is behind the quote may be anybody's: then the evidence may have the right one. */
	if (given && (!key.data || !is_committed(chain, link, key.data)))
		key = BYTES(given, ASSAY_KEY_SIZE);
	if (!is_committed(chain, link, key.data))
		return check_tell(false, chain->detail,
				  "the key of record %llu is not the one that was committed to "
				  "before: from there on, something else than the module that "
				  "began the log wrote it",
				  (ull)link->recnum);
	if (!is_mac(chain, link, key.data))
		return check_tell(
			false, chain->detail,
			"record %llu is not what the module wrote: its MAC is not that of "
			"its content and number",
			(ull)link->recnum);
	set_commitment(chain, link->next);
	return true;
}

/*
 * Record by record, each as soon as the one behind it was read, which may have its key. What is
 * behind the quote is read for that as well.
 */
static bool check_links(struct chain *chain, uint64_t covered_end)
{
	struct assay_content content;
	struct link link = { 0 };
	struct cel_record record;
	struct cel_reader reader;
	uint64_t recnum = chain->appraisal->start.recnum;
	bool pending = false;

	cel_begin(&reader, buffer_bytes(&chain->appraisal->evidence.assay_cel), 0);
	for (; cel_next(&reader, &record, NULL) > 0; recnum++) {
		if (record.type != ASSAY_CEL_CONTENT ||
		    assay_content_parse(&record, &content, NULL) < 0)
			content = (struct assay_content){ 0 };
		if (pending && !check_link(chain, &link, content.chain.key))
			return false;
		pending = recnum >= chain->from && recnum < covered_end;
		if (recnum >= covered_end)
			break;
		/* Of a state that does not say what comes next, the record before it does. */
		if (recnum + 1 == chain->from && chain->commitment.size == 0 &&
		    content.chain.next.data)
			set_commitment(chain, content.chain.next);
		link = (struct link){ .recnum = recnum,
				      .next = content.chain.next,
				      .mac = content.chain.mac,
				      .content = content.chain.content };
	}
	return !pending || check_link(chain, &link, BYTES(NULL, 0));
}

/* Where the chain begins, and what vouches for the first key; false, with @detail, if nothing. */
static bool find_beginning(struct chain *chain)
{
	const struct appraisal *appraisal = chain->appraisal;
	const struct assay_content *trim = &appraisal->log.trim;

	chain->from = appraisal->start.recnum;
	switch (appraisal->start.origin) {
	case LOG_CONTINUED:
		chain->from = appraisal->input->state->records;
		chain->commitment = appraisal->input->state->next_key;
		if (chain->commitment.size > 0 || chain->from > appraisal->start.recnum)
			return true;
		return check_tell(false, chain->detail,
				  "the state is of a verdict that did not check the log's keys: "
				  "collect the evidence with the whole log (without --since)");
	case LOG_TRIMMED:
		if (trim->trim.next.data) {
			set_commitment(chain, trim->trim.next);
			return true;
		}
		return check_tell(false, chain->detail,
				  "the TRIM record does not say which key record %llu has "
				  "(CUT_NEXT): a module of before records had keys wrote it, or "
				  "something else",
				  (ull)chain->from);
	default:
		return true;
	}
}

static enum check_result check_chain(struct chain *chain)
{
	uint64_t end =
		chain->appraisal->start.recnum + proven_records(chain->appraisal->content.assay);

	if (!find_beginning(chain) || !check_links(chain, end))
		return CHECK_FAILED;
	if (end <= chain->from)
		return check_tell(true, chain->detail, "no record since the last attestation");
	if (chain->from == 0)
		return check_tell(true, chain->detail, "%llu records", (ull)end);
	return check_tell(true, chain->detail, "records %llu to %llu, and those before them",
			  (ull)chain->from, (ull)end - 1);
}

enum check_result check_assay_log_chain(struct appraisal *appraisal, char *detail)
{
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	struct chain chain = { .appraisal = appraisal, .detail = detail };
	enum check_result result = CHECK_FAILED;
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	chain.mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	if (chain.mac && EVP_MAC_CTX_set_params(chain.mac, parameters) == 1 &&
	    hasher_open(&chain.hasher, ASSAY_HASH_SHA256, NULL) == 0) {
		result = check_chain(&chain);
		hasher_close(&chain.hasher);
	} else {
		check_tell(false, detail, "HMAC-SHA-256 is not to be had: out of memory");
	}
	EVP_MAC_CTX_free(chain.mac);
	EVP_MAC_free(hmac);
	if (result == CHECK_PASSED)
		appraisal->next_key = chain.commitment;
	return result;
}
