// SPDX-License-Identifier: MIT
/*
 * The guest's half of bench-group-commit: THREADS threads measure one file each, CALLS
 * times, with a TPM that takes DELAY milliseconds for an extend. Prints
 *
 *	NANOSECONDS FILES RECORDS
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "../kmod/guest.h"

#define MAX_THREADS 64

static unsigned int calls;

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void *measure_often(void *argument)
{
	const char *path = argument;
	struct assay_measure_entry entry = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	int fd = open_assay(O_RDWR);

	need(entry.fd >= 0, "open %s", path);
	for (unsigned int i = 0; i < calls; i++)
		need(!measure(fd, 0, &entry, 1, NULL) && !entry.result, "measure %s", path);
	close(entry.fd);
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	static pthread_t threads[MAX_THREADS];
	static char paths[MAX_THREADS][256];
	unsigned int count;
	uint64_t records;
	int64_t from;
	int fd;

	if (argc != 5) {
		fputs("Usage: group-commit DIRECTORY THREADS CALLS DELAY\n", stderr);
		return 2;
	}
	count = (unsigned int)strtoul(argv[2], NULL, 10);
	calls = (unsigned int)strtoul(argv[3], NULL, 10);
	need(count > 0 && count <= MAX_THREADS, "%s threads", argv[2]);
	fd = open_assay(O_RDONLY);
	records = get_info(fd).records;
	tpm_behave((unsigned int)strtoul(argv[4], NULL, 10), TPM_PROXY_NONE, 0);
	from = now();
	for (unsigned int i = 0; i < count; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%u", argv[1], i);
		need(!pthread_create(&threads[i], NULL, measure_often, paths[i]), "a thread");
	}
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	from = now() - from;
	tpm_behave(0, TPM_PROXY_NONE, 0);
	printf("%" PRId64 " %u %llu\n", from, count * calls,
	       (unsigned long long)(get_info(fd).records - records));
	return 0;
}
