// SPDX-License-Identifier: MIT
#include "manager.h"

#include <stdio.h>

void manager_tell(enum manager_priority priority, const char *part, const char *key,
		  const char *text)
{
	(void)priority;
	(void)key;
	fprintf(stderr, "assayd: %s%s%s\n", part ? part : "", part ? ": " : "", text);
}

/* Nobody asks. */
void manager_ready(void)
{
}

void manager_reloading(void)
{
}

void manager_stopping(void)
{
}

void manager_status(const char *text)
{
	(void)text;
}
