/* SPDX-License-Identifier: MIT */
/*
 * An attestation of go-tpm-tools (message attest.Attestation of its proto/attest.proto), in the
 * binary form, as `gotpm attest` and its library write it. Pure.
 */
#ifndef ASSAY_IMPORT_GO_TPM_TOOLS_H
#define ASSAY_IMPORT_GO_TPM_TOOLS_H

#include "import/parts.h"

/*
 * import_go_tpm_tools() - make evidence of one
 * @bank: whose quote to take, for there is one a bank; ASSAY_HASH_NONE: the first there is of
 *        SHA-256, SHA-384, SHA-512 and SHA-1
 * @ret: evidence_free() it, also on failure
 *
 * The other quotes, a log of Container-Optimized OS, certificates of issuers and what a
 * confidential machine says are left out, and told.
 * Return: 0; -EBADMSG with what is off; -ENOENT where no quote is of @bank; -ENOMEM
 */
int import_go_tpm_tools(struct bytes in, enum assay_hash bank, const struct import_notes *notes,
			struct evidence *ret, struct assay_error *err);

#endif /* ASSAY_IMPORT_GO_TPM_TOOLS_H */
