// SPDX-License-Identifier: MIT
/*
 * Boots that the policy's rules on the firmware's log refuse: the log replays, its events prove
 * what they say, and what they say is not what the policy has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

#define GLOBAL "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
#define DATABASE "\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f"
#define LE64(byte) byte "\0\0\0\0\0\0\0"
#define SECURE_BOOT(value) GLOBAL LE64("\x0a") LE64("\x01") "S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0" value
#define PK(value) GLOBAL LE64("\x02") LE64("\x01") "P\0K\0" value
#define EMPTY_PK GLOBAL LE64("\x02") LE64("\0") "P\0K\0"
#define DBX(value) DATABASE LE64("\x03") LE64("\x01") "d\0b\0x\0" value

#define EVENT(pcr, type, data, measured)                    \
	{                                                   \
		pcr, type, data, measured, sizeof(data) - 1 \
	}

/* What is inserted before the separators, and what comes after them. */
static const struct fixture_event variables[] = {
	EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, SECURE_BOOT("\1"), NULL),
	EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, PK("k"), NULL),
	EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, DBX("x"), NULL),
};
static const struct fixture_event booted[] = {
	EVENT(4, UEFI_EV_EFI_BOOT_SERVICES_APPLICATION, "shim.efi", "shim"),
	EVENT(8, UEFI_EV_IPL, "quiet", NULL),
};

#define FIRST_VARIABLE 3 /* behind the header, PCR 0's version and PCR 4's action */
#define FIRST_BOOTED (FIRST_VARIABLE + 3 + 8)

/* ---------------------------------------------------------------- what the policy has */

static struct assay_digest digest_of(const char *text)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };

	assert_int_equal(EVP_Digest(text, strlen(text), digest.bytes, NULL, EVP_sha256(), NULL), 1);
	return digest;
}

static struct assay_digest version, shim, initrd, key, revoked, other;

static const struct firmware_item platform = { "version", { &version, 1 } };
static const struct firmware_item program = { "shim", { &shim, 1 } };
static const struct firmware_item file = { "initrd", { &initrd, 1 } };
static const struct firmware_item wanted = { "another", { &other, 1 } };
static const char *const lines[] = { "quiet" };

/* A boot that fulfils rules on all that it measured. */
CHANGE(rules_fulfilled)
{
	version = digest_of("1.0");
	shim = digest_of("shim");
	initrd = digest_of("initrd");
	key = digest_of("k");
	revoked = digest_of("x");
	other = digest_of("other");
	fixture_add_firmware(f);
	memmove(&f->events[FIRST_VARIABLE + 3], &f->events[FIRST_VARIABLE],
		(f->event_count - FIRST_VARIABLE) * sizeof(f->events[0]));
	memcpy(&f->events[FIRST_VARIABLE], variables, sizeof(variables));
	memcpy(&f->events[FIRST_BOOTED], booted, sizeof(booted));
	f->event_count = FIRST_BOOTED + 2;
	f->policy.firmware = (struct firmware_rules){
		.secure_boot = true,
		.keys = { [FIRMWARE_PK] = { .digests = { &key, 1 } },
			  [FIRMWARE_DBX] = { .digests = { &revoked, 1 } } },
		.lists = { [FIRMWARE_PLATFORM] = { &platform, 1 },
			   [FIRMWARE_PROGRAMS] = { &program, 1 } },
		.command_lines = lines,
		.command_line_count = 1,
	};
	f->policy.required |= FAILS(FIRMWARE_SECURE_BOOT) | FAILS(FIRMWARE_KEYS) |
			      FAILS(FIRMWARE_DBX) | FAILS(FIRMWARE_PLATFORM) |
			      FAILS(FIRMWARE_PROGRAMS) | FAILS(FIRMWARE_COMMAND_LINE);
	fixture_mend_aggregate(f);
}

/* ---------------------------------------------------------------- what is booted instead */

