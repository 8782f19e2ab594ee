// SPDX-License-Identifier: MIT
#include "verify/policy_import_boot.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define WHAT "the reference state"
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* Bytes of a certificate in a list of keys at most. */
#define CERTIFICATE_MAX 65536

bool boot_state_is(const json_t *root)
{
	return json_object_get(root, "scrtm_and_bios") || json_object_get(root, "kernels");
}

static int refuse(struct policy_references *references, const char *member, const char *why)
{
	return assay_fail(references->err, EBADMSG, WHAT ": \"%s\" %s", member, why);
}

static json_t *member(json_t *object, const char *name, json_t *empty)
{
	json_t *there = json_object_get(object, name);

	if (there) {
		json_decref(empty);
		return there;
	}
	return json_object_set_new(object, name, empty) == 0 ? json_object_get(object, name) : NULL;
}

/* Appends a digest to an array, once. */
static int add_digest(struct policy_references *references, json_t *array,
		      const struct assay_digest *digest)
{
	char text[ASSAY_DIGEST_TEXT_MAX];

	assay_digest_text(digest, text);
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
			return 0;
	return array && json_array_append_new(array, json_string(text)) == 0 ?
		       0 :
		       references_no_memory(references);
}

/* "0x..." of a digest of that hash. */
static int add_hex(struct policy_references *references, json_t *array, enum assay_hash hash,
		   const char *member_name, const char *hex)
{
	struct assay_digest digest = { .hash = hash };

	if (!hex || strncmp(hex, "0x", 2) != 0 ||
	    hex_decode(hex + 2, digest.bytes, sizeof(digest.bytes), &digest.size) < 0 ||
	    digest.size != assay_hash_size(hash))
		return refuse(references, member_name,
			      "is no digest: 0x and as many digits as its "
			      "hash has");
	return add_digest(references, array, &digest);
}

/* {"sha256": "0x..."}; of SHA-1, which proves nothing here, nothing is taken. */
static int add_digest_object(struct policy_references *references, json_t *array,
			     const char *member_name, const json_t *object)
{
	const char *name;
	json_t *value;
	size_t taken = 0;

	if (!json_is_object(object))
		return refuse(references, member_name, "is not an object of hashes and digests");
	json_object_foreach((json_t *)object, name, value) {
		enum assay_hash hash = assay_hash_by_name(name);
		int r;

		if (hash == ASSAY_HASH_NONE || hash == ASSAY_HASH_SHA1)
			continue;
		r = add_hex(references, array, hash, member_name, json_string_value(value));
		if (r < 0)
			return r;
		taken++;
	}
	if (taken == 0)
		return refuse(references, member_name, "has no digest of SHA-256 or a longer hash");
	return 0;
}

/* ---------------------------------------------------------------- the firmware itself */

static int import_scrtm(struct policy_references *references, const json_t *root, json_t *rules)
{
	const json_t *list = json_object_get(root, "scrtm_and_bios");
	json_t *platform = member(rules, "platform", json_object());

	if (!json_is_array(list) || json_array_size(list) == 0)
		return refuse(references, "scrtm_and_bios", "is not an array of objects");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const json_t *blobs = json_object_get(entry, "platform_firmware");
		int r = add_digest_object(references, member(platform, "S-CRTM", json_array()),
					  "scrtm", json_object_get(entry, "scrtm"));

		for (size_t j = 0; r == 0 && j < json_array_size(blobs); j++) {
			char name[64];

			snprintf(name, sizeof(name), "platform firmware %zu", j + 1);
			r = add_digest_object(references, member(platform, name, json_array()),
					      "platform_firmware", json_array_get(blobs, j));
		}
		if (r < 0)
			return r;
	}
	if (json_array_size(list) > 1)
		references_warn(references,
				"\"scrtm_and_bios\" has %zu alternatives: parts of one pass beside "
				"parts of another",
				json_array_size(list));
	return 0;
}

/* ---------------------------------------------------------------- keys */

