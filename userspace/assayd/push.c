// SPDX-License-Identifier: MIT
/*
 * The part `push`: attests to a verifier over HTTPS (assay-push(7)), when the verifier asks for it.
 * One attestation goes through the steps of enum step, each of which ends in a callback of the
 * loop; what fails in any of them ends it, is told as a problem, and the next one comes later.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/utc.h"
#include "push/answer.h"
#include "push/schedule.h"
#include "push_answer.h"
#include "push_target.h"
#include "push_transfer.h"
#include "service.h"

#define FIRST_MS 1000 /* after the start, and after a new configuration */
/* A nonce that was good when it came, and is not any more, is asked for so often. */
#define TRIES 2

enum step {
	STEP_WAIT,	/* for the timer */
	STEP_CHALLENGE, /* the request for a nonce, and its answer */
	STEP_QUOTE,
	STEP_EVIDENCE, /* the evidence, and its answer */
};

/**
 * struct push - the part
 * @target: whom is attested to
 * @due: the next attestation
 * @step, @request, @parser, @order, @evidence: of the one that is under way
 * @sent: that evidence, or the last; its descriptor is @evidence
 * @tries: nonces that it has asked for
 * @retry_after: seconds that the verifier asks for in its last answer
 * @failures: in a row; @away_since: the first of them, in seconds since 1970
 * @verdict: the last one; @verified: when, 0: there was none
 * @next: loop_now() of the next one
 */
struct push {
	struct service *service;
	struct push_target target;
	struct transfers *transfers;
	struct loop_timer *due;

	enum step step;
	struct push_request *request;
	struct push_response response;
	struct confined *parser;
	struct quote_order *order;
	int evidence;
	struct quote_made sent;
	unsigned int tries;
	uint64_t retry_after;

	unsigned int failures;
	uint64_t away_since;
	struct push_verdict verdict;
	uint64_t verified;
	uint64_t next;
	uint64_t attestations, failed;
};

extern struct part part_push;

static const char *const step_names[] = {
	[STEP_WAIT] = "waiting",
	[STEP_CHALLENGE] = "challenge",
	[STEP_QUOTE] = "quote",
	[STEP_EVIDENCE] = "evidence",
};

/* ---------------------------------------------------------------- when */

static struct push_schedule schedule(const struct push *push)
{
	const struct config *config = push->service->config;

	return (struct push_schedule){
		.least = config->push.interval_least,
		.most = config->push.interval_most > config->push.interval_least ?
				config->push.interval_most :
				config->push.interval_least,
		.retry_first = config->push.retry_first,
		.retry_most = config->push.retry_most,
		.jitter = (unsigned int)config->push.jitter,
	};
}

static uint32_t chance(void)
{
	uint32_t value;

	/* Without any, all devices come at the same time, which is not worth a failure. */
	return getrandom(&value, sizeof(value), GRND_NONBLOCK) == sizeof(value) ? value : 0;
}

static void set_due(struct push *push, uint64_t milliseconds)
{
	push->next = loop_now() + milliseconds;
	loop_timer_set(push->due, milliseconds);
	service_changed(push->service);
}

/* ---------------------------------------------------------------- the end of one */

/* What is under way is dropped. */
static void clear(struct push *push)
{
	service_quote_cancel(push->order);
	confined_cancel(push->parser);
	if (push->request)
		transfers_remove(push->transfers, push->request);
	push_request_free(push->request);
	if (push->evidence >= 0)
		close(push->evidence);
	push->order = NULL;
	push->parser = NULL;
	push->request = NULL;
	push->evidence = -1;
	push->step = STEP_WAIT;
}

static void begin(struct push *push);

static void fail(struct push *push, int r, const struct assay_error *err)
{
	const struct push_schedule when = schedule(push);

	clear(push);
	if (r == -ESTALE && push->tries < TRIES) {
		begin(push);
		return;
	}
	push->failed++;
	if (push->failures++ == 0)
		push->away_since = (uint64_t)time(NULL);
	problem_set_error(push->service, part_push.name, "verifier", err);
	set_due(push, push_retry(&when, push->failures, push->retry_after, chance()));
}

/*
 * What was archived while the verifier judged was not sent, and may not go, whatever the verifier
 * says.
 */
static void bound(struct push_verdict *verdict, const struct quote_made *sent)
{
	if (verdict->log > sent->records)
		verdict->log = sent->records;
	if (verdict->ima > sent->entries)
		verdict->ima = sent->entries;
}

