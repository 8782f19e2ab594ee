/* SPDX-License-Identifier: MIT */
/* Evidence as the files that tpm2-tools read and write. Also in the program assay-verify. */
#ifndef ASSAY_CMD_EVIDENCE_PARTS_H
#define ASSAY_CMD_EVIDENCE_PARTS_H

#include "verify/evidence.h"

/*
 * evidence_parts_write() - write the parts into a directory, which is made where it is not there
 *
 * attest, sig, pcrs, ak.pub (or ak.der, where only the key's numbers are known), nonce, ak.crt,
 * and the logs: assay.cel, ima, uefi; those that the evidence has.
 *
 * Return: 0; -EINVAL where a value is missing that the quote selects; what file_write() returns
 */
int evidence_parts_write(const char *directory, const struct evidence *evidence,
			 struct assay_error *err);

#endif /* ASSAY_CMD_EVIDENCE_PARTS_H */
