// SPDX-License-Identifier: MIT
#include "log/ima.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The oldest template: no length of its data, an unterminated path, other hashing. */
#define IMA_TEMPLATE "ima"
#define IMA_TEMPLATE_DIGEST 20		       /* SHA-1 */
#define IMA_TEMPLATE_PATH (IMA_NAME_LIMIT + 1) /* bytes of the path as it is hashed */

/* Zeros that a violation has as its digest, of whatever algorithm, where the kernel does not look
 * at its size (before commit 9fab303a2cb3, Linux 5.19). */
#define IMA_VIOLATION_DIGEST 20

/* builtin_templates of the kernel's ima_template.c; other names are formats themselves. */
static const struct {
	const char *name, *format;
} templates[] = {
	{ "ima-ng", "d-ng|n-ng" },
	{ "ima-sig", "d-ng|n-ng|sig" },
	{ "ima-ngv2", "d-ngv2|n-ng" },
	{ "ima-sigv2", "d-ngv2|n-ng|sig" },
	{ "ima-buf", "d-ng|n-ng|buf" },
	{ "ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig" },
	{ "evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode" },
};

/* Bytes of a digest by the kernel's names (crypto/hash_info.c). */
static const struct {
	const char *name;
	size_t size;
} algorithms[] = {
	{ "md5", 16 },	       { "sha1", 20 },	      { "rmd160", 20 },	  { "sha224", 28 },
	{ "sha256", 32 },      { "sha384", 48 },      { "sha512", 64 },	  { "sm3", 32 },
	{ "streebog256", 32 }, { "streebog512", 64 }, { "wp256", 32 },	  { "wp384", 48 },
	{ "wp512", 64 },       { "sha3-256", 32 },    { "sha3-384", 48 }, { "sha3-512", 64 },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_text(struct bytes bytes, const char *text)
{
	return bytes_equal(bytes, BYTES((const uint8_t *)text, strlen(text)));
}

/* Splits at the first @separator, which is dropped; all of @in if there is none. */
static struct bytes split_at(struct bytes *in, uint8_t separator)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, separator, in->size) : NULL;
	struct bytes part = *in;

	if (!end) {
		*in = BYTES(in->data + in->size, 0);
		return part;
	}
	part.size = (size_t)(end - in->data);
	*in = BYTES(end + 1, in->size - part.size - 1);
	return part;
}

/* What a digest field holds, before it is put to its place. */
struct digest_field {
	bool verity;
	struct bytes algorithm;
	enum assay_hash hash;
	struct bytes digest;
};

/* "algorithm:" NUL digest, with a type in front ("verity:") in d-ngv2. */
static const char *parse_digest(struct bytes in, bool typed, bool violation,
				struct digest_field *ret)
{
	const uint8_t *end = in.size > 0 ? memchr(in.data, '\0', in.size) : NULL;
	struct bytes prefix;
	size_t size = 0;

	if (!end || end == in.data || end[-1] != ':')
		return "its digest does not begin with an algorithm";
	bytes_take(&in, (size_t)(end - in.data) - 1, &prefix);
	ret->digest = BYTES(in.data + 2, in.size - 2);
	if (typed) {
		struct bytes type = split_at(&prefix, ':');

		if (is_text(type, "verity"))
			ret->verity = true;
		else if (!is_text(type, "ima"))
			return "its digest is of a type that is not known";
	}
	for (size_t i = 0; i < COUNT_OF(algorithms) && size == 0; i++)
		if (is_text(prefix, algorithms[i].name)) {
			size = algorithms[i].size;
			ret->hash = assay_hash_by_name(algorithms[i].name);
		}
	if (size == 0)
		return "its digest's algorithm is not known";
	ret->algorithm = prefix;
	if (ret->digest.size == size)
		return NULL;
	if (!violation || ret->digest.size != IMA_VIOLATION_DIGEST || !bytes_are_zero(ret->digest))
		return "its digest is not of its algorithm's size";
	ret->hash = ASSAY_HASH_NONE;
	return NULL;
}

