// SPDX-License-Identifier: MIT
/* Reading manifests, line by line. */
#define _GNU_SOURCE
#include "sign/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utc.h"
#include "sign/ima_sig.h"
#include "sign/manifest_members.h"
#include "verity/enable.h"

/**
 * struct manifest_reader - what is known after some lines
 * @name: of the manifest, for errors
 * @stream: where more of it comes from; NULL where all is in memory
 * @room: what was read from the stream; @capacity bytes
 * @text: what was read and not looked at: in @room, or in the caller's memory
 * @line: number of the line looked at, from 1
 * @paths: of the line before, "" before the first, and of the one looked at; they take turns
 * @newest: which of @paths the next line's is compared with
 * @package: texts of the line looked at, as struct package_name has them
 * @object: the line looked at, if it had to be read as JSON; @pkcs7, @ima: its decoded members
 */
struct manifest_reader {
	const char *name;
	FILE *stream;
	uint8_t *room;
	struct bytes text;
	unsigned long long line;
	struct manifest_header header;
	char paths[2][MANIFEST_PATH_MAX];
	unsigned int newest;
	char package[3][PACKAGE_TEXT_SIZE];
	json_t *object;
	struct buffer pkcs7, ima;
};

/* Two lines: one looked at, and what was read of the next. */
#define READER_CAPACITY (2 * (size_t)MANIFEST_LINE_MAX)

