// SPDX-License-Identifier: MIT
/* `assay log trim`: archive the oldest records, then cut them off. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "log.h"
#include "log/cel_content.h"
#include "memory/memory.h"

/* How the first record to keep is told. */
enum how { BY_NONE, BY_RECORD, BY_COUNT, BY_TIME };

/**
 * struct request - what is to be cut, and what becomes of it
 * @how, @value: up to where: a record's number, a count, nanoseconds since 1970
 * @keep, @older_than: what was given; @has_keep, @has_older_than: whether it was
 */
struct request {
	enum how how;
	uint64_t value;
	uint64_t keep, older_than;
	bool has_keep, has_older_than;
	const char *archive;
	bool no_archive, dry_run, json;
};

/**
 * struct cut - what is to be cut off
 * @first: number of the oldest record there is
 * @keep: number of the oldest record that stays; equal to @first: nothing is cut
 * @records: how many there are in the log
 * @bytes: of the records from @first to @keep - 1, at the begin of the copy
 */
struct cut {
	uint64_t first, keep, records;
	struct bytes bytes;
};

/* Is the record one of those that are to go? */
static bool is_cut(const struct request *request, const struct device_log_copy *copy,
		   const struct cel_record *record)
{
	struct assay_content content;

	switch (request->how) {
	case BY_RECORD:
		return record->recnum < request->value;
	case BY_COUNT:
		return copy->header.records - record->recnum > request->value;
	default:
		/* A record without a time is kept, and all behind it are. */
		return assay_content_parse(record, &content, NULL) == 0 && content.has_time &&
		       content.time < request->value;
	}
}

/*
 * Go through the records that are to be cut. What is archived is to be of use later: a
 * record that is off stops it.
 */
static int find_cut(const struct request *request, const struct device_log_copy *copy,
		    struct cut *ret, struct assay_error *err)
{
	struct cut cut = {
		.first = copy->header.head_recnum,
		.keep = copy->header.head_recnum,
		.records = copy->header.records - copy->header.head_recnum,
	};
	struct hashers hashers = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	bool match;
	int r;

	cel_begin(&reader, buffer_bytes(&copy->cel), copy->header.head);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		if (record.recnum != cut.keep) {
			r = assay_fail(err, EBADMSG,
				       "there is record %" PRIu64 " where %" PRIu64
				       " is due. Nothing was cut",
				       record.recnum, cut.keep);
			break;
		}
		if (!is_cut(request, copy, &record) ||
		    record.recnum + 1 >= copy->header.anchored_records) {
			r = 0;
			break;
		}
		r = cel_digests_check(&record, &hashers, &match, err);
		if (r < 0)
			break;
		if (!match) {
			r = assay_fail(err, EBADMSG,
				       "the digest of record %" PRIu64
				       " is not that of its content. Nothing was cut",
				       record.recnum);
			break;
		}
		cut.keep++;
		cut.bytes = BYTES(copy->cel.data,
				  (size_t)(record.offset + record.size - copy->header.head));
	}
	hashers_close(&hashers);
	if (r < 0)
		return r;
	if (request->how == BY_RECORD && cut.keep != request->value)
		return assay_fail(err, EINVAL,
				  "record %" PRIu64
				  " cannot be the oldest one: the log has %" PRIu64 " to %" PRIu64
				  ", of which those before %" PRIu64
				  " are anchored. Nothing was cut",
				  request->value, cut.first, (uint64_t)copy->header.records - 1,
				  (uint64_t)copy->header.anchored_records);
	*ret = cut;
	return 0;
}

/* Written, synced, and read back: what is cut then is not lost. */
static int write_archive(const char *path, struct bytes bytes, struct assay_error *err)
{
	struct buffer again = { 0 };
	struct stat status;
	int r;

	if (lstat(path, &status) == 0)
		return assay_fail(err, EEXIST, "%s is there already. Nothing was cut", path);
	r = file_write(path, bytes, 0640, err);
	if (r == 0)
		r = file_read(path, bytes.size, &again, err);
	if (r == 0 && !bytes_equal(buffer_bytes(&again), bytes))
		r = assay_fail(err, EIO, "%s does not hold what was written to it", path);
	buffer_free(&again);
	if (r < 0) {
		struct assay_error why = *err;

		return assay_fail(err, -r, "%s. Nothing was cut", why.text);
	}
	return 0;
}

/* Memory that is claimed, by the module's own count; false if that cannot be read. */
static bool read_claimed(uint64_t *ret)
{
	struct buffer text = { 0 };
	char path[256];
	bool good;

	snprintf(path, sizeof(path), "%s/memory/bytes_claimed", memory_paths.sysfs);
	good = file_read(path, 64, &text, NULL) == 0 &&
	       value_unsigned(buffer_bytes(&text), ret, NULL) == 0;
	buffer_free(&text);
	return good;
}

