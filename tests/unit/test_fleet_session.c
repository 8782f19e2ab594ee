// SPDX-License-Identifier: MIT
/*
 * Sessions of Keylime's agents: the proof is one that a TPM made for a key of nonces that is known
 * here. And nonces: whose they are, for how long, and what they were said with.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fleet/keylime_message.h"
#include "fleet/session.h"
#include "log_builder.h"

/* When the challenge of that proof was made, and by which steps. */
#define NOW 1000000U
#define STEP 120U
#define DEVICE "device-1"

static struct nonce_keys keys = { .count = 1 };
static struct buffer ak, attest, signature;

static int set_up(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < NONCE_KEY_SIZE; i++)
		keys.key[0][i] = i;
	ak = log_test_data("keylime/session-ak.bin");
	attest = log_test_data("keylime/session-attest.bin");
	signature = log_test_data("keylime/session-signature.bin");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&ak);
	buffer_free(&attest);
	buffer_free(&signature);
	return 0;
}

static int prove(const char *device, uint64_t now)
{
	struct assay_error err = { 0 };

	return session_proved(&keys, device, buffer_bytes(&ak), buffer_bytes(&attest),
			      buffer_bytes(&signature), now, STEP, &err);
}

static void a_tpm_proves(void **state)
{
	struct nonce_keys two = { .count = 2 };
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(prove(DEVICE, NOW), 0);
	assert_int_equal(prove(DEVICE, NOW + STEP), 0);
	assert_int_equal(prove(DEVICE, NOW + 2 * STEP), -ESTALE);
	assert_int_equal(prove(DEVICE, NOW - STEP), -ESTALE);
	assert_int_equal(prove("device-2", NOW), -ESTALE);
	/* By the former key, too, and by no other. */
	memcpy(two.key[1], keys.key[0], NONCE_KEY_SIZE);
	assert_int_equal(session_proved(&two, DEVICE, buffer_bytes(&ak), buffer_bytes(&attest),
					buffer_bytes(&signature), NOW, STEP, &err),
			 0);
	two.count = 1;
	assert_int_equal(session_proved(&two, DEVICE, buffer_bytes(&ak), buffer_bytes(&attest),
					buffer_bytes(&signature), NOW, STEP, &err),
			 -ESTALE);
}

/* Each bit of each part counts, and each byte must be there, and no other. */
static void what_was_changed_proves_nothing(void **state)
{
	struct buffer *const parts[] = { &ak, &attest, &signature };

	(void)state;
	for (size_t part = 0; part < 3; part++) {
		struct buffer *bytes = parts[part];

		for (size_t bit = 0; bit < 8 * bytes->size; bit++) {
			bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (prove(DEVICE, NOW) == 0)
				fail_msg("bit %zu of part %zu does not count", bit, part);
			bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t size = bytes->size; size-- > 0;) {
			size_t whole = bytes->size;

			bytes->size = size;
			assert_true(prove(DEVICE, NOW) < 0);
			bytes->size = whole;
		}
	}
	assert_int_equal(prove(DEVICE, NOW), 0);
}

static int check(const char *device, const char *token, uint64_t now)
{
	struct assay_error err = { 0 };

	return session_check(&keys, device, BYTES((const uint8_t *)token, strlen(token)), now,
			     &err);
}

