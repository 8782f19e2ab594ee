// SPDX-License-Identifier: MIT
/*
 * The checks of what IMA's entries say: those of its own list, and those that assay's log
 * mirrors, by the same rules.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/ima_source.h"
#include "sign/ima_sig.h"
#include "verify/content.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- the entries */

/* Goes through the entries of IMA's list, then through those in assay's log: of proven ones. */
struct entry_walk {
	const struct content *content;
	struct ima_source source;
	bool mirrored;
	struct ima_item item;
};

static void entry_walk_begin(struct entry_walk *walk, const struct content *content)
{
	*walk = (struct entry_walk){ .content = content };
	if (content->ima)
		ima_source_list(&walk->source, proven_bytes(content->ima),
				proven_bank(content->ima));
}

static bool entry_walk_next(struct entry_walk *walk)
{
	if (!walk->mirrored && walk->content->ima &&
	    ima_source_next(&walk->source, &walk->item, NULL) > 0)
		return true;
	if (!walk->content->assay)
		return false;
	if (!walk->mirrored) {
		walk->mirrored = true;
		ima_source_mirrored(&walk->source, proven_bytes(walk->content->assay));
	}
	return ima_source_next(&walk->source, &walk->item, NULL) > 0;
}

/* Entries behind the quoted PCR value prove nothing: they may fail a check, not pass it. */
static bool is_covered(const struct content *content, const struct ima_item *item)
{
	return item->covered_end <= proven_size(item->mirrored ? content->assay : content->ima);
}

/* "entry 3 of IMA's list", "entry 3 of IMA in assay's log (record 7)" */
#define PLACE_TEXT 80

static const char *place_text(const struct content *content, const struct ima_item *item,
			      char text[static PLACE_TEXT])
{
	if (item->mirrored)
		snprintf(text, PLACE_TEXT, "entry %llu of IMA in assay's log (record %llu)",
			 (ull)item->number, (ull)item->record);
	else
		snprintf(text, PLACE_TEXT, "entry %llu at offset %llu",
			 (ull)(item->number + content->ima_first), (ull)item->entry.offset);
	return text;
}

/*
 * Whether an entry is in order, apart from what it is of: of IMA's PCR, of a known template,
 * whole, and boot_aggregate only where IMA writes it.
 */
static bool is_in_order(const struct content *content, const struct ima_item *item,
			uint64_t *unknown, char *detail)
{
	const struct ima_entry *entry = &item->entry;
	char place[PLACE_TEXT], name[FOREIGN_TEXT];

	if (entry->pcr != content->policy->ima_pcr)
		return check_tell(false, detail, "%s is of PCR %u, not of IMA's %u",
				  place_text(content, item, place), entry->pcr,
				  content->policy->ima_pcr);
	text_escape(entry->name, name, sizeof(name));
	if (!entry->known && content->policy->unknown_templates)
		(*unknown)++;
	else if (!entry->known)
		return check_tell(false, detail, "%s has the template \"%s\", which is not known",
				  place_text(content, item, place), name);
	if (entry->problem)
		return check_tell(false, detail, "%s (template \"%s\"): %s",
				  place_text(content, item, place), name, entry->problem);
	/* A format of the kernel's command line may leave them out: nobody could judge such. */
	if (entry->known && !(entry->path.data && entry->digest.data))
		return check_tell(false, detail,
				  "%s (template \"%s\") does not say both a name and a digest",
				  place_text(content, item, place), name);
	/*
	 * Of its own list, ima-log-start has judged where it may be. What a log that goes on
	 * mirrors first is any entry, and IMA writes the bare name of a file that it has no path
	 * of.
	 */
	if (item->mirrored && (item->number > 0 || content->mirrored) &&
	    entry->boot_aggregate != IMA_NO_BOOT_AGGREGATE)
		return check_tell(false, detail,
				  "%s is named boot_aggregate, which only the first entry may be",
				  place_text(content, item, place));
	return true;
}

enum check_result check_ima_log_entries(struct content *content, char *detail)
{
	uint64_t entries = 0, mirrored = 0, unknown = 0;
	bool covered_mirrored = false;
	struct entry_walk walk;

