// SPDX-License-Identifier: MIT
#include "verify/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utc.h"
#include "verify/evidence_binary.h"

#define EVIDENCE_TYPE "evidence"

static bool boot_id_valid(const char *text)
{
	if (strlen(text) != EVIDENCE_BOOT_ID_LENGTH)
		return false;
	for (size_t i = 0; i < EVIDENCE_BOOT_ID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

int evidence_add_pcr(struct evidence *evidence, unsigned int index,
		     const struct assay_digest *value, struct assay_error *err)
{
	struct evidence_pcr *pcrs;

	if (index >= EVIDENCE_PCR_LIMIT)
		return assay_fail(err, EINVAL, "PCR %u does not exist: PCRs are below %d", index,
				  EVIDENCE_PCR_LIMIT);
	if (value->size == 0 || value->size != assay_hash_size(value->hash))
		return assay_fail(err, EINVAL,
				  "the value of PCR %u has %zu bytes, which is not the size of its "
				  "bank's digests",
				  index, value->size);
	for (size_t i = 0; i < evidence->pcr_count; i++)
		if (evidence->pcrs[i].index == index && evidence->pcrs[i].value.hash == value->hash)
			return assay_fail(err, EEXIST, "PCR %u of bank %s is there twice", index,
					  assay_hash_name(value->hash));
	if (evidence->pcr_count == EVIDENCE_MAX_PCRS)
		return assay_fail(err, E2BIG, "more than %d PCR values", EVIDENCE_MAX_PCRS);
	pcrs = realloc(evidence->pcrs, (evidence->pcr_count + 1) * sizeof(*pcrs));
	if (!pcrs)
		return assay_fail(err, ENOMEM, "out of memory");
	pcrs[evidence->pcr_count] = (struct evidence_pcr){ .index = index, .value = *value };
	evidence->pcrs = pcrs;
	evidence->pcr_count++;
	return 0;
}

int evidence_add_key(struct evidence *evidence, uint64_t recnum, const uint8_t *key,
		     struct assay_error *err)
{
	size_t count = evidence->assay_key_count;
	struct evidence_key *keys = evidence->assay_keys;

	if (recnum > EVIDENCE_MAX_RECNUM || (count > 0 && recnum <= keys[count - 1].recnum))
		return assay_fail(err, EINVAL, "the key of record %llu is out of order",
				  (unsigned long long)recnum);
	/* One more than a power of two does not fit any more. */
	if ((count & (count - 1)) == 0) {
		keys = realloc(keys, (count > 0 ? 2 * count : 1) * sizeof(*keys));
		if (!keys)
			return assay_fail(err, ENOMEM, "out of memory");
		evidence->assay_keys = keys;
	}
	keys[count].recnum = recnum;
	memcpy(keys[count].key, key, sizeof(keys[count].key));
	evidence->assay_key_count++;
	return 0;
}

static int compare_keys(const void *first, const void *second)
{
	const struct evidence_key *a = first, *b = second;

	return (a->recnum > b->recnum) - (a->recnum < b->recnum);
}

const uint8_t *evidence_key(const struct evidence *evidence, uint64_t recnum)
{
	const struct evidence_key wanted = { .recnum = recnum };
	const struct evidence_key *found =
		evidence->assay_key_count == 0 ?
			NULL :
			bsearch(&wanted, evidence->assay_keys, evidence->assay_key_count,
				sizeof(wanted), compare_keys);

	return found ? found->key : NULL;
}

/* ---------------------------------------------------------------- writing */

/* One of the two says which key it is. */
static int check_key(const struct evidence *evidence, struct assay_error *err)
{
	if (evidence->ak_key.size == 0 && !evidence->ak_key.failed)
		return evidence_check_binary(&evidence->ak_public, EVIDENCE_MAX_STRUCTURE,
					     "ak_public", err);
	if (evidence->ak_public.size > 0)
		return assay_fail(err, EINVAL,
				  "evidence has \"ak_public\" or \"ak_key\", not both");
	return evidence_check_binary(&evidence->ak_key, EVIDENCE_MAX_STRUCTURE, "ak_key", err);
}

static int check_members(const struct evidence *evidence, struct assay_error *err)
{
	int r;

	r = check_key(evidence, err);
	if (r == 0 && (evidence->nonce.size > 0 || evidence->nonce.failed))
		r = evidence_check_binary(&evidence->nonce, EVIDENCE_MAX_NONCE, "nonce", err);
	if (r == 0)
		r = evidence_check_binary(&evidence->attest, EVIDENCE_MAX_STRUCTURE, "attest", err);
	if (r == 0)
		r = evidence_check_binary(&evidence->signature, EVIDENCE_MAX_STRUCTURE, "signature",
					  err);
	if (r == 0 && evidence->has_session)
		r = evidence_session_check(&evidence->session, err);
	if (r < 0)
		return r;
	if (evidence->ak_certificate.failed || evidence->assay_cel.failed ||
	    evidence->ima_data.failed || evidence->uefi_data.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	if (evidence->ak_certificate.size > EVIDENCE_MAX_CERTIFICATE)
		return assay_fail(err, EINVAL, "the AK's certificate has %zu bytes; at most %d",
				  evidence->ak_certificate.size, EVIDENCE_MAX_CERTIFICATE);
	if (evidence->pcr_count == 0)
		return assay_fail(err, EINVAL, "evidence needs the PCR values of the quote");
	if (evidence->boot_id[0] != '\0' && !boot_id_valid(evidence->boot_id))
		return assay_fail(err, EINVAL, "the boot id is not a UUID in lower case");
	if (evidence->has_ima_log && assay_hash_size(evidence->ima_template_bank) == 0)
		return assay_fail(err, EINVAL, "the hash of IMA's template digests is not known");
	return 0;
}

static json_t *pcrs_to_json(const struct evidence *evidence)
{
	json_t *banks = json_object();

	for (size_t i = 0; banks && i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];
		const char *name = assay_hash_name(pcr->value.hash);
		json_t *bank = json_object_get(banks, name);
		char index[12];

		snprintf(index, sizeof(index), "%u", pcr->index);
		if (!bank) {
			bank = json_object();
			if (json_object_set_new(banks, name, bank) < 0)
				goto fail;
		}
		if (json_object_set_new(bank, index,
					json_hex(BYTES(pcr->value.bytes, pcr->value.size))) < 0)
			goto fail;
	}
	return banks;
fail:
	json_decref(banks);
	return NULL;
}

static json_t *keys_to_json(const struct evidence *evidence)
{
	json_t *keys = json_object();

	for (size_t i = 0; keys && i < evidence->assay_key_count; i++) {
		const struct evidence_key *key = &evidence->assay_keys[i];
		char recnum[21];

		snprintf(recnum, sizeof(recnum), "%llu", (unsigned long long)key->recnum);
		if (json_object_set_new(keys, recnum, json_hex(BYTES(key->key, sizeof(key->key)))) <
		    0) {
			json_decref(keys);
			return NULL;
		}
	}
	return keys;
}

/*
 * "first" and "start" only where the log does not begin with its first record, "keys" only
 * where there are some.
 */
static json_t *assay_log_to_json(const struct evidence *evidence)
{
	json_t *log = json_pack("{s:I, s:o}", "base", (json_int_t)evidence->assay_base, "cel",
				json_base64(buffer_bytes(&evidence->assay_cel)));
	json_t *start;
	int r = 0;

	if (evidence->assay_key_count > 0)
		r = json_object_set_new(log, "keys", keys_to_json(evidence));
	if (evidence->assay_first == 0) {
		if (r < 0)
			json_decref(log);
		return r < 0 ? NULL : log;
	}
	start = json_object();
	r |= json_object_set_new(log, "first", json_integer((json_int_t)evidence->assay_first));
	for (size_t i = 0; i < evidence->assay_start_count; i++) {
		const struct assay_digest *value = &evidence->assay_start[i];

		r |= json_object_set_new(start, assay_hash_name(value->hash),
					 json_hex(BYTES(value->bytes, value->size)));
	}
	r |= json_object_set_new(log, "start", start);
	if (r < 0) {
		json_decref(log);
		return NULL;
	}
	return log;
}

static json_t *ima_log_to_json(const struct evidence *evidence)
{
	json_t *log = json_pack("{s:s, s:o}", "template_bank",
				assay_hash_name(evidence->ima_template_bank), "data",
				json_base64(buffer_bytes(&evidence->ima_data)));

	if (log && evidence->ima_first > 0 &&
	    json_object_set_new(log, "first", json_integer((json_int_t)evidence->ima_first)) < 0) {
		json_decref(log);
		return NULL;
	}
	return log;
}

/* An object with nothing in it stands for "no logs"; json_object_set_new() fails on NULL. */
static json_t *logs_to_json(const struct evidence *evidence)
{
	json_t *logs = json_object();
	int r = 0;

	if (evidence->has_assay_log)
		r |= json_object_set_new(logs, "assay", assay_log_to_json(evidence));
	if (evidence->has_ima_log)
		r |= json_object_set_new(logs, "ima", ima_log_to_json(evidence));
	if (evidence->has_uefi_log)
		r |= json_object_set_new(
			logs, "uefi",
			json_pack("{s:o}", "data",
				  json_base64(buffer_bytes(&evidence->uefi_data))));
	if (r < 0) {
		json_decref(logs);
		return NULL;
	}
	return logs;
}

static json_t *evidence_to_json(const struct evidence *evidence)
{
	json_t *root = json_object();
	char collected[UTC_LENGTH + 1];
	int r = 0;

	r |= json_object_set_new(root, "assay", json_integer(JSON_VERSION));
	r |= json_object_set_new(root, "type", json_string(EVIDENCE_TYPE));
	if (evidence->has_collected)
		r |= json_object_set_new(root, "collected",
					 json_string(utc_text(evidence->collected, collected)));
	if (evidence->boot_id[0] != '\0')
		r |= json_object_set_new(root, "boot_id", json_string(evidence->boot_id));
	if (evidence->nonce.size > 0)
		r |= json_object_set_new(root, "nonce",
					 json_base64(buffer_bytes(&evidence->nonce)));
	if (evidence->ak_public.size > 0)
		r |= json_object_set_new(root, "ak_public",
					 json_base64(buffer_bytes(&evidence->ak_public)));
	if (evidence->ak_key.size > 0)
		r |= json_object_set_new(root, "ak_key",
					 json_base64(buffer_bytes(&evidence->ak_key)));
	if (evidence->ak_certificate.size > 0)
		r |= json_object_set_new(root, "ak_certificate",
					 json_base64(buffer_bytes(&evidence->ak_certificate)));
	r |= json_object_set_new(
		root, "quote",
		json_pack("{s:o, s:o}", "attest", json_base64(buffer_bytes(&evidence->attest)),
			  "signature", json_base64(buffer_bytes(&evidence->signature))));
	if (evidence->has_session)
		r |= json_object_set_new(root, "session",
					 evidence_session_json(&evidence->session));
	r |= json_object_set_new(root, "pcrs", pcrs_to_json(evidence));
	r |= json_object_set_new(root, "logs", logs_to_json(evidence));
	if (r < 0) {
		json_decref(root);
		return NULL;
	}
	return root;
}

int evidence_write(FILE *stream, const struct evidence *evidence, struct assay_error *err)
{
	int r = check_members(evidence, err);

	return r < 0 ? r : json_write(stream, evidence_to_json(evidence), "the evidence", err);
}

/* ---------------------------------------------------------------- reading */

static int get_hash(const json_t *object, const char *key, const char *what, enum assay_hash *ret,
		    struct assay_error *err)
{
	const char *name;
	char escaped[64];
	int r = json_get_string(object, key, what, &name, err);

	if (r < 0)
		return r;
	*ret = assay_hash_by_name(name);
	if (*ret == ASSAY_HASH_NONE)
		return assay_fail(err, EBADMSG,
				  "%s: \"%s\" is \"%s\"; sha1, sha256, sha384 and sha512 are known",
				  what, key,
				  text_escape(BYTES((const uint8_t *)name, strlen(name)), escaped,
					      sizeof(escaped)));
	return 0;
}

/* A PCR index as JSON key: decimal, no sign, no leading zero. */
static bool parse_index(const char *text, unsigned int *ret)
{
	size_t length = strlen(text);

	if (length == 0 || length > 2 || (length == 2 && text[0] == '0'))
		return false;
	*ret = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*ret = *ret * 10 + (unsigned int)(text[i] - '0');
	}
	return *ret < EVIDENCE_PCR_LIMIT;
}

static int parse_bank(enum assay_hash hash, const json_t *bank, struct evidence *evidence,
		      struct assay_error *err)
{
	const char *what = "the evidence's PCR values";
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)bank, key, value) {
		struct assay_digest digest = { .hash = hash };
		unsigned int index;
		char escaped[64];
		int r;

		if (!parse_index(key, &index))
			return assay_fail(err, EBADMSG, "%s: \"%s\" is not a PCR's index", what,
					  text_escape(BYTES((const uint8_t *)key, strlen(key)),
						      escaped, sizeof(escaped)));
		if (!json_is_string(value) || hex_decode(json_string_value(value), digest.bytes,
							 sizeof(digest.bytes), &digest.size) < 0)
			return assay_fail(err, EBADMSG, "%s: PCR %u is not hexadecimal", what,
					  index);
		r = evidence_add_pcr(evidence, index, &digest, err);
		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			err->code = EBADMSG;
			return assay_fail_context(err, "%s", what);
		}
	}
	return 0;
}

