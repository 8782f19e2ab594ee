// SPDX-License-Identifier: MIT
/* libassay-verify: what is kept of a device, and what may be asked of it. */
#include <string.h>

#include "base/json.h"
#include "verify/library_internal.h"
#include "verify/state.h"

#if defined(__LP64__)
_Static_assert(sizeof(struct assay_state_info) == 128, "a change of the ABI");
_Static_assert(sizeof(struct assay_verify_quote) == 104, "a change of the ABI");
#endif
_Static_assert(sizeof(((struct assay_state_info *)0)->boot_id) > EVIDENCE_BOOT_ID_LENGTH,
	       "a boot id does not fit");

int library_read_state(struct bytes state, struct verify_state *ret, struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *json = NULL;
	int r;

	if (state_are_bytes(state))
		return state_from_bytes(state, ret, err);
	r = json_parse(state, "the state", &json, err);
	return r < 0 ? r : state_from_json(json, ret, err);
}

PUBLIC enum assay_verify_error assay_state_info(struct assay_verify_bytes state,
						const struct assay_policy *policy,
						struct assay_state_info *ret_info,
						struct assay_verify_message *message)
{
	struct assay_error err = { 0 };
	struct verify_state read = { 0 };

	if (library_read_state(library_borrow(state), &read, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_STATE, &err, message);
	*ret_info = (struct assay_state_info){
		.clock = read.clock,
		.firmware_version = read.firmware_version,
		.verified = read.verified,
		.reset_count = read.reset_count,
		.restart_count = read.restart_count,
	};
	memcpy(ret_info->boot_id, read.boot_id, sizeof(read.boot_id));
	if (!policy || !state_goes_on(&read, &policy->references))
		return ASSAY_VERIFY_OK;
	ret_info->log = read.records;
	ret_info->ima = read.ima.entries;
	ret_info->uefi = read.firmware.size;
	return ASSAY_VERIFY_OK;
}

PUBLIC enum assay_verify_error assay_verdict_state_bytes(const struct assay_verdict *verdict,
							 struct assay_verify_bytes *ret_state)
{
	*ret_state = (struct assay_verify_bytes){ verdict->state.data, verdict->state.size };
	return verdict->state.size > 0 ? ASSAY_VERIFY_OK : ASSAY_VERIFY_ERROR_RANGE;
}

/* By the key, for the nonce: all that is asked of a quote before its PCRs are looked at. */
static bool is_proven(const struct verdict *verdict)
{
	const check_mask asked = check_needs(CHECK_PCR_DIGEST) & ~CHECK_BIT(CHECK_PCR_SELECTION);

	return (verdict->passed & asked) == asked;
}

PUBLIC enum assay_verify_error assay_verdict_quote(const struct assay_verdict *verdict,
						   struct assay_verify_quote *ret_quote)
{
	const struct verdict_quote *quote = &verdict->verdict.quote;

	if (!(verdict->verdict.passed & CHECK_BIT(CHECK_QUOTE_PARSED)))
		return ASSAY_VERIFY_ERROR_RANGE;
	*ret_quote = (struct assay_verify_quote){
		.clock = quote->clock,
		.firmware_version = quote->firmware_version,
		.reset_count = quote->reset_count,
		.restart_count = quote->restart_count,
		.safe = quote->safe,
		.proven = is_proven(&verdict->verdict),
	};
	memcpy(ret_quote->boot_id, quote->boot_id, sizeof(quote->boot_id));
	return ASSAY_VERIFY_OK;
}