static void tokens_are_of_a_device(void **state)
{
	static const char *const bad[] = { "", "x", "00",
					   "zz00000000000000000000000000000000000000000000000000000"
					   "00000000000" };
	const uint64_t begin = NOW / SESSION_TOKEN_STEP * SESSION_TOKEN_STEP;
	char token[SESSION_TOKEN_TEXT], other[SESSION_TOKEN_TEXT];
	uint8_t challenge[NONCE_SIZE];
	struct assay_error err = { 0 };
	uint64_t expires_in = 0;

	(void)state;
	assert_int_equal(session_token(&keys, DEVICE, begin, token, &expires_in, &err), 0);
	assert_int_equal(expires_in, 2 * SESSION_TOKEN_STEP);
	assert_int_equal(check(DEVICE, token, begin), 0);
	assert_int_equal(check(DEVICE, token, begin + expires_in - 1), 0);
	assert_int_equal(check(DEVICE, token, begin + expires_in), -EACCES);
	assert_int_equal(check("device-2", token, begin), -EACCES);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(DEVICE, bad[i], begin), -EACCES);
	/* A challenge is no token, whoever gets one. */
	assert_int_equal(session_challenge(&keys, DEVICE, begin, SESSION_TOKEN_STEP, challenge,
					   &expires_in, &err),
			 0);
	hex_encode(BYTES(challenge, sizeof(challenge)), other);
	assert_int_equal(check(DEVICE, other, begin), -EACCES);
}

/* What is said with a nonce is in it: more is known by then, or less, or of another device. */
static void a_nonce_is_for_what_was_said(void **state)
{
	const struct nonce_for whom = { DEVICE, 7, 8, 9 };
	const struct nonce_for others[] = {
		{ DEVICE, 8, 8, 9 },	 { DEVICE, 6, 8, 9 },	 { DEVICE, 7, 9, 9 },
		{ DEVICE, 7, 8, 0 },	 { DEVICE, 0, 0, 0 },	 { "device-2", 7, 8, 9 },
		{ DEVICE "7", 7, 8, 9 }, { "device-", 7, 8, 9 },
	};
	uint8_t nonce[NONCE_SIZE];
	struct assay_error err = { 0 };
	uint64_t expires_in = 0, issued = 0;

	(void)state;
	assert_int_equal(nonce_make(&keys, &whom, NOW, STEP, nonce, &expires_in, &err), 0);
	assert_int_equal(nonce_find(&keys, &whom, BYTES(nonce, sizeof(nonce)), NOW + expires_in - 1,
				    STEP, &issued, &err),
			 0);
	assert_true(issued <= NOW && issued + STEP > NOW);
	assert_int_equal(nonce_find(&keys, &whom, BYTES(nonce, sizeof(nonce)), NOW + expires_in,
				    STEP, &issued, &err),
			 -ESTALE);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(nonce_find(&keys, &others[i], BYTES(nonce, sizeof(nonce)), NOW,
					    STEP, &issued, &err),
				 -ESTALE);
}

/* ---------------------------------------------------------------- what agents send */

enum { SESSION, PROOF, CAPABILITIES, EVIDENCE };

static const struct bad_message {
	int kind;
	const char *text, *why;
} bad_messages[] = {
	{ SESSION, "", "" },
	{ SESSION, "[]", "" },
	{ SESSION, "{\"data\": 1}", "\"data\"" },
	{ SESSION, "{\"data\": {\"attributes\": {}}}", "\"type\"" },
	{ SESSION, "{\"data\": {\"type\": \"attestation\", \"attributes\": {}}}",
	  "must be \"session\"" },
	{ SESSION, "{\"data\": {\"type\": \"session\"}}", "\"attributes\"" },
	{ SESSION, "{\"data\": {\"type\": \"session\", \"attributes\": {}}}", "\"agent_id\"" },
	{ SESSION, "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"a/b\"}}}",
	  "no device's name" },
	{ SESSION,
	  "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": "
	  "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}}}",
	  "no device's name" },
	{ PROOF, "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d2\"}}}",
	  "whose session" },
	{ PROOF, "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d1\"}}}",
	  "\"authentication_provided\"" },
	{ PROOF,
	  "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d1\", "
	  "\"authentication_provided\": []}}}",
	  "a list of 1 to 64" },
	{ PROOF,
	  "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d1\", "
	  "\"authentication_provided\": [1]}}}",
	  "\"data\"" },
	{ PROOF,
	  "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d1\", "
	  "\"authentication_provided\": [{\"data\": {\"message\": \"AA\"}}]}}}",
	  "\"message\"" },
	{ PROOF,
	  "{\"data\": {\"type\": \"session\", \"attributes\": {\"agent_id\": \"d1\", "
	  "\"authentication_provided\": [{\"data\": {\"message\": \"AAAA\"}}]}}}",
	  "\"signature\"" },
	{ CAPABILITIES, "{\"data\": {\"type\": \"attestation\", \"attributes\": {}}}",
	  "\"evidence_supported\"" },
	{ CAPABILITIES,
	  "{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_supported\": "
	  "[{}]}}}",
	  "\"evidence_type\"" },
	{ CAPABILITIES,
	  "{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_supported\": "
	  "[{\"evidence_type\": \"ima_log\"}]}}}",
	  "no \"tpm_quote\"" },
	{ EVIDENCE, "{\"data\": {\"type\": \"attestation\", \"attributes\": {}}}",
	  "\"evidence_collected\"" },
	{ EVIDENCE,
	  "{\"data\": {\"type\": \"error\", \"attributes\": {\"evidence_collected\": []}}}",
	  "must be \"attestation\"" },
	{ EVIDENCE,
	  "{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_collected\": []}}}",
	  "no quote" },
	{ EVIDENCE,
	  "{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_collected\": "
	  "[1]}}}",
	  "not an object" },
	{ EVIDENCE,
	  "{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_collected\": "
	  "[{\"evidence_type\": \"tpm_quote\", \"data\": {\"message\": \"AAAA\", \"signature\": "
	  "\"AAAA\", \"subject_data\": \"AAAA\"}}]}}}",
	  "" },
};

