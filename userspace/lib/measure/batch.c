// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure/root.h"

/* Descriptors that are open beside the files of a batch. */
#define SPARE_DESCRIPTORS 32

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

/* Where a path leads, without opening what is there. Return: a descriptor or -errno */
static int find_file(const struct measure_job *job, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (job->stay ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_IN_ROOT,
	};
	int place;

	root_looks_at(path);
	if (job->root >= 0)
		place = (int)syscall(SYS_openat2, job->root, path, &how, sizeof(how));
	else
		place = open(path, (int)how.flags);
	return place < 0 ? -errno : place;
}

/* For reading, what @place is. Return: a descriptor or -errno */
static int open_again(const struct measure_job *job, int place)
{
	char link[sizeof("/proc/self/fd/") + 11];
	int fd;

	snprintf(link, sizeof(link), "%s%d", job->descriptors >= 0 ? "" : "/proc/self/fd/", place);
	fd = openat(job->descriptors >= 0 ? job->descriptors : AT_FDCWD, link,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* Return: a descriptor for the kernel to measure, or -errno */
static int open_file(const struct measure_job *job, const char *path)
{
	int place = find_file(job, path), fd;
	struct stat st;

	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		fd = -errno;
	else if (S_ISREG(st.st_mode))
		fd = open_again(job, place);
	else
		fd = S_ISDIR(st.st_mode) ? -EISDIR : S_ISLNK(st.st_mode) ? -ELOOP : -EOPNOTSUPP;
	close(place);
	return fd;
}

const char *measure_advice(int code)
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

static void tell(const struct measure_job *job, struct measure_counts *counts, const char *path,
		 const struct assay_measure_entry *entry, bool recorded, uint64_t recnum)
{
	if (entry->result == 0)
		counts->measured++;
	else
		counts->failed++;
	if (job->told)
		job->told(job->context, path, entry, recorded, recnum);
}

/*
 * Open them, one ioctl, close them. A file that cannot be opened is left out of the record, and
 * told.
 */
static int measure_batch(const struct measure_job *job, const char *const *paths, size_t count,
			 struct assay_measure_entry *entries, struct measure_counts *counts,
			 struct assay_error *err)
{
	uint64_t recnum = 0;
	size_t opened = 0, next = 0;
	int *fds = calloc(count, sizeof(*fds));
	int r = 0;

	if (!fds)
		return assay_fail(err, ENOMEM, "out of memory");
	memset(entries, 0, count * sizeof(*entries));
	for (size_t i = 0; i < count; i++) {
		fds[i] = open_file(job, paths[i]);
		if (fds[i] >= 0)
			entries[opened++].fd = fds[i];
	}
	if (opened > 0)
		r = device_measure(job->device, job->flags, entries, opened, &recnum, err);
	if (r == 0 && opened > 0) {
		counts->records++;
		counts->last_record = recnum;
	}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0) {
			struct assay_measure_entry failed = { .result = fds[i] };

			tell(job, counts, paths[i], &failed, false, 0);
			continue;
		}
		if (r == 0)
			tell(job, counts, paths[i], &entries[next++], true, recnum);
		close(fds[i]);
	}
	free(fds);
	return r;
}

int measure_files(const struct measure_job *job, const char *const *paths, size_t count,
		  struct measure_counts *ret, struct assay_error *err)
{
	size_t limit = batch_limit(count);
	struct assay_measure_entry *entries = calloc(limit ? limit : 1, sizeof(*entries));
	int r = 0;

	*ret = (struct measure_counts){ 0 };
	if (!entries)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t first = 0; first < count && r == 0; first += limit) {
		size_t left = count - first, now = left < limit ? left : limit;

		r = measure_batch(job, paths + first, now, entries, ret, err);
		if (job->advanced)
			job->advanced(job->context, first + now);
	}
	free(entries);
	return r;
}
