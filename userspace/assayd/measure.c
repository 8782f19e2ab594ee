// SPDX-License-Identifier: MIT
/*
 * The part `measure`, stage 2 of measuring at boot: what the rules name that was not measured in
 * this boot, when the service starts and whenever a file system is mounted that can have such
 * files; and what is asked for. One child at a time does the work (measure_child.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "measure/mounts.h"
#include "measure/root.h"
#include "measure_child.h"
#include "service.h"
#include "sign/manifest.h"

#define NAME "measure"
#define AT_ONCE 1
#define RETRY_FIRST 1000
#define RETRY_LONGEST 300000
/* Requests that wait for a child. */
#define REQUESTS_MAX 16
/* Children that were killed and wait in the kernel all the same. */
#define LEFT_MAX 4
#define STAGE1_RESULT "stage1.json"
#define STAGE1_MAX (1U << 20)

/**
 * struct measure - the part
 * @device: NULL while there is none
 * @timer: begins the next pass, or request
 * @wanted: a pass over the rules is due
 * @begun: the loop runs: nothing is waited for any more
 * @child, @output, @output_io, @text: of the child that works, and what it has answered so far
 * @limit: ends the child; @pid: of it; @looks: where it looks
 * @left: killed children that have not ended
 * @request: that the child works for; NULL: the rules
 * @waiting: requests behind it
 * @mounts: those of the pass before
 * @stage1: its result; NULL: there is none
 * @last: the outcome of the last pass
 * @passes, @requests, @measured, @failed: counted
 */
struct measure {
	struct service *service;
	const struct device *device;
	struct loop_timer *timer;
	bool wanted, begun;
	uint64_t retry_in;
	struct loop_child *child;
	int output;
	struct loop_io *output_io;
	struct buffer text;
	struct loop_timer *limit;
	pid_t pid;
	char *looks;
	struct left {
		pid_t pid;
		struct loop_child *child;
	} left[LEFT_MAX];
	struct request *request;
	struct {
		struct request *request;
		struct bytes paths;
	} waiting[REQUESTS_MAX];
	size_t waiting_count;
	int mounts_fd;
	struct loop_io *mounts_io;
	struct mounts mounts;
	json_t *stage1, *last;
	uint64_t passes, requests, measured, failed;
};

extern struct part part_measure;

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---------------------------------------------------------------- what came of it */

static void answer_request(struct measure *measure, const json_t *outcome)
{
	struct request *request = measure->request;
	json_t *files = json_object_get(outcome, "measured");
	json_t *failures = json_object_get(outcome, "files");
	const char *error = text_of(outcome, "error");
	struct assay_error err;

	measure->request = NULL;
	if (error[0] != '\0') {
		assay_fail(&err, EIO, "%s", error);
		request_fail(request, "org.assay.Failed", &err);
		return;
	}
	for (size_t i = 0; i < json_array_size(failures); i++) {
		const json_t *failure = json_array_get(failures, i);

		json_array_append_new(files,
				      json_pack("{s:s, s:s}", "path", text_of(failure, "path"),
						"error", text_of(failure, "error")));
	}
	request_answer(request,
		       json_pack("{s:O, s:I, s:I, s:I}", "files", files, "measured_count",
				 (json_int_t)number_of(outcome, "measured_count"), "failed_count",
				 (json_int_t)number_of(outcome, "failed_count"), "record_count",
				 (json_int_t)number_of(outcome, "record_count")));
}

/* Tell what is wrong, and whether it is to be tried again. */
static void judge_pass(struct measure *measure, const json_t *outcome)
{
	struct service *service = measure->service;
	const json_t *rules = json_object_get(outcome, "rules_failed");
	const json_t *files = json_object_get(outcome, "files");
	const char *error = text_of(outcome, "error");

	if (error[0] != '\0') {
		problem_set(service, NAME, "pass", "%s", error);
		measure->wanted = true;
		loop_timer_set(measure->timer, measure->retry_in);
		measure->retry_in = measure->retry_in * 2 < RETRY_LONGEST ? measure->retry_in * 2 :
									    RETRY_LONGEST;
	} else {
		problem_clear(service, NAME, "pass");
		measure->retry_in = RETRY_FIRST;
	}
	if (json_array_size(rules) > 0)
		problem_set(service, NAME, "rules", "%s%s",
			    json_string_value(json_array_get(rules, 0)),
			    json_array_size(rules) > 1 ? "; and further rules" : "");
	else
		problem_clear(service, NAME, "rules");
	if (number_of(outcome, "failed_count") > 0)
		problem_set(service, NAME, "files",
			    "%llu files that rules name could not be measured; one is %s: %s",
			    (unsigned long long)number_of(outcome, "failed_count"),
			    text_of(json_array_get(files, 0), "path"),
			    text_of(json_array_get(files, 0), "error"));
	else
		problem_clear(service, NAME, "files");
}

