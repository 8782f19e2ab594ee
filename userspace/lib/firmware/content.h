/* SPDX-License-Identifier: MIT */
/*
 * What an event of the firmware's log is about (PFP 1.06, section 10.4), and how much of that
 * its digest proves: most events are extended by the digest of their data, but programs, blobs
 * and files by that of something that is not in the log, and some text in another form than it is
 * logged. An event's type and label are proven by nothing. Hostile, bounded, pure.
 */
#ifndef ASSAY_FIRMWARE_CONTENT_H
#define ASSAY_FIRMWARE_CONTENT_H

#include "firmware/efi.h"
#include "log/uefi.h"

enum firmware_kind {
	FIRMWARE_DATA,	     /* bytes of a form that is not known here */
	FIRMWARE_TEXT,	     /* .text, .utf16: action strings, versions, commands, file names */
	FIRMWARE_VARIABLE,   /* .variable */
	FIRMWARE_PROGRAM,    /* .base, .size, .path: an image that firmware loaded */
	FIRMWARE_BLOB,	     /* .base, .size, .description: code or data of the firmware */
	FIRMWARE_TABLES,     /* .count, .entries, .description: of the system's configuration */
	FIRMWARE_PARTITIONS, /* .disk, .count, .entry_size, .entries: a disk's GPT */
	FIRMWARE_TAGGED,     /* .tag, .text, .utf16: an operating system's or a boot loader's */
	FIRMWARE_SEPARATOR,  /* .number: 0 or 0xffffffff; else what failed */
	FIRMWARE_HEADER,     /* of the log */
	FIRMWARE_LOCALITY,   /* .number: from which the TPM was started */
	FIRMWARE_NOTE,	     /* .text: the signature of an EV_NO_ACTION event of another kind */
	FIRMWARE_KINDS,
};

/* firmware_kind_name() - "variable" and so on */
const char *firmware_kind_name(enum firmware_kind kind);

/* What of the event's data its digests prove. */
enum firmware_proof {
	FIRMWARE_PROVES_NOTHING, /* they are of something else, which is not in the log */
	FIRMWARE_PROVES_DATA,	 /* all of it, but for what is behind a variable: .excess */
	FIRMWARE_PROVES_VALUE,	 /* a variable's value, not its name */
	FIRMWARE_PROVES_TEXT,	 /* .text without its .label: and so not what is done with it */
};

/* firmware_proof_name() - "nothing", "data", "value" or "text" */
const char *firmware_proof_name(enum firmware_proof proof);

/* What a kind of text is, by what boot loaders write before it (grub 2.04 and later, PCR 8). */
#define FIRMWARE_LABEL_COMMAND "grub_cmd: "
#define FIRMWARE_LABEL_KERNEL "kernel_cmdline: "
#define FIRMWARE_LABEL_MODULE "module_cmdline: "

/* Tags of events (EV_EVENT_TAG): Linux's EFI stub (drivers/firmware/efi/libstub/efistub.h), and
 * systemd's boot loader and stub. */
#define FIRMWARE_TAG_INITRD 0x8f3b22ecU
#define FIRMWARE_TAG_LOAD_OPTIONS 0x8f3b22edU

/**
 * struct firmware_content - an event, read; all of it borrows from the event's data
 * @problem: why the data are not of the form that their type asks for; NULL if they are, and then
 *           the members of @kind are set
 * @label: of text that has one of the labels above: that, which is not in @text; else NULL
 * @text: without a NUL at its end
 * @path: a device path
 * @disk: the GUID of a disk; EFI_GUID_SIZE bytes
 */
struct firmware_content {
	enum firmware_kind kind;
	enum firmware_proof proof;
	const char *problem;
	struct efi_variable variable;
	const char *label;
	struct bytes text;
	bool utf16;
	uint32_t tag, number;
	uint64_t base, size, count;
	struct bytes description, path, entries;
	const uint8_t *disk;
	uint32_t entry_size;
};

/*
 * firmware_content_read() - read an event that @reader gave
 *
 * Return: 0; -EIO where nothing can be hashed; -ENOMEM
 */
int firmware_content_read(struct uefi_reader *reader, const struct uefi_event *event,
			  struct firmware_content *ret, struct assay_error *err);

/* firmware_text() - append .text as UTF-8 to @out, not yet fit to print */
void firmware_text(const struct firmware_content *content, struct buffer *out);

/* firmware_tag_name() - what a tag stands for, in words; NULL for one that is not known */
const char *firmware_tag_name(uint32_t tag);

/* Bytes of a partition's entry, at least (UEFI 2.10, 5.3.3), and of a table's (4.6). */
#define FIRMWARE_PARTITION_SIZE 128
#define FIRMWARE_TABLE_SIZE (EFI_GUID_SIZE + 8)

/**
 * struct firmware_partition - of a GPT
 * @type, @id: GUIDs
 * @first, @last: its blocks
 * @name: UTF-16
 */
struct firmware_partition {
	const uint8_t *type, *id;
	uint64_t first, last;
	struct bytes name;
};

/* firmware_partition() - number @index of .count */
struct firmware_partition firmware_partition(const struct firmware_content *content, size_t index);

/**
 * struct firmware_load_option - EFI_LOAD_OPTION (UEFI 2.10, 3.1.3): a Boot#### variable
 * @attributes: bit 0: active
 * @description: UTF-16
 * @path: a device path
 * @data: what the program is given
 */
struct firmware_load_option {
	uint32_t attributes;
	struct bytes description, path, data;
};

bool firmware_load_option_parse(struct bytes value, struct firmware_load_option *ret);

/* firmware_is_load_option() - is it a Boot#### of the firmware's, or another of that form? */
bool firmware_is_load_option(const struct efi_variable *variable);

#endif /* ASSAY_FIRMWARE_CONTENT_H */
