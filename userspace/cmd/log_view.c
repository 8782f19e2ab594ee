// SPDX-License-Identifier: MIT
/* Records of a log, as a table for people and as JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "log/cel_content.h"
#include "log/cel_json.h"

/* Hexadecimal digits of a record's digest in the table. */
#define SHORT_DIGEST 12
/* Room for the name of a kind there. */
#define KIND_TEXT 48
/* Bytes of an event's data in the table. */
#define SHORT_DATA 64

/* One record with all that is known of it. */
struct shown {
	const struct cel_record *record;
	const struct assay_content *content; /* NULL: not assay's, or malformed */
	const char *problem;		     /* why it is malformed, or NULL */
	bool checked;			     /* it is known what its digests are of */
	bool match;			     /* the digests are the content's, as far as is known */
	json_t *others; /* of another program's record, as CEL-JSON; NULL if it has no form there */
};

/* "sha256", or "0x12" for what has no name here. */
static const char *hash_text(enum assay_hash hash, char buffer[16])
{
	const char *name = assay_hash_name(hash);

	if (!name)
		snprintf(buffer, 16, "0x%02x", (unsigned int)hash);
	return name ? name : buffer;
}

static const char *region_text(uint8_t kind)
{
	return kind == ASSAY_REGION_CMA	    ? "cma" :
	       kind == ASSAY_REGION_MOVABLE ? "movable" :
	       kind == ASSAY_REGION_STATIC  ? "static" :
	       kind == ASSAY_REGION_NOMAP   ? "nomap" :
					      "unknown";
}

static const char *protection_text(uint8_t protection)
{
	return assay_is_protected(protection)	   ? "yes" :
	       protection == ASSAY_PROTECTION_NONE ? "no" :
						     "unknown";
}

static const char *bypass_text(uint8_t bypass)
{
	return bypass == 0 ? "no" : bypass == 1 ? "yes" : "unknown";
}

/* "MEASURE", "kind 99" or "type 0x50": what a record is. Another program's name is foreign. */
static const char *kind_text(const struct shown *shown, char buffer[KIND_TEXT])
{
	const json_t *type = json_object_get(shown->others, "content_type");
	const char *name = json_string_value(type);

	if (name)
		return text_escape(BYTES((const uint8_t *)name, strlen(name)), buffer, KIND_TEXT);
	if (shown->others && json_is_integer(type))
		snprintf(buffer, KIND_TEXT, "content %" JSON_INTEGER_FORMAT,
			 json_integer_value(type));
	else if (shown->others)
		return "-";
	else if (shown->record->type != ASSAY_CEL_CONTENT)
		snprintf(buffer, KIND_TEXT, "type 0x%02x", shown->record->type);
	else if (!shown->content)
		return "malformed";
	else if ((name = assay_kind_name(shown->content->kind)))
		return name;
	else
		snprintf(buffer, KIND_TEXT, "kind %d", shown->content->kind);
	return buffer;
}

/* ---------------------------------------------------------------- for people */

#define RED "31"
#define YELLOW "33"
#define BOLD "1"

static void begin_colour(const struct log_view *view, const char *colour)
{
	if (view->colours)
		printf("\033[%sm", colour);
}

static void end_colour(const struct log_view *view)
{
	if (view->colours)
		fputs("\033[0m", stdout);
}

static void print_escaped(struct bytes bytes)
{
	char text[4 * 256 + 1];

	/* A path is at most PATH_MAX; in pieces, so that any length prints whole. */
	while (bytes.size > 0) {
		struct bytes piece;

		/* Not within a UTF-8 sequence: continuation bytes are 10xxxxxx. */
		size_t size = bytes.size < 256 ? bytes.size : 256;
		while (size < bytes.size && size > 250 && (bytes.data[size] & 0xc0) == 0x80)
			size--;
		bytes_take(&bytes, size, &piece);
		fputs(text_escape(piece, text, sizeof(text)), stdout);
	}
}

static void print_digest(const struct assay_digest *digest)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1], name[16];

	hex_encode(BYTES(digest->bytes, digest->size), hex);
	printf("%s:%s", hash_text(digest->hash, name), hex);
}

static void print_size(uint64_t size)
{
	if (size >= 1U << 20 && size % (1U << 20) == 0)
		printf("%" PRIu64 " MiB", size >> 20);
	else if (size >= 1U << 10 && size % (1U << 10) == 0)
		printf("%" PRIu64 " KiB", size >> 10);
	else
		printf("%" PRIu64 " bytes", size);
}

