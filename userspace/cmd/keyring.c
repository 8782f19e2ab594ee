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

#include "sign/certificate.h"

#define DEFAULT_KEYRING ".fs-verity"
#define REQUIRE_SIGNATURES "/proc/sys/fs/verity/require_signatures"

/* Where IMA looks in kernels without a trusted .ima; user space has to make it. */
#define USER_IMA_KEYRING "_ima"

/* What list shows where nothing else is asked for. */
static const char *const known_keyrings[] = { ".fs-verity", ".ima", USER_IMA_KEYRING };

#define KNOWN_KEYRINGS (sizeof(known_keyrings) / sizeof(known_keyrings[0]))

static const struct command command_load, command_lock, command_list;

struct keyring_options {
	const char *keyring;
	struct option_texts certificates;
	bool require_signatures, json;
};

static int fail_find(const char *keyring, int code, struct assay_error *err)
{
	switch (code) {
	case ENOKEY:
	case ENOENT:
		return assay_fail(
			err, ENOKEY,
			"there is no keyring %s that you may see: run as root, on a kernel "
			"with CONFIG_FS_VERITY_BUILTIN_SIGNATURES (for .fs-verity) or "
			"CONFIG_INTEGRITY_TRUSTED_KEYRING (for .ima; kernels without "
			"have " USER_IMA_KEYRING ")",
			keyring);
	default:
		return assay_fail(err, code, "cannot find the keyring %s: %s", keyring,
				  strerror(code));
	}
}

static int find_keyring(const char *keyring, key_serial_t *ret, struct assay_error *err)
{
	key_serial_t ring = find_key_by_type_and_desc("keyring", keyring, 0);

	if (ring < 0)
		return fail_find(keyring, errno, err);
	*ret = ring;
	return 0;
}

/* -------------------------------------------------------------------- load */

static int fail_add(const char *path, const char *keyring, int code, struct assay_error *err)
{
	const char *reason;

	switch (code) {
	case EACCES:
		reason = "not permitted: run as root";
		break;
	case EPERM:
		reason = "the keyring is locked and takes no more keys until the next boot";
		break;
	case EKEYREJECTED:
	case ENOKEY:
		reason = "the keyring takes only certificates that a key it trusts has signed";
		break;
	case EBADMSG:
		reason = "the kernel cannot read the certificate";
		break;
	case ENOPKG:
	case ENOENT:
		reason = "the kernel has no driver for the certificate's algorithm: ECDSA needs "
			 "CONFIG_CRYPTO_ECDSA";
		break;
	case ENODEV:
		reason = "the kernel has no asymmetric keys: it needs "
			 "CONFIG_ASYMMETRIC_KEY_TYPE and CONFIG_X509_CERTIFICATE_PARSER";
		break;
	case EDQUOT:
		reason = "the quota of keys is used up: see /proc/key-users";
		break;
	default:
		reason = strerror(code);
	}
	return assay_fail(err, code, "cannot add %s to the keyring %s: %s", path, keyring, reason);
}

/* A certificate to add, and the key it became. */
struct addition {
	const char *path;
	struct buffer der;
	key_serial_t key;
};

static int read_certificate(struct addition *addition, struct assay_error *err)
{
	X509 *certificate = NULL;
	struct bytes key_id;
	int r = certificate_load(addition->path, &certificate, err);

	if (r < 0)
		return r;
	/* IMA and delegate certificates find a key by it, so no key goes in without. */
	r = certificate_key_id(certificate, &key_id, err);
	if (r < 0)
		assay_fail_context(err, "%s", addition->path);
	else
		r = certificate_append_der(certificate, &addition->der, err);
	X509_free(certificate);
	return r;
}

static int find_or_make(const char *keyring, key_serial_t *ret, struct assay_error *err)
{
	int r = find_keyring(keyring, ret, err);

	if (r != -ENOKEY || strcmp(keyring, USER_IMA_KEYRING) != 0)
		return r;
	/* The kernel asks for it by name and finds it in root's user keyring. */
	*ret = add_key("keyring", keyring, NULL, 0, KEY_SPEC_USER_KEYRING);
	if (*ret < 0)
		return assay_fail(err, errno, "cannot make the keyring %s: %s", keyring,
				  strerror(errno));
	return 0;
}

/* All certificates are looked at before the first is added. */
static int add_all(const char *keyring, struct addition *additions, size_t count,
		   struct assay_error *err)
{
	key_serial_t ring = 0;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = read_certificate(&additions[i], err);
	if (r == 0)
		r = find_or_make(keyring, &ring, err);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct addition *addition = &additions[i];

		/* Without a description the kernel takes the certificate's subject and key id. */
		addition->key =
			add_key("asymmetric", "", addition->der.data, addition->der.size, ring);
		if (addition->key < 0)
			r = fail_add(addition->path, keyring, errno, err);
	}
	return r;
}

