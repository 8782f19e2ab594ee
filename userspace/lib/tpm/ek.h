/* SPDX-License-Identifier: MIT */
/*
 * The endorsement key and its certificate, and what the TPM does with a credential: the
 * device's side of enrolment (TCG EK Credential Profile 2.5 and TPM 2.0 Library part 3,
 * section 12.5). For commands; includes nothing of the TPM stack.
 */
#ifndef ASSAY_TPM_EK_H
#define ASSAY_TPM_EK_H

#include "tpm/key.h"

/* Bytes of a certificate in the TPM; what says that it is larger is not read. */
#define TPM_EK_CERTIFICATE_MAX 8192
#define TPM_EK_CHAIN_MAX 65536 /* of all those between it and a root */

struct tpm_ek;

/* The templates of the profile (section B) that assay knows, by what they are also called. */
enum tpm_ek_template {
	TPM_EK_ANY,	    /* the first of those below whose certificate the TPM holds */
	TPM_EK_P256_LOW,    /* L-2 */
	TPM_EK_RSA2048_LOW, /* L-1 */
	TPM_EK_P256,	    /* H-2 */
	TPM_EK_RSA2048,	    /* H-1 */
	TPM_EK_P384,	    /* H-3 */
};

/* tpm_ek_template_by_name() - "p256-low" and so on; false for a name not known */
bool tpm_ek_template_by_name(const char *name, enum tpm_ek_template *ret);
const char *tpm_ek_template_name(enum tpm_ek_template template);

/*
 * tpm_ek_certificate() - read the endorsement key's certificate from the TPM's NV memory
 * @template: of which key
 * @ret_template: of which it is: @template, or what TPM_EK_ANY came to
 * @out: DER, without what may stand behind it in NV memory
 *
 * Nothing in it is checked but that it is all there. The search for any goes on behind an
 * index that is empty, cannot be read, or holds something else.
 * Return: 0; -ENODATA where there is none; else of the first that is of no use: -EPROTO for
 * one that the TPM has cut or says to be larger than TPM_EK_CERTIFICATE_MAX
 */
int tpm_ek_certificate(struct tpm *tpm, enum tpm_ek_template template,
		       enum tpm_ek_template *ret_template, struct buffer *out,
		       struct assay_error *err);

/*
 * tpm_ek_chain() - append the certificates that the TPM holds between its endorsement keys' and
 * their makers' roots, in DER, one after the other; nothing where it holds none
 *
 * Which of them lead where is for whoever verifies to find.
 * Return: 0; -EPROTO where what stands there is something else
 */
int tpm_ek_chain(struct tpm *tpm, struct buffer *out, struct assay_error *err);

/*
 * tpm_ek_open() - the endorsement key in a slot, made from the TPM's seed, or the one that
 * stands at the profile's handle if that has this template
 * @template: not TPM_EK_ANY
 * @ret: tpm_ek_close() it before the TPM is closed
 */
int tpm_ek_open(struct tpm *tpm, enum tpm_ek_template template, struct tpm_ek **ret,
		struct assay_error *err);

/* Does nothing with NULL. */
void tpm_ek_close(struct tpm_ek *ek);

/* TPM2B_PUBLIC, marshalled; lives as long as @ek. */
struct bytes tpm_ek_public_area(const struct tpm_ek *ek);

/*
 * tpm_ek_activate() - have the TPM open a credential
 * @ak: the key that the credential names
 * @blob: TPM2B_ID_OBJECT
 * @secret: TPM2B_ENCRYPTED_SECRET
 * @out: what was in it
 *
 * Return: 0; -EKEYREJECTED where the credential is not for these two keys, or was changed
 */
int tpm_ek_activate(const struct tpm_ek *ek, const struct tpm_key *ak, struct bytes blob,
		    struct bytes secret, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_TPM_EK_H */
