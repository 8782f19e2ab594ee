// SPDX-License-Identifier: MIT
#include "firmware/content.h"

#include <errno.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define GPT_HEADER_SIZE 92
#define GPT_DISK_AT 56
#define GPT_ENTRY_SIZE_AT 84
/* What EV_NO_ACTION events begin with (PFP 10.4.5). */
#define NOTE_SIGNATURE_SIZE 16
#define SPEC_ID "Spec ID Event0"

const char *firmware_kind_name(enum firmware_kind kind)
{
	static const char *const names[] = {
		[FIRMWARE_DATA] = "data",
		[FIRMWARE_TEXT] = "text",
		[FIRMWARE_VARIABLE] = "variable",
		[FIRMWARE_PROGRAM] = "program",
		[FIRMWARE_BLOB] = "blob",
		[FIRMWARE_TABLES] = "tables",
		[FIRMWARE_PARTITIONS] = "partitions",
		[FIRMWARE_TAGGED] = "tagged",
		[FIRMWARE_SEPARATOR] = "separator",
		[FIRMWARE_HEADER] = "header",
		[FIRMWARE_LOCALITY] = "locality",
		[FIRMWARE_NOTE] = "note",
	};

	return names[kind];
}

const char *firmware_proof_name(enum firmware_proof proof)
{
	static const char *const names[] = {
		[FIRMWARE_PROVES_NOTHING] = "nothing",
		[FIRMWARE_PROVES_DATA] = "data",
		[FIRMWARE_PROVES_VALUE] = "value",
		[FIRMWARE_PROVES_TEXT] = "text",
	};

	return names[proof];
}

/* efistub.h of Linux; src/fundamental/tpm2-pcr.h of systemd */
const char *firmware_tag_name(uint32_t tag)
{
	static const struct {
		uint32_t tag;
		const char *name;
	} tags[] = {
		{ FIRMWARE_TAG_INITRD, "the initrd, by Linux's EFI stub" },
		{ FIRMWARE_TAG_LOAD_OPTIONS, "the load options, by Linux's EFI stub" },
		{ 0xf5bc582a, "loader.conf of systemd-boot" },
		{ 0x6c46f751, "a device tree add-on of systemd-stub" },
		{ 0x49dffe0f, "an initrd add-on of systemd-stub" },
		{ 0xdac08e1a, "a microcode add-on of systemd-stub" },
		{ 0xd5cb7cbc, "SMBIOS type 1, by systemd" },
		{ 0xe0d47bc8, "SMBIOS type 2, by systemd" },
		{ 0xc0b3bd23, "SMBIOS type 11, by systemd" },
	};

	for (size_t i = 0; i < COUNT_OF(tags); i++)
		if (tags[i].tag == tag)
			return tags[i].name;
	return NULL;
}

/* ---------------------------------------------------------------- text */

static struct bytes without_nuls(struct bytes data)
{
	while (data.size > 0 && data.data[data.size - 1] == 0)
		data.size--;
	return data;
}

static bool is_ascii(struct bytes data)
{
	if (data.size == 0)
		return false;
	for (size_t i = 0; i < data.size; i++)
		if (data.data[i] >= 0x7f || (data.data[i] < 0x20 && data.data[i] != '\t' &&
					     data.data[i] != '\n' && data.data[i] != '\r'))
			return false;
	return true;
}

/* UTF-16 is taken for text if its first character is of ASCII and no NUL is within. */
static bool is_utf16(struct bytes data)
{
	if (data.size < 2 || data.size % 2 != 0 || data.data[1] != 0 || data.data[0] < 0x20)
		return false;
	for (size_t i = 0; i < data.size; i += 2)
		if (data.data[i] == 0 && data.data[i + 1] == 0)
			return false;
	return true;
}

/* Text in either form; false where it is none. */
static bool find_text(struct bytes data, struct firmware_content *content)
{
	struct bytes text = without_nuls(data);

	if (is_ascii(text)) {
		content->text = text;
		return true;
	}
	/* Some log one byte less than they extend: half of the NUL. */
	text = BYTES(data.data, data.size - (data.size % 2 != 0 && data.data[data.size - 1] == 0));
	while (text.size >= 2 && text.size % 2 == 0 && text.data[text.size - 1] == 0 &&
	       text.data[text.size - 2] == 0)
		text.size -= 2;
	if (!is_utf16(text))
		return false;
	content->text = text;
	content->utf16 = true;
	return true;
}

