// SPDX-License-Identifier: MIT
#include "archive/ima_notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#define NOTES_TYPE "ima-keeper"
#define NOTES_MAX (1U << 16)

static int parse_boot_id(const json_t *root, const char *key, char ret[ARCHIVE_BOOT_ID_TEXT],
			 struct assay_error *err)
{
	uint8_t bytes[ARCHIVE_BOOT_ID];
	const char *text;
	int r = json_get_string(root, key, "it", &text, err);

	if (r < 0)
		return r;
	if (!archive_boot_id_parse(text, bytes))
		return assay_fail(err, EBADMSG, "its %s is no UUID", key);
	archive_boot_id_text(bytes, ret);
	return 0;
}

static int parse_log(const json_t *root, char ret[IMA_NOTES_LOG], struct assay_error *err)
{
	const char *text;
	int r = json_get_string(root, "log", "it", &text, err);

	if (r < 0)
		return r;
	if (strlen(text) >= IMA_NOTES_LOG || strchr(text, '/'))
		return assay_fail(err, EBADMSG, "its log is no directory of an archive");
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

int ima_notes_parse(struct bytes text, struct ima_notes *ret, struct assay_error *err)
{
	static const char *const known[] = { "assay",	"type",	    "boot_id",	"before",
					     "deleted", "deleting", "mirrored", "record",
					     "behind",	"log",	    NULL };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	struct ima_notes notes = { 0 };
	int r = json_parse(text, "it", &root, err);

	if (r == 0)
		r = json_check_head(root, NOTES_TYPE, "it", err);
	if (r == 0)
		r = json_only(root, known, "it", err);
	if (r == 0)
		r = parse_boot_id(root, "boot_id", notes.boot_id, err);
	if (r == 0 && json_object_get(root, "before"))
		r = parse_boot_id(root, "before", notes.before, err);
	if (r == 0)
		r = json_get_unsigned(root, "deleted", "it", &notes.deleted, err);
	if (r == 0)
		r = json_get_unsigned(root, "deleting", "it", &notes.deleting, err);
	if (r == 0)
		r = json_get_unsigned(root, "mirrored", "it", &notes.mirrored, err);
	if (r == 0)
		r = json_get_unsigned(root, "record", "it", &notes.record, err);
	if (r == 0 && json_object_get(root, "behind"))
		r = json_get_unsigned(root, "behind", "it", &notes.behind, err);
	if (r == 0 && json_object_get(root, "log"))
		r = parse_log(root, notes.log, err);
	if (r == 0)
		*ret = notes;
	return r;
}

uint64_t ima_notes_kept(const struct ima_notes *notes)
{
	return notes->behind > notes->deleted ? notes->behind : notes->deleted;
}

int ima_notes_load(const char *path, struct ima_notes *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, NOTES_MAX, &text, err);

	*ret = (struct ima_notes){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r == 0 && ima_notes_parse(buffer_bytes(&text), ret, err) < 0)
		r = assay_fail_context(err,
				       "%s cannot be used (remove it; where the list was cut is "
				       "found by the entries then)",
				       path);
	return r;
}

int ima_notes_save(const char *path, const struct ima_notes *notes, struct assay_error *err)
{
	CLEANUP(json_decref_pointer)
	json_t *root = json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I}", "assay", JSON_VERSION,
				 "type", NOTES_TYPE, "boot_id", notes->boot_id, "deleted",
				 (json_int_t)notes->deleted, "deleting",
				 (json_int_t)notes->deleting, "mirrored",
				 (json_int_t)notes->mirrored, "record", (json_int_t)notes->record);
	CLEANUP(free_pointer) char *text = NULL;

	if (root && notes->before[0])
		json_object_set_new(root, "before", json_string(notes->before));
	if (root && notes->behind)
		json_object_set_new(root, "behind", json_integer((json_int_t)notes->behind));
	if (root && notes->log[0])
		json_object_set_new(root, "log", json_string(notes->log));
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	return file_write(path, BYTES((const uint8_t *)text, strlen(text)), 0640, err);
}
