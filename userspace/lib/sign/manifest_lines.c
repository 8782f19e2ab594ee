// SPDX-License-Identifier: MIT
/* The lines of a manifest that is written. */
#define _GNU_SOURCE
#include "sign/manifest.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/utc.h"

/* Of a line without its signatures, with a path that is not long. */
#define LINE_SIZE 384

/* @subject: of MANIFEST_SUBJECT_MAX, @key_id of MANIFEST_KEY_ID_MAX bytes */
static int name_signer(X509 *certificate, char *subject, uint8_t *key_id, size_t *key_id_size,
		       struct assay_error *err)
{
	struct bytes id;
	char *text;
	int r = certificate_key_id(certificate, &id, err);

	if (r < 0)
		return r;
	if (id.size > MANIFEST_KEY_ID_MAX)
		return assay_fail(err, EINVAL,
				  "the certificate's subject key id is longer than %d bytes",
				  MANIFEST_KEY_ID_MAX);
	memcpy(key_id, id.data, id.size);
	*key_id_size = id.size;
	text = certificate_subject(certificate);
	if (!text)
		return assay_fail(err, ENOMEM, "cannot read the certificate's subject");
	text_escape(BYTES((const uint8_t *)text, strlen(text)), subject, MANIFEST_SUBJECT_MAX);
	free(text);
	return 0;
}

int manifest_set_also(struct manifest_header *header, X509 *certificate, struct assay_error *err)
{
	int r = name_signer(certificate, header->also_subject, header->also_key_id,
			    &header->also_key_id_size, err);

	if (r == 0 && bytes_equal(BYTES(header->key_id, header->key_id_size),
				  BYTES(header->also_key_id, header->also_key_id_size)))
		r = assay_fail(err, EINVAL, "the second signer is the first");
	return r;
}

int manifest_begin(struct manifest_header *ret, const struct verity_parameters *parameters,
		   X509 *certificate, struct assay_error *err)
{
	struct manifest_header header = { .parameters = *parameters };
	uint8_t id[16];
	int r;

	r = verity_check_parameters(parameters, err);
	if (r < 0)
		return r;
	r = name_signer(certificate, header.subject, header.key_id, &header.key_id_size, err);
	if (r < 0)
		return r;
	if (RAND_bytes(id, sizeof(id)) != 1)
		return assay_fail(err, EIO, "libcrypto has no random numbers");
	hex_encode(BYTES(id, sizeof(id)), header.id);
	if (utc_text((uint64_t)time(NULL), header.created)[0] == '\0')
		return assay_fail(err, EINVAL, "the system's clock is set to a time out of range");
	*ret = header;
	return 0;
}

int manifest_set_product(struct manifest_header *header, const char *product,
			 struct assay_error *err)
{
	int r = manifest_check_product(product, err);

