// SPDX-License-Identifier: MIT
/* What `assay status --why` reads from the kernel's log, into which programs may write as well. */
#include <stdlib.h>
#include <string.h>

#include "memory/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct why_facts facts = { .machine = "x86_64", .release = "6.12.0", .built = true };
	json_t *reasons;

	why_take_messages(BYTES(data, size), &facts);
	if (facts.message_count > WHY_MESSAGES)
		abort();
	for (size_t i = 0; i < facts.message_count; i++)
		for (const char *at = facts.messages[i]; *at; at++)
			if (*at < ' ' || *at > '~')
				abort();
	reasons = why_judge(&facts);
	if (!reasons || json_array_size(reasons) < facts.message_count)
		abort();
	json_decref(reasons);
	return 0;
}
