// SPDX-License-Identifier: MIT
/* `assay keyring`: certificates in the kernel's keyrings .fs-verity, .ima and _ima. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <keyutils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/keyring.h"

#define DEFAULT_KEYRING KEYRING_FS_VERITY

/* What list shows where nothing else is asked for. */
static const char *const known_keyrings[] = { KEYRING_FS_VERITY, KEYRING_DM_VERITY, ".ima",
					      KEYRING_USER_IMA };

#define KNOWN_KEYRINGS (sizeof(known_keyrings) / sizeof(known_keyrings[0]))

static const struct command command_load, command_lock, command_list;

struct keyring_options {
	const char *keyring;
	struct option_texts certificates;
	bool require_signatures, json;
};

/* -------------------------------------------------------------------- load */

static int print_loaded(const struct keyring_options *options, const int32_t *keys)
{
	const struct option_texts *certificates = &options->certificates;
	json_t *list = options->json ? json_array() : NULL;

	for (size_t i = 0; i < certificates->count; i++)
		if (!options->json)
			printf("%s: in the keyring %s as key %" PRId32 "\n", certificates->list[i],
			       options->keyring, keys[i]);
		else
			json_array_append_new(list,
					      json_pack("{s:o, s:i}", "certificate",
							command_text_json(certificates->list[i]),
							"serial", (int)keys[i]));
	if (options->json && json_array_size(list) == certificates->count)
		return command_emit_json(&command_load,
					 json_pack("{s:o, s:o, s:b}", "keyring",
						   command_text_json(options->keyring), "keys",
						   list, "require_signatures",
						   (int)options->require_signatures));
	json_decref(list);
	if (options->json)
		return command_emit_json(&command_load, NULL);
	if (options->require_signatures)
		printf("%s: 1\n", KEYRING_REQUIRE_SIGNATURES);
	return command_flush(&command_load);
}

static int load_certificates(const struct keyring_options *options)
{
	size_t count = options->certificates.count;
	int32_t *keys = calloc(count, sizeof(*keys));
	struct assay_error err;
	int r, status;

	if (!keys) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_load, &err);
	}
	r = keyring_load(options->keyring, options->certificates.list, count, keys, &err);
	if (r == 0 && options->require_signatures)
		r = keyring_require_signatures(&err);
	status = r < 0 ? command_failed(&command_load, &err) : print_loaded(options, keys);
	free(keys);
	return status;
}

static int run_load(int argc, char **argv)
{
	struct keyring_options options = { .keyring = DEFAULT_KEYRING };
	int status = command_parse(&command_load, argc, argv, &options, NULL);

	if (status == COMMAND_GO)
		status = load_certificates(&options);
	option_texts_free(&options.certificates);
	return status;
}

static const struct option_row load_rows[] = {
	{ "cert", 'c', "FILE", "certificate, PEM or DER, with a subject key id; repeatable",
	  OPTION_INPUTS(struct keyring_options, certificates), .required = true },
	{ "keyring", 0, "NAME",
	  "the keyring: .fs-verity, .dm-verity, .ima or _ima (" DEFAULT_KEYRING ")",
	  OPTION_TEXT(struct keyring_options, keyring) },
	{ "require-signatures", 0, NULL,
	  "refuse files with fs-verity but without a signature (writes 1 "
	  "to " KEYRING_REQUIRE_SIGNATURES ")",
	  OPTION_FLAG(struct keyring_options, require_signatures) },
	OPTION_ROW_JSON(struct keyring_options, json),
	OPTION_END,
};

static const struct command command_load = {
	.name = "keyring load",
	.summary = "add certificates to a keyring of the kernel",
	.intro = "Add certificates to a keyring of the kernel, so that what their keys signed is\n"
		 "accepted. They stay there until the next boot. The keyring _ima, in which IMA\n"
		 "looks where the kernel has no .ima, is made if it is not there.\n",
	.options = load_rows,
	.run = run_load,
};

/* -------------------------------------------------------------------- lock */

