/* SPDX-License-Identifier: MIT */
/*
 * PCR banks and values. For lib/tpm/quote and commands; includes nothing of the
 * TPM stack.
 */
#ifndef ASSAY_TPM_PCR_H
#define ASSAY_TPM_PCR_H

#include "base/bytes.h"

struct tpm; /* lib/tpm/context.h */

#define TPM_PCR_COUNT 24 /* PCRs of a PC Client TPM (profile, section 4.6) */
#define TPM_BANK_MAX 4	 /* banks that enum assay_hash can name */

/**
 * struct tpm_pcr_bank - chosen PCRs of one bank, and their values
 * @hash: the bank's algorithm
 * @selected: bit i stands for PCR i
 * @value: value[i] is set for each selected PCR once they were read;
 *         assay_hash_size(@hash) bytes of it are used
 */
struct tpm_pcr_bank {
	enum assay_hash hash;
	uint32_t selected;
	uint8_t value[TPM_PCR_COUNT][ASSAY_DIGEST_MAX];
};

/* Banks, in the order in which a quote digests them. */
struct tpm_pcrs {
	size_t count;
	struct tpm_pcr_bank banks[TPM_BANK_MAX];
};

/*
 * tpm_pcr_allocated() - the banks that the TPM keeps, each with the PCRs it has
 *
 * Banks of algorithms that assay has no name for are left out. No values are read.
 */
int tpm_pcr_allocated(struct tpm *tpm, struct tpm_pcrs *ret, struct assay_error *err);

/*
 * tpm_pcr_read() - read the values of the PCRs that @pcrs selects
 *
 * Takes as many commands as the TPM needs for it (8 values fit into an answer).
 * *@ret_changed tells whether any PCR was extended meanwhile, so that the values do
 * not belong together; may be NULL. -EADDRNOTAVAIL: a bank or PCR that the TPM has not.
 */
int tpm_pcr_read(struct tpm *tpm, struct tpm_pcrs *pcrs, bool *ret_changed,
		 struct assay_error *err);

#endif /* ASSAY_TPM_PCR_H */
