// SPDX-License-Identifier: MIT
/* Events of the firmware's log for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "firmware/describe_internal.h"
#include "firmware/device_path.h"

const char *firmware_event_type(uint32_t type, char text[static 16])
{
	const char *name = uefi_type_name(type);

	if (name)
		return name;
	snprintf(text, 16, "0x%08" PRIx32, type);
	return text;
}

/* "0x" and hexadecimal digits: of any number of bytes, and so no digest by its look. */
static json_t *bytes_json(struct bytes bytes)
{
	char *text = malloc(2 * bytes.size + 3);
	json_t *value;

	if (!text)
		return NULL;
	text[0] = '0';
	text[1] = 'x';
	hex_encode(bytes, text + 2);
	value = json_string(text);
	free(text);
	return value;
}

static json_t *address_json(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

/* As a number where it fits JSON's, else as text. */
static json_t *u64_json(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) :
				    json_sprintf("%" PRIu64, value);
}

static json_t *utf16_json(struct bytes text)
{
	CLEANUP(buffer_free) struct buffer utf8 = { 0 };

	efi_text(text, &utf8);
	return utf8.failed ? NULL : json_escaped(buffer_bytes(&utf8));
}

static json_t *path_json(struct bytes path)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	(void)efi_device_path_text(path, &text);
	return text.failed ? NULL : json_escaped(buffer_bytes(&text));
}

static json_t *guid_json(const uint8_t *guid)
{
	char text[EFI_GUID_TEXT];

	return json_string(efi_guid_text(guid, text));
}

static void add_text(json_t *object, const struct firmware_content *content)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	firmware_text(content, &text);
	json_object_set_new(object, "text", json_escaped(buffer_bytes(&text)));
	if (content->label)
		json_object_set_new(object, "label",
				    json_stringn(content->label, strcspn(content->label, ":")));
}

static void add_variable(json_t *object, const struct uefi_event *event,
			 const struct efi_variable *variable)
{
	struct firmware_load_option option;
	bool whole;

	json_object_set_new(object, "guid", guid_json(variable->guid));
	json_object_set_new(object, "name", utf16_json(variable->name));
	json_object_set_new(object, "value", bytes_json(variable->value));
	if (firmware_is_signatures(event, variable))
		json_object_set_new(object, "signatures",
				    firmware_signatures_json(variable->value, &whole));
	if (event->type == UEFI_EV_EFI_VARIABLE_AUTHORITY) {
		CLEANUP(free_pointer)
		char *subject = firmware_signature_subject(firmware_authority(variable));

		if (subject)
			json_object_set_new(object, "subject", json_text(subject));
	}
	if (firmware_is_load_option(variable) &&
	    firmware_load_option_parse(variable->value, &option)) {
		json_object_set_new(object, "label", utf16_json(option.description));
		json_object_set_new(object, "device_path", path_json(option.path));
	}
}

static void add_tables(json_t *object, const struct firmware_content *content)
{
	struct bytes entries = content->entries, entry;
	json_t *tables = json_array();

	while (bytes_take(&entries, FIRMWARE_TABLE_SIZE, &entry))
		json_array_append_new(tables, guid_json(entry.data));
	json_object_set_new(object, "tables", tables);
}

static void add_partitions(json_t *object, const struct firmware_content *content)
{
	json_t *partitions = json_array();

	json_object_set_new(object, "guid", guid_json(content->disk));
	for (size_t i = 0; i < content->count; i++) {
		struct firmware_partition partition = firmware_partition(content, i);

		json_array_append_new(
			partitions,
			json_pack("{s:o, s:o, s:o, s:o, s:o}", "partition_type",
				  guid_json(partition.type), "guid", guid_json(partition.id),
				  "first_block", u64_json(partition.first), "last_block",
				  u64_json(partition.last), "name", utf16_json(partition.name)));
	}
	json_object_set_new(object, "partitions", partitions);
}

static void add_place(json_t *object, const struct firmware_content *content)
{
	json_object_set_new(object, "address", address_json(content->base));
	json_object_set_new(object, "size", u64_json(content->size));
}

static json_t *content_json(const struct uefi_event *event, const struct firmware_content *content)
{
	json_t *object = json_object();

	if (content->problem) {
		json_object_set_new(object, "problem", json_string(content->problem));
		json_object_set_new(object, "raw", bytes_json(event->data));
		return object;
	}
	json_object_set_new(object, "kind", json_string(firmware_kind_name(content->kind)));
	if (content->description.size > 0)
		json_object_set_new(object, "label", json_escaped(content->description));
	if (content->kind == FIRMWARE_VARIABLE)
		add_variable(object, event, &content->variable);
	if (content->kind == FIRMWARE_PROGRAM || content->kind == FIRMWARE_BLOB)
		add_place(object, content);
	if (content->kind == FIRMWARE_PROGRAM)
		json_object_set_new(object, "device_path", path_json(content->path));
	if (content->kind == FIRMWARE_TABLES)
		add_tables(object, content);
	if (content->kind == FIRMWARE_PARTITIONS)
		add_partitions(object, content);
	if (content->kind == FIRMWARE_TAGGED)
		json_object_set_new(object, "tag", address_json(content->tag));
	if (content->kind == FIRMWARE_SEPARATOR || content->kind == FIRMWARE_LOCALITY)
		json_object_set_new(object, "number", json_integer(content->number));
	if (content->text.size > 0)
		add_text(object, content);
	if (content->kind == FIRMWARE_DATA)
		json_object_set_new(object, "raw", bytes_json(event->data));
	return object;
}

static json_t *digests_json(const struct uefi_event *event)
{
	json_t *array = json_array();

	for (size_t i = 0; i < event->digest_count; i++) {
		const struct assay_digest *digest = &event->digests[i];
		char text[ASSAY_DIGEST_TEXT_MAX], hex[2 * ASSAY_DIGEST_MAX + 1];

		if (assay_hash_size(digest->hash) != 0) {
			json_array_append_new(array, json_string(assay_digest_text(digest, text)));
			continue;
		}
		hex_encode(BYTES(digest->bytes, digest->size), hex);
		json_array_append_new(array, json_sprintf("0x%04x:%s", digest->hash, hex));
	}
	return array;
}

static json_t *rules_json(uint32_t rules)
{
	json_t *array = json_array();

	for (unsigned int rule = 0; rule < UEFI_RULES; rule++)
		if (rules & UINT32_C(1) << rule)
			json_array_append_new(array,
					      json_string(uefi_rule_name((enum uefi_rule)rule)));
	return array;
}

json_t *firmware_event_json(const struct uefi_event *event, const struct firmware_content *content)
{
	CLEANUP(buffer_free) struct buffer says = { 0 };
	char type[16];
	json_t *object;

	firmware_says(event, content, &says);
	buffer_append_u8(&says, 0);
	if (says.failed)
		return NULL;
	object = json_pack("{s:I, s:I, s:s, s:o, s:b, s:s, s:o, s:o, s:o}", "event_number",
			   (json_int_t)event->number, "offset", (json_int_t)event->offset,
			   "event_type", firmware_event_type(event->type, type), "digests",
			   digests_json(event), "extended", event->extended, "proves",
			   firmware_proof_name(content->proof), "broken_rules",
			   rules_json(event->rules), "says", json_text((const char *)says.data),
			   "event_data", content_json(event, content));
	if (object && event->pcr != UEFI_NO_PCR)
		json_object_set_new(object, "pcr", json_integer(event->pcr));
	return object;
}