/* Is what the TRIM record says went what was archived, if it was? */
static int check_trim(const struct device_log *log, const struct assay_trim *trim,
		      const struct cut *cut, struct assay_error *err)
{
	struct device_log_copy copy;
	struct assay_content content = { 0 };
	struct assay_digest digest;
	struct cel_reader reader;
	struct cel_record record;
	struct hasher hasher;
	int r = device_copy_log(log, &copy, err);

	if (r < 0)
		return r;
	cel_begin(&reader, buffer_bytes(&copy.cel), copy.header.head);
	while ((r = cel_next(&reader, &record, err)) == 1 && record.recnum < trim->recnum)
		;
	if (r == 1 && record.recnum == trim->recnum)
		r = assay_content_parse(&record, &content, err);
	buffer_free(&copy.cel);
	if (r == 0 && content.kind != ASSAY_KIND_TRIM)
		r = assay_fail(err, EPROTO, "record %" PRIu64 " is not the TRIM record it must be",
			       (uint64_t)trim->recnum);
	if (r < 0)
		return r;
	r = hasher_open(&hasher, ASSAY_HASH_SHA256, err);
	if (r < 0)
		return r;
	r = hasher_digest(&hasher, cut->bytes, BYTES(NULL, 0), &digest, err);
	hasher_close(&hasher);
	if (r == 0 && (content.trim.recnum != cut->keep || content.trim.size != cut->bytes.size ||
		       !bytes_equal(BYTES(digest.bytes, digest.size),
				    BYTES(content.trim.digest.bytes, content.trim.digest.size))))
		r = assay_fail(err, EPROTO,
			       "record %" PRIu64 " (TRIM) says that %" PRIu64
			       " bytes of another digest were cut; was the log trimmed by somebody "
			       "else at the same time?",
			       (uint64_t)trim->recnum, content.trim.size);
	return r;
}

static void print_cut(const struct request *request, const struct cut *cut,
		      const struct assay_trim *trim, bool know_memory, uint64_t freed)
{
	if (cut->keep == cut->first) {
		printf("nothing to cut: the log begins with record %" PRIu64 " and has %" PRIu64
		       "\n",
		       cut->first, cut->records);
		return;
	}
	printf("records %" PRIu64 " to %" PRIu64
	       " (%zu bytes) %s; the log begins with record %" PRIu64 "\n",
	       cut->first, cut->keep - 1, cut->bytes.size,
	       request->dry_run ? "would be cut" : "were cut", cut->keep);
	if (request->dry_run)
		return;
	if (request->archive)
		printf("%s has them, and record %" PRIu64 " (TRIM) their digest\n",
		       request->archive, (uint64_t)trim->recnum);
	else
		printf("they are not kept; record %" PRIu64 " (TRIM) has their digest\n",
		       (uint64_t)trim->recnum);
	if (know_memory)
		printf("%" PRIu64 " bytes of memory went back to the kernel\n", freed);
}

static int print_cut_json(const struct request *request, const struct cut *cut,
			  const struct assay_trim *trim, bool know_memory, uint64_t freed,
			  struct assay_error *err)
{
	bool done = !request->dry_run && cut->keep != cut->first;
	json_t *object =
		json_pack("{s:b, s:I, s:I, s:I}", "done", done, "first", (json_int_t)cut->first,
			  "keep", (json_int_t)cut->keep, "size", (json_int_t)cut->bytes.size);

	if (done) {
		json_object_set_new(object, "trim_recnum", json_integer((json_int_t)trim->recnum));
		if (request->archive)
			json_object_set_new(object, "archive", command_text_json(request->archive));
		if (know_memory)
			json_object_set_new(object, "freed", json_integer((json_int_t)freed));
	}
	return command_print_json(object, JSON_COMPACT, err);
}

static int trim_log(const struct request *request, const struct device *device,
		    const struct device_log *log, struct device_log_copy *copy,
		    struct assay_error *err)
{
	uint64_t before = 0, after = 0;
	struct assay_trim trim = { 0 };
	bool know_memory = false;
	struct cut cut = { 0 };
	int r = 0;

