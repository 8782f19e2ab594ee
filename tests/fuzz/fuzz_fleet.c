// SPDX-License-Identifier: MIT
/*
 * What strangers send to the fleet's verifier: the first byte says what it is. Evidence, expanded
 * and read; a file of operators; a path, decoded; a
 * configuration; a set of keys; a token, by a key that signs nothing; a verdict that was kept;
 * each message of Keylime's agents, and a proof, by a key that signs nothing; a report of systemd.
 */
#define _GNU_SOURCE /* strndup() */
#include <stdlib.h>
#include <string.h>

#include "fleet/auth.h"
#include "fleet/config.h"
#include "fleet/http_internal.h"
#include "fleet/judge.h"
#include "fleet/kept_verdict_internal.h"
#include "fleet/keylime_message.h"
#include "fleet/report_message.h"
#include "fleet/session.h"
#include "fleet/token.h"
#include "fuzz.h"

/* First bytes of what came after the first three kinds, which have all others. */
#define CONFIG 0xf0
#define KEY_SET 0xf1
#define TOKEN 0xf2
#define KEPT 0xf3
#define AGENT 0xf4
#define PROOF 0xf5
#define REPORT 0xf6

static void read_evidence(struct bytes bytes)
{
	struct evidence_in in = { 0 };

	if (evidence_in_read(bytes, 1U << 20, &in, NULL) < 0)
		return;
	if (in.nonce.size > EVIDENCE_MAX_NONCE || strlen(in.boot_id) > EVIDENCE_BOOT_ID_LENGTH ||
	    in.clock > INT64_MAX || in.text.size > 1U << 20)
		abort();
	evidence_in_free(&in);
}

/* Whatever is taken answers a nonce, and leaves nothing out. */
static void read_report(struct bytes bytes)
{
	struct evidence_in in = { 0 };

	if (report_read_evidence(bytes, 1U << 20, &in, NULL) < 0)
		return;
	if (in.nonce.size == 0 || in.nonce.size > EVIDENCE_MAX_NONCE || !in.whole ||
	    !in.evidence.has_session)
		abort();
	evidence_in_free(&in);
}

static void read_kept(struct bytes bytes)
{
	json_t *json = NULL;
	char *text;

	if (kept_verdict_read(bytes, &json, NULL) < 0)
		return;
	text = json_dumps(json, 0);
	if (!text)
		abort();
	free(text);
	json_decref(json);
}

static void read_operators(struct bytes bytes)
{
	struct auth auth = { 0 };

	if (auth_parse(bytes, "fuzz", &auth, NULL) < 0)
		return;
	for (size_t i = 0; i < auth.count; i++)
		if (auth.entries[i].digest.size != 32 || auth.entries[i].role < HTTP_VIEWER ||
		    auth.entries[i].role >= HTTP_ROLES || auth.entries[i].name[0] == '\0')
			abort();
	auth_free(&auth);
}

static void match_path(struct bytes bytes)
{
	static const char *const patterns[] = { "/v1/devices/{}/evidence", "/v1/policies/{...}",
						"/{}", "/v1/fleet" };
	char parameter[HTTP_PARAMETER_MAX];
	char *path = strndup((const char *)bytes.data, bytes.size);

	for (size_t i = 0; path && i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (http_path_matches(patterns[i], path, parameter) &&
		    strlen(parameter) >= sizeof(parameter))
			abort();
	free(path);
}

static void read_config(struct bytes bytes)
{
	struct fleet_config config = { 0 };

	(void)config_parse(bytes, "fuzz", NULL, NULL, &config, NULL);
	for (size_t i = 0; i < config.webhook_count; i++)
		if (config.webhooks[i].timeout < 1 || config.webhooks[i].timeout > 300 ||
		    config.webhooks[i].name[0] == '\0' ||
		    config.webhooks[i].changes < WEBHOOK_ALL ||
		    config.webhooks[i].changes > WEBHOOK_ALARMS)
			abort();
	config_free(&config);
}

static void read_keys(struct bytes bytes)
{
	struct token_keys keys = { 0 };

	if (token_keys_parse(bytes, "fuzz", &keys, NULL) == 0 && keys.count == 0)
		abort();
	for (size_t i = 0; i < keys.count; i++)
		if (!keys.list[i].key || keys.list[i].algorithms == 0)
			abort();
	token_keys_free(&keys);
}

/* Nobody has the private key: whatever is taken was forged. */
static void read_token(struct bytes bytes)
{
	static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
	const struct token_terms terms = { "joe", "fleet", 0xf, 1300819000 };
	static struct token_keys keys;
	json_t *claims = NULL;

	if (keys.count == 0 &&
	    token_keys_parse(BYTES((const uint8_t *)set, strlen(set)), "set", &keys, NULL) < 0)
		abort();
	if (token_check(bytes, &keys, &terms, &claims, NULL) == 0)
		abort();
}

static void read_agent(struct bytes bytes)
{
	static const uint8_t ak[] = "a key";
	char agent[RECORD_MAX_MACHINE_ID + 1];
	struct buffer proof = { 0 }, signature = { 0 };
	struct evidence_in in = { 0 };
	unsigned int logs = 0;

	if (keylime_read_session(bytes, agent, NULL) == 0 && !machine_id_valid(agent))
		abort();
	(void)keylime_read_proof(bytes, "d1", &proof, &signature, NULL);
	buffer_free(&proof);
	buffer_free(&signature);
	if (keylime_read_capabilities(bytes, &logs, NULL) == 0 && logs >= 1U << KEYLIME_LOGS)
		abort();
	if (keylime_read_evidence(bytes, BYTES(ak, sizeof(ak)), 1U << 20, &in, NULL) == 0 &&
	    (in.text.size > 1U << 20 || in.body.data != in.made.data || in.evidence.ima_first > 0))
		abort();
	evidence_in_free(&in);
}

/* The key is the one of tests/data/keylime, whose TPM is gone. */
static void read_proof(struct bytes bytes)
{
	static const struct nonce_keys none = { .count = 1 };
	struct bytes ak, attest;
	uint16_t size;

	if (!bytes_take_be16(&bytes, &size) || !bytes_take(&bytes, size, &ak) ||
	    !bytes_take_be16(&bytes, &size) || !bytes_take(&bytes, size, &attest))
		return;
	if (session_proved(&none, "d1", ak, attest, bytes, 1000000, 120, NULL) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0]) {
	case CONFIG:
		read_config(BYTES(data + 1, size - 1));
		return 0;
	case KEY_SET:
		read_keys(BYTES(data + 1, size - 1));
		return 0;
	case TOKEN:
		read_token(BYTES(data + 1, size - 1));
		return 0;
	case KEPT:
		read_kept(BYTES(data + 1, size - 1));
		return 0;
	case AGENT:
		read_agent(BYTES(data + 1, size - 1));
		return 0;
	case PROOF:
		read_proof(BYTES(data + 1, size - 1));
		return 0;
	case REPORT:
		read_report(BYTES(data + 1, size - 1));
		return 0;
	default:
		break;
	}
	switch (data[0] % 3) {
	case 0:
		read_evidence(BYTES(data + 1, size - 1));
		break;
	case 1:
		read_operators(BYTES(data + 1, size - 1));
		break;
	default:
		match_path(BYTES(data + 1, size - 1));
		break;
	}
	return 0;
}