#define INDENT "        "

static void print_values(const struct assay_content *content, const char *what)
{
	for (size_t i = 0; i < content->pcr_value_count; i++) {
		printf(INDENT "%s ", what);
		print_digest(&content->pcr_values[i]);
		putchar('\n');
	}
}

/* START and KEXEC. */
static void print_boot(const struct assay_content *content)
{
	fputs("Linux ", stdout);
	print_escaped(content->start.release);
	fputs(", assay ", stdout);
	print_escaped(content->start.version);
	fputs(", boot ", stdout);
	print_escaped(content->start.boot_id);
	if (content->boot_before.data) {
		fputs(", after boot ", stdout);
		print_escaped(content->boot_before);
	}
	fputs("\n" INDENT "pages of ", stdout);
	print_size(content->start.page_size);
	printf(", %s region of ", region_text(content->start.region_kind));
	print_size(content->start.region_size);
	printf(" at 0x%" PRIx64 ", window of ", content->start.region_base);
	print_size(content->start.window_size);
	printf(" at 0x%" PRIx64 "\n", content->start.window_base);
	print_values(content, "the PCR was");
	if (content->pcr_value_count == 0)
		fputs(INDENT "there was no TPM\n", stdout);
	printf(INDENT "IMA bypassed the TPM: %s\n", bypass_text(content->start.ima_bypass));
	printf(INDENT "pages read-only but during an append: %s\n",
	       protection_text(content->start.protection));
}

static void print_file(const struct log_view *view, const struct measured_file *file)
{
	if (file->errnum == 0) {
		print_digest(&file->digest);
	} else {
		begin_colour(view, RED);
		printf("FAILED: %s", strerror((int)file->errnum));
		end_colour(view);
	}
	fputs("  ", stdout);
	if (file->path.data)
		print_escaped(file->path);
	else
		fputs("(path not recorded)", stdout);
}

static void print_event(struct bytes label, struct bytes data)
{
	struct bytes head = data;

	print_escaped(label);
	printf(", %zu bytes", data.size);
	if (head.size > SHORT_DATA)
		head.size = SHORT_DATA;
	if (head.size > 0) {
		fputs(": ", stdout);
		print_escaped(head);
		if (head.size < data.size)
			fputs("...", stdout);
	}
}

static void print_batch(const struct log_view *view, const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	size_t files = content->batch.file_count, events = content->batch.event_count;
	struct batch_entry entry;

	if (files > 0)
		printf("%zu file%s", files, files == 1 ? "" : "s");
	if (events > 0)
		printf("%s%zu event%s", files > 0 ? ", " : "", events, events == 1 ? "" : "s");
	putchar('\n');
	while (batch_entry_next(&entries, &entry)) {
		if (view->filter->path &&
		    (entry.is_event || !log_filter_file(view->filter, &entry.file)))
			continue;
		fputs(INDENT, stdout);
		if (entry.is_event)
			print_event(entry.label, entry.data);
		else
			print_file(view, &entry.file);
		putchar('\n');
	}
}

static void print_mirrored(const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	struct mirrored_entry entry;

	printf("%zu entr%s of IMA's list\n", content->batch.ima_count,
	       content->batch.ima_count == 1 ? "y" : "ies");
	while (mirrored_entry_next(&entries, &entry)) {
		printf(INDENT "PCR %" PRIu32 "  ", entry.pcr);
		print_escaped(entry.name);
		fputs("  ", stdout);
		print_digest(&entry.digests[0]);
		printf("  %zu bytes\n", entry.data.size);
	}
}

static void print_trim(const struct assay_content *content)
{
	printf("the log begins with record %" PRIu64 " at offset %" PRIu64 " from here on\n",
	       content->trim.recnum, content->trim.offset);
	printf(INDENT "the %" PRIu64 " bytes before it had ", content->trim.size);
	print_digest(&content->trim.digest);
	putchar('\n');
	print_values(content, "the PCR before that record was");
}

/* Another program's content: as JSON, of which nothing reaches the terminal unescaped. */
static void print_others(const struct shown *shown)
{
	char *text = json_dumps(json_object_get(shown->others, "content"), JSON_COMPACT);

	if (text)
		print_escaped(BYTES((const uint8_t *)text, strlen(text)));
	putchar('\n');
	free(text);
}

