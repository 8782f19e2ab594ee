// SPDX-License-Identifier: MIT
/* The checks of what was measured against what the manifests say. */
#define _GNU_SOURCE /* strerrorname_np(), strerrordesc_np() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/cel.h"
#include "log/ima.h"
#include "verify/content.h"

/* Bytes of a file system's UUID. */
#define FSUUID_SIZE 16
/* Room for a path in a detail. */
#define PATH_TEXT 200

typedef unsigned long long ull;

/* ---------------------------------------------------------------- measured files */

/* Goes through the files of all batches of a log that was parsed. */
struct file_walk {
	struct cel_reader reader;
	struct cel_record record;
	struct bytes entries;
	struct measured_file file;
};

static void walk_begin(struct file_walk *walk, const struct content *content)
{
	*walk = (struct file_walk){ 0 };
	cel_begin(&walk->reader, proven_bytes(content->assay), 0);
}

static bool walk_next(struct file_walk *walk)
{
	struct assay_content content;

	while (!measured_file_next(&walk->entries, &walk->file)) {
		if (cel_next(&walk->reader, &walk->record, NULL) <= 0)
			return false;
		if (walk->record.type == ASSAY_CEL_CONTENT &&
		    assay_content_parse(&walk->record, &content, NULL) == 0 &&
		    content.batch.file_count > 0)
			walk->entries = content.batch.entries;
	}
	return true;
}

/* Records behind the quoted PCR value prove nothing: they may fail a check, not pass it. */
static bool is_covered(const struct file_walk *walk, const struct content *content)
{
	return walk->record.offset < proven_size(content->assay);
}

/* A log that goes on may hold none; one that begins with the boot measured nothing. */
static bool no_file(const struct content *content, char *detail)
{
	if (content->state)
		return check_tell(true, detail, "none since record %llu",
				  (ull)content->assay_first);
	return check_tell(false, detail, "the log holds no measured file that the quote covers");
}

static const char *path_text(const struct measured_file *file, char text[static PATH_TEXT])
{
	if (!file->path.data)
		snprintf(text, PATH_TEXT, "a file whose path was too long");
	else
		text_escape(file->path, text, PATH_TEXT);
	return text;
}

static struct bytes path_bytes(const char *path)
{
	return BYTES((const uint8_t *)path, strlen(path));
}

static bool digest_among(const struct policy_path *allowed, const struct assay_digest *digest)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (verity_digest_equal(&allowed->digests[i], digest))
			return true;
	return allowed->count == 0;
}

/* Of the rules, which are in the order of ima_name_compare(), those of that path. */
static bool allows_path(const struct verify_policy *policy, struct bytes path, bool ima_form,
			const struct assay_digest *digest)
{
	size_t low = 0, high = policy->allowed_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ima_name_compare(path_bytes(policy->allowed[middle].path), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < policy->allowed_count; low++) {
		const struct policy_path *allowed = &policy->allowed[low];
		const struct bytes wanted = path_bytes(allowed->path);

		if (ima_name_compare(wanted, path) != 0)
			return false;
		if ((ima_form || bytes_equal(wanted, path)) && digest_among(allowed, digest))
			return true;
	}
	return false;
}

bool policy_allows(const struct verify_policy *policy, struct bytes path, bool ima_form,
		   const struct assay_digest *digest)
{
	if (!path.data || policy->allowed_count == 0)
		return false;
	/* The directories that it is below, each with its '/', and itself. */
	for (size_t i = 0; i < path.size; i++)
		if ((path.data[i] == '/' || i + 1 == path.size) &&
		    allows_path(policy, BYTES(path.data, i + 1), ima_form, digest))
			return true;
	return false;
}

static struct looked_up look_up_file(const struct content *content,
				     const struct measured_file *file)
{
	return manifests_look_up(content->manifests, content->policy, file->path, false,
				 &file->digest);
}

/* Of a file that could not be measured: what the manifests, if they count, say whose it is. */
static const struct package_name *package_of(const struct content *content,
					     const struct measured_file *file)
{
	return content->manifests ? look_up_file(content, file).package : NULL;
}

/* What measuring a file gives, in other words than the error number's own. */
static const char *errno_reason(uint32_t errnum)
{
	const char *description = strerrordesc_np((int)errnum);

	switch (errnum) {
	case EIO:
		return "its data is not what its fs-verity digest is of";
	case ENODATA:
		return "it has no fs-verity digest";
	default:
		return description ? description : "not known here";
	}
}

