// SPDX-License-Identifier: MIT
/* `assay log show`: the records of assay's log, for people, as JSON, or as they are. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cmd.h"
#include "log/cel.h"
#include "log/device.h"
#include "log/hasher.h"
#include "verify/evidence.h"

/* A raw log; a window is far smaller. */
#define LOG_MAX_SIZE (1U << 30)

static const char help[] =
	"Usage: assay log show [OPTION]... [FILE]\n"
	"\n"
	"Show the records of assay's measurement log, oldest first: this system's (read\n"
	"through a mapping of /dev/assay, without a system call a record), those in FILE\n"
	"(raw, as --raw writes them; '-' is standard input), or those in evidence.\n"
	"\n"
	"Each record is one extend of a PCR. Its digest is compared with its content here, but\n"
	"only 'assay verify' says whether a TPM vouches for the log.\n"
	"\n"
	"Options:\n"
	"      --evidence E  read the log out of evidence that 'assay quote' wrote\n"
	"      --json        print one JSON object\n"
	"      --raw         write the records as they are (TCG CEL, TLV encoding)\n"
	"  -h, --help        print this\n"
	"\n"
	"Exit status: 0 shown, 1 the log cannot be read, breaks off, or has records that are\n"
	"malformed or have a digest that does not match (what was read is shown), 2 wrong\n"
	"usage.\n";

/* Where a log came from; .anchored is known of this system's only. */
struct source {
	struct buffer cel;
	uint64_t base;
	bool live;
	struct assay_log_header header;
};

static int load(struct source *source, const char *file, const char *evidence_path,
		struct assay_error *err)
{
	struct evidence evidence = { 0 };
	struct file_view text = { 0 };
	int r;

	if (file)
		return file_read(file, LOG_MAX_SIZE, &source->cel, err);
	if (!evidence_path) {
		struct device_log_copy copy;

		r = device_read_log(&copy, err);
		if (r == 0) {
			source->cel = copy.cel;
			source->base = copy.header.head;
			source->live = true;
			source->header = copy.header;
		}
		return r;
	}
	r = file_map(evidence_path, EVIDENCE_MAX_SIZE, &text, err);
	if (r == 0) {
		r = evidence_parse(text.bytes, &evidence, err);
		if (r < 0)
			assay_fail_context(err, "%s", evidence_path);
	}
	if (r == 0 && !evidence.has_assay_log)
		r = assay_fail(err, ENODATA, "%s holds no log of assay's", evidence_path);
	if (r == 0) {
		/* The log moves over; what is left is freed. */
		source->cel = evidence.assay_cel;
		evidence.assay_cel = (struct buffer){ 0 };
		source->base = evidence.assay_base;
	}
	evidence_free(&evidence);
	file_unmap(&text);
	return r;
}

/*
 * Do the digests fit the content? Only of records of assay's own kind, whose
 * digest is over the content's bytes; other kinds have their own rules. Digests
 * of algorithms that cannot be computed here are passed over.
 */
static bool digests_fit(const struct cel_record *record, struct hashers *hashers)
{
	if (record->type != ASSAY_CEL_CONTENT)
		return true;
	for (size_t i = 0; i < record->digest_count; i++) {
		const struct assay_digest *digest = &record->digests[i];
		struct hasher *hasher = hashers_get(hashers, digest->hash, NULL);
		struct assay_digest computed;

		if (hasher &&
		    hasher_digest(hasher, record->content, BYTES(NULL, 0), &computed, NULL) == 0 &&
		    !bytes_equal(BYTES(digest->bytes, digest->size),
				 BYTES(computed.bytes, computed.size)))
			return false;
	}
	return true;
}

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
					      "unknown";
}

static const char *protection_text(uint8_t protection)
{
	return protection == ASSAY_PROTECTION_FULL ? "yes" :
	       protection == ASSAY_PROTECTION_NONE ? "no" :
						     "unknown";
}

static const char *bypass_text(uint8_t bypass)
{
	return bypass == 0 ? "no" : bypass == 1 ? "yes" : "unknown";
}

/* ---------------------------------------------------------------- for people */

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

#define INDENT "                      "

static void print_start(const struct assay_content *content)
{
	fputs("Linux ", stdout);
	print_escaped(content->start.release);
	fputs(", assay ", stdout);
	print_escaped(content->start.version);
	fputs(", boot ", stdout);
	print_escaped(content->start.boot_id);
	fputs("\n" INDENT "pages of ", stdout);
	print_size(content->start.page_size);
	printf(", %s region of ", region_text(content->start.region_kind));
	print_size(content->start.region_size);
	printf(" at 0x%" PRIx64 ", window of ", content->start.region_base);
	print_size(content->start.window_size);
	printf(" at 0x%" PRIx64 "\n", content->start.window_base);
	for (size_t i = 0; i < content->pcr_value_count; i++) {
		fputs(INDENT "the PCR was ", stdout);
		print_digest(&content->pcr_values[i]);
		putchar('\n');
	}
	printf(INDENT "IMA bypassed the TPM: %s\n", bypass_text(content->start.ima_bypass));
	printf(INDENT "pages read-only but during an append: %s\n",
	       protection_text(content->start.protection));
}