static int run_lock(int argc, char **argv)
{
	struct keyring_options options = { .keyring = DEFAULT_KEYRING };
	struct assay_error err;
	bool already = false;
	int status = command_parse(&command_lock, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (keyring_lock(options.keyring, &already, &err) < 0)
		return command_failed(&command_lock, &err);
	if (options.json)
		return command_emit_json(&command_lock,
					 json_pack("{s:o, s:b}", "keyring",
						   command_text_json(options.keyring), "was_locked",
						   (int)already));
	if (already)
		printf("%s: it was restricted already: it takes no keys, or only those that its "
		       "own rule lets in\n",
		       options.keyring);
	else
		printf("%s: it takes no more keys until the next boot\n", options.keyring);
	return command_flush(&command_lock);
}

static const struct option_row lock_rows[] = {
	{ "keyring", 0, "NAME", "the keyring: .fs-verity, .dm-verity or _ima (" DEFAULT_KEYRING ")",
	  OPTION_TEXT(struct keyring_options, keyring) },
	OPTION_ROW_JSON(struct keyring_options, json),
	OPTION_END,
};

static const struct command command_lock = {
	.name = "keyring lock",
	.summary = "let a keyring of the kernel take no more keys",
	.intro = "Let a keyring of the kernel take no more keys until the next boot, from nobody:\n"
		 "without this, root may add any key to .fs-verity at any time.\n",
	.options = lock_rows,
	.run = run_lock,
};

/* -------------------------------------------------------------------- list */

/* "asymmetric;0;0;1f010000;Name: 0123...": the type and the description, in place. */
static bool split_description(char *text, char **ret_type, char **ret_description)
{
	char *at = text;

	*ret_type = text;
	for (int i = 0; i < 4; i++) {
		at = strchr(at, ';');
		if (!at)
			return false;
		*at++ = '\0';
	}
	*ret_description = at;
	return true;
}

static int list_key(key_serial_t key, json_t *keys, struct assay_error *err)
{
	char *text = NULL, *type, *description, shown[512];
	int r = 0;

	if (keyctl_describe_alloc(key, &text) < 0) {
		/* Keys come and go while they are listed. */
		if (errno == ENOKEY || errno == EKEYREVOKED || errno == EKEYEXPIRED)
			return 0;
		return assay_fail(err, errno, "cannot look at key %" PRId32 ": %s", key,
				  strerror(errno));
	}
	if (!split_description(text, &type, &description)) {
		r = assay_fail(err, EPROTO, "the kernel describes key %" PRId32 " in no known form",
			       key);
	} else if (!keys) {
		printf("  %10" PRId32 "  %s  %s\n", key, type,
		       text_escape(BYTES((uint8_t *)description, strlen(description)), shown,
				   sizeof(shown)));
	} else if (json_array_append_new(keys, json_pack("{s:i, s:s, s:o}", "serial", (int)key,
							 "key_type", type, "description",
							 command_text_json(description))) < 0) {
		r = assay_fail(err, ENOMEM, "out of memory");
	}
	free(text);
	return r;
}

static int list_keyring(const char *keyring, key_serial_t ring, json_t *keyrings,
			struct assay_error *err)
{
	json_t *keys = keyrings ? json_array() : NULL;
	void *serials = NULL;
	int size = keyctl_read_alloc(ring, &serials), r = 0;

	if (size < 0) {
		r = assay_fail(err, errno, "cannot read the keyring %s: %s%s", keyring,
			       strerror(errno), errno == EACCES ? "; run as root" : "");
		json_decref(keys);
		return r;
	}
	if (!keyrings)
		printf("%s: %zu key%s\n", keyring, (size_t)size / sizeof(key_serial_t),
		       (size_t)size == sizeof(key_serial_t) ? "" : "s");
	for (size_t i = 0; i < (size_t)size / sizeof(key_serial_t) && r == 0; i++) {
		key_serial_t key;

		memcpy(&key, (const uint8_t *)serials + i * sizeof(key), sizeof(key));
		r = list_key(key, keys, err);
	}
	free(serials);
	if (r < 0)
		json_decref(keys);
	else if (keyrings &&
		 json_array_append_new(keyrings, json_pack("{s:o, s:i, s:o}", "name",
							   command_text_json(keyring), "serial",
							   (int)ring, "keys", keys)) < 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

static int list_all(const char *const *names, size_t count, bool needed, json_t *keyrings,
		    struct assay_error *err)
{
	int listed = 0, r;

	for (size_t i = 0; i < count; i++) {
		int32_t ring = 0;

		r = keyring_find(names[i], &ring, err);
		if (r == -ENOKEY && !needed)
			continue;
		if (r == 0)
			r = list_keyring(names[i], ring, keyrings, err);
		if (r < 0)
			return r;
		listed++;
	}
	return listed;
}

static int run_list(int argc, char **argv)
{
	struct keyring_options options = { 0 };
	json_t *keyrings = NULL;
	struct operands names;
	struct assay_error err;
	char required;
	int r, status = command_parse(&command_list, argc, argv, &options, &names);

	if (status != COMMAND_GO)
		return status;
	if (options.json && !(keyrings = json_array())) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_list, &err);
	}
	if (names.count > 0)
		r = list_all((const char *const *)names.list, names.count, true, keyrings, &err);
	else
		r = list_all(known_keyrings, KNOWN_KEYRINGS, false, keyrings, &err);
	if (r < 0) {
		json_decref(keyrings);
		return command_failed(&command_list, &err);
	}
	required = keyring_signatures_required();
	if (options.json)
		return command_emit_json(
			&command_list,
			json_pack("{s:o, s:o}", "keyrings", keyrings, "require_signatures",
				  required ? json_boolean(required == '1') : json_null()));
	if (r == 0)
		printf("there is none of the keyrings .fs-verity, .ima and _ima that you may "
		       "see\n");
	if (names.count == 0 && required)
		printf("fs-verity signatures are %s\n",
		       required == '1' ? "required" : "not required");
	return command_flush(&command_list);
}

static const struct option_row list_rows[] = {
	OPTION_ROW_JSON(struct keyring_options, json),
	OPTION_END,
};

static const struct command command_list = {
	.name = "keyring list",
	.summary = "list the keys in keyrings of the kernel",
	.intro = "List the keys in the keyrings named, or in those of .fs-verity, .ima and _ima\n"
		 "that the kernel has. A certificate's key is described by its subject and the\n"
		 "end of its subject key id.\n",
	.options = list_rows,
	.operands = "[NAME]...",
	.operands_max = SIZE_MAX,
	.run = run_list,
};

/* ----------------------------------------------------------------- keyring */

static const struct command *const keyring_verbs[] = { &command_load, &command_lock, &command_list,
						       NULL };

const struct command command_keyring = {
	.name = "keyring",
	.summary = "load certificates into the kernel's keyrings, lock and list these",
	.verbs = keyring_verbs,
	.question = "load, lock or list?",
};
