// SPDX-License-Identifier: MIT
/* What the entries of a log say: `assay replay --events`. */
#include "replay_events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "firmware/describe.h"
#include "log/ima.h"
#include "log/pcrs.h"

/* Hexadecimal digits of a digest in a table. */
#define SHORT_DIGEST 16
/* Foreign text in a line, with its NUL. */
#define TEXT_SHOWN 4097

/* The first digits of the longest digest. */
static void print_short(const struct assay_digest *digests, size_t count)
{
	const struct assay_digest *best = NULL;
	char hex[2 * ASSAY_DIGEST_MAX + 1] = "-";

	for (size_t i = 0; i < count; i++)
		if (!best || digests[i].size > best->size)
			best = &digests[i];
	if (best)
		hex_encode(BYTES(best->bytes, best->size), hex);
	printf("%-*.*s", SHORT_DIGEST, SHORT_DIGEST, hex);
}

/* Takes @value over. */
static int print_value(json_t *value, bool first, struct assay_error *err)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	if (!text)
		return assay_fail(err, ENOMEM, "out of memory");
	printf("%s\n%s", first ? "" : ",", text);
	free(text);
	return 0;
}

/* ---------------------------------------------------------------- the firmware's */

static int print_event(const struct uefi_event *event, const struct firmware_content *content,
		       bool cc, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer says = { 0 };
	char type[16], pcr[PCRS_NAME_MAX] = "-";

	firmware_says(event, content, &says);
	if (says.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	if (cc)
		pcrs_register_name(PCRS_CC + event->pcr, pcr);
	else if (event->pcr != UEFI_NO_PCR)
		snprintf(pcr, sizeof(pcr), "%" PRIu32, event->pcr);
	printf("%5" PRIu64 "  %3s  %-33s  ", event->number, pcr,
	       firmware_event_type(event->type, type));
	print_short(event->digests, event->digest_count);
	printf("  %-7s  %.*s\n", event->extended ? firmware_proof_name(content->proof) : "-",
	       (int)says.size, says.data ? (const char *)says.data : "");
	return 0;
}

/* Of a confidential machine an event is of a register instead of a PCR. */
static json_t *event_to_json(const struct uefi_event *event, const struct firmware_content *content,
			     bool cc)
{
	json_t *object = firmware_event_json(event, content);
	char name[PCRS_NAME_MAX];

	if (!object || !cc)
		return object;
	json_object_del(object, "pcr");
	json_object_set_new(object, "register",
			    json_string(pcrs_register_name(PCRS_CC + event->pcr, name)));
	return object;
}

static int show_events(struct bytes log, bool cc, bool json, struct assay_error *err)
{
	struct firmware_content content;
	struct uefi_reader reader;
	struct uefi_event event;
	int r = cc ? uefi_open_cc(&reader, log, err) : uefi_open(&reader, log, err);

	if (r < 0)
		return r;
	if (json)
		printf(", \"firmware_events\": [");
	else
		printf("EVENT  %s  %-33s  %-*s  PROVES   SAYS\n", cc ? "REG  " : "PCR", "TYPE",
		       SHORT_DIGEST, "DIGEST");
	while ((r = uefi_next(&reader, &event, err)) > 0) {
		r = firmware_content_read(&reader, &event, &content, err);
		if (r == 0 && json)
			r = print_value(event_to_json(&event, &content, cc), event.number == 0,
					err);
		else if (r == 0)
			r = print_event(&event, &content, cc, err);
		if (r < 0)
			break;
	}
	if (json)
		printf("]");
	uefi_close(&reader);
	return r;
}

int replay_events_uefi(struct bytes log, enum assay_hash template_bank, bool json,
		       struct assay_error *err)
{
	(void)template_bank;
	return show_events(log, false, json, err);
}

int replay_events_ccel(struct bytes log, enum assay_hash template_bank, bool json,
		       struct assay_error *err)
{
	(void)template_bank;
	return show_events(log, true, json, err);
}

/* ---------------------------------------------------------------- IMA's */

static bool is_read(const struct ima_entry *entry)
{
	return entry->known && !entry->problem;
}

/* The digest of the file, where it is one whose algorithm is known. */
static bool file_digest(const struct ima_entry *entry, struct assay_digest *ret)
{
	if (!is_read(entry) || entry->digest_hash == ASSAY_HASH_NONE ||
	    entry->digest.size != assay_hash_size(entry->digest_hash))
		return false;
	*ret = (struct assay_digest){ .hash = entry->digest_hash, .size = entry->digest.size };
	for (size_t i = 0; i < ret->size; i++)
		ret->bytes[i] = entry->digest.data[i];
	return true;
}

static const char *entry_problem(const struct ima_entry *entry)
{
	return entry->known ? entry->problem : "its template is not known";
}

static void print_entry(uint64_t number, const struct ima_entry *entry)
{
	const char *problem = entry_problem(entry);
	struct assay_digest digest;
	char text[TEXT_SHOWN];
	bool known = file_digest(entry, &digest);

	printf("%7" PRIu64 "  %3" PRIu32 "  %-9s  ", number, entry->pcr,
	       text_escape(entry->name, text, sizeof(text)));
	printf("%-6s  ", known ? assay_hash_name(digest.hash) : "-");
	print_short(&digest, known);
	printf("  %s", problem ? problem : text_escape(entry->path, text, sizeof(text)));
	if (entry->violation)
		printf(" (violation: it was written while it was measured)");
	if (is_read(entry) && entry->verity)
		printf(" (fs-verity digest)");
	if (is_read(entry) && entry->signature.size > 0)
		printf(" (signed)");
	if (is_read(entry) && entry->modsig.size > 0)
		printf(" (signature appended)");
	if (is_read(entry) && entry->buffer.size > 0)
		printf(" (%zu bytes of data)", entry->buffer.size);
	putchar('\n');
}

static json_t *hex_json(struct bytes bytes)
{
	char *text = malloc(2 * bytes.size + 3);
	json_t *value;

	if (!text)
		return NULL;
	text[0] = '0';
	text[1] = 'x';
	hex_encode(bytes, text + 2);
	value = json_string(text);
	free(text);
	return value;
}

static void add_fields(json_t *object, const struct ima_entry *entry)
{
	struct assay_digest digest;
	char text[ASSAY_DIGEST_TEXT_MAX];

	if (file_digest(entry, &digest))
		json_object_set_new(object, "digest",
				    json_string(assay_digest_text(&digest, text)));
	if (entry->path.data)
		json_object_set_new(object, "path", json_escaped(entry->path));
	json_object_set_new(object, "verity", json_boolean(entry->verity));
	if (entry->signature.size > 0)
		json_object_set_new(object, "file_signature", hex_json(entry->signature));
	if (entry->modsig.size > 0)
		json_object_set_new(object, "appended_signature", hex_json(entry->modsig));
	if (entry->buffer.size > 0)
		json_object_set_new(object, "raw", hex_json(entry->buffer));
	if (entry->has_uid)
		json_object_set_new(object, "uid", json_integer(entry->uid));
	if (entry->has_gid)
		json_object_set_new(object, "gid", json_integer(entry->gid));
	if (entry->has_mode)
		json_object_set_new(object, "mode", json_sprintf("0%o", entry->mode));
}

static json_t *entry_json(uint64_t number, const struct ima_entry *entry)
{
	const char *problem = entry_problem(entry);
	char text[ASSAY_DIGEST_TEXT_MAX];
	json_t *object = json_pack(
		"{s:I, s:I, s:I, s:o, s:s, s:b}", "entry_number", (json_int_t)number, "offset",
		(json_int_t)entry->offset, "pcr", (json_int_t)entry->pcr, "template",
		json_escaped(entry->name), "template_digest",
		assay_digest_text(&entry->template_digest, text), "violation", entry->violation);

	if (object && problem)
		json_object_set_new(object, "problem", json_string(problem));
	if (object && is_read(entry))
		add_fields(object, entry);
	return object;
}

int replay_events_ima(struct bytes log, enum assay_hash template_bank, bool json,
		      struct assay_error *err)
{
	struct ima_reader reader;
	struct ima_entry entry;
	uint64_t number = 0;
	int r;

	if (json)
		printf(", \"ima_entries\": [");
	else
		printf("  ENTRY  PCR  TEMPLATE   HASH    %-*s  PATH\n", SHORT_DIGEST, "DIGEST");
	ima_begin(&reader, log, template_bank);
	while ((r = ima_next(&reader, &entry, err)) > 0) {
		if (json)
			r = print_value(entry_json(number, &entry), number == 0, err);
		else
			print_entry(number, &entry);
		if (r < 0)
			break;
		number++;
	}
	if (json)
		printf("]");
	return r;
}
