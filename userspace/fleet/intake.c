// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake_batch.h"

#define HELD_MAX (256U << 20) /* bytes of evidence, as it was sent, that wait at a time */
#define KEPT_SECONDS 86400    /* in which a device has kept_max bytes kept */
#define LATER_SECONDS 5	      /* until a device is to try again: when too many wait */

struct intake {
	struct fleet *fleet;
	struct event *work;
	struct intake_item *first, **last;
	size_t waiting, held;
};

static void item_free(struct intake_item *item)
{
	evidence_in_free(&item->in);
	judgement_free(&item->judgement);
	buffer_free(&item->proof);
	buffer_free(&item->signature);
	json_decref(item->answer);
	free(item);
}

void intake_say(struct intake_item *item, int status, json_t *answer)
{
	item->status = status;
	json_decref(item->answer);
	item->answer = answer;
}

void intake_say_error(struct intake_item *item, int status, const char *text)
{
	intake_say(item, status, item->protocol->error(status, text));
}

/* ---------------------------------------------------------------- batches */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int load(struct intake_batch *batch, struct assay_error *err)
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

static int answer(struct intake_batch *batch, struct intake_item *item, struct assay_error *err)
{
	if (item->device->name[0] == '\0') {
		batch->fleet->counts->refused++;
		intake_say_error(item, 404, "no device of that name is enrolled");
		return 0;
	}
	if (!item->device->approved) {
		batch->fleet->counts->refused++;
		intake_say_error(item, 403, "the device's enrolment is not approved yet");
		return 0;
	}
	return item->work(batch, item, err);
}

/* A device that makes news of itself all the time must not fill the disk. */
static bool may_keep(struct intake_batch *batch, const struct intake_item *item)
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

/* Of a device that came twice, what it sent last. */
static int save_versions(struct intake_batch *batch, struct assay_error *err)
{
	const struct versions *known[INTAKE_BATCH_MAX] = { NULL };
	struct device_versions found[INTAKE_BATCH_MAX];
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i]->judgement.versions.known)
			known[batch->items[i]->device - batch->devices] =
				&batch->items[i]->judgement.versions;
	for (size_t i = 0; i < batch->device_count; i++)
		if (known[i])
			found[count++] =
				(struct device_versions){ batch->devices[i].name, known[i] };
	return versions_save(batch->fleet->store, found, count, err);
}

static int save(struct intake_batch *batch, struct assay_error *err)
{
	struct device_evidence *kept = calloc(batch->count + 1, sizeof(*kept));
	const struct device *changed[INTAKE_BATCH_MAX];
	size_t kept_count = 0, changed_count = 0;
	int r;

	if (!kept)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < batch->count; i++) {
		const struct intake_item *item = batch->items[i];

		if (item->kept && may_keep(batch, item))
			kept[kept_count++] = (struct device_evidence){
				item->in.digest,
				item->device->name,
				batch->now,
				item->in.boot_id,
				buffer_bytes(&item->in.nonce),
				item->judgement.issued,
				item->in.body,
				item->in.clock,
			};
	}
	for (size_t i = 0; i < batch->device_count; i++)
		if (batch->changed[i])
			changed[changed_count++] = &batch->devices[i];
	r = devices_add_evidence(batch->fleet->store, kept, kept_count, err);
	free(kept);
	if (r == 0)
		r = save_versions(batch, err);
	/* Changes come last but for what has their numbers: others' wait until these are committed.
	 */
	if (r == 0)
		r = intake_add_changes(batch, err);
	return r < 0 ? r : devices_save(batch->fleet->store, changed, changed_count, err);
}

static int work_in_transaction(struct intake_batch *batch, struct assay_error *err)
{
	int r = load(batch, err);

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		r = answer(batch, batch->items[i], err);
	return r < 0 || !batch->writes ? r : save(batch, err);
}

