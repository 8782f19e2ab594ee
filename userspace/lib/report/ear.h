/* SPDX-License-Identifier: MIT */
/*
 * A verdict for relying parties: an EAT Attestation Result (EAR, draft-ietf-rats-ear), a JWT that
 * the verifier signs. Pure: time and key are the caller's.
 */
#ifndef ASSAY_REPORT_EAR_H
#define ASSAY_REPORT_EAR_H

#include "base/signer.h"
#include "verify/verdict.h"

/* Whose names and profile: what readers take today, or what the draft has come to. */
enum ear_profile {
	EAR_VERAISON, /* tag:github.com,2023:veraison/ear: "ear.status" and so on */
	EAR_IETF,     /* tag:ietf.org,2026:rats/ear#03: "ear_status" and so on */
};

/**
 * struct ear_facts - what is said besides the verdict
 * @nonce: that the verifier sent
 * @now: when the verdict was made, in seconds since 1970-01-01 00:00 UTC
 * @policy_id: names the policy
 * @device: names the device, by the verifier's record; NULL where it has none
 */
struct ear_facts {
	enum ear_profile profile;
	struct bytes nonce;
	uint64_t now;
	const char *policy_id;
	const char *device;
};

/* ear_profile_tag() - the value of eat_profile */
const char *ear_profile_tag(enum ear_profile profile);

/* ear_claims() - the claims, a new object; NULL without memory */
json_t *ear_claims(const struct verdict *verdict, const struct ear_facts *facts);

/*
 * ear_write() - append the signed JWT, without a newline
 * Return: 0; -EINVAL for a key that is not on P-256; what the signer returns; -ENOMEM
 */
int ear_write(const struct verdict *verdict, const struct ear_facts *facts, struct signer *signer,
	      struct buffer *out, struct assay_error *err);

#endif /* ASSAY_REPORT_EAR_H */
