// SPDX-License-Identifier: MIT
/* Where the verbs of `assay log` take a log from. */
#include <errno.h>

#include "base/file.h"
#include "log.h"
#include "log/cel_json.h"
#include "verify/evidence.h"

/* A log in a file; a window is far smaller. */
#define LOG_MAX_SIZE (1U << 30)

int log_source_device(struct log_source *source, bool previous, struct assay_error *err)
{
	struct device_log_copy copy;
	int r = previous ? device_read_previous(&copy, err) : device_read_log(&copy, err);

	if (r < 0)
		return r;
	source->cel = copy.cel;
	source->base = copy.header.head;
	source->device = true;
	source->header = copy.header;
	return 0;
}

int log_source_file(struct log_source *source, const char *path, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, LOG_MAX_SIZE, &text, err);

	if (r < 0 || !cel_json_is(buffer_bytes(&text))) {
		/* As it is: whether it is a log its reader will say. */
		source->cel = text;
		return r;
	}
	r = cel_json_read(buffer_bytes(&text), &source->cel, err);
	if (r < 0)
		assay_fail_context(err, "%s", path);
	buffer_free(&text);
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

int log_filter_option(int option, const char *value, struct log_filter *filter,
		      struct assay_error *err)
{
	switch (option) {
	case LOG_KIND:
		return log_filter_kinds(value, filter, err);
	case LOG_RECORDS:
		return log_filter_records(value, filter, err);
	case LOG_SINCE:
		return log_time_parse(value, log_now(), &filter->since, err);
	case LOG_BEFORE:
		return log_time_parse(value, log_now(), &filter->before, err);
	default:
		filter->path = value;
		return 0;
	}
}
