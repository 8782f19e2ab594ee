// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "firmware/learn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "firmware/content.h"
#include "firmware/describe.h"
#include "firmware/device_path.h"
#include "firmware/uki.h"

#define PCR_SECURE_BOOT 7
#define PCR_GRUB 8
#define PCR_SYSTEMD 12

/**
 * struct learner - while it is learned
 * @rules: what becomes of it
 * @off: Secure Boot is
 * @section: the name of a UKI's section that was measured last; "" if none
 */
struct learner {
	const struct firmware_log *log;
	struct uefi_reader reader;
	struct uefi_event event;
	struct firmware_content content;
	json_t *rules;
	bool separated, off, failed;
	char section[64];
	struct assay_error *err;
};

/* ---------------------------------------------------------------- names */

static char *text_of(const struct buffer *text)
{
	char shown[256];

	return strdup(text_escape(buffer_bytes(text), shown, sizeof(shown)));
}

/* false: it has none */
static bool put_content_name(struct buffer *out, const struct firmware_content *content)
{
	const char *name = NULL;

	if (content->kind == FIRMWARE_PROGRAM) {
		struct bytes file = efi_device_path_file(content->path);

		if (file.size > 0)
			efi_text(file, out);
		else if (content->path.size > 0)
			(void)efi_device_path_text(content->path, out);
		else
			name = "a program of no path";
	} else if (content->kind == FIRMWARE_VARIABLE) {
		efi_text(content->variable.name, out);
	} else if (content->kind == FIRMWARE_TAGGED && firmware_tag_name(content->tag)) {
		name = firmware_tag_name(content->tag);
	} else if (content->text.size > 0) {
		firmware_text(content, out);
	} else if (content->description.size > 0) {
		buffer_append_bytes(out, content->description);
	} else {
		return false;
	}
	if (name)
		buffer_append(out, name, strlen(name));
	return true;
}

static void put_name(struct buffer *out, const struct uefi_event *event,
		     const struct firmware_content *content)
{
	const char *name;
	char type[16];

	if (!content->problem && put_content_name(out, content))
		return;
	name = firmware_event_type(event->type, type);
	buffer_append(out, name, strlen(name));
}

char *firmware_event_name(const struct uefi_event *event, const struct firmware_content *content)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	put_name(&text, event, content);
	/* Separators in names of files are the backslash; text_escape() shows that as bytes. */
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\\')
			text.data[i] = '/';
	return text.failed ? NULL : text_of(&text);
}

/* ---------------------------------------------------------------- members of the rules */

static json_t *member(struct learner *learner, json_t *object, const char *name, json_t *empty)
{
	json_t *value = json_object_get(object, name);

	if (value) {
		json_decref(empty);
		return value;
	}
	learner->failed |= json_object_set_new(object, name, empty) < 0;
	return json_object_get(object, name);
}

/* Appends a text, once. */
static void add_text(struct learner *learner, json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
			return;
	learner->failed |= json_array_append_new(array, json_string(text)) < 0;
}

/* The present event's digest in a bank that proves it: SHA-256 if it can be. */
static const struct assay_digest *proven_digest(const struct learner *learner)
{
	const struct assay_digest *found = NULL;

	for (size_t i = 0; i < learner->log->bank_count; i++) {
		const struct assay_digest *own =
			uefi_event_digest(&learner->event, learner->log->banks[i].hash);

		if (own && learner->log->banks[i].pcrs & UINT32_C(1) << learner->event.pcr &&
		    (!found || own->hash == ASSAY_HASH_SHA256))
			found = own;
	}
	return found;
}

static void learn_item(struct learner *learner, enum firmware_list list, const char *name)
{
	const struct assay_digest *digest = proven_digest(learner);
	json_t *items = member(learner, learner->rules, firmware_list_name(list), json_object());
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (digest)
		add_text(learner, member(learner, items, name[0] ? name : "?", json_array()),
			 assay_digest_text(digest, text));
}

/* The name of a section is measured, then what is in it. */
static bool is_section_name(struct learner *learner)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	if (learner->content.proof == FIRMWARE_PROVES_NOTHING || learner->content.text.size == 0)
		return false;
	firmware_text(&learner->content, &text);
	buffer_append_u8(&text, 0);
	if (text.failed || text.size > sizeof(learner->section) || text.data[0] != '.')
		return false;
	memcpy(learner->section, text.data, text.size);
	return true;
}