static void print_content(const struct log_view *view, const struct shown *shown)
{
	const struct assay_content *content = shown->content;

	if (shown->others) {
		print_others(shown);
		return;
	}

	switch (content && content->understood ? content->kind : 0) {
	case ASSAY_KIND_START:
	case ASSAY_KIND_KEXEC:
		print_boot(content);
		break;
	case ASSAY_KIND_MEASURE:
	case ASSAY_KIND_EVENT:
	case ASSAY_KIND_BATCH:
		print_batch(view, content);
		break;
	case ASSAY_KIND_IMA:
		print_mirrored(content);
		break;
	case ASSAY_KIND_TRIM:
		print_trim(content);
		break;
	case ASSAY_KIND_SEAL:
		printf("%zu bytes to the end of the page\n", content->pad_size);
		break;
	case ASSAY_KIND_TPM:
		printf("a TPM was found; the %" PRIu64 " record%s before this one waited for it\n",
		       content->backlog, content->backlog == 1 ? "" : "s");
		print_values(content, "the PCR before the log was");
		break;
	default:
		printf("%zu bytes\n", shown->record->value.size);
	}
}

/* The first digits of the digest in the strongest bank. */
static void print_short_digest(const struct cel_record *record)
{
	const struct assay_digest *best = &record->digests[0];
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	for (size_t i = 1; i < record->digest_count; i++)
		if (record->digests[i].size > best->size)
			best = &record->digests[i];
	hex_encode(BYTES(best->bytes, best->size), hex);
	printf("%-*.*s", SHORT_DIGEST, SHORT_DIGEST, hex);
}

static bool is_anchored(const struct log_view *view, const struct cel_record *record)
{
	return record->offset + record->size <= view->anchored;
}

void log_view_header(const struct log_view *view)
{
	printf("RECORD  TIME (UTC)           PCR  %-*s  %s%-12s  CONTENT\n", SHORT_DIGEST, "DIGEST",
	       view->has_anchored ? "ANCHORED  " : "", "KIND");
}

static void print_record(const struct log_view *view, const struct shown *shown)
{
	const struct cel_record *record = shown->record;
	char text[LOG_TIME_TEXT], kind[KIND_TEXT];

	printf("%6" PRIu64 "  ", record->recnum);
	if (shown->content && shown->content->has_time) {
		log_time_text(shown->content->time, text);
		text[10] = ' ';
		printf("%.19s", text);
	} else {
		printf("%-19s", "-");
	}
	if (record->pcr == CEL_NO_PCR)
		printf("  %c%-3" PRIx32, record->register_type == CEL_NV_INDEX ? 'N' : 'M',
		       record->register_number);
	else
		printf("  %3" PRIu32 " ", record->pcr);
	putchar(' ');
	print_short_digest(record);
	fputs("  ", stdout);
	if (view->has_anchored) {
		bool anchored = is_anchored(view, record);

		if (!anchored)
			begin_colour(view, YELLOW);
		printf("%-8s", anchored ? "yes" : "no");
		if (!anchored)
			end_colour(view);
		fputs("  ", stdout);
	}
	begin_colour(view, BOLD);
	printf("%-12s", kind_text(shown, kind));
	end_colour(view);
	fputs("  ", stdout);
	if (!shown->match || shown->problem) {
		begin_colour(view, RED);
		if (!shown->match)
			fputs("ITS DIGEST DOES NOT MATCH ITS CONTENT: ", stdout);
		if (shown->problem)
			fputs(shown->problem, stdout);
		end_colour(view);
	}
	if (shown->problem)
		putchar('\n');
	else
		print_content(view, shown);
}

/* ---------------------------------------------------------------- as JSON */

static json_t *digest_json(const struct assay_digest *digest)
{
	char text[16 + 2 * ASSAY_DIGEST_MAX + 2], name[16];
	int used = snprintf(text, sizeof(text), "%s:", hash_text(digest->hash, name));

	hex_encode(BYTES(digest->bytes, digest->size), text + used);
	return json_string(text);
}

static json_t *digests_json(const struct assay_digest *digests, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, digest_json(&digests[i]));
	return array;
}

/* A UUID of 16 bytes as text. */
static json_t *uuid_json(struct bytes uuid)
{
	char hex[33];

	hex_encode(uuid, hex);
	return json_sprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
			    hex + 20);
}

/* As a number where it fits JSON's (signed 64 bits, in jansson), else as text. */
static json_t *u64_json(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) :
				    json_sprintf("%" PRIu64, value);
}