/* A digest as it is, of anything else (a certificate) its SHA-256. */
static int add_entry(struct policy_references *references, json_t *array, const char *name,
		     const json_t *entry)
{
	const char *hex = json_string_value(json_object_get(entry, "SignatureData"));
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	CLEANUP(buffer_free) struct buffer room = { 0 };
	uint8_t *data = buffer_reserve(&room, CERTIFICATE_MAX);
	size_t size;

	if (!data)
		return references_no_memory(references);
	if (!hex || strncmp(hex, "0x", 2) != 0 ||
	    hex_decode(hex + 2, data, CERTIFICATE_MAX, &size) < 0)
		return refuse(references, name,
			      "has an entry without SignatureData in "
			      "hexadecimal, \"0x...\"");
	if (size == digest.size)
		memcpy(digest.bytes, data, size);
	else if (EVP_Digest(data, size, digest.bytes, NULL, EVP_sha256(), NULL) != 1)
		return references_no_memory(references);
	return add_digest(references, array, &digest);
}

static int import_keys(struct policy_references *references, const json_t *root, json_t *rules)
{
	static const struct {
		const char *theirs, *ours, *rule;
	} rows[] = { { "pk", "PK", "only" },
		     { "kek", "KEK", "only" },
		     { "db", "db", "only" },
		     { "dbx", "dbx", "contains" } };
	json_t *keys = json_object();
	int r = keys ? 0 : references_no_memory(references);

	for (size_t i = 0; r == 0 && i < COUNT_OF(rows); i++) {
		const json_t *list = json_object_get(root, rows[i].theirs);
		json_t *digests = json_array();

		if (!json_is_array(list))
			r = refuse(references, rows[i].theirs, "is not an array of keys");
		for (size_t j = 0; r == 0 && j < json_array_size(list); j++)
			r = add_entry(references, digests, rows[i].theirs, json_array_get(list, j));
		if (r < 0 || json_array_size(digests) == 0)
			json_decref(digests);
		else if (json_object_set_new(keys, rows[i].ours,
					     json_pack("{s:o}", rows[i].rule, digests)) < 0)
			r = references_no_memory(references);
	}
	if (r == 0 && json_object_size(keys) > 0)
		return json_object_set_new(rules, "keys", keys) == 0 ?
			       0 :
			       references_no_memory(references);
	json_decref(keys);
	return r;
}

static int import_mok(struct policy_references *references, const json_t *root, json_t *rules)
{
	static const char *const names[][2] = { { "mokdig", "MokList" },
						{ "mokxdig", "MokListX" } };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const json_t *list = json_object_get(root, names[i][0]);

		for (size_t j = 0; j < json_array_size(list); j++) {
			json_t *mok = member(rules, "mok", json_object());
			int r = add_digest_object(references,
						  member(mok, names[i][1], json_array()),
						  names[i][0], json_array_get(list, j));

			if (r < 0)
				return r;
		}
	}
	if (json_object_get(rules, "mok"))
		references_warn(references,
				"MokListTrusted, which some shims measure as well, has no "
				"digest there: where it is measured, firmware-mok does not "
				"pass");
	return 0;
}

/* ---------------------------------------------------------------- kernels */

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * A regular expression of plain text, escaped characters and ".*" as a pattern; false for another.
 * A pattern has no way to say an asterisk.
 */
static bool pattern_of(const char *expression, struct buffer *pattern)
{
	for (; *expression; expression++) {
		if (expression[0] == '.' && expression[1] == '*') {
			buffer_append_u8(pattern, '*');
			expression++;
		} else if (*expression == '\\' && expression[1] && expression[1] != '*' &&
			   !is_letter_or_digit(expression[1])) {
			buffer_append_u8(pattern, (uint8_t) * ++expression);
		} else if (strchr("[](){}+?*|^$\\", *expression)) {
			return false;
		} else {
			buffer_append_u8(pattern, (uint8_t)*expression);
		}
	}
	return true;
}

static int import_command_line(struct policy_references *references, const json_t *kernel,
			       json_t *rules)
{
	const char *expression = json_string_value(json_object_get(kernel, "kernel_cmdline"));
	CLEANUP(buffer_free) struct buffer pattern = { 0 };

	if (!expression)
		return refuse(references, "kernel_cmdline", "is not a text");
	if (!pattern_of(expression, &pattern)) {
		char shown[REFERENCE_TEXT];

		references_warn(
			references,
			"the command line \"%s\" is not taken over: it is a regular "
			"expression that is no text with \".*\"",
			references_text(BYTES((const uint8_t *)expression, strlen(expression)),
					shown));
		return 0;
	}
	if (pattern.failed ||
	    json_array_append_new(member(rules, "command_lines", json_array()),
				  json_stringn((const char *)pattern.data, pattern.size)) < 0)
		return references_no_memory(references);
	return 0;
}

