/* SPDX-License-Identifier: MIT */
/*
 * Evidence as Keylime's one-shot check takes it: the body of POST /verify/evidence, of type
 * "tpm". For commands; no TPM stack.
 *
 * Keylime compares a quote's nonce as text, in one PCR bank, which has to be of the hash
 * that the quote is signed with; it takes IMA's list as text in four templates, and knows no
 * other log than that and the firmware's.
 */
#ifndef ASSAY_VERIFY_KEYLIME_EVIDENCE_H
#define ASSAY_VERIFY_KEYLIME_EVIDENCE_H

#include <jansson.h>

#include "verify/evidence.h"

#define KEYLIME_LEFT_OUT_MAX 4
#define KEYLIME_REASON_MAX 512

/* struct keylime_left_out - what of the evidence is not in there, and why; sentences */
struct keylime_left_out {
	size_t count;
	char reason[KEYLIME_LEFT_OUT_MAX][KEYLIME_REASON_MAX];
};

/*
 * keylime_evidence() - make that body
 * @pcrs: the values in the form of tpm2-tools: see import/pcr_file.h
 * @ek_public: TPM2B_PUBLIC of the endorsement key
 * @ret: json_decref() it
 *
 * The policies are not in there: they are the verifier's, which adds one at least.
 *
 * Return: 0; -EINVAL for a quote that Keylime could not take; -EBADMSG for a signature that
 * does not parse; -ENOMEM
 */
int keylime_evidence(const struct evidence *evidence, struct bytes pcrs, struct bytes ek_public,
		     json_t **ret, struct keylime_left_out *ret_left_out, struct assay_error *err);

#endif /* ASSAY_VERIFY_KEYLIME_EVIDENCE_H */
