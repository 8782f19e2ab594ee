// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/manifest.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "sign/ima_sig.h"
#include "sign/pkcs7.h"
#include "verity/enable.h"

#define TYPE "manifest"

/* What is held in memory, in bytes: far more than there are files on a system. */
#define MANIFEST_SIZE_MAX ((size_t)1 << 30)
#define SIGNATURE_SIZE_MAX 65536

/**
 * struct parser - what is known after some lines
 * @name: of the manifest, for errors
 * @line: number of the line looked at, from 1
 * @previous: the path of the line before, "" before the first
 * @pkcs7, @ima: the decoded members of the line looked at
 */
struct parser {
	const char *name;
	unsigned long long line;
	struct manifest_header header;
	char previous[MANIFEST_PATH_MAX];
	struct buffer pkcs7, ima;
	manifest_entry_function each;
	void *context;
};

int manifest_check_path(const char *path, struct assay_error *err)
{
	size_t length = strlen(path);
	char shown[512];
	json_t *value;

	text_escape(BYTES((const uint8_t *)path, length), shown, sizeof(shown));
	if (length >= MANIFEST_PATH_MAX)
		return assay_fail(err, EBADMSG, "the path %s is longer than %d bytes", shown,
				  MANIFEST_PATH_MAX - 1);
	if (path[0] != '/' || path[1] == '\0')
		return assay_fail(err, EBADMSG, "the path \"%s\" is not absolute, or names no file",
				  shown);
	for (const char *at = path; *at;) {
		size_t part = strcspn(++at, "/");

		if (part == 0 || (part == 1 && at[0] == '.') ||
		    (part == 2 && at[0] == '.' && at[1] == '.'))
			return assay_fail(err, EBADMSG,
					  "the path \"%s\" has an empty, \".\" or \"..\" component",
					  shown);
		at += part;
	}
	value = json_string(path);
	if (!value)
		return assay_fail(
			err, EBADMSG,
			"the path \"%s\" is not UTF-8, so no manifest can name it; rename "
			"the file, or leave it out",
			shown);
	json_decref(value);
	return 0;
}

/* ---------------------------------------------------------------- reading */

/* "2025-01-31T12:00:00Z", a date that exists. */
static bool is_time(const char *text)
{
	struct tm tm = { 0 };
	char again[21];
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end && *end == '\0' && timegm(&tm) != -1 &&
	       strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0 &&
	       strcmp(again, text) == 0;
}

