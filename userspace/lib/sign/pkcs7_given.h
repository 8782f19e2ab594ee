/* SPDX-License-Identifier: MIT */
/* Inside lib/sign: signatures with signed attributes that somebody else made, taken for ours. */
#ifndef ASSAY_SIGN_PKCS7_GIVEN_H
#define ASSAY_SIGN_PKCS7_GIVEN_H

#include "sign/pkcs7.h"

/*
 * pkcs7_from_cms() - append a CMS with signed attributes to @out, as pkcs7_verify_content() takes
 * signatures: detached, without certificates, its signer named as @certificate's
 * @given: DER or PEM
 *
 * Nothing is verified.
 * Return: 0; -ENOENT for what is no CMS, or one of not one signer, or without signed attributes;
 * -EBADMSG, -ENOMEM
 */
int pkcs7_from_cms(struct bytes given, X509 *certificate, struct buffer *out,
		   struct assay_error *err);

/*
 * pkcs7_take_given() - append the signature of @content with signed attributes that @signer was
 * given (struct signer, @given), if there is a good one by @certificate's key
 * @inside: put @certificate into it
 *
 * Return: 0; -ENOENT where there is none with such attributes; or why those that there are are no
 * good
 */
int pkcs7_take_given(struct signer *signer, X509 *certificate, bool inside,
		     const struct pkcs7_content *content, enum assay_hash hash, struct buffer *out,
		     struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS7_GIVEN_H */
