/* SPDX-License-Identifier: MIT */
/* Keylime's quote string; see keylime.h. */
#ifndef ASSAY_IMPORT_KEYLIME_QUOTE_H
#define ASSAY_IMPORT_KEYLIME_QUOTE_H

#include "import/parts.h"

#define KEYLIME_QUOTE_MARK 'r'

/*
 * keylime_quote_parts() - put quote, signature and PCR values into evidence
 * Return: 0; -EBADMSG, also for parts that are compressed with zlib, which names it; -ENOMEM
 */
int keylime_quote_parts(struct bytes attest, struct bytes signature, struct bytes pcrs,
			struct evidence *evidence, struct assay_error *err);

/* keylime_quote_read() - the same of the quote string */
int keylime_quote_read(struct bytes text, struct evidence *evidence, struct assay_error *err);

#endif /* ASSAY_IMPORT_KEYLIME_QUOTE_H */
