// SPDX-License-Identifier: MIT
#include "verify/policy_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define WHAT "the runtime policy"
/* Room for foreign text in a warning. */
#define FOREIGN_TEXT 200
#define PATH_MAX_SIZE 4096

struct import {
	json_t *digests; /* ima.digests */
	json_t *allow;
	import_warning each;
	void *context;
	struct assay_error *err;
};

static void warn(struct import *import, const char *what, const char *text, const char *why)
{
	char escaped[FOREIGN_TEXT], sentence[2 * FOREIGN_TEXT];

	text_escape(BYTES((const uint8_t *)text, strlen(text)), escaped, sizeof(escaped));
	snprintf(sentence, sizeof(sentence), "%s \"%s\" is not taken over: %s", what, escaped, why);
	import->each(import->context, sentence);
}

static int no_memory(struct import *import)
{
	return assay_fail(import->err, ENOMEM, WHAT ": out of memory");
}

/* ---------------------------------------------------------------- digests */

/* Which hash has that many digits; NULL if none does. */
static const char *hash_of(size_t digits)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (digits == 2 * assay_hash_size(hashes[i]))
			return assay_hash_name(hashes[i]);
	return NULL;
}

static bool is_there(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *there = json_string_value(json_array_get(array, i));

		if (there && strcmp(there, text) == 0)
			return true;
	}
	return false;
}

/* A digest in hexadecimal of something that IMA names; -EINVAL if it is none. */
static int add_digest(struct import *import, const char *name, const char *hex)
{
	char text[sizeof("sha512:") + 2 * ASSAY_DIGEST_MAX];
	uint8_t bytes[ASSAY_DIGEST_MAX];
	const char *hash = hash_of(strlen(hex));
	json_t *array = json_object_get(import->digests, name);
	size_t size;

	if (!hash || hex_decode(hex, bytes, sizeof(bytes), &size) < 0)
		return -EINVAL;
	if (!array) {
		array = json_array();
		if (json_object_set_new(import->digests, name, array) < 0)
			return no_memory(import);
	}
	snprintf(text, sizeof(text), "%s:", hash);
	hex_encode(BYTES(bytes, size), text + strlen(text));
	if (!is_there(array, text) && json_array_append_new(array, json_string(text)) < 0)
		return no_memory(import);
	return 0;
}

