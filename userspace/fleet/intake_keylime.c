// SPDX-License-Identifier: MIT
/*
 * Keylime's push agents, API version 3.0: an agent proves that it is the device (session.h), says
 * what evidence it has, is told which is wanted, and sends it. Messages are JSON:API's.
 *
 * The agent's own requests are what rust-keylime's keylime-push-model-agent sends; what it reads of
 * the answers is in keylime/src/structures there.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/utc.h"
#include "intake.h"
#include "intake_batch.h"
#include "keylime_message.h"
#include "session.h"
#include "verify/structures.h"

#define TYPE "application/vnd.api+json"
#define SUBJECTS 16 /* PCRs that are asked for: the boot's, and IMA's */
#define LATEST "/v3.0/agents/%s/attestations/latest"

/* ---------------------------------------------------------------- answers */

static json_t *time_json(uint64_t seconds)
{
	char text[UTC_LENGTH + 1];

	return json_string(utc_text(seconds, text));
}

static int read_evidence(const struct intake_item *item, size_t limit, struct evidence_in *ret,
			 struct assay_error *err)
{
	return keylime_read_evidence(item->call->body, buffer_bytes(&item->device->ak), limit, ret,
				     err);
}

static json_t *say_error(int status, const char *text)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	return json_pack("{s:[{s:s, s:o}]}", "errors", "status", number, "detail", json_text(text));
}

/* The agent's key has one scheme, and the bank of PCRs is of its hash. */
static json_t *quote_json(const struct device *device, const struct intake_challenge *challenge)
{
	struct tpm_public key = { 0 };
	json_t *subjects = json_array();
	const char *hash;

	(void)tpm_public_parse(buffer_bytes(&device->ak), &key, NULL);
	hash = assay_hash_name((enum assay_hash)key.scheme_hash);
	for (int pcr = 0; pcr < SUBJECTS; pcr++)
		json_array_append_new(subjects, json_integer(pcr));
	return json_pack("{s:s, s:s, s:{s:o, s:s, s:s, s:{s:o}}}", "evidence_class",
			 "certification", "evidence_type", "tpm_quote", "chosen_parameters",
			 "challenge",
			 json_base64(BYTES(challenge->nonce, sizeof(challenge->nonce))),
			 "hash_algorithm", hash ? hash : "sha256", "signature_scheme",
			 key.scheme == TPM_ALG_ECDSA  ? "ecdsa" :
			 key.scheme == TPM_ALG_RSAPSS ? "rsapss" :
							"rsassa",
			 "selected_subjects", hash ? hash : "sha256", subjects);
}

/* Without a boot id nothing goes on from what is known: the logs are wanted whole. */
static json_t *log_json(unsigned int log)
{
	json_t *ret = json_pack("{s:s, s:s, s:{s:s}}", "evidence_class", "log", "evidence_type",
				keylime_logs[log].type, "chosen_parameters", "format",
				keylime_logs[log].format);

	if (ret && log == KEYLIME_IMA)
		json_object_set_new(json_object_get(ret, "chosen_parameters"), "starting_offset",
				    json_integer(0));
	return ret;
}

static json_t *say_challenge(struct intake_item *item, const struct intake_challenge *challenge,
			     uint64_t now)
{
	char latest[HTTP_PARAMETER_MAX + sizeof(LATEST)];
	json_t *wanted = json_array();

	snprintf(latest, sizeof(latest), LATEST, item->device->name);
	http_add_header(item->call, "Location", latest);
	json_array_append_new(wanted, quote_json(item->device, challenge));
	for (unsigned int log = 0; log < KEYLIME_LOGS; log++)
		if (item->logs & 1U << log)
			json_array_append_new(wanted, log_json(log));
	return json_pack("{s:{s:s, s:{s:s, s:o, s:o, s:o}, s:{s:s}}}", "data", "type",
			 "attestation", "attributes", "stage", "awaiting_evidence",
			 "evidence_requested", wanted, "capabilities_received_at", time_json(now),
			 "challenges_expire_at", time_json(now + challenge->expires_in), "links",
			 "self", latest);
}