	for (entry_walk_begin(&walk, content); entry_walk_next(&walk);) {
		entries += is_covered(content, &walk.item);
		mirrored += walk.item.mirrored;
		covered_mirrored |= walk.item.mirrored && is_covered(content, &walk.item);
		if (!is_in_order(content, &walk.item, &unknown, detail)) {
			/* Of those behind it, nothing is known. */
			content->mirrored = true;
			return CHECK_FAILED;
		}
	}
	content->mirrored |= covered_mirrored;
	if (entries == 0)
		return check_skip(detail, "there is no entry of IMA that is proven");
	if (unknown > 0)
		return check_tell(true, detail,
				  "all of PCR %u; %llu of templates that are not known, which the "
				  "policy takes",
				  content->policy->ima_pcr, (ull)unknown);
	if (mirrored > 0)
		return check_tell(true, detail, "all of PCR %u, %llu of them in assay's log",
				  content->policy->ima_pcr, (ull)mirrored);
	return check_tell(true, detail, "all of PCR %u", content->policy->ima_pcr);
}

enum check_result check_ima_log_violations(struct content *content, char *detail)
{
	uint64_t entries = 0, violations = 0;
	struct entry_walk walk;
	char path[FOREIGN_TEXT] = "";

	for (entry_walk_begin(&walk, content); entry_walk_next(&walk);) {
		entries += is_covered(content, &walk.item);
		if (walk.item.entry.violation && violations++ == 0)
			text_escape(walk.item.entry.path, path, sizeof(path));
	}
	if (entries == 0 && violations == 0)
		return check_skip(detail, "there is no entry of IMA that is proven");
	if (violations > 0)
		return check_tell(false, detail,
				  "%llu violations, the first of %s: what was read is not known",
				  (ull)violations, path[0] ? path : "a file without a name");
	return check_tell(true, detail, "none");
}

/* ---------------------------------------------------------------- what they are of */

/**
 * struct ima_tally - what became of the entries, of the list and of those that assay's log
 * mirrors. What is counted for a check to pass, the quote covers; what fails one need not be
 * @files: entries that have a digest and a name
 * @compared: of these, with a reference value
 * @signatures: of these, with a signature that names an accepted key
 * @allowed: of these, known by their path alone
 * @ambiguous: of these, with a name that IMA writes alike for several reference values
 * @differ, @bad, @unknown: what is not a reference value, is badly signed, is nobody's
 */
struct ima_tally {
	uint64_t files, compared, signatures, allowed, ambiguous;
	struct findings differ, bad, unknown;
};

bool ima_has_unknown(const struct content *content)
{
	return content->ima_tally && content->ima_tally->unknown.count > 0;
}

void ima_tally_free(struct ima_tally *tally)
{
	free(tally);
}

static struct bytes path_bytes(const char *path)
{
	return BYTES((const uint8_t *)path, strlen(path));
}

/* What the policy's own reference values say: of all paths that IMA writes so. */
static struct looked_up digests_look_up(const struct verify_policy *policy, struct bytes path,
					const struct assay_digest *digest)
{
	struct looked_up found = { .result = LOOK_UP_NONE };
	size_t low = 0, high = path.data ? policy->ima_digest_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ima_name_compare(path_bytes(policy->ima_digests[middle].path), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; path.data && low < policy->ima_digest_count; low++) {
		const struct policy_path *reference = &policy->ima_digests[low];

		if (ima_name_compare(path_bytes(reference->path), path) != 0)
			break;
		found.names++;
		for (size_t i = 0; i < reference->count; i++)
			if (verity_digest_equal(&reference->digests[i], digest))
				found.result = LOOK_UP_MATCH;
		if (found.result == LOOK_UP_NONE) {
			found.result = LOOK_UP_DIFFERS;
			found.expected = &reference->digests[0];
		}
	}
	if (found.result == LOOK_UP_MATCH)
		found.expected = NULL;
	return found;
}

