// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "decisions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "audit.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "memory/value.h"
#include "rollouts.h"
#include "verify/record.h"
#include "view_common.h"

#define WHAT "the request"
#define PROPOSALS_MAX 1000

/* ---------------------------------------------------------------- the request */

static int take_percent(const json_t *json, const char *name, uint64_t *ret,
			struct assay_error *err)
{
	int r = json_object_get(json, name) ? json_get_unsigned(json, name, WHAT, ret, err) : 0;

	return r == 0 && *ret > 100 ? assay_fail(err, EINVAL, WHAT ": \"%s\" is over 100", name) :
				      r;
}

/* @known: members that there may be, ended by NULL */
static int read_decision(struct http_call *call, const char *const known[], struct rollout *ret,
			 struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	const char *label = "", *policy = "";
	int r = json_parse(call->body, WHAT, &json, err);

	if (r == 0)
		r = json_only(json, known, WHAT, err);
	if (r == 0)
		r = json_get_string(json, "label", WHAT, &label, err);
	if (r == 0)
		r = json_get_string(json, "policy", WHAT, &policy, err);
	if (r == 0)
		r = json_get_unsigned(json, "version", WHAT, &ret->to.version, err);
	if (r == 0)
		r = take_percent(json, "percent", &ret->percent, err);
	if (r == 0)
		r = take_percent(json, "halt_percent", &ret->halt_percent, err);
	if (r < 0)
		return r;
	if ((label[0] != '\0' && !machine_id_valid(label)) || !ref_name_valid(policy))
		return assay_fail(err, EINVAL, WHAT ": \"label\" or \"policy\" is no name");
	snprintf(ret->to.label, sizeof(ret->to.label), "%s", label);
	snprintf(ret->to.policy, sizeof(ret->to.policy), "%s", policy);
	return 0;
}

/* ---------------------------------------------------------------- what is decided */

/* More than can be read would end all judging. */
static int check_assignments(struct store *store, struct assay_error *err)
{
	struct ref_assignment *list = calloc(REF_ASSIGNMENTS_MAX, sizeof(*list));
	size_t count;
	int r = list ? refs_assignments(store, list, &count, err) :
		       assay_fail(err, ENOMEM, "out of memory");

	free(list);
	return r == -EIO ? assay_fail(err, EINVAL, "there are %d assignments already",
				      REF_ASSIGNMENTS_MAX) :
			   r;
}

static const char *act_of(const struct rollout *rollout)
{
	return rollout->percent == 100 ? "assign" : rollout->percent > 0 ? "roll out" : "end";
}

static void describe(const struct rollout *rollout, char *ret, size_t capacity)
{
	const char *label = rollout->to.label[0] ? rollout->to.label : "all others";

	if (rollout->percent > 0 && rollout->percent < 100)
		snprintf(ret, capacity, "%s@%" PRIu64 " to %" PRIu64 " %% of %s",
			 rollout->to.policy, rollout->to.version, rollout->percent, label);
	else
		snprintf(ret, capacity, "%s@%" PRIu64 " to %s", rollout->to.policy,
			 rollout->to.version, label);
}

/* Only what can be used: with all that it names, as there was then. */
static int check_policy(struct store *store, const struct rollout *rollout, uint64_t generation,
			struct assay_error *err)
{
	struct fleet_policy policy = { 0 };
	int r = policies_read(store, rollout->to.policy, rollout->to.version, generation, &policy,
			      err);

	policies_end(&policy);
	return r;
}

/* @by: who decided, for the audit */
static int decide(struct fleet *fleet, struct rollout *rollout, const char *by,
		  struct assay_error *err)
{
	char what[2 * REF_NAME_MAX + 64];
	int r = rollouts_decide(fleet->store, rollout, by, fleet_now(), err);

	if (r == 0 && rollout->percent > 0)
		r = check_policy(fleet->store, rollout, rollout->to.generation, err);
	if (r == 0)
		r = check_assignments(fleet->store, err);
	if (r < 0)
		return r;
	describe(rollout, what, sizeof(what));
	return audit_add(fleet->store, fleet_now(), by, act_of(rollout), what, err);
}

/* ---------------------------------------------------------------- proposals */

static int propose(struct fleet *fleet, struct rollout *rollout, const char *by, uint64_t *ret_id,
		   struct assay_error *err)
{
	static const struct store_statement add = {
		"ntttnnnn",
		"INSERT INTO proposal (at, who, label, policy, version, generation, percent, "
		"halt_percent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
		NULL,
	};
	static const struct store_statement get = { "", "SELECT count(*) FROM proposal", NULL };
	char what[2 * REF_NAME_MAX + 64];
	uint64_t count = 0;
	int r = refs_touch(fleet->store, err); /* a generation of its own */

