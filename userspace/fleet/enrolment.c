// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream() */
#include "enrolment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "audit.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "devices.h"
#include "enroll/enroll.h"

#define CHALLENGE_SECONDS 3600
#define CHALLENGES_MAX 64 /* that are open of a TPM */

/* ---------------------------------------------------------------- by the device */

static int write_text(int (*write)(FILE *stream, const void *message, struct assay_error *err),
		      const void *message, char **ret, struct assay_error *err)
{
	size_t size = 0;
	FILE *stream = open_memstream(ret, &size);
	int r;

	if (!stream)
		return assay_fail(err, ENOMEM, "out of memory");
	r = write(stream, message, err);
	if (fclose(stream) != 0 && r == 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

static int write_pending(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_pending_write(stream, message, err);
}

static int write_challenge(FILE *stream, const void *message, struct assay_error *err)
{
	return enroll_challenge_write(stream, message, err);
}

/*
 * Anybody can ask in a TPM's name, whose endorsement key is no secret: so that this does not
 * replace the challenge that the device itself is about to answer, the newest ones are kept. Those
 * that expired go.
 */
static int keep_pending(struct store *store, const struct enroll_pending *pending, uint64_t now,
			struct assay_error *err)
{
	static const struct store_statement expire = { "n",
						       "DELETE FROM pending WHERE expires < $1",
						       NULL };
	static const struct store_statement make_room = {
		"bn",
		"DELETE FROM pending WHERE identity = $1 AND id NOT IN (SELECT id FROM pending "
		"WHERE identity = $1 ORDER BY expires DESC LIMIT $2)",
		NULL,
	};
	static const struct store_statement keep = {
		"bbnt",
		"INSERT INTO pending (identity, id, expires, request) VALUES ($1, $2, $3, $4)",
		NULL,
	};
	CLEANUP(free_pointer) char *text = NULL;
	const struct store_value when = store_number(now);
	struct assay_digest identity = { 0 };
	struct tpm_public ek;
	int r = write_text(write_pending, pending, &text, err);

	if (r == 0)
		r = tpm_public_parse(buffer_bytes(&pending->request.ek_public), &ek, err);
	if (r == 0)
		r = tpm_public_key_digest(&ek, &identity, err);
	if (r < 0)
		return r;
	const struct store_value values[] = {
		store_blob(BYTES(identity.bytes, identity.size)),
		store_blob(BYTES(pending->id, sizeof(pending->id))),
		store_number(pending->expires),
		store_text(text),
	};

	const struct store_value most[] = { values[0], store_number(CHALLENGES_MAX - 1) };

	r = store_run(store, &expire, &when, 1, NULL, NULL, err);
	if (r == 0)
		r = store_run(store, &make_room, most, 1, NULL, NULL, err);
	return r < 0 ? r : store_run(store, &keep, values, 1, NULL, NULL, err);
}

static int make_challenge(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	CLEANUP(enroll_request_free) struct enroll_request request = { 0 };
	CLEANUP(enroll_challenge_free) struct enroll_challenge challenge = { 0 };
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	struct chain_trust trust = fleet->ek_trust;
	int r = enroll_request_parse(call->body, &request, err);

	trust.now = fleet_now();
	if (r == 0)
		r = enroll_challenge(&request, &trust, &fleet->known_eks, CHALLENGE_SECONDS,
				     &challenge, &pending, NULL, err);
	if (r == 0)
		r = write_text(write_challenge, &challenge, ret, err);
	if (r == 0)
		r = keep_pending(fleet->store, &pending, trust.now, err);
	return r;
}

void enrolment_request(struct http_call *call)
{
	CLEANUP(free_pointer) char *text = NULL;
	struct assay_error err = { 0 };
	int r = act_do(call, make_challenge, &text, &err);

	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_bytes(call, "application/json",
				  BYTES((const uint8_t *)text, strlen(text)));
}

static int take_pending(void *context, size_t set, const struct store_value *columns, size_t count,
			struct assay_error *err)
{
	(void)set;
	(void)count;
	return enroll_pending_parse(columns[0].bytes, context, err);
}

/* A challenge is answered once. */
static int claim_pending(struct store *store, const struct enroll_answer *answer,
			 struct enroll_pending *ret, struct assay_error *err)
{
	static const struct store_statement claim = {
		"b", "DELETE FROM pending WHERE id = $1 RETURNING request", NULL
	};
	const struct store_value id = store_blob(BYTES(answer->id, sizeof(answer->id)));
	int r = store_run(store, &claim, &id, 1, take_pending, ret, err);

	if (r == 0 && ret->expires == 0)
		r = assay_fail(err, ENOENT, "no challenge of that id is open");
	return r;
}

static int accept_answer(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	const struct fleet_settings *settings = fleet->settings;
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	CLEANUP(device_record_free) struct device_record record = { 0 };
	struct enroll_answer answer;
	int r = enroll_answer_parse(call->body, &answer, err);

	if (r == 0)
		r = claim_pending(fleet->store, &answer, &pending, err);
	if (r == 0)
		r = enroll_accept(&answer, &pending, fleet_now(), &record, err);
	if (r == 0)
		r = auth_check_device(&fleet->auth, call, record.machine_id, err);
	if (r == 0)
		r = devices_enrol(fleet->store, &record, settings->enrol_label,
				  settings->enrol_approved ? fleet_now() + settings->interval : 0,
				  false, err);
	if (r == 0) {
		*ret = strdup(record.machine_id);
		r = *ret ? 0 : assay_fail(err, ENOMEM, "out of memory");
	}
	if (r == 0)
		r = audit_add(fleet->store, fleet_now(), "a device", "enrol", record.machine_id,
			      err);
	return r;
}

static void answer_enrolled(struct http_call *call, const char *name, bool approved)
{
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:s, s:b}", "assay", JSON_VERSION, "type",
				   "enrolled", "device", name, "approved", (int)approved));
}