static const char *parse_path(struct bytes in, bool terminated, struct ima_entry *entry)
{
	if (terminated) {
		if (in.size == 0 || in.data[in.size - 1] != '\0')
			return "its path does not end in NUL";
		in.size--;
	}
	if (in.size > 0 && memchr(in.data, '\0', in.size))
		return "its path contains NUL";
	entry->path = in;
	if (is_text(in, "boot_aggregate"))
		entry->boot_aggregate = IMA_BOOT_AGGREGATE;
	else if (is_text(in, "boot_aggregate_late"))
		entry->boot_aggregate = IMA_BOOT_AGGREGATE_LATE;
	return NULL;
}

/* ---------------------------------------------------------------- fields */

static const char *set_digest(struct bytes value, bool typed, struct ima_entry *entry)
{
	struct digest_field field = { 0 };
	const char *problem = parse_digest(value, typed, entry->violation, &field);

	entry->verity = field.verity;
	entry->algorithm = field.algorithm;
	entry->digest_hash = field.hash;
	entry->digest = field.digest;
	return problem;
}

/* "d" has no algorithm: the kernel writes MD5 or SHA-1 there and nothing else. */
static const char *parse_d(struct bytes value, struct ima_entry *entry)
{
	if (value.size != 16 && value.size != IMA_TEMPLATE_DIGEST)
		return "its digest is not of its algorithm's size";
	entry->algorithm = value.size == 16 ? BYTES_LITERAL("md5") : BYTES_LITERAL("sha1");
	entry->digest_hash = value.size == 16 ? ASSAY_HASH_NONE : ASSAY_HASH_SHA1;
	entry->digest = value;
	return NULL;
}

static const char *parse_d_ng(struct bytes value, struct ima_entry *entry)
{
	return set_digest(value, false, entry);
}

static const char *parse_d_ngv2(struct bytes value, struct ima_entry *entry)
{
	return set_digest(value, true, entry);
}

static const char *parse_n_ng(struct bytes value, struct ima_entry *entry)
{
	return parse_path(value, true, entry);
}

static const char *parse_n(struct bytes value, struct ima_entry *entry)
{
	entry->path_limited = true;
	return parse_path(value, true, entry);
}

static const char *parse_sig(struct bytes value, struct ima_entry *entry)
{
	entry->signature = value;
	return NULL;
}

static const char *parse_buf(struct bytes value, struct ima_entry *entry)
{
	entry->buffer = value;
	return NULL;
}

/* Empty where no signature is appended to the file. */
static const char *parse_d_modsig(struct bytes value, struct ima_entry *entry)
{
	struct digest_field field = { 0 };
	const char *problem = value.size > 0 ? parse_digest(value, false, false, &field) : NULL;

	entry->modsig_hash = field.hash;
	entry->modsig_digest = field.digest;
	return problem;
}

static const char *parse_modsig(struct bytes value, struct ima_entry *entry)
{
	entry->modsig = value;
	return NULL;
}

static const char *parse_evmsig(struct bytes value, struct ima_entry *entry)
{
	entry->evm_signature = value;
	return NULL;
}

/* Those of an inode are empty where there is none: boot_aggregate, a buffer. */
static const char *parse_id(struct bytes value, bool *ret_has, uint32_t *ret)
{
	*ret_has = value.size > 0;
	if (value.size > 0 && (!bytes_take_le32(&value, ret) || value.size > 0))
		return "its owner is not of 4 bytes";
	return NULL;
}

static const char *parse_iuid(struct bytes value, struct ima_entry *entry)
{
	return parse_id(value, &entry->has_uid, &entry->uid);
}

static const char *parse_igid(struct bytes value, struct ima_entry *entry)
{
	return parse_id(value, &entry->has_gid, &entry->gid);
}

static const char *parse_imode(struct bytes value, struct ima_entry *entry)
{
	entry->has_mode = value.size > 0;
	if (value.size > 0 && (!bytes_take_le16(&value, &entry->mode) || value.size > 0))
		return "its mode is not of 2 bytes";
	return NULL;
}

static const char *parse_xattrnames(struct bytes value, struct ima_entry *entry)
{
	if (value.size > 0 && value.data[--value.size] != '\0')
		return "the names of its attributes do not end in NUL";
	if (value.size > 0 && memchr(value.data, '\0', value.size))
		return "the names of its attributes contain NUL";
	entry->xattr_names = value;
	return NULL;
}

