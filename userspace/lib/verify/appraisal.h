/* SPDX-License-Identifier: MIT */
/*
 * One run of verify(): what the checks of form, of the quote and of the replays hand on to one
 * another. What appraises content sees only struct content. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_APPRAISAL_H
#define ASSAY_VERIFY_APPRAISAL_H

#include "log/uefi.h"
#include "verify/ak_given.h"
#include "verify/content.h"
#include "verify/evidence.h"
#include "verify/log_start.h"
#include "verify/proven.h"
#include "verify/structures.h"
#include "verify/tell.h"
#include "verify/input.h"

/**
 * struct appraisal - one run of verify()
 * Each member is set by the check named beside it, and is only to be used by
 * checks that need that one (see checks.def).
 */
struct appraisal {
	const struct verify_input *input;
	const struct verify_policy *policy;
	struct verdict *verdict;
	struct evidence evidence;	   /* evidence-parsed */
	bool judged[VERIFY_LOGS];	   /* evidence-logs: it is there, and the policy wants it */
	check_mask left_out, eased;	   /* the same: see presence.h */
	bool firmware_known;		   /* the same: see going_on.h */
	struct tpm_attest attest;	   /* quote-parsed */
	struct tpm_signature signature;	   /* quote-parsed */
	struct assay_digest certified_key; /* ak-certificate: size 0 without one that passed */
	bool certified_restricted;	   /* ak-certificate: its issuer says so */
	struct buffer session_nonce;	   /* quote-session, if it has one */
	struct tpm_public ak;		   /* ak-expected: the enrolled key, not the evidence's */
	struct ak_given ak_claimed;	   /* ak-expected: what @ak may point to */
	enum assay_hash bank;		   /* pcr-required: where all required PCRs are quoted */
	struct quoted_pcrs *quoted;	   /* pcr-digest */
	struct uefi_pcrs firmware;	   /* uefi-log-parsed */
	struct log_facts log;		   /* assay-log-parsed */
	struct log_start start;		   /* assay-log-parsed */
	struct assay_digest next_key;	   /* assay-log-chain: what comes next; size 0 without it */
	struct content content;		   /* the replays, manifest-signature, and its own checks */
};

/* A check: what became of it. It leaves a sentence in @detail, which is empty before. */
typedef enum check_result check_function(struct appraisal *appraisal, char *detail);

/* appraisal_accepts() - is that TPM_ALG_ID one that the policy takes? */
bool appraisal_accepts(const struct appraisal *appraisal, uint16_t algorithm);

/* appraisal_is_signed() - is @signature the enrolled key's? Return: as tpm_key_verify() */
int appraisal_is_signed(const struct appraisal *appraisal, const struct tpm_signature *signature,
			struct bytes message, struct assay_error *err);

#define CHECK(id, name, function, ...) check_function check_##function;
#define CONTENT(...)
#include "verify/checks.def"
#undef CHECK
#undef CONTENT

#endif /* ASSAY_VERIFY_APPRAISAL_H */
