// SPDX-License-Identifier: MIT
/* Reading what is to be signed. */
#define _GNU_SOURCE
#include "sign/prepared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A delegate's certificate; see sign/certificate.c. */
#define DELEGATE_SIZE_MAX 65536
#define LINE_SIZE_MAX (2 * SIGNATURES_ONE_MAX)

/* What is read into, and where it comes from. */
struct reading {
	struct prepared *prepared;
	struct signatures *signatures;
};

static int parse_delegate(const json_t *object, const char *what, X509 **ret,
			  struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer der = { 0 };
	int r = json_get_base64(object, "delegate", what, &der, err);

	if (r == 0 && der.size > DELEGATE_SIZE_MAX)
		r = assay_fail(err, EBADMSG, "%s: \"delegate\" is too large for a certificate",
			       what);
	return r < 0 ? r : certificate_parse(buffer_bytes(&der), what, ret, err);
}

static int parse_head(const json_t *object, const char *what, struct prepared_header *header,
		      struct assay_error *err)
{
	static const char *const known[] = { "assay",	 "type",     "signatures",
					     "manifest", "delegate", NULL };
	const json_t *manifest;
	const char *kinds;
	int r = json_check_head(object, PREPARED_TYPE, what, err);

	if (r == 0)
		r = json_only(object, known, what, err);
	if (r == 0)
		r = json_get_string(object, "signatures", what, &kinds, err);
	if (r != 0)
		return r;
	header->pkcs7 = strcmp(kinds, "pkcs7") == 0 || strcmp(kinds, "both") == 0;
	header->ima = strcmp(kinds, "ima") == 0 || strcmp(kinds, "both") == 0;
	if (!header->pkcs7 && !header->ima)
		return assay_fail(err, EBADMSG,
				  "%s: \"signatures\" is not \"pkcs7\", \"ima\" or \"both\"", what);
	r = json_get_object(object, "manifest", what, &manifest, err);
	if (r == 0)
		r = manifest_parse_header(manifest, what, &header->manifest, err);
	if (r == 0 && json_object_get(object, "delegate"))
		r = parse_delegate(object, what, &header->delegate, err);
	return r;
}

static int keep_file(struct prepared *prepared, const struct prepared_file *file, const char *what,
		     struct assay_error *err)
{
	size_t count = prepared->count;
	char *path;

	if (count > 0 && strcmp(prepared->files[count - 1].path, file->path) >= 0)
		return assay_fail(err, EBADMSG,
				  "%s: the files are not in order: they are sorted by path, each "
				  "once",
				  what);
	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		struct prepared_file *files =
			reallocarray(prepared->files, count ? 2 * count : 1, sizeof(*files));

		if (!files)
			return assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
		prepared->files = files;
	}
	path = strdup(file->path);
	if (!path)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
	prepared->files[count] = *file;
	prepared->files[count].path = path;
	prepared->count++;
	return 0;
}

static int parse_file(struct prepared *prepared, const json_t *object, const char *what,
		      struct assay_error *err)
{
	static const char *const known[] = { "path", "size", "verity", NULL };
	enum assay_hash hash = prepared->header.manifest.parameters.hash;
	struct prepared_file file = { .path = "" };
	const char *digest;
	int r = json_only(object, known, what, err);

	if (r == 0)
		r = json_get_string(object, "path", what, &file.path, err);
	if (r == 0 && manifest_check_path(file.path, err) < 0)
		r = assay_fail_context(err, "%s", what);
	if (r == 0)
		r = json_get_unsigned(object, "size", what, &file.size, err);
	if (r == 0)
		r = json_get_string(object, "verity", what, &digest, err);
	if (r == 0 && (verity_digest_parse(digest, &file.digest) < 0 || file.digest.hash != hash))
		r = assay_fail(err, EBADMSG,
			       "%s: \"verity\" is not \"%s:\" and its hexadecimal digits", what,
			       assay_hash_name(hash));
	return r != 0 ? r : keep_file(prepared, &file, what, err);
}

/* What is to be signed is known from the files: only its digest is looked at. */
static int parse_item(struct prepared *prepared, const json_t *object, const char *what,
		      struct assay_error *err)
{
	static const char *const known[] = { "sign", "algorithm", "digest", "bytes", NULL };
	const char *text;
	int r = json_only(object, known, what, err);

	if (r == 0)
		r = json_get_string(object, "digest", what, &text, err);
	if (r == 0 && assay_digest_parse(text, &prepared->only) < 0)
		r = assay_fail(err, EBADMSG,
			       "%s: \"digest\" is not \"sha256:\" (or another hash) and its "
			       "hexadecimal digits",
			       what);
	if (r == 0)
		prepared->wanted++;
	return r;
}

static int parse_line(struct reading *reading, struct bytes line, const char *what, bool first,
		      struct assay_error *err)
{
	struct prepared *prepared = reading->prepared;
	CLEANUP(json_decref_pointer) json_t *object = NULL;
	int r = json_parse(line, what, &object, err);

	if (r < 0)
		return r;
	if (first)
		return parse_head(object, what, &prepared->header, err);
	if (json_object_get(object, "path"))
		return parse_file(prepared, object, what, err);
	if (json_object_get(object, "signature"))
		return signatures_read_object(reading->signatures, object, what, err);
	return parse_item(prepared, object, what, err);
}

static int parse_lines(struct reading *reading, struct bytes text, const char *name,
		       struct assay_error *err)
{
	unsigned long long number = 0;
	int r = 0;

	if (text.size == 0)
		return assay_fail(err, EBADMSG, "%s is empty, not what --prepare wrote", name);
	while (r == 0 && text.size > 0) {
		const uint8_t *newline = memchr(text.data, '\n', text.size);
		struct bytes line, end;
		char what[600];

		number++;
		snprintf(what, sizeof(what), "%s line %llu", name, number);
		if (!newline)
			return assay_fail(err, EBADMSG, "%s is cut off: it has no newline", what);
		(void)bytes_take(&text, (size_t)(newline - text.data), &line);
		(void)bytes_take(&text, 1, &end);
		if (line.size > LINE_SIZE_MAX)
			return assay_fail(err, EBADMSG, "%s is longer than %d bytes", what,
					  LINE_SIZE_MAX);
		r = parse_line(reading, line, what, number == 1, err);
	}
	return r;
}

int prepared_parse(struct bytes text, const char *name, struct signatures *signatures,
		   struct prepared **ret, struct assay_error *err)
{
	struct reading reading = { calloc(1, sizeof(*reading.prepared)), signatures };
	int r;

	if (!reading.prepared)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	r = parse_lines(&reading, text, name, err);
	if (r < 0) {
		prepared_free(reading.prepared);
		return r;
	}
	*ret = reading.prepared;
	return 0;
}

void prepared_free(struct prepared *prepared)
{
	if (!prepared)
		return;
	for (size_t i = 0; i < prepared->count; i++)
		free((char *)prepared->files[i].path);
	free(prepared->files);
	X509_free(prepared->header.delegate);
	free(prepared);
}

enum prepared_match prepared_match(struct prepared *prepared, const char *path,
				   const struct prepared_file **ret)
{
	const struct prepared_file *file = &prepared->files[prepared->next];
	int order;

	if (prepared->next == prepared->count)
		return PREPARED_NEW;
	order = path ? strcmp(file->path, path) : -1;
	if (order > 0)
		return PREPARED_NEW;
	prepared->next++;
	*ret = file;
	return order == 0 ? PREPARED_SAME : PREPARED_GONE;
}
