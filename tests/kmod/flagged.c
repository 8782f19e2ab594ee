// SPDX-License-Identifier: MIT
/*
 * flagged FRAME COUNT BIT: prints how many of these page frames have the flag with that
 * number in /proc/kpageflags. A shell takes minutes for a region of 512 MiB.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uint64_t frame, left, flagged = 0, flags[4096];
	unsigned int bit;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (argc != 4 || fd < 0)
		return 2;
	frame = strtoull(argv[1], NULL, 0);
	left = strtoull(argv[2], NULL, 0);
	bit = (unsigned int)strtoul(argv[3], NULL, 0) % 64;
	while (left > 0) {
		uint64_t count = left < 4096 ? left : 4096;
		ssize_t size = (ssize_t)(count * sizeof(flags[0]));

		if (pread(fd, flags, (size_t)size, (off_t)(frame * sizeof(flags[0]))) != size)
			return 1;
		for (uint64_t i = 0; i < count; i++)
			flagged += flags[i] >> bit & 1;
		frame += count;
		left -= count;
	}
	printf("%" PRIu64 "\n", flagged);
	return 0;
}
