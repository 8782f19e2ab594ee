// SPDX-License-Identifier: MIT
/* Which parts there are; each has one line here, and is declared by it. */
#include "service.h"

#define PART(name) extern struct part part_##name

PART(archive);
PART(ima);
PART(measure);
PART(state);
PART(metrics);
PART(records);
PART(varlink);
PART(attest);
PART(push);

/* clang-format off */
struct part *const service_parts[] = {
	&part_archive,
	&part_state,
	&part_measure,
	&part_ima,
	&part_metrics,
	&part_records,
	&part_varlink,
	&part_attest,
	&part_push,
	NULL,
};
/* clang-format on */
