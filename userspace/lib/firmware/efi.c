// SPDX-License-Identifier: MIT
#include "firmware/efi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---------------------------------------------------------------- GUIDs */

/* The first three fields are little-endian: where each byte of the text stands. */
static const uint8_t guid_order[EFI_GUID_SIZE] = { 3, 2, 1,  0,	 5,  4,	 7,  6,
						   8, 9, 10, 11, 12, 13, 14, 15 };

char *efi_guid_text(const uint8_t guid[static EFI_GUID_SIZE], char text[static EFI_GUID_TEXT])
{
	size_t used = 0;

	for (size_t i = 0; i < EFI_GUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[used++] = '-';
		hex_encode(BYTES(&guid[guid_order[i]], 1), text + used);
		used += 2;
	}
	return text;
}

bool efi_guid_parse(const char *text, uint8_t ret[static EFI_GUID_SIZE])
{
	char hex[2 * EFI_GUID_SIZE + 1];
	uint8_t bytes[EFI_GUID_SIZE];
	size_t used = 0, size;

	if (strlen(text) != EFI_GUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < EFI_GUID_TEXT - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return false;
		if (!dash)
			hex[used++] = text[i];
	}
	hex[used] = '\0';
	if (hex_decode(hex, bytes, sizeof(bytes), &size) < 0 || size != EFI_GUID_SIZE)
		return false;
	for (size_t i = 0; i < EFI_GUID_SIZE; i++)
		ret[guid_order[i]] = bytes[i];
	return true;
}

bool efi_guid_is(const uint8_t guid[static EFI_GUID_SIZE], const char *text)
{
	char own[EFI_GUID_TEXT];

	return strcmp(efi_guid_text(guid, own), text) == 0;
}

/* UEFI 2.10 (3.3, 5.3.3, 8.2, 32.4.1), the shim's and systemd's own, partitions by the Discoverable
 * Partitions Specification. */
static const struct {
	const char *guid, *name;
} guid_names[] = {
	{ EFI_GLOBAL_VARIABLE, "EFI_GLOBAL_VARIABLE" },
	{ EFI_IMAGE_SECURITY_DATABASE, "EFI_IMAGE_SECURITY_DATABASE" },
	{ EFI_SHIM_LOCK, "SHIM_LOCK" },
	{ EFI_CERT_SHA256, "SHA-256" },
	{ EFI_CERT_X509, "X.509" },
	{ "826ca512-cf10-4ac9-b187-be01496631bd", "SHA-1" },
	{ "ff3e5307-9fd0-48c9-85f1-8ad56c701e01", "SHA-384" },
	{ "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", "SHA-512" },
	{ "3c5766e8-269c-4e34-aa14-ed776e85b3b6", "RSA-2048" },
	{ "3bd2a492-96c0-4079-b420-fcf98ef103ed", "SHA-256 of an X.509" },
	{ "7076876e-80c2-4ee6-aad2-28b349a6865b", "SHA-384 of an X.509" },
	{ "446dbf63-2502-4cda-bcfa-2465d2b0fe9d", "SHA-512 of an X.509" },
	{ "77fa9abd-0359-4d32-bd60-28f4e78f784b", "Microsoft" },
	{ "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", "systemd's boot loader" },
	{ "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system partition" },
	{ "bc13c2ff-59e6-4262-a352-b275fd6f7172", "extended boot loader partition" },
	{ "0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux data" },
	{ "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root, x86-64" },
	{ "b921b045-1df0-41c3-af44-4c6f280d3fae", "Linux root, arm64" },
	{ "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap" },
	{ "933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home" },
	{ "ca7d7ccb-63ed-4c53-861c-1742536059cc", "LUKS" },
	{ "e6d6d379-f507-44c2-a23c-238f2a3df928", "LVM" },
	{ "21686148-6449-6e6f-744e-656564454649", "BIOS boot" },
	{ "e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved" },
	{ "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data" },
	{ "de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery" },
	{ "eb9d2d30-2d88-11d3-9a16-0090273fc14d", "ACPI table" },
	{ "8868e871-e4f1-11d3-bc22-0080c73c8881", "ACPI 2.0 table" },
	{ "eb9d2d31-2d88-11d3-9a16-0090273fc14d", "SMBIOS table" },
	{ "f2fd1544-9794-4a2c-992e-e5bbcf20e394", "SMBIOS 3 table" },
	{ "eb9d2d2f-2d88-11d3-9a16-0090273fc14d", "SAL system table" },
};

const char *efi_guid_name(const uint8_t guid[static EFI_GUID_SIZE])
{
	for (size_t i = 0; i < COUNT_OF(guid_names); i++)
		if (efi_guid_is(guid, guid_names[i].guid))
			return guid_names[i].name;
	return NULL;
}

/* ---------------------------------------------------------------- text */

static uint16_t unit_at(struct bytes utf16, size_t at)
{
	return (uint16_t)(utf16.data[at] | utf16.data[at + 1] << 8);
}