static const char *parse_xattrlengths(struct bytes value, struct ima_entry *entry)
{
	if (value.size % 4 != 0)
		return "the lengths of its attributes are not of 4 bytes each";
	entry->xattr_lengths = value;
	return NULL;
}

static const char *parse_xattrvalues(struct bytes value, struct ima_entry *entry)
{
	entry->xattr_values = value;
	return NULL;
}

/* supported_fields of the kernel's ima_template.c. Of each kind a template has one at most: by two
 * of them an entry would say two things. */
enum field_kind {
	KIND_DIGEST,
	KIND_PATH,
	KIND_SIG,
	KIND_BUF,
	KIND_D_MODSIG,
	KIND_MODSIG,
	KIND_EVMSIG,
	KIND_IUID,
	KIND_IGID,
	KIND_IMODE,
	KIND_XATTRNAMES,
	KIND_XATTRLENGTHS,
	KIND_XATTRVALUES,
};

static const struct {
	const char *name;
	enum ima_form form;
	enum field_kind kind;
	const char *(*parse)(struct bytes value, struct ima_entry *entry);
	const char *twice;
} fields[] = {
	{ "d-ng", IMA_FORM_ALGORITHM, KIND_DIGEST, parse_d_ng, "its digest is there twice" },
	{ "d-ngv2", IMA_FORM_ALGORITHM, KIND_DIGEST, parse_d_ngv2, "its digest is there twice" },
	{ "d", IMA_FORM_HEX, KIND_DIGEST, parse_d, "its digest is there twice" },
	{ "n-ng", IMA_FORM_PATH, KIND_PATH, parse_n_ng, "its path is there twice" },
	{ "n", IMA_FORM_PATH, KIND_PATH, parse_n, "its path is there twice" },
	{ "sig", IMA_FORM_HEX, KIND_SIG, parse_sig, "its signature is there twice" },
	{ "buf", IMA_FORM_HEX, KIND_BUF, parse_buf, "its buffer is there twice" },
	{ "d-modsig", IMA_FORM_ALGORITHM, KIND_D_MODSIG, parse_d_modsig,
	  "its field d-modsig is there twice" },
	{ "modsig", IMA_FORM_HEX, KIND_MODSIG, parse_modsig, "its field modsig is there twice" },
	{ "evmsig", IMA_FORM_HEX, KIND_EVMSIG, parse_evmsig, "its field evmsig is there twice" },
	{ "iuid", IMA_FORM_U32, KIND_IUID, parse_iuid, "its field iuid is there twice" },
	{ "igid", IMA_FORM_U32, KIND_IGID, parse_igid, "its field igid is there twice" },
	{ "imode", IMA_FORM_U16, KIND_IMODE, parse_imode, "its field imode is there twice" },
	{ "xattrnames", IMA_FORM_NAMES, KIND_XATTRNAMES, parse_xattrnames,
	  "its field xattrnames is there twice" },
	{ "xattrlengths", IMA_FORM_HEX, KIND_XATTRLENGTHS, parse_xattrlengths,
	  "its field xattrlengths is there twice" },
	{ "xattrvalues", IMA_FORM_HEX, KIND_XATTRVALUES, parse_xattrvalues,
	  "its field xattrvalues is there twice" },
};

/* Of attributes there are as many names as lengths, and as many values as these add up to. */
static const char *check_xattrs(const struct ima_entry *entry, uint32_t kinds)
{
	struct bytes lengths = entry->xattr_lengths;
	uint64_t total = 0;
	uint32_t length;
	size_t names = entry->xattr_names.size > 0;

	if (!(kinds & 1U << KIND_XATTRLENGTHS))
		return NULL;
	for (size_t i = 0; i < entry->xattr_names.size; i++)
		names += entry->xattr_names.data[i] == '|';
	if ((kinds & 1U << KIND_XATTRNAMES) && names != lengths.size / sizeof(length))
		return "its attributes do not have as many names as lengths";
	while (bytes_take_le32(&lengths, &length))
		total += length;
	if ((kinds & 1U << KIND_XATTRVALUES) && total != entry->xattr_values.size)
		return "the values of its attributes are not of the lengths that it names";
	return NULL;
}

