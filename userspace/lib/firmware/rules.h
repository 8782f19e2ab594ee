/* SPDX-License-Identifier: MIT */
/*
 * What a boot must be, by the events of its firmware's log. Pure.
 *
 * No digest covers an event's type, and a PCR can be extended further by whoever has booted. So a
 * rule never looks for an event that says what is wanted: it goes through all events of its PCR,
 * and each must be one that it knows, by what its digests prove and not by its type or label. What
 * was measured cannot be left out, since the log replays to the PCR.
 */
#ifndef ASSAY_FIRMWARE_RULES_H
#define ASSAY_FIRMWARE_RULES_H

#include "log/uefi.h"

/* struct firmware_digests - digests of any algorithm, each "HASH:HEX" in a policy */
struct firmware_digests {
	const struct assay_digest *list;
	size_t count;
};

/**
 * struct firmware_item - something that is measured, and what it may be
 * @name: for people; of a UKI's section what is measured before it
 * @digests: what its event's digest may be: of programs the Authenticode digest
 */
struct firmware_item {
	const char *name;
	struct firmware_digests digests;
};

/* Items of a list at most. */
#define FIRMWARE_ITEMS_MAX 4096

/* struct firmware_items - all that may be measured into a PCR; each must be, once or more */
struct firmware_items {
	const struct firmware_item *list;
	size_t count;
};

/**
 * struct firmware_variable - what a variable of lists of signatures must be (PK, KEK, db, dbx)
 * @digests: of its whole value
 * @only: it must have entries, and each must be one of these
 * @contains: each of these must be one of its entries
 *
 * An entry that is a digest stands for itself, any other (a certificate) is its SHA-256. A list of
 * none of these says nothing.
 */
struct firmware_variable {
	struct firmware_digests digests, only, contains;
};

enum firmware_key {
	FIRMWARE_PK,
	FIRMWARE_KEK,
	FIRMWARE_DB,
	FIRMWARE_DBX,
	FIRMWARE_KEYS,
};

/* firmware_key_name() - "PK", "KEK", "db", "dbx" */
const char *firmware_key_name(enum firmware_key key);

/* PCRs of which all that may be measured is a list of digests (PFP 2.3.4, Linux' TPM PCR registry).
 */
enum firmware_list {
	FIRMWARE_PLATFORM, /* PCR 0: the firmware itself */
	FIRMWARE_DRIVERS,  /* PCR 2: option ROMs and such */
	FIRMWARE_PROGRAMS, /* PCR 4: boot loaders and kernels */
	FIRMWARE_FILES,	   /* PCR 9: what a boot loader reads; the initrd, by Linux's EFI stub */
	FIRMWARE_SECTIONS, /* PCR 11: of a UKI, by systemd-stub */
	FIRMWARE_MOK,	   /* PCR 14: MokList and such, by the shim */
	FIRMWARE_LISTS,
};

/* firmware_list_name() - "platform" and so on; firmware_list_pcr() - 0 and so on */
const char *firmware_list_name(enum firmware_list list);
unsigned int firmware_list_pcr(enum firmware_list list);

/**
 * struct firmware_rules - all of them; what is not set asks for nothing
 * @secure_boot: it must be on
 * @authorities: digests of what is measured into PCR 7 behind its separator, which may not be
 * nothing: the certificates that vouched for a program, and what the shim adds
 * @command_lines: of the kernel; '*' stands for any characters. PCRs 8 (grub), 12 (systemd) and 9
 *                 (Linux's EFI stub: of those without '*')
 * @commands: that grub may run, likewise: PCR 8
 * @phases: words of uki.h that systemd may have told its phases by: each one text, as of a machine
 *          that is up; PCR 11
 * @os_separator: systemd must have separated what the firmware and the boot loader measured from
 *                what comes later: PCRs 0 to 7, and those of 9, 12, 13 and 14 that are proven
 */