/* -ENOKEY if the signature names none of the keys; else as ima_sig_verify(). */
static int verify_among(const struct ima_entry *entry, const struct assay_digest *digest,
			X509 *const *certificates, size_t count, struct assay_error *why)
{
	struct bytes key_id, own;
	int result = -ENOKEY;

	if (ima_sig_key_id(entry->signature, &key_id, NULL) < 0)
		return -ENOKEY;
	for (size_t i = 0; i < count && result != 0; i++) {
		if (certificate_key_id(certificates[i], &own, NULL) < 0 ||
		    !bytes_equal(BYTES(own.data + own.size - 4, 4), key_id))
			continue;
		result =
			entry->verity ?
				ima_sig_verify(entry->signature, digest, certificates[i], why) :
				ima_sig_verify_data(entry->signature, digest, certificates[i], why);
	}
	return result;
}

static int verify_signature(const struct content *content, const struct ima_entry *entry,
			    const struct assay_digest *digest, struct assay_error *why)
{
	int r = verify_among(entry, digest, content->certificates, content->certificate_count, why);

	/* Two keys may end in the same 4 bytes: it is enough that one made it. */
	if (r != 0) {
		int other = verify_among(entry, digest, content->ima_certificates,
					 content->ima_certificate_count, why);

		if (other != -ENOKEY)
			r = other;
	}
	return r;
}

static void tell_differs(struct ima_tally *tally, const char *path,
			 const struct assay_digest *found, const struct looked_up *looked_up)
{
	const struct assay_digest *expected = looked_up->expected;
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT], package[PACKAGE_SHOWN_SIZE];

	check_digest_text(found, found_text);
	check_digest_text(expected, expected_text);
	findings_add(&tally->differ, "%s%s: IMA measured %s:%s, the reference value is %s:%s", path,
		     package_text(looked_up->package, package), assay_hash_name(found->hash),
		     found_text, assay_hash_name(expected->hash), expected_text);
}

/* struct entry_facts - what is known of an entry */
struct entry_facts {
	struct assay_digest digest; /* size 0 where its algorithm is not known */
	struct looked_up found;
	int signature;		/* as verify_signature() */
	struct assay_error why; /* where it is not good */
};

static void look_up_entry(const struct content *content, const struct ima_entry *entry,
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
	if (!entry->verity)
		ret->found = digests_look_up(content->policy, entry->path, &ret->digest);
	else if (content->manifests)
		ret->found = manifests_look_up(content->manifests, content->policy, entry->path,
					       true, &ret->digest);
	if (entry->signature.size > 0 && ret->digest.size > 0)
		ret->signature = verify_signature(content, entry, &ret->digest, &ret->why);
}

static bool is_bad(const struct entry_facts *facts)
{
	return facts->signature != 0 && facts->signature != -ENOKEY;
}

static enum file_state entry_state(const struct content *content, const struct ima_entry *entry,
				   const struct entry_facts *facts)
{
	if (facts->found.result == LOOK_UP_DIFFERS || is_bad(facts))
		return FILE_DIFFERS;
	if (facts->found.result == LOOK_UP_MATCH)
		return FILE_MATCHES;
	if (facts->signature == 0)
		return FILE_SIGNED;
	return policy_allows(content->policy, entry->path, true, &facts->digest) ? FILE_ALLOWED :
										   FILE_UNKNOWN;
}

static void tally_entry(const struct content *content, const struct ima_item *item,
			struct ima_tally *tally)
{
	const struct ima_entry *entry = &item->entry;
	struct entry_facts facts;
	enum file_state state;
	char path[FOREIGN_TEXT];

	look_up_entry(content, entry, &facts);
	state = entry_state(content, entry, &facts);
	if (is_covered(content, item)) {
		tally->files++;
		tally->compared += facts.found.result != LOOK_UP_NONE;
		tally->ambiguous += facts.found.names > 1;
		tally->signatures += facts.signature != -ENOKEY;
		tally->allowed += state == FILE_ALLOWED;
	}
	if (state != FILE_UNKNOWN && state != FILE_DIFFERS)
		return;
	/* Of a million entries that are nobody's, none but the first is told by name. */
	if (state == FILE_UNKNOWN && tally->unknown.count > NAMED_FINDINGS) {
		tally->unknown.count++;
		return;
	}
	text_escape(entry->path, path, sizeof(path));
	if (is_bad(&facts))
		findings_add(&tally->bad, "%s: %s", path, facts.why.text);
	if (facts.found.result == LOOK_UP_DIFFERS && facts.found.expected)
		tell_differs(tally, path, &facts.digest, &facts.found);
	if (state == FILE_UNKNOWN)
		findings_add(&tally->unknown,
			     "%s is no reference value, is not signed by an accepted key and not "
			     "allowed",
			     path);
}

