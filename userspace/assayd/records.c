// SPDX-License-Identifier: MIT
/*
 * The part `records`: List of org.assay, records of the log that are in the kernel, read through
 * the mapping. What was trimmed is in archives.
 */
#include <errno.h>
#include <stdlib.h>

#include "log/cel_json.h"
#include "service.h"

/* Records of an answer at most, and bytes of them; bytes of a log that is copied for one. */
#define COUNT_MAX 1024
#define ANSWER_MAX (256U << 10)
#define LOG_MAX (8U << 20)

#define FAILED "org.assay.Failed"

struct records {
	bool mapped;
	struct device_log log;
};

extern struct part part_records;

/**
 * struct listing - an answer being made
 * @first: of what is asked for; @next: behind what is in it
 */
struct listing {
	json_t *records;
	uint64_t first, count, next;
	size_t size;
};

/* The records of @cel that are asked for, until the answer has all that it may have. */
static void add_records(struct listing *listing, struct bytes cel)
{
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, cel, 0);
	while (cel_next(&reader, &record, NULL) == 1) {
		if (record.recnum < listing->first)
			continue;
		if (json_array_size(listing->records) >= listing->count ||
		    listing->size + record.size > ANSWER_MAX)
			return;
		json_array_append_new(listing->records, cel_json_record(&record));
		listing->size += record.size;
		listing->next = record.recnum + 1;
	}
}

/* From the oldest record on: where one begins is known of no other. */
static int list_records(const struct part *part, struct listing *listing, struct assay_error *err)
{
	const struct records *self = part->data;
	struct device_log_copy copy;
	int r;

	if (!self->mapped)
		return assay_fail(err, ENODEV,
				  "there is no log: /dev/assay is not there, see Status");
	if (self->log.ring_size > LOG_MAX)
		return assay_fail(
			err, EFBIG,
			"the log in the kernel has room for more than %u bytes: read it by "
			"'assay log show'",
			LOG_MAX);
	r = device_copy_log(&self->log, &copy, err);
	if (r < 0)
		return r;
	if (listing->first < copy.header.head_recnum)
		listing->next = copy.header.head_recnum;
	add_records(listing, buffer_bytes(&copy.cel));
	buffer_free(&copy.cel);
	return 0;
}

static void call_list(struct part *part, const struct call_parameters *parameters,
		      struct request *request)
{
	struct listing listing = { .first = parameters->first, .count = COUNT_MAX };
	struct assay_error err;

	if (parameters->count != CALL_NO_COUNT)
		listing.count = parameters->count;
	if (listing.count > COUNT_MAX) {
		request_refuse(request, "count");
		return;
	}
	listing.next = listing.first;
	listing.records = json_array();
	if (list_records(part, &listing, &err) < 0) {
		json_decref(listing.records);
		request_fail(request, FAILED, &err);
		return;
	}
	request_answer(request, json_pack("{s:o, s:I}", "records", listing.records, "next",
					  (json_int_t)listing.next));
}

static void take_device(struct part *part, const struct device *device)
{
	struct records *self = part->data;
	struct assay_error err;

	if (self->mapped)
		device_unmap_log(&self->log);
	self->mapped = false;
	if (!device)
		return;
	if (device_map_log(device, &self->log, &err) < 0) {
		problem_set_error(part->service, part->name, "map", &err);
		return;
	}
	self->mapped = true;
	problem_clear(part->service, part->name, "map");
}

static int start_records(struct service *service, struct part *part, struct assay_error *err)
{
	(void)service;
	part->data = calloc(1, sizeof(struct records));
	return part->data ? 0 : assay_fail(err, ENOMEM, "out of memory");
}

static void stop_records(struct service *service, struct part *part)
{
	(void)service;
	take_device(part, NULL);
	free(part->data);
	part->data = NULL;
}

static const struct part_method methods[] = {
	{ "List", METHOD_STATUS, call_list },
	{ 0 },
};

struct part part_records = {
	.name = "records",
	.start = start_records,
	.stop = stop_records,
	.device = take_device,
	.methods = methods,
};
