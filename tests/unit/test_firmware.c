// SPDX-License-Identifier: MIT
/*
 * What events of the firmware's log say: of logs of other projects, whose paths, subjects and
 * lists tpm2_eventlog shows in the same words, and data that are ill-formed.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/describe.h"
#include "firmware/device_path.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The line that an event says; free() it. */
static char *says_of(struct uefi_reader *reader, const struct uefi_event *event,
		     enum firmware_proof *ret_proof)
{
	struct firmware_content content;
	struct buffer says = { 0 };
	struct assay_error err;
	json_t *object;

	if (firmware_content_read(reader, event, &content, &err) < 0)
		fail_msg("%s", err.text);
	firmware_says(event, &content, &says);
	buffer_append_u8(&says, 0);
	object = firmware_event_json(event, &content);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "says")), says.data);
	json_decref(object);
	*ret_proof = content.proof;
	return (char *)says.data;
}

static void events_of_real_logs(void **state)
{
	static const struct {
		const char *file;
		uint64_t number;
		enum firmware_proof proof;
		const char *says; /* its beginning */
	} events[] = {
		{ "uefi/tpm2tools-event-arch-linux.bin", 4, FIRMWARE_PROVES_DATA,
		  "PK: 1 X.509: CN=Joe Richey (PK)" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 7, FIRMWARE_PROVES_DATA,
		  "dbx: 77 SHA-256" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 9, FIRMWARE_PROVES_NOTHING,
		  "PciRoot(0x0)/Pci(0x1,0x0)/Pci(0x0,0x0)/Offset(0xf250,0x201ff), 133728 bytes" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 17, FIRMWARE_PROVES_DATA,
		  "disk f9f4bb69-5418-46bb-9501-2d615a3edc79, 3 partitions: \"EFI System\", "
		  "\"Linux "
		  "RAID\", \"Linux filesystem\"" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 18, FIRMWARE_PROVES_DATA,
		  "BootOrder: 0000,0003,0002" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 21, FIRMWARE_PROVES_DATA,
		  "Boot0002: \"Linux Boot Manager\", VenHw(99e275e7-75a0-4b37-a2e6-c5385e6c00cb)" },
		{ "uefi/tpm2tools-event-arch-linux.bin", 23, FIRMWARE_PROVES_NOTHING,
		  "PciRoot(0x0)/Pci(0x17,0x0)/Sata(0x1,0xffff,0x0)/"
		  "HD(1,GPT,1a504613-19b5-4b44-a83d-d926d40daa1c,0x800,0x80000)/vmlinuz-linux-lts, "
		  "9180448 bytes" },
		/* One byte less was logged than was extended. */
		{ "uefi/tpm2tools-event-arch-linux.bin", 24, FIRMWARE_PROVES_TEXT,
		  "\"initrd=\\x5cintel-ucode.img initrd=\\x5cinitramfs-linux-lts.img "
		  "cryptdevice=" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 0, FIRMWARE_PROVES_NOTHING,
		  "the log's header" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 10, FIRMWARE_PROVES_VALUE,
		  "BootOrder: 0001,0002,0000,0003" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 13, FIRMWARE_PROVES_VALUE,
		  "Boot0000: \"UiApp\", Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/"
		  "FvFile(462caa21-7614-4503-836e-8ab6f4662331)" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 23, FIRMWARE_PROVES_DATA,
		  "\" console=ttyS0 console=tty0 efi=debug \"" },
		{ "uefi/tpm2tools-event-sd-boot-fedora37.bin", 25, FIRMWARE_PROVES_NOTHING,
		  "the initrd, by Linux's EFI stub (\"Linux initrd\")" },
		{ "uefi/keylime-secureboot.bin", 1, FIRMWARE_PROVES_DATA,
		  "\"edk2-20240524-7.el9\"" },
		{ "uefi/keylime-secureboot.bin", 4, FIRMWARE_PROVES_DATA, "SecureBoot: 1 (on)" },
		{ "uefi/keylime-secureboot.bin", 8, FIRMWARE_PROVES_DATA, "dbx: 371 SHA-256" },
		{ "uefi/keylime-secureboot.bin", 27, FIRMWARE_PROVES_DATA,
		  "db: CN=Microsoft Corporation UEFI CA 2011,O=Microsoft Corporation," },
		{ "uefi/keylime-secureboot.bin", 30, FIRMWARE_PROVES_NOTHING, "\"MokList\"" },
		{ "uefi/keylime-secureboot.bin", 32, FIRMWARE_PROVES_DATA,
		  "SbatLevel: sbat,1,2023012900\\x0ashim,2\\x0agrub,3\\x0agrub.debian,4\\x0a" },
		{ "uefi/keylime-secureboot.bin", 35, FIRMWARE_PROVES_NOTHING,
		  "/EFI/redhat/grubx64.efi, 2541176 bytes" },
		{ "uefi/keylime-secureboot.bin", 41, FIRMWARE_PROVES_TEXT,
		  "grub command \"configfile (hd0,gpt2)/grub2/grub.cfg\"" },
		{ "uefi/keylime-secureboot.bin", 93, FIRMWARE_PROVES_NOTHING,
		  "a program of no path, 14456952 bytes" },
		{ "uefi/keylime-secureboot.bin", 94, FIRMWARE_PROVES_TEXT,
		  "kernel command line \"(hd0,gpt2)/vmlinuz-5.14.0-503.11.1.el9_5.x86_64 root=" },
		{ "uefi/tpm2tools-event-moklisttrusted.bin", 29, FIRMWARE_PROVES_DATA,
		  "MokListTrusted: 1" },
		/* The shim of then: another size than its own, and another digest. */
		{ "uefi/goattest-sb_cert_eventlog", 11, FIRMWARE_PROVES_NOTHING,
		  "a program of no path, 0 bytes" },
		{ "uefi/goattest-sb_cert_eventlog", 12, FIRMWARE_PROVES_NOTHING,
		  "Shim: CN=Canonical Ltd. Master Certificate Authority," },
		/* Windows' own separators say nothing of the firmware. */
		{ "uefi/goattest-option_rom_eventlog", 55, FIRMWARE_PROVES_DATA,
		  "separator 0x4c434257" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		struct buffer log = log_test_data(events[i].file);
		enum firmware_proof proof;
		struct uefi_reader reader;
		struct uefi_event event;
		char *says;

		print_message("%s %d\n", events[i].file, (int)events[i].number);
		assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
		do
			assert_int_equal(uefi_next(&reader, &event, NULL), 1);
		while (event.number < events[i].number);
		says = says_of(&reader, &event, &proof);
		if (strncmp(says, events[i].says, strlen(events[i].says)) != 0)
			fail_msg("\"%s\"", says);
		assert_int_equal(proof, events[i].proof);
		free(says);
		uefi_close(&reader);
		buffer_free(&log);
	}
}

/* No event of a real log is told to be malformed, or shown as what it cannot be. */
static void all_events_are_read(void **state)
{
	static const char *const files[] = {
		"uefi/goattest-crypto_agile_eventlog",
		"uefi/goattest-sb_cert_eventlog",
		"uefi/goattest-option_rom_eventlog",
		"uefi/tpm2tools-event-arch-linux.bin",
		"uefi/tpm2tools-event-sd-boot-fedora37.bin",
		"uefi/tpm2tools-event-uefi-sha1-log.bin",
		"uefi/keylime-secureboot.bin",
		"uefi/tpm2tools-event-postcode.bin",
		"uefi/tpm2tools-event-moklisttrusted.bin",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct buffer log = log_test_data(files[i]);
		enum firmware_proof proof;
		struct uefi_reader reader;
		struct uefi_event event;

		assert_int_equal(uefi_open(&reader, buffer_bytes(&log), NULL), 0);
		while (uefi_next(&reader, &event, NULL) == 1) {
			char *says = says_of(&reader, &event, &proof);

			if (strstr(says, "it is no ") || strstr(says, "malformed") || !says[0])
				fail_msg("%s %d: %s", files[i], (int)event.number, says);
			free(says);
		}
		uefi_close(&reader);
		buffer_free(&log);
	}
}

#define GUID "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
#define CERT_SHA256 "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28"
#define LE64(byte) byte "\0\0\0\0\0\0\0"
#define PK_OF(size) GUID LE64("\2") LE64(size) "P\0K\0"

static void data_that_are_off(void **state)
{
	static const struct {
		uint32_t type;
		struct bytes data;
		const char *says;
	} rows[] = {
		{ UEFI_EV_SEPARATOR, BYTES_LITERAL("\0\0\0"),
		  "it is no separator: it is not of 4 bytes" },
		{ UEFI_EV_SEPARATOR, BYTES_LITERAL("\1\0\0\0"), "the firmware failed: 0x1" },
		/* No word of a PCR: it may be an RTMR. */
		{ UEFI_EV_SEPARATOR, BYTES_LITERAL("\0\0\0\0"),
		  "what the firmware measures here before it boots ends with this" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, BYTES_LITERAL(""),
		  "it is no variable: the sizes in it are not its own" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, BYTES_LITERAL(PK_OF("\1")),
		  "it is no variable: the sizes in it are not its own" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(GUID "\xff\xff\xff\xff\xff\xff\xff\xff" LE64("\0")),
		  "it is no variable: the sizes in it are not its own" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(GUID "\1\0\0\0\0\0\0\x80" LE64("\0") "P\0"),
		  "it is no variable: the sizes in it are not its own" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, BYTES_LITERAL(PK_OF("\0")), "PK: empty" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, BYTES_LITERAL(PK_OF("\1") "\0"),
		  "PK: malformed" },
		/* Lists whose sizes are: less than a head, more than is there, no multiple. */
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x1c") CERT_SHA256 "\x1b\0\0\0\0\0\0\0\x10\0\0\0"),
		  "PK: malformed" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x1c") CERT_SHA256 "\x1d\0\0\0\0\0\0\0\x10\0\0\0"),
		  "PK: malformed" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x1c") CERT_SHA256 "\x1c\0\0\0\1\0\0\0\x10\0\0\0"),
		  "PK: malformed" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x1c") CERT_SHA256 "\x1c\0\0\0\0\0\0\0\x0f\0\0\0"),
		  "PK: malformed" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x1d") CERT_SHA256 "\x1d\0\0\0\0\0\0\0\x10\0\0\0x"),
		  "PK: malformed" },
		{ UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
		  BYTES_LITERAL(PK_OF("\x2d") CERT_SHA256 "\x2c\0\0\0\0\0\0\0\x10\0\0\0" GUID "x"),
		  "PK: 1 SHA-256; malformed behind that" },
		{ UEFI_EV_EFI_BOOT_SERVICES_APPLICATION,
		  BYTES_LITERAL(LE64("\0") LE64("\0") LE64("\0") LE64("\1")),
		  "it is no loaded image: the sizes in it are not its own" },
		{ UEFI_EV_EFI_BOOT_SERVICES_APPLICATION,
		  BYTES_LITERAL(LE64("\0") LE64("\1") LE64("\0") LE64("\5") "\1\1\4\0\1"),
		  "Path(1,1) (malformed behind that), 1 bytes" },
		/* A node of no size would be read for ever. */
		{ UEFI_EV_EFI_BOOT_SERVICES_APPLICATION,
		  BYTES_LITERAL(LE64("\0") LE64("\1") LE64("\0") LE64("\4") "\1\1\0\0"),
		  " (malformed behind that), 1 bytes" },
		{ UEFI_EV_EFI_PLATFORM_FIRMWARE_BLOB2, BYTES_LITERAL("\5abcd"),
		  "it is no blob of the firmware: the sizes in it are not its own" },
		{ UEFI_EV_EFI_HANDOFF_TABLES, BYTES_LITERAL(LE64("\1") GUID),
		  "it is no list of tables: the number in it is not its own" },
		{ UEFI_EV_EFI_HANDOFF_TABLES,
		  BYTES_LITERAL("\xab\xaa\xaa\xaa\xaa\xaa\xaa\xaa" LE64("x")),
		  "it is no list of tables: the number in it is not its own" },
		{ UEFI_EV_EFI_HANDOFF_TABLES2, BYTES_LITERAL("\1"),
		  "it is no list of tables: the sizes in it are not its own" },
		{ UEFI_EV_EFI_GPT_EVENT, BYTES_LITERAL("EFI PART"),
		  "it is no partition table: it is too short" },
		{ UEFI_EV_EVENT_TAG, BYTES_LITERAL("\1\2\3\4\5\0\0\0abcd"),
		  "it is no tagged event: the size in it is not its own" },
		{ UEFI_EV_EVENT_TAG, BYTES_LITERAL("\1\2\3\4\4\0\0\0abcd"),
		  "tag 0x04030201 (\"abcd\")" },
		/* What would move the cursor, or hide what follows. */
		{ UEFI_EV_IPL, BYTES_LITERAL("\x1b[2J"), "0x1b5b324a" },
		{ UEFI_EV_IPL, BYTES_LITERAL("a\0\x1b\0[\0"), "\"a\\x1b[\"" },
		{ UEFI_EV_IPL,
		  BYTES_LITERAL("a\0\x2e\x20"
				"b\0"),
		  "\"a\\xe2\\x80\\xaeb\"" },
		{ UEFI_EV_IPL,
		  BYTES_LITERAL("a\0\0\xd8"
				"b\0"),
		  "\"a\\xed\\xa0\\x80b\"" },
		{ UEFI_EV_IPL, BYTES_LITERAL("grub_cmd: "), "grub command \"\"" },
		{ UEFI_EV_IPL, BYTES_LITERAL(""), "0 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* In memory of its own, so that a byte too far is found. */
		uint8_t *copy = malloc(rows[i].data.size + (rows[i].data.size == 0));
		struct uefi_event event = { .pcr = 4,
					    .type = rows[i].type,
					    .extended = true,
					    .data = BYTES(copy, rows[i].data.size) };
		struct uefi_reader reader = { 0 };
		enum firmware_proof proof;
		char *says;

		assert_non_null(copy);
		memcpy(copy, rows[i].data.data, rows[i].data.size);
		says = says_of(&reader, &event, &proof);
		if (strcmp(says, rows[i].says) != 0)
			fail_msg("row %d: \"%s\"", (int)i, says);
		assert_int_equal(proof, FIRMWARE_PROVES_NOTHING);
		free(says);
		free(copy);
		uefi_close(&reader);
	}
}

/* The texts of UEFI's own specification (10.6), and those of efivar 39. */
static void nodes_of_device_paths(void **state)
{
	static const struct {
		struct bytes path;
		const char *text;
	} rows[] = {
		{ BYTES_LITERAL("\2\1\x0c\0\xd0\x41\x03\x0a\1\0\0\0\1\1\6\0\2\3\x7f\xff\4\0"),
		  "PciRoot(0x1)/Pci(0x3,0x2)" },
		{ BYTES_LITERAL("\2\1\x0c\0\xd0\x41\x01\x05\0\0\0\0\x7f\xff\4\0"),
		  "Acpi(PNP0501,0x0)" },
		{ BYTES_LITERAL("\3\2\x08\0\1\0\2\0"), "Scsi(0x1,0x2)" },
		{ BYTES_LITERAL("\3\5\x06\0\1\2\x7f\1\4\0\3\x18\x0c\0http://"), NULL },
		{ BYTES_LITERAL("\3\x18\x0b\0http://\x7f\1\4\0\3\5\x06\0\1\2"),
		  "Uri(http://),USB(0x1,0x2)" },
		{ BYTES_LITERAL("\3\x17\x10\0\1\0\0\0\1\2\3\4\5\6\7\x08"),
		  "NVMe(0x1,08-07-06-05-04-03-02-01)" },
		{ BYTES_LITERAL("\4\4\x0e\0\\\0E\0F\0I\0\0\0"), "/EFI" },
		{ BYTES_LITERAL("\1\x63\6\0\1\2"), "Path(1,99,0102)" },
		{ BYTES_LITERAL("\3\5\5\0\1"), "Path(3,5,01)" },
	};
	uint8_t guid[EFI_GUID_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer text = { 0 };
		bool whole = efi_device_path_text(rows[i].path, &text);

		buffer_append_u8(&text, 0);
		if (!rows[i].text)
			assert_false(whole);
		else if (strcmp((const char *)text.data, rows[i].text) != 0)
			fail_msg("row %d: \"%s\"", (int)i, (const char *)text.data);
		buffer_free(&text);
	}
	assert_true(efi_guid_parse("8BE4DF61-93ca-11d2-aa0d-00e098032b8c", guid));
	assert_memory_equal(guid, GUID, EFI_GUID_SIZE);
	assert_string_equal(efi_guid_name(guid), "EFI_GLOBAL_VARIABLE");
	assert_false(efi_guid_parse("8be4df61-93ca-11d2-aa0d-00e098032b8", guid));
	assert_false(efi_guid_parse("8be4df61-93ca-11d2-aa0d-00e098032b8cc", guid));
	assert_false(efi_guid_parse("8be4df6193ca-11d2-aa0d--00e098032b8c", guid));
	assert_false(efi_guid_parse("8be4df61-93ca-11d2-aa0d-00e098032b8g", guid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_real_logs),
		cmocka_unit_test(all_events_are_read),
		cmocka_unit_test(data_that_are_off),
		cmocka_unit_test(nodes_of_device_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
