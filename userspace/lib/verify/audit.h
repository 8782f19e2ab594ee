/* SPDX-License-Identifier: MIT */
/*
 * The digest of an audit session, computed anew from what its commands were and what the TPM
 * answered (TPM 2.0 Library, Part 1: cpHash, rpHash and session audit):
 *
 *	cpHash = H(commandCode || the handles' names || parameters)
 *	rpHash = H(responseCode || commandCode || parameters)
 *	auditDigest = H(auditDigest before || cpHash || rpHash), from zeros on
 *
 * The TPM audits commands that succeed. What is here are commands that change no PCR, as systemd
 * gives them. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_AUDIT_H
#define ASSAY_VERIFY_AUDIT_H

#include "verify/structures.h"

/* audit_begin() - of a session of that hash; false for a hash that is not known */
bool audit_begin(enum assay_hash hash, struct assay_digest *ret);

/*
 * Each goes on by a command that made @attest (TPMS_ATTEST, @parsed) and @signature
 * (TPMT_SIGNATURE), by the key of that name and in the key's own scheme (inScheme: TPM_ALG_NULL).
 * Return: 0; -EBADMSG for what is none of that command; -ENOMEM, -EIO
 */

/* audit_quote() - TPM2_Quote of what was quoted, for the nonce that is in it */
int audit_quote(struct assay_digest *digest, struct bytes key_name, struct bytes attest,
		const struct tpm_attest *parsed, struct bytes signature, struct assay_error *err);

/* audit_nv_certify() - TPM2_NV_Certify, by the index's own authorization */
int audit_nv_certify(struct assay_digest *digest, struct bytes key_name, struct bytes attest,
		     const struct tpm_attest *parsed, struct bytes signature,
		     struct assay_error *err);

#endif /* ASSAY_VERIFY_AUDIT_H */
