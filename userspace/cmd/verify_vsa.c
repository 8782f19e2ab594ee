// SPDX-License-Identifier: MIT
/* `assay verify --vsa`: also in assay-verify, so nothing here may need the TPM stack. */
#include "verify_vsa.h"

#include "verify_results.h"

int vsa_uri(void *place, const char *value, struct assay_error *err)
{
	*(const char **)place = value;
	return statement_check_uri(value, err);
}

int vsa_signer_open(const struct vsa_options *options, struct vsa_signer *ret,
		    struct assay_error *err)
{
	int r = certificate_load(options->certificate, &ret->signer.certificate, err);

	if (r == 0)
		r = results_open_key(options->key, options->passphrase, &ret->signer.signer, err);
	if (r == 0 &&
	    certificate_check_signer(ret->signer.certificate, ret->signer.signer, err) < 0)
		r = assay_fail_context(err, "%s", options->certificate);
	return r;
}

void vsa_signer_close(struct vsa_signer *signer)
{
	if (signer->signer.signer)
		signer->signer.signer->close(signer->signer.signer);
	X509_free(signer->signer.certificate);
	*signer = (struct vsa_signer){ 0 };
}
