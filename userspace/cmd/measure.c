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
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/progress.h"
#include "cmd.h"
#include "log/device.h"
#include "sign/manifest.h"

/* Descriptors that are open beside the files of a batch. */
#define SPARE_DESCRIPTORS 32

/* What is to be measured, and how far it got. */
struct measure_run {
	const char *manifest_path, *root_path;
	bool read;
	const char **paths;
	size_t count, capacity;
	int root; /* descriptor of --root, -1 without */
	uint32_t flags;
	bool json;
	size_t printed, measured, failed, records;
	uint64_t last_record;
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

/*
 * Raise the limit of open files as far as this process may.
 * Return: how many files may be open in a batch, at most ASSAY_MAX_BATCH
 */
static size_t batch_limit(size_t wanted)
{
	struct rlimit limit;
	rlim_t need;

	if (wanted > ASSAY_MAX_BATCH)
		wanted = ASSAY_MAX_BATCH;
	need = wanted + SPARE_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	if (limit.rlim_cur < need) {
		struct rlimit raised = { need, limit.rlim_max < need ? need : limit.rlim_max };

		/* Above the hard limit with privilege, to it without. */
		if (setrlimit(RLIMIT_NOFILE, &raised) < 0) {
			raised = (struct rlimit){ limit.rlim_max, limit.rlim_max };
			setrlimit(RLIMIT_NOFILE, &raised);
		}
		if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
			return 1;
	}
	if (limit.rlim_cur >= need)
		return wanted;
	return limit.rlim_cur > SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS : 1;
}

/*
 * Open a file for the kernel to measure. In --root no symbolic link and no ".."
 * leads out of it. Nothing but a regular file is opened for reading: opening a
 * device can do things, opening a FIFO can wait for ever.
 * Return: a descriptor or -errno
 */
static int open_file(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	char link[sizeof("/proc/self/fd/") + 11];
	int place, fd;
	struct stat st;

	if (root >= 0)
		place = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	else
		place = open(path, O_PATH | O_CLOEXEC);
	if (place < 0)
		return -errno;
	if (fstat(place, &st) < 0) {
		fd = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		fd = S_ISDIR(st.st_mode) ? -EISDIR : -EOPNOTSUPP;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
		fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(place);
	return fd;
}

/* What a file's errno means here, and what to do; put behind the errno's own words. */
static const char *advice(int code)
{
	switch (code) {
	case ENODATA:
		return "; it has no fs-verity digest, turn fs-verity on with 'assay enable'";
	case ENOTTY:
	case EOPNOTSUPP:
		return "; it is not a regular file, or its file system has no fs-verity (ext4: "
		       "tune2fs -O verity)";
	case EIO:
		return "; its data does not match its fs-verity digest: the disk is damaged or was "
		       "written to underneath";
	case EKEYREJECTED:
		return "; its signature does not fit it or was made by another key";
	case ENOKEY:
		return "; the key that signed it is not in .fs-verity, see 'assay keyring load'";
	case EPERM:
		return "; fs.verity.require_signatures is on and it has no signature?";
	case EACCES:
		return "; its mode or IMA appraisal forbids to read it";
	default:
		return "";
	}
}

static void print_result(struct measure_run *run, const char *path,
			 const struct assay_measure_entry *entry, bool recorded, uint64_t recnum)
{
	struct bytes name = BYTES((const uint8_t *)path, strlen(path));
	const char *algorithm = assay_hash_name((enum assay_hash)entry->hash_alg);
	char hex[2 * ASSAY_MAX_DIGEST + 1];
	char text[4 * 1024];
	json_t *object;

	hex_encode(BYTES(entry->digest, entry->digest_size), hex);
	if (entry->result == 0)
		run->measured++;
	else
		run->failed++;
	if (!run->json) {
		text_escape(name, text, sizeof(text));
		if (entry->result == 0) {
			printf("%s:%s %s\n", algorithm ? algorithm : "unknown", hex, text);
			return;
		}
		fflush(stdout);
		fprintf(stderr, "assay measure: %s: %s%s%s\n", text, strerror(-entry->result),
			advice(-entry->result), recorded ? "" : " (not recorded)");
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
		json_object_set_new(
			object, "error",
			json_sprintf("%s%s", strerror(-entry->result), advice(-entry->result)));
	}
	fputs(run->printed++ == 0 ? "\n" : ",\n", stdout);
	json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

/*
 * Measure paths[first, first + count): open them, one ioctl, close them. A file
 * that cannot be opened is left out of the record, and told.
 */
static int measure_batch(struct measure_run *run, const struct device *device, size_t first,
			 size_t count, struct assay_measure_entry *entries, struct assay_error *err)
{
	uint64_t recnum = 0;
	size_t opened = 0, next = 0;
	int *fds = calloc(count, sizeof(*fds));
	int r = 0;

	if (!fds)
		return assay_fail(err, ENOMEM, "out of memory");
	memset(entries, 0, count * sizeof(*entries));
	for (size_t i = 0; i < count; i++) {
		fds[i] = open_file(run->root, run->paths[first + i]);
		if (fds[i] >= 0)
			entries[opened++].fd = fds[i];
	}
	if (opened > 0)
		r = device_measure(device, run->flags, entries, opened, &recnum, err);
	if (r == 0 && opened > 0) {
		run->records++;
		run->last_record = recnum;
	}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0) {
			struct assay_measure_entry failed = { .result = fds[i] };

			print_result(run, run->paths[first + i], &failed, false, 0);
			continue;
		}
		if (r == 0)
			print_result(run, run->paths[first + i], &entries[next++], true, recnum);
		close(fds[i]);
	}
	free(fds);
	return r;
}

static int measure_all(struct measure_run *run, struct assay_error *err)
{
	size_t limit = batch_limit(run->count);
	struct assay_measure_entry *entries = calloc(limit, sizeof(*entries));
	struct progress progress;
	struct device device;
	int r;

	if (!entries)
		return assay_fail(err, ENOMEM, "out of memory");
	r = device_open(&device, DEVICE_WRITE, err);
	if (r < 0) {
		free(entries);
		return r;
	}
	progress_begin(&progress, "files measured", run->count);
	for (size_t first = 0; first < run->count && r == 0; first += limit) {
		size_t left = run->count - first;

		r = measure_batch(run, &device, first, left < limit ? left : limit, entries, err);
		progress_update(&progress, first + (left < limit ? left : limit));
	}
	progress_end(&progress);
	device_close(&device);
	free(entries);
	return r;
}

static void print_summary(const struct measure_run *run, int result, const struct assay_error *err)
{
	if (!run->json) {
		if (result == 0 && run->records > 0)
			printf("%zu of %zu files measured, in %zu record%s; the last is %" PRIu64
			       "\n",
			       run->measured, run->count, run->records,
			       run->records == 1 ? "" : "s", run->last_record);
		return;
	}
	printf("\n], \"measured_count\": %zu, \"failed_count\": %zu, \"record_count\": %zu",
	       run->measured, run->failed, run->records);
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
	return run.failed > 0 ? EXIT_FAILED : status;
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
