// SPDX-License-Identifier: MIT
/* What a policy requires where it says nothing else, by the table of checks. */
#include "verify/structures.h"
#include "verify/input.h"

static check_mask checks_when(enum check_when when)
{
	check_mask bits = 0;

	for (int i = 0; i < CHECK_COUNT; i++)
		if (check_when((enum check)i) == when)
			bits |= CHECK_BIT(i);
	return bits;
}

void verify_policy_default(struct verify_policy *ret)
{
	*ret = (struct verify_policy){
		.required = checks_when(CHECK_ALWAYS),
		.required_if_made = checks_when(CHECK_IF_MADE),
		.required_with_state = checks_when(CHECK_WITH_STATE),
		.logs = { [VERIFY_LOG_ASSAY] = PRESENCE_REQUIRED,
			  [VERIFY_LOG_IMA] = PRESENCE_REQUIRED,
			  [VERIFY_LOG_UEFI] = PRESENCE_OPTIONAL },
		.algorithms = VERIFY_RSASSA | VERIFY_RSAPSS | VERIFY_ECDSA | VERIFY_SHA256 |
			      VERIFY_SHA384 | VERIFY_SHA512 | VERIFY_P256 | VERIFY_P384,
		.rsa_bits = 2048,
		.nonce_size = 16,
		.pcrs = 1U << 10 | 1U << 14,
		.assay_pcr = 14,
		.ima_pcr = 10,
	};
}

uint32_t verify_algorithm_bit(uint16_t algorithm)
{
	switch (algorithm) {
	case TPM_ALG_RSASSA:
		return VERIFY_RSASSA;
	case TPM_ALG_RSAPSS:
		return VERIFY_RSAPSS;
	case TPM_ALG_ECDSA:
		return VERIFY_ECDSA;
	case ASSAY_HASH_SHA256:
		return VERIFY_SHA256;
	case ASSAY_HASH_SHA384:
		return VERIFY_SHA384;
	case ASSAY_HASH_SHA512:
		return VERIFY_SHA512;
	default:
		return 0;
	}
}
