// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "measure/known.h"
#include "measure/root.h"
#include "measure/trusted.h"

/**
 * struct stage1_run - measuring under way
 * @root: descriptor of the root file system
 * @known: bytes of STAGE1_KNOWN
 */
struct stage1_run {
	const struct stage1 *stage1;
	struct outcome *outcome;
	struct device device;
	struct rules rules;
	struct trusted trusted;
	struct scan scan;
	int root;
	struct buffer known;
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- results */

/* A file of the runtime directory, whole or not there: it may be out of this process' root. */
static int write_at(int directory, const char *name, struct bytes bytes, struct assay_error *err)
{
	CLEANUP(close_descriptor) int fd = -1;
	char new_name[64];
	ssize_t wrote = 0;

	snprintf(new_name, sizeof(new_name), ".%s.new", name);
	fd = openat(directory, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	while (fd >= 0 && bytes.size > 0 && wrote >= 0) {
		wrote = write(fd, bytes.data, bytes.size);
		if (wrote > 0) {
			bytes.data += wrote;
			bytes.size -= (size_t)wrote;
		}
	}
	if (fd < 0 || wrote < 0 || renameat(directory, new_name, directory, name) < 0)
		return assay_fail(err, errno, "cannot write %s: %s", name, strerror(errno));
	return 0;
}

int stage1_write(const struct stage1 *stage1, const struct outcome *outcome,
		 struct assay_error *err)
{
	CLEANUP(json_decref_pointer)
	json_t *object =
		json_pack("{s:i, s:s, s:s}", "assay", JSON_VERSION, "type", "stage1", "action",
			  initrd_deed_name(stage1_deed(stage1, outcome_kind(outcome))));
	CLEANUP(free_pointer) char *text = NULL;

	if (object && outcome_tell(outcome, object))
		text = json_dumps(object, JSON_INDENT(2));
	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	return write_at(stage1->runtime, STAGE1_RESULT, BYTES((const uint8_t *)text, strlen(text)),
			err);
}

enum initrd_deed stage1_deed(const struct stage1 *stage1, enum outcome_kind kind)
{
	switch (kind) {
	case OUTCOME_MEASURED:
		return INITRD_CONTINUE;
	case OUTCOME_INCOMPLETE:
		return stage1->config.on_missing;
	case OUTCOME_FAILED:
		break;
	}
	return stage1->config.on_failure;
}

/* ---------------------------------------------------------------- measuring */

static void take_result(void *context, const char *path, const struct assay_measure_entry *entry,
			bool recorded, uint64_t recnum)
{
	struct stage1_run *run = context;
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
	known_append_file(path, assay_digest_text(&digest, text), &run->known);
}

/* From here on the root is the one that the kernel has to name files from. */
static int change_root(int root, struct assay_error *err)
{
	if (fchdir(root) < 0 || chroot(".") < 0)
		return assay_fail(err, errno, "cannot change the root: %s", strerror(errno));
	return 0;
}

static int measure_scanned(struct stage1_run *run, struct assay_error *err)
{
	const char **paths = calloc(run->scan.count ? run->scan.count : 1, sizeof(*paths));
	CLEANUP(close_descriptor)
	int descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct measure_job job = {
		.device = &run->device,
		.root = run->root,
		.descriptors = descriptors,
		.flags = run->stage1->config.read ? ASSAY_MEASURE_READ : 0,
		.stay = true,
		.told = take_result,
		.context = run,
	};
	int r = 0;

	if (!paths)
		r = assay_fail(err, ENOMEM, "out of memory");
	else if (descriptors < 0)
		r = assay_fail(err, errno, "cannot open /proc/self/fd: %s", strerror(errno));
	for (size_t i = 0; i < run->scan.count && r == 0; i++)
		paths[i] = run->scan.files[i].path;
	if (r == 0)
		r = change_root(run->root, err);
	if (r == 0)
		r = measure_files(&job, paths, run->scan.count, &run->outcome->counts, err);
	free(paths);
	return r;
}

/* All that is read of the initramfs, and found on the root file system, is before the root changes.
 */
static int measure(struct stage1_run *run, struct assay_error *err)
{
	const struct stage1 *stage1 = run->stage1;
	struct scan_options options = { .stage = RULE_STAGE_INITRD };
	CLEANUP(close_descriptor) int lists = -1;
	char log[KNOWN_LOG_TEXT];
	int r = rules_load(stage1->rules, &run->rules, err);

	if (r == 0 && run->rules.count == 0)
		r = assay_fail(err, ENOENT,
			       "the initramfs has no rules in %s: put some there and make it anew",
			       stage1->rules);
	if (r == 0)
		r = trusted_load(stage1->certificates, &run->trusted, err);
	if (r == 0)
		r = run->root = root_open(stage1->root, err);
	if (r >= 0)
		r = lists = root_open("/", err);
	if (r >= 0)
		r = device_open(&run->device, DEVICE_WRITE, err);
	if (r < 0)
		return r;
	options.root = run->root;
	options.lists = lists;
	options.certificates = run->trusted.certificates;
	options.certificate_count = run->trusted.count;
	r = known_log(&run->device, log, err);
	if (r == 0)
		r = scan_rules(&options, &run->rules, &run->scan, err);
	if (r == 0) {
		known_begin_file(log, &run->known);
		outcome_take_scan(run->outcome, &run->scan);
		r = measure_scanned(run, err);
	}
	device_close(&run->device);
	return r;
}

void stage1_measure(const struct stage1 *stage1, struct outcome *ret)
{
	struct stage1_run run = { .stage1 = stage1, .outcome = ret, .root = -1 };
	uint64_t from = now();
	struct assay_error err = { 0 };

	*ret = (struct outcome){ 0 };
	/* Nothing of the root file system configures the library that checks signatures. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (measure(&run, &err) < 0)
		ret->error = err;
	ret->milliseconds = now() - from;
	if (run.known.size > 0 && !run.known.failed &&
	    write_at(stage1->runtime, STAGE1_KNOWN, buffer_bytes(&run.known), &err) < 0 &&
	    ret->error.code == 0)
		ret->error = err;
	buffer_free(&run.known);
	scan_free(&run.scan);
	trusted_free(&run.trusted);
	rules_free(&run.rules);
	close_descriptor(&run.root);
}
