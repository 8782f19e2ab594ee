// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "intake.h"
#include "lease.h"
#include "out_events.h"
#include "retention.h"
#include "rollouts.h"
#include "routes.h"
#include "schema.h"
#include "serve_files.h"
#include "serve_sockets.h"
#include "tally.h"
#include "webhooks.h"
#include "workers.h"

/* Of the database, the loop and the listening sockets. */
#define OWN_DESCRIPTORS 64

/*
 * struct running - a service that answers: what is read before there are workers, and then what
 * each has of its own
 */
struct running {
	struct fleet fleet;
	const struct serve_settings *settings;
	struct serve_sockets sockets;
	struct fleet_counts *counts; /* shared, of each worker */
	struct http_limits limits;
	struct http_service service;
	struct event *signals[3];
	struct event *tick, *go_on;
	struct fetcher *fetcher;
	struct webhooks *webhooks;
	struct oidc *oidc;
};

/* ---------------------------------------------------------------- who may */

/* Not by the device's name alone: else a stranger could use up what it may ask. */
static unsigned int wait_of(const struct fleet *fleet, const struct http_call *call)
{
	enum http_role role = call->route->role;
	char network[INET6_ADDRSTRLEN] = "", who[sizeof(call->who) + sizeof(network) + 1];
	struct timespec time;
	uint64_t now;

	if (role == HTTP_ANYBODY)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &time);
	now = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
	if (role == HTTP_DEVICE || role == HTTP_AGENT)
		http_addresses_network(call->peer.address, network);
	snprintf(who, sizeof(who), "%s %s", call->who, network);
	return rates_wait(fleet->rates, who,
			  role <= HTTP_AGENT ? fleet->settings->device_rate :
					       fleet->settings->operator_rate,
			  now);
}

static int authorise(struct http_call *call, struct assay_error *err)
{
	const struct fleet *fleet = call->context;
	int status = auth_check(&fleet->auth, call, fleet_now(), err);
	unsigned int seconds = status == 0 ? wait_of(fleet, call) : 0;
	char text[16];

	if (seconds == 0)
		return status;
	fleet->counts->limited++;
	snprintf(text, sizeof(text), "%u", seconds);
	http_add_header(call, "Retry-After", text);
	assay_fail(err, EAGAIN, "%s asks too often: come back in %u s", call->who, seconds);
	return 429;
}

/* ---------------------------------------------------------------- signals */

static void end_loop(evutil_socket_t number, short what, void *context)
{
	struct running *running = context;

	(void)number;
	(void)what;
	(void)event_base_loopexit(running->fleet.base, NULL);
}

/* What was read before holds if it cannot be read. */
static void read_again(evutil_socket_t number, short what, void *context)
{
	struct running *running = context;
	struct assay_error err = { 0 };

	(void)number;
	(void)what;
	if (serve_read_operators(running->settings, &running->fleet, &err) < 0)
		fprintf(stderr, "<3>assay-fleet: what was read before holds: %s\n", err.text);
	if (serve_read_known_eks(running->settings, &running->fleet, &err) < 0)
		fprintf(stderr, "<3>assay-fleet: what was read before holds: %s\n", err.text);
}

