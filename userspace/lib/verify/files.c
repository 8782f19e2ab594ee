// SPDX-License-Identifier: MIT
/* The checks of what was measured against what the manifests say. */
#define _GNU_SOURCE /* strerrorname_np(), strerrordesc_np() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "sign/manifest_signature.h"
#include "verify/checks.h"

/* Room for a path in a detail. */
#define PATH_TEXT 200

typedef unsigned long long ull;

bool check_manifest_signature(struct appraisal *appraisal, char *detail)
{
	const struct verify_input *input = appraisal->input;
	struct assay_error err = { 0 };
	size_t files = 0;

	if (input->manifest_count == 0)
		return check_tell(false, detail, "there is no manifest to compare with");
	if (input->certificate_count == 0)
		return check_tell(false, detail, "no signer's certificate is accepted");
	appraisal->manifests = calloc(input->manifest_count, sizeof(struct manifest *));
	if (!appraisal->manifests)
		return check_tell(false, detail, "out of memory");
	for (size_t i = 0; i < input->manifest_count; i++) {
		const struct verify_manifest *manifest = &input->manifests[i];
		int r = -1;

		/* The signature first: what is not signed is not parsed. */
		for (size_t j = 0; r < 0 && j < input->certificate_count; j++)
			r = manifest_verify(manifest->text, manifest->name, manifest->signature,
					    input->certificates[j], 0, &err);
		if (r == 0)
			r = manifest_parse(manifest->text, manifest->name, &appraisal->manifests[i],
					   &err);
		if (r != 0)
			return check_tell(false, detail, "%s", err.text);
		files += appraisal->manifests[i]->count;
	}
	return check_tell(true, detail, "%zu files, in %zu signed manifest%s", files,
			  input->manifest_count, input->manifest_count == 1 ? "" : "s");
}

/* ---------------------------------------------------------------- measured files */

/* Goes through the files of all batches of a log that was parsed. */
struct file_walk {
	struct cel_reader reader;
	struct cel_record record;
	struct bytes entries;
	struct measured_file file;
};

