/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/sign: signed attributes of a PKCS#7 or CMS signature (RFC 2315, section 9.2,
 * authenticatedAttributes; RFC 5652, section 5.3). Where there are any, the signature is of them,
 * and one of them has the digest of the content. Signers that assay drives make none; those of
 * others, such as `openssl cms -sign`, do.
 */
#ifndef ASSAY_SIGN_PKCS7_ATTRIBUTES_H
#define ASSAY_SIGN_PKCS7_ATTRIBUTES_H

#include <openssl/pkcs7.h>

#include "base/digest.h"
#include "sign/pkcs7_content.h"

/* pkcs7_attribute_is_refused() - does the kernel take it with Authenticode alone? */
bool pkcs7_attribute_is_refused(const ASN1_OBJECT *object);

/*
 * pkcs7_attributes() - append to @out what the signature is of, where there are signed attributes
 * @info: with such attributes
 * @hash: of its digestAlgorithm
 *
 * Each has one value, and is there once; contentType is data, and messageDigest the digest of the
 * content. What else there is, such as signingTime, is the signer's word and not looked at; but of
 * a signature that the kernel is to verify, what it refuses
 * (crypto/asymmetric_keys/pkcs7_parser.c): S/MIME capabilities and Authenticode's attributes.
 *
 * Return: 0; -EBADMSG with the rule that is broken; -EKEYREJECTED where it is of other content;
 * -ENOMEM
 */
int pkcs7_attributes(PKCS7_SIGNER_INFO *info, const struct pkcs7_content *content,
		     enum assay_hash hash, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_SIGN_PKCS7_ATTRIBUTES_H */
