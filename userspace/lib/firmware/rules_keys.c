// SPDX-License-Identifier: MIT
/*
 * Rules on PCR 7. Its events up to the separator are the variables of Secure Boot (PFP 3.3.4.8),
 * and each of them proves its data: firmware extends nothing else there. So each is read by its
 * data, whatever its type says: a variable that another type is written on is a variable still.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/rules_internal.h"

#define PCR_SECURE_BOOT 7

static const char *key_guid(enum firmware_key key)
{
	return key == FIRMWARE_PK || key == FIRMWARE_KEK ? EFI_GLOBAL_VARIABLE :
							   EFI_IMAGE_SECURITY_DATABASE;
}

static bool is_separator(const struct judging *judging)
{
	return judging->content.proof == FIRMWARE_PROVES_DATA && judging->event.data.size == 4;
}

/*
 * The next variable before the separator, by its data
 * Return: 1 with *ret set; 0 at the separator or the end; an error. What cannot be judged there is
 * a finding.
 */
static int next_variable(struct judging *judging, struct efi_variable *ret)
{
	char says[JUDGING_TEXT];
	int r;

	while ((r = judging_next(judging, PCR_SECURE_BOOT)) > 0) {
		if (is_separator(judging))
			return 0;
		/* Excess bytes are the shim's, which comes later. */
		if (judging->content.proof != FIRMWARE_PROVES_DATA) {
			judging_find(judging,
				     "event %" PRIu64
				     " of PCR 7 comes before its separator, and its "
				     "digests are not of its data, so that nobody knows what it is",
				     judging->event.number);
			continue;
		}
		if (efi_variable_parse(judging->event.data, ret) && ret->excess == 0)
			return 1;
		/* PFP 10.4.4: "UEFI Debug Mode", "DMA Protection Disabled", and such. */
		if (judging->content.kind != FIRMWARE_TEXT)
			judging_find(judging, "event %" PRIu64 " of PCR 7 is no variable: %s",
				     judging->event.number, judging_says(judging, says));
	}
	return r;
}

int judge_secure_boot(struct judging *judging)
{
	struct efi_variable variable;
	size_t found = 0;
	bool on;
	int r;

	if (!judging_proven(judging, PCR_SECURE_BOOT))
		return 0;
	while ((r = next_variable(judging, &variable)) > 0) {
		if (!efi_is_secure_boot(&variable, &on))
			continue;
		found++;
		if (!on)
			judging_find(judging, "Secure Boot is off (event %" PRIu64 " of PCR 7)",
				     judging->event.number);
	}
	if (r == 0 && found == 0)
		judging_find(judging, "the log does not say whether Secure Boot is on");
	return r;
}

/* ---------------------------------------------------------------- PK, KEK, db, dbx */

int firmware_entry_digest(struct hashers *hashers, const struct efi_signature *signature,
			  struct assay_digest *ret, struct assay_error *err)
{
	static const struct {
		const char *type;
		enum assay_hash hash;
	} types[] = {
		{ EFI_CERT_SHA256, ASSAY_HASH_SHA256 },
		{ "826ca512-cf10-4ac9-b187-be01496631bd", ASSAY_HASH_SHA1 },
		{ "ff3e5307-9fd0-48c9-85f1-8ad56c701e01", ASSAY_HASH_SHA384 },
		{ "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", ASSAY_HASH_SHA512 },
	};
	struct hasher *hasher;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (efi_guid_is(signature->type, types[i].type) &&
		    signature->data.size == assay_hash_size(types[i].hash)) {
			*ret = (struct assay_digest){ .hash = types[i].hash,
						      .size = signature->data.size };
			memcpy(ret->bytes, signature->data.data, ret->size);
			return 0;
		}
	hasher = hashers_get(hashers, ASSAY_HASH_SHA256, err);
	return hasher ? hasher_digest(hasher, signature->data, BYTES(NULL, 0), ret, err) : -EIO;
}

static bool same_digest(const struct assay_digest *a, const struct assay_digest *b)
{
	return a->hash == b->hash && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static bool is_in(const struct assay_digest *digest, const struct firmware_digests *digests)
{
	for (size_t i = 0; i < digests->count; i++)
		if (same_digest(digest, &digests->list[i]))
			return true;
	return false;
}

/* Is the whole value one of these? */
static int has_value(struct judging *judging, struct bytes value,
		     const struct firmware_digests *digests, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < digests->count && !*ret; i++) {
		struct hasher *hasher =
			hashers_get(&judging->reader.hashers, digests->list[i].hash, judging->err);
		struct assay_digest own;

		if (!hasher || hasher_digest(hasher, value, BYTES(NULL, 0), &own, judging->err) < 0)
			return -EIO;
		*ret = same_digest(&own, &digests->list[i]);
	}
	return 0;
}

/* There must be entries, and each one of "only": a variable without any says the same everywhere.
 */
static int judge_only(struct judging *judging, enum firmware_key key, struct bytes value)
{
	const struct firmware_variable *rule = &judging->rules->keys[key];
	char text[ASSAY_DIGEST_TEXT_MAX];
	struct efi_signatures signatures;
	struct efi_signature signature;
	struct assay_digest digest;
	size_t entries = 0;
	int r;

	efi_signatures_begin(&signatures, value);
	while ((r = efi_signatures_next(&signatures, &signature)) > 0) {
		entries++;
		if (firmware_entry_digest(&judging->reader.hashers, &signature, &digest,
					  judging->err) < 0)
			return -EIO;
		if (!is_in(&digest, &rule->only))
			judging_find(judging, "%s has an entry that the policy does not have: %s",
				     firmware_key_name(key), assay_digest_text(&digest, text));
	}
	if (r < 0)
		judging_find(judging, "%s is malformed", firmware_key_name(key));
	else if (entries == 0)
		judging_find(judging, "%s is empty", firmware_key_name(key));
	return 0;
}

