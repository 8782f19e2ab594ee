// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "loop.h"
#include "measure/pass.h"
#include "measure/root.h"
#include "privilege.h"

/* Where the child has the two descriptors that it keeps. */
#define KEPT_FIRST 1000

/* What an earlier pass, or stage 1, has left; a file that is off is of no use. */
static void load_known(const struct config *config, const char *name, const char *log,
		       struct known *known)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *path = NULL;

	if (asprintf(&path, "%s/%s", config->service.runtime_directory, name) < 0) {
		path = NULL;
		return;
	}
	if (file_read(path, KNOWN_SIZE_MAX, &text, NULL) == 0)
		(void)known_parse(known, buffer_bytes(&text), log, NULL);
}

/*
 * Append to what was measured; the file begins anew with the log. Where this fails files are
 * measured again, which is told in the log and does no harm.
 */
static void save_known(const struct config *config, const char *log, const struct buffer *measured)
{
	CLEANUP(buffer_free) struct buffer head = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	CLEANUP(close_descriptor) int fd = -1;

	known_begin_file(log, &head);
	if (head.failed || measured->failed ||
	    asprintf(&path, "%s/" MEASURE_KNOWN, config->service.runtime_directory) < 0) {
		path = NULL;
		return;
	}
	if (file_read(path, KNOWN_SIZE_MAX, &text, NULL) < 0 || text.size < head.size ||
	    memcmp(text.data, head.data, head.size) != 0 || text.data[text.size - 1] != '\n') {
		buffer_append_bytes(&head, buffer_bytes(measured));
		(void)file_write(path, buffer_bytes(&head), 0644, NULL);
		return;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && write(fd, measured->data, measured->size) < 0)
		(void)unlink(path);
}

/* ---------------------------------------------------------------- the answer */

/* The lines "DIGEST PATH" as objects. */
static json_t *measured_json(const struct buffer *measured)
{
	struct bytes left = buffer_bytes(measured), digest, path;
	json_t *array = json_array();
	const uint8_t *end;

	while (left.size > 0 && (end = memchr(left.data, ' ', left.size))) {
		bytes_take(&left, (size_t)(end - left.data), &digest);
		bytes_take(&left, 1, &path);
		end = memchr(left.data, '\n', left.size);
		if (!end || json_array_size(array) >= MEASURE_PATHS_MAX)
			break;
		bytes_take(&left, (size_t)(end - left.data), &path);
		json_array_append_new(array, json_pack("{s:o, s:o}", "path", json_escaped(path),
						       "digest", json_escaped(digest)));
		bytes_take(&left, 1, &path);
	}
	return array;
}

static void answer(const struct measure_task *task, const struct outcome *outcome,
		   const struct buffer *measured, int output)
{
	json_t *object = json_object();

	if (!object || !outcome_tell(outcome, object))
		return;
	if (task->files)
		json_object_set_new(object, "measured", measured_json(measured));
	(void)json_dumpfd(object, output, JSON_COMPACT);
	json_decref(object);
}

/* ---------------------------------------------------------------- measuring */

static void take_paths(struct bytes texts, struct measure_pass *pass, const char **paths)
{
	while (texts.size > 0) {
		struct bytes path;

		paths[pass->path_count++] = (const char *)texts.data;
		(void)bytes_take(&texts, strlen((const char *)texts.data) + 1, &path);
	}
	pass->paths = pass->path_count > 0 ? paths : NULL;
}

static int measure(const struct measure_task *task, struct outcome *outcome,
		   struct buffer *measured, struct assay_error *err)
{
	static const char *paths[MEASURE_PATHS_MAX];
	CLEANUP(close_descriptor) int root = -1;
	struct measure_pass pass = {
		.device = task->device,
		.rules = task->config->measure.rules,
		.certificates = task->config->measure.certificates,
		.stage = RULE_STAGE_SYSTEM,
		/* What was found by then is measured in the rest of the time. */
		.look_ms = task->config->measure.timeout / 2,
		.flags = task->config->measure.read ? ASSAY_MEASURE_READ : 0,
		.measured = measured,
	};
	char log[KNOWN_LOG_TEXT];
	struct known *known;
	int r = known_new(&known, err);

	if (r < 0)
		return r;
	/* Without it, what everybody may read is measured all the same. */
	if (task->paths.size == 0)
		(void)privilege_raise(CAP_DAC_READ_SEARCH, NULL);
	r = root = root_open("/", err);
	if (r >= 0)
		r = known_log(task->device, log, err);
	if (r == 0 && task->paths.size == 0) {
		load_known(task->config, MEASURE_KNOWN_INITRD, log, known);
		load_known(task->config, MEASURE_KNOWN, log, known);
		pass.known = known;
	}
	pass.root = pass.lists = root;
	take_paths(task->paths, &pass, paths);
	if (r == 0)
		r = measure_pass(&pass, outcome, err);
	privilege_drop();
	if (measured->size > 0)
		save_known(task->config, log, measured);
	known_free(known);
	return r;
}

static void __attribute__((noreturn)) run_child(const struct measure_task *task, int output)
{
	int fd = fcntl(output, F_DUPFD_CLOEXEC, KEPT_FIRST);
	struct device device = { fcntl(task->device->fd, F_DUPFD_CLOEXEC, KEPT_FIRST) };
	struct measure_task own = *task;
	struct outcome outcome = { 0 };
	struct buffer measured = { 0 };
	struct assay_error err = { 0 };
	uint64_t from = loop_now();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || device.fd < 0)
		_exit(1);
	/* Of the service's descriptors, locks and connections among them, it keeps no other. */
	(void)close_range(STDERR_FILENO + 1, KEPT_FIRST - 1, 0);
	(void)close_range((unsigned int)(fd > device.fd ? fd : device.fd) + 1, ~0U, 0);
	own.device = &device;
	root_tell_looks(task->looks);
	if (measure(&own, &outcome, &measured, &err) < 0)
		outcome.error = err;
	outcome.milliseconds = loop_now() - from;
	answer(&own, &outcome, &measured, fd);
	_exit(0);
}

int measure_child_start(const struct measure_task *task, pid_t *ret_pid, int *ret_output,
			struct assay_error *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return assay_fail(err, errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		run_child(task, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return assay_fail(err, errno, "cannot fork: %s", strerror(errno));
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*ret_pid = pid;
	*ret_output = ends[0];
	return 0;
}
