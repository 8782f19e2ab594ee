/* SPDX-License-Identifier: MIT */
/*
 * The attestation key as a verifier was given it, in whichever form people keep public keys.
 * For whoever fills struct verify_input. Pure: bytes in, key out.
 */
#ifndef ASSAY_VERIFY_AK_GIVEN_H
#define ASSAY_VERIFY_AK_GIVEN_H

#include "verify/key.h"

#define AK_GIVEN_MAX_SIZE 65536 /* bytes of the text; no form of one key is longer */

enum ak_given_form {
	AK_GIVEN_TPM2B_PUBLIC, /* TPM 2.0 Library, Part 2, 12.2.5: `assay key create --public` */
	AK_GIVEN_TPMT_PUBLIC,  /* 12.2.4: the same without its size */
	AK_GIVEN_PEM,	       /* RFC 7468 section 13, or RSAPublicKey of RFC 8017, A.1.1 */
	AK_GIVEN_DER,	       /* SubjectPublicKeyInfo, RFC 5280, section 4.1 */
	AK_GIVEN_JWK,	       /* RFC 7517, with RFC 7518, sections 6.2.1 and 6.3.1 */
};

/**
 * struct ak_given - an attestation key, as far as it is known
 * @form: what it was read from
 * @public_area: TPM2B_PUBLIC; size 0 where only the key's numbers are known (PEM, DER, JWK)
 * @public: the key: with @public_area all of it; else nothing but type, key_bits, modulus,
 *          exponent, curve, x and y, so it has neither name nor attributes
 * @key: tpm_public_key_digest() of it: the same for the same key in every form
 *
 * The attributes that TPM2B_PUBLIC and TPMT_PUBLIC have are what the giver vouches for, for
 * the key's name is made of them. Of the other forms nobody vouches for any: a TPM2B_PUBLIC of
 * the same key that evidence brings says what its writer liked, for an unrestricted or
 * exported key signs a forged quote as well as a restricted one signs a true one.
 */
struct ak_given {
	enum ak_given_form form;
	struct buffer public_area;
	struct tpm_public public;
	struct assay_digest key;
	struct buffer numbers; /* what @public points to where there is no @public_area */
};

/*
 * ak_given_read() - read an attestation key
 * @text: the whole file
 * @ret: ak_given_free() it
 *
 * RSA of 1024 to 4096 bits, or ECC on P-256, P-384 or P-521; whether that is enough is for
 * the checks to say.
 * Return: 0; -EBADMSG with what the file is instead, or where it is malformed; -EFBIG, -ENOMEM
 */
int ak_given_read(struct bytes text, struct ak_given *ret, struct assay_error *err);
void ak_given_free(struct ak_given *given);

#endif /* ASSAY_VERIFY_AK_GIVEN_H */