static void exchange(struct fixture *f, size_t index, struct fixture_event event)
{
	rules_fulfilled(f);
	f->events[index] = event;
	fixture_mend_aggregate(f);
}
CHANGE(secure_boot_off)
{
	exchange(f, FIRST_VARIABLE,
		 (struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG,
					     SECURE_BOOT("\0"), NULL));
}
/* The log calls it an action, and what follows says that it is on. */
CHANGE(secure_boot_off_and_hidden)
{
	secure_boot_off(f);
	f->events[FIRST_VARIABLE].type = 0x80000007;
	f->events[FIRST_BOOTED + 1] = variables[0];
	f->policy.uefi_accepted = 1U << UEFI_RULE_SECURE_BOOT_LATE;
	f->policy.firmware.command_line_count = 0;
	f->policy.required &= ~FAILS(FIRMWARE_COMMAND_LINE);
	fixture_mend_aggregate(f);
}
CHANGE(keys_of_others)
{
	exchange(f, FIRST_VARIABLE + 1,
		 (struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, PK("o"), NULL));
}
CHANGE(dbx_of_before)
{
	exchange(
		f, FIRST_VARIABLE + 2,
		(struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, DBX("o"), NULL));
}
/* What vouched for the program is measured behind the separator. */
CHANGE(authority_of_others)
{
	exchange(f, FIRST_BOOTED + 1,
		 (struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_AUTHORITY, DBX("a"), NULL));
	f->policy.firmware.command_line_count = 0;
	f->policy.firmware.authorities = (struct firmware_digests){ &other, 1 };
	f->policy.required &= ~FAILS(FIRMWARE_COMMAND_LINE);
	f->policy.required |= FAILS(FIRMWARE_AUTHORITIES);
}
/* With Secure Boot off nobody is asked, and nothing measured. */
CHANGE(nobody_vouched)
{
	rules_fulfilled(f);
	f->policy.firmware.authorities = (struct firmware_digests){ &other, 1 };
	f->policy.required |= FAILS(FIRMWARE_AUTHORITIES);
}
/* Its SbatLevel, for one. */
CHANGE(shim_without_secure_boot)
{
	secure_boot_off(f);
	f->events[FIRST_BOOTED + 1] =
		(struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_AUTHORITY, DBX("a"), "other");
	f->policy.firmware.secure_boot = false;
	f->policy.firmware.command_line_count = 0;
	f->policy.firmware.authorities = (struct firmware_digests){ &other, 1 };
	f->policy.required &= ~(FAILS(FIRMWARE_COMMAND_LINE) | FAILS(FIRMWARE_SECURE_BOOT));
	f->policy.required |= FAILS(FIRMWARE_AUTHORITIES);
	fixture_mend_aggregate(f);
}
CHANGE(key_is_empty)
{
	exchange(
		f, FIRST_VARIABLE + 1,
		(struct fixture_event)EVENT(7, UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG, EMPTY_PK, NULL));
	f->policy.firmware.keys[FIRMWARE_PK] = (struct firmware_variable){ .only = { &key, 1 } };
}
CHANGE(firmware_of_others)
{
	exchange(f, 1, (struct fixture_event)EVENT(0, 0x00000008, "6.66", NULL));
}
CHANGE(driver_of_others)
{
	exchange(f, 2,
		 (struct fixture_event)EVENT(2, UEFI_EV_EFI_BOOT_SERVICES_DRIVER, "rom", "rom"));
	f->policy.firmware.lists[FIRMWARE_DRIVERS] = (struct firmware_items){ &wanted, 1 };
	f->policy.required |= FAILS(FIRMWARE_DRIVERS);
}
CHANGE(loader_of_others)
{
	exchange(f, FIRST_BOOTED,
		 (struct fixture_event)EVENT(4, UEFI_EV_EFI_BOOT_SERVICES_APPLICATION, "shim.efi",
					     "evil"));
}
/* The same, with a log that calls it an action of the firmware. */
CHANGE(loader_of_others_and_hidden)
{
	exchange(f, FIRST_BOOTED,
		 (struct fixture_event)EVENT(4, 0x80000007,
					     "Calling EFI Application from Boot Option", "evil"));
}
CHANGE(initrd_measured)
{
	exchange(f, FIRST_BOOTED + 1,
		 (struct fixture_event)EVENT(9, UEFI_EV_IPL, "initrd", "initrd"));
	f->policy.firmware.command_line_count = 0;
	f->policy.firmware.lists[FIRMWARE_FILES] = (struct firmware_items){ &file, 1 };
	f->policy.required &= ~FAILS(FIRMWARE_COMMAND_LINE);
	f->policy.required |= FAILS(FIRMWARE_FILES);
}
CHANGE(initrd_of_others)
{
	initrd_measured(f);
	f->events[FIRST_BOOTED + 1].measured = "evil";
	fixture_mend_aggregate(f);
}
CHANGE(command_line_of_others)
{
	exchange(f, FIRST_BOOTED + 1,
		 (struct fixture_event)EVENT(8, UEFI_EV_IPL, "quiet init=/bin/sh", NULL));
}
/* What is logged is the policy's, what was extended is not. */
CHANGE(command_line_of_others_and_hidden)
{
	exchange(f, FIRST_BOOTED + 1,
		 (struct fixture_event)EVENT(8, UEFI_EV_IPL, "quiet", "quiet init=/bin/sh"));
}
/* What is measured behind the log, by whoever hands it over: it is in the log, and some events are
 * not. */
