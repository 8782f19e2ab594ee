// SPDX-License-Identifier: MIT
/* Fuzz target: TPMS_ATTEST, what a TPM signs; and what an audit session makes of it. */
#include <assert.h>

#include "fuzz.h"
#include "verify/audit.h"
#include "verify/structures.h"

static void read_attested(const struct tpm_attest *attest)
{
	struct tpm_audit_info audit;
	struct tpm_nv_info nv;

	if (tpm_audit_info_parse(attest->attested, &audit, NULL) == 0)
		inside(audit.digest, attest->attested);
	if (tpm_nv_info_parse(attest->attested, &nv, NULL) == 0) {
		inside(nv.index_name, attest->attested);
		inside(nv.contents, attest->attested);
	}
}

/* By each of the two commands: it is one of them at most. */
static void audit(struct bytes in, const struct tpm_attest *attest)
{
	struct assay_digest digest;
	int quote, certify;

	assert(audit_begin(ASSAY_HASH_SHA256, &digest));
	quote = audit_quote(&digest, attest->qualified_signer, in, attest, in, NULL);
	certify = audit_nv_certify(&digest, attest->qualified_signer, in, attest, in, NULL);
	assert(quote < 0 || attest->type == TPM_ST_ATTEST_QUOTE);
	assert(certify < 0 || attest->type == TPM_ST_ATTEST_NV);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = BYTES(data, size);
	struct tpm_attest attest;

	if (tpm_attest_parse(in, &attest, NULL) < 0)
		return 0;
	inside(attest.qualified_signer, in);
	inside(attest.extra_data, in);
	inside(attest.pcr_digest, in);
	inside(attest.attested, in);
	read_attested(&attest);
	audit(in, &attest);
	assert(attest.selection_count <= TPM_MAX_SELECTIONS);
	for (size_t i = 0; i < attest.selection_count; i++)
		assert(attest.selections[i].mask < 1U << TPM_PCR_COUNT);
	/* A quote ends where its fields do: one byte less is no quote. */
	if (attest.type == TPM_ST_ATTEST_QUOTE)
		assert(tpm_attest_parse(BYTES(data, size - 1), &attest, NULL) < 0);
	return 0;
}