static void succeed(struct push *push, const struct push_verdict *verdict)
{
	const struct push_schedule when = schedule(push);
	struct service *service = push->service;

	clear(push);
	push->verdict = *verdict;
	bound(&push->verdict, &push->sent);
	push->verified = (uint64_t)time(NULL);
	push->attestations++;
	push->failures = 0;
	push->away_since = 0;
	problem_clear(service, part_push.name, "verifier");
	if (verdict->word == PUSH_NOT_TRUSTED)
		problem_set(service, part_push.name, "verdict",
			    "the verifier at %s does not trust this device: %s",
			    push->target.settings.url,
			    verdict->reason[0] != '\0' ? verdict->reason :
							 "it does not say why; look there");
	else if (verdict->word == PUSH_TRUSTED)
		problem_clear(service, part_push.name, "verdict");
	if (verdict->has_acknowledged)
		service_acknowledged(service, push->verdict.log, push->verdict.ima);
	set_due(push, push_next(&when, verdict->next_in, chance()));
}

/* ---------------------------------------------------------------- requests and answers */

static int post(struct push *push, enum step step, const struct push_body *body,
		struct assay_error *err)
{
	int r = push_request_new(&push->target.settings,
				 step == STEP_EVIDENCE ? "evidence" : "challenge", body,
				 &push->request, err);

	if (r < 0)
		return r;
	r = transfers_add(push->transfers, push->request, err);
	if (r < 0) {
		push_request_free(push->request);
		push->request = NULL;
		return r;
	}
	push->step = step;
	push->retry_after = 0;
	return 0;
}

static void quote_is_done(void *context, int r, const struct quote_made *made,
			  const struct assay_error *err);

static void take_challenge(struct push *push, struct bytes output)
{
	struct push_challenge challenge;
	struct quote_wanted wanted = { .compress = true };
	struct assay_error err;
	int r = push_answer_challenge(output, &challenge, &err);

	if (r == 0) {
		wanted.nonce = BYTES(challenge.nonce, challenge.nonce_size);
		wanted.since = challenge.log;
		wanted.since_ima = challenge.ima;
		/* Where it takes none without, PCRs of the boot have changed since: then with it.
		 */
		wanted.since_uefi = push->tries == 1 ? challenge.uefi : 0;
		r = service_quote(push->service, &wanted, quote_is_done, push, &push->order, &err);
	}
	if (r < 0)
		fail(push, r, &err);
	else
		push->step = STEP_QUOTE;
}

static void take_verdict(struct push *push, struct bytes output)
{
	struct push_verdict verdict;
	struct assay_error err;
	int r = push_answer_verdict(output, &verdict, &err);

	if (r < 0)
		fail(push, r, &err);
	else
		succeed(push, &verdict);
}

/* The answer of a status that is not 200: what it means, and what the verifier says. */
static void take_refusal(struct push *push, struct bytes output)
{
	const struct push_peer peer = { push->target.settings.url, push->target.settings.name };
	char said[PUSH_SENTENCE_MAX];
	struct assay_error err;
	int r;

	push_answer_sentence(output, said);
	r = push_answer_check(push->response.status, said, &peer, &err);
	fail(push, r, &err);
}

static void answer_is_parsed(void *context, int r, struct bytes output,
			     const struct assay_error *err)
{
	struct push *push = context;

	push->parser = NULL;
	push_request_free(push->request);
	push->request = NULL;
	if (push->response.status != 200)
		take_refusal(push, r < 0 ? BYTES(NULL, 0) : output);
	else if (r < 0)
		fail(push, r, err);
	else if (push->step == STEP_CHALLENGE)
		take_challenge(push, output);
	else
		take_verdict(push, output);
}

static void request_is_done(void *context, struct push_request *request, CURLcode code)
{
	struct push *push = context;
	struct assay_error err;
	int r = push_request_response(request, code, &push->response, &err);
	confined_function parse = push_parse_error;

	if (r == 0) {
		push->retry_after = push->response.retry_after;
		if (push->response.status == 200)
			parse = push->step == STEP_CHALLENGE ? push_parse_challenge :
							       push_parse_verdict;
		r = confined_run(push->service->loop, parse, push->response.body, &CONFINED_DEFAULT,
				 answer_is_parsed, push, &push->parser, &err);
	}
	if (r < 0)
		fail(push, r, &err);
}

static void quote_is_done(void *context, int r, const struct quote_made *made,
			  const struct assay_error *err)
{
	struct push *push = context;
	struct assay_error reason = *err;

	push->order = NULL;
	push->evidence = made->fd;
	push->sent = *made;
	if (r == 0)
		r = post(push, STEP_EVIDENCE,
			 &(struct push_body){
				 .fd = made->fd, .size = made->size, .compressed = true },
			 &reason);
	if (r < 0)
		fail(push, r, &reason);
}

static void begin(struct push *push)
{
	struct buffer text = { 0 };
	struct assay_error err;
	int r = push_ask(push->service->boot_id, &text, &err);

	push->tries++;
	if (r == 0)
		r = post(push, STEP_CHALLENGE,
			 &(struct push_body){ .fd = -1, .text = buffer_bytes(&text) }, &err);
	buffer_free(&text);
	if (r < 0)
		fail(push, r, &err);
}

