/* SPDX-License-Identifier: MIT */
/*
 * Reading records of the TCG Canonical Event Log (CEL, version 1.0) in its TLV
 * encoding, and the content that assay.ko writes into them (uapi/assay.h). Integers of records
 * may have fewer bytes than they could: some writers give them no more than they need.
 *
 * Both parse hostile bytes: every length is checked against what is left, what is
 * not expected is refused with the offset and the rule that broke. For lib/verify
 * and the commands. Nothing is copied: a record points into the log it came from.
 */
#ifndef ASSAY_LOG_CEL_H
#define ASSAY_LOG_CEL_H

#include "base/bytes.h"
#include "uapi/assay.h"

#define CEL_MAX_DIGESTS 8
/* The PCRs of a TPM (PC Client Platform TPM Profile 1.06, section 4.6). */
#define CEL_PCR_COUNT 24
/* struct cel_record.pcr of a record that is not of a PCR; equal to no PCR index. */
#define CEL_NO_PCR UINT32_MAX
/* Other registers than PCRs, by the type of their TLV. */
#define CEL_NV_INDEX 0x02 /* an NV index of a TPM, u32: CEL 1.0, section 5.1 */
#define CEL_CCMR 0x6c	  /* of a confidential machine (TDX RTMR and such), u8: go-eventlog */
/* Content types of others (CEL 1.0, section 5.1; systemd's and Google's are in use, not in there);
 * see cel_content.h. */
#define CEL_MANAGEMENT 0x04   /* of the log itself: its version, a time stamp */
#define CEL_PCCLIENT_STD 0x05 /* a firmware's event */
#define CEL_SYSTEMD 0x09
#define CEL_COS 0x50 /* Container-Optimized OS */

/**
 * struct cel_reader - where in a log one is; cel_begin() sets it up
 * @rest: what is not read yet
 * @offset: offset of @rest in the log; see cel_begin()'s @base
 */
struct cel_reader {
	struct bytes rest;
	uint64_t offset;
};

/**
 * struct cel_record - one record, one PCR extend
 * @offset: the record's first byte in the log
 * @size: bytes of the whole record
 * @content_offset: the content TLV's first byte in the log
 * @recnum: its number
 * @pcr: 0 to CEL_PCR_COUNT - 1; CEL_NO_PCR where the record is of another register
 * @register_type: ASSAY_CEL_PCR, CEL_NV_INDEX or CEL_CCMR
 * @register_number: the PCR's index or the other register's number
 * @digests: a digest a bank, no bank twice. For an algorithm that struct
 *           assay_digest has no name for, .hash is the TLV's type as it stands
 *           (assay_hash_size() is 0 for it)
 * @digest_count: at least 1; 0 only of a CEL_MANAGEMENT, which then was not extended
 * @type: of the content: ASSAY_CEL_CONTENT, ASSAY_CEL_IMA_TEMPLATE or another's
 * @content: the whole content TLV, type and length included: what is hashed
 * @value: its value
 */
struct cel_record {
	uint64_t offset;
	uint64_t size;
	uint64_t content_offset;
	uint64_t recnum;
	uint32_t pcr;
	uint8_t register_type;
	uint32_t register_number;
	struct assay_digest digests[CEL_MAX_DIGESTS];
	size_t digest_count;
	uint8_t type;
	struct bytes content;
	struct bytes value;
};

/* cel_begin() - read @log from its start; @base is the offset of its first byte. */
void cel_begin(struct cel_reader *reader, struct bytes log, uint64_t base);

/*
 * cel_next() - the next record
 * Record numbers, their order included, are the caller's to judge.
 *
 * Return: 1 with *ret_record set; 0 at the end; -EBADMSG for bytes that are no
 *         record, which @err places, and then the reader stays where it is
 */
int cel_next(struct cel_reader *reader, struct cel_record *ret_record, struct assay_error *err);

/* cel_record_digest() - the record's digest of that bank; NULL if it has none. */
const struct assay_digest *cel_record_digest(const struct cel_record *record, enum assay_hash hash);

/**
 * struct assay_content - the value of an ASSAY_CEL_CONTENT
 * @kind: enum assay_record_kind, or any other number
 * @understood: false for a kind that this library does not know the fields of;
 *              then only @kind and @time are set
 * @has_time: @time is set
 * @time: nanoseconds since 1970 (UTC) by the device's clock, which may be off
 * @chain: of ASSAY_KEY_SIZE bytes each, .data NULL for those that are not there: the key of
 *         the record before, what commits to the next one's, and the MAC, which is of the
 *         record's number and the digest of @chain.content. Records of older modules have none,
 *         others all but perhaps the key
 * @pcr_values: a PCR's value a bank: before this record (START, KEXEC), before the
 *              oldest record that was kept (TRIM), before the first record (TPM)
 * @pcr_value_count: 0 for a START without a TPM and for other kinds
 * @start: START, and KEXEC, which has the new kernel's; texts are as they stand in
 *         the log, not yet fit to print
 * @boot_before: KEXEC: id of the boot that wrote what is above it
 * @batch: MEASURE, EVENT, BATCH: go through @batch.entries with batch_entry_next();
 *         IMA: with mirrored_entry_next()
 * @trim: TRIM: the record @trim.recnum at offset @trim.offset is the oldest one
 *        left; @trim.size bytes before it are gone, and had @trim.digest; the last of them
 *        committed to the key of that record by @trim.next, which older modules do not say
 * @backlog: TPM: the number of records that had been written without one
 * @pad_size: SEAL: zeros in it
 */
