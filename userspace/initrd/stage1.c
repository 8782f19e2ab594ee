// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "measure/pass.h"
#include "measure/root.h"

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

/* From here on the root is the one that the kernel has to name files from. */
static int change_root(int root, struct assay_error *err)
{
	if (fchdir(root) < 0 || chroot(".") < 0)
		return assay_fail(err, errno, "cannot change the root: %s", strerror(errno));
	return 0;
}

static int require_rules(const char *directory, struct assay_error *err)
{
	struct rules rules = { 0 };
	int r = rules_load(directory, &rules, err);

	if (r == 0 && rules.count == 0)
		r = assay_fail(err, ENOENT,
			       "the initramfs has no rules in %s: put some there and make it anew",
			       directory);
	rules_free(&rules);
	return r;
}

/* All that is read of the initramfs, and found on the root file system, is before the root changes.
 */
static int measure(const struct stage1 *stage1, struct outcome *outcome, struct buffer *measured,
		   struct assay_error *err)
{
	CLEANUP(close_descriptor) int root = -1;
	CLEANUP(close_descriptor) int lists = -1;
	struct device device;
	struct measure_pass pass = {
		.device = &device,
		.rules = stage1->rules,
		.certificates = stage1->certificates,
		.stage = RULE_STAGE_INITRD,
		/* What was found by then is measured in the rest of the time. */
		.look_ms = stage1->config.timeout * 1000 / 2,
		.flags = stage1->config.read ? ASSAY_MEASURE_READ : 0,
		.enter = change_root,
		.measured = measured,
	};
	char log[KNOWN_LOG_TEXT];
	int r = require_rules(stage1->rules, err);

	if (r == 0)
		r = root = root_open(stage1->root, err);
	if (r >= 0)
		r = lists = root_open("/", err);
	if (r >= 0)
		r = device_open(&device, DEVICE_WRITE, err);
	if (r < 0)
		return r;
	pass.root = root;
	pass.lists = lists;
	r = known_log(&device, log, err);
	if (r == 0) {
		known_begin_file(log, measured);
		r = measure_pass(&pass, outcome, err);
	}
	device_close(&device);
	return r;
}

void stage1_measure(const struct stage1 *stage1, struct outcome *ret)
{
	CLEANUP(buffer_free) struct buffer measured = { 0 };
	uint64_t from = now();
	struct assay_error err = { 0 };

	*ret = (struct outcome){ 0 };
	/* Nothing of the root file system configures the library that checks signatures. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (measure(stage1, ret, &measured, &err) < 0)
		ret->error = err;
	ret->milliseconds = now() - from;
	if (measured.size > 0 && !measured.failed &&
	    write_at(stage1->runtime, STAGE1_KNOWN, buffer_bytes(&measured), &err) < 0 &&
	    ret->error.code == 0)
		ret->error = err;
}