/* The fields that a format names, each with its length in front, and nothing more. */
static const char *parse_fields(const struct ima_format *format, struct bytes in,
				struct ima_entry *entry)
{
	const char *problem = format->problem;
	uint32_t kinds = 0;

	for (size_t i = 0; i < format->field_count && !problem; i++) {
		struct bytes value;
		uint32_t length;

		if (!bytes_take_le32(&in, &length) || !bytes_take(&in, length, &value))
			return "a field's length goes beyond its template data";
		problem = fields[format->fields[i]].parse(value, entry);
		kinds |= 1U << fields[format->fields[i]].kind;
	}
	if (!problem)
		problem = check_xattrs(entry, kinds);
	if (!problem && in.size > 0)
		return "bytes are left behind its last field";
	return problem;
}

static const char *parse_ima_template(struct bytes in, struct ima_entry *entry)
{
	struct bytes digest, path;
	uint32_t length;

	/* Of a list it is framed so; of what came another way it may be anything. */
	if (!bytes_take(&in, IMA_TEMPLATE_DIGEST, &digest) || !bytes_take_le32(&in, &length) ||
	    length > IMA_NAME_LIMIT || !bytes_take(&in, length, &path) || in.size > 0)
		return "its template data is not a digest, a length and a path";
	entry->algorithm = BYTES_LITERAL("sha1");
	entry->digest_hash = ASSAY_HASH_SHA1;
	entry->digest = digest;
	entry->path_limited = true;
	return parse_path(path, false, entry);
}

static size_t find_field(struct bytes name)
{
	size_t i = 0;

	while (i < COUNT_OF(fields) && !is_text(name, fields[i].name))
		i++;
	return i;
}

/* What the name of a template, or a format in its place, stands for. */
static void read_format(struct bytes name, struct ima_format *format)
{
	struct bytes rest = name;
	uint32_t kinds = 0;

	*format = (struct ima_format){ .name = name };
	for (size_t i = 0; i < COUNT_OF(templates); i++)
		if (is_text(name, templates[i].name))
			rest = BYTES((const uint8_t *)templates[i].format,
				     strlen(templates[i].format));
	while (rest.size > 0) {
		size_t field = find_field(split_at(&rest, '|'));

		if (field == COUNT_OF(fields))
			return;
		if (kinds & 1U << fields[field].kind)
			format->problem = fields[field].twice;
		else
			format->fields[format->field_count++] = (uint8_t)field;
		kinds |= 1U << fields[field].kind;
	}
	format->known = true;
}

bool ima_format_read(struct bytes name, struct ima_format *ret)
{
	read_format(name, ret);
	return ret->known && !ret->problem;
}

enum ima_form ima_field_form(uint8_t field)
{
	return fields[field].form;
}

void ima_entry_refuse(struct ima_entry *entry, const char *problem)
{
	*entry = (struct ima_entry){
		.offset = entry->offset,
		.pcr = entry->pcr,
		.template_digest = entry->template_digest,
		.violation = entry->violation,
		.name = entry->name,
		.data = entry->data,
		.known = entry->known,
		.problem = problem,
	};
}

void ima_entry_parse(struct ima_reader *reader, struct ima_entry *entry)
{
	if (is_text(entry->name, IMA_TEMPLATE)) {
		entry->known = true;
		entry->problem = parse_ima_template(entry->data, entry);
	} else {
		if (!bytes_equal(entry->name, reader->format.name))
			read_format(entry->name, &reader->format);
		entry->known = reader->format.known;
		if (entry->known)
			entry->problem = parse_fields(&reader->format, entry->data, entry);
	}
	if (entry->problem)
		ima_entry_refuse(entry, entry->problem);
}

void ima_begin(struct ima_reader *reader, struct bytes list, enum assay_hash bank)
{
	*reader = (struct ima_reader){ .bank = bank, .rest = list };
}

/* -ENODATA: more bytes may make it an entry */
static int fail_truncated(const char *what, size_t left, struct assay_error *err)
{
	return assay_fail(err, ENODATA, "truncated: %zu bytes are left where %s", left, what);
}

