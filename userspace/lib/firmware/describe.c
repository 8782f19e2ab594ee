// SPDX-License-Identifier: MIT
/* Events of the firmware's log in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "firmware/describe_internal.h"
#include "firmware/device_path.h"

/* Foreign text in a line, as bytes at most; partitions, tables, boot entries in one. */
#define TEXT_SHOWN 4096
#define LIST_SHOWN 16
/* Data of no known form, shown in hexadecimal, in bytes at most. */
#define DATA_SHOWN 32
/* What firmware measures: PCRs 0 to 7, PFP 2.3.4. */
#define FIRMWARE_OWN_PCRS 8

void firmware_put(struct buffer *out, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buffer_append(out, text, strlen(text));
}

void firmware_put_escaped(struct buffer *out, struct bytes text)
{
	char shown[TEXT_SHOWN];

	text_escape(text, shown, sizeof(shown));
	buffer_append(out, shown, strlen(shown));
}

void firmware_put_utf16(struct buffer *out, struct bytes text)
{
	CLEANUP(buffer_free) struct buffer utf8 = { 0 };

	efi_text(text, &utf8);
	firmware_put_escaped(out, buffer_bytes(&utf8));
}

static void put_path(struct buffer *out, struct bytes path)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	bool whole = efi_device_path_text(path, &text);

	firmware_put_escaped(out, buffer_bytes(&text));
	if (!whole)
		firmware_put(out, " (malformed behind that)");
}

static void put_text(struct buffer *out, const struct firmware_content *content)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	firmware_text(content, &text);
	firmware_put_escaped(out, buffer_bytes(&text));
}

/* ---------------------------------------------------------------- variables */

static void put_boot_order(struct buffer *out, struct bytes value)
{
	uint16_t number;

	for (size_t i = 0; bytes_take_le16(&value, &number); i++) {
		if (i == LIST_SHOWN) {
			firmware_put(out, ",...");
			return;
		}
		firmware_put(out, "%s%04X", i > 0 ? "," : "", number);
	}
}

static void put_load_option(struct buffer *out, const struct firmware_load_option *option)
{
	firmware_put(out, "\"");
	firmware_put_utf16(out, option->description);
	firmware_put(out, "\", ");
	put_path(out, option->path);
	if (!(option->attributes & 1))
		firmware_put(out, ", not active");
}

static void put_authority(struct buffer *out, const struct efi_variable *variable)
{
	CLEANUP(free_pointer)
	char *subject = firmware_signature_subject(firmware_authority(variable));

	if (subject)
		firmware_put(out, "%s", subject);
	else if (efi_text_is(variable->name, "SbatLevel"))
		firmware_put_escaped(out, variable->value);
	else
		firmware_put(out, "%zu bytes", variable->value.size);
}

static void put_value(struct buffer *out, const struct uefi_event *event,
		      const struct efi_variable *variable)
{
	struct firmware_load_option option;

	if (firmware_is_signatures(event, variable)) {
		firmware_put_signatures(out, variable->value);
	} else if (efi_text_is(variable->name, "BootOrder")) {
		put_boot_order(out, variable->value);
	} else if (firmware_is_load_option(variable) &&
		   firmware_load_option_parse(variable->value, &option)) {
		put_load_option(out, &option);
	} else if (event->type == UEFI_EV_EFI_VARIABLE_AUTHORITY && variable->value.size > 1) {
		put_authority(out, variable);
	} else if (variable->value.size == 1) {
		firmware_put(out, "%u%s", variable->value.data[0],
			     efi_text_is(variable->name, "SecureBoot") ?
				     (variable->value.data[0] == 1 ? " (on)" : " (off)") :
				     "");
	} else if (variable->value.size == 0) {
		firmware_put(out, "empty");
	} else {
		firmware_put(out, "%zu bytes", variable->value.size);
	}
}

static void put_variable(struct buffer *out, const struct uefi_event *event,
			 const struct efi_variable *variable)
{
	firmware_put_utf16(out, variable->name);
	firmware_put(out, ": ");
	put_value(out, event, variable);
}

/* ---------------------------------------------------------------- lists */

static void put_tables(struct buffer *out, const struct firmware_content *content)
{
	struct bytes entries = content->entries, entry;

	if (content->description.size > 0) {
		firmware_put(out, "\"");
		firmware_put_escaped(out, content->description);
		firmware_put(out, "\": ");
	}
	firmware_put(out, "%" PRIu64 " table%s", content->count, content->count == 1 ? "" : "s");
	for (size_t i = 0; bytes_take(&entries, FIRMWARE_TABLE_SIZE, &entry); i++) {
		const char *name = efi_guid_name(entry.data);
		char text[EFI_GUID_TEXT];

		if (i == LIST_SHOWN) {
			firmware_put(out, ", ...");
			return;
		}
		firmware_put(out, "%s%s", i > 0 ? ", " : ": ",
			     name ? name : efi_guid_text(entry.data, text));
	}
}

