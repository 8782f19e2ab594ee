/* SPDX-License-Identifier: MIT */
/*
 * A verdict as the trustworthiness claims of AR4SI (draft-ietf-rats-ar4si, section 2.3): which
 * check feeds which claim is told in one table, here and in assay-verify(1).
 */
#ifndef ASSAY_REPORT_TRUST_VECTOR_H
#define ASSAY_REPORT_TRUST_VECTOR_H

#include "verify/verdict.h"

/*
 * The claims that a verdict can say something of. Of runtime-opaque, storage-opaque and
 * sourced-data evidence of a TPM tells nothing, and so none is made.
 */
enum trust_claim {
	TRUST_INSTANCE_IDENTITY,
	TRUST_CONFIGURATION,
	TRUST_EXECUTABLES,
	TRUST_FILE_SYSTEM,
	TRUST_HARDWARE,
	TRUST_CLAIMS,
};

enum trust_tier { TIER_NONE, TIER_AFFIRMING, TIER_WARNING, TIER_CONTRAINDICATED };

/* struct trust_vector - by claim: AR4SI's value, from -128 to 127; 0: nothing is said */
struct trust_vector {
	int value[TRUST_CLAIMS];
};

/* trust_claim_name() - "instance-identity" and so on */
const char *trust_claim_name(enum trust_claim claim);

/* trust_tier_of() - of a value (section 2.3.2); trust_tier_name() - "affirming" and so on */
enum trust_tier trust_tier_of(int value);
const char *trust_tier_name(enum trust_tier tier);

/*
 * trust_vector_of() - what a verdict says of each claim: of its required checks that did not pass
 * the one that says the worst; else what the checks that passed affirm
 */
struct trust_vector trust_vector_of(const struct verdict *verdict);

/*
 * trust_status() - of the whole: contraindicated where the verdict is not "trusted"; else the
 * worst of the vector, and no better than a warning where the boot was not judged
 */
enum trust_tier trust_status(const struct verdict *verdict, const struct trust_vector *vector);

#endif /* ASSAY_REPORT_TRUST_VECTOR_H */
