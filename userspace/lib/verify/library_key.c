// SPDX-License-Identifier: MIT
/* libassay-verify: attestation keys that were read once. */
#include "verify/library_internal.h"

PUBLIC enum assay_verify_error assay_ak_new(struct assay_verify_bytes ak_public,
					    struct assay_ak **ret_ak,
					    struct assay_verify_message *message)
{
	KEEP_CALLERS_ERRORS;
	struct assay_error err = { 0 };
	struct kept_key *key = NULL;

	if (kept_key_new(library_borrow(ak_public), &key, &err) < 0)
		return library_failed(ASSAY_VERIFY_ERROR_KEY, &err, message);
	*ret_ak = library_ak(key);
	return ASSAY_VERIFY_OK;
}

PUBLIC void assay_ak_free(struct assay_ak *ak)
{
	kept_key_free(library_kept_key(ak));
}