static int read_message(const struct bad_message *row, struct assay_error *err)
{
	const struct bytes body = BYTES((const uint8_t *)row->text, strlen(row->text));
	struct buffer proof = { 0 }, signed_by = { 0 };
	struct evidence_in in = { 0 };
	char agent[RECORD_MAX_MACHINE_ID + 1];
	unsigned int logs;
	int r;

	switch (row->kind) {
	case SESSION:
		return keylime_read_session(body, agent, err);
	case PROOF:
		r = keylime_read_proof(body, "d1", &proof, &signed_by, err);
		buffer_free(&proof);
		buffer_free(&signed_by);
		return r;
	case CAPABILITIES:
		return keylime_read_capabilities(body, &logs, err);
	default:
		r = keylime_read_evidence(body, buffer_bytes(&ak), 1U << 20, &in, err);
		evidence_in_free(&in);
		return r;
	}
}

static void bad_messages_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_messages) / sizeof(bad_messages[0]); i++) {
		const struct bad_message *row = &bad_messages[i];
		struct assay_error err = { 0 };
		int r = read_message(row, &err);

		if (r != -EBADMSG || !strstr(err.text, row->why))
			fail_msg("%s: %d, %s", row->text, r, err.text);
	}
}

static void good_messages_are_read(void **state)
{
	static const char session[] =
		"{\"data\": {\"type\": \"session\", \"x\": 1, \"attributes\": "
		"{\"agent_id\": \"d1\", \"authentication_supported\": []}}}";
	static const char all[] =
		"{\"data\": {\"type\": \"attestation\", \"attributes\": {\"evidence_supported\": "
		"[{\"evidence_type\": \"other\"}, {\"evidence_type\": \"ima_log\"}, "
		"{\"evidence_type\": \"tpm_quote\"}]}}}";
	char agent[RECORD_MAX_MACHINE_ID + 1];
	struct assay_error err = { 0 };
	unsigned int logs = 0;

	(void)state;
	assert_int_equal(
		keylime_read_session(BYTES((const uint8_t *)session, strlen(session)), agent, &err),
		0);
	assert_string_equal(agent, "d1");
	assert_int_equal(
		keylime_read_capabilities(BYTES((const uint8_t *)all, strlen(all)), &logs, &err),
		0);
	assert_int_equal(logs, 1U << KEYLIME_IMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpm_proves),
		cmocka_unit_test(what_was_changed_proves_nothing),
		cmocka_unit_test(tokens_are_of_a_device),
		cmocka_unit_test(a_nonce_is_for_what_was_said),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(good_messages_are_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