static int parse_pcrs(const json_t *root, const char *what, struct evidence *evidence,
		      struct assay_error *err)
{
	const json_t *banks;
	const char *key;
	json_t *bank;
	int r = json_get_object(root, "pcrs", what, &banks, err);

	if (r < 0)
		return r;
	json_object_foreach((json_t *)banks, key, bank) {
		enum assay_hash hash = assay_hash_by_name(key);
		char escaped[64];

		if (hash == ASSAY_HASH_NONE || !json_is_object(bank))
			return assay_fail(err, EBADMSG, "%s: \"pcrs\": \"%s\" is not a PCR bank",
					  what,
					  text_escape(BYTES((const uint8_t *)key, strlen(key)),
						      escaped, sizeof(escaped)));
		r = parse_bank(hash, bank, evidence, err);
		if (r < 0)
			return r;
	}
	if (evidence->pcr_count == 0)
		return assay_fail(err, EBADMSG, "%s: \"pcrs\" holds no value", what);
	return 0;
}

/* What the attester says the PCR was before the log's first record: a value a bank. */
static int parse_start(const json_t *log, const char *what, struct evidence *evidence,
		       struct assay_error *err)
{
	const json_t *start;
	const char *key;
	json_t *value;
	int r = json_get_object(log, "start", what, &start, err);

