// SPDX-License-Identifier: MIT
#include "verity_fixture.h"

#include "support.h"

struct verity_parameters verity_fixture_parameters(enum assay_hash hash, uint32_t block_size,
						   size_t salt_size)
{
	struct verity_parameters made = { .hash = hash,
					  .block_size = block_size,
					  .salt_size = salt_size };

	support_fill(made.salt, salt_size, 7);
	return made;
}
