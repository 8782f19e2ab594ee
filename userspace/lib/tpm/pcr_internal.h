/* SPDX-License-Identifier: MIT */
/* PCR selections in the TPM stack's terms, for lib/tpm's own files. */
#ifndef ASSAY_TPM_PCR_INTERNAL_H
#define ASSAY_TPM_PCR_INTERNAL_H

#include "tpm/context.h"
#include "tpm/pcr.h"

/*
 * tpm_pcr_selection() - @pcrs' selection as the TPM takes it
 * @left: a bitmap a bank to use instead of the bank's own, then banks without a
 *        bit are left out; NULL for the banks' own
 */
void tpm_pcr_selection(const struct tpm_pcrs *pcrs, const uint32_t *left, TPML_PCR_SELECTION *ret);

#endif /* ASSAY_TPM_PCR_INTERNAL_H */