/* {"/usr/bin/x": ["HEX", ...]} */
static int add_digests(struct import *import, const char *member, const json_t *object)
{
	const char *name;
	json_t *values;

	if (!json_is_object(object))
		return assay_fail(import->err, EBADMSG, WHAT ": \"%s\" is not an object", member);
	json_object_foreach((json_t *)object, name, values) {
		char escaped[FOREIGN_TEXT];

		/* Its value is of PCRs, which are compared with it themselves. */
		if (strcmp(name, "boot_aggregate") == 0)
			continue;
		text_escape(BYTES((const uint8_t *)name, strlen(name)), escaped, sizeof(escaped));
		if (!json_is_array(values))
			return assay_fail(import->err, EBADMSG,
					  WHAT ": \"%s\" of \"%s\" is not an array", member,
					  escaped);
		for (size_t i = 0; i < json_array_size(values); i++) {
			const char *hex = json_string_value(json_array_get(values, i));
			int r = hex ? add_digest(import, name, hex) : -EINVAL;

			if (r == -EINVAL)
				return assay_fail(import->err, EBADMSG,
						  WHAT ": \"%s\" of \"%s\" has what is no digest",
						  member, escaped);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---------------------------------------------------------------- exclusions */

static int add_allowed(struct import *import, const char *path, const char *reason)
{
	json_t *rule = json_pack("{s:s, s:s}", "path", path, "reason", reason);

	return rule && json_array_append_new(import->allow, rule) == 0 ? 0 : no_memory(import);
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
static int add_exclusion(struct import *import, const char *expression)
{
	static const char reason[] = "imported: an exclusion of Keylime's runtime policy";
	char text[PATH_MAX_SIZE], path[PATH_MAX_SIZE];
	size_t length = strlen(expression);
	bool exact, below;
	int r;

	if (length >= sizeof(text)) {
		warn(import, "the exclusion", expression, "it is too long");
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
		warn(import, "the exclusion", expression, "it is neither a path nor all below one");
		return 0;
	}
	length = strlen(path);
	if (path[length - 1] == '/')
		return add_allowed(import, path, reason);
	r = add_allowed(import, path, reason);
	if (r == 0 && !(exact && !below) && length + 1 < sizeof(path)) {
		memcpy(path + length, "/", 2);
		r = add_allowed(import, path, reason);
	}
	return r;
}

static int add_texts(struct import *import, const char *member, const json_t *array,
		     int (*add)(struct import *import, const char *text))
{
	int r = 0;

	if (json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return assay_fail(import->err, EBADMSG, WHAT ": \"%s\" is not an array", member);
	for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		r = text ? add(import, text) :
			   assay_fail(import->err, EBADMSG, WHAT ": \"%s\" has what is no text",
				      member);
	}
	return r;
}

static int add_keyring(struct import *import, const char *keyring)
{
	if (strcmp(keyring, "*") == 0) {
		warn(import, "the ignored keyring", keyring, "name those that are meant (allow)");
		return 0;
	}
	if (!*keyring) {
		warn(import, "the ignored keyring", keyring, "it has no name");
		return 0;
	}
	return add_allowed(import, keyring, "imported: a keyring that Keylime's policy ignores");
}

/* ---------------------------------------------------------------- both forms */

static int import_ima(struct import *import, const json_t *object)
{
	const char *name;
	json_t *value;
	int r = 0;

	if (!json_is_object(object))
		return assay_fail(import->err, EBADMSG, WHAT ": \"ima\" is not an object");
	json_object_foreach((json_t *)object, name, value) {
		if (strcmp(name, "ignored_keyrings") == 0)
			r = add_texts(import, "ima.ignored_keyrings", value, add_keyring);
		else if (strcmp(name, "log_hash_alg") != 0 && !json_is_null(value))
			warn(import, "ima's member", name, "there is nothing like it here");
		if (r < 0)
			return r;
	}
	return 0;
}

static int import_json(struct import *import, const json_t *root)
{
	const char *name;
	json_t *value;
	int r = 0;

	if (!json_object_get(root, "digests") && !json_object_get(root, "hashes"))
		return assay_fail(import->err, EBADMSG,
				  WHAT " has neither \"digests\" nor, as old ones, \"hashes\"");
	json_object_foreach((json_t *)root, name, value) {
		if (strcmp(name, "digests") == 0 || strcmp(name, "hashes") == 0 ||
		    strcmp(name, "keyrings") == 0 || strcmp(name, "ima-buf") == 0)
			r = add_digests(import, name, value);
		else if (strcmp(name, "excludes") == 0 || strcmp(name, "exclude") == 0)
			r = add_texts(import, name, value, add_exclusion);
		else if (strcmp(name, "ima") == 0)
			r = import_ima(import, value);
		else if (strcmp(name, "verification-keys") == 0 && json_string_length(value) == 0)
			continue;
		else if (strcmp(name, "meta") != 0 && strcmp(name, "release") != 0)
			warn(import, "the member", name,
			     strcmp(name, "verification-keys") == 0 ?
				     "name the signers' certificates (ima.certificates)" :
				     "there is nothing like it here");
		if (r < 0)
			return r;
	}
	return 0;
}

/* "HEX  /path", as sha256sum writes it; of binary files it has a star for the second space. */
static int import_line(struct import *import, struct bytes line, uint64_t number)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1], path[PATH_MAX_SIZE];
	size_t digits = 0, skipped;
	int r;

	while (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	if (line.size == 0 || line.data[0] == '#')
		return 0;
	while (digits < line.size && line.data[digits] != ' ')
		digits++;
	skipped = digits;
	while (skipped < line.size && line.data[skipped] == ' ')
		skipped++;
	if (skipped < line.size && skipped == digits + 1 && line.data[skipped] == '*')
		skipped++;
	if (digits >= sizeof(hex) || line.size - skipped >= sizeof(path) || skipped == line.size ||
	    memchr(line.data, '\0', line.size))
		return assay_fail(import->err, EBADMSG,
				  "line %llu is not a digest and a path, as sha256sum writes them",
				  (unsigned long long)number);
	memcpy(hex, line.data, digits);
	hex[digits] = '\0';
	memcpy(path, line.data + skipped, line.size - skipped);
	path[line.size - skipped] = '\0';
	if (strcmp(path, "boot_aggregate") == 0)
		return 0;
	r = add_digest(import, path, hex);
	if (r == -EINVAL)
		return assay_fail(import->err, EBADMSG, "line %llu does not begin with a digest",
				  (unsigned long long)number);
	/* jansson takes no name that is no UTF-8; such a path is nobody's then. */
	return r;
}

static int import_lines(struct import *import, struct bytes text)
{
	uint64_t number = 1;
	int r = 0;

	for (; r == 0 && text.size > 0; number++) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		struct bytes line = BYTES(text.data, end ? (size_t)(end - text.data) : text.size);

		r = import_line(import, line, number);
		text = BYTES(text.data + line.size + (end ? 1 : 0),
			     text.size - line.size - (end ? 1 : 0));
	}
	return r;
}

/* The member, made if it is not there; borrowed. NULL without memory or of another type. */
static json_t *member(json_t *object, const char *name, json_t *made)
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

int policy_import(struct bytes text, json_t *policy, import_warning each, void *context,
		  struct assay_error *err)
{
	struct import import = { .each = each, .context = context, .err = err };
	json_t *ima = member(policy, "ima", json_object());
	json_t *root;
	size_t blank = 0;
	int r;

	if (ima)
		import.digests = member(ima, "digests", json_object());
	import.allow = member(policy, "allow", json_array());
	if (!import.digests || !import.allow)
		return assay_fail(err, EBADMSG,
				  "the policy's \"ima\" or \"allow\" is not as it must be");
	if (!json_object_get(ima, "unknown_files") &&
	    json_object_set_new(ima, "unknown_files", json_string("refuse")) < 0)
		return no_memory(&import);
	while (blank < text.size && strchr(" \t\r\n", text.data[blank]))
		blank++;
	if (blank == text.size || text.data[blank] != '{')
		return import_lines(&import, text);
	r = json_parse(text, WHAT, &root, err);
	if (r < 0)
		return r;
	r = import_json(&import, root);
	json_decref(root);
	return r;
}