static void print_file(const struct measured_file *file)
{
	if (file->errnum == 0)
		print_digest(&file->digest);
	else
		printf("FAILED: %s", strerror((int)file->errnum));
	fputs("  ", stdout);
	if (file->path.data)
		print_escaped(file->path);
	else
		fputs("(path not recorded)", stdout);
}

static void print_event(struct bytes label, struct bytes data)
{
	struct bytes shown = data;

	print_escaped(label);
	printf(", %zu bytes", data.size);
	if (shown.size > 64)
		shown.size = 64;
	if (shown.size > 0) {
		fputs(": ", stdout);
		print_escaped(shown);
		if (shown.size < data.size)
			fputs("...", stdout);
	}
}

static void print_batch(const struct assay_content *content)
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
		fputs(INDENT, stdout);
		if (entry.is_event)
			print_event(entry.label, entry.data);
		else
			print_file(&entry.file);
		putchar('\n');
	}
}

static void print_record(const struct cel_record *record, const struct assay_content *content,
			 const char *problem, bool fits)
{
	char kind[16];

	if (record->type == ASSAY_CEL_IMA_TEMPLATE)
		snprintf(kind, sizeof(kind), "ima");
	else if (record->type != ASSAY_CEL_CONTENT)
		snprintf(kind, sizeof(kind), "type 0x%02x", record->type);
	else if (problem)
		snprintf(kind, sizeof(kind), "malformed");
	else if (assay_kind_name(content->kind))
		snprintf(kind, sizeof(kind), "%s", assay_kind_name(content->kind));
	else
		snprintf(kind, sizeof(kind), "kind %d", content->kind);
	printf("%6" PRIu64 "  ", record->recnum);
	if (record->pcr == CEL_NO_PCR)
		printf("M%-2d", record->ccmr);
	else
		printf("%3" PRIu32, record->pcr);
	printf("  %-9s", kind);
	if (!fits)
		fputs(" ITS DIGEST DOES NOT MATCH ITS CONTENT:", stdout);
	if (problem)
		printf(" %s\n", problem);
	else if (record->type != ASSAY_CEL_CONTENT || !content->understood)
		printf(" %zu bytes\n", record->value.size);
	else {
		putchar(' ');
		switch (content->kind) {
		case ASSAY_KIND_START:
			print_start(content);
			break;
		case ASSAY_KIND_MEASURE:
		case ASSAY_KIND_EVENT:
		case ASSAY_KIND_BATCH:
			print_batch(content);
			break;
		default:
			printf("%zu bytes\n", record->value.size);
		}
	}
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
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		char name[16];

		json_object_set_new(object, hash_text(digests[i].hash, name),
				    json_hex(BYTES(digests[i].bytes, digests[i].size)));
	}
	return object;
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

static void add_content(json_t *object, const struct assay_content *content)
{
	struct bytes entries = content->batch.entries;
	json_t *files, *events;
	struct batch_entry entry;

	switch (content->kind) {
	case ASSAY_KIND_START:
		json_object_set_new(object, "boot_id", json_escaped(content->start.boot_id));
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
		json_object_set_new(object, "pcr_values",
				    digests_json(content->pcr_values, content->pcr_value_count));
		json_object_set_new(object, "ima_bypass",
				    json_string(bypass_text(content->start.ima_bypass)));
		json_object_set_new(object, "protected",
				    json_string(protection_text(content->start.protection)));
		break;
	case ASSAY_KIND_MEASURE:
	case ASSAY_KIND_EVENT:
	case ASSAY_KIND_BATCH:
		files = json_array();
		events = json_array();
		while (batch_entry_next(&entries, &entry))
			if (entry.is_event)
				json_array_append_new(events,
						      json_pack("{s:o, s:o}", "label",
								json_escaped(entry.label), "data",
								json_base64(entry.data)));
			else
				json_array_append_new(files, file_json(&entry.file));
		json_object_set_new(object, "files", files);
		json_object_set_new(object, "events", events);
		break;
	}
}