	if (r == 0)
		stpcpy(header->product, product);
	return r;
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

json_t *manifest_header_json(const struct manifest_header *header)
{
	const struct verity_parameters *parameters = &header->parameters;
	json_t *also = NULL;

	if (header->also_key_id_size > 0)
		also = json_pack("{s:s, s:o}", "subject", header->also_subject, "key_id",
				 json_hex(BYTES(header->also_key_id, header->also_key_id_size)));
	return json_pack("{s:i, s:s, s:s, s:s, s:s*, s:s, s:I, s:o, s:{s:s, s:o}, s:o*}", "assay",
			 MANIFEST_VERSION, "type", MANIFEST_TYPE, "id", header->id, "created",
			 header->created, "product", header->product[0] ? header->product : NULL,
			 "hash", assay_hash_name(parameters->hash), "block_size",
			 (json_int_t)parameters->block_size, "salt",
			 json_hex(BYTES(parameters->salt, parameters->salt_size)), "signer",
			 "subject", header->subject, "key_id",
			 json_hex(BYTES(header->key_id, header->key_id_size)), "also", also);
}

int manifest_append_header(const struct manifest_header *header, struct buffer *out,
			   struct assay_error *err)
{
	return append_line(manifest_header_json(header), out, err);
}

static void append_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

/* `,"KEY":` */
static void append_key(struct buffer *out, const char *key)
{
	append_text(out, ",\"");
	append_text(out, key);
	append_text(out, "\":");
}

/* `,"KEY":NUMBER`; without printf(), which takes longer than all else that is in a line. */
static void append_number(struct buffer *out, const char *key, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	append_key(out, key);
	buffer_append(out, digits + at, sizeof(digits) - at);
}

/* `,"KEY":"BASE64"`, if there are bytes */
static void append_base64(struct buffer *out, const char *key, struct bytes bytes)
{
	if (bytes.size == 0)
		return;
	append_key(out, key);
	append_text(out, "\"");
	base64_append(out, bytes);
	append_text(out, "\"");
}

/* Does it stand for itself in JSON, as nearly all paths do? */
static bool is_plain(const char *string)
{
	for (; *string; string++)
		if (*string < ' ' || *string > '~' || *string == '"' || *string == '\\')
			return false;
	return true;
}

/* A JSON string, with its quotes. */
static void append_string(struct buffer *out, const char *string)
{
	json_t *value = NULL;
	char *text = NULL;

	if (is_plain(string)) {
		append_text(out, "\"");
		append_text(out, string);
		append_text(out, "\"");
		return;
	}
	value = json_string(string);
	if (value)
		text = json_dumps(value, JSON_ENCODE_ANY);
	json_decref(value);
	if (text)
		append_text(out, text);
	else
		out->failed = true;
	free(text);
}

/* The three of them, which need no escapes. */
static int append_package(struct buffer *out, const struct package_name *package,
			  struct assay_error *err)
{
	const char *const texts[] = { package->name, package->version, package->architecture };
	static const char *const keys[] = { ",\"package\":\"", "\",\"version\":\"",
					    "\",\"architecture\":\"" };

	if (!package->name)
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!package_check_text(BYTES((const uint8_t *)texts[i], strlen(texts[i]))))
			return assay_fail(err, EBADMSG, PACKAGE_RULE, "a package's name");
		append_text(out, keys[i]);
		append_text(out, texts[i]);
	}
	append_text(out, "\"");
	return 0;
}

/* Written piece by piece: there may be millions, and a tree of JSON for each takes its time. */
int manifest_append_entry(const struct manifest_entry *entry, struct buffer *out,
			  struct assay_error *err)
{
	char digest[ASSAY_DIGEST_TEXT_MAX];
	size_t before = out->size;
	int r = manifest_check_path(entry->path, err);

	if (r < 0)
		return r;
	/* What the line comes to, mostly, so that it grows once. */
	buffer_reserve(out, LINE_SIZE + (entry->pkcs7.size + entry->ima.size) / 3 * 4);
	append_text(out, "{\"path\":");
	append_string(out, entry->path);
	append_number(out, "size", entry->size);
	append_text(out, ",\"digest\":\"");
	append_text(out, assay_digest_text(&entry->digest, digest));
	append_text(out, "\"");
	r = append_package(out, &entry->package, err);
	if (r < 0) {
		out->size = before;
		return r;
	}
	append_base64(out, "pkcs7", entry->pkcs7);
	append_base64(out, "ima", entry->ima);
	/* All or none: one alone is of no use. What JSON cannot hold is as good as unknown. */
	if (entry->mtime > 0 && entry->mtime <= INT64_MAX && entry->ctime > 0 &&
	    entry->ctime <= INT64_MAX && entry->inode > 0 && entry->inode <= INT64_MAX) {
		append_number(out, "mtime", entry->mtime);
		append_number(out, "ctime", entry->ctime);
		append_number(out, "inode", entry->inode);
	}
	append_text(out, "}\n");
	if (out->failed)
		return assay_fail(err, ENOMEM, "cannot write a manifest's line: out of memory");
	if (out->size - before > MANIFEST_LINE_MAX) {
		out->size = before;
		r = assay_fail(err, EMSGSIZE, "a line of the manifest would be too long");
	}
	return r;
}
