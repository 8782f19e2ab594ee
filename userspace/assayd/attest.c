// SPDX-License-Identifier: MIT
/*
 * The part `attest`: evidence, made by `assay quote` in a process of its own (attest/quote_call.h),
 * for whoever asks by service_quote(). One at a time: a TPM does no more, and evidence may be
 * large.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest.h"
#include "attest/quote_call.h"
#include "base/cleanup.h"
#include "base/credential.h"
#include "base/program.h"
#include "base/scratch.h"
#include "service.h"

#define NONCE_MAX 64 /* bytes */

/**
 * struct quote_order - one that waits, or runs
 * @done: NULL once it was cancelled
 * @nonce, @wanted: what is asked for
 */
struct quote_order {
	TAILQ_ENTRY(quote_order) link;
	uint8_t nonce[NONCE_MAX];
	struct quote_wanted wanted;
	quote_done done;
	void *context;
};

TAILQ_HEAD(orders, quote_order);

/**
 * struct attest - the part
 * @orders: the first is the one that runs, if @child is there
 * @out, @messages: of the process
 * @timer: when it is killed
 * @next: starts the next one, from the loop
 */
struct attest {
	struct service *service;
	struct orders orders;
	size_t count;
	struct loop_child *child;
	pid_t pid;
	int out, messages;
	struct loop_timer *timer, *next;
	uint64_t made, failed;
};

extern struct part part_attest;

static void close_files(struct attest *attest)
{
	if (attest->out >= 0)
		close(attest->out);
	if (attest->messages >= 0)
		close(attest->messages);
	attest->out = attest->messages = -1;
}

/* ---------------------------------------------------------------- one process */

/* The texts of the configuration that may be credentials. */
struct secrets {
	char *ak, *ak_certificate, *parent_password, *owner_password;
};

static void free_secrets(struct secrets *secrets)
{
	free(secrets->ak);
	free(secrets->ak_certificate);
	free(secrets->parent_password);
	free(secrets->owner_password);
}

static int find_secrets(const struct config *config, struct secrets *ret, struct assay_error *err)
{
	const char *ak = config->attest.ak;
	int r = 0;

	if (strncmp(ak, "handle:", strlen("handle:")) == 0)
		ret->ak = strdup(ak);
	else
		r = credential_path(ak, &ret->ak, err);
	if (r == 0)
		r = credential_path(config->attest.ak_certificate, &ret->ak_certificate, err);
	if (r == 0)
		r = credential_path(config->attest.parent_password, &ret->parent_password, err);
	if (r == 0)
		r = credential_path(config->attest.owner_password, &ret->owner_password, err);
	return r == 0 && !ret->ak ? assay_fail(err, ENOMEM, "out of memory") : r;
}