static int import_kernel(struct policy_references *references, const json_t *kernel, json_t *rules)
{
	static const struct {
		const char *theirs, *list, *name;
	} rows[] = {
		{ "shim_authcode_sha256", "programs", "shim" },
		{ "grub_authcode_sha256", "programs", "grub" },
		{ "kernel_authcode_sha256", "programs", "kernel" },
		{ "vmlinuz_plain_sha256", "files", "vmlinuz" },
		{ "initrd_plain_sha256", "files", "initrd" },
	};

	if (!json_is_object(kernel))
		return refuse(references, "kernels", "is not an array of objects");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const json_t *value = json_object_get(kernel, rows[i].theirs);
		json_t *list = value ? member(rules, rows[i].list, json_object()) : NULL;
		int r;

		if (!value)
			continue;
		r = add_hex(references, member(list, rows[i].name, json_array()), ASSAY_HASH_SHA256,
			    rows[i].theirs, json_string_value(value));
		if (r < 0)
			return r;
	}
	return import_command_line(references, kernel, rules);
}

static int import_kernels(struct policy_references *references, const json_t *root, json_t *rules)
{
	const json_t *kernels = json_object_get(root, "kernels");
	int r = 0;

	if (!json_is_array(kernels) || json_array_size(kernels) == 0)
		return refuse(references, "kernels", "is not an array of objects");
	for (size_t i = 0; r == 0 && i < json_array_size(kernels); i++)
		r = import_kernel(references, json_array_get(kernels, i), rules);
	if (r < 0)
		return r;
	if (json_array_size(kernels) > 1)
		references_warn(
			references,
			"\"kernels\" has %zu alternatives: parts of one pass beside parts of "
			"another",
			json_array_size(kernels));
	if (json_object_get(rules, "files"))
		references_warn(references,
				"what else a boot loader reads has no digest there: add it to "
				"firmware.files ('assay policy learn --firmware' prints it), or "
				"waive firmware-files and firmware-command-line");
	if (json_object_get(rules, "command_lines") &&
	    json_object_set_new(rules, "commands", json_pack("[s]", "*")) < 0)
		return references_no_memory(references);
	if (json_object_get(rules, "commands"))
		references_warn(references,
				"the commands of grub are not there, and any text passes as one "
				"(firmware.commands): the log must only have the command line "
				"among them");
	return 0;
}

static void warn_unknown(struct policy_references *references, const json_t *root)
{
	static const char *const known[] = {
		"has_secureboot", "scrtm_and_bios", "pk",     "kek", "db", "dbx",
		"mokdig",	  "mokxdig",	    "kernels"
	};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)root, name, value) {
		char shown[REFERENCE_TEXT];
		size_t i = 0;

		while (i < COUNT_OF(known) && strcmp(known[i], name) != 0)
			i++;
		if (i == COUNT_OF(known))
			references_warn(
				references,
				"\"%s\" is not taken over: Keylime's policy does not compare "
				"with it either, or it is of a version that is not known here",
				references_text(BYTES((const uint8_t *)name, strlen(name)), shown));
	}
}

int boot_state_import(struct policy_references *references, const json_t *root, json_t **ret)
{
	const json_t *secure_boot = json_object_get(root, "has_secureboot");
	json_t *rules = json_object();
	int r = rules ? 0 : references_no_memory(references);

	/* As Keylime has it where nothing says otherwise. */
	if (r == 0 && !json_is_false(secure_boot) &&
	    json_object_set_new(rules, "secure_boot", json_string("on")) < 0)
		r = references_no_memory(references);
	if (r == 0)
		warn_unknown(references, root);
	if (r == 0)
		r = import_scrtm(references, root, rules);
	if (r == 0)
		r = import_keys(references, root, rules);
	if (r == 0)
		r = import_mok(references, root, rules);
	if (r == 0)
		r = import_kernels(references, root, rules);
	if (r < 0)
		json_decref(rules);
	else
		*ret = rules;
	return r;
}
