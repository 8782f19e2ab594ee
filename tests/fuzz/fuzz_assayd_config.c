// SPDX-License-Identifier: MIT
/* A configuration of any bytes: it is refused with a sentence, or every value is in its range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "assayd/config.h"
#include "fuzz.h"

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_value(const struct config *config, const struct config_key *key)
{
	const void *place = (const uint8_t *)config + key->place;

	switch (key->type) {
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		require(*(const uint64_t *)place >= key->min &&
			*(const uint64_t *)place <= key->max);
		break;
	case CONFIG_PATH:
		require(**(char *const *)place == '/' || **(char *const *)place == '\0');
		break;
	case CONFIG_TEXT:
		require(*(char *const *)place != NULL);
		break;
	case CONFIG_CHOICE:
		require(*(const int *)place >= 0 && *(const int *)place < 8);
		break;
	case CONFIG_LIST:
		require(((const struct config_list *)place)->count <= CONFIG_LIST_MAX);
		break;
	case CONFIG_BOOL:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_error err = { 0 };
	struct config *config;

	require(config_new(&config, &err) == 0);
	if (config_parse(config, BYTES(data, size), "file", &err) < 0)
		require(err.code > 0 && strncmp(err.text, "file", 4) == 0);
	for (const struct config_key *key = config_keys; key->name; key++)
		check_value(config, key);
	config_free(config);
	return 0;
}