static bool is_id(const char *text)
{
	return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

/* @ret_subject: of MANIFEST_SUBJECT_MAX, @ret_key_id of MANIFEST_KEY_ID_MAX bytes */
static int parse_signer(const json_t *object, const char *key, const char *what, char *ret_subject,
			uint8_t *ret_key_id, size_t *ret_size, struct assay_error *err)
{
	static const char *const known[] = { "subject", "key_id", NULL };
	struct buffer key_id = { 0 };
	const json_t *signer;
	const char *subject;
	int r;

	r = json_get_object(object, key, what, &signer, err);
	if (r < 0)
		return r;
	r = json_only(signer, known, what, err);
	if (r < 0)
		return r;
	r = json_get_string(signer, "subject", what, &subject, err);
	if (r < 0)
		return r;
	if (strlen(subject) >= MANIFEST_SUBJECT_MAX)
		return assay_fail(err, EBADMSG, "%s: \"subject\" is longer than %d bytes", what,
				  MANIFEST_SUBJECT_MAX - 1);
	stpcpy(ret_subject, subject);
	r = json_get_hex(signer, "key_id", what, &key_id, err);
	if (r == 0 && (key_id.size < 4 || key_id.size > MANIFEST_KEY_ID_MAX))
		r = assay_fail(err, EBADMSG, "%s: \"key_id\" has %zu bytes, not 4 to %d", what,
			       key_id.size, MANIFEST_KEY_ID_MAX);
	if (r == 0) {
		memcpy(ret_key_id, key_id.data, key_id.size);
		*ret_size = key_id.size;
	}
	buffer_free(&key_id);
	return r;
}

static int parse_signers(const json_t *object, const char *what, struct manifest_header *header,
			 struct assay_error *err)
{
	int r = parse_signer(object, "signer", what, header->subject, header->key_id,
			     &header->key_id_size, err);

	if (r < 0 || !json_object_get(object, "also"))
		return r;
	r = parse_signer(object, "also", what, header->also_subject, header->also_key_id,
			 &header->also_key_id_size, err);
	if (r == 0 && bytes_equal(BYTES(header->key_id, header->key_id_size),
				  BYTES(header->also_key_id, header->also_key_id_size)))
		r = assay_fail(err, EBADMSG, "%s: \"also\" is the signer itself", what);
	return r;
}

int manifest_parse_parameters(const json_t *object, const char *what,
			      struct verity_parameters *parameters, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct buffer salt = { 0 };
	uint64_t block_size;
	const char *hash;
	int r;

	r = json_get_string(object, "hash", what, &hash, err);
	if (r < 0)
		return r;
	parameters->hash = assay_hash_by_name(hash);
	r = json_get_unsigned(object, "block_size", what, &block_size, err);
	if (r < 0)
		return r;
	parameters->block_size = block_size <= UINT32_MAX ? (uint32_t)block_size : 0;
	r = json_get_hex(object, "salt", what, &salt, err);
	if (r == 0 && salt.size > sizeof(parameters->salt))
		r = assay_fail(err, EBADMSG, "%s: \"salt\" is longer than %zu bytes", what,
			       sizeof(parameters->salt));
	if (r == 0 && salt.size > 0)
		memcpy(parameters->salt, salt.data, salt.size);
	parameters->salt_size = salt.size;
	buffer_free(&salt);
	if (r < 0)
		return r;
	if (verity_check_parameters(parameters, &why) < 0)
		return assay_fail(err, EBADMSG, "%s: %s", what, why.text);
	return 0;
}

static int parse_product(const json_t *object, const char *what, struct manifest_header *header,
			 struct assay_error *err)
{
	const char *product;
	int r;

	if (!json_object_get(object, "product"))
		return 0;
	r = json_get_string(object, "product", what, &product, err);
	if (r < 0)
		return r;
	r = manifest_check_product(product, err);
	if (r < 0)
		return assay_fail_context(err, "%s", what);
	stpcpy(header->product, product);
	return 0;
}

int manifest_parse_header(const json_t *object, const char *what, struct manifest_header *ret,
			  struct assay_error *err)
{
	static const char *const known[] = { "assay",	"type", "id",	      "created",
					     "product", "hash", "block_size", "salt",
					     "signer",	"also", NULL };
	const char *type, *id, *created;
	uint64_t time;
	uint64_t version;
	int r;

	r = json_get_unsigned(object, "assay", what, &version, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "type", what, &type, err);
	if (r < 0)
		return r;
	if (version != MANIFEST_VERSION || strcmp(type, MANIFEST_TYPE) != 0)
		return assay_fail(err, EBADMSG,
				  "%s is not the header of a manifest of version %d, which is the "
				  "one known",
				  what, MANIFEST_VERSION);
	r = json_only(object, known, what, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "id", what, &id, err);
	if (r < 0)
		return r;
	if (!is_id(id))
		return assay_fail(err, EBADMSG, "%s: \"id\" is not 32 lower-case hex digits", what);
	r = json_get_string(object, "created", what, &created, err);
	if (r < 0)
		return r;
	if (!utc_parse(created, &time))
		return assay_fail(err, EBADMSG,
				  "%s: \"created\" is not a time as 2025-01-31T12:00:00Z", what);
	memcpy(ret->id, id, sizeof(ret->id));
	/* A time has no other length. */
	memcpy(ret->created, created, sizeof(ret->created));
	r = parse_product(object, what, ret, err);
	if (r < 0)
		return r;
	r = manifest_parse_parameters(object, what, &ret->parameters, err);
	if (r < 0)
		return r;
	return parse_signers(object, what, ret, err);
}

static int read_base64(const json_t *object, const char *key, const char *what, size_t limit,
		       struct buffer *out, struct bytes *ret, struct assay_error *err)
{
	int r;

	out->size = 0;
	*ret = BYTES(NULL, 0);
	if (!json_object_get(object, key))
		return 0;
	r = json_get_base64(object, key, what, out, err);
	if (r < 0)
		return r;
	if (out->size == 0 || out->size > limit)
		return assay_fail(err, EBADMSG, "%s: \"%s\" has %zu bytes, not 1 to %zu", what, key,
				  out->size, limit);
	*ret = buffer_bytes(out);
	return 0;
}

/* A member that may be missing; then it is 0. */
static int read_optional(const json_t *object, const char *key, const char *what, uint64_t *ret,
			 struct assay_error *err)
{
	*ret = 0;
	if (!json_object_get(object, key))
		return 0;
	return json_get_unsigned(object, key, what, ret, err);
}

int manifest_read_package(const json_t *object, const char *what, struct package_name *ret,
			  struct assay_error *err)
{
	static const char *const keys[] = { "package", "version", "architecture" };
	const char **const texts[] = { &ret->name, &ret->version, &ret->architecture };
	size_t there = 0;

	for (size_t i = 0; i < 3; i++)
		there += json_object_get(object, keys[i]) != NULL;
	if (there == 0)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		int r = json_get_string(object, keys[i], what, texts[i], err);

		if (r < 0)
			return r;
		if (!package_check_text(BYTES((const uint8_t *)*texts[i], strlen(*texts[i])))) {
			assay_fail(err, EBADMSG, PACKAGE_RULE, keys[i]);
			return assay_fail_context(err, "%s", what);
		}
	}
	return 0;
}