static json_t *say_verdict(const struct intake_item *item, const struct intake_verdict *verdict,
			   uint64_t now)
{
	json_t *ret = json_pack("{s:{s:s, s:{s:s, s:s, s:[], s:o}}, s:{s:I}}", "data", "type",
				"attestation", "attributes", "stage", "verification_complete",
				"evaluation", verdict->trusted ? "pass" : "fail", "evidence",
				"evidence_received_at", time_json(now), "meta",
				"seconds_to_next_attestation", (json_int_t)verdict->next_in);

	(void)item;
	if (ret && verdict->reason[0] != '\0')
		json_object_set_new(json_object_get(ret, "meta"), "reason",
				    json_text(verdict->reason));
	return ret;
}

static const struct intake_protocol protocol = {
	.type = TYPE,
	.challenge_status = 201,
	.verdict_status = 202,
	.stale_status = 403,
	.challenge = say_challenge,
	.verdict = say_verdict,
	.error = say_error,
};

/* ---------------------------------------------------------------- sessions */

static json_t *session_json(const char *agent, json_t *attributes, uint64_t now)
{
	json_object_set_new(attributes, "agent_id", json_string(agent));
	json_object_set_new(attributes, "created_at", time_json(now));
	return json_pack("{s:{s:s, s:s, s:o}}", "data", "type", "session", "id", agent,
			 "attributes", attributes);
}

static int begin_session(struct http_call *call, json_t **ret, struct assay_error *err)
{
	const struct fleet *fleet = call->context;
	char agent[RECORD_MAX_MACHINE_ID + 1];
	const uint64_t now = fleet_now();
	uint8_t nonce[NONCE_SIZE];
	uint64_t expires_in = 0;
	int r = keylime_read_session(call->body, agent, err);

	if (r == 0)
		r = session_challenge(&fleet->nonce_keys, agent, now, fleet->settings->nonce_step,
				      nonce, &expires_in, err);
	if (r < 0)
		return r;
	*ret = session_json(agent,
			    json_pack("{s:[{s:s, s:s, s:{s:o}}], s:o}", "authentication_requested",
				      "authentication_class", "pop", "authentication_type",
				      "tpm_pop", "chosen_parameters", "challenge",
				      json_base64(BYTES(nonce, sizeof(nonce))),
				      "challenges_expire_at", time_json(now + expires_in)),
			    now);
	return 0;
}

static int answer_proof(struct intake_batch *batch, struct intake_item *item,
			struct assay_error *err)
{
	const struct fleet *fleet = batch->fleet;
	const struct device *device = item->device;
	char token[SESSION_TOKEN_TEXT];
	struct assay_error why = { 0 };
	uint64_t expires_in = 0;
	int r = session_proved(&fleet->nonce_keys, device->name, buffer_bytes(&device->ak),
			       buffer_bytes(&item->proof), buffer_bytes(&item->signature),
			       batch->now, fleet->settings->nonce_step, &why);

	if (r < 0) {
		batch->fleet->counts->refused++;
		intake_say_error(item, 401, why.text);
		return 0;
	}
	r = session_token(&fleet->nonce_keys, device->name, batch->now, token, &expires_in, err);
	if (r < 0)
		return r;
	intake_say(item, 200,
		   session_json(device->name,
				json_pack("{s:s, s:s, s:[], s:o, s:o, s:o}", "evaluation", "pass",
					  "token", token, "authentication", "challenges_expire_at",
					  time_json(batch->now), "response_received_at",
					  time_json(batch->now), "token_expires_at",
					  time_json(batch->now + expires_in)),
				batch->now));
	return 0;
}

void keylime_session(struct http_call *call)
{
	struct assay_error err = { 0 };
	json_t *answer = NULL;
	int r = begin_session(call, &answer, &err);
	int status = r == 0 ? 200 : intake_refused_status(r);

	http_answer_json_as(call, status, TYPE, r == 0 ? answer : say_error(status, err.text));
}

/* ---------------------------------------------------------------- the other requests */

static int read_proof(struct intake_item *item, struct assay_error *err)
{
	return keylime_read_proof(item->call->body, item->call->parameter, &item->proof,
				  &item->signature, err);
}

void keylime_proof(struct http_call *call)
{
	intake_take(call, &protocol, answer_proof, read_proof);
}

static int read_capabilities(struct intake_item *item, struct assay_error *err)
{
	return keylime_read_capabilities(item->call->body, &item->logs, err);
}

void keylime_capabilities(struct http_call *call)
{
	intake_take(call, &protocol, intake_answer_challenge, read_capabilities);
}

void keylime_evidence(struct http_call *call)
{
	intake_take_evidence(call, &protocol, read_evidence, NULL);
}
