// SPDX-License-Identifier: MIT
#include "firmware/device_path.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "firmware/efi.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define TYPE_HARDWARE 1
#define TYPE_ACPI 2
#define TYPE_MESSAGING 3
#define TYPE_MEDIA 4
#define TYPE_END 0x7f
#define SUBTYPE_FILE 4

/* Bytes of a node that is shown in hexadecimal, at most. */
#define HEX_MAX 256

struct node {
	uint8_t type, subtype;
	struct bytes data;
};

static void put(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct buffer *out, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buffer_append(out, text, strlen(text));
}

static void put_hex(struct buffer *out, struct bytes bytes)
{
	char hex[2 * HEX_MAX + 1];

	hex_encode(BYTES(bytes.data, bytes.size < HEX_MAX ? bytes.size : HEX_MAX), hex);
	buffer_append(out, hex, strlen(hex));
	if (bytes.size > HEX_MAX)
		put(out, "...");
}

static void put_guid(struct buffer *out, const uint8_t *guid)
{
	char text[EFI_GUID_TEXT];

	put(out, "%s", efi_guid_text(guid, text));
}

static int take_node(struct bytes *in, struct node *ret)
{
	uint16_t size;

	if (in->size == 0)
		return 0;
	if (!bytes_take_u8(in, &ret->type) || !bytes_take_u8(in, &ret->subtype) ||
	    !bytes_take_le16(in, &size) || size < 4 || !bytes_take(in, size - 4U, &ret->data))
		return -1;
	return 1;
}

static uint64_t number_at(struct bytes data, size_t at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | data.data[at + i - 1];
	return value;
}

/* ---------------------------------------------------------------- nodes that are not plain */

/* EISA's id, compressed: "PNP0A03" is what is behind the vendor's 16 bits. */
static bool put_acpi(struct buffer *out, struct bytes data)
{
	uint32_t hid, uid;

	if (!bytes_take_le32(&data, &hid) || !bytes_take_le32(&data, &uid))
		return false;
	if (hid == 0x0a0341d0)
		put(out, "PciRoot(0x%" PRIx32 ")", uid);
	else if (hid == 0x0a0841d0)
		put(out, "PcieRoot(0x%" PRIx32 ")", uid);
	else if ((hid & 0xffff) == 0x41d0)
		put(out, "Acpi(PNP%04" PRIX32 ",0x%" PRIx32 ")", hid >> 16, uid);
	else
		put(out, "Acpi(0x%08" PRIX32 ",0x%" PRIx32 ")", hid, uid);
	return true;
}

static bool put_hard_drive(struct buffer *out, struct bytes data)
{
	uint32_t number;
	uint64_t start, size;
	struct bytes signature;
	uint8_t format, type;

	if (!bytes_take_le32(&data, &number) || !bytes_take_le64(&data, &start) ||
	    !bytes_take_le64(&data, &size) || !bytes_take(&data, EFI_GUID_SIZE, &signature) ||
	    !bytes_take_u8(&data, &format) || !bytes_take_u8(&data, &type))
		return false;
	put(out, "HD(%" PRIu32 ",", number);
	if (type == 2) {
		put(out, "GPT,");
		put_guid(out, signature.data);
	} else {
		put(out, "%s,0x%08" PRIX64, type == 1 ? "MBR" : "?", number_at(signature, 0, 4));
	}
	put(out, ",0x%" PRIx64 ",0x%" PRIx64 ")", start, size);
	return true;
}

static bool put_vendor(struct buffer *out, const char *name, struct bytes data)
{
	struct bytes guid;

	if (!bytes_take(&data, EFI_GUID_SIZE, &guid))
		return false;
	put(out, "%s(", name);
	put_guid(out, guid.data);
	if (data.size > 0) {
		put(out, ",");
		put_hex(out, data);
	}
	put(out, ")");
	return true;
}

