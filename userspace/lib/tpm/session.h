/* SPDX-License-Identifier: MIT */
/*
 * Sessions: how a password reaches the TPM without a listener on its wires learning it.
 * For lib/tpm's own files.
 *
 * A session is salted with a key whose private part only the TPM has, so that its key is known
 * to nobody else: passwords go over as an HMAC, secrets encrypted (TPM 2.0 Library part 1,
 * sections 19 and 21). Whoever can put a key of their own in place of that one learns the
 * session's key, so it is to be one whose name is known; see tpm_parent_open().
 */
#ifndef ASSAY_TPM_SESSION_H
#define ASSAY_TPM_SESSION_H

#include "tpm/context.h"

/*
 * tpm_start_session() - a session of this type, to be flushed
 * @salt: the key it is salted with; ESYS_TR_NONE where no secret depends on it
 */
int tpm_start_session(struct tpm *tpm, TPM2_SE type, ESYS_TR salt, TPMA_SESSION attributes,
		      ESYS_TR *ret, struct assay_error *err);

/* tpm_start_unnamed_session() - the same, salted with a key that the TPM makes for it alone,
 * in the hierarchy that takes no password: its name is known to nobody beforehand */
int tpm_start_unnamed_session(struct tpm *tpm, TPM2_SE type, TPMA_SESSION attributes, ESYS_TR *ret,
			      struct assay_error *err);

/* tpm_flush() - give back the slot of a key or session */
void tpm_flush(struct tpm *tpm, ESYS_TR handle);

/* tpm_end_session() - the same for what an object is used with; nothing for ESYS_TR_PASSWORD and
 * ESYS_TR_NONE */
void tpm_end_session(struct tpm *tpm, ESYS_TR session);

/*
 * tpm_authorize() - what a hierarchy or a parent key is used with, by the password that
 * tpm_give_password() was given for it
 * @object: ESYS_TR_RH_OWNER, ESYS_TR_RH_ENDORSEMENT, or a parent key
 * @salt: as for tpm_start_session(); ESYS_TR_NONE: as for tpm_start_unnamed_session()
 * @ret: tpm_end_session() it. ESYS_TR_PASSWORD where no password was given
 */
int tpm_authorize(struct tpm *tpm, ESYS_TR object, enum tpm_authority whose, ESYS_TR salt,
		  TPMA_SESSION attributes, ESYS_TR *ret, struct assay_error *err);

/* tpm_set_password() - what @object is used with from now on; -EINVAL if it is too long */
int tpm_set_password(struct tpm *tpm, ESYS_TR object, struct bytes password,
		     struct assay_error *err);

/* Storage keys: ECC P-256 and AES-128, by the template H-2 with the storage attributes (TCG EK
 * Credential Profile, section B.4.5, and TCG Provisioning Guidance, section 7.5.1). */
extern const TPM2B_PUBLIC tpm_storage_template;

#endif /* ASSAY_TPM_SESSION_H */