/* What was cut off the log, and off IMA's list, in this boot; "" if there is nothing yet. */
static int find_archive(const struct service *service, char **ret, struct assay_error *err)
{
	if (asprintf(ret, "%s/%s", service->config->archive.directory, service->boot_id) < 0) {
		*ret = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	if (access(*ret, F_OK) < 0)
		(*ret)[0] = '\0';
	return 0;
}

static void child_ended(void *context, pid_t pid, int status);

static int start_process(struct attest *attest, const struct quote_order *order,
			 struct assay_error *err)
{
	const struct config *config = attest->service->config;
	CLEANUP(free_secrets) struct secrets secrets = { 0 };
	CLEANUP(free_pointer) char *program = NULL;
	CLEANUP(free_pointer) char *archive = NULL;
	struct quote_call call;
	int r = find_secrets(config, &secrets, err);

	if (r == 0 && config->attest.program[0] == '\0')
		r = program_beside("assay", &program, err);
	if (r == 0)
		r = find_archive(attest->service, &archive, err);
	if (r == 0)
		r = scratch_open(config->service.state_directory, &attest->out, err);
	if (r < 0)
		return r;
	attest->messages = memfd_create("messages", MFD_CLOEXEC);
	if (attest->messages < 0)
		return assay_fail(err, errno, "cannot make a file in memory: %s", strerror(errno));
	call = (struct quote_call){
		.program = program ? program : config->attest.program,
		.ak = secrets.ak,
		.ak_cert = secrets.ak_certificate,
		.policy = config->attest.policy,
		/* With a policy they are the policy's. */
		.pcrs = config->attest.policy[0] == '\0' ? config->attest.pcrs : "",
		.bank = config->attest.banks,
		.tcti = config->attest.tcti,
		.parent = config->attest.parent,
		.parent_password_file = secrets.parent_password,
		.owner_password_file = secrets.owner_password,
		.archive = archive,
		.no_assay_log = !config->attest.assay_log,
		.no_ima_log = !config->attest.ima_log,
		.no_uefi_log = !config->attest.uefi_log,
		.compress = order->wanted.compress,
		.json = true,
		.nonce = order->wanted.nonce,
		.has_since = order->wanted.since > 0 && config->attest.assay_log,
		.since = order->wanted.since,
		.since_ima = config->attest.ima_log ? order->wanted.since_ima : 0,
		.since_uefi = order->wanted.since_uefi,
	};
	r = quote_call_start(&call, attest->out, attest->messages, &attest->pid, err);
	if (r < 0)
		return r;
	r = loop_child_add(attest->service->loop, attest->pid, child_ended, attest, &attest->child,
			   err);
	if (r == 0)
		loop_timer_set(attest->timer, config->attest.timeout);
	return r;
}

/* ---------------------------------------------------------------- the queue */

/* The first order is done with. */
static void finish(struct attest *attest, int r, const struct quote_extent *extent,
		   const struct assay_error *err)
{
	struct quote_order *order = TAILQ_FIRST(&attest->orders);
	struct service *service = attest->service;
	struct quote_made made = { .fd = attest->out };
	struct stat status;

	attest->out = -1;
	if (r == 0) {
		made.records = extent->records;
		made.entries = extent->entries;
	}
	if (r == 0 && fstat(made.fd, &status) == 0) {
		made.size = (uint64_t)status.st_size;
		attest->made++;
	}
	if (r < 0 && order->done)
		attest->failed++;
	if (r == 0)
		problem_clear(service, part_attest.name, "quote");
	else if (order->done)
		problem_set_error(service, part_attest.name, "quote", err);
	if (made.fd >= 0 && (r < 0 || !order->done)) {
		close(made.fd);
		made.fd = -1;
	}
	close_files(attest);
	TAILQ_REMOVE(&attest->orders, order, link);
	attest->count--;
	if (!TAILQ_EMPTY(&attest->orders))
		loop_timer_set(attest->next, 0);
	if (order->done)
		order->done(order->context, r, &made, err);
	free(order);
	service_changed(service);
}

/* From the loop, so that nobody is called back from within service_quote(). */
static void start_next(void *context)
{
	struct attest *attest = context;
	struct quote_order *order = TAILQ_FIRST(&attest->orders);
	struct assay_error err = { 0 };
	int r;

	if (!order || attest->child)
		return;
	if (order->done)
		r = start_process(attest, order, &err);
	else
		r = assay_fail(&err, ECANCELED, "it was cancelled");
	if (r < 0)
		finish(attest, r, NULL, &err);
}

static void child_ended(void *context, pid_t pid, int status)
{
	struct attest *attest = context;
	struct quote_order *order = TAILQ_FIRST(&attest->orders);
	struct quote_extent extent = { 0 };
	struct assay_error err = { 0 };
	int r;

	(void)pid;
	attest->child = NULL;
	loop_timer_cancel(attest->timer);
	r = quote_call_result(status, attest->messages, &err);
	if (r == -EIO && (order->wanted.since > 0 || order->wanted.since_ima > 0)) {
		/* Those records were trimmed, or are not there in this boot: all there are. */
		order->wanted.since = order->wanted.since_ima = 0;
		close_files(attest);
		start_next(attest);
		return;
	}
	if (r == 0)
		r = quote_call_extent(attest->messages, &extent, &err);
	finish(attest, r, &extent, &err);
}

static void time_is_over(void *context)
{
	const struct attest *attest = context;

	/* It leads a group. Its end is told by child_ended(). */
	kill(-attest->pid, SIGKILL);
}

int service_quote(struct service *service, const struct quote_wanted *wanted, quote_done done,
		  void *context, struct quote_order **ret, struct assay_error *err)
{
	struct attest *attest = part_attest.data;
	struct quote_order *order;

	if (!attest || service->config->attest.ak[0] == '\0')
		return assay_fail(err, ENOTSUP,
				  "no attestation key is configured: make one (assay key create "
				  "--restricted), and set ak in [attest] of assayd.conf");
	if (attest->count >= service->config->attest.queue)
		return assay_fail(err, EBUSY, "%zu quotes are waited for already; ask again later",
				  attest->count);
	if (wanted->nonce.size > NONCE_MAX)
		return assay_fail(err, EINVAL, "a nonce has at most %d bytes", NONCE_MAX);
	order = calloc(1, sizeof(*order));
	if (!order)
		return assay_fail(err, ENOMEM, "out of memory");
	order->wanted = *wanted;
	memcpy(order->nonce, wanted->nonce.data, wanted->nonce.size);
	order->wanted.nonce.data = order->nonce;
	order->done = done;
	order->context = context;
	TAILQ_INSERT_TAIL(&attest->orders, order, link);
	attest->count++;
	if (!attest->child)
		loop_timer_set(attest->next, 0);
	*ret = order;
	return 0;
}

/* One that runs is ended; its turn in the queue is over when that is told. */
void service_quote_cancel(struct quote_order *order)
{
	const struct attest *attest = part_attest.data;

	if (!order)
		return;
	order->done = NULL;
	if (attest && attest->child && order == TAILQ_FIRST(&attest->orders))
		kill(-attest->pid, SIGKILL);
}

/* ---------------------------------------------------------------- the part */

static void stop_attest(struct service *service, struct part *part)
{
	struct attest *attest = part->data;
	struct quote_order *order;

	(void)service;
	loop_child_free(attest->child);
	attest->child = NULL;
	close_files(attest);
	loop_timer_free(attest->timer);
	loop_timer_free(attest->next);
	part->data = NULL;
	while ((order = TAILQ_FIRST(&attest->orders))) {
		struct assay_error err;

		TAILQ_REMOVE(&attest->orders, order, link);
		if (order->done) {
			assay_fail(&err, ECANCELED, "the service ends");
			order->done(order->context, -ECANCELED, &(struct quote_made){ .fd = -1 },
				    &err);
		}
		free(order);
	}
	free(attest);
}

static int start_attest(struct service *service, struct part *part, struct assay_error *err)
{
	struct attest *attest = calloc(1, sizeof(*attest));
	int r;

	if (!attest)
		return assay_fail(err, ENOMEM, "out of memory");
	attest->service = service;
	attest->out = attest->messages = -1;
	TAILQ_INIT(&attest->orders);
	part->data = attest;
	r = loop_timer_new(service->loop, time_is_over, attest, &attest->timer, err);
	if (r == 0)
		r = loop_timer_new(service->loop, start_next, attest, &attest->next, err);
	if (r < 0)
		stop_attest(service, part);
	return r;
}

/* A problem of the old configuration is none of the new one, until it comes again. */
static void reload_attest(struct service *service, struct part *part)
{
	problem_clear(service, part->name, "quote");
}

static void tell_attest(struct part *part, json_t *object)
{
	const struct attest *attest = part->data;

	json_object_set_new(object, "configured",
			    json_boolean(part->service->config->attest.ak[0] != '\0'));
	json_object_set_new(object, "quotes", json_integer((json_int_t)attest->made));
	json_object_set_new(object, "quotes_failed", json_integer((json_int_t)attest->failed));
	json_object_set_new(object, "waiting", json_integer((json_int_t)attest->count));
}

static void attest_metrics(struct part *part, struct metrics *metrics)
{
	const struct attest *attest = part->data;

	metrics_counter(metrics, "quotes_total", "evidence that was made", attest->made);
	metrics_counter(metrics, "quotes_failed_total", "evidence that could not be made",
			attest->failed);
}

struct part part_attest = {
	.name = "attest",
	.start = start_attest,
	.stop = stop_attest,
	.reload = reload_attest,
	.tell = tell_attest,
	.metrics = attest_metrics,
	.methods = attest_methods,
};