static void learn_list(struct learner *learner, enum firmware_list list)
{
	char *name;

	if (firmware_is_common(&learner->event, &learner->content))
		return;
	if (list == FIRMWARE_SECTIONS && is_section_name(learner))
		return;
	if (list == FIRMWARE_SECTIONS && learner->section[0]) {
		learn_item(learner, list, learner->section);
		learner->section[0] = '\0';
		return;
	}
	name = firmware_event_name(&learner->event, &learner->content);
	if (name)
		learn_item(learner, list, name);
	learner->failed |= !name;
	free(name);
}

/* ---------------------------------------------------------------- PCR 7 */

static json_t *entries_of(struct learner *learner, struct bytes value)
{
	json_t *array = json_array();
	struct efi_signatures signatures;
	struct efi_signature signature;
	struct assay_digest digest;
	char text[ASSAY_DIGEST_TEXT_MAX];

	efi_signatures_begin(&signatures, value);
	while (efi_signatures_next(&signatures, &signature) > 0) {
		if (firmware_entry_digest(&learner->reader.hashers, &signature, &digest,
					  learner->err) < 0) {
			learner->failed = true;
			break;
		}
		/* dbx has hundreds: a comparison with each would take long. */
		learner->failed |=
			json_array_append_new(array,
					      json_string(assay_digest_text(&digest, text))) < 0;
	}
	return array;
}

static void learn_key(struct learner *learner, enum firmware_key key, struct bytes value)
{
	struct hasher *hasher =
		hashers_get(&learner->reader.hashers, ASSAY_HASH_SHA256, learner->err);
	json_t *keys = member(learner, learner->rules, "keys", json_object());
	json_t *entries = key == FIRMWARE_DBX ? entries_of(learner, value) : NULL;
	char text[ASSAY_DIGEST_TEXT_MAX];
	struct assay_digest digest;
	json_t *rule;

	if (json_array_size(entries) > 0) {
		rule = json_pack("{s:o}", "contains", entries);
	} else {
		json_decref(entries);
		if (!hasher ||
		    hasher_digest(hasher, value, BYTES(NULL, 0), &digest, learner->err) < 0) {
			learner->failed = true;
			return;
		}
		rule = json_pack("{s:[s]}", "digests", assay_digest_text(&digest, text));
	}
	learner->failed |= json_object_set_new(keys, firmware_key_name(key), rule) < 0;
}

static void learn_variable(struct learner *learner, const struct efi_variable *variable)
{
	bool on, told = efi_is_secure_boot(variable, &on);

	if (told && on)
		learner->failed |=
			json_object_set_new(learner->rules, "secure_boot", json_string("on")) < 0;
	learner->off |= told && !on;
	for (enum firmware_key key = 0; key < FIRMWARE_KEYS; key++)
		if (efi_variable_is(variable,
				    key <= FIRMWARE_KEK ? EFI_GLOBAL_VARIABLE :
							  EFI_IMAGE_SECURITY_DATABASE,
				    firmware_key_name(key)))
			learn_key(learner, key, variable->value);
}

static void learn_secure_boot(struct learner *learner)
{
	const struct firmware_content *content = &learner->content;
	const struct assay_digest *digest = proven_digest(learner);
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (firmware_is_common(&learner->event, content)) {
		learner->separated = true;
		return;
	}
	if (!learner->separated && content->kind == FIRMWARE_VARIABLE && !content->problem &&
	    learner->event.type != UEFI_EV_EFI_VARIABLE_AUTHORITY) {
		if (content->proof == FIRMWARE_PROVES_DATA)
			learn_variable(learner, &content->variable);
		return;
	}
	if (digest)
		add_text(learner, member(learner, learner->rules, "authorities", json_array()),
			 assay_digest_text(digest, text));
}

/* ---------------------------------------------------------------- texts */

