/* SPDX-License-Identifier: MIT */
/*
 * Quotes: the TPM's own statement of what its PCRs hold, signed by an attestation
 * key (TPM 2.0 Library part 3, section 18.4). For commands; includes nothing of the
 * TPM stack.
 */
#ifndef ASSAY_TPM_QUOTE_H
#define ASSAY_TPM_QUOTE_H

#include "tpm/key.h"
#include "tpm/pcr.h"

/* Bytes of a nonce: fewer could be guessed or met again, more does not fit every TPM. */
#define TPM_NONCE_MIN 8
#define TPM_NONCE_MAX 64

/**
 * struct tpm_quote - a quote and the values it vouches for
 * @attest: TPMS_ATTEST, the bytes that were signed
 * @signature: TPMT_SIGNATURE over them
 * @pcrs: the selection that was quoted, with values whose digest is the quote's
 *
 * Start with {0}, end with tpm_quote_free().
 */
struct tpm_quote {
	struct buffer attest;
	struct buffer signature;
	struct tpm_pcrs pcrs;
};

/*
 * tpm_quote() - quote PCRs
 * @key: an attestation key of @tpm
 * @nonce: TPM_NONCE_MIN to TPM_NONCE_MAX bytes, made by who will verify
 * @pcrs: what to quote; values in it are not looked at
 *
 * Repeats values and quote until they agree, for PCRs may be extended meanwhile;
 * -EAGAIN if they never do.
 */
int tpm_quote(struct tpm *tpm, const struct tpm_key *key, struct bytes nonce,
	      const struct tpm_pcrs *pcrs, struct tpm_quote *ret, struct assay_error *err);

void tpm_quote_free(struct tpm_quote *quote);

#endif /* ASSAY_TPM_QUOTE_H */
