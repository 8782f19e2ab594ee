/* SPDX-License-Identifier: MIT */
/*
 * The audited session in a signed report of systemd: the quote comes first, then an attestation an
 * NvPCR, and the session's own attestation last, which is for the report's text (tpm2-report.c
 * there). Pure, and hostile input.
 */
#ifndef ASSAY_IMPORT_SYSTEMD_SESSION_H
#define ASSAY_IMPORT_SYSTEMD_SESSION_H

#include <jansson.h>

#include "import/notes.h"
#include "verify/evidence.h"

/*
 * systemd_component() - the structures of a component of a report
 * @type: TPM_ST_ATTEST_* that it must attest; @known: members that it may have
 *
 * Return: 0; -EBADMSG with the member that is off; -ENOMEM
 */
int systemd_component(const json_t *component, uint16_t type, const char *const known[],
		      const struct import_notes *notes, struct buffer *ret_attest,
		      struct buffer *ret_signature, struct assay_error *err);

/*
 * systemd_session_import() - the session, and the nonce that the report has
 * @components: of a signature of the TPM's
 * @text: the report, which was signed, from the separator on
 *
 * What no verifier could compute anew is left out, and told.
 *
 * Return: 0; -EBADMSG with the member that is off; -ENOMEM
 */
int systemd_session_import(const json_t *components, struct bytes text,
			   const struct import_notes *notes, struct evidence *evidence,
			   struct assay_error *err);

#endif /* ASSAY_IMPORT_SYSTEMD_SESSION_H */