static int require_signatures(struct assay_error *err)
{
	int fd = open(REQUIRE_SIGNATURES, O_WRONLY | O_CLOEXEC), code = errno;

	if (fd < 0 && code == ENOENT)
		return assay_fail(err, ENOENT,
				  "there is no " REQUIRE_SIGNATURES
				  ": the kernel needs CONFIG_FS_VERITY_BUILTIN_SIGNATURES");
	if (fd < 0)
		return assay_fail(err, code, "cannot open " REQUIRE_SIGNATURES ": %s%s",
				  strerror(code),
				  code == EACCES || code == EPERM ? "; run as root" : "");
	code = write(fd, "1", 1) == 1 ? 0 : errno;
	close(fd);
	return code == 0 ? 0 :
			   assay_fail(err, code, "cannot write to " REQUIRE_SIGNATURES ": %s",
				      strerror(code));
}

static int print_loaded(const char *keyring, const struct addition *additions, size_t count,
			bool require, bool json)
{
	json_t *keys = json ? json_array() : NULL;

	for (size_t i = 0; i < count; i++)
		if (!json)
			printf("%s: in the keyring %s as key %" PRId32 "\n", additions[i].path,
			       keyring, additions[i].key);
		else
			json_array_append_new(keys, json_pack("{s:o, s:i}", "certificate",
							      command_text_json(additions[i].path),
							      "serial", (int)additions[i].key));
	if (json && json_array_size(keys) == count)
		return command_emit_json(&command_load,
					 json_pack("{s:o, s:o, s:b}", "keyring",
						   command_text_json(keyring), "keys", keys,
						   "require_signatures", (int)require));
	json_decref(keys);
	if (json)
		return command_emit_json(&command_load, NULL);
	if (require)
		printf("%s: 1\n", REQUIRE_SIGNATURES);
	return command_flush(&command_load);
}

static int load_certificates(const struct keyring_options *options)
{
	size_t count = options->certificates.count;
	struct addition *additions = calloc(count, sizeof(*additions));
	struct assay_error err;
	int r, status;

	if (!additions) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_load, &err);
	}
	for (size_t i = 0; i < count; i++)
		additions[i].path = options->certificates.list[i];
	r = add_all(options->keyring, additions, count, &err);
	if (r == 0 && options->require_signatures)
		r = require_signatures(&err);
	status = r < 0 ? command_failed(&command_load, &err) :
			 print_loaded(options->keyring, additions, count,
				      options->require_signatures, options->json);
	for (size_t i = 0; i < count; i++)
		buffer_free(&additions[i].der);
	free(additions);
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
	{ "keyring", 0, "NAME", "the keyring: .fs-verity, .ima or _ima (" DEFAULT_KEYRING ")",
	  OPTION_TEXT(struct keyring_options, keyring) },
	{ "require-signatures", 0, NULL,
	  "refuse files with fs-verity but without a signature (writes 1 to " REQUIRE_SIGNATURES
	  ")",
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

static int lock_keyring(const char *keyring, bool *ret_already, struct assay_error *err)
{
	key_serial_t ring = 0;
	int r = find_keyring(keyring, &ring, err), code;

	if (r < 0)
		return r;
	*ret_already = false;
	if (keyctl_restrict_keyring(ring, NULL, NULL) == 0)
		return 0;
	code = errno;
	if (code == EEXIST) {
		*ret_already = true;
		return 0;
	}
	return assay_fail(err, code, "cannot lock the keyring %s: %s%s", keyring, strerror(code),
			  code == EACCES || code == EPERM ? "; run as root" : "");
}

static int run_lock(int argc, char **argv)
{
	struct keyring_options options = { .keyring = DEFAULT_KEYRING };
	struct assay_error err;
	bool already = false;
	int status = command_parse(&command_lock, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (lock_keyring(options.keyring, &already, &err) < 0)
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
	{ "keyring", 0, "NAME", "the keyring: .fs-verity or _ima (" DEFAULT_KEYRING ")",
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

/* '0' or '1'; 0 where the kernel has no such setting. */
static char signatures_required(void)
{
	int fd = open(REQUIRE_SIGNATURES, O_RDONLY | O_CLOEXEC);
	char value = 0;

	if (fd < 0 || read(fd, &value, 1) != 1)
		value = 0;
	if (fd >= 0)
		close(fd);
	return value;
}

static int list_all(const char *const *names, size_t count, bool needed, json_t *keyrings,
		    struct assay_error *err)
{
	int listed = 0, r;

	for (size_t i = 0; i < count; i++) {
		key_serial_t ring = 0;

		r = find_keyring(names[i], &ring, err);
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
	required = signatures_required();
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
