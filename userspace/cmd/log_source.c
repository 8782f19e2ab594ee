// SPDX-License-Identifier: MIT
/* Where the verbs of `assay log` take a log from. */
#include <errno.h>
#include <string.h>

#include "archive/archive_join.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "log.h"
#include "log/cel_json.h"
#include "log/log_kind.h"
#include "verify/evidence.h"

/* A log in a file; a window is far smaller. */
#define LOG_MAX_SIZE (1U << 30)

static int read_pcr_state(uint32_t *ret, struct assay_error *err)
{
	struct assay_info info;
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return r;
	r = device_info(&device, &info, err);
	if (r == 0)
		*ret = info.pcr_state;
	device_close(&device);
	return r;
}

int log_source_device(struct log_source *source, bool previous, struct assay_error *err)
{
	struct device_log_copy copy;
	uint32_t pcr_state = ASSAY_PCR_RIGHT;
	int r = previous ? 0 : read_pcr_state(&pcr_state, err);

	if (r < 0)
		return r;
	r = previous ? device_read_previous(&copy, err) : device_read_log(&copy, err);
	if (r < 0)
		return r;
	source->pcr_state = pcr_state;
	source->cel = copy.cel;
	source->base = copy.header.head;
	source->device = true;
	source->header = copy.header;
	return 0;
}

static int join_live(struct log_source *source, const struct archive *archive,
		     struct assay_error *err)
{
	struct device_log_copy copy;
	int r = log_source_device(source, false, err);

	if (r < 0)
		return r;
	copy = (struct device_log_copy){ .header = source->header, .cel = source->cel };
	r = archive_join(archive, 0, &copy, err);
	source->cel = copy.cel;
	source->header = copy.header;
	source->base = copy.header.head;
	return r;
}

int log_source_archive(struct log_source *source, const char *path, bool live,
		       struct assay_error *err)
{
	struct archive *archive;
	int r = archive_open(path, &archive, err);

	if (r < 0)
		return r;
	r = live ? join_live(source, archive, err) :
		   archive_load(archive, &source->cel, &source->base, err);
	archive_close(archive);
	return r;
}

static bool begins_with_record(struct bytes cel)
{
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, cel, 0);
	return cel_next(&reader, &record, NULL) == 1;
}

int log_source_file(struct log_source *source, const char *path, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	const char *sentence;
	int r;

	if (archive_is(path))
		return log_source_archive(source, path, false, err);
	r = file_read(path, LOG_MAX_SIZE, &text, err);
	if (r < 0)
		return r;
	if (!cel_json_is(buffer_bytes(&text))) {
		sentence = begins_with_record(buffer_bytes(&text)) ?
				   NULL :
				   log_kind_sentence(log_kind_detect(buffer_bytes(&text)));
		if (sentence)
			return assay_fail(err, EBADMSG, "%s: %s", path, sentence);
		/* As it is: whether it is a log its reader will say. */
		source->cel = text;
		text = (struct buffer){ 0 };
		return 0;
	}
	r = cel_json_read(buffer_bytes(&text), &source->cel, err);
	if (r == 0)
		return 0;
	assay_fail_context(err, "%s", path);
	/* That there is a record says that it is such a log. */
	if (source->cel.size > 0 && r == -EBADMSG) {
		assay_fail(&source->broken, EBADMSG, "%s", err->text);
		return 0;
	}
	sentence = log_kind_sentence(log_kind_detect(buffer_bytes(&text)));
	if (sentence && !strstr(sentence, "CEL-JSON:"))
		return assay_fail(err, EBADMSG, "%s: %s", path, sentence);
	return r;
}

int log_source_evidence(struct log_source *source, const char *path, struct assay_error *err)
{
	struct evidence evidence = { 0 };
	struct file_view text = { 0 };
	int r = file_map(path, EVIDENCE_MAX_SIZE, &text, err);

	if (r == 0) {
		r = evidence_parse(text.bytes, &evidence, err);
		if (r < 0)
			assay_fail_context(err, "%s", path);
	}
	if (r == 0 && !evidence.has_assay_log)
		r = assay_fail(err, ENODATA, "%s holds no log of assay's", path);
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

void log_source_free(struct log_source *source)
{
	buffer_free(&source->cel);
	*source = (struct log_source){ 0 };
}

int option_log_kinds(void *filter, const char *value, struct assay_error *err)
{
	return log_filter_kinds(value, filter, err);
}

int option_log_records(void *filter, const char *value, struct assay_error *err)
{
	return log_filter_records(value, filter, err);
}

int option_log_time(void *time, const char *value, struct assay_error *err)
{
	return log_time_parse(value, log_now(), time, err);
}