static void leave_out(struct fixture *f, struct fixture_event left_out, struct fixture_event put_in)
{
	exchange(f, FIRST_BOOTED + 1, left_out);
	f->events[f->event_count++] = put_in;
	f->events_kept_back |= 1U << left_out.pcr;
}
CHANGE(grub_line_left_out)
{
	leave_out(f, (struct fixture_event)EVENT(8, UEFI_EV_IPL, "quiet init=/bin/sh", NULL),
		  (struct fixture_event)EVENT(12, UEFI_EV_IPL, "quiet", NULL));
}
CHANGE(stub_line_left_out)
{
	leave_out(f, (struct fixture_event)EVENT(12, UEFI_EV_IPL, "quiet init=/bin/sh", NULL),
		  (struct fixture_event)EVENT(8, UEFI_EV_IPL, "quiet", NULL));
}
/* Linux's EFI stub measures the line's digest into PCR 9; the log calls it something else. */
CHANGE(load_options_hidden)
{
	exchange(f, FIRST_BOOTED + 1,
		 (struct fixture_event)EVENT(9, UEFI_EV_IPL, "q\0u\0i\0n\0i\0t\0", NULL));
	f->events[f->event_count++] = (struct fixture_event)EVENT(12, UEFI_EV_IPL, "quiet", NULL);
}
CHANGE(command_line_not_quoted)
{
	rules_fulfilled(f);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0x3ff | 1U << 10 | 1U << 14);
}
CHANGE(debug_mode)
{
	exchange(f, FIRST_VARIABLE + 2,
		 (struct fixture_event)EVENT(7, 0x80000007, "UEFI Debug Mode", NULL));
	f->policy.firmware.keys[FIRMWARE_DBX] = (struct firmware_variable){ 0 };
	f->policy.firmware.authorities = (struct firmware_digests){ &other, 1 };
	f->policy.required &= ~FAILS(FIRMWARE_DBX);
	f->policy.required |= FAILS(FIRMWARE_AUTHORITIES);
}
CHANGE(sections_wanted)
{
	rules_fulfilled(f);
	f->policy.firmware.lists[FIRMWARE_SECTIONS] = (struct firmware_items){ &wanted, 1 };
	f->policy.required |= FAILS(FIRMWARE_SECTIONS);
}
CHANGE(mok_wanted)
{
	rules_fulfilled(f);
	f->policy.firmware.lists[FIRMWARE_MOK] = (struct firmware_items){ &wanted, 1 };
	f->policy.required |= FAILS(FIRMWARE_MOK);
}
/* As of systemd 261 and later: phases in PCR 11, and the word that separates. */
static const char *const phases[] = { "enter-initrd", "enter-initrd:leave-initrd" };

static void measured_by_systemd(struct fixture *f, uint32_t separated)
{
	rules_fulfilled(f);
	fixture_extend_behind(f, 1U << 11, "enter-initrd");
	fixture_extend_behind(f, separated, "os-separator");
	fixture_extend_behind(f, 1U << 11, "leave-initrd");
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256,
						0x3ff | 1U << 10 | 1U << 11 | 1U << 12 | 1U << 14);
	f->policy.firmware.phases = phases;
	f->policy.firmware.phase_count = 2;
	f->policy.firmware.os_separator = true;
	f->policy.required |= FAILS(FIRMWARE_PHASES) | FAILS(FIRMWARE_SEPARATOR);
}
CHANGE(systemd_measured)
{
	measured_by_systemd(f, 0x12ff);
}
CHANGE(another_phase)
{
	systemd_measured(f);
	fixture_extend_behind(f, 1U << 11, "sysinit");
}
CHANGE(no_phase_of_systemd)
{
	systemd_measured(f);
	fixture_extend_behind(f, 1U << 11, "sysinit\n");
}
CHANGE(phases_out_of_order)
{
	systemd_measured(f);
	fixture_extend_behind(f, 1U << 11, "enter-initrd");
}
CHANGE(not_separated)
{
	measured_by_systemd(f, 0x12ff & ~(1U << 4));
}
CHANGE(command_line_not_separated)
{
	measured_by_systemd(f, 0x2ff);
}
CHANGE(rule_not_there)
{
	rules_fulfilled(f);
	f->policy.firmware.secure_boot = false;
}
/* The rules stand for values of PCRs 0 and 4. */
CHANGE(boot_known_by_rules)
{
	rules_fulfilled(f);
	f->policy.required |= FAILS(BOOT_KNOWN);
}
CHANGE(boot_not_known_by_rules)
{
	boot_known_by_rules(f);
	f->policy.firmware.lists[FIRMWARE_PLATFORM].count = 0;
	f->policy.required &= ~FAILS(FIRMWARE_PLATFORM);
}