static void end_child(struct measure *measure)
{
	loop_timer_cancel(measure->limit);
	loop_io_free(measure->output_io);
	measure->output_io = NULL;
	close_descriptor(&measure->output);
	measure->output = -1;
	loop_child_free(measure->child);
	measure->child = NULL;
	buffer_free(&measure->text);
	measure->text = (struct buffer){ 0 };
}

/* @outcome is taken over. */
static void take_outcome(struct measure *measure, json_t *outcome)
{
	const bool requested = measure->request != NULL;

	end_child(measure);
	measure->measured += number_of(outcome, "measured_count");
	measure->failed += number_of(outcome, "failed_count");
	if (measure->request) {
		measure->requests++;
		answer_request(measure, outcome);
	} else {
		measure->passes++;
		json_decref(measure->last);
		measure->last = json_incref(outcome);
		judge_pass(measure, outcome);
	}
	json_decref(outcome);
	service_changed(measure->service);
	if (measure->waiting_count > 0 || (measure->wanted && measure->retry_in == RETRY_FIRST))
		loop_timer_set(measure->timer, AT_ONCE);
	else if (measure->wanted && requested)
		loop_timer_set(measure->timer, measure->retry_in);
}

static void finish(struct measure *measure)
{
	struct assay_error err;
	json_t *outcome;

	if (json_parse(buffer_bytes(&measure->text), "the answer of the child that measures",
		       &outcome, &err) < 0)
		outcome = json_pack("{s:o}", "error", json_text(err.text));
	take_outcome(measure, outcome);
}

static void output_ready(void *context, int fd, uint32_t events)
{
	struct measure *measure = context;
	ssize_t got = 0;

	(void)events;
	while (measure->text.size <= MEASURE_OUTPUT_MAX) {
		void *place = buffer_reserve(&measure->text, 65536);

		got = place ? read(fd, place, 65536) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		measure->text.size += (size_t)got;
	}
	if (got < 0 && errno == EAGAIN)
		return;
	finish(measure);
}

static void child_ended(void *context, pid_t pid, int status)
{
	struct measure *measure = context;

	(void)status;
	for (size_t i = 0; i < LEFT_MAX; i++)
		if (measure->left[i].pid == pid)
			measure->left[i] = (struct left){ 0 };
	/* It is freed; what it has answered is in the pipe, whose end tells. */
	if (measure->pid == pid)
		measure->child = NULL;
}

static struct left *find_left(struct measure *measure)
{
	for (size_t i = 0; i < LEFT_MAX; i++)
		if (!measure->left[i].child)
			return &measure->left[i];
	return NULL;
}

/*
 * What waits in the kernel need not end when it is killed: it is not waited for, and others go on.
 * start_child() has seen to a place for it.
 */
static void time_is_over(void *context)
{
	struct measure *measure = context;
	char place[2 * ROOT_LOOKS_SIZE];
	struct assay_error err;
	size_t size = strnlen(measure->looks, ROOT_LOOKS_SIZE);

	if (measure->output < 0)
		return;
	text_escape(BYTES((const uint8_t *)measure->looks, size), place, 512);
	assay_fail(&err, ETIME,
		   "measuring was not done in %llu s (timeout in [measure]), and was ended at %s: "
		   "does the file system there answer? Exclude it by a rule, or unmount it",
		   (unsigned long long)measure->service->config->measure.timeout / 1000, place);
	if (measure->child) {
		kill(measure->pid, SIGKILL);
		*find_left(measure) = (struct left){ measure->pid, measure->child };
		measure->child = NULL;
		measure->pid = 0;
	}
	take_outcome(measure, json_pack("{s:o}", "error", json_text(err.text)));
}

/* ---------------------------------------------------------------- beginning */

static int start_child(struct measure *measure, struct bytes paths, struct assay_error *err)
{
	struct measure_task task = {
		.config = measure->service->config,
		.device = measure->device,
		.paths = paths,
		.looks = measure->looks,
		.files = measure->request != NULL,
	};
	int r;

	if (!measure->device)
		return assay_fail(err, ENODEV,
				  "there is no /dev/assay: load the module with 'modprobe assay'");
	if (!find_left(measure))
		return assay_fail(
			err, EBUSY,
			"%d processes that measured were ended, and still wait for a file "
			"system that does not answer",
			LEFT_MAX);
	measure->looks[0] = '\0';
	r = measure_child_start(&task, &measure->pid, &measure->output, err);
	if (r < 0)
		return r;
	loop_timer_set(measure->limit, measure->service->config->measure.timeout);
	r = loop_child_add(measure->service->loop, measure->pid, child_ended, measure,
			   &measure->child, err);
	if (r == 0)
		r = loop_io_add(measure->service->loop, measure->output, EPOLLIN, output_ready,
				measure, &measure->output_io, err);
	if (r < 0)
		end_child(measure);
	return r;
}

