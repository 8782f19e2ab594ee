/* SPDX-License-Identifier: MIT */
/*
 * The event log in a report of systemd: records of the firmware and of systemd's own, as
 * systemd-pcrlock writes them (CEL-JSON). Pure, and hostile input.
 */
#ifndef ASSAY_IMPORT_SYSTEMD_LOG_H
#define ASSAY_IMPORT_SYSTEMD_LOG_H

#include <jansson.h>

#include "import/notes.h"
#include "verify/evidence.h"
#include "verify/structures.h"

/*
 * systemd_log_import() - the values of the quoted PCRs, the firmware's log and the boot's id
 * @records: an array of records
 * @attest: the quote
 *
 * Where the log does not replay to what is quoted, its values are taken all the same, and it is
 * told: the verifier finds it.
 *
 * Return: 0; -EBADMSG with the record that is off; -ENOMEM
 */
int systemd_log_import(const json_t *records, const struct tpm_attest *attest,
		       const struct import_notes *notes, struct evidence *evidence,
		       struct assay_error *err);

#endif /* ASSAY_IMPORT_SYSTEMD_LOG_H */
