// SPDX-License-Identifier: MIT
#include "tpm/key_policy.h"

#include <errno.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "tpm/pcr_internal.h"

int tpm_policy_prove(struct tpm *tpm, ESYS_TR session, const struct tpm_key_policy *policy,
		     const char *what, struct assay_error *err)
{
	struct bytes pcrs = buffer_bytes(&policy->pcrs);
	TPML_PCR_SELECTION selection;
	TPM2B_DIGEST digest;
	size_t used = 0;
	TSS2_RC rc;

	rc = Tss2_MU_TPM2B_DIGEST_Unmarshal(pcrs.data, pcrs.size, &used, &digest);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPML_PCR_SELECTION_Unmarshal(pcrs.data, pcrs.size, &used, &selection);
	if (rc != TSS2_RC_SUCCESS || used != pcrs.size)
		return assay_fail(err, EBADMSG, "%s: its policy is no PCR policy", what);
	rc = Esys_PolicyRestart(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_PolicyPCR(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				    &digest, &selection);
	if (tpm_rc_is(rc, TPM2_RC_VALUE))
		return assay_fail(err, EPERM,
				  "%s cannot be used now: the PCRs that it is bound to have other "
				  "values than when it was made",
				  what);
	if (rc == TSS2_RC_SUCCESS && policy->password)
		rc = Esys_PolicyAuthValue(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE);
	return rc == TSS2_RC_SUCCESS ? 0 : tpm_fail(tpm, err, rc, "cannot use %s", what);
}

/* TPM2_PolicyPCR's parameters for the PCRs' values of now, marshalled. */
static int append_parameters(struct tpm *tpm, const struct tpm_pcrs *pcrs, struct buffer *out,
			     struct assay_error *err)
{
	uint8_t room[sizeof(TPM2B_DIGEST) + sizeof(TPML_PCR_SELECTION)];
	CLEANUP(buffer_free) struct buffer all = { 0 };
	struct tpm_pcrs values = *pcrs;
	TPML_PCR_SELECTION selection;
	struct assay_digest digest;
	TPM2B_DIGEST marshalled = { 0 };
	bool changed = false;
	size_t size = 0;
	TSS2_RC rc;
	int r = tpm_pcr_read(tpm, &values, &changed, err);

	if (r < 0)
		return r;
	if (changed)
		return assay_fail(err, EAGAIN, "the PCRs changed while they were read; try again");
	for (size_t i = 0; i < TPM_PCR_COUNT; i++)
		if (values.banks[0].selected >> i & 1)
			buffer_append(&all, values.banks[0].value[i],
				      assay_hash_size(values.banks[0].hash));
	if (all.failed)
		return assay_fail(err, ENOMEM, "cannot create a key: out of memory");
	r = digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&all), &digest, err);
	if (r < 0)
		return r;
	marshalled.size = (UINT16)digest.size;
	memcpy(marshalled.buffer, digest.bytes, digest.size);
	tpm_pcr_selection(pcrs, NULL, &selection);
	rc = Tss2_MU_TPM2B_DIGEST_Marshal(&marshalled, room, sizeof(room), &size);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPML_PCR_SELECTION_Marshal(&selection, room, sizeof(room), &size);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot make a policy");
	buffer_append(out, room, size);
	return out->failed ? assay_fail(err, ENOMEM, "cannot create a key: out of memory") : 0;
}

int tpm_policy_make(struct tpm *tpm, const struct tpm_pcrs *pcrs, struct tpm_key_policy *policy,
		    TPM2B_DIGEST *ret, struct assay_error *err)
{
	ESYS_TR session = ESYS_TR_NONE;
	TPM2B_DIGEST *digest = NULL;
	TSS2_RC rc;
	int r = append_parameters(tpm, pcrs, &policy->pcrs, err);

	/* Nothing secret is in it: it needs no salt. */
	if (r == 0)
		r = tpm_start_session(tpm, TPM2_SE_TRIAL, ESYS_TR_NONE, 0, &session, err);
	if (r < 0)
		return r;
	r = tpm_policy_prove(tpm, session, policy, "the new key", err);
	if (r == 0) {
		rc = Esys_PolicyGetDigest(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, &digest);
		if (rc != TSS2_RC_SUCCESS)
			r = tpm_fail(tpm, err, rc, "cannot make a policy");
		else
			*ret = *digest;
		Esys_Free(digest);
	}
	tpm_flush(tpm, session);
	return r;
}
