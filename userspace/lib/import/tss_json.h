/* SPDX-License-Identifier: MIT */
/*
 * The TPM's structures as JSON: TCG TSS 2.0 JSON Data Types and Policy Language, in the form that
 * systemd writes (tpm2-util.c there) and tss2-fapi reads; back to the TPM's own bytes, which are
 * what is signed. Pure, and hostile input: what is not known cannot be marshalled, and is refused.
 *
 * A number of 64 bits may be an array of its halves, the lower one first, as tss2-fapi has it.
 */
#ifndef ASSAY_IMPORT_TSS_JSON_H
#define ASSAY_IMPORT_TSS_JSON_H

#include <jansson.h>

#include "base/bytes.h"

/*
 * Each appends the structure's bytes to @out (TPM 2.0 Library, Part 2).
 * Return: 0; -EBADMSG with the member that is off; -ENOMEM
 */

/*
 * tss_json_attest() - TPMS_ATTEST, 10.12.12; a selection of PCRs is of three bytes
 * @type: that it must be of: TPM_ST_ATTEST_QUOTE, ..._NV or ..._SESSION_AUDIT
 */
int tss_json_attest(const json_t *attest, uint16_t type, struct buffer *out,
		    struct assay_error *err);

/* tss_json_signature() - TPMT_SIGNATURE of RSASSA, RSAPSS or ECDSA, 11.3.4 */
int tss_json_signature(const json_t *signature, struct buffer *out, struct assay_error *err);

/* tss_json_public() - TPM2B_PUBLIC of a key that signs, 12.2.5 */
int tss_json_public(const json_t *public, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_IMPORT_TSS_JSON_H */
