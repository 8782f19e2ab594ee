/* SPDX-License-Identifier: MIT */
/*
 * Reading records of the TCG Canonical Event Log (CEL, version 1.0) in its TLV
 * encoding, and the content that assay.ko writes into them (uapi/assay.h).
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
/* A register of a confidential machine (TDX RTMR and such), where no TPM is: go-eventlog. */
#define CEL_CCMR 0x6c

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
 * @pcr: 0 to CEL_PCR_COUNT - 1; CEL_NO_PCR where the record is of another register,
 *       then @ccmr has its number
 * @ccmr: see @pcr; 0 otherwise
 * @digests: a digest a bank, no bank twice. For an algorithm that struct
 *           assay_digest has no name for, .hash is the TLV's type as it stands
 *           (assay_hash_size() is 0 for it)
 * @digest_count: at least 1
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
	uint8_t ccmr;
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
 *              then only @kind is set
 * @start: ASSAY_KIND_START; texts are as they stand in the log, not yet fit to print
 * @measure: ASSAY_KIND_MEASURE; go through @measure.files with measured_file_next()
 * @event: ASSAY_KIND_EVENT
 */
struct assay_content {
	uint8_t kind;
	bool understood;
	struct {
		struct bytes boot_id, release, version;
		uint32_t page_size;  /* bytes */
		uint8_t region_kind; /* enum assay_region_kind, or any other number */
		uint64_t region_base, region_size, window_base, window_size; /* bytes */
		struct assay_digest pcr_values[CEL_MAX_DIGESTS];
		size_t pcr_value_count; /* 0 without a TPM */
		uint8_t ima_bypass;	/* 0, 1, or 2 for unknown */
		uint8_t protection;	/* enum assay_protection, or any other number */
	} start;
	struct {
		struct bytes files;
		size_t file_count; /* 1 to ASSAY_MAX_BATCH */
	} measure;
	struct {
		struct bytes label, data;
	} event;
};

/**
 * struct measured_file - a file of an ASSAY_KIND_MEASURE
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

/*
 * assay_content_parse() - take apart a record of type ASSAY_CEL_CONTENT
 * Everything in it is checked here, every file of a batch included.
 *
 * Return: 0; -EBADMSG for another type of record and for fields that are missing,
 *         twice there, of another size or not known for the kind
 */
int assay_content_parse(const struct cel_record *record, struct assay_content *ret,
			struct assay_error *err);

/*
 * measured_file_next() - take the next file off the front of @files
 * @files: a copy of struct assay_content.measure.files
 *
 * Return: false at the end; it cannot fail, assay_content_parse() went through it
 */
bool measured_file_next(struct bytes *files, struct measured_file *ret);

/* assay_kind_name() - "START" and so on, NULL for a kind that is not known. */
const char *assay_kind_name(uint8_t kind);

#endif /* ASSAY_LOG_CEL_H */
