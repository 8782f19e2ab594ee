// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "intake.h"

#include <errno.h>
#include <event2/util.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "judge.h"

#define BATCH_MAX 200	      /* requests of one transaction */
#define HELD_MAX (256U << 20) /* bytes of evidence, as it was sent, that wait at a time */
/* Strangers know devices' names, too: what nearly nothing is sent for is not expanded without end.
 * Logs with the same line many times stay below. */
#define RATIO_MAX 100
#define SHORT_MAX (16U << 20) /* bytes to which it may expand however short it is */
#define KEPT_SECONDS 86400    /* in which a device has kept_max bytes kept */
#define LATER_SECONDS 5	      /* until a device is to try again: when too many wait */
#define JITTER_DIVISOR 10     /* of an interval, that devices come earlier */
#define WHAT_ASKED "the request for a challenge"

/**
 * struct item - a request that waits, and then its answer
 * @is_evidence: else it asks for a challenge
 * @boot_id: that a challenge is asked for
 * @device: of the batch's
 * @kept: the evidence is to be kept
 * @status, @answer: what will be said; @answer is owned
 */
struct item {
	struct http_call *call;
	bool is_evidence;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	struct evidence_in in;
	struct device *device;
	struct judgement judgement;
	bool kept;
	int status;
	json_t *answer;
	struct item *next;
};

struct intake {
	struct fleet *fleet;
	struct event *work;
	struct item *first, **last;
	size_t waiting, held;
};

/**
 * struct batch - what is worked on at once
 * @names: of the devices, ascending, each once; @devices: as many
 * @changed: which of them are to be written
 * @changes, @changing: verdicts that became other ones and have no number yet, and of which device
 */
struct batch {
	struct fleet *fleet;
	uint64_t now;
	struct item *items[BATCH_MAX];
	size_t count;
	bool writes;
	const char *names[BATCH_MAX];
	struct device devices[BATCH_MAX];
	bool changed[BATCH_MAX];
	size_t device_count;
	struct device_change changes[BATCH_MAX];
	struct device *changing[BATCH_MAX];
	size_t change_count;
};

/* ---------------------------------------------------------------- answers */

static void item_free(struct item *item)
{
	evidence_in_free(&item->in);
	judgement_free(&item->judgement);
	json_decref(item->answer);
	free(item);
}

static void say(struct item *item, int status, json_t *answer)
{
	item->status = status;
	json_decref(item->answer);
	item->answer = answer;
}

static void say_error(struct item *item, int status, const char *text)
{
	say(item, status,
	    json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", "push-error", "error",
		      json_text(text)));
}

static void say_verdict(struct item *item, uint64_t now, const char *reason)
{
	const struct device *device = item->device;
	bool trusted = device->verdict == DEVICE_TRUSTED;

	say(item, 200,
	    json_pack("{s:i, s:s, s:s, s:o, s:I, s:{s:I, s:I}}", "assay", JSON_VERSION, "type",
		      "push-verdict", "verdict", trusted ? "trusted" : "not-trusted", "reason",
		      json_text(trusted ? "" : reason), "next_in",
		      (json_int_t)(device->due > now ? device->due - now : 1), "acknowledged",
		      "log", (json_int_t)device->records, "ima", (json_int_t)device->entries));
}

/* ---------------------------------------------------------------- challenges */

static int answer_challenge(struct batch *batch, struct item *item, struct assay_error *err)
{
	const struct fleet *fleet = batch->fleet;
	const struct device *device = item->device;
	struct assay_state_info have;
	uint8_t nonce[NONCE_SIZE];
	struct nonce_for whom;
	uint64_t expires_in;
	int r;

	judge_have(device, policies_of(&fleet->policies, device->label, device->name),
		   item->boot_id, &have);
	whom = judge_nonce_for(device, &have);
	r = nonce_make(&fleet->nonce_keys, &whom, batch->now, fleet->settings->nonce_step, nonce,
		       &expires_in, err);
	if (r < 0)
		return r;
	say(item, 200,
	    json_pack("{s:i, s:s, s:o, s:I, s:{s:I, s:I}}", "assay", JSON_VERSION, "type",
		      "push-challenge", "nonce", json_hex(BYTES(nonce, sizeof(nonce))),
		      "expires_in", (json_int_t)expires_in, "have", "log", (json_int_t)have.log,
		      "ima", (json_int_t)have.ima));
	batch->fleet->counts->challenges++;
	return 0;
}

/* ---------------------------------------------------------------- evidence */

static uint64_t next_in(uint64_t interval)
{
	uint32_t number = 0;
	uint64_t early = interval / JITTER_DIVISOR;

	evutil_secure_rng_get_bytes(&number, sizeof(number));
	return interval - (early > 0 ? number % early : 0);
}