	/* What is pending may be the TRIM record of a cut, which is made before another. */
	if (!request->dry_run)
		r = device_anchor(device, NULL, err);
	if (r < 0)
		return assay_fail_context(err, "nothing was cut");
	r = device_copy_log(log, copy, err);
	if (r == 0)
		r = find_cut(request, copy, &cut, err);
	if (r < 0)
		return r;
	if (cut.keep != cut.first && !request->dry_run) {
		if (request->archive)
			r = write_archive(request->archive, cut.bytes, err);
		if (r < 0)
			return r;
		know_memory = read_claimed(&before);
		r = device_trim(device, cut.keep, &trim, err);
		if (r < 0)
			return request->archive ?
				       assay_fail_context(err,
							  "%s is written, the log is not cut yet",
							  request->archive) :
				       r;
		know_memory = know_memory && read_claimed(&after);
		r = check_trim(log, &trim, &cut, err);
		if (r < 0)
			return assay_fail_context(err, "the log was cut, but not as expected");
	}
	/* A claim ahead of need may have taken more meanwhile. */
	after = after < before ? before - after : 0;
	if (request->json)
		return print_cut_json(request, &cut, &trim, know_memory, after, err);
	print_cut(request, &cut, &trim, know_memory, after);
	return 0;
}

static int trim_device(const struct request *request)
{
	struct device_log_copy copy = { 0 };
	struct assay_error err;
	struct device_log log;
	struct device device;
	int status, r;

	r = device_open(&device, request->dry_run ? DEVICE_READ : DEVICE_WRITE, &err);
	if (r < 0)
		return command_failed(&command_log_trim, &err);
	r = device_map_log(&device, &log, &err);
	if (r == 0) {
		r = trim_log(request, &device, &log, &copy, &err);
		buffer_free(&copy.cel);
		device_unmap_log(&log);
	}
	device_close(&device);
	status = command_flush(&command_log_trim);
	return r < 0 ? command_failed(&command_log_trim, &err) : status;
}

/* Up to where: by one of three ways. Return: COMMAND_GO or an exit status */
static int find_how(struct request *request, const struct operands *records)
{
	if (request->has_keep + request->has_older_than + (records->count > 0) != 1)
		return command_usage(&command_log_trim,
				     "up to where? One of RECORD, --keep and --older-than");
	if (request->has_keep) {
		request->how = BY_COUNT;
		request->value = request->keep;
	} else if (request->has_older_than) {
		request->how = BY_TIME;
		request->value = request->older_than;
	} else {
		request->how = BY_RECORD;
		if (!log_number_parse(records->list[0], &request->value))
			return command_usage(&command_log_trim,
					     "RECORD must be the number of a record, not '%s'",
					     records->list[0]);
	}
	return COMMAND_GO;
}

static int run_log_trim(int argc, char **argv)
{
	struct request request = { 0 };
	struct operands records;
	int status = command_parse(&command_log_trim, argc, argv, &request, &records);

	if (status == COMMAND_GO)
		status = find_how(&request, &records);
	if (status != COMMAND_GO)
		return status;
	if (!request.archive && !request.no_archive && !request.dry_run)
		return command_usage(&command_log_trim,
				     "either --archive FILE, which is what you want, or "
				     "--no-archive");
	return trim_device(&request);
}

static const struct option_row trim_rows[] = {
	{ "keep", 'k', "N", "keep the newest N records",
	  OPTION_NUMBER(struct request, keep, 0, UINT64_MAX),
	  OPTION_GIVEN(struct request, has_keep) },
	{ "older-than", 0, "T",
	  "cut records of before T: 2026-01-02, '2026-01-02 03:04:05' (UTC), @SECONDS since 1970, "
	  "or -2h (s, m, h, d) for so long ago",
	  OPTION_FUNCTION(struct request, older_than, option_log_time),
	  OPTION_GIVEN(struct request, has_older_than) },
	{ "archive", 'a', "FILE", "where to; FILE must not be there yet",
	  OPTION_OUTPUT(struct request, archive), .excludes = "no-archive" },
	{ "no-archive", 0, NULL, "cut without keeping what is cut",
	  OPTION_FLAG(struct request, no_archive) },
	{ "dry-run", 0, NULL, "only say what would be cut", OPTION_FLAG(struct request, dry_run) },
	OPTION_ROW_JSON(struct request, json),
	OPTION_END,
};

const struct command command_log_trim = {
	.name = "log trim",
	.summary = "archive the oldest records, and cut them off",
	.usage = "[OPTION]... [RECORD]",
	.intro = "Cut the oldest records off this system's log, so that their memory goes back to "
		 "the\n"
		 "kernel: those before RECORD, or those that --keep or --older-than say. They are "
		 "written\n"
		 "to an archive first, which is synced and read back before anything is cut. A "
		 "TRIM record\n"
		 "notes how many bytes went, and their digest; 'assay log show --live ARCHIVE...' "
		 "checks\n"
		 "that they belong together.\n",
	.options = trim_rows,
	.operands = "[RECORD]",
	.operands_max = 1,
	.epilogue = "Only what is anchored can be cut, and the newest anchored record stays.\n"
		    "\n"
		    "Exit status: 0 cut, or there was nothing to cut, 1 failed: nothing was cut "
		    "unless the\n"
		    "message says so, 2 wrong usage.\n",
	.run = run_log_trim,
};