static json_t *record_json(const struct cel_record *record, const struct assay_content *content,
			   const char *problem, bool fits)
{
	json_t *object = json_object();

	json_object_set_new(object, "recnum", u64_json(record->recnum));
	json_object_set_new(object, "offset", u64_json(record->offset));
	json_object_set_new(object, "size", u64_json(record->size));
	if (record->pcr == CEL_NO_PCR)
		json_object_set_new(object, "ccmr", json_integer(record->ccmr));
	else
		json_object_set_new(object, "pcr", json_integer(record->pcr));
	json_object_set_new(object, "digests", digests_json(record->digests, record->digest_count));
	json_object_set_new(object, "content_type", json_integer(record->type));
	if (record->type == ASSAY_CEL_CONTENT)
		json_object_set_new(object, "digests_match", json_boolean(fits));
	if (problem) {
		json_object_set_new(object, "problem", json_string(problem));
	} else if (record->type == ASSAY_CEL_CONTENT) {
		const char *name = assay_kind_name(content->kind);

		json_object_set_new(object, "kind",
				    name ? json_string(name) : json_integer(content->kind));
		if (content->understood)
			add_content(object, content);
	}
	return object;
}

/* ---------------------------------------------------------------- the walk */

static int show(const struct source *source, bool json, struct assay_error *err)
{
	struct hashers hashers = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	uint64_t count = 0, off = 0;
	int r;

	cel_begin(&reader, buffer_bytes(&source->cel), source->base);
	if (json)
		printf("{\"base\": %" PRIu64 ", \"records\": [", source->base);
	else
		printf("RECORD  PCR  KIND\n");
	while ((r = cel_next(&reader, &record, err)) == 1) {
		struct assay_content content = { 0 };
		struct assay_error content_error;
		const char *problem = NULL;
		bool fits = digests_fit(&record, &hashers);

		if (record.type == ASSAY_CEL_CONTENT &&
		    assay_content_parse(&record, &content, &content_error) < 0)
			problem = content_error.text;
		if (json) {
			json_t *object = record_json(&record, &content, problem, fits);

			fputs(count == 0 ? "\n" : ",\n", stdout);
			if (json_dumpf(object, stdout, JSON_COMPACT) < 0)
				r = assay_fail(err, EIO, "cannot write the output");
			json_decref(object);
			if (r < 0)
				break;
		} else {
			print_record(&record, &content, problem, fits);
		}
		count++;
		off += problem || !fits;
	}
	if (r == 0 && off > 0)
		r = assay_fail(err, EBADMSG,
			       "%" PRIu64 " of %" PRIu64
			       " records are malformed or have a digest that does not match",
			       off, count);
	if (json) {
		printf("\n], \"count\": %" PRIu64 ", \"tail\": %" PRIu64, count, reader.offset);
		if (source->live)
			printf(", \"anchored\": %" PRIu64, (uint64_t)source->header.anchored);
		if (r < 0)
			command_print_json_error(err);
		fputs("}\n", stdout);
	} else {
		printf("%" PRIu64 " record%s", count, count == 1 ? "" : "s");
		if (source->live && source->header.anchored < source->header.tail)
			printf(", %" PRIu64 " not anchored in the TPM yet",
			       (uint64_t)(source->header.records -
					  source->header.anchored_records));
		else if (source->live && count > 0)
			fputs(", all anchored in the TPM", stdout);
		putchar('\n');
	}
	hashers_close(&hashers);
	return r;
}

static int log_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "evidence", required_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const char *evidence = NULL, *file = NULL;
	struct source source = { 0 };
	struct assay_error err;
	bool json = false, raw = false;
	int c, status, r;

	while ((c = command_option(&command_log, argc, argv, ":h", options, &status)) != -1) {
		switch (c) {
		case 'e':
			evidence = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'r':
			raw = true;
			break;
		}
	}
	if (status >= 0)
		return status;
	if (optind < argc)
		file = argv[optind++];
	if (optind < argc)
		return command_usage(&command_log, "one FILE at most, so what is '%s'?",
				     argv[optind]);
	if (file && evidence)
		return command_usage(&command_log, "either FILE or --evidence, not both");
	if (json && raw)
		return command_usage(&command_log, "either --json or --raw, not both");
	if (raw && isatty(STDOUT_FILENO))
		return command_usage(&command_log,
				     "--raw writes binary data: send it to a file, not a terminal");

	r = load(&source, file, evidence, &err);
	if (r == 0 && raw) {
		if (source.cel.size > 0)
			fwrite(source.cel.data, 1, source.cel.size, stdout);
	} else if (r == 0) {
		r = show(&source, json, &err);
	}
	buffer_free(&source.cel);
	status = command_flush(&command_log);
	return r < 0 ? command_failed(&command_log, &err) : status;
}

static int run(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "show") == 0)
		return log_show(argc - 1, argv + 1);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return command_flush(&command_log);
	}
	if (argc > 1)
		return command_usage(&command_log, "'%s' is not 'show'", argv[1]);
	return command_usage(&command_log,
			     "what is to be done with the log? 'show' is what there is");
}

const struct command command_log = {
	.name = "log",
	.summary = "show the measurement log",
	.help = help,
	.run = run,
};
