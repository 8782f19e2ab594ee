/* SPDX-License-Identifier: MIT */
/* For a program that is linked with lib/verify itself and has read the evidence before. */
#ifndef ASSAY_VERIFY_LIBRARY_READ_H
#define ASSAY_VERIFY_LIBRARY_READ_H

#include "assay-verify.h"
#include "verify/evidence.h"
#include "verify/verdict.h"

/*
 * library_verify_read() - as assay_verify()
 * @evidence: what evidence_parse() made of @params->evidence; is taken over: empty then, if there
 * was a verdict. NULL: it is read here
 */
enum assay_verify_error library_verify_read(const struct assay_verify_params *params,
					    struct evidence *evidence,
					    struct assay_verdict **ret_verdict,
					    struct assay_verify_message *message);

/* library_verdict() - what verify() found; lives as long as @verdict */
const struct verdict *library_verdict(const struct assay_verdict *verdict);

#endif /* ASSAY_VERIFY_LIBRARY_READ_H */
