// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "what_if.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "devices.h"
#include "judge.h"
#include "rollouts.h"

#define WHAT "the request"
#define DEVICES_DEFAULT 100
#define DEVICES_MAX 500
#define PIECES_MAX 4096 /* of the evidence of one boot */

/* struct question - .label: whom a policy for it would be for, unless .any_label; only devices
 * behind .after */
struct question {
	char policy[REF_NAME_MAX + 1], label[DEVICE_LABEL_MAX + 1],
		after[RECORD_MAX_MACHINE_ID + 1];
	uint64_t version, limit;
	bool any_label;
};

/* struct pieces - by their digests, in the order in which they came: only one is ever in memory */
struct pieces {
	struct assay_digest list[PIECES_MAX];
	size_t count;
};

/**
 * struct asked - a question, and what came of it
 * @next: the last device that was looked at
 * @judged, @unchanged, @unknown: how many; unknown: nothing of this boot is kept
 */
struct asked {
	struct fleet *fleet;
	struct fleet_policy policy;
	json_t *changes;
	char names[DEVICES_MAX][RECORD_MAX_MACHINE_ID + 1];
	size_t count;
	struct pieces pieces; /* of the device that is asked about */
	uint64_t judged, unchanged, unknown;
};

/* ---------------------------------------------------------------- the question */

static int copy_name(char *to, size_t capacity, const json_t *json, const char *member,
		     struct assay_error *err)
{
	const char *text = json_string_value(json_object_get(json, member));

	to[0] = '\0';
	if (!json_object_get(json, member))
		return 0;
	if (!text || strlen(text) >= capacity || (text[0] != '\0' && !ref_name_valid(text)))
		return assay_fail(err, EINVAL, WHAT ": \"%s\" is no name", member);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int take_count(const json_t *json, const char *member, uint64_t initial, uint64_t most,
		      uint64_t *ret, struct assay_error *err)
{
	int r = 0;

	*ret = initial;
	if (json_object_get(json, member))
		r = json_get_unsigned(json, member, WHAT, ret, err);
	if (r == 0 && *ret > most)
		r = assay_fail(err, EINVAL, WHAT ": \"%s\" is over %llu", member,
			       (unsigned long long)most);
	return r;
}

static int read_question(struct bytes body, struct question *ret, struct assay_error *err)
{
	static const char *const known[] = { "policy", "version", "label", "after", "limit", NULL };
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	int r = json_parse(body, WHAT, &json, err);

	if (r == 0)
		r = json_only(json, known, WHAT, err);
	if (r == 0)
		r = copy_name(ret->policy, sizeof(ret->policy), json, "policy", err);
	if (r == 0 && ret->policy[0] == '\0')
		r = assay_fail(err, EINVAL, WHAT ": \"policy\" is missing");
	if (r == 0)
		r = copy_name(ret->label, sizeof(ret->label), json, "label", err);
	if (r == 0)
		r = copy_name(ret->after, sizeof(ret->after), json, "after", err);
	if (r == 0)
		r = take_count(json, "version", 0, INT64_MAX, &ret->version, err);
	if (r == 0)
		r = take_count(json, "limit", DEVICES_DEFAULT, DEVICES_MAX, &ret->limit, err);
	if (r == 0)
		ret->any_label = !json_object_get(json, "label");
	return r;
}

static int take_name(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	struct asked *asked = context;

	(void)set;
	(void)count;
	if (asked->count == DEVICES_MAX ||
	    columns[0].bytes.size >= sizeof(asked->names[asked->count]))
		return assay_fail(err, EIO, "a device's name in the database is too long");
	memcpy(asked->names[asked->count++], store_get_text(&columns[0]),
	       columns[0].bytes.size + 1);
	return 0;
}

static int find_devices(const struct question *question, struct asked *asked,
			struct assay_error *err)
{
	static const struct store_statement get = {
		"tntn",
		"SELECT d.name FROM device d JOIN device_state s ON s.name = d.name WHERE d.name > "
		"$1 AND ($2 = 1 OR d.label = $3 OR ($3 = '' AND d.label " ROLLOUT_OTHERS
		")) AND s.judged > 0 ORDER BY d.name LIMIT $4",
		NULL,
	};
	const struct store_value values[] = { store_text(question->after),
					      store_number(question->any_label),
					      store_text(question->label),
					      store_number(question->limit) };

	return store_run(asked->fleet->store, &get, values, 1, take_name, asked, err);
}

/* ---------------------------------------------------------------- the evidence */

/* struct piece - evidence that is kept; begin with {0}, end with piece_free() */
struct piece {
	struct buffer body, nonce;
	uint64_t at, issued;
};

static void piece_free(struct piece *piece)
{
	buffer_free(&piece->body);
	buffer_free(&piece->nonce);
}

static int take_digest(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	struct pieces *pieces = context;
	struct bytes digest = columns[0].bytes;

	(void)set;
	(void)count;
	if (pieces->count == PIECES_MAX || digest.size > sizeof(pieces->list[0].bytes))
		return assay_fail(err, EFBIG, "too much evidence is kept of one boot");
	memcpy(pieces->list[pieces->count].bytes, digest.data, digest.size);
	pieces->list[pieces->count++].size = digest.size;
	return 0;
}

/* Of the boot that was judged last. What came in one second is in the order of the TPM's clock. */
static int find_pieces(struct store *store, const struct device *device, struct pieces *ret,
		       struct assay_error *err)
{
	static const struct store_statement get = {
		"tt",
		"SELECT digest FROM evidence WHERE name = $1 AND boot_id = $2 ORDER BY at, clock, "
		"digest",
		NULL,
	};
	const struct store_value values[] = { store_text(device->name),
					      store_text(device->boot_id) };