	if (r == 0)
		r = refs_generation(fleet->store, &rollout->to.generation, err);
	if (r == 0)
		r = check_policy(fleet->store, rollout, rollout->to.generation, err);
	if (r == 0)
		r = store_run(fleet->store, &get, NULL, 1, store_take_number, &count, err);
	if (r == 0 && count >= PROPOSALS_MAX)
		r = assay_fail(err, EINVAL, "there are %d proposals already", PROPOSALS_MAX);
	if (r < 0)
		return r;
	const struct store_value values[] = {
		store_number(fleet_now()),	   store_text(by),
		store_text(rollout->to.label),	   store_text(rollout->to.policy),
		store_number(rollout->to.version), store_number(rollout->to.generation),
		store_number(rollout->percent),	   store_number(rollout->halt_percent),
	};

	r = store_run(fleet->store, &add, values, 1, store_take_number, ret_id, err);
	if (r < 0)
		return r;
	describe(rollout, what, sizeof(what));
	return audit_add(fleet->store, fleet_now(), by, "propose", what, err);
}

/* struct proposal - as it is kept */
struct proposal {
	char who[HTTP_PARAMETER_MAX + 16];
	struct rollout rollout;
	bool there;
};

#define PROPOSAL_COLUMNS "id, at, who, label, policy, version, generation, percent, halt_percent"

static int take_proposal(void *context, size_t set, const struct store_value *columns, size_t count,
			 struct assay_error *err)
{
	struct proposal *proposal = context;
	struct rollout *rollout = &proposal->rollout;

	(void)set;
	(void)count;
	(void)err;
	snprintf(proposal->who, sizeof(proposal->who), "%s", store_get_text(&columns[2]));
	snprintf(rollout->to.label, sizeof(rollout->to.label), "%s", store_get_text(&columns[3]));
	snprintf(rollout->to.policy, sizeof(rollout->to.policy), "%s", store_get_text(&columns[4]));
	rollout->to.version = store_get_number(&columns[5]);
	rollout->to.generation = store_get_number(&columns[6]);
	rollout->percent = store_get_number(&columns[7]);
	rollout->halt_percent = store_get_number(&columns[8]);
	proposal->there = true;
	return 0;
}

/* It is taken out: whoever does so has it alone. */
static int claim(struct http_call *call, struct proposal *ret, struct assay_error *err)
{
	static const struct store_statement take = {
		"n", "DELETE FROM proposal WHERE id = $1 RETURNING " PROPOSAL_COLUMNS, NULL
	};
	struct fleet *fleet = call->context;
	struct bytes text = { (const uint8_t *)call->parameter, strlen(call->parameter) };
	uint64_t id = 0;
	int r;

	*ret = (struct proposal){ .there = false };
	if (value_unsigned(text, &id, NULL) < 0 || id > INT64_MAX)
		return assay_fail(err, ENOENT, "that is no number of a proposal");
	const struct store_value value = store_number(id);

	r = store_run(fleet->store, &take, &value, 1, take_proposal, ret, err);
	return r == 0 && !ret->there ? assay_fail(err, ENOENT, "there is no such proposal") : r;
}

static int approve(struct http_call *call, char **ret, struct assay_error *err)
{
	struct proposal proposal;
	char by[sizeof(proposal.who) + sizeof(call->who) + 8];
	int r = claim(call, &proposal, err);

	(void)ret;
	if (r < 0)
		return r;
	if (strcmp(proposal.who, call->who) == 0)
		return assay_fail(err, EKEYREJECTED,
				  "who has proposed it cannot approve it: another one must");
	snprintf(by, sizeof(by), "%s, %s", proposal.who, call->who);
	return decide(call->context, &proposal.rollout, by, err);
}

void decision_approve(struct http_call *call)
{
	act_answer(call, approve);
}

static int withdraw(struct http_call *call, char **ret, struct assay_error *err)
{
	struct proposal proposal;
	int r = claim(call, &proposal, err);

	(void)ret;
	return r < 0 ? r : act_note(call, "withdraw", err);
}

void decision_withdraw(struct http_call *call)
{
	act_answer(call, withdraw);
}

