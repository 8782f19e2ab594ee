// SPDX-License-Identifier: MIT
/*
 * insmod FILE [PARAMETER]...: the guests' own, in front of busybox'; see module.h. The exit
 * status is 0 or the errno, as with that.
 */
#define _GNU_SOURCE
#include "module.h"

int main(int argc, char *argv[])
{
	char parameters[4096] = "";
	size_t used = 0;
	int result;

	if (argc < 2) {
		fprintf(stderr, "usage: insmod FILE [PARAMETER]...\n");
		return 2;
	}
	for (int i = 2; i < argc && used < sizeof(parameters); i++)
		used += (size_t)snprintf(parameters + used, sizeof(parameters) - used, "%s%s",
					 used ? " " : "", argv[i]);
	result = used < sizeof(parameters) ? module_load(argv[1], parameters) : -E2BIG;
	if (result == 0)
		return 0;
	fprintf(stderr, "insmod: can't insert '%s': %s\n", argv[1], strerror(-result));
	return -result;
}
