// SPDX-License-Identifier: MIT
/* Which parts there are; each has one line here, and is declared by it. */
#include "service.h"

#define PART(name) extern struct part part_##name

PART(state);
PART(metrics);
PART(varlink);

struct part *const service_parts[] = {
	&part_state,
	&part_metrics,
	&part_varlink,
	NULL,
};