static bool is_id(const char *text)
{
	return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static int parse_signer(const json_t *object, const char *what, struct manifest_header *header,
			struct assay_error *err)
{
	static const char *const known[] = { "subject", "key_id", NULL };
	struct buffer key_id = { 0 };
	const json_t *signer;
	const char *subject;
	int r;

	r = json_get_object(object, "signer", what, &signer, err);
	if (r < 0)
		return r;
	r = json_only(signer, known, what, err);
	if (r < 0)
		return r;
	r = json_get_string(signer, "subject", what, &subject, err);
	if (r < 0)
		return r;
	if (strlen(subject) >= sizeof(header->subject))
		return assay_fail(err, EBADMSG, "%s: \"subject\" is longer than %zu bytes", what,
				  sizeof(header->subject) - 1);
	stpcpy(header->subject, subject);
	r = json_get_hex(signer, "key_id", what, &key_id, err);
	if (r == 0 && (key_id.size < 4 || key_id.size > sizeof(header->key_id)))
		r = assay_fail(err, EBADMSG, "%s: \"key_id\" has %zu bytes, not 4 to %zu", what,
			       key_id.size, sizeof(header->key_id));
	if (r == 0) {
		memcpy(header->key_id, key_id.data, key_id.size);
		header->key_id_size = key_id.size;
	}
	buffer_free(&key_id);
	return r;
}

static int parse_parameters(const json_t *object, const char *what,
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

static int parse_header(struct parser *parser, const json_t *object, const char *what,
			struct assay_error *err)
{
	static const char *const known[] = { "assay",	   "type", "id",     "created", "hash",
					     "block_size", "salt", "signer", NULL };
	struct manifest_header *header = &parser->header;
	const char *type, *id, *created;
	uint64_t version;
	int r;

	r = json_get_unsigned(object, "assay", what, &version, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "type", what, &type, err);
	if (r < 0)
		return r;
	if (version != MANIFEST_VERSION || strcmp(type, TYPE) != 0)
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
	if (!is_time(created))
		return assay_fail(err, EBADMSG,
				  "%s: \"created\" is not a time as 2025-01-31T12:00:00Z", what);
	memcpy(header->id, id, sizeof(header->id));
	memcpy(header->created, created, sizeof(header->created));
	r = parse_parameters(object, what, &header->parameters, err);
	if (r < 0)
		return r;
	return parse_signer(object, what, header, err);
}

static int take_base64(const json_t *object, const char *key, const char *what, size_t limit,
		       struct buffer *out, struct bytes *ret, struct assay_error *err)
{
	int r;

	out->size = 0;
	r = json_get_base64(object, key, what, out, err);
	if (r < 0)
		return r;
	if (out->size == 0 || out->size > limit)
		return assay_fail(err, EBADMSG, "%s: \"%s\" has %zu bytes, not 1 to %zu", what, key,
				  out->size, limit);
	*ret = buffer_bytes(out);
	return 0;
}

static int parse_entry(struct parser *parser, const json_t *object, const char *what,
		       struct manifest_entry *entry, struct assay_error *err)
{
	static const char *const known[] = { "path", "size", "digest", "pkcs7", "ima", NULL };
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
	if (strcmp(parser->previous, entry->path) >= 0) {
		char shown[512];

		text_escape(BYTES((const uint8_t *)entry->path, strlen(entry->path)), shown,
			    sizeof(shown));
		return assay_fail(err, EBADMSG, "%s: the path \"%s\" %s", what, shown,
				  strcmp(parser->previous, entry->path) == 0 ?
					  "is there twice" :
					  "is not in order: a manifest is sorted by path");
	}
	r = json_get_unsigned(object, "size", what, &entry->size, err);
	if (r < 0)
		return r;
	r = json_get_string(object, "digest", what, &digest, err);
	if (r < 0)
		return r;
	if (verity_digest_parse(digest, &entry->digest) < 0 ||
	    entry->digest.hash != parser->header.parameters.hash)
		return assay_fail(err, EBADMSG,
				  "%s: \"digest\" is not \"%s:\" and its hexadecimal digits", what,
				  assay_hash_name(parser->header.parameters.hash));
	r = take_base64(object, "pkcs7", what, VERITY_SIGNATURE_MAX, &parser->pkcs7, &entry->pkcs7,
			err);
	if (r < 0)
		return r;
	return take_base64(object, "ima", what, IMA_SIG_MAX, &parser->ima, &entry->ima, err);
}

/* @line is without its newline. */
static int parse_line(struct parser *parser, struct bytes line, struct assay_error *err)
{
	struct manifest_entry entry = { 0 };
	char what[600];
	json_t *object;
	int r;

	parser->line++;
	snprintf(what, sizeof(what), "%s line %llu", parser->name, parser->line);
	r = json_parse(line, what, &object, err);
	if (r < 0)
		return r;
	if (parser->line == 1) {
		r = parse_header(parser, object, what, err);
	} else {
		r = parse_entry(parser, object, what, &entry, err);
		if (r == 0) {
			/* Checked to fit by manifest_check_path(). */
			stpcpy(parser->previous, entry.path);
			if (parser->each)
				r = parser->each(parser->context, &parser->header, &entry, err);
		}
	}
	json_decref(object);
	return r;
}

static int line_too_long(const struct parser *parser, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "%s line %llu is longer than %d bytes", parser->name,
			  parser->line + 1, MANIFEST_LINE_MAX);
}

/* Takes the lines that are complete from the front of @text. */
static int parse_lines(struct parser *parser, struct bytes *text, struct assay_error *err)
{
	const uint8_t *newline;

	while (text->size > 0 && (newline = memchr(text->data, '\n', text->size))) {
		struct bytes line = { 0 };
		int r;

		(void)bytes_take(text, (size_t)(newline - text->data) + 1, &line);
		if (line.size > MANIFEST_LINE_MAX)
			return line_too_long(parser, err);
		line.size--;
		r = parse_line(parser, line, err);
		if (r != 0)
			return r;
	}
	return text->size >= MANIFEST_LINE_MAX ? line_too_long(parser, err) : 0;
}

static int end_of_text(const struct parser *parser, struct bytes left, struct assay_error *err)
{
	if (left.size > 0)
		return assay_fail(err, EBADMSG, "%s line %llu is cut off: it has no newline",
				  parser->name, parser->line + 1);
	if (parser->line == 0)
		return assay_fail(err, EBADMSG, "%s is empty, not a manifest", parser->name);
	return 0;
}

static struct parser *parser_new(const char *name, manifest_entry_function each, void *context)
{
	struct parser *parser = calloc(1, sizeof(*parser));

	if (parser) {
		parser->name = name;
		parser->each = each;
		parser->context = context;
	}
	return parser;
}

static int parser_end(struct parser *parser, int r, struct manifest_header *ret_header)
{
	if (r == 0 && ret_header)
		*ret_header = parser->header;
	buffer_free(&parser->pkcs7);
	buffer_free(&parser->ima);
	free(parser);
	return r;
}

int manifest_read_bytes(struct bytes text, const char *name, manifest_entry_function each,
			void *context, struct manifest_header *ret_header, struct assay_error *err)
{
	struct parser *parser = parser_new(name, each, context);
	int r;

	if (!parser)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	r = parse_lines(parser, &text, err);
	if (r == 0)
		r = end_of_text(parser, text, err);
	return parser_end(parser, r, ret_header);
}

int manifest_read(FILE *stream, const char *name, manifest_entry_function each, void *context,
		  struct manifest_header *ret_header, struct assay_error *err)
{
	struct parser *parser = parser_new(name, each, context);
	const size_t capacity = 2 * (size_t)MANIFEST_LINE_MAX;
	uint8_t *room = malloc(capacity);
	size_t filled = 0;
	int r = 0;

	if (!parser || !room) {
		free(parser);
		free(room);
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	}
	while (r == 0) {
		struct bytes left;
		size_t got;

		errno = 0;
		got = fread(room + filled, 1, capacity - filled, stream);
		left = BYTES(room, filled + got);
		if (got == 0 && ferror(stream)) {
			int code = errno ? errno : EIO;

			r = assay_fail(err, code, "cannot read %s: %s", name, strerror(code));
			break;
		}
		if (got == 0) {
			r = end_of_text(parser, left, err);
			break;
		}
		r = parse_lines(parser, &left, err);
		filled = left.size;
		memmove(room, left.data, filled);
	}
	free(room);
	return parser_end(parser, r, ret_header);
}

int manifest_verify(struct bytes text, const char *name, struct bytes signature, X509 *certificate,
		    struct assay_error *err)
{
	struct assay_digest digest;
	int r = verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, text, name, &digest, err);

	if (r < 0)
		return r;
	r = pkcs7_verify(signature, &digest, certificate, err);
	if (r < 0)
		assay_fail_context(err, "the signature of %s", name);
	return r;
}