/* Takes what a boot loader puts before a text off it. */
static void split_label(struct firmware_content *content)
{
	static const char *const labels[] = { FIRMWARE_LABEL_COMMAND, FIRMWARE_LABEL_KERNEL,
					      FIRMWARE_LABEL_MODULE };

	for (size_t i = 0; i < COUNT_OF(labels) && !content->utf16; i++) {
		size_t size = strlen(labels[i]);

		if (content->text.size < size || memcmp(content->text.data, labels[i], size) != 0)
			continue;
		content->label = labels[i];
		content->text = BYTES(content->text.data + size, content->text.size - size);
		return;
	}
}

void firmware_text(const struct firmware_content *content, struct buffer *out)
{
	if (content->utf16)
		efi_text(content->text, out);
	else
		buffer_append_bytes(out, content->text);
}

/* ---------------------------------------------------------------- the types' forms */

/* Each returns why the data are not of the form, or NULL. */
typedef const char *content_reader(struct bytes data, struct firmware_content *content);

static const char *read_text(struct bytes data, struct firmware_content *content)
{
	content->kind = find_text(data, content) ? FIRMWARE_TEXT : FIRMWARE_DATA;
	if (content->kind == FIRMWARE_TEXT)
		split_label(content);
	return NULL;
}

static const char *read_variable(struct bytes data, struct firmware_content *content)
{
	content->kind = FIRMWARE_VARIABLE;
	return efi_variable_parse(data, &content->variable) ?
		       NULL :
		       "it is no variable: the sizes in it are not its own";
}

/* UEFI_IMAGE_LOAD_EVENT, PFP 10.4.3 */
static const char *read_program(struct bytes data, struct firmware_content *content)
{
	uint64_t link, path_size;

	content->kind = FIRMWARE_PROGRAM;
	if (!bytes_take_le64(&data, &content->base) || !bytes_take_le64(&data, &content->size) ||
	    !bytes_take_le64(&data, &link) || !bytes_take_le64(&data, &path_size) ||
	    path_size > data.size)
		return "it is no loaded image: the sizes in it are not its own";
	/* The shim once logged some bytes behind it. */
	content->path = BYTES(data.data, (size_t)path_size);
	return NULL;
}

/* UEFI_PLATFORM_FIRMWARE_BLOB, PFP 10.4.3.1; or what it is, in words */
static const char *read_blob(struct bytes data, struct firmware_content *content)
{
	struct bytes in = data;

	if (data.size != 16)
		return read_text(data, content);
	content->kind = FIRMWARE_BLOB;
	(void)bytes_take_le64(&in, &content->base);
	(void)bytes_take_le64(&in, &content->size);
	return NULL;
}

/* UEFI_PLATFORM_FIRMWARE_BLOB2 */
static const char *read_blob2(struct bytes data, struct firmware_content *content)
{
	uint8_t size;

	content->kind = FIRMWARE_BLOB;
	if (!bytes_take_u8(&data, &size) || !bytes_take(&data, size, &content->description) ||
	    !bytes_take_le64(&data, &content->base) || !bytes_take_le64(&data, &content->size) ||
	    data.size != 0)
		return "it is no blob of the firmware: the sizes in it are not its own";
	return NULL;
}

/* UEFI_HANDOFF_TABLE_POINTERS, PFP 10.4.3.2 */
static const char *read_tables(struct bytes data, struct firmware_content *content)
{
	content->kind = FIRMWARE_TABLES;
	if (!bytes_take_le64(&data, &content->count) ||
	    content->count > data.size / FIRMWARE_TABLE_SIZE ||
	    content->count * FIRMWARE_TABLE_SIZE != data.size)
		return "it is no list of tables: the number in it is not its own";
	content->entries = data;
	return NULL;
}

static const char *read_tables2(struct bytes data, struct firmware_content *content)
{
	uint8_t size;

	if (!bytes_take_u8(&data, &size) || !bytes_take(&data, size, &content->description)) {
		content->kind = FIRMWARE_TABLES;
		return "it is no list of tables: the sizes in it are not its own";
	}
	return read_tables(data, content);
}

