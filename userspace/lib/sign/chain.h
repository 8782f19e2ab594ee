/* SPDX-License-Identifier: MIT */
/*
 * Does a certificate of a TPM's key lead to a root that is trusted (RFC 5280, section 6)? The
 * same for endorsement keys and attestation keys; what their own extensions must say is their
 * users' to look at.
 *
 * Pure; no TPM stack, and no clock.
 */
#ifndef ASSAY_SIGN_CHAIN_H
#define ASSAY_SIGN_CHAIN_H

#include <openssl/x509.h>

#include "sign/certificates.h"

/**
 * struct chain_trust - whose certificates are believed; all borrowed
 * @roots: trusted as they are
 * @intermediates: what may stand between; none of them is trusted for being here
 * @revocations: of revocations_parse(), at whatever time; NULL for none
 * @now: seconds since 1970-01-01 00:00 UTC
 */
struct chain_trust {
	STACK_OF(X509) * roots;
	STACK_OF(X509) * intermediates;
	STACK_OF(X509_CRL) * revocations;
	uint64_t now;
};

/**
 * struct chain_rules - what else is asked
 * @what: names the certificate in errors: "the endorsement key's certificate"
 * @purposes: extended key usages (sign/usage.h), one of which an authority between the
 *            certificate and the root must have if it has any; ended by NULL. The "any" of RFC
 *            5280 is always one
 */
struct chain_rules {
	const char *what;
	const char *const *purposes;
};

/**
 * struct chain_revocation - what revocation lists could say of a chain
 * @certificates: how many it has, with the root
 * @unknown: how many of them no list at hand tells of; not counted where there are no lists
 */
struct chain_revocation {
	size_t certificates;
	size_t unknown;
};

/*
 * chain_trim() - the certificate alone, without the padding that files read from NV
 * memory have behind it; @der itself where it is something else
 */
struct bytes chain_trim(struct bytes der);

/*
 * chain_check() - does it lead to a root?
 * @der: the certificate; padding may follow
 * @chain: certificates in DER, one after the other, that may stand between like those of
 *         @trust; may be empty
 * @ret: the certificate; X509_free() it
 *
 * The chain ends in a root and every certificate of it is valid now, signed with at least
 * 112 bits of security. What stands between is an authority's (basicConstraints CA:TRUE,
 * keyCertSign), within its length of path, for one of the purposes of @rules. A revocation list
 * of an issuer in the chain is one that this issuer signed, is of now, and has none of its
 * certificates.
 *
 * Return: 0; -EBADMSG for what is no certificate; -EKEYREJECTED with the rule that it broke
 */
int chain_check(struct bytes der, struct bytes chain, const struct chain_rules *rules,
		const struct chain_trust *trust, X509 **ret,
		struct chain_revocation *ret_revocation, struct assay_error *err);

#endif /* ASSAY_SIGN_CHAIN_H */
