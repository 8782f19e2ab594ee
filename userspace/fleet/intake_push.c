// SPDX-License-Identifier: MIT
/* assay-push(7). */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "intake.h"
#include "intake_batch.h"

#define WHAT_ASKED "the request for a challenge"

static int read_evidence(const struct intake_item *item, size_t limit, struct evidence_in *ret,
			 struct assay_error *err)
{
	return evidence_in_read(item->call->body, limit, ret, err);
}

static json_t *say_challenge(struct intake_item *item, const struct intake_challenge *challenge,
			     uint64_t now)
{
	(void)item;
	(void)now;
	return json_pack("{s:i, s:s, s:o, s:I, s:{s:I, s:I, s:I}}", "assay", JSON_VERSION, "type",
			 "push-challenge", "nonce",
			 json_hex(BYTES(challenge->nonce, sizeof(challenge->nonce))), "expires_in",
			 (json_int_t)challenge->expires_in, "have", "log",
			 (json_int_t)challenge->have.log, "ima", (json_int_t)challenge->have.ima,
			 "uefi", (json_int_t)challenge->have.uefi);
}

static json_t *say_verdict(const struct intake_item *item, const struct intake_verdict *verdict,
			   uint64_t now)
{
	json_t *ret = json_pack(
		"{s:i, s:s, s:s, s:o, s:I}", "assay", JSON_VERSION, "type", "push-verdict",
		"verdict", verdict->trusted ? "trusted" : "not-trusted", "reason",
		json_text(verdict->reason), "next_in", (json_int_t)verdict->next_in);

	(void)now;
	if (ret && verdict->known)
		json_object_set_new(ret, "acknowledged",
				    json_pack("{s:I, s:I}", "log",
					      (json_int_t)item->device->records, "ima",
					      (json_int_t)item->device->entries));
	return ret;
}

static json_t *say_error(int status, const char *text)
{
	(void)status;
	return json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", "push-error", "error",
			 json_text(text));
}

const struct intake_protocol intake_push_protocol = {
	.type = "application/json",
	.challenge_status = 200,
	.verdict_status = 200,
	.stale_status = 409,
	.challenge = say_challenge,
	.verdict = say_verdict,
	.error = say_error,
};

/* ---------------------------------------------------------------- requests */

static int read_request(struct intake_item *item, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	const char *text = "";
	int r = json_parse(item->call->body, WHAT_ASKED, &json, err);

	if (r == 0)
		r = json_check_head(json, "push-challenge-request", WHAT_ASKED, err);
	if (r == 0)
		r = json_get_string(json, "boot_id", WHAT_ASKED, &text, err);
	if (r < 0)
		return r;
	if (strlen(text) != EVIDENCE_BOOT_ID_LENGTH ||
	    strspn(text, "0123456789abcdef-") != EVIDENCE_BOOT_ID_LENGTH)
		return assay_fail(err, EBADMSG, WHAT_ASKED ": \"boot_id\" is not a UUID");
	memcpy(item->boot_id, text, EVIDENCE_BOOT_ID_LENGTH + 1);
	return 0;
}

void intake_challenge(struct http_call *call)
{
	intake_take(call, &intake_push_protocol, intake_answer_challenge, read_request);
}

static int check_encoding(struct intake_item *item, struct assay_error *err)
{
	const char *encoding = http_header(item->call, "Content-Encoding");

	return encoding && strcmp(encoding, "zstd") == 0 ?
		       0 :
		       assay_fail(err, EBADMSG, "evidence must have Content-Encoding: zstd");
}

void intake_evidence(struct http_call *call)
{
	intake_take_evidence(call, &intake_push_protocol, read_evidence, check_encoding);
}
