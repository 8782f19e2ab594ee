// SPDX-License-Identifier: MIT
#include "base/cleanup.h"
#include "tpm/key.h"
#include "tpm/key_public.h"

int tpm_key_describe(const struct tpm_key_file *file, const char *what, struct tpm_key_facts *ret,
		     struct assay_error *err)
{
	CLEANUP(tpm_key_public_free) struct tpm_key_public public = { 0 };
	int r = tpm_key_public_read(buffer_bytes(&file->public_area), what, &public, err);

	if (r < 0)
		return r;
	*ret = public.facts;
	ret->password = file->password;
	ret->pcr_policy = file->pcr_policy.size > 0;
	return 0;
}

int tpm_key_file_public(const struct tpm_key_file *file, const char *what, EVP_PKEY **ret,
			struct assay_error *err)
{
	CLEANUP(tpm_key_public_free) struct tpm_key_public public = { 0 };
	int r = tpm_key_public_read(buffer_bytes(&file->public_area), what, &public, err);

	if (r < 0)
		return r;
	EVP_PKEY_up_ref(public.key);
	*ret = public.key;
	return 0;
}
