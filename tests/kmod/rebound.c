// SPDX-License-Identifier: MIT
/*
 * A kernel that tells when a TPM may have been reset (patches/): that its driver has registered
 * it again is enough for the PCR to be read, without a call. Needs run-guest --tpm-proxy. Loads
 * and unloads the module.
 */
#define _GNU_SOURCE
#include <time.h>

#include "guest.h"

static bool is_noticed(int fd, unsigned int tenths)
{
	const struct timespec tenth = { .tv_nsec = 100000000 };

	for (; tenths; tenths--) {
		if (get_info(fd).pcr_state == ASSAY_PCR_RESET)
			return true;
		nanosleep(&tenth, NULL);
	}
	return false;
}

int main(void)
{
	struct assay_info info;
	int fd;

	load_assay("verify=0");
	fd = open_assay(O_RDWR);
	need(append(fd, "good", "x", 1, NULL) == 0, "APPEND");
	tpm_reset();
	check(!is_noticed(fd, 10), "with verify=0 a reset is not noticed");
	bind_tpm(false);
	bind_tpm(true);
	check(is_noticed(fd, 100), "when the driver has registered the TPM again it is");
	info = get_info(fd);
	check(info.last_error == -EUCLEAN && info.records == 2,
	      "INFO: EUCLEAN, and no record more");
	close(fd);
	unload_assay();

	load_assay("verify=0");
	bind_tpm(false);
	unload_assay();
	bind_tpm(true);
	check(true, "nothing is told to a module that is gone");
	return tap_end();
}