static int check_order(const struct manifest_reader *reader, const char *path, const char *what,
		       struct assay_error *err)
{
	const char *previous = reader->paths[reader->newest];
	char shown[512];

	if (strcmp(previous, path) < 0)
		return 0;
	text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown));
	return assay_fail(err, EBADMSG, "%s: the path \"%s\" %s", what, shown,
			  strcmp(previous, path) == 0 ?
				  "is there twice" :
				  "is not in order: a manifest is sorted by path");
}

static int parse_entry(struct manifest_reader *reader, const json_t *object, const char *what,
		       struct manifest_entry *entry, struct assay_error *err)
{
	static const char *const known[] = { "path",	"size",	   "digest",	   "pkcs7",
					     "ima",	"mtime",   "ctime",	   "inode",
					     "package", "version", "architecture", NULL };
	const char *digest;
	int r;

	r = json_only(object, known, what, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "path", what, &entry->path, err);
	if (r < 0)
		return r;
	r = manifest_check_path(entry->path, err);
	if (r < 0)
		return assay_fail_context(err, "%s", what);
	r = check_order(reader, entry->path, what, err);
	if (r < 0)
		return r;
	r = json_get_unsigned(object, "size", what, &entry->size, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "digest", what, &digest, err);
	if (r < 0)
		return r;
	if (verity_digest_parse(digest, &entry->digest) < 0 ||
	    entry->digest.hash != reader->header.parameters.hash)
		return assay_fail(err, EBADMSG,
				  "%s: \"digest\" is not \"%s:\" and its hexadecimal digits", what,
				  assay_hash_name(reader->header.parameters.hash));
	r = manifest_read_package(object, what, &entry->package, err);
	if (r < 0)
		return r;
	r = read_base64(object, "pkcs7", what, VERITY_SIGNATURE_MAX, &reader->pkcs7, &entry->pkcs7,
			err);
	if (r == 0)
		r = read_base64(object, "ima", what, IMA_SIG_MAX, &reader->ima, &entry->ima, err);
	if (r == 0 && entry->pkcs7.size == 0 && entry->ima.size == 0)
		r = assay_fail(err, EBADMSG, "%s has neither \"pkcs7\" nor \"ima\"", what);
	if (r == 0)
		r = read_optional(object, "mtime", what, &entry->mtime, err);
	if (r == 0)
		r = read_optional(object, "ctime", what, &entry->ctime, err);
	if (r == 0)
		r = read_optional(object, "inode", what, &entry->inode, err);
	return r;
}

/* @text with a NUL behind it; false if it does not fit. */
static bool copy_text(struct bytes text, char *room, size_t room_size)
{
	if (text.size >= room_size)
		return false;
	memcpy(room, text.data, text.size);
	room[text.size] = '\0';
	return true;
}

static bool decode_plain(struct bytes text, size_t limit, struct buffer *out, struct bytes *ret)
{
	out->size = 0;
	if (text.size > 0 &&
	    (base64_decode((const char *)text.data, text.size, out) < 0 || out->size > limit))
		return false;
	*ret = text.size > 0 ? buffer_bytes(out) : BYTES(NULL, 0);
	return true;
}

/* All three or none, as manifest_read_package() has them. */
static bool copy_package(struct manifest_reader *reader, const struct manifest_members *members,
			 struct package_name *ret)
{
	const struct bytes texts[] = { members->package, members->version, members->architecture };