/* ---------------------------------------------------------------- in memory */

static int keep(void *context, const struct manifest_header *header,
		const struct manifest_entry *entry, struct assay_error *err)
{
	struct manifest *manifest = context;
	size_t count = manifest->count;
	char *path = strdup(entry->path);

	(void)header;
	/* Room doubles whenever the count is a power of two. */
	if (path && (count & (count - 1)) == 0) {
		size_t capacity = count ? 2 * count : 1;
		struct manifest_file *files =
			reallocarray(manifest->files, capacity, sizeof(*files));

		if (files) {
			manifest->files = files;
		} else {
			free(path);
			path = NULL;
		}
	}
	if (!path)
		return assay_fail(err, ENOMEM, "cannot read the manifest: out of memory");
	manifest->files[count] = (struct manifest_file){ .path = path,
							 .size = entry->size,
							 .digest = entry->digest };
	manifest->count++;
	return 0;
}

int manifest_parse(struct bytes text, const char *name, struct manifest **ret,
		   struct assay_error *err)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	int r;

	if (!manifest)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	r = manifest_read_bytes(text, name, keep, manifest, &manifest->header, err);
	if (r < 0) {
		manifest_free(manifest);
		return r;
	}
	*ret = manifest;
	return 0;
}

int manifest_load(const char *path, struct manifest **ret, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, MANIFEST_SIZE_MAX, &text, err);

	if (r == 0)
		r = manifest_parse(buffer_bytes(&text), path, ret, err);
	buffer_free(&text);
	return r;
}

int manifest_read_signed(const char *path, struct buffer *ret_text, struct buffer *ret_signature,
			 struct assay_error *err)
{
	char *signature_path;
	int r;