static int take_signals(struct running *running, struct assay_error *err)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		running->signals[i] =
			evsignal_new(running->fleet.base, numbers[i],
				     numbers[i] == SIGHUP ? read_again : end_loop, running);
		if (!running->signals[i] || event_add(running->signals[i], NULL) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* ---------------------------------------------------------------- from time to time */

static uint64_t sweep_period(const struct running *running)
{
	uint64_t period = running->settings->fleet.interval / 10;

	return period < 1 ? 1 : period > 30 ? 30 : period;
}

/*
 * Of one process of all that share the database. Each is done whether the one before it could be or
 * not: without new partitions nothing would be noted in the end. @err: of the first that failed
 */
static int keep_house(struct fleet *fleet, struct assay_error *err)
{
	const struct retention_terms terms = { fleet_now(), fleet->settings->retain,
					       fleet->settings->retain_summaries,
					       PARTITION_CHANGES };
	struct retention_done done = { 0 };
	struct assay_error others;
	uint64_t halted = 0;
	bool taken;
	int r = rollouts_watch(fleet->store, fleet_now(), &halted, err);
	int tally = tally_take(fleet->store, terms.now, &taken, r < 0 ? &others : err);
	int retention;

	if (halted > 0)
		fprintf(stderr, "<3>assay-fleet: %llu roll-outs are halted\n",
			(unsigned long long)halted);
	if (r == 0)
		r = tally;
	retention = retention_look(fleet->store, &terms, &done, r < 0 ? &others : err);
	return r < 0 ? r : retention;
}

static struct lease_terms lease_terms(const struct running *running)
{
	return (struct lease_terms){ 0, sweep_period(running), running->settings->fleet.interval };
}

/* Where many are silent at once, devices that are not are answered between. */
static void find_more(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval pause = { .tv_usec = 20000 };
	struct running *running = context;
	struct fleet *fleet = &running->fleet;
	const struct lease_terms terms = lease_terms(running);
	struct lease_found found = { 0 };
	struct assay_error err = { 0 };

	(void)fd;
	(void)what;
	if (lease_go_on(fleet->store, &terms, &found, &err) < 0) {
		fleet->counts->failures++;
		fprintf(stderr, "<3>assay-fleet: nobody looks for silent devices: %s\n", err.text);
	}
	fleet->counts->silent += found.silent;
	if (found.more)
		(void)event_add(running->go_on, &pause);
}

/* The time; who is silent; and what another process may have changed, where no device asks. */
static void look_around(evutil_socket_t fd, short what, void *context)
{
	struct running *running = context;
	struct fleet *fleet = &running->fleet;
	const struct lease_terms terms = lease_terms(running);
	struct lease_found found = { 0 };
	struct assay_error err = { 0 };
	int r = clock_follow(fleet->store, &err);

	if (r == 0)
		r = fleet_refresh(fleet, &err);
	if (running->oidc)
		oidc_refresh(running->oidc, fleet_now());
	(void)fd;
	(void)what;
	if (r == 0)
		r = lease_sweep(fleet->store, &terms, &found, &err);
	if (r == 0 && found.mine && found.clock_back == 0)
		r = keep_house(fleet, &err);
	if (r < 0) {
		fleet->counts->failures++;
		fprintf(stderr, "<3>assay-fleet: nobody looks for silent devices: %s\n", err.text);
	}
	if (found.clock_back > 0)
		fprintf(stderr, "<3>assay-fleet: the clock has gone back by %llu s\n",
			(unsigned long long)found.clock_back);
	if (found.more)
		event_active(running->go_on, EV_TIMEOUT, 0);
	fleet->counts->silent += found.silent;
	fleet->counts->clock_back += found.clock_back > 0;
}

static int begin_looking(struct running *running, struct assay_error *err)
{
	const struct timeval period = { .tv_sec = (time_t)sweep_period(running) };

	running->tick = event_new(running->fleet.base, -1, EV_PERSIST, look_around, running);
	running->go_on = evtimer_new(running->fleet.base, find_more, running);
	if (!running->tick || !running->go_on || event_add(running->tick, &period) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	look_around(-1, 0, running);
	return 0;
}

/* ---------------------------------------------------------------- the service */

/* No connection to a database can be shared by processes: this one ends before there are any. */
static int prepare_store(struct running *running, struct assay_error *err)
{
	struct store *store;
	uint64_t version = 0;
	int r = store_connect(running->settings->database, &store, err);

	if (r < 0)
		return r;
	r = schema_version(store, &version, err);
	/* A new database is filled; an old one is its owner's to migrate. */
	if (r == 0 && version == 0)
		r = schema_migrate(store, schema_newest(), err);
	if (r == 0)
		r = schema_check(store, err);
	store_disconnect(store);
	return r;
}

static int open_store(struct running *running, struct assay_error *err)
{
	struct fleet *fleet = &running->fleet;
	int r = store_connect(running->settings->database, &fleet->store, err);

	if (r == 0)
		r = schema_check(fleet->store, err);
	if (r == 0)
		r = clock_follow(fleet->store, err);
	return r < 0 ? r : fleet_refresh(fleet, err);
}

/* More connections are not accepted until some have ended; what the service opens itself is
 * besides. */
static int limit_descriptors(const struct http_limits *limits, struct assay_error *err)
{
	const rlim_t wanted = (rlim_t)limits->connections + OWN_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return assay_fail(err, errno, "getrlimit: %s", strerror(errno));
	if (limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max)
		return assay_fail(
			err, EINVAL,
			"%u connections at a time need %llu open files; the system allows "
			"%llu: raise LimitNOFILE= of the unit, or have fewer",
			limits->connections, (unsigned long long)wanted,
			(unsigned long long)limit.rlim_max);
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return assay_fail(err, errno, "setrlimit: %s", strerror(errno));
	return 0;
}

static int share_counts(struct running *running, struct assay_error *err)
{
	const size_t size = running->settings->workers * sizeof(*running->counts);
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return assay_fail(err, ENOMEM, "out of memory");
	running->counts = shared;
	running->fleet.all_counts = shared;
	running->fleet.workers = running->settings->workers;
	return 0;
}

/* What is wrong with any of it is told once, before there are workers. */
static int prepare(struct running *running, struct assay_error *err)
{
	const struct serve_settings *settings = running->settings;
	int r = limit_descriptors(&settings->limits, err);

	if (r == 0)
		r = serve_read_operators(settings, &running->fleet, err);
	if (r == 0)
		r = serve_read_known_eks(settings, &running->fleet, err);
	running->fleet.auth.device_certificates = settings->device_certificates;
	if (r == 0)
		r = serve_open_result_key(settings, &running->fleet, err);
	if (r == 0)
		r = prepare_store(running, err);
	if (r == 0)
		r = share_counts(running, err);
	if (r == 0)
		r = rates_new(&running->fleet.rates, err);
	running->limits = settings->limits;
	if (r == 0)
		r = http_addresses_new(settings->workers, settings->per_address, settings->proxies,
				       settings->proxy_count, &running->limits.addresses, err);
	return r < 0 ? r : serve_sockets_open(settings, &running->sockets, err);
}

static int start(struct running *running, struct assay_error *err)
{
	const struct serve_settings *settings = running->settings;
	struct fleet *fleet = &running->fleet;
	int r = open_store(running, err);

	if (r < 0)
		return r;
	fleet->base = event_base_new();
	if (!fleet->base || event_base_priority_init(fleet->base, 2) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	r = take_signals(running, err);
	if (r == 0)
		r = intake_new(fleet, &fleet->intake, err);
	if (r == 0)
		r = out_events_new(fleet, &fleet->events, err);
	running->service =
		(struct http_service){ fleet_routes, authorise, fleet, &fleet->counts->http,
				       settings->proxy_certificates };
	if (r == 0)
		r = http_new(fleet->base, &running->service, &running->limits, &fleet->http, err);
	if (r == 0)
		r = fetcher_new(fleet->base, &running->fetcher, err);
	if (r == 0 && settings->config->oidc.issuer)
		r = oidc_new(&settings->config->oidc, running->fetcher, &running->oidc, err);
	if (r == 0 && running->oidc)
		oidc_refresh(running->oidc, fleet_now());
	fleet->auth.oidc = running->oidc;
	fleet->auth.sessions = &fleet->nonce_keys;
	if (r == 0)
		r = webhooks_new(fleet, settings->config, running->fetcher, &running->webhooks,
				 err);
	if (r == 0)
		r = begin_looking(running, err);
	return r < 0 ? r :
		       serve_sockets_listen(&running->sockets, &settings->tls, fleet->http, err);
}

static void stop(struct running *running)
{
	struct fleet *fleet = &running->fleet;

	for (size_t i = 0; i < sizeof(running->signals) / sizeof(running->signals[0]); i++)
		if (running->signals[i])
			event_free(running->signals[i]);
	if (running->tick)
		event_free(running->tick);
	if (running->go_on)
		event_free(running->go_on);
	fetcher_free(running->fetcher);
	webhooks_free(running->webhooks);
	oidc_free(running->oidc);
	out_events_free(fleet->events);
	http_close(fleet->http);
	intake_free(fleet->intake);
	if (fleet->base)
		event_base_free(fleet->base);
	http_free(fleet->http);
	policies_free(&fleet->policies);
	json_decref(fleet->versions);
	store_disconnect(fleet->store);
}

static int work(void *context, unsigned int number, struct assay_error *err)
{
	struct running *running = context;
	int r;

	running->fleet.counts = &running->counts[number];
	running->limits.process = number;
	/* Those of one that was killed have gone. */
	running->fleet.counts->http.connections = 0;
	http_addresses_begin(running->limits.addresses, number);
	r = start(running, err);
	if (r == 0) {
		workers_ready();
		if (event_base_dispatch(running->fleet.base) < 0)
			r = assay_fail(err, EIO, "the loop of events has failed");
	}
	stop(running);
	return r;
}

static void again(void *context)
{
	read_again(-1, 0, context);
}

static void tell_ready(void *context)
{
	(void)context;
	(void)sd_notify(0, "READY=1");
	fprintf(stderr, "<6>assay-fleet: serving\n");
}

static void end(struct running *running)
{
	struct fleet *fleet = &running->fleet;

	auth_free(&fleet->auth);
	ek_list_free(&fleet->known_eks);
	if (fleet->result_signer)
		fleet->result_signer->close(fleet->result_signer);
	if (running->counts)
		(void)munmap(running->counts,
			     running->settings->workers * sizeof(*running->counts));
	free(running);
}

static struct running *make_running(const struct serve_settings *settings, struct assay_error *err)
{
	struct running *running = calloc(1, sizeof(*running));

	if (!running) {
		assay_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	running->settings = settings;
	running->fleet.settings = &settings->fleet;
	running->fleet.ek_trust = settings->ek_trust;
	return running;
}

/* A database that is empty is as good as one of this version: it would be filled. */
static int look_at_store(struct running *running, struct assay_error *err)
{
	const char *url = running->settings->database;
	struct store **store = &running->fleet.store;
	uint64_t version = 0;
	int r;

	/* To look at one would make it. */
	if (strncmp(url, "sqlite:", strlen("sqlite:")) == 0 &&
	    access(url + strlen("sqlite:"), F_OK) < 0)
		return 0;
	r = store_connect(url, store, err);

	if (r == 0)
		r = schema_version(*store, &version, err);
	return r < 0 || version == 0 ? r : schema_check(*store, err);
}

int serve_check(const struct serve_settings *settings, struct assay_error *err)
{
	struct running *running = make_running(settings, err);
	int r;

	if (!running)
		return -ENOMEM;
	r = serve_read_operators(settings, &running->fleet, err);
	if (r == 0)
		r = serve_read_known_eks(settings, &running->fleet, err);
	if (r == 0)
		r = serve_open_result_key(settings, &running->fleet, err);
	if (r == 0 && settings->tls.certificate)
		r = http_tls_check(&settings->tls, err);
	if (r == 0)
		r = look_at_store(running, err);
	if (r == 0)
		r = webhooks_check(settings->config, err);
	if (r == 0 && settings->config->oidc.issuer)
		r = oidc_check_settings(&settings->config->oidc, err);
	stop(running);
	end(running);
	return r;
}

int serve_run(const struct serve_settings *settings, struct assay_error *err)
{
	struct running *running = make_running(settings, err);
	const struct workers workers = { settings->workers, work, again, tell_ready, running };
	int r;

	if (!running)
		return -ENOMEM;
	r = prepare(running, err);
	if (r == 0)
		r = workers_run(&workers, err);
	(void)sd_notify(0, "STOPPING=1");
	end(running);
	return r;
}