static void begin_request(struct measure *measure)
{
	struct bytes paths = measure->waiting[0].paths;
	struct assay_error err;

	measure->request = measure->waiting[0].request;
	measure->waiting_count--;
	memmove(measure->waiting, measure->waiting + 1,
		measure->waiting_count * sizeof(measure->waiting[0]));
	if (start_child(measure, paths, &err) < 0) {
		struct request *request = measure->request;

		measure->request = NULL;
		request_fail(request, "org.assay.Failed", &err);
		loop_timer_set(measure->timer, AT_ONCE);
	}
}

static void begin_pass(struct measure *measure)
{
	struct mounts mounts;
	struct assay_error err;

	measure->wanted = false;
	if (mounts_load("", &mounts, &err) == 0) {
		mounts_free(&measure->mounts);
		measure->mounts = mounts;
	}
	if (start_child(measure, BYTES(NULL, 0), &err) < 0) {
		problem_set_error(measure->service, NAME, "pass", &err);
		measure->wanted = true;
		loop_timer_set(measure->timer, RETRY_LONGEST);
	}
}

static void timer_expired(void *context)
{
	struct measure *measure = context;

	measure->begun = true;
	if (measure->output >= 0)
		return; /* its end sets the timer again */
	if (measure->waiting_count > 0)
		begin_request(measure);
	else if (measure->wanted && measure->device)
		begin_pass(measure);
}

static void want_pass(struct measure *measure, uint64_t in)
{
	measure->wanted = true;
	measure->retry_in = RETRY_FIRST;
	loop_timer_set(measure->timer, in);
}

/*
 * The first pass is waited for, so that what the service manager starts behind this service
 * comes behind it.
 */
static void wait_for_first(struct measure *measure)
{
	uint64_t until = loop_now() + measure->service->config->measure.wait;

	begin_pass(measure);
	while (measure->output >= 0) {
		struct pollfd waited = { .fd = measure->output, .events = POLLIN };
		uint64_t now = loop_now();

		if (now >= until || poll(&waited, 1, (int)(until - now)) == 0)
			return;
		output_ready(measure, measure->output, 0);
	}
}

/* ---------------------------------------------------------------- mounts */

/* The kernel tells only that the mounts are others. */
static void mounts_changed(void *context, int fd, uint32_t events)
{
	struct measure *measure = context;
	struct mounts now;
	struct assay_error err;

	(void)fd;
	(void)events;
	if (mounts_load("", &now, &err) < 0) {
		problem_set_error(measure->service, NAME, "mounts", &err);
		return;
	}
	problem_clear(measure->service, NAME, "mounts");
	if (!mounts_have_new(&now, &measure->mounts)) {
		/* What is gone is forgotten: the kernel gives its number to a later mount. */
		mounts_free(&measure->mounts);
		measure->mounts = now;
		return;
	}
	if (!measure->wanted)
		want_pass(measure, measure->service->config->measure.settle);
	mounts_free(&now);
}

/* ---------------------------------------------------------------- the method */

static bool are_paths(const struct call_parameters *parameters)
{
	const char *path = (const char *)parameters->paths.data;

	if (parameters->path_count > MEASURE_PATHS_MAX)
		return false;
	for (uint64_t i = 0; i < parameters->path_count; i++, path += strlen(path) + 1)
		if (manifest_check_path(path, NULL) < 0)
			return false;
	return true;
}

static void call_measure(struct part *part, const struct call_parameters *parameters,
			 struct request *request)
{
	struct measure *measure = part->data;
	struct assay_error err;

	if (!are_paths(parameters)) {
		request_refuse(request, "paths");
		return;
	}
	if (measure->waiting_count == REQUESTS_MAX) {
		assay_fail(&err, EBUSY, "%d calls of Measure wait already", REQUESTS_MAX);
		request_fail(request, "org.assay.Busy", &err);
		return;
	}
	measure->waiting[measure->waiting_count].request = request;
	measure->waiting[measure->waiting_count].paths = parameters->paths;
	measure->waiting_count++;
	if (measure->output < 0)
		loop_timer_set(measure->timer, AT_ONCE);
}

/* ---------------------------------------------------------------- the part */

