/* SPDX-License-Identifier: MIT */
/*
 * What Keylime's agents and verifiers exchange, as evidence. Pure.
 *
 *	quote string	"r" and, each in base64 with ':' between: TPMS_ATTEST, TPMT_SIGNATURE, and
 *PCR values as tpm2-tools serialize them agent's answer	of GET /quotes/...: {"results":
 *{"quote": quote string, ...}} one-shot check	the body of POST /verify/evidence: {"type": "tpm",
 *"data": {...}} push, API v3	what an agent sends, {"data": {"attributes": {"evidence_collected":
 *[...]}}}, or what a verifier keeps of it, with "evidence" in its place
 */
#ifndef ASSAY_IMPORT_KEYLIME_H
#define ASSAY_IMPORT_KEYLIME_H

#include "import/parts.h"

/*
 * import_keylime() - make evidence of any of these
 * @ret: evidence_free() it, also on failure. It may have no key: only the one-shot check, and push
 *       evidence as the verifier keeps it, have one
 *
 * What is not taken over is told by its name: policies, the endorsement key, what is not known.
 * Return: 0; -EBADMSG with what is off; -EFBIG, -ENOMEM
 */
int import_keylime(struct bytes in, const struct import_notes *notes, struct evidence *ret,
		   struct assay_error *err);

#endif /* ASSAY_IMPORT_KEYLIME_H */