/* UEFI_GPT_DATA, PFP 10.4.4 */
static const char *read_partitions(struct bytes data, struct firmware_content *content)
{
	struct bytes header, size;

	content->kind = FIRMWARE_PARTITIONS;
	if (!bytes_take(&data, GPT_HEADER_SIZE, &header) ||
	    !bytes_take_le64(&data, &content->count))
		return "it is no partition table: it is too short";
	content->disk = header.data + GPT_DISK_AT;
	size = BYTES(header.data + GPT_ENTRY_SIZE_AT, sizeof(uint32_t));
	(void)bytes_take_le32(&size, &content->entry_size);
	if (content->entry_size < FIRMWARE_PARTITION_SIZE ||
	    content->count > data.size / content->entry_size ||
	    content->count * content->entry_size != data.size)
		return "it is no partition table: the numbers in it are not its own";
	content->entries = data;
	return NULL;
}

/* TCG_PCClientTaggedEvent, PFP 10.4.2.1 */
static const char *read_tagged(struct bytes data, struct firmware_content *content)
{
	uint32_t size;

	content->kind = FIRMWARE_TAGGED;
	if (!bytes_take_le32(&data, &content->tag) || !bytes_take_le32(&data, &size) ||
	    size != data.size)
		return "it is no tagged event: the size in it is not its own";
	(void)find_text(data, content);
	return NULL;
}

static const char *read_separator(struct bytes data, struct firmware_content *content)
{
	content->kind = FIRMWARE_SEPARATOR;
	return bytes_take_le32(&data, &content->number) && data.size == 0 ?
		       NULL :
		       "it is no separator: it is not of 4 bytes";
}

static const char *read_note(struct bytes data, struct firmware_content *content)
{
	struct bytes signature;
	uint8_t locality;

	if (uefi_startup_locality(data, &locality)) {
		content->kind = FIRMWARE_LOCALITY;
		content->number = locality;
		return NULL;
	}
	if (!bytes_take(&data, NOTE_SIGNATURE_SIZE, &signature) ||
	    !is_ascii(without_nuls(signature)))
		return NULL;
	content->text = without_nuls(signature);
	content->kind = content->text.size > strlen(SPEC_ID) &&
					memcmp(content->text.data, SPEC_ID, strlen(SPEC_ID)) == 0 ?
				FIRMWARE_HEADER :
				FIRMWARE_NOTE;
	return NULL;
}

static content_reader *reader_of(uint32_t type)
{
	static const struct {
		uint32_t type;
		content_reader *read;
	} readers[] = {
		{ UEFI_EV_NO_ACTION, read_note },
		{ UEFI_EV_POST_CODE, read_blob },
		{ UEFI_EV_SEPARATOR, read_separator },
		{ UEFI_EV_EVENT_TAG, read_tagged },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, read_variable },
		{ UEFI_EV_EFI_VARIABLE_BOOT, read_variable },
		{ UEFI_EV_EFI_VARIABLE_BOOT2, read_variable },
		{ UEFI_EV_EFI_VARIABLE_AUTHORITY, read_variable },
		{ UEFI_EV_EFI_BOOT_SERVICES_APPLICATION, read_program },
		{ UEFI_EV_EFI_BOOT_SERVICES_DRIVER, read_program },
		{ UEFI_EV_EFI_RUNTIME_SERVICES_DRIVER, read_program },
		{ UEFI_EV_EFI_GPT_EVENT, read_partitions },
		{ UEFI_EV_EFI_GPT_EVENT2, read_partitions },
		{ UEFI_EV_EFI_PLATFORM_FIRMWARE_BLOB, read_blob },
		{ UEFI_EV_EFI_PLATFORM_FIRMWARE_BLOB2, read_blob2 },
		{ UEFI_EV_EFI_HANDOFF_TABLES, read_tables },
		{ UEFI_EV_EFI_HANDOFF_TABLES2, read_tables2 },
	};

	for (size_t i = 0; i < COUNT_OF(readers); i++)
		if (readers[i].type == type)
			return readers[i].read;
	return read_text;
}

/* ---------------------------------------------------------------- what is proven */

/*
 * Text in the forms that boot loaders extend: grub's without its label and its NUL; systemd's
 * without its NUL or with it, as it is logged or not; the name of a UKI's section in ASCII with its
 * NUL, where UTF-16 is logged.
 */
static int is_text_proven(struct uefi_reader *reader, const struct uefi_event *event,
			  const struct firmware_content *content, bool *ret,
			  struct assay_error *err)
{
	struct buffer terminated = { 0 }, ascii = { 0 };
	int r = uefi_event_covers(reader, event, content->text, ret, err);

