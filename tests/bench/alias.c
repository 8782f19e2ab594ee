// SPDX-License-Identifier: MIT
/*
 * The guest's half of bench-alias: appends records to a log without a TPM, so that writing
 * them is all there is, and prints the median time of a call in nanoseconds.
 */
#define _GNU_SOURCE
#include "../kmod/guest.h"

#define APPENDS 500

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void)
{
	static int64_t took[APPENDS];
	uint8_t data[512] = { 1 };
	int fd = open_assay(O_RDWR);

	for (unsigned int i = 0; i < APPENDS; i++) {
		int64_t from = now();
		int ret = append(fd, "alias", data, sizeof(data), NULL);

		took[i] = now() - from;
		need(ret == -ENODEV, "an append without a TPM");
	}
	need(get_info(fd).records == APPENDS + 1, "all are written");
	qsort(took, APPENDS, sizeof(took[0]), compare);
	printf("%" PRId64 "\n", took[APPENDS / 2]);
	return 0;
}