static void time_has_come(void *context)
{
	struct push *push = context;

	push->tries = 0;
	push->retry_after = 0;
	begin(push);
}

/* ---------------------------------------------------------------- the configuration */

/* Where it is wrong, nothing is pushed until there is another one. */
static void configure(struct push *push)
{
	struct service *service = push->service;
	struct assay_error err;

	clear(push);
	loop_timer_cancel(push->due);
	push_target_free(&push->target);
	problem_clear(service, part_push.name, "verifier");
	problem_clear(service, part_push.name, "configuration");
	push->failures = 0;
	push->next = 0;
	if (service->config->push.url[0] == '\0') {
		problem_clear(service, part_push.name, "verdict");
		return;
	}
	if (push_target_read(service->config, &push->target, &err) < 0) {
		problem_set_error(service, part_push.name, "configuration", &err);
		push_target_free(&push->target);
		return;
	}
	set_due(push, FIRST_MS + (FIRST_MS * (uint64_t)chance() >> 32));
}

/* ---------------------------------------------------------------- the part */

static void stop_push(struct service *service, struct part *part)
{
	struct push *push = part->data;

	(void)service;
	if (push->transfers) {
		clear(push);
		transfers_free(push->transfers);
		curl_global_cleanup();
	}
	loop_timer_free(push->due);
	push_target_free(&push->target);
	free(push);
	part->data = NULL;
}

static int start_push(struct service *service, struct part *part, struct assay_error *err)
{
	struct push *push = calloc(1, sizeof(*push));
	int r;

	if (!push)
		return assay_fail(err, ENOMEM, "out of memory");
	push->service = service;
	push->evidence = -1;
	part->data = push;
	r = loop_timer_new(service->loop, time_has_come, push, &push->due, err);
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = assay_fail(err, EIO, "libcurl cannot be used");
	if (r == 0)
		r = transfers_new(service->loop, request_is_done, push, &push->transfers, err);
	if (r < 0) {
		stop_push(service, part);
		return r;
	}
	configure(push);
	return 0;
}

static void reload_push(struct service *service, struct part *part)
{
	(void)service;
	configure(part->data);
}

static void tell_time(json_t *object, const char *key, uint64_t seconds)
{
	char text[UTC_LENGTH + 1];

	if (seconds > 0)
		json_object_set_new(object, key, json_string(utc_text(seconds, text)));
}

static void tell_push(struct part *part, json_t *object)
{
	const struct push *push = part->data;
	const uint64_t now = loop_now();

	json_object_set_new(object, "configured", json_boolean(push->target.settings.url != NULL));
	if (!push->target.settings.url)
		return;
	json_object_set_new(object, "url", json_text(push->target.settings.url));
	json_object_set_new(object, "machine_id", json_text(push->target.settings.name));
	json_object_set_new(object, "step", json_string(step_names[push->step]));
	json_object_set_new(object, "attestations", json_integer((json_int_t)push->attestations));
	json_object_set_new(object, "failures", json_integer((json_int_t)push->failures));
	tell_time(object, "away_since", push->away_since);
	if (push->step == STEP_WAIT)
		json_object_set_new(
			object, "next_ms",
			json_integer((json_int_t)(push->next > now ? push->next - now : 0)));
	if (push->verified == 0)
		return;
	tell_time(object, "verified", push->verified);
	json_object_set_new(object, "verdict",
			    json_string(push_word_name((enum push_word)push->verdict.word)));
	json_object_set_new(object, "reason", json_text(push->verdict.reason));
	json_object_set_new(object, "evidence_bytes", json_integer((json_int_t)push->sent.size));
	json_object_set_new(object, "acknowledged_records",
			    json_integer((json_int_t)push->verdict.log));
	json_object_set_new(object, "acknowledged_entries",
			    json_integer((json_int_t)push->verdict.ima));
}

static void push_metrics(struct part *part, struct metrics *metrics)
{
	const struct push *push = part->data;

	metrics_counter(metrics, "push_attestations_total", "verdicts that a verifier has given",
			push->attestations);
	metrics_counter(metrics, "push_failures_total", "attestations that came to no verdict",
			push->failed);
	metrics_gauge(metrics, "push_failures_in_a_row", "since the last verdict",
		      (double)push->failures);
	if (push->verified == 0)
		return;
	metrics_gauge(metrics, "push_trusted", "1 if the last verdict was trusted",
		      push->verdict.word == PUSH_TRUSTED ? 1 : 0);
	metrics_gauge(metrics, "push_verdict_timestamp_seconds", "when that was",
		      (double)push->verified);
}

struct part part_push = {
	.name = "push",
	.start = start_push,
	.stop = stop_push,
	.reload = reload_push,
	.tell = tell_push,
	.metrics = push_metrics,
};
