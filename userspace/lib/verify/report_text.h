/* SPDX-License-Identifier: MIT */
/*
 * What the attestation of an audit session is of besides the session: the text of a report, as
 * systemd-report writes it (JSON text sequence, RFC 7464: a separator, an object, a newline).
 * Pure, and hostile input.
 */
#ifndef ASSAY_VERIFY_REPORT_TEXT_H
#define ASSAY_VERIFY_REPORT_TEXT_H

#include "base/bytes.h"

#define REPORT_TEXT_TYPE "application/vnd.io.systemd.report" /* "mediaType" */

/* The file below /run/systemd/report.files that a nonce is put into, in hexadecimal, where
 * systemd-report takes none itself; and the metric that systemd-report-files makes of it. */
#define REPORT_TEXT_NONCE_METRIC "io.systemd.Files.assay_nonce"

/*
 * report_text_nonce() - append the nonce that a report has: its member "nonce" in base64, or else
 * that metric; nothing where it has none
 *
 * Return: 0; -EBADMSG for what is no report, or no nonce of 1 to EVIDENCE_MAX_NONCE bytes; -ENOMEM
 */
int report_text_nonce(struct bytes text, struct buffer *ret, struct assay_error *err);

#endif /* ASSAY_VERIFY_REPORT_TEXT_H */
