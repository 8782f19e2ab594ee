/* SPDX-License-Identifier: MIT */
/*
 * PCR values in the forms of tpm2-tools (tpm2_quote(1), --pcrs_format; lib/pcr.c of it). Others
 * have taken the first one over, Keylime among them.
 *
 *	serialized	TPML_PCR_SELECTION, a count, and so many TPML_DIGEST, as a little-endian
 *			machine has these structures in memory, unused room included
 *	marshaled	the same as the TPM has them on the wire (Part 2, 10.9.7 and 10.9.4)
 *	values		the values alone, in the order of the quote's selection
 */
#ifndef ASSAY_IMPORT_PCR_FILE_H
#define ASSAY_IMPORT_PCR_FILE_H

#include "verify/evidence.h"

struct tpm_attest; /* verify/structures.h, which goes with no header of the TPM stack */

#define PCR_FILE_MAX_SIZE 65536 /* bytes; more than any of them can have */

/*
 * pcr_file_read() - add the values of a file in any of these forms
 * @attest: the quote, whose selection is that of "values"
 *
 * Return: 0; -EBADMSG for what is none of the forms; -ENOMEM
 */
int pcr_file_read(struct bytes in, const struct tpm_attest *attest, struct evidence *evidence,
		  struct assay_error *err);

/*
 * pcr_file_write() - append the evidence's values as "serialized", those that its quote selects
 * Return: 0; -EBADMSG for a quote that is none; -EINVAL where a value is missing that it selects;
 * -ENOMEM
 */
int pcr_file_write(const struct evidence *evidence, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_IMPORT_PCR_FILE_H */