const struct bad_row bad_firmware[] = {
	{ "good: rules on the firmware's log", BEFORE_PCRS, rules_fulfilled, TRUSTED },
	{ "firmware: Secure Boot off", BEFORE_PCRS, secure_boot_off, FAILS(FIRMWARE_SECURE_BOOT) },
	{ "firmware: Secure Boot off, and hidden", BEFORE_PCRS, secure_boot_off_and_hidden,
	  FAILS(FIRMWARE_SECURE_BOOT) },
	{ "firmware: keys of others", BEFORE_PCRS, keys_of_others, FAILS(FIRMWARE_KEYS) },
	{ "firmware: dbx of before", BEFORE_PCRS, dbx_of_before, FAILS(FIRMWARE_DBX) },
	{ "firmware: a certificate of others", BEFORE_PCRS, authority_of_others,
	  FAILS(FIRMWARE_AUTHORITIES) },
	{ "firmware: nobody vouched for what was started", BEFORE_PCRS, nobody_vouched,
	  FAILS(FIRMWARE_AUTHORITIES) },
	{ "firmware: Secure Boot off, and the shim measured its own", BEFORE_PCRS,
	  shim_without_secure_boot, FAILS(FIRMWARE_AUTHORITIES) },
	{ "firmware: PK may have one key only, and is empty", BEFORE_PCRS, key_is_empty,
	  FAILS(FIRMWARE_KEYS) },
	{ "firmware: another firmware", BEFORE_PCRS, firmware_of_others, FAILS(FIRMWARE_PLATFORM) },
	{ "firmware: a driver of others", BEFORE_PCRS, driver_of_others, FAILS(FIRMWARE_DRIVERS) },
	{ "firmware: a loader of others", BEFORE_PCRS, loader_of_others, FAILS(FIRMWARE_PROGRAMS) },
	{ "firmware: a loader of others, and hidden", BEFORE_PCRS, loader_of_others_and_hidden,
	  FAILS(FIRMWARE_PROGRAMS) },
	{ "good: the initrd", BEFORE_PCRS, initrd_measured, TRUSTED },
	{ "firmware: an initrd of others", BEFORE_PCRS, initrd_of_others, FAILS(FIRMWARE_FILES) },
	{ "firmware: a command line of others", BEFORE_PCRS, command_line_of_others,
	  FAILS(FIRMWARE_COMMAND_LINE) },
	{ "firmware: a command line of others, and hidden", BEFORE_PCRS,
	  command_line_of_others_and_hidden, FAILS(FIRMWARE_COMMAND_LINE) },
	{ "firmware: grub's line left out, one put in", BEFORE_PCRS, grub_line_left_out,
	  FAILS(UEFI_LOG_REPLAY) },
	{ "firmware: systemd-stub's line left out, one put in", BEFORE_PCRS, stub_line_left_out,
	  FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "firmware: the EFI stub's line hidden, one put in", BEFORE_PCRS, load_options_hidden,
	  FAILS(FIRMWARE_COMMAND_LINE) },
	{ "firmware: PCR 12 not quoted", BEFORE_PCRS, command_line_not_quoted, 0 },
	{ "firmware: in its debug mode", BEFORE_PCRS, debug_mode, FAILS(FIRMWARE_AUTHORITIES) },
	{ "firmware: no sections", BEFORE_PCRS, sections_wanted, FAILS(FIRMWARE_SECTIONS) },
	{ "firmware: no MokList", BEFORE_PCRS, mok_wanted, FAILS(FIRMWARE_MOK) },
	{ "good: systemd's phases and os-separator", BEFORE_PCRS, systemd_measured, TRUSTED },
	{ "firmware: another phase", BEFORE_PCRS, another_phase, FAILS(FIRMWARE_PHASES) },
	{ "firmware: a word that is no phase", BEFORE_PCRS, no_phase_of_systemd,
	  FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "firmware: phases out of order", BEFORE_PCRS, phases_out_of_order,
	  FAILS(UEFI_LOG_REPLAY) | FAILS(IMA_BOOT_AGGREGATE) },
	{ "firmware: a PCR without os-separator", BEFORE_PCRS, not_separated,
	  FAILS(FIRMWARE_SEPARATOR) },
	{ "firmware: the command line's PCR without os-separator", BEFORE_PCRS,
	  command_line_not_separated, FAILS(FIRMWARE_SEPARATOR) },
	{ "firmware: a rule required, not there", BEFORE_PCRS, rule_not_there, 0 },
	{ "good: the boot known by rules", BEFORE_PCRS, boot_known_by_rules, TRUSTED },
	{ "firmware: the firmware itself not known", BEFORE_PCRS, boot_not_known_by_rules, 0 },
	{ NULL, BEFORE_PCRS, NULL, 0 },
};