static bool put_mac(struct buffer *out, struct bytes data)
{
	uint8_t type;
	struct bytes address;

	if (!bytes_take(&data, 32, &address) || !bytes_take_u8(&data, &type))
		return false;
	put(out, "MAC(");
	put_hex(out, BYTES(address.data, type <= 1 ? 6 : 32));
	put(out, ",0x%x)", type);
	return true;
}

static bool put_nvme(struct buffer *out, struct bytes data)
{
	uint32_t name;

	if (!bytes_take_le32(&data, &name) || data.size < 8)
		return false;
	put(out, "NVMe(0x%" PRIx32 ",%02X-%02X-%02X-%02X-%02X-%02X-%02X-%02X)", name, data.data[7],
	    data.data[6], data.data[5], data.data[4], data.data[3], data.data[2], data.data[1],
	    data.data[0]);
	return true;
}

static bool put_ipv4(struct buffer *out, struct bytes data)
{
	if (data.size < 8)
		return false;
	put(out, "IPv4(%u.%u.%u.%u)", data.data[4], data.data[5], data.data[6], data.data[7]);
	return true;
}

static bool put_ipv6(struct buffer *out, struct bytes data)
{
	if (data.size < 32)
		return false;
	put(out, "IPv6(");
	for (size_t i = 16; i < 32; i += 2)
		put(out, "%s%02x%02x", i > 16 ? ":" : "", data.data[i], data.data[i + 1]);
	put(out, ")");
	return true;
}

/* "\EFI\BOOT": its separators as those between nodes, which there is one of already. */
static void put_file(struct buffer *out, struct bytes name)
{
	struct buffer text = { 0 };
	size_t skip;

	efi_text(name, &text);
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\\')
			text.data[i] = '/';
	skip = text.size > 1 && text.data[0] == '/' && out->size > 0;
	if (text.size > 0)
		buffer_append(out, text.data + skip, text.size - skip);
	out->failed |= text.failed;
	buffer_free(&text);
}

static bool put_text_node(struct buffer *out, const struct node *node)
{
	if (node->type == TYPE_MEDIA && node->subtype == SUBTYPE_FILE) {
		put_file(out, node->data);
		return true;
	}
	if (node->type == TYPE_MESSAGING && node->subtype == 24) {
		put(out, "Uri(");
		buffer_append_bytes(out, node->data);
		put(out, ")");
		return true;
	}
	return false;
}

static bool put_special(struct buffer *out, const struct node *node)
{
	switch (node->type << 8 | node->subtype) {
	case TYPE_HARDWARE << 8 | 4:
		return put_vendor(out, "VenHw", node->data);
	case TYPE_ACPI << 8 | 1:
		return put_acpi(out, node->data);
	case TYPE_MESSAGING << 8 | 10:
		return put_vendor(out, "VenMsg", node->data);
	case TYPE_MESSAGING << 8 | 11:
		return put_mac(out, node->data);
	case TYPE_MESSAGING << 8 | 12:
		return put_ipv4(out, node->data);
	case TYPE_MESSAGING << 8 | 13:
		return put_ipv6(out, node->data);
	case TYPE_MESSAGING << 8 | 23:
		return put_nvme(out, node->data);
	case TYPE_MEDIA << 8 | 1:
		return put_hard_drive(out, node->data);
	case TYPE_MEDIA << 8 | 3:
		return put_vendor(out, "VenMedia", node->data);
	case TYPE_MEDIA << 8 | 6:
		return put_vendor(out, "FvFile", node->data);
	case TYPE_MEDIA << 8 | 7:
		return put_vendor(out, "Fv", node->data);
	default:
		return put_text_node(out, node);
	}
}

/* ---------------------------------------------------------------- nodes of numbers */

/*
 * Those that are a name and numbers: the bytes of each field as they stand, and the fields that
 * are shown, in this order.
 */
