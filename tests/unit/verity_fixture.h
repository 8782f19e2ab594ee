/* SPDX-License-Identifier: MIT */
/* For tests of Merkle trees. */
#ifndef ASSAY_TESTS_VERITY_FIXTURE_H
#define ASSAY_TESTS_VERITY_FIXTURE_H

#include "verity/verity.h"

/* Parameters with a salt that looks random. */
struct verity_parameters verity_fixture_parameters(enum assay_hash hash, uint32_t block_size,
						   size_t salt_size);

#endif /* ASSAY_TESTS_VERITY_FIXTURE_H */