static void walk_begin(struct file_walk *walk, const struct appraisal *appraisal)
{
	*walk = (struct file_walk){ 0 };
	cel_begin(&walk->reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
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

/* A log that goes on may hold none; one that begins with the boot measured nothing. */
static bool no_file(const struct appraisal *appraisal, char *detail)
{
	if (appraisal->log.origin == LOG_CONTINUED)
		return check_tell(true, detail, "none since record %llu",
				  (ull)appraisal->evidence.assay_first);
	return check_tell(false, detail, "the log holds no measured file");
}

static const char *path_text(const struct measured_file *file, char text[static PATH_TEXT])
{
	if (!file->path.data)
		snprintf(text, PATH_TEXT, "a file whose path was too long");
	else
		text_escape(file->path, text, PATH_TEXT);
	return text;
}

/*
 * The path as manifests have it: without the policy's prefix. False for one that no
 * manifest can have: none, outside the prefix, with a NUL, too long.
 */
static bool manifest_path(const struct verify_policy *policy, struct bytes path,
			  char ret[static MANIFEST_PATH_MAX])
{
	size_t length = policy->prefix ? strlen(policy->prefix) : 0;
	struct bytes prefix;

	while (length > 0 && policy->prefix[length - 1] == '/')
		length--;
	if (!path.data || !bytes_take(&path, length, &prefix) ||
	    (length > 0 && memcmp(prefix.data, policy->prefix, length) != 0))
		return false;
	if (path.size == 0 || path.size >= MANIFEST_PATH_MAX || path.data[0] != '/' ||
	    memchr(path.data, '\0', path.size))
		return false;
	memcpy(ret, path.data, path.size);
	ret[path.size] = '\0';
	return true;
}

static bool digest_among(const struct policy_path *allowed, const struct assay_digest *digest)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (verity_digest_equal(&allowed->digests[i], digest))
			return true;
	return allowed->count == 0;
}

bool policy_allows(const struct verify_policy *policy, struct bytes path,
		   const struct assay_digest *digest)
{
	for (size_t i = 0; path.data && i < policy->allowed_count; i++) {
		const struct policy_path *allowed = &policy->allowed[i];
		size_t length = strlen(allowed->path);
		bool below = length > 0 && allowed->path[length - 1] == '/';

		if (path.size < length || (!below && path.size > length) ||
		    memcmp(path.data, allowed->path, length) != 0)
			continue;
		if (digest_among(allowed, digest))
			return true;
	}
	return false;
}

/* The next manifest, from *index on, that has the file; NULL if no other one has. */
static const struct manifest_file *find_from(const struct appraisal *appraisal, const char *path,
					     size_t *index)
{
	while (*index < appraisal->input->manifest_count) {
		const struct manifest_file *found =
			manifest_find(appraisal->manifests[(*index)++], path);

		if (found)
			return found;
	}
	return NULL;
}

void findings_add(struct findings *findings, const char *format, ...)
{
	size_t room = sizeof(findings->text) - findings->used;
	va_list args;
	int length;

	if (findings->count++ >= NAMED_FILES)
		return;
	length = snprintf(findings->text + findings->used, room, "%s", findings->used ? "; " : "");
	findings->used += (size_t)length < room ? (size_t)length : room - 1;
	room = sizeof(findings->text) - findings->used;
	va_start(args, format);
	length = vsnprintf(findings->text + findings->used, room, format, args);
	va_end(args);
	findings->used += (size_t)length < room ? (size_t)length : room - 1;
}

bool findings_tell(const struct findings *findings, char *detail)
{
	uint64_t more = findings->count > NAMED_FILES ? findings->count - NAMED_FILES : 0;

	if (more > 0)
		return check_tell(false, detail, "%.*s; and %llu more",
				  (int)(CHECK_DETAIL_MAX - sizeof("; and  more") - 20),
				  findings->text, (ull)more);
	return check_tell(false, detail, "%s", findings->text);
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

bool check_files_measured(struct appraisal *appraisal, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t files = 0;

	walk_begin(&walk, appraisal);
	for (; walk_next(&walk); files++) {
		const char *name = strerrorname_np((int)walk.file.errnum);
		char path[PATH_TEXT];

		if (walk.file.errnum != 0)
			findings_add(&findings, "%s could not be measured: %s (%s)",
				     path_text(&walk.file, path), name ? name : "unknown error",
				     errno_reason(walk.file.errnum));
	}
	appraisal->verdict->files = files;
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (files == 0)
		return no_file(appraisal, detail);
	return check_tell(true, detail, "%llu measurements", (ull)files);
}

bool check_files_known(struct appraisal *appraisal, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t files = 0, allowed = 0;

	walk_begin(&walk, appraisal);
	for (; walk_next(&walk); files++) {
		char path[PATH_TEXT];
		const struct assay_digest *expected;

		if (manifests_look_up(appraisal, walk.file.path, &walk.file.digest, &expected) !=
		    LOOK_UP_NONE)
			continue;
		if (policy_allows(appraisal->policy, walk.file.path, &walk.file.digest))
			allowed++;
		else
			findings_add(&findings, "%s was measured and is in no manifest",
				     path_text(&walk.file, path));
	}
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (files == 0)
		return no_file(appraisal, detail);
	if (allowed > 0)
		return check_tell(true, detail,
				  "%llu measurements, %llu of which the policy allows by path",
				  (ull)files, (ull)allowed);
	return check_tell(true, detail, "%llu measurements", (ull)files);
}

enum look_up manifests_look_up(const struct appraisal *appraisal, struct bytes path,
			       const struct assay_digest *digest,
			       const struct assay_digest **ret_expected)
{
	const struct manifest_file *reference;
	enum look_up result = LOOK_UP_NONE;
	char wanted[MANIFEST_PATH_MAX];
	size_t index = 0;

	if (!manifest_path(appraisal->policy, path, wanted))
		return LOOK_UP_NONE;
	while ((reference = find_from(appraisal, wanted, &index)) != NULL) {
		if (verity_digest_equal(&reference->digest, digest))
			return LOOK_UP_MATCH;
		*ret_expected = &reference->digest;
		result = LOOK_UP_DIFFERS;
	}
	return result;
}

static void tell_differs(const struct measured_file *file, const struct assay_digest *expected,
			 struct findings *findings)
{
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT], text[PATH_TEXT];
	const char *found_hash = assay_hash_name(file->digest.hash);

	hex_encode(BYTES(file->digest.bytes, file->digest.size), found_text);
	check_digest_text(expected, expected_text);
	findings_add(findings, "%s: measured %s:%s, the manifest says %s:%s", path_text(file, text),
		     found_hash ? found_hash : "?", found_text, assay_hash_name(expected->hash),
		     expected_text);
}

bool check_files_match(struct appraisal *appraisal, char *detail)
{
	struct findings findings = { 0 };
	struct file_walk walk;
	uint64_t compared = 0;

	walk_begin(&walk, appraisal);
	while (walk_next(&walk)) {
		const struct assay_digest *expected = NULL;
		enum look_up found = walk.file.errnum == 0 ?
					     manifests_look_up(appraisal, walk.file.path,
							       &walk.file.digest, &expected) :
					     LOOK_UP_NONE;

		/* Of those that no manifest has, files-known tells. */
		compared += found != LOOK_UP_NONE;
		if (found == LOOK_UP_DIFFERS)
			tell_differs(&walk.file, expected, &findings);
	}
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	if (compared == 0 && appraisal->log.origin != LOG_CONTINUED)
		return check_tell(false, detail, "no measured file is in a manifest");
	return check_tell(true, detail, "%llu digests", (ull)compared);
}

/* Marks, in one bool a file of all manifests in turn, the files that were measured. */
static void mark_measured(const struct appraisal *appraisal, bool *seen)
{
	char wanted[MANIFEST_PATH_MAX];
	struct file_walk walk;

	walk_begin(&walk, appraisal);
	while (walk_next(&walk)) {
		size_t first = 0;

		/* Records behind the quoted PCR value prove nothing. */
		if (walk.record.offset >= appraisal->covered_size)
			break;
		if (walk.file.errnum != 0 ||
		    !manifest_path(appraisal->policy, walk.file.path, wanted))
			continue;
		for (size_t i = 0; i < appraisal->input->manifest_count; i++) {
			const struct manifest *manifest = appraisal->manifests[i];
			const struct manifest_file *file = manifest_find(manifest, wanted);

			if (file)
				seen[first + (size_t)(file - manifest->files)] = true;
			first += manifest->count;
		}
	}
}

/* What stands for the manifests as a whole, in a state. */
static bool manifests_digest(const struct appraisal *appraisal, struct assay_digest *ret)
{
	size_t count = appraisal->input->manifest_count;
	struct bytes *texts = calloc(count, sizeof(*texts));
	bool good = texts != NULL;

	for (size_t i = 0; good && i < count; i++)
		texts[i] = appraisal->input->manifests[i].text;
	good = good && digest_pieces(ASSAY_HASH_SHA256, texts, count, ret, NULL) == 0;
	free(texts);
	return good;
}

bool check_files_complete(struct appraisal *appraisal, char *detail)
{
	const struct verify_state *state = appraisal->input->state;
	struct assay_digest digest;
	struct findings findings = { 0 };
	size_t total = 0, number = 0;
	bool *seen;

	for (size_t i = 0; i < appraisal->input->manifest_count; i++)
		total += appraisal->manifests[i]->count;
	if (total == 0)
		return check_tell(false, detail, "the manifests name no file");
	if (!manifests_digest(appraisal, &digest))
		return check_tell(false, detail, "out of memory");
	if (appraisal->log.origin == LOG_CONTINUED &&
	    verity_digest_equal(&state->complete, &digest)) {
		appraisal->complete = digest;
		return check_tell(true, detail, "all %zu, by the last attestation", total);
	}
	seen = calloc(total, sizeof(*seen));
	if (!seen)
		return check_tell(false, detail, "out of memory");
	mark_measured(appraisal, seen);
	for (size_t i = 0; i < appraisal->input->manifest_count; i++) {
		const struct manifest *manifest = appraisal->manifests[i];

		for (size_t j = 0; j < manifest->count; j++) {
			const char *path = manifest->files[j].path;
			char text[PATH_TEXT];

			if (seen[number++])
				continue;
			text_escape(BYTES((const uint8_t *)path, strlen(path)), text, sizeof(text));
			findings_add(&findings,
				     "%s is in a manifest and was not measured before the quote",
				     text);
		}
	}
	free(seen);
	if (findings.count > 0)
		return findings_tell(&findings, detail);
	appraisal->complete = digest;
	return check_tell(true, detail, "all %zu", total);
}

/* ---------------------------------------------------------------- for an observer */

static void observe_record(const struct appraisal *appraisal,
			   const struct verify_observer *observer, const struct cel_record *record,
			   const struct assay_content *content)
{
	const struct verify_record seen = {
		.number = record->recnum,
		.offset = record->offset + appraisal->evidence.assay_base,
		.size = record->size,
		.kind = assay_kind_name(content->kind),
		.time = content->has_time ? content->time : 0,
		.files = content->batch.file_count,
		.events = content->batch.event_count,
		.ima = content->batch.ima_count,
		.covered = record->offset + record->size <= appraisal->covered_size,
	};

	observer->record(observer->context, &seen);
}

static void observe_file(const struct appraisal *appraisal, const struct verify_observer *observer,
			 const struct cel_record *record, const struct measured_file *file)
{
	struct verify_file seen = {
		.path = file->path,
		.verity = true,
		.number = record->recnum,
		.covered = record->offset + record->size <= appraisal->covered_size,
		.state = FILE_FAILED,
		.digest = file->digest,
	};

	if (file->errnum == 0)
		switch (manifests_look_up(appraisal, file->path, &file->digest, &seen.expected)) {
		case LOOK_UP_MATCH:
			seen.state = FILE_MATCHES;
			break;
		case LOOK_UP_DIFFERS:
			seen.state = FILE_DIFFERS;
			break;
		case LOOK_UP_NONE:
			seen.state = policy_allows(appraisal->policy, file->path, &file->digest) ?
					     FILE_ALLOWED :
					     FILE_UNKNOWN;
			break;
		}
	observer->file(observer->context, &seen);
}

void files_observe(const struct appraisal *appraisal, const struct verify_observer *observer)
{
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
	while (cel_next(&reader, &record, NULL) > 0) {
		struct assay_content content = { 0 };
		struct measured_file file;

		if (record.type == ASSAY_CEL_CONTENT)
			(void)assay_content_parse(&record, &content, NULL);
		observe_record(appraisal, observer, &record, &content);
		while (content.batch.file_count > 0 &&
		       measured_file_next(&content.batch.entries, &file))
			observe_file(appraisal, observer, &record, &file);
	}
}