/* Marks, of what the value must contain, that which it does. */
static int mark_entries(struct judging *judging, struct bytes value,
			const struct firmware_digests *contains, bool *seen)
{
	struct efi_signatures signatures;
	struct efi_signature signature;
	struct assay_digest digest;

	efi_signatures_begin(&signatures, value);
	while (efi_signatures_next(&signatures, &signature) > 0) {
		if (firmware_entry_digest(&judging->reader.hashers, &signature, &digest,
					  judging->err) < 0)
			return -EIO;
		for (size_t i = 0; i < contains->count; i++)
			seen[i] |= same_digest(&digest, &contains->list[i]);
	}
	return 0;
}

static int judge_contains(struct judging *judging, enum firmware_key key, struct bytes value)
{
	const struct firmware_digests *contains = &judging->rules->keys[key].contains;
	char text[ASSAY_DIGEST_TEXT_MAX];
	bool *seen;
	int r;

	if (contains->count == 0)
		return 0;
	seen = calloc(contains->count, sizeof(*seen));
	if (!seen)
		return assay_fail(judging->err, ENOMEM, "out of memory");
	r = mark_entries(judging, value, contains, seen);
	for (size_t i = 0; r == 0 && i < contains->count; i++)
		if (!seen[i])
			judging_find(judging, "%s lacks %s", firmware_key_name(key),
				     assay_digest_text(&contains->list[i], text));
	free(seen);
	return r;
}

static int judge_value(struct judging *judging, enum firmware_key key, struct bytes value)
{
	const struct firmware_variable *rule = &judging->rules->keys[key];
	char says[JUDGING_TEXT];
	bool good = true;
	int r = 0;

	if (rule->digests.count > 0)
		r = has_value(judging, value, &rule->digests, &good);
	if (r == 0 && !good)
		judging_find(judging, "%s is not the policy's (event %" PRIu64 " of PCR 7): %s",
			     firmware_key_name(key), judging->event.number,
			     judging_says(judging, says));
	if (r == 0 && rule->only.count > 0)
		r = judge_only(judging, key, value);
	return r == 0 ? judge_contains(judging, key, value) : r;
}

int judge_keys(struct judging *judging, enum firmware_key first, enum firmware_key last)
{
	size_t found[FIRMWARE_KEYS] = { 0 };
	struct efi_variable variable;
	int r;

	if (!judging_proven(judging, PCR_SECURE_BOOT))
		return 0;
	while ((r = next_variable(judging, &variable)) > 0)
		for (enum firmware_key key = first; key <= last; key++) {
			/* Who vouched for a driver may stand there as well: "db" once more. */
			if (judging->event.type == UEFI_EV_EFI_VARIABLE_AUTHORITY ||
			    !efi_variable_is(&variable, key_guid(key), firmware_key_name(key)))
				continue;
			found[key]++;
			r = judge_value(judging, key, variable.value);
			if (r < 0)
				return r;
		}
	for (enum firmware_key key = first; r == 0 && key <= last; key++) {
		const struct firmware_variable *rule = &judging->rules->keys[key];

		if (found[key] == 0 &&
		    (rule->digests.count > 0 || rule->only.count > 0 || rule->contains.count > 0))
			judging_find(judging, "the log does not have %s", firmware_key_name(key));
	}
	return r;
}

/* ---------------------------------------------------------------- behind the separator */

/*
 * Is it a variable of Secure Boot, which another rule is about? A text there is none: firmware says
 * so that it is in its debug mode, or that its protection from DMA is off (PFP 3.3.4.8). Some
 * firmware measures who vouched for its drivers before the separator: as "db" once more.
 * @off: set where it says that Secure Boot is off
 */
static bool is_configuration(const struct judging *judging, size_t *databases, bool *off)
{
	struct efi_variable variable;
	bool on;

	if (judging->content.proof != FIRMWARE_PROVES_DATA ||
	    !efi_variable_parse(judging->event.data, &variable))
		return false;
	if (efi_variable_is(&variable, EFI_IMAGE_SECURITY_DATABASE, "db"))
		return (*databases)++ == 0;
	*off |= efi_is_secure_boot(&variable, &on) && !on;
	return true;
}

int judge_authorities(struct judging *judging)
{
	char digest[ASSAY_DIGEST_TEXT_MAX], says[JUDGING_TEXT];
	size_t databases = 0, authorities = 0;
	bool separated = false, off = false;
	int r;

	if (!judging_proven(judging, PCR_SECURE_BOOT))
		return 0;
	while ((r = judging_next(judging, PCR_SECURE_BOOT)) > 0) {
		if (is_separator(judging)) {
			separated = true;
			continue;
		}
		if (!separated && is_configuration(judging, &databases, &off))
			continue;
		authorities += judging->content.kind != FIRMWARE_TEXT;
		if (judging_is(judging, &judging->rules->authorities, PCR_SECURE_BOOT))
			continue;
		judging_find(judging,
			     "event %" PRIu64 " of PCR 7 is %s, none of \"authorities\": %s",
			     judging->event.number,
			     judging_digest_text(judging, PCR_SECURE_BOOT, digest),
			     judging_says(judging, says));
	}
	if (r == 0 && !separated)
		judging_find(judging, "PCR 7 has no separator");
	/* Whatever was started, nobody was asked for it; but the shim measures its own all the
	 * same. */
	if (r == 0 && off)
		judging_find(judging, "nothing vouches for what was started: Secure Boot is off");
	else if (r == 0 && authorities == 0)
		judging_find(judging, "nothing vouches for what was started: PCR 7 has no event "
				      "behind its separator");
	return r;
}