/* Whether an entry is of a file, or of other data with a name. What is not, others judge. */
static bool has_digest(const struct ima_item *item)
{
	const struct ima_entry *entry = &item->entry;

	return entry->known && !entry->problem && entry->path.data && entry->digest.data &&
	       entry->boot_aggregate == IMA_NO_BOOT_AGGREGATE;
}

void ima_observe(const struct content *content, const struct verify_observer *observer)
{
	struct entry_walk walk;

	for (entry_walk_begin(&walk, content); entry_walk_next(&walk);) {
		const struct ima_item *item = &walk.item;
		struct verify_file file = { .by_ima = true };
		struct entry_facts facts;

		if (!has_digest(item))
			continue;
		look_up_entry(content, &item->entry, &facts);
		file.path = item->entry.path;
		file.verity = item->entry.verity;
		file.number = item->mirrored ? item->record : item->number + content->ima_first;
		file.covered = is_covered(content, item);
		file.state = item->entry.violation ? FILE_FAILED :
						     entry_state(content, &item->entry, &facts);
		file.digest = facts.digest;
		file.expected = facts.found.expected;
		observer->file(observer->context, &file);
	}
}

/* All three checks are of one pass through the entries, made by the first of them. */
static const struct ima_tally *tally_of(struct content *content, char *detail)
{
	struct entry_walk walk;

	if (content->ima_tally)
		return content->ima_tally;
	content->ima_tally = calloc(1, sizeof(*content->ima_tally));
	if (!content->ima_tally) {
		check_tell(false, detail, "out of memory");
		return NULL;
	}
	for (entry_walk_begin(&walk, content); entry_walk_next(&walk);)
		if (has_digest(&walk.item) && !walk.item.entry.violation)
			tally_entry(content, &walk.item, content->ima_tally);
	return content->ima_tally;
}

enum check_result check_ima_signatures(struct content *content, char *detail)
{
	const struct ima_tally *tally = tally_of(content, detail);

	if (!tally)
		return CHECK_FAILED;
	if (tally->bad.count > 0)
		return findings_tell(&tally->bad, detail);
	if (tally->signatures == 0)
		return check_skip(detail, "no entry has a signature by an accepted key");
	return check_tell(true, detail, "%llu", (ull)tally->signatures);
}

enum check_result check_ima_files_match(struct content *content, char *detail)
{
	const struct ima_tally *tally = tally_of(content, detail);

	if (!tally)
		return CHECK_FAILED;
	if (tally->differ.count > 0)
		return findings_tell(&tally->differ, detail);
	if (tally->compared == 0)
		return check_skip(detail, "no entry has a reference value");
	if (tally->ambiguous > 0)
		return check_tell(true, detail,
				  "%llu of %llu entries; %llu of them with a name that IMA writes "
				  "alike for several files, any of which it may be",
				  (ull)tally->compared, (ull)tally->files, (ull)tally->ambiguous);
	return check_tell(true, detail, "%llu of %llu entries", (ull)tally->compared,
			  (ull)tally->files);
}

enum check_result check_ima_files_known(struct content *content, char *detail)
{
	const struct ima_tally *tally = tally_of(content, detail);

	if (!tally)
		return CHECK_FAILED;
	/* Had the policy asked, there was no state to go on from. */
	if (content->unknown_files && tally->unknown.count == 0)
		return check_skip(detail, "entries of before are of unknown files, and the policy "
					  "does not ask");
	if (tally->files == 0)
		return check_skip(detail, "there is no entry of a file");
	if (tally->unknown.count > 0 &&
	    !(content->policy->required & CHECK_BIT(CHECK_IMA_FILES_KNOWN)))
		return check_skip(
			detail,
			"%llu of %llu entries are of unknown files, and the policy does not ask",
			(ull)tally->unknown.count, (ull)tally->files);
	if (tally->unknown.count > 0)
		return findings_tell(&tally->unknown, detail);
	return check_tell(true, detail, "%llu entries, %llu of which the policy allows by path",
			  (ull)tally->files, (ull)tally->allowed);
}