enum check_result check_files_measured(struct content *content, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t files = 0, covered = 0;

	walk_begin(&walk, content);
	for (; walk_next(&walk); files++) {
		const char *name = strerrorname_np((int)walk.file.errnum);
		char path[PATH_TEXT], package[PACKAGE_SHOWN_SIZE];

		covered += is_covered(&walk, content);
		if (walk.file.errnum != 0)
			findings_add(&findings, "%s%s could not be measured: %s (%s)",
				     path_text(&walk.file, path),
				     package_text(package_of(content, &walk.file), package),
				     name ? name : "unknown error", errno_reason(walk.file.errnum));
	}
	content->files = files;
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (covered == 0)
		return no_file(content, detail);
	return check_tell(true, detail, "%llu measurements", (ull)files);
}

static bool is_on_accepted(const struct verify_policy *policy, const struct measured_file *file)
{
	for (size_t i = 0; file->fsuuid.data && i < policy->filesystem_count; i++)
		if (bytes_equal(file->fsuuid, BYTES(policy->filesystems[i], FSUUID_SIZE)))
			return true;
	return false;
}

/*
 * A path is as the process saw it that had the file measured: in a mount namespace of its own,
 * or below a mount that came later, it may be any file. The kernel's record of the file system
 * says which tree it was of.
 */
enum check_result check_files_filesystem(struct content *content, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t files = 0;

	if (content->policy->filesystem_count == 0)
		return check_skip(detail, "the policy names no file systems");
	walk_begin(&walk, content);
	for (; walk_next(&walk); files++) {
		char path[PATH_TEXT], uuid[2 * FSUUID_SIZE + 1] = "none";

		/* What could not be measured, files-measured tells. */
		if (walk.file.errnum != 0 || is_on_accepted(content->policy, &walk.file))
			continue;
		if (walk.file.fsuuid.data)
			hex_encode(walk.file.fsuuid, uuid);
		findings_add(&findings, "%s is on the file system with UUID %s",
			     path_text(&walk.file, path), uuid);
	}
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	return check_tell(true, detail, "%llu measurements", (ull)files);
}

enum check_result check_files_known(struct content *content, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t files = 0, covered = 0, allowed = 0;

	walk_begin(&walk, content);
	for (; walk_next(&walk); files++) {
		char path[PATH_TEXT];

		covered += is_covered(&walk, content);
		if (look_up_file(content, &walk.file).result != LOOK_UP_NONE)
			continue;
		if (policy_allows(content->policy, walk.file.path, false, &walk.file.digest))
			allowed++;
		else
			findings_add(&findings, "%s was measured and is in no manifest",
				     path_text(&walk.file, path));
	}
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (covered == 0)
		return no_file(content, detail);
	if (allowed > 0)
		return check_tell(true, detail,
				  "%llu measurements, %llu of which the policy allows by path",
				  (ull)files, (ull)allowed);
	return check_tell(true, detail, "%llu measurements", (ull)files);
}

static void tell_differs(const struct measured_file *file, const struct looked_up *looked_up,
			 struct findings *findings)
{
	const struct assay_digest *expected = looked_up->expected;
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT], text[PATH_TEXT];
	char package[PACKAGE_SHOWN_SIZE];
	const char *found_hash = assay_hash_name(file->digest.hash);

	hex_encode(BYTES(file->digest.bytes, file->digest.size), found_text);
	check_digest_text(expected, expected_text);
	findings_add(findings, "%s%s: measured %s:%s, the manifest says %s:%s",
		     path_text(file, text), package_text(looked_up->package, package),
		     found_hash ? found_hash : "?", found_text, assay_hash_name(expected->hash),
		     expected_text);
}

enum check_result check_files_match(struct content *content, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t compared = 0;

	walk_begin(&walk, content);
	while (walk_next(&walk)) {
		struct looked_up found = { .result = LOOK_UP_NONE };

		if (walk.file.errnum == 0)
			found = look_up_file(content, &walk.file);
		/* Of those that no manifest has, files-known tells. */
		compared += found.result != LOOK_UP_NONE && is_covered(&walk, content);
		if (found.result == LOOK_UP_DIFFERS)
			tell_differs(&walk.file, &found, &findings);
	}
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (compared == 0 && !content->state)
		return check_tell(false, detail, "no measured file is in a manifest");
	return check_tell(true, detail, "%llu digests", (ull)compared);
}

/* What a state has of them, a bit a file; false where it does not know. */
static bool recall_seen(const struct content *content, bool *seen, size_t total)
{
	const struct verify_state *state = content->state;

	/* Of one as JSON, or a log that is whole, what is there is all. */
	if (!state || !state->goes_on)
		return true;
	if (state->seen_size != (total + 7) / 8)
		return false;
	for (size_t i = 0; i < total; i++)
		seen[i] = (state->seen[i / 8] >> i % 8 & 1) != 0;
	return true;
}

static void keep_seen(struct content *content, const bool *seen, size_t total)
{
	size_t size = (total + 7) / 8;

	if (size > sizeof(content->seen))
		return;
	for (size_t i = 0; i < total; i++)
		if (seen[i])
			content->seen[i / 8] |= (uint8_t)(1U << i % 8);
	content->seen_size = size;
}