static int work_on(struct intake_batch *batch, struct assay_error *err)
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
static void send_answers(struct intake_batch *batch, int r, const struct assay_error *err)
{
	if (r < 0) {
		batch->fleet->counts->failures++;
		fprintf(stderr, "<3>assay-fleet: %zu requests are put off: %s\n", batch->count,
			err->text);
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct intake_item *item = batch->items[i];

		if (r < 0 || !item->answer)
			http_answer_later(item->call, LATER_SECONDS,
					  "the verifier cannot judge now");
		else
			http_answer_json_as(item->call, item->status, item->protocol->type,
					    json_incref(item->answer));
		item_free(item);
	}
	for (size_t i = 0; i < batch->device_count; i++)
		device_free(&batch->devices[i]);
}

static void work(evutil_socket_t fd, short what, void *context)
{
	struct intake *intake = context;
	struct assay_error err = { 0 };
	struct intake_batch *batch = calloc(1, sizeof(*batch));
	int r;

	(void)fd;
	(void)what;
	if (!batch)
		return; /* they wait until the next comes */
	batch->fleet = intake->fleet;
	batch->now = fleet_now();
	while (intake->first && batch->count < INTAKE_BATCH_MAX) {
		struct intake_item *item = intake->first;

		intake->first = item->next;
		batch->items[batch->count++] = item;
		batch->writes |= item->form != NULL;
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

static void put(struct intake_item *item)
{
	struct intake *intake = ((struct fleet *)item->call->context)->intake;

	item->next = NULL;
	*intake->last = item;
	intake->last = &item->next;
	intake->waiting++;
	intake->held += item->call->body.size;
	/* What comes without a pause must not keep a full batch from being worked on. */
	if (intake->waiting >= INTAKE_BATCH_MAX || intake->held >= HELD_MAX)
		work(-1, 0, intake);
	else
		event_active(intake->work, EV_TIMEOUT, 0);
}

/* NULL where it was answered already: nothing was lost yet */
static struct intake_item *begin(struct http_call *call, const struct intake_protocol *protocol)
{
	struct fleet *fleet = call->context;
	struct intake_item *item = NULL;

	if (!machine_id_valid(call->parameter)) {
		http_answer_error(call, 404, "that is no device's name");
		return NULL;
	}
	if (fleet->intake->waiting < fleet->settings->queue_max)
		item = calloc(1, sizeof(*item));
	if (!item) {
		fleet->counts->shed++;
		http_answer_later(call,
				  LATER_SECONDS + (unsigned int)intake_next_in(LATER_SECONDS * 10),
				  "too many wait: come later");
		return NULL;
	}
	item->call = call;
	item->protocol = protocol;
	return item;
}

static void refuse(struct intake_item *item, int r, const struct assay_error *err)
{
	struct fleet *fleet = item->call->context;
	int status = intake_refused_status(r);

	fleet->counts->refused++;
	http_answer_json_as(item->call, status, item->protocol->type,
			    item->protocol->error(status, err->text));
	item_free(item);
}

/* @form: of evidence; else NULL */
static void take(struct http_call *call, const struct intake_protocol *protocol, intake_work *how,
		 intake_evidence_form *form, intake_read *read)
{
	struct intake_item *item = begin(call, protocol);
	struct assay_error err = { 0 };
	int r;

	if (!item)
		return;
	item->work = how;
	item->form = form;
	r = read ? read(item, &err) : 0;
	if (r < 0)
		refuse(item, r, &err);
	else
		put(item);
}

void intake_take(struct http_call *call, const struct intake_protocol *protocol, intake_work *how,
		 intake_read *read)
{
	take(call, protocol, how, NULL, read);
}

void intake_take_evidence(struct http_call *call, const struct intake_protocol *protocol,
			  intake_evidence_form *form, intake_read *read)
{
	take(call, protocol, intake_answer_evidence, form, read);
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
		struct intake_item *item = intake->first;

		intake->first = item->next;
		item_free(item);
	}
	event_free(intake->work);
	free(intake);
}