static void append_point(struct buffer *out, uint32_t point)
{
	if (point < 0x80) {
		buffer_append_u8(out, (uint8_t)point);
		return;
	}
	if (point < 0x800) {
		buffer_append_u8(out, (uint8_t)(0xc0 | point >> 6));
	} else {
		if (point < 0x10000) {
			buffer_append_u8(out, (uint8_t)(0xe0 | point >> 12));
		} else {
			buffer_append_u8(out, (uint8_t)(0xf0 | point >> 18));
			buffer_append_u8(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
		}
		buffer_append_u8(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
	}
	buffer_append_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
}

void efi_text(struct bytes utf16, struct buffer *out)
{
	size_t units = utf16.size / 2;

	if (utf16.size % 2 == 0)
		while (units > 0 && unit_at(utf16, 2 * (units - 1)) == 0)
			units--;
	for (size_t i = 0; i < units; i++) {
		uint32_t point = unit_at(utf16, 2 * i);
		uint32_t next = i + 1 < units ? unit_at(utf16, 2 * (i + 1)) : 0;

		if (point >= 0xd800 && point < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
			point = 0x10000 + ((point - 0xd800) << 10) + (next - 0xdc00);
			i++;
		}
		append_point(out, point);
	}
	/* No character: 0xc0 is not in UTF-8. */
	if (utf16.size % 2 != 0)
		buffer_append_u8(out, 0xc0);
}

bool efi_text_is(struct bytes utf16, const char *ascii)
{
	size_t length = strlen(ascii);

	if (utf16.size != 2 * length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (unit_at(utf16, 2 * i) != (uint8_t)ascii[i])
			return false;
	return true;
}

bool efi_take_text(struct bytes *in, struct bytes *ret)
{
	for (size_t at = 0; at + 2 <= in->size; at += 2)
		if (unit_at(*in, at) == 0) {
			*ret = BYTES(in->data, at);
			*in = BYTES(in->data + at + 2, in->size - at - 2);
			return true;
		}
	return false;
}

/* ---------------------------------------------------------------- variables */

bool efi_variable_parse(struct bytes data, struct efi_variable *ret)
{
	struct bytes guid, name, value;
	uint64_t characters, size;

	if (!bytes_take(&data, EFI_GUID_SIZE, &guid) || !bytes_take_le64(&data, &characters) ||
	    !bytes_take_le64(&data, &size) || characters > data.size / 2 ||
	    !bytes_take(&data, 2 * (size_t)characters, &name) || size > data.size ||
	    !bytes_take(&data, (size_t)size, &value))
		return false;
	*ret = (struct efi_variable){
		.guid = guid.data, .name = name, .value = value, .excess = data.size
	};
	return true;
}

bool efi_variable_is(const struct efi_variable *variable, const char *guid, const char *name)
{
	return efi_text_is(variable->name, name) && efi_guid_is(variable->guid, guid);
}

bool efi_is_secure_boot(const struct efi_variable *variable, bool *ret_on)
{
	*ret_on = variable->value.size == 1 && variable->value.data[0] == 1;
	return efi_variable_is(variable, EFI_GLOBAL_VARIABLE, "SecureBoot");
}

/* ---------------------------------------------------------------- signatures */

void efi_signatures_begin(struct efi_signatures *signatures, struct bytes lists)
{
	*signatures = (struct efi_signatures){ .lists = lists };
}

/* EFI_SIGNATURE_LIST's head: type, its whole size, that of its header, that of each signature. */
static bool begin_list(struct efi_signatures *signatures)
{
	struct bytes in = signatures->lists, type, header, rest;
	uint32_t list_size, header_size, size;

	if (!bytes_take(&in, EFI_GUID_SIZE, &type) || !bytes_take_le32(&in, &list_size) ||
	    !bytes_take_le32(&in, &header_size) || !bytes_take_le32(&in, &size) ||
	    list_size < EFI_GUID_SIZE + 3 * sizeof(uint32_t) || size < EFI_GUID_SIZE ||
	    !bytes_take(&in, list_size - EFI_GUID_SIZE - 3 * sizeof(uint32_t), &rest) ||
	    !bytes_take(&rest, header_size, &header) || rest.size % size != 0)
		return false;
	*signatures = (struct efi_signatures){
		.lists = in, .type = type.data, .rest = rest, .size = size
	};
	return true;
}

int efi_signatures_next(struct efi_signatures *signatures, struct efi_signature *ret)
{
	struct bytes signature, owner;

	while (signatures->rest.size == 0) {
		if (signatures->lists.size == 0)
			return 0;
		if (!begin_list(signatures))
			return -EBADMSG;
	}
	if (!bytes_take(&signatures->rest, signatures->size, &signature) ||
	    !bytes_take(&signature, EFI_GUID_SIZE, &owner))
		return -EBADMSG;
	*ret = (struct efi_signature){ .type = signatures->type,
				       .owner = owner.data,
				       .data = signature };
	return 1;
}