	if (r < 0)
		return r;
	json_object_foreach((json_t *)start, key, value) {
		struct assay_digest digest = { .hash = assay_hash_by_name(key) };

		/* No bank twice, so there cannot be more than have a name. */
		if (digest.hash == ASSAY_HASH_NONE || !json_is_string(value) ||
		    hex_decode(json_string_value(value), digest.bytes, sizeof(digest.bytes),
			       &digest.size) < 0 ||
		    digest.size != assay_hash_size(digest.hash))
			return assay_fail(err, EBADMSG,
					  "%s: \"start\" is not a PCR's value for each bank", what);
		evidence->assay_start[evidence->assay_start_count++] = digest;
	}
	return 0;
}

/* The number of a record as JSON key: decimal, no sign, no leading zero, at most 18 digits. */
static bool parse_recnum(const char *text, uint64_t *ret)
{
	size_t length = strlen(text);

	if (length == 0 || length > 18 || (length > 1 && text[0] == '0') ||
	    strspn(text, "0123456789") != length)
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

/* What the records do not tell themselves: their keys, in any order. */
static int parse_keys(const json_t *log, const char *what, struct evidence *evidence,
		      struct assay_error *err)
{
	const json_t *keys;
	const char *name;
	json_t *value;
	int r = json_get_object(log, "keys", what, &keys, err);

	if (r < 0)
		return r;
	evidence->assay_keys = calloc(json_object_size(keys) + 1, sizeof(*evidence->assay_keys));
	if (!evidence->assay_keys)
		return assay_fail(err, ENOMEM, "out of memory");
	json_object_foreach((json_t *)keys, name, value) {
		struct evidence_key *key = &evidence->assay_keys[evidence->assay_key_count];
		size_t size;

		if (!parse_recnum(name, &key->recnum) || !json_is_string(value) ||
		    hex_decode(json_string_value(value), key->key, sizeof(key->key), &size) < 0 ||
		    size != sizeof(key->key))
			return assay_fail(
				err, EBADMSG,
				"%s: \"keys\" is not a key of %d bytes for each number of "
				"a record",
				what, ASSAY_KEY_SIZE);
		evidence->assay_key_count++;
	}
	/* No number twice: a number has one form. */
	qsort(evidence->assay_keys, evidence->assay_key_count, sizeof(*evidence->assay_keys),
	      compare_keys);
	return 0;
}

static int parse_assay_log(const json_t *logs, struct json_lifted *lifted,
			   struct evidence *evidence, struct assay_error *err)
{
	static const char *const known[] = { "base", "first", "start", "cel", "keys", NULL };
	const char *what = "the evidence's log of assay";
	const json_t *log;
	int r = json_get_object(logs, "assay", "the evidence's \"logs\"", &log, err);

	if (r == 0)
		r = json_only(log, known, what, err);
	if (r == 0)
		r = json_get_unsigned(log, "base", what, &evidence->assay_base, err);
	if (r == 0)
		r = json_take_base64(log, "cel", what, lifted, &evidence->assay_cel, err);
	if (r == 0 && json_object_get(log, "first")) {
		r = json_get_unsigned(log, "first", what, &evidence->assay_first, err);
		if (r == 0 && evidence->assay_first == 0)
			r = assay_fail(err, EBADMSG,
				       "%s: \"first\" is 0; a whole log has no such member", what);
		if (r == 0)
			r = parse_start(log, what, evidence, err);
	} else if (r == 0 && json_object_get(log, "start")) {
		r = assay_fail(err, EBADMSG, "%s: \"start\" needs \"first\"", what);
	}
	if (r == 0 && json_object_get(log, "keys"))
		r = parse_keys(log, what, evidence, err);
	evidence->has_assay_log = r == 0;
	return r;
}

static int parse_ima_log(const json_t *logs, struct json_lifted *lifted, struct evidence *evidence,
			 struct assay_error *err)
{
	static const char *const known[] = { "template_bank", "first", "data", NULL };
	const char *what = "the evidence's log of IMA";
	const json_t *log;
	int r = json_get_object(logs, "ima", "the evidence's \"logs\"", &log, err);

	if (r == 0)
		r = json_only(log, known, what, err);
	if (r == 0)
		r = get_hash(log, "template_bank", what, &evidence->ima_template_bank, err);
	if (r == 0 && json_object_get(log, "first")) {
		r = json_get_unsigned(log, "first", what, &evidence->ima_first, err);
		if (r == 0 && evidence->ima_first == 0)
			r = assay_fail(err, EBADMSG,
				       "%s: \"first\" is 0; a whole list has no such member", what);
	}
	if (r == 0)
		r = json_take_base64(log, "data", what, lifted, &evidence->ima_data, err);
	evidence->has_ima_log = r == 0;
	return r;
}

static int parse_uefi_log(const json_t *logs, struct json_lifted *lifted, struct evidence *evidence,
			  struct assay_error *err)
{
	static const char *const known[] = { "data", NULL };
	const char *what = "the evidence's log of UEFI";
	const json_t *log;
	int r = json_get_object(logs, "uefi", "the evidence's \"logs\"", &log, err);

	if (r == 0)
		r = json_only(log, known, what, err);
	if (r == 0)
		r = json_take_base64(log, "data", what, lifted, &evidence->uefi_data, err);
	evidence->has_uefi_log = r == 0;
	return r;
}

static int parse_logs(const json_t *root, const char *what, struct json_lifted *lifted,
		      struct evidence *evidence, struct assay_error *err)
{
	static const char *const known[] = { "assay", "ima", "uefi", NULL };
	const json_t *logs;
	int r = json_get_object(root, "logs", what, &logs, err);

	if (r == 0)
		r = json_only(logs, known, "the evidence's \"logs\"", err);
	if (r == 0 && json_object_get(logs, "assay"))
		r = parse_assay_log(logs, lifted, evidence, err);
	if (r == 0 && json_object_get(logs, "ima"))
		r = parse_ima_log(logs, lifted, evidence, err);
	if (r == 0 && json_object_get(logs, "uefi"))
		r = parse_uefi_log(logs, lifted, evidence, err);
	return r;
}

static int parse_quote(const json_t *root, const char *what, struct json_lifted *lifted,
		       struct evidence *evidence, struct assay_error *err)
{
	static const char *const known[] = { "attest", "signature", NULL };
	const json_t *quote;
	int r = json_get_object(root, "quote", what, &quote, err);

	what = "the evidence's quote";
	if (r == 0)
		r = json_only(quote, known, what, err);
	if (r == 0)
		r = evidence_get_binary(quote, "attest", what, EVIDENCE_MAX_STRUCTURE, lifted,
					&evidence->attest, err);
	if (r == 0)
		r = evidence_get_binary(quote, "signature", what, EVIDENCE_MAX_STRUCTURE, lifted,
					&evidence->signature, err);
	return r;
}

static int parse_session(const json_t *root, const char *what, struct json_lifted *lifted,
			 struct evidence *evidence, struct assay_error *err)
{
	const json_t *session;
	int r;

	if (!json_object_get(root, "session"))
		return 0;
	r = json_get_object(root, "session", what, &session, err);
	if (r == 0)
		r = evidence_session_parse(session, lifted, &evidence->session, err);
	evidence->has_session = r == 0;
	return r;
}

/* What the attester noted when it collected the evidence; others may have noted nothing. */
static int parse_circumstances(const json_t *root, const char *what, struct evidence *evidence,
			       struct assay_error *err)
{
	const char *boot_id;
	int r = 0;

	if (json_object_get(root, "collected")) {
		r = json_get_time(root, "collected", what, &evidence->collected, err);
		evidence->has_collected = r == 0;
	}
	if (r < 0 || !json_object_get(root, "boot_id"))
		return r;
	r = json_get_string(root, "boot_id", what, &boot_id, err);
	if (r < 0)
		return r;
	if (!boot_id_valid(boot_id))
		return assay_fail(err, EBADMSG, "%s: \"boot_id\" is not a UUID in lower case",
				  what);
	memcpy(evidence->boot_id, boot_id, sizeof(evidence->boot_id));
	return 0;
}

/* "ak_public", or "ak_key" where only the key's numbers are known. */
static int parse_key(const json_t *root, const char *what, struct json_lifted *lifted,
		     struct evidence *evidence, struct assay_error *err)
{
	if (!json_object_get(root, "ak_key"))
		return evidence_get_binary(root, "ak_public", what, EVIDENCE_MAX_STRUCTURE, lifted,
					   &evidence->ak_public, err);
	if (json_object_get(root, "ak_public"))
		return assay_fail(err, EBADMSG,
				  "%s has \"ak_public\" and \"ak_key\"; it must have one of them",
				  what);
	return evidence_get_binary(root, "ak_key", what, EVIDENCE_MAX_STRUCTURE, lifted,
				   &evidence->ak_key, err);
}

static int parse_root(const json_t *root, struct json_lifted *lifted, struct evidence *evidence,
		      struct assay_error *err)
{
	static const char *const known[] = { "assay",  "type",		 "nonce",   "ak_public",
					     "ak_key", "ak_certificate", "quote",   "session",
					     "pcrs",   "logs",		 "boot_id", "collected",
					     NULL };
	const char *what = "the evidence";
	int r = json_check_head(root, EVIDENCE_TYPE, what, err);

	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0 && json_object_get(root, "nonce"))
		r = evidence_get_binary(root, "nonce", what, EVIDENCE_MAX_NONCE, lifted,
					&evidence->nonce, err);
	if (r == 0)
		r = parse_key(root, what, lifted, evidence, err);
	if (r == 0 && json_object_get(root, "ak_certificate"))
		r = evidence_get_binary(root, "ak_certificate", what, EVIDENCE_MAX_CERTIFICATE,
					lifted, &evidence->ak_certificate, err);
	if (r == 0)
		r = parse_quote(root, what, lifted, evidence, err);
	if (r == 0)
		r = parse_session(root, what, lifted, evidence, err);
	if (r == 0)
		r = parse_pcrs(root, what, evidence, err);
	if (r == 0)
		r = parse_logs(root, what, lifted, evidence, err);
	return r < 0 ? r : parse_circumstances(root, what, evidence, err);
}

