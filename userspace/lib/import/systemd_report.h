/* SPDX-License-Identifier: MIT */
/*
 * A signed report of systemd (version 262): what `systemd-report generate --sign=` writes where the
 * TPM is one of the mechanisms. A sequence of JSON texts (RFC 7464): the report, then a text a
 * signature. That of the TPM holds a quote, an attestation an NvPCR, one of the audited session
 * that made them, the key, and the event log as systemd-pcrlock has it (CEL-JSON); see
 * systemd-report-sign-tpm2@.service(8).
 *
 * It holds neither PCR values nor the firmware's log: the first are replayed from the event log,
 * the second is written anew from it. Events that extend nothing (EV_NO_ACTION) are not in there,
 * so a locality that the TPM was started from is taken from what the quote says of PCR 0.
 * The quote answers no nonce, but the session may: its attestation is for the report's text, which
 * may have one (verify/report_text.h). Pure: bytes in, evidence out.
 */
#ifndef ASSAY_IMPORT_SYSTEMD_REPORT_H
#define ASSAY_IMPORT_SYSTEMD_REPORT_H

#include "import/notes.h"
#include "verify/evidence.h"

#define SYSTEMD_REPORT_MAX (64U << 20) /* bytes of the whole */

/*
 * import_systemd_report() - evidence of the first signature that a TPM made
 * @notes: told what of the report has no place in evidence
 *
 * Return: 0; -EBADMSG for what is no such report; -ENOENT where no TPM signed it; -EFBIG, -ENOMEM
 */
int import_systemd_report(struct bytes in, const struct import_notes *notes, struct evidence *ret,
			  struct assay_error *err);

#endif /* ASSAY_IMPORT_SYSTEMD_REPORT_H */