static void note_change(struct batch *batch, struct item *item, const char *policy)
{
	struct device *device = item->device;
	struct judgement *judgement = &item->judgement;

	if (!judgement->changed)
		return;
	device->since = batch->now;
	batch->fleet->counts->changes++;
	batch->changing[batch->change_count] = device;
	batch->changes[batch->change_count++] = (struct device_change){
		.name = device->name,
		.at = batch->now,
		.verdict = device->verdict,
		.reason = judgement->reason,
		.policy = policy,
		.kept = buffer_bytes(&judgement->kept),
		.evidence = device->evidence,
	};
}

/* All at once, and in the order in which they came about. */
static int add_changes(struct batch *batch, struct assay_error *err)
{
	uint64_t ids[BATCH_MAX];
	int r = devices_add_changes(batch->fleet->store, batch->changes, batch->change_count, ids,
				    err);

	for (size_t i = 0; r == 0 && i < batch->change_count; i++)
		batch->changing[i]->change = ids[i];
	batch->change_count = 0;
	return r;
}

static int answer_repeated(struct batch *batch, struct item *item, struct assay_error *err)
{
	char reason[sizeof(item->judgement.reason)];
	int r = add_changes(batch, err);

	if (r == 0)
		r = devices_reason(batch->fleet->store, item->device->change, reason,
				   sizeof(reason), err);
	batch->fleet->counts->repeated++;
	if (r == 0 && item->device->verdict == DEVICE_SILENT)
		say_error(item, 409, "the evidence is of before the device was silent");
	else if (r == 0)
		say_verdict(item, batch->now, reason);
	return r;
}

/* Of evidence that anybody could have sent nothing is noted: only the device makes its verdicts. */
static void answer_foreign(struct batch *batch, struct item *item)
{
	batch->fleet->counts->foreign++;
	say(item, 200,
	    json_pack("{s:i, s:s, s:s, s:o, s:I}", "assay", JSON_VERSION, "type", "push-verdict",
		      "verdict", "not-trusted", "reason", json_text(item->judgement.reason),
		      "next_in", (json_int_t)next_in(batch->fleet->settings->interval)));
}

static void answer_judged(struct batch *batch, struct item *item, const char *policy)
{
	struct device *device = item->device;
	struct fleet_counts *counts = batch->fleet->counts;

	note_change(batch, item, policy);
	device->due = batch->now + next_in(batch->fleet->settings->interval);
	batch->changed[device - batch->devices] = true;
	item->kept = item->judgement.changed || item->judgement.news;
	counts->verdicts++;
	*(item->judgement.trusted ? &counts->trusted : &counts->not_trusted) += 1;
	say_verdict(item, batch->now, item->judgement.reason);
}

static size_t expanded_max(const struct fleet_settings *settings, size_t sent)
{
	size_t most = SHORT_MAX + RATIO_MAX * sent;

	return most < settings->evidence_max ? most : settings->evidence_max;
}

static int refused_status(int r)
{
	return r == -EFBIG ? 413 : r == -ENOMEM ? 503 : 400;
}

/* Only now: a device of that name may attest, and no other evidence is held expanded. */
static bool read_evidence(struct batch *batch, struct item *item)
{
	struct bytes body = item->call->body;
	struct assay_error why = { 0 };
	int r = evidence_in_read(body, expanded_max(batch->fleet->settings, body.size), &item->in,
				 &why);

	if (r == 0)
		return true;
	batch->fleet->counts->refused++;
	say_error(item, refused_status(r), why.text);
	return false;
}

static int answer_evidence(struct batch *batch, struct item *item, struct assay_error *err)
{
	const struct fleet *fleet = batch->fleet;
	const struct judge_terms terms = { &fleet->nonce_keys, batch->now,
					   fleet->settings->nonce_step };
	const struct fleet_policy *policy =
		policies_of(&fleet->policies, item->device->label, item->device->name);
	struct assay_error why = { 0 };
	int r;

	if (!policy || !policy->policy) {
		say_error(item, 503,
			  policy && policy->why ? policy->why :
						  "no policy is assigned to the device");
		return 0;
	}
	if (!read_evidence(batch, item))
		return 0;
	r = judge(&item->in, &terms, policy, item->device, &item->judgement, &why);
	evidence_in_forget(&item->in);
	/* What is wrong with one device's state is not the others' matter. */
	if (r < 0) {
		say_error(item, 503, why.text);
		return 0;
	}
	switch (item->judgement.kind) {
	case JUDGE_REPEATED:
		return answer_repeated(batch, item, err);
	case JUDGE_STALE:
		batch->fleet->counts->stale++;
		say_error(item, 409, item->judgement.reason);
		return 0;
	case JUDGE_FOREIGN:
		answer_foreign(batch, item);
		return 0;
	case JUDGE_VERDICT:
		answer_judged(batch, item, policy->id);
		return 0;
	}
	return 0;
}