/* As a big-endian machine writes it that was not told ima_canonical_fmt. */
static bool is_big_endian(uint32_t pcr)
{
	return pcr >= IMA_PCR_COUNT && __builtin_bswap32(pcr) < IMA_PCR_COUNT;
}

#define BIG_ENDIAN_ADVICE "the list is big-endian: start the kernel with ima_canonical_fmt"

static int fail_pcr(uint32_t pcr, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "there is no PCR %" PRIu32 "%s", pcr,
			  is_big_endian(pcr) ? "; " BIG_ENDIAN_ADVICE : "");
}

/* What template data is in the list: counted by a length, but for template "ima". */
static int take_data(struct bytes *in, bool counted, struct bytes *ret, struct assay_error *err)
{
	struct bytes rest = *in;
	struct bytes skipped;
	uint32_t length;
	size_t size;

	if (counted) {
		if (!bytes_take_le32(&rest, &length))
			return fail_truncated("the length of template data takes 4", rest.size,
					      err);
		*in = rest;
		size = length;
		if (size == 0)
			return assay_fail(err, EBADMSG, "its template data is empty");
	} else {
		if (!bytes_take(&rest, IMA_TEMPLATE_DIGEST, &skipped) ||
		    !bytes_take_le32(&rest, &length))
			return fail_truncated("a digest and the length of a path take 24",
					      rest.size, err);
		if (length >= IMA_TEMPLATE_PATH)
			return assay_fail(err, EBADMSG,
					  "its path claims %" PRIu32 " bytes, more than %d", length,
					  IMA_TEMPLATE_PATH - 1);
		size = IMA_TEMPLATE_DIGEST + sizeof(length) + (size_t)length;
	}
	if (size > IMA_MAX_TEMPLATE_DATA)
		return assay_fail(err, EBADMSG, "its template data claims %zu bytes, more than %u",
				  size, IMA_MAX_TEMPLATE_DATA);
	if (!bytes_take(in, size, ret))
		return assay_fail(err, ENODATA,
				  "truncated: its template data takes %zu bytes, %zu are left",
				  size, in->size);
	return 0;
}

static int take_frame(struct bytes *in, enum assay_hash bank, struct ima_frame *frame,
		      struct assay_error *err)
{
	struct bytes digest;
	uint32_t length;

	if (!bytes_take_le32(in, &frame->pcr))
		return fail_truncated("a PCR index takes 4", in->size, err);
	if (frame->pcr >= IMA_PCR_COUNT)
		return fail_pcr(frame->pcr, err);
	if (!bytes_take(in, assay_hash_size(bank), &digest))
		return fail_truncated("a template digest is due", in->size, err);
	frame->template_digest = digest.data;
	frame->violation = bytes_are_zero(digest);
	if (!bytes_take_le32(in, &length))
		return fail_truncated("the length of a template's name takes 4", in->size, err);
	if (length == 0 || length > IMA_MAX_TEMPLATE_NAME)
		return assay_fail(err, EBADMSG,
				  "its template's name claims %" PRIu32 " bytes, not 1 to %d",
				  length, IMA_MAX_TEMPLATE_NAME);
	if (!bytes_take(in, length, &frame->name))
		return fail_truncated("a template's name is due", in->size, err);
	return take_data(in, !is_text(frame->name, IMA_TEMPLATE), &frame->data, err);
}

int ima_skim(struct ima_reader *reader, struct ima_frame *ret_frame, struct assay_error *err)
{
	struct ima_frame frame = { .offset = reader->offset };
	struct bytes rest = reader->rest;
	int r;

	if (rest.size == 0)
		return 0;
	if (assay_hash_size(reader->bank) == 0)
		return assay_fail(err, EINVAL, "there is no IMA list of algorithm 0x%04x",
				  (unsigned int)reader->bank);
	r = take_frame(&rest, reader->bank, &frame, err);
	reader->cut = r == -ENODATA;
	if (r < 0) {
		if (err) {
			err->code = EBADMSG;
			assay_fail_context(err, "IMA entry at offset %" PRIu64, reader->offset);
		}
		return -EBADMSG;
	}
	frame.end = reader->offset + (reader->rest.size - rest.size);
	reader->offset = frame.end;
	reader->rest = rest;
	*ret_frame = frame;
	return 1;
}

