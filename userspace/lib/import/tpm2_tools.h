/* SPDX-License-Identifier: MIT */
/*
 * The files of tpm2-tools: what tpm2_quote(1) and tpm2_createak(1) write and tpm2_checkquote(1)
 * takes, in both directions. Pure.
 */
#ifndef ASSAY_IMPORT_TPM2_TOOLS_H
#define ASSAY_IMPORT_TPM2_TOOLS_H

#include "import/parts.h"

/**
 * struct tpm2_tools_files - what is in the files
 * @message: of -m: TPMS_ATTEST
 * @signature: of -s: "tss" (TPMT_SIGNATURE) or "plain"
 * @pcrs: of -o, in any form
 * @ak: the public key in any form
 */
struct tpm2_tools_files {
	struct bytes message, signature, pcrs, ak;
};

/*
 * import_tpm2_tools() - make evidence of the files, without logs
 * @scheme: for a signature that is "plain"
 * @ret: evidence_free() it, also on failure
 *
 * Return: 0; -EBADMSG with the file that is off; -ENOMEM
 */
int import_tpm2_tools(const struct tpm2_tools_files *files, const struct import_scheme *scheme,
		      const struct import_notes *notes, struct evidence *ret,
		      struct assay_error *err);

#endif /* ASSAY_IMPORT_TPM2_TOOLS_H */