	if (texts[0].size == 0 && texts[1].size == 0 && texts[2].size == 0)
		return true;
	for (size_t i = 0; i < 3; i++)
		if (!package_check_text(texts[i]) ||
		    !copy_text(texts[i], reader->package[i], PACKAGE_TEXT_SIZE))
			return false;
	*ret = (struct package_name){ reader->package[0], reader->package[1], reader->package[2] };
	return true;
}

/*
 * The entry of a line of the form that is written, as parse_entry() would have it.
 * Return: false for another form, and for all that is wrong, which parse_entry() then tells
 */
static bool read_plain(struct manifest_reader *reader, struct bytes line,
		       struct manifest_entry *entry)
{
	char *path = reader->paths[!reader->newest];
	char digest[ASSAY_DIGEST_TEXT_MAX];
	struct manifest_members members;

	if (!manifest_take_members(line, &members) ||
	    !copy_text(members.path, path, MANIFEST_PATH_MAX) ||
	    !copy_text(members.digest, digest, sizeof(digest)) ||
	    manifest_check_path(path, NULL) < 0 || strcmp(reader->paths[reader->newest], path) >= 0)
		return false;
	*entry = (struct manifest_entry){ .path = path,
					  .size = members.size,
					  .mtime = members.mtime,
					  .ctime = members.ctime,
					  .inode = members.inode };
	return verity_digest_parse(digest, &entry->digest) == 0 &&
	       entry->digest.hash == reader->header.parameters.hash &&
	       copy_package(reader, &members, &entry->package) &&
	       decode_plain(members.pkcs7, VERITY_SIGNATURE_MAX, &reader->pkcs7, &entry->pkcs7) &&
	       decode_plain(members.ima, IMA_SIG_MAX, &reader->ima, &entry->ima) &&
	       (entry->pkcs7.size > 0 || entry->ima.size > 0);
}

static int line_too_long(const struct manifest_reader *reader, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "%s line %llu is longer than %d bytes", reader->name,
			  reader->line + 1, MANIFEST_LINE_MAX);
}

/* More of the stream behind what is left of @reader->text. Return: 1, 0 at the end */
static int read_more(struct manifest_reader *reader, struct assay_error *err)
{
	size_t left = reader->text.size, got;

	if (!reader->stream)
		return 0;
	memmove(reader->room, reader->text.data, left);
	errno = 0;
	got = fread(reader->room + left, 1, READER_CAPACITY - left, reader->stream);
	if (got == 0 && ferror(reader->stream)) {
		int code = errno ? errno : EIO;

		return assay_fail(err, code, "cannot read %s: %s", reader->name, strerror(code));
	}
	reader->text = BYTES(reader->room, left + got);
	return got > 0;
}

/* The next line, without its newline. Return: 1, 0 at the end of the manifest */
static int next_line(struct manifest_reader *reader, struct bytes *ret, struct assay_error *err)
{
	for (;;) {
		struct bytes *text = &reader->text;
		const uint8_t *newline =
			text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
		size_t size = newline ? (size_t)(newline - text->data) + 1 : text->size;
		int r;

		if (size > MANIFEST_LINE_MAX || (!newline && size == MANIFEST_LINE_MAX))
			return line_too_long(reader, err);
		if (newline) {
			(void)bytes_take(text, size, ret);
			ret->size--;
			reader->line++;
			return 1;
		}
		r = read_more(reader, err);
		if (r < 0)
			return r;
		if (r == 0 && size > 0)
			return assay_fail(err, EBADMSG,
					  "%s line %llu is cut off: it has no newline",
					  reader->name, reader->line + 1);
		if (r == 0)
			return 0;
	}
}

/* The object of the line looked at, in @reader->object; @what names it */
static int read_object(struct manifest_reader *reader, struct bytes line, char *what,
		       size_t what_size, struct assay_error *err)
{
	snprintf(what, what_size, "%s line %llu", reader->name, reader->line);
	return json_parse(line, what, &reader->object, err);
}