void enrolment_answer(struct http_call *call)
{
	const struct fleet *fleet = call->context;
	CLEANUP(free_pointer) char *name = NULL;
	struct assay_error err = { 0 };
	int r = act_do(call, accept_answer, &name, &err);

	if (r < 0)
		act_failed(call, r, &err);
	else
		answer_enrolled(call, name, fleet->settings->enrol_approved);
}

/* ---------------------------------------------------------------- by an operator */

static int take_label(struct http_call *call, char label[HTTP_PARAMETER_MAX],
		      struct assay_error *err)
{
	if (!http_query(call, "label", label) || strlen(label) > DEVICE_LABEL_MAX ||
	    (label[0] != '\0' && !machine_id_valid(label)))
		return assay_fail(err, EINVAL,
				  "a label has up to %d letters, digits, '-', '_' and '.'",
				  DEVICE_LABEL_MAX);
	return 0;
}

static int add_record(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	CLEANUP(device_record_free) struct device_record record = { 0 };
	char label[HTTP_PARAMETER_MAX], replace[HTTP_PARAMETER_MAX];
	int r = device_record_parse(call->body, &record, err);

	(void)ret;
	if (r == 0)
		r = take_label(call, label, err);
	if (r == 0 && strcmp(record.machine_id, call->parameter) != 0)
		r = assay_fail(err, EINVAL, "the record is of the device %s, not of %s",
			       record.machine_id, call->parameter);
	(void)http_query(call, "replace", replace);
	if (r == 0)
		r = devices_enrol(fleet->store, &record, label,
				  fleet_now() + fleet->settings->interval,
				  strcmp(replace, "yes") == 0, err);
	return r < 0 ? r : act_note(call, "enrol", err);
}

void enrolment_record(struct http_call *call)
{
	struct assay_error err = { 0 };
	int r = act_do(call, add_record, NULL, &err);

	if (r < 0)
		act_failed(call, r, &err);
	else
		answer_enrolled(call, call->parameter, true);
}

static int approve(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	int r = devices_approve(fleet->store, call->parameter,
				fleet_now() + fleet->settings->interval, err);

	(void)ret;
	return r < 0 ? r : act_note(call, "approve", err);
}

void enrolment_approve(struct http_call *call)
{
	act_answer(call, approve);
}

static int set_label(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	char label[HTTP_PARAMETER_MAX];
	int r = take_label(call, label, err);

	(void)ret;
	if (r == 0)
		r = devices_set_label(fleet->store, call->parameter, label, err);
	return r < 0 ? r : act_note(call, "label", err);
}

void enrolment_label(struct http_call *call)
{
	act_answer(call, set_label);
}

static int remove_device(struct http_call *call, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	int r = devices_remove(fleet->store, call->parameter, fleet_now(), err);

	(void)ret;
	return r < 0 ? r : act_note(call, "remove", err);
}

void enrolment_remove(struct http_call *call)
{
	act_answer(call, remove_device);
}
