/* SPDX-License-Identifier: MIT */
/* What using a key takes besides a password: PCRs as they were. For lib/tpm's own files. */
#ifndef ASSAY_TPM_KEY_POLICY_H
#define ASSAY_TPM_KEY_POLICY_H

#include "tpm/pcr.h"
#include "tpm/session.h"

/**
 * struct tpm_key_policy - a policy, as a key file tells it
 * @pcrs: as pcr_policy of struct tpm_key_file; of size 0 for no policy
 * @password: it takes the password, too (TPM2_PolicyAuthValue)
 */
struct tpm_key_policy {
	struct buffer pcrs;
	bool password;
};

/*
 * tpm_policy_make() - the policy that the PCRs be as they are now
 * @policy: its pcrs is filled in; its password is looked at
 * @ret: the digest by which a key knows it
 */
int tpm_policy_make(struct tpm *tpm, const struct tpm_pcrs *pcrs, struct tpm_key_policy *policy,
		    TPM2B_DIGEST *ret, struct assay_error *err);

/*
 * tpm_policy_prove() - run it in a session, anew
 * @session: of the type TPM2_SE_POLICY, or TPM2_SE_TRIAL
 * @what: names the key in errors
 */
int tpm_policy_prove(struct tpm *tpm, ESYS_TR session, const struct tpm_key_policy *policy,
		     const char *what, struct assay_error *err);

#endif /* ASSAY_TPM_KEY_POLICY_H */