	if (asprintf(&signature_path, "%s" MANIFEST_SIGNATURE_SUFFIX, path) < 0)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
	r = file_read(path, MANIFEST_SIZE_MAX, ret_text, err);
	if (r == 0)
		r = file_read(signature_path, SIGNATURE_SIZE_MAX, ret_signature, err);
	free(signature_path);
	return r;
}

void manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	for (size_t i = 0; i < manifest->count; i++)
		free((char *)manifest->files[i].path);
	free(manifest->files);
	free(manifest);
}

static int compare_path(const void *key, const void *file)
{
	return strcmp(key, ((const struct manifest_file *)file)->path);
}

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *path)
{
	if (manifest->count == 0)
		return NULL;
	return bsearch(path, manifest->files, manifest->count, sizeof(*manifest->files),
		       compare_path);
}

/* ---------------------------------------------------------------- writing */

int manifest_begin(struct manifest_header *ret, const struct verity_parameters *parameters,
		   X509 *certificate, struct assay_error *err)
{
	struct manifest_header header = { .parameters = *parameters };
	time_t now = time(NULL);
	uint8_t id[16];
	struct bytes key_id;
	struct tm tm;
	char *subject;
	int r;

	r = verity_check_parameters(parameters, err);
	if (r < 0)
		return r;
	r = certificate_key_id(certificate, &key_id, err);
	if (r < 0)
		return r;
	if (key_id.size > sizeof(header.key_id))
		return assay_fail(err, EINVAL,
				  "the certificate's subject key id is longer than %zu bytes",
				  sizeof(header.key_id));
	memcpy(header.key_id, key_id.data, key_id.size);
	header.key_id_size = key_id.size;
	subject = certificate_subject(certificate);
	if (!subject)
		return assay_fail(err, ENOMEM, "cannot read the certificate's subject");
	text_escape(BYTES((const uint8_t *)subject, strlen(subject)), header.subject,
		    sizeof(header.subject));
	free(subject);
	if (RAND_bytes(id, sizeof(id)) != 1)
		return assay_fail(err, EIO, "libcrypto has no random numbers");
	hex_encode(BYTES(id, sizeof(id)), header.id);
	if (!gmtime_r(&now, &tm) ||
	    strftime(header.created, sizeof(header.created), "%Y-%m-%dT%H:%M:%SZ", &tm) != 20)
		return assay_fail(err, EINVAL, "the system's clock is set to a time out of range");
	*ret = header;
	return 0;
}

/* Appends @object as a line, and frees it. */
static int append_line(json_t *object, struct buffer *out, struct assay_error *err)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (text) {
		buffer_append(out, text, strlen(text));
		buffer_append_u8(out, '\n');
	}
	free(text);
	if (!text || out->failed)
		return assay_fail(err, ENOMEM, "cannot write a manifest's line: out of memory");
	return 0;
}

int manifest_append_header(const struct manifest_header *header, struct buffer *out,
			   struct assay_error *err)
{
	const struct verity_parameters *parameters = &header->parameters;
	json_t *object;

	object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:o, s:{s:s, s:o}}", "assay",
			   MANIFEST_VERSION, "type", TYPE, "id", header->id, "created",
			   header->created, "hash", assay_hash_name(parameters->hash), "block_size",
			   (json_int_t)parameters->block_size, "salt",
			   json_hex(BYTES(parameters->salt, parameters->salt_size)), "signer",
			   "subject", header->subject, "key_id",
			   json_hex(BYTES(header->key_id, header->key_id_size)));
	return append_line(object, out, err);
}

int manifest_append_entry(const struct manifest_entry *entry, struct buffer *out,
			  struct assay_error *err)
{
	char digest[VERITY_TEXT_MAX];
	size_t before = out->size;
	json_t *object;
	int r = manifest_check_path(entry->path, err);

	if (r < 0)
		return r;
	object = json_pack("{s:s, s:I, s:s, s:o, s:o}", "path", entry->path, "size",
			   (json_int_t)entry->size, "digest",
			   verity_digest_text(&entry->digest, digest), "pkcs7",
			   json_base64(entry->pkcs7), "ima", json_base64(entry->ima));
	r = append_line(object, out, err);
	if (r == 0 && out->size - before > MANIFEST_LINE_MAX) {
		out->size = before;
		r = assay_fail(err, EMSGSIZE, "a line of the manifest would be too long");
	}
	return r;
}
