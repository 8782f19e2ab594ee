// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "out_events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/json.h"
#include "changes.h"
#include "memory/value.h"

#define WATCHERS_MAX 256
#define ROWS 200       /* changes that are told at a time */
#define CHECK_TICKS 5  /* seconds after which it is looked whether who listens still may */
#define QUIET_TICKS 15 /* seconds after which something is said, so that a dead client is found */

/* struct watcher - who listens; @last: the change that it was told last */
struct watcher {
	struct http_call *call;
	uint64_t last;
	struct watcher *next;
	struct events *events;
};

struct events {
	struct fleet *fleet;
	struct event *tick;
	struct watcher *watchers;
	size_t count;
	unsigned int quiet, checked;
};

static void forget(void *context)
{
	struct watcher *watcher = context;

	for (struct watcher **at = &watcher->events->watchers; *at; at = &(*at)->next)
		if (*at == watcher) {
			*at = watcher->next;
			watcher->events->count--;
			free(watcher);
			return;
		}
}

/* false: the rest is for later; it is told where this one ends */
static bool tell(struct watcher *watcher, const json_t *change)
{
	uint64_t id = (uint64_t)json_integer_value(json_object_get(change, "id"));
	char *data = json_dumps(change, JSON_COMPACT), *text = NULL;
	bool sent = data &&
		    asprintf(&text, "id: %" PRIu64 "\nevent: change\ndata: %s\n\n", id, data) > 0 &&
		    http_stream_send(watcher->call, text);

	if (sent)
		watcher->last = id;
	free(text);
	free(data);
	return sent;
}

static void tell_news(struct watcher *watcher, struct store *store)
{
	struct assay_error err = { 0 };
	json_t *list = json_array(), *change;
	size_t i;

	if (changes_after(store, watcher->last, ROWS, list, &err) < 0)
		json_array_clear(list);
	json_array_foreach(list, i, change) {
		if (!tell(watcher, change))
			break;
	}
	json_decref(list);
}

/* A token may have expired, or been taken away, since. */
static void end_of_others(struct events *events)
{
	const uint64_t now = fleet_now();

	for (struct watcher **at = &events->watchers; *at;) {
		struct watcher *watcher = *at;
		struct assay_error err = { 0 };

		if (auth_check(&events->fleet->auth, watcher->call, now, &err) == 0) {
			at = &watcher->next;
			continue;
		}
		*at = watcher->next;
		events->count--;
		http_stream_end(watcher->call);
		free(watcher);
	}
}

static void look(evutil_socket_t fd, short what, void *context)
{
	struct events *events = context;
	struct watcher *next;
	bool quiet = ++events->quiet >= QUIET_TICKS;

	(void)fd;
	(void)what;
	if (quiet)
		events->quiet = 0;
	if (++events->checked >= CHECK_TICKS) {
		events->checked = 0;
		end_of_others(events);
	}
	for (struct watcher *watcher = events->watchers; watcher; watcher = next) {
		next = watcher->next;
		if (quiet)
			http_stream_send(watcher->call, ": still here\n\n");
		tell_news(watcher, events->fleet->store);
	}
}

static int take_last(const struct http_call *call, struct store *store, uint64_t *ret,
		     struct assay_error *err)
{
	const char *last = http_header(call, "Last-Event-ID");

	if (!last)
		return changes_newest(store, ret, err);
	if (value_unsigned(BYTES((const uint8_t *)last, strlen(last)), ret, NULL) < 0 ||
	    *ret > INT64_MAX)
		return assay_fail(err, EINVAL, "Last-Event-ID is no number");
	return 0;
}

void out_events(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	struct watcher *watcher;
	uint64_t last = 0;
	int r = take_last(call, fleet->store, &last, &err);

	if (r < 0) {
		act_failed(call, r, &err);
		return;
	}
	watcher = fleet->events->count < WATCHERS_MAX ? calloc(1, sizeof(*watcher)) : NULL;
	if (!watcher) {
		http_answer_later(call, 30, "too many listen");
		return;
	}
	*watcher = (struct watcher){ call, last, fleet->events->watchers, fleet->events };
	fleet->events->watchers = watcher;
	fleet->events->count++;
	http_stream_begin(call, "text/event-stream", forget, watcher);
	http_stream_send(call, "retry: 2000\n\n");
	tell_news(watcher, fleet->store);
}

int out_events_new(struct fleet *fleet, struct events **ret, struct assay_error *err)
{
	const struct timeval second = { .tv_sec = 1 };
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return assay_fail(err, ENOMEM, "out of memory");
	events->fleet = fleet;
	events->tick = event_new(fleet->base, -1, EV_PERSIST, look, events);
	if (!events->tick || event_add(events->tick, &second) < 0) {
		out_events_free(events);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	*ret = events;
	return 0;
}

void out_events_free(struct events *events)
{
	if (!events)
		return;
	while (events->watchers) {
		struct watcher *watcher = events->watchers;

		events->watchers = watcher->next;
		http_stream_end(watcher->call);
		free(watcher);
	}
	if (events->tick)
		event_free(events->tick);
	free(events);
}