/* ---------------------------------------------------------------- batches */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int load(struct batch *batch, struct assay_error *err)
{
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < batch->count; i++)
		batch->names[i] = batch->items[i]->call->parameter;
	qsort(batch->names, batch->count, sizeof(batch->names[0]), compare_names);
	for (size_t i = 0; i < batch->count; i++)
		if (i == 0 || strcmp(batch->names[i], batch->names[kept - 1]) != 0)
			batch->names[kept++] = batch->names[i];
	batch->device_count = kept;
	r = devices_load(batch->fleet->store, batch->names, kept, batch->writes, batch->devices,
			 err);
	for (size_t i = 0; r == 0 && i < batch->count; i++) {
		const char *name = batch->items[i]->call->parameter;
		const char **at =
			bsearch(&name, batch->names, kept, sizeof(batch->names[0]), compare_names);

		batch->items[i]->device = &batch->devices[at - batch->names];
	}
	return r;
}

static int answer(struct batch *batch, struct item *item, struct assay_error *err)
{
	if (item->device->name[0] == '\0') {
		batch->fleet->counts->refused++;
		say_error(item, 404, "no device of that name is enrolled");
		return 0;
	}
	if (!item->device->approved) {
		batch->fleet->counts->refused++;
		say_error(item, 403, "the device's enrolment is not approved yet");
		return 0;
	}
	return item->is_evidence ? answer_evidence(batch, item, err) :
				   answer_challenge(batch, item, err);
}

/* A device that makes news of itself all the time must not fill the disk. */
static bool may_keep(struct batch *batch, const struct item *item)
{
	struct device *device = item->device;
	uint64_t max = batch->fleet->settings->kept_max;

	if (device->kept_since + KEPT_SECONDS <= batch->now || device->kept_since > batch->now) {
		device->kept_since = batch->now;
		device->kept = 0;
	}
	if (device->kept > max || item->in.body.size > max - device->kept) {
		batch->fleet->counts->not_kept++;
		return false;
	}
	device->kept += item->in.body.size;
	return true;
}

static int save(struct batch *batch, struct assay_error *err)
{
	struct device_evidence *kept = calloc(batch->count + 1, sizeof(*kept));
	const struct device *changed[BATCH_MAX];
	size_t kept_count = 0, changed_count = 0;
	int r;

	if (!kept)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < batch->count; i++) {
		const struct item *item = batch->items[i];

		if (item->kept && may_keep(batch, item))
			kept[kept_count++] = (struct device_evidence){
				item->in.digest,
				item->device->name,
				batch->now,
				item->in.boot_id,
				buffer_bytes(&item->in.nonce),
				item->judgement.issued,
				item->in.body,
			};
	}
	for (size_t i = 0; i < batch->device_count; i++)
		if (batch->changed[i])
			changed[changed_count++] = &batch->devices[i];
	r = devices_add_evidence(batch->fleet->store, kept, kept_count, err);
	free(kept);
	/* Changes come last but for what has their numbers: others' wait until these are committed.
	 */
	if (r == 0)
		r = add_changes(batch, err);
	return r < 0 ? r : devices_save(batch->fleet->store, changed, changed_count, err);
}

static int work_in_transaction(struct batch *batch, struct assay_error *err)
{
	int r = load(batch, err);

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		r = answer(batch, batch->items[i], err);
	return r < 0 || !batch->writes ? r : save(batch, err);
}

static int work_on(struct batch *batch, struct assay_error *err)
{
	struct store *store = batch->fleet->store;
	int r = fleet_refresh(batch->fleet, err);

	/* SQLite's would keep out those that write; PostgreSQL's is planned for what is in it. */
	if (r < 0 || (!batch->writes && !store_is_postgres(store)))
		return r < 0 ? r : work_in_transaction(batch, err);
	r = store_begin_by_keys(store, err);
	if (r < 0)
		return r;
	r = work_in_transaction(batch, err);
	if (r == 0)
		return store_commit(store, err);
	store_rollback(store);
	return r;
}

/* What is not on the disk is not answered: the device comes again. */
static void send_answers(struct batch *batch, int r, const struct assay_error *err)
{
	if (r < 0) {
		batch->fleet->counts->failures++;
		fprintf(stderr, "<3>assay-fleet: %zu requests are put off: %s\n", batch->count,
			err->text);
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = batch->items[i];

		if (r < 0 || !item->answer)
			http_answer_later(item->call, LATER_SECONDS,
					  "the verifier cannot judge now");
		else
			http_answer_json(item->call, item->status, json_incref(item->answer));
		item_free(item);
	}
	for (size_t i = 0; i < batch->device_count; i++)
		device_free(&batch->devices[i]);
}

