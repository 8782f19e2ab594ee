// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "measure/root.h"
#include "measure/trusted.h"

/**
 * struct pass_run - a pass under way
 * @paths: files to be measured; what they point to is the scan's, or the caller's
 */
struct pass_run {
	const struct measure_pass *pass;
	struct outcome *outcome;
	struct rules rules;
	struct trusted trusted;
	struct scan scan;
	const char **paths;
	size_t count;
};

static void take_result(void *context, const char *path, const struct assay_measure_entry *entry,
			bool recorded, uint64_t recnum)
{
	struct pass_run *run = context;
	struct assay_digest digest = {
		.hash = (enum assay_hash)entry->hash_alg,
		.size = entry->digest_size,
	};
	char text[ASSAY_DIGEST_TEXT_MAX];

	(void)recorded;
	(void)recnum;
	if (entry->result < 0) {
		outcome_take_file(run->outcome, path, -entry->result);
		return;
	}
	memcpy(digest.bytes, entry->digest, entry->digest_size);
	known_append_file(path, assay_digest_text(&digest, text), run->pass->measured);
}

/* The digest that a file has now, as text; false if it has none, or cannot be asked. */
static bool digest_now(int root, const char *path, char *text)
{
	union {
		struct fsverity_digest head;
		uint8_t bytes[sizeof(struct fsverity_digest) + ASSAY_MAX_DIGEST];
	} found = { .head = { .digest_size = ASSAY_MAX_DIGEST } };
	struct assay_digest digest = { 0 };
	CLEANUP(close_descriptor)
	int fd = root_open_file(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || ioctl(fd, FS_IOC_MEASURE_VERITY, &found) < 0 ||
	    found.head.digest_size > sizeof(digest.bytes))
		return false;
	digest.hash = found.head.digest_algorithm == FS_VERITY_HASH_ALG_SHA256 ? ASSAY_HASH_SHA256 :
										 ASSAY_HASH_SHA512;
	digest.size = found.head.digest_size;
	memcpy(digest.bytes, found.bytes + sizeof(struct fsverity_digest), digest.size);
	assay_digest_text(&digest, text);
	return true;
}

static bool is_known(const struct measure_pass *pass, const char *path)
{
	const char *before = pass->known ? known_find(pass->known, path) : NULL;
	char now[ASSAY_DIGEST_TEXT_MAX];

	return before && digest_now(pass->root, path, now) && strcmp(before, now) == 0;
}

static bool has_manifest(const struct rules *rules, unsigned int stage)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].kind == RULE_MANIFEST && (rules->list[i].stages & stage))
			return true;
	return false;
}

/* They are for manifests alone, and the first certificate has libcrypto look for all it offers. */
static int load_trusted(struct pass_run *run, struct assay_error *err)
{
	return has_manifest(&run->rules, run->pass->stage) ?
		       trusted_load(run->pass->certificates, &run->trusted, err) :
		       0;
}

static int find_files(struct pass_run *run, struct assay_error *err)
{
	const struct measure_pass *pass = run->pass;
	struct scan_options options = { .root = pass->root,
					.lists = pass->lists,
					.stage = pass->stage,
					.look_ms = pass->look_ms };
	int r = rules_load(pass->rules, &run->rules, err);

	if (r == 0)
		r = load_trusted(run, err);
	options.certificates = run->trusted.certificates;
	options.certificate_count = run->trusted.count;
	if (r == 0)
		r = scan_rules(&options, &run->rules, &run->scan, err);
	if (r == 0)
		outcome_take_scan(run->outcome, &run->scan);
	return r;
}

/* Those of the rules, or of the caller, that are not known. */
static int choose_files(struct pass_run *run, struct assay_error *err)
{
	const struct measure_pass *pass = run->pass;
	size_t count = pass->paths ? pass->path_count : run->scan.count;

	run->paths = calloc(count ? count : 1, sizeof(*run->paths));
	if (!run->paths)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *path = pass->paths ? pass->paths[i] : run->scan.files[i].path;

		if (!is_known(pass, path))
			run->paths[run->count++] = path;
	}
	run->outcome->file_count = run->count;
	run->outcome->known_count = count - run->count;
	return 0;
}

static int measure_chosen(struct pass_run *run, struct assay_error *err)
{
	const struct measure_pass *pass = run->pass;
	CLEANUP(close_descriptor)
	int descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct measure_job job = {
		.device = pass->device,
		.root = pass->root,
		.descriptors = descriptors,
		.flags = pass->flags,
		.stay = true,
		.told = take_result,
		.context = run,
	};
	int r;

	if (descriptors < 0)
		return assay_fail(err, errno, "cannot open /proc/self/fd: %s", strerror(errno));
	r = pass->enter ? pass->enter(pass->root, err) : 0;
	if (r == 0)
		r = measure_files(&job, run->paths, run->count, &run->outcome->counts, err);
	return r;
}

int measure_pass(const struct measure_pass *pass, struct outcome *outcome, struct assay_error *err)
{
	struct pass_run run = { .pass = pass, .outcome = outcome };
	int r = pass->paths ? 0 : find_files(&run, err);

	if (r == 0)
		r = choose_files(&run, err);
	if (r == 0 && run.count > 0)
		r = measure_chosen(&run, err);
	free(run.paths);
	scan_free(&run.scan);
	trusted_free(&run.trusted);
	rules_free(&run.rules);
	return r;
}