int ima_next(struct ima_reader *reader, struct ima_entry *ret_entry, struct assay_error *err)
{
	size_t size = assay_hash_size(reader->bank);
	struct ima_frame frame;
	int r = ima_skim(reader, &frame, err);

	if (r <= 0)
		return r;
	*ret_entry = (struct ima_entry){
		.offset = frame.offset,
		.pcr = frame.pcr,
		.template_digest = { .hash = reader->bank, .size = size },
		.violation = frame.violation,
		.name = frame.name,
		.data = frame.data,
	};
	memcpy(ret_entry->template_digest.bytes, frame.template_digest, size);
	ima_entry_parse(reader, ret_entry);
	return 1;
}

int ima_template_hash(const struct ima_entry *entry, struct hasher *hasher,
		      struct assay_digest *ret, struct assay_error *err)
{
	uint8_t path[IMA_TEMPLATE_PATH] = { 0 };
	struct bytes digest, rest = entry->data;
	uint32_t length;

	if (!is_text(entry->name, IMA_TEMPLATE))
		return hasher_digest(hasher, entry->data, BYTES(NULL, 0), ret, err);
	if (!bytes_take(&rest, IMA_TEMPLATE_DIGEST, &digest) || !bytes_take_le32(&rest, &length) ||
	    length != rest.size || rest.size >= sizeof(path))
		return assay_fail(err, EBADMSG, "template data of \"ima\" is cut");
	if (rest.size > 0)
		memcpy(path, rest.data, rest.size);
	return hasher_digest(hasher, digest, BYTES(path, sizeof(path)), ret, err);
}

int ima_extend(const struct ima_entry *entry, struct hasher *hasher, struct assay_digest *value,
	       struct assay_error *err)
{
	struct assay_digest digest = { .hash = hasher->hash, .size = hasher->size };
	int r;

	if (entry->violation) {
		memset(digest.bytes, 0xff, digest.size);
	} else {
		r = ima_template_hash(entry, hasher, &digest, err);
		if (r < 0)
			return r;
	}
	return hasher_extend(hasher, value, BYTES(digest.bytes, digest.size), err);
}

int ima_aggregate(struct hasher *hasher, const struct assay_digest values[IMA_AGGREGATE_PCRS],
		  struct assay_digest *ret, struct assay_error *err)
{
	size_t count =
		hasher->hash == ASSAY_HASH_SHA1 ? IMA_AGGREGATE_PCRS_SHA1 : IMA_AGGREGATE_PCRS;
	uint8_t all[IMA_AGGREGATE_PCRS * ASSAY_DIGEST_MAX];

	for (size_t i = 0; i < count; i++) {
		if (values[i].hash != hasher->hash || values[i].size != hasher->size)
			return assay_fail(err, EINVAL, "PCR %zu is not of the %s bank", i,
					  assay_hash_name(hasher->hash));
		memcpy(all + i * hasher->size, values[i].bytes, hasher->size);
	}
	return hasher_digest(hasher, BYTES(all, count * hasher->size), BYTES(NULL, 0), ret, err);
}

/* Lower-case letters, digits, '-' and '|': what names and formats are made of. */
static bool is_template_name(struct bytes name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!(name.data[i] >= 'a' && name.data[i] <= 'z') &&
		    !(name.data[i] >= '0' && name.data[i] <= '9') && name.data[i] != '-' &&
		    name.data[i] != '|')
			return false;
	return true;
}

int ima_detect_bank(struct bytes list, enum assay_hash *ret, struct assay_error *err)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						 ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct bytes rest = list;
	uint32_t pcr;

	for (size_t i = 0; i < COUNT_OF(banks); i++) {
		struct ima_reader reader;
		struct ima_frame frame;

		ima_begin(&reader, list, banks[i]);
		if (ima_skim(&reader, &frame, NULL) == 1 && is_template_name(frame.name)) {
			*ret = banks[i];
			return 0;
		}
	}
	return assay_fail(
		err, EBADMSG, "it does not begin with an IMA entry of any bank%s",
		bytes_take_le32(&rest, &pcr) && is_big_endian(pcr) ? "; " BIG_ENDIAN_ADVICE : "");
}
