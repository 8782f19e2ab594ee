// SPDX-License-Identifier: MIT
/* The checks of what IMA's list says, beyond its form (see logs.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/ima.h"
#include "sign/ima_sig.h"
#include "verify/checks.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- where it begins */

bool check_ima_log_start(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	uint64_t number = 0, zeros = 0, aggregates = 0, expected = 1 + appraisal->log.kexecs;
	struct bytes first = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;

	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	for (; ima_next(&reader, &entry, NULL) > 0; number++) {
		if (entry.boot_aggregate == IMA_NO_BOOT_AGGREGATE) {
			if (number == 0)
				return check_tell(false, detail,
						  "the first entry is not boot_aggregate, which "
						  "IMA writes first: the list was cut");
			continue;
		}
		if (bytes_are_zero(entry.digest)) {
			zeros++;
			continue;
		}
		/* PCRs 0 to 9 outlive kexec and nothing else: another value is another boot's. */
		if (aggregates++ > 0 && !bytes_equal(entry.digest, first))
			return check_tell(false, detail,
					  "entry %llu at offset %llu is a second boot_aggregate "
					  "with another value: the list is of two boots",
					  (ull)number, (ull)entry.offset);
		first = entry.digest;
	}
	if (aggregates == 0)
		return check_tell(false, detail,
				  "boot_aggregate is zeros: IMA found no TPM when it began, so its "
				  "list is not anchored");
	if (aggregates + zeros > expected && !(aggregates == 1 && zeros == 1))
		return check_tell(false, detail,
				  "there are %llu boot_aggregate entries, and assay's log knows of "
				  "%llu boot%s without a TPM reset",
				  (ull)(aggregates + zeros), (ull)expected,
				  expected == 1 ? "" : "s");
	return check_tell(true, detail, "boot_aggregate%s",
			  aggregates > 1 ? ", the same after kexec" : "");
}

/* ---------------------------------------------------------------- what the entries are of */

/**
 * struct ima_tally - what became of the entries, of the list and of those that assay's log
 * mirrors
 * @files: entries that have a digest and a name
 * @compared: of these, with a reference value
 * @signatures: of these, with a signature that names an accepted key
 * @allowed: of these, known by their path alone
 * @differ, @bad, @unknown: what is not a reference value, is badly signed, is nobody's
 */
struct ima_tally {
	uint64_t files, compared, signatures, allowed;
	struct findings differ, bad, unknown;
};

void ima_tally_free(struct ima_tally *tally)
{
	free(tally);
}

/* Goes through the entries of IMA's list, then through those in assay's log. */
struct ima_walk {
	struct ima_reader list, mirrored;
	struct cel_reader log;
	struct bytes batch;
	uint64_t record, record_end; /* of @batch */
	struct ima_entry entry;
};

static void walk_begin(struct ima_walk *walk, const struct appraisal *appraisal)
{
	const struct evidence *evidence = &appraisal->evidence;
	uint64_t passed = appraisal->verdict->passed;
	struct bytes none = { 0 };

	*walk = (struct ima_walk){ 0 };
	ima_begin(&walk->list,
		  passed & CHECK_BIT(CHECK_IMA_LOG_PARSED) ? buffer_bytes(&evidence->ima_data) :
							     none,
		  evidence->ima_template_bank);
	ima_begin(&walk->mirrored, none, ASSAY_HASH_SHA256);
	cel_begin(&walk->log,
		  passed & CHECK_BIT(CHECK_ASSAY_LOG_PARSED) ? buffer_bytes(&evidence->assay_cel) :
							       none,
		  0);
}

static bool walk_next(struct ima_walk *walk)
{
	struct mirrored_entry mirrored;
	struct assay_content content;
	struct cel_record record;

	if (ima_next(&walk->list, &walk->entry, NULL) > 0)
		return true;
	while (!mirrored_entry_next(&walk->batch, &mirrored)) {
		if (cel_next(&walk->log, &record, NULL) <= 0)
			return false;
		if (record.type == ASSAY_CEL_CONTENT &&
		    assay_content_parse(&record, &content, NULL) == 0 &&
		    content.kind == ASSAY_KIND_IMA) {
			walk->batch = content.batch.entries;
			walk->record = record.recnum;
			walk->record_end = record.offset + record.size;
		}
	}
	walk->entry =
		(struct ima_entry){ .name = mirrored.name,
				    .data = mirrored.data,
				    .violation = bytes_are_zero(BYTES(mirrored.digests[0].bytes,
								      mirrored.digests[0].size)) };
	ima_entry_parse(&walk->mirrored, &walk->entry);
	return true;
}

static int compare_path(const void *key, const void *member)
{
	const struct bytes *path = key;
	const struct policy_path *reference = member;
	size_t length = strlen(reference->path);
	size_t shorter = path->size < length ? path->size : length;
	int order = shorter > 0 ? memcmp(path->data, reference->path, shorter) : 0;

	return order != 0 ? order : (path->size > length) - (path->size < length);
}

