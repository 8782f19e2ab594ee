// SPDX-License-Identifier: MIT
/*
 * What strangers send to the fleet's verifier: the first byte says what it is. Evidence, expanded
 * and read; a file of operators; a path, decoded; a configuration.
 */
#define _GNU_SOURCE /* strndup() */
#include <stdlib.h>
#include <string.h>

#include "fleet/auth.h"
#include "fleet/config.h"
#include "fleet/http_internal.h"
#include "fleet/judge.h"
#include "fuzz.h"

/* First bytes of what came after the first three kinds, which have all others. */
#define CONFIG 0xf0

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] == CONFIG) {
		read_config(BYTES(data + 1, size - 1));
		return 0;
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
