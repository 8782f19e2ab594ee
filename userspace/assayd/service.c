// SPDX-License-Identifier: MIT
/* The service's life: lock, signals, device, parts. */
#define _GNU_SOURCE
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/machine.h"
#include "confined.h"
#include "manager.h"
#include "memory/value.h"

#define NAME "service" /* of its own problems */
#define RETRY_FIRST 10000
#define RETRY_LONGEST 300000
#define LOOK_AGAIN 100

/* ---------------------------------------------------------------- directories, lock */

/* Who has the lock, as it has written there: 0 if that cannot be read. */
static uint64_t read_holder(int fd)
{
	uint8_t text[24];
	ssize_t size = pread(fd, text, sizeof(text), 0);
	uint64_t pid;

	if (size <= 0 || value_unsigned(BYTES(text, (size_t)size), &pid, NULL) < 0)
		return 0;
	return pid;
}

/* One service a runtime directory. Who may open the lock could hold it: nobody else may. */
static int take_lock(struct service *service, struct assay_error *err)
{
	const char *directory = service->config->service.runtime_directory;
	CLEANUP(free_pointer) char *path = NULL;
	char text[24];
	int length;

	if (asprintf(&path, "%s/lock", directory) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	service->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (service->lock < 0)
		return assay_fail(err, errno,
				  "cannot make %s: %s; the directory must be there and be the "
				  "service's",
				  path, strerror(errno));
	if (flock(service->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return assay_fail(err, errno, "cannot lock %s: %s", path, strerror(errno));
		return assay_fail(err, EBUSY,
				  "another assayd runs already, as process %llu (it holds %s); "
				  "stop it first",
				  (unsigned long long)read_holder(service->lock), path);
	}
	length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(service->lock, 0) < 0 ||
	    pwrite(service->lock, text, (size_t)length, 0) != length)
		return assay_fail(err, errno, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

/* ---------------------------------------------------------------- the device */

static void tell_device(struct service *service, const struct device *device)
{
	for (size_t i = 0; service->parts[i]; i++)
		if (service->parts[i]->started && service->parts[i]->device)
			service->parts[i]->device(service->parts[i], device);
}

static void close_device(struct service *service)
{
	if (service->device.fd < 0)
		return;
	tell_device(service, NULL);
	device_close(&service->device);
	service->device.fd = -1;
}

void service_device_lost(struct service *service, const struct assay_error *err)
{
	problem_set_error(service, NAME, "device", err);
	close_device(service);
	loop_timer_set(service->device_timer, service->config->service.device_interval);
}

/* Look for the device, or whether it still answers. */
static void check_device(void *context)
{
	struct service *service = context;
	struct assay_error err;
	struct assay_info info;

	loop_timer_set(service->device_timer, service->config->service.device_interval);
	if (service->device.fd >= 0) {
		if (device_info(&service->device, &info, &err) < 0)
			service_device_lost(service, &err);
		return;
	}
	if (device_open(&service->device, DEVICE_WRITE, &err) < 0) {
		service->device.fd = -1;
		if (err.code == EACCES)
			problem_set(
				service, NAME, "device",
				"/dev/assay may not be opened by the service's user: have the "
				"rule 70-assay.rules give it to group assay, and the user be in "
				"that group");
		else
			problem_set_error(service, NAME, "device", &err);
		return;
	}
	problem_clear(service, NAME, "device");
	tell_device(service, &service->device);
	service_changed(service);
}

/* ---------------------------------------------------------------- parts */

static void start_part(struct service *service, struct part *part)
{
	struct assay_error err;

	part->service = service;
	if (part->start && part->start(service, part, &err) < 0) {
		problem_set_error(service, part->name, "start", &err);
		return;
	}
	part->started = true;
	problem_clear(service, part->name, "start");
	if (part->device && service->device.fd >= 0)
		part->device(part, &service->device);
}

/* Those that have not started yet; again later if some still have not. */
static void start_parts(void *context)
{
	struct service *service = context;
	bool all = true;

	for (size_t i = 0; service->parts[i]; i++) {
		if (!service->parts[i]->started)
			start_part(service, service->parts[i]);
		all = all && service->parts[i]->started;
	}
	if (all)
		return;
	loop_timer_set(service->retry_timer, service->retry_in);
	service->retry_in =
		service->retry_in * 2 < RETRY_LONGEST ? service->retry_in * 2 : RETRY_LONGEST;
}

void service_retry(struct service *service)
{
	if (!loop_timer_is_set(service->retry_timer))
		loop_timer_set(service->retry_timer, RETRY_FIRST);
}

static void stop_parts(struct service *service)
{
	size_t count = 0;

	while (service->parts[count])
		count++;
	while (count-- > 0) {
		struct part *part = service->parts[count];

		if (part->started && part->stop)
			part->stop(service, part);
		part->started = false;
	}
}

void service_acknowledged(struct service *service, uint64_t records, uint64_t entries)
{
	for (size_t i = 0; service->parts[i]; i++)
		if (service->parts[i]->started && service->parts[i]->acknowledged)
			service->parts[i]->acknowledged(service->parts[i], records, entries);
}

const struct part_method *service_find_method(struct service *service, const char *name,
					      struct part **ret_part)
{
	for (size_t i = 0; service->parts[i]; i++) {
		struct part *part = service->parts[i];

		for (const struct part_method *method = part->methods; method && method->name;
		     method++) {
			if (!part->started || strcmp(method->name, name) != 0)
				continue;
			*ret_part = part;
			return method;
		}
	}
	return NULL;
}

/* ---------------------------------------------------------------- signals */

/* What is of the start stays as it is: the lock and the directories are held. */
static void keep_start(struct config *config, struct config *old)
{
	char **const kept[][2] = {
		{ &config->service.user, &old->service.user },
		{ &config->service.state_directory, &old->service.state_directory },
		{ &config->service.runtime_directory, &old->service.runtime_directory },
	};
	bool changed = false;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		char *text = *kept[i][0];

		changed = changed || strcmp(text, *kept[i][1]) != 0;
		*kept[i][0] = *kept[i][1];
		*kept[i][1] = text;
	}
	if (changed)
		manager_tell(MANAGER_WARNING, NULL, NULL,
			     "user, state-directory and runtime-directory of [service] are those "
			     "of the start until the service is started again");
}

/* Where the new configuration is wrong, the old one stays. */
static void reload(struct service *service)
{
	struct config *config, *old = service->config;
	struct assay_error err;

	manager_reloading();
	if (config_load(service->config_path, &config, &err) < 0) {
		problem_set_error(service, NAME, "configuration", &err);
		manager_ready();
		return;
	}
	problem_clear(service, NAME, "configuration");
	keep_start(config, old);
	service->config = config;
	for (size_t i = 0; service->parts[i]; i++)
		if (service->parts[i]->started && service->parts[i]->reload)
			service->parts[i]->reload(service, service->parts[i]);
	config_free(old);
	loop_timer_set(service->device_timer, 1);
	manager_tell(MANAGER_INFO, NULL, NULL, "the configuration was read anew");
	service_changed(service);
	manager_ready();
}

static void take_signal(void *context, int signal)
{
	struct service *service = context;

	if (signal == SIGHUP)
		reload(service);
	else
		loop_stop(service->loop);
}

static int catch_signals(struct service *service, struct assay_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int r = 0;

	/* What is written to may have gone. */
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && r == 0; i++)
		r = loop_signal_add(service->loop, signals[i], take_signal, service,
				    &service->signals[i], err);
	return r;
}

/* ---------------------------------------------------------------- ending by itself */

/* Once no part works for anybody: what is half done would be done again after the next start. */
static void end_when_idle(void *context)
{
	struct service *service = context;

	for (size_t i = 0; service->parts[i]; i++) {
		const struct part *part = service->parts[i];

		if (part->started && part->busy && part->busy(part)) {
			loop_timer_set(service->end_timer, LOOK_AGAIN);
			return;
		}
	}
	loop_stop(service->loop);
}

/*
 * Without what parsers are copies of the service would refuse all requests, and hear no verifier,
 * for as long as it runs. It cannot make another, as it has secrets by now: so it ends, and who has
 * started it starts it anew.
 */
static void end_without_parsers(void *context, int status)
{
	struct service *service = context;

	if (WIFEXITED(status)) {
		/* It would be so again after the next start. */
		problem_set(service, NAME, PROBLEM_PARSER,
			    "the process that parsers are copies of could not confine itself, so "
			    "requests and answers of verifiers are refused; is there a filter of "
			    "system calls that keeps capset or prctl from the service?");
		return;
	}
	assay_fail(
		&service->failure, ECHILD,
		"the process that parsers are copies of was ended by signal %d (%s), and without "
		"it no request can be read: the service ends, to be started anew",
		WTERMSIG(status), strsignal(WTERMSIG(status)));
	problem_set_error(service, NAME, PROBLEM_PARSER, &service->failure);
	end_when_idle(service);
}

/* ---------------------------------------------------------------- start and stop */

int service_start(struct service *service, struct assay_error *err)
{
	int r;

	/* Of jansson's tables: what is confined could not read random numbers. */
	json_object_seed(0);
	service->device.fd = service->lock = -1;
	service->started_at = loop_now();
	service->retry_in = RETRY_FIRST;
	r = take_lock(service, err);
	/* Before there is anything of a device, a client or a verifier. */
	if (r == 0)
		r = confined_start(err);
	if (r == 0)
		r = boot_id_read(service->boot_id, err);
	if (r == 0)
		r = loop_new(&service->loop, err);
	if (r == 0)
		r = catch_signals(service, err);
	if (r == 0)
		r = loop_timer_new(service->loop, check_device, service, &service->device_timer,
				   err);
	if (r == 0)
		r = loop_timer_new(service->loop, start_parts, service, &service->retry_timer, err);
	if (r == 0)
		r = loop_timer_new(service->loop, end_when_idle, service, &service->end_timer, err);
	if (r == 0)
		r = confined_watch(service->loop, end_without_parsers, service, err);
	if (r == 0)
		r = loop_watchdog(service->loop, err);
	if (r < 0)
		return r;
	check_device(service);
	start_parts(service);
	return 0;
}

void service_stop(struct service *service)
{
	if (service->loop) {
		stop_parts(service);
		close_device(service);
	}
	loop_timer_free(service->device_timer);
	loop_timer_free(service->retry_timer);
	loop_timer_free(service->end_timer);
	for (size_t i = 0; i < sizeof(service->signals) / sizeof(service->signals[0]); i++)
		loop_signal_free(service->signals[i]);
	confined_stop();
	loop_free(service->loop);
	if (service->lock >= 0)
		close(service->lock);
}
