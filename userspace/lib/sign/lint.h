/* SPDX-License-Identifier: MIT */
/*
 * What the kernel will say of a certificate, before it does: why one of its keyrings
 * refuses it, or a signature by its key (crypto/asymmetric_keys, security/integrity).
 * Pure; no TPM code.
 */
#ifndef ASSAY_SIGN_LINT_H
#define ASSAY_SIGN_LINT_H

#include "sign/certificate.h"

/* Keyrings, as bits. */
enum {
	LINT_FS_VERITY = 1, /* .fs-verity */
	LINT_IMA = 2,	    /* .ima: only what a key built into the kernel has signed */
	LINT_USER_IMA = 4,  /* _ima, which user space fills */
	LINT_ALL = 7,
};

/**
 * struct lint_finding - something that stands against a certificate
 * @code: a word for programs, lower case with hyphens
 * @text: a sentence for people: what is so, why it matters, what to do
 * @keyrings: which keyrings refuse it, or its key's signatures; may be 0
 * @stricter: assay signs nothing with it and accepts no signature by it, whatever the kernel
 *            does; with no keyring and not this, a finding is a mere warning
 */
struct lint_finding {
	const char *code;
	const char *text;
	unsigned int keyrings;
	bool stricter;
};

typedef void (*lint_function)(void *context, const struct lint_finding *finding);

/*
 * certificate_lint() - find what stands against a certificate
 * @authorities: certificates of the keys that are built into the kernel, or in .ima's
 *               trust otherwise; @count of them. Without any, .ima's question whether one of
 *               them issued @certificate is only a warning
 * @each: called for each finding; its text lives until the call returns
 *
 * Return: the keyrings that refuse the certificate
 */
unsigned int certificate_lint(X509 *certificate, X509 *const *authorities, size_t count,
			      lint_function each, void *context);

#endif /* ASSAY_SIGN_LINT_H */
