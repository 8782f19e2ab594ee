// SPDX-License-Identifier: MIT
/* What values may be, and where they go. */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/value.h"

#define SHOWN_MAX 160 /* bytes of a value that an error quotes */

static int fail_value(const char *value, const char *what, struct assay_error *err)
{
	char text[SHOWN_MAX];

	return assay_fail(
		err, EINVAL, "must be %s, not '%s'", what,
		text_escape(BYTES((const uint8_t *)value, strlen(value)), text, sizeof(text)));
}

/* ---------------------------------------------------------------- numbers */

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { "T", UINT64_C(1) << 40 },
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

/* Digits and one of @units behind them, without a space; false otherwise, and if it is too large.
 */
static bool parse_units(const char *value, const struct unit *units, size_t count, uint64_t *ret)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t number;

	if (value_unsigned(BYTES((const uint8_t *)value, digits), &number, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(value + digits, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].factor, ret);
	return false;
}

/* The largest unit that says it without a fraction. */
static void print_units(uint64_t number, const struct unit *units, size_t count, char text[32])
{
	const struct unit *unit = &units[0];

	for (size_t i = 1; i < count; i++)
		if (number > 0 && number % units[i].factor == 0)
			unit = &units[i];
	snprintf(text, 32, "%" PRIu64 "%s", number / unit->factor, unit->name);
}

static int set_number(const struct config_key *key, uint64_t *place, const char *value,
		      struct assay_error *err)
{
	const struct unit *units = sizes;
	size_t count = 1; /* plain numbers have no unit */
	const char *what = "a number";
	char least[32], most[32], sentence[128];
	uint64_t number;

	if (key->type == CONFIG_SIZE) {
		count = sizeof(sizes) / sizeof(sizes[0]);
		what = "a size in bytes, such as 64K, 1M or 2G,";
	} else if (key->type == CONFIG_DURATION) {
		units = durations;
		count = sizeof(durations) / sizeof(durations[0]);
		what = "a time, such as 500ms, 10s, 5min, 2h or 7d,";
	}
	if (parse_units(value, units, count, &number) && number >= key->min && number <= key->max) {
		*place = number;
		return 0;
	}
	print_units(key->min, units, count, least);
	print_units(key->max, units, count, most);
	snprintf(sentence, sizeof(sentence), "%s from %s to %s", what, least, most);
	return fail_value(value, sentence, err);
}

/* ---------------------------------------------------------------- words */

static int set_text(char **place, const char *value, struct assay_error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return assay_fail(err, ENOMEM, "does not fit into memory");
	free(*place);
	*place = copy;
	return 0;
}

static int set_choice(const struct config_key *key, int *place, const char *value,
		      struct assay_error *err)
{
	const char *at = key->values;
	size_t length = strlen(value);
	char sentence[SHOWN_MAX];

	for (int i = 0; *at; i++) {
		size_t size = strcspn(at, "|");

		if (size == length && strncmp(at, value, size) == 0) {
			*place = i;
			return 0;
		}
		at += size + (at[size] == '|');
	}
	snprintf(sentence, sizeof(sentence), "one of %s", key->values);
	return fail_value(value, sentence, err);
}

static void clear_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free(list->words);
	*list = (struct config_list){ 0 };
}

/* An empty value takes away what was there, as in systemd's files. */
static int add_word(struct config_list *list, const char *value, struct assay_error *err)
{
	char **words;

	if (value[0] == '\0') {
		clear_list(list);
		return 0;
	}
	if (list->count == CONFIG_LIST_MAX)
		return assay_fail(err, EINVAL, "has more than %d values", CONFIG_LIST_MAX);
	words = reallocarray(list->words, list->count + 1, sizeof(*words));
	if (!words)
		return assay_fail(err, ENOMEM, "does not fit into memory");
	list->words = words;
	words[list->count] = strdup(value);
	if (!words[list->count])
		return assay_fail(err, ENOMEM, "does not fit into memory");
	list->count++;
	return 0;
}

int config_set(struct config *config, const struct config_key *key, const char *value,
	       struct assay_error *err)
{
	void *place = (uint8_t *)config + key->place;

	switch (key->type) {
	case CONFIG_PATH:
		if (value[0] != '/' && value[0] != '\0')
			return fail_value(value, "an absolute path", err);
		return set_text(place, value, err);
	case CONFIG_TEXT:
		return set_text(place, value, err);
	case CONFIG_BOOL:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return fail_value(value, "yes or no", err);
		*(bool *)place = value[0] == 'y';
		return 0;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		return set_number(key, place, value, err);
	case CONFIG_CHOICE:
		return set_choice(key, place, value, err);
	case CONFIG_LIST:
		return add_word(place, value, err);
	}
	return assay_fail(err, EINVAL, "has no type");
}

/* ---------------------------------------------------------------- all of it */

const struct config_key *config_find(const char *section, const char *name)
{
	for (const struct config_key *key = config_keys; key->name; key++)
		if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

int config_new(struct config **ret, struct assay_error *err)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return assay_fail(err, ENOMEM, "out of memory");
	for (const struct config_key *key = config_keys; key->name; key++) {
		int r = config_set(config, key, key->initial, err);

		if (r < 0) {
			assay_fail_context(err, "the default of %s in [%s]", key->name,
					   key->section);
			config_free(config);
			return r;
		}
	}
	*ret = config;
	return 0;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (const struct config_key *key = config_keys; key->name; key++) {
		void *place = (uint8_t *)config + key->place;

		if (key->type == CONFIG_TEXT || key->type == CONFIG_PATH)
			free(*(char **)place);
		else if (key->type == CONFIG_LIST)
			clear_list(place);
	}
	free(config);
}
