/* SPDX-License-Identifier: MIT */
/*
 * The inside of intake.h: requests that wait, batches of them, and the protocols in which they came
 * and are answered.
 */
#ifndef ASSAY_FLEET_INTAKE_BATCH_H
#define ASSAY_FLEET_INTAKE_BATCH_H

#include <jansson.h>

#include "fleet.h"
#include "judge.h"

#define INTAKE_BATCH_MAX 200 /* requests of one transaction */

struct intake_item;
struct intake_batch;

/* struct intake_challenge - what a device is given; @have: what its evidence may leave out */
struct intake_challenge {
	uint8_t nonce[NONCE_SIZE];
	uint64_t expires_in;
	struct assay_state_info have;
};

/* struct intake_verdict - what it is told; @known: of it more is known now than before */
struct intake_verdict {
	bool trusted, known;
	const char *reason;
	uint64_t next_in;
};

/**
 * struct intake_protocol - how what was found is said
 * @type: the answers' media type
 * @challenge_status, @verdict_status, @stale_status: of an answer
 * @challenge, @verdict, @error: NULL without memory
 */
struct intake_protocol {
	const char *type;
	int challenge_status, verdict_status, stale_status;
	json_t *(*challenge)(struct intake_item *item, const struct intake_challenge *challenge,
			     uint64_t now);
	json_t *(*verdict)(const struct intake_item *item, const struct intake_verdict *verdict,
			   uint64_t now);
	json_t *(*error)(int status, const char *text);
};

/*
 * intake_work - makes an item's answer; intake_read - reads of its request what needs no device;
 * intake_evidence_form - reads its body as evidence
 */
typedef int intake_work(struct intake_batch *batch, struct intake_item *item,
			struct assay_error *err);
typedef int intake_read(struct intake_item *item, struct assay_error *err);
typedef int intake_evidence_form(const struct intake_item *item, size_t limit,
				 struct evidence_in *ret, struct assay_error *err);

/**
 * struct intake_item - a request that waits, and then its answer
 * @work: makes the answer, once @device may attest; a failure is that of the whole batch
 * @form: of evidence; else NULL
 * @boot_id: that a challenge is asked for
 * @whole: a challenge for evidence that leaves nothing out
 * @logs: which logs the device can send: of the protocol's
 * @proof, @signature: of a session
 * @device: of the batch's
 * @kept: the evidence is to be kept
 * @status, @answer: what will be said; @answer is owned
 */
struct intake_item {
	struct http_call *call;
	const struct intake_protocol *protocol;
	intake_work *work;
	intake_evidence_form *form;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1];
	bool whole;
	unsigned int logs;
	struct buffer proof, signature;
	struct evidence_in in;
	struct device *device;
	struct judgement judgement;
	bool kept;
	int status;
	json_t *answer;
	struct intake_item *next;
};

/**
 * struct intake_batch - what is worked on at once
 * @names: of the devices, ascending, each once; @devices: as many
 * @changed: which of them are to be written
 * @changes, @changing: verdicts that became other ones and have no number yet, and of which device
 */
struct intake_batch {
	struct fleet *fleet;
	uint64_t now;
	struct intake_item *items[INTAKE_BATCH_MAX];
	size_t count;
	bool writes;
	const char *names[INTAKE_BATCH_MAX];
	struct device devices[INTAKE_BATCH_MAX];
	bool changed[INTAKE_BATCH_MAX];
	size_t device_count;
	struct device_change changes[INTAKE_BATCH_MAX];
	struct device *changing[INTAKE_BATCH_MAX];
	size_t change_count;
};

/*
 * intake_take() - a request, answered by @how: it is answered at once where @read fails, or too
 * many wait, and else when its batch was worked on; @read is NULL where all is read then
 * intake_take_evidence() - likewise, by a verdict
 */
void intake_take(struct http_call *call, const struct intake_protocol *protocol, intake_work *how,
		 intake_read *read);
void intake_take_evidence(struct http_call *call, const struct intake_protocol *protocol,
			  intake_evidence_form *form, intake_read *read);

/* intake_say(), intake_say_error() - what the item will be answered; @answer is taken over */
void intake_say(struct intake_item *item, int status, json_t *answer);
void intake_say_error(struct intake_item *item, int status, const char *text);

/* intake_refused_status() - of a failure to read something */
int intake_refused_status(int r);

/* assay-push(7)'s */
extern const struct intake_protocol intake_push_protocol;

/* .work of a challenge, and of evidence */
intake_work intake_answer_challenge, intake_answer_evidence;
/* intake_add_changes() - number the batch's changes, in the order in which they came about */
int intake_add_changes(struct intake_batch *batch, struct assay_error *err);
/* intake_next_in() - seconds until a device is to come, a little earlier than the interval */
uint64_t intake_next_in(uint64_t interval);

#endif /* ASSAY_FLEET_INTAKE_BATCH_H */