/* The first line. */
static int read_header(struct manifest_reader *reader, struct assay_error *err)
{
	struct bytes line;
	char what[600];
	int r = next_line(reader, &line, err);

	if (r == 0)
		return assay_fail(err, EBADMSG, "%s is empty, not a manifest", reader->name);
	if (r == 1)
		r = read_object(reader, line, what, sizeof(what), err);
	return r < 0 ? r : manifest_parse_header(reader->object, what, &reader->header, err);
}

/* The entry of a line in any form of JSON. */
static int read_entry(struct manifest_reader *reader, struct bytes line,
		      struct manifest_entry *entry, struct assay_error *err)
{
	char what[600];
	int r = read_object(reader, line, what, sizeof(what), err);

	*entry = (struct manifest_entry){ 0 };
	if (r == 0)
		r = parse_entry(reader, reader->object, what, entry, err);
	/* Checked to fit by manifest_check_path(). */
	if (r == 0)
		stpcpy(reader->paths[!reader->newest], entry->path);
	return r;
}

static int reader_new(FILE *stream, struct bytes text, const char *name,
		      struct manifest_reader **ret, struct assay_error *err)
{
	struct manifest_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (reader && stream)
		reader->room = malloc(READER_CAPACITY);
	if (!reader || (stream && !reader->room)) {
		free(reader);
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	}
	reader->name = name;
	reader->stream = stream;
	reader->text = stream ? BYTES(reader->room, 0) : text;
	r = read_header(reader, err);
	if (r < 0) {
		manifest_reader_close(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

int manifest_reader_open(FILE *stream, const char *name, struct manifest_reader **ret,
			 struct assay_error *err)
{
	return reader_new(stream, BYTES(NULL, 0), name, ret, err);
}

const struct manifest_header *manifest_reader_header(const struct manifest_reader *reader)
{
	return &reader->header;
}

int manifest_reader_next(struct manifest_reader *reader, struct manifest_entry *ret,
			 struct assay_error *err)
{
	struct manifest_entry entry;
	struct bytes line;
	int r = next_line(reader, &line, err);

	json_decref(reader->object);
	reader->object = NULL;
	if (r <= 0)
		return r;
	r = read_plain(reader, line, &entry) ? 0 : read_entry(reader, line, &entry, err);
	if (r < 0)
		return r;
	reader->newest = !reader->newest;
	*ret = entry;
	return 1;
}

void manifest_reader_close(struct manifest_reader *reader)
{
	if (!reader)
		return;
	json_decref(reader->object);
	buffer_free(&reader->pkcs7);
	buffer_free(&reader->ima);
	free(reader->room);
	free(reader);
}

/* All of it; closes @reader. */
static int read_all(struct manifest_reader *reader, manifest_entry_function each, void *context,
		    struct manifest_header *ret_header, struct assay_error *err)
{
	struct manifest_entry entry;
	int r;

	while ((r = manifest_reader_next(reader, &entry, err)) == 1) {
		r = each ? each(context, &reader->header, &entry, err) : 0;
		if (r != 0)
			break;
	}
	if (r == 0 && ret_header)
		*ret_header = reader->header;
	manifest_reader_close(reader);
	return r;
}

int manifest_read_bytes(struct bytes text, const char *name, manifest_entry_function each,
			void *context, struct manifest_header *ret_header, struct assay_error *err)
{
	struct manifest_reader *reader = NULL;
	int r = reader_new(NULL, text, name, &reader, err);

	return r < 0 ? r : read_all(reader, each, context, ret_header, err);
}

int manifest_read(FILE *stream, const char *name, manifest_entry_function each, void *context,
		  struct manifest_header *ret_header, struct assay_error *err)
{
	struct manifest_reader *reader = NULL;
	int r = reader_new(stream, BYTES(NULL, 0), name, &reader, err);

	return r < 0 ? r : read_all(reader, each, context, ret_header, err);
}

int manifest_read_header(struct bytes text, const char *name, struct manifest_header *ret,
			 struct assay_error *err)
{
	struct manifest_reader *reader = NULL;
	int r = reader_new(NULL, text, name, &reader, err);

	if (r < 0)
		return r;
	*ret = reader->header;
	manifest_reader_close(reader);
	return 0;
}