static json_t *file_json(const struct measured_file *file)
{
	json_t *object = json_object();

	if (file->path.data)
		json_object_set_new(object, "path", json_escaped(file->path));
	if (file->errnum == 0) {
		json_object_set_new(object, "digest", digest_json(&file->digest));
	} else {
		json_object_set_new(object, "errno", json_integer(file->errnum));
		json_object_set_new(object, "error", json_string(strerror((int)file->errnum)));
	}
	if (file->fsuuid.data)
		json_object_set_new(object, "fsuuid", uuid_json(file->fsuuid));
	if (file->has_inode)
		json_object_set_new(object, "inode", u64_json(file->inode));
	if (file->has_generation)
		json_object_set_new(object, "generation", u64_json(file->generation));
	if (file->has_size)
		json_object_set_new(object, "size", u64_json(file->size));
	return object;
}

static json_t *address_json(uint64_t address)
{
	return json_sprintf("0x%" PRIx64, address);
}

static void add_batch(json_t *object, const struct log_view *view,
		      const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	json_t *files = json_array(), *events = json_array();
	struct batch_entry entry;

	while (batch_entry_next(&entries, &entry)) {
		if (view->filter->path &&
		    (entry.is_event || !log_filter_file(view->filter, &entry.file)))
			continue;
		if (entry.is_event)
			json_array_append_new(events, json_pack("{s:o, s:o}", "label",
								json_escaped(entry.label), "data",
								json_base64(entry.data)));
		else
			json_array_append_new(files, file_json(&entry.file));
	}
	json_object_set_new(object, "files", files);
	json_object_set_new(object, "events", events);
}

static json_t *mirrored_json(const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	json_t *array = json_array();
	struct mirrored_entry entry;

	while (mirrored_entry_next(&entries, &entry))
		json_array_append_new(
			array,
			json_pack("{s:I, s:o, s:o, s:o}", "pcr", (json_int_t)entry.pcr, "digests",
				  digests_json(entry.digests, entry.digest_count), "template",
				  json_escaped(entry.name), "data", json_base64(entry.data)));
	return array;
}

/* What commits to the key of a record: its SHA-256. */
static json_t *commitment_json(struct bytes commitment)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = commitment.size };

	memcpy(digest.bytes, commitment.data, commitment.size);
	return digest_json(&digest);
}

/* Of a byte that is 0 or 1; null for a value not known. */
static json_t *yes_no_json(uint8_t value)
{
	return value > 1 ? json_null() : json_boolean(value == 1);
}

static void add_boot(json_t *object, const struct assay_content *content)
{
	json_object_set_new(object, "boot_id", json_escaped(content->start.boot_id));
	if (content->boot_before.data)
		json_object_set_new(object, "boot_before", json_escaped(content->boot_before));
	json_object_set_new(object, "release", json_escaped(content->start.release));
	json_object_set_new(object, "version", json_escaped(content->start.version));
	json_object_set_new(object, "page_size", u64_json(content->start.page_size));
	json_object_set_new(object, "region",
			    json_pack("{s:s, s:o, s:o}", "kind",
				      region_text(content->start.region_kind), "base",
				      address_json(content->start.region_base), "size",
				      u64_json(content->start.region_size)));
	json_object_set_new(object, "window",
			    json_pack("{s:o, s:o}", "base",
				      address_json(content->start.window_base), "size",
				      u64_json(content->start.window_size)));
	json_object_set_new(object, "ima_bypass", yes_no_json(content->start.ima_bypass));
	json_object_set_new(object, "protected", yes_no_json(content->start.protection));
}

static void add_content(json_t *object, const struct log_view *view,
			const struct assay_content *content)
{
	switch (content->kind) {
	case ASSAY_KIND_START:
	case ASSAY_KIND_KEXEC:
		add_boot(object, content);
		break;
	case ASSAY_KIND_MEASURE:
	case ASSAY_KIND_EVENT:
	case ASSAY_KIND_BATCH:
		add_batch(object, view, content);
		break;
	case ASSAY_KIND_IMA:
		json_object_set_new(object, "entries", mirrored_json(content));
		break;
	case ASSAY_KIND_TRIM:
		json_object_set_new(object, "cut",
				    json_pack("{s:o, s:o, s:o, s:o, s:o*}", "recnum",
					      u64_json(content->trim.recnum), "offset",
					      u64_json(content->trim.offset), "size",
					      u64_json(content->trim.size), "digest",
					      digest_json(&content->trim.digest), "next_key",
					      content->trim.next.data ?
						      commitment_json(content->trim.next) :
						      NULL));
		break;
	case ASSAY_KIND_SEAL:
		json_object_set_new(object, "pad", u64_json(content->pad_size));
		break;
	case ASSAY_KIND_TPM:
		json_object_set_new(object, "backlog", u64_json(content->backlog));
		break;
	}
	if (content->pcr_value_count > 0)
		json_object_set_new(object, "pcr_values",
				    digests_json(content->pcr_values, content->pcr_value_count));
}