/* What the policy's own reference values say. */
static enum look_up digests_look_up(const struct verify_policy *policy, struct bytes path,
				    const struct assay_digest *digest,
				    const struct assay_digest **ret_expected)
{
	const struct policy_path *reference =
		policy->ima_digest_count == 0 ?
			NULL :
			bsearch(&path, policy->ima_digests, policy->ima_digest_count,
				sizeof(*policy->ima_digests), compare_path);

	if (!reference)
		return LOOK_UP_NONE;
	for (size_t i = 0; i < reference->count; i++)
		if (verity_digest_equal(&reference->digests[i], digest))
			return LOOK_UP_MATCH;
	*ret_expected = &reference->digests[0];
	return LOOK_UP_DIFFERS;
}

/* -ENOKEY if the signature names none of the keys; else as ima_sig_verify(). */
static int verify_among(const struct ima_entry *entry, const struct assay_digest *digest,
			X509 *const *certificates, size_t count)
{
	struct bytes key_id, own;
	int result = -ENOKEY;

	if (ima_sig_key_id(entry->signature, &key_id, NULL) < 0)
		return -ENOKEY;
	for (size_t i = 0; i < count && result != 0; i++) {
		if (certificate_key_id(certificates[i], &own, NULL) < 0 ||
		    !bytes_equal(BYTES(own.data + own.size - 4, 4), key_id))
			continue;
		result = entry->verity ?
				 ima_sig_verify(entry->signature, digest, certificates[i], NULL) :
				 ima_sig_verify_data(entry->signature, digest, certificates[i],
						     NULL);
	}
	return result;
}

static int verify_signature(const struct appraisal *appraisal, const struct ima_entry *entry,
			    const struct assay_digest *digest)
{
	const struct verify_input *input = appraisal->input;
	int r = verify_among(entry, digest, input->certificates, input->certificate_count);

	/* Two keys may end in the same 4 bytes: it is enough that one made it. */
	if (r != 0) {
		int other = verify_among(entry, digest, input->ima_certificates,
					 input->ima_certificate_count);

		if (other != -ENOKEY)
			r = other;
	}
	return r;
}

static void tell_differs(struct ima_tally *tally, const char *path,
			 const struct assay_digest *found, const struct assay_digest *expected)
{
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT];

	check_digest_text(found, found_text);
	check_digest_text(expected, expected_text);
	findings_add(&tally->differ, "%s: IMA measured %s:%s, the reference value is %s:%s", path,
		     assay_hash_name(found->hash), found_text, assay_hash_name(expected->hash),
		     expected_text);
}

/* struct entry_facts - what is known of an entry */
struct entry_facts {
	struct assay_digest digest; /* size 0 where its algorithm is not known */
	const struct assay_digest *expected;
	enum look_up found;
	int signature; /* as verify_signature() */
};

static void look_up_entry(const struct appraisal *appraisal, const struct ima_entry *entry,
			  struct entry_facts *ret)
{
	*ret = (struct entry_facts){ .signature = -ENOKEY };
	/* Of an algorithm that is not known here: nothing can have the same digest. */
	if (entry->digest_hash != ASSAY_HASH_NONE) {
		ret->digest.hash = entry->digest_hash;
		ret->digest.size = entry->digest.size;
	}
	for (size_t i = 0; i < ret->digest.size; i++)
		ret->digest.bytes[i] = entry->digest.data[i];
	if (entry->verity)
		ret->found =
			manifests_look_up(appraisal, entry->path, &ret->digest, &ret->expected);
	else
		ret->found = digests_look_up(appraisal->policy, entry->path, &ret->digest,
					     &ret->expected);
	if (entry->signature.size > 0 && ret->digest.size > 0)
		ret->signature = verify_signature(appraisal, entry, &ret->digest);
}

static bool is_bad(const struct entry_facts *facts)
{
	return facts->signature != 0 && facts->signature != -ENOKEY;
}

static enum file_state entry_state(const struct appraisal *appraisal, const struct ima_entry *entry,
				   const struct entry_facts *facts)
{
	if (facts->found == LOOK_UP_DIFFERS || is_bad(facts))
		return FILE_DIFFERS;
	if (facts->found == LOOK_UP_MATCH)
		return FILE_MATCHES;
	if (facts->signature == 0)
		return FILE_SIGNED;
	return policy_allows(appraisal->policy, entry->path, &facts->digest) ? FILE_ALLOWED :
									       FILE_UNKNOWN;
}

static void tally_entry(const struct appraisal *appraisal, const struct ima_entry *entry,
			struct ima_tally *tally)
{
	struct entry_facts facts;
	enum file_state state;
	char path[FOREIGN_TEXT];