static int list_proposal(void *context, size_t set, const struct store_value *columns, size_t count,
			 struct assay_error *err)
{
	(void)set;
	(void)count;
	return view_append(context,
			   json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I}", "id",
				     (json_int_t)store_get_number(&columns[0]), "at",
				     (json_int_t)store_get_number(&columns[1]), "who",
				     store_get_text(&columns[2]), "label",
				     store_get_text(&columns[3]), "policy",
				     store_get_text(&columns[4]), "version",
				     (json_int_t)store_get_number(&columns[5]), "percent",
				     (json_int_t)store_get_number(&columns[7]), "halt_percent",
				     (json_int_t)store_get_number(&columns[8])),
			   err);
}

void decision_proposals(struct http_call *call)
{
	static const struct store_statement get = {
		"", "SELECT " PROPOSAL_COLUMNS " FROM proposal ORDER BY id", NULL
	};
	struct fleet *fleet = call->context;
	struct assay_error err = { 0 };
	json_t *list = json_array();
	int r = store_run(fleet->store, &get, NULL, 1, list_proposal, list, &err);

	view_answer(call, "proposals", "proposals", list, r, &err);
}

/* ---------------------------------------------------------------- routes */

/* What ends something must not wait for a second person. */
static int act(struct http_call *call, struct rollout *rollout, uint64_t *ret_proposal,
	       struct assay_error *err)
{
	struct fleet *fleet = call->context;
	int r = store_begin(fleet->store, err);

	if (r < 0)
		return r;
	r = fleet->settings->two_persons && rollout->percent > 0 ?
		    propose(fleet, rollout, call->who, ret_proposal, err) :
		    decide(fleet, rollout, call->who, err);
	if (r == 0)
		return store_commit(fleet->store, err);
	store_rollback(fleet->store);
	return r;
}

static void answer(struct http_call *call, int r, struct rollout *rollout, struct assay_error *err)
{
	uint64_t proposal = 0;

	if (r == 0)
		r = act(call, rollout, &proposal, err);
	if (r < 0)
		act_failed(call, r, err);
	else if (proposal > 0)
		http_answer_json(call, 202,
				 json_pack("{s:i, s:s, s:I}", "assay", JSON_VERSION, "type",
					   "proposed", "proposal", (json_int_t)proposal));
	else
		http_answer_json(call, 200,
				 json_pack("{s:i, s:s, s:s}", "assay", JSON_VERSION, "type", "done",
					   "name", rollout->to.policy));
}

void decision_assign(struct http_call *call)
{
	static const char *const known[] = { "label", "policy", "version", NULL };
	struct rollout rollout = { .percent = 100 };
	struct assay_error err = { 0 };

	answer(call, read_decision(call, known, &rollout, &err), &rollout, &err);
}

void decision_rollout(struct http_call *call)
{
	static const char *const known[] = { "label",	"policy",	"version",
					     "percent", "halt_percent", NULL };
	struct rollout rollout = { .percent = 101, .halt_percent = ROLLOUT_HALT_DEFAULT };
	struct assay_error err = { 0 };
	int r = read_decision(call, known, &rollout, &err);

	if (r == 0 && rollout.percent > 100)
		r = assay_fail(&err, EINVAL, WHAT ": \"percent\" is missing");
	answer(call, r, &rollout, &err);
}

static int show(struct fleet *fleet, const struct rollout *rollout, json_t *list,
		struct assay_error *err)
{
	struct rollout_counts counts;
	int r = rollouts_count(fleet->store, rollout, &counts, err);

	return r < 0 ? r :
		       view_append(list,
				   json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:I, s:I}",
					     "label", rollout->to.label, "policy",
					     rollout->to.policy, "version",
					     (json_int_t)rollout->to.version, "percent",
					     (json_int_t)rollout->percent, "halt_percent",
					     (json_int_t)rollout->halt_percent, "halted",
					     (int)rollout->halted, "staged_count",
					     (json_int_t)counts.staged, "judged_count",
					     (json_int_t)counts.judged, "red_count",
					     (json_int_t)counts.red),
				   err);
}

void decision_rollouts(struct http_call *call)
{
	struct fleet *fleet = call->context;
	struct rollout rollouts[ROLLOUTS_MAX];
	struct assay_error err = { 0 };
	json_t *list = json_array();
	size_t count = 0;
	int r = rollouts_list(fleet->store, rollouts, &count, &err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = show(fleet, &rollouts[i], list, &err);
	view_answer(call, "rollouts", "rollouts", list, r, &err);
}