struct assay_content {
	uint8_t kind;
	bool understood;
	bool has_time;
	uint64_t time;
	struct {
		struct bytes key, next, mac;
		struct bytes content; /* the content TLV as far as the MAC's field */
	} chain;
	struct assay_digest pcr_values[CEL_MAX_DIGESTS];
	size_t pcr_value_count;
	struct {
		struct bytes boot_id, release, version;
		uint32_t page_size;  /* bytes */
		uint8_t region_kind; /* enum assay_region_kind, or any other number */
		uint64_t region_base, region_size, window_base, window_size; /* bytes */
		uint8_t ima_bypass; /* 0, 1, or 2 for unknown */
		uint8_t protection; /* enum assay_protection, or any other number */
	} start;
	struct bytes boot_before;
	struct {
		struct bytes entries;
		/* Together 1 to ASSAY_MAX_BATCH. */
		size_t file_count, event_count, ima_count;
	} batch;
	struct {
		uint64_t recnum, offset, size;
		struct assay_digest digest;
		struct bytes next;
	} trim;
	uint64_t backlog;
	size_t pad_size;
};

/**
 * struct measured_file - a file of a MEASURE or BATCH
 * @path: as the log has it, not yet fit to print; .data is NULL if it has none
 * @digest: fs-verity digest; .hash is ASSAY_HASH_NONE where @errnum is set
 * @errnum: positive errno that measuring it gave, 0 if there is a digest
 * @fsuuid: 16 bytes; .data is NULL if there is none
 * @has_inode: @inode is set; the other has_ members say the same of theirs
 * @inode: inode number
 * @generation: the inode's generation
 * @size: bytes of the file
 */
struct measured_file {
	struct bytes path;
	struct assay_digest digest;
	uint32_t errnum;
	struct bytes fsuuid;
	bool has_inode, has_generation, has_size;
	uint64_t inode;
	uint32_t generation;
	uint64_t size;
};

/**
 * struct batch_entry - a file or an event of a MEASURE, EVENT or BATCH
 * @is_event: @label and @data are set; else @file is
 * @label: printable ASCII
 * @data: any bytes
 * @file: the file
 */
struct batch_entry {
	bool is_event;
	struct bytes label, data;
	struct measured_file file;
};

/**
 * struct mirrored_entry - an entry of an IMA: one of IMA's list, verbatim
 * @pcr: IMA's, any number
 * @digests: the template digest in each bank
 * @digest_count: at least 1
 * @name: of the template, not yet fit to print
 * @data: template data
 */
struct mirrored_entry {
	uint32_t pcr;
	struct assay_digest digests[CEL_MAX_DIGESTS];
	size_t digest_count;
	struct bytes name;
	struct bytes data;
};

/*
 * assay_content_parse() - take apart a record of type ASSAY_CEL_CONTENT
 * Everything in it is checked here, every entry of a batch included.
 *
 * Return: 0; -EBADMSG for another type of record and for fields that are missing,
 *         twice there, of another size or not known for the kind
 */
int assay_content_parse(const struct cel_record *record, struct assay_content *ret,
			struct assay_error *err);

/*
 * batch_entry_next() - take the next entry off the front of @entries
 * @entries: a copy of struct assay_content.batch.entries, of a MEASURE, EVENT or BATCH
 *
 * Return: false at the end; it cannot fail, assay_content_parse() went through it
 */
bool batch_entry_next(struct bytes *entries, struct batch_entry *ret);

/* measured_file_next() - the same, but only the files; events are passed over. */
bool measured_file_next(struct bytes *entries, struct measured_file *ret);

/* mirrored_entry_next() - the same for the entries of an IMA. */
bool mirrored_entry_next(struct bytes *entries, struct mirrored_entry *ret);

/*
 * assay_is_protected() - does a value of enum assay_protection say that the log's pages are
 * read-only but for the moments in which a record is written
 */
static inline bool assay_is_protected(uint32_t protection)
{
	return protection == ASSAY_PROTECTION_FULL || protection == ASSAY_PROTECTION_ALIAS;
}

/* assay_kind_name() - "START" and so on, NULL for a kind that is not known. */
const char *assay_kind_name(uint8_t kind);

#endif /* ASSAY_LOG_CEL_H */