static json_t *record_json(const struct log_view *view, const struct shown *shown)
{
	const struct cel_record *record = shown->record;
	const struct assay_content *content = shown->content;
	json_t *object = json_object();

	json_object_set_new(object, "recnum", u64_json(record->recnum));
	json_object_set_new(object, "offset", u64_json(record->offset));
	json_object_set_new(object, "size", u64_json(record->size));
	json_object_set_new(object,
			    record->register_type == CEL_NV_INDEX ? "nv_index" :
			    record->register_type == CEL_CCMR	  ? "ccmr" :
								    "pcr",
			    json_integer(record->register_number));
	json_object_set_new(object, "digests", digests_json(record->digests, record->digest_count));
	json_object_set_new(object, "content_type", json_integer(record->type));
	if (shown->checked)
		json_object_set_new(object, "digests_match", json_boolean(shown->match));
	if (view->has_anchored)
		json_object_set_new(object, "anchored", json_boolean(is_anchored(view, record)));
	if (shown->problem)
		json_object_set_new(object, "problem", json_string(shown->problem));
	if (shown->others) {
		json_object_set(object, "kind", json_object_get(shown->others, "content_type"));
		json_object_set(object, "content", json_object_get(shown->others, "content"));
	}
	if (!content)
		return object;
	if (content->has_time) {
		char text[LOG_TIME_TEXT];

		json_object_set_new(object, "time",
				    json_string(log_time_text(content->time, text)));
	}
	if (content->chain.key.data)
		json_object_set_new(object, "revealed_key", json_hex(content->chain.key));
	if (content->chain.next.data) {
		json_object_set_new(object, "next_key", commitment_json(content->chain.next));
		json_object_set_new(object, "mac", json_hex(content->chain.mac));
	}
	if (assay_kind_name(content->kind))
		json_object_set_new(object, "kind", json_string(assay_kind_name(content->kind)));
	else
		json_object_set_new(object, "kind", json_sprintf("%u", content->kind));
	if (content->understood)
		add_content(object, view, content);
	return object;
}

/* ---------------------------------------------------------------- both */

/* NULL also without memory: then the record is shown as one that is not known. */
static json_t *others_json(const struct cel_record *record)
{
	json_t *object = cel_json_record(record);
	const char *name = json_string_value(json_object_get(object, "content_type"));

	if (!name || strcmp(name, "tlv") != 0)
		return object;
	json_decref(object);
	return NULL;
}

/* What is known of a record: its form, its content, its digests. */
static int examine_record(struct log_view *view, const struct cel_record *record,
			  struct assay_content *content, struct assay_error *problem,
			  struct shown *shown, struct assay_error *err)
{
	int r = cel_digests_check(record, &view->hashers, &shown->match, err);

	if (r < 0)
		return r;
	shown->checked = r > 0;
	if (cel_content_check(record, problem) < 0)
		shown->problem = problem->text;
	else if (record->type == ASSAY_CEL_CONTENT &&
		 assay_content_parse(record, content, NULL) == 0)
		shown->content = content;
	else
		shown->others = others_json(record);
	view->records++;
	view->bad += shown->problem || !shown->match;
	return 0;
}

int log_view_record(struct log_view *view, const struct cel_record *record, const char *separator,
		    struct assay_error *err)
{
	struct shown shown = { .record = record };
	struct assay_content content;
	struct assay_error problem;
	int r = examine_record(view, record, &content, &problem, &shown, err);

	if (r < 0)
		return r;
	if (!log_filter_record(view->filter, record, shown.content)) {
		json_decref(shown.others);
		return 0;
	}
	view->shown++;
	fputs(separator, stdout);
	if (view->json) {
		json_t *object = record_json(view, &shown);

		if (json_dumpf(object, stdout, JSON_COMPACT) < 0)
			r = assay_fail(err, EIO, "cannot write the output");
		json_decref(object);
	} else {
		print_record(view, &shown);
	}
	json_decref(shown.others);
	return r < 0 ? r : 1;
}

void log_view_end(struct log_view *view)
{
	hashers_close(&view->hashers);
}
