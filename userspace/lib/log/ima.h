/* SPDX-License-Identifier: MIT */
/*
 * Reading the measurement list of Linux's IMA, as binary_runtime_measurements
 * (template digests in SHA-1) and binary_runtime_measurements_<hash> give it:
 * little-endian (Documentation/security/IMA-templates.rst of the kernel).
 *
 * The list is hostile: the framing of every entry is checked, then, apart from
 * it, the fields of templates that are known. An entry whose fields are off still
 * replays, and says what is off. For lib/verify and the commands. Nothing is
 * copied: an entry points into the list it came from.
 */
#ifndef ASSAY_LOG_IMA_H
#define ASSAY_LOG_IMA_H

#include "base/bytes.h"
#include "log/hasher.h"

/* Limits: the kernel's own for a name; for data, far above what IMA writes. */
#define IMA_MAX_TEMPLATE_NAME 255
#define IMA_MAX_TEMPLATE_DATA (1U << 20)
#define IMA_PCR_COUNT 24

/* Fields of a template at most: no kind of them may be there twice. */
#define IMA_MAX_FIELDS 16

/**
 * struct ima_reader - where in a list one is; ima_begin() sets it up
 * @bank: what the list's template digests are in
 * @rest: what is not read yet
 * @offset: its offset in the list
 * @cut: set by ima_next() and ima_skim() where they fail: @rest has the beginning of an entry, and
 *       bytes behind it are missing; more of them may make it whole
 * @format: what the last entry's template name stands for: mostly it is the next one's too
 */
struct ima_reader {
	enum assay_hash bank;
	struct bytes rest;
	uint64_t offset;
	bool cut;
	struct ima_format {
		struct bytes name;
		bool known;
		const char *problem;
		uint8_t fields[IMA_MAX_FIELDS];
		size_t field_count;
	} format;
};

/* The entry that stands for the boot before IMA began: its digest is of PCRs. */
enum ima_boot_aggregate {
	IMA_NO_BOOT_AGGREGATE,
	IMA_BOOT_AGGREGATE,
	IMA_BOOT_AGGREGATE_LATE, /* taken again when the TPM's driver came */
};

/**
 * struct ima_entry - one entry, one PCR extend
 * @offset: its first byte in the list
 * @pcr: 0 to IMA_PCR_COUNT - 1
 * @template_digest: in the list's bank
 * @violation: the template digest is all zeros: a file was open for writing while
 *             it was measured. The PCR was extended with 0xff bytes
 * @name: of the template, 1 to 255 bytes, not yet fit to print
 * @data: template data as the list has it. It is what was hashed, but for the
 *        template "ima", whose path is padded: see ima_template_hash()
 * @known: @name is a template, or a format of fields, that is known
 * @problem: why the fields of a known template do not parse; NULL if they do.
 *           The members below are set only if @known and this is NULL
 * @verity: the digest is an fs-verity digest (field d-ngv2)
 * @algorithm: the name of the digest's algorithm as it stands in the entry
 * @digest_hash: the same; ASSAY_HASH_NONE if it is not one of enum assay_hash, or if @digest is
 *               not of its size (see there)
 * @digest: of the file's data; empty if the template has none. Of a violation, zeros:
 *          before Linux 5.19 (commit 9fab303a2cb3) 20 of them, whatever the algorithm
 * @path: of the file, or the event's name, without the NUL; .data is NULL if the
 *        template has none; not yet fit to print. It is in IMA's own form: see
 *        ima_name_compare()
 * @path_limited: @path is of a field with a limit (template "ima", field n): see
 *                ima_name_limited()
 * @signature: security.ima as it was (field sig); empty if there was none
 * @buffer: what was measured where that is no file (field buf)
 * @modsig_hash, @modsig_digest: of the file without the signature that is appended to it
 *                               (field d-modsig), as @digest_hash and @digest
 * @modsig: that signature, PKCS#7 (field modsig); empty if there was none
 * @evm_signature: security.evm, if it is a portable signature (field evmsig)
 * @xattr_names: of the attributes that @evm_signature covers, separated by '|', no NUL
 * @xattr_lengths: of their values, each 4 bytes, little-endian
 * @xattr_values: these
 * @has_uid: @uid is set; the other has_ members say the same of theirs
 * @uid, @gid, @mode: of the file's inode (fields iuid, igid, imode)
 * @boot_aggregate: whether the entry is the boot's, by its name. Of a file that has no absolute
 *                  path, or one over PATH_MAX, IMA writes the last component: it may be this
 */
struct ima_entry {
	uint64_t offset;
	uint32_t pcr;
	struct assay_digest template_digest;
	bool violation;
	struct bytes name;
	struct bytes data;
	bool known;
	const char *problem;
	bool verity;
	struct bytes algorithm;
	enum assay_hash digest_hash;
	struct bytes digest;
	struct bytes path;
	bool path_limited;
	struct bytes signature;
	struct bytes buffer;
	enum assay_hash modsig_hash;
	struct bytes modsig_digest;
	struct bytes modsig;
	struct bytes evm_signature;
	struct bytes xattr_names, xattr_lengths, xattr_values;
	bool has_uid, has_gid, has_mode;
	uint32_t uid, gid;
	uint16_t mode;
	enum ima_boot_aggregate boot_aggregate;
};

