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

/* ---------------------------------------------------------------- for people */

static const char *member(const json_t *object, const char *key, char text[1024])
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? text_escape(BYTES((const uint8_t *)value, strlen(value)), text, 1024) : "";
}

static void print_value(const char *key, const json_t *value, const char *before)
{
	char text[1024];

	switch (json_typeof(value)) {
	case JSON_STRING:
		text_escape(
			BYTES((const uint8_t *)json_string_value(value), json_string_length(value)),
			text, sizeof(text));
		printf("%s%s %s", before, key, text[0] ? text : "-");
		break;
	case JSON_INTEGER:
		printf("%s%s %" JSON_INTEGER_FORMAT, before, key, json_integer_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		printf("%s%s %s", before, key, json_is_true(value) ? "yes" : "no");
		break;
	default: /* what has an inside is shown by --json */
		break;
	}
}

static void print_parts(const json_t *state)
{
	json_t *parts = json_object_get(state, "parts"), *part, *value;
	const char *name, *key;

	json_object_foreach(parts, name, part) {
		const char *before = " ";

		printf("  %-9s", name);
		if (!json_is_true(json_object_get(part, "started"))) {
			puts(" does not work");
			continue;
		}
		json_object_foreach(part, key, value) {
			if (strcmp(key, "started") == 0)
				continue;
			print_value(key, value, before);
			before = ", ";
		}
		putchar('\n');
	}
}

void service_status_print(const struct service_status *status)
{
	const json_t *state = status->state;
	char a[1024], b[1024];
	size_t i;
	json_t *problem;

	if (!state) {
		printf("service     %s\n", status->running ? "starts" : "does not run");
		return;
	}
	printf("service     assayd %s, ", member(state, "version", a));
	if (status->running)
		printf("process %" JSON_INTEGER_FORMAT "; its state of %s\n",
		       json_integer_value(json_object_get(state, "pid")), member(state, "time", a));
	else
		printf("DOES NOT RUN; its last state, of %s\n", member(state, "time", a));
	if (json_array_size(json_object_get(state, "problems")) == 0)
		puts("  problems  none");
	json_array_foreach(json_object_get(state, "problems"), i, problem) {
		printf("  PROBLEM   %s: %s\n", member(problem, "part", a),
		       member(problem, "text", b));
	}
	print_parts(state);
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