/* Marks, in one bool a file of all manifests in turn, the files that were measured. */
static void mark_measured(const struct content *content, bool *seen)
{
	char wanted[MANIFEST_PATH_MAX];
	struct file_walk walk;

	walk_begin(&walk, content);
	while (walk_next(&walk)) {
		size_t first = 0;

		if (!is_covered(&walk, content))
			break;
		if (walk.file.errnum != 0 ||
		    !manifest_path(content->policy, walk.file.path, false, wanted))
			continue;
		for (size_t i = 0; i < manifests_count(content->manifests); i++) {
			const struct manifest *manifest = manifests_get(content->manifests, i);
			const struct manifest_file *file = manifest_find(manifest, wanted);

			if (file)
				seen[first + (size_t)(file - manifest->files)] = true;
			first += manifest->count;
		}
	}
}

enum check_result check_files_complete(struct content *content, char *detail)
{
	const struct verify_state *state = content->state;
	struct assay_digest digest;
	struct findings findings = { 0 };
	struct assay_error err = { 0 };
	size_t total = 0, number = 0;
	bool *seen;

	for (size_t i = 0; i < manifests_count(content->manifests); i++)
		total += manifests_get(content->manifests, i)->count;
	if (total == 0)
		return check_tell(false, detail, "the manifests name no file");
	if (manifests_digest(content->manifests, &digest, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	if (content->state && verity_digest_equal(&state->complete, &digest)) {
		content->complete = digest;
		return check_tell(true, detail, "all %zu, by the last attestation", total);
	}
	seen = calloc(total, sizeof(*seen));
	if (!seen)
		return check_tell(false, detail, "out of memory");
	if (!recall_seen(content, seen, total)) {
		free(seen);
		return check_skip(detail,
				  "of %zu files, a state does not keep which were measured before "
				  "record %llu: collect the whole log",
				  total, (unsigned long long)content->assay_first);
	}
	mark_measured(content, seen);
	keep_seen(content, seen, total);
	for (size_t i = 0; i < manifests_count(content->manifests); i++) {
		const struct manifest *manifest = manifests_get(content->manifests, i);

		for (size_t j = 0; j < manifest->count; j++) {
			const char *path = manifest->files[j].path;
			char text[PATH_TEXT], package[PACKAGE_SHOWN_SIZE];

			if (seen[number++])
				continue;
			text_escape(BYTES((const uint8_t *)path, strlen(path)), text, sizeof(text));
			findings_add(&findings,
				     "%s%s is in a manifest and was not measured before the quote",
				     text, package_text(manifest->files[j].package, package));
		}
	}
	free(seen);
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	content->seen_size = 0;
	content->complete = digest;
	return check_tell(true, detail, "all %zu", total);
}

/* ---------------------------------------------------------------- for an observer */

static void observe_record(const struct content *content, const struct verify_observer *observer,
			   const struct cel_record *record, const struct assay_content *said)
{
	const struct verify_record seen = {
		.number = record->recnum,
		.offset = record->offset + content->assay_base,
		.size = record->size,
		.kind = assay_kind_name(said->kind),
		.time = said->has_time ? said->time : 0,
		.files = said->batch.file_count,
		.events = said->batch.event_count,
		.ima = said->batch.ima_count,
		.covered = record->offset + record->size <= proven_size(content->assay),
	};

	observer->record(observer->context, &seen);
}

static void observe_file(const struct content *content, const struct verify_observer *observer,
			 const struct cel_record *record, const struct measured_file *file)
{
	struct verify_file seen = {
		.path = file->path,
		.verity = true,
		.number = record->recnum,
		.covered = record->offset + record->size <= proven_size(content->assay),
		.state = FILE_FAILED,
		.digest = file->digest,
	};
	struct looked_up found = { .result = LOOK_UP_NONE };

	if (file->errnum == 0) {
		if (content->manifests)
			found = look_up_file(content, file);
		seen.expected = found.expected;
		seen.state = found.result == LOOK_UP_MATCH   ? FILE_MATCHES :
			     found.result == LOOK_UP_DIFFERS ? FILE_DIFFERS :
			     policy_allows(content->policy, file->path, false, &file->digest) ?
							       FILE_ALLOWED :
							       FILE_UNKNOWN;
	}
	observer->file(observer->context, &seen);
}

void files_observe(const struct content *content, const struct verify_observer *observer)
{
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, proven_bytes(content->assay), 0);
	while (cel_next(&reader, &record, NULL) > 0) {
		struct assay_content said = { 0 };
		struct measured_file file;

		if (record.type == ASSAY_CEL_CONTENT)
			(void)assay_content_parse(&record, &said, NULL);
		observe_record(content, observer, &record, &said);
		while (said.batch.file_count > 0 && measured_file_next(&said.batch.entries, &file))
			observe_file(content, observer, &record, &file);
	}
}
