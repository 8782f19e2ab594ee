/* SPDX-License-Identifier: MIT */
/* What a TPM keeps in its NV memory. For lib/tpm's own files. */
#ifndef ASSAY_TPM_NV_H
#define ASSAY_TPM_NV_H

#include "tpm/context.h"

/*
 * tpm_nv_read() - append what is in an NV index
 * @index: 0x01000000 to 0x01ffffff
 * @limit: bytes that it may have; more are not read
 *
 * It is read with the index's own empty password where that is allowed, else with the owner's.
 * Return: 0; -ENODATA where there is no such index, or nothing was written to it; -EPROTO where
 * it has no bytes or more than @limit; what tpm_fail() gives for one that may not be read
 */
int tpm_nv_read(struct tpm *tpm, uint32_t index, size_t limit, struct buffer *out,
		struct assay_error *err);

#endif /* ASSAY_TPM_NV_H */