	if (r < 0 || *ret || !content->utf16)
		return r;
	buffer_append_bytes(&terminated, content->text);
	buffer_append(&terminated, "\0", 2);
	efi_text(content->text, &ascii);
	buffer_append_u8(&ascii, 0);
	if (terminated.failed || ascii.failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = uefi_event_covers(reader, event, buffer_bytes(&terminated), ret, err);
	if (r == 0 && !*ret)
		r = uefi_event_covers(reader, event, buffer_bytes(&ascii), ret, err);
	buffer_free(&terminated);
	buffer_free(&ascii);
	return r;
}

/* What an event that is not covered as a whole proves. */
static int find_part(struct uefi_reader *reader, const struct uefi_event *event,
		     struct firmware_content *content, struct assay_error *err)
{
	const struct efi_variable *variable = &content->variable;
	bool proven = false;
	int r = 0;

	if (content->kind == FIRMWARE_VARIABLE) {
		size_t size = event->data.size - variable->excess;

		r = uefi_event_covers(reader, event, BYTES(event->data.data, size), &proven, err);
		if (proven)
			content->proof = FIRMWARE_PROVES_DATA;
		if (r == 0 && !proven)
			r = uefi_event_covers(reader, event, variable->value, &proven, err);
		if (proven && content->proof == FIRMWARE_PROVES_NOTHING)
			content->proof = FIRMWARE_PROVES_VALUE;
	} else if (content->text.size > 0) {
		r = is_text_proven(reader, event, content, &proven, err);
		if (proven)
			content->proof = FIRMWARE_PROVES_TEXT;
	}
	return r;
}

static int find_proof(struct uefi_reader *reader, const struct uefi_event *event,
		      struct firmware_content *content, struct assay_error *err)
{
	content->proof = event->covered ? FIRMWARE_PROVES_DATA : FIRMWARE_PROVES_NOTHING;
	if (event->covered || !event->extended || content->problem)
		return 0;
	return find_part(reader, event, content, err);
}

int firmware_content_read(struct uefi_reader *reader, const struct uefi_event *event,
			  struct firmware_content *ret, struct assay_error *err)
{
	struct firmware_content content = { 0 };
	int r;

	content.problem = reader_of(event->type)(event->data, &content);
	r = find_proof(reader, event, &content, err);
	if (r == 0)
		*ret = content;
	return r;
}

/* ---------------------------------------------------------------- parts */

struct firmware_partition firmware_partition(const struct firmware_content *content, size_t index)
{
	struct bytes in =
		BYTES(content->entries.data + index * content->entry_size, FIRMWARE_PARTITION_SIZE);
	struct firmware_partition partition = { 0 };
	struct bytes type, id;
	uint64_t attributes;

	(void)bytes_take(&in, EFI_GUID_SIZE, &type);
	(void)bytes_take(&in, EFI_GUID_SIZE, &id);
	(void)bytes_take_le64(&in, &partition.first);
	(void)bytes_take_le64(&in, &partition.last);
	(void)bytes_take_le64(&in, &attributes);
	partition.type = type.data;
	partition.id = id.data;
	partition.name = in;
	/* A NUL ends it, if there is one. */
	(void)efi_take_text(&in, &partition.name);
	return partition;
}

bool firmware_load_option_parse(struct bytes value, struct firmware_load_option *ret)
{
	struct firmware_load_option option;
	uint16_t path_size;

	if (!bytes_take_le32(&value, &option.attributes) || !bytes_take_le16(&value, &path_size) ||
	    !efi_take_text(&value, &option.description) ||
	    !bytes_take(&value, path_size, &option.path))
		return false;
	option.data = value;
	*ret = option;
	return true;
}

static bool is_hex_unit(const uint8_t *unit)
{
	return unit[1] == 0 && unit[0] != 0 && strchr("0123456789abcdefABCDEF", unit[0]) != NULL;
}

bool firmware_is_load_option(const struct efi_variable *variable)
{
	static const char *const names[] = { "Boot", "Driver", "SysPrep", "PlatformRecovery" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t size = 2 * strlen(names[i]);
		bool digits = variable->name.size == size + 8;

		for (size_t at = size; digits && at < size + 8; at += 2)
			digits = is_hex_unit(variable->name.data + at);
		if (digits && efi_text_is(BYTES(variable->name.data, size), names[i]))
			return true;
	}
	return false;
}
