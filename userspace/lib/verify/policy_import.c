// SPDX-License-Identifier: MIT
#include "verify/policy_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "verify/policy_import_boot.h"
#include "verify/policy_names.h"
#include "verify/policy_references.h"

#define WHAT "the runtime policy"
#define PATH_MAX_SIZE 4096

static void warn_dropped(struct policy_references *references, const char *what, const char *text,
			 const char *why)
{
	char shown[REFERENCE_TEXT];

	references_warn(references, "%s \"%s\" is not taken over: %s", what,
			references_text(BYTES((const uint8_t *)text, strlen(text)), shown), why);
}

/* {"/usr/bin/x": ["HEX", ...]} */
static int add_digests(struct policy_references *references, const char *member,
		       const json_t *object)
{
	const char *name;
	json_t *values;

	if (!json_is_object(object))
		return assay_fail(references->err, EBADMSG, WHAT ": \"%s\" is not an object",
				  member);
	json_object_foreach((json_t *)object, name, values) {
		struct bytes path = BYTES((const uint8_t *)name, strlen(name));
		char shown[REFERENCE_TEXT];

		references_text(path, shown);
		if (!json_is_array(values) || json_array_size(values) == 0) {
			references_warn(references,
					"\"%s\" of \"%s\" is not taken over: it has no array of "
					"digests",
					shown, member);
			continue;
		}
		for (size_t i = 0; i < json_array_size(values); i++) {
			const char *hex = json_string_value(json_array_get(values, i));
			const char *problem = "it is no digest";
			int r = 1;

			if (path.size == 0)
				problem = "it has no name";
			else if (hex)
				r = references_add_digest(references, path, hex, &problem);
			if (r < 0)
				return r;
			if (r > 0)
				references_warn(references,
						"\"%s\" of \"%s\", digest %zu, is not taken over: "
						"%s",
						shown, member, i + 1, problem);
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- exclusions */

static int add_allowed(struct policy_references *references, const char *path, const char *reason)
{
	json_t *rule = json_pack("{s:s, s:s}", "path", path, "reason", reason);

	return rule && json_array_append_new(references->allow, rule) == 0 ?
		       0 :
		       references_no_memory(references);
}

/* Takes @end off the end of @text, if it is there. */
static bool take_end(char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);

	if (length < size || strcmp(text + length - size, end) != 0)
		return false;
	text[length - size] = '\0';
	return true;
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * A regular expression that is a plain text but for escaped characters; a '.' stands for
 * itself, which is less than what it matches. False for any other.
 */
static bool plain_text(const char *expression, char ret[static PATH_MAX_SIZE])
{
	size_t used = 0;

	for (; *expression; expression++) {
		if (used + 1 >= PATH_MAX_SIZE || strchr("[](){}+?*|^$", *expression))
			return false;
		/* "\d" and the like are classes; what is no letter or digit stands for itself. */
		if (*expression == '\\' && (!*++expression || is_letter_or_digit(*expression)))
			return false;
		ret[used++] = *expression;
	}
	ret[used] = '\0';
	return used > 0;
}

/*
 * Keylime matches an exclusion at the beginning of a path, wherever it ends there. Of that,
 * taken over is the path itself and what is below it.
 */
static int add_exclusion(struct policy_references *references, const char *expression)
{
	static const char reason[] = "imported: an exclusion of Keylime's runtime policy";
	char text[PATH_MAX_SIZE], path[PATH_MAX_SIZE];
	size_t length = strlen(expression);
	bool exact, below;
	int r;

	if (length >= sizeof(text)) {
		warn_dropped(references, "the exclusion", expression, "it is too long");
		return 0;
	}
	memcpy(text, expression + (expression[0] == '^'), length + 1 - (expression[0] == '^'));
	exact = take_end(text, "$");
	below = take_end(text, "(/.*)?");
	if (below)
		exact = false;
	else
		below = take_end(text, ".*");
	if (!plain_text(text, path)) {
		warn_dropped(references, "the exclusion", expression,
			     "it is neither a path nor all below one");
		return 0;
	}
	if (strcmp(path, "boot_aggregate") == 0) {
		warn_dropped(references, "the exclusion", expression,
			     "boot_aggregate is compared with the PCRs that it is of");
		return 0;
	}
	length = strlen(path);
	if (path[length - 1] == '/' && exact && !below) {
		warn_dropped(references, "the exclusion", expression,
			     "no file has a path that ends in '/', so that it is of none");
		return 0;
	}
	if (path[length - 1] == '/')
		return add_allowed(references, path, reason);
	r = add_allowed(references, path, reason);
	if (r == 0 && !(exact && !below) && length + 1 < sizeof(path)) {
		memcpy(path + length, "/", 2);
		r = add_allowed(references, path, reason);
	}
	return r;
}

static int add_texts(struct policy_references *references, const char *member, const json_t *array,
		     int (*add)(struct policy_references *references, const char *text))
{
	int r = 0;

	if (json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return assay_fail(references->err, EBADMSG, WHAT ": \"%s\" is not an array",
				  member);
	for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (text)
			r = add(references, text);
		else
			references_warn(references,
					"item %zu of \"%s\" is not taken over: it is no text",
					i + 1, member);
	}
	return r;
}

static int add_keyring(struct policy_references *references, const char *keyring)
{
	if (strcmp(keyring, "*") == 0) {
		warn_dropped(references, "the ignored keyring", keyring,
			     "name those that are meant (allow)");
		return 0;
	}
	if (!*keyring) {
		warn_dropped(references, "the ignored keyring", keyring, "it has no name");
		return 0;
	}
	return add_allowed(references, keyring,
			   "imported: a keyring that Keylime's policy ignores");
}

/* ---------------------------------------------------------------- both forms */

static int import_ima(struct policy_references *references, const json_t *object)
{
	const char *name;
	json_t *value;
	int r = 0;

	if (!json_is_object(object))
		return assay_fail(references->err, EBADMSG, WHAT ": \"ima\" is not an object");
	json_object_foreach((json_t *)object, name, value) {
		if (strcmp(name, "ignored_keyrings") == 0)
			r = add_texts(references, "ima.ignored_keyrings", value, add_keyring);
		else if (strcmp(name, "log_hash_alg") == 0)
			warn_dropped(references, "ima's member", name,
				     "template digests are read in the bank that they are in");
		else if (!json_is_null(value))
			warn_dropped(references, "ima's member", name,
				     "there is nothing like it here");
		if (r < 0)
			return r;
	}
	return 0;
}

static int import_member(struct policy_references *references, const char *name,
			 const json_t *value)
{
	static const struct {
		const char *name, *why;
	} dropped[] = {
		{ "meta", "it is about the policy itself" },
		{ "release", "it is about the policy itself" },
		{ "verification-keys", "name the signers' certificates (ima.certificates)" },
	};
	const char *why = "there is nothing like it here";

	if (strcmp(name, "digests") == 0 || strcmp(name, "hashes") == 0 ||
	    strcmp(name, "keyrings") == 0 || strcmp(name, "ima-buf") == 0)
		return add_digests(references, name, value);
	if (strcmp(name, "excludes") == 0 || strcmp(name, "exclude") == 0)
		return add_texts(references, name, value, add_exclusion);
	if (strcmp(name, "ima") == 0)
		return import_ima(references, value);
	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
		return 0;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (strcmp(name, dropped[i].name) == 0)
			why = dropped[i].why;
	warn_dropped(references, "the member", name, why);
	return 0;
}

static int import_json(struct policy_references *references, const json_t *root)
{
	const char *name;
	json_t *value;
	int r;

	if (!json_object_get(root, "digests") && !json_object_get(root, "hashes"))
		return assay_fail(references->err, EBADMSG,
				  WHAT " has neither \"digests\" nor, as old ones, \"hashes\"");
	json_object_foreach((json_t *)root, name, value) {
		r = import_member(references, name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---------------------------------------------------------------- into the policy */

/* The member, made if it is not there; borrowed. NULL without memory or of another type. */
static json_t *get_or_make(json_t *object, const char *name, json_t *made)
{
	json_t *there = json_object_get(object, name);

	if (there && json_typeof(there) == json_typeof(made)) {
		json_decref(made);
		return there;
	}
	if (there) {
		json_decref(made);
		return NULL;
	}
	return json_object_set_new(object, name, made) == 0 ? json_object_get(object, name) : NULL;
}

/* The paths of the exclusions of this import, as names of an object; NULL without memory. */
static json_t *excluded_paths(const struct policy_references *references)
{
	json_t *paths = json_object();

	for (size_t i = 0; paths && i < json_array_size(references->allow); i++) {
		const char *path = json_string_value(
			json_object_get(json_array_get(references->allow, i), "path"));

		if (json_object_set_new(paths, path, json_true()) < 0) {
			json_decref(paths);
			paths = NULL;
		}
	}
	return paths;
}

/* Whether one of them stands for the path: by itself, or a directory that it is below. */
static bool is_excluded(const json_t *paths, const char *path)
{
	char above[PATH_MAX_SIZE + 1];

	if (json_object_size(paths) == 0)
		return false;
	if (json_object_get(paths, path))
		return true;
	/* No exclusion is longer. */
	for (size_t i = 0; i < PATH_MAX_SIZE && path[i]; i++) {
		above[i] = path[i];
		above[i + 1] = '\0';
		if (path[i] == '/' && json_object_get(paths, above))
			return true;
	}
	return false;
}

/* A digest of what is excluded is not looked at there; here it would have to match. */
static int move_digests(struct policy_references *references, json_t *digests)
{
	CLEANUP(json_decref_pointer) json_t *excluded = excluded_paths(references);
	const char *name;
	json_t *values;

	if (!excluded)
		return references_no_memory(references);
	json_object_foreach(references->digests, name, values) {
		if (is_excluded(excluded, name)) {
			warn_dropped(references, "the digest of", name,
				     "an exclusion goes before it, so that it may be anything");
			continue;
		}
		for (size_t i = 0; i < json_array_size(values); i++)
			if (!references_add_text(digests, name,
						 json_string_value(json_array_get(values, i))))
				return references_no_memory(references);
	}
	return 0;
}

static void tell_alike(void *context, const char *first, const char *second)
{
	char texts[2][REFERENCE_TEXT];

	references_warn(context,
			"\"%s\" and \"%s\" are written alike by IMA: what is a reference value of "
			"one is one of the other",
			references_text(BYTES((const uint8_t *)first, strlen(first)), texts[0]),
			references_text(BYTES((const uint8_t *)second, strlen(second)), texts[1]));
}

/* @ret_firmware: set for the reference state of a measured boot, which has nothing else */
static int import_text(struct policy_references *references, struct bytes text,
		       json_t **ret_firmware)
{
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	size_t blank = 0;
	int r;

	while (blank < text.size && strchr(" \t\r\n", text.data[blank]))
		blank++;
	if (blank == text.size || text.data[blank] != '{')
		return references_add_lines(references, text);
	r = json_parse(text, WHAT, &root, references->err);
	if (r < 0)
		return r;
	return boot_state_is(root) ? boot_state_import(references, root, ret_firmware) :
				     import_json(references, root);
}

/* Takes @firmware over. Rules that are there already are not mixed with others. */
static int add_firmware(json_t *policy, json_t *firmware, struct assay_error *err)
{
	if (json_object_get(policy, "firmware")) {
		json_decref(firmware);
		return assay_fail(err, EBADMSG,
				  "the policy has rules on the firmware's log already (firmware): "
				  "remove them first");
	}
	return json_object_set_new(policy, "firmware", firmware) == 0 ?
		       0 :
		       assay_fail(err, ENOMEM, "out of memory");
}

int policy_import(struct bytes text, json_t *policy, import_warning each, void *context,
		  struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *new_digests = json_object();
	CLEANUP(json_decref_pointer) json_t *new_allow = json_array();
	struct policy_references references = { .digests = new_digests,
						.allow = new_allow,
						.each = each,
						.context = context,
						.err = err };
	json_t *ima, *digests = NULL, *allow, *firmware = NULL;
	int r;

	if (!new_digests || !new_allow)
		return references_no_memory(&references);
	r = import_text(&references, text, &firmware);
	if (r < 0)
		return r;
	if (firmware)
		return add_firmware(policy, firmware, err);
	ima = get_or_make(policy, "ima", json_object());
	if (ima)
		digests = get_or_make(ima, "digests", json_object());
	allow = get_or_make(policy, "allow", json_array());
	if (!digests || !allow)
		return assay_fail(err, EBADMSG,
				  "the policy's \"ima\" or \"allow\" is not as it must be");
	r = move_digests(&references, digests);
	if (r < 0)
		return r;
	if (json_array_extend(allow, new_allow) < 0)
		return references_no_memory(&references);
	if (!json_object_get(ima, "unknown_files") &&
	    json_object_set_new(ima, "unknown_files", json_string("refuse")) < 0)
		return references_no_memory(&references);
	return policy_names_alike(digests, tell_alike, &references, err);
}