	ret->count = 0;
	return store_run(store, &get, values, 1, take_digest, ret, err);
}

static int take_piece(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	struct piece *piece = context;

	(void)set;
	(void)count;
	piece->at = store_get_number(&columns[0]);
	piece->issued = store_get_number(&columns[1]);
	buffer_append_bytes(&piece->nonce, columns[2].bytes);
	buffer_append_bytes(&piece->body, columns[3].bytes);
	return piece->nonce.failed || piece->body.failed ?
		       assay_fail(err, ENOMEM, "out of memory") :
		       0;
}

static int read_piece(struct store *store, const struct assay_digest *digest, struct piece *ret,
		      struct assay_error *err)
{
	static const struct store_statement get = {
		"b", "SELECT at, issued, nonce, body FROM evidence WHERE digest = $1", NULL
	};
	const struct store_value value = store_blob(BYTES(digest->bytes, digest->size));

	return store_run(store, &get, &value, 1, take_piece, ret, err);
}

/* ---------------------------------------------------------------- the answer */

/* What the pieces make of it, one after the other, each with the state of those before. */
static int judge_pieces(struct asked *asked, struct device *device, const struct pieces *pieces,
			struct judgement *ret, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pieces->count; i++) {
		CLEANUP(piece_free) struct piece piece = { 0 };
		CLEANUP(evidence_in_free) struct evidence_in in = { 0 };

		judgement_free(ret);
		r = read_piece(asked->fleet->store, &pieces->list[i], &piece, err);
		if (r == 0)
			r = evidence_in_read(buffer_bytes(&piece.body),
					     asked->fleet->settings->evidence_max, &in, err);
		if (r == 0)
			r = judge_again(&in, buffer_bytes(&piece.nonce), piece.issued, piece.at,
					&asked->policy, device, ret, err);
	}
	return r;
}

static int ask_one(struct asked *asked, const char *name, struct assay_error *err)
{
	CLEANUP(device_free) struct device device = { 0 };
	struct pieces *pieces = &asked->pieces;
	CLEANUP(judgement_free) struct judgement judgement = { 0 };
	struct assay_error why = { 0 };
	enum device_verdict before, after;
	int r = devices_load(asked->fleet->store, &name, 1, false, &device, err);

	if (r == 0)
		r = find_pieces(asked->fleet->store, &device, pieces, err);
	if (r < 0 && r != -EFBIG)
		return r;
	before = device.verdict;
	device_forget_verdicts(&device);
	if (r < 0 || pieces->count == 0 ||
	    judge_pieces(asked, &device, pieces, &judgement, &why) < 0) {
		asked->unknown++;
		return 0;
	}
	asked->judged++;
	after = judgement.trusted ? DEVICE_TRUSTED : DEVICE_NOT_TRUSTED;
	if (after == before) {
		asked->unchanged++;
		return 0;
	}
	return json_array_append_new(asked->changes,
				     json_pack("{s:s, s:s, s:s, s:o}", "device", name, "from",
					       device_verdict_name(before), "to",
					       device_verdict_name(after), "reason",
					       json_text(judgement.reason))) < 0 ?
		       assay_fail(err, ENOMEM, "out of memory") :
		       0;
}

static int ask(struct http_call *call, struct asked *asked, bool *ret_more, struct assay_error *err)
{
	struct question question = { .limit = 0 };
	int r = read_question(call->body, &question, err);

	if (r == 0)
		r = policies_read(asked->fleet->store, question.policy, question.version,
				  REF_NEWEST, &asked->policy, err);
	if (r == 0)
		r = find_devices(&question, asked, err);
	for (size_t i = 0; r == 0 && i < asked->count; i++)
		r = ask_one(asked, asked->names[i], err);
	*ret_more = r == 0 && asked->count > 0 && asked->count == question.limit;
	return r;
}

static void answer(struct http_call *call, const struct asked *asked, bool more)
{
	http_answer_json(call, 200,
			 json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:O, s:s*}", "assay",
				   JSON_VERSION, "type", "what-if", "policy", asked->policy.id,
				   "judged_count", (json_int_t)asked->judged, "unchanged_count",
				   (json_int_t)asked->unchanged, "unknown_count",
				   (json_int_t)asked->unknown, "changes", asked->changes, "next",
				   more ? asked->names[asked->count - 1] : NULL));
}

void what_if(struct http_call *call)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	struct assay_error err = { 0 };
	bool more = false;
	int r;

	if (!asked) {
		http_answer_later(call, 5, "out of memory");
		return;
	}
	asked->fleet = call->context;
	asked->changes = json_array();
	r = ask(call, asked, &more, &err);
	if (r < 0)
		act_failed(call, r, &err);
	else
		answer(call, asked, more);
	json_decref(asked->changes);
	policies_end(&asked->policy);
	free(asked);
}