static void put_partitions(struct buffer *out, const struct firmware_content *content)
{
	char text[EFI_GUID_TEXT];

	firmware_put(out, "disk %s, %" PRIu64 " partition%s", efi_guid_text(content->disk, text),
		     content->count, content->count == 1 ? "" : "s");
	for (size_t i = 0; i < content->count; i++) {
		struct firmware_partition partition = firmware_partition(content, i);
		const char *name = efi_guid_name(partition.type);

		firmware_put(out, "%s", i > 0 ? ", " : ": ");
		if (i == LIST_SHOWN) {
			firmware_put(out, "...");
			return;
		}
		if (partition.name.size > 0) {
			firmware_put(out, "\"");
			firmware_put_utf16(out, partition.name);
			firmware_put(out, "\"");
		} else {
			firmware_put(out, "%s", name ? name : efi_guid_text(partition.type, text));
		}
	}
}

/* ---------------------------------------------------------------- each kind */

static void put_blob(struct buffer *out, const struct firmware_content *content)
{
	if (content->description.size > 0) {
		firmware_put(out, "\"");
		firmware_put_escaped(out, content->description);
		firmware_put(out, "\", ");
	}
	firmware_put(out, "%" PRIu64 " bytes at 0x%" PRIx64, content->size, content->base);
}

static void put_labelled(struct buffer *out, const struct firmware_content *content)
{
	if (content->label && strcmp(content->label, FIRMWARE_LABEL_KERNEL) == 0)
		firmware_put(out, "kernel command line ");
	else if (content->label && strcmp(content->label, FIRMWARE_LABEL_MODULE) == 0)
		firmware_put(out, "module command line ");
	else if (content->label)
		firmware_put(out, "grub command ");
	firmware_put(out, "\"");
	put_text(out, content);
	firmware_put(out, "\"");
}

/* Boot loaders that have read a program themselves name no path. */
static void put_program(struct buffer *out, const struct firmware_content *content)
{
	if (content->path.size > 0)
		put_path(out, content->path);
	else
		firmware_put(out, "a program of no path");
	firmware_put(out, ", %" PRIu64 " bytes", content->size);
}

static void put_tagged(struct buffer *out, const struct firmware_content *content)
{
	const char *name = firmware_tag_name(content->tag);

	if (name)
		firmware_put(out, "%s", name);
	else
		firmware_put(out, "tag 0x%08" PRIx32, content->tag);
	if (content->text.size > 0) {
		firmware_put(out, " (\"");
		put_text(out, content);
		firmware_put(out, "\")");
	}
}

/* Of the firmware's own PCRs, or RTMRs, it says something; Windows writes some into others. */
static void put_separator(struct buffer *out, uint32_t pcr, uint32_t number)
{
	if (pcr >= FIRMWARE_OWN_PCRS)
		firmware_put(out, "separator 0x%" PRIx32, number);
	else if (number == 0 || number == UINT32_MAX)
		firmware_put(out, "what the firmware measures here before it boots ends with this");
	else
		firmware_put(out, "the firmware failed: 0x%" PRIx32, number);
}

static void put_data(struct buffer *out, struct bytes data)
{
	char hex[2 * DATA_SHOWN + 1];

	if (data.size == 0 || data.size > DATA_SHOWN) {
		firmware_put(out, "%zu bytes", data.size);
		return;
	}
	hex_encode(data, hex);
	firmware_put(out, "0x%s", hex);
}

void firmware_says(const struct uefi_event *event, const struct firmware_content *content,
		   struct buffer *out)
{
	if (content->problem) {
		firmware_put(out, "%s", content->problem);
		return;
	}
	switch (content->kind) {
	case FIRMWARE_TEXT:
		put_labelled(out, content);
		break;
	case FIRMWARE_VARIABLE:
		put_variable(out, event, &content->variable);
		break;
	case FIRMWARE_PROGRAM:
		put_program(out, content);
		break;
	case FIRMWARE_BLOB:
		put_blob(out, content);
		break;
	case FIRMWARE_TABLES:
		put_tables(out, content);
		break;
	case FIRMWARE_PARTITIONS:
		put_partitions(out, content);
		break;
	case FIRMWARE_TAGGED:
		put_tagged(out, content);
		break;
	case FIRMWARE_SEPARATOR:
		put_separator(out, event->pcr, content->number);
		break;
	case FIRMWARE_HEADER:
		firmware_put(out, "the log's header");
		break;
	case FIRMWARE_LOCALITY:
		firmware_put(out, "the TPM was started from locality %" PRIu32, content->number);
		break;
	case FIRMWARE_NOTE:
		put_labelled(out, content);
		break;
	default:
		put_data(out, event->data);
	}
}