static void learn_text(struct learner *learner)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	const char *label = learner->content.label;
	/* Before its version 251, systemd measured into PCR 8. */
	bool line = learner->event.pcr == PCR_SYSTEMD || !label ||
		    strcmp(label, FIRMWARE_LABEL_KERNEL) == 0;
	json_t *value;

	if (learner->content.proof == FIRMWARE_PROVES_NOTHING || learner->content.text.size == 0)
		return;
	firmware_text(&learner->content, &text);
	if (text.failed || text.size == 0 || memchr(text.data, '\0', text.size))
		return;
	value = json_stringn((const char *)text.data, text.size);
	/* What is no UTF-8 no policy can have. */
	if (!value)
		return;
	add_text(learner,
		 member(learner, learner->rules, line ? "command_lines" : "commands", json_array()),
		 json_string_value(value));
	json_decref(value);
}

/* ---------------------------------------------------------------- the whole */

static void learn_event(struct learner *learner)
{
	unsigned int pcr = learner->event.pcr;

	if (pcr == PCR_SECURE_BOOT)
		learn_secure_boot(learner);
	else if (pcr == PCR_GRUB || pcr == PCR_SYSTEMD)
		learn_text(learner);
	for (enum firmware_list list = 0; list < FIRMWARE_LISTS; list++)
		if (firmware_list_pcr(list) == pcr)
			learn_list(learner, list);
}

static bool is_proven(const struct firmware_log *log, uint32_t pcr)
{
	for (size_t i = 0; i < log->bank_count; i++)
		if (log->banks[i].pcrs & UINT32_C(1) << pcr)
			return true;
	return false;
}

static int learn_events(struct learner *learner)
{
	int r;

	while ((r = uefi_next(&learner->reader, &learner->event, learner->err)) > 0) {
		if (!learner->event.extended || !is_proven(learner->log, learner->event.pcr))
			continue;
		r = firmware_content_read(&learner->reader, &learner->event, &learner->content,
					  learner->err);
		if (r < 0)
			return r;
		learn_event(learner);
		if (learner->failed)
			return assay_fail(learner->err, ENOMEM, "out of memory");
	}
	return r;
}

/* What systemd put behind it. */
static void learn_systemd(struct learner *learner)
{
	const struct firmware_log *log = learner->log;
	char text[UKI_PHASES_MAX + 1];

	if (log->phases != 0)
		add_text(learner, member(learner, learner->rules, "phases", json_array()),
			 uki_words_text(log->phases, text));
	if ((log->separated & FIRMWARE_SEPARATED_ALWAYS) == FIRMWARE_SEPARATED_ALWAYS)
		learner->failed |= json_object_set_new(learner->rules, "os_separator",
						       json_string("required")) < 0;
}

/* The PCRs that there are rules about. */
static uint32_t ruled_pcrs(const json_t *rules)
{
	uint32_t pcrs = 0;

	for (enum firmware_list list = 0; list < FIRMWARE_LISTS; list++)
		if (json_object_get(rules, firmware_list_name(list)))
			pcrs |= UINT32_C(1) << firmware_list_pcr(list);
	if (json_object_get(rules, "phases"))
		pcrs |= UINT32_C(1) << FIRMWARE_PHASES_PCR;
	if (json_object_get(rules, "keys"))
		pcrs |= UINT32_C(1) << PCR_SECURE_BOOT;
	if (json_object_get(rules, "command_lines"))
		pcrs |= UINT32_C(1) << PCR_GRUB | UINT32_C(1) << PCR_SYSTEMD;
	return pcrs;
}

int firmware_learn(const struct firmware_log *log, json_t **ret, uint32_t *ret_pcrs,
		   struct assay_error *err)
{
	struct learner learner = { .log = log, .rules = json_object(), .err = err };
	int r = uefi_open(&learner.reader, log->log, err);

	if (r < 0) {
		json_decref(learner.rules);
		return r;
	}
	r = learn_events(&learner);
	uefi_close(&learner.reader);
	learn_systemd(&learner);
	if (r == 0 && learner.failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	/* Commands without a line are not judged. */
	if (!json_object_get(learner.rules, "command_lines"))
		(void)json_object_del(learner.rules, "commands");
	/* Where Secure Boot is off nobody was asked, whatever the shim measures. */
	if (learner.off)
		(void)json_object_del(learner.rules, "authorities");
	if (r < 0) {
		json_decref(learner.rules);
		return r;
	}
	*ret = learner.rules;
	*ret_pcrs = ruled_pcrs(learner.rules);
	return 0;
}