/* ima_begin() - read @list, whose template digests are in @bank, from its start. */
void ima_begin(struct ima_reader *reader, struct bytes list, enum assay_hash bank);

/*
 * ima_next() - the next entry
 *
 * Return: 1 with *ret_entry set; 0 at the end; -EBADMSG for bytes that are no
 *         entry, which @err places, and then the reader stays where it is
 */
int ima_next(struct ima_reader *reader, struct ima_entry *ret_entry, struct assay_error *err);

/**
 * struct ima_frame - an entry as it is framed, whatever its template: all that a replay needs
 * @offset, @end: its first byte in the list, and the first behind it
 * @pcr, @violation, @name, @data: as of struct ima_entry
 * @template_digest: as it stands in the list, of the bank's size
 */
struct ima_frame {
	uint64_t offset, end;
	uint32_t pcr;
	bool violation;
	const uint8_t *template_digest;
	struct bytes name, data;
};

/* ima_skim() - ima_next(), but the fields of templates are not looked at */
int ima_skim(struct ima_reader *reader, struct ima_frame *ret_frame, struct assay_error *err);

/*
 * ima_entry_parse() - read the fields of an entry that came another way than in a list
 * @entry: .name, .data and .violation are set; the members that are set from the first two. The
 *         data may be anything
 * @reader: only for what it remembers of the last template; ima_begin() it
 */
void ima_entry_parse(struct ima_reader *reader, struct ima_entry *entry);

/* How a field stands in the list as text (supported_fields of the kernel's ima_template.c) */
enum ima_form {
	IMA_FORM_HEX,
	IMA_FORM_ALGORITHM, /* "sha256:HEX", of d-ngv2 with "verity:" or "ima:" in front */
	IMA_FORM_PATH,
	IMA_FORM_NAMES, /* text without spaces */
	IMA_FORM_U16,	/* decimal */
	IMA_FORM_U32,
};

/*
 * ima_format_read() - which fields a template's name, or a format in its place, stands for
 * Return: false for one that is not known, and for template "ima", whose data has no fields
 */
bool ima_format_read(struct bytes name, struct ima_format *ret);

/* ima_field_form() - of one of struct ima_format.fields */
enum ima_form ima_field_form(uint8_t field);

/* ima_entry_refuse() - note @problem: what was read of the fields is not handed out */
void ima_entry_refuse(struct ima_entry *entry, const char *problem);

/*
 * Names in IMA's own form. Since Linux 3.13 the kernel writes '_' for every space of a path
 * (ima_write_template_field_data() of security/integrity/ima/ima_template_lib.c), in fields n
 * and n-ng alike; earlier ones write it as it is. So two paths that differ in nothing but that
 * cannot be told apart in a list. A path that the kernel cannot resolve is only its last
 * component, which is the path of no file.
 */

/* ima_name_form() - append @path in IMA's form to @out */
void ima_name_form(struct bytes path, struct buffer *out);

/*
 * ima_name_compare() - the order of two paths in IMA's form, as of memcmp(); 0 if IMA writes both
 * alike. For sorting and searching; neither path needs to be in that form.
 */
int ima_name_compare(struct bytes a, struct bytes b);

/* Bytes of a path that a field with a limit can hold (IMA_EVENT_NAME_LEN_MAX). */
#define IMA_NAME_LIMIT 255

/*
 * ima_name_limited() - what such a field has of @path: all of it, or, where that is longer than
 * the limit, its last component (ima_eventname_init_common() of the kernel)
 */
struct bytes ima_name_limited(struct bytes path);

/*
 * ima_template_hash() - the template hash of an entry, in the hasher's algorithm
 * In the list's bank it must equal @entry->template_digest (unless it is a
 * violation); in any other bank it is what that bank's PCR was extended with.
 */
int ima_template_hash(const struct ima_entry *entry, struct hasher *hasher,
		      struct assay_digest *ret, struct assay_error *err);

/*
 * ima_extend() - extend a PCR of the hasher's bank as the kernel did for an entry
 * @value: the PCR's value before and after, zeros at boot
 */
int ima_extend(const struct ima_entry *entry, struct hasher *hasher, struct assay_digest *value,
	       struct assay_error *err);

/* PCRs that boot_aggregate is over: of SHA-1 fewer (Linux 5.8 and later). */
#define IMA_AGGREGATE_PCRS 10
#define IMA_AGGREGATE_PCRS_SHA1 8

/*
 * ima_aggregate() - what boot_aggregate's digest is, in the hasher's algorithm
 * @values: of PCRs 0 to IMA_AGGREGATE_PCRS - 1 in the hasher's bank; of SHA-1, those from
 *          IMA_AGGREGATE_PCRS_SHA1 on are not looked at
 *
 * Without a TPM the kernel writes zeros instead.
 */
int ima_aggregate(struct hasher *hasher, const struct assay_digest values[IMA_AGGREGATE_PCRS],
		  struct assay_digest *ret, struct assay_error *err);

/*
 * ima_detect_bank() - which bank a list's template digests are in, by its first
 * entry, in whose bank alone the name behind the digest is in its place
 *
 * Return: 0; -EBADMSG if it begins with no entry of any bank
 */
int ima_detect_bank(struct bytes list, enum assay_hash *ret, struct assay_error *err);

#endif /* ASSAY_LOG_IMA_H */