int evidence_parse(struct bytes text, struct evidence *ret, struct assay_error *err)
{
	struct evidence evidence = { 0 };
	struct assay_error reason = { 0 };
	struct json_lifted lifted;
	json_t *root;
	int r;

	if (text.size > EVIDENCE_MAX_SIZE)
		return assay_fail(err, EFBIG, "the evidence has %zu bytes; at most %u are read",
				  text.size, EVIDENCE_MAX_SIZE);
	if (!err)
		err = &reason;
	r = json_parse_lifting(text, "the evidence", &lifted, &root, err);
	if (r < 0)
		return r;
	r = parse_root(root, &lifted, &evidence, err);
	json_decref(root);
	if (r < 0) {
		evidence_free(&evidence);
		return r;
	}
	*ret = evidence;
	return 0;
}

void evidence_free(struct evidence *evidence)
{
	buffer_free(&evidence->nonce);
	buffer_free(&evidence->ak_public);
	buffer_free(&evidence->ak_key);
	buffer_free(&evidence->ak_certificate);
	buffer_free(&evidence->attest);
	buffer_free(&evidence->signature);
	evidence_session_free(&evidence->session);
	buffer_free(&evidence->assay_cel);
	buffer_free(&evidence->ima_data);
	buffer_free(&evidence->uefi_data);
	free(evidence->pcrs);
	free(evidence->assay_keys);
	*evidence = (struct evidence){ 0 };
}
