// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "archive/archive_current.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#define TYPE "archive"
#define SIZE_MAX_JSON 65536

static int parse_stream(const json_t *root, enum archive_stream stream, const char *what,
			struct archive_current_stream *ret, struct assay_error *err)
{
	static const char *const known[] = { "file",   "oldest_file",  "next",
					     "digest", "acknowledged", NULL };
	struct archive_current_stream values = { 0 };
	const char *name = archive_stream_name(stream), *file = "", *oldest = "", *text = "";
	enum archive_stream is, oldest_is;
	struct assay_digest digest;
	const json_t *object = NULL;
	int r;

	if (!json_object_get(root, name))
		return 0;
	r = json_get_object(root, name, what, &object, err);
	if (r == 0)
		r = json_only(object, known, what, err);
	if (r == 0)
		r = json_get_string(object, "file", what, &file, err);
	if (r == 0)
		r = json_get_string(object, "oldest_file", what, &oldest, err);
	if (r == 0)
		r = json_get_unsigned(object, "next", what, &values.next, err);
	if (r == 0)
		r = json_get_string(object, "digest", what, &text, err);
	if (r == 0 && json_object_get(object, "acknowledged"))
		r = json_get_unsigned(object, "acknowledged", what, &values.acknowledged, err);
	if (r < 0)
		return r;
	if (!archive_file_parse(file, &is, &values.number) || is != stream ||
	    !archive_file_parse(oldest, &oldest_is, &values.oldest) || oldest_is != stream ||
	    values.oldest > values.number || values.next == 0 ||
	    values.next >= ARCHIVE_MAX_NUMBER || values.acknowledged >= ARCHIVE_MAX_NUMBER)
		return assay_fail(err, EBADMSG, "%s: what it says of the %s cannot be", what, name);
	if (assay_digest_parse(text, &digest) < 0 || digest.hash != ASSAY_HASH_SHA256)
		return assay_fail(err, EBADMSG, "%s: the digest of the %s is no SHA-256", what,
				  name);
	memcpy(values.digest, digest.bytes, ARCHIVE_DIGEST);
	*ret = values;
	return 0;
}

int archive_current_parse(struct bytes text, struct archive_current *ret, struct assay_error *err)
{
	static const char *const known[] = { "assay", "type", "boot_id", "log", "ima", NULL };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	struct archive_current current = { 0 };
	const char *what = ARCHIVE_CURRENT_NAME, *boot_id;
	int r = json_parse(text, what, &root, err);

	if (r == 0)
		r = json_check_head(root, TYPE, what, err);
	if (r == 0)
		r = json_only(root, known, what, err);
	if (r == 0)
		r = json_get_string(root, "boot_id", what, &boot_id, err);
	if (r == 0 && !archive_boot_id_parse(boot_id, current.boot_id))
		r = assay_fail(err, EBADMSG, "%s: boot_id is no UUID", what);
	for (int stream = 0; stream < ARCHIVE_STREAMS && r == 0; stream++)
		r = parse_stream(root, (enum archive_stream)stream, what, &current.streams[stream],
				 err);
	if (r == 0)
		*ret = current;
	return r;
}

static int current_path(const char *directory, char path[PATH_MAX], struct assay_error *err)
{
	if (snprintf(path, PATH_MAX, "%s/" ARCHIVE_CURRENT_NAME, directory) >= PATH_MAX)
		return assay_fail(err, ENAMETOOLONG, "%s is too long", directory);
	return 0;
}

int archive_current_read(const char *directory, struct archive_current *ret,
			 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	char path[PATH_MAX];
	int r = current_path(directory, path, err);

	if (r == 0)
		r = file_read(path, SIZE_MAX_JSON, &text, err);
	if (r < 0)
		return r;
	r = archive_current_parse(buffer_bytes(&text), ret, err);
	return r < 0 ? assay_fail_context(err, "%s", directory) : 0;
}

static json_t *stream_json(enum archive_stream stream, const struct archive_current_stream *values)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = ARCHIVE_DIGEST };
	char text[ASSAY_DIGEST_TEXT_MAX], file[ARCHIVE_NAME_MAX], oldest[ARCHIVE_NAME_MAX];

	memcpy(digest.bytes, values->digest, ARCHIVE_DIGEST);
	return json_pack("{s:s, s:s, s:I, s:s, s:I}", "oldest_file",
			 archive_file_name(stream, values->oldest, oldest), "file",
			 archive_file_name(stream, values->number, file), "next",
			 (json_int_t)values->next, "digest", assay_digest_text(&digest, text),
			 "acknowledged", (json_int_t)values->acknowledged);
}

static json_t *current_json(const struct archive_current *current)
{
	char boot_id[ARCHIVE_BOOT_ID_TEXT];
	json_t *root = json_pack("{s:i, s:s, s:s}", "assay", JSON_VERSION, "type", TYPE, "boot_id",
				 archive_boot_id_text(current->boot_id, boot_id));

	for (int stream = 0; stream < ARCHIVE_STREAMS; stream++)
		if (current->streams[stream].number > 0)
			json_object_set_new(root, archive_stream_name((enum archive_stream)stream),
					    stream_json((enum archive_stream)stream,
							&current->streams[stream]));
	return root;
}

static int write_current(FILE *stream, const void *current, struct assay_error *err)
{
	return json_write(stream, current_json(current), ARCHIVE_CURRENT_NAME, err);
}

int archive_current_write(const char *directory, const struct archive_current *current,
			  struct assay_error *err)
{
	char path[PATH_MAX];
	int r = current_path(directory, path, err);

	return r < 0 ? r : file_write_by(path, 0640, write_current, current, err);
}