	look_up_entry(appraisal, entry, &facts);
	state = entry_state(appraisal, entry, &facts);
	tally->files++;
	tally->compared += facts.found != LOOK_UP_NONE;
	tally->signatures += facts.signature != -ENOKEY;
	tally->allowed += state == FILE_ALLOWED;
	if (state != FILE_UNKNOWN && state != FILE_DIFFERS)
		return;
	/* Of a million entries that are nobody's, none but the first is told by name. */
	if (state == FILE_UNKNOWN && tally->unknown.count > NAMED_FILES) {
		tally->unknown.count++;
		return;
	}
	text_escape(entry->path, path, sizeof(path));
	if (is_bad(&facts))
		findings_add(&tally->bad, "%s: the signature is not that key's of this digest",
			     path);
	if (facts.found == LOOK_UP_DIFFERS && facts.expected)
		tell_differs(tally, path, &facts.digest, facts.expected);
	if (state == FILE_UNKNOWN)
		findings_add(&tally->unknown,
			     "%s is no reference value, is not signed by an accepted key and not "
			     "allowed",
			     path);
}

/* Whether an entry is of a file, or of other data with a name. What is not, others judge. */
static bool has_digest(const struct ima_entry *entry)
{
	return entry->known && !entry->problem && entry->path.data && entry->digest.data &&
	       entry->boot_aggregate == IMA_NO_BOOT_AGGREGATE;
}

void ima_observe(const struct appraisal *appraisal, const struct verify_observer *observer)
{
	struct ima_walk walk;
	uint64_t number = 0;

	for (walk_begin(&walk, appraisal); walk_next(&walk); number++) {
		struct verify_file file = { .by_ima = true, .number = number };

		struct entry_facts facts;

		if (!has_digest(&walk.entry))
			continue;
		look_up_entry(appraisal, &walk.entry, &facts);
		file.path = walk.entry.path;
		file.verity = walk.entry.verity;
		file.covered = number < appraisal->verdict->ima_log.covered;
		file.state = walk.entry.violation ? FILE_FAILED :
						    entry_state(appraisal, &walk.entry, &facts);
		file.digest = facts.digest;
		file.expected = facts.expected;
		/* Those that assay's log mirrors come after the list's, and are its. */
		if (number >= appraisal->verdict->ima_log.records) {
			file.number = walk.record;
			file.covered = walk.record_end <= appraisal->covered_size;
		}
		observer->file(observer->context, &file);
	}
}

/* All three checks are of one pass through the entries, made by the first of them. */
static const struct ima_tally *tally_of(struct appraisal *appraisal, char *detail)
{
	struct ima_walk walk;

	if (appraisal->ima)
		return appraisal->ima;
	appraisal->ima = calloc(1, sizeof(*appraisal->ima));
	if (!appraisal->ima) {
		check_tell(false, detail, "out of memory");
		return NULL;
	}
	walk_begin(&walk, appraisal);
	while (walk_next(&walk))
		if (has_digest(&walk.entry) && !walk.entry.violation)
			tally_entry(appraisal, &walk.entry, appraisal->ima);
	return appraisal->ima;
}

bool check_ima_signatures(struct appraisal *appraisal, char *detail)
{
	const struct ima_tally *tally = tally_of(appraisal, detail);

	if (!tally)
		return false;
	if (tally->bad.count > 0)
		return findings_tell(&tally->bad, detail);
	if (tally->signatures == 0)
		return check_skip(appraisal, detail, "no entry has a signature by an accepted key");
	return check_tell(true, detail, "%llu", (ull)tally->signatures);
}

bool check_ima_files_match(struct appraisal *appraisal, char *detail)
{
	const struct ima_tally *tally = tally_of(appraisal, detail);

	if (!tally)
		return false;
	if (tally->differ.count > 0)
		return findings_tell(&tally->differ, detail);
	if (tally->compared == 0)
		return check_skip(appraisal, detail, "no entry has a reference value");
	return check_tell(true, detail, "%llu of %llu entries", (ull)tally->compared,
			  (ull)tally->files);
}

bool check_ima_files_known(struct appraisal *appraisal, char *detail)
{
	const struct ima_tally *tally = tally_of(appraisal, detail);

	if (!tally)
		return false;
	if (tally->files == 0)
		return check_skip(appraisal, detail, "there is no entry of a file");
	if (tally->unknown.count > 0 &&
	    !(appraisal->policy->required & CHECK_BIT(CHECK_IMA_FILES_KNOWN)))
		return check_skip(appraisal, detail,
				  "%llu of %llu entries are nobody's, and the policy does not ask",
				  (ull)tally->unknown.count, (ull)tally->files);
	if (tally->unknown.count > 0)
		return findings_tell(&tally->unknown, detail);
	return check_tell(true, detail, "%llu entries, %llu of which the policy allows by path",
			  (ull)tally->files, (ull)tally->allowed);
}
