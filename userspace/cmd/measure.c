// SPDX-License-Identifier: MIT
/*
 * `assay measure`: hand files to the kernel, thousands at a time; each batch is
 * one record of the log and one extend of the PCR.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/progress.h"
#include "cmd.h"
#include "measure/batch.h"
#include "sign/manifest.h"

/* What is to be measured, and how far it got. */
struct measure_run {
	const char *manifest_path, *root_path;
	bool read;
	const char **paths;
	size_t count, capacity;
	int root; /* descriptor of --root, -1 without */
	uint32_t flags;
	bool json;
	size_t printed;
	struct measure_counts counts;
	struct progress progress;
};

static bool add_path(struct measure_run *run, const char *path)
{
	if (run->count == run->capacity) {
		size_t capacity = run->capacity ? 2 * run->capacity : 256;
		const char **paths = reallocarray(run->paths, capacity, sizeof(*paths));

		if (!paths)
			return false;
		run->paths = paths;
		run->capacity = capacity;
	}
	run->paths[run->count++] = path;
	return true;
}

static void print_result(void *context, const char *path, const struct assay_measure_entry *entry,
			 bool recorded, uint64_t recnum)
{
	struct measure_run *run = context;
	struct bytes name = BYTES((const uint8_t *)path, strlen(path));
	const char *algorithm = assay_hash_name((enum assay_hash)entry->hash_alg);
	char hex[2 * ASSAY_MAX_DIGEST + 1];
	char text[4 * 1024];
	json_t *object;

	hex_encode(BYTES(entry->digest, entry->digest_size), hex);
	if (!run->json) {
		text_escape(name, text, sizeof(text));
		if (entry->result == 0) {
			printf("%s:%s %s\n", algorithm ? algorithm : "unknown", hex, text);
			return;
		}
		fflush(stdout);
		fprintf(stderr, "assay measure: %s: %s%s%s\n", text, strerror(-entry->result),
			measure_advice(-entry->result), recorded ? "" : " (not recorded)");
		return;
	}
	object = json_object();
	json_object_set_new(object, "path", json_escaped(name));
	if (recorded)
		json_object_set_new(object, "recnum", json_integer((json_int_t)recnum));
	if (entry->result == 0) {
		json_object_set_new(object, "digest",
				    json_sprintf("%s:%s", algorithm ? algorithm : "unknown", hex));
	} else {
		json_object_set_new(object, "errno", json_integer(-entry->result));
		json_object_set_new(object, "error",
				    json_sprintf("%s%s", strerror(-entry->result),
						 measure_advice(-entry->result)));
	}
	fputs(run->printed++ == 0 ? "\n" : ",\n", stdout);
	json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

static void show_progress(void *context, size_t done)
{
	progress_update(&((struct measure_run *)context)->progress, done);
}

static int measure_all(struct measure_run *run, struct assay_error *err)
{
	struct device device;
	struct measure_job job = {
		.device = &device,
		.root = run->root,
		.descriptors = -1,
		.flags = run->flags,
		.told = print_result,
		.advanced = show_progress,
		.context = run,
	};
	int r = device_open(&device, DEVICE_WRITE, err);

	if (r < 0)
		return r;
	progress_begin(&run->progress, "files measured", run->count);
	r = measure_files(&job, run->paths, run->count, &run->counts, err);
	progress_end(&run->progress);
	device_close(&device);
	return r;
}

static void print_summary(const struct measure_run *run, int result, const struct assay_error *err)
{
	if (!run->json) {
		if (result == 0 && run->counts.records > 0)
			printf("%zu of %zu files measured, in %zu record%s; the last is %" PRIu64
			       "\n",
			       run->counts.measured, run->count, run->counts.records,
			       run->counts.records == 1 ? "" : "s", run->counts.last_record);
		return;
	}
	printf("\n], \"measured_count\": %zu, \"failed_count\": %zu, \"record_count\": %zu",
	       run->counts.measured, run->counts.failed, run->counts.records);
	if (result < 0)
		command_print_json_error(err);
	fputs("}\n", stdout);
}

/* Opens --root, and gathers what is to be measured. */
static int gather_paths(struct measure_run *run, const struct operands *files,
			struct manifest **ret, struct assay_error *err)
{
	int r = 0;

	if (run->root_path) {
		run->root = open(run->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (run->root < 0)
			return assay_fail(err, errno, "cannot open the directory %s: %s",
					  run->root_path, strerror(errno));
	}
	if (run->manifest_path)
		r = manifest_load(run->manifest_path, ret, err);
	if (r < 0)
		return r;
	for (size_t i = 0; *ret && i < (*ret)->count; i++)
		if (!add_path(run, (*ret)->files[i].path))
			return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < files->count; i++)
		if (!add_path(run, files->list[i]))
			return assay_fail(err, ENOMEM, "out of memory");
	if (run->count == 0)
		return assay_fail(err, ENODATA, "%s names no file", run->manifest_path);
	return 0;
}

static int run_measure(int argc, char **argv)
{
	struct measure_run run = { .root = -1 };
	struct manifest *manifest = NULL;
	struct operands files;
	struct assay_error err;
	int r, status = command_parse(&command_measure, argc, argv, &run, &files);

	if (status != COMMAND_GO)
		return status;
	if (files.count == 0 && !run.manifest_path)
		return command_usage(&command_measure, "missing argument: FILE..., or --manifest");
	if (run.read)
		run.flags |= ASSAY_MEASURE_READ;
	r = gather_paths(&run, &files, &manifest, &err);
	if (r == 0) {
		if (run.json) {
			command_begin_json(&command_measure);
			fputs(", \"files\": [", stdout);
		}
		r = measure_all(&run, &err);
		print_summary(&run, r, &err);
	}
	manifest_free(manifest);
	free(run.paths);
	if (run.root >= 0)
		close(run.root);
	status = command_flush(&command_measure);
	if (r < 0)
		return command_failed(&command_measure, &err);
	return run.counts.failed > 0 ? EXIT_FAILED : status;
}

static const struct option_row measure_rows[] = {
	{ "manifest", 'm', "FILE", "measure all files that the manifest names",
	  OPTION_INPUT(struct measure_run, manifest_path) },
	{ "root", 'r', "DIR", "take FILEs and the manifest's paths as seen with DIR as root",
	  OPTION_DIRECTORY(struct measure_run, root_path) },
	{ "read", 0, NULL,
	  "have the kernel read every file to its end as well, so that data damaged on the disk is "
	  "found now",
	  OPTION_FLAG(struct measure_run, read) },
	OPTION_ROW_JSON(struct measure_run, json),
	OPTION_END,
};

const struct command command_measure = {
	.name = "measure",
	.summary = "have the kernel measure files into the log, anchored in the TPM",
	.intro = "Have the kernel take the fs-verity digest of each file, write them into the log "
		 "and\nanchor the log in the TPM: one system call, one record and one PCR extend "
		 "for up to\n4096 files. A file whose digest cannot be taken is recorded too, with "
		 "the reason.\n",
	.options = measure_rows,
	.operands = "[FILE]...",
	.operands_max = SIZE_MAX,
	.epilogue = "Exit status: 0 all files measured and anchored, 1 some or all were not (each "
		    "is\nnamed), 2 wrong usage.\n",
	.run = run_measure,
};
