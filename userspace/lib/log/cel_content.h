/* SPDX-License-Identifier: MIT */
/*
 * The contents that others write into CEL records (CEL 1.0, section 5.1): a firmware's events,
 * IMA's entries, the log's management; and whether a record's digest is that of its content, for
 * those contents that say so. Hostile bytes. For lib/log and the commands.
 */
#ifndef ASSAY_LOG_CEL_CONTENT_H
#define ASSAY_LOG_CEL_CONTENT_H

#include "log/cel.h"
#include "log/hasher.h"
#include "log/ima.h"

/*
 * A record in JSON may have a content that this library does not know, or none, as
 * systemd-pcrlock writes where it does not know one itself. It is kept as it was: the value of
 * such a TLV is a JSON object that holds "content_type" and "content", or neither.
 */
#define CEL_JSON 0x4a

/* Fields of contents. */
#define CEL_PCCLIENT_TYPE 0 /* u32 */
#define CEL_PCCLIENT_DATA 1
#define CEL_IMA_NAME 0
#define CEL_IMA_DATA 1

/* Kinds of CEL_MANAGEMENT (TPMI_CELMGTTYPE), and the fields of a version. */
#define CEL_MANAGEMENT_VERSION 1
#define CEL_MANAGEMENT_FIRMWARE_END 2
#define CEL_MANAGEMENT_TIMESTAMP 80
#define CEL_MANAGEMENT_STATE 81 /* suspend, hibernate, kexec */
#define CEL_VERSION_MAJOR 0
#define CEL_VERSION_MINOR 1

/* Each of the next two: 0; -EBADMSG for a record of another type, or whose content is off. */

/* cel_pcclient_parse() - a firmware's event: see uefi.h for types */
int cel_pcclient_parse(const struct cel_record *record, uint32_t *ret_type, struct bytes *ret_data,
		       struct assay_error *err);

/* cel_ima_parse() - an entry of IMA; only .name and .data are set */
int cel_ima_parse(const struct cel_record *record, struct ima_entry *ret, struct assay_error *err);

/**
 * struct cel_management - one statement about the log
 * @kind: CEL_MANAGEMENT_*
 * @major, @minor: of a version
 * @value: of a time stamp (the unit is the writer's), or a state: 0 to 2
 */
struct cel_management {
	uint8_t kind;
	uint16_t major, minor;
	uint64_t value;
};

/*
 * cel_management_next() - the next statement off the front of @in, at first a copy of a
 * CEL_MANAGEMENT's value
 *
 * Return: 1; 0 at the end; -EBADMSG
 */
int cel_management_next(struct bytes *in, struct cel_management *ret, struct assay_error *err);

/*
 * cel_content_check() - is the content well-formed, as far as its type is known?
 *
 * Return: 0, -EBADMSG
 */
int cel_content_check(const struct cel_record *record, struct assay_error *err);

/*
 * cel_digests_check() - are the record's digests those of its content?
 * @ret_match: whether all are whose algorithm is known
 *
 * A firmware's event may be of more than its data, what systemd extends may be a secret's HMAC,
 * and a violation of IMA has none: of these nothing can be said, and so of types that are not
 * known.
 *
 * Return: 1; 0 where nothing can be said, and then *ret_match is true; -EIO
 */
int cel_digests_check(const struct cel_record *record, struct hashers *hashers, bool *ret_match,
		      struct assay_error *err);

/*
 * cel_record_extend_digest() - what a record extended its PCR with, in the bank @hash
 * @ret: of that bank's size; a violation of IMA, whose digest is zeros, extends ones
 *
 * Return: 1; 0 if it extended nothing (a firmware's EV_NO_ACTION); -ENODATA if the record has
 *         no digest of that bank
 */
int cel_record_extend_digest(const struct cel_record *record, enum assay_hash hash,
			     struct assay_digest *ret);

#endif /* ASSAY_LOG_CEL_CONTENT_H */
