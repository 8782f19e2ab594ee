// SPDX-License-Identifier: MIT
#include "tpm_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int option_tpm_parent(void *place, const char *value, struct assay_error *err)
{
	const char *text = value;
	unsigned long handle;
	uint32_t *ret = place;
	char *end;

	if (strncmp(text, TPM_KEY_HANDLE_PREFIX, strlen(TPM_KEY_HANDLE_PREFIX)) == 0)
		text += strlen(TPM_KEY_HANDLE_PREFIX);
	handle = strtoul(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || *end != '\0' || handle < TPM_KEY_PERSISTENT_FIRST ||
	    handle > TPM_KEY_PERSISTENT_LAST)
		return assay_fail(err, EINVAL,
				  "must be a persistent handle, 0x%x to 0x%x, not '%s'",
				  TPM_KEY_PERSISTENT_FIRST, TPM_KEY_PERSISTENT_LAST, value);
	*ret = (uint32_t)handle;
	return 0;
}
