// SPDX-License-Identifier: MIT
/* extend-delay PCR MILLISECONDS: from now on extends of that PCR take so much longer. */
#define _GNU_SOURCE
#include "../kmod/guest.h"

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("Usage: extend-delay PCR MILLISECONDS\n", stderr);
		return 2;
	}
	tpm_behave_for((unsigned int)strtoul(argv[1], NULL, 10),
		       (unsigned int)strtoul(argv[2], NULL, 10), TPM_PROXY_NONE, 0);
	return 0;
}