static void work(evutil_socket_t fd, short what, void *context)
{
	struct intake *intake = context;
	struct assay_error err = { 0 };
	struct batch *batch = calloc(1, sizeof(*batch));
	int r;

	(void)fd;
	(void)what;
	if (!batch)
		return; /* they wait until the next comes */
	batch->fleet = intake->fleet;
	batch->now = fleet_now();
	while (intake->first && batch->count < BATCH_MAX) {
		struct item *item = intake->first;

		intake->first = item->next;
		batch->items[batch->count++] = item;
		batch->writes |= item->is_evidence;
	}
	intake->waiting -= batch->count;
	intake->held = 0; /* put() leaves none behind a full batch */
	if (!intake->first)
		intake->last = &intake->first;
	else
		event_active(intake->work, EV_TIMEOUT, 0);
	r = batch->count > 0 ? work_on(batch, &err) : 0;
	intake->fleet->counts->batches++;
	send_answers(batch, r, &err);
	free(batch);
}

/* ---------------------------------------------------------------- requests */

static void put(struct intake *intake, struct item *item)
{
	item->next = NULL;
	*intake->last = item;
	intake->last = &item->next;
	intake->waiting++;
	intake->held += item->call->body.size;
	/* What comes without a pause must not keep a full batch from being worked on. */
	if (intake->waiting >= BATCH_MAX || intake->held >= HELD_MAX)
		work(-1, 0, intake);
	else
		event_active(intake->work, EV_TIMEOUT, 0);
}

/* NULL where it was answered already: nothing was lost yet. */
static struct item *begin(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct item *item = NULL;

	if (!machine_id_valid(call->parameter)) {
		http_answer_error(call, 404, "that is no device's name");
		return NULL;
	}
	if (fleet->intake->waiting < fleet->settings->queue_max)
		item = calloc(1, sizeof(*item));
	if (!item) {
		fleet->counts->shed++;
		http_answer_later(call, LATER_SECONDS + (unsigned int)next_in(LATER_SECONDS * 10),
				  "too many wait: come later");
		return NULL;
	}
	item->call = call;
	return item;
}

static int read_request(struct bytes body, char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1],
			struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	const char *text = "";
	int r = json_parse(body, WHAT_ASKED, &json, err);

	if (r == 0)
		r = json_check_head(json, "push-challenge-request", WHAT_ASKED, err);
	if (r == 0)
		r = json_get_string(json, "boot_id", WHAT_ASKED, &text, err);
	if (r < 0)
		return r;
	if (strlen(text) != EVIDENCE_BOOT_ID_LENGTH ||
	    strspn(text, "0123456789abcdef-") != EVIDENCE_BOOT_ID_LENGTH)
		return assay_fail(err, EBADMSG, WHAT_ASKED ": \"boot_id\" is not a UUID");
	memcpy(boot_id, text, EVIDENCE_BOOT_ID_LENGTH + 1);
	return 0;
}

static void refuse(struct item *item, int r, const struct assay_error *err)
{
	struct fleet *fleet = item->call->context;

	fleet->counts->refused++;
	http_answer_error(item->call, refused_status(r), "%s", err->text);
	item_free(item);
}

void intake_challenge(struct http_call *call)
{
	struct item *item = begin(call);
	struct assay_error err = { 0 };
	int r;

	if (!item)
		return;
	r = read_request(call->body, item->boot_id, &err);
	if (r < 0)
		refuse(item, r, &err);
	else
		put(((struct fleet *)call->context)->intake, item);
}

void intake_evidence(struct http_call *call)
{
	struct fleet *fleet = call->context;
	const char *encoding = http_header(call, "Content-Encoding");
	struct item *item = begin(call);
	struct assay_error err = { 0 };

	if (!item)
		return;
	item->is_evidence = true;
	if (encoding && strcmp(encoding, "zstd") == 0) {
		put(fleet->intake, item);
		return;
	}
	refuse(item, assay_fail(&err, EBADMSG, "evidence must have Content-Encoding: zstd"), &err);
}

int intake_new(struct fleet *fleet, struct intake **ret, struct assay_error *err)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return assay_fail(err, ENOMEM, "out of memory");
	intake->fleet = fleet;
	intake->last = &intake->first;
	intake->work = event_new(fleet->base, -1, 0, work, intake);
	if (!intake->work) {
		free(intake);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	/* Behind what is to be read: then more is in a batch. */
	(void)event_priority_set(intake->work, 1);
	*ret = intake;
	return 0;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	while (intake->first) {
		struct item *item = intake->first;

		intake->first = item->next;
		item_free(item);
	}
	event_free(intake->work);
	free(intake);
}