static const struct plain {
	uint8_t type, subtype;
	const char *name;
	uint8_t sizes[6]; /* 0 ends them */
	uint8_t order[6]; /* 1 is the first; 0 ends them */
} plains[] = {
	{ TYPE_HARDWARE, 1, "Pci", { 1, 1 }, { 2, 1 } },
	{ TYPE_HARDWARE, 2, "PcCard", { 1 }, { 1 } },
	{ TYPE_HARDWARE, 3, "MemoryMapped", { 4, 8, 8 }, { 1, 2, 3 } },
	{ TYPE_HARDWARE, 5, "Ctrl", { 4 }, { 1 } },
	{ TYPE_MESSAGING, 1, "Ata", { 1, 1, 2 }, { 1, 2, 3 } },
	{ TYPE_MESSAGING, 2, "Scsi", { 2, 2 }, { 1, 2 } },
	{ TYPE_MESSAGING, 5, "USB", { 1, 1 }, { 1, 2 } },
	{ TYPE_MESSAGING, 15, "UsbClass", { 2, 2, 1, 1, 1 }, { 1, 2, 3, 4, 5 } },
	{ TYPE_MESSAGING, 17, "Unit", { 1 }, { 1 } },
	{ TYPE_MESSAGING, 18, "Sata", { 2, 2, 2 }, { 1, 2, 3 } },
	{ TYPE_MESSAGING, 20, "Vlan", { 2 }, { 1 } },
	{ TYPE_MESSAGING, 25, "UFS", { 1, 1 }, { 1, 2 } },
	{ TYPE_MESSAGING, 26, "SD", { 1 }, { 1 } },
	{ TYPE_MESSAGING, 29, "eMMC", { 1 }, { 1 } },
	{ TYPE_MEDIA, 2, "CDROM", { 4, 8, 8 }, { 1, 2, 3 } },
	{ TYPE_MEDIA, 8, "Offset", { 4, 8, 8 }, { 2, 3 } },
};

static bool put_plain(struct buffer *out, const struct node *node)
{
	const struct plain *plain = NULL;
	size_t at[7] = { 0 }, count = 0;

	for (size_t i = 0; i < COUNT_OF(plains) && !plain; i++)
		if (plains[i].type == node->type && plains[i].subtype == node->subtype)
			plain = &plains[i];
	if (!plain)
		return false;
	for (; count < 6 && plain->sizes[count] != 0; count++)
		at[count + 1] = at[count] + plain->sizes[count];
	if (at[count] > node->data.size)
		return false;
	put(out, "%s(", plain->name);
	for (size_t i = 0; i < 6 && plain->order[i] != 0; i++) {
		size_t field = plain->order[i] - 1U;

		put(out, "%s0x%" PRIx64, i > 0 ? "," : "",
		    number_at(node->data, at[field], plain->sizes[field]));
	}
	put(out, ")");
	return true;
}

static void put_node(struct buffer *out, const struct node *node)
{
	if (put_special(out, node) || put_plain(out, node))
		return;
	put(out, "Path(%u,%u", node->type, node->subtype);
	if (node->data.size > 0) {
		put(out, ",");
		put_hex(out, node->data);
	}
	put(out, ")");
}

bool efi_device_path_text(struct bytes path, struct buffer *out)
{
	struct node node;
	bool first = true;
	int r;

	while ((r = take_node(&path, &node)) > 0) {
		/* Subtype 1 ends one of several paths, 0xff the last. */
		if (node.type == TYPE_END) {
			if (node.subtype != 1)
				return true;
			put(out, ",");
			first = true;
			continue;
		}
		if (!first)
			put(out, "/");
		first = false;
		put_node(out, &node);
	}
	return r == 0;
}

struct bytes efi_device_path_file(struct bytes path)
{
	struct bytes file = BYTES(NULL, 0);
	struct node node;

	while (take_node(&path, &node) > 0)
		if (node.type == TYPE_MEDIA && node.subtype == SUBTYPE_FILE)
			file = node.data;
	return file;
}
