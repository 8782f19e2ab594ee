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

static const char help[] =
	"Usage: assay measure [OPTION]... [FILE]...\n"
	"\n"
	"Have the kernel take the fs-verity digest of each file, write them into the log and\n"
	"anchor the log in the TPM: one system call, one record and one PCR extend for up to\n"
	"4096 files. A file whose digest cannot be taken is recorded too, with the reason.\n"
	"\n"
	"Options:\n"
	"      --manifest M  measure all files that the manifest M names\n"
	"      --root DIR    take FILEs and the manifest's paths as seen with DIR as root\n"
	"      --read        have the kernel read every file to its end as well, so that\n"
	"                    data damaged on the disk is found now\n"
	"      --json        print one JSON object\n"
	"  -h, --help        print this\n"
	"\n"
	"Exit status: 0 all files measured and anchored, 1 some or all were not (each is\n"
	"named), 2 wrong usage.\n";

/* What is to be measured, and how far it got. */
struct job {
	const char **paths;
	size_t count, capacity;
	int root; /* descriptor of --root, -1 without */
	uint32_t flags;
	bool json;
	size_t printed, measured, failed, records;
	uint64_t last_record;
};

static bool add_path(struct job *job, const char *path)
{
	if (job->count == job->capacity) {
		size_t capacity = job->capacity ? 2 * job->capacity : 256;
		const char **paths = reallocarray(job->paths, capacity, sizeof(*paths));

		if (!paths)
			return false;
		job->paths = paths;
		job->capacity = capacity;
	}
	job->paths[job->count++] = path;
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

static void print_result(struct job *job, const char *path, const struct assay_measure_entry *entry,
			 bool recorded, uint64_t recnum)
{
	struct bytes name = BYTES((const uint8_t *)path, strlen(path));
	const char *algorithm = assay_hash_name((enum assay_hash)entry->hash_alg);
	char hex[2 * ASSAY_MAX_DIGEST + 1];
	char text[4 * 1024];
	json_t *object;

	hex_encode(BYTES(entry->digest, entry->digest_size), hex);
	if (entry->result == 0)
		job->measured++;
	else
		job->failed++;
	if (!job->json) {
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
	fputs(job->printed++ == 0 ? "\n" : ",\n", stdout);
	json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

/*
 * Measure paths[first, first + count): open them, one ioctl, close them. A file
 * that cannot be opened is left out of the record, and told.
 */
static int measure_batch(struct job *job, const struct device *device, size_t first, size_t count,
			 struct assay_measure_entry *entries, struct assay_error *err)
{
	uint64_t recnum = 0;
	size_t opened = 0, next = 0;
	int *fds = calloc(count, sizeof(*fds));
	int r = 0;

	if (!fds)
		return assay_fail(err, ENOMEM, "out of memory");
	memset(entries, 0, count * sizeof(*entries));
	for (size_t i = 0; i < count; i++) {
		fds[i] = open_file(job->root, job->paths[first + i]);
		if (fds[i] >= 0)
			entries[opened++].fd = fds[i];
	}
	if (opened > 0)
		r = device_measure(device, job->flags, entries, opened, &recnum, err);
	if (r == 0 && opened > 0) {
		job->records++;
		job->last_record = recnum;
	}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0) {
			struct assay_measure_entry failed = { .result = fds[i] };

			print_result(job, job->paths[first + i], &failed, false, 0);
			continue;
		}
		if (r == 0)
			print_result(job, job->paths[first + i], &entries[next++], true, recnum);
		close(fds[i]);
	}
	free(fds);
	return r;
}

static int measure_all(struct job *job, struct assay_error *err)
{
	size_t limit = batch_limit(job->count);
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
	progress_begin(&progress, "files measured", job->count);
	for (size_t first = 0; first < job->count && r == 0; first += limit) {
		size_t left = job->count - first;

		r = measure_batch(job, &device, first, left < limit ? left : limit, entries, err);
		progress_update(&progress, first + (left < limit ? left : limit));
	}
	progress_end(&progress);
	device_close(&device);
	free(entries);
	return r;
}

static void print_summary(const struct job *job, int result, const struct assay_error *err)
{
	if (!job->json) {
		if (result == 0 && job->records > 0)
			printf("%zu of %zu files measured, in %zu record%s; the last is %" PRIu64
			       "\n",
			       job->measured, job->count, job->records,
			       job->records == 1 ? "" : "s", job->last_record);
		return;
	}
	printf("\n], \"measured\": %zu, \"failed\": %zu, \"records\": %zu", job->measured,
	       job->failed, job->records);
	if (result < 0)
		command_print_json_error(err);
	fputs("}\n", stdout);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "manifest", required_argument, NULL, 'm' },
		{ "root", required_argument, NULL, 'r' },
		{ "read", no_argument, NULL, 'R' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	const char *manifest_path = NULL, *root = NULL;
	struct manifest *manifest = NULL;
	struct job job = { .root = -1 };
	struct assay_error err;
	int c, status, r = 0;

	while ((c = command_option(&command_measure, argc, argv, ":h", options, &status)) != -1) {
		switch (c) {
		case 'm':
			manifest_path = optarg;
			break;
		case 'r':
			root = optarg;
			break;
		case 'R':
			job.flags |= ASSAY_MEASURE_READ;
			break;
		case 'j':
			job.json = true;
			break;
		}
	}
	if (status >= 0)
		return status;
	if (optind == argc && !manifest_path)
		return command_usage(&command_measure, "which files? Name some, or a --manifest");

	if (root) {
		job.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (job.root < 0)
			r = assay_fail(&err, errno, "cannot open the directory %s: %s", root,
				       strerror(errno));
	}
	if (r == 0 && manifest_path)
		r = manifest_load(manifest_path, &manifest, &err);
	for (size_t i = 0; r == 0 && manifest && i < manifest->count; i++)
		if (!add_path(&job, manifest->files[i].path))
			r = assay_fail(&err, ENOMEM, "out of memory");
	for (int i = optind; r == 0 && i < argc; i++)
		if (!add_path(&job, argv[i]))
			r = assay_fail(&err, ENOMEM, "out of memory");
	if (r == 0 && job.count == 0)
		r = assay_fail(&err, ENODATA, "%s names no file", manifest_path);
	if (r == 0) {
		if (job.json)
			fputs("{\"files\": [", stdout);
		r = measure_all(&job, &err);
		print_summary(&job, r, &err);
	}
	manifest_free(manifest);
	free(job.paths);
	if (job.root >= 0)
		close(job.root);
	status = command_flush(&command_measure);
	if (r < 0)
		return command_failed(&command_measure, &err);
	return job.failed > 0 ? EXIT_FAILED : status;
}

const struct command command_measure = {
	.name = "measure",
	.summary = "have the kernel measure files into the log, anchored in the TPM",
	.help = help,
	.run = run,
};
