// SPDX-License-Identifier: MIT
/*
 * The part `state`: what the service and its parts do, in state.json of the runtime directory, for
 * `assay status` and other programs. Written soon after something changed, and at an interval.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utc.h"
#include "manager.h"
#include "service.h"

#define SOON 200 /* milliseconds: changes that come together are written once */

struct state {
	struct loop_timer *timer;
	bool soon;
};

extern struct part part_state;

json_t *service_state(struct service *service)
{
	char now[UTC_LENGTH + 1];
	json_t *parts = json_object();
	json_t *state = json_pack(
		"{s:i, s:s, s:s, s:s, s:i, s:I, s:s, s:b, s:o, s:o}", "assay", JSON_VERSION, "type",
		"assayd", "version", ASSAY_VERSION, "boot_id", service->boot_id, "pid",
		(int)getpid(), "running_ms", (json_int_t)(loop_now() - service->started_at), "time",
		utc_text((uint64_t)time(NULL), now), "device_present", service->device.fd >= 0,
		"problems", problems_json(&service->problems), "parts", parts);

	for (size_t i = 0; state && service->parts[i]; i++) {
		struct part *part = service->parts[i];
		json_t *object;

		if (!part->tell)
			continue;
		object = json_pack("{s:b}", "started", part->started);
		if (part->started)
			part->tell(part, object);
		json_object_set_new(parts, part->name, object);
	}
	return state;
}

static void write_state(struct service *service)
{
	CLEANUP(json_decref_pointer) json_t *state = service_state(service);
	CLEANUP(free_pointer) char *text = state ? json_dumps(state, JSON_INDENT(2)) : NULL;
	CLEANUP(free_pointer) char *path = NULL;
	struct assay_error err;
	int r;

	if (!text ||
	    asprintf(&path, "%s/state.json", service->config->service.runtime_directory) < 0)
		r = assay_fail(&err, ENOMEM, "state.json cannot be written: out of memory");
	else
		r = file_write(path, BYTES((const uint8_t *)text, strlen(text)), 0644, &err);
	if (r < 0)
		problem_set_error(service, part_state.name, "write", &err);
	else
		problem_clear(service, part_state.name, "write");
}

static void tell_status(const struct service *service)
{
	char text[128];

	if (service->problems.count == 0)
		snprintf(text, sizeof(text), "all is well");
	else
		snprintf(text, sizeof(text), "%zu problem%s, see 'assay status'",
			 service->problems.count, service->problems.count == 1 ? "" : "s");
	manager_status(text);
}

static void timer_expired(void *context)
{
	struct service *service = context;
	struct state *state = part_state.data;

	write_state(service);
	tell_status(service);
	state->soon = false;
	loop_timer_set(state->timer, service->config->status.interval);
}

void service_changed(struct service *service)
{
	struct state *state = part_state.data;

	(void)service;
	if (!state || state->soon)
		return;
	state->soon = true;
	loop_timer_set(state->timer, SOON);
}

static int start_state(struct service *service, struct part *part, struct assay_error *err)
{
	struct state *state = calloc(1, sizeof(*state));
	int r;

	if (!state)
		return assay_fail(err, ENOMEM, "out of memory");
	r = loop_timer_new(service->loop, timer_expired, service, &state->timer, err);
	if (r < 0) {
		free(state);
		return r;
	}
	part->data = state;
	service_changed(service);
	return 0;
}

static void stop_state(struct service *service, struct part *part)
{
	struct state *state = part->data;

	(void)service;
	part->data = NULL;
	loop_timer_free(state->timer);
	free(state);
}

struct part part_state = {
	.name = "state",
	.start = start_state,
	.stop = stop_state,
};
