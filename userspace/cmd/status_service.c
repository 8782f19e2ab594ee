// SPDX-License-Identifier: MIT
/* `assay status service`, and what `assay status` tells of the service. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd.h"
#include "status_service.h"

#define STATE_MAX (4U << 20)

/*
 * The lock is free as soon as the service has ended, however it did. Others than its user and root
 * may not have it: they could hold it.
 *
 * Return: 1 if it is held, 0 if not, -EACCES
 */
static int read_lock(const char *directory)
{
	char path[PATH_MAX];
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/lock", directory) >= (int)sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? -EACCES : 0;
	r = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return r;
}

/* Is there a process of the number that the state has? For who may not have the lock. */
static bool process_is_there(const json_t *state)
{
	json_int_t pid = json_integer_value(json_object_get(state, "pid"));

	return pid > 0 && pid <= INT_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

int service_status_read(const char *directory, struct service_status *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r, locked = read_lock(directory);
	struct service_status status = { .running = locked > 0 };
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/state.json", directory) >= (int)sizeof(path))
		return assay_fail(err, ENAMETOOLONG, "the name %s is too long", directory);
	if (access(path, F_OK) < 0) {
		*ret = status;
		return 0;
	}
	r = file_read(path, STATE_MAX, &text, err);
	if (r == 0)
		r = json_parse(buffer_bytes(&text), path, &status.state, err);
	if (r == 0)
		r = json_check_head(status.state, "assayd", path, err);
	if (r < 0) {
		json_decref(status.state);
		return r;
	}
	if (locked < 0)
		status.running = process_is_there(status.state);
	*ret = status;
	return 0;
}

/* ---------------------------------------------------------------- the command */

struct service_options {
	const char *directory;
	bool json;
};

static int run_service(int argc, char **argv)
{
	struct service_options options = { .directory = SERVICE_DIRECTORY };
	struct service_status service;
	struct assay_error err;
	bool well;
	int status = command_parse(&command_status_service, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (service_status_read(options.directory, &service, &err) < 0)
		return command_failed(&command_status_service, &err);
	well = service.running && service.state &&
	       json_array_size(json_object_get(service.state, "problems")) == 0;
	if (options.json)
		status = command_emit_json(&command_status_service,
					   json_pack("{s:b, s:b, s:O?}", "ok", well,
						     "service_running", service.running, "service",
						     service.state));
	else
		service_status_print(&service);
	json_decref(service.state);
	if (!options.json)
		status = command_flush(&command_status_service);
	return status == EXIT_OK && !well ? EXIT_FAILED : status;
}

static const struct option_row service_rows[] = {
	{ "runtime-directory", 0, "DIR", "the service's (" SERVICE_DIRECTORY ")",
	  OPTION_DIRECTORY(struct service_options, directory) },
	OPTION_ROW_JSON(struct service_options, json),
	OPTION_END,
};

const struct command command_status_service = {
	.name = "status service",
	.summary = "tell what the service assayd does, and what keeps it from its work",
	.intro = "Tell what the service assayd does, and what keeps it from its work, as it has "
		 "written it\nlast; whether or not there is a module.\n",
	.options = service_rows,
	.epilogue = "Exit status: 0 it runs, without a problem, 1 it does not, or has one, 2 wrong "
		    "usage.\n",
	.run = run_service,
};