struct firmware_rules {
	bool secure_boot;
	struct firmware_variable keys[FIRMWARE_KEYS];
	struct firmware_digests authorities;
	struct firmware_items lists[FIRMWARE_LISTS];
	const char *const *command_lines, *const *commands;
	const char *const *phases;
	size_t command_line_count, command_count, phase_count;
	bool os_separator;
};

/*
 * systemd-pcrosseparator.service (systemd 261 and later) extends these with the word, from the
 * initramfs on: what comes behind it was not measured by the firmware.
 */
#define FIRMWARE_SEPARATED_PCRS (0xffU | 1U << 9 | 1U << 12 | 1U << 13 | 1U << 14)
/* PCR 6 is the vendor's, and few quote it. */
#define FIRMWARE_SEPARATED_ALWAYS 0xbfU
#define FIRMWARE_PHASES_PCR 11

/*
 * firmware_rules_pcrs() - bit n: what the rules say is about all that PCR n holds, also where the
 * log has no event of it, which else may have been left out: those of the command line and of
 * systemd's phases
 */
uint32_t firmware_rules_pcrs(const struct firmware_rules *rules);

/* A rule that is judged by itself: each is a check of lib/verify. */
enum firmware_rule {
	FIRMWARE_RULE_SECURE_BOOT,
	FIRMWARE_RULE_KEYS, /* PK, KEK and db */
	FIRMWARE_RULE_DBX,
	FIRMWARE_RULE_AUTHORITIES,
	FIRMWARE_RULE_PLATFORM,
	FIRMWARE_RULE_DRIVERS,
	FIRMWARE_RULE_PROGRAMS,
	FIRMWARE_RULE_FILES,
	FIRMWARE_RULE_SECTIONS,
	FIRMWARE_RULE_MOK,
	FIRMWARE_RULE_COMMAND_LINE,
	FIRMWARE_RULE_PHASES,
	FIRMWARE_RULE_SEPARATOR,
	FIRMWARE_RULES,
};

/* firmware_asks() - do the rules ask for that one? */
bool firmware_asks(const struct firmware_rules *rules, enum firmware_rule rule);

/**
 * struct firmware_log - a log, and what of it is proven
 * @log: well-formed, by uefi_replay()
 * @banks: bit n of .pcrs: the log replays to the quoted value of PCR n in this bank; but for what
 *         the next two say that systemd extended behind it
 * @separated: bit n: os-separator, PCR n
 * @phases: PCR 11: words of uki.h
 */
struct firmware_log {
	struct bytes log;
	struct {
		enum assay_hash hash;
		uint32_t pcrs;
	} banks[HASHERS_MAX];
	size_t bank_count;
	uint32_t separated, phases;
};

/* Told of each thing that is not as the rule has it: a part of a sentence, fit to print. */
typedef void firmware_finding(void *context, const char *text);

/**
 * struct firmware_result - what came of a rule
 * @missing: a PCR that the rule is about is not proven, and nothing was found: see @pcr
 * @pcr: which; else that of the rule
 * @events: how many were judged
 * @findings: how many there are
 */
struct firmware_result {
	bool missing;
	unsigned int pcr;
	uint64_t events, findings;
};

/*
 * firmware_judge() - one rule, that the rules ask for
 *
 * Return: 0 with *ret set, whatever was found; -EIO, -ENOMEM; -EBADMSG for a log that is none
 */
int firmware_judge(const struct firmware_rules *rules, enum firmware_rule rule,
		   const struct firmware_log *log, firmware_finding *each, void *context,
		   struct firmware_result *ret, struct assay_error *err);

/* firmware_entry_digest() - of an entry in a list of signatures: see struct firmware_variable */
struct efi_signature;
int firmware_entry_digest(struct hashers *hashers, const struct efi_signature *signature,
			  struct assay_digest *ret, struct assay_error *err);

/*
 * firmware_is_common() - is it an event that firmware measures in any boot: a separator, or an
 * action of PFP 10.4.4, by data that its digests prove?
 */
struct firmware_content;
bool firmware_is_common(const struct uefi_event *event, const struct firmware_content *content);

#endif /* ASSAY_FIRMWARE_RULES_H */