/* What the initramfs has left; it does not change any more. */
static void load_stage1(struct measure *measure)
{
	const char *directory = measure->service->config->service.runtime_directory;
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	struct assay_error err;

	if (asprintf(&path, "%s/" STAGE1_RESULT, directory) < 0) {
		path = NULL;
		return;
	}
	if (access(path, F_OK) < 0)
		return;
	if (file_read(path, STAGE1_MAX, &text, &err) < 0 ||
	    json_parse(buffer_bytes(&text), path, &measure->stage1, &err) < 0) {
		problem_set_error(measure->service, NAME, "stage1", &err);
		return;
	}
	if (strcmp(text_of(measure->stage1, "outcome"), "measured") != 0)
		problem_set(
			measure->service, NAME, "stage1",
			"not all was measured in the initramfs: see %s, and 'assay-initrd --check'",
			path);
}

static void stop(struct service *service, struct part *part)
{
	struct measure *measure = part->data;
	struct assay_error err;

	(void)service;
	part->data = NULL;
	assay_fail(&err, ECANCELED, "the service ends");
	if (measure->output >= 0)
		end_child(measure);
	for (size_t i = 0; i < LEFT_MAX; i++)
		loop_child_free(measure->left[i].child);
	loop_timer_free(measure->limit);
	munmap(measure->looks, ROOT_LOOKS_SIZE);
	if (measure->request)
		request_fail(measure->request, "org.assay.Failed", &err);
	for (size_t i = 0; i < measure->waiting_count; i++)
		request_fail(measure->waiting[i].request, "org.assay.Failed", &err);
	loop_timer_free(measure->timer);
	loop_io_free(measure->mounts_io);
	close_descriptor(&measure->mounts_fd);
	mounts_free(&measure->mounts);
	json_decref(measure->stage1);
	json_decref(measure->last);
	free(measure);
}

static int start(struct service *service, struct part *part, struct assay_error *err)
{
	struct measure *measure = calloc(1, sizeof(*measure));
	int r;

	if (!measure)
		return assay_fail(err, ENOMEM, "out of memory");
	*measure = (struct measure){ .service = service, .output = -1, .retry_in = RETRY_FIRST };
	part->data = measure;
	measure->looks = mmap(NULL, ROOT_LOOKS_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (measure->looks == MAP_FAILED) {
		part->data = NULL;
		free(measure);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	measure->mounts_fd = open(MOUNTS_PATH, O_RDONLY | O_CLOEXEC);
	r = measure->mounts_fd >= 0 ?
		    0 :
		    assay_fail(err, errno, "cannot open " MOUNTS_PATH ": %s", strerror(errno));
	if (r == 0)
		r = loop_timer_new(service->loop, timer_expired, measure, &measure->timer, err);
	if (r == 0)
		r = loop_timer_new(service->loop, time_is_over, measure, &measure->limit, err);
	if (r == 0)
		r = loop_io_add(service->loop, measure->mounts_fd, EPOLLPRI, mounts_changed,
				measure, &measure->mounts_io, err);
	if (r < 0) {
		stop(service, part);
		return r;
	}
	load_stage1(measure);
	loop_timer_set(measure->timer, AT_ONCE);
	return 0;
}

static void reload(struct service *service, struct part *part)
{
	(void)service;
	want_pass(part->data, AT_ONCE);
}

static void device_is(struct part *part, const struct device *device)
{
	struct measure *measure = part->data;

	measure->device = device;
	if (!device)
		return;
	if (measure->begun) {
		want_pass(measure, AT_ONCE);
		return;
	}
	wait_for_first(measure);
}

static bool is_busy(const struct part *part)
{
	const struct measure *measure = part->data;

	return measure->output >= 0 || measure->waiting_count > 0;
}

static void tell(struct part *part, json_t *object)
{
	const struct measure *measure = part->data;

	json_object_set_new(object, "pass_count", json_integer((json_int_t)measure->passes));
	json_object_set_new(object, "request_count", json_integer((json_int_t)measure->requests));
	if (measure->stage1)
		json_object_set(object, "stage1", measure->stage1);
	if (measure->last)
		json_object_set(object, "last_pass", measure->last);
}

static void print_metrics(struct part *part, struct metrics *metrics)
{
	const struct measure *measure = part->data;

	metrics_counter(metrics, "measure_passes_total", "Passes over the rules.", measure->passes);
	metrics_counter(metrics, "measure_requests_total", "Calls of Measure that were answered.",
			measure->requests);
	metrics_counter(metrics, "measured_files_total", "Files measured by the service.",
			measure->measured);
	metrics_counter(metrics, "measure_failed_files_total",
			"Files that could not be measured by the service.", measure->failed);
}

static const struct part_method methods[] = {
	{ "Measure", METHOD_MEASURE, call_measure },
	{ 0 },
};

struct part part_measure = {
	.name = NAME,
	.start = start,
	.stop = stop,
	.reload = reload,
	.device = device_is,
	.busy = is_busy,
	.tell = tell,
	.metrics = print_metrics,
	.methods = methods,
};
