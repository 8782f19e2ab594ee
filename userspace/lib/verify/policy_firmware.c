// SPDX-License-Identifier: MIT
/* The member "firmware" of a policy: rules on the events of the firmware's log. */
#include <errno.h>
#include <string.h>

#include "firmware/uki.h"
#include "verify/policy_values.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int read_secure_boot(struct policy_parser *parser, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "on") != 0 && strcmp(text, "any") != 0))
		return policy_refuse(parser, path, "is neither \"on\" nor \"any\"");
	parser->policy->rules.firmware.secure_boot = strcmp(text, "on") == 0;
	return 0;
}

static int read_digests(struct policy_parser *parser, const char *path, const json_t *value,
			struct firmware_digests *ret)
{
	return policy_read_digests(parser, path, value, &ret->list, &ret->count);
}

/* ---------------------------------------------------------------- PK, KEK, db, dbx */

/* {"digests": [...], "only": [...], "contains": [...]} */
static int read_variable(struct policy_parser *parser, const char *path, const json_t *value,
			 struct firmware_variable *ret)
{
	const struct {
		const char *name;
		struct firmware_digests *digests;
	} members[] = { { "digests", &ret->digests },
			{ "only", &ret->only },
			{ "contains", &ret->contains } };
	const char *name;
	json_t *item;

	if (!json_is_object(value) || json_object_size(value) == 0)
		return policy_refuse(parser, path,
				     "is not an object of \"digests\", \"only\" or \"contains\"");
	json_object_foreach((json_t *)value, name, item) {
		char inner[POLICY_PATH];
		size_t i = 0;
		int r;

		policy_inner_path(inner, path, name);
		while (i < COUNT_OF(members) && strcmp(members[i].name, name) != 0)
			i++;
		if (i == COUNT_OF(members))
			return policy_refuse(parser, inner, "is not known; see assay-policy(5)");
		r = read_digests(parser, inner, item, members[i].digests);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_keys(struct policy_parser *parser, const char *path, const json_t *value)
{
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object");
	json_object_foreach((json_t *)value, name, item) {
		char inner[POLICY_PATH];
		int key = 0, r;

		policy_inner_path(inner, path, name);
		while (key < FIRMWARE_KEYS &&
		       strcmp(firmware_key_name((enum firmware_key)key), name) != 0)
			key++;
		if (key == FIRMWARE_KEYS)
			return policy_refuse(parser, inner, "is none of PK, KEK, db and dbx");
		r = read_variable(parser, inner, item, &parser->policy->rules.firmware.keys[key]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_authorities(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_digests(parser, path, value, &parser->policy->rules.firmware.authorities);
}

/* ---------------------------------------------------------------- lists of digests */

/* {"shim": ["sha256:HEX", ...], ...} */
static int read_items(struct policy_parser *parser, const char *path, const json_t *value,
		      struct firmware_items *ret)
{
	struct firmware_item *items;
	const char *name;
	json_t *item;

	if (!json_is_object(value) || json_object_size(value) == 0)
		return policy_refuse(parser, path, "is not an object of names and digests");
	if (json_object_size(value) > FIRMWARE_ITEMS_MAX)
		return policy_refuse(parser, path, "has more than %d members", FIRMWARE_ITEMS_MAX);
	items = policy_allocate(parser, json_object_size(value), sizeof(*items));
	if (!items)
		return -ENOMEM;
	ret->list = items;
	json_object_foreach((json_t *)value, name, item) {
		char inner[POLICY_PATH];
		int r;

		policy_inner_path(inner, path, name);
		items[ret->count].name = name;
		r = read_digests(parser, inner, item, &items[ret->count].digests);
		if (r < 0)
			return r;
		ret->count++;
	}
	return 0;
}

#define LIST_READER(name, list)                                                   \
	static int read_##name(struct policy_parser *parser, const char *path,    \
			       const json_t *value)                               \
	{                                                                         \
		return read_items(parser, path, value,                            \
				  &parser->policy->rules.firmware.lists[(list)]); \
	}                                                                         \
	_Static_assert((list) < FIRMWARE_LISTS, "")

LIST_READER(platform, FIRMWARE_PLATFORM);
LIST_READER(drivers, FIRMWARE_DRIVERS);
LIST_READER(programs, FIRMWARE_PROGRAMS);
LIST_READER(files, FIRMWARE_FILES);
LIST_READER(sections, FIRMWARE_SECTIONS);
LIST_READER(mok, FIRMWARE_MOK);

/* ---------------------------------------------------------------- texts */

static int read_texts(struct policy_parser *parser, const char *path, const json_t *value,
		      const char *const **ret, size_t *ret_count)
{
	const char **texts;
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return policy_refuse(parser, path, "is empty: no text could fulfil it");
	texts = policy_allocate(parser, json_array_size(value), sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		r = policy_read_text(parser, inner, json_array_get(value, i), &texts[i]);
	}
	*ret = texts;
	*ret_count = json_array_size(value);
	return r;
}

static int read_command_lines(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct firmware_rules *rules = &parser->policy->rules.firmware;

	return read_texts(parser, path, value, &rules->command_lines, &rules->command_line_count);
}

static int read_commands(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct firmware_rules *rules = &parser->policy->rules.firmware;

	return read_texts(parser, path, value, &rules->commands, &rules->command_count);
}

/* Each is words that systemd has, in their order: no others are looked for. */
static int read_phases(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct firmware_rules *rules = &parser->policy->rules.firmware;
	int r = read_texts(parser, path, value, &rules->phases, &rules->phase_count);

	for (size_t i = 0; r == 0 && i < rules->phase_count; i++) {
		char inner[POLICY_PATH];
		uint32_t words;

		policy_item_path(inner, path, i);
		if (!uki_words_parse(rules->phases[i], &words))
			return policy_refuse(
				parser, inner,
				"is not made of enter-initrd, leave-initrd, sysinit, "
				"ready, shutdown and final, in this order, with colons "
				"between them");
	}
	return r;
}

static int read_os_separator(struct policy_parser *parser, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "required") != 0 && strcmp(text, "any") != 0))
		return policy_refuse(parser, path, "is neither \"required\" nor \"any\"");
	parser->policy->rules.firmware.os_separator = strcmp(text, "required") == 0;
	return 0;
}

int policy_read_firmware(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "secure_boot", .read = read_secure_boot },
		{ "keys", .read = read_keys },
		{ "authorities", .read = read_authorities },
		{ "platform", .read = read_platform },
		{ "drivers", .read = read_drivers },
		{ "programs", .read = read_programs },
		{ "files", .read = read_files },
		{ "sections", .read = read_sections },
		{ "mok", .read = read_mok },
		{ "command_lines", .read = read_command_lines },
		{ "commands", .read = read_commands },
		{ "phases", .read = read_phases },
		{ "os_separator", .read = read_os_separator },
	};
	const struct firmware_rules *rules = &parser->policy->rules.firmware;
	int r = policy_read_object(parser, path, value, members, COUNT_OF(members));

	if (r == 0 && rules->command_count > 0 && rules->command_line_count == 0)
		return policy_refuse(parser, path, "has \"commands\", and no \"command_lines\"");
	return r;
}
